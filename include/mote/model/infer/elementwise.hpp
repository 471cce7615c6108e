// SPDX-License-Identifier: MIT
#pragma once
// infer: output values of activations, functions, BatchNorm, Add, Mul and Convert.

#include <mote/layers/elementwise.hpp>
#include <mote/model/infer/context.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// An activation that clamps: an i8 output shares its input's quantization.
template <class Context>
void infer_clamp(Context& node) {
    node.expect_inputs(1);
    expect_computed(node, 0);
    const Value& in = node.input(0);
    const Quantization& asked = node.requested_quantization();
    if (asked.present() && asked != in.quantization) {
        node.fail("an int8 clamp's output shares its input's quantization; another one was given");
    }
    node.output(in.shape, in.element, in.quantization);
}

/// An activation that looks bytes up: 256 entries for i8, none for floats.
template <class Context>
void infer_lookup(const Tensor<i8>& table, Context& node) {
    node.expect_inputs(1);
    expect_computed(node, 0);
    const Value& in = node.input(0);
    if (in.element != Element::i8) {
        node.output(in.shape, in.element);
        return;
    }
    if (table.elements() != 256) {
        node.fail("on int8 values the layer needs its table of 256 entries; it has ", table.elements(),
                  " (quantize() and the importers make it)");
    }
    node.output(in.shape, in.element, expect_output_quantization(node));
}

}  // namespace detail

template <class Context>
void infer(const Relu&, Context& node) {
    detail::infer_clamp(node);
}
template <class Context>
void infer(const Relu6&, Context& node) {
    detail::infer_clamp(node);
}
template <class Context>
void infer(const LeakyRelu& layer, Context& node) {
    detail::infer_lookup(layer.table, node);
}
template <class Context>
void infer(const Sigmoid& layer, Context& node) {
    detail::infer_lookup(layer.table, node);
}
template <class Context>
void infer(const Tanh& layer, Context& node) {
    detail::infer_lookup(layer.table, node);
}
template <class Context>
void infer(const HardSigmoid& layer, Context& node) {
    detail::infer_lookup(layer.table, node);
}
template <class Context>
void infer(const HardSwish& layer, Context& node) {
    detail::infer_lookup(layer.table, node);
}

template <class Context>
void infer(const Unary& layer, Context& node) {
    if (static_cast<std::size_t>(layer.function) >= unary_functions) node.fail("its function is unknown");
    detail::infer_lookup(layer.table, node);
}

template <class Context>
void infer(const Prelu& layer, Context& node) {
    node.expect_inputs(1);
    const Value& in = node.input(0);
    detail::expect_f32(node, 0);
    if (in.shape.rank() < 2) node.fail("input ", to_string(in), " needs a batch and a channel axis");
    node.expect_full(0);
    if (layer.slope.shape() != Shape{in.shape.back()}) {
        node.fail("the slope is [", to_string(layer.slope.shape()), "]; [", in.shape.back(), "] is expected");
    }
    node.output(in.shape, in.element);
}

template <class Context>
void infer(const BatchNorm& layer, Context& node) {
    node.expect_inputs(1);
    const Value& in = node.input(0);
    if (in.element != Element::f32) node.fail("input ", to_string(in), ": f32 expected (fold() removes BatchNorm)");
    if (in.shape.rank() < 2) node.fail("input ", to_string(in), " needs a batch and a channel axis");
    const Shape expected{in.shape.back()};
    for (const Tensor<f32>* tensor : {&layer.scale, &layer.shift, &layer.mean, &layer.variance}) {
        if (tensor->shape() != expected) {
            node.fail("scale, shift, mean and variance must each be [", in.shape.back(), "]; one is [",
                      to_string(tensor->shape()), "]");
        }
    }
    node.expect_full(0);
    if (!(layer.epsilon >= 0.0f)) node.fail("epsilon ", layer.epsilon, " must not be negative");
    for (const float variance : layer.variance.values()) {
        if (!(variance + layer.epsilon > 0.0f))
            node.fail("variance ", variance, " + epsilon ", layer.epsilon, " must be positive");
    }
    node.output(in.shape, in.element);
}

template <class Context>
void infer(const Add&, Context& node) {
    node.expect_inputs(2);
    const Value& a = node.input(0);
    const Value& b = node.input(1);
    detail::expect_computed(node, 0);
    if (a.shape != b.shape || a.element != b.element) {
        node.fail("inputs ", to_string(a), " and ", to_string(b), " must have one shape and element");
    }
    detail::expect_input_quantization(node, 0);
    detail::expect_input_quantization(node, 1);
    node.output(a.shape, a.element, a.element == Element::i8 ? detail::expect_output_quantization(node) : Quantization{});
}

