// SPDX-License-Identifier: MIT
#pragma once
// Max and average pooling over NHWC images, with the quantization of the input: the scalar definitions.
// Contract: in_channels = out_channels. Padding never wins and is not counted, unless `count_padding`; then it holds 0.0, or
// the zero point. The largest of nothing is the lowest value, the mean of nothing 0.0 or the zero point.

#include <mote/kernels/window.hpp>

MOTE_BEGIN_KERNELS

/// sum / count, half to even; count > 0.
MOTE_ALWAYS_INLINE std::int32_t rounded_mean(std::int32_t sum, std::int32_t count) noexcept {
    const std::int32_t floor = sum / count - (sum % count < 0 ? 1 : 0);
    const std::int32_t twice = 2 * (sum - floor * count);
    return floor + (twice > count || (twice == count && (floor & 1) != 0) ? 1 : 0);
}

namespace reference {

/// Each output channel's largest element, beginning with `lowest`.
template <class G, class T>
void max_pool(const G& g, T lowest, const T* input, T* output) noexcept {
    for (std::int32_t n = 0; n < g.batch; ++n, input += std::ptrdiff_t{g.in_height} * g.in_width * g.in_channels) {
        for (std::int32_t y = 0; y < g.out_height; ++y) {
            for (std::int32_t x = 0; x < g.out_width; ++x) {
                for (std::int32_t c = 0; c < g.in_channels; ++c) {
                    T largest = lowest;
                    for_each_tap(g, y, x, [&](std::int32_t, std::int32_t pixel) {
                        if (pixel < 0) return;
                        const T v = input[std::ptrdiff_t{pixel} * g.in_channels + c];
                        largest = v > largest ? v : largest;
                    });
                    *output++ = largest;
                }
            }
        }
    }
}

template <class G>
void max_pool_f32(const G& g, const float* input, float* output) noexcept {
    max_pool(g, -__builtin_huge_valf(), input, output);
}
template <class G>
void max_pool_i8(const G& g, const std::int8_t* input, std::int8_t* output) noexcept {
    max_pool(g, std::int8_t{-128}, input, output);
}

template <class G>
void average_pool_f32(const G& g, bool count_padding, const float* input, float* output) noexcept {
    for (std::int32_t n = 0; n < g.batch; ++n, input += std::ptrdiff_t{g.in_height} * g.in_width * g.in_channels) {
        for (std::int32_t y = 0; y < g.out_height; ++y) {
            for (std::int32_t x = 0; x < g.out_width; ++x) {
                for (std::int32_t c = 0; c < g.in_channels; ++c) {
                    float sum = 0.0f;
                    std::int32_t count = 0;
                    for_each_tap(g, y, x, [&](std::int32_t, std::int32_t pixel) {
                        if (pixel >= 0 || count_padding) ++count;
                        if (pixel >= 0) sum += input[std::ptrdiff_t{pixel} * g.in_channels + c];
                    });
                    *output++ = count > 0 ? sum / static_cast<float>(count) : 0.0f;
                }
            }
        }
    }
}

/// The exact mean of the bytes, half to even. (A window of fewer than 2^23 pixels.)
template <class G>
void average_pool_i8(const G& g, bool count_padding, std::int32_t zero_point, const std::int8_t* input,
                     std::int8_t* output) noexcept {
    for (std::int32_t n = 0; n < g.batch; ++n, input += std::ptrdiff_t{g.in_height} * g.in_width * g.in_channels) {
        for (std::int32_t y = 0; y < g.out_height; ++y) {
            for (std::int32_t x = 0; x < g.out_width; ++x) {
                for (std::int32_t c = 0; c < g.in_channels; ++c) {
                    std::int32_t sum = 0;
                    std::int32_t count = 0;
                    for_each_tap(g, y, x, [&](std::int32_t, std::int32_t pixel) {
                        if (pixel < 0 && !count_padding) return;
                        ++count;
                        sum += pixel < 0 ? zero_point : input[std::ptrdiff_t{pixel} * g.in_channels + c];
                    });
                    *output++ = static_cast<std::int8_t>(count > 0 ? rounded_mean(sum, count) : zero_point);
                }
            }
        }
    }
}

/// Where the largest element under each window stands, counted by the steps of its position; -1 where the window holds none.
template <class G>
void arg_max_pool_f32(const G& g, const float* input, std::int64_t* output) noexcept {
    std::int32_t at[6] = {};  // the output position
    std::int64_t pixels = 1, outputs = 1;
    for (std::int32_t a = 0; a < g.rank; ++a) {
        pixels *= g.extent[a];
        outputs *= g.out[a];
    }
    for (std::int32_t n = 0; n < g.batch; ++n, input += pixels * g.channels) {
        for (std::int64_t o = 0; o < outputs; ++o) {
            for (std::int32_t c = 0; c < g.channels; ++c) {
                std::int32_t tap[6] = {};
                std::int64_t best = -1;
                float largest = 0.0f;
                for (bool more = true; more;) {
                    std::int64_t pixel = 0;
                    std::int64_t place = std::int64_t{n} * g.steps[0] + std::int64_t{c} * g.steps[g.rank + 1];
                    bool inside = true;
                    for (std::int32_t a = 0; a < g.rank; ++a) {
                        const std::int32_t p = at[a] * g.stride[a] - g.before[a] + tap[a] * g.dilation[a];
                        inside = inside && p >= 0 && p < g.extent[a];
                        pixel = pixel * g.extent[a] + p;
                        place += std::int64_t{p} * g.steps[a + 1];
                    }
                    if (inside) {
                        const float v = input[pixel * g.channels + c];
                        if (best < 0 || v > largest) {
                            largest = v;
                            best = place;
                        }
                    }
                    std::int32_t axis = g.rank - 1;
                    while (axis >= 0 && ++tap[axis] == g.kernel[axis]) tap[axis--] = 0;
                    more = axis >= 0;
                }
                *output++ = best;
            }
            std::int32_t axis = g.rank - 1;
            while (axis >= 0 && ++at[axis] == g.out[axis]) at[axis--] = 0;
        }
    }
}

}  // namespace reference

MOTE_END_KERNELS
