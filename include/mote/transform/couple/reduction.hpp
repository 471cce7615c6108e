// SPDX-License-Identifier: MIT
#pragma once
// couple: reductions, pooling, Resize2d, Softmax.

#include <mote/layers/reduction.hpp>
#include <mote/transform/couple/context.hpp>

MOTE_BEGIN_NAMESPACE

inline void couple(const MaxPool2d&, CoupleContext& node) {
    node.output(node.input_channels());
}
inline void couple(const AveragePool2d&, CoupleContext& node) {
    node.output(node.input_channels());
}
inline void couple(const Resize2d&, CoupleContext& node) {
    node.output(node.input_channels());
}
inline void couple(const GlobalAveragePool&, CoupleContext& node) {
    node.output(node.input_channels());
}

/// Channels along the last axis go through a reduction of others.
inline void couple(const Reduce& layer, CoupleContext& node) {
    const std::size_t rank = node.input().shape.rank();
    for (const std::size_t axis : layer.axes) {
        if (axis + 1 == rank) return node.lock("needs all of its inputs");
    }
    if (rank == 0) return node.lock("has no channels");
    node.output(node.input_channels());
}
inline void couple(const ArgMax&, CoupleContext& node) {
    node.lock("needs all of its inputs");
}
inline void couple(const ArgMaxPool&, CoupleContext& node) {
    node.lock("counts its inputs");
}

/// Without one of its inputs every output would change.
inline void couple(const Softmax&, CoupleContext& node) {
    node.lock("needs all of its inputs");
}

MOTE_END_NAMESPACE
