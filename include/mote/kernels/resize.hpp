// SPDX-License-Identifier: MIT
#pragma once
// Resizing of NHWC images by weighted rows and columns: the scalar definitions.
// Contract: output row y is the sum over k < kernel_height of weight[y * kernel_height + k] times input row
// index[y * kernel_height + k], then output columns are made of its columns in the same way. Taps of weight 0 stand last and
// read nothing; where a first index is -1 the whole row (or column) is `outside`. A single tap has weight 1. Scratch holds a
// line of the input, [in_width, channels], where there is more than one row tap.
//   i8: weights have 22 fractional bits, up to 8 taps a side; the sum is exact and rounded once, half to even.

#include <mote/core/geometry.hpp>
#include <mote/kernels/requantize.hpp>

MOTE_BEGIN_KERNELS

/// Taps of rows or of columns.
template <class Weight>
struct ResizeTable {
    const std::int32_t* index;
    const Weight* weight;
};

namespace reference {

inline constexpr std::int32_t resize_fraction = 22;

template <class G>
constexpr std::size_t resize_scratch_bytes(const G& g) noexcept {
    return g.kernel_height > 1 ? 4 * static_cast<std::size_t>(g.in_width) * static_cast<std::size_t>(g.in_channels) : 0;
}

/// Numbers that are summed side by side: a count that compilers know, so that they take vectors. There are none of 64 bits.
template <class Sum>
inline constexpr std::ptrdiff_t resize_lanes = sizeof(Sum) > 4 ? 1 : 16;

/// to[i] = finish(the sum over the taps of weight[k] times from[index[k] * step + i]) for i < count.
template <class Sum, class V, class Weight, class T, class Finish>
MOTE_ALWAYS_INLINE void weigh(std::int32_t taps, const std::int32_t* index, const Weight* weight, const V* from,
                              std::ptrdiff_t step, std::ptrdiff_t count, T* to, const Finish& finish) noexcept {
    constexpr std::ptrdiff_t lanes = resize_lanes<Sum>;
    while (taps > 1 && weight[taps - 1] == Weight{0}) --taps;
    std::ptrdiff_t i = 0;
    for (; lanes > 1 && i + lanes <= count; i += lanes) {
        Sum sum[lanes] = {};
        for (std::int32_t k = 0; k < taps; ++k) {
            const Sum w{weight[k]};
            const V* v = from + index[k] * step + i;
            for (std::ptrdiff_t lane = 0; lane < lanes; ++lane) sum[lane] += w * Sum{v[lane]};
        }
        for (std::ptrdiff_t lane = 0; lane < lanes; ++lane) to[i + lane] = finish(sum[lane]);
    }
    for (; i < count; ++i) {
        Sum sum{0};
        for (std::int32_t k = 0; k < taps; ++k) sum += Sum{weight[k]} * Sum{from[index[k] * step + i]};
        to[i] = finish(sum);
    }
}

/// An output row of a line: pixels that are copied, or weighed; finish(sum, whether they were) ends them.
template <class Sum, class G, class V, class Weight, class T, class Finish>
void weigh_columns(const G& g, const ResizeTable<Weight>& columns, const V* line, T outside, T* to,
                   const Finish& finish) noexcept {
    const std::ptrdiff_t channels = g.in_channels;
    for (std::ptrdiff_t x = 0; x < g.out_width; ++x, to += channels) {
        const std::int32_t* index = columns.index + x * g.kernel_width;
        if (index[0] < 0) {
            for (std::ptrdiff_t c = 0; c < channels; ++c) to[c] = outside;
        } else if (g.kernel_width == 1) {
            const V* pixel = line + index[0] * channels;
            for (std::ptrdiff_t c = 0; c < channels; ++c) to[c] = finish(Sum{pixel[c]}, false);
        } else {
            weigh<Sum>(g.kernel_width, index, columns.weight + x * g.kernel_width, line, channels, channels, to,
                       [&](Sum sum) { return finish(sum, true); });
        }
    }
}

/// finish(sum, whether rows were weighed, whether columns were)
template <class Sum, class G, class Weight, class T, class Finish>
MOTE_ALWAYS_INLINE void resize(const G& g, const ResizeTable<Weight>& rows, const ResizeTable<Weight>& columns, T outside,
                               const T* input, T* output, void* scratch, const Finish& finish) noexcept {
    const std::ptrdiff_t in_row = std::ptrdiff_t{g.in_width} * g.in_channels;
    const std::ptrdiff_t out_row = std::ptrdiff_t{g.out_width} * g.in_channels;
    for (std::int32_t n = 0; n < g.batch; ++n, input += g.in_height * in_row) {
        for (std::ptrdiff_t y = 0; y < g.out_height; ++y, output += out_row) {
            const std::int32_t* index = rows.index + y * g.kernel_height;
            if (index[0] < 0) {
                for (std::ptrdiff_t i = 0; i < out_row; ++i) output[i] = outside;
            } else if (g.kernel_height == 1) {
                weigh_columns<Sum>(g, columns, input + index[0] * in_row, outside, output,
                                   [&](Sum sum, bool weighed) { return finish(sum, false, weighed); });
            } else {
                Weight* line = static_cast<Weight*>(scratch);
                weigh<Weight>(g.kernel_height, index, rows.weight + y * g.kernel_height, input, in_row, in_row, line,
                              [](Weight sum) { return sum; });
                weigh_columns<Sum>(g, columns, static_cast<const Weight*>(line), outside, output,
                                   [&](Sum sum, bool weighed) { return finish(sum, true, weighed); });
            }
        }
    }
}

template <class G>
void resize_f32(const G& g, const ResizeTable<float>& rows, const ResizeTable<float>& columns, float outside,
                const float* input, float* output, void* scratch) noexcept {
    resize<float>(g, rows, columns, outside, input, output, scratch, [](float sum, bool, bool) { return sum; });
}

template <class G>
void resize_i8(const G& g, const ResizeTable<std::int32_t>& rows, const ResizeTable<std::int32_t>& columns, std::int8_t outside,
               const std::int8_t* input, std::int8_t* output, void* scratch) noexcept {
    resize<std::int64_t>(g, rows, columns, outside, input, output, scratch, [](std::int64_t sum, bool down, bool across) {
        const std::int32_t shift = (down ? resize_fraction : 0) + (across ? resize_fraction : 0);
        return saturate(shift == 0 ? sum : round_shift(sum, shift), -128, 127);
    });
}

}  // namespace reference

MOTE_END_KERNELS
