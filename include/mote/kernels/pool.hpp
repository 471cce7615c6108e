// SPDX-License-Identifier: MIT
#pragma once
// Pooling over NHWC images: the scalar definition. Padding never wins, and does not count unless asked.

#include <mote/kernels/conv2d.hpp>

MOTE_BEGIN_KERNELS

template <class T>
void max_pool(const ConvGeometry& g, const T* input, T* output) noexcept {
    const std::int32_t channels = g.in_channels;
    for (std::int32_t n = 0; n < g.batch; ++n, input += std::ptrdiff_t{g.in_height} * g.in_width * channels) {
        for (std::int32_t y = 0; y < g.out_height; ++y) {
            for (std::int32_t x = 0; x < g.out_width; ++x, output += channels) {
                bool first = true;
                for_each_tap(g, y, x, [&](std::int32_t, std::int32_t pixel) {
                    if (pixel < 0) return;
                    const T* v = input + std::ptrdiff_t{pixel} * channels;
                    for (std::int32_t c = 0; c < channels; ++c) output[c] = first || v[c] > output[c] ? v[c] : output[c];
                    first = false;
                });
            }
        }
    }
}

inline void average_pool_f32(const ConvGeometry& g, bool count_padding, const float* input, float* output) noexcept {
    const std::int32_t channels = g.in_channels;
    for (std::int32_t n = 0; n < g.batch; ++n, input += std::ptrdiff_t{g.in_height} * g.in_width * channels) {
        for (std::int32_t y = 0; y < g.out_height; ++y) {
            for (std::int32_t x = 0; x < g.out_width; ++x, output += channels) {
                std::int32_t count = 0;
                for (std::int32_t c = 0; c < channels; ++c) output[c] = 0.0f;
                for_each_tap(g, y, x, [&](std::int32_t, std::int32_t pixel) {
                    if (pixel >= 0 || count_padding) ++count;
                    if (pixel < 0) return;
                    const float* v = input + std::ptrdiff_t{pixel} * channels;
                    for (std::int32_t c = 0; c < channels; ++c) output[c] += v[c];
                });
                for (std::int32_t c = 0; c < channels; ++c) output[c] /= static_cast<float>(count);
            }
        }
    }
}

/// The exact integer mean, half to even.
inline void average_pool_i8(const ConvGeometry& g, bool count_padding, std::int32_t zero_point, const std::int8_t* input,
                            std::int8_t* output) noexcept {
    const std::int32_t channels = g.in_channels;
    for (std::int32_t n = 0; n < g.batch; ++n, input += std::ptrdiff_t{g.in_height} * g.in_width * channels) {
        for (std::int32_t y = 0; y < g.out_height; ++y) {
            for (std::int32_t x = 0; x < g.out_width; ++x, output += channels) {
                for (std::int32_t c = 0; c < channels; ++c) {
                    std::int32_t sum = 0;
                    std::int32_t count = 0;
                    for_each_tap(g, y, x, [&](std::int32_t, std::int32_t pixel) {
                        if (pixel < 0 && !count_padding) return;
                        ++count;
                        sum += pixel < 0 ? zero_point : input[std::ptrdiff_t{pixel} * channels + c];
                    });
                    const std::int32_t floor = sum / count - (sum % count < 0 ? 1 : 0);
                    const std::int32_t twice = 2 * (sum - floor * count);
                    output[c] =
                        static_cast<std::int8_t>(floor + (twice > count || (twice == count && (floor & 1) != 0) ? 1 : 0));
                }
            }
        }
    }
}

MOTE_END_KERNELS
