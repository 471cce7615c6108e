// SPDX-License-Identifier: MIT
#pragma once
// What becomes of a tile's sums: outputs of a convolution in f32 and int8, and of a GEMM. whole<V>() takes the V vectors of a
// row that lie in registers; part<V>() takes them from memory, of a panel that is not full. `head` is the panel's: the bias,
// of bytes also the multipliers.

#include <mote/kernels/requantize_simd.hpp>
#include <mote/simd/dot.hpp>

MOTE_BEGIN_KERNELS

namespace tiles {

using simd::lanes32;
constexpr std::ptrdiff_t panel_channels = simd::tile_vectors * lanes32;

/// y = clamp(sum + bias, lo, hi), with a residual clamp(y + residual, residual_lo, residual_hi).
struct FinishF32 {
    static constexpr bool in_registers = true;
    float lo, hi, residual_lo, residual_hi;
    const float* residual;    ///< of the first row and channel, or null
    float* output;            ///< of the first row and channel
    std::ptrdiff_t stride;    ///< elements from row to row
    std::ptrdiff_t channels;  ///< of all panels

    /// From now on for `count` channels from `channel` on.
    void move(std::ptrdiff_t channel, std::ptrdiff_t count) noexcept {
        if (residual != nullptr) residual += channel;
        output += channel;
        channels = count;
    }
    template <int Vectors>
    MOTE_ALWAYS_INLINE void whole(const simd::F32* sum, const char* head, std::ptrdiff_t row,
                                  std::ptrdiff_t channel) const noexcept {
        const std::ptrdiff_t at = row * stride + channel;
        MOTE_UNROLL for (int v = 0; v < Vectors; ++v) {
            simd::store(output + at + v * lanes32, value(sum[v], head, v * lanes32, at, simd::Whole{}));
        }
    }
    template <int Vectors>
    void part(const float* sums, const char* head, std::ptrdiff_t row, std::ptrdiff_t channel,
              std::ptrdiff_t count) const noexcept {
        const std::ptrdiff_t at = row * stride + channel;
        simd::for_each_vector<lanes32>(
            count, [&](std::ptrdiff_t c, auto some) __attribute__((always_inline)) {
                simd::store(output + at + c, value(simd::load(sums + c), head, c, at, some), some);
            });
    }

  private:
    template <class Some>
    MOTE_ALWAYS_INLINE simd::F32 value(simd::F32 sum, const char* head, std::ptrdiff_t c, std::ptrdiff_t at,
                                       Some some) const noexcept {
        using simd::F32;
        F32 y = simd::clamp(sum + simd::load(reinterpret_cast<const float*>(head) + c), F32(lo), F32(hi));
        if (residual == nullptr) return y;
        return simd::clamp(y + simd::load(residual + at + c, some), F32(residual_lo), F32(residual_hi));
    }
};

/// C = sum, or C += sum.
struct FinishGemm {
    static constexpr bool in_registers = true;
    float* c;
    std::ptrdiff_t stride;
    std::ptrdiff_t channels;
    bool accumulate;

    template <int Vectors>
    MOTE_ALWAYS_INLINE void whole(const simd::F32* sum, const char*, std::ptrdiff_t row,
                                  std::ptrdiff_t channel) const noexcept {
        float* to = c + row * stride + channel;
        MOTE_UNROLL for (int v = 0; v < Vectors; ++v) {
            simd::store(to + v * lanes32, accumulate ? sum[v] + simd::load(to + v * lanes32) : sum[v]);
        }
    }
    template <int Vectors>
    void part(const float* sums, const char*, std::ptrdiff_t row, std::ptrdiff_t channel, std::ptrdiff_t count) const noexcept {
        float* to = c + row * stride + channel;
        simd::for_each_vector<lanes32>(
            count, [&](std::ptrdiff_t j, auto some) __attribute__((always_inline)) {
                const simd::F32 sum = simd::load(sums + j);
                simd::store(to + j, accumulate ? sum + simd::load(to + j, some) : sum, some);
            });
    }
};

/// AddI8 of an output far finer than what it adds: one by one.
template <class Lazy = void>
simd::I16 add_wide(const AddI8& p, simd::I16 a, simd::I16 b) noexcept {
    std::int8_t x[simd::lanes16], y[simd::lanes16];
    simd::store_bytes(x, a);
    simd::store_bytes(y, b);
    for (std::ptrdiff_t i = 0; i < simd::lanes16; ++i) x[i] = add_value(p, x[i], y[i]);
    return simd::load_bytes(x);
}

/// RequantizeI8 of sum + bias, with a residual AddI8. Panels hold their channels in split order, pair of vectors by pair; a
/// panel of one vector in the natural order.
struct FinishI8 {
    /// With 16 registers GCC would keep some sums in memory while they are summed, for want of room here.
    static constexpr bool in_registers = simd::registers >= 32;
    RequantizeLanes requantize;
    const AddLanes& add;
    const AddI8* wide_add;        ///< null where AddLanes will do
    const std::int8_t* residual;  ///< of the first row and channel, or null
    std::int8_t* output;
    std::ptrdiff_t stride;
    std::ptrdiff_t channels;

