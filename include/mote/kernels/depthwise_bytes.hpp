// SPDX-License-Identifier: MIT
#pragma once
// Depthwise convolution of bytes where a dot product, or what stands in for it on NEON, takes four of them (contract and
// definition: kernels/depthwise.hpp).
//
// A row of outputs, [width, channels], is one line of numbers: tap kx of number i is number i + kx * channels of a row of the
// image. So vectors are full whatever the number of channels; their weights repeat after lcm(channels, 4 N) numbers (a phase is
// a vector's place there), or, where that makes few numbers more, after channels filled up to 4 N: a pixel's stride. Phase by
// phase, weights stay in the first cache. The four taps of a dot product are those of four rows of the window, and with stride
// 1 two rows of outputs share them: of a 3x3 window the upper row has weights w0 w1 w2 0, the lower one 0 w0 w1 w2. For 4 N
// numbers of both, of each column: 4 loads, 8 interleavings, 8 multiplications. With 32 registers two places of the line are
// computed together, so that weights are loaded once for both; where these are neighbouring pixels, a column of taps of the
// one is the next column of the other, and 4 columns do for 3 x 2. NEON has detail/neon/columns.hpp for windows of 3 columns.
//
// Rows of the image are copied once, padding beside them, into a ring of as many as a window needs; with stride s each becomes
// s rows, of pixels x, x + s, ... Packed, a phase: biases and multipliers in the order of the sums, then for each column, four
// rows and row of outputs four vectors of weights.

#include <mote/kernels/depthwise.hpp>
#include <mote/kernels/detail/neon/columns.hpp>
#include <mote/kernels/detail/tile.hpp>
#include <mote/kernels/elementwise_simd.hpp>
#include <mote/simd/byte_taps.hpp>

#if defined(MOTE_BYTE_TAPS)

MOTE_BEGIN_KERNELS

namespace depthwise_bytes {

using simd::lanes32;
using tiles::ceil_div;
using tiles::least;
using tiles::lines;
constexpr std::ptrdiff_t lanes = simd::lanes8;      // numbers of a vector
constexpr std::ptrdiff_t head_bytes = 8 * lanes;    // of a phase: biases and multipliers
constexpr std::ptrdiff_t group_bytes = 4 * lanes;   // weights of four rows in one column
constexpr bool two_places = simd::registers >= 32;  // 16 sums, 8 taps, a weight

/// What follows from a geometry; it stands before the packed phases.
struct Shape {
    explicit Shape(const ConvGeometry& g) noexcept
        : channels(g.out_channels),
          width(g.out_width * channels),
          rows(g.stride_height == 1 && g.dilation_height == 1 ? 2 : 1),
          groups(ceil_div(g.kernel_height + rows - 1, 4)),
          walks(walks_columns(g, rows)),
          filled(!walks && ceil_div(channels, lanes) * lanes - channels <= channels / 8),
          stride(filled ? ceil_div(channels, lanes) * lanes : channels),
          ring(std::ptrdiff_t{g.kernel_height - 1} * g.dilation_height + rows),
          pixels(g.out_width + std::ptrdiff_t{g.kernel_width - 1} * g.dilation_width / g.stride_width),
          part_bytes(lines(pixels * stride + lanes)),
          row_bytes(part_bytes * g.stride_width),
          phase_bytes(head_bytes + g.kernel_width * groups * rows * group_bytes) {
        std::ptrdiff_t common = lanes;  // gcd(stride, lanes), of a power of two
        while (stride % common != 0) common /= 2;
        phases = walks ? ceil_div(channels, lanes) : stride / common;
    }
    std::ptrdiff_t channels, width;  ///< numbers of a pixel, of a row of outputs
    std::ptrdiff_t rows;             ///< of outputs, computed together
    std::ptrdiff_t groups;           ///< of four rows of the image
    bool walks;                      ///< whether detail/neon/columns.hpp computes them, of a stride that is not filled up
    bool filled;                     ///< whether pixels of the ring are filled up
    std::ptrdiff_t stride;           ///< numbers from pixel to pixel of the ring
    std::ptrdiff_t phases;
    std::ptrdiff_t ring;                   ///< rows of the image under those of outputs
    std::ptrdiff_t pixels;                 ///< of a copied row's part
    std::ptrdiff_t part_bytes, row_bytes;  ///< of the pixels x, x + stride_width ...; of all
    std::ptrdiff_t phase_bytes;            ///< packed

