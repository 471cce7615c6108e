// SPDX-License-Identifier: MIT
#pragma once
// Import of ONNX's recurrent operators: LSTM, GRU, RNN. Two directions are two layers, whose results lie side by side.

#include <mote/io/onnx/detail/import_convolution.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_import {

class Recurrent : protected Convolution {
  public:
    using Convolution::Convolution;

  protected:
    void lstm() { recurrent<Lstm<f32>>({0, 2, 3, 1}, {"Sigmoid", "Tanh", "Tanh"}); }  // the file's order is i, o, f, g
    void gru() { recurrent<Gru<f32>>({0, 1, 2}, {"Sigmoid", "Tanh"}); }
    void rnn() { recurrent<Rnn<f32>>({0}, {"Tanh"}); }

  private:
    /// Part `direction` of a constant [directions, rows * hidden, columns], its blocks of `hidden` rows in another order.
    Tensor<f32> blocks(std::size_t place, const char* what, std::size_t directions, std::size_t direction,
                       const std::vector<std::size_t>& order, std::size_t hidden, std::size_t columns, std::size_t first = 0) {
        const Constant& c = constant(place, what);
        const std::size_t all = c.count();
        if (c.dims.empty() || c.dims[0] != directions || directions == 0 || all % directions != 0) {
            fail("its ", what, " is [", dims_text(c.dims), "]; ", directions, " directions are expected");
        }
        const std::size_t block = hidden * columns;
        for (const std::size_t from : order) {
            if (block == 0 || (first + from + 1) * block > all / directions)
                fail("its ", what, " is [", dims_text(c.dims), "], which is too small for ", hidden, " hidden units");
        }
        budget_.take(4 * order.size() * block);
        Tensor<f32> result(Shape{order.size() * hidden, columns});
        std::size_t at = 0;
        for (const std::size_t from : order) {
            const std::size_t begin = direction * (all / directions) + (first + from) * block;
            for (std::size_t i = 0; i < block; ++i) result[at++] = static_cast<float>(c.real(begin + i));
        }
        return result;
    }

    /// An activation by its name; alpha and beta, where it takes them, must be what they are by default.
    RecurrentFunction recurrent_function(std::string name, std::size_t& alphas, std::size_t& betas) const {
        for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        struct Known {
            std::string_view name;
            RecurrentFunction function;
            std::optional<float> alpha, beta;
        };
        static constexpr Known known[] = {
            {"sigmoid", RecurrentFunction::sigmoid, {}, {}},     {"tanh", RecurrentFunction::tanh, {}, {}},
            {"relu", RecurrentFunction::relu, {}, {}},           {"hardsigmoid", RecurrentFunction::hard_sigmoid, 0.2f, 0.5f},
            {"softsign", RecurrentFunction::softsign, {}, {}},   {"softplus", RecurrentFunction::softplus, {}, {}},
            {"affine", RecurrentFunction::identity, 1.0f, 0.0f},
        };
        const auto* entry = std::ranges::find(known, std::string_view(name), &Known::name);
        if (entry == std::end(known)) {
            fail("its activation is '", onnx::printable(name),
                 "'; Sigmoid, Tanh, Relu, HardSigmoid, Softsign, Softplus and Affine are supported");
        }
        const auto check = [&](const char* attribute, std::optional<float> wanted, std::size_t& next) {
            const OnnxAttribute* a = node_->attribute(attribute);
            const std::span<const float> given = a == nullptr ? std::span<const float>() : a->values<float>();
            if (!wanted || next >= given.size()) return;
            if (given[next++] != *wanted) fail("its ", attribute, " is not ", *wanted, "; only that is supported of ", name);
        };
        check("activation_alpha", entry->alpha, alphas);
        check("activation_beta", entry->beta, betas);
        return entry->function;
    }

