// SPDX-License-Identifier: MIT
#pragma once
// Patterns: which nodes of a model one kernel computes together.

#include <mote/passes/fold.hpp>

MOTE_BEGIN_NAMESPACE

/// y = min(max(x, lo), hi) on real values.
struct Clamp {
    float lo = -__builtin_huge_valf();
    float hi = __builtin_huge_valf();

    friend constexpr bool operator==(const Clamp&, const Clamp&) = default;
};

/// What stands around a MatMul of queries and keys that leads softmax(scale Q K^T + bias) V. The group's inputs are then Q, K,
/// V and, where it is biased, the bias.
struct AttentionPattern {
    bool found = false, biased = false;
    float scale = 1.0f;
};

/// Nodes that are lowered as one, led by the node whose layer's `lower` is called. All others are only seen through the
/// members below:
///     y = clamp(norms(layer(pad(input)))), and with a residual y = residual_clamp(y + residual)
struct Group {
    std::size_t lead = 0;
    std::vector<std::size_t> nodes{};  ///< in the order of computation, the lead included
    std::vector<ValueId> inputs{};     ///< of the whole group, without the residual
    std::vector<ValueId> outputs{};    ///< of the whole group
    ValueId produced = 0;              ///< what stands before the residual is added; outputs[0] where there is none
    Padding2d padding{};               ///< of Pad nodes before the lead
    std::vector<std::size_t> norms{};  ///< BatchNorm nodes after it
    Clamp clamp{};                     ///< of activations after it
    bool has_residual = false;
    ValueId residual = 0;
    Clamp residual_clamp{};
    /// A convolution whose output a Concat of channels alone reads may write it there: to `whole`, from a channel on.
    bool placed = false;
    ValueId whole = 0;
    std::size_t channel = 0;
    std::vector<char> written{};  ///< of a Concat some inputs of which are placed: whether each is
    AttentionPattern attention{};

    std::size_t last_node() const {
        std::size_t last = 0;
        for (const std::size_t node : nodes) last = node > last ? node : last;
        return last;
    }
};