template <class Context>
void infer(const Mul&, Context& node) {
    node.expect_inputs(2);
    const Value& a = node.input(0);
    const Value& b = node.input(1);
    detail::expect_computed(node, 0);
    const std::size_t batch = a.shape.rank() == 0 ? 1 : a.shape[0];
    const bool channels = a.shape.rank() >= 2 && b.shape.rank() >= 2 && b.shape[0] == batch &&
                          b.shape.back() == a.shape.back() && b.shape.elements() == batch * a.shape.back();
    if (a.element != b.element || (a.shape != b.shape && !channels)) {
        detail::fail_pair(node, "expected one element, and one shape or a second input [batch, 1, 1, channels]");
    }
    node.expect_full(0);
    detail::expect_input_quantization(node, 0);
    detail::expect_input_quantization(node, 1);
    node.output(a.shape, a.element, a.element == Element::i8 ? detail::expect_output_quantization(node) : Quantization{});
}

namespace detail {

/// The shape of two inputs of plain numbers of one element that broadcast.
template <class Context>
Shape broadcast_numbers(const Context& node) {
    const Value& a = node.input(0);
    const Value& b = node.input(1);
    Shape shape;
    if (a.element != b.element || !holds_numbers(a) || !holds_numbers(b) || !broadcast(a.shape, b.shape, shape)) {
        fail_pair(node,
                  "one element without quantization is expected, and extents that are equal or 1, aligned at the last axis");
    }
    return shape;
}

}  // namespace detail

template <class Context>
void infer(const Binary& layer, Context& node) {
    node.expect_inputs(2);
    if (static_cast<std::size_t>(layer.function) >= binary_functions) node.fail("its function is unknown");
    node.output(detail::broadcast_numbers(node), node.input(0).element);
}

template <class Context>
void infer(const Compare& layer, Context& node) {
    node.expect_inputs(2);
    if (static_cast<std::size_t>(layer.comparison) >= comparisons) node.fail("its comparison is unknown");
    node.output(detail::broadcast_numbers(node), Element::b8);
}

template <class Context>
void infer(const Bitwise& layer, Context& node) {
    node.expect_inputs(2);
    if (static_cast<std::size_t>(layer.operation) >= bit_operations) node.fail("its operation is unknown");
    const Element element = node.input(0).element;
    if (holds_reals(element)) node.fail("input ", to_string(node.input(0)), ": integers or truth values are expected");
    if (element == Element::b8 && layer.operation >= BitOperation::shift_left) node.fail("truth values do not shift");
    node.output(detail::broadcast_numbers(node), element);
}

template <class Context>
void infer(const Where&, Context& node) {
    node.expect_inputs(3);
    const Value& a = node.input(1);
    const Value& b = node.input(2);
    Shape values, shape;
    if (node.input(0).element != Element::b8 || a.element != b.element || a.quantization != b.quantization ||
        element_bits(a.element) < 8 || !broadcast(a.shape, b.shape, values) || !broadcast(node.input(0).shape, values, shape)) {
        node.fail("inputs ", to_string(node.input(0)), ", ", to_string(a), " and ", to_string(b),
                  ": truth values and two values of one element are expected, with extents that are equal or 1");
    }
    node.output(shape, a.element, a.quantization);
}

template <class Context>
void infer(const Cast& layer, Context& node) {
    node.expect_inputs(1);
    detail::expect_numbers(node, 0);
    if (static_cast<std::size_t>(layer.element) >= element_count || element_bits(layer.element) < 8)
        node.fail("its element is unknown, or smaller than a byte");
    node.output(node.input(0).shape, layer.element);
}

template <class Context>
void infer(const Convert& layer, Context& node) {
    node.expect_inputs(1);
    detail::expect_computed(node, 0);
    const Value& in = node.input(0);
    if (!detail::is_computed(layer.element)) {
        node.fail("conversion to ", element_name(layer.element), ": f32, f16, bf16 and i8 are supported");
    }
    detail::expect_input_quantization(node, 0);
    node.output(in.shape, layer.element,
                layer.element == Element::i8 ? detail::expect_output_quantization(node) : Quantization{});
}

MOTE_END_NAMESPACE
