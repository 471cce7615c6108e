// SPDX-License-Identifier: MIT
#pragma once
// couple: Conv2d, DepthwiseConv2d, TransposeConv2d, Dense, MatMul.

#include <mote/layers/contraction.hpp>
#include <mote/transform/couple/context.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// With groups, channel k of every group goes together, on either side, so that the groups stay of one size.
template <class L>
void couple_groups(const L& layer, CoupleContext& node) {
    const std::vector<Channel> in = node.input_channels();
    const std::size_t in_group = in.size() / layer.groups;
    for (std::size_t c = in_group; c < in.size(); ++c) node.all().join(in[c], in[c % in_group]);
    const std::size_t outputs = layer.weight.shape()[0];
    const std::vector<Channel> of_group = node.make_channels(outputs / layer.groups);
    std::vector<Channel> out;
    for (std::size_t c = 0; c < outputs; ++c) out.push_back(of_group[c % of_group.size()]);
    node.slices(layer, out, std::vector<Channel>(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(in_group)));
    node.output(out);
}

}  // namespace detail

template <class P>
void couple(const Conv2d<P>& layer, CoupleContext& node) {
    detail::couple_groups(layer, node);
}
template <class P>
void couple(const TransposeConv2d<P>& layer, CoupleContext& node) {
    detail::couple_groups(layer, node);
}

/// An output channel goes with the input channel that it reads.
template <class P>
void couple(const DepthwiseConv2d<P>& layer, CoupleContext& node) {
    const std::vector<Channel> in = node.input_channels();
    std::vector<Channel> out;
    for (std::size_t c = 0; c < in.size() * layer.multiplier; ++c) out.push_back(in[c / layer.multiplier]);
    node.slices(layer, out, {});
    node.output(out);
}

template <class P>
void couple(const Dense<P>& layer, CoupleContext& node) {
    const std::vector<Channel> in = node.input_channels();
    const std::vector<Channel> out = node.make_channels(layer.weight.shape()[0]);
    node.slices(layer, out, in);
    node.output(out);
}

inline void couple(const MatMul&, CoupleContext& node) {
    node.lock("multiplies values with each other");
}

MOTE_END_NAMESPACE
