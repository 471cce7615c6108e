// SPDX-License-Identifier: MIT
#pragma once
// Convolution over NHWC images, in groups: output channel c reads the input channels of group c / (out_channels / groups). A
// dense layer is the convolution of a 1x1 image.
// Contract: weight [out, kernel_height, kernel_width, in / groups]; any kernel, stride, dilation and padding.
//   f32: y = clamp(bias + sum(w * x), lo, hi); with a residual y = clamp(y + residual, residual_lo, residual_hi).
//   bf16, f16: the same of what they stand for, in f32, and y rounded to nearest even. Inputs are finite: where a vector kernel
//        takes taps in pairs, one may meet its neighbour in memory with a weight of 0.
//   i8:  sum = bias + sum(w * (q - input_zero_point)), exact in int32; the padding holds the zero point. The bias that is given
//        holds - input_zero_point * sum(w) already. Then RequantizeI8, and with a residual AddI8.

#include <mote/core/half.hpp>
#include <mote/core/part.hpp>
#include <mote/kernels/requantize.hpp>
#include <mote/kernels/window.hpp>

MOTE_BEGIN_KERNELS

/// Weights of an output channel.
template <class G>
MOTE_ALWAYS_INLINE std::ptrdiff_t weight_row(const G& g) noexcept {
    return std::ptrdiff_t{g.kernel_height} * g.kernel_width * (g.in_channels / g.groups);
}

namespace reference {

/// Calls visit(place in the output, output channel, first pixel of the image, row, column) for every output.
template <class G, class Visit>
MOTE_ALWAYS_INLINE void for_each_output(const G& g, Visit&& visit) {
    std::ptrdiff_t at = 0;
    std::ptrdiff_t image = 0;
    for (std::int32_t n = 0; n < g.batch; ++n, image += std::ptrdiff_t{g.in_height} * g.in_width) {
        for (std::int32_t y = 0; y < g.out_height; ++y) {
            for (std::int32_t x = 0; x < g.out_width; ++x) {
                for (std::int32_t c = 0; c < g.out_channels; ++c) visit(at++, c, image, y, x);
            }
        }
    }
}

/// The definition. `bias` may be null.
template <class G, class T>
void conv2d_f32(const G& g, const T* weight, const float* bias, const ConvFloat<T>& run) noexcept {
    const std::ptrdiff_t in = g.in_channels / g.groups;
    const std::int32_t out = g.out_channels / g.groups;
    for_each_output(g, [&](std::ptrdiff_t at, std::int32_t c, std::ptrdiff_t image, std::int32_t y, std::int32_t x) {
        float sum = bias != nullptr ? bias[c] : 0.0f;
        for_each_tap(g, y, x, [&](std::int32_t tap, std::int32_t pixel) {
            if (pixel < 0) return;
            const T* w = weight + c * weight_row(g) + tap * in;
            const T* v = run.input + (image + pixel) * g.in_channels + c / out * in;
            for (std::ptrdiff_t k = 0; k < in; ++k) sum += to_float(w[k]) * to_float(v[k]);
        });
        sum = sum > run.lo ? sum : run.lo;
        sum = sum < run.hi ? sum : run.hi;
        if (run.residual != nullptr) {
            sum += to_float(run.residual[at]);
            sum = sum > run.residual_lo ? sum : run.residual_lo;
            sum = sum < run.residual_hi ? sum : run.residual_hi;
        }
        run.output[at] = from_float<T>(sum);
    });
}

/// The definition. `bias` holds the input's zero point; sums are modulo 2^32, so that their order does not matter.
template <class G>
void conv2d_i8(const G& g, const std::int8_t* weight, const std::int32_t* bias, const float* multipliers,
               const ConvI8& run) noexcept {
    const std::ptrdiff_t in = g.in_channels / g.groups;
    const std::int32_t out = g.out_channels / g.groups;
    for_each_output(g, [&](std::ptrdiff_t at, std::int32_t c, std::ptrdiff_t image, std::int32_t y, std::int32_t x) {
        std::uint32_t sum = static_cast<std::uint32_t>(bias[c]);
        for_each_tap(g, y, x, [&](std::int32_t tap, std::int32_t pixel) {
            const std::int8_t* w = weight + c * weight_row(g) + tap * in;
            const std::int8_t* v = pixel < 0 ? nullptr : run.input + (image + pixel) * g.in_channels + c / out * in;
            for (std::ptrdiff_t k = 0; k < in; ++k) {
                const std::int32_t q = v == nullptr ? run.input_zero_point : v[k];
                sum += static_cast<std::uint32_t>(q * w[k]);
            }
        });
        std::int8_t q = requantize_value(static_cast<std::int32_t>(sum), multipliers[c], run.requantize);
        if (run.residual != nullptr) q = add_value(run.add, q, run.residual[at]);
        run.output[at] = q;
    });
}

// The forms of KernelTable: packed constants are the bias, the multipliers (int8) and the weights in canonical order.

template <class T = float>
std::size_t conv2d_f32_packed_bytes(const ConvGeometry& g) noexcept {
    return static_cast<std::size_t>(g.out_channels) * (sizeof(float) + sizeof(T) * static_cast<std::size_t>(weight_row(g)));
}
template <class T = float>
void conv2d_f32_pack(const ConvGeometry& g, const ConvConstantsFloat<T>& constants, void* packed) noexcept {
    float* bias = static_cast<float*>(packed);
    T* weight = reinterpret_cast<T*>(bias + g.out_channels);
    for (std::int32_t c = 0; c < g.out_channels; ++c) bias[c] = constants.bias != nullptr ? constants.bias[c] : 0.0f;
    const std::ptrdiff_t count = g.out_channels * weight_row(g);
    for (std::ptrdiff_t i = 0; i < count; ++i) weight[i] = constants.weight[i];
}
template <class T = float>
void conv2d_f32_run(const ConvGeometry& g, const ConvFloat<T>& run, Part part = {}) noexcept {
    if (part.index != 0) return;  // undivided
    const float* bias = static_cast<const float*>(run.packed);
    conv2d_f32(g, reinterpret_cast<const T*>(bias + g.out_channels), bias, run);
}

inline std::size_t conv2d_i8_packed_bytes(const ConvGeometry& g) noexcept {
    return static_cast<std::size_t>(g.out_channels) * static_cast<std::size_t>(8 + weight_row(g));
}
inline void conv2d_i8_pack(const ConvGeometry& g, const ConvConstantsI8& constants, void* packed) noexcept {
    std::int32_t* bias = static_cast<std::int32_t*>(packed);
    float* multiplier = reinterpret_cast<float*>(bias + g.out_channels);
    std::int8_t* weight = reinterpret_cast<std::int8_t*>(multiplier + g.out_channels);
    for (std::int32_t c = 0; c < g.out_channels; ++c) {
        bias[c] = folded_bias(constants, c, weight_row(g));
        multiplier[c] = constants.multiplier[c];
    }
    const std::ptrdiff_t count = g.out_channels * weight_row(g);
    for (std::ptrdiff_t i = 0; i < count; ++i) weight[i] = constants.weight[i];
}
inline void conv2d_i8_run(const ConvGeometry& g, const ConvI8& run, Part part = {}) noexcept {
    if (part.index != 0) return;  // undivided
    const std::int32_t* bias = static_cast<const std::int32_t*>(run.packed);
    const float* multipliers = reinterpret_cast<const float*>(bias + g.out_channels);
    conv2d_i8(g, reinterpret_cast<const std::int8_t*>(multipliers + g.out_channels), bias, multipliers, run);
}

}  // namespace reference

MOTE_END_KERNELS
