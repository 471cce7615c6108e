// SPDX-License-Identifier: MIT
#pragma once
// Depthwise convolution, vectorised over channels (contract and definition: kernels/depthwise.hpp).
//
// A tile is a few neighbouring output pixels of a row and one vector of channels. Row by row of the window it reads each pixel
// under it once and multiplies it by all weights that meet it: of a 3x3 window of stride 1 and 7 outputs 9 loads for 21
// multiplications, so that these are the limit. Of bytes two rows of the window are taken together, whose taps stand in pairs.
// A table holds the offset of every pixel under the tile; in the middle of the image all tiles share one, near an edge it is
// made anew, and leads to padding where the image ends. Where out_channels > in_channels, the rows that are read are spread to
// out_channels first. Packed: for each block of channels the bias, int8 the multipliers (both in split order there), then the
// weights row by row. Bytes have kernels/depthwise_bytes.hpp instead where their dot product takes four.

#include <mote/kernels/depthwise.hpp>
#include <mote/kernels/depthwise_bytes.hpp>
#include <mote/kernels/detail/tile.hpp>

MOTE_BEGIN_KERNELS

namespace depthwise {

using simd::lanes32;

struct F32 {
    using Input = float;
    using Run = ConvF32;
    using Weight = float;
    using Sum = simd::F32;
    static constexpr std::ptrdiff_t lanes = lanes32;     ///< channels of a block
    static constexpr std::ptrdiff_t head = lanes32 * 4;  ///< bytes of a block before its weights
    static constexpr std::int32_t rows = 1;              ///< of the window, taken together
    static constexpr int pixels = 7;                     ///< of a tile: 7 sums, 3 or 5 weights and a tap fit 16 registers

    struct Residual {
        explicit Residual(const ConvF32&) noexcept {}
    };
    F32(const ConvF32& run, const Residual&)
    noexcept
        : lo_(run.lo),
          hi_(run.hi),
          residual_lo_(run.residual_lo),
          residual_hi_(run.residual_hi),
          residual_(run.residual),
          output_(run.output) {}
    static MOTE_ALWAYS_INLINE Sum first(const char* block) noexcept {
        return simd::load(reinterpret_cast<const float*>(block));
    }
    static MOTE_ALWAYS_INLINE simd::F32 weight(const char* p) noexcept { return simd::load(reinterpret_cast<const float*>(p)); }
    template <class Some>
    static MOTE_ALWAYS_INLINE simd::F32 tap(const char* base, const std::ptrdiff_t* offsets, std::ptrdiff_t,
                                            Some some) noexcept {
        std::ptrdiff_t offset = *offsets;
        MOTE_OPAQUE(offset);  // else GCC adds it to the base
        simd::F32::register_type x = simd::load(reinterpret_cast<const float*>(base + offset), some);
        MOTE_OPAQUE_VECTOR(x);  // else GCC loads it again for every multiplication
        return x;
    }
    static MOTE_ALWAYS_INLINE void add(Sum& sum, simd::F32 x, simd::F32 w) noexcept { sum = simd::fma(w, x, sum); }
    template <class Some>
    MOTE_ALWAYS_INLINE void finish(Sum sum, const char*, std::ptrdiff_t at, Some some) const noexcept {
        simd::F32 y = simd::clamp(sum, lo_, hi_);
        if (residual_ != nullptr) y = simd::clamp(y + simd::load(residual_ + at, some), residual_lo_, residual_hi_);
        simd::store(output_ + at, y, some);
    }
    float padding() const noexcept { return 0.0f; }

  private:
    simd::F32 lo_, hi_, residual_lo_, residual_hi_;
    const float* residual_;
    float* output_;
};

#if !defined(MOTE_BYTE_TAPS)
struct I8 {
    using Input = std::int8_t;
    using Run = ConvI8;
    using Weight = std::int16_t;
    using Sum = simd::I32x2;
    static constexpr std::ptrdiff_t lanes = simd::lanes16;
    static constexpr std::ptrdiff_t head = lanes * 8;
    static constexpr std::int32_t rows = 2;
    static constexpr int pixels = 4;  ///< 8 sums, two vectors of taps and what a multiplication needs