    static constexpr std::ptrdiff_t own_bytes() noexcept { return lines(sizeof(Shape)); }
    // Scratch: the ring and a row of padding, rows of bytes before a residual is added, offsets of columns, rows of the window,
    // and of walks 64 bytes of taps for every pixel that a row of outputs reads.
    std::ptrdiff_t sum_bytes() const noexcept { return lines(width + lanes); }
    std::size_t scratch_bytes(const ConvGeometry& g) const noexcept {
        const std::ptrdiff_t taps = walks ? 64 * (std::ptrdiff_t{g.out_width} * g.stride_width + 2) : 0;
        return static_cast<std::size_t>((ring + 1) * row_bytes + rows * sum_bytes() + lines(g.kernel_width * 8) +
                                        lines(groups * 32) + taps);
    }
    /// Not where a third of a tile or more would be empty.
    static bool walks_columns([[maybe_unused]] const ConvGeometry& g, [[maybe_unused]] std::ptrdiff_t of_outputs) noexcept {
#if defined(MOTE_NEON)
        const std::ptrdiff_t numbers = lanes / of_outputs, tiles = ceil_div(g.out_channels, numbers);
        return g.kernel_width == 3 && g.kernel_height + of_outputs <= 5 && g.stride_width <= 2 && g.dilation_width == 1 &&
               g.out_channels >= 8 && 2 * tiles * numbers <= 3 * g.out_channels;
#else
        return false;
#endif
    }
};

/// What a row of vectors is computed with.
struct Line {
    const std::int8_t* const* row;  ///< [groups * 4] rows of the image
    const std::ptrdiff_t* offset;   ///< [kernel_width] from a number to its tap in a row
    std::ptrdiff_t kernel_width, groups;
    std::int8_t* taps;  ///< scratch of walks
};

/// Of `Rows` rows of outputs 4 N numbers from number `at` on, and from each further one of `Places`, `step` behind the one
/// before. Columns, Groups: 0 where they are not known. Shared: a place is a pixel behind the one before, whose taps it shares.
template <int Rows, int Columns, int Groups, int Places, bool Shared>
MOTE_ALWAYS_INLINE void run_vectors(const Line& line, const char* phase, std::ptrdiff_t at, std::ptrdiff_t step,
                                    const RequantizeLanes& requantize, simd::I8 (&result)[Places][Rows]) noexcept {
    using simd::I32;
    const auto* bias = reinterpret_cast<const std::int32_t*>(phase);
    const auto* multiplier = reinterpret_cast<const float*>(phase + head_bytes / 2);
    const auto* weight = reinterpret_cast<const std::int8_t*>(phase + head_bytes);
    I32 sum[Places][Rows][4];
    MOTE_UNROLL for (int p = 0; p < Places; ++p) {
        MOTE_UNROLL for (int r = 0; r < Rows; ++r) {
            MOTE_UNROLL for (int v = 0; v < 4; ++v) sum[p][r][v] = simd::load(bias + v * lanes32);
        }
    }
    simd::ByteTaps taps[Groups > 0 ? Groups : 1][Places];
    const auto column = [&](std::ptrdiff_t kx) __attribute__((always_inline)) {
        const std::ptrdiff_t from = at + line.offset[kx];
        const auto group = [&](std::ptrdiff_t g, simd::ByteTaps(&of)[Places]) __attribute__((always_inline)) {
            const std::int8_t* const* row = line.row + 4 * g;
            MOTE_UNROLL for (int p = 0; p < Places; ++p) {
                const std::ptrdiff_t i = from + p * step;
                of[p] = Shared && kx > 0 && p + 1 < Places ? of[p + 1]
                                                           : simd::byte_taps(row[0] + i, row[1] + i, row[2] + i, row[3] + i);
            }
            MOTE_UNROLL for (int r = 0; r < Rows; ++r) {
                simd::I8::register_type w[4];
                MOTE_UNROLL for (int v = 0; v < 4; ++v) {
                    if (v % simd::taps_together == 0) {
                        MOTE_UNROLL for (int k = v; k < v + simd::taps_together; ++k, weight += lanes) {
                            w[k] = simd::load(weight);
                            if (Places > 1) MOTE_OPAQUE_VECTOR(w[k]);  // else GCC loads it for every place
                        }
                    }
                    MOTE_UNROLL for (int p = 0; p < Places; ++p) {
                        sum[p][r][v] = simd::add_taps(sum[p][r][v], of[p].vector, w, v);
                    }
                }
            }
        };
        if constexpr (Groups > 0) {
            MOTE_UNROLL for (int g = 0; g < Groups; ++g) group(g, taps[g]);
        } else {
            for (std::ptrdiff_t g = 0; g < line.groups; ++g) group(g, taps[0]);
        }
    };
    if constexpr (Columns > 0) {
        MOTE_UNROLL for (int kx = 0; kx < Columns; ++kx) column(kx);
    } else {
        for (std::ptrdiff_t kx = 0; kx < line.kernel_width; ++kx) column(kx);
    }
    MOTE_UNROLL for (int p = 0; p < Places; ++p) {
        MOTE_UNROLL for (int r = 0; r < Rows; ++r) {
            const I32(&s)[4] = sum[p][r];
            result[p][r] = requantize({s[0], s[1]}, {s[2], s[3]}, simd::load(multiplier), simd::load(multiplier + lanes32),
                                      simd::load(multiplier + 2 * lanes32), simd::load(multiplier + 3 * lanes32));
        }
    }
}

/// Rows of `width` numbers at to[0], to[1], of which the first `there` are wanted.
template <int Rows, int Columns, int Groups, bool Shared>
void run_rows(const Line& shared_line, const Shape& shape, const char* phase, const RequantizeLanes& shared,
              std::int8_t* const* to, std::ptrdiff_t there) noexcept {
    const RequantizeLanes requantize = shared;  // copies, which no output overwrites, as the compiler sees
    const Line line = shared_line;
    const std::ptrdiff_t step = shape.phases * lanes;                      // of the ring
    const std::ptrdiff_t out_step = shape.filled ? shape.channels : step;  // of the output
    for (std::ptrdiff_t begin = 0; begin < step; begin += lanes, phase += shape.phase_bytes) {
        // What a vector has of this phase: all lanes, or those of a pixel's channels.
        const std::ptrdiff_t of_pixel = shape.filled ? least(shape.channels - begin, lanes) : lanes;
        std::int8_t* first = to[0];
        std::int8_t* second = there > 1 ? to[1] : first;
        const auto store = [&](std::ptrdiff_t out, const simd::I8(&result)[Rows], std::ptrdiff_t n)
            __attribute__((always_inline)) {
            if (n == lanes) {
                if (Rows > 1) simd::store(second + out, result[Rows - 1]);
                simd::store(first + out, result[0]);
            } else {
                if (Rows > 1) simd::store(second + out, result[Rows - 1], n);
                simd::store(first + out, result[0], n);
            }
        };
        std::ptrdiff_t at = begin, out = begin;
        if constexpr (Columns > 0 && two_places) {
            for (; out + out_step + of_pixel <= shape.width; at += 2 * step, out += 2 * out_step) {
                simd::I8 result[2][Rows];
                run_vectors<Rows, Columns, Groups, 2, Shared>(line, phase, at, step, requantize, result);
                store(out, result[0], of_pixel);
                store(out + out_step, result[1], of_pixel);
            }
        }
        for (; out < shape.width; at += step, out += out_step) {
            simd::I8 result[1][Rows];
            run_vectors<Rows, Columns, Groups, 1, false>(line, phase, at, step, requantize, result);
            store(out, result[0], least(shape.width - out, of_pixel));
        }
    }
}

using RowsFunction = void (*)(const Line&, const Shape&, const char*, const RequantizeLanes&, std::int8_t* const*,
                              std::ptrdiff_t) noexcept;

#if defined(MOTE_NEON)
template <int Rows, int Stride, bool Clamps>
void walk_rows(const Line& line, const Shape& shape, const char* phase, const RequantizeLanes& requantize,
               std::int8_t* const* to, std::ptrdiff_t there) noexcept {
    const Walk walk{
        line.row,  line.offset[0], line.offset[1],    shape.stride, shape.channels,       shape.width / shape.channels,
        line.taps, phase,          shape.phase_bytes, to[0],        to[there > 1 ? 1 : 0]};
    walk_row<Rows, Stride, Clamps>(walk, requantize);
}
#endif

template <int Rows>
RowsFunction rows_function(const ConvGeometry& g, const Shape& shape, [[maybe_unused]] bool clamps) noexcept {
#if defined(MOTE_NEON)
    if (shape.walks) {
        if (g.stride_width == 1) return clamps ? walk_rows<Rows, 1, true> : walk_rows<Rows, 1, false>;
        return clamps ? walk_rows<Rows, 2, true> : walk_rows<Rows, 2, false>;
    }
#endif
    if constexpr (two_places && Rows == 2) {
        if (shape.filled && g.stride_width == 1 && g.dilation_width == 1) {
            if (g.kernel_width == 3 && shape.groups == 1) return run_rows<Rows, 3, 1, true>;
            if (g.kernel_width == 5 && shape.groups == 2) return run_rows<Rows, 5, 2, true>;
        }
    }
    if (g.kernel_width == 3 && shape.groups == 1) return run_rows<Rows, 3, 1, false>;
    if (g.kernel_width == 5 && shape.groups == 2) return run_rows<Rows, 5, 2, false>;
    return run_rows<Rows, 0, 0, false>;
}

inline void fill(std::int8_t* to, std::ptrdiff_t n, std::int8_t value) noexcept {
    __builtin_memset(to, value, static_cast<std::size_t>(n));
}

/// Row y of an image as a row of the ring.
template <class Lazy = void>
void copy_row(const ConvGeometry& g, const Shape& shape, const std::int8_t* image, std::ptrdiff_t y, std::int8_t padding,
              std::int8_t* to) noexcept {
    const std::ptrdiff_t in = g.in_channels, multiplier = g.out_channels / in, stride = g.stride_width;
    for (std::ptrdiff_t part = 0; part < stride; ++part, to += shape.part_bytes) {
        const std::ptrdiff_t first = part - g.pad_left;  // the image's column of the part's first pixel
        const std::ptrdiff_t before = least(first < 0 ? ceil_div(-first, stride) : 0, shape.pixels);
        const std::ptrdiff_t column = first + before * stride;
        const std::ptrdiff_t inside =
            column < g.in_width ? least(ceil_div(g.in_width - column, stride), shape.pixels - before) : 0;
        std::int8_t* at = to + before * shape.stride;
        const std::int8_t* from = image + (y * g.in_width + column) * in;
        if (multiplier > 1) {
            for (std::ptrdiff_t i = 0; i < inside; ++i) {
                for (std::ptrdiff_t c = 0; c < shape.channels; ++c)
                    at[i * shape.stride + c] = simd::shifted(from[i * stride * in + c / multiplier]);
            }
        } else if (stride == 1 && shape.stride == in) {
            simd::copy_shifted(at, 0, from, 0, inside * in, 1);
        } else {
            simd::copy_shifted(at, shape.stride, from, stride * in, in, inside);
        }
        fill(to, before * shape.stride, padding);
        fill(at + inside * shape.stride, (shape.pixels - before - inside) * shape.stride, padding);
    }
}

}  // namespace depthwise_bytes

