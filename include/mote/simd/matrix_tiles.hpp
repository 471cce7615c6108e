// SPDX-License-Identifier: MIT
#pragma once
// Matrix tiles (Intel AMX; Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 18): eight registers
// of up to 16 rows of 64 bytes. One instruction adds to a tile of sums [rows, 16 lanes] the products of a tile of activations
// [rows, taps] and one of weights [taps / group, 16 lanes of a group], in about a cycle a row: eight times what vectors
// multiply. The sums of bytes are exact; those of bf16 are f32, and denormals count as 0. A thread sets the shapes before it
// uses tiles, and releases them.

#include <mote/simd/vector.hpp>

#include <type_traits>

#if defined(MOTE_AMX)

MOTE_BEGIN_KERNELS

namespace simd {

/// Whether the system lets this process use tiles: Linux saves their registers only for who asks.
inline bool matrix_tiles_allowed() noexcept {
#if defined(__linux__)
    static const bool allowed = [] {
        constexpr long arch_prctl = 158, request_permission = 0x1023,
                       tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
        long result = arch_prctl;
        __asm__ volatile("syscall" : "+a"(result) : "D"(request_permission), "S"(tile_data) : "rcx", "r11", "memory");
        return result == 0;
    }();
    return allowed;
#else
    return false;
#endif
}

/// Tiles 0 ... 3 hold sums, 4 and 5 activations, 6 and 7 weights: of `rows` rows, `taps` bytes of taps in a row.
struct alignas(64) TileShapes {
    TileShapes(std::ptrdiff_t rows, std::ptrdiff_t taps) noexcept {
        for (int tile = 0; tile < 8; ++tile) {
            row_bytes[tile] = static_cast<std::uint16_t>(tile == 4 || tile == 5 ? taps : 64);
            tile_rows[tile] = static_cast<std::uint8_t>(tile < 6 ? rows : taps / 4);
        }
    }
    void set() const noexcept { __asm__ volatile("ldtilecfg %0" : : "m"(*this)); }
    static void release() noexcept { __asm__ volatile("tilerelease" : : : "memory"); }

    std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
    std::uint16_t row_bytes[16] = {};
    std::uint8_t tile_rows[16] = {};
};

/// Row r begins r * stride bytes behind the first.
template <int Tile>
MOTE_ALWAYS_INLINE void load_tile(const void* first, std::ptrdiff_t stride) noexcept {
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(first), "r"(stride), "i"(Tile) : "memory");
}
template <int Tile>
MOTE_ALWAYS_INLINE void store_tile(void* first, std::ptrdiff_t stride) noexcept {
    __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(first), "r"(stride), "i"(Tile) : "memory");
}
/// Adds to the sums the products: of signed bytes where sums are integers, else of bf16.
template <class Lane, int Sums, int Activations, int Weights>
MOTE_ALWAYS_INLINE void tile_dot() noexcept {
    if constexpr (std::is_integral_v<Lane>) {
        __asm__ volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(Sums), "i"(Activations), "i"(Weights));
    } else {
        __asm__ volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(Sums), "i"(Activations), "i"(Weights));
    }
}

}  // namespace simd

MOTE_END_KERNELS

#endif