    /// What most layers do without.
    struct Residual {
        explicit Residual(const ConvI8& run) noexcept : lanes(run.add), wide_lanes(run.add), wide(run.add.wide) {}
        AddLanes lanes;
        AddWideLanes wide_lanes;
        bool wide;
    };
    I8(const ConvI8& run, const Residual& add)
    noexcept
        : requantize_(run.requantize),
          add_(add),
          padding_(static_cast<std::int8_t>(run.input_zero_point)),
          residual_(run.residual),
          output_(run.output) {}
    static MOTE_ALWAYS_INLINE Sum first(const char* block) noexcept {
        const auto* bias = reinterpret_cast<const std::int32_t*>(block);
        return {simd::load(bias), simd::load(bias + lanes32)};
    }
    static MOTE_ALWAYS_INLINE simd::WeightPair weight(const char* p) noexcept {
        return simd::load_pair(reinterpret_cast<const std::int16_t*>(p));
    }
    /// Of two rows: the second's offset stands `next` entries behind the first's.
    template <class Some>
    static MOTE_ALWAYS_INLINE simd::TapPair tap(const char* base, const std::ptrdiff_t* offsets, std::ptrdiff_t next,
                                                Some some) noexcept {
        return simd::pair_taps(simd::load_bytes(reinterpret_cast<const std::int8_t*>(base + *offsets), some),
                               simd::load_bytes(reinterpret_cast<const std::int8_t*>(base + offsets[next]), some));
    }
    static MOTE_ALWAYS_INLINE void add(Sum& sum, const simd::TapPair& x, const simd::WeightPair& w) noexcept {
        simd::add_products(sum, x, w);
    }
    template <class Some>
    MOTE_ALWAYS_INLINE void finish(const Sum& sum, const char* block, std::ptrdiff_t at, Some some) const noexcept {
        const float* multiplier = reinterpret_cast<const float*>(block) + lanes;
        simd::I16 q = requantize_(sum, simd::load(multiplier), simd::load(multiplier + lanes32));
        if (residual_ != nullptr) {
            const simd::I16 other = simd::load_bytes(residual_ + at, some);
            q = add_.wide ? add_.wide_lanes(q, other) : add_.lanes(q, other);
        }
        simd::store_bytes(output_ + at, q, some);
    }
    std::int8_t padding() const noexcept { return padding_; }

  private:
    RequantizeLanes requantize_;
    const Residual& add_;
    std::int8_t padding_;
    const std::int8_t* residual_;
    std::int8_t* output_;
};
#endif

/// Whether windows of width 5 have a tile of their own.
#if defined(MOTE_FEW_TILES)
constexpr bool has_tile_5 = false;
#else
constexpr bool has_tile_5 = true;
#endif

/// What follows from a geometry.
template <class D>
struct Shape {
    explicit Shape(const ConvGeometry& g) noexcept
        : kernel_rows(tiles::ceil_div(g.kernel_height, D::rows) * D::rows),
          blocks(tiles::ceil_div(g.out_channels, D::lanes)),
          one_by_one(
              !(g.dilation_width == 1 && (g.kernel_width == 3 || (has_tile_5 && g.kernel_width == 5)) && g.stride_width <= 2)),
          columns(one_by_one ? std::ptrdiff_t{g.kernel_width} * D::pixels
                             : std::ptrdiff_t{D::pixels - 1} * g.stride_width + g.kernel_width),
          tiles(tiles::ceil_div(g.out_width, D::pixels)),
          reach_y(std::ptrdiff_t{g.kernel_height - 1} * g.dilation_height),
          reach_x(std::ptrdiff_t{D::pixels - 1} * g.stride_width + std::ptrdiff_t{g.kernel_width - 1} * g.dilation_width) {}
    std::ptrdiff_t kernel_rows;  ///< of the window, with rows of weights 0
    std::ptrdiff_t blocks;
    bool one_by_one;                  ///< whether a table has an entry for each pixel and tap, instead of one a column
    std::ptrdiff_t columns;           ///< of a table
    std::ptrdiff_t tiles;             ///< of a row of outputs
    std::ptrdiff_t reach_y, reach_x;  ///< from a tile's first tap to its last, in the image

