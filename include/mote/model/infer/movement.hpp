// SPDX-License-Identifier: MIT
#pragma once
// infer: output values of the movement layers. Movement keeps element and quantization.

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

/// How many elements, from the first on, a slice finds along one axis. The layer was checked by infer.
inline std::size_t slice_extent(const Slice& layer, std::size_t axis, std::size_t extent) {
    const std::size_t begin = layer.begin[axis];
    if (begin >= extent) return 0;
    const std::int64_t stride = layer.stride[axis];
    if (stride > 0) return (extent - 1 - begin) / static_cast<std::size_t>(stride) + 1;
    return begin / (std::size_t{0} - static_cast<std::size_t>(stride)) + 1;
}

template <class Context>
void infer(const Slice& layer, Context& node) {
    node.expect_inputs(1);
    detail::expect_shared_quantization(node);
    const Value& in = node.input(0);
    const std::size_t rank = in.shape.rank();
    if (layer.begin.size() != rank || layer.size.size() != rank || layer.stride.size() != rank) {
        node.fail("begin has ", layer.begin.size(), ", size ", layer.size.size(), " and stride ", layer.stride.size(),
                  " entries; input ", to_string(in), " has ", rank, " axes");
    }
    Shape shape = in.shape;
    for (std::size_t axis = 0; axis < rank; ++axis) {
        if (layer.stride[axis] == 0) node.fail("axis ", axis, ": the stride is 0; another is expected");
        const auto most = static_cast<std::int64_t>(slice_extent(layer, axis, in.shape[axis]));
        const std::int64_t size = layer.size[axis] == -1 ? most : layer.size[axis];
        if (size < 0 || size > most) {
            node.fail("axis ", axis, ": ", size, " elements from ", layer.begin[axis], " on, ", layer.stride[axis],
                      " apart, are not in input ", to_string(in), "; 0 to ", most, " are, and -1 takes all of them");
        }
        shape[axis] = static_cast<std::size_t>(size);
    }
    node.output(shape, in.element, in.quantization);
}

/// Gather's axis counted from the front. The layer was checked by infer.
inline std::size_t gather_axis(const Gather& layer, std::size_t rank) {
    return layer.axis < 0 ? rank - static_cast<std::size_t>(-layer.axis) : static_cast<std::size_t>(layer.axis);
}

template <class Context>
void infer(const Gather& layer, Context& node) {
    node.expect_inputs(1);
    detail::expect_shared_quantization(node);
    const Value& in = node.input(0);
    const auto rank = static_cast<std::int64_t>(in.shape.rank());
    if (layer.axis >= rank || layer.axis < -rank) {
        node.fail("axis ", layer.axis, " is outside the ", rank, " axes of input ", to_string(in));
    }
    const std::size_t axis = gather_axis(layer, in.shape.rank());
    const Shape& chosen = layer.indices.shape();
    if (in.shape.rank() - 1 + chosen.rank() > Shape::max_rank) {
        node.fail("indices [", to_string(chosen), "] of input ", to_string(in), " make more than ", Shape::max_rank, " axes");
    }
    for (const std::int32_t index : layer.indices.values()) {
        if (index < 0 || static_cast<std::size_t>(index) >= in.shape[axis]) {
            node.fail("index ", index, " is outside axis ", axis, " of input ", to_string(in));
        }
    }
    Shape shape = Shape::ones(in.shape.rank() - 1 + chosen.rank());
    for (std::size_t i = 0; i < shape.rank(); ++i) {
        shape[i] = i < axis ? in.shape[i] : i < axis + chosen.rank() ? chosen[i - axis] : in.shape[i + 1 - chosen.rank()];
    }
    node.output(shape, in.element, in.quantization);
}

template <class Context>
void infer(const Tile& layer, Context& node) {
    node.expect_inputs(1);
    detail::expect_shared_quantization(node);
    const Value& in = node.input(0);
    if (layer.repeats.size() != in.shape.rank()) {
        node.fail("repeats has ", layer.repeats.size(), " entries; input ", to_string(in), " has ", in.shape.rank(), " axes");
    }
    Shape shape = in.shape;
    for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
        if (layer.repeats[axis] != 0 && shape[axis] > Shape::absurd / layer.repeats[axis]) {
            node.fail("axis ", axis, " becomes absurdly long");
        }
        shape[axis] *= layer.repeats[axis];
    }
    node.output(shape, in.element, in.quantization);
}

template <class Context>
void infer(const Constant& layer, Context& node) {
    node.expect_inputs(0);
    if (layer.shape.size() > Shape::max_rank)
        node.fail("a shape has at most ", Shape::max_rank, " axes; ", layer.shape.size(), " given");
    const Shape shape = make_shape(layer.shape);
    const Quantization& quantization = layer.bytes.quantization();
    if (shape.elements() >= Shape::absurd || layer.bytes.elements() != element_bytes(layer.element, shape.elements())) {
        node.fail(layer.bytes.elements(), " bytes are no [", to_string(shape), "] of ", element_name(layer.element));
    }
    const std::string flaw = detail::quantization_flaw(quantization);
    if (!flaw.empty()) node.fail("it has ", flaw);
    if (node.requested_quantization().present() && node.requested_quantization() != quantization) {
        node.fail("its value has the quantization of its bytes; another was asked for");
    }
    node.output(shape, layer.element, quantization);
}

MOTE_END_NAMESPACE
