// SPDX-License-Identifier: MIT
#pragma once
// Tables: activations and softmax of bytes, computed in double once, so that no target's math library matters.

#include <mote/layers/elementwise.hpp>
#include <mote/layers/recurrent.hpp>
#include <mote/layers/reduction.hpp>
#include <mote/tensor/quantize.hpp>

MOTE_BEGIN_NAMESPACE

/// 256 entries, the one for the byte q at q + 128: function(real value of q), a double, under the output's quantization.
template <class Function>
Tensor<i8> activation_table(const Function& function, QuantizationParams in, QuantizationParams out) {
    Tensor<i8> table(Shape{256});
    for (std::int32_t q = -128; q <= 127; ++q) {
        table[narrow<std::size_t>(q + 128)] = quantize_real(function(dequantize_value(narrow<std::int8_t>(q), in)), out);
    }
    return table;
}

/// 256 entries, round(exp(-scale * d) * 2^22) for d = 0 ... 255 steps below the largest input.
inline Tensor<i32> softmax_table(float scale) {
    Tensor<i32> table(Shape{256});
    for (std::size_t d = 0; d < 256; ++d) {
        const double share = std::exp(-static_cast<double>(scale) * static_cast<double>(d));
        table[d] = static_cast<std::int32_t>(round_half_even(share * 4194304.0));
    }
    return table;
}

/// Of an Lstm<i8>: [2, 1025], sigmoid and tanh at -8, -8 + 1 / 64 ... 8 with 15 fractional bits.
inline Tensor<i16> lstm_table() {
    Tensor<i16> table(Shape{2, 1025});
    for (std::size_t i = 0; i < 1025; ++i) {
        const double x = static_cast<double>(i) / 64.0 - 8.0;
        const double values[] = {1.0 / (1.0 + std::exp(-x)), std::tanh(x)};
        for (std::size_t row = 0; row < 2; ++row) {
            const double steps = round_half_even(32768.0 * values[row]);
            table[row * 1025 + i] = static_cast<std::int16_t>(steps > 32767.0 ? 32767.0 : steps);
        }
    }
    return table;
}

// What each activation with a table computes, on real numbers.
inline double activation_value(const LeakyRelu& layer, double x) {
    return x > 0.0 ? x : static_cast<double>(layer.slope) * x;
}
inline double activation_value(const Sigmoid&, double x) {
    return 1.0 / (1.0 + std::exp(-x));
}
inline double activation_value(const Tanh&, double x) {
    return std::tanh(x);
}
inline double activation_value(const HardSigmoid&, double x) {
    return (x < -3.0 ? 0.0 : x > 3.0 ? 6.0 : x + 3.0) / 6.0;
}
inline double activation_value(const HardSwish&, double x) {
    return x * activation_value(HardSigmoid{}, x);
}
/// What is not a number gives the lowest byte.
inline double activation_value(const Unary& layer, double x) {
    return unary_value(layer.function, static_cast<double>(layer.alpha), static_cast<double>(layer.beta), x);
}

/// The layer with its table.
template <class L>
L with_table(L layer, QuantizationParams in, QuantizationParams out) {
    layer.table = activation_table([&](double x) { return activation_value(layer, x); }, in, out);
    return layer;
}

MOTE_END_NAMESPACE