    /// The stored state before the first step, [batch, hidden] of a direction; empty where there is none, or where it is zero.
    Tensor<f32> stored_state(std::size_t place, bool batch_first, std::size_t directions, std::size_t direction,
                             std::size_t batch, std::size_t hidden) {
        if (!has_input(place) || !known(place)) return {};
        const Constant& c = constant(place, "initial state");
        const Dims wanted = batch_first ? Dims{batch, directions, hidden} : Dims{directions, batch, hidden};
        if (c.dims != wanted) fail("its initial state is [", dims_text(c.dims), "]; [", dims_text(wanted), "] is expected");
        budget_.take(4 * batch * hidden);
        Tensor<f32> result(Shape{batch, hidden});
        bool zero = true;
        for (std::size_t b = 0; b < batch; ++b) {
            const std::size_t from = (batch_first ? b * directions + direction : direction * batch + b) * hidden;
            for (std::size_t i = 0; i < hidden; ++i) {
                result[b * hidden + i] = static_cast<float>(c.real(from + i));
                zero = zero && std::as_const(result)[b * hidden + i] == 0.0f;
            }
        }
        return zero ? Tensor<f32>() : result;
    }

    std::vector<std::size_t> lengths(std::size_t batch, std::size_t time) {
        std::vector<std::size_t> result;
        if (!has_input(4)) return result;
        bool whole = true;
        for (const std::int64_t length : constant(4, "sequence lengths").integers()) {
            if (length < 0 || static_cast<std::size_t>(length) > time)
                fail("a sequence length is ", length, "; 0 to ", time, " are expected");
            result.push_back(static_cast<std::size_t>(length));
            whole = whole && result.back() == time;
        }
        if (result.size() != batch) fail("it has ", result.size(), " sequence lengths for a batch of ", batch);
        if (whole) result.clear();
        return result;
    }

