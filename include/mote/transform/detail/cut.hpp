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

/// How many positions stay in front of position `end` of an axis.
inline std::size_t kept_before(const Shape& shape, std::size_t axis, const Labels& labels, Couplings& all, const Gone& gone,
                               std::size_t end) {
    std::size_t left = 0;
    for (std::size_t i = 0; i < end; ++i) left += gone[all.find(labels[i * shape.stride(axis)])] ? 0u : 1u;
    return left;
}

/// The extents that are left of a value.
inline Shape cut_shape(const Shape& shape, std::size_t axis, const Labels& labels, Couplings& all, const Gone& gone) {
    if (axis >= shape.rank()) return shape;
    Shape result = shape;
    result[axis] = kept_before(shape, axis, labels, all, gone, shape[axis]);
    return result;
}

/// The reshape to `out`, which is what is left of the output.
inline Reshape cut_layer(Reshape layer, const Shape& out) {
    for (std::size_t axis = 0; axis < layer.shape.size(); ++axis) {
        if (layer.shape[axis] > 0) layer.shape[axis] = narrow<std::int64_t>(out[axis]);
    }
    return layer;
}
/// The slice and the gathering of what is left of a value, whose channels lie along `axis`.
template <class KeptBefore>
Slice cut_layer(const Slice& layer, std::size_t axis, const Shape& out, const KeptBefore& kept) {
    Slice next = layer;
    if (axis >= layer.begin.size()) return next;
    const std::size_t begin = layer.begin[axis], size = out[axis];
    const bool forward = layer.stride[axis] > 0;
    next.begin[axis] = forward ? kept(begin) : std::max<std::size_t>(1, kept(begin + 1)) - 1;
    next.size[axis] =
        narrow<std::int64_t>(forward ? kept(begin + size) - kept(begin) : kept(begin + 1) - kept(begin + 1 - size));
    return next;
}
/// `out` is what is left of the output: channels lie along one axis of it, of the indices too where they are a grid.
template <class KeptBefore>
Gather cut_layer(const Gather& layer, std::size_t axis, const Shape& in, const Shape& out, const KeptBefore& kept) {
    if (axis != gather_axis(layer, in.rank())) return layer;
    std::vector<std::int32_t> left;
    for (const std::int32_t index : layer.indices.values()) {
        const auto at = static_cast<std::size_t>(index);
        if (kept(at + 1) > kept(at)) left.push_back(narrow<std::int32_t>(kept(at)));
    }
    Shape shape = layer.indices.shape();
    for (std::size_t i = 0; i < shape.rank(); ++i) shape[i] = out[axis + i];
    return {layer.axis, Tensor<i32>(shape, left)};
}

/// The model without the channels that go. Where a Reshape names an extent that shrinks, it names the new one; a Slice and a
/// Gather name the new positions.
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
        const auto left_of = [&](ValueId id) {
            return cut_shape(model.value(id).shape, couplings.axis[id], couplings.labels[id], couplings.all, gone);
        };
        const auto kept = [&](std::size_t end) {
            const ValueId id = node.inputs[0];
            return kept_before(model.value(id).shape, couplings.axis[id], couplings.labels[id], couplings.all, gone, end);
        };
        if constexpr (contains<Reshape, List>) {
            if (const Reshape* reshape = get_if<Reshape>(graph, node)) {
                node = with_layer<List>(node, cut_layer(*reshape, left_of(node.outputs[0])));
            }
        }
        if constexpr (contains<Slice, List>) {
            if (const Slice* slice = get_if<Slice>(graph, node)) {
                const ValueId in = node.inputs[0], out = node.outputs[0];
                node = with_layer<List>(node, cut_layer(*slice, couplings.axis[in], model.value(out).shape, kept));
            }
        }
        if constexpr (contains<Gather, List>) {
            if (const Gather* gather = get_if<Gather>(graph, node)) {
                const ValueId in = node.inputs[0], out = node.outputs[0];
                node =
                    with_layer<List>(node, cut_layer(*gather, couplings.axis[in], model.value(in).shape, left_of(out), kept));
            }
        }
    }
    return BasicModel<List>(std::move(graph));
}

}  // namespace detail

MOTE_END_NAMESPACE
