// SPDX-License-Identifier: MIT
#pragma once
// Bands: how a window slides over an image whose channels stand alone, once for floats and bytes (D is depthwise::Float
// or depthwise::I8 of kernels/depthwise_simd.hpp).
//
// A band is a few rows of outputs, of which a block of channels, one vector, is computed from left to right. Each column of the
// image under it is read once and multiplied by all weights that meet it, of all outputs that it reaches: of a 3x3 window of
// stride 1 and 4 rows, 6 loads for 36 multiplications into 12 sums. Those that are complete become outputs, the others move one
// place on. So multiplications are the limit, a row is read 1.5 times, and no width leaves a rest. A column in the padding is
// left out where it holds zeros; a row in the padding is a vector of it. Other windows than 3x3, 5x5 and 7x7 go tap by tap.
// Where a move costs as much as any instruction, floats are computed by detail/neon/turns.hpp, whose sums do not move.
//
// An output's taps are added column by column whatever the band's rows, so that it has the same bits in all of them. Where
// out_channels > in_channels, the rows that are read are spread to out_channels first.

#include <mote/core/geometry.hpp>
#include <mote/kernels/detail/neon/turns.hpp>
#include <mote/kernels/detail/tile.hpp>

MOTE_BEGIN_KERNELS

namespace depthwise {

using tiles::ceil_div;
using tiles::few_tiles;
using tiles::least;

constexpr std::ptrdiff_t greatest(std::ptrdiff_t a, std::ptrdiff_t b) noexcept {
    return a > b ? a : b;
}

/// What follows from a geometry; it stands before the packed blocks.
template <class D>
struct Shape {
    explicit Shape(const ConvGeometry& g) noexcept
        : kernel(streams(g) ? g.kernel_width : 0),
          kernel_rows(ceil_div(g.kernel_height, D::rows) * D::rows),
          blocks(ceil_div(g.out_channels, D::lanes)),
          block_bytes(D::head + kernel_rows * g.kernel_width * weight_bytes),
          pixel_bytes(g.out_channels * input_bytes),
          row_bytes(g.in_width * pixel_bytes),
          out_row(std::ptrdiff_t{g.out_width} * g.out_channels),
          band_rows(kernel > 0 ? D::band_rows(g.kernel_width) : 1),
          spread_bytes(g.out_channels == g.in_channels ? 0 : g.in_height * row_bytes) {
        if (kernel == 0) return;
        const std::ptrdiff_t stride = g.stride_width, live = (kernel - 1) / stride + 1;
        first = 1 - live;
        if (!D::padding_counts)
            first = greatest(first, least(ceil_div(g.pad_left + 1 + kernel * (stride - 1), stride) - kernel, 0));
        first_column = first * stride + kernel - stride - g.pad_left;
        if (!D::turns(g.kernel_width)) return;
        const std::ptrdiff_t whole = greatest(first + ceil_div(greatest(-first_column, 0), stride), 0);
        inside = ceil_div(whole, live) * live;
        const std::ptrdiff_t column = first_column + (inside - first) * stride;
        rounds = greatest(least(g.out_width - inside, (g.in_width - column) / stride) / live, 0);
        if (rounds == 0) inside = g.out_width;
        turn = (first + live) % live;
    }
    std::ptrdiff_t kernel;       ///< rows and columns of a window that is computed in bands; else 0
    std::ptrdiff_t kernel_rows;  ///< of the window, with rows of weights 0
    std::ptrdiff_t blocks, block_bytes;
    std::ptrdiff_t pixel_bytes, row_bytes;  ///< of the image
    std::ptrdiff_t out_row;                 ///< elements
    std::ptrdiff_t band_rows;               ///< of outputs, at most
    std::ptrdiff_t spread_bytes;            ///< scratch
    /// A step is an output pixel, and the last columns of the image that it needs. Steps begin before the first output, where
    /// padding adds nothing with the first one that has a column in the image.
    std::ptrdiff_t first = 0, first_column = 0;
    /// Of steps in turns: that of the first one, and from which step on how many rounds have all their columns in the image.
    std::ptrdiff_t turn = 0, inside = 0, rounds = 0;

