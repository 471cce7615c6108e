// SPDX-License-Identifier: MIT
#pragma once
// Import of TensorFlow Lite's recurrent operators. Their states are variable tensors: they outlive a run.

#include <mote/io/tflite/detail/import_state.hpp>
#include <mote/layers/table.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::tflite_import {

class Recurrent : protected ImportState {
  public:
    using ImportState::ImportState;

  protected:
    void unidirectional_sequence_lstm_op() {
        namespace options = unidirectional_sequence_lstm;
        // Places of the inputs: weights 1 - 4 and 5 - 8 and biases 12 - 15, each i, f, g, o; peepholes 9 - 11, i, f, o.
        const auto given = [&](std::size_t place) { return place < inputs() && op_->inputs[place] >= 0; };
        if (!given(1)) refuse("its input gate is coupled to the forget gate; four gates are supported");
        if (given(16)) refuse("it has a projection; none is supported");
        for (std::size_t place = 20; place < 24; ++place) {
            if (given(place)) refuse("it normalizes its gates; no normalization is supported");
        }
        if (op_->option(options::diagonal_recurrent_tensors))
            refuse("its recurrent weights are diagonal; matrices are supported");
        if (supported_element(tensor(input_id(0))) == Element::i8) {
            for (const std::size_t place : {9u, 10u, 11u}) {
                if (given(place)) refuse("it has peepholes; of int8 values none are supported");
            }
            if (op_->option(options::activation) != Activation::tanh) refuse("its activation is another than tanh");
            return integer_lstm();
        }
        Lstm<f32> layer{.weight = stacked(1, 4), .recurrent = stacked(5, 4), .stateful = true};
        if (given(12)) layer.bias = stacked(12, 4);
        if (given(9) || given(10) || given(11)) {
            layer.peephole = stacked(9, 3);
            layer.peephole = layer.peephole.reshaped({3, layer.peephole.elements() / 3});
        }
        layer.candidate = layer.output = activation_of(op_->option(options::activation));
        layer.cell_clip = op_->option(options::cell_clip);
        layer.time_major = op_->option(options::time_major);
        bind(add(std::move(layer), {input(0)}));
    }

    void svdf_op() {
        const Handle x = input(0);
        const Activation activation = op_->option(svdf::activation);
        const std::int32_t rank = op_->option(svdf::rank);
        if (rank < 1) refuse("its rank is ", rank, "; 1 or more is expected");
        const bool has_bias = inputs() > 3 && op_->inputs[3] >= 0;
        if (supported_element(tensor(input_id(0))) != Element::i8) {
            Svdf<f32> layer{.feature = constants_.reals(index(input_id(1))), .time = constants_.reals(index(input_id(2)))};
            if (has_bias) layer.bias = constants_.reals(index(input_id(3)));
            layer.rank = static_cast<std::size_t>(rank);
            return bind(activate(add(std::move(layer), {x}), activation));
        }
        const TfliteTensor& state = tensor(input_id(4));
        const bool bytes = std::string_view(state.type_info().name) == "INT8";
        if (state.quantization.scale.size() != 1 || (!bytes && std::string_view(state.type_info().name) != "INT16")) {
            refuse("its state '", state.name, "' is of ", state.type_info().name,
                   "; INT8 and INT16 with one scale are supported");
        }
        Svdf<i8> layer;
        layer.feature = constants_.weight(index(input_id(1)), 0);
        layer.time = constants_.shorts(index(input_id(2)));
        if (has_bias) layer.bias = constants_.bias(index(input_id(3)));
        layer.rank = static_cast<std::size_t>(rank);
        layer.state_scale = state.quantization.scale[0];
        if (bytes) {
            const std::int64_t zero = state.quantization.zero_point.empty() ? 0 : state.quantization.zero_point[0];
            if (zero < -128 || zero > 127) refuse("its state's zero point is ", zero, "; a byte is expected");
            layer.state_lo = static_cast<std::int32_t>(-128 - zero);
            layer.state_hi = static_cast<std::int32_t>(127 - zero);
        }
        bind(activate(add(std::move(layer), {x}, quantization_of(output_id())), activation));
    }

