// SPDX-License-Identifier: MIT
#pragma once
// couple: pooling, Resize2d, Softmax.

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

/// Without one of its inputs every output would change.
inline void couple(const Softmax&, CoupleContext& node) {
    node.lock("needs all of its inputs");
}

MOTE_END_NAMESPACE
