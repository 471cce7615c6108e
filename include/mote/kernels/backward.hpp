// SPDX-License-Identifier: MIT
#pragma once
// What training needs beside the forward kernels: windows as matrix rows, and gradients of depthwise convolution and pooling.
// All gradients add to what is there.

#include <mote/kernels/window.hpp>

MOTE_BEGIN_KERNELS

/// Calls visit(output pixel, tap, input pixel or -1) for every tap of an image.
template <class Visit>
void for_each_image_tap(const ConvGeometry& g, Visit&& visit) {
    for (std::int32_t y = 0; y < g.out_height; ++y) {
        for (std::int32_t x = 0; x < g.out_width; ++x) {
            for_each_tap(g, y, x, [&](std::int32_t tap, std::int32_t pixel) {
                visit(std::ptrdiff_t{y} * g.out_width + x, std::ptrdiff_t{tap}, std::ptrdiff_t{pixel});
            });
        }
    }
}

/// One image [in_height, in_width, in] and group -> windows [out_height * out_width, kernel area * in / groups]; padding is 0.
inline void im2col(const ConvGeometry& g, std::int32_t group, const float* image, float* windows) noexcept {
    const std::ptrdiff_t in = g.in_channels / g.groups;
    const std::ptrdiff_t width = std::ptrdiff_t{g.kernel_height} * g.kernel_width * in;
    for_each_image_tap(g, [&](std::ptrdiff_t out, std::ptrdiff_t tap, std::ptrdiff_t pixel) {
        for (std::ptrdiff_t c = 0; c < in; ++c) {
            windows[out * width + tap * in + c] = pixel < 0 ? 0.0f : image[pixel * g.in_channels + group * in + c];
        }
    });
}

/// The transpose of im2col: adds each window's element to the pixel that it came from.
inline void col2im(const ConvGeometry& g, std::int32_t group, const float* windows, float* image) noexcept {
    const std::ptrdiff_t in = g.in_channels / g.groups;
    const std::ptrdiff_t width = std::ptrdiff_t{g.kernel_height} * g.kernel_width * in;
    for_each_image_tap(g, [&](std::ptrdiff_t out, std::ptrdiff_t tap, std::ptrdiff_t pixel) {
        if (pixel < 0) return;
        for (std::ptrdiff_t c = 0; c < in; ++c)
            image[pixel * g.in_channels + group * in + c] += windows[out * width + tap * in + c];
    });
}

/// Calls visit(output offset, input offset, tap) for the whole batch, offsets in pixels; input -1 in padding.
template <class Visit>
void for_each_batch_tap(const ConvGeometry& g, Visit&& visit) {
    const std::ptrdiff_t out_pixels = std::ptrdiff_t{g.out_height} * g.out_width;
    const std::ptrdiff_t in_pixels = std::ptrdiff_t{g.in_height} * g.in_width;
    for (std::ptrdiff_t n = 0; n < g.batch; ++n) {
        for_each_image_tap(g, [&](std::ptrdiff_t out, std::ptrdiff_t tap, std::ptrdiff_t pixel) {
            visit(n * out_pixels + out, pixel < 0 ? pixel : n * in_pixels + pixel, tap);
        });
    }
}

/// dw [out, kernel area] += sum over batch and positions of dy * x. `scratch` holds as many floats as dw.
inline void depthwise_weight_gradient(const ConvGeometry& g, const float* x, const float* dy, float* dw,
                                      float* scratch) noexcept {
    const std::ptrdiff_t channels = g.out_channels;
    const std::ptrdiff_t multiplier = channels / g.in_channels;
    const std::ptrdiff_t area = std::ptrdiff_t{g.kernel_height} * g.kernel_width;
    for (std::ptrdiff_t i = 0; i < area * channels; ++i) scratch[i] = 0.0f;  // [tap, channel]: channels lie side by side
    for_each_batch_tap(g, [&](std::ptrdiff_t out, std::ptrdiff_t in, std::ptrdiff_t tap) {
        if (in < 0) return;
        const float* MOTE_RESTRICT from = x + in * g.in_channels;
        const float* MOTE_RESTRICT slope = dy + out * channels;
        float* MOTE_RESTRICT sum = scratch + tap * channels;
        if (multiplier == 1) {
            for (std::ptrdiff_t c = 0; c < channels; ++c) sum[c] += slope[c] * from[c];
        } else {
            for (std::ptrdiff_t c = 0; c < channels; ++c) sum[c] += slope[c] * from[c / multiplier];
        }
    });
    for (std::ptrdiff_t c = 0; c < channels; ++c) {
        for (std::ptrdiff_t tap = 0; tap < area; ++tap) dw[c * area + tap] += scratch[tap * channels + c];
    }
}

