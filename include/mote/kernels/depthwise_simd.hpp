// SPDX-License-Identifier: MIT
#pragma once
// Depthwise convolution, vectorised over channels (contract and definition: kernels/depthwise.hpp).
//
// How images are walked: kernels/detail/bands.hpp. Packed: what follows from the geometry; for each block of channels the bias,
// int8 the multipliers (both in split order there), then the weights row by row, of bytes two rows in pairs. Bytes have
// kernels/depthwise_bytes.hpp instead where four are taken at once.

#include <mote/kernels/depthwise.hpp>
#include <mote/kernels/depthwise_bytes.hpp>
#include <mote/kernels/detail/bands.hpp>
#include <mote/simd/half.hpp>

MOTE_BEGIN_KERNELS

namespace depthwise {

using simd::lanes32;
using tiles::few_tiles;
#if defined(MOTE_NEON)
constexpr bool in_turns = true;
#else
constexpr bool in_turns = false;
#endif

/// Of float, half or bfloat; weights become floats when they are packed.
template <class T>
struct Float {
    using Input = T;
    using Run = ConvFloat<T>;
    using Weight = float;
    using Sum = simd::F32;
    using Tap = simd::F32;                               ///< of a row of the image
    static constexpr std::ptrdiff_t lanes = lanes32;     ///< channels of a block
    static constexpr std::ptrdiff_t head = lanes32 * 4;  ///< bytes of a block before its weights
    static constexpr int rows = 1;                       ///< of the window, taken together
    static constexpr bool padding_counts = false;        ///< whether taps in the padding add to sums

    /// Rows of outputs that a band has at most. For K weights a row, K rows of sums, K + rows - 1 taps and a weight fit the
    /// registers; with 32 of them all weights of a 3x3 window do.
    static constexpr int band_rows(int kernel) noexcept {
        if (few_tiles) return 3;
        return simd::registers == 32 ? (kernel == 7 ? 3 : 4) : kernel == 3 ? 3 : kernel == 5 ? 2 : 1;
    }
    static constexpr bool keeps_weights(int kernel) noexcept { return simd::registers == 32 && kernel == 3; }
    /// Whether detail/neon/turns.hpp computes such windows, of float alone.
    static constexpr bool turns(int kernel) noexcept { return in_turns && sizeof(T) == sizeof(float) && kernel <= 5; }

    struct Residual {
        explicit Residual(const Run&) noexcept {}
    };
    Float(const Run& run, const Residual&) noexcept
        : lo_(run.lo),
          hi_(run.hi),
          residual_lo_(run.residual_lo),
          residual_hi_(run.residual_hi),
          residual_(run.residual),
          output_(run.output) {}
    static MOTE_ALWAYS_INLINE Sum first(const char* block) noexcept {
        return simd::load(reinterpret_cast<const float*>(block));
    }
    static MOTE_ALWAYS_INLINE simd::F32 weight(const char* p) noexcept {
        return simd::DotF32::weights(reinterpret_cast<const float*>(p));
    }
    template <class Some>
    static MOTE_ALWAYS_INLINE Tap tap(const char* p, Some some) noexcept {
        simd::F32::register_type x = simd::load(reinterpret_cast<const T*>(p), some);
        MOTE_OPAQUE_VECTOR(x);  // else GCC loads it again for every multiplication
        return x;
    }
    Tap padding() const noexcept { return Tap(0.0f); }
    const char* padding_lanes() const noexcept { return nullptr; }
    static MOTE_ALWAYS_INLINE void add(Sum& sum, Tap x, Tap, simd::F32 w) noexcept { sum = simd::DotF32::dot(sum, x, w); }
    template <class Some>
    MOTE_ALWAYS_INLINE void finish(Sum sum, const char*, std::ptrdiff_t at, Some some) const noexcept {
        simd::F32 y = simd::clamp_sum(sum, lo_, hi_);
        if (residual_ != nullptr) y = simd::clamp_sum(y + simd::load(residual_ + at, some), residual_lo_, residual_hi_);
        simd::store(output_ + at, y, some);
    }
    /// Where output `at` goes, and what finishes it there without a residual.
    bool plain() const noexcept { return residual_ == nullptr; }
    char* place(std::ptrdiff_t at) const noexcept { return reinterpret_cast<char*>(output_ + at); }
    MOTE_ALWAYS_INLINE void finish_plain(Sum sum, char* to) const noexcept {
        simd::store(reinterpret_cast<T*>(to), simd::clamp_sum(sum, lo_, hi_));
    }

  private:
    simd::F32 lo_, hi_, residual_lo_, residual_hi_;
    const T* residual_;
    T* output_;
};

#if !defined(MOTE_BYTE_TAPS)
struct I8 {
    using Input = std::int8_t;
    using Run = ConvI8;
    using Weight = std::int16_t;
    using Sum = simd::I32x2;
    using Tap = simd::I16;
    static constexpr std::ptrdiff_t lanes = simd::lanes16;
    static constexpr std::ptrdiff_t head = lanes * 8;
    static constexpr int rows = 2;
    static constexpr bool padding_counts = true;
    static constexpr int band_rows(int) noexcept { return simd::registers == 32 ? 2 : 1; }  // a sum is two vectors
    static constexpr bool keeps_weights(int) noexcept { return false; }
    static constexpr bool turns(int) noexcept { return false; }