namespace detail {

template <class L>
inline constexpr bool is_contraction = false;
template <class P>
inline constexpr bool is_contraction<Conv2d<P>> = true;
template <class P>
inline constexpr bool is_contraction<DepthwiseConv2d<P>> = true;
template <class P>
inline constexpr bool is_contraction<Dense<P>> = true;

template <class L>
inline constexpr bool is_convolution = false;
template <class P>
inline constexpr bool is_convolution<Conv2d<P>> = true;
template <class P>
inline constexpr bool is_convolution<DepthwiseConv2d<P>> = true;

template <class L>
inline constexpr bool is_conv2d = false;
template <class P>
inline constexpr bool is_conv2d<Conv2d<P>> = true;

template <class L>
inline constexpr bool is_transposed = false;
template <class P>
inline constexpr bool is_transposed<TransposeConv2d<P>> = true;

/// What a lead can take in.
struct Appetite {
    bool pad = false;         // a Pad before it
    bool norm = false;        // BatchNorm after it
    bool residual = false;    // an Add after it
    bool activation = false;  // Relu, Relu6 after it
    bool place = false;       // a Concat around it
};
template <class L>
constexpr Appetite appetite() {
    if constexpr (std::is_same_v<L, Add>) return {false, false, false, true};
    return {is_convolution<L>, folds_batch_norm<L>, is_contraction<L>, is_contraction<L> || is_transposed<L>, is_conv2d<L>};
}

template <class List>
struct Appetites;
template <class... L>
struct Appetites<LayerList<L...>> {
    static constexpr Appetite of[] = {appetite<L>()...};
};

/// Finds the convolutions that can write to a Concat's output.
template <class List>
void place_in_concats(const Graph<List>& graph, const Edges& edge, std::vector<Group>& groups, const Appetite* appetites) {
    for (Group& concat : groups) {
        const Concat* layer = get_if<Concat>(graph, graph.nodes[concat.lead]);
        if (layer == nullptr) continue;
        const Value& whole = graph.values[concat.outputs[0]];
        const std::size_t rank = whole.shape.rank();
        if (concat_axis(*layer, rank) + 1 != rank || whole.shape.elements() == 0) continue;
        std::size_t channel = 0, written = 0;
        Group* last = nullptr;
        for (std::size_t i = 0; i < concat.inputs.size(); channel += graph.values[concat.inputs[i++]].shape.back()) {
            const ValueId id = concat.inputs[i];
            if (edge.only_consumer(id) != concat.lead) continue;
            for (Group& group : groups) {
                if (!appetites[graph.nodes[group.lead].kind].place || group.outputs[0] != id || group.has_residual) continue;
                group.placed = true;
                group.whole = concat.outputs[0];
                group.channel = channel;
                concat.written.resize(concat.inputs.size(), 0);
                concat.written[i] = 1;
                last = &group > last ? &group : last;
                ++written;
            }
        }
        if (written == concat.inputs.size()) last->nodes.push_back(concat.lead);  // where the Concat is done
    }
}

/// Takes what follows a MatMul into its group where together they are attention: a scale and a bias, each if it is there,
/// Softmax, and MatMul by the values.
template <class List>
void grow_attention(const Graph<List>& graph, const Edges& edge, const std::vector<char>& taken, Group& group) {
    const MatMul* scores = get_if<MatMul>(graph, graph.nodes[group.lead]);
    if (scores == nullptr || scores->transpose_a || graph.values[group.outputs[0]].element != Element::f32) return;
    const Shape& shape = graph.values[group.outputs[0]].shape;
    AttentionPattern pattern;
    std::vector<std::size_t> nodes = group.nodes;
    std::vector<ValueId> inputs = group.inputs;
    ValueId value = group.outputs[0], bias = 0;
    bool weighed = false;
    while (true) {
        const std::size_t next = edge.only_consumer(value);
        if (next == no_node || taken[next] != 0) return;
        const Node& node = graph.nodes[next];
        nodes.push_back(next);
        if (weighed) {
            const MatMul* product = get_if<MatMul>(graph, node);
            if (product == nullptr || product->transpose_a || product->transpose_b || node.inputs[0] != value) return;
            Shape out = graph.values[node.outputs[0]].shape;
            if (out.rank() != 0) out[out.rank() - 1] = shape.back();
            if (out != shape) return;  // values that repeat the scores
            inputs.push_back(node.inputs[1]);
            if (pattern.biased) inputs.push_back(bias);
            pattern.found = true;
            group.attention = pattern;
            group.nodes = std::move(nodes);
            group.inputs = std::move(inputs);
            group.outputs = node.outputs;
            return;
        }
        const Unary* unary = get_if<Unary>(graph, node);
        const Binary* binary = get_if<Binary>(graph, node);
        if (get_if<Softmax>(graph, node) != nullptr) {
            weighed = true;
        } else if (unary != nullptr && unary->function == UnaryFunction::linear && unary->beta == 0.0f && !pattern.biased) {
            pattern.scale *= unary->alpha;
        } else if (!pattern.biased &&
                   (get_if<Add>(graph, node) != nullptr || (binary != nullptr && binary->function == BinaryFunction::add))) {
            bias = node.inputs[0] == value ? node.inputs[1] : node.inputs[0];
            const Shape& added = graph.values[bias].shape;
            if (added.rank() == 0 || added.back() != shape.back() || graph.values[node.outputs[0]].shape != shape) return;
            pattern.biased = true;
        } else {
            return;
        }
        value = node.outputs[0];
    }
}

/// Whether the Pad adds zeros to height and width of an image, and to nothing else.
template <class Lazy = void>
bool pads_image(const Pad& pad) {
    return pad.value == 0.0f && pad.before.size() == 4 && pad.before[0] == 0 && pad.after[0] == 0 && pad.before[3] == 0 &&
           pad.after[3] == 0;
}

}  // namespace detail

