// SPDX-License-Identifier: MIT
#pragma once
// Layers that go through a sequence step by step and remember: Lstm, Gru, Rnn, and Svdf. Each is a template on its precision
// tag.

#include <mote/core/functions.hpp>
#include <mote/layers/fields.hpp>

MOTE_BEGIN_NAMESPACE

// Lstm, Gru and Rnn take [batch, time, features] ([time, batch, features] where `time_major`), and optionally the hidden state
// before the first step [batch, hidden] (Lstm then its cell state too). They give the sequence of hidden states
// [batch, time, hidden], and as many of these as the node has outputs: the last hidden state [batch, hidden], for Lstm the last
// cell state. Before the first step a state is what the input says; or the stored tensor, [batch, hidden] or [1, hidden] for
// every sample; or zero; or, where `stateful`, what the run before left, an engine's reset() making it zero.
//
// `reverse` goes from the last step to the first. `lengths` holds each sample's number of steps, empty where it is `time`; what
// lies behind is not read, and zero in the output. Where `clip` is above 0, what enters an activation is clipped to
// [-clip, clip].

/// Long short-term memory (Hochreiter and Schmidhuber 1997; with forget gate and peepholes Gers et al. 2000):
///     i = gate(W_i x + R_i h + P_i * c + b_i),  f = gate(W_f x + R_f h + P_f * c + b_f),  g = candidate(W_g x + R_g h + b_g)
///     c' = f * c + i * g,  o = gate(W_o x + R_o h + P_o * c' + b_o),  h' = o * output(c')
template <class P>
struct Lstm {
    Tensor<typename P::weight> weight{};     ///< [4 * hidden, in]: i, f, g, o
    Tensor<typename P::weight> recurrent{};  ///< [4 * hidden, hidden]
    Tensor<typename P::bias> bias{};         ///< [4 * hidden], or empty
    Tensor<f32> peephole{};                  ///< [3, hidden]: i, f, o; or empty
    Tensor<f32> initial_hidden{};            ///< [batch, hidden], [1, hidden], or empty
    Tensor<f32> initial_cell{};
    RecurrentFunction gate = RecurrentFunction::sigmoid;
    RecurrentFunction candidate = RecurrentFunction::tanh;
    RecurrentFunction output = RecurrentFunction::tanh;
    float clip = 0.0f;
    float cell_clip = 0.0f;  ///< above 0: c' is clipped to [-cell_clip, cell_clip]
    bool coupled = false;    ///< f = 1 - i
    bool reverse = false;
    bool time_major = false;
    bool stateful = false;
    std::vector<std::size_t> lengths{};

    static constexpr const char* kind = "Lstm";
    static constexpr Family family = Family::recurrent;
    static constexpr auto fields = list_fields(
        Field{"weight", &Lstm::weight, Role::weight, 0, 1}, Field{"recurrent", &Lstm::recurrent, Role::weight, 0, 1},
        Field{"bias", &Lstm::bias, Role::bias, 0}, Field{"peephole", &Lstm::peephole, Role::weight, 1},
        Field{"initial_hidden", &Lstm::initial_hidden}, Field{"initial_cell", &Lstm::initial_cell}, Field{"gate", &Lstm::gate},
        Field{"candidate", &Lstm::candidate}, Field{"output", &Lstm::output}, Field{"clip", &Lstm::clip},
        Field{"cell_clip", &Lstm::cell_clip}, Field{"coupled", &Lstm::coupled}, Field{"reverse", &Lstm::reverse},
        Field{"time_major", &Lstm::time_major}, Field{"stateful", &Lstm::stateful}, Field{"lengths", &Lstm::lengths});
};

/// The integer LSTM of TensorFlow Lite ("8x8_16"): bytes in and out, gates of 16 bits with 12 (before) and 15 (behind the
/// activation) fractional bits, a cell state of 16 bits. The hidden state has the output's quantization. Sigmoid and tanh are
/// looked up. No initial state.
template <>
struct Lstm<i8> {
    Tensor<i8> weight{};          ///< [4 * hidden, in]: i, f, g, o; a scale, or a scale a row
    Tensor<i8> recurrent{};       ///< [4 * hidden, hidden]; the same
    Tensor<i32> bias{};           ///< [4 * hidden] at scale s_in * s_weight[row], or empty
    Tensor<i16> table{};          ///< [2, 1025]: sigmoid and tanh (lstm_table in layers/table.hpp)
    std::int32_t cell_bits = 11;  ///< fractional bits of the cell state, 0 to 15
    float cell_clip = 0.0f;       ///< above 0: the cell state is clipped to [-cell_clip, cell_clip]
    bool time_major = false;
    bool stateful = false;

