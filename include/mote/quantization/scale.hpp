// SPDX-License-Identifier: MIT
#pragma once
// Scales: from the range of an activation, or from the weights of a channel, to the numbers that int8 is computed with.

#include <mote/tensor/quantize.hpp>

MOTE_BEGIN_NAMESPACE

/// What an activation's real values span.
struct Range {
    float lo = 0.0f;
    float hi = 0.0f;
    friend constexpr bool operator==(const Range&, const Range&) = default;
};

/// The smallest range that holds both.
constexpr Range join(Range a, Range b) noexcept {
    return {a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi};
}

/// Asymmetric int8 for an activation of this range, which must be finite. The range is widened to hold 0, which is exact: the
/// zero point is an integer (Jacob et al. 2018, section 3). A range of no width gets the scale of [0, 1]; one that is narrower
/// than 2^-80 is widened, so that products of scales stay normal floats.
inline QuantizationParams activation_params(Range range) noexcept {
    const double lo = range.lo < 0.0f ? static_cast<double>(range.lo) : 0.0;
    const double hi = range.hi > 0.0f ? static_cast<double>(range.hi) : 0.0;
    if (hi == lo) return {1.0f / 255.0f, -128};
    const double width = hi - lo > 0x1p-80 ? hi - lo : 0x1p-80;
    const float scale = static_cast<float>(width / 255.0);
    const double zero = -128.0 - round_half_even(lo / static_cast<double>(scale));
    return {scale, static_cast<std::int32_t>(zero < -128.0 ? -128.0 : zero > 127.0 ? 127.0 : zero)};
}

/// A contraction's integer constants.
struct QuantizedWeights {
    Tensor<i8> weight{};
    Tensor<i32> bias{};  ///< empty where there was none
};

/// Symmetric int8 in [-127, 127] with a scale an output channel (axis 0), and the bias in int32 at scale input * weight[c].
/// Weights and bias must be finite. A channel's scale is |largest| / 127, made larger where its bias would leave the int32 that
/// the exact sum of the products leaves it (|bias| < 2^31 - 255 * 127 * K), or where the multiplier input * weight / output
/// would fall below 2^-60: what the weights lose by that is far below one output step. A channel of zeros takes the largest
/// scale of the others.
inline QuantizedWeights quantize_weights(const Tensor<f32>& weight, const Tensor<f32>& bias, QuantizationParams input,
                                         QuantizationParams output) {
    const std::size_t channels = weight.shape()[0];
    const std::size_t inner = weight.elements() / channels;
    const double room = 2147483647.0 - 255.0 * 127.0 * static_cast<double>(inner);
    const double in = static_cast<double>(input.scale);
    const double least = static_cast<double>(output.scale) / in * 0x1p-60;

    std::vector<double> scale(channels, 0.0);
    double largest_scale = 0.0;
    for (std::size_t c = 0; c < channels; ++c) {
        for (std::size_t i = c * inner; i < (c + 1) * inner; ++i) {
            const double magnitude = std::fabs(static_cast<double>(weight[i])) / 127.0;
            scale[c] = magnitude > scale[c] ? magnitude : scale[c];
        }
        largest_scale = scale[c] > largest_scale ? scale[c] : largest_scale;
    }
    std::vector<float> scales;
    for (std::size_t c = 0; c < channels; ++c) {
        double s = scale[c] > 0.0 ? scale[c] : largest_scale > 0.0 ? largest_scale : 1.0;
        const double b = bias.empty() ? 0.0 : std::fabs(static_cast<double>(bias[c]));
        if (room > 1.0 && b > s * in * room * 0.999) s = b / (in * room * 0.999);
        scales.push_back(static_cast<float>(s > least ? s : least));
    }

    QuantizedWeights result{Tensor<i8>(weight.shape()), {}};
    if (!bias.empty()) result.bias = Tensor<i32>(bias.shape());
    for (std::size_t c = 0; c < channels; ++c) {
        const double s = static_cast<double>(scales[c]);
        for (std::size_t i = c * inner; i < (c + 1) * inner; ++i) {
            const double q = round_half_even(static_cast<double>(weight[i]) / s);
            result.weight[i] = static_cast<std::int8_t>(q < -127.0 ? -127.0 : q > 127.0 ? 127.0 : q);
        }
        if (bias.empty()) continue;
        const double q = round_half_even(static_cast<double>(bias[c]) / (in * s));
        result.bias[c] = static_cast<std::int32_t>(q < -2147483647.0 ? -2147483647.0 : q > 2147483647.0 ? 2147483647.0 : q);
    }
    result.weight.set_quantization(Quantization(std::move(scales), 0));
    return result;
}

MOTE_END_NAMESPACE
