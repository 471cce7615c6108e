// SPDX-License-Identifier: MIT
// infer of activations, functions, BatchNorm, Add, Mul and Convert.

#include <mote/model/infer/elementwise.hpp>

#include <model/make.hpp>
#include <support/catch.hpp>
#include <support/error_text.hpp>

#include <limits>

namespace infer_elementwise_test {

using namespace mote;
using namespace model_make;

const Quantization fifth = QuantizationParams{0.2f, -7};

/// The output value of a layer on one input of element `element`.
template <class L>
Value output_of(L layer, Element element, Quantization in, Quantization out) {
    const auto model = one(std::move(layer), {{2, 3}}, element, std::move(in), std::move(out));
    return model.value(model.outputs()[0]);
}

template <class L>
void check_clamp() {
    INFO(L::kind);
    CHECK(output_of(L{}, Element::f32, {}, {}) == Value{"node", {2, 3}});
    CHECK(output_of(L{}, Element::i8, tenth, {}) == Value{"node", {2, 3}, Element::i8, tenth});
    CHECK(output_of(L{}, Element::i8, tenth, tenth).quantization == tenth);
    CHECK(output_of(L{}, Element::bf16, {}, {}) == Value{"node", {2, 3}, Element::bf16});
    CHECK_ERROR(output_of(L{}, Element::i8, tenth, fifth), "'node'", L::kind, "shares its input's quantization");
    CHECK_ERROR(output_of(L{}, Element::i32, {}, {}), "'x0' [2x3] i32", "f32, f16, bf16 or i8 expected");
    CHECK_ERROR(one(L{}, {{1, 2}, {1, 2}}), "1 inputs expected", "2 given");
}

template <class L>
void check_lookup() {
    INFO(L::kind);
    L layer;
    CHECK(output_of(layer, Element::f32, {}, {}) == Value{"node", {2, 3}});
    CHECK_ERROR(output_of(layer, Element::i8, tenth, fifth), "'node'", L::kind, "table of 256 entries", "it has 0");
    layer.table = Tensor<i8>(Shape{255});
    CHECK_ERROR(output_of(layer, Element::i8, tenth, fifth), "table of 256 entries", "it has 255");
    layer.table = Tensor<i8>(Shape{256});
    CHECK(output_of(layer, Element::i8, tenth, fifth) == Value{"node", {2, 3}, Element::i8, fifth});
    CHECK_ERROR(output_of(layer, Element::i8, tenth, {}), "'node'", "the output has no quantization");
    CHECK_ERROR(output_of(layer, Element::i8, tenth, QuantizationParams{0.0f, 0}), "the output has the scale 0");
    CHECK_ERROR(output_of(layer, Element::u8, {}, {}), "f32, f16, bf16 or i8 expected");
}

BatchNorm batch_norm(std::size_t channels) {
    BatchNorm layer{Tensor<f32>(Shape{channels}), Tensor<f32>(Shape{channels}), Tensor<f32>(Shape{channels}),
                    Tensor<f32>(Shape{channels})};
    for (float& variance : layer.variance.values()) variance = 1.0f;
    return layer;
}

template <class L>
void check_pair() {
    INFO(L::kind);
    CHECK(shape_of(L{}, {{2, 3, 4}, {2, 3, 4}}) == Shape{2, 3, 4});
    CHECK_ERROR(one(L{}, {{2, 3}, {2, 4}}), "'node'", L::kind, "'x0' [2x3] f32", "'x1' [2x4] f32");
    CHECK_ERROR(one(L{}, {{2, 3}}), "2 inputs expected", "1 given");
    CHECK_ERROR(one(L{}, {{2, 3}, {2, 3}, {2, 3}}), "2 inputs expected", "3 given");
    const auto int8 = one(L{}, {{2, 3}, {2, 3}}, Element::i8, tenth, fifth);
    CHECK(int8.value(int8.outputs()[0]) == Value{"node", {2, 3}, Element::i8, fifth});
    CHECK_ERROR(one(L{}, {{2, 3}, {2, 3}}, Element::i8, tenth), "'node'", "the output has no quantization");
    CHECK_ERROR(one(L{}, {{2, 3}, {2, 3}}, Element::i8, {}, fifth), "'node'", "'x0' [2x3] i8", "no quantization");
    CHECK_ERROR(one(L{}, {{2, 3}, {2, 3}}, Element::i16), "f32, f16, bf16 or i8 expected");
    BasicBuilder<standard_layers<f32, i8, wide>> b;
    const auto real = b.input("real", {2, 3});
    const auto bytes = b.input("bytes", {2, 3}, Element::i8, tenth);
    CHECK_ERROR(b.add(L{}, {real, bytes}), "'real' [2x3] f32", "'bytes' [2x3] i8");
}

}  // namespace infer_elementwise_test

