// SPDX-License-Identifier: MIT
#pragma once
// Convolution in vectors: an implicit GEMM of output pixels and panels of output channels. The window of a pixel is a few runs
// of taps that lie side by side in the image (its rows, where channels of neighbouring pixels are neighbours), at offsets that
// all pixels share; so a tile reads its windows where they are. Where the image has padding, or its bytes are not what the
// instruction set multiplies, the rows of the image that some rows of pixels need are copied first, padding and all, each pixel
// once. Packed: for each group its panels (kernels/detail/tile.hpp).

#include <mote/kernels/conv2d.hpp>
#include <mote/kernels/detail/neon/strips.hpp>
#include <mote/kernels/detail/row.hpp>
#include <mote/kernels/detail/x86/matrix_tiles.hpp>

MOTE_BEGIN_KERNELS

namespace tiles {

/// What follows from a geometry: one multiplication a group, [pixels, steps] by [steps, channels]. It is found once, and
/// stands before the packed panels.
template <class D>
struct ConvShape {
    using Activation = typename D::Activation;
    /// Whether matrix tiles, where there are, multiply these.
    static constexpr bool in_tiles = std::is_same_v<D, simd::DotI8> || std::is_same_v<D, simd::DotBf16>;

    explicit ConvShape(ConvGeometry geometry) noexcept : g(geometry) {
        const bool side_by_side = g.kernel_height == 1 && g.kernel_width == 1 && g.stride_height == 1 && g.stride_width == 1 &&
                                  g.pad_top == 0 && g.pad_left == 0 && g.out_height == g.in_height && g.out_width == g.in_width;
        if (side_by_side) {  // one long row of pixels
            g.in_width = g.out_width = g.batch * g.out_height * g.out_width;
            g.batch = g.in_height = g.out_height = 1;
        }
        in = g.in_channels / g.groups;
        out = g.out_channels / g.groups;
        const bool dense = g.dilation_width == 1 && g.groups == 1;
        runs = pieces = dense ? g.kernel_height : std::ptrdiff_t{g.kernel_height} * g.kernel_width;
        run_taps = piece_taps = dense ? in * g.kernel_width : in;
        run_steps = ceil_div(run_taps, D::group);
        if constexpr (D::in_strips) {  // strips join pieces that are no multiple of what they are made of
            if (piece_taps % D::strip_taps != 0) {
                runs = 1;
                run_taps *= pieces;
                run_steps = ceil_div(run_taps, D::strip_taps) * (D::strip_taps / D::group);
            }
        }
        span_y = std::ptrdiff_t{g.kernel_height - 1} * g.dilation_height + 1;
        span_x = std::ptrdiff_t{g.kernel_width - 1} * g.dilation_width + 1;
        const bool padded =
            g.pad_top > 0 || g.pad_left > 0 || rows_of(g.out_height) > g.in_height || columns_of(g.out_width) > g.in_width;
        copied = D::converts || padded || (!D::in_strips && run_taps % D::group != 0);  // (a last step reads all of its group)
        // Blocks of whole rows of pixels, or of a part of one.
        const bool heavy = std::ptrdiff_t{g.groups} * Panels<D>{nullptr, out, steps()}.bytes() > (std::ptrdiff_t{1} << 20);
        const std::ptrdiff_t bytes_at_once = std::ptrdiff_t{heavy ? 512 : 192} << 10;  // beside a panel in the second cache
        const std::ptrdiff_t pixel_bytes = g.in_channels * static_cast<std::ptrdiff_t>(sizeof(Activation));
        std::ptrdiff_t pixels_at_once = copied ? 40 * tile_rows : rows_at_once(steps(), tile_rows, heavy);
        if constexpr (D::in_strips) pixels_at_once = rows_at_once(strips_bytes(2) / 8, D::strip_rows);
        block_rows = 1;
        block_columns = g.out_width;
        const auto fits = [&](std::ptrdiff_t rows, std::ptrdiff_t columns) {
            return rows * columns <= pixels_at_once &&
                   (!copied || rows_of(rows) * columns_of(columns) * pixel_bytes <= bytes_at_once);
        };
        while (block_rows < g.out_height && fits(block_rows + 1, block_columns)) ++block_rows;
        if (block_rows == 1 && !fits(1, block_columns)) {
            const std::ptrdiff_t by_bytes = bytes_at_once / (rows_of(1) * g.stride_width * pixel_bytes);
            const std::ptrdiff_t most = copied ? least(pixels_at_once, by_bytes) : pixels_at_once;
            block_columns = least(g.out_width, most < 4 * tile_rows ? 4 * tile_rows : most);
        }
        block_rows = ceil_div(g.out_height, ceil_div(g.out_height, block_rows));  // of one size, nearly
        block_columns = ceil_div(g.out_width, ceil_div(g.out_width, block_columns));
        if constexpr (D::in_strips) {  // of whole strips, but for the last
            if (block_rows == 1) block_columns = least(g.out_width, ceil_div(block_columns, D::strip_rows) * D::strip_rows);
        }
#if defined(MOTE_AMX)
        if constexpr (in_tiles) {
            if (block_columns >= 4 && simd::matrix_tiles_allowed()) {
                tile_taps = tiles::tile_taps(run_steps * D::group * activation_bytes<D>);
            }
        }
#endif
    }

