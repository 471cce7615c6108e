// SPDX-License-Identifier: MIT
#pragma once
// infer: output values and states of Lstm, Gru, Rnn and Svdf.

#include <mote/layers/recurrent.hpp>
#include <mote/model/infer/contraction.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// The extents of a sequence [batch, time, features] or [time, batch, features], and where a step of a sample stands in it.
struct SequenceShape {
    SequenceShape(const Shape& in, bool is_time_major) noexcept
        : batch(in[is_time_major ? 1 : 0]), time(in[is_time_major ? 0 : 1]), features(in[2]), time_major(is_time_major) {}
    std::size_t batch, time, features;
    bool time_major;

    Shape with(std::size_t width) const { return time_major ? Shape{time, batch, width} : Shape{batch, time, width}; }
    std::size_t row(std::size_t sample, std::size_t step) const noexcept {
        return time_major ? step * batch + sample : sample * time + step;
    }
    /// Calls visit(sample, row) for the samples first <= b < end of the layer that have this step.
    template <class Visit>
    void for_each_sample(const Recurrence& layer, std::size_t step, std::size_t first, std::size_t end,
                         const Visit& visit) const {
        for (std::size_t b = first; b < end; ++b) {
            const std::size_t length = layer.lengths->empty() ? time : (*layer.lengths)[b];
            if (step < length) visit(b, row(b, layer.reverse ? length - 1 - step : step));
        }
    }
};

/// Checks a sequence and the two matrices over it; returns the number of hidden units.
template <class W, class Context>
__attribute__((cold)) std::size_t check_recurrent(const Context& node, const Tensor<W>& weight, const Tensor<W>& recurrent,
                                                  std::size_t gates, bool time_major) {
    node.expect_rank(0, 3, time_major ? "[time, batch, features]" : "[batch, time, features]");
    node.expect_full(0);
    const Value& in = node.input(0);
    const Shape& w = weight.shape();
    const Shape& r = recurrent.shape();
    if (recurrent.empty() || r.rank() != 2 || r[0] / gates != r[1] || r[0] % gates != 0) {
        node.fail("the recurrent weight is [", to_string(r), "]; expected [", gates, " * hidden, hidden]");
    }
    if (w.rank() != 2 || w[0] != r[0] || w[1] != in.shape[2]) {
        node.fail("weight [", to_string(w), "] does not fit input ", to_string(in), " and ", r[1], " hidden units; expected [",
                  r[0], ", ", in.shape[2], "]");
    }
    constexpr std::size_t limit = std::numeric_limits<std::int32_t>::max();
    if (weight.elements() > limit || recurrent.elements() > limit || in.shape.elements() / in.shape[2] > limit / r[0]) {
        node.fail("input ", to_string(in), " and weight [", to_string(w), "]: beyond what a 32-bit kernel can index");
    }
    return r[1];
}

