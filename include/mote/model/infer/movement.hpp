// SPDX-License-Identifier: MIT
#pragma once
// infer: output values of Concat, Pad, Reshape, Flatten and Transpose. Movement keeps element and quantization.

#include <mote/layers/movement.hpp>
#include <mote/model/infer/context.hpp>
#include <mote/model/infer/reduction.hpp>

MOTE_BEGIN_NAMESPACE

/// Concat's axis counted from the front. The layer was checked by infer.
inline std::size_t concat_axis(const Concat& layer, std::size_t rank) {
    return layer.axis < 0 ? rank - static_cast<std::size_t>(-layer.axis) : static_cast<std::size_t>(layer.axis);
}

template <class Context>
void infer(const Concat& layer, Context& node) {
    node.expect_inputs(1, 1024);
    detail::expect_shared_quantization(node);
    const Value& first = node.input(0);
    const auto rank = static_cast<std::int64_t>(first.shape.rank());
    if (layer.axis >= rank || layer.axis < -rank) {
        node.fail("axis ", layer.axis, " is outside the ", rank, " axes of input ", to_string(first));
    }
    const std::size_t axis = concat_axis(layer, first.shape.rank());
    Shape shape = first.shape;
    for (std::size_t i = 1; i < node.inputs(); ++i) {
        const Value& next = node.input(i);
        Shape same = next.shape;
        if (same.rank() == shape.rank()) same[axis] = first.shape[axis];
        if (same != first.shape || next.element != first.element) {
            node.fail("inputs ", to_string(first), " and ", to_string(next), " differ in more than axis ", axis);
        }
        if (next.quantization != first.quantization) {
            node.fail("inputs ", to_string(first), " and ", to_string(next), " have different quantizations");
        }
        if (next.shape[axis] >= Shape::absurd - shape[axis]) node.fail("axis ", axis, " becomes absurdly long");
        shape[axis] += next.shape[axis];
    }
    node.output(shape, first.element, first.quantization);
}

template <class Context>
void infer(const Pad& layer, Context& node) {
    node.expect_inputs(1);
    detail::expect_shared_quantization(node);
    const Value& in = node.input(0);
    if (layer.before.size() != in.shape.rank() || layer.after.size() != in.shape.rank()) {
        node.fail("before has ", layer.before.size(), " and after ", layer.after.size(), " entries; input ", to_string(in),
                  " has ", in.shape.rank(), " axes");
    }
    Shape shape = in.shape;
    for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
        if (layer.before[axis] >= Shape::absurd || layer.after[axis] >= Shape::absurd)
            node.fail("axis ", axis, ": the padding is absurdly large");
        shape[axis] += layer.before[axis] + layer.after[axis];
    }
    const float magnitude = layer.value < 0.0f ? -layer.value : layer.value;
    if (in.element != Element::f32 && !(magnitude <= std::numeric_limits<float>::max())) {
        node.fail("the padding's value ", layer.value, " is not finite; ", element_name(in.element), " cannot hold it");
    }
    node.output(shape, in.element, in.quantization);
}

template <class Context>
void infer(const Reshape& layer, Context& node) {
    node.expect_inputs(1);
    detail::expect_shared_quantization(node);
    const Value& in = node.input(0);
    if (layer.shape.size() > Shape::max_rank)
        node.fail("a shape has at most ", Shape::max_rank, " axes; ", layer.shape.size(), " given");
    Shape shape = Shape::ones(layer.shape.size());
    std::size_t known = 1;
    std::size_t open = Shape::max_rank;
    for (std::size_t axis = 0; axis < layer.shape.size(); ++axis) {
        const std::int64_t extent = layer.shape[axis];
        if (extent < -1 || (extent == -1 && open != Shape::max_rank) || (extent == 0 && axis >= in.shape.rank())) {
            node.fail("a shape's entries are extents, 0 (keep the input's extent), and at most one -1 (take the rest)");
        }
        if (extent == -1) {
            open = axis;
            continue;
        }
        shape[axis] = extent == 0 ? in.shape[axis] : static_cast<std::size_t>(extent);
        if (shape[axis] != 0 && known > Shape::absurd / shape[axis]) node.fail("the shape's product is absurdly large");
        known *= shape[axis];
    }
    const std::size_t count = in.shape.elements();
    if (open != Shape::max_rank && known != 0 && count % known == 0) shape[open] = count / known;
    if (shape.elements() != count) {
        node.fail("input ", to_string(in), " has ", count, " elements; they do not fit [", to_string(shape), "]");
    }
    node.output(shape, in.element, in.quantization);
}

template <class Context>
void infer(const Flatten&, Context& node) {
    node.expect_inputs(1);
    detail::expect_shared_quantization(node);
    const Value& in = node.input(0);
    if (in.shape.rank() == 0) node.fail("a scalar has no batch axis");
    std::size_t rest = 1;
    for (std::size_t axis = 1; axis < in.shape.rank(); ++axis) rest *= in.shape[axis];
    node.output({in.shape[0], rest}, in.element, in.quantization);
}

template <class Context>
void infer(const Transpose& layer, Context& node) {
    node.expect_inputs(1);
    detail::expect_shared_quantization(node);
    const Value& in = node.input(0);
    const std::size_t rank = in.shape.rank();
    Shape shape = Shape::ones(rank);
    std::size_t seen = 0;
    for (std::size_t axis = 0; axis < layer.order.size() && axis < rank; ++axis) {
        const std::size_t from = layer.order[axis];
        if (from < rank) {
            seen |= std::size_t{1} << from;
            shape[axis] = in.shape[from];
        }
    }
    if (layer.order.size() != rank || seen != (std::size_t{1} << rank) - 1) {
        node.fail("order must name each of the ", rank, " axes of input ", to_string(in), " once");
    }
    node.output(shape, in.element, in.quantization);
}

MOTE_END_NAMESPACE