template <class Lazy = void>
std::size_t depthwise_i8_packed_bytes(const ConvGeometry& g) noexcept {
    const depthwise_bytes::Shape shape(g);
    return static_cast<std::size_t>(shape.own_bytes() + shape.phases * shape.phase_bytes);
}

template <class Lazy = void>
void depthwise_i8_pack(const ConvGeometry& g, const ConvConstantsI8& constants, void* packed) noexcept {
    using namespace depthwise_bytes;
    const Shape shape(g);
    const std::ptrdiff_t taps = std::ptrdiff_t{g.kernel_height} * g.kernel_width;
    ConvConstantsI8 shifted = constants;
    shifted.input_zero_point += simd::DotI8::offset;
    __builtin_memcpy(packed, &shape, sizeof shape);
    char* at = static_cast<char*>(packed) + shape.own_bytes();
    for (std::ptrdiff_t phase = 0; phase < shape.phases; ++phase, at += shape.phase_bytes) {
        auto* bias = reinterpret_cast<std::int32_t*>(at);
        auto* multiplier = reinterpret_cast<float*>(at + head_bytes / 2);
        auto* weight = reinterpret_cast<std::int8_t*>(at + head_bytes);
        for (std::ptrdiff_t i = 0; i < lanes; ++i) {
            const std::ptrdiff_t c = (phase * lanes + simd::byte_taps_element(i / lanes32, i % lanes32)) % shape.stride;
            const bool of_pixel = c < shape.channels;
            bias[i] = of_pixel ? folded_bias(shifted, c, taps) : 0;
            multiplier[i] = of_pixel ? constants.multiplier[c] : 0.0f;
            for (std::ptrdiff_t kx = 0; kx < g.kernel_width; ++kx) {
                for (std::ptrdiff_t group = 0; group < shape.groups; ++group) {
                    for (std::ptrdiff_t r = 0; r < shape.rows; ++r) {
                        auto* to = weight + ((kx * shape.groups + group) * shape.rows + r) * group_bytes;
                        for (std::ptrdiff_t t = 0; t < 4; ++t) {
                            const std::ptrdiff_t ky = group * 4 + t - r;
                            to[simd::tap_place(i / lanes32, i % lanes32, t)] =
                                of_pixel && ky >= 0 && ky < g.kernel_height
                                    ? constants.weight[c * taps + ky * g.kernel_width + kx]
                                    : std::int8_t{0};
                        }
                    }
                }
            }
        }
    }
}

