// SPDX-License-Identifier: MIT
#pragma once
// Pooling, vectorised over channels (contract and definitions: kernels/pool.hpp).

#include <mote/kernels/pool.hpp>
#include <mote/simd/vector.hpp>

MOTE_BEGIN_KERNELS

namespace pool {

/// The part of a window that lies in the image.
template <class T>
struct Window {
    const T* first;              ///< its first pixel
    std::ptrdiff_t row, column;  ///< elements to the next row, and to the next pixel of a row
    std::int32_t rows, columns;

    MOTE_ALWAYS_INLINE std::int32_t pixels() const noexcept { return rows * columns; }
    /// Calls visit(pixel's elements from `channel` on).
    template <class Visit>
    MOTE_ALWAYS_INLINE void for_each(std::ptrdiff_t channel, Visit&& visit) const {
        const T* line = first + channel;
        for (std::int32_t y = 0; y < rows; ++y, line += row) {
            const T* p = line;
            for (std::int32_t x = 0; x < columns; ++x, p += column) visit(p);
        }
    }
};

/// Calls visit(window, the output's channels) for each output pixel.
template <class T, class Visit>
MOTE_ALWAYS_INLINE void for_each_window(const ConvGeometry& g, const T* input, T* output, Visit&& visit) {
    const std::ptrdiff_t channels = g.in_channels;
    for (std::int32_t n = 0; n < g.batch; ++n, input += std::ptrdiff_t{g.in_height} * g.in_width * channels) {
        for (std::int32_t y = 0; y < g.out_height; ++y) {
            const std::int32_t top = y * g.stride_height - g.pad_top;
            const TapRange rows = taps_inside(top, g.dilation_height, g.kernel_height, g.in_height);
            for (std::int32_t x = 0; x < g.out_width; ++x, output += channels) {
                const std::int32_t left = x * g.stride_width - g.pad_left;
                const TapRange columns = taps_inside(left, g.dilation_width, g.kernel_width, g.in_width);
                const std::int32_t row_count = rows.end - rows.begin, column_count = columns.end - columns.begin;
                const bool any = row_count > 0 && column_count > 0;
                const std::ptrdiff_t first = any ? std::ptrdiff_t{top + rows.begin * g.dilation_height} * g.in_width + left +
                                                       columns.begin * g.dilation_width
                                                 : 0;
                visit(Window<T>{input + first * channels, std::ptrdiff_t{g.dilation_height} * g.in_width * channels,
                                g.dilation_width * channels, any ? row_count : 0, any ? column_count : 0},
                      output);
            }
        }
    }
}

/// The sums of `window` in 2 N channels, of which n are there. 256 bytes fit into 16 bits.
template <bool full>
MOTE_ALWAYS_INLINE simd::I32x2 sums(const Window<std::int8_t>& window, std::ptrdiff_t channel, std::ptrdiff_t n) noexcept {
    simd::I32x2 total{simd::I32(0), simd::I32(0)};
    simd::I16 part(std::int16_t{0});
    std::int32_t left = 256;
    const auto flush = [&] {
        const simd::I32x2 wide = simd::halves(part);
        total.lo += wide.lo;
        total.hi += wide.hi;
        part = simd::I16(std::int16_t{0});
        left = 256;
    };
    window.for_each(channel, [&](const std::int8_t* p) {
        part += full ? simd::load_bytes(p) : simd::load_bytes(p, n);
        if (--left == 0) flush();
    });
    flush();
    return total;
}

/// rounded_mean(): an estimate that is off by less than 1, put right by its remainder.
MOTE_ALWAYS_INLINE simd::I32 rounded_mean(simd::I32 sum, std::int32_t count, float inverse) noexcept {
    using simd::I32;
    const I32 q = simd::to_int(simd::to_float(sum) * simd::F32(inverse));
    const I32 rest = sum - q * I32(count);
    const I32 twice = rest + rest;
    const I32 odd = q & I32(1);
    const I32 up = simd::shift_right(I32(count) - twice - odd, 31);    // -1 where twice + odd > count
    const I32 down = simd::shift_right(twice - odd + I32(count), 31);  // -1 where twice - odd < -count
    return q - up + down;
}

}  // namespace pool

