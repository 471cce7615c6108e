// SPDX-License-Identifier: MIT
#pragma once
// Recurrent layers of bytes, one step of one sample at a time: the scalar definitions. All sums and products are exact, each
// result is rounded once, half to even; nothing depends on a math library.

#include <mote/kernels/requantize.hpp>

#include <cstddef>

MOTE_BEGIN_NAMESPACE

/// An LSTM's constants (Lstm<i8> in layers/recurrent.hpp): rows i, f, g, o of `hidden` each.
///   gate  = saturate16(round((a * input_multiplier + b * recurrent_multiplier) / 2^gate_shift)), 12 fractional bits, with
///           a = bias + sum(weight * x) and b = recurrent_bias + sum(recurrent * h): the zero points are in the biases
///   c'    = clamp(round((f * c * 2^(15 - cell_bits) + i * g) / 2^(30 - cell_bits)), cell_lo, cell_hi), where sigmoid and tanh
///   have
///           15 fractional bits
///   h'    = clamp(zero_point + round(o * tanh(c') * hidden_multiplier / 2^hidden_shift), -128, 127)
struct LstmI8 {
    std::int32_t in = 0, hidden = 0;
    const std::int8_t* weight = nullptr;     ///< [4 * hidden, in]
    const std::int8_t* recurrent = nullptr;  ///< [4 * hidden, hidden]
    const std::int32_t* bias = nullptr;      ///< [4 * hidden]
    const std::int32_t* recurrent_bias = nullptr;
    const std::int32_t* input_multiplier = nullptr;  ///< [4 * hidden]
    const std::int32_t* recurrent_multiplier = nullptr;
    std::int32_t gate_shift = 1;
    const std::int16_t* table = nullptr;  ///< [2, 1025]: sigmoid, tanh at -8, -8 + 1 / 64 ... 8
    std::int32_t cell_bits = 0;
    std::int32_t cell_lo = -32768, cell_hi = 32767;
    std::int32_t hidden_multiplier = 0;
    std::int32_t hidden_shift = 1;
    std::int32_t zero_point = 0;
};

/// An SVDF's constants (Svdf<i8>): state = clamp(round(sum(feature * (x - input_zero_point)) * multiplier[0] / 2^shift[0])),
/// and y = clamp(zero_point + round((bias + sum(time * state)) * multiplier[1] / 2^shift[1]), -128, 127).
struct SvdfI8 {
    std::int32_t in = 0, units = 0, rank = 1, memory = 0;
    const std::int8_t* feature = nullptr;  ///< [units * rank, in]
    const std::int16_t* time = nullptr;    ///< [units * rank, memory]
    const std::int32_t* bias = nullptr;    ///< [units]
    std::int32_t input_zero_point = 0, zero_point = 0;
    std::int32_t multiplier[2] = {}, shift[2] = {1, 1};
    std::int32_t state_lo = -32768, state_hi = 32767;
};

MOTE_END_NAMESPACE

MOTE_BEGIN_KERNELS

