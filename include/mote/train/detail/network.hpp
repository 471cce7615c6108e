// SPDX-License-Identifier: MIT
#pragma once
// TrainingNetwork: a model taken apart for training. Its layers are copies that change, its steps are what lower() gives for
// each node alone, its type list is gone.

#include <mote/model/model.hpp>
#include <mote/train/gradient/gradient.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

struct TrainingNode {
    std::string name;
    const char* kind = nullptr;
    const TrainingVerbs* verbs = nullptr;
    std::shared_ptr<void> layer;
    std::vector<ValueId> inputs, outputs;
    std::vector<ParameterSlot> parameters;  // those with elements
    std::size_t sums = 0;                   // doubles a shard; 0 where the samples are not coupled
    bool trained = false;                   // it has parameters, or something before it has
};

/// One tensor that is trained.
struct TrainedParameter {
    std::size_t node = 0;
    const char* field = nullptr;
    Role role = Role::weight;
    Shape shape;
    float* values = nullptr;  // in the node's layer
    std::size_t offset = 0;   // in a row of parameter gradients
    std::size_t size = 0;
};

struct TrainingNetwork {
    std::vector<TrainingNode> nodes;  // without the final Softmax
    std::vector<TrainedParameter> parameters;
    std::size_t parameter_floats = 0;  // of a row of gradients, with alignment
    std::vector<bool> trained;         // by value: its gradient is wanted
    ValueId input = 0;
    ValueId logits = 0;
    std::size_t sample_size = 0;  // of the input
    std::size_t classes = 0;      // logits a sample
};

/// A layer whose tensors are its own to change.
template <class L>
std::shared_ptr<L> owned_copy(const L& layer) {
    auto copy = std::make_shared<L>(layer);
    for_each_field(*copy, [](const auto&, auto& member) {
        using T = std::remove_cvref_t<decltype(member)>;
        if constexpr (is_tensor<T>) {
            if (!member.owns() && !member.empty()) {
                T own(member.shape(), std::as_const(member).values());
                own.set_quantization(member.quantization());
                member = std::move(own);
            }
        }
    });
    return copy;
}

/// What a node says against being trained; empty where nothing.
template <class L>
std::string objection(const L& layer) {
    if constexpr (!Differentiable<L>) {
        return "a layer of this kind and precision has no gradient(const Layer&, GradientContext&)";
    } else {
        std::string text;
        for_each_parameter(layer, [&](const auto& field, const auto& tensor) {
            using P = typename std::remove_cvref_t<decltype(tensor)>::tag;
            if (!std::is_same_v<P, f32>) text = concat("its ", field.name, " is ", P::name, "; f32 is trained");
        });
        return text;
    }
}

/// The node's copy of its layer, and its parameters.
template <class L>
void add_layer(TrainingNetwork& network, TrainingNode& node, const L& layer) {
    constexpr std::size_t line = storage_alignment / sizeof(float);
    auto copy = owned_copy(layer);
    for_each_field(*copy, [&](const auto& field, auto& member) {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(member)>, Tensor<f32>>) {
            if ((field.role != Role::weight && field.role != Role::bias) || member.empty()) return;
            const std::size_t size = member.elements();
            node.parameters.push_back({field.name, network.parameter_floats, size});
            network.parameters.push_back(
                {network.nodes.size(), field.name, field.role, member.shape(), member.data(), network.parameter_floats, size});
            network.parameter_floats += (size + line - 1) / line * line;
        }
    });
    node.verbs = &training_verbs<L>;
    if (node.verbs->batch_sums != nullptr) node.sums = node.verbs->batch_sums(copy.get());
    node.layer = std::move(copy);
}

/// The index of the Softmax whose output is the model's, or no_node: training works on its input, the logits.
template <class List>
std::size_t final_softmax(const Graph<List>& graph) {
    if (graph.nodes.empty()) return no_node;
    const std::size_t last = graph.nodes.size() - 1;
    for (std::size_t i = 0; i <= last; ++i) {
        if (get_if<Softmax>(graph, graph.nodes[i]) != nullptr && graph.nodes[i].outputs[0] == graph.outputs[0]) return i;
    }
    return no_node;
}

