// SPDX-License-Identifier: MIT
#pragma once
// Layers that treat each element alone: activations, functions of one value and of two, BatchNorm, Add, Mul, Convert.

#include <mote/core/functions.hpp>
#include <mote/layers/fields.hpp>

MOTE_BEGIN_NAMESPACE

// Activations. On int8 values, Relu and Relu6 clamp (input and output share their quantization); the others look each
// byte up in `table`: 256 int8 entries, the entry for q at q + 128, computed in double when the model is quantized or
// imported (activation_table in quantization/), so that no target's math library matters. Empty for floating point.

/// max(x, 0)
struct Relu {
    static constexpr const char* kind = "Relu";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields();
};

/// min(max(x, 0), 6)
struct Relu6 {
    static constexpr const char* kind = "Relu6";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields();
};

/// x where x > 0, else slope * x
struct LeakyRelu {
    float slope = 0.01f;
    Tensor<i8> table{};
    static constexpr const char* kind = "LeakyRelu";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields(Field{"slope", &LeakyRelu::slope}, Field{"table", &LeakyRelu::table});
};

/// x where x > 0, else slope[c] * x, over the last axis (He et al. 2015).
struct Prelu {
    Tensor<f32> slope{};  ///< [channels]
    static constexpr const char* kind = "Prelu";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields(Field{"slope", &Prelu::slope, Role::weight, 0});
};

/// 1 / (1 + exp(-x))
struct Sigmoid {
    Tensor<i8> table{};
    static constexpr const char* kind = "Sigmoid";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields(Field{"table", &Sigmoid::table});
};

struct Tanh {
    Tensor<i8> table{};
    static constexpr const char* kind = "Tanh";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields(Field{"table", &Tanh::table});
};

/// min(max(x + 3, 0), 6) / 6 (Howard et al. 2019, MobileNetV3, section 5.2)
struct HardSigmoid {
    Tensor<i8> table{};
    static constexpr const char* kind = "HardSigmoid";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields(Field{"table", &HardSigmoid::table});
};

/// x * HardSigmoid(x) (Howard et al. 2019, section 5.2)
struct HardSwish {
    Tensor<i8> table{};
    static constexpr const char* kind = "HardSwish";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields(Field{"table", &HardSwish::table});
};

/// Any other function of each element; alpha and beta are its constants a and b.
struct Unary {
    UnaryFunction function = UnaryFunction::abs;
    float alpha = 0.0f;
    float beta = 0.0f;
    Tensor<i8> table{};
    static constexpr const char* kind = "Unary";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields(Field{"function", &Unary::function}, Field{"alpha", &Unary::alpha},
                                               Field{"beta", &Unary::beta}, Field{"table", &Unary::table});
};

/// Over the last axis of any rank: scale * (x - mean) / sqrt(variance + epsilon) + shift. While training, mean and variance
/// are the batch's, and the stored ones follow by `momentum` (the share of the new batch). Ioffe and Szegedy 2015.
struct BatchNorm {
    Tensor<f32> scale{};     ///< [channels]
    Tensor<f32> shift{};     ///< [channels]
    Tensor<f32> mean{};      ///< [channels]
    Tensor<f32> variance{};  ///< [channels]
    float epsilon = 1e-5f;
    float momentum = 0.1f;
    static constexpr const char* kind = "BatchNorm";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields(
        Field{"scale", &BatchNorm::scale, Role::weight, 0}, Field{"shift", &BatchNorm::shift, Role::bias, 0},
        Field{"mean", &BatchNorm::mean, Role::statistic, 0}, Field{"variance", &BatchNorm::variance, Role::statistic, 0},
        Field{"epsilon", &BatchNorm::epsilon}, Field{"momentum", &BatchNorm::momentum});
};

/// Sum of two values of one shape.
struct Add {
    static constexpr const char* kind = "Add";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields();
};

/// Product of two values: of one shape, or the second [batch, 1, 1, channels] or [batch, channels] and broadcast over
/// the positions of the first (squeeze-excite).
struct Mul {
    static constexpr const char* kind = "Mul";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields();
};

/// A function of the elements of two values of one element that broadcast to one shape: axes are aligned at the last, and one
/// that is missing or of extent 1 repeats. Integers wrap, a quotient of theirs is cut towards zero, and what they divide by 0
/// is 0.
struct Binary {
    BinaryFunction function = BinaryFunction::add;
    static constexpr const char* kind = "Binary";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields(Field{"function", &Binary::function});
};

/// Truth values: how the elements of two values of one element, which broadcast as Binary's do, compare.
struct Compare {
    Comparison comparison = Comparison::equal;
    static constexpr const char* kind = "Compare";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields(Field{"comparison", &Compare::comparison});
};

/// Bits of two values of one element, integers or truth values, which broadcast as Binary's do.
struct Bitwise {
    BitOperation operation = BitOperation::both;
    static constexpr const char* kind = "Bitwise";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields(Field{"operation", &Bitwise::operation});
};

/// The second value's element where the first, of truth values, holds, else the third's. All broadcast as Binary's do.
struct Where {
    static constexpr const char* kind = "Where";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields();
};

/// The same numbers as another element, without quantization: reals are cut towards zero where they become integers, integers
/// wrap, truth values are what is not 0.
struct Cast {
    Element element = Element::f32;
    static constexpr const char* kind = "Cast";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields(Field{"element", &Cast::element});
};

/// Another element tag for the same numbers: quantize (f32 -> i8), dequantize (i8 -> f32), requantize (i8 -> i8), or floats of
/// another size (f16, bf16), rounded to nearest even.
/// The output's quantization stands with the output value.
struct Convert {
    Element element = Element::f32;
    static constexpr const char* kind = "Convert";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields(Field{"element", &Convert::element});
};

MOTE_END_NAMESPACE