TEST_CASE("infer activations: clamps share the quantization, all others have their own and need a table on int8") {
    using namespace infer_elementwise_test;
    check_clamp<Relu>();
    check_clamp<Relu6>();
    check_lookup<LeakyRelu>();
    check_lookup<Sigmoid>();
    check_lookup<Tanh>();
    check_lookup<HardSigmoid>();
    check_lookup<HardSwish>();
    check_lookup<Unary>();
}

TEST_CASE("infer prelu: a slope a channel, f32") {
    using namespace infer_elementwise_test;
    const Prelu layer{Tensor<f32>(Shape{3})};
    CHECK(shape_of(layer, {{2, 5, 5, 3}}) == Shape{2, 5, 5, 3});
    CHECK_ERROR(one(layer, {{2, 4}}), "'node' (Prelu)", "[3]", "[4] is expected");
    CHECK_ERROR(one(layer, {{3}}), "'node'", "channel axis");
    CHECK_ERROR(one(layer, {{2, 3}}, Element::i8, tenth), "f32 expected");
}

TEST_CASE("infer batch norm: channels of the last axis, f32, variances that can be divided by") {
    using namespace infer_elementwise_test;
    CHECK(shape_of(batch_norm(3), {{2, 5, 5, 3}}) == Shape{2, 5, 5, 3});
    CHECK(shape_of(batch_norm(3), {{2, 3}}) == Shape{2, 3});
    CHECK_ERROR(one(batch_norm(3), {{2, 4}}), "'node' (BatchNorm)", "must each be [4]", "one is [3]");
    CHECK_ERROR(one(batch_norm(3), {{3}}), "'node'", "'x0' [3]", "channel axis");
    CHECK_ERROR(one(batch_norm(3), {{2, 3}}, Element::i8, tenth), "f32 expected", "fold()");
    BatchNorm layer = batch_norm(3);
    layer.shift = Tensor<f32>(Shape{2});
    CHECK_ERROR(one(layer, {{2, 3}}), "one is [2]");
    layer = batch_norm(3);
    layer.epsilon = -1.0f;
    CHECK_ERROR(one(layer, {{2, 3}}), "epsilon -1");
    layer.epsilon = std::numeric_limits<float>::quiet_NaN();
    CHECK_ERROR(one(layer, {{2, 3}}), "epsilon nan");
    layer = batch_norm(3);
    layer.variance[1] = -0.5f;
    CHECK_ERROR(one(layer, {{2, 3}}), "'node'", "variance -0.5", "positive");
    layer.variance[1] = 0.0f;
    CHECK(one(layer, {{2, 3}}).nodes().size() == 1);
    layer.epsilon = 0.0f;
    CHECK_ERROR(one(layer, {{2, 3}}), "variance 0 + epsilon 0");
}

TEST_CASE("infer add and mul: two values of one shape and element") {
    using namespace infer_elementwise_test;
    check_pair<Add>();
    check_pair<Mul>();
}

