// SPDX-License-Identifier: MIT
#pragma once
// A recurrent layer's step between its products, on vectors of hidden units (contract and definition:
// kernels/recurrent_cell.hpp). All gates of a vector of units are made at once, so that each number is loaded and stored once.

#include <mote/kernels/recurrent_cell.hpp>
#include <mote/simd/math.hpp>

MOTE_BEGIN_KERNELS

namespace cells {

struct VectorLanes {
    using V = simd::F32;
    template <class Visit>
    static MOTE_ALWAYS_INLINE void for_each(std::ptrdiff_t count, const Visit& visit) noexcept {
        simd::for_each_vector<simd::lanes32>(count, visit);
    }
    template <class Some>
    static MOTE_ALWAYS_INLINE V load(const float* p, Some some) noexcept {
        return simd::load(p, some);
    }
    template <class Some>
    static MOTE_ALWAYS_INLINE void store(float* p, V x, Some some) noexcept {
        simd::store(p, x, some);
    }
    static MOTE_ALWAYS_INLINE V clip(V x, float limit) noexcept { return simd::clamp(x, V(-limit), V(limit)); }
    static MOTE_ALWAYS_INLINE V function(RecurrentFunction function, V x) noexcept {
        if (function == RecurrentFunction::sigmoid) return simd::sigmoid(x);
        if (function == RecurrentFunction::tanh) return simd::tanh(x);
        return function == RecurrentFunction::identity ? x : rare(function, x);
    }
    /// Not inlined: it would stand in every gate.
    [[gnu::noinline]] static V rare(RecurrentFunction function, V x) noexcept {
        if (function == RecurrentFunction::relu) return simd::greatest(x, V(0.0f));
        if (function == RecurrentFunction::hard_sigmoid) return simd::clamp(simd::fma(x, V(0.2f), V(0.5f)), V(0.0f), V(1.0f));
        float lane[simd::lanes32];
        simd::store(lane, x);
        for (float& value : lane) value = reference::ScalarLanes::function(function, value);
        return simd::load(lane);
    }
};

}  // namespace cells

template <class Lazy = void>
void open_cell_f32(const RecurrentCellF32& cell, const RecurrentRunF32& run) noexcept {
    cells::open<cells::VectorLanes>(cell, run);
}
template <class Lazy = void>
void close_cell_f32(const RecurrentCellF32& cell, const RecurrentRunF32& run) noexcept {
    cells::close<cells::VectorLanes>(cell, run);
}

MOTE_END_KERNELS