    /// Rows and columns of the image, padding included, under so many of the output.
    std::ptrdiff_t rows_of(std::ptrdiff_t rows) const noexcept {
        return (rows - 1) * g.stride_height + span_y;
    }
    std::ptrdiff_t columns_of(std::ptrdiff_t columns) const noexcept {
        return (columns - 1) * g.stride_width + span_x;
    }
    std::ptrdiff_t steps() const noexcept {
        return runs * run_steps;
    }
    std::ptrdiff_t block_pixels() const noexcept {
        return block_rows * block_columns;
    }

    Panels<D> panels(const void* packed, std::ptrdiff_t group) const noexcept {
        Panels<D> result{static_cast<const char*>(packed) + own_bytes(), out, steps()};
        result.first += group * result.bytes();
        return result;
    }
    static constexpr std::ptrdiff_t own_bytes() noexcept {
        return lines(sizeof(ConvShape));
    }
    std::size_t packed_bytes() const noexcept {
        return static_cast<std::size_t>(own_bytes() + g.groups * Panels<D>{nullptr, out, steps()}.bytes());
    }

    // Scratch: sums, pointers to rows, offsets of pieces, strips and a strip's rows side by side, the copy.
    std::ptrdiff_t sums_bytes() const noexcept {
        const std::ptrdiff_t rows = block_pixels() + (D::in_strips ? 1 : 0);
        return tiles::sums_bytes(tile_taps > 0 && rows < 32 ? 32 : rows);
    }
    std::ptrdiff_t strips_bytes(std::ptrdiff_t pixels) const noexcept {
        if constexpr (D::in_strips) return D::strips_bytes(pixels, steps() * D::group);
        return 0;
    }
    std::ptrdiff_t line_bytes() const noexcept {
        if constexpr (D::in_strips) return piece_taps % D::strip_taps == 0 ? 0 : D::strip_rows * steps() * D::group;
        return 0;
    }
    std::ptrdiff_t pointers_bytes() const noexcept {
        return block_pixels() * 8;
    }
    std::ptrdiff_t offsets_bytes() const noexcept {
        return pieces * 8;
    }
    std::ptrdiff_t copy_bytes() const noexcept {
        return rows_of(block_rows) * columns_of(block_columns) * g.in_channels *
               static_cast<std::ptrdiff_t>(sizeof(Activation));
    }
    std::size_t scratch_bytes() const noexcept {
        return static_cast<std::size_t>(sums_bytes() + pointers_bytes() + offsets_bytes() + strips_bytes(block_pixels()) +
                                        line_bytes() + (copied ? copy_bytes() + 128 : 0));
    }