namespace reference {

MOTE_ALWAYS_INLINE std::int16_t saturate_i16(std::int64_t x, std::int32_t lo = -32768, std::int32_t hi = 32767) noexcept {
    return static_cast<std::int16_t>(x < lo ? lo : x > hi ? hi : x);
}

/// The function whose 1025 values at -8, -8 + 1 / 64 ... 8 the table holds, of x with 12 fractional bits; linear between.
MOTE_ALWAYS_INLINE std::int32_t interpolate_i16(const std::int16_t* table, std::int32_t x) noexcept {
    const std::int32_t at = (x + 32768) >> 6;
    const std::int32_t rest = (x + 32768) & 63;
    return static_cast<std::int32_t>(
        round_shift(std::int64_t{table[at]} * (64 - rest) + std::int64_t{table[at + 1]} * rest, 6));
}

/// sum(w * x) over `count` bytes.
MOTE_ALWAYS_INLINE std::int32_t dot_i8(std::int32_t count, const std::int8_t* w, const std::int8_t* x) noexcept {
    std::int32_t sum = 0;
    for (std::int32_t k = 0; k < count; ++k) sum += std::int32_t{w[k]} * x[k];
    return sum;
}

/// One step: x [in], the states h [hidden] and c [hidden] are overwritten; `gates` is scratch [4 * hidden].
inline void lstm_i8(const LstmI8& p, const std::int8_t* x, std::int8_t* h, std::int16_t* c, std::int16_t* gates) noexcept {
    for (std::int32_t row = 0; row < 4 * p.hidden; ++row) {
        const std::int64_t a = p.bias[row] + dot_i8(p.in, p.weight + std::ptrdiff_t{row} * p.in, x);
        const std::int64_t b = p.recurrent_bias[row] + dot_i8(p.hidden, p.recurrent + std::ptrdiff_t{row} * p.hidden, h);
        const std::int16_t gate =
            saturate_i16(round_shift(a * p.input_multiplier[row] + b * p.recurrent_multiplier[row], p.gate_shift));
        const bool is_candidate = row / p.hidden == 2;
        gates[row] = static_cast<std::int16_t>(interpolate_i16(p.table + (is_candidate ? 1025 : 0), gate));
    }
    for (std::int32_t j = 0; j < p.hidden; ++j) {
        const std::int64_t i = gates[j], f = gates[p.hidden + j], g = gates[2 * p.hidden + j], o = gates[3 * p.hidden + j];
        const std::int64_t sum = f * c[j] * (std::int64_t{1} << (15 - p.cell_bits)) + i * g;
        c[j] = saturate_i16(round_shift(sum, 30 - p.cell_bits), p.cell_lo, p.cell_hi);
        const std::int64_t twelve =
            p.cell_bits > 12 ? round_shift(c[j], p.cell_bits - 12) : c[j] * (std::int64_t{1} << (12 - p.cell_bits));
        const std::int64_t y = o * interpolate_i16(p.table + 1025, saturate_i16(twelve)) * p.hidden_multiplier;
        h[j] = saturate(p.zero_point + round_shift(y, p.hidden_shift), -128, 127);
    }
}

/// One step: x [in], the states [units * rank, memory] move up by one, y [units].
inline void svdf_i8(const SvdfI8& p, const std::int8_t* x, std::int16_t* states, std::int8_t* y) noexcept {
    for (std::int32_t unit = 0; unit < p.units; ++unit) {
        std::int64_t sum = p.bias[unit];
        for (std::int32_t f = unit * p.rank; f < (unit + 1) * p.rank; ++f) {
            const std::int8_t* w = p.feature + std::ptrdiff_t{f} * p.in;
            std::int32_t seen = 0;
            for (std::int32_t k = 0; k < p.in; ++k) seen += w[k] * (x[k] - p.input_zero_point);
            std::int16_t* state = states + std::ptrdiff_t{f} * p.memory;
            for (std::int32_t m = 0; m + 1 < p.memory; ++m) state[m] = state[m + 1];
            state[p.memory - 1] =
                saturate_i16(round_shift(std::int64_t{seen} * p.multiplier[0], p.shift[0]), p.state_lo, p.state_hi);
            const std::int16_t* t = p.time + std::ptrdiff_t{f} * p.memory;
            for (std::int32_t m = 0; m < p.memory; ++m) sum += std::int64_t{t[m]} * state[m];
        }
        const std::int64_t limit = std::int64_t{1} << 32;
        sum = sum < -limit ? -limit : sum > limit ? limit : sum;  // so that the product fits
        y[unit] = saturate(p.zero_point + round_shift(sum * p.multiplier[1], p.shift[1]), -128, 127);
    }
}

/// The same in f32, of all samples of a batch.
template <class G>
void svdf_f32(const G& g, std::size_t batch, const float* feature, const float* time, const float* bias, const float* x,
              float* states, float* y) noexcept {
    for (std::size_t b = 0; b < batch; ++b, x += g.in) {
        for (std::int32_t f = 0; f < g.units * g.rank; ++f, states += g.memory) {
            float seen = 0.0f;
            for (std::int32_t k = 0; k < g.in; ++k) seen += feature[std::ptrdiff_t{f} * g.in + k] * x[k];
            for (std::int32_t m = 0; m + 1 < g.memory; ++m) states[m] = states[m + 1];
            states[g.memory - 1] = seen;
            float sum = f % g.rank != 0 ? *y : bias != nullptr ? bias[f / g.rank] : 0.0f;
            for (std::int32_t m = 0; m < g.memory; ++m) sum += time[std::ptrdiff_t{f} * g.memory + m] * states[m];
            *y = sum;
            if (f % g.rank == g.rank - 1) ++y;
        }
    }
}

}  // namespace reference

MOTE_END_KERNELS
