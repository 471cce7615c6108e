// SPDX-License-Identifier: MIT
#pragma once
// quantize: an f32 model to int8, after training.

#include <mote/transform/mixed_precision.hpp>

MOTE_BEGIN_NAMESPACE

struct QuantizeOptions {
    Observer observer = Observer::min_max;  ///< of the activations' ranges
    double percentile = 99.99;              ///< of Observer::percentile
    std::size_t samples = 0;                ///< of the calibration set at most so many, evenly spread; 0 for all
    std::vector<std::string> keep_f32{};    ///< nodes that stay in f32, between Convert nodes; for quantize<f32, i8>
    /// The most sensitive layers stay in f32 too, as few as let the outputs' signal to quantization noise in dB reach this; for
    /// quantize<f32, i8>. 0: none.
    double least_sqnr = 0.0;
    bool f32_inputs = false;  ///< the model takes real numbers and converts them itself
    bool f32_outputs = false;
    const KernelTable* kernels = nullptr;  ///< of the calibration; native_kernels() where null
};

/// The model in int8: quantize<i8>(model, set). The tags are those that the result may hold: quantize<f32, i8> may leave the
/// nodes of `keep_f32` in f32.
///
/// BatchNorm is folded first; one that stands alone on an image becomes a 1x1 depthwise convolution. Weights are symmetric with
/// a scale an output channel, biases int32, activations asymmetric with one scale a tensor, from the ranges that the
/// calibration set (a Dataset, a Tensor<f32> [samples, ...] or a SampleList) shows. A value that only Relu or Relu6 sees takes
/// the range of what comes out: saturation is the clamp. What pooling, movement and Concat join shares one scale; Softmax gives
/// 1/256, -128. Inputs and outputs are int8 unless the options say otherwise; values and nodes keep their names.
///
/// Throws for an empty set, NaN or infinite samples, weights or values, layers without an int8 form, sums that could overflow
/// and multipliers that are no normal floats, naming the node. (Jacob et al. 2018, section 3; Krishnamoorthi 2018, section 3.)
template <class... P, class List, SampleSource D>
Model<P...> quantize(const BasicModel<List>& model, const D& data, const QuantizeOptions& options = {}) {
    static_assert((std::is_same_v<P, i8> || ...), "mote: quantize<i8> or quantize<f32, i8>");
    detail::expect_finite_parameters(model.graph(), "quantize");
    std::vector<bool> kept = detail::named_nodes(model.graph(), options.keep_f32, "keep_f32");
    std::vector<std::string> kept_names;
    for (std::size_t i = 0; i < kept.size(); ++i) {
        if (kept[i]) kept_names.push_back(model.nodes()[i].name);
    }
    const BasicModel<List> folded = fold(model);
    const CalibrationOptions calibration{{options.observer, options.percentile}, options.samples, options.kernels};
    std::vector<Range> ranges = detail::observed_ranges(folded, data, calibration);
    if (options.least_sqnr != 0.0) {
        if constexpr ((std::is_same_v<P, f32> || ...)) {
            const detail::OutputNoise outputs(folded, data, {.kernels = options.kernels});
            kept_names = detail::kept_for_sqnr<standard_layers<P...>>(folded, ranges, outputs, kept_names, options.least_sqnr);
        } else {
            fail("least_sqnr leaves layers in f32, which the result may not hold; quantize<f32, i8> may");
        }
    }
    return detail::quantized<standard_layers<P...>>(folded, kept_names, std::move(ranges), options.f32_inputs,
                                                    options.f32_outputs);
}

MOTE_END_NAMESPACE