    ConvGeometry g;                            ///< the geometry, or one of the same numbers
    std::ptrdiff_t in, out;                    ///< channels of a group
    std::ptrdiff_t pieces, piece_taps;         ///< of a window that lie side by side in the image
    std::ptrdiff_t runs, run_taps, run_steps;  ///< of a panel
    std::ptrdiff_t span_y, span_x;             ///< of a window, in the image
    std::ptrdiff_t block_rows, block_columns;
    bool copied;
    std::ptrdiff_t tile_taps = 0;  ///< of a matrix tile (detail/x86/matrix_tiles.hpp); 0 where vectors multiply
    bool small = true;             ///< whether multipliers are below 1
};

/// Writes a group's weights, canonical [out, taps], as panels; heads stay free.
template <class D, class W>
void pack_panels(const ConvShape<D>& shape, const W* weight, char* packed) noexcept {
    const Panels<D> panels = shape.panels(packed, 0);
    const std::ptrdiff_t taps = shape.runs * shape.run_taps;
    for (std::ptrdiff_t p = 0; p < panels.count(); ++p) {
        const std::ptrdiff_t lanes = panels.vectors(p) * lanes32;
        auto* to =
            reinterpret_cast<typename D::Weight*>(packed + p * panels.stride() + lanes * Panels<D>::head_bytes_of_channel);
        for (std::ptrdiff_t run = 0; run < shape.runs; ++run) {
            for (std::ptrdiff_t step = 0; step < shape.run_steps; ++step, to += lanes * D::group) {
                for (std::ptrdiff_t c = 0; c < lanes; ++c) {
                    const std::ptrdiff_t channel = p * panels.most_channels + D::channel(c, lanes);
                    for (std::ptrdiff_t t = 0; t < D::group; ++t) {
                        const std::ptrdiff_t tap = step * D::group + t;
                        to[c / lanes32 * lanes32 * D::group + D::place(c % lanes32, t)] =
                            channel < shape.out && tap < shape.run_taps ? weight[channel * taps + run * shape.run_taps + tap]
                                                                        : W{0};
                    }
                }
            }
        }
    }
}

/// Copies `rows` rows of `columns` pixels from (y, x) on, which may lie in the padding.
template <class D>
void copy_image(const ConvGeometry& g, const typename D::Input* image, std::ptrdiff_t y, std::ptrdiff_t x, std::ptrdiff_t rows,
                std::ptrdiff_t columns, typename D::Activation padding, typename D::Activation* to) noexcept {
    const std::ptrdiff_t before = x >= 0 ? 0 : least(-x, columns);
    const std::ptrdiff_t room = g.in_width - x;
    const std::ptrdiff_t inside = room <= before ? before : least(room, columns);  // the end of what the image has
    for (; rows > 0; --rows, ++y) {
        const bool there = y >= 0 && y < g.in_height;
        const std::ptrdiff_t begin = there ? before : columns, end = there ? inside : columns;
        for (std::ptrdiff_t i = begin * g.in_channels; i > 0; --i) *to++ = padding;
        if (begin < end) {
            const std::ptrdiff_t count = (end - begin) * g.in_channels;
            D::convert(to, image + (y * g.in_width + x + begin) * g.in_channels, count);
            to += count;
        }
        for (std::ptrdiff_t i = (columns - end) * g.in_channels; i > 0; --i) *to++ = padding;
    }
}

/// What a last step reads behind a copy meets weights of 0; of floats it is to be no NaN.
template <class D>
MOTE_ALWAYS_INLINE void end_copy(typename D::Activation* end) noexcept {
    if constexpr (!std::is_integral_v<typename D::Lane>) {
        for (std::ptrdiff_t tap = 1; tap < D::group; ++tap) *end++ = {};
    }
}

#if defined(MOTE_AMX)
/// What finishes the sums of matrix tiles.
template <class D, class T>
FinishFloat<T> finish_in_tiles(const ConvShape<D>&, const ConvFloat<T>&, const FinishFloat<T>& finish) noexcept {
    return finish;
}
template <class D>
FinishTiles finish_in_tiles(const ConvShape<D>& shape, const ConvI8& run, const FinishI8& finish) noexcept {
    return {run.requantize, run.add, run.residual, run.output, finish.stride, finish.channels, shape.small};
}
#endif

/// The convolution of any precision, or the part of it.
template <class D, class Run, class Finish>
void run_convolution(const Run& run, typename D::Input padding, const Finish& finish, Part part) noexcept {
    using Activation = typename D::Activation;
    const ConvShape<D> shape = *static_cast<const ConvShape<D>*>(run.packed);
    const ConvGeometry& g = shape.g;
    char* scratch = static_cast<char*>(run.scratch);
    auto* sums = reinterpret_cast<typename D::Lane*>(scratch);
    auto** pointers = reinterpret_cast<const Activation**>(scratch + shape.sums_bytes());
    auto* offsets = reinterpret_cast<std::ptrdiff_t*>(scratch + shape.sums_bytes() + shape.pointers_bytes());
    auto* strips = reinterpret_cast<Activation*>(offsets + shape.pieces);
    auto* line = strips + shape.strips_bytes(shape.block_pixels()) / static_cast<std::ptrdiff_t>(sizeof(Activation));
    auto* copy = line + shape.line_bytes() / static_cast<std::ptrdiff_t>(sizeof(Activation));

    // A part is some rows of pixels, or some of a single row; where weights are more than pixels, some panels.
    const std::ptrdiff_t all_rows = std::ptrdiff_t{g.batch} * g.out_height;
    const Panels<D> some_panels = shape.panels(run.packed, 0);
    const bool by_panels = some_panels.count() >= 2 * part.count && shape.out > all_rows * g.out_width;
    const bool by_columns = !by_panels && all_rows == 1;
    const IndexRange panels = share(some_panels.count(), by_panels ? part : Part{});
    const IndexRange rows = share(all_rows, by_panels || by_columns ? Part{} : part);
    const IndexRange columns = share(g.out_width, by_columns ? part : Part{}, tile_rows);

    const std::ptrdiff_t copied_width = shape.columns_of(shape.block_columns);
    const std::ptrdiff_t width = shape.copied ? copied_width : g.in_width;
    for (std::ptrdiff_t i = 0; i < shape.pieces; ++i) {
        const bool row_by_row = shape.pieces == g.kernel_height;
        const std::ptrdiff_t ky = row_by_row ? i : i / g.kernel_width, kx = row_by_row ? 0 : i % g.kernel_width;
        offsets[i] = (ky * g.dilation_height * width + kx * g.dilation_width) * g.in_channels;
    }
    if constexpr (!D::in_strips) {
        if (all_rows * g.out_width == 1 && g.groups == 1 && run.residual == nullptr) {
            const Activation* pixel = copy;
            if (shape.copied) {
                copy_image<D>(g, run.input, -g.pad_top, -g.pad_left, shape.rows_of(1), width, D::convert(padding), copy);
                end_copy<D>(copy + shape.rows_of(1) * width * g.in_channels);
            } else if constexpr (!D::converts) {
                pixel = run.input;
            }
            return multiply_row<D>(pixel, {offsets, shape.runs, shape.run_steps}, some_panels, panels, sums, finish);
        }
    }
    std::ptrdiff_t taken = 0;
    for (std::ptrdiff_t row = rows.begin; row < rows.end; row += taken) {
        const std::ptrdiff_t n = row / g.out_height, y = row % g.out_height;
        taken = least(shape.block_rows, least(g.out_height - y, rows.end - row));
        const auto* image = run.input + n * g.in_height * g.in_width * g.in_channels;
        for (std::ptrdiff_t x = columns.begin; x < columns.end; x += shape.block_columns) {
            const std::ptrdiff_t across = least(shape.block_columns, columns.end - x);
            const std::ptrdiff_t in_y = y * g.stride_height - g.pad_top, in_x = x * g.stride_width - g.pad_left;
            const Activation* first = copy;
            if (shape.copied) {
                const std::ptrdiff_t in_rows = shape.rows_of(taken);
                copy_image<D>(g, image, in_y, in_x, in_rows, copied_width, D::convert(padding), copy);
                end_copy<D>(copy + in_rows * copied_width * g.in_channels);
            } else if constexpr (!D::converts) {
                first = image + (in_y * g.in_width + in_x) * g.in_channels;
            }
#if defined(MOTE_AMX)
            if constexpr (ConvShape<D>::in_tiles) {
                if (shape.tile_taps > 0) {
                    const TilePixels pixels{taken, g.stride_height * width * g.in_channels, across,
                                            std::ptrdiff_t{g.stride_width} * g.in_channels};
                    for (std::ptrdiff_t group = 0; group < g.groups; ++group, first += shape.in) {
                        auto of_group = finish_in_tiles(shape, run, finish);
                        of_group.move(group * shape.out, shape.out);
                        multiply_in_tiles(first, pixels, {offsets, shape.runs, shape.run_steps}, shape.tile_taps,
                                          shape.panels(run.packed, group), panels, sums, of_group, row * g.out_width + x);
                    }
                    continue;
                }
            }
#endif
            const Activation** pointer = pointers;
            for (std::ptrdiff_t i = 0; i < taken; ++i) {
                const Activation* at = first + i * g.stride_height * width * g.in_channels;
                for (std::ptrdiff_t j = 0; j < across; ++j, at += std::ptrdiff_t{g.stride_width} * g.in_channels)
                    *pointer++ = at;
            }
            for (std::ptrdiff_t group = 0; group < g.groups; ++group) {
                if (group > 0) {
                    for (std::ptrdiff_t i = 0; i < taken * across; ++i) pointers[i] += shape.in;
                }
                Finish of_group = finish;
                of_group.move(group * shape.out, shape.out);
                if constexpr (D::in_strips) {
                    multiply_strips(pointers, taken * across, {offsets, shape.pieces, shape.piece_taps},
                                    shape.panels(run.packed, group), panels, sums, strips, line, of_group,
                                    row * g.out_width + x);
                } else {
                    multiply<D>(pointers, taken * across, {offsets, shape.runs, shape.run_steps},
                                shape.panels(run.packed, group), panels, sums, of_group, row * g.out_width + x);
                }
            }
        }
    }
}

}  // namespace tiles

