// SPDX-License-Identifier: MIT
#pragma once
// Model<P...>: what a network means. A checked, immutable value; copies share their layers.

#include <mote/model/cost/cost.hpp>
#include <mote/model/infer/infer.hpp>
#include <mote/model/node.hpp>

#include <algorithm>

MOTE_BEGIN_NAMESPACE

namespace detail {

template <class L>
struct InferVerb {
    static void call(const void* layer, InferContext& node) { infer(*static_cast<const L*>(layer), node); }
};
template <class L>
struct CostVerb {
    static Cost call(const void* layer, const CostContext& node) { return total_cost(*static_cast<const L*>(layer), node); }
};

/// Runs the verb infer of one node: sets its output values, and returns its states.
template <class List>
std::vector<Value> infer_node(const Node& node, std::vector<Value>& values) {
    std::vector<const Value*> inputs;
    for (const ValueId id : node.inputs) inputs.push_back(&values[id]);
    std::vector<const Quantization*> requested;
    for (const ValueId id : node.outputs) requested.push_back(&values[id].quantization);
    InferContext context(node.name, kind_name<List>(node), inputs, requested);
    VerbTable<List, InferVerb>::call[node.kind](node.layer.get(), context);
    if (context.outputs().size() != node.outputs.size()) {
        context.fail(
            concat("it has ", context.outputs().size(), " outputs; ", node.outputs.size(), " values are bound to them"));
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
        Value& value = values[node.outputs[i]];
        Value inferred = context.outputs()[i];
        inferred.name = std::move(value.name);
        value = std::move(inferred);
    }
    return context.states();
}

}  // namespace detail

template <class List>
class BasicModel {
  public:
    using layers = List;

    /// Checks the graph: each value is made once and before it is used, names are unique, and every layer fits its values.
    /// Throws an Error that names the node.
    explicit BasicModel(Graph<List> graph) : graph_(std::move(graph)) { check(); }

    /// A model whose layers this list also holds is this model too; only as<P...>() narrows one.
    template <class Other>
    requires(!std::is_same_v<Other, List> && detail::within<Other, List>::value) BasicModel(const BasicModel<Other>& other);

    const Graph<List>& graph() const& noexcept { return graph_; }
    Graph<List> graph() && noexcept { return std::move(graph_); }
    const std::vector<Value>& values() const noexcept { return graph_.values; }
    const std::vector<Node>& nodes() const noexcept { return graph_.nodes; }
    const std::vector<ValueId>& inputs() const noexcept { return graph_.inputs; }
    const std::vector<ValueId>& outputs() const noexcept { return graph_.outputs; }
    const Value& value(ValueId id) const noexcept { return graph_.values[id]; }
    /// The values that node `index` keeps from run to run.
    const std::vector<Value>& states(std::size_t index) const noexcept { return states_[index]; }

    Cost cost(std::size_t index) const {
        const Node& node = graph_.nodes[index];
        std::vector<const Value*> in;
        std::vector<const Value*> out;
        for (const ValueId id : node.inputs) in.push_back(&graph_.values[id]);
        for (const ValueId id : node.outputs) out.push_back(&graph_.values[id]);
        return detail::VerbTable<List, detail::CostVerb>::call[node.kind](node.layer.get(), CostContext{in, out});
    }
    /// The sum over all nodes.
    Cost cost() const {
        Cost sum;
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) sum += cost(i);
        return sum;
    }

    /// Same structure, names, values and layers.
    friend bool operator==(const BasicModel& a, const BasicModel& b) {
        if (a.graph_.values != b.graph_.values || a.graph_.inputs != b.graph_.inputs || a.graph_.outputs != b.graph_.outputs ||
            a.graph_.nodes.size() != b.graph_.nodes.size()) {
            return false;
        }
        for (std::size_t i = 0; i < a.graph_.nodes.size(); ++i) {
            const Node& x = a.graph_.nodes[i];
            const Node& y = b.graph_.nodes[i];
            if (x.name != y.name || x.kind != y.kind || x.inputs != y.inputs || x.outputs != y.outputs ||
                !detail::VerbTable<List, detail::EqualVerb>::call[x.kind](x.layer.get(), y.layer.get())) {
                return false;
            }
        }
        return true;
    }

  private:
    void check();

    Graph<List> graph_;
    std::vector<std::vector<Value>> states_;
};

/// The model of the standard layers in these precisions; with `wide` among them, of all layers.
template <class... P>
using Model = BasicModel<standard_layers<P...>>;

/// The model of all layers in all precisions: what a file may hold.
using AnyModel = Model<f32, f16, bf16, i8, wide>;

