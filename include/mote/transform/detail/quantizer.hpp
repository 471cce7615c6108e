// SPDX-License-Identifier: MIT
#pragma once
// Quantizer: which values share a scale, and the graph in int8.

#include <mote/layers/table.hpp>
#include <mote/passes/fold.hpp>
#include <mote/quantization/calibrate.hpp>
#include <mote/transform/detail/checks.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

template <class L, class... Kind>
inline constexpr bool is_any_of = (std::is_same_v<L, Kind> || ...);

/// Layers whose int8 output means what their input means.
template <class L>
inline constexpr bool shares_scale = is_any_of<L, Relu, Relu6, MaxPool2d, AveragePool2d, GlobalAveragePool, Resize2d, Reduce,
                                               Concat, Pad, Reshape, Flatten, Transpose, Slice, Gather, Tile>;
/// Layers after which it does not matter whether their input was clamped before.
template <class L>
inline constexpr bool lets_clamp_pass = is_any_of<L, MaxPool2d, Reshape, Flatten, Transpose, Slice, Gather, Tile>;

/// Layers that are computed in int8 by a table of their own.
template <class L>
inline constexpr bool has_table = is_any_of<L, LeakyRelu, Sigmoid, Tanh, HardSigmoid, HardSwish, Unary>;
/// Layers that quantize makes int8 ones of; others stay in f32 where keep_f32 names them.
template <class L>
inline constexpr bool has_int8_kind =
    shares_scale<L> || has_table<L> ||
    is_any_of<L, Conv2d<f32>, DepthwiseConv2d<f32>, TransposeConv2d<f32>, Dense<f32>, Softmax, Constant, Convert, Add, Mul>;
template <class L>
bool has_int8_form(const L& layer) {
    if constexpr (std::is_same_v<L, Reduce>) {
        return layer.function == Reduction::mean || layer.function == Reduction::max;
    } else if constexpr (std::is_same_v<L, Constant>) {
        return layer.element == Element::f32;
    } else {
        return has_int8_kind<L> || is_any_of<L, ArgMax, ArgMaxPool, BatchNorm>;  // which stays, and becomes a convolution
    }
}

template <class List>
bool node_shares_scale(const Node& node) {
    return mote::visit<List>(node, []<class L>(const L&) { return shares_scale<L>; });
}

/// The 1x1 depthwise convolution that computes the same.
inline DepthwiseConv2d<f32> as_depthwise(const BatchNorm& norm) {
    const std::size_t channels = norm.scale.elements();
    DepthwiseConv2d<f32> layer{Tensor<f32>({channels, 1, 1, 1}), Tensor<f32>(Shape{channels})};
    for (std::size_t c = 0; c < channels; ++c) {
        const Affine affine = affine_of(norm, c);
        layer.weight[c] = static_cast<float>(affine.scale);
        layer.bias[c] = static_cast<float>(affine.shift);
    }
    return layer;
}

/// A constant of real numbers in steps of `params`.
inline Constant in_steps(const Constant& layer, QuantizationParams params) {
    Tensor<i8> steps(make_shape(layer.shape));
    for (std::size_t i = 0; i < steps.elements(); ++i) {
        float real;
        std::memcpy(&real, std::as_const(layer.bytes).data() + i * sizeof real, sizeof real);
        steps[i] = quantize_real(static_cast<double>(real), params);
    }
    steps.set_quantization(params);
    return constant_of(std::move(steps));
}

/// By value: the set of values that have one int8 scale. Only nodes that are not kept join.
template <class List>
DisjointSets shared_scales(const Graph<List>& graph, const std::vector<bool>& kept) {
    DisjointSets sets(graph.values.size());
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        const Node& node = graph.nodes[i];
        if (kept[i] || !node_shares_scale<List>(node)) continue;
        for (const ValueId id : node.inputs) sets.join(id, node.outputs[0]);
    }
    return sets;
}

inline constexpr QuantizationParams softmax_params{1.0f / 256.0f, -128};