    void move(std::ptrdiff_t channel, std::ptrdiff_t count) noexcept {
        if (residual != nullptr) residual += channel;
        output += channel;
        channels = count;
    }
    template <int Vectors>
    MOTE_ALWAYS_INLINE void whole(const simd::I32* sum, const char* head, std::ptrdiff_t row,
                                  std::ptrdiff_t channel) const noexcept {
        const std::ptrdiff_t at = row * stride + channel;
        if constexpr (Vectors == 1) {
            store_bytes(at, one<Vectors>(sum[0], head, 0), lanes32);
        } else {
            MOTE_UNROLL for (int v = 0; v < Vectors; v += 2) {
                store_bytes(at + v * lanes32, two<Vectors>({sum[v], sum[v + 1]}, head, v), simd::Whole{});
            }
        }
    }
    template <int Vectors>
    void part(const std::int32_t* sums, const char* head, std::ptrdiff_t row, std::ptrdiff_t channel,
              std::ptrdiff_t count) const noexcept {
        const std::ptrdiff_t at = row * stride + channel;
        if constexpr (Vectors == 1) {
            store_bytes(at, one<Vectors>(simd::load(sums), head, 0), count);
        } else {
            for (int v = 0; v * lanes32 < count; v += 2) {
                const std::ptrdiff_t rest = count - v * lanes32;
                store_bytes(at + v * lanes32,
                            two<Vectors>({simd::load(sums + v * lanes32), simd::load(sums + (v + 1) * lanes32)}, head, v),
                            rest < simd::lanes16 ? rest : simd::lanes16);
            }
        }
    }

  private:
    template <int Vectors>
    static MOTE_ALWAYS_INLINE simd::I32 bias(const char* head, int vector) noexcept {
        return simd::load(reinterpret_cast<const std::int32_t*>(head) + vector * lanes32);
    }
    template <int Vectors>
    static MOTE_ALWAYS_INLINE simd::F32 multiplier(const char* head, int vector) noexcept {
        return simd::load(reinterpret_cast<const float*>(head) + (Vectors + vector) * lanes32);
    }
    template <int Vectors>
    MOTE_ALWAYS_INLINE simd::I16 two(simd::I32x2 sum, const char* head, int v) const noexcept {
        return requantize({sum.lo + bias<Vectors>(head, v), sum.hi + bias<Vectors>(head, v + 1)}, multiplier<Vectors>(head, v),
                          multiplier<Vectors>(head, v + 1));
    }
    /// The second half of the lanes has no meaning.
    template <int Vectors>
    MOTE_ALWAYS_INLINE simd::I16 one(simd::I32 sum, const char* head, int v) const noexcept {
        return requantize.in_order(sum + bias<Vectors>(head, v), multiplier<Vectors>(head, v));
    }
    template <class Some>
    MOTE_ALWAYS_INLINE void store_bytes(std::ptrdiff_t at, simd::I16 q, Some some) const noexcept {
        if (residual != nullptr) {
            const simd::I16 other = simd::load_bytes(residual + at, some);
            q = wide_add != nullptr ? add_wide(*wide_add, q, other) : add(q, other);
        }
        simd::store_bytes(output + at, q, some);
    }
};

}  // namespace tiles

MOTE_END_KERNELS
