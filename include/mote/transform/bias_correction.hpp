// SPDX-License-Identifier: MIT
#pragma once
// correct_bias: what rounding the weights adds to the outputs on average, taken out of the biases.

#include <mote/passes/fold.hpp>
#include <mote/quantization/calibrate.hpp>

#include <map>

MOTE_BEGIN_NAMESPACE

struct BiasCorrectionOptions {
    std::size_t samples = 0;               ///< at most so many, evenly spread over the set; 0 for all
    const KernelTable* kernels = nullptr;  ///< native_kernels() where null
};

namespace detail {

template <class L>
concept CorrectedLayer = contains<L, LayerList<Conv2d<i8>, DepthwiseConv2d<i8>, Dense<i8>>>;
template <class L>
struct RealLayer;
template <template <class> class L>
struct RealLayer<L<i8>> {
    using type = L<f32>;
};

/// By value, the mean of each channel over the samples.
template <class List, SampleSource D>
std::vector<std::vector<double>> channel_means(const BasicModel<List>& model, const D& data,
                                               const BiasCorrectionOptions& options) {
    std::vector<std::vector<double>> means(model.values().size());
    const std::size_t count = observe_samples(
        model, data, options.samples, options.kernels, [&](std::size_t, const std::vector<std::span<const float>>& values) {
            for (std::size_t id = 0; id < values.size(); ++id) {
                const Shape& shape = model.values()[id].shape;
                if (values[id].empty() || shape.rank() == 0) continue;
                const std::size_t channels = shape.back();
                const double share = static_cast<double>(channels) / static_cast<double>(values[id].size());
                means[id].resize(channels, 0.0);
                for (std::size_t k = 0; k < values[id].size(); ++k)
                    means[id][k % channels] += share * static_cast<double>(values[id][k]);
            }
        });
    for (std::vector<double>& mean : means) {
        for (double& channel : mean) channel /= static_cast<double>(count);
    }
    return means;
}

/// `layer` with the bias that makes up for weight - real.weight; `mean` are its input's channels, `scale` its input's step.
template <class L, class R>
L corrected(const L& layer, const R& real, const std::vector<double>& mean, double scale) {
    const Shape& shape = layer.weight.shape();
    const std::size_t inner = layer.weight.elements() / shape[0], in = shape.back();
    L next = layer;
    next.bias = Tensor<i32>(Shape{shape[0]});
    const Quantization& q = layer.weight.quantization();
    const double room = 2147483647.0 - 255.0 * 127.0 * static_cast<double>(inner);
    for (std::size_t c = 0; c < shape[0]; ++c) {
        const double step = static_cast<double>(q.scale[q.per_axis() ? c : 0]);
        double shift = 0.0;  // of the output's mean
        for (std::size_t i = 0; i < inner; ++i) {
            std::size_t channel = i % in;
            if constexpr (std::is_same_v<L, DepthwiseConv2d<i8>>) {
                channel = c / layer.multiplier;
            } else if constexpr (std::is_same_v<L, Conv2d<i8>>) {
                channel += c / (shape[0] / layer.groups) * in;
            }
            shift += (step * layer.weight[c * inner + i] - static_cast<double>(real.weight[c * inner + i])) * mean[channel];
        }
        const double old = layer.bias.empty() ? 0.0 : layer.bias[c];
        const double bias = round_half_even(old - shift / (scale * step));
        next.bias[c] = static_cast<std::int32_t>(std::fabs(bias) < room ? bias : old);
    }
    return next;
}

}  // namespace detail

/// `light`, made by quantize() of `real`, with other biases: from each goes what the rounding of its layer's weights adds to
/// the output for the mean input of the samples (Nagel et al. 2019, "Data-free quantization through weight equalization and
/// bias correction", section 4.2). Padding counts as the mean too. Nodes are matched by name; throws where int8 layers have
/// none that matches, and as calibrate() does.
template <class Light, class Real, SampleSource D>
BasicModel<Light> correct_bias(const BasicModel<Real>& real, const BasicModel<Light>& light, const D& data,
                               const BiasCorrectionOptions& options = {}) {
    const BasicModel<Real> folded = fold(real);
    const std::vector<std::vector<double>> means = detail::channel_means(folded, data, options);
    std::map<std::string, const Node*> named;
    for (const Node& node : folded.nodes()) named[node.name] = &node;
    Graph<Light> graph = light.graph();
    std::size_t layers = 0, count = 0;
    for (Node& node : graph.nodes) {
        visit(graph, node, [&]<class L>(const L& layer) {
            if constexpr (detail::CorrectedLayer<L>) {
                ++layers;
                const auto found = named.find(node.name);
                if (found == named.end()) return;
                const auto* other = get_if<typename detail::RealLayer<L>::type>(folded, *found->second);
                if (other == nullptr || other->weight.shape() != layer.weight.shape()) return;
                const double scale = static_cast<double>(graph.values[node.inputs[0]].quantization.params().scale);
                node.layer = make_erased(detail::corrected(layer, *other, means[found->second->inputs[0]], scale));
                ++count;
            }
        });
    }
    if (layers > 0 && count == 0)
        fail("correct_bias: the models have no convolution or Dense of one name; a model and its quantized form are expected");
    return BasicModel<Light>(std::move(graph));
}

MOTE_END_NAMESPACE
