// SPDX-License-Identifier: MIT
#pragma once
// int8 depthwise convolution for firmware. With MVE eight channels go side by side. Otherwise a channel's image is gathered
// into scratch, the padding around it, once; then two output rows go together, so that they share weights and the rows between
// them. Sums are modulo 2^32 as in kernels/depthwise.hpp, to the bit.

#include <mote/kernels/depthwise.hpp>
#include <mote/kernels/detail/arm_m/conv2d.hpp>

MOTE_BEGIN_KERNELS

namespace tile {

/// The padded image of one channel.
template <class G>
constexpr std::int32_t plane_height(const G& g) noexcept {
    return (g.out_height - 1) * g.stride_height + (g.kernel_height - 1) * g.dilation_height + 1;
}
template <class G>
constexpr std::int32_t plane_width(const G& g) noexcept {
    return (g.out_width - 1) * g.stride_width + (g.kernel_width - 1) * g.dilation_width + 1;
}

/// Weights of a row of taps, in pairs.
template <class G>
constexpr std::int32_t row_pairs(const G& g) noexcept {
    return (g.kernel_width + 1) / 2;
}

/// The plane, one element more that a last pair may read, and with the DSP extension the weights' pairs.
template <class G>
constexpr std::size_t plane_bytes(const G& g) noexcept {
    const std::int32_t plane = row_elements(plane_height(g) * plane_width(g) + 1);
#if defined(MOTE_TILE_DSP)
    return sizeof(Activation) * static_cast<std::size_t>(plane) + 4 * static_cast<std::size_t>(g.kernel_height * row_pairs(g));
#else
    return sizeof(Activation) * static_cast<std::size_t>(plane);
#endif
}

#if defined(MOTE_TILE_DSP)
using DepthwiseWeights = const std::uint32_t*;
#else
using DepthwiseWeights = const std::int8_t*;
#endif

/// Adds the taps of `outputs` output pixels (1 or 2) under one another.
template <int outputs, class G>
MOTE_ALWAYS_INLINE void depthwise_taps(const G& g, const Activation* from, DepthwiseWeights w, std::int32_t* sums) noexcept {
    const std::int32_t width = plane_width(g);
    std::int32_t s0 = sums[0], s1 = sums[1];
#pragma GCC unroll 3
    for (std::int32_t ky = 0; ky < g.kernel_height; ++ky) {
        const Activation* row = from + ky * g.dilation_height * width;
#if defined(MOTE_TILE_DSP)
        if (g.dilation_width == 1) {
            for (std::int32_t pair = 0; pair < row_pairs(g); ++pair) {
                const auto v = static_cast<int16x2_t>(w[ky * row_pairs(g) + pair]);
                s0 = __smlad(read_pair(row + 2 * pair), v, s0);
                if (outputs == 2) s1 = __smlad(read_pair(row + g.stride_height * width + 2 * pair), v, s1);
            }
            continue;
        }
#endif
#pragma GCC unroll 3
        for (std::int32_t kx = 0; kx < g.kernel_width; ++kx) {
#if defined(MOTE_TILE_DSP)
            const std::int32_t v = static_cast<std::int16_t>(w[ky * row_pairs(g) + kx / 2] >> (kx % 2 * 16));
#else
            const std::int32_t v = w[ky * g.kernel_width + kx];
#endif
            accumulate(s0, row[kx * g.dilation_width] * v);
            if (outputs == 2) accumulate(s1, row[g.stride_height * width + kx * g.dilation_width] * v);
        }
    }
    sums[0] = s0;
    sums[1] = s1;
}

/// Copies channel by channel into the middle of the plane, of what lies in it.
template <class G>
MOTE_ALWAYS_INLINE void load_plane(const G& g, const std::int8_t* channel, Activation* plane) noexcept {
    const std::int32_t height = plane_height(g) - g.pad_top, width = plane_width(g) - g.pad_left;
    const std::int32_t rows = height < g.in_height ? height : g.in_height;
    const std::int32_t columns = width < g.in_width ? width : g.in_width;
    for (std::int32_t y = 0; y < rows; ++y) {
        const std::int8_t* from = channel + y * g.in_width * g.in_channels;
        Activation* to = plane + (y + g.pad_top) * plane_width(g) + g.pad_left;
        for (std::int32_t x = 0; x < columns; ++x, from += g.in_channels) to[x] = *from;
    }
}

template <class G>
MOTE_ALWAYS_INLINE void depthwise_planes(const G& g, const std::int8_t* weight, const std::int32_t* bias,
                                         const float* multipliers, const ConvI8& arguments) noexcept {
    const ConvI8 run = arguments;  // its own copy, which no store of a byte can change
    const std::int32_t taps = g.kernel_height * g.kernel_width;
    const std::int32_t elements = plane_height(g) * plane_width(g);
    const std::int32_t image_bytes = g.in_height * g.in_width * g.in_channels;
    auto* plane = static_cast<Activation*>(run.scratch);
    for (std::int32_t i = 0; i <= elements; ++i) plane[i] = static_cast<std::int8_t>(run.input_zero_point);
    for (std::int32_t c = 0; c < g.out_channels; ++c) {
#if defined(MOTE_TILE_DSP)
        // Two taps of a row in a word; where one is missing a 0.
        auto* pairs = reinterpret_cast<std::uint32_t*>(plane + row_elements(elements + 1));
        std::uint32_t few[6];
        if (g.kernel_height * row_pairs(g) <= 6) pairs = few;
        for (std::int32_t ky = 0; ky < g.kernel_height; ++ky) {
            for (std::int32_t kx = 0; kx < g.kernel_width; kx += 2) {
                const std::int8_t* w = weight + c * taps + ky * g.kernel_width + kx;
                const std::int32_t second = kx + 1 < g.kernel_width ? w[1] : 0;
                pairs[ky * row_pairs(g) + kx / 2] =
                    (static_cast<std::uint32_t>(w[0]) & 0xffffu) | static_cast<std::uint32_t>(second) << 16;
            }
        }
        const DepthwiseWeights w = pairs;
#else
        const DepthwiseWeights w = weight + c * taps;
#endif
        const std::int32_t in = c / (g.out_channels / g.in_channels);
        const std::int32_t start = bias[c];
        const float multiplier = multipliers[c];
        for (std::int32_t n = 0; n < g.batch; ++n) {
            if (g.batch > 1 || in * (g.out_channels / g.in_channels) == c) {
                load_plane(g, run.input + n * image_bytes + in, plane);
            }
            for (std::int32_t y = 0; y < g.out_height; y += 2) {
                const bool two = y + 1 < g.out_height;
                const Activation* from = plane + y * g.stride_height * plane_width(g);
                std::int32_t at = ((n * g.out_height + y) * g.out_width) * g.out_channels + c;
                for (std::int32_t x = 0; x < g.out_width; ++x, from += g.stride_width, at += g.out_channels) {
                    std::int32_t sums[2] = {start, start};
                    if (two) {
                        depthwise_taps<2>(g, from, w, sums);
                        finish(sums[1], multiplier, run, at + g.out_width * g.out_channels);
                    } else {
                        depthwise_taps<1>(g, from, w, sums);
                    }
                    finish(sums[0], multiplier, run, at);
                }
            }
        }
    }
}

#if defined(MOTE_TILE_MVE) && (__ARM_FEATURE_MVE & 2)

/// Eight channels' constants, as vectors read them: the even channels', then the odd ones'; behind them the weights in 16 bits
/// [tap, 8].
struct DepthwiseBlock {
    float multiplier[2][4];
    std::int32_t bias[2][4];
    std::int32_t border_bias[2][4];  // for taps q - zero_point, of which the padding's count nothing
};

template <class G>
constexpr std::size_t block_bytes(const G& g) noexcept {
    return sizeof(DepthwiseBlock) + 16 * static_cast<std::size_t>(g.kernel_height * g.kernel_width);
}

/// Channels beyond `channels` get zeros.
template <class G>
inline void load_block(const G& g, const std::int8_t* weight, const std::int32_t* bias, const float* multipliers,
                       std::int32_t zero_point, std::int32_t channels, DepthwiseBlock* block) noexcept {
    const std::int32_t taps = g.kernel_height * g.kernel_width;
    auto* w = reinterpret_cast<std::int16_t*>(block + 1);
    for (std::int32_t c = 0; c < 8; ++c) {
        std::int32_t sum = 0;
        for (std::int32_t tap = 0; tap < taps; ++tap) {
            const std::int32_t value = c < channels ? weight[c * taps + tap] : 0;
            w[tap * 8 + c] = static_cast<std::int16_t>(value);
            sum += value;
        }
        std::int32_t start = c < channels ? bias[c] : 0;
        block->bias[c & 1][c >> 1] = start;
        accumulate(start, zero_point * sum);
        block->border_bias[c & 1][c >> 1] = start;
        block->multiplier[c & 1][c >> 1] = c < channels ? multipliers[c] : 0.0f;
    }
}

/// Taps [rows] x [columns] of one output pixel, the first of which reads `from` and `w`, less `zero_point`.
template <class G>
MOTE_ALWAYS_INLINE void block_taps(const G& g, const std::int8_t* from, const std::int16_t* w, std::int32_t rows,
                                   std::int32_t columns, std::int32_t zero_point, std::int32_t channels, int32x4_t& even,
                                   int32x4_t& odd) noexcept {
    const mve_pred16_t some = vctp16q(static_cast<std::uint32_t>(channels));
#pragma GCC unroll 3
    for (std::int32_t ky = 0; ky < rows; ++ky) {
#pragma GCC unroll 3
        for (std::int32_t kx = 0; kx < columns; ++kx) {
            const std::int8_t* at = from + (ky * g.dilation_height * g.in_width + kx * g.dilation_width) * g.in_channels;
            int16x8_t q = g.in_channels % 8 == 0 ? vldrbq_s16(at) : vldrbq_z_s16(at, some);
            if (zero_point != 0) q = vsubq_n_s16(q, static_cast<std::int16_t>(zero_point));
            const int16x8_t v = vldrhq_s16(w + (ky * g.kernel_width + kx) * 8);
            even = vaddq_s32(even, vmullbq_int_s16(q, v));
            odd = vaddq_s32(odd, vmulltq_int_s16(q, v));
            __asm__ volatile("" : "+w"(even), "+w"(odd) : : "memory");  // else GCC loads all taps first, and spills them
        }
    }
}

template <class G>
MOTE_ALWAYS_INLINE void depthwise_blocks(const G& g, const std::int8_t* weight, const std::int32_t* bias,
                                         const float* multipliers, const ConvI8& arguments) noexcept {
    const ConvI8 run = arguments;  // its own copy, which no store of a byte can change
    const std::int32_t taps = g.kernel_height * g.kernel_width;
    auto* block = static_cast<DepthwiseBlock*>(run.scratch);
    const auto* w = reinterpret_cast<const std::int16_t*>(block + 1);
    for (std::int32_t c = 0; c < g.in_channels; c += 8) {
        const std::int32_t channels = g.in_channels - c < 8 ? g.in_channels - c : 8;
        load_block(g, weight + c * taps, bias + c, multipliers + c, run.input_zero_point, channels, block);
        const std::int8_t* image = run.input + c;
        std::int32_t at = c;
        for (std::int32_t n = 0; n < g.batch; ++n, image += g.in_height * g.in_width * g.in_channels) {
            for (std::int32_t y = 0; y < g.out_height; ++y) {
                const std::int32_t top = y * g.stride_height - g.pad_top;
                const TapRange rows = taps_inside(top, g.dilation_height, g.kernel_height, g.in_height);
                for (std::int32_t x = 0; x < g.out_width; ++x, at += g.in_channels) {
                    const std::int32_t left = x * g.stride_width - g.pad_left;
                    const TapRange columns = taps_inside(left, g.dilation_width, g.kernel_width, g.in_width);
                    int32x4_t even, odd;
                    const std::int8_t* from = image + (top * g.in_width + left) * g.in_channels;
                    if (rows.end - rows.begin == g.kernel_height && columns.end - columns.begin == g.kernel_width) {
                        even = vldrwq_s32(block->bias[0]);
                        odd = vldrwq_s32(block->bias[1]);
                        block_taps(g, from, w, g.kernel_height, g.kernel_width, 0, channels, even, odd);
                    } else {
                        even = vldrwq_s32(block->border_bias[0]);
                        odd = vldrwq_s32(block->border_bias[1]);
                        for (std::int32_t ky = rows.begin; ky < rows.end; ++ky) {
                            for (std::int32_t kx = columns.begin; kx < columns.end; ++kx) {
                                block_taps(g,
                                           from + (ky * g.dilation_height * g.in_width + kx * g.dilation_width) * g.in_channels,
                                           w + (ky * g.kernel_width + kx) * 8, 1, 1, run.input_zero_point, channels, even, odd);
                            }
                        }
                    }
                    even = requantized(even, vldrwq_f32(block->multiplier[0]), run.requantize);
                    odd = requantized(odd, vldrwq_f32(block->multiplier[1]), run.requantize);
                    const int16x8_t q = vmovntq_s32(vmovnbq_s32(vuninitializedq_s16(), even), odd);
                    if (run.residual == nullptr) {
                        vstrbq_p_s16(run.output + at, q, vctp16q(static_cast<std::uint32_t>(channels)));
                    } else {
                        std::int16_t bytes[8];
                        vstrhq_s16(bytes, q);
                        for (std::int32_t i = 0; i < channels; ++i) {
                            run.output[at + i] = add(run.add, bytes[i], run.residual[at + i]);
                        }
                    }
                }
            }
        }
    }
}

#endif

/// Scratch of one run.
template <class G>
constexpr std::size_t depthwise_i8_scratch_bytes(const G& g) noexcept {
    if (g.in_channels == 1) return conv2d_i8_scratch_bytes(g);
#if defined(MOTE_TILE_MVE) && (__ARM_FEATURE_MVE & 2)
    if (g.in_channels == g.out_channels) return block_bytes(g);
#endif
    return plane_bytes(g);
}

template <class G>
MOTE_ALWAYS_INLINE void depthwise_i8(const G& g, const std::int8_t* weight, const std::int32_t* bias, const float* multipliers,
                                     const ConvI8& run) noexcept {
    if (g.in_channels == 1) return conv2d_i8(g, weight, bias, multipliers, run);  // the same sums
#if defined(MOTE_TILE_MVE) && (__ARM_FEATURE_MVE & 2)
    if (g.in_channels == g.out_channels) return depthwise_blocks(g, weight, bias, multipliers, run);
#endif
    depthwise_planes(g, weight, bias, multipliers, run);
}

}  // namespace tile

MOTE_END_KERNELS
