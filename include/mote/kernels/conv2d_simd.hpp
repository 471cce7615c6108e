// SPDX-License-Identifier: MIT
#pragma once
// Convolution in vectors: an implicit GEMM. The windows of some output pixels are gathered as rows (of a 1x1 window in f32 they
// are the image itself), and multiplied by panels of output channels; requantization, clamp and residual follow on the sums
// while they are in the cache. Packed: for each group, for each panel: bias, multiplier (int8), weights.

#include <mote/kernels/conv2d.hpp>
#include <mote/kernels/detail/tile.hpp>
#include <mote/kernels/requantize_simd.hpp>

MOTE_BEGIN_KERNELS

namespace tiles {

/// What follows from a geometry: one multiplication a group, [pixels, steps] by [steps, panels].
template <class D>
struct ConvShape {
    explicit ConvShape(const ConvGeometry& g) noexcept
        : in(g.in_channels / g.groups),
          out(g.out_channels / g.groups),
          taps(weight_row(g)),
          pixels(std::ptrdiff_t{g.batch} * g.out_height * g.out_width),
          steps(ceil_div(taps, D::group)),
          panels(ceil_div(out, panel_channels)),
          row_stride(row_steps(steps) * D::group),
          rows(least(pixels, rows_at_once(steps))) {}
    std::ptrdiff_t in, out;        ///< channels of a group
    std::ptrdiff_t taps;           ///< of an output pixel and channel
    std::ptrdiff_t pixels;         ///< of the output's batch
    std::ptrdiff_t steps, panels;  ///< of a group
    std::ptrdiff_t row_stride;     ///< of gathered rows, in activations
    std::ptrdiff_t rows;           ///< pixels that are taken at once
    static constexpr bool bytes = sizeof(typename D::Input) == 1;
    static constexpr std::ptrdiff_t head_bytes = panel_channels * (bytes ? 8 : 4);