  private:
    /// Inputs `first` ... as one tensor, below one another.
    Tensor<f32> stacked(std::size_t first, std::size_t count) const {
        std::vector<float> all;
        Shape shape;
        for (std::size_t i = 0; i < count; ++i) {
            const Tensor<f32> part = constants_.reals(index(input_id(first + i)));
            expect_alike(i, part.shape(), shape);
            all.insert(all.end(), part.values().begin(), part.values().end());
        }
        shape[0] *= count;
        return Tensor<f32>(shape, all);
    }
    void expect_alike(std::size_t i, const Shape& part, Shape& first) const {
        if (i == 0) first = part;
        if (part != first || part.rank() == 0 || part.elements() == 0)
            refuse("its gates' constants are [", to_string(first), "] and [", to_string(part), "]; one shape is expected");
    }
    /// The same of bytes; each row keeps its scale.
    Tensor<i8> stacked_bytes(std::size_t first) const {
        std::vector<std::int8_t> all;
        Quantization q;
        Shape shape;
        for (std::size_t i = 0; i < 4; ++i) {
            const Tensor<i8> part = constants_.weight(index(input_id(first + i)), 0);
            expect_alike(i, part.shape(), shape);
            all.insert(all.end(), part.values().begin(), part.values().end());
            for (std::size_t row = 0; row < part.shape()[0]; ++row) q.scale.push_back(part.quantization().params(row).scale);
        }
        q.zero_point.assign(q.scale.size(), 0);
        q.axis = 0;
        shape[0] *= 4;
        Tensor<i8> result(shape, all);
        result.set_quantization(std::move(q));
        return result;
    }

    RecurrentFunction activation_of(Activation activation) const {
        if (activation == Activation::tanh) return RecurrentFunction::tanh;
        if (activation == Activation::relu) return RecurrentFunction::relu;
        if (activation == Activation::none) return RecurrentFunction::identity;
        refuse("its activation is of kind ", static_cast<int>(activation), "; none, RELU and TANH are supported");
    }

    void integer_lstm() {
        namespace options = unidirectional_sequence_lstm;
        Lstm<i8> layer{.weight = stacked_bytes(1), .recurrent = stacked_bytes(5)};
        std::vector<std::int32_t> biases;
        for (std::size_t i = 0; i < 4; ++i) {
            const Tensor<i32> part = constants_.bias(index(input_id(12 + i)));
            biases.insert(biases.end(), part.values().begin(), part.values().end());
        }
        layer.bias = Tensor<i32>(Shape{biases.size()}, biases);
        layer.table = lstm_table();
        const TfliteTensor& cell = tensor(input_id(19));
        const float scale = cell.quantization.scale.size() == 1 ? cell.quantization.scale[0] : 0.0f;
        layer.cell_bits = -1;
        for (std::int32_t bits = 0; bits <= 15; ++bits) {
            if (scale == 1.0f / static_cast<float>(1 << bits)) layer.cell_bits = bits;
        }
        if (std::string_view(cell.type_info().name) != "INT16" || layer.cell_bits < 0) {
            refuse("its cell state '", cell.name, "' is of ", cell.type_info().name, " at scale ", scale,
                   "; INT16 at a power of two from 2^-15 to 1 is supported");
        }
        if (quantization_of(input_id(18)) != quantization_of(output_id()))
            refuse("its hidden state has another quantization than its output; the same is supported");
        layer.cell_clip = op_->option(options::cell_clip);
        layer.time_major = op_->option(options::time_major);
        layer.stateful = true;
        bind(add(std::move(layer), {input(0)}, quantization_of(output_id())));
    }
};

}  // namespace detail::tflite_import

MOTE_END_NAMESPACE
