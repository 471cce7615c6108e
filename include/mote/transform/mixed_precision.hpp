// SPDX-License-Identifier: MIT
#pragma once
// Which layers int8 hurts: how far the outputs follow when one of them alone is in int8, and which should stay in f32.

#include <mote/quantization/compare.hpp>
#include <mote/transform/detail/quantizer.hpp>

#include <algorithm>

MOTE_BEGIN_NAMESPACE

/// A layer with weights and what follows it up to the next one, in int8 while all else is in f32.
struct LayerSensitivity {
    std::vector<std::string> nodes{};
    /// Signal to quantization noise of the outputs in dB, of several outputs the worst; infinite where they are equal.
    double sqnr = 0.0;
};

struct SensitivityOptions {
    ObserverOptions observer{};
    std::size_t samples = 0;               ///< of the calibration at most so many, evenly spread; 0 for all
    std::size_t measured = 8;              ///< samples that the outputs are compared on
    const KernelTable* kernels = nullptr;  ///< native_kernels() where null
};

namespace detail {

/// The outputs of a model of reals, and how other models follow them.
class OutputNoise {
  public:
    template <class List, SampleSource D>
    OutputNoise(const BasicModel<List>& real, const D& data, const SensitivityOptions& options) : kernels_(options.kernels) {
        Engine engine = make_engine(real);
        const Samples samples = samples_of(data, input_values(engine));
        const std::size_t count = sample_count(samples.size, options.measured);
        for (std::size_t i = 0; i < count; ++i) {
            std::vector<Tensor<f32>>& tensors = inputs_.emplace_back();
            for (const Value& input : input_values(engine)) tensors.emplace_back(input.shape);
            samples.load(i * samples.size / count, tensors);
            engine.reset();
            outputs_.push_back(evaluate(engine, tensors));
        }
    }

    /// The worst output's SQNR of a model that takes and gives reals.
    template <class List>
    double sqnr(const BasicModel<List>& light) const {
        Engine engine = make_engine(light);
        std::vector<double> signal(engine.outputs(), 0.0), noise(engine.outputs(), 0.0);
        for (std::size_t i = 0; i < inputs_.size(); ++i) {
            engine.reset();
            const std::vector<Tensor<f32>> outputs = evaluate(engine, inputs_[i]);
            for (std::size_t k = 0; k < outputs.size(); ++k) {
                for (std::size_t e = 0; e < outputs[k].elements(); ++e) {
                    const double real = static_cast<double>(std::as_const(outputs_[i][k])[e]);
                    const double off = real - static_cast<double>(std::as_const(outputs[k])[e]);
                    signal[k] += real * real;
                    noise[k] += off * off;
                }
            }
        }
        double worst = 0.0;
        for (std::size_t k = 0; k < signal.size(); ++k) worst = std::max(worst, noise_ratio(noise[k], signal[k]));
        return decibels(worst);
    }

  private:
    template <class List>
    Engine make_engine(const BasicModel<List>& model) const {
        EngineOptions options;
        options.kernels = kernels_;
        return Engine(with_batch(model, 1), options);
    }

    const KernelTable* kernels_;
    std::vector<std::vector<Tensor<f32>>> inputs_, outputs_;  // by sample
};

/// The nodes' names, those together that stand between one layer with weights and the next.
template <class List>
std::vector<std::vector<std::string>> layers_with_followers(const Graph<List>& graph) {
    const Edges edge = edges(graph);
    DisjointSets sets(graph.nodes.size());
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        const Node& node = graph.nodes[i];
        const bool weights = visit(graph, node, []<class L>(const L&) { return L::family == Family::contraction; });
        if (weights || node.inputs.empty() || edge.producer[node.inputs[0]] == no_node) continue;
        sets.join(edge.producer[node.inputs[0]], i);
    }
    std::vector<std::vector<std::string>> groups(graph.nodes.size());
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) groups[sets.find(i)].push_back(graph.nodes[i].name);
    std::erase_if(groups, [](const auto& group) { return group.empty(); });
    return groups;
}

/// The sensitivities of a folded model's layers by ranges of its values, the worst first. Of `always` nothing is tried.
template <class Target, class List>
std::vector<LayerSensitivity> sensitivities(const BasicModel<List>& folded, const std::vector<Range>& ranges,
                                            const OutputNoise& outputs, const std::vector<std::string>& always) {
    std::vector<LayerSensitivity> result;
    for (std::vector<std::string>& group : layers_with_followers(folded.graph())) {
        std::erase_if(group,
                      [&](const std::string& name) { return std::find(always.begin(), always.end(), name) != always.end(); });
        if (group.empty()) continue;
        std::vector<std::string> others;
        for (const Node& node : folded.nodes()) {
            if (std::find(group.begin(), group.end(), node.name) == group.end()) others.push_back(node.name);
        }
        const double sqnr = outputs.sqnr(quantized<Target>(folded, others, ranges, true, true));
        result.push_back({std::move(group), sqnr});
    }
    std::sort(result.begin(), result.end(),
              [](const auto& a, const auto& b) { return a.sqnr != b.sqnr ? a.sqnr < b.sqnr : a.nodes < b.nodes; });
    return result;
}

/// `always` and the most sensitive layers, as few as let the outputs reach `least_sqnr`.
template <class Target, class List>
std::vector<std::string> kept_for_sqnr(const BasicModel<List>& folded, const std::vector<Range>& ranges,
                                       const OutputNoise& outputs, std::vector<std::string> always, double least_sqnr) {
    const std::vector<LayerSensitivity> layers = sensitivities<Target>(folded, ranges, outputs, always);
    auto with = [&](std::size_t count) {
        std::vector<std::string> names = always;
        for (std::size_t i = 0; i < count; ++i) names.insert(names.end(), layers[i].nodes.begin(), layers[i].nodes.end());
        return names;
    };
    std::size_t few = 0, enough = layers.size();  // noise falls with each layer, but for chance: halve what lies between
    while (few < enough) {
        const std::size_t middle = few + (enough - few) / 2;
        if (outputs.sqnr(quantized<Target>(folded, with(middle), ranges, true, true)) >= least_sqnr) {
            enough = middle;
        } else {
            few = middle + 1;
        }
    }
    return with(enough);
}

}  // namespace detail

/// How sensitive the outputs of an f32 model are to each of its layers in int8, the worst first. Throws as quantize() does.
template <class List, SampleSource D>
std::vector<LayerSensitivity> quantization_sensitivity(const BasicModel<List>& model, const D& data,
                                                       const SensitivityOptions& options = {}) {
    const BasicModel<List> folded = fold(model);
    const std::vector<Range> ranges =
        detail::observed_ranges(folded, data, {options.observer, options.samples, options.kernels});
    return detail::sensitivities<standard_layers<f32, i8, wide>>(folded, ranges, detail::OutputNoise(folded, data, options),
                                                                 {});
}

MOTE_END_NAMESPACE
