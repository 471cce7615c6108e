// SPDX-License-Identifier: MIT
#pragma once
// Resizing of NHWC images by interpolation between rows and columns: the scalar definitions.
//
// `rows` holds for each output row the input row at or above it, and how far below that it lies in steps of 2^-20, at most
// 2^20; `columns` the same for columns. The row and column behind are read only where the distance is not 0.

#include <mote/core/geometry.hpp>
#include <mote/simd/instruction_set.hpp>

MOTE_BEGIN_KERNELS

namespace reference {

inline constexpr std::int32_t resize_one = 1 << 20;

/// Calls out(at, a, b, c, d, right, down) for each output value: the four input values around it, row by row.
template <class G, class V, class Out>
MOTE_ALWAYS_INLINE void for_each_resized(const G& g, const std::int32_t* rows, const std::int32_t* columns, const V* input,
                                         const Out& out) noexcept {
    std::ptrdiff_t at = 0;
    const std::ptrdiff_t channels = g.in_channels;
    for (std::int32_t n = 0; n < g.batch; ++n, input += g.in_height * g.in_width * channels) {
        for (std::int32_t y = 0; y < g.out_height; ++y) {
            const V* above = input + rows[2 * y] * g.in_width * channels;
            const V* below = above + (rows[2 * y + 1] != 0 ? g.in_width * channels : 0);
            for (std::int32_t x = 0; x < g.out_width; ++x) {
                const std::ptrdiff_t left = columns[2 * x] * channels;
                const std::ptrdiff_t right = left + (columns[2 * x + 1] != 0 ? channels : 0);
                for (std::ptrdiff_t c = 0; c < channels; ++c, ++at) {
                    out(at, above[left + c], above[right + c], below[left + c], below[right + c], columns[2 * x + 1],
                        rows[2 * y + 1]);
                }
            }
        }
    }
}

template <class G>
void resize_f32(const G& g, const std::int32_t* rows, const std::int32_t* columns, const float* input, float* output) noexcept {
    for_each_resized(g, rows, columns, input,
                     [output](std::ptrdiff_t at, float a, float b, float c, float d, std::int32_t right, std::int32_t down) {
                         const float x = static_cast<float>(right) / resize_one;
                         const float y = static_cast<float>(down) / resize_one;
                         const float upper = a + (b - a) * x;
                         const float lower = c + (d - c) * x;
                         output[at] = upper + (lower - upper) * y;
                     });
}

/// The exact sum of the four bytes' products with weights of 40 fractional bits, rounded once, half to even.
template <class G>
void resize_i8(const G& g, const std::int32_t* rows, const std::int32_t* columns, const std::int8_t* input,
               std::int8_t* output) noexcept {
    for_each_resized(g, rows, columns, input,
                     [output](std::ptrdiff_t at, std::int32_t a, std::int32_t b, std::int32_t c, std::int32_t d,
                              std::int32_t right, std::int32_t down) {
                         const std::int32_t upper = a * (resize_one - right) + b * right;
                         const std::int32_t lower = c * (resize_one - right) + d * right;
                         const std::int64_t sum = std::int64_t{upper} * (resize_one - down) + std::int64_t{lower} * down;
                         std::int64_t q = sum >> 40;
                         const std::int64_t rest = sum - q * (std::int64_t{1} << 40);
                         const std::int64_t half = std::int64_t{1} << 39;
                         if (rest > half || (rest == half && (q & 1) != 0)) ++q;
                         output[at] = static_cast<std::int8_t>(q);
                     });
}

}  // namespace reference

MOTE_END_KERNELS