    std::ptrdiff_t block_bytes(const ConvGeometry& g) const noexcept {
        return D::head + kernel_rows * g.kernel_width * D::lanes * static_cast<std::ptrdiff_t>(sizeof(typename D::Weight));
    }
    std::size_t packed_bytes(const ConvGeometry& g) const noexcept { return static_cast<std::size_t>(blocks * block_bytes(g)); }
    // Scratch: two tables, the columns of all tiles, a pixel of padding, the image spread.
    std::ptrdiff_t table_bytes() const noexcept { return tiles::lines(kernel_rows * columns * 8); }
    std::ptrdiff_t columns_bytes() const noexcept { return tiles::lines(tiles * columns * 8); }
    static std::ptrdiff_t pixel_bytes(const ConvGeometry& g) noexcept {
        return g.out_channels * static_cast<std::ptrdiff_t>(sizeof(typename D::Input));
    }
    std::size_t scratch_bytes(const ConvGeometry& g) const noexcept {
        const std::ptrdiff_t spread =
            g.out_channels == g.in_channels ? 0 : std::ptrdiff_t{g.in_height} * g.in_width * pixel_bytes(g);
        return static_cast<std::size_t>(2 * table_bytes() + columns_bytes() + tiles::lines(pixel_bytes(g)) + spread);
    }
};

/// What a tile is called with.
struct Tile {
    const char* base;             ///< the offsets begin here
    const std::ptrdiff_t* table;  ///< [kernel_rows, columns]: offsets of taps in bytes
    std::ptrdiff_t columns, kernel_rows, kernel_width;
    std::ptrdiff_t count;     ///< of outputs that are there
    std::ptrdiff_t channels;  ///< from output pixel to output pixel
};

/// Outputs from `at` on in one block of channels, the first of which is `channel`. Kernel 0: any width, stride, dilation.
template <class D, int Kernel, int Stride, class Some>
MOTE_ALWAYS_INLINE void run_tile(const D& d, const Tile& tile, const char* block, std::ptrdiff_t channel, std::ptrdiff_t at,
                                 Some some) noexcept {
    constexpr int pixels = D::pixels;
    constexpr std::ptrdiff_t weight_bytes = D::lanes * D::rows * static_cast<std::ptrdiff_t>(sizeof(typename D::Weight));
    const char* base = tile.base + channel * static_cast<std::ptrdiff_t>(sizeof(typename D::Input));
    MOTE_OPAQUE(base);  // one register: else GCC adds its parts again for every tap
    const std::ptrdiff_t* table = tile.table;
    typename D::Sum sum[pixels];
    MOTE_UNROLL for (int p = 0; p < pixels; ++p) sum[p] = D::first(block);
    const char* weight = block + D::head;
    for (std::ptrdiff_t row = 0; row < tile.kernel_rows; row += D::rows, table += D::rows * tile.columns) {
        if constexpr (Kernel == 0) {
            for (std::ptrdiff_t kx = 0; kx < tile.kernel_width; ++kx, weight += weight_bytes) {
                const auto w = D::weight(weight);
                MOTE_UNROLL for (int p = 0; p < pixels; ++p) {
                    D::add(sum[p], D::tap(base, table + kx * pixels + p, tile.columns, some), w);
                }
            }
        } else {
            decltype(D::weight(weight)) w[Kernel];
            MOTE_UNROLL for (int kx = 0; kx < Kernel; ++kx) w[kx] = D::weight(weight + kx * weight_bytes);
            weight += Kernel * weight_bytes;
            MOTE_UNROLL for (int i = 0; i < (pixels - 1) * Stride + Kernel; ++i) {
                const auto tap = D::tap(base, table + i, tile.columns, some);
                MOTE_UNROLL for (int kx = 0; kx < Kernel; ++kx) {
                    if (i >= kx && (i - kx) % Stride == 0 && (i - kx) / Stride < pixels)
                        D::add(sum[(i - kx) / Stride], tap, w[kx]);
                }
            }
        }
    }
    if (tile.count == pixels) {
        MOTE_UNROLL for (int p = 0; p < pixels; ++p) d.finish(sum[p], block, at + p * tile.channels, some);
    } else {
        MOTE_UNROLL for (int p = 0; p + 1 < pixels; ++p) {
            if (p < tile.count) d.finish(sum[p], block, at + p * tile.channels, some);
        }
    }
}

/// The tile in blocks begin <= b < end of channels.
template <class D, int Kernel, int Stride>
void run_blocks(const D& shared, const Tile& shared_tile, const char* block, std::ptrdiff_t block_bytes, IndexRange blocks,
                std::ptrdiff_t at) noexcept {
    const D d = shared;  // copies, which no output overwrites, as the compiler sees
    const Tile tile = shared_tile;
    std::ptrdiff_t c = blocks.begin * D::lanes;
    const std::ptrdiff_t end = tiles::least(blocks.end * D::lanes, tile.channels);
    for (; c + D::lanes <= end; c += D::lanes, block += block_bytes) {
        run_tile<D, Kernel, Stride>(d, tile, block, c, at + c, simd::Whole{});
    }
    if (c < end) run_tile<D, Kernel, Stride>(d, tile, block, c, at + c, end - c);
}

template <class D>
using BlocksFunction = void (*)(const D&, const Tile&, const char*, std::ptrdiff_t, IndexRange, std::ptrdiff_t) noexcept;

template <class D>
BlocksFunction<D> blocks_function(const ConvGeometry& g, const Shape<D>& shape) noexcept {
    if (shape.one_by_one) return run_blocks<D, 0, 0>;
    if constexpr (has_tile_5) {
        if (g.kernel_width == 5) return g.stride_width == 1 ? run_blocks<D, 5, 1> : run_blocks<D, 5, 2>;
    }
    return g.stride_width == 1 ? run_blocks<D, 3, 1> : run_blocks<D, 3, 2>;
}

/// The columns of the image under each tile of a row, in bytes from a row's beginning; -1 where there is none.
template <class D>
void find_columns(const ConvGeometry& g, const Shape<D>& shape, std::ptrdiff_t* column) noexcept {
    for (std::ptrdiff_t x = -g.pad_left, tile = 0; tile < shape.tiles;
         ++tile, x += D::pixels * std::ptrdiff_t{g.stride_width}) {
        for (std::ptrdiff_t i = 0; i < shape.columns; ++i) {
            const std::ptrdiff_t at =
                x + (shape.one_by_one ? i % D::pixels * g.stride_width + i / D::pixels * g.dilation_width : i);
            *column++ = at >= 0 && at < g.in_width ? at * shape.pixel_bytes(g) : -1;
        }
    }
}

/// The offset in bytes of each tap of a tile from an image's first pixel: of the rows from y on, at these columns. `padding` is
/// the offset of a pixel of padding.
template <class D>
void fill_table(const ConvGeometry& g, const Shape<D>& shape, std::ptrdiff_t y, const std::ptrdiff_t* column,
                std::ptrdiff_t padding, std::ptrdiff_t* table) noexcept {
    const std::ptrdiff_t row_bytes = g.in_width * shape.pixel_bytes(g);
    for (std::ptrdiff_t row = 0; row < shape.kernel_rows; ++row, table += shape.columns) {
        // A row of weights that is there only to make up a pair reads what the last one reads.
        const std::ptrdiff_t at = y + (row < g.kernel_height ? row : g.kernel_height - 1) * g.dilation_height;
        const bool there = at >= 0 && at < g.in_height;
        for (std::ptrdiff_t i = 0; i < shape.columns; ++i) {
            table[i] = there && column[i] >= 0 ? at * row_bytes + column[i] : padding;
        }
    }
}

/// Input channels repeated as output channels: rows begin <= y < end of an image.
template <class T>
void spread_rows(const ConvGeometry& g, const T* image, IndexRange rows, T* to) noexcept {
    const std::ptrdiff_t width = std::ptrdiff_t{g.in_width} * g.in_channels, multiplier = g.out_channels / g.in_channels;
    to += rows.begin * width * multiplier;
    for (std::ptrdiff_t i = rows.begin * width; i < rows.end * width; ++i) {
        for (std::ptrdiff_t k = 0; k < multiplier; ++k) *to++ = image[i];
    }
}

/// Of both precisions: the part's rows of outputs, or its blocks of channels.
template <class D>
void run(const ConvGeometry& g, const typename D::Run& run, Part part) noexcept {
    using Input = typename D::Input;
    const Shape<D> shape(g);
    const typename D::Residual add(run);
    const D d(run, add);
    char* scratch = static_cast<char*>(run.scratch);
    auto* inner = reinterpret_cast<std::ptrdiff_t*>(scratch);
    auto* edge = reinterpret_cast<std::ptrdiff_t*>(scratch + shape.table_bytes());
    auto* columns = reinterpret_cast<std::ptrdiff_t*>(scratch + 2 * shape.table_bytes());
    Input* padding = reinterpret_cast<Input*>(scratch + 2 * shape.table_bytes() + shape.columns_bytes());
    Input* spread = padding + tiles::lines(shape.pixel_bytes(g)) / static_cast<std::ptrdiff_t>(sizeof(Input));
    for (std::ptrdiff_t c = 0; c < g.out_channels; ++c) padding[c] = d.padding();
    find_columns(g, shape, columns);
    bool has_inner = false;

    const bool by_blocks = shape.blocks >= 4 * part.count && std::ptrdiff_t{g.batch} * g.out_height < 16 * part.count;
    const IndexRange rows = share(std::ptrdiff_t{g.batch} * g.out_height, by_blocks ? Part{} : part);
    const IndexRange blocks = share(shape.blocks, by_blocks ? part : Part{});
    const BlocksFunction<D> function = blocks_function(g, shape);
    const std::ptrdiff_t block_bytes = shape.block_bytes(g);
    const char* packed = static_cast<const char*>(run.packed) + blocks.begin * block_bytes;
    Tile tile{nullptr, nullptr, shape.columns, shape.kernel_rows, g.kernel_width, 0, g.out_channels};
    for (std::ptrdiff_t first = rows.begin, last; first < rows.end; first = last) {  // rows of one image
        const std::ptrdiff_t n = first / g.out_height;
        last = tiles::least((n + 1) * g.out_height, rows.end);
        const Input* image = run.input + n * g.in_height * g.in_width * g.in_channels;
        if (g.out_channels != g.in_channels) {
            const std::ptrdiff_t top = (first - n * g.out_height) * g.stride_height - g.pad_top;
            const std::ptrdiff_t end = (last - 1 - n * g.out_height) * g.stride_height - g.pad_top + shape.reach_y + 1;
            spread_rows(g, image, {top < 0 ? 0 : top, tiles::least(end, g.in_height)}, spread);
            image = spread;
        }
        const char* base = reinterpret_cast<const char*>(image);
        const auto to_padding =
            static_cast<std::ptrdiff_t>(reinterpret_cast<std::uintptr_t>(padding) - reinterpret_cast<std::uintptr_t>(image));
        for (std::ptrdiff_t row = first; row < last; ++row) {
            const std::ptrdiff_t y = (row - n * g.out_height) * g.stride_height - g.pad_top;
            const bool rows_inside = y >= 0 && y + shape.reach_y < g.in_height;
            for (std::ptrdiff_t i = 0; i < shape.tiles; ++i) {
                const std::ptrdiff_t x = i * D::pixels * g.stride_width - g.pad_left;
                const std::ptrdiff_t* column = columns + i * shape.columns;
                if (rows_inside && x >= 0 && x + shape.reach_x < g.in_width) {
                    if (!has_inner) {  // relative to the tile's first tap, for all of them
                        fill_table(g, shape, y, column, 0, inner);
                        const std::ptrdiff_t corner = inner[0];
                        for (std::ptrdiff_t k = 0; k < shape.kernel_rows * shape.columns; ++k) inner[k] -= corner;
                        has_inner = true;
                    }
                    tile.table = inner;
                    tile.base = base + (y * g.in_width + x) * shape.pixel_bytes(g);
                } else {
                    fill_table(g, shape, y, column, to_padding, edge);
                    tile.table = edge;
                    tile.base = base;
                }
                tile.count = tiles::least(D::pixels, g.out_width - i * D::pixels);
                function(d, tile, packed, block_bytes, blocks, (row * g.out_width + i * D::pixels) * g.out_channels);
            }
        }
    }
}

}  // namespace depthwise