    /// What most layers do without.
    struct Residual {
        explicit Residual(const ConvI8& run) noexcept : lanes(run.add), wide_lanes(run.add), wide(run.add.wide) {}
        AddLanes lanes;
        AddWideLanes wide_lanes;
        bool wide;
    };
    I8(const ConvI8& run, const Residual& add)
    noexcept : requantize_(run.requantize), add_(add), residual_(run.residual), output_(run.output) {
        for (std::int8_t& lane : padding_) lane = static_cast<std::int8_t>(run.input_zero_point);
    }
    static MOTE_ALWAYS_INLINE Sum first(const char* block) noexcept {
        const auto* bias = reinterpret_cast<const std::int32_t*>(block);
        return {simd::load(bias), simd::load(bias + lanes32)};
    }
    static MOTE_ALWAYS_INLINE simd::WeightPair weight(const char* p) noexcept {
        return simd::load_pair(reinterpret_cast<const std::int16_t*>(p));
    }
    template <class Some>
    static MOTE_ALWAYS_INLINE Tap tap(const char* p, Some some) noexcept {
        return simd::load_bytes(reinterpret_cast<const std::int8_t*>(p), some);
    }
    Tap padding() const noexcept { return simd::load_bytes(padding_); }
    const char* padding_lanes() const noexcept { return reinterpret_cast<const char*>(padding_); }
    static MOTE_ALWAYS_INLINE void add(Sum& sum, Tap x0, Tap x1, const simd::WeightPair& w) noexcept {
        simd::add_products(sum, simd::pair_taps(x0, x1), w);
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

  private:
    RequantizeLanes requantize_;
    const Residual& add_;
    std::int8_t padding_[lanes];
    const std::int8_t* residual_;
    std::int8_t* output_;
};
#endif

}  // namespace depthwise

template <class T = float>
std::size_t depthwise_f32_packed_bytes(const ConvGeometry& g) noexcept {
    return depthwise::Shape<depthwise::Float<T>>(g).packed_bytes();
}

template <class T = float>
void depthwise_f32_pack(const ConvGeometry& g, const ConvConstantsFloat<T>& constants, void* packed) noexcept {
    constexpr std::ptrdiff_t lanes = depthwise::Float<T>::lanes;
    const depthwise::Shape<depthwise::Float<T>> shape(g);
    __builtin_memcpy(packed, &shape, sizeof shape);
    float* to = reinterpret_cast<float*>(static_cast<char*>(packed) + shape.own_bytes());
    const std::ptrdiff_t taps = std::ptrdiff_t{g.kernel_height} * g.kernel_width;
    for (std::ptrdiff_t first = 0; first < g.out_channels; first += lanes) {
        for (std::ptrdiff_t tap = -1; tap < taps; ++tap) {  // -1: the bias
            for (std::ptrdiff_t c = first; c < first + lanes; ++c, ++to) {
                if (c >= g.out_channels) {
                    *to = 0.0f;
                } else if (tap < 0) {
                    *to = constants.bias != nullptr ? constants.bias[c] : 0.0f;
                } else {
                    *to = to_float(constants.weight[c * taps + tap]);
                }
            }
        }
    }
}

template <class T = float>
std::size_t depthwise_f32_scratch_bytes(const ConvGeometry& g) noexcept {
    return static_cast<std::size_t>(depthwise::Shape<depthwise::Float<T>>(g).spread_bytes);
}

template <class T = float>
void depthwise_f32_run(const ConvGeometry& g, const ConvFloat<T>& run, Part part = {}) noexcept {
    depthwise::run<depthwise::Float<T>>(g, run, part);
}

#if !defined(MOTE_BYTE_TAPS)
template <class Lazy = void>
std::size_t depthwise_i8_packed_bytes(const ConvGeometry& g) noexcept {
    return depthwise::Shape<depthwise::I8>(g).packed_bytes();
}

template <class Lazy = void>
void depthwise_i8_pack(const ConvGeometry& g, const ConvConstantsI8& constants, void* packed) noexcept {
    constexpr std::ptrdiff_t lanes = depthwise::I8::lanes;
    const depthwise::Shape<depthwise::I8> shape(g);
    const std::ptrdiff_t taps = std::ptrdiff_t{g.kernel_height} * g.kernel_width;
    __builtin_memcpy(packed, &shape, sizeof shape);
    char* at = static_cast<char*>(packed) + shape.own_bytes();
    for (std::ptrdiff_t first = 0; first < g.out_channels; first += lanes, at += shape.block_bytes) {
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
    return static_cast<std::size_t>(depthwise::Shape<depthwise::I8>(g).spread_bytes);
}

template <class Lazy = void>
void depthwise_i8_run(const ConvGeometry& g, const ConvI8& run, Part part = {}) noexcept {
    depthwise::run<depthwise::I8>(g, run, part);
}
#endif

MOTE_END_KERNELS
