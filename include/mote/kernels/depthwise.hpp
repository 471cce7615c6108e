// SPDX-License-Identifier: MIT
#pragma once
// Depthwise convolution over NHWC images: output channel c reads input channel c / multiplier, multiplier = out / in channels.
// Contract: weight [out, kernel_height, kernel_width, 1]; any kernel, stride, dilation and padding.
//   f32: y = clamp(bias + sum(w * x), lo, hi); with a residual y = clamp(y + residual, residual_lo, residual_hi).
//   bf16, f16: the same of what they stand for, in f32, and y rounded to nearest even.
//   i8:  sum = bias + sum(w * (q - input_zero_point)), exact in int32; the padding holds the zero point. The bias that is given
//        holds - input_zero_point * sum(w) already. Then RequantizeI8, and with a residual AddI8.

#include <mote/core/half.hpp>
#include <mote/core/part.hpp>
#include <mote/kernels/requantize.hpp>
#include <mote/kernels/window.hpp>

MOTE_BEGIN_KERNELS

namespace reference {

/// The definition. `bias` may be null.
template <class G, class T>
void depthwise_f32(const G& g, const T* weight, const float* bias, const ConvFloat<T>& run) noexcept {
    const std::ptrdiff_t area = std::ptrdiff_t{g.kernel_height} * g.kernel_width;
    const std::int32_t multiplier = g.out_channels / g.in_channels;
    const T* image = run.input;
    std::ptrdiff_t at = 0;
    for (std::int32_t n = 0; n < g.batch; ++n, image += std::ptrdiff_t{g.in_height} * g.in_width * g.in_channels) {
        for (std::int32_t y = 0; y < g.out_height; ++y) {
            for (std::int32_t x = 0; x < g.out_width; ++x) {
                for (std::int32_t c = 0; c < g.out_channels; ++c, ++at) {
                    float sum = bias != nullptr ? bias[c] : 0.0f;
                    for_each_tap(g, y, x, [&](std::int32_t tap, std::int32_t pixel) {
                        if (pixel < 0) return;
                        sum += to_float(weight[c * area + tap]) *
                               to_float(image[std::ptrdiff_t{pixel} * g.in_channels + c / multiplier]);
                    });
                    sum = sum > run.lo ? sum : run.lo;
                    sum = sum < run.hi ? sum : run.hi;
                    if (run.residual != nullptr) {
                        sum += to_float(run.residual[at]);
                        sum = sum > run.residual_lo ? sum : run.residual_lo;
                        sum = sum < run.residual_hi ? sum : run.residual_hi;
                    }
                    run.output[at] = from_float<T>(sum);
                }
            }
        }
    }
}

/// The definition. `bias` holds the input's zero point; sums are modulo 2^32, so that their order does not matter.
template <class G>
void depthwise_i8(const G& g, const std::int8_t* weight, const std::int32_t* bias, const float* multipliers,
                  const ConvI8& run) noexcept {
    const std::ptrdiff_t area = std::ptrdiff_t{g.kernel_height} * g.kernel_width;
    const std::int32_t multiplier = g.out_channels / g.in_channels;
    const std::int8_t* image = run.input;
    std::ptrdiff_t at = 0;
    for (std::int32_t n = 0; n < g.batch; ++n, image += std::ptrdiff_t{g.in_height} * g.in_width * g.in_channels) {
        for (std::int32_t y = 0; y < g.out_height; ++y) {
            for (std::int32_t x = 0; x < g.out_width; ++x) {
                for (std::int32_t c = 0; c < g.out_channels; ++c, ++at) {
                    std::uint32_t sum = static_cast<std::uint32_t>(bias[c]);
                    for_each_tap(g, y, x, [&](std::int32_t tap, std::int32_t pixel) {
                        const std::int32_t q =
                            pixel < 0 ? run.input_zero_point : image[std::ptrdiff_t{pixel} * g.in_channels + c / multiplier];
                        sum += static_cast<std::uint32_t>(q * weight[c * area + tap]);
                    });
                    std::int8_t q = requantize_value(static_cast<std::int32_t>(sum), multipliers[c], run.requantize);
                    if (run.residual != nullptr) q = add_value(run.add, q, run.residual[at]);
                    run.output[at] = q;
                }
            }
        }
    }
}

// The forms of KernelTable: packed constants are the bias, the multipliers (int8) and the weights in canonical order.

template <class T = float>
std::size_t depthwise_f32_packed_bytes(const ConvGeometry& g) noexcept {
    return static_cast<std::size_t>(g.out_channels) *
           (sizeof(float) + sizeof(T) * static_cast<std::size_t>(g.kernel_height * g.kernel_width));
}
template <class T = float>
void depthwise_f32_pack(const ConvGeometry& g, const ConvConstantsFloat<T>& constants, void* packed) noexcept {
    float* bias = static_cast<float*>(packed);
    T* weight = reinterpret_cast<T*>(bias + g.out_channels);
    for (std::int32_t c = 0; c < g.out_channels; ++c) bias[c] = constants.bias != nullptr ? constants.bias[c] : 0.0f;
    const std::ptrdiff_t count = std::ptrdiff_t{g.out_channels} * g.kernel_height * g.kernel_width;
    for (std::ptrdiff_t i = 0; i < count; ++i) weight[i] = constants.weight[i];
}
template <class T = float>
void depthwise_f32_run(const ConvGeometry& g, const ConvFloat<T>& run, Part part = {}) noexcept {
    if (part.index != 0) return;  // undivided
    const float* bias = static_cast<const float*>(run.packed);
    depthwise_f32(g, reinterpret_cast<const T*>(bias + g.out_channels), bias, run);
}

inline std::size_t depthwise_i8_packed_bytes(const ConvGeometry& g) noexcept {
    return static_cast<std::size_t>(g.out_channels) * static_cast<std::size_t>(8 + g.kernel_height * g.kernel_width);
}
inline void depthwise_i8_pack(const ConvGeometry& g, const ConvConstantsI8& constants, void* packed) noexcept {
    std::int32_t* bias = static_cast<std::int32_t*>(packed);
    float* multiplier = reinterpret_cast<float*>(bias + g.out_channels);
    std::int8_t* weight = reinterpret_cast<std::int8_t*>(multiplier + g.out_channels);
    const std::ptrdiff_t area = std::ptrdiff_t{g.kernel_height} * g.kernel_width;
    for (std::int32_t c = 0; c < g.out_channels; ++c) {
        bias[c] = folded_bias(constants, c, area);
        multiplier[c] = constants.multiplier[c];
        for (std::ptrdiff_t i = c * area; i < (c + 1) * area; ++i) weight[i] = constants.weight[i];
    }
}
inline void depthwise_i8_run(const ConvGeometry& g, const ConvI8& run, Part part = {}) noexcept {
    if (part.index != 0) return;  // undivided
    const std::int32_t* bias = static_cast<const std::int32_t*>(run.packed);
    const float* multipliers = reinterpret_cast<const float*>(bias + g.out_channels);
    depthwise_i8(g, reinterpret_cast<const std::int8_t*>(multipliers + g.out_channels), bias, multipliers, run);
}

}  // namespace reference

MOTE_END_KERNELS