template <class Lazy = void>
std::size_t depthwise_f32_packed_bytes(const ConvGeometry& g) noexcept {
    return depthwise::Shape<depthwise::F32>(g).packed_bytes(g);
}

template <class Lazy = void>
void depthwise_f32_pack(const ConvGeometry& g, const ConvConstantsF32& constants, void* packed) noexcept {
    float* to = static_cast<float*>(packed);
    const std::ptrdiff_t taps = std::ptrdiff_t{g.kernel_height} * g.kernel_width;
    for (std::ptrdiff_t first = 0; first < g.out_channels; first += depthwise::F32::lanes) {
        for (std::ptrdiff_t tap = -1; tap < taps; ++tap) {  // -1: the bias
            for (std::ptrdiff_t c = first; c < first + depthwise::F32::lanes; ++c, ++to) {
                if (c >= g.out_channels) {
                    *to = 0.0f;
                } else if (tap < 0) {
                    *to = constants.bias != nullptr ? constants.bias[c] : 0.0f;
                } else {
                    *to = constants.weight[c * taps + tap];
                }
            }
        }
    }
}

template <class Lazy = void>
std::size_t depthwise_f32_scratch_bytes(const ConvGeometry& g) noexcept {
    return depthwise::Shape<depthwise::F32>(g).scratch_bytes(g);
}