    std::ptrdiff_t panel_bytes() const noexcept { return head_bytes + steps * panel_channels * 4; }
    std::size_t sums_bytes() const noexcept { return static_cast<std::size_t>((rows < 4 ? 4 : rows) * panel_channels * 4); }
    std::size_t scratch_bytes(bool gathered) const noexcept {
        return sums_bytes() +
               (gathered ? static_cast<std::size_t>(rows * row_stride) * sizeof(typename D::Activation) + 64 : 0);
    }
};

/// True where a window is one pixel and windows lie side by side: rows of the image itself.
template <class Lazy = void>
bool windows_are_pixels(const ConvGeometry& g) noexcept {
    return g.kernel_height == 1 && g.kernel_width == 1 && g.stride_height == 1 && g.stride_width == 1 && g.pad_top == 0 &&
           g.pad_left == 0 && g.out_height == g.in_height && g.out_width == g.in_width;
}

/// Writes the weights of a group, canonical [out, taps], as panels; `head_bytes` before each panel stay free.
template <class D, class W>
void pack_panels(const ConvShape<D>& shape, const W* weight, char* packed) noexcept {
    for (std::ptrdiff_t p = 0; p < shape.panels; ++p, packed += shape.panel_bytes()) {
        auto* to = reinterpret_cast<typename D::Weight*>(packed + shape.head_bytes);
        for (std::ptrdiff_t step = 0; step < shape.steps; ++step) {
            for (std::ptrdiff_t c = 0; c < panel_channels; ++c) {
                const std::ptrdiff_t channel = p * panel_channels + D::channel(c);
                for (std::ptrdiff_t t = 0; t < D::group; ++t) {
                    const std::ptrdiff_t tap = step * D::group + t;
                    to[c / lanes32 * lanes32 * D::group + D::place(c % lanes32, t)] =
                        channel < shape.out && tap < shape.taps ? weight[channel * shape.taps + tap] : W{0};
                }
            }
            to += panel_channels * D::group;
        }
    }
}

/// Gathers the windows of output pixels first ... first + count of one group, beginning with channel `channel`.
template <class D>
void gather_windows(const ConvGeometry& g, const ConvShape<D>& shape, const typename D::Input* input, std::ptrdiff_t channel,
                    typename D::Input padding, std::ptrdiff_t first, std::ptrdiff_t count,
                    typename D::Activation* row) noexcept {
    using Activation = typename D::Activation;
    const Activation pad = D::convert(padding);
    std::ptrdiff_t x = first % g.out_width;
    std::ptrdiff_t y = first / g.out_width % g.out_height;
    std::ptrdiff_t n = first / g.out_width / g.out_height;
    // Where channels of neighbouring taps lie side by side, they are copied together.
    const bool dense = g.dilation_width == 1 && g.groups == 1;
    for (; count > 0; --count, row += shape.row_stride) {
        const std::int32_t top = static_cast<std::int32_t>(y) * g.stride_height - g.pad_top;
        const std::int32_t left = static_cast<std::int32_t>(x) * g.stride_width - g.pad_left;
        const TapRange across = taps_inside(left, g.dilation_width, g.kernel_width, g.in_width);
        Activation* to = row;
        for (std::int32_t ky = 0; ky < g.kernel_height; ++ky) {
            const std::int32_t in_y = top + ky * g.dilation_height;
            const bool inside = in_y >= 0 && in_y < g.in_height;
            const std::ptrdiff_t begin = inside ? across.begin : g.kernel_width;
            const std::ptrdiff_t end = inside ? across.end : g.kernel_width;
            for (std::ptrdiff_t i = begin * shape.in; i > 0; --i) *to++ = pad;
            if (begin < end) {
                const auto* from =
                    input + ((n * g.in_height + in_y) * g.in_width + left + begin * g.dilation_width) * g.in_channels + channel;
                const std::ptrdiff_t run = dense ? (end - begin) * shape.in : shape.in;
                for (std::ptrdiff_t tap = begin; tap < end; tap += dense ? end - begin : 1, to += run) {
                    D::convert(to, from, run);
                    from += std::ptrdiff_t{g.dilation_width} * g.in_channels;
                }
            }
            for (std::ptrdiff_t i = (g.kernel_width - end) * shape.in; i > 0; --i) *to++ = pad;
        }
        while (to < row + shape.steps * D::group) *to++ = Activation{0};
        if (++x == g.out_width) {
            x = 0;
            if (++y == g.out_height) {
                y = 0;
                ++n;
            }
        }
    }
}

/// The convolution of both precisions: finish(pixel, first channel, channels, the panel's head, sums) makes outputs of sums.
template <class D, class Run, class Finish>
MOTE_ALWAYS_INLINE void run_convolution(const ConvGeometry& g, const Run& run, bool gathered, typename D::Input padding,
                                        const Finish& finish) noexcept {
    const ConvShape<D> shape(g);
    auto* sums = static_cast<typename D::Lane*>(run.scratch);
    auto* rows = reinterpret_cast<typename D::Activation*>(static_cast<char*>(run.scratch) + shape.sums_bytes());
    for (std::ptrdiff_t group = 0; group < g.groups; ++group) {
        const char* packed = static_cast<const char*>(run.packed) + group * shape.panels * shape.panel_bytes();
        const Panels<D> panels{reinterpret_cast<const typename D::Weight*>(packed + shape.head_bytes),
                               shape.panel_bytes() / static_cast<std::ptrdiff_t>(sizeof(typename D::Weight)), shape.panels,
                               shape.steps};
        for (std::ptrdiff_t first = 0; first < shape.pixels; first += shape.rows) {
            const std::ptrdiff_t count = least(shape.rows, shape.pixels - first);
            const typename D::Activation* row = rows;
            std::ptrdiff_t row_stride = shape.row_stride;
            if (gathered) {
                gather_windows(g, shape, run.input, group * shape.in, padding, first, count, rows);
            } else if constexpr (!ConvShape<D>::bytes) {
                row = run.input + first * g.in_channels + group * shape.in;
                row_stride = g.in_channels;
            }
            multiply_rows(
                row, row_stride, count, panels, sums,
                [&](std::ptrdiff_t r, std::ptrdiff_t panel, std::ptrdiff_t taken, const typename D::Lane* sum)
                    __attribute__((always_inline)) {
                        for (; taken > 0; --taken, ++panel, sum += panel_channels) {
                            const std::ptrdiff_t channel = panel * panel_channels;
                            finish(first + r, group * shape.out + channel, least(panel_channels, shape.out - channel),
                                   packed + panel * shape.panel_bytes(), sum);
                        }
                    });
        }
    }
}

}  // namespace tiles

template <class Lazy = void>
std::size_t conv2d_f32_packed_bytes(const ConvGeometry& g) noexcept {
    const tiles::ConvShape<simd::DotF32> shape(g);
    return static_cast<std::size_t>(g.groups * shape.panels * shape.panel_bytes());
}

template <class Lazy = void>
void conv2d_f32_pack(const ConvGeometry& g, const ConvConstantsF32& constants, void* packed) noexcept {
    const tiles::ConvShape<simd::DotF32> shape(g);
    char* to = static_cast<char*>(packed);
    for (std::ptrdiff_t group = 0; group < g.groups; ++group) {
        tiles::pack_panels(shape, constants.weight + group * shape.out * shape.taps, to);
        for (std::ptrdiff_t p = 0; p < shape.panels; ++p, to += shape.panel_bytes()) {
            float* bias = reinterpret_cast<float*>(to);
            for (std::ptrdiff_t c = 0; c < tiles::panel_channels; ++c) {
                const std::ptrdiff_t channel = p * tiles::panel_channels + c;
                bias[c] = constants.bias != nullptr && channel < shape.out ? constants.bias[group * shape.out + channel] : 0.0f;
            }
        }
    }
}

template <class Lazy = void>
std::size_t conv2d_f32_scratch_bytes(const ConvGeometry& g) noexcept {
    return tiles::ConvShape<simd::DotF32>(g).scratch_bytes(!tiles::windows_are_pixels(g));
}

