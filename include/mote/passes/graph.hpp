// SPDX-License-Identifier: MIT
#pragma once
// Who makes and who uses each value of a graph, and a graph without the values that nobody makes any more.

#include <mote/core/narrow.hpp>
#include <mote/model/model.hpp>

MOTE_BEGIN_NAMESPACE

inline constexpr std::size_t no_node = static_cast<std::size_t>(-1);

/// The edges of a graph, by value.
struct Edges {
    std::vector<std::size_t> producer;  ///< the node that makes the value; no_node for a model input
    std::vector<std::size_t> uses;      ///< how many inputs of nodes it is bound to
    std::vector<std::size_t> consumer;  ///< the last node that uses it; no_node where none does
    std::vector<char> is_output;        ///< whether it is an output of the model

    /// The one node that sees the value: its only use, and no output of the model. no_node where there is no such node.
    std::size_t only_consumer(ValueId value) const {
        return uses[value] == 1 && is_output[value] == 0 ? consumer[value] : no_node;
    }
};

template <class List>
Edges edges(const Graph<List>& graph) {
    const std::size_t count = graph.values.size();
    Edges result{std::vector<std::size_t>(count, no_node), std::vector<std::size_t>(count, 0),
                 std::vector<std::size_t>(count, no_node), std::vector<char>(count, 0)};
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        for (const ValueId id : graph.nodes[i].inputs) {
            ++result.uses[id];
            result.consumer[id] = i;
        }
        for (const ValueId id : graph.nodes[i].outputs) result.producer[id] = i;
    }
    for (const ValueId id : graph.outputs) result.is_output[id] = 1;
    return result;
}

/// The graph without the values that are neither an input nor made by a node; the ids of the others close up.
template <class List>
Graph<List> compacted(Graph<List> graph) {
    std::vector<char> kept(graph.values.size(), 0);
    for (const ValueId id : graph.inputs) kept[id] = 1;
    for (const Node& node : graph.nodes) {
        for (const ValueId id : node.outputs) kept[id] = 1;
    }
    std::vector<ValueId> place(graph.values.size(), 0);
    std::vector<Value> values;
    for (std::size_t id = 0; id < graph.values.size(); ++id) {
        place[id] = narrow<ValueId>(values.size());
        if (kept[id] != 0) values.push_back(std::move(graph.values[id]));
    }
    graph.values = std::move(values);
    auto renumber = [&](std::vector<ValueId>& ids) {
        for (ValueId& id : ids) id = place[id];
    };
    renumber(graph.inputs);
    renumber(graph.outputs);
    for (Node& node : graph.nodes) {
        renumber(node.inputs);
        renumber(node.outputs);
    }
    return graph;
}

MOTE_END_NAMESPACE