    static constexpr const char* kind = "Lstm";
    static constexpr Family family = Family::recurrent;
    static constexpr auto fields = list_fields(
        Field{"weight", &Lstm::weight, Role::weight, 0, 1}, Field{"recurrent", &Lstm::recurrent, Role::weight, 0, 1},
        Field{"bias", &Lstm::bias, Role::bias, 0}, Field{"table", &Lstm::table}, Field{"cell_bits", &Lstm::cell_bits},
        Field{"cell_clip", &Lstm::cell_clip}, Field{"time_major", &Lstm::time_major}, Field{"stateful", &Lstm::stateful});
};

/// Gated recurrent unit (Cho et al. 2014):
///     z = gate(W_z x + R_z h + b_z),  r = gate(W_r x + R_r h + b_r),  n = candidate(W_n x + b_n + R_n (r * h) + d)
///     h' = (1 - z) * n + z * h
/// Where `reset_after`, n = candidate(W_n x + b_n + r * (R_n h + d)), as in cuDNN, PyTorch and Keras.
template <class P>
struct Gru {
    Tensor<typename P::weight> weight{};        ///< [3 * hidden, in]: z, r, n
    Tensor<typename P::weight> recurrent{};     ///< [3 * hidden, hidden]
    Tensor<typename P::bias> bias{};            ///< [3 * hidden], or empty
    Tensor<typename P::bias> recurrent_bias{};  ///< d [hidden], or empty
    Tensor<f32> initial_hidden{};               ///< [batch, hidden], [1, hidden], or empty
    RecurrentFunction gate = RecurrentFunction::sigmoid;
    RecurrentFunction candidate = RecurrentFunction::tanh;
    float clip = 0.0f;
    bool reset_after = false;
    bool reverse = false;
    bool time_major = false;
    bool stateful = false;
    std::vector<std::size_t> lengths{};

    static constexpr const char* kind = "Gru";
    static constexpr Family family = Family::recurrent;
    static constexpr auto fields = list_fields(
        Field{"weight", &Gru::weight, Role::weight, 0, 1}, Field{"recurrent", &Gru::recurrent, Role::weight, 0, 1},
        Field{"bias", &Gru::bias, Role::bias, 0}, Field{"recurrent_bias", &Gru::recurrent_bias, Role::bias, 0},
        Field{"initial_hidden", &Gru::initial_hidden}, Field{"gate", &Gru::gate}, Field{"candidate", &Gru::candidate},
        Field{"clip", &Gru::clip}, Field{"reset_after", &Gru::reset_after}, Field{"reverse", &Gru::reverse},
        Field{"time_major", &Gru::time_major}, Field{"stateful", &Gru::stateful}, Field{"lengths", &Gru::lengths});
};

/// The simple recurrent network (Elman 1990): h' = candidate(W x + R h + b).
template <class P>
struct Rnn {
    Tensor<typename P::weight> weight{};     ///< [hidden, in]
    Tensor<typename P::weight> recurrent{};  ///< [hidden, hidden]
    Tensor<typename P::bias> bias{};         ///< [hidden], or empty
    Tensor<f32> initial_hidden{};            ///< [batch, hidden], [1, hidden], or empty
    RecurrentFunction candidate = RecurrentFunction::tanh;
    float clip = 0.0f;
    bool reverse = false;
    bool time_major = false;
    bool stateful = false;
    std::vector<std::size_t> lengths{};

    static constexpr const char* kind = "Rnn";
    static constexpr Family family = Family::recurrent;
    static constexpr auto fields =
        list_fields(Field{"weight", &Rnn::weight, Role::weight, 0, 1}, Field{"recurrent", &Rnn::recurrent, Role::weight, 0, 1},
                    Field{"bias", &Rnn::bias, Role::bias, 0}, Field{"initial_hidden", &Rnn::initial_hidden},
                    Field{"candidate", &Rnn::candidate}, Field{"clip", &Rnn::clip}, Field{"reverse", &Rnn::reverse},
                    Field{"time_major", &Rnn::time_major}, Field{"stateful", &Rnn::stateful}, Field{"lengths", &Rnn::lengths});
};

/// A dense layer of low rank over time (Nakkiran et al. 2015, "Compressing deep neural networks using a rank-constrained
/// topology"), [batch, in] -> [batch, units], one step a run. Filter f puts F_f x behind its `memory` last ones and gives their
/// sum weighted by T_f; unit u is the sum of filters u * rank ... u * rank + rank - 1, and its bias.
template <class P>
struct Svdf {
    Tensor<f32> feature{};  ///< F [units * rank, in]
    Tensor<f32> time{};     ///< T [units * rank, memory], the oldest first
    Tensor<f32> bias{};     ///< [units], or empty
    std::size_t rank = 1;