/// dx += dy spread over the windows by the weights [out, kernel area]. `scratch` holds as many floats as there are weights.
inline void depthwise_input_gradient(const ConvGeometry& g, const float* weight, const float* dy, float* dx,
                                     float* scratch) noexcept {
    const std::ptrdiff_t channels = g.out_channels;
    const std::ptrdiff_t multiplier = channels / g.in_channels;
    const std::ptrdiff_t area = std::ptrdiff_t{g.kernel_height} * g.kernel_width;
    for (std::ptrdiff_t c = 0; c < channels; ++c) {
        for (std::ptrdiff_t tap = 0; tap < area; ++tap) scratch[tap * channels + c] = weight[c * area + tap];
    }
    for_each_batch_tap(g, [&](std::ptrdiff_t out, std::ptrdiff_t in, std::ptrdiff_t tap) {
        if (in < 0) return;
        float* MOTE_RESTRICT to = dx + in * g.in_channels;
        const float* MOTE_RESTRICT slope = dy + out * channels;
        const float* MOTE_RESTRICT factor = scratch + tap * channels;
        if (multiplier == 1) {
            for (std::ptrdiff_t c = 0; c < channels; ++c) to[c] += slope[c] * factor[c];
        } else {
            for (std::ptrdiff_t c = 0; c < channels; ++c) to[c / multiplier] += slope[c] * factor[c];
        }
    });
}

/// The first largest value under each window gets the output's gradient.
inline void max_pool_gradient(const ConvGeometry& g, const float* x, const float* dy, float* dx) noexcept {
    constexpr std::ptrdiff_t block = 64;  // channels that are followed together
    const std::ptrdiff_t channels = g.in_channels;
    const std::ptrdiff_t last_tap = std::ptrdiff_t{g.kernel_height} * g.kernel_width - 1;
    for (std::ptrdiff_t first = 0; first < channels; first += block) {
        const std::ptrdiff_t count = channels - first < block ? channels - first : block;
        float largest[block];
        std::ptrdiff_t place[block];
        bool fresh = true;  // nothing of this window has been seen
        for_each_batch_tap(g, [&](std::ptrdiff_t out, std::ptrdiff_t in, std::ptrdiff_t tap) {
            if (tap == 0) fresh = true;
            if (in >= 0) {
                const float* from = x + in * channels + first;
                for (std::ptrdiff_t c = 0; c < count; ++c) {
                    if (fresh || from[c] > largest[c]) {
                        largest[c] = from[c];
                        place[c] = in;
                    }
                }
                fresh = false;
            }
            if (tap != last_tap || fresh) return;
            for (std::ptrdiff_t c = 0; c < count; ++c) {
                dx[place[c] * channels + first + c] += dy[out * channels + first + c];
            }
        });
    }
}

/// Each value under a window gets its share of the output's gradient.
inline void average_pool_gradient(const ConvGeometry& g, bool count_padding, const float* dy, float* dx) noexcept {
    const std::ptrdiff_t channels = g.in_channels;
    for (std::int32_t n = 0; n < g.batch; ++n, dx += std::ptrdiff_t{g.in_height} * g.in_width * channels) {
        for (std::int32_t row = 0; row < g.out_height; ++row) {
            for (std::int32_t column = 0; column < g.out_width; ++column, dy += channels) {
                std::int32_t count = 0;
                for_each_tap(g, row, column,
                             [&](std::int32_t, std::int32_t pixel) { count += pixel >= 0 || count_padding ? 1 : 0; });
                for_each_tap(g, row, column, [&](std::int32_t, std::int32_t pixel) {
                    if (pixel < 0) return;
                    for (std::ptrdiff_t c = 0; c < channels; ++c) dx[pixel * channels + c] += dy[c] / static_cast<float>(count);
                });
            }
        }
    }
}

MOTE_END_KERNELS
