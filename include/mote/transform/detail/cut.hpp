// SPDX-License-Identifier: MIT
#pragma once
// Cutting: layers and shapes without the channels that go.

#include <mote/transform/couple/couple.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// The tensor without the positions of one axis for which `gone` is set; a scale an index of that axis goes with it.
template <class P>
Tensor<P> without(const Tensor<P>& tensor, std::size_t axis, const std::vector<bool>& gone) {
    static_assert(P::bits >= 8, "mote: packed elements cannot be cut");
    std::vector<std::size_t> stay;
    for (std::size_t i = 0; i < gone.size(); ++i) {
        if (!gone[i]) stay.push_back(i);
    }
    Shape shape = tensor.shape();
    const std::size_t inner = shape.stride(axis), extent = shape[axis];
    const std::size_t outer = tensor.elements() / (inner * extent);
    shape[axis] = stay.size();
    Tensor<P> result(shape);
    std::size_t to = 0;
    for (std::size_t o = 0; o < outer; ++o) {
        for (const std::size_t i : stay) {
            for (std::size_t k = 0; k < inner; ++k) result[to++] = tensor[(o * extent + i) * inner + k];
        }
    }
    Quantization quantization = tensor.quantization();
    if (quantization.per_axis() && quantization.axis == axis) {
        Quantization next;
        next.axis = axis;
        for (const std::size_t i : stay) {
            next.scale.push_back(quantization.scale[i]);
            next.zero_point.push_back(quantization.zero_point[i]);
        }
        quantization = std::move(next);
    }
    result.set_quantization(std::move(quantization));
    return result;
}

/// What goes from one axis of one parameter.
struct AxisCut {
    std::string_view field{};
    std::size_t axis = 0;
    std::vector<bool> gone{};
};

template <class L>
std::shared_ptr<const void> cut_layer(const L& layer, const std::vector<AxisCut>& cuts) {
    L next = layer;
    for_each_field(next, [&](const auto& field, auto& member) {
        if constexpr (is_tensor<std::remove_cvref_t<decltype(member)>>) {
            for (const AxisCut& cut : cuts) {
                if (cut.field == field.name) member = without(member, cut.axis, cut.gone);
            }
        }
    });
    return make_erased(std::move(next));
}

/// By channel: whether it goes.
using Gone = std::vector<bool>;

/// The extents that are left of a value.
inline Shape cut_shape(const Shape& shape, std::size_t axis, const Labels& labels, Couplings& all, const Gone& gone) {
    if (axis >= shape.rank()) return shape;
    Shape result = shape;
    const std::size_t stride = shape.stride(axis);
    std::size_t left = 0;
    for (std::size_t i = 0; i < shape[axis]; ++i) left += gone[all.find(labels[i * stride])] ? 0u : 1u;
    result[axis] = left;
    return result;
}

/// The model without the channels that go. Where a Reshape names an extent that shrinks, it names the new one.
template <class List>
BasicModel<List> cut_model(const BasicModel<List>& model, ModelCouplings& couplings, const Gone& gone) {
    Graph<List> graph = model.graph();
    std::vector<std::vector<AxisCut>> cuts(graph.nodes.size());
    for (Channel channel = 0; channel < couplings.all.size(); ++channel) {
        if (couplings.all.find(channel) != channel || !gone[channel]) continue;
        for (const ParameterSlice& slice : couplings.all.slices(channel)) {
            std::vector<AxisCut>& of_node = cuts[slice.node];
            std::size_t at = 0;
            while (at < of_node.size() && !(of_node[at].field == slice.field && of_node[at].axis == slice.axis)) ++at;
            if (at == of_node.size()) of_node.push_back({slice.field, slice.axis, {}});
            std::vector<bool>& marks = of_node[at].gone;
            if (marks.size() <= slice.index) marks.resize(slice.index + 1, false);
            marks[slice.index] = true;
        }
    }
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
        Node& node = graph.nodes[n];
        if (!cuts[n].empty()) {
            node.layer = visit(graph, node, [&](const auto& layer) {
                for_each_parameter(layer, [&](const auto& field, const auto& tensor) {
                    for (AxisCut& cut : cuts[n]) {
                        if (cut.field == field.name) cut.gone.resize(tensor.shape()[cut.axis], false);
                    }
                });
                return cut_layer(layer, cuts[n]);
            });
        }
        if (const Reshape* reshape = get_if<Reshape>(graph, node)) {
            const ValueId id = node.outputs[0];
            const Shape shape = cut_shape(model.value(id).shape, couplings.axis[id], couplings.labels[id], couplings.all, gone);
            Reshape next = *reshape;
            for (std::size_t axis = 0; axis < next.shape.size(); ++axis) {
                if (next.shape[axis] > 0) next.shape[axis] = narrow<std::int64_t>(shape[axis]);
            }
            if constexpr (contains<Reshape, List>) node = with_layer<List>(node, std::move(next));
        }
    }
    return BasicModel<List>(std::move(graph));
}

}  // namespace detail

MOTE_END_NAMESPACE
