// SPDX-License-Identifier: MIT
#pragma once
// What an f32 Lstm, Gru or Rnn (layers/recurrent.hpp has their equations) does in a step of one sample between the products:
// the gates, the candidate and the states, in one pass over the hidden units. The scalar definition; the pass is written once,
// on lanes that an instruction set brings.

#include <mote/kernels/elementwise.hpp>

MOTE_BEGIN_KERNELS

namespace cells {

/// Clips where there is a limit.
template <class Lanes, class V>
MOTE_ALWAYS_INLINE V activated(RecurrentFunction function, float limit, V x) noexcept {
    return Lanes::function(function, limit > 0.0f ? Lanes::clip(x, limit) : x);
}

/// Gate number `gate`: function(clip(z + q + more)), which stays in z.
template <class Lanes, class Some, class V>
MOTE_ALWAYS_INLINE V gate_of(const RecurrentCellF32& p, const RecurrentRunF32& s, std::ptrdiff_t gate, std::ptrdiff_t j,
                             Some some, RecurrentFunction function, V more) noexcept {
    const std::ptrdiff_t at = gate * p.hidden + j;
    const V value = activated<Lanes>(function, p.clip, V(Lanes::load(s.z + at, some) + more + Lanes::load(s.q + at, some)));
    Lanes::store(s.z + at, value, some);
    return value;
}

/// Of a Gru that resets before the candidate's product: the gates, and `reset`, which that product takes.
template <class Lanes>
void open(const RecurrentCellF32& p, const RecurrentRunF32& s) noexcept {
    using V = typename Lanes::V;
    Lanes::for_each(
        p.hidden, [&](std::ptrdiff_t j, auto some) __attribute__((always_inline)) {
            gate_of<Lanes>(p, s, 0, j, some, p.gate, V(0.0f));
            const V r = gate_of<Lanes>(p, s, 1, j, some, p.gate, V(0.0f));
            Lanes::store(s.reset + j, V(r * Lanes::load(s.h + j, some)), some);
        });
}

template <class Lanes>
void close_lstm(const RecurrentCellF32& p, const RecurrentRunF32& s) noexcept {
    using V = typename Lanes::V;
    Lanes::for_each(
        p.hidden, [&](std::ptrdiff_t j, auto some) __attribute__((always_inline)) {
            const auto peephole = [&](std::ptrdiff_t gate, V state) __attribute__((always_inline)) {
                return p.peephole == nullptr ? V(0.0f) : V(Lanes::load(p.peephole + gate * p.hidden + j, some) * state);
            };
            const V before = Lanes::load(s.c + j, some);
            const V i = gate_of<Lanes>(p, s, 0, j, some, p.gate, peephole(0, before));
            V f = V(1.0f) - i;
            if (p.coupled) {
                Lanes::store(s.z + p.hidden + j, f, some);
            } else {
                f = gate_of<Lanes>(p, s, 1, j, some, p.gate, peephole(1, before));
            }
            const V g = gate_of<Lanes>(p, s, 2, j, some, p.candidate, V(0.0f));
            V c = f * before + i * g;
            if (p.cell_clip > 0.0f) c = Lanes::clip(c, p.cell_clip);
            Lanes::store(s.c_next + j, c, some);
            const V o = gate_of<Lanes>(p, s, 3, j, some, p.gate, peephole(2, c));
            Lanes::store(s.h_next + j, V(Lanes::function(p.output, c) * o), some);
        });
}

template <class Lanes>
void close_gru(const RecurrentCellF32& p, const RecurrentRunF32& s) noexcept {
    using V = typename Lanes::V;
    Lanes::for_each(
        p.hidden, [&](std::ptrdiff_t j, auto some) __attribute__((always_inline)) {
            const std::ptrdiff_t at = 2 * std::ptrdiff_t{p.hidden} + j;
            V z, x = Lanes::load(s.z + at, some);
            if (p.reset_after) {
                z = gate_of<Lanes>(p, s, 0, j, some, p.gate, V(0.0f));
                const V r = gate_of<Lanes>(p, s, 1, j, some, p.gate, V(0.0f));
                x = x + r * Lanes::load(s.q + at, some);
            } else {
                z = Lanes::load(s.z + j, some);
                x = x + Lanes::load(s.candidate + j, some);
            }
            x = activated<Lanes>(p.candidate, p.clip, x);
            Lanes::store(s.z + at, x, some);
            Lanes::store(s.h_next + j, V((V(1.0f) - z) * x + z * Lanes::load(s.h + j, some)), some);
        });
}

/// The step; of a Gru that resets before the candidate's product what follows that product.
template <class Lanes>
void close(const RecurrentCellF32& p, const RecurrentRunF32& s) noexcept {
    if (p.cell == Cell::lstm) return close_lstm<Lanes>(p, s);
    if (p.cell == Cell::gru) return close_gru<Lanes>(p, s);
    using V = typename Lanes::V;
    Lanes::for_each(
        p.hidden, [&](std::ptrdiff_t j, auto some) __attribute__((always_inline)) {
            Lanes::store(s.h_next + j, gate_of<Lanes>(p, s, 0, j, some, p.candidate, V(0.0f)), some);
        });
}

}  // namespace cells

namespace reference {

/// A lane, with the functions of C.
struct ScalarLanes {
    using V = float;
    struct One {};
    template <class Visit>
    static void for_each(std::ptrdiff_t count, const Visit& visit) noexcept {
        for (std::ptrdiff_t j = 0; j < count; ++j) visit(j, One{});
    }
    static float load(const float* p, One) noexcept { return *p; }
    static void store(float* p, float x, One) noexcept { *p = x; }
    static float clip(float x, float limit) noexcept { return clamped(x, -limit, limit); }
    static float function(RecurrentFunction function, float x) noexcept {
        switch (function) {
            case RecurrentFunction::identity:
                break;
            case RecurrentFunction::relu:
                return clamped(x, 0.0f, __builtin_huge_valf());
            case RecurrentFunction::sigmoid:
                return unary_value({UnaryKernel::sigmoid}, x);
            case RecurrentFunction::tanh:
                return unary_value({UnaryKernel::tanh}, x);
            case RecurrentFunction::hard_sigmoid:
                return clamped(0.2f * x + 0.5f, 0.0f, 1.0f);
            case RecurrentFunction::softsign:
                return x / (1.0f + mote::detail::magnitude(x));
            case RecurrentFunction::softplus:
                return mote::detail::softplus(x);
        }
        return x;
    }
};

inline void open_cell_f32(const RecurrentCellF32& cell, const RecurrentRunF32& run) noexcept {
    cells::open<ScalarLanes>(cell, run);
}
inline void close_cell_f32(const RecurrentCellF32& cell, const RecurrentRunF32& run) noexcept {
    cells::close<ScalarLanes>(cell, run);
}

}  // namespace reference

MOTE_END_KERNELS