    static constexpr const char* kind = "Svdf";
    static constexpr Family family = Family::recurrent;
    static constexpr auto fields =
        list_fields(Field{"feature", &Svdf::feature, Role::weight, 0, 1}, Field{"time", &Svdf::time, Role::weight, 0},
                    Field{"bias", &Svdf::bias, Role::bias}, Field{"rank", &Svdf::rank});
};

/// Of bytes, with states and weights over time of 16 bits. F_f x is rounded to a state's scale and clipped to
/// [state_lo, state_hi].
template <>
struct Svdf<i8> {
    Tensor<i8> feature{};  ///< [units * rank, in], one scale
    Tensor<i16> time{};    ///< [units * rank, memory], one scale
    Tensor<i32> bias{};    ///< [units] at scale state_scale * s_time, or empty
    std::size_t rank = 1;
    float state_scale = 1.0f;
    std::int32_t state_lo = -32768;
    std::int32_t state_hi = 32767;

    static constexpr const char* kind = "Svdf";
    static constexpr Family family = Family::recurrent;
    static constexpr auto fields = list_fields(
        Field{"feature", &Svdf::feature, Role::weight, 0, 1}, Field{"time", &Svdf::time, Role::weight, 0},
        Field{"bias", &Svdf::bias, Role::bias}, Field{"rank", &Svdf::rank}, Field{"state_scale", &Svdf::state_scale},
        Field{"state_lo", &Svdf::state_lo}, Field{"state_hi", &Svdf::state_hi});
};

namespace detail {

/// What Lstm, Gru and Rnn are to the verbs that they share. It points into the layer.
struct Recurrence {
    Cell cell = Cell::rnn;
    const Tensor<f32>* weight = nullptr;
    const Tensor<f32>* recurrent = nullptr;
    const Tensor<f32>* bias = nullptr;
    const Tensor<f32>* recurrent_bias = nullptr;  ///< null where the cell has none
    const Tensor<f32>* peephole = nullptr;        ///< the same
    const Tensor<f32>* initial[2] = {};           ///< of the hidden and of the cell state; the same
    RecurrentFunction gate = RecurrentFunction::sigmoid;
    RecurrentFunction candidate = RecurrentFunction::tanh;
    RecurrentFunction output = RecurrentFunction::identity;
    float clip = 0.0f;
    float cell_clip = 0.0f;
    bool coupled = false;
    bool reset_after = false;
    bool reverse = false;
    bool time_major = false;
    bool stateful = false;
    const std::vector<std::size_t>* lengths = nullptr;

    std::size_t gates() const noexcept { return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1; }
    std::size_t states() const noexcept { return cell == Cell::lstm ? 2 : 1; }
    std::size_t hidden() const noexcept { return recurrent->shape()[1]; }
    bool has_peephole() const noexcept { return peephole != nullptr && !peephole->empty(); }
};

template <class L>
Recurrence common_recurrence(const L& layer) noexcept {
    Recurrence r;
    r.weight = &layer.weight;
    r.recurrent = &layer.recurrent;
    r.bias = &layer.bias;
    r.initial[0] = &layer.initial_hidden;
    r.candidate = layer.candidate;
    r.clip = layer.clip;
    r.reverse = layer.reverse;
    r.time_major = layer.time_major;
    r.stateful = layer.stateful;
    r.lengths = &layer.lengths;
    return r;
}
template <class P>
Recurrence recurrence(const Lstm<P>& layer) noexcept {
    Recurrence r = common_recurrence(layer);
    r.cell = Cell::lstm;
    r.peephole = &layer.peephole;
    r.initial[1] = &layer.initial_cell;
    r.gate = layer.gate;
    r.output = layer.output;
    r.cell_clip = layer.cell_clip;
    r.coupled = layer.coupled;
    return r;
}
template <class P>
Recurrence recurrence(const Gru<P>& layer) noexcept {
    Recurrence r = common_recurrence(layer);
    r.cell = Cell::gru;
    r.recurrent_bias = &layer.recurrent_bias;
    r.gate = layer.gate;
    r.reset_after = layer.reset_after;
    return r;
}
template <class P>
Recurrence recurrence(const Rnn<P>& layer) noexcept {
    return common_recurrence(layer);
}

}  // namespace detail

MOTE_END_NAMESPACE
