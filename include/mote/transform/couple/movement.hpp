// SPDX-License-Identifier: MIT
#pragma once
// couple: every movement layer, an application's own included, by running it on the numbers of its input's elements.

#include <mote/engine/engine.hpp>
#include <mote/transform/couple/context.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// By output element: the input element that stands there, counted through all inputs; `constant` for one that is made up.
inline constexpr std::size_t constant_element = static_cast<std::size_t>(-1);

/// Runs the node twice, on numbers and on their successors: what does not follow is a constant. Throws where the inputs have
/// more elements than a float counts exactly.
template <class List>
std::vector<std::vector<std::size_t>> moved_elements(const Graph<List>& graph, const Node& node) {
    Graph<List> alone;
    Node copy = node;
    std::size_t count = 0;
    for (ValueId& id : copy.inputs) {
        Value value{concat("input ", alone.values.size()), graph.values[id].shape, Element::f32, {}};
        count += value.shape.elements();
        id = narrow<ValueId>(alone.values.size());
        alone.inputs.push_back(id);
        alone.values.push_back(std::move(value));
    }
    for (ValueId& id : copy.outputs) {
        id = narrow<ValueId>(alone.values.size());
        alone.outputs.push_back(id);
        alone.values.push_back({concat("output ", alone.values.size()), {}, Element::f32, {}});
    }
    if (count >= (std::size_t{1} << 24)) {
        fail(concat(node_text<List>(node), ": its inputs have ", count, " elements; channels are followed through up to 2^24"));
    }
    alone.nodes.push_back(std::move(copy));
    Engine engine{BasicModel<List>(std::move(alone))};
    std::vector<std::vector<std::size_t>> result(engine.outputs());
    for (const float step : {0.0f, 1.0f}) {
        float number = step;
        for (std::size_t i = 0; i < engine.inputs(); ++i) {
            for (float& element : engine.input<float>(i)) {
                element = number;
                number += 1.0f;
            }
        }
        engine.run();
        for (std::size_t o = 0; o < result.size(); ++o) {
            const std::span<const float> out = engine.output<float>(o);
            if (step == 0.0f) {
                // A constant may be any real number; what cannot be a place is one for certain.
                for (const float x : out) {
                    const bool place = x >= 0.0f && x < static_cast<float>(count);
                    result[o].push_back(place ? static_cast<std::size_t>(x) : constant_element);
                }
                continue;
            }
            for (std::size_t i = 0; i < out.size(); ++i) {
                if (result[o][i] == constant_element) continue;
                if (out[i] != static_cast<float>(result[o][i]) + 1.0f) result[o][i] = constant_element;
            }
        }
    }
    return result;
}

/// Labels that repeat along the last axis, where they do.
inline Labels shortened(Labels labels, std::size_t channels) {
    for (std::size_t i = channels; i < labels.channels.size(); ++i) {
        if (labels.channels[i] != labels.channels[i % channels]) return labels;
    }
    labels.channels.resize(channels);
    return labels;
}

/// Of every n-th channel the others cannot be told apart once some of them are gone.
inline bool skips_channels(const Slice& slice, const Labels& labels, const Shape& shape) {
    for (std::size_t axis = 0; axis < slice.stride.size(); ++axis) {
        const bool channels = axis + 1 == shape.rank() || labels.channels.size() > shape.back();
        if (channels && slice.stride[axis] != 1 && slice.stride[axis] != -1) return true;
    }
    return false;
}

template <class List>
void couple_movement(const Graph<List>& graph, const Node& node, CoupleContext& context) {
    if (node.inputs.empty()) return context.lock("is a constant");
    if (const Slice* slice = get_if<Slice>(graph, node);
        slice != nullptr && skips_channels(*slice, context.labels(), context.input().shape)) {
        return context.lock("takes every n-th channel");
    }
    std::vector<std::size_t> input_of, element_of;
    for (std::size_t k = 0; k < context.inputs(); ++k) {
        for (std::size_t i = 0; i < context.input(k).shape.elements(); ++i) {
            input_of.push_back(k);
            element_of.push_back(i);
        }
    }
    const std::vector<std::vector<std::size_t>> moved = moved_elements(graph, node);
    for (std::size_t o = 0; o < moved.size(); ++o) {
        Labels labels;
        Channel fixed = constant_element;
        for (const std::size_t from : moved[o]) {
            if (from == constant_element && fixed == constant_element) {
                fixed = context.all().make_locked(concat("'", node.name, "' makes constants"));
            }
            labels.channels.push_back(from == constant_element ? fixed : context.labels(input_of[from])[element_of[from]]);
        }
        context.output(shortened(std::move(labels), context.output_value(o).shape.back()));
    }
}

}  // namespace detail

MOTE_END_NAMESPACE
