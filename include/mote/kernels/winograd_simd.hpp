// SPDX-License-Identifier: MIT
#pragma once
// 3x3 f32 convolution of stride 1 by Winograd's minimal filtering F(4x4, 3x3) and F(2x2, 3x3) (Lavin and Gray 2015, "Fast
// algorithms for convolutional neural networks", section 4): tiles of (m + 2)^2 pixels and the filters are transformed, their
// products summed over the input channels in (m + 2)^2 matrix products, and the sums transformed back to m^2 outputs. m = 4
// takes 36 multiplications for 144, but filters of 4 times the size; m = 2 takes 16 for 36, and filters of 16 / 9. Contract:
// that of kernels/conv2d.hpp, of whole vectors of channels; the results differ from the definition's by rounding, some 1e-6 (m
// = 2) and 1e-5 (m = 4) of the largest output.
//
// Some tiles at a time, so that their transforms stay in the second cache: V [places, tiles, in], then M [places, tiles, out].
// Packed: for each place the panels of [in, out] (kernels/detail/tile.hpp), then the bias [out].

#include <mote/kernels/detail/tile.hpp>
#include <mote/kernels/window.hpp>

#include <limits>

MOTE_BEGIN_KERNELS

namespace winograd {

using simd::F32;
using simd::lanes32;
/// What follows from a geometry and m, the outputs of a tile along an axis.
template <int m>
struct Shape {
    static constexpr std::ptrdiff_t places = (m + 2) * (m + 2);

    explicit Shape(const ConvGeometry& g) noexcept
        : tiles_y(tiles::ceil_div(g.out_height, m)),
          tiles_x(tiles::ceil_div(g.out_width, m)),
          all(g.batch * tiles_y * tiles_x),
          in(g.in_channels),
          out(g.out_channels) {
        constexpr std::ptrdiff_t bytes_at_once = std::ptrdiff_t{384} << 10;
        std::ptrdiff_t most = bytes_at_once / (places * 4 * (in + out));
        most = most < 4 * tiles::tile_rows ? 4 * tiles::tile_rows : most;
        at_once = tiles::ceil_div(all, tiles::ceil_div(all, most));
    }
    std::ptrdiff_t tiles_y, tiles_x, all;  ///< tiles of an image, and of the batch
    std::ptrdiff_t in, out;
    std::ptrdiff_t at_once;  ///< tiles