// Of f32 sums: D is simd::DotF32, DotBf16 or DotF16.

template <class D = simd::DotF32>
std::size_t conv2d_f32_packed_bytes(const ConvGeometry& g) noexcept {
    return tiles::ConvShape<D>(g).packed_bytes();
}

template <class D = simd::DotF32>
void conv2d_f32_pack(const ConvGeometry& g, const ConvConstantsFloat<typename D::Input>& constants, void* packed) noexcept {
    const tiles::ConvShape<D> shape(g);
    __builtin_memcpy(packed, &shape, sizeof shape);
    for (std::ptrdiff_t group = 0; group < g.groups; ++group) {
        const auto panels = shape.panels(packed, group);
        char* to = static_cast<char*>(packed) + shape.own_bytes() + group * panels.bytes();
        tiles::pack_panels(shape, constants.weight + group * shape.out * shape.runs * shape.run_taps, to);
        for (std::ptrdiff_t p = 0; p < panels.count(); ++p, to += panels.stride()) {
            float* bias = reinterpret_cast<float*>(to);
            for (std::ptrdiff_t c = 0; c < panels.vectors(p) * simd::lanes32; ++c) {
                const std::ptrdiff_t channel = p * tiles::panel_channels + c;
                bias[c] = constants.bias != nullptr && channel < shape.out ? constants.bias[group * shape.out + channel] : 0.0f;
            }
        }
    }
}

