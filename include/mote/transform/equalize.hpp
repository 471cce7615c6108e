// SPDX-License-Identifier: MIT
#pragma once
// equalize: the same function, its channels scaled so that one scale a tensor fits them all.

#include <mote/passes/fold.hpp>
#include <mote/quantization/calibrate.hpp>
#include <mote/transform/detail/checks.hpp>

MOTE_BEGIN_NAMESPACE

struct EqualizeOptions {
    /// How much of the difference between channels moves from the activations into the weights that read them, from 0 (none) to
    /// 1 (all).
    double migration = 0.5;
    std::size_t samples = 0;               ///< of the calibration set at most so many, evenly spread; 0 for all
    const KernelTable* kernels = nullptr;  ///< of the calibration; native_kernels() where null
};

namespace detail {

/// The layer commutes with a positive factor for each channel: f(x / s) = f(x) / s.
template <class L>
bool keeps_channel_factors(const L& layer) {
    if constexpr (std::is_same_v<L, Pad>) {
        return layer.value == 0.0f && !layer.before.empty() && layer.before.back() == 0 && layer.after.back() == 0;
    } else if constexpr (std::is_same_v<L, Resize2d>) {
        return layer.outside == 0.0f;
    } else {
        return contains<L, LayerList<Relu, LeakyRelu, Prelu, MaxPool2d, AveragePool2d, GlobalAveragePool, Add>>;
    }
}

/// A layer with weights that takes a factor in for each channel that it reads, and for each that it writes.
template <class L>
inline constexpr bool takes_channel_factors =
    contains<L, LayerList<Conv2d<f32>, DepthwiseConv2d<f32>, TransposeConv2d<f32>, Dense<f32>>>;
template <class L>
bool has_free_channels(const L& layer) {
    if constexpr (std::is_same_v<L, DepthwiseConv2d<f32>>) {
        return layer.multiplier == 1;
    } else if constexpr (std::is_same_v<L, Conv2d<f32>> || std::is_same_v<L, TransposeConv2d<f32>>) {
        return layer.groups == 1;
    } else {
        return takes_channel_factors<L>;
    }
}

/// Values whose channels have their factors in common.
struct EqualizedValues {
    bool fixed = false;  ///< somebody would notice
    std::size_t channels = 0;
    std::vector<double> activation{};  ///< by channel, the largest magnitude observed
    std::vector<double> weight{};  ///< by channel, the largest magnitude of weights that read it; empty: depthwise ones alone
    std::vector<float> factor{};   ///< by channel, what its values are divided by
};

/// Which values share their factors, and which of them may have any.
template <class List>
std::vector<std::size_t> equalized_sets(const Graph<List>& graph, const Edges& edge, std::vector<EqualizedValues>& groups) {
    DisjointSets sets(graph.values.size());
    for (const Node& node : graph.nodes) {
        if (visit(graph, node, [](const auto& layer) { return keeps_channel_factors(layer); })) {
            for (const ValueId id : node.inputs) sets.join(id, node.outputs[0]);
        } else if (get_if<Mul>(graph, node) != nullptr) {
            sets.join(node.inputs[0], node.outputs[0]);
        }
    }
    std::vector<std::size_t> set;
    for (std::size_t id = 0; id < graph.values.size(); ++id) {
        set.push_back(sets.find(id));
        EqualizedValues& group = groups[set[id]];
        const Shape& shape = graph.values[id].shape;
        const std::size_t channels = shape.rank() == 0 ? 0 : shape.back();
        group.fixed = group.fixed || channels == 0 || (group.channels != 0 && group.channels != channels) ||
                      edge.is_output[id] != 0 || edge.producer[id] == no_node;
        group.channels = channels;
    }
    for (const Node& node : graph.nodes) {
        visit(graph, node, [&]<class L>(const L& layer) {
            if (std::is_same_v<L, Mul>) {
                groups[set[node.inputs[1]]].fixed = true;  // its factors would reach the output once more
            } else if (!keeps_channel_factors(layer) && !has_free_channels(layer)) {
                for (const auto* ids : {&node.inputs, &node.outputs}) {
                    for (const ValueId id : *ids) groups[set[id]].fixed = true;
                }
            }
        });
    }
    return set;
}

/// The largest magnitude of each channel of the values in `groups` over the samples.
template <class List, SampleSource D>
void observe_channels(const BasicModel<List>& model, const D& data, const EqualizeOptions& options,
                      const std::vector<std::size_t>& set, std::vector<EqualizedValues>& groups) {
    const Edges edge = edges(model.graph());
    observe_samples(model, data, options.samples, options.kernels,
                    [&](std::size_t, const std::vector<std::span<const float>>& values) {
                        for (std::size_t id = 0; id < set.size(); ++id) {
                            EqualizedValues& group = groups[set[id]];
                            const std::size_t reader = edge.only_consumer(narrow<ValueId>(id));
                            // int8 need not hold what a Relu cuts away.
                            if (group.fixed || (reader != no_node && get_if<Relu>(model, model.nodes()[reader]) != nullptr))
                                continue;
                            group.activation.resize(group.channels, 0.0);
                            for (std::size_t k = 0; k < values[id].size(); ++k) {
                                double& largest = group.activation[k % group.channels];
                                const double magnitude = std::fabs(static_cast<double>(values[id][k]));
                                largest = magnitude > largest ? magnitude : largest;
                            }
                        }
                    });
}

/// Factors about 1: a_c^m / w_c^(1 - m), without their geometric mean. A channel that says nothing keeps its own.
inline void choose_factors(EqualizedValues& group, double migration) {
    group.factor.assign(group.channels, 1.0f);
    std::vector<double> logarithm(group.channels, 0.0);
    double sum = 0.0, count = 0.0;
    auto says = [&](std::size_t c) { return group.activation[c] > 0.0 && (group.weight.empty() || group.weight[c] > 0.0); };
    for (std::size_t c = 0; c < group.channels; ++c) {
        if (!says(c)) continue;
        const double a = std::log2(group.activation[c]);
        logarithm[c] = group.weight.empty() ? a : migration * a - (1.0 - migration) * std::log2(group.weight[c]);
        sum += logarithm[c];
        count += 1.0;
    }
    for (std::size_t c = 0; c < group.channels; ++c) {
        if (!says(c)) continue;
        const double x = logarithm[c] - sum / count;
        group.factor[c] = static_cast<float>(std::exp2(x < -8.0 ? -8.0 : x > 8.0 ? 8.0 : x));
    }
}

}  // namespace detail

