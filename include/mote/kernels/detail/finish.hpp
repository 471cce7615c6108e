// SPDX-License-Identifier: MIT
#pragma once
// What becomes of a tile's sums: outputs of a convolution in floats and int8, and of a GEMM. A sum begins with initial(), of
// the panel's head (the bias; of bytes the multipliers follow it). whole<V>() takes the V vectors of a row that lie in
// registers; part<V>() takes them from memory, of a panel that is not full. Both write at `at` elements from of_tile()'s. add()
// comes when all rows of some panels are done.

#include <mote/kernels/elementwise_simd.hpp>
#include <mote/simd/half.hpp>

MOTE_BEGIN_KERNELS

namespace tiles {

using simd::lanes32;
constexpr std::ptrdiff_t panel_channels = simd::tile_vectors * lanes32;

/// y = clamp(sum, lo, hi), with a residual clamp(y + residual, residual_lo, residual_hi), as float, half or bfloat.
template <class T>
struct FinishFloat {
    static constexpr bool in_registers = true;
    static constexpr bool joins_rows = false;                     ///< whether rows() finishes several at once
    static constexpr bool few_constants = simd::registers >= 32;  ///< whether they have registers beside the sums
    float lo, hi, residual_lo, residual_hi;
    const T* residual;        ///< of the first row and channel, or null
    T* output;                ///< of the first row and channel
    std::ptrdiff_t stride;    ///< elements from row to row
    std::ptrdiff_t channels;  ///< of all panels

    /// From now on for `count` channels from `channel` on.
    void move(std::ptrdiff_t channel, std::ptrdiff_t count) noexcept {
        if (residual != nullptr) residual += channel;
        output += channel;
        channels = count;
    }
    /// This, beginning with a tile's first row and channel. `sums` are the tile's, `sums_stride` from row to row.
    FinishFloat of_tile(std::ptrdiff_t row, std::ptrdiff_t channel, float*, std::ptrdiff_t) const noexcept {
        FinishFloat result = *this;
        if (residual != nullptr) result.residual += row * stride + channel;
        result.output += row * stride + channel;
        result.channels -= channel;
        return result;
    }
    static MOTE_ALWAYS_INLINE simd::F32 initial(const char* head, int vector) noexcept {
        return simd::load(reinterpret_cast<const float*>(head) + vector * lanes32);
    }
    template <int Vectors>
    MOTE_ALWAYS_INLINE void whole(const simd::F32* sum, const char*, std::ptrdiff_t at) const noexcept {
        MOTE_UNROLL for (int v = 0; v < Vectors; ++v) {
            simd::store(output + at + v * lanes32, value(sum[v], at + v * lanes32, simd::Whole{}));
        }
    }
    template <int Vectors>
    void part(const float* sums, const char*, std::ptrdiff_t at, std::ptrdiff_t count) const noexcept {
        simd::for_each_vector<lanes32>(
            count, [&](std::ptrdiff_t c, auto some) __attribute__((always_inline)) {
                simd::store(output + at + c, value(simd::load(sums + c), at + c, some), some);
            });
    }
    void add(std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t, const float*, std::ptrdiff_t) const noexcept {}

    /// Makes `count` rows of a panel's sums, which lie panel_channels apart, outputs, from this row and channel on.
    template <int Vectors>
    void run(const char* head, const float* sums, std::ptrdiff_t count, std::ptrdiff_t row,
             std::ptrdiff_t channel) const noexcept {
        const FinishFloat of_rows = of_tile(row, channel, nullptr, 0);
        const std::ptrdiff_t some = of_rows.channels < Vectors * lanes32 ? of_rows.channels : Vectors * lanes32;
        for (std::ptrdiff_t r = 0; r < count; ++r) {
            of_rows.template part<Vectors>(sums + r * panel_channels, head, r * stride, some);
        }
    }