template <class D = simd::DotF32>
std::size_t conv2d_f32_scratch_bytes(const ConvGeometry& g) noexcept {
    return tiles::ConvShape<D>(g).scratch_bytes();
}

/// See ConvKernels::cycles: nineteen twentieths of what two units multiply.
template <class Lazy = void>
double conv2d_f32_cycles(const ConvGeometry& g) noexcept {
    const tiles::ConvShape<simd::DotF32> shape(g);
    const double pixels = static_cast<double>(g.batch) * g.out_height * g.out_width;
    const double products = pixels * static_cast<double>(shape.steps()) * g.out_channels / (1.9 * simd::lanes32);
    const double reading = tiles::reading_cycles(static_cast<double>(shape.packed_bytes()));
    return products > reading ? products : reading;
}

template <class D = simd::DotF32>
void conv2d_f32_run(const ConvGeometry& g, const ConvFloat<typename D::Input>& run, Part part = {}) noexcept {
    using Input = typename D::Input;
    const tiles::FinishFloat<Input> finish{
        run.lo,        run.hi, run.residual_lo, run.residual_hi, run.residual, run.output, tiles::output_stride(g, run),
        g.out_channels};
    tiles::run_convolution<D>(run, Input{}, finish, part);
}

template <class Lazy = void>
std::size_t conv2d_i8_packed_bytes(const ConvGeometry& g) noexcept {
    return tiles::ConvShape<simd::DotI8>(g).packed_bytes();
}