template <class Lazy = void>
void conv2d_f32_run(const ConvGeometry& g, const ConvF32& run) noexcept {
    using namespace simd;
    const F32 lo(run.lo), hi(run.hi), residual_lo(run.residual_lo), residual_hi(run.residual_hi);
    tiles::run_convolution<DotF32>(
        g, run, !tiles::windows_are_pixels(g), 0.0f,
        [&](std::ptrdiff_t pixel, std::ptrdiff_t channel, std::ptrdiff_t channels, const char* head, const float* sums)
            __attribute__((always_inline)) {
                const float* bias = reinterpret_cast<const float*>(head);
                const std::ptrdiff_t at = pixel * g.out_channels + channel;
                for_each_vector<lanes32>(
                    channels, [&](std::ptrdiff_t c, auto some) __attribute__((always_inline)) {
                        F32 y = clamp(load(sums + c) + load(bias + c), lo, hi);
                        if (run.residual != nullptr) y = clamp(y + load(run.residual + at + c, some), residual_lo, residual_hi);
                        store(run.output + at + c, y, some);
                    });
            });
}

namespace tiles {

/// AddI8 of an output far finer than what it adds: one by one.
template <class Lazy = void>
simd::I16 add_wide(const AddI8& p, simd::I16 a, simd::I16 b) noexcept {
    std::int8_t x[simd::lanes16], y[simd::lanes16];
    simd::store_bytes(x, a);
    simd::store_bytes(y, b);
    for (std::ptrdiff_t i = 0; i < simd::lanes16; ++i) x[i] = add_value(p, x[i], y[i]);
    return simd::load_bytes(x);
}

}  // namespace tiles

template <class Lazy = void>
std::size_t conv2d_i8_packed_bytes(const ConvGeometry& g) noexcept {
    const tiles::ConvShape<simd::DotI8> shape(g);
    return static_cast<std::size_t>(g.groups * shape.panels * shape.panel_bytes());
}

template <class Lazy = void>
void conv2d_i8_pack(const ConvGeometry& g, const ConvConstantsI8& constants, void* packed) noexcept {
    const tiles::ConvShape<simd::DotI8> shape(g);
    char* to = static_cast<char*>(packed);
    ConvConstantsI8 shifted = constants;
    shifted.input_zero_point += simd::DotI8::offset;
    for (std::ptrdiff_t group = 0; group < g.groups; ++group) {
        tiles::pack_panels(shape, constants.weight + group * shape.out * shape.taps, to);
        for (std::ptrdiff_t p = 0; p < shape.panels; ++p, to += shape.panel_bytes()) {
            std::int32_t* bias = reinterpret_cast<std::int32_t*>(to);
            float* multiplier = reinterpret_cast<float*>(bias + tiles::panel_channels);
            for (std::ptrdiff_t c = 0; c < tiles::panel_channels; ++c) {
                bias[c] = 0;
                multiplier[c] = 0.0f;
                const std::ptrdiff_t of_group = p * tiles::panel_channels + simd::DotI8::channel(c);
                if (of_group >= shape.out) continue;
                const std::ptrdiff_t channel = group * shape.out + of_group;
                bias[c] = folded_bias(shifted, channel, shape.taps);
                multiplier[c] = constants.multiplier[channel];
            }
        }
    }
}

template <class Lazy = void>
std::size_t conv2d_i8_scratch_bytes(const ConvGeometry& g) noexcept {
    return tiles::ConvShape<simd::DotI8>(g).scratch_bytes(true);
}

template <class Lazy = void>
void conv2d_i8_run(const ConvGeometry& g, const ConvI8& run) noexcept {
    using namespace simd;
    const RequantizeLanes requantize(run.requantize);
    const AddLanes add(run.add);
    tiles::run_convolution<DotI8>(
        g, run, true, static_cast<std::int8_t>(run.input_zero_point),
        [&](std::ptrdiff_t pixel, std::ptrdiff_t channel, std::ptrdiff_t channels, const char* head,
            const std::int32_t* sums) __attribute__((always_inline)) {
            const std::int32_t* bias = reinterpret_cast<const std::int32_t*>(head);
            const float* multiplier = reinterpret_cast<const float*>(bias + tiles::panel_channels);
            const std::ptrdiff_t at = pixel * g.out_channels + channel;
            for_each_vector<lanes16>(
                channels, [&](std::ptrdiff_t c, auto some) __attribute__((always_inline)) {
                    I16 q = requantize({load(sums + c) + load(bias + c), load(sums + c + lanes32) + load(bias + c + lanes32)},
                                       load(multiplier + c), load(multiplier + c + lanes32));
                    if (run.residual != nullptr) {
                        const std::int8_t* residual = run.residual + at + c;
                        q = run.add.wide ? tiles::add_wide(run.add, q, load_bytes(residual, some))
                                         : add(q, load_bytes(residual, some));
                    }
                    store_bytes(run.output + at + c, q, some);
                });
        });
}

MOTE_END_KERNELS
