// SPDX-License-Identifier: MIT
#pragma once
// What one core can do at most: loops of nothing but this instruction set's dot products, in registers, and of nothing but
// loads.

#include <mote/simd/dot.hpp>
#include <mote/simd/matrix_tiles.hpp>

#include <type_traits>

MOTE_BEGIN_KERNELS

namespace simd {

namespace peak {

#if defined(MOTE_NEON)
constexpr int chains = 16;
#else
constexpr int chains = 12;  // enough for two units whose latency is 4 or 5, and for the 16 registers of AVX2
#endif
constexpr int rounds = 4096;  // what stands around the loop takes a thousandth of it

/// The compiler knows nothing of the vector's value after this, which costs no instruction.
template <class Vector>
MOTE_ALWAYS_INLINE void hide(Vector& vector) noexcept {
    if constexpr (std::is_class_v<Vector>) {
        auto value = static_cast<typename Vector::register_type>(vector);
        hide(value);
        vector = value;
    } else {
        __asm__ volatile("" : "+" MOTE_DETAIL_VECTOR_REGISTER(vector));
    }
}

/// Whether matrix tiles multiply what D does.
template <class D>
bool in_tiles() noexcept {
#if defined(MOTE_AMX)
    return std::is_same_v<D, DotI8> && matrix_tiles_allowed();
#else
    return false;
#endif
}

/// Multiplications and additions of one call of run<D>().
template <class D>
double operations() noexcept {
    if (in_tiles<D>()) return 2.0 * rounds * 4 * 16 * 16 * 64;
    return 2.0 * rounds * chains * static_cast<double>(lanes32 * D::group);
}

/// What spreads as an activation of 1 (of bytes, some are shifted then).
template <class D>
constexpr typename D::Activation one() noexcept {
    if constexpr (std::is_integral_v<typename D::Lane>) {
        return static_cast<typename D::Activation>(1 - D::offset);
    } else {
        return 1;
    }
}

#if defined(MOTE_AMX)
/// run() in matrix tiles.
inline double run_tiles() noexcept {
    alignas(64) std::int8_t ones[16 * 64];
    for (std::int8_t& x : ones) x = 1;
    alignas(64) std::int32_t sums[4 * 16 * 16] = {};
    TileShapes(16, 64).set();
    load_tile<0>(sums, 64), load_tile<1>(sums, 64), load_tile<2>(sums, 64), load_tile<3>(sums, 64);
    load_tile<4>(ones, 64), load_tile<5>(ones, 64), load_tile<6>(ones, 64), load_tile<7>(ones, 64);
    for (int i = 0; i < rounds; ++i) {
        tile_dot<std::int32_t, 0, 4, 6>(), tile_dot<std::int32_t, 1, 4, 7>(), tile_dot<std::int32_t, 2, 5, 6>(),
            tile_dot<std::int32_t, 3, 5, 7>();
    }
    store_tile<0>(sums, 64), store_tile<1>(sums + 256, 64), store_tile<2>(sums + 512, 64), store_tile<3>(sums + 768, 64);
    TileShapes::release();
    double all = 0.0;
    for (const std::int32_t sum : sums) all += sum;
    return all;
}
#endif

/// Sums products of one activation and one weight, both 1, again and again, each chain for itself; returns the sum of all
/// lanes of all chains, which is half of operations<D>().
template <class D>
__attribute__((noinline)) double run() noexcept {
#if defined(MOTE_AMX)
    if (in_tiles<D>()) return run_tiles();
#endif
    alignas(64) typename D::Weight weights[64];
    alignas(64) typename D::Activation activations[64];
    for (typename D::Weight& x : weights) x = 1;
    for (typename D::Activation& x : activations) x = one<D>();
    auto weight = D::weights(weights);
    auto activation = D::activations(activations);
    hide(weight);  // else it is known to be one
    typename D::Sum sum[chains];
    MOTE_UNROLL for (int c = 0; c < chains; ++c) {
        sum[c] = typename D::Sum(typename D::Lane{0});
        hide(sum[c]);  // else the chains are one
    }
    for (int i = 0; i < rounds; ++i) {
        MOTE_UNROLL for (int c = 0; c < chains; ++c) {
            hide(activation);  // else the product is taken out of the loop
            sum[c] = D::dot(sum[c], activation, weight);
        }
    }
    MOTE_UNROLL for (int c = 0; c < chains; ++c) hide(sum[c]);  // else they are left out where nobody looks at the result
    MOTE_UNROLL for (int c = 1; c < chains; ++c) sum[0] = sum[0] + sum[c];
    typename D::Lane lanes[lanes32];
    sum[0].store_unaligned(lanes);
    double all = 0.0;
    for (const typename D::Lane lane : lanes) all += static_cast<double>(lane);
    return all;
}

/// read() takes multiples of so many bytes.
constexpr std::size_t read_bytes = 1024;

/// Loads every word of `bytes` bytes, which are 64-byte aligned, once; returns their exclusive or.
__attribute__((noinline)) inline std::int32_t read(const std::int32_t* words, std::size_t bytes) noexcept {
    constexpr std::ptrdiff_t vectors = 8;
    I32 sum[vectors];
    MOTE_UNROLL for (I32& s : sum) s = I32(0);
    for (std::size_t at = 0; at < bytes; at += sizeof sum) {
        MOTE_UNROLL for (std::ptrdiff_t v = 0; v < vectors; ++v) sum[v] = sum[v] ^ I32::load_aligned(words + v * lanes32);
        words += vectors * lanes32;
    }
    MOTE_UNROLL for (I32& s : sum) hide(s);
    MOTE_UNROLL for (std::ptrdiff_t v = 1; v < vectors; ++v) sum[0] = sum[0] ^ sum[v];
    std::int32_t lanes[lanes32];
    sum[0].store_unaligned(lanes);
    std::int32_t all = 0;
    for (const std::int32_t lane : lanes) all ^= lane;
    return all;
}

}  // namespace peak

}  // namespace simd

MOTE_END_KERNELS