template <class Lazy = void>
void conv2d_i8_pack(const ConvGeometry& g, const ConvConstantsI8& constants, void* packed) noexcept {
    tiles::ConvShape<simd::DotI8> shape(g);
    for (std::int32_t c = 0; c < g.out_channels; ++c) shape.small = shape.small && constants.multiplier[c] < 1.0f;
    const std::ptrdiff_t taps = shape.runs * shape.run_taps;
    ConvConstantsI8 shifted = constants;
    if (shape.tile_taps == 0) shifted.input_zero_point += simd::DotI8::offset;
    __builtin_memcpy(packed, &shape, sizeof shape);
    for (std::ptrdiff_t group = 0; group < g.groups; ++group) {
        const auto panels = shape.panels(packed, group);
        char* to = static_cast<char*>(packed) + shape.own_bytes() + group * panels.bytes();
        tiles::pack_panels(shape, constants.weight + group * shape.out * taps, to);
        for (std::ptrdiff_t p = 0; p < panels.count(); ++p, to += panels.stride()) {
            const std::ptrdiff_t lanes = panels.vectors(p) * simd::lanes32;
            constexpr std::ptrdiff_t copies = simd::DotI8::head_bytes / 8;
            std::int32_t* bias = reinterpret_cast<std::int32_t*>(to);
            float* multiplier = reinterpret_cast<float*>(bias + lanes * copies);
            for (std::ptrdiff_t c = 0; c < lanes * copies; ++c) {
                bias[c] = 0;
                multiplier[c] = 0.0f;
                const std::ptrdiff_t of_group = p * panels.most_channels + simd::DotI8::head_channel(c, lanes);
                if (of_group >= shape.out) continue;
                const std::ptrdiff_t channel = group * shape.out + of_group;
                bias[c] = folded_bias(shifted, channel, taps);
                multiplier[c] = constants.multiplier[channel];
            }
        }
    }
}

template <class Lazy = void>
std::size_t conv2d_i8_scratch_bytes(const ConvGeometry& g) noexcept {
    return tiles::ConvShape<simd::DotI8>(g).scratch_bytes();
}

template <class Lazy = void>
void conv2d_i8_run(const ConvGeometry& g, const ConvI8& run, Part part = {}) noexcept {
#if defined(MOTE_NEON)
    const tiles::FinishStrips finish(run.requantize, run.add, run.residual, run.output, tiles::output_stride(g, run),
                                     g.out_channels);
#else
    const tiles::FinishI8 finish{RequantizeLanes(run.requantize), run.add,       run.residual, run.output,
                                 tiles::output_stride(g, run),    g.out_channels};
#endif
    tiles::run_convolution<simd::DotI8>(run, static_cast<std::int8_t>(run.input_zero_point), finish, part);
}

MOTE_END_KERNELS
