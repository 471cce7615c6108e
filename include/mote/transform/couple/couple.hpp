// SPDX-License-Identifier: MIT
#pragma once
// The verb couple of all standard layers, and the channels of a model.

#include <mote/passes/graph.hpp>
#include <mote/transform/couple/contraction.hpp>
#include <mote/transform/couple/elementwise.hpp>
#include <mote/transform/couple/movement.hpp>
#include <mote/transform/couple/recurrent.hpp>
#include <mote/transform/couple/reduction.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

template <class L>
concept Couples = requires(const L& layer, CoupleContext& node) {
    couple(layer, node);
};

/// A model's channels: the label of every value's elements, and what hangs together.
struct ModelCouplings {
    Couplings all{};
    std::vector<Labels> labels{};     // by value
    std::vector<std::size_t> axis{};  // by value: the axis that a channel is a position of
};

/// The axis along which the channels that are not locked lie; Shape::max_rank where they lie along none.
inline std::size_t channel_axis(Couplings& all, const Labels& labels, const Shape& shape) {
    const std::size_t elements = shape.elements();
    auto label = [&](std::size_t i) { return all.locked(labels[i]).empty() ? all.find(labels[i]) : constant_element; };
    if (shape.rank() == 0) return Shape::max_rank;
    if (labels.channels.size() == 1 || labels.channels.size() == shape.back()) return shape.rank() - 1;
    for (std::size_t axis = shape.rank(); axis-- > 0;) {
        const std::size_t stride = shape.stride(axis);
        bool along = true;
        for (std::size_t i = 0; along && i < elements; ++i) along = label(i) == label(i / stride % shape[axis] * stride);
        if (along) return axis;
    }
    return Shape::max_rank;
}

/// Follows the channels from the inputs to the outputs. Channels of inputs and outputs, of `ignored` nodes, of layers that
/// state no couple, and of values in which they do not lie along one axis are locked.
template <class List>
ModelCouplings couplings(const BasicModel<List>& model, const std::vector<bool>& ignored) {
    const Graph<List>& graph = model.graph();
    ModelCouplings result;
    Couplings& all = result.all;
    result.labels.resize(graph.values.size());
    for (const ValueId id : graph.inputs) {
        result.labels[id] = {{all.make_locked(concat("input '", graph.values[id].name, "'"))}};
    }
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
        const Node& node = graph.nodes[n];
        std::vector<const Value*> inputs, outputs;
        std::vector<const Labels*> labels;
        for (const ValueId id : node.inputs) {
            inputs.push_back(&graph.values[id]);
            labels.push_back(&result.labels[id]);
        }
        for (const ValueId id : node.outputs) outputs.push_back(&graph.values[id]);
        CoupleContext context(all, n, node.name, kind_name<List>(node), std::move(inputs), std::move(labels),
                              std::move(outputs));
        visit(graph, node, [&]<class L>(const L& layer) {
            if constexpr (Couples<L>) {
                couple(layer, context);
            } else if constexpr (L::family == Family::movement) {
                couple_movement(graph, node, context);
            } else {
                context.lock("states no couple(const Layer&, CoupleContext&)");
            }
        });
        if (!model.states(n).empty()) context.lock("keeps a state");
        for (std::size_t o = 0; o < node.outputs.size(); ++o) {
            Labels& labels_of_output = context.result().at(o);
            if (ignored[n]) {
                for (const Channel channel : labels_of_output.channels)
                    all.lock(channel, concat("'", node.name, "' is ignored"));
            }
            result.labels[node.outputs[o]] = std::move(labels_of_output);
        }
    }
    for (const ValueId id : graph.outputs) {
        for (const Channel channel : result.labels[id].channels) {
            all.lock(channel, concat("output '", graph.values[id].name, "'"));
        }
    }
    for (std::size_t id = 0; id < graph.values.size(); ++id) {
        const Labels& labels = result.labels[id];
        result.axis.push_back(channel_axis(all, labels, graph.values[id].shape));
        if (result.axis.back() != Shape::max_rank) continue;
        for (const Channel channel : labels.channels) {
            all.lock(channel, concat("value '", graph.values[id].name, "' has channels along more than one axis"));
        }
    }
    return result;
}

}  // namespace detail

MOTE_END_NAMESPACE
