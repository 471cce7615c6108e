// SPDX-License-Identifier: MIT
#pragma once
// Depthwise convolution, vectorised over channels (contract and definition: kernels/depthwise.hpp).
// Packed: for each block of 2 N output channels the bias, int8 the multipliers (both in split order there), then the weights
// tap by tap; int8 weights are 16-bit integers, two taps together, a missing second tap and missing channels are zeros. Pixels
// whose taps all lie in the image are computed four at a time, so that each weight is read once for four; taps are found by
// their offset from the pixel's first. Other pixels are computed one by one: f32 leaves the taps in the padding out, int8
// reads them from a row of zero points. Where out_channels > in_channels, each pixel's taps are first spread in scratch.

#include <mote/kernels/depthwise.hpp>
#include <mote/kernels/requantize_simd.hpp>

MOTE_BEGIN_KERNELS

namespace depthwise {

constexpr std::ptrdiff_t block = simd::lanes16;
constexpr std::int32_t tile_pixels = 4;

MOTE_ALWAYS_INLINE std::ptrdiff_t taps(const ConvGeometry& g) noexcept {
    return std::ptrdiff_t{g.kernel_height} * g.kernel_width;
}
MOTE_ALWAYS_INLINE std::ptrdiff_t blocks(const ConvGeometry& g) noexcept {
    return (g.out_channels + block - 1) / block;
}
MOTE_ALWAYS_INLINE std::ptrdiff_t least(std::ptrdiff_t a, std::ptrdiff_t b) noexcept {
    return a < b ? a : b;
}
/// The next multiple of 64 bytes.
MOTE_ALWAYS_INLINE std::ptrdiff_t rounded_up(std::ptrdiff_t bytes) noexcept {
    return (bytes + 63) & ~std::ptrdiff_t{63};
}

/// The output positions begin <= position < end of one axis whose taps all lie in the image.
MOTE_ALWAYS_INLINE TapRange interior(std::int32_t image, std::int32_t out, std::int32_t kernel, std::int32_t stride,
                                     std::int32_t dilation, std::int32_t pad) noexcept {
    const std::int32_t begin = pad > 0 ? (pad + stride - 1) / stride : 0;
    const std::int32_t room = image - 1 + pad - (kernel - 1) * dilation;  // position * stride <= room
    std::int32_t end = room < 0 ? 0 : room / stride + 1;
    end = end < out ? end : out;
    return {begin < end ? begin : end, end};
}

/// Calls one(n, y, x) for each pixel that has taps in the padding, and many(n, y, x, count) for runs that have none.
template <class One, class Many>
MOTE_ALWAYS_INLINE void for_each_run(const ConvGeometry& g, One&& one, Many&& many) {
    const TapRange rows = interior(g.in_height, g.out_height, g.kernel_height, g.stride_height, g.dilation_height, g.pad_top);
    const TapRange columns = interior(g.in_width, g.out_width, g.kernel_width, g.stride_width, g.dilation_width, g.pad_left);
    for (std::int32_t n = 0; n < g.batch; ++n) {
        for (std::int32_t y = 0; y < g.out_height; ++y) {
            const bool inside = y >= rows.begin && y < rows.end;
            std::int32_t x = 0;
            for (const std::int32_t begin = inside ? columns.begin : g.out_width; x < begin; ++x) one(n, y, x);
            if (inside && columns.begin < columns.end) {
                many(n, y, x, columns.end - x);
                x = columns.end;
            }
            for (; x < g.out_width; ++x) one(n, y, x);
        }
    }
}

MOTE_ALWAYS_INLINE std::ptrdiff_t image_elements(const ConvGeometry& g) noexcept {
    return std::ptrdiff_t{g.in_height} * g.in_width * g.in_channels;
}
/// Elements from an image's first to the first tap of output (y, x), which may lie outside.
MOTE_ALWAYS_INLINE std::ptrdiff_t first_tap(const ConvGeometry& g, std::int32_t y, std::int32_t x) noexcept {
    return ((std::ptrdiff_t{y} * g.stride_height - g.pad_top) * g.in_width + std::ptrdiff_t{x} * g.stride_width - g.pad_left) *
           g.in_channels;
}
MOTE_ALWAYS_INLINE std::ptrdiff_t output_element(const ConvGeometry& g, std::int32_t n, std::int32_t y,
                                                 std::int32_t x) noexcept {
    return ((std::ptrdiff_t{n} * g.out_height + y) * g.out_width + x) * g.out_channels;
}
/// Elements from the first tap to each.
MOTE_ALWAYS_INLINE void tap_offsets(const ConvGeometry& g, std::ptrdiff_t* offsets) noexcept {
    for (std::int32_t ky = 0; ky < g.kernel_height; ++ky) {
        for (std::int32_t kx = 0; kx < g.kernel_width; ++kx) {
            *offsets++ =
                (std::ptrdiff_t{ky} * g.dilation_height * g.in_width + std::ptrdiff_t{kx} * g.dilation_width) * g.in_channels;
        }
    }
}
/// Output channels from a tap's input channels.
template <class T>
MOTE_ALWAYS_INLINE void spread(const ConvGeometry& g, const T* from, T* to) noexcept {
    const std::int32_t multiplier = g.out_channels / g.in_channels;
    for (std::int32_t c = 0; c < g.in_channels; ++c) {
        for (std::int32_t i = 0; i < multiplier; ++i) *to++ = from[c];
    }
}

// f32

struct TapsF32 {
    const float* const* pointers;   ///< the tap's input channels; null: at `base` + offset
    const float* base;              ///< the first pixel's first tap
    const std::ptrdiff_t* offsets;  ///< of each tap
    const std::int32_t* weights;    ///< which tap's weights
    std::ptrdiff_t count;
    std::ptrdiff_t pixel_step;  ///< elements from one pixel's taps to the next one's
};

/// `pixels` x `vectors` x N outputs, of which the last vector holds `n` channels where it is not full.
template <int pixels, int vectors, bool full, bool border>
MOTE_ALWAYS_INLINE void tile(const ConvF32& run, const float* packed, const TapsF32& taps, std::ptrdiff_t channel,
                             std::ptrdiff_t n, std::ptrdiff_t channels, std::ptrdiff_t at) noexcept {
    using simd::F32;
    constexpr std::ptrdiff_t lanes = simd::lanes32;
    const auto read = [n](const float* p, int v) {
        return full || v + 1 < vectors ? simd::load(p + v * lanes) : simd::load(p + v * lanes, n);
    };
    F32 sum[pixels][vectors];
    MOTE_UNROLL for (int v = 0; v < vectors; ++v) {
        const F32 bias = simd::load(packed + v * lanes);
        MOTE_UNROLL for (int p = 0; p < pixels; ++p) sum[p][v] = bias;
    }
    for (std::ptrdiff_t t = 0; t < taps.count; ++t) {
        const float* weight = packed + block + (border ? taps.weights[t] : t) * block;
        const float* x = (border ? taps.pointers[t] : taps.base + taps.offsets[t]) + channel;
        MOTE_UNROLL for (int v = 0; v < vectors; ++v) {
            const F32 w = simd::load(weight + v * lanes);
            MOTE_UNROLL for (int p = 0; p < pixels; ++p) sum[p][v] = simd::fma(w, read(x + p * taps.pixel_step, v), sum[p][v]);
        }
    }
    const F32 lo(run.lo), hi(run.hi), residual_lo(run.residual_lo), residual_hi(run.residual_hi);
    MOTE_UNROLL for (int p = 0; p < pixels; ++p) {
        float* output = run.output + at + p * channels + channel;
        MOTE_UNROLL for (int v = 0; v < vectors; ++v) {
            F32 y = simd::clamp(sum[p][v], lo, hi);
            if (run.residual != nullptr) {
                y = simd::clamp(y + read(run.residual + at + p * channels + channel, v), residual_lo, residual_hi);
            }
            if (full || v + 1 < vectors) {
                simd::store(output + v * lanes, y);
            } else {
                simd::store(output + v * lanes, y, n);
            }
        }
    }
}

template <int pixels, bool border>
MOTE_ALWAYS_INLINE void all_channels(const ConvF32& run, const TapsF32& taps, std::ptrdiff_t kernel_taps,
                                     std::ptrdiff_t channels, std::ptrdiff_t at) noexcept {
    const float* packed = static_cast<const float*>(run.packed);
    std::ptrdiff_t c = 0;
    for (; c + block <= channels; c += block, packed += (1 + kernel_taps) * block) {
        tile<pixels, 2, true, border>(run, packed, taps, c, simd::lanes32, channels, at);
    }
    const std::ptrdiff_t rest = channels - c;
    if (rest > simd::lanes32) {
        tile<pixels, 2, false, border>(run, packed, taps, c, rest - simd::lanes32, channels, at);
    } else if (rest == simd::lanes32) {
        tile<pixels, 1, true, border>(run, packed, taps, c, rest, channels, at);
    } else if (rest > 0) {
        tile<pixels, 1, false, border>(run, packed, taps, c, rest, channels, at);
    }
}

// int8

struct TapsI8 {
    const std::int8_t* const* pointers;
    const std::int8_t* base;
    const std::ptrdiff_t* offsets;
    std::ptrdiff_t pairs;
    std::ptrdiff_t pixel_step;
};

/// The int32 words of a block's bias and multipliers, before its weights.
constexpr std::ptrdiff_t block_constants = 2 * block;
MOTE_ALWAYS_INLINE std::ptrdiff_t pairs(const ConvGeometry& g) noexcept {
    return (taps(g) + 1) / 2;
}
MOTE_ALWAYS_INLINE std::ptrdiff_t block_bytes(const ConvGeometry& g) noexcept {
    return block_constants * 4 + pairs(g) * 2 * block * 2;
}

template <int pixels, bool full, bool border>
MOTE_ALWAYS_INLINE void tile(const ConvI8& run, const char* packed, const TapsI8& taps, const RequantizeLanes& requantize,
                             const AddLanes& add, std::ptrdiff_t channel, std::ptrdiff_t n, std::ptrdiff_t channels,
                             std::ptrdiff_t at) noexcept {
    using simd::I16;
    constexpr std::ptrdiff_t lanes = simd::lanes32;
    const auto read = [n](const std::int8_t* p) { return full ? simd::load_bytes(p) : simd::load_bytes(p, n); };
    const std::int32_t* bias = reinterpret_cast<const std::int32_t*>(packed);
    const float* multiplier = reinterpret_cast<const float*>(bias + block);
    const std::int16_t* weight = reinterpret_cast<const std::int16_t*>(multiplier + block);
    simd::I32x2 sum[pixels];
    MOTE_UNROLL for (int p = 0; p < pixels; ++p) sum[p] = {simd::load(bias), simd::load(bias + lanes)};
    for (std::ptrdiff_t pair = 0; pair < taps.pairs; ++pair) {
        const simd::WeightPair w = simd::load_pair(weight + pair * 2 * block);
        const std::int8_t* x0 = (border ? taps.pointers[2 * pair] : taps.base + taps.offsets[2 * pair]) + channel;
        const std::int8_t* x1 = (border ? taps.pointers[2 * pair + 1] : taps.base + taps.offsets[2 * pair + 1]) + channel;
        MOTE_UNROLL for (int p = 0; p < pixels; ++p) {
            simd::add_products(sum[p], read(x0 + p * taps.pixel_step), read(x1 + p * taps.pixel_step), w);
        }
    }
    const simd::F32 multiplier_lo = simd::load(multiplier), multiplier_hi = simd::load(multiplier + lanes);
    MOTE_UNROLL for (int p = 0; p < pixels; ++p) {
        I16 q = requantize(sum[p], multiplier_lo, multiplier_hi);
        std::int8_t* output = run.output + at + p * channels + channel;
        if (run.residual != nullptr) {
            const std::int8_t* residual = run.residual + at + p * channels + channel;
            if (run.add.wide) {
                std::int8_t bytes[block];
                simd::store_bytes(bytes, q);
                for (std::ptrdiff_t i = 0; i < n; ++i) output[i] = add_value(run.add, bytes[i], residual[i]);
                continue;
            }
            q = add(q, read(residual));
        }
        if (full) {
            simd::store_bytes(output, q);
        } else {
            simd::store_bytes(output, q, n);
        }
    }
}

template <int pixels, bool border>
MOTE_ALWAYS_INLINE void all_channels(const ConvI8& run, const TapsI8& taps, const RequantizeLanes& requantize,
                                     const AddLanes& add, std::ptrdiff_t bytes, std::ptrdiff_t channels,
                                     std::ptrdiff_t at) noexcept {
    const char* packed = static_cast<const char*>(run.packed);
    std::ptrdiff_t c = 0;
    for (; c + block <= channels; c += block, packed += bytes) {
        tile<pixels, true, border>(run, packed, taps, requantize, add, c, block, channels, at);
    }
    if (c < channels) tile<pixels, false, border>(run, packed, taps, requantize, add, c, channels - c, channels, at);
}

}  // namespace depthwise