template <class Lazy = void>
void depthwise_f32_run(const ConvGeometry& g, const ConvF32& run, Part part = {}) noexcept {
    depthwise::run<depthwise::F32>(g, run, part);
}

#if !defined(MOTE_BYTE_TAPS)
template <class Lazy = void>
std::size_t depthwise_i8_packed_bytes(const ConvGeometry& g) noexcept {
    return depthwise::Shape<depthwise::I8>(g).packed_bytes(g);
}

template <class Lazy = void>
void depthwise_i8_pack(const ConvGeometry& g, const ConvConstantsI8& constants, void* packed) noexcept {
    constexpr std::ptrdiff_t lanes = depthwise::I8::lanes;
    const depthwise::Shape<depthwise::I8> shape(g);
    const std::ptrdiff_t taps = std::ptrdiff_t{g.kernel_height} * g.kernel_width;
    char* at = static_cast<char*>(packed);
    for (std::ptrdiff_t first = 0; first < g.out_channels; first += lanes, at += shape.block_bytes(g)) {
        std::int32_t* bias = reinterpret_cast<std::int32_t*>(at);
        float* multiplier = reinterpret_cast<float*>(bias + lanes);
        std::int16_t* weight = reinterpret_cast<std::int16_t*>(at + depthwise::I8::head);
        for (std::ptrdiff_t i = 0; i < lanes; ++i) {
            const std::ptrdiff_t c = first + simd::split_channel(i / simd::lanes32, i % simd::lanes32);
            bias[i] = c < g.out_channels ? folded_bias(constants, c, taps) : 0;
            multiplier[i] = c < g.out_channels ? constants.multiplier[c] : 0.0f;
        }
        for (std::ptrdiff_t row = 0; row < shape.kernel_rows; ++row) {
            for (std::ptrdiff_t kx = 0; kx < g.kernel_width; ++kx) {
                for (std::ptrdiff_t i = 0; i < lanes; ++i) {
                    const bool there = row < g.kernel_height && first + i < g.out_channels;
                    weight[(row / 2 * g.kernel_width + kx) * 2 * lanes + simd::pair_place(i, row % 2)] =
                        there ? std::int16_t{constants.weight[(first + i) * taps + row * g.kernel_width + kx]}
                              : std::int16_t{0};
                }
            }
        }
    }
}

template <class Lazy = void>
std::size_t depthwise_i8_scratch_bytes(const ConvGeometry& g) noexcept {
    return depthwise::Shape<depthwise::I8>(g).scratch_bytes(g);
}

template <class Lazy = void>
void depthwise_i8_run(const ConvGeometry& g, const ConvI8& run, Part part = {}) noexcept {
    depthwise::run<depthwise::I8>(g, run, part);
}
#endif

MOTE_END_KERNELS