template <class Context>
__attribute__((noinline, cold)) void infer_recurrence(const Recurrence& layer, Context& node) {
    node.expect_inputs(1, 1 + layer.states());
    for (std::size_t i = 0; i < node.inputs(); ++i) expect_f32(node, i);
    const std::size_t gates = layer.gates();
    const std::size_t hidden = check_recurrent(node, *layer.weight, *layer.recurrent, gates, layer.time_major);
    const SequenceShape sequence(node.input(0).shape, layer.time_major);
    const auto expect = [&](const Tensor<f32>* tensor, const char* what, const Shape& shape) {
        if (tensor == nullptr || tensor->empty() || tensor->shape() == shape) return;
        node.fail("its ", what, " is [", to_string(tensor->shape()), "]; expected [", to_string(shape), "], or none");
    };
    expect(layer.bias, "bias", {gates * hidden});
    expect(layer.recurrent_bias, "recurrent bias", {hidden});
    expect(layer.peephole, "peephole", {3, hidden});
    const Shape state{sequence.batch, hidden};
    for (std::size_t i = 0; i < layer.states(); ++i) {
        const Tensor<f32>& initial = *layer.initial[i];
        const bool given = node.inputs() > i + 1;
        if (!initial.empty() && initial.shape() != Shape{1, hidden}) expect(&initial, "initial state", state);
        if (given && node.input(i + 1).shape != state) {
            node.fail("the initial state ", to_string(node.input(i + 1)), ": expected [", to_string(state), "]");
        }
        if ((layer.stateful && (given || !initial.empty())) || (given && !initial.empty())) {
            node.fail("its state begins with what an input says, a stored tensor says, or the run before left; one of them");
        }
    }
    for (const RecurrentFunction f : {layer.gate, layer.candidate, layer.output}) {
        if (f > RecurrentFunction::identity) node.fail("an activation is none of those that are known");
    }
    if (!(layer.clip >= 0.0f && layer.cell_clip >= 0.0f)) node.fail("a clip is below 0; 0 (none) or more is expected");
    if (!layer.lengths->empty() && layer.lengths->size() != sequence.batch) {
        node.fail("it has ", layer.lengths->size(), " lengths for a batch of ", sequence.batch, "; one a sample, or none");
    }
    for (const std::size_t length : *layer.lengths) {
        if (length > sequence.time) node.fail("a length is ", length, "; up to ", sequence.time, " steps are given");
    }
    const std::size_t outputs = node.bound_outputs() < 1 ? 1 : node.bound_outputs();
    if (outputs > 1 + layer.states()) node.fail("it has ", outputs, " outputs; up to ", 1 + layer.states(), " are expected");
    node.output(sequence.with(hidden), Element::f32);
    for (std::size_t i = 1; i < outputs; ++i) node.output(state, Element::f32);
    if (!layer.stateful) return;
    node.state("hidden", state, Element::f32);
    if (layer.states() > 1) node.state("cell", state, Element::f32);
}

/// Checks a scale of each row, or one of all, of weights that sums of 32 bits are made of.
template <class Context>
void check_row_scales(const Context& node, const Tensor<i8>& weight, const char* what) {
    const Quantization& q = weight.quantization();
    const std::string flaw = quantization_flaw(q);
    if (!flaw.empty()) node.fail("its ", what, " has ", flaw);
    if (q.scale.size() != 1 && (q.scale.size() != weight.shape()[0] || q.axis != 0)) {
        node.fail("its ", what, " has ", q.scale.size(), " scales; expected 1, or ", weight.shape()[0], " along axis 0");
    }
    for (const std::int32_t zero : q.zero_point) {
        if (zero != 0) node.fail("int8 weights are symmetric; a zero point other than 0 was given");
    }
    if (weight.shape()[1] > std::size_t{1} << 15) node.fail("its ", what, " has rows of more than 2^15; sums could overflow");
}

template <class Lazy = void>
bool magnitudes_below(const Tensor<i32>& values, std::int32_t limit) {
    for (const std::int32_t v : values.values()) {
        if (v <= -limit || v >= limit) return false;
    }
    return true;
}

}  // namespace detail