TEST_CASE("infer mul: the second operand may hold one number a channel; the first may not") {
    using namespace infer_elementwise_test;
    CHECK(shape_of(Mul{}, {{2, 5, 6, 3}, {2, 1, 1, 3}}) == Shape{2, 5, 6, 3});
    CHECK(shape_of(Mul{}, {{2, 5, 6, 3}, {2, 3}}) == Shape{2, 5, 6, 3});
    CHECK_ERROR(one(Mul{}, {{2, 1, 1, 3}, {2, 5, 6, 3}}), "'node' (Mul)", "second input [batch, 1, 1, channels]");
    CHECK_ERROR(one(Mul{}, {{2, 5, 6, 3}, {1, 1, 1, 3}}), "'node' (Mul)");
    CHECK_ERROR(one(Mul{}, {{2, 5, 6, 3}, {2, 5, 6, 1}}), "'node' (Mul)");
    CHECK_ERROR(one(Add{}, {{2, 5, 6, 3}, {2, 1, 1, 3}}), "'node' (Add)", "one shape");
}

TEST_CASE("infer binary: values of one element that broadcast, and functions that are known") {
    using namespace infer_elementwise_test;
    CHECK(shape_of(Binary{}, {{2, 3}, {2, 3}}) == Shape{2, 3});
    CHECK(shape_of(Binary{}, {{3}, {2, 1}}) == Shape{2, 3});
    CHECK(shape_of(Binary{BinaryFunction::max}, {{2, 1, 4}, {1, 3, 1}}) == Shape{2, 3, 4});
    CHECK_ERROR(one(Binary{}, {{2, 3}, {2, 4}}), "'node' (Binary)", "'x0' [2x3] f32", "'x1' [2x4] f32", "equal or 1");
    CHECK_ERROR(one(Binary{}, {{2, 3}, {2}}), "'node' (Binary)");
    CHECK_ERROR(one(Binary{}, {{2, 3}}), "2 inputs expected", "1 given");
    CHECK_ERROR(one(Binary{}, {{2, 3}, {2, 3}}, Element::i8, tenth, fifth), "'node' (Binary)", "without quantization");
    CHECK_ERROR(one(Binary{}, {{std::size_t{1} << 40, 1}, {1, std::size_t{1} << 40}}), "more elements than memory");
    CHECK_ERROR(one(Binary{static_cast<BinaryFunction>(binary_functions)}, {{2}, {2}}), "'node' (Binary)", "function");
    CHECK_ERROR(one(Unary{static_cast<UnaryFunction>(unary_functions)}, {{2}}), "'node' (Unary)", "function");
}

TEST_CASE("infer convert: between floats and i8, with a quantization wherever bytes stand for real numbers") {
    using namespace infer_elementwise_test;
    CHECK(output_of(Convert{Element::i8}, Element::f32, {}, fifth) == Value{"node", {2, 3}, Element::i8, fifth});
    CHECK(output_of(Convert{Element::f32}, Element::i8, tenth, {}) == Value{"node", {2, 3}});
    CHECK(output_of(Convert{Element::i8}, Element::i8, tenth, fifth).quantization == fifth);
    CHECK(output_of(Convert{Element::bf16}, Element::f32, {}, {}) == Value{"node", {2, 3}, Element::bf16});
    CHECK_ERROR(output_of(Convert{Element::i8}, Element::f32, {}, {}), "'node' (Convert)", "the output has no quantization");
    CHECK_ERROR(output_of(Convert{Element::f32}, Element::i8, {}, {}), "'x0' [2x3] i8", "no quantization");
    CHECK_ERROR(output_of(Convert{Element::i16}, Element::f32, {}, {}), "'node'", "conversion to i16", "f32, f16, bf16 and i8");
    CHECK_ERROR(output_of(Convert{Element::f32}, Element::u8, {}, {}), "f32, f16, bf16 or i8 expected");
}