/// Softmax's scale is fixed. Where its output would have to share that with something else (Concat with another value, Pad with
/// a value of its own), a Convert comes between.
template <class List>
Graph<List> with_softmax_apart(Graph<List> graph, const std::vector<bool>& kept) {
    DisjointSets sets = shared_scales(graph, kept);
    std::vector<bool> foreign(graph.values.size(), false);  // by set: a source other than Softmax, or padding beyond [0, 1)
    for (const ValueId id : graph.inputs) foreign[sets.find(id)] = true;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        const Node& node = graph.nodes[i];
        const Pad* pad = get_if<Pad>(graph, node);
        const bool source = kept[i] || !(node_shares_scale<List>(node) || get_if<Softmax>(graph, node) != nullptr);
        if (source || (pad != nullptr && !(pad->value >= 0.0f && pad->value < 1.0f))) {
            for (const ValueId id : node.outputs) foreign[sets.find(id)] = true;
        }
    }
    std::vector<Node> nodes;
    std::vector<ValueId> replaced(graph.values.size());
    for (std::size_t id = 0; id < replaced.size(); ++id) replaced[id] = narrow<ValueId>(id);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        Node node = graph.nodes[i];
        for (ValueId& id : node.inputs) id = replaced[id];
        const ValueId output = node.outputs[0];
        const bool apart = !kept[i] && get_if<Softmax>(graph, node) != nullptr && foreign[sets.find(output)];
        nodes.push_back(std::move(node));
        if (!apart) continue;
        const std::string name = concat(graph.values[output].name, "_rescaled");
        replaced[output] = narrow<ValueId>(graph.values.size());
        graph.values.push_back({name, {}, Element::f32, {}});
        nodes.push_back(make_node<List>(name, Convert{Element::f32}, {output}, {replaced[output]}));
    }
    graph.nodes = std::move(nodes);
    return graph;
}

/// By node: whether its name is among `names`, or it works on indices (i64), which stay what they are. (Nodes that folding has
/// removed are not missed.)
template <class List>
std::vector<bool> nodes_among(const Graph<List>& graph, const std::vector<std::string>& names) {
    std::vector<bool> result;
    for (const Node& node : graph.nodes) {
        bool found = false;
        for (const std::string& name : names) found = found || name == node.name;
        for (const auto* ids : {&node.inputs, &node.outputs}) {
            for (const ValueId id : *ids) found = found || graph.values[id].element == Element::i64;
        }
        result.push_back(found);
    }
    return result;
}

/// The folded model with everything in it that has an int8 form. Throws an Error that lists the nodes without one.
template <class List>
BasicModel<List> prepared_for_int8(const BasicModel<List>& model, const std::vector<std::string>& kept_names) {
    Graph<List> graph = model.graph();
    const std::vector<bool> kept = nodes_among(graph, kept_names);
    std::string against;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        Node& node = graph.nodes[i];
        if (kept[i]) continue;
        const BatchNorm* norm = get_if<BatchNorm>(graph, node);
        if (!visit(graph, node, [](const auto& layer) { return has_int8_form(layer); })) {
            against += concat("\n  ", node_text<List>(node), ": it has no int8 form; keep_f32 leaves it in f32");
        }
        if (norm == nullptr) continue;
        if constexpr (contains<DepthwiseConv2d<f32>, List>) {
            if (graph.values[node.outputs[0]].shape.rank() == 4) {
                node = with_layer<List>(node, as_depthwise(*norm));
                continue;
            }
        }
        against += concat("\n  ", node_text<List>(node),
                          ": it cannot be folded, because no convolution or Dense that nothing else reads stands "
                          "before it, and int8 has no BatchNorm of its own; keep_f32 leaves it in f32");
    }
    if (!against.empty()) fail("the model cannot be quantized:" + against);
    return BasicModel<List>(with_softmax_apart(std::move(graph), kept));
}

/// Makes the int8 graph over list Target of an f32 model over list List.
template <class Target, class List>
class Quantizer {
  public:
    /// `ranges` by value.
    Quantizer(const BasicModel<List>& model, const std::vector<std::string>& kept_names, std::vector<Range> ranges)
        : graph_(model.graph()),
          kept_(nodes_among(graph_, kept_names)),
          edges_(edges(graph_)),
          params_(choose(std::move(ranges))) {}

    Graph<Target> run(bool f32_inputs, bool f32_outputs) {
        for (const Value& value : graph_.values) taken_.push_back(value.name);
        for (const Node& node : graph_.nodes) taken_.push_back(node.name);
        const std::size_t count = graph_.values.size();
        needs_.assign(count, {});
        forms_.assign(count, {});
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            for (const ValueId id : graph_.nodes[i].inputs) needs_[id].as(element(kept_[i])) = true;
        }
        for (const ValueId id : graph_.outputs) needs_[id].as(element(real_output(id, f32_outputs))) = true;

