// SPDX-License-Identifier: MIT
#pragma once
// predict, accuracy, confusion: what a model answers on a dataset, through the engine.

#include <mote/data/dataset.hpp>
#include <mote/engine/evaluate.hpp>
#include <mote/train/loss.hpp>
#include <mote/train/detail/network.hpp>

#include <optional>

MOTE_BEGIN_NAMESPACE

/// The model whose output is what went into its final Softmax: its logits. Unchanged where it does not end in one.
template <class List>
BasicModel<List> without_softmax(const BasicModel<List>& model) {
    Graph<List> graph = model.graph();
    const std::size_t softmax = detail::final_softmax(graph);
    if (softmax == no_node) return model;
    graph.outputs[0] = graph.nodes[softmax].inputs[0];
    bool used = false;
    for (const Node& node : graph.nodes) {
        for (const ValueId id : node.inputs) used = used || id == graph.nodes[softmax].outputs[0];
    }
    if (!used) graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(softmax));
    return BasicModel<List>(compacted(std::move(graph)));
}

struct EvaluateOptions {
    std::size_t batch_size = 64;
    EngineOptions engine{};
};

/// The first output for every sample, as real numbers [samples, ...], and the labels. int8 inputs are quantized, int8 outputs
/// dequantized. Throws for an empty dataset or samples that do not fit the model's one input.
struct Predictions {
    Tensor<f32> outputs{};
    std::vector<std::int64_t> labels{};
};
template <class List, Dataset D>
Predictions predict(const BasicModel<List>& model, const D& data, const EvaluateOptions& options = {}) {
    const auto size = static_cast<std::size_t>(data.size());
    if (size == 0) fail("the dataset is empty; at least one sample is expected");
    if (options.batch_size == 0) fail("batch_size is 0; a batch needs at least one sample");
    if (model.inputs().size() != 1) {
        fail(concat("the model has ", model.inputs().size(), " inputs; a dataset feeds a model of one"));
    }
    Predictions result;
    std::optional<Engine> engine;
    Tensor<f32> input;
    std::size_t row = 0;
    for (std::size_t first = 0, count = 0; first < size; first += count) {
        const std::size_t left = size - first;
        const std::size_t next = left < options.batch_size ? left : options.batch_size;
        if (next != count) {
            count = next;
            engine.emplace(with_batch(model, count), options.engine);
            input = Tensor<f32>(engine->input_value().shape);
        }
        const std::size_t sample = input.elements() / count;
        for (std::size_t i = 0; i < count; ++i) {
            const std::span<float> values = input.values().subspan(i * sample, sample);
            result.labels.push_back(static_cast<std::int64_t>(data.load(first + i, values)));
        }
        set_input(*engine, 0, input);
        engine->run();
        const Tensor<f32> output = get_output(*engine);
        if (first == 0) {
            Shape shape = output.shape();
            if (shape.rank() == 0 || shape[0] != count) {
                fail(concat("output ", to_string(engine->output_value()), ": its first axis must count the samples"));
            }
            shape[0] = size;
            row = output.elements() / count;
            result.outputs = Tensor<f32>(shape);
        }
        std::memcpy(result.outputs.data() + first * row, output.data(), output.bytes());
    }
    return result;
}

namespace detail {
inline std::size_t largest(std::span<const float> values) {
    std::size_t best = 0;
    for (std::size_t c = 1; c < values.size(); ++c) best = values[c] > values[best] ? c : best;
    return best;
}
}  // namespace detail

/// The share of samples, from 0 to 1, whose largest output is the label's (top-1; of equal ones the first counts). Throws as
/// predict does, and where a label is outside [0, outputs).
template <class List, Dataset D>
double accuracy(const BasicModel<List>& model, const D& data, const EvaluateOptions& options = {}) {
    const Predictions predictions = predict(model, data, options);
    const std::size_t size = predictions.labels.size();
    const std::size_t classes = predictions.outputs.elements() / size;
    std::size_t hits = 0;
    for (std::size_t i = 0; i < size; ++i) {
        detail::expect_label(i, predictions.labels[i], classes);
        const std::size_t answer = detail::largest(predictions.outputs.values().subspan(i * classes, classes));
        hits += static_cast<std::int64_t>(answer) == predictions.labels[i] ? 1u : 0u;
    }
    return static_cast<double>(hits) / static_cast<double>(size);
}

/// counts[label * classes + answer]. Throws where a label or an answer is outside [0, classes).
template <class List, Dataset D>
std::vector<std::int64_t> confusion(const BasicModel<List>& model, const D& data, std::size_t classes,
                                    const EvaluateOptions& options = {}) {
    const Predictions predictions = predict(model, data, options);
    const std::size_t size = predictions.labels.size();
    const std::size_t outputs = predictions.outputs.elements() / size;
    std::vector<std::int64_t> counts(classes * classes, 0);
    for (std::size_t i = 0; i < size; ++i) {
        const std::size_t answer = detail::largest(predictions.outputs.values().subspan(i * outputs, outputs));
        const std::int64_t label = predictions.labels[i];
        if (label < 0 || label >= static_cast<std::int64_t>(classes) || answer >= classes) {
            fail(concat("sample ", i, " has label ", label, " and answer ", answer, "; both must be below ", classes));
        }
        ++counts[narrow<std::size_t>(label) * classes + answer];
    }
    return counts;
}

MOTE_END_NAMESPACE