template <class Lazy = void>
std::size_t depthwise_i8_scratch_bytes(const ConvGeometry& g) noexcept {
    return depthwise_bytes::Shape(g).scratch_bytes(g);
}

/// Or the part's rows of outputs.
template <class Lazy = void>
void depthwise_i8_run(const ConvGeometry& g, const ConvI8& run, Part part = {}) noexcept {
    using namespace depthwise_bytes;
    const Shape shape = *static_cast<const Shape*>(run.packed);
    auto* ring = static_cast<std::int8_t*>(run.scratch);
    std::int8_t* padding = ring + shape.ring * shape.row_bytes;
    std::int8_t* sums = padding + shape.row_bytes;
    auto* offset = reinterpret_cast<std::ptrdiff_t*>(sums + shape.rows * shape.sum_bytes());
    auto** row = reinterpret_cast<const std::int8_t**>(reinterpret_cast<char*>(offset) + lines(g.kernel_width * 8));
    const std::int8_t outside = simd::shifted(static_cast<std::int8_t>(run.input_zero_point));
    fill(padding, shape.row_bytes, outside);
    for (std::ptrdiff_t kx = 0; kx < g.kernel_width; ++kx) {
        const std::ptrdiff_t x = kx * g.dilation_width;
        offset[kx] = x % g.stride_width * shape.part_bytes + x / g.stride_width * shape.stride;
    }
    const RequantizeLanes requantize(run.requantize);
    const bool clamps = run.requantize.lo > -128 || run.requantize.hi < 127;
    const RowsFunction function = shape.rows == 2 ? rows_function<2>(g, shape, clamps) : rows_function<1>(g, shape, clamps);
    const Line line{row, offset, g.kernel_width, shape.groups, reinterpret_cast<std::int8_t*>(row) + lines(shape.groups * 32)};

    const IndexRange rows = share(std::ptrdiff_t{g.batch} * g.out_height, part);
    std::ptrdiff_t there = 0, next = 0;  // the image's row to be copied next
    for (std::ptrdiff_t first = rows.begin; first < rows.end; first += there) {
        const std::ptrdiff_t n = first / g.out_height, out_y = first % g.out_height;
        const std::int8_t* image = run.input + n * g.in_height * g.in_width * g.in_channels;
        const std::ptrdiff_t y = out_y * g.stride_height - g.pad_top;
        there = least(shape.rows, least(rows.end - first, g.out_height - out_y));
        if (out_y == 0 || next < y) next = y < 0 ? 0 : y;
        const std::ptrdiff_t end = least(y + shape.ring, g.in_height);
        for (; next < end; ++next) copy_row(g, shape, image, next, outside, ring + next % shape.ring * shape.row_bytes);
        for (std::ptrdiff_t i = 0; i < shape.groups * 4; ++i) {
            const std::ptrdiff_t of_image = y + i * g.dilation_height;
            const bool used = i < g.kernel_height + shape.rows - 1 && of_image >= 0 && of_image < g.in_height;
            row[i] = used ? ring + of_image % shape.ring * shape.row_bytes : padding;
        }
        std::int8_t* output = run.output + first * shape.width;
        std::int8_t* to[2] = {output, output + shape.width};
        if (run.residual != nullptr) to[0] = sums, to[1] = sums + shape.sum_bytes();
        function(line, shape, static_cast<const char*>(run.packed) + shape.own_bytes(), requantize, to, there);
        for (std::ptrdiff_t r = 0; run.residual != nullptr && r < there; ++r) {
            add_i8(static_cast<std::size_t>(shape.width), run.add, to[r], run.residual + (first + r) * shape.width,
                   output + r * shape.width);
        }
    }
}

MOTE_END_KERNELS

#endif