template <class List>
void BasicModel<List>::check() {
    const std::size_t count = graph_.values.size();
    std::vector<char> made(count, 0);
    auto known = [&](ValueId id, const std::string& who) {
        if (id >= count) fail(who, " refers to value ", id, "; the model has ", count, " values");
    };
    auto make = [&](ValueId id, const std::string& who) {
        known(id, who);
        if (made[id] != 0) fail(who, " makes value '", graph_.values[id].name, "', which was made before");
        made[id] = 1;
    };
    if (graph_.outputs.empty()) fail("a model needs at least one output");
    for (const ValueId id : graph_.inputs) {
        make(id, "the input list");
        const Value& value = graph_.values[id];
        if (value.shape.elements() >= Shape::absurd)
            fail("input ", to_string(value), " has more elements than memory can hold");
        const std::string flaw = detail::quantization_flaw(value.quantization);
        if (!flaw.empty()) fail("input ", to_string(value), " has ", flaw);
    }
    for (const Node& node : graph_.nodes) {
        if (node.layer == nullptr || node.kind >= List::size) fail("node '", node.name, "' has no layer");
        const std::string who = concat("node '", node.name, "' (", kind_name<List>(node), ")");
        if (node.outputs.empty()) fail(who, " has no output; at least one value is expected");
        for (const ValueId id : node.inputs) {
            known(id, who);
            if (made[id] == 0) fail(who, " uses value '", graph_.values[id].name, "' before it is made");
        }
        for (const ValueId id : node.outputs) make(id, who);
        states_.push_back(detail::infer_node<List>(node, graph_.values));
    }
    std::vector<char> listed(count, 0);
    for (const ValueId id : graph_.outputs) {
        known(id, "the output list");
        if (made[id] == 0) fail("output '", graph_.values[id].name, "' is made by no node");
        if (listed[id] != 0) fail("output '", graph_.values[id].name, "' is listed twice; once is expected");
        listed[id] = 1;
    }
    for (std::size_t i = 0; i < count; ++i) {
        if (made[i] == 0) fail("value '", graph_.values[i].name, "' is made by no node and is no input");
    }
    auto unique = [](const char* what, std::vector<std::string_view> names) {
        std::sort(names.begin(), names.end());
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (names[i].empty()) fail("a ", what, " has no name");
            if (i > 0 && names[i] == names[i - 1]) fail("two ", what, "s are named '", names[i], "'");
        }
    };
    std::vector<std::string_view> names;
    for (const Value& value : graph_.values) names.push_back(value.name);
    unique("value", names);
    names.clear();
    for (const Node& node : graph_.nodes) names.push_back(node.name);
    unique("node", names);
}

namespace detail {

/// The index in To of each layer of From; To::size where there is none.
template <class From, class To>
struct KindMap;
template <class... L, class To>
struct KindMap<LayerList<L...>, To> {
    static constexpr std::size_t index[] = {index_in<L, To>::value...};
};

/// The graph with its kinds counted in another list. Fails naming the first node that does not fit.
template <class To, class From>
Graph<To> relisted(Graph<From> from) {
    Graph<To> graph{std::move(from.values), std::move(from.nodes), std::move(from.inputs), std::move(from.outputs)};
    for (Node& node : graph.nodes) {
        const std::size_t kind = KindMap<From, To>::index[node.kind];
        if (kind >= To::size) {
            fail("node '", node.name, "' (", kind_name<From>(node), "): a layer of this kind and precision is not in the ",
                 "list of the model asked for");
        }
        node.kind = kind;
    }
    return graph;
}

}  // namespace detail

template <class List>
template <class Other>
requires(!std::is_same_v<Other, List> &&
         detail::within<Other, List>::value) BasicModel<List>::BasicModel(const BasicModel<Other>& other)
    : graph_(detail::relisted<List>(other.graph())) {
    check();
}

/// The same model in fewer precisions: as<f32>(any). Throws an Error naming the first node that does not fit.
template <class... P, class List>
Model<P...> as(BasicModel<List> model) {
    return Model<P...>(detail::relisted<standard_layers<P...>>(std::move(model).graph()));
}

/// The same model for `batch` samples at once: the first axis of every input. Throws where a layer fixes the batch.
template <class List>
BasicModel<List> with_batch(const BasicModel<List>& model, std::size_t batch) {
    if (batch == 0) fail("a batch needs at least one sample");
    Graph<List> graph = model.graph();
    bool changes = false;
    for (const ValueId id : graph.inputs) {
        if (graph.values[id].shape.rank() == 0) fail("input ", to_string(graph.values[id]), " has no batch axis");
        changes = changes || graph.values[id].shape[0] != batch;
        graph.values[id].shape[0] = batch;
    }
    for (const Node& node : graph.nodes) {
        const Reshape* reshape = get_if<Reshape>(graph, node);
        if (!changes || reshape == nullptr || reshape->shape.empty() || reshape->shape[0] <= 0) continue;
        fail("node '", node.name, "' (Reshape) fixes the batch at ", reshape->shape[0],
             "; 0 or -1 as the first extent of its shape would follow it");
    }
    return BasicModel<List>(std::move(graph));
}

MOTE_END_NAMESPACE
