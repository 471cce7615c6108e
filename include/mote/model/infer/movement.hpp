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

namespace detail {

/// The one input of a movement, which keeps its quantization.
template <class Context>
const Value& moved_input(const Context& node) {
    node.expect_inputs(1);
    expect_shared_quantization(node);
    return node.input(0);
}

/// States the output of a movement: elements of its input under `shape`.
template <class Context>
void output_moved(Context& node, const Shape& shape) {
    node.output(shape, node.input(0).element, node.input(0).quantization);
}

/// "input 'x' [2x3] f32: axis 2 is outside its axes"
template <class Context>
[[noreturn]] void refuse_moved(const Context& node, const char* what, std::int64_t number, const char* why) {
    node.fail("input ", to_string(node.input(0)), ": ", what, number, why);
}

}  // namespace detail

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
    const Value& in = detail::moved_input(node);
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
    if (!holds_reals(in.element) && !(magnitude <= std::numeric_limits<float>::max())) {
        node.fail("the padding's value ", layer.value, " is not finite; ", element_name(in.element), " cannot hold it");
    }
    detail::output_moved(node, shape);
}

template <class Context>
void infer(const Reshape& layer, Context& node) {
    const Value& in = detail::moved_input(node);
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
    detail::output_moved(node, shape);
}

template <class Context>
void infer(const Flatten&, Context& node) {
    const Value& in = detail::moved_input(node);
    if (in.shape.rank() == 0) node.fail("a scalar has no batch axis");
    std::size_t rest = 1;
    for (std::size_t axis = 1; axis < in.shape.rank(); ++axis) rest *= in.shape[axis];
    detail::output_moved(node, {in.shape[0], rest});
}

template <class Context>
void infer(const Transpose& layer, Context& node) {
    const Value& in = detail::moved_input(node);
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
    detail::output_moved(node, shape);
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
    const Value& in = detail::moved_input(node);
    const std::size_t rank = in.shape.rank();
    if (layer.begin.size() != rank || layer.size.size() != rank || layer.stride.size() != rank) {
        detail::refuse_moved(node, "begin, size and stride need an entry for each of its ", static_cast<std::int64_t>(rank),
                             " axes");
    }
    Shape shape = in.shape;
    for (std::size_t axis = 0; axis < rank; ++axis) {
        const auto number = static_cast<std::int64_t>(axis);
        if (layer.stride[axis] == 0) detail::refuse_moved(node, "the stride of axis ", number, " is 0; another is expected");
        const auto most = static_cast<std::int64_t>(slice_extent(layer, axis, shape[axis]));
        const std::int64_t size = layer.size[axis] == -1 ? most : layer.size[axis];
        if (size < 0 || size > most) {
            detail::refuse_moved(node, "the slice of axis ", number,
                                 " goes beyond it; at most the elements that there are, or -1 for all of them, are expected");
        }
        shape[axis] = static_cast<std::size_t>(size);
    }
    detail::output_moved(node, shape);
}

/// Gather's axis counted from the front. The layer was checked by infer.
inline std::size_t gather_axis(const Gather& layer, std::size_t rank) {
    return layer.axis < 0 ? rank - static_cast<std::size_t>(-layer.axis) : static_cast<std::size_t>(layer.axis);
}

template <class Context>
void infer(const Gather& layer, Context& node) {
    const Value& in = detail::moved_input(node);
    const auto rank = static_cast<std::int64_t>(in.shape.rank());
    if (layer.axis >= rank || layer.axis < -rank) detail::refuse_moved(node, "axis ", layer.axis, " is outside its axes");
    const std::size_t axis = gather_axis(layer, in.shape.rank());
    const Shape& chosen = layer.indices.shape();
    Shape shape = in.shape;
    if (shape.rank() - 1 + chosen.rank() > Shape::max_rank) {
        detail::refuse_moved(node, "indices of ", static_cast<std::int64_t>(chosen.rank()), " axes make more than 8 axes");
    }
    for (const std::int32_t index : layer.indices.values()) {
        if (index < 0 || static_cast<std::size_t>(index) >= shape[axis]) {
            detail::refuse_moved(node, "index ", index, " is outside the axis");
        }
    }
    shape = Shape::ones(shape.rank() - 1 + chosen.rank());
    for (std::size_t i = 0; i < shape.rank(); ++i) {
        shape[i] = i < axis ? in.shape[i] : i < axis + chosen.rank() ? chosen[i - axis] : in.shape[i + 1 - chosen.rank()];
    }
    detail::output_moved(node, shape);
}

template <class Context>
void infer(const Tile& layer, Context& node) {
    const Value& in = detail::moved_input(node);
    Shape shape = in.shape;
    if (layer.repeats.size() != shape.rank()) {
        detail::refuse_moved(node, "repeats needs an entry for each of its ", static_cast<std::int64_t>(shape.rank()), " axes");
    }
    for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
        if (layer.repeats[axis] != 0 && shape[axis] > Shape::absurd / layer.repeats[axis]) {
            detail::refuse_moved(node, "axis ", static_cast<std::int64_t>(axis), " becomes absurdly long");
        }
        shape[axis] *= layer.repeats[axis];
    }
    detail::output_moved(node, shape);
}

template <class Context>
void infer(const Constant& layer, Context& node) {
    node.expect_inputs(0);
    const Quantization& quantization = layer.bytes.quantization();
    Shape shape = Shape::ones(layer.shape.size());
    for (std::size_t axis = 0; axis < shape.rank(); ++axis) shape[axis] = layer.shape[axis];
    const std::size_t count = shape.elements();
    const char* flaw = nullptr;
    if (layer.shape.size() > Shape::max_rank || count >= Shape::absurd ||
        layer.bytes.elements() != element_bytes(layer.element, count)) {
        flaw = "a shape of more than 8 axes, or one that its bytes do not fill";
    } else if (!detail::quantization_flaw(quantization).empty()) {
        flaw = "a scale or zero point that is not usable; finite, positive, normal scales with a zero point each are expected";
    } else if (node.requested_quantization().present() && node.requested_quantization() != quantization) {
        flaw = "the quantization of its bytes; its value was given another";
    }
    if (flaw != nullptr) node.fail("it has ", flaw);
    node.output(shape, layer.element, quantization);
}

MOTE_END_NAMESPACE