template <class P, class Context>
void infer(const Lstm<P>& layer, Context& node) {
    if constexpr (std::is_same_v<P, f32>) {
        detail::infer_recurrence(detail::recurrence(layer), node);
    } else {
        node.expect_inputs(1);
        if (node.input(0).element != Element::i8) node.fail("input ", to_string(node.input(0)), ": i8 expected");
        const std::size_t hidden = detail::check_recurrent(node, layer.weight, layer.recurrent, 4, layer.time_major);
        const detail::SequenceShape sequence(node.input(0).shape, layer.time_major);
        detail::expect_input_quantization(node, 0);
        const Quantization out = detail::expect_output_quantization(node);
        detail::check_row_scales(node, layer.weight, "weight");
        detail::check_row_scales(node, layer.recurrent, "recurrent weight");
        if (!layer.bias.empty() && layer.bias.shape() != Shape{4 * hidden}) {
            node.fail("its bias is [", to_string(layer.bias.shape()), "]; expected [", 4 * hidden, "], or none");
        }
        if (!detail::magnitudes_below(layer.bias, 1 << 29)) node.fail("a bias is beyond 2^29; sums could overflow");
        if (layer.table.shape() != Shape{2, 1025}) node.fail("it needs its table of 2 x 1025 entries (lstm_table makes it)");
        if (layer.cell_bits < 0 || layer.cell_bits > 15)
            node.fail("the cell state has ", layer.cell_bits, " fractional bits; 0 to 15");
        if (!(layer.cell_clip >= 0.0f)) node.fail("a clip is below 0; 0 (none) or more is expected");
        const std::size_t outputs = node.bound_outputs() < 1 ? 1 : node.bound_outputs();
        if (outputs > 1) node.fail("it has ", outputs, " outputs; 1 is expected");
        node.output(sequence.with(hidden), Element::i8, out);
        if (!layer.stateful) return;
        node.state("hidden", {sequence.batch, hidden}, Element::i8, out);
        node.state("cell", {sequence.batch, hidden}, Element::i16);
    }
}

template <class P, class Context>
void infer(const Gru<P>& layer, Context& node) {
    detail::infer_recurrence(detail::recurrence(layer), node);
}

template <class P, class Context>
void infer(const Rnn<P>& layer, Context& node) {
    detail::infer_recurrence(detail::recurrence(layer), node);
}

template <class P, class Context>
__attribute__((cold)) void infer(const Svdf<P>& layer, Context& node) {
    node.expect_inputs(1);
    if (node.input(0).element != P::element) node.fail("input ", to_string(node.input(0)), ": ", P::name, " expected");
    node.expect_rank(0, 2, "[batch, in]");
    node.expect_full(0);
    const Shape& in = node.input(0).shape;
    const Shape& f = layer.feature.shape();
    const Shape& t = layer.time.shape();
    if (layer.feature.empty() || layer.time.empty() || f.rank() != 2 || t.rank() != 2 || t[0] != f[0] || f[1] != in[1] ||
        layer.rank == 0 || f[0] % layer.rank != 0) {
        node.fail("feature [", to_string(f), "], time [", to_string(t), "], rank ", layer.rank, " do not fit input ",
                  to_string(node.input(0)), "; expected [units * rank, in] and [units * rank, memory]");
    }
    const std::size_t units = f[0] / layer.rank;
    if (!layer.bias.empty() && layer.bias.shape() != Shape{units}) {
        node.fail("its bias is [", to_string(layer.bias.shape()), "]; expected [", units, "], or none");
    }
    Quantization out;
    if constexpr (std::is_same_v<P, i8>) {
        detail::expect_input_quantization(node, 0);
        out = detail::expect_output_quantization(node);
        detail::check_row_scales(node, layer.feature, "feature weight");
        const Quantization& time = layer.time.quantization();
        if (layer.feature.quantization().scale.size() != 1 || time.scale.size() != 1 || !usable_scale(time.scale[0]) ||
            time.zero_point != std::vector<std::int32_t>{0} || !usable_scale(layer.state_scale)) {
            node.fail("its weights and its state need one usable scale each, and no zero point");
        }
        if (layer.state_lo > layer.state_hi || layer.state_lo < -32768 || layer.state_hi > 32767) {
            node.fail("its state lies in [", layer.state_lo, ", ", layer.state_hi, "]; a range in [-32768, 32767] is expected");
        }
        if (t[1] * layer.rank > std::size_t{1} << 20) node.fail("it remembers more than 2^20 numbers a unit");
    }
    node.output({in[0], units}, P::element, out);
    node.state("memory", {in[0], f[0], t[1]}, std::is_same_v<P, i8> ? Element::i16 : Element::f32);
}

MOTE_END_NAMESPACE