    tiles::Panels<simd::DotF32> panels(const void* packed, std::ptrdiff_t place) const noexcept {
        tiles::Panels<simd::DotF32> result{static_cast<const char*>(packed), out, in};
        result.first += place * result.bytes();
        return result;
    }
    std::ptrdiff_t products_bytes() const noexcept { return places * panels(nullptr, 0).bytes(); }
    std::size_t packed_bytes() const noexcept { return static_cast<std::size_t>(products_bytes() + out * 4); }
    // Floats from place to place of V and M: not a multiple of 4 KiB, whose lines would share few places in the cache.
    std::ptrdiff_t plane(std::ptrdiff_t channels) const noexcept {
        const std::ptrdiff_t floats = (at_once * channels + 15) / 16 * 16;
        return floats % 1024 == 0 ? floats + 16 : floats;
    }
    // Scratch: sums, pointers to rows, a pixel of zeros, V, M.
    std::ptrdiff_t sums_bytes() const noexcept { return tiles::sums_bytes(at_once); }
    std::ptrdiff_t pointers_bytes() const noexcept { return tiles::lines(at_once * 8); }
    std::ptrdiff_t zeros_bytes() const noexcept { return tiles::lines(in * 4); }
    std::size_t scratch_bytes() const noexcept {
        return static_cast<std::size_t>(sums_bytes() + pointers_bytes() + zeros_bytes() +
                                        places * 4 * (plane(in) + plane(out)));
    }
};

// One dimension of the transforms, in place, for the points 0, 1, -1 (2, -2) and infinity.

/// B^T d.
MOTE_ALWAYS_INLINE void transform_input(F32 (&d)[4]) noexcept {
    const F32 a = d[1] + d[2], b = d[2] - d[1];
    d[0] = d[0] - d[2];
    d[3] = d[1] - d[3];
    d[1] = a;
    d[2] = b;
}
MOTE_ALWAYS_INLINE void transform_input(F32 (&d)[6]) noexcept {
    const F32 two(2.0f), four(4.0f), minus_four(-4.0f), minus_five(-5.0f);
    const F32 a = simd::fma(d[2], minus_four, d[4]), b = simd::fma(d[1], minus_four, d[3]);
    const F32 c = d[4] - d[2], e = two * (d[3] - d[1]);
    const F32 first = simd::fma(d[0], four, simd::fma(d[2], minus_five, d[4]));
    const F32 last = simd::fma(d[1], four, simd::fma(d[3], minus_five, d[5]));
    d[0] = first;
    d[1] = a + b;
    d[2] = a - b;
    d[3] = c + e;
    d[4] = c - e;
    d[5] = last;
}

/// A^T m: the first 2 or 4 values.
MOTE_ALWAYS_INLINE void transform_output(F32 (&m)[4]) noexcept {
    m[0] = m[0] + m[1] + m[2];
    m[1] = m[1] - m[2] - m[3];
}
MOTE_ALWAYS_INLINE void transform_output(F32 (&m)[6]) noexcept {
    const F32 s = m[1] + m[2], d = m[1] - m[2], u = m[3] + m[4], v = m[3] - m[4];
    m[0] = m[0] + s + u;
    m[1] = simd::fma(v, F32(2.0f), d);
    m[2] = simd::fma(u, F32(4.0f), s);
    m[3] = simd::fma(v, F32(8.0f), d) + m[5];
}

constexpr double filter_matrix_2[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
constexpr double filter_matrix_4[6][3] = {{1.0 / 4, 0, 0},
                                          {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                          {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                          {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                          {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                          {0, 0, 1}};

/// u = G g G^T of a 3x3 filter.
template <int m>
void transform_filter(const double (&g)[3][3], double (&u)[m + 2][m + 2]) noexcept {
    const auto& matrix = [&]() -> const double(&)[m + 2][3] {
        if constexpr (m == 2) {
            return filter_matrix_2;
        } else {
            return filter_matrix_4;
        }
    }();
    for (int i = 0; i < m + 2; ++i) {
        double row[3] = {};
        for (int k = 0; k < 3; ++k) row[k] = matrix[i][0] * g[0][k] + matrix[i][1] * g[1][k] + matrix[i][2] * g[2][k];
        for (int j = 0; j < m + 2; ++j) u[i][j] = matrix[j][0] * row[0] + matrix[j][1] * row[1] + matrix[j][2] * row[2];
    }
}

/// V of one tile: its pixels at `pixel`, the first place at `to`, `plane` floats from place to place.
template <int m>
void transform_tile(const float* const (&pixel)[(m + 2) * (m + 2)], std::ptrdiff_t channels, float* to,
                    std::ptrdiff_t plane) noexcept {
    constexpr int n = m + 2;
    for (std::ptrdiff_t c = 0; c < channels; c += lanes32) {
        alignas(64) float rows[n * n * lanes32];
        for (int y = 0; y < n; ++y) {
            F32 d[n];
            MOTE_UNROLL for (int x = 0; x < n; ++x) d[x] = simd::load(pixel[n * y + x] + c);
            transform_input(d);
            MOTE_UNROLL for (int x = 0; x < n; ++x) simd::store(rows + (n * y + x) * lanes32, d[x]);
        }
        for (int x = 0; x < n; ++x) {
            F32 d[n];
            MOTE_UNROLL for (int y = 0; y < n; ++y) d[y] = simd::load(rows + (n * y + x) * lanes32);
            transform_input(d);
            MOTE_UNROLL for (int y = 0; y < n; ++y) simd::store(to + (n * y + x) * plane + c, d[y]);
        }
    }
}

/// The outputs of one tile, `rows` x `columns` of which are there, of M's places at `from`; channels begin <= c < end.
template <int m>
void finish_tile(const float* from, std::ptrdiff_t plane, const float* bias, const tiles::FinishF32& finish,
                 IndexRange channels, std::ptrdiff_t pixel, std::ptrdiff_t width, std::ptrdiff_t rows,
                 std::ptrdiff_t columns) noexcept {
    constexpr int n = m + 2;
    const F32 lo(finish.lo), hi(finish.hi), residual_lo(finish.residual_lo), residual_hi(finish.residual_hi);
    const float* residual = finish.residual;
    float* output = finish.output;
    for (std::ptrdiff_t c = channels.begin; c < channels.end; c += lanes32) {
        alignas(64) float sums[m * n * lanes32];
        for (int x = 0; x < n; ++x) {
            F32 v[n];
            MOTE_UNROLL for (int y = 0; y < n; ++y) v[y] = simd::load(from + (n * y + x) * plane + c);
            transform_output(v);
            MOTE_UNROLL for (int y = 0; y < m; ++y) simd::store(sums + (n * y + x) * lanes32, v[y]);
        }
        const F32 b = simd::load(bias + c);
        for (std::ptrdiff_t y = 0; y < rows; ++y) {
            F32 v[n];
            MOTE_UNROLL for (int x = 0; x < n; ++x) v[x] = simd::load(sums + (n * y + x) * lanes32);
            transform_output(v);
            MOTE_UNROLL for (int x = 0; x < m; ++x) {
                if (x >= columns) break;
                const std::ptrdiff_t at = (pixel + y * width + x) * finish.stride + c;
                F32 out = simd::clamp(v[x] + b, lo, hi);
                if (residual != nullptr) out = simd::clamp(out + simd::load(residual + at), residual_lo, residual_hi);
                simd::store(output + at, out);
            }
        }
    }
}

}  // namespace winograd

/// Cycles that a run will take about, of one thread; the largest double where the kernel does not do. (Here: of the matrix
/// products at nine tenths of the multiplications that two units do; or of reading the filters from behind the second cache, 5
/// bytes a cycle; and of the transforms, an operation a cycle and unit.)
template <int m>
double winograd_f32_cycles(const ConvGeometry& g) noexcept {
    constexpr double lanes = static_cast<double>(simd::lanes32);
    if (g.kernel_height != 3 || g.kernel_width != 3 || g.stride_height != 1 || g.stride_width != 1 || g.dilation_height != 1 ||
        g.dilation_width != 1 || g.groups != 1 || g.in_channels % simd::lanes32 != 0 || g.out_channels % simd::lanes32 != 0) {
        constexpr double never = std::numeric_limits<double>::max();
        return never;
    }
    const winograd::Shape<m> shape(g);
    const auto all = static_cast<double>(shape.all), in = static_cast<double>(shape.in), out = static_cast<double>(shape.out);
    const double products = static_cast<double>(shape.places) * all * in * out / (1.8 * lanes);
    const double reading = tiles::reading_cycles(static_cast<double>(shape.places) * in * out * 4);
    const double transforms = static_cast<double>(shape.places) * all * (5 * in + 4 * out) / lanes;
    return (products > reading ? products : reading) + transforms;
}

template <int m>
std::size_t winograd_f32_packed_bytes(const ConvGeometry& g) noexcept {
    return winograd::Shape<m>(g).packed_bytes();
}

template <int m>
void winograd_f32_pack(const ConvGeometry& g, const ConvConstantsF32& constants, void* packed) noexcept {
    const winograd::Shape<m> shape(g);
    char* base = static_cast<char*>(packed);
    const auto panels = shape.panels(packed, 0);
    for (std::ptrdiff_t p = 0; p < panels.count(); ++p) {
        const std::ptrdiff_t lanes = panels.vectors(p) * simd::lanes32;
        for (std::ptrdiff_t c = 0; c < lanes; ++c) {
            const std::ptrdiff_t channel = p * tiles::panel_channels + c;
            for (std::ptrdiff_t i = 0; i < shape.in; ++i) {
                double filter[3][3] = {}, u[m + 2][m + 2] = {};
                if (channel < shape.out) {
                    const float* w = constants.weight + channel * 9 * shape.in + i;
                    for (int k = 0; k < 9; ++k) filter[k / 3][k % 3] = static_cast<double>(w[k * shape.in]);
                    winograd::transform_filter<m>(filter, u);
                }
                for (std::ptrdiff_t place = 0; place < shape.places; ++place) {
                    auto* to = reinterpret_cast<float*>(base + place * panels.bytes() + p * panels.stride());
                    to[lanes + i * lanes + c] = static_cast<float>(u[place / (m + 2)][place % (m + 2)]);  // the head stays free
                }
            }
        }
    }
    float* bias = reinterpret_cast<float*>(base + shape.products_bytes());
    for (std::ptrdiff_t c = 0; c < shape.out; ++c) bias[c] = constants.bias != nullptr ? constants.bias[c] : 0.0f;
}

template <int m>
std::size_t winograd_f32_scratch_bytes(const ConvGeometry& g) noexcept {
    return winograd::Shape<m>(g).scratch_bytes();
}

template <int m>
void winograd_f32_run(const ConvGeometry& g, const ConvF32& run, Part part) noexcept {
    using namespace winograd;
    constexpr std::ptrdiff_t n = m + 2;
    const Shape<m> shape(g);
    char* scratch = static_cast<char*>(run.scratch);
    auto* sums = reinterpret_cast<float*>(scratch);
    auto** rows = reinterpret_cast<const float**>(scratch + shape.sums_bytes());
    auto* zeros = reinterpret_cast<float*>(scratch + shape.sums_bytes() + shape.pointers_bytes());
    float* v = reinterpret_cast<float*>(reinterpret_cast<char*>(zeros) + shape.zeros_bytes());
    const std::ptrdiff_t v_plane = shape.plane(shape.in), m_plane = shape.plane(shape.out);
    float* products = v + shape.places * v_plane;
    for (std::ptrdiff_t c = 0; c < shape.in; ++c) zeros[c] = 0.0f;
    const float* bias = reinterpret_cast<const float*>(static_cast<const char*>(run.packed) + shape.products_bytes());
    const tiles::FinishF32 finish{
        run.lo,        run.hi, run.residual_lo, run.residual_hi, run.residual, run.output, tiles::output_stride(g, run),
        g.out_channels};
    const std::ptrdiff_t count = shape.panels(nullptr, 0).count();
    // A part is some tiles; of few tiles some panels, and every part transforms the image for itself.
    const bool by_panels = shape.all <= 2 * part.count * shape.at_once && count >= 2 * part.count;
    const IndexRange all = share(shape.all, by_panels ? Part{} : part);
    const IndexRange panels = share(count, by_panels ? part : Part{});
    const IndexRange channels{panels.begin * tiles::panel_channels,
                              tiles::least(panels.end * tiles::panel_channels, shape.out)};
    const std::ptrdiff_t offset = 0;
    for (std::ptrdiff_t first = all.begin; first < all.end; first += shape.at_once) {
        const std::ptrdiff_t taken = tiles::least(shape.at_once, all.end - first);
        for (std::ptrdiff_t t = 0; t < taken; ++t) {
            const std::ptrdiff_t tile = first + t, image = tile / (shape.tiles_y * shape.tiles_x);
            const std::ptrdiff_t y = tile / shape.tiles_x % shape.tiles_y * m - g.pad_top;
            const std::ptrdiff_t x = tile % shape.tiles_x * m - g.pad_left;
            const float* from = run.input + image * g.in_height * g.in_width * shape.in;
            const float* pixel[n * n];
            for (std::ptrdiff_t i = 0; i < n * n; ++i) {
                const std::ptrdiff_t in_y = y + i / n, in_x = x + i % n;
                const bool inside = in_y >= 0 && in_y < g.in_height && in_x >= 0 && in_x < g.in_width;
                pixel[i] = inside ? from + (in_y * g.in_width + in_x) * shape.in : zeros;
            }
            transform_tile<m>(pixel, shape.in, v + t * shape.in, v_plane);
        }
        for (std::ptrdiff_t place = 0; place < shape.places; ++place) {
            for (std::ptrdiff_t t = 0; t < taken; ++t) rows[t] = v + place * v_plane + t * shape.in;
            tiles::multiply<simd::DotF32>(rows, taken, {&offset, 1, shape.in}, shape.panels(run.packed, place), panels, sums,
                                          tiles::FinishGemm{products + place * m_plane, shape.out, shape.out, false}, 0);
        }
        for (std::ptrdiff_t t = 0; t < taken; ++t) {
            const std::ptrdiff_t tile = first + t, image = tile / (shape.tiles_y * shape.tiles_x);
            const std::ptrdiff_t y = tile / shape.tiles_x % shape.tiles_y * m, x = tile % shape.tiles_x * m;
            finish_tile<m>(products + t * shape.out, m_plane, bias, finish, channels,
                           (image * g.out_height + y) * g.out_width + x, g.out_width, tiles::least(m, g.out_height - y),
                           tiles::least(m, g.out_width - x));
        }
    }
}

MOTE_END_KERNELS
