// SPDX-License-Identifier: MIT
#pragma once
// The peak of one core: loops of nothing but this instruction set's dot products, in registers.

#include <mote/simd/dot.hpp>

#include <type_traits>

MOTE_BEGIN_KERNELS

namespace peak {

#if defined(MOTE_NEON)
constexpr int chains = 16;
#else
constexpr int chains = 12;  // enough for two units whose latency is 4 or 5, and for the 16 registers of AVX2
#endif
constexpr int rounds = 1024;

/// The compiler knows nothing of the vector's value after this, which costs no instruction.
template <class Vector>
MOTE_ALWAYS_INLINE void hide(Vector& vector) noexcept {
    if constexpr (std::is_class_v<Vector>) {
        auto value = static_cast<typename Vector::register_type>(vector);
        hide(value);
        vector = value;
    } else {
#if defined(MOTE_NEON)
        __asm__ volatile("" : "+w"(vector));
#elif defined(MOTE_AVX512)
        __asm__ volatile("" : "+v"(vector));
#else
        __asm__ volatile("" : "+x"(vector));
#endif
    }
}

/// Multiplications and additions of one call of run<D>().
template <class D>
constexpr double operations() noexcept {
    return 2.0 * rounds * chains * static_cast<double>(simd::lanes32 * D::group);
}

/// Sums the product of one activation and one weight again and again, each chain for itself.
template <class D>
__attribute__((noinline)) void run() noexcept {
    alignas(64) static const typename D::Weight weights[64] = {};
    alignas(64) static const typename D::Activation activations[64] = {};
    auto weight = D::weights(weights);
    auto activation = D::activations(activations);
    hide(weight);  // else it is known to be zero
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
    MOTE_UNROLL for (int c = 0; c < chains; ++c) hide(sum[c]);
}

}  // namespace peak

MOTE_END_KERNELS