/// Throws an Error that lists everything that keeps the model from being trained.
template <class List>
TrainingNetwork make_training_network(const BasicModel<List>& model) {
    const Graph<List>& graph = model.graph();
    std::string against;
    auto object = [&](const std::string& text) { against += "\n  " + text; };
    if (graph.inputs.size() != 1) object(concat("it has ", graph.inputs.size(), " inputs; one is fed by a dataset"));
    if (graph.outputs.size() != 1) object(concat("it has ", graph.outputs.size(), " outputs; one has a loss"));
    const std::size_t softmax = final_softmax(graph);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        if (i == softmax) continue;
        const Node& node = graph.nodes[i];
        const std::string text = visit(graph, node, [](const auto& layer) { return objection(layer); });
        const std::string who = concat("node '", node.name, "' (", kind_name<List>(node), "): ");
        if (!text.empty()) object(who + text);
        if (!model.states(i).empty()) object(who + "it keeps a state from run to run");
        for (const ValueId id : node.outputs) {
            if (graph.values[id].element != Element::f32) {
                object(concat(who, "value ", to_string(graph.values[id]), "; f32 is trained"));
            }
        }
    }
    for (const ValueId id : graph.inputs) {
        if (graph.values[id].element != Element::f32) {
            object(concat("input ", to_string(graph.values[id]), "; f32 is trained"));
        }
    }
    if (!against.empty()) fail("the model cannot be trained:" + against);

    TrainingNetwork network;
    network.input = graph.inputs[0];
    network.logits = softmax == no_node ? graph.outputs[0] : graph.nodes[softmax].inputs[0];
    network.trained.assign(graph.values.size(), false);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        if (i == softmax) continue;
        const Node& node = graph.nodes[i];
        TrainingNode training{node.name, kind_name<List>(node), nullptr, nullptr, node.inputs, node.outputs, {}, 0, false};
        visit(graph, node, [&](const auto& layer) { add_layer(network, training, layer); });
        training.trained = !training.parameters.empty();
        for (const ValueId id : node.inputs) training.trained = training.trained || network.trained[id];
        for (const ValueId id : node.outputs) network.trained[id] = training.trained;
        network.nodes.push_back(std::move(training));
    }
    if (!network.trained[network.logits]) fail("the model cannot be trained: no parameter stands before its output");
    const Shape& in = graph.values[network.input].shape;
    const Shape& out = graph.values[network.logits].shape;
    network.sample_size = in.rank() == 0 || in[0] == 0 ? 0 : in.elements() / in[0];
    network.classes = out.rank() == 0 || out[0] == 0 ? 0 : out.elements() / out[0];
    return network;
}

/// The values for `samples` samples. Throws unless the first axis of each counts them.
template <class List>
std::vector<Value> batched_values(const BasicModel<List>& model, std::size_t samples) {
    std::vector<Value> values = with_batch(model, samples).values();
    for (const Value& value : values) {
        if (value.shape.rank() == 0 || value.shape[0] != samples) {
            fail(concat("the model cannot be trained: value ", to_string(value), " of a batch of ", samples,
                        " samples; the first axis of every value must count the samples"));
        }
    }
    return values;
}

/// The model with the layers that training has made.
template <class List>
BasicModel<List> trained_model(const BasicModel<List>& model, const TrainingNetwork& network) {
    Graph<List> graph = model.graph();
    std::size_t i = 0;
    for (Node& node : graph.nodes) {
        if (i < network.nodes.size() && network.nodes[i].name == node.name) node.layer = network.nodes[i++].layer;
    }
    return BasicModel<List>(std::move(graph));
}

}  // namespace detail

MOTE_END_NAMESPACE