template <class Lazy = void>
std::size_t depthwise_f32_packed_bytes(const ConvGeometry& g) noexcept {
    return static_cast<std::size_t>(depthwise::blocks(g) * depthwise::block * (1 + depthwise::taps(g))) * sizeof(float);
}

template <class Lazy = void>
void depthwise_f32_pack(const ConvGeometry& g, const ConvConstantsF32& constants, void* packed) noexcept {
    float* to = static_cast<float*>(packed);
    const std::ptrdiff_t taps = depthwise::taps(g);
    for (std::ptrdiff_t first = 0; first < g.out_channels; first += depthwise::block) {
        for (std::ptrdiff_t tap = -1; tap < taps; ++tap) {  // -1: the bias
            for (std::ptrdiff_t c = first; c < first + depthwise::block; ++c, ++to) {
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

/// Offsets, pointers, numbers of taps, and the spread taps of a pixel.
template <class Lazy = void>
std::size_t depthwise_f32_scratch_bytes(const ConvGeometry& g) noexcept {
    const std::ptrdiff_t taps = depthwise::taps(g);
    const std::ptrdiff_t spread = g.out_channels == g.in_channels ? 0 : taps * g.out_channels * 4;
    return static_cast<std::size_t>(3 * depthwise::rounded_up(taps * 8) + spread);
}

template <class Lazy = void>
void depthwise_f32_run(const ConvGeometry& g, const ConvF32& run, Part part = {}) noexcept {
    if (part.index != 0) return;
    const std::ptrdiff_t taps = depthwise::taps(g);
    char* scratch = static_cast<char*>(run.scratch);
    const std::ptrdiff_t list_bytes = depthwise::rounded_up(taps * 8);
    auto* offsets = reinterpret_cast<std::ptrdiff_t*>(scratch);
    auto* pointers = reinterpret_cast<const float**>(scratch + list_bytes);
    auto* weights = reinterpret_cast<std::int32_t*>(scratch + 2 * list_bytes);
    float* spread = reinterpret_cast<float*>(scratch + 3 * list_bytes);
    depthwise::tap_offsets(g, offsets);
    const bool same = g.out_channels == g.in_channels;
    const auto one = [&](std::int32_t n, std::int32_t y, std::int32_t x) {
        const float* image = run.input + n * depthwise::image_elements(g);
        std::ptrdiff_t count = 0;
        for_each_tap(g, y, x, [&](std::int32_t tap, std::int32_t pixel) {
            if (pixel < 0) return;
            pointers[count] = image + std::ptrdiff_t{pixel} * g.in_channels;
            if (!same) {
                float* to = spread + count * g.out_channels;
                depthwise::spread(g, pointers[count], to);
                pointers[count] = to;
            }
            weights[count++] = tap;
        });
        const depthwise::TapsF32 list{pointers, nullptr, nullptr, weights, count, 0};
        depthwise::all_channels<1, true>(run, list, taps, g.out_channels, depthwise::output_element(g, n, y, x));
    };
    depthwise::for_each_run(g, one, [&](std::int32_t n, std::int32_t y, std::int32_t x, std::int32_t count) {
        if (!same) {
            for (; count > 0; --count) one(n, y, x++);
            return;
        }
        const std::ptrdiff_t step = std::ptrdiff_t{g.stride_width} * g.in_channels;
        const float* base = run.input + n * depthwise::image_elements(g) + depthwise::first_tap(g, y, x);
        std::ptrdiff_t at = depthwise::output_element(g, n, y, x);
        constexpr std::int32_t tile = depthwise::tile_pixels;
        for (; count >= tile; count -= tile, base += tile * step, at += tile * g.out_channels) {
            depthwise::all_channels<tile, false>(run, {nullptr, base, offsets, nullptr, taps, step}, taps, g.out_channels, at);
        }
        for (; count > 0; --count, base += step, at += g.out_channels) {
            depthwise::all_channels<1, false>(run, {nullptr, base, offsets, nullptr, taps, step}, taps, g.out_channels, at);
        }
    });
}

template <class Lazy = void>
std::size_t depthwise_i8_packed_bytes(const ConvGeometry& g) noexcept {
    return static_cast<std::size_t>(depthwise::blocks(g) * depthwise::block_bytes(g));
}

template <class Lazy = void>
void depthwise_i8_pack(const ConvGeometry& g, const ConvConstantsI8& constants, void* packed) noexcept {
    constexpr std::ptrdiff_t block = depthwise::block;
    const std::ptrdiff_t taps = depthwise::taps(g);
    char* at = static_cast<char*>(packed);
    for (std::ptrdiff_t first = 0; first < g.out_channels; first += block, at += depthwise::block_bytes(g)) {
        std::int32_t* bias = reinterpret_cast<std::int32_t*>(at);
        float* multiplier = reinterpret_cast<float*>(bias + block);
        std::int16_t* weight = reinterpret_cast<std::int16_t*>(multiplier + block);
        for (std::ptrdiff_t i = 0; i < block; ++i) {
            const std::ptrdiff_t c = first + simd::split_channel(i / simd::lanes32, i % simd::lanes32);
            bias[i] = c < g.out_channels ? folded_bias(constants, c, taps) : 0;
            multiplier[i] = c < g.out_channels ? constants.multiplier[c] : 0.0f;
        }
        for (std::ptrdiff_t tap = 0; tap < 2 * depthwise::pairs(g); ++tap) {
            for (std::ptrdiff_t i = 0; i < block; ++i) {
                const bool there = tap < taps && first + i < g.out_channels;
                weight[tap / 2 * 2 * block + simd::pair_place(i, tap % 2)] =
                    there ? std::int16_t{constants.weight[(first + i) * taps + tap]} : std::int16_t{0};
            }
        }
    }
}

/// Offsets and pointers of taps, a row of zero points, and the spread taps of a pixel.
template <class Lazy = void>
std::size_t depthwise_i8_scratch_bytes(const ConvGeometry& g) noexcept {
    const std::ptrdiff_t taps = 2 * depthwise::pairs(g);
    const std::ptrdiff_t spread = g.out_channels == g.in_channels ? 0 : taps * g.out_channels;
    return static_cast<std::size_t>(2 * depthwise::rounded_up(taps * 8) + depthwise::rounded_up(g.out_channels) + spread);
}

template <class Lazy = void>
void depthwise_i8_run(const ConvGeometry& g, const ConvI8& run, Part part = {}) noexcept {
    if (part.index != 0) return;
    const std::ptrdiff_t taps = depthwise::taps(g);
    const std::ptrdiff_t pairs = depthwise::pairs(g);
    char* scratch = static_cast<char*>(run.scratch);
    const std::ptrdiff_t list_bytes = depthwise::rounded_up(2 * pairs * 8);
    auto* offsets = reinterpret_cast<std::ptrdiff_t*>(scratch);
    auto* pointers = reinterpret_cast<const std::int8_t**>(scratch + list_bytes);
    auto* zeros = reinterpret_cast<std::int8_t*>(scratch + 2 * list_bytes);
    std::int8_t* spread = zeros + depthwise::rounded_up(g.out_channels);
    depthwise::tap_offsets(g, offsets);
    if (taps % 2 != 0) offsets[taps] = 0;  // read, and multiplied by 0
    for (std::int32_t c = 0; c < g.out_channels; ++c) zeros[c] = static_cast<std::int8_t>(run.input_zero_point);
    const RequantizeLanes requantize(run.requantize);
    const AddLanes add(run.add);
    const std::ptrdiff_t bytes = depthwise::block_bytes(g);
    const bool same = g.out_channels == g.in_channels;
    const auto one = [&](std::int32_t n, std::int32_t y, std::int32_t x) {
        const std::int8_t* image = run.input + n * depthwise::image_elements(g);
        pointers[2 * pairs - 1] = zeros;
        for_each_tap(g, y, x, [&](std::int32_t tap, std::int32_t pixel) {
            pointers[tap] = pixel < 0 ? zeros : image + std::ptrdiff_t{pixel} * g.in_channels;
            if (same || pixel < 0) return;
            std::int8_t* to = spread + std::ptrdiff_t{tap} * g.out_channels;
            depthwise::spread(g, pointers[tap], to);
            pointers[tap] = to;
        });
        depthwise::all_channels<1, true>(run, {pointers, nullptr, nullptr, pairs, 0}, requantize, add, bytes, g.out_channels,
                                         depthwise::output_element(g, n, y, x));
    };
    depthwise::for_each_run(g, one, [&](std::int32_t n, std::int32_t y, std::int32_t x, std::int32_t count) {
        if (!same) {
            for (; count > 0; --count) one(n, y, x++);
            return;
        }
        const std::ptrdiff_t step = std::ptrdiff_t{g.stride_width} * g.in_channels;
        const std::int8_t* base = run.input + n * depthwise::image_elements(g) + depthwise::first_tap(g, y, x);
        std::ptrdiff_t at = depthwise::output_element(g, n, y, x);
        constexpr std::int32_t tile = depthwise::tile_pixels;
        for (; count >= tile; count -= tile, base += tile * step, at += tile * g.out_channels) {
            depthwise::all_channels<tile, false>(run, {nullptr, base, offsets, pairs, step}, requantize, add, bytes,
                                                 g.out_channels, at);
        }
        for (; count > 0; --count, base += step, at += g.out_channels) {
            depthwise::all_channels<1, false>(run, {nullptr, base, offsets, pairs, step}, requantize, add, bytes,
                                              g.out_channels, at);
        }
    });
}

MOTE_END_KERNELS