  private:
    template <class Some>
    MOTE_ALWAYS_INLINE simd::F32 value(simd::F32 sum, std::ptrdiff_t at, Some some) const noexcept {
        using simd::F32;
        const F32 y = simd::clamp(sum, F32(lo), F32(hi));
        if (residual == nullptr) return y;
        return simd::clamp(y + simd::load(residual + at, some), F32(residual_lo), F32(residual_hi));
    }
};
using FinishF32 = FinishFloat<float>;

/// C = sum, or C += sum.
struct FinishGemm {
    static constexpr bool in_registers = true;
    static constexpr bool joins_rows = false;
    static constexpr bool few_constants = simd::registers >= 32;
    float* c;
    std::ptrdiff_t stride;
    std::ptrdiff_t channels;
    bool accumulate;

    FinishGemm of_tile(std::ptrdiff_t row, std::ptrdiff_t channel, float*, std::ptrdiff_t) const noexcept {
        return {c + row * stride + channel, stride, channels - channel, accumulate};
    }
    static MOTE_ALWAYS_INLINE simd::F32 initial(const char*, int) noexcept { return simd::F32(0.0f); }
    template <int Vectors>
    MOTE_ALWAYS_INLINE void whole(const simd::F32* sum, const char*, std::ptrdiff_t at) const noexcept {
        MOTE_UNROLL for (int v = 0; v < Vectors; ++v) {
            float* to = c + at + v * lanes32;
            simd::store(to, accumulate ? sum[v] + simd::load(to) : sum[v]);
        }
    }
    template <int Vectors>
    void part(const float* sums, const char*, std::ptrdiff_t at, std::ptrdiff_t count) const noexcept {
        simd::for_each_vector<lanes32>(
            count, [&](std::ptrdiff_t j, auto some) __attribute__((always_inline)) {
                const simd::F32 sum = simd::load(sums + j);
                simd::store(c + at + j, accumulate ? sum + simd::load(c + at + j, some) : sum, some);
            });
    }
    void add(std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t, const float*, std::ptrdiff_t) const noexcept {}
};

#if !defined(MOTE_NEON)  // which has detail/neon/strips.hpp
/// RequantizeI8 of a sum. Panels hold their channels in split order, pair of vectors by pair; a panel of one vector in the
/// natural order. Where there is a residual the bytes take their sums' place first, and a loop of its own, with the registers
/// to itself, adds what they meet (AddI8).
struct FinishI8 {
    /// With 16 registers GCC would keep some sums in memory while they are summed, for want of room here.
    static constexpr bool in_registers = simd::registers >= 32;
    static constexpr bool few_constants = false;
    RequantizeLanes requantize;
    AddI8 residual_add;
    const std::int8_t* residual;  ///< of the first row and channel, or null
    std::int8_t* output;
    std::ptrdiff_t stride;
    std::ptrdiff_t channels;

    void move(std::ptrdiff_t channel, std::ptrdiff_t count) noexcept {
        if (residual != nullptr) residual += channel;
        output += channel;
        channels = count;
    }
    struct OfTile {
        RequantizeLanes requantize;
        std::int8_t* output;
        std::ptrdiff_t stride, channels;

