// SPDX-License-Identifier: MIT
#pragma once
// convert: a model's layers in floats of 16 bits.

#include <mote/engine/lower/half.hpp>
#include <mote/passes/fold.hpp>
#include <mote/tensor/convert.hpp>
#include <mote/tensor/quantize.hpp>

#include <algorithm>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// The layers of a list, and those whose weights are of 16 bits.
template <class P, class List>
using list_with_halves =
    std::conditional_t<contains<Conv2d<P>, List>, List, append<List, Conv2d<P>, DepthwiseConv2d<P>, Dense<P>>>;

/// Layers whose values are of 16 bits where an input is. (What Softmax gives keeps its precision.)
template <class L>
inline constexpr bool follows_halves = (computes_in_f32<L> && !is_one_of<L, Convert, Softmax>) ||
                                       is_one_of<L, Concat, Pad, Reshape, Flatten, Transpose, Slice, Gather, Tile>;

template <class P>
Tensor<P> rounded_weights(const Tensor<f32>& weight, const std::string& node) {
    Tensor<P> result = convert<P>(weight);
    for (std::size_t i = 0; i < weight.elements(); ++i) {
        if (!is_finite(weight[i]) || is_finite(get(std::as_const(result), i))) continue;
        fail("node '", node, "': the weight ", weight[i], " is beyond what ", P::name, " holds");
    }
    return result;
}

template <class P>
Conv2d<P> in_halves(const Conv2d<f32>& x, const std::string& node) {
    return {rounded_weights<P>(x.weight, node), x.bias, x.stride, x.dilation, x.padding, x.groups};
}
template <class P>
DepthwiseConv2d<P> in_halves(const DepthwiseConv2d<f32>& x, const std::string& node) {
    return {rounded_weights<P>(x.weight, node), x.bias, x.stride, x.dilation, x.padding, x.multiplier};
}
template <class P>
Dense<P> in_halves(const Dense<f32>& x, const std::string& node) {
    return {rounded_weights<P>(x.weight, node), x.bias};
}

/// Makes the graph over list Target, which holds all of List, of a folded model.
template <class P, class Target, class List>
class HalfWriter {
  public:
    explicit HalfWriter(const Graph<List>& graph)
        : graph_(graph), is_output_(edges(graph).is_output), forms_(graph.values.size()) {}

    Graph<Target> run() {
        for (const Value& value : graph_.values) taken_.push_back(value.name);
        for (const Node& node : graph_.nodes) taken_.push_back(node.name);
        for (const ValueId id : graph_.inputs) {
            forms_[id].made = make(id, graph_.values[id].element);
            result_.inputs.push_back(forms_[id].made);
        }
        for (const Node& node : graph_.nodes) add(node);
        for (const ValueId id : graph_.outputs) result_.outputs.push_back(form(id, graph_.values[id].element));
        return std::move(result_);
    }

  private:
    static constexpr ValueId none = static_cast<ValueId>(-1);
    struct Forms {
        ValueId made = none;   ///< as a node makes it
        ValueId other = none;  ///< converted
    };

    void add(const Node& node) {
        Node next{node.name, node.layer, KindMap<List, Target>::index[node.kind], {}, {}};
        const bool half = visit(graph_, node, [&]<class L>(const L& layer) {
            if constexpr (is_one_of<L, Conv2d<f32>, DepthwiseConv2d<f32>, Dense<f32>>) {
                next = make_node<Target>(node.name, in_halves<P>(layer, node.name), {}, {});
                return true;
            } else {
                const auto is_half = [&](ValueId id) { return result_.values[forms_[id].made].element == P::element; };
                return follows_halves<L> && std::ranges::any_of(node.inputs, is_half);
            }
        });
        const auto wanted = [&](ValueId id) {
            const Element element = graph_.values[id].element;
            return half && element == Element::f32 ? P::element : element;
        };
        for (const ValueId id : node.inputs) next.inputs.push_back(form(id, wanted(id)));
        for (const ValueId id : node.outputs) {
            forms_[id].made = make(id, wanted(id));
            next.outputs.push_back(forms_[id].made);
        }
        result_.nodes.push_back(std::move(next));
    }

    /// The value in this element; where it was made in the other one, from a Convert.
    ValueId form(ValueId id, Element element) {
        Forms& forms = forms_[id];
        if (result_.values[forms.made].element == element) return forms.made;
        if (forms.other == none) {
            forms.other = make(id, element);
            const std::string name = unused(concat(graph_.values[id].name, "_to_", element_name(element)));
            result_.nodes.push_back(make_node<Target>(name, Convert{element}, {forms.made}, {forms.other}));
        }
        return forms.other;
    }

    /// A value, which keeps its name where it is what the model's outside sees, or the first.
    ValueId make(ValueId id, Element element) {
        const Value& value = graph_.values[id];
        const bool first = forms_[id].made == none;
        const bool keeps_name = is_output_[id] != 0 ? element == value.element : first;
        result_.values.push_back({keeps_name ? value.name : unused(concat(value.name, "_", element_name(element))), value.shape,
                                  element, value.quantization});
        return narrow<ValueId>(result_.values.size() - 1);
    }

    std::string unused(std::string name) {
        while (std::ranges::find(taken_, name) != taken_.end()) name += '_';
        taken_.push_back(name);
        return name;
    }

    const Graph<List>& graph_;
    std::vector<char> is_output_;
    std::vector<Forms> forms_;
    std::vector<std::string> taken_{};
    Graph<Target> result_{};
};

}  // namespace detail

/// The model in floats of 16 bits: convert<bf16>(model), or f16. BatchNorm is folded first. Weights of Conv2d, DepthwiseConv2d
/// and Dense are rounded to nearest even; these layers, and those that move, pool, add or clamp what they give, exchange values
/// of 16 bits; sums are f32. Convert nodes stand where others read or make a value, and at the model's inputs and outputs,
/// which stay what they are; values and nodes keep their names.
///
/// A Model<f32> becomes a Model<f32, bf16>. Throws for weights that f16 does not hold, naming the node.
template <class P, class List>
auto convert(const BasicModel<List>& model) {
    static_assert(std::is_same_v<P, bf16> || std::is_same_v<P, f16>, "mote: convert<bf16> or convert<f16>");
    using Target = detail::list_with_halves<P, List>;
    const BasicModel<List> folded = fold(model);
    return BasicModel<Target>(detail::HalfWriter<P, Target, List>(folded.graph()).run());
}

MOTE_END_NAMESPACE
