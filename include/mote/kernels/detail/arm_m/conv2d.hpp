// SPDX-License-Identifier: MIT
#pragma once
// int8 convolution for firmware: two output pixels by two output channels at a time, weights in canonical order. The windows of
// the two pixels are gathered into scratch, padding as the zero point. Sums are modulo 2^32 as in
// kernels/conv2d.hpp, to the bit: their order does not matter.

#include <mote/kernels/conv2d.hpp>
#include <mote/kernels/detail/arm_m/dot.hpp>

MOTE_BEGIN_KERNELS

namespace tile {

/// Scratch of one run: two gathered windows. None where groups leave the work to the definition.
template <class G>
constexpr std::size_t conv2d_i8_scratch_bytes(const G& g) noexcept {
    return g.groups == 1 ? 2 * sizeof(Activation) *
                               static_cast<std::size_t>(row_elements(g.kernel_height * g.kernel_width * g.in_channels))
                         : 0;
}

/// The window of one output pixel.
template <class G>
void gather(const G& g, const std::int8_t* image, std::int32_t out_y, std::int32_t out_x, std::int8_t zero_point,
            Activation* to) noexcept {
    Gather row{to};
    for (std::int32_t ky = 0; ky < g.kernel_height; ++ky) {
        const std::int32_t y = out_y * g.stride_height - g.pad_top + ky * g.dilation_height;
        for (std::int32_t kx = 0; kx < g.kernel_width; ++kx) {
            const std::int32_t x = out_x * g.stride_width - g.pad_left + kx * g.dilation_width;
            if (y >= 0 && y < g.in_height && x >= 0 && x < g.in_width) {
                row.copy(image + (y * g.in_width + x) * g.in_channels, g.in_channels);
            } else {
                row.fill(zero_point, g.in_channels);
            }
        }
    }
    row.finish();
}

/// `rows` gathered pixels (1 or 2), the first of which is output pixel `pixel`, for all output channels.
template <int rows, class G>
void pixels(const G& g, const std::int8_t* weight, const std::int32_t* bias, const float* multipliers, const ConvI8& run,
            std::int32_t pixel) noexcept {
    const std::int32_t n = g.kernel_height * g.kernel_width * g.in_channels;
    const auto* windows = static_cast<const Activation*>(run.scratch);
    for (std::int32_t c = 0; c < g.out_channels; c += 2) {
        const bool pair = c + 1 < g.out_channels;
        const std::int8_t* w0 = weight + c * n;
        const std::int8_t* w1 = pair ? w0 + n : w0;
        std::int32_t sums[2 * rows];
        for (int row = 0; row < rows; ++row) {
            sums[2 * row] = bias[c];
            sums[2 * row + 1] = bias[pair ? c + 1 : c];
        }
        dot<rows>(windows, row_elements(n), w0, w1, n, sums);
        for (int row = 0; row < rows; ++row) {
            for (std::int32_t i = 0; i < (pair ? 2 : 1); ++i) {
                const std::int32_t at = (pixel + row) * g.out_channels + c + i;
                std::int8_t q = requantize_value(sums[2 * row + i], multipliers[c + i], run.requantize);
                if (run.residual != nullptr) q = add_value(run.add, q, run.residual[at]);
                run.output[at] = q;
            }
        }
    }
}

template <class G>
void conv2d_i8(const G& g, const std::int8_t* weight, const std::int32_t* bias, const float* multipliers,
               const ConvI8& run) noexcept {
    if (g.groups != 1) return reference::conv2d_i8(g, weight, bias, multipliers, run);
    auto* windows = static_cast<Activation*>(run.scratch);
    const std::int32_t stride = row_elements(g.kernel_height * g.kernel_width * g.in_channels);
    const std::int32_t image_pixels = g.out_height * g.out_width;
    const std::int32_t count = g.batch * image_pixels;
    for (std::int32_t pixel = 0; pixel < count; pixel += 2) {
        const std::int32_t rows = pixel + 1 < count ? 2 : 1;
        for (std::int32_t row = 0; row < rows; ++row) {
            const std::int32_t n = (pixel + row) / image_pixels;
            const std::int32_t at = (pixel + row) % image_pixels;
            gather(g, run.input + n * g.in_height * g.in_width * g.in_channels, at / g.out_width, at % g.out_width,
                   static_cast<std::int8_t>(run.input_zero_point), windows + row * stride);
        }
        if (rows == 2) {
            pixels<2>(g, weight, bias, multipliers, run, pixel);
        } else {
            pixels<1>(g, weight, bias, multipliers, run, pixel);
        }
    }
}

}  // namespace tile

MOTE_END_KERNELS