template <class Lazy = void>
void max_pool_f32(const ConvGeometry& g, const float* input, float* output) noexcept {
    constexpr std::ptrdiff_t lanes = simd::lanes32;
    pool::for_each_window(g, input, output, [&](const pool::Window<float>& window, float* to) {
        const simd::F32 lowest(-__builtin_huge_valf());
        std::ptrdiff_t c = 0;
        for (; c + lanes <= g.in_channels; c += lanes) {
            simd::F32 most = lowest;
            window.for_each(c, [&](const float* p) { most = simd::greatest(simd::load(p), most); });
            simd::store(to + c, most);
        }
        if (c == g.in_channels) return;
        const std::ptrdiff_t n = g.in_channels - c;
        simd::F32 most = lowest;
        window.for_each(c, [&](const float* p) { most = simd::greatest(simd::load(p, n), most); });
        simd::store(to + c, most, n);
    });
}

template <class Lazy = void>
void max_pool_i8(const ConvGeometry& g, const std::int8_t* input, std::int8_t* output) noexcept {
    pool::for_each_window(g, input, output, [&](const pool::Window<std::int8_t>& window, std::int8_t* to) {
        std::ptrdiff_t c = 0;
        for (; c + simd::lanes8 <= g.in_channels; c += simd::lanes8) {
            simd::I8 most(std::int8_t{-128});
            window.for_each(c, [&](const std::int8_t* p) { most = simd::greatest(simd::load(p), most); });
            simd::store(to + c, most);
        }
        for (; c < g.in_channels; c += simd::lanes16) {
            const std::ptrdiff_t rest = g.in_channels - c;
            simd::I16 most(std::int16_t{-128});
            if (rest >= simd::lanes16) {
                window.for_each(c, [&](const std::int8_t* p) { most = simd::greatest(simd::load_bytes(p), most); });
                simd::store_bytes(to + c, most);
            } else {
                window.for_each(c, [&](const std::int8_t* p) { most = simd::greatest(simd::load_bytes(p, rest), most); });
                simd::store_bytes(to + c, most, rest);
            }
        }
    });
}

template <class Lazy = void>
void average_pool_f32(const ConvGeometry& g, bool count_padding, const float* input, float* output) noexcept {
    constexpr std::ptrdiff_t lanes = simd::lanes32;
    pool::for_each_window(g, input, output, [&](const pool::Window<float>& window, float* to) {
        const std::int32_t count = count_padding ? g.kernel_height * g.kernel_width : window.pixels();
        const simd::F32 share(count > 0 ? 1.0f / static_cast<float>(count) : 0.0f);
        std::ptrdiff_t c = 0;
        for (; c + lanes <= g.in_channels; c += lanes) {
            simd::F32 sum(0.0f);
            window.for_each(c, [&](const float* p) { sum += simd::load(p); });
            simd::store(to + c, sum * share);
        }
        if (c == g.in_channels) return;
        const std::ptrdiff_t n = g.in_channels - c;
        simd::F32 sum(0.0f);
        window.for_each(c, [&](const float* p) { sum += simd::load(p, n); });
        simd::store(to + c, sum * share, n);
    });
}

template <class Lazy = void>
void average_pool_i8(const ConvGeometry& g, bool count_padding, std::int32_t zero_point, const std::int8_t* input,
                     std::int8_t* output) noexcept {
    constexpr std::ptrdiff_t lanes = simd::lanes16;
    pool::for_each_window(g, input, output, [&](const pool::Window<std::int8_t>& window, std::int8_t* to) {
        const std::int32_t area = g.kernel_height * g.kernel_width;
        const std::int32_t count = count_padding ? area : window.pixels();
        if (count == 0) {
            for (std::ptrdiff_t c = 0; c < g.in_channels; ++c) to[c] = static_cast<std::int8_t>(zero_point);
            return;
        }
        const simd::I32 padding(count_padding ? (area - window.pixels()) * zero_point : 0);
        const float inverse = 1.0f / static_cast<float>(count);
        for (std::ptrdiff_t c = 0; c < g.in_channels; c += lanes) {
            const std::ptrdiff_t n = g.in_channels - c;
            const simd::I32x2 sum = n >= lanes ? pool::sums<true>(window, c, lanes) : pool::sums<false>(window, c, n);
            const simd::I16 mean = simd::narrow_halves(
                {pool::rounded_mean(sum.lo + padding, count, inverse), pool::rounded_mean(sum.hi + padding, count, inverse)});
            if (n >= lanes) {
                simd::store_bytes(to + c, mean);
            } else {
                simd::store_bytes(to + c, mean, n);
            }
        }
    });
}

MOTE_END_KERNELS