/// Each node in one group, the groups in the order in which they can run. Without `fuse` every node is a group; only with
/// `divides` (KernelTable) convolutions write where a Concat wants it, and attention is one.
///
/// Taken together: Pad of zeros -> Conv2d, DepthwiseConv2d; BatchNorm, Relu, Relu6 after Conv2d, DepthwiseConv2d, Dense,
/// TransposeConv2d; an Add of the former three's result and a value made before (the residual), and Relu, Relu6 after any Add;
/// softmax(scale Q K^T + bias) V.
/// Always only where the value between is seen by nobody else.
template <class List>
std::vector<Group> find_groups(const BasicModel<List>& model, bool fuse = true, bool divides = false) {
    const Graph<List>& graph = model.graph();
    const Edges edge = edges(graph);
    const std::size_t count = graph.nodes.size();
    std::vector<char> taken(count, 0);  // cheaper to compile than the packed vector<bool>
    std::vector<Group> groups;

    auto grow = [&](std::size_t lead) {
        const Node& node = graph.nodes[lead];
        Group group;
        group.lead = lead;
        group.inputs = node.inputs;
        group.outputs = node.outputs;
        group.nodes.push_back(lead);
        taken[lead] = 1;
        const detail::Appetite takes = detail::Appetites<List>::of[node.kind];
        if (fuse && takes.pad) {
            const std::size_t before = edge.producer[node.inputs[0]];
            const Pad* pad = before == no_node ? nullptr : get_if<Pad>(graph, graph.nodes[before]);
            if (pad != nullptr && detail::pads_image(*pad) && edge.only_consumer(node.inputs[0]) == lead) {
                group.padding = {pad->before[1], pad->after[1], pad->before[2], pad->after[2]};
                group.inputs = graph.nodes[before].inputs;
                group.nodes.insert(group.nodes.begin(), before);
                taken[before] = 1;
            }
        }
        bool pure = true;  // nothing but BatchNorm has followed
        while (fuse && takes.activation) {
            const std::size_t next = edge.only_consumer(group.outputs[0]);
            if (next == no_node || taken[next] != 0) break;
            const Node& after = graph.nodes[next];
            Clamp& clamp = group.has_residual ? group.residual_clamp : group.clamp;
            if (takes.norm && pure && get_if<BatchNorm>(graph, after) != nullptr) {
                group.norms.push_back(next);
            } else if (get_if<Relu>(graph, after) != nullptr) {
                clamp.lo = clamp.lo > 0.0f ? clamp.lo : 0.0f;
                pure = false;
            } else if (get_if<Relu6>(graph, after) != nullptr) {
                clamp.lo = clamp.lo > 0.0f ? clamp.lo : 0.0f;
                clamp.hi = clamp.hi < 6.0f ? clamp.hi : 6.0f;
                pure = false;
            } else if (takes.residual && !group.has_residual && get_if<Add>(graph, after) != nullptr) {
                group.has_residual = true;
                group.residual = after.inputs[0] == group.outputs[0] ? after.inputs[1] : after.inputs[0];
                group.produced = group.outputs[0];
                pure = false;
            } else {
                break;
            }
            group.nodes.push_back(next);
            group.outputs = after.outputs;
            taken[next] = 1;
        }
        if (fuse && divides) {
            detail::grow_attention(graph, edge, taken, group);
            for (const std::size_t i : group.nodes) taken[i] = 1;
        }
        if (!group.has_residual) group.produced = group.outputs.empty() ? 0 : group.outputs[0];
        groups.push_back(std::move(group));
    };

    // Contractions first, the later ones before the earlier ones: where both sides of an Add could take it, the later does,
    // and the earlier side's result is the residual. Then the Adds that are left, then everything else.
    for (std::size_t i = count; i-- > 0;) {
        if (taken[i] == 0 && detail::Appetites<List>::of[graph.nodes[i].kind].residual) grow(i);
    }
    for (std::size_t i = count; i-- > 0;) {
        if (taken[i] == 0 && get_if<Add>(graph, graph.nodes[i]) != nullptr) grow(i);
    }
    for (std::size_t i = 0; i < count; ++i) {
        if (taken[i] == 0) grow(i);
    }
    // A group runs where its last node stood: all that it reads is there by then.
    std::vector<std::size_t> ends_at(count, count);
    for (std::size_t i = 0; i < groups.size(); ++i) ends_at[groups[i].last_node()] = i;
    std::vector<Group> ordered;
    for (const std::size_t group : ends_at) {
        if (group != count) ordered.push_back(std::move(groups[group]));
    }
    if (fuse && divides) detail::place_in_concats(graph, edge, ordered, detail::Appetites<List>::of);
    return ordered;
}

MOTE_END_NAMESPACE