        for (const ValueId id : graph_.inputs) result_.inputs.push_back(make(id, element(f32_inputs), element(f32_inputs)));
        for (const ValueId id : graph_.inputs) convert(id, element(f32_inputs));
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            const Node& node = graph_.nodes[i];
            const Element made = element(kept_[i]);
            Node next = kept_[i] ? kept_node(node) : int8_node(node);
            for (const ValueId id : node.inputs) next.inputs.push_back(forms_[id].as(made));
            for (const ValueId id : node.outputs) {
                next.outputs.push_back(make(id, made, edges_.is_output[id] ? element(real_output(id, f32_outputs)) : made));
            }
            result_.nodes.push_back(std::move(next));
            for (const ValueId id : node.outputs) convert(id, made);
        }
        for (const ValueId id : graph_.outputs) {
            result_.outputs.push_back(forms_[id].as(element(real_output(id, f32_outputs))));
        }
        return std::move(result_);
    }

  private:
    /// A thing for each of the two elements that a value can have.
    template <class T>
    struct Both {
        T f32{}, i8{};
        T& as(Element element) noexcept { return element == Element::f32 ? f32 : i8; }
    };

    /// Whether an output stands in the place of reals, where indices stand too.
    bool real_output(ValueId id, bool f32_outputs) const { return f32_outputs || graph_.values[id].element == Element::i64; }
    static Element element(bool real) noexcept { return real ? Element::f32 : Element::i8; }

    /// By value: it need not hold what a Relu after it cuts away.
    std::vector<bool> clamped_later() const {
        std::vector<bool> result(graph_.values.size(), false);
        for (std::size_t i = graph_.nodes.size(); i-- > 0;) {
            if (kept_[i]) continue;
            const Node& node = graph_.nodes[i];
            const bool clamps = visit(graph_, node, []<class L>(const L&) { return is_any_of<L, Relu, Relu6>; });
            const bool passes = visit(graph_, node, []<class L>(const L&) { return lets_clamp_pass<L>; });
            if (!clamps && !(passes && result[node.outputs[0]])) continue;
            const ValueId in = node.inputs[0];
            if (edges_.only_consumer(in) == i && edges_.producer[in] != no_node) result[in] = true;
        }
        return result;
    }

    std::vector<QuantizationParams> choose(std::vector<Range> ranges) const {
        DisjointSets sets = shared_scales(graph_, kept_);
        const std::vector<bool> skipped = clamped_later();
        std::vector<Range> joined(ranges.size());
        for (std::size_t id = 0; id < ranges.size(); ++id) {
            if (!skipped[id]) joined[sets.find(id)] = join(joined[sets.find(id)], ranges[id]);
        }
        std::vector<QuantizationParams> params;
        for (std::size_t id = 0; id < ranges.size(); ++id) params.push_back(activation_params(joined[sets.find(id)]));
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            if (kept_[i] || get_if<Softmax>(graph_, graph_.nodes[i]) == nullptr) continue;
            const std::size_t fixed = sets.find(graph_.nodes[i].outputs[0]);
            for (std::size_t id = 0; id < ranges.size(); ++id) {
                if (sets.find(id) == fixed) params[id] = softmax_params;
            }
        }
        return params;
    }

    /// A name that nothing has yet.
    std::string unused(std::string name) {
        for (bool again = true; again;) {
            again = false;
            for (const std::string& other : taken_) again = again || other == name;
            if (again) name += '_';
        }
        taken_.push_back(name);
        return name;
    }

    /// The value in this element; it has its own name where that element is `named`.
    ValueId make(ValueId id, Element made, Element named) {
        const Value& value = graph_.values[id];
        Value next{value.name, value.shape, made, {}};
        if (made != named) next.name = unused(concat(value.name, "_", element_name(made)));
        if (made == Element::i8) next.quantization = params_[id];
        forms_[id].as(made) = narrow<ValueId>(result_.values.size());
        result_.values.push_back(std::move(next));
        return forms_[id].as(made);
    }

    /// Adds a Convert where somebody needs the value in the other element than it is made in.
    void convert(ValueId id, Element made) {
        const Element other = element(made != Element::f32);
        if (!needs_[id].as(other)) return;
        const bool keeps_name = result_.values[forms_[id].as(made)].name != graph_.values[id].name;
        const ValueId from = forms_[id].as(made);
        const ValueId to = make(id, other, element(keeps_name == (other == Element::f32)));
        const std::string name = unused(concat(graph_.values[id].name, "_to_", element_name(other)));
        result_.nodes.push_back(make_node<Target>(name, Convert{other}, {from}, {to}));
    }

    [[noreturn]] void refuse(const Node& node) const {
        fail(concat(node_text<List>(node), ": the result may not hold this layer; quantize<f32, i8, wide> may hold any"));
    }

    Node kept_node(const Node& node) const {
        const std::size_t kind = KindMap<List, Target>::index[node.kind];
        if (kind >= Target::size) refuse(node);
        return {node.name, node.layer, kind, {}, {}};
    }

    Node int8_node(const Node& node) const {
        return visit(graph_, node, [&](const auto& layer) { return int8_node(node, layer); });
    }
    template <class L>
    Node int8_node(const Node& node, const L& layer) const {
        const QuantizationParams out = params_[node.outputs[0]];
        const QuantizationParams in = node.inputs.empty() ? out : params_[node.inputs[0]];
        auto with = [&](auto next) -> Node {
            if constexpr (contains<decltype(next), Target>) {
                return make_node<Target>(node.name, std::move(next), {}, {});
            } else {
                refuse(node);
            }
        };
        if constexpr (!has_int8_kind<L>) {
            fail(concat("the model cannot be quantized: ", node_text<List>(node),
                        ": a layer of this kind has no int8 form; keep_f32 leaves it in f32"));
        } else if constexpr (is_any_of<L, Conv2d<f32>, DepthwiseConv2d<f32>, TransposeConv2d<f32>, Dense<f32>>) {
            QuantizedWeights weights = quantize_weights(layer.weight, layer.bias, in, out);
            if constexpr (std::is_same_v<L, Conv2d<f32>>) {
                return with(Conv2d<i8>{std::move(weights.weight), std::move(weights.bias), layer.stride, layer.dilation,
                                       layer.padding, layer.groups});
            } else if constexpr (std::is_same_v<L, DepthwiseConv2d<f32>>) {
                return with(DepthwiseConv2d<i8>{std::move(weights.weight), std::move(weights.bias), layer.stride,
                                                layer.dilation, layer.padding, layer.multiplier});
            } else if constexpr (std::is_same_v<L, TransposeConv2d<f32>>) {
                return with(TransposeConv2d<i8>{std::move(weights.weight), std::move(weights.bias), layer.stride,
                                                layer.dilation, layer.padding, layer.output_padding, layer.groups});
            } else {
                return with(Dense<i8>{std::move(weights.weight), std::move(weights.bias)});
            }
        } else if constexpr (has_table<L>) {
            return with(with_table(layer, in, out));
        } else if constexpr (std::is_same_v<L, Softmax>) {
            return with(Softmax{softmax_table(in.scale)});
        } else if constexpr (std::is_same_v<L, Constant>) {
            return with(in_steps(layer, out));
        } else if constexpr (std::is_same_v<L, Convert>) {
            return with(Convert{Element::i8});
        } else {
            static_assert(shares_scale<L> || is_any_of<L, Add, Mul>);
            if constexpr (!contains<L, Target>) refuse(node);
            return {node.name, node.layer, mote::index_in<L, Target>, {}, {}};
        }
    }

    const Graph<List>& graph_;
    std::vector<bool> kept_;
    Edges edges_;
    std::vector<QuantizationParams> params_;
    std::vector<Both<bool>> needs_;
    std::vector<Both<ValueId>> forms_;
    std::vector<std::string> taken_;
    Graph<Target> result_;
};

/// The ranges of the values of a folded model.
template <class List, SampleSource D>
std::vector<Range> observed_ranges(const BasicModel<List>& folded, const D& data, const CalibrationOptions& options) {
    std::vector<Range> ranges;
    for (const RangeObserver& observer : calibrate(folded, data, options)) ranges.push_back(observer.range());
    return ranges;
}

/// The folded model over list Target, in int8 but for the nodes in `kept`; `ranges` are of its values.
template <class Target, class List>
BasicModel<Target> quantized(const BasicModel<List>& folded, const std::vector<std::string>& kept, std::vector<Range> ranges,
                             bool f32_inputs, bool f32_outputs) {
    const BasicModel<List> prepared = prepared_for_int8(folded, kept);
    const std::size_t before = ranges.size();
    ranges.resize(prepared.values().size());
    for (const Node& node : prepared.nodes()) {  // the Converts that came in
        if (node.outputs[0] >= before) ranges[node.outputs[0]] = ranges[node.inputs[0]];
    }
    Quantizer<Target, List> quantizer(prepared, kept, std::move(ranges));
    return BasicModel<Target>(quantizer.run(f32_inputs, f32_outputs));
}

}  // namespace detail

MOTE_END_NAMESPACE