        template <int Vectors>
        MOTE_ALWAYS_INLINE void whole(const simd::I32* sum, const char* head, std::ptrdiff_t at) const noexcept {
            if constexpr (Vectors == 1) {
                simd::store_bytes(output + at, one<Vectors>(sum[0], head), lanes32);
            } else {
                MOTE_UNROLL for (int v = 0; v < Vectors; v += 2) {
                    simd::store_bytes(output + at + v * lanes32, two<Vectors>({sum[v], sum[v + 1]}, head, v));
                }
            }
        }
        template <int Vectors>
        void part(const std::int32_t* sums, const char* head, std::ptrdiff_t at, std::ptrdiff_t count) const noexcept {
            if constexpr (Vectors == 1) {
                simd::store_bytes(output + at, one<Vectors>(simd::load(sums), head), count);
            } else {
                for (int v = 0; v * lanes32 < count; v += 2) {
                    const std::ptrdiff_t rest = count - v * lanes32;
                    simd::store_bytes(
                        output + at + v * lanes32,
                        two<Vectors>({simd::load(sums + v * lanes32), simd::load(sums + (v + 1) * lanes32)}, head, v),
                        rest < simd::lanes16 ? rest : simd::lanes16);
                }
            }
        }

#if !defined(MOTE_AVX512)
        static constexpr bool joins_rows = false;
#else
        static constexpr bool joins_rows = true;
        /// `Rows` rows of one or two vectors, of sums that lie `Columns` vectors apart.
        template <int Rows, int Vectors, int Columns>
        MOTE_ALWAYS_INLINE void rows(const simd::I32* sum, const char* head, std::ptrdiff_t at) const noexcept {
            static_assert(Vectors <= 2);
            constexpr int together = 4 / Vectors, whole_rows = Rows / together * together;
            const simd::F32 first = multiplier<Vectors>(head, 0), second = multiplier<Vectors>(head, Vectors - 1);
            MOTE_UNROLL for (int r = 0; r < whole_rows; r += together) {
                std::int8_t* to = output + at + r * stride;
                const simd::I32* s = sum + r * Columns;
                if constexpr (Vectors == 2) {
                    simd::store_two_rows(to, stride,
                                         requantize({s[0], s[1]}, {s[Columns], s[Columns + 1]}, first, second, first, second));
                } else {
                    simd::store_four_rows(
                        to, stride,
                        requantize({s[0], s[Columns]}, {s[2 * Columns], s[3 * Columns]}, first, first, first, first));
                }
            }
            MOTE_UNROLL for (int r = whole_rows; r < Rows; ++r) whole<Vectors>(sum + r * Columns, head, at + r * stride);
        }
#endif

      private:
        template <int Vectors>
        static MOTE_ALWAYS_INLINE simd::F32 multiplier(const char* head, int vector) noexcept {
            return simd::load(reinterpret_cast<const float*>(head) + (Vectors + vector) * lanes32);
        }
        template <int Vectors>
        MOTE_ALWAYS_INLINE simd::I16 two(simd::I32x2 sum, const char* head, int v) const noexcept {
            return requantize(sum, multiplier<Vectors>(head, v), multiplier<Vectors>(head, v + 1));
        }
        /// The second half of the lanes has no meaning.
        template <int Vectors>
        MOTE_ALWAYS_INLINE simd::I16 one(simd::I32 sum, const char* head) const noexcept {
            return requantize.in_order(sum, multiplier<Vectors>(head, 0));
        }
    };
    OfTile of_tile(std::ptrdiff_t row, std::ptrdiff_t channel, std::int32_t* sums, std::ptrdiff_t sums_stride) const noexcept {
        if (residual == nullptr) return {requantize, output + row * stride + channel, stride, channels - channel};
        return {requantize, reinterpret_cast<std::int8_t*>(sums), sums_stride * 4, channels - channel};
    }
    static MOTE_ALWAYS_INLINE simd::I32 initial(const char* head, int vector) noexcept {
        return simd::load(reinterpret_cast<const std::int32_t*>(head) + vector * lanes32);
    }
    /// The residual of `rows` rows and up to `count` channels.
    void add(std::ptrdiff_t row, std::ptrdiff_t channel, std::ptrdiff_t rows, std::ptrdiff_t count, const std::int32_t* sums,
             std::ptrdiff_t sums_stride) const noexcept {
        if (residual == nullptr) return;
        count = count < channels - channel ? count : channels - channel;
        const std::int8_t* q = reinterpret_cast<const std::int8_t*>(sums);
        const std::int8_t* other = residual + row * stride + channel;
        std::int8_t* to = output + row * stride + channel;
        with_add_lanes(residual_add, [&](const auto& lanes) {
            for (std::ptrdiff_t r = 0; r < rows; ++r, q += sums_stride * 4, other += stride, to += stride) {
                elementwise::map(static_cast<std::size_t>(count), q, other, to, lanes);
            }
        });
    }
};
#endif

}  // namespace tiles

MOTE_END_KERNELS
