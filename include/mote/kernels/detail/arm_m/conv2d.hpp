// SPDX-License-Identifier: MIT
#pragma once
// int8 convolution for firmware: two output pixels by two output channels at a time, weights in canonical order. The windows of
// the two pixels are gathered into scratch, padding as the zero point; a 1x1 window needs no gathering where bytes are read as
// they are. Sums are modulo 2^32 as in kernels/conv2d.hpp, to the bit: their order does not matter.

#include <mote/kernels/conv2d.hpp>
#include <mote/kernels/detail/arm_m/dot.hpp>

MOTE_BEGIN_KERNELS

namespace tile {

/// Whether a window is a row of the input as it stands there.
template <class G>
constexpr bool reads_rows(const G& g) noexcept {
    return g.kernel_height == 1 && g.kernel_width == 1 && g.stride_height == 1 && g.stride_width == 1 && g.pad_top == 0 &&
           g.pad_left == 0 && g.in_height == g.out_height && g.in_width == g.out_width;
}

/// Whether such rows need no widening.
template <class G>
constexpr bool reads_in_place(const G& g) noexcept {
    return sizeof(Activation) == 1 && reads_rows(g);
}
/// Whether there is only one, as in a dense layer.
template <class G>
constexpr bool reads_one_row(const G& g) noexcept {
    return reads_rows(g) && g.batch * g.out_height * g.out_width == 1;
}

/// Scratch of one run: two gathered windows. None where groups leave the work to the definition.
template <class G>
constexpr std::size_t conv2d_i8_scratch_bytes(const G& g) noexcept {
    return g.groups != 1 || reads_in_place(g) || reads_one_row(g)
               ? 0
               : 2 * sizeof(Activation) *
                     static_cast<std::size_t>(row_elements(g.kernel_height * g.kernel_width * g.in_channels));
}

/// The window of one output pixel.
template <class G>
MOTE_NEVER_INLINE void gather(const G& g, const std::int8_t* image, std::int32_t out_y, std::int32_t out_x,
                              std::int8_t zero_point, Activation* to) noexcept {
    Gather row{to};
    for (std::int32_t ky = 0; ky < g.kernel_height; ++ky) {
        const std::int32_t y = out_y * g.stride_height - g.pad_top + ky * g.dilation_height;
        if (y < 0 || y >= g.in_height) {
            row.fill(zero_point, g.kernel_width * g.in_channels);
            continue;
        }
        const std::int32_t left = out_x * g.stride_width - g.pad_left;
        const TapRange inside = taps_inside(left, g.dilation_width, g.kernel_width, g.in_width);
        row.fill(zero_point, inside.begin * g.in_channels);
        const std::int8_t* from = image + (y * g.in_width + left) * g.in_channels;
        if (g.dilation_width == 1) {
            row.copy(from + inside.begin * g.in_channels, (inside.end - inside.begin) * g.in_channels);
        } else {
            for (std::int32_t kx = inside.begin; kx < inside.end; ++kx) {
                row.copy(from + kx * g.dilation_width * g.in_channels, g.in_channels);
            }
        }
        row.fill(zero_point, (g.kernel_width - inside.end) * g.in_channels);
    }
}

/// An output pixel: its image in the input, its row and column.
struct Position {
    const std::int8_t* image;
    std::int32_t y, x;
};
/// Its window, and on to the next pixel.
template <class G>
MOTE_ALWAYS_INLINE void gather_next(const G& g, Position& at, std::int8_t zero_point, Activation* to) noexcept {
    gather(g, at.image, at.y, at.x, zero_point, to);
    if (++at.x < g.out_width) return;
    at.x = 0;
    if (++at.y < g.out_height) return;
    at.y = 0;
    at.image += g.in_height * g.in_width * g.in_channels;
}

/// `rows` pixels (1 or 2), whose windows stand `stride` apart and the first of which is output pixel `pixel`, for all output
/// channels.
template <int rows, class G>
MOTE_ALWAYS_INLINE void pixels(const G& g, const std::int8_t* weight, const std::int32_t* bias, const float* multipliers,
                               const ConvI8& run, const Activation* windows, std::int32_t stride, std::int32_t pixel) noexcept {
    const std::int32_t n = g.kernel_height * g.kernel_width * g.in_channels;
#if defined(MOTE_TILE_MVE) && (__ARM_FEATURE_MVE & 2)
    for (std::int32_t c = 0; c < g.out_channels; c += 4) {
        const std::int32_t channels = g.out_channels % 4 == 0 || g.out_channels - c >= 4 ? 4 : g.out_channels - c;
        const std::int8_t* w0 = weight + c * n;  // of four channels; where there are fewer, the last stands for more
        const std::int8_t* w1 = channels > 1 ? w0 + n : w0;
        const std::int8_t* w2 = channels > 2 ? w1 + n : w1;
        const std::int8_t* w3 = channels > 3 ? w2 + n : w2;
        std::int32_t left[4] = {0, 0, 0, 0}, right[4] = {0, 0, 0, 0};
        dot<rows>(windows, stride, w0, w1, n, left);
        dot<rows>(windows, stride, w2, w3, n, right);
        const int32x4_t start = load(channels, bias + c);
        const float32x4_t multiplier = load(channels, multipliers + c);
        const std::int32_t at = pixel * g.out_channels + c;
        finish(channels, vaddq_s32(lanes(left[0], left[1], right[0], right[1]), start), multiplier, run, at);
        if constexpr (rows == 2) {
            const int32x4_t sums = lanes(left[2], left[3], right[2], right[3]);
            finish(channels, vaddq_s32(sums, start), multiplier, run, at + g.out_channels);
        }
    }
#else
    for (std::int32_t c = 0; c < g.out_channels; c += 2) {
        const bool pair = c + 1 < g.out_channels;
        const std::int8_t* w0 = weight + c * n;
        const std::int8_t* w1 = pair ? w0 + n : w0;
        std::int32_t sums[2 * rows];
        for (int row = 0; row < rows; ++row) {
            sums[2 * row] = bias[c];
            sums[2 * row + 1] = bias[pair ? c + 1 : c];
        }
        dot<rows>(windows, stride, w0, w1, n, sums);
        for (int row = 0; row < rows; ++row) {
            const std::int32_t at = (pixel + row) * g.out_channels + c;
            finish(sums[2 * row], multipliers[c], run, at);
            if (pair) finish(sums[2 * row + 1], multipliers[c + 1], run, at + 1);
        }
    }
#endif
}

#if defined(MOTE_TILE_DSP)
/// A dense layer: each weight is used once, so that nothing is gained by widening the row for all of them.
template <class G>
MOTE_ALWAYS_INLINE void dense_i8(const G& g, const std::int8_t* weight, const std::int32_t* bias, const float* multipliers,
                                 const ConvI8& run) noexcept {
    const std::int32_t n = g.in_channels;
    const std::int32_t fours = g.out_channels / 4 * 4;
    for (std::int32_t c = 0; c < fours; c += 4) {
        std::int32_t sums[4] = {bias[c], bias[c + 1], bias[c + 2], bias[c + 3]};
        dot_four(run.input, weight + c * n, n, sums);
        for (std::int32_t i = 0; i < 4; ++i) finish(sums[i], multipliers[c + i], run, c + i);
    }
    for (std::int32_t c = fours; c < g.out_channels; ++c) {
        std::int32_t sum = bias[c];
        for (std::int32_t k = 0; k < n; ++k) accumulate(sum, run.input[k] * weight[c * n + k]);
        finish(sum, multipliers[c], run, c);
    }
}
#endif

template <class G>
MOTE_ALWAYS_INLINE void conv2d_i8(const G& g, const std::int8_t* weight, const std::int32_t* bias, const float* multipliers,
                                  const ConvI8& arguments) noexcept {
    if (g.groups != 1) return reference::conv2d_i8(g, weight, bias, multipliers, arguments);
    const ConvI8 run = arguments;  // its own copy, which no store of a byte can change
#if defined(MOTE_TILE_DSP)
    if (reads_one_row(g)) return dense_i8(g, weight, bias, multipliers, run);
#endif
    const std::int32_t count = g.batch * g.out_height * g.out_width;
    auto* scratch = static_cast<Activation*>(run.scratch);
    const std::int32_t stride =
        reads_in_place(g) ? g.in_channels : second_row(g.kernel_height * g.kernel_width * g.in_channels);
    const auto zero_point = static_cast<std::int8_t>(run.input_zero_point);
    Position at{run.input, 0, 0};
    for (std::int32_t pixel = 0; pixel + 1 < count; pixel += 2) {
        if constexpr (sizeof(Activation) == 1) {
            if (reads_in_place(g)) {
                pixels<2>(g, weight, bias, multipliers, run, run.input + pixel * stride, stride, pixel);
                continue;
            }
        }
        for (std::int32_t row = 0; row < 2; ++row) gather_next(g, at, zero_point, scratch + row * stride);
        pixels<2>(g, weight, bias, multipliers, run, scratch, stride, pixel);
    }
    if (count % 2 != 0) {
        const std::int32_t pixel = count - 1;
        if constexpr (sizeof(Activation) == 1) {
            if (reads_in_place(g)) {
                return pixels<1>(g, weight, bias, multipliers, run, run.input + pixel * stride, stride, pixel);
            }
        }
        gather_next(g, at, zero_point, scratch);
        pixels<1>(g, weight, bias, multipliers, run, scratch, stride, pixel);
    }
}

}  // namespace tile

MOTE_END_KERNELS
