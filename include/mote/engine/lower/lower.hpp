// SPDX-License-Identifier: MIT
#pragma once
// The verb lower of all standard layers, and its table over a list of layers. Only here it is asked whether a layer has it.

#include <mote/engine/lower/contraction.hpp>
#include <mote/engine/lower/elementwise.hpp>
#include <mote/engine/lower/half.hpp>
#include <mote/engine/lower/matmul.hpp>
#include <mote/engine/lower/movement.hpp>
#include <mote/engine/lower/recurrent.hpp>
#include <mote/engine/lower/reduction.hpp>
#include <mote/engine/lower/transpose_conv.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

template <class L>
concept Lowerable = requires(const L& layer, LowerContext& node) {
    lower(layer, node);
};

template <class L>
struct LowerVerb {
    static void call(const void* layer, LowerContext& node) {
        if constexpr (computes_in_f32<L>) {
            if (!enter_f32(node)) return;
            lower(*static_cast<const L*>(layer), node);
            leave_f32(node);
        } else if constexpr (Lowerable<L>) {
            lower(*static_cast<const L*>(layer), node);
        } else {
            node.unsupported("layers of this kind have no lower(const Layer&, LowerContext&)");
        }
    }
};

/// The group's layer as it is lowered: with the BatchNorms that follow it folded in.
template <class List>
std::shared_ptr<const void> lead_layer(const Graph<List>& graph, const Group& group) {
    Node node = graph.nodes[group.lead];
    for (const std::size_t norm : group.norms) {
        node.layer = folded_layer<List>(node, *get_if<BatchNorm>(graph, graph.nodes[norm]));
    }
    return node.layer;
}

}  // namespace detail

MOTE_END_NAMESPACE
