// SPDX-License-Identifier: MIT
#pragma once
// Convolution over NHWC images: the scalar definition. Packed constants are the weights in canonical
// order, then the bias (int8: with the input's zero point folded in), then for int8 the multipliers. A depthwise convolution is
// the grouped convolution with groups = in_channels.

#include <mote/kernels/requantize.hpp>
#include <mote/kernels/window.hpp>

MOTE_BEGIN_KERNELS

template <class G>
MOTE_ALWAYS_INLINE std::size_t weight_elements(const G& g) noexcept {
    return static_cast<std::size_t>(g.out_channels) * static_cast<std::size_t>(g.kernel_height * g.kernel_width) *
           static_cast<std::size_t>(g.in_channels / g.groups);
}

inline std::size_t no_scratch_bytes(const ConvGeometry&) noexcept {
    return 0;
}

inline std::size_t conv_f32_packed_bytes(const ConvGeometry& g) noexcept {
    return (weight_elements(g) + static_cast<std::size_t>(g.out_channels)) * sizeof(float);
}

inline void conv_f32_pack(const ConvGeometry& g, const ConvConstantsF32& constants, void* packed) noexcept {
    float* weight = static_cast<float*>(packed);
    const std::size_t count = weight_elements(g);
    for (std::size_t i = 0; i < count; ++i) weight[i] = constants.weight[i];
    for (std::int32_t c = 0; c < g.out_channels; ++c)
        weight[count + static_cast<std::size_t>(c)] = constants.bias ? constants.bias[c] : 0.0f;
}

inline void conv_f32_run(const ConvGeometry& g, const ConvF32& run) noexcept {
    const std::int32_t in = g.in_channels / g.groups;
    const std::int32_t out = g.out_channels / g.groups;
    const std::ptrdiff_t row = std::ptrdiff_t{g.kernel_height} * g.kernel_width * in;
    const float* weight = static_cast<const float*>(run.packed);
    const float* bias = weight + weight_elements(g);
    std::ptrdiff_t at = 0;
    for (std::int32_t n = 0; n < g.batch; ++n) {
        const float* image = run.input + std::ptrdiff_t{n} * g.in_height * g.in_width * g.in_channels;
        for (std::int32_t y = 0; y < g.out_height; ++y) {
            for (std::int32_t x = 0; x < g.out_width; ++x) {
                for (std::int32_t c = 0; c < g.out_channels; ++c, ++at) {
                    float sum = bias[c];
                    for_each_tap(g, y, x, [&](std::int32_t tap, std::int32_t pixel) {
                        if (pixel < 0) return;
                        const float* w = weight + c * row + std::ptrdiff_t{tap} * in;
                        const float* v = image + std::ptrdiff_t{pixel} * g.in_channels + c / out * in;
                        for (std::int32_t k = 0; k < in; ++k) sum += w[k] * v[k];
                    });
                    sum = sum > run.lo ? sum : run.lo;
                    sum = sum < run.hi ? sum : run.hi;
                    if (run.residual != nullptr) {
                        sum += run.residual[at];
                        sum = sum > run.residual_lo ? sum : run.residual_lo;
                        sum = sum < run.residual_hi ? sum : run.residual_hi;
                    }
                    run.output[at] = sum;
                }
            }
        }
    }
}

inline std::size_t conv_i8_packed_bytes(const ConvGeometry& g) noexcept {
    return static_cast<std::size_t>(g.out_channels) * 8 + weight_elements(g);
}

inline void conv_i8_pack(const ConvGeometry& g, const ConvConstantsI8& constants, void* packed) noexcept {
    std::int32_t* bias = static_cast<std::int32_t*>(packed);
    float* multiplier = reinterpret_cast<float*>(bias + g.out_channels);
    std::int8_t* weight = reinterpret_cast<std::int8_t*>(multiplier + g.out_channels);
    const std::size_t row = weight_elements(g) / static_cast<std::size_t>(g.out_channels);
    for (std::int32_t c = 0; c < g.out_channels; ++c) {
        std::uint32_t sum = 0;  // modulo 2^32, as the sums that it joins
        for (std::size_t k = 0; k < row; ++k) {
            const std::int8_t w = constants.weight[static_cast<std::size_t>(c) * row + k];
            weight[static_cast<std::size_t>(c) * row + k] = w;
            sum += static_cast<std::uint32_t>(std::int32_t{w});
        }
        const std::uint32_t plain = constants.bias ? static_cast<std::uint32_t>(constants.bias[c]) : 0u;
        bias[c] = static_cast<std::int32_t>(plain - static_cast<std::uint32_t>(constants.input_zero_point) * sum);
        multiplier[c] = constants.multiplier[c];
    }
}

inline void conv_i8_run(const ConvGeometry& g, const ConvI8& run) noexcept {
    const std::int32_t in = g.in_channels / g.groups;
    const std::int32_t out = g.out_channels / g.groups;
    const std::ptrdiff_t row = std::ptrdiff_t{g.kernel_height} * g.kernel_width * in;
    const std::int32_t* bias = static_cast<const std::int32_t*>(run.packed);
    const float* multiplier = reinterpret_cast<const float*>(bias + g.out_channels);
    const std::int8_t* weight = reinterpret_cast<const std::int8_t*>(multiplier + g.out_channels);
    std::ptrdiff_t at = 0;
    for (std::int32_t n = 0; n < g.batch; ++n) {
        const std::int8_t* image = run.input + std::ptrdiff_t{n} * g.in_height * g.in_width * g.in_channels;
        for (std::int32_t y = 0; y < g.out_height; ++y) {
            for (std::int32_t x = 0; x < g.out_width; ++x) {
                for (std::int32_t c = 0; c < g.out_channels; ++c, ++at) {
                    std::uint32_t sum = static_cast<std::uint32_t>(bias[c]);
                    for_each_tap(g, y, x, [&](std::int32_t tap, std::int32_t pixel) {
                        const std::int8_t* w = weight + c * row + std::ptrdiff_t{tap} * in;
                        const std::int8_t* v =
                            pixel < 0 ? nullptr : image + std::ptrdiff_t{pixel} * g.in_channels + c / out * in;
                        for (std::int32_t k = 0; k < in; ++k) {
                            const std::int32_t q = v == nullptr ? run.input_zero_point : v[k];
                            sum += static_cast<std::uint32_t>(q * w[k]);
                        }
                    });
                    std::int8_t q = requantize_value(static_cast<std::int32_t>(sum), multiplier[c], run.requantize);
                    if (run.residual != nullptr) q = add_value(run.add, q, run.residual[at]);
                    run.output[at] = q;
                }
            }
        }
    }
}

MOTE_END_KERNELS
