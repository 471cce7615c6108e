// SPDX-License-Identifier: MIT
#pragma once
// ByteTable: 256 bytes from which a vector of bytes is looked up in registers, where the instruction set can.

#include <mote/simd/vector.hpp>

MOTE_BEGIN_KERNELS

namespace simd {

#if defined(MOTE_AVX512BF16)
#define MOTE_BYTE_TABLE 1
/// A permutation looks the low seven bits up in each half of the table; the sign chooses.
class ByteTable {
  public:
    static constexpr std::ptrdiff_t bytes = 64;

    /// The entry for q stands at q + 128.
    MOTE_ALWAYS_INLINE explicit ByteTable(const std::int8_t* table) noexcept {
        for (int i = 0; i < 4; ++i) rows_[i] = _mm512_loadu_si512(table + 64 * i);
    }
    MOTE_ALWAYS_INLINE void operator()(const std::int8_t* from, std::int8_t* to) const noexcept {
        const __m512i x = _mm512_loadu_si512(from);
        const __m512i negative = _mm512_permutex2var_epi8(rows_[0], x, rows_[1]);
        const __m512i positive = _mm512_permutex2var_epi8(rows_[2], x, rows_[3]);
        _mm512_storeu_si512(to, _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), positive, negative));
    }

  private:
    __m512i rows_[4];
};

#elif defined(MOTE_AVX2) || defined(MOTE_AVX512)
#define MOTE_BYTE_TABLE 1
/// 16 shuffles look the low half byte up in each row of 16, and the bits of the high half choose between them pair by pair.
class ByteTable {
  public:
    static constexpr std::ptrdiff_t bytes = 32;

    /// The entry for q stands at q + 128.
    MOTE_ALWAYS_INLINE explicit ByteTable(const std::int8_t* table) noexcept {
        for (int i = 0; i < 16; ++i) {  // row i serves the bytes whose high half is i
            const std::int8_t* row = table + (i < 8 ? 128 + 16 * i : 16 * (i - 8));
            rows_[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row)));
        }
    }
    MOTE_ALWAYS_INLINE void operator()(const std::int8_t* from, std::int8_t* to) const noexcept {
        const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
        const __m256i low = _mm256_and_si256(x, _mm256_set1_epi8(15));
        // A blend is steered by bit 7 of each byte.
        const __m256i bit4 = _mm256_slli_epi16(x, 3), bit5 = _mm256_slli_epi16(x, 2), bit6 = _mm256_slli_epi16(x, 1);
        __m256i quarter[4];
        for (int i = 0; i < 4; ++i) {
            const __m256i lower =
                _mm256_blendv_epi8(_mm256_shuffle_epi8(rows_[4 * i], low), _mm256_shuffle_epi8(rows_[4 * i + 1], low), bit4);
            const __m256i upper = _mm256_blendv_epi8(_mm256_shuffle_epi8(rows_[4 * i + 2], low),
                                                     _mm256_shuffle_epi8(rows_[4 * i + 3], low), bit4);
            quarter[i] = _mm256_blendv_epi8(lower, upper, bit5);
        }
        const __m256i positive = _mm256_blendv_epi8(quarter[0], quarter[1], bit6);
        const __m256i negative = _mm256_blendv_epi8(quarter[2], quarter[3], bit6);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_blendv_epi8(positive, negative, x));
    }

  private:
    __m256i rows_[16];
};

#elif defined(MOTE_NEON)
#define MOTE_BYTE_TABLE 1
/// Four lookups in 64 bytes each; an index beyond leaves what is there.
class ByteTable {
  public:
    static constexpr std::ptrdiff_t bytes = 16;

    /// The entry for q stands at q + 128.
    MOTE_ALWAYS_INLINE explicit ByteTable(const std::int8_t* table) noexcept {
        for (int i = 0; i < 4; ++i) {
            for (int j = 0; j < 4; ++j) rows_[i].val[j] = vld1q_s8(table + 64 * i + 16 * j);
        }
    }
    MOTE_ALWAYS_INLINE void operator()(const std::int8_t* from, std::int8_t* to) const noexcept {
        uint8x16_t index = veorq_u8(vreinterpretq_u8_s8(vld1q_s8(from)), vdupq_n_u8(128));
        int8x16_t result = vqtbl4q_s8(rows_[0], index);
        for (int i = 1; i < 4; ++i) {
            index = vsubq_u8(index, vdupq_n_u8(64));
            result = vqtbx4q_s8(result, rows_[i], index);
        }
        vst1q_s8(to, result);
    }

  private:
    int8x16x4_t rows_[4];
};
#endif

}  // namespace simd

MOTE_END_KERNELS
