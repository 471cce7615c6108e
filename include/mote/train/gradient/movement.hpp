// SPDX-License-Identifier: MIT
#pragma once
// gradient: the movement layers. What moved forward moves back; what was copied several times is added up.

#include <mote/engine/lower/movement.hpp>
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

}  // namespace detail

inline void gradient(const Concat& layer, GradientContext& node) {
    const Shape& whole = node.output().shape;
    const std::size_t axis = concat_axis(layer, whole.rank());
    std::size_t offset = 0;
    for (std::size_t i = 0; i < node.inputs(); ++i) {
        const Shape& part = node.input(i).shape;
        if (node.wants(i)) detail::move_back(node, i, detail::move_geometry(part, whole, part), offset);
        offset += part[axis] * whole.stride(axis);
    }
}

inline void gradient(const Pad& layer, GradientContext& node) {
    if (!node.wants(0)) return;
    const Shape& whole = node.output().shape;
    const Shape& part = node.input().shape;
    std::size_t offset = 0;
    for (std::size_t axis = 0; axis < whole.rank(); ++axis) offset += layer.before[axis] * whole.stride(axis);
    detail::move_back(node, 0, detail::move_geometry(part, whole, part), offset);
}

inline void gradient(const Reshape&, GradientContext& node) {
    if (node.wants(0)) detail::put(node.input_sink(0), node.input().shape.elements(), node.output_gradient());
}
inline void gradient(const Flatten&, GradientContext& node) {
    if (node.wants(0)) detail::put(node.input_sink(0), node.input().shape.elements(), node.output_gradient());
}

inline void gradient(const Transpose& layer, GradientContext& node) {
    if (!node.wants(0)) return;
    MoveGeometry geometry = detail::transposition(node.input().shape, layer.order.data());
    std::swap(geometry.input_stride, geometry.output_stride);
    detail::move_back(node, 0, geometry, 0);
}

namespace detail {

/// dx += dy, each element of dy where the movement took it from.
inline void scatter(GradientContext& node, const MoveStep::Part& movement) {
    const MoveGeometry& g = movement.geometry;
    if (node.output().shape.elements() == 0) return;
    const float* dy = node.output_gradient();
    float* dx = node.input_gradient(0).data() + movement.input_offset;
    std::int32_t index[8] = {};
    for (std::int32_t axis = 0; axis >= 0;) {
        *dx += *dy;
        for (axis = g.rank - 1; axis >= 0; --axis) {
            dx += g.input_stride[axis];
            dy += g.output_stride[axis];
            if (++index[axis] < g.extent[axis]) break;
            dx -= std::ptrdiff_t{g.extent[axis]} * g.input_stride[axis];
            dy -= std::ptrdiff_t{g.extent[axis]} * g.output_stride[axis];
            index[axis] = 0;
        }
    }
}

}  // namespace detail

inline void gradient(const Slice& layer, GradientContext& node) {
    if (node.wants(0)) detail::scatter(node, detail::movement_of(layer, node.input().shape, node.output().shape));
}

inline void gradient(const Tile& layer, GradientContext& node) {
    if (!node.wants(0)) return;
    MoveStep::Part movement;
    detail::movement_of(layer, node.input().shape, node.output().shape, movement);  // it was lowered, so it is one
    detail::scatter(node, movement);
}

inline void gradient(const Gather& layer, GradientContext& node) {
    if (!node.wants(0)) return;
    const GatherGeometry g = detail::gather_geometry(layer, node.input().shape);
    const auto inner = static_cast<std::size_t>(g.inner), extent = static_cast<std::size_t>(g.extent);
    const float* dy = node.output_gradient();
    float* dx = node.input_gradient(0).data();
    for (std::int32_t o = 0; o < g.outer; ++o, dx += extent * inner) {
        for (const std::int32_t index : layer.indices.values()) {
            for (std::size_t i = 0; i < inner; ++i) dx[static_cast<std::size_t>(index) * inner + i] += *dy++;
        }
    }
}

MOTE_END_NAMESPACE