    template <class L>
    void recurrent(const std::vector<std::size_t>& order, const std::vector<std::string>& usual) {
        constexpr bool is_lstm = std::is_same_v<L, Lstm<f32>>;
        constexpr bool is_gru = std::is_same_v<L, Gru<f32>>;
        Item& x = computed(0);
        if (x.rank() != 3) fail("its input is [", dims_text(x.dims()), "]; a sequence of three axes is expected");
        const bool batch_first = integer_attribute(*node_, "layout", 0) != 0;
        const std::size_t batch_axis = batch_first ? 0 : 1, time_axis = 1 - batch_axis;
        const std::size_t batch = x.dims()[batch_axis], time = x.dims()[time_axis], in = x.dims()[2];
        const Dims r = constant(2, "R").dims;
        if (r.size() != 3 || r[2] == 0) fail("its R is [", dims_text(r), "]; [directions, gates * hidden, hidden] is expected");
        const std::size_t hidden = r[2], gates = order.size();
        const std::string direction = text_attribute(*node_, "direction", "forward");
        if (direction != "forward" && direction != "reverse" && direction != "bidirectional")
            fail("its direction is '", onnx::printable(direction), "'; forward, reverse and bidirectional are expected");
        const std::size_t directions = direction == "bidirectional" ? 2 : 1;
        std::vector<std::string> names;
        if (const OnnxAttribute* a = node_->attribute("activations"); a != nullptr) {
            names.assign(a->values<std::string>().begin(), a->values<std::string>().end());
        }
        if (names.empty()) {
            for (std::size_t d = 0; d < directions; ++d) names.insert(names.end(), usual.begin(), usual.end());
        }
        if (names.size() != usual.size() * directions)
            fail("it has ", names.size(), " activations; ", usual.size() * directions, " are expected");

        const Dims batch_major{batch_axis, time_axis, 2};
        const bool time_major = !lies_as(x, batch_major) && !batch_first;
        const ValueId sequence = arranged(x, time_major ? Dims{time_axis, batch_axis, 2} : batch_major);
        const std::size_t outputs = has_output(2) ? 3 : has_output(1) ? 2 : 1;
        std::vector<std::vector<ValueId>> results(outputs);
        std::size_t alphas = 0, betas = 0;
        for (std::size_t d = 0; d < directions; ++d) {
            L layer;
            layer.weight = blocks(1, "W", directions, d, order, hidden, in);
            layer.recurrent = blocks(2, "R", directions, d, order, hidden, hidden);
            if (has_input(3)) {
                layer.bias = blocks(3, "B", directions, d, order, hidden, 1).reshaped(Shape{gates * hidden});
                const Tensor<f32> second =
                    blocks(3, "B", directions, d, order, hidden, 1, gates).reshaped(Shape{gates * hidden});
                std::size_t joined = gates * hidden;
                if constexpr (is_gru) {
                    if (integer_attribute(*node_, "linear_before_reset", 0) != 0) {
                        joined = 2 * hidden;
                        layer.recurrent_bias = Tensor<f32>(Shape{hidden});
                        for (std::size_t i = 0; i < hidden; ++i) layer.recurrent_bias[i] = second[joined + i];
                    }
                }
                for (std::size_t i = 0; i < joined; ++i) layer.bias[i] += second[i];
            }
            if constexpr (is_lstm || is_gru) layer.gate = recurrent_function(names[d * usual.size()], alphas, betas);
            layer.candidate = recurrent_function(names[d * usual.size() + (is_lstm || is_gru ? 1 : 0)], alphas, betas);
            if constexpr (is_gru) layer.reset_after = integer_attribute(*node_, "linear_before_reset", 0) != 0;
            std::vector<ValueId> inputs{sequence};
            layer.initial_hidden = stored_state(5, batch_first, directions, d, batch, hidden);
            if constexpr (is_lstm) {
                layer.output = recurrent_function(names[d * usual.size() + 2], alphas, betas);
                layer.coupled = integer_attribute(*node_, "input_forget", 0) != 0;
                layer.initial_cell = stored_state(6, batch_first, directions, d, batch, hidden);
                if (has_input(7)) layer.peephole = blocks(7, "P", directions, d, {0, 2, 1}, hidden, 1).reshaped({3, hidden});
            }
            for (std::size_t i = 5; i < (is_lstm ? 7u : 6u); ++i) {
                if (!has_input(i) || known(i)) continue;
                if (directions == 2) fail("its initial state is computed; of two directions a constant is supported");
                if (inputs.size() != i - 4) fail("its initial cell state is computed, its initial hidden state is not");
                const Groups state = batch_first ? Groups{{0}, {1, 2}} : Groups{{1}, {0, 2}};
                if (computed(i).rank() != 3) fail("its initial state has ", computed(i).rank(), " axes; 3 are expected");
                inputs.push_back(arranged(computed(i), state));
            }
            layer.clip = real_attribute(*node_, "clip", 0.0f);
            layer.reverse = direction == "reverse" || d == 1;
            layer.time_major = time_major;
            layer.lengths = lengths(batch, time);
            const std::vector<ValueId> made = add_outputs(std::move(layer), inputs, outputs);
            for (std::size_t i = 0; i < outputs; ++i) results[i].push_back(made[i]);
        }
        for (std::size_t i = 0; i < outputs; ++i) {
            const ValueId id = directions == 1 ? results[i][0] : add(Concat{}, results[i]);
            if (i == 0) {
                const Dims dims = batch_first ? Dims{batch, time, directions, hidden} : Dims{time, directions, batch, hidden};
                const Dims stored = batch_first ? Dims{0, 1, 2, 3} : time_major ? Dims{0, 2, 1, 3} : Dims{2, 0, 1, 3};
                bind(id, Layout(dims, stored), i);
            } else {
                const Dims dims = batch_first ? Dims{batch, directions, hidden} : Dims{directions, batch, hidden};
                bind(id, Layout(dims, batch_first ? Dims{0, 1, 2} : Dims{1, 0, 2}), i);
            }
        }
    }
};

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