    static constexpr std::ptrdiff_t input_bytes = sizeof(typename D::Input);
    static constexpr std::ptrdiff_t weight_bytes = D::lanes * static_cast<std::ptrdiff_t>(sizeof(typename D::Weight));
    static constexpr std::ptrdiff_t own_bytes() noexcept { return tiles::lines(sizeof(Shape)); }
    std::size_t packed_bytes() const noexcept { return static_cast<std::size_t>(own_bytes() + blocks * block_bytes); }
    /// Whether windows are computed in bands; all of them meet rows of the image.
    static bool streams(const ConvGeometry& g) noexcept {
        const bool square = g.kernel_height == g.kernel_width && g.stride_height == g.stride_width;
        const bool known = g.kernel_width == 3 || (!few_tiles && (g.kernel_width == 5 || g.kernel_width == 7));
        const bool meet = g.pad_top < g.kernel_height && (g.out_height - 1) * g.stride_height < g.in_height + g.pad_top;
        return square && known && meet && g.stride_width <= 2 && g.dilation_height == 1 && g.dilation_width == 1;
    }
};

/// What is computed together: rows of outputs whose windows begin with row y of the image, in blocks begin <= b < end.
struct Band {
    const char* image;
    std::ptrdiff_t y;
    std::ptrdiff_t at;  ///< the place of the first row's first output
    const char* packed;
    IndexRange blocks;
};

/// A band's rows of one block: from column to column of the image.
template <class D, int Kernel, int Stride, int Outputs, class Some>
MOTE_ALWAYS_INLINE void run_block(const D& d, const ConvGeometry& g, const Shape<D>& shape, const char* const* rows,
                                  std::ptrdiff_t top, std::ptrdiff_t bottom, const char* block, std::ptrdiff_t channel,
                                  std::ptrdiff_t at, Some some) noexcept {
    constexpr int live = (Kernel - 1) / Stride + 1;  // outputs that a column reaches
    constexpr int in_rows = (Outputs - 1) * Stride + Kernel;
    constexpr std::ptrdiff_t weight_bytes = D::rows * Shape<D>::weight_bytes;
    using Sum = typename D::Sum;
    const char* weights = block + D::head;
    const auto weight = [&](int ky, int kx) __attribute__((always_inline)) {
        return D::weight(weights + (ky / D::rows * Kernel + kx) * weight_bytes);
    };
    decltype(weight(0, 0)) kept[D::keeps_weights(Kernel) ? Kernel * Kernel : 1];
    if constexpr (D::keeps_weights(Kernel)) {
        MOTE_UNROLL for (int i = 0; i < Kernel * Kernel; ++i) kept[i] = weight(i / Kernel, i % Kernel);
    }
    Sum sum[live][Outputs];
    MOTE_UNROLL for (int m = 0; m < live; ++m) {
        MOTE_UNROLL for (int r = 0; r < Outputs; ++r) sum[m][r] = D::first(block);
    }
    // Column `t` of a step, whose pixels lie `offset` behind their rows, if it is in the image.
    const auto add_column = [&](int t, std::ptrdiff_t offset, bool there) __attribute__((always_inline)) {
        typename D::Tap tap[in_rows];
        MOTE_UNROLL for (int ky = 0; ky < Kernel; ky += D::rows) {
            MOTE_UNROLL for (int i = 0; i < in_rows; ++i) {
                const int first_use = i < (Outputs - 1) * Stride ? i % Stride : i - (Outputs - 1) * Stride;
                if (first_use / D::rows * D::rows == ky) {
                    const bool may_be_above = i<Kernel - 1, may_be_below = i>(Outputs - 1) * Stride;
                    if (there && (!may_be_above || i >= top) && (!may_be_below || i < bottom)) {
                        tap[i] = D::tap(rows[i] + offset, some);
                    } else {
                        tap[i] = d.padding();
                    }
                }
            }
            MOTE_UNROLL for (int m = 0; m < live; ++m) {
                const int kx = Kernel - Stride + t - m * Stride;
                if (kx >= 0) {
                    const auto w = D::keeps_weights(Kernel) ? kept[ky * Kernel + kx] : weight(ky, kx);
                    MOTE_UNROLL for (int r = 0; r < Outputs; ++r) {
                        const int i = r * Stride + ky;
                        D::add(sum[m][r], tap[i], tap[ky + D::rows <= Kernel ? i + D::rows - 1 : i], w);
                    }
                }
            }
        }
    };
    // Copies, which no output overwrites, as the compiler sees.
    const std::ptrdiff_t width = g.in_width, out_width = g.out_width, channels = g.out_channels, out_row = shape.out_row,
                         pixel_bytes = shape.pixel_bytes;
    const Sum start = D::first(block);
    std::ptrdiff_t column = shape.first_column;
    std::ptrdiff_t offset = channel * shape.input_bytes + column * pixel_bytes;
    for (std::ptrdiff_t x = shape.first; x < out_width; ++x, column += Stride) {
        MOTE_UNROLL for (int t = 0; t < Stride; ++t, offset += pixel_bytes) {
            if (column + t >= 0 && column + t < width) {
                add_column(t, offset, true);
            } else if (D::padding_counts) {
                add_column(t, 0, false);
            }
        }
        if (x >= 0) {
            MOTE_UNROLL for (int r = 0; r < Outputs; ++r) d.finish(sum[0][r], block, at + r * out_row, some);
            at += channels;
        }
        MOTE_UNROLL for (int r = 0; r < Outputs; ++r) {
            MOTE_UNROLL for (int m = 0; m + 1 < live; ++m) sum[m][r] = sum[m + 1][r];
            sum[live - 1][r] = start;
        }
    }
}

template <class D, int Kernel, int Stride, int Outputs>
void run_band(const D& shared, const ConvGeometry& g, const Shape<D>& shape, const Band& band) noexcept {
    const D d = shared;  // a copy, which no output overwrites, as the compiler sees
    constexpr std::ptrdiff_t in_rows = (Outputs - 1) * Stride + Kernel;
    const std::ptrdiff_t top = greatest(-band.y, 0), bottom = least(g.in_height - band.y, in_rows);
    const char* rows[in_rows];
    for (std::ptrdiff_t i = 0; i < in_rows; ++i) {
        rows[i] = band.image + (i >= top && i < bottom ? band.y + i : 0) * shape.row_bytes;
    }
    const char* block = band.packed + band.blocks.begin * shape.block_bytes;
    std::ptrdiff_t c = band.blocks.begin * D::lanes;
    const std::ptrdiff_t end = least(band.blocks.end * D::lanes, g.out_channels);
    for (; c + D::lanes <= end; c += D::lanes, block += shape.block_bytes) {
#if defined(MOTE_NEON)
        if constexpr (D::turns(Kernel)) {
            if (d.plain()) {
                run_in_turns<D, Kernel, Stride, Outputs>(d, g, shape, rows, top, bottom, block, c, band.at + c);
                continue;
            }
        }
#endif
        run_block<D, Kernel, Stride, Outputs>(d, g, shape, rows, top, bottom, block, c, band.at + c, simd::Whole{});
    }
    if (c < end) run_block<D, Kernel, Stride, Outputs>(d, g, shape, rows, top, bottom, block, c, band.at + c, end - c);
}

/// Some neighbouring outputs of one block, any window: tap by tap. More than one lie so that all columns are in the image.
template <class D, int Pixels, class Some>
MOTE_ALWAYS_INLINE void run_taps(const D& d, const ConvGeometry& g, const Shape<D>& shape, const Band& band, const char* block,
                                 std::ptrdiff_t channel, std::ptrdiff_t x, std::ptrdiff_t at, Some some) noexcept {
    constexpr std::ptrdiff_t weight_bytes = D::rows * Shape<D>::weight_bytes;
    const std::ptrdiff_t column = x * g.stride_width - g.pad_left, kernel = g.kernel_width, dilation = g.dilation_width;
    std::ptrdiff_t begin = 0, end = kernel;  // the taps whose columns are in the image
    if (Pixels == 1) {
        begin = column < 0 ? least(ceil_div(-column, dilation), kernel) : 0;
        end = greatest(column < g.in_width ? least(ceil_div(g.in_width - column, dilation), kernel) : 0, begin);
    }
    typename D::Sum sum[Pixels];
    MOTE_UNROLL for (int p = 0; p < Pixels; ++p) sum[p] = D::first(block);
    const char* weight = block + D::head;
    // A row's taps, or padding: the distances from tap to tap and from output to output.
    struct Taps {
        const char* first;
        std::ptrdiff_t next, step;
    };
    const Taps padding = {d.padding_lanes(), 0, 0};
    const auto add = [&](const Taps& row, const Taps& second, std::ptrdiff_t count) __attribute__((always_inline)) {
        const char *at_row = row.first, *at_second = second.first;
        for (; count > 0; --count, weight += weight_bytes, at_row += row.next, at_second += second.next) {
            const auto w = D::weight(weight);
            MOTE_UNROLL for (int p = 0; p < Pixels; ++p) {
                const auto tap = D::tap(at_row + p * row.step, some);
                D::add(sum[p], tap, D::rows > 1 ? D::tap(at_second + p * second.step, some) : tap, w);
            }
        }
    };
    for (std::ptrdiff_t ky = 0; ky < g.kernel_height; ky += D::rows) {
        Taps row[] = {padding, padding};
        bool there = D::padding_counts;
        for (int i = 0; i < D::rows; ++i) {
            // A row of weights that is there only to make up a pair reads what the last one reads.
            const std::ptrdiff_t y = band.y + least(ky + i, g.kernel_height - 1) * g.dilation_height;
            if (y < 0 || y >= g.in_height) continue;
            there = true;
            row[i].first = band.image + y * shape.row_bytes + channel * shape.input_bytes +
                           (column + begin * dilation) * shape.pixel_bytes;
            row[i].next = dilation * shape.pixel_bytes;
            row[i].step = g.stride_width * shape.pixel_bytes;
        }
        if (!there) {
            weight += kernel * weight_bytes;
        } else if (D::padding_counts) {
            add(padding, padding, begin);
            add(row[0], row[1], end - begin);
            add(padding, padding, kernel - end);
        } else {
            weight += begin * weight_bytes;
            add(row[0], row[0], end - begin);
            weight += (kernel - end) * weight_bytes;
        }
    }
    MOTE_UNROLL for (int p = 0; p < Pixels; ++p) d.finish(sum[p], block, at + p * g.out_channels, some);
}

/// One row of one block.
template <class D, class Some>
MOTE_ALWAYS_INLINE void run_block_by_taps(const D& d, const ConvGeometry& g, const Shape<D>& shape, const Band& band,
                                          const char* block, std::ptrdiff_t channel, std::ptrdiff_t at, Some some) noexcept {
    constexpr std::ptrdiff_t pixels = 4;  // as many chains of additions
    const std::ptrdiff_t inner_end = g.in_width + g.pad_left - std::ptrdiff_t{g.kernel_width - 1} * g.dilation_width;
    for (std::ptrdiff_t x = 0; x < g.out_width;) {
        const std::ptrdiff_t place = at + x * g.out_channels;
        const std::ptrdiff_t last = x + pixels - 1;
        if (x * g.stride_width >= g.pad_left && last < g.out_width && last * g.stride_width < inner_end) {
            run_taps<D, pixels>(d, g, shape, band, block, channel, x, place, some);
            x += pixels;
        } else {
            run_taps<D, 1>(d, g, shape, band, block, channel, x, place, some);
            ++x;
        }
    }
}

template <class D>
void run_band_by_taps(const D& shared, const ConvGeometry& g, const Shape<D>& shape, const Band& band) noexcept {
    const D d = shared;
    const char* block = band.packed + band.blocks.begin * shape.block_bytes;
    std::ptrdiff_t c = band.blocks.begin * D::lanes;
    const std::ptrdiff_t end = least(band.blocks.end * D::lanes, g.out_channels);
    for (; c + D::lanes <= end; c += D::lanes, block += shape.block_bytes) {
        run_block_by_taps(d, g, shape, band, block, c, band.at + c, simd::Whole{});
    }
    if (c < end) run_block_by_taps(d, g, shape, band, block, c, band.at + c, end - c);
}

template <class D>
using BandFunction = void (*)(const D&, const ConvGeometry&, const Shape<D>&, const Band&) noexcept;

/// Of bands of `rows` rows of outputs, at most Outputs.
template <class D, int Kernel, int Stride, int Outputs = D::band_rows(Kernel)>
BandFunction<D> band_of(std::ptrdiff_t rows) noexcept {
    if constexpr (Outputs > 1) {
        if (rows < Outputs) return band_of<D, Kernel, Stride, Outputs - 1>(rows);
    }
    return run_band<D, Kernel, Stride, Outputs>;
}

template <class D>
BandFunction<D> band_function(const ConvGeometry& g, const Shape<D>& shape, std::ptrdiff_t rows) noexcept {
    const bool one = g.stride_width == 1;
    if (shape.kernel == 3) return one ? band_of<D, 3, 1>(rows) : band_of<D, 3, 2>(rows);
    if constexpr (!few_tiles) {
        if (shape.kernel == 5) return one ? band_of<D, 5, 1>(rows) : band_of<D, 5, 2>(rows);
        if (shape.kernel == 7) return one ? band_of<D, 7, 1>(rows) : band_of<D, 7, 2>(rows);
    }
    return run_band_by_taps<D>;
}

/// Input channels repeated as output channels: a row of the image.
template <class T>
void spread_row(const ConvGeometry& g, const T* row, T* to) noexcept {
    const std::ptrdiff_t width = std::ptrdiff_t{g.in_width} * g.in_channels, multiplier = g.out_channels / g.in_channels;
    for (std::ptrdiff_t i = 0; i < width; ++i) {
        for (std::ptrdiff_t k = 0; k < multiplier; ++k) *to++ = row[i];
    }
}

/// The part's bands and blocks of channels of an image, whose outputs begin at place `at`.
template <class D>
void run_image(const ConvGeometry& g, const typename D::Run& run, const typename D::Input* image, std::ptrdiff_t at,
               Part part) noexcept {
    using Input = typename D::Input;
    const Shape<D> shape = *static_cast<const Shape<D>*>(run.packed);
    const typename D::Residual add(run);
    const D d(run, add);
    const std::ptrdiff_t bands = ceil_div(g.out_height, shape.band_rows);
    const IndexRange units = share(bands * shape.blocks, part);
    const bool spreads = shape.spread_bytes > 0;
    Band band{spreads ? static_cast<const char*>(run.scratch) : reinterpret_cast<const char*>(image),
              0,
              0,
              static_cast<const char*>(run.packed) + shape.own_bytes(),
              {}};
    std::ptrdiff_t spread = 0;  // rows of the image before it need not be spread any more
    for (std::ptrdiff_t unit = units.begin; unit < units.end; unit += band.blocks.end - band.blocks.begin) {
        const std::ptrdiff_t index = unit / shape.blocks, y = g.out_height * index / bands;
        const std::ptrdiff_t height = g.out_height * (index + 1) / bands - y;
        band.blocks.begin = unit - index * shape.blocks;
        band.blocks.end = least(shape.blocks, band.blocks.begin + units.end - unit);
        band.y = y * g.stride_height - g.pad_top;
        band.at = at + y * shape.out_row;
        const std::ptrdiff_t end =
            band.y + (height - 1) * g.stride_height + std::ptrdiff_t{g.kernel_height - 1} * g.dilation_height + 1;
        spread = greatest(spread, band.y);
        for (; spreads && spread < least(end, g.in_height); ++spread) {
            spread_row(g, image + spread * g.in_width * g.in_channels,
                       reinterpret_cast<Input*>(static_cast<char*>(run.scratch) + spread * shape.row_bytes));
        }
        band_function(g, shape, height)(d, g, shape, band);
    }
}

/// Of any precision.
template <class D>
void run(const ConvGeometry& g, const typename D::Run& run, Part part) noexcept {
    const std::ptrdiff_t image = std::ptrdiff_t{g.in_height} * g.in_width * g.in_channels;
    const std::ptrdiff_t outputs = std::ptrdiff_t{g.out_height} * g.out_width * g.out_channels;
    for (std::ptrdiff_t n = 0; n < g.batch; ++n) run_image<D>(g, run, run.input + n * image, n * outputs, part);
}

}  // namespace depthwise

MOTE_END_KERNELS
