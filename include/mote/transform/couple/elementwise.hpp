// SPDX-License-Identifier: MIT
#pragma once
// couple: activations, functions, BatchNorm, Add, Mul, Convert.

#include <mote/layers/elementwise.hpp>
#include <mote/transform/couple/context.hpp>

#include <numeric>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// Element i of the output is made of element i of every input.
inline void couple_elements(CoupleContext& node) {
    const Labels& first = node.labels(0);
    for (std::size_t k = 1; k < node.inputs(); ++k) {
        const Labels& other = node.labels(k);
        const std::size_t period = std::lcm(first.channels.size(), other.channels.size());
        for (std::size_t i = 0; i < period; ++i) node.all().join(first[i], other[i]);
    }
    node.output(first);
}

}  // namespace detail

inline void couple(const Relu&, CoupleContext& node) {
    detail::couple_elements(node);
}
inline void couple(const Relu6&, CoupleContext& node) {
    detail::couple_elements(node);
}
inline void couple(const LeakyRelu&, CoupleContext& node) {
    detail::couple_elements(node);
}
inline void couple(const Sigmoid&, CoupleContext& node) {
    detail::couple_elements(node);
}
inline void couple(const Tanh&, CoupleContext& node) {
    detail::couple_elements(node);
}
inline void couple(const HardSigmoid&, CoupleContext& node) {
    detail::couple_elements(node);
}
inline void couple(const HardSwish&, CoupleContext& node) {
    detail::couple_elements(node);
}
inline void couple(const Unary&, CoupleContext& node) {
    detail::couple_elements(node);
}
inline void couple(const Convert&, CoupleContext& node) {
    detail::couple_elements(node);
}
inline void couple(const Add&, CoupleContext& node) {
    detail::couple_elements(node);
}

/// The second input may be one number a channel.
inline void couple(const Mul&, CoupleContext& node) {
    if (node.input(0).shape == node.input(1).shape) return detail::couple_elements(node);
    const std::vector<Channel> channels = node.input_channels(0);
    const std::vector<Channel> factors = node.input_channels(1);
    for (std::size_t c = 0; c < channels.size(); ++c) node.all().join(channels[c], factors[c]);
    node.output(channels);
}

/// Where an input repeats, channels of the last axis; one that repeats along it has a single one.
inline void couple(const Binary&, CoupleContext& node) {
    if (node.input(0).shape == node.input(1).shape) return detail::couple_elements(node);
    const std::vector<Channel> a = node.input_channels(0), b = node.input_channels(1);
    for (std::size_t c = 0; a.size() == b.size() && c < a.size(); ++c) node.all().join(a[c], b[c]);
    node.output(a.size() < b.size() ? b : a);
}

inline void couple(const Prelu& layer, CoupleContext& node) {
    const std::vector<Channel> channels = node.input_channels();
    node.slices(layer, channels, {});
    node.output(channels);
}

inline void couple(const BatchNorm& layer, CoupleContext& node) {
    const std::vector<Channel> channels = node.input_channels();
    node.slices(layer, channels, {});
    node.output(channels);
}

MOTE_END_NAMESPACE