/// The folded model with other weights that computes the same: where only scale-free layers (Relu, pooling, Add ...) stand
/// between layers with weights, a channel is divided by a factor where it is written, and multiplied by it where it is read
/// (Nagel et al. 2019, "Data-free quantization through weight equalization and bias correction", section 4.1). Weights that
/// write a channel have a scale of their own in any case, so it is the activations that are made equal: the factor of channel c
/// is a_c^m / w_c^(1 - m), with the largest magnitude a_c that the calibration set shows of it, the largest one w_c of the
/// weights that read it, and m the migration (Xiao et al. 2023, "SmoothQuant", equation 4); m is 1 where only depthwise weights
/// read it. Throws as calibrate() does.
template <class List, SampleSource D>
BasicModel<List> equalize(const BasicModel<List>& model, const D& data, const EqualizeOptions& options = {}) {
    if (!(options.migration >= 0.0 && options.migration <= 1.0)) {
        fail(concat("equalize: a migration of ", options.migration, "; 0 to 1 is expected"));
    }
    detail::expect_finite_parameters(model.graph(), "equalize");
    const BasicModel<List> before = fold(model);
    Graph<List> graph = before.graph();
    std::vector<detail::EqualizedValues> groups(graph.values.size());
    const std::vector<std::size_t> set = detail::equalized_sets(graph, edges(graph), groups);
    for (const Node& node : graph.nodes) {
        visit(graph, node, [&]<class L>(const L& layer) {
            if constexpr (detail::takes_channel_factors<L> && !std::is_same_v<L, DepthwiseConv2d<f32>>) {
                detail::EqualizedValues& group = groups[set[node.inputs[0]]];
                const std::size_t channels = layer.weight.shape().back();
                group.weight.resize(channels, 0.0);
                for (std::size_t i = 0; i < layer.weight.elements(); ++i) {
                    double& largest = group.weight[i % channels];
                    const double magnitude = std::fabs(static_cast<double>(layer.weight[i]));
                    largest = magnitude > largest ? magnitude : largest;
                }
            }
        });
    }
    detail::observe_channels(before, data, options, set, groups);
    for (detail::EqualizedValues& group : groups) {
        if (!group.fixed && !group.activation.empty()) detail::choose_factors(group, options.migration);
    }
    for (Node& node : graph.nodes) {
        visit(graph, node, [&]<class L>(const L& layer) {
            if constexpr (detail::takes_channel_factors<L>) {
                const std::vector<float>& read = groups[set[node.inputs[0]]].factor;
                const std::vector<float>& written = groups[set[node.outputs[0]]].factor;
                L next = layer;
                next.weight = Tensor<f32>(layer.weight.shape());
                const std::size_t inner = layer.weight.elements() / layer.weight.shape()[0];
                for (std::size_t i = 0; i < layer.weight.elements(); ++i) {
                    const std::size_t out = i / inner;
                    const std::size_t in = std::is_same_v<L, DepthwiseConv2d<f32>> ? out : i % layer.weight.shape().back();
                    next.weight[i] =
                        layer.weight[i] * (read.empty() ? 1.0f : read[in]) / (written.empty() ? 1.0f : written[out]);
                }
                if (!layer.bias.empty() && !written.empty()) {
                    next.bias = Tensor<f32>(layer.bias.shape());
                    for (std::size_t c = 0; c < written.size(); ++c) next.bias[c] = layer.bias[c] / written[c];
                }
                node.layer = make_erased(std::move(next));
            }
        });
    }
    return BasicModel<List>(std::move(graph));
}

MOTE_END_NAMESPACE
