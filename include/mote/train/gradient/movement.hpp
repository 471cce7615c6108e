// SPDX-License-Identifier: MIT
#pragma once
// gradient: Concat, Pad, Reshape, Flatten, Transpose. What moved forward moves back.

#include <mote/layers/movement.hpp>
#include <mote/model/infer/movement.hpp>
#include <mote/train/gradient/context.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// dx (+)= the elements of dy that `geometry` names, dy starting `offset` elements in.
inline void move_back(GradientContext& node, std::size_t index, const MoveGeometry& geometry, std::size_t offset) {
    const float* dy = node.output_gradient() + offset;
    const GradientSink dx = node.input_sink(index);
    if (!dx.accumulate) {
        node.kernels().move(geometry, sizeof(float), dy, dx.data);
        return;
    }
    const std::size_t count = node.input(index).shape.elements();
    float* const moved = node.scratch<float>(count);
    node.kernels().move(geometry, sizeof(float), dy, moved);
    put(dx, count, moved);
}

/// A dense block of extents `part` inside a dense array of shape `whole`, to a dense array.
inline MoveGeometry block_geometry(const Shape& part, const Shape& whole) {
    MoveGeometry geometry;
    geometry.rank = narrow<std::int32_t>(part.rank());
    for (std::size_t axis = 0; axis < part.rank(); ++axis) {
        geometry.extent[axis] = narrow<std::int32_t>(part[axis]);
        geometry.input_stride[axis] = narrow<std::int32_t>(whole.stride(axis));
        geometry.output_stride[axis] = narrow<std::int32_t>(part.stride(axis));
    }
    return geometry;
}

}  // namespace detail

inline void gradient(const Concat& layer, GradientContext& node) {
    const Shape& whole = node.output().shape;
    const std::size_t axis = concat_axis(layer, whole.rank());
    std::size_t offset = 0;
    for (std::size_t i = 0; i < node.inputs(); ++i) {
        const Shape& part = node.input(i).shape;
        if (node.wants(i)) detail::move_back(node, i, detail::block_geometry(part, whole), offset);
        offset += part[axis] * whole.stride(axis);
    }
}

inline void gradient(const Pad& layer, GradientContext& node) {
    if (!node.wants(0)) return;
    const Shape& whole = node.output().shape;
    std::size_t offset = 0;
    for (std::size_t axis = 0; axis < whole.rank(); ++axis) offset += layer.before[axis] * whole.stride(axis);
    detail::move_back(node, 0, detail::block_geometry(node.input().shape, whole), offset);
}

inline void gradient(const Reshape&, GradientContext& node) {
    if (node.wants(0)) detail::put(node.input_sink(0), node.input().shape.elements(), node.output_gradient());
}
inline void gradient(const Flatten&, GradientContext& node) {
    if (node.wants(0)) detail::put(node.input_sink(0), node.input().shape.elements(), node.output_gradient());
}

inline void gradient(const Transpose& layer, GradientContext& node) {
    if (!node.wants(0)) return;
    MoveGeometry geometry = detail::block_geometry(node.output().shape, node.output().shape);
    for (std::size_t axis = 0; axis < layer.order.size(); ++axis) {
        geometry.output_stride[axis] = narrow<std::int32_t>(node.input().shape.stride(layer.order[axis]));
    }
    detail::move_back(node, 0, geometry, 0);
}

MOTE_END_NAMESPACE
