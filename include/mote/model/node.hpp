// SPDX-License-Identifier: MIT
#pragma once
// Node and Graph: a model's plain data, and the tables of functions through which a verb reaches a node's layer.

#include <mote/layers/layers.hpp>
#include <mote/model/value.hpp>

MOTE_BEGIN_NAMESPACE

/// A layer between values. `kind` is the layer's index in the model's LayerList, `layer` points to it.
struct Node {
    std::string name;
    std::shared_ptr<const void> layer;
    std::size_t kind = 0;
    std::vector<ValueId> inputs;
    std::vector<ValueId> outputs;
};

/// The parts of a model before they are checked: nodes in topological order, values, the ids of inputs and outputs. Of a
/// node's output values only name and (for i8, where the layer cannot know it) quantization count; infer sets the rest.
template <class List>
struct Graph {
    using layers = List;
    std::vector<Value> values;
    std::vector<Node> nodes;
    std::vector<ValueId> inputs;
    std::vector<ValueId> outputs;
};

namespace detail {

/// One entry a layer type: Verb<L>::call. A verb over a model is such a table, indexed by Node::kind.
template <class List, template <class> class Verb>
struct VerbTable;
template <class First, class... L, template <class> class Verb>
struct VerbTable<LayerList<First, L...>, Verb> {
    static constexpr decltype(&Verb<First>::call) call[] = {&Verb<First>::call, &Verb<L>::call...};
};

template <class Visit, class Result>
struct Visitor {
    template <class L>
    struct verb {
        static Result call(const void* layer, Visit& visit) { return visit(*static_cast<const L*>(layer)); }
    };
};

template <class List>
struct first_layer;
template <class First, class... Rest>
struct first_layer<LayerList<First, Rest...>> {
    using type = First;
};

template <class List>
struct Kinds;
template <class... L>
struct Kinds<LayerList<L...>> {
    static constexpr const char* name[] = {L::kind...};
};

template <class L>
struct EqualVerb {
    static bool call(const void* a, const void* b) {
        return a == b || equal(*static_cast<const L*>(a), *static_cast<const L*>(b));
    }
};

}  // namespace detail

/// Calls visit(layer) with the node's layer as its own type. All calls return one type.
template <class List, class Visit>
decltype(auto) visit(const Node& node, Visit&& visitor) {
    using Plain = std::remove_reference_t<Visit>;
    using Result = decltype(visitor(std::declval<const typename detail::first_layer<List>::type&>()));
    return detail::VerbTable<List, detail::Visitor<Plain, Result>::template verb>::call[node.kind](node.layer.get(), visitor);
}
template <template <class> class Owner, class List, class Visit>
decltype(auto) visit(const Owner<List>&, const Node& node, Visit&& visitor) {
    return mote::visit<List>(node, std::forward<Visit>(visitor));
}

/// The node's layer where it is an L, else null.
template <class L, class List>
const L* get_if(const Node& node) noexcept {
    if constexpr (contains<L, List>) {
        return node.kind == index_in<L, List> ? static_cast<const L*>(node.layer.get()) : nullptr;
    } else {
        return nullptr;
    }
}
template <class L, template <class> class Owner, class List>
const L* get_if(const Owner<List>&, const Node& node) noexcept {
    return mote::get_if<L, List>(node);
}

/// "Conv2d", "Relu" ...
template <class List>
const char* kind_name(const Node& node) noexcept {
    return detail::Kinds<List>::name[node.kind];
}

template <class List, class L>
Node make_node(std::string name, L layer, std::vector<ValueId> inputs, std::vector<ValueId> outputs) {
    static_assert(contains<L, List>, "mote: the model's layer list does not hold this layer (see append<>)");
    return {std::move(name), make_erased(std::move(layer)), index_in<L, List>, std::move(inputs), std::move(outputs)};
}

/// The node with another layer.
template <class List, class L>
Node with_layer(const Node& node, L layer) {
    return make_node<List>(node.name, std::move(layer), node.inputs, node.outputs);
}

MOTE_END_NAMESPACE
