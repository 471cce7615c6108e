// SPDX-License-Identifier: MIT
#pragma once
// Calibration: runs a model over samples and observes every value.

#include <mote/data/dataset.hpp>
#include <mote/engine/evaluate.hpp>
#include <mote/quantization/observer.hpp>

MOTE_BEGIN_NAMESPACE

/// Samples for a model of any number of inputs: each element holds one tensor an input, in the model's order.
using SampleList = std::vector<std::vector<Tensor<f32>>>;

/// What a model can be run over: a Dataset (one input, a sample at a time), a SampleList, or one Tensor<f32> [samples, ...].
template <class D>
concept SampleSource = Dataset<D> || std::same_as<D, SampleList> || std::same_as<D, Tensor<f32>>;

namespace detail {

/// A source without its type: loads sample `index` into real tensors, one an input.
struct Samples {
    std::size_t size = 0;
    std::function<void(std::size_t, std::span<Tensor<f32>>)> load;
};

inline void expect_one_input(std::size_t inputs, const char* what) {
    if (inputs != 1) {
        fail(concat("the model has ", inputs, " inputs; ", what, " feeds a model of one (a SampleList feeds several)"));
    }
}

/// `data` must outlive the result. `inputs` are the model's, for one sample. Throws where there is no sample, or where they do
/// not fit.
template <SampleSource D>
Samples samples_of(const D& data, const std::vector<Value>& inputs) {
    Samples result;
    if constexpr (Dataset<D>) {
        expect_one_input(inputs.size(), "a dataset");
        if constexpr (ShapedDataset<D>) {
            const Shape shape = data.shape();
            if (shape.elements() != inputs[0].shape.elements()) {
                fail(concat("a sample is [", to_string(shape), "]; input ", to_string(inputs[0]), " takes ",
                            inputs[0].shape.elements(), " values a sample"));
            }
        }
        result.size = static_cast<std::size_t>(data.size());
        result.load = [&data](std::size_t index, std::span<Tensor<f32>> tensors) { data.load(index, tensors[0].values()); };
    } else if constexpr (std::same_as<D, Tensor<f32>>) {
        expect_one_input(inputs.size(), "a tensor");
        const std::size_t sample = inputs[0].shape.elements();
        result.size = data.shape().rank() == 0 ? 0 : data.shape()[0];
        if (data.elements() != result.size * sample) {
            fail(concat("a tensor of samples [", to_string(data.shape()), "]: input ", to_string(inputs[0]), " takes ", sample,
                        " values a sample"));
        }
        result.load = [&data, sample](std::size_t index, std::span<Tensor<f32>> tensors) {
            std::memcpy(tensors[0].data(), data.data() + index * sample, sample * sizeof(float));
        };
    } else {
        result.size = data.size();
        for (std::size_t i = 0; i < data.size(); ++i) {
            if (data[i].size() != inputs.size()) {
                fail(concat("sample ", i, " has ", data[i].size(), " tensors; the model has ", inputs.size(), " inputs"));
            }
            for (std::size_t k = 0; k < inputs.size(); ++k) {
                if (data[i][k].shape().elements() != inputs[k].shape.elements()) {
                    fail(concat("sample ", i, ": a tensor [", to_string(data[i][k].shape()), "] for input ",
                                to_string(inputs[k])));
                }
            }
        }
        result.load = [&data](std::size_t index, std::span<Tensor<f32>> tensors) {
            for (std::size_t k = 0; k < tensors.size(); ++k) {
                std::memcpy(tensors[k].data(), data[index][k].data(), tensors[k].bytes());
            }
        };
    }
    if (result.size == 0) fail("the set of samples is empty; at least one sample is expected");
    return result;
}

/// How many samples are used: all, or `limit` of them, evenly spread over the set.
inline std::size_t sample_count(std::size_t size, std::size_t limit) {
    return limit == 0 || limit > size ? size : limit;
}

/// Runs one sample at a time, the way a device does, and keeps every value.
template <class List>
Engine observing_engine(const BasicModel<List>& model, const KernelTable* kernels) {
    EngineOptions options;
    options.kernels = kernels;
    options.plan.keep_values = true;
    return Engine(with_batch(model, 1), options);
}

inline std::vector<Value> input_values(const Engine& engine) {
    std::vector<Value> values;
    for (std::size_t i = 0; i < engine.inputs(); ++i) values.push_back(engine.input_value(i));
    return values;
}

/// Runs the model over the samples, at most `limit` of them (0: all), evenly spread over the set, and clears its states before
/// each. Calls visit(index, values) after each, values by ValueId, none where they are not f32. Returns how many there were.
/// Throws for an empty set, samples that do not fit, and inputs that are NaN or infinite.
template <class List, SampleSource D, class Visit>
std::size_t observe_samples(const BasicModel<List>& model, const D& data, std::size_t limit, const KernelTable* kernels,
                            Visit&& visit) {
    Engine engine = observing_engine(model, kernels);
    const std::vector<Value> inputs = input_values(engine);
    const Samples samples = samples_of(data, inputs);
    std::vector<Tensor<f32>> tensors;
    for (const Value& input : inputs) tensors.emplace_back(input.shape);
    std::vector<std::span<const float>> values;
    for (const Value& value : model.values()) {
        values.push_back(value.element == Element::f32 ? engine.value<float>(value.name) : std::span<const float>());
    }
    const std::size_t count = sample_count(samples.size, limit);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t index = i * samples.size / count;
        samples.load(index, tensors);
        for (std::size_t k = 0; k < tensors.size(); ++k) {
            if (first_not_finite(tensors[k].values()) != tensors[k].size()) {
                fail(concat("calibration: sample ", index, " holds NaN or infinite values for input ", to_string(inputs[k]),
                            "; finite numbers are expected"));
            }
            set_input(engine, k, tensors[k]);
        }
        engine.reset();
        engine.run();
        visit(index, values);
    }
    return count;
}

}  // namespace detail

struct CalibrationOptions {
    ObserverOptions observer{};
    std::size_t samples = 0;               ///< at most so many, evenly spread over the set; 0 for all
    const KernelTable* kernels = nullptr;  ///< native_kernels() where null
};

/// An observer for each value of the model, by ValueId. All must be f32, but for indices (i64), which have no range. States are
/// cleared before each sample. Throws for an empty set, samples that do not fit, and an input or value that is NaN or infinite
/// (naming it).
template <class List, SampleSource D>
std::vector<RangeObserver> calibrate(const BasicModel<List>& model, const D& data, const CalibrationOptions& options = {}) {
    check_observer(options.observer);
    for (const Value& value : model.values()) {
        if (value.element != Element::f32 && value.element != Element::i64)
            fail(concat("calibration: value ", to_string(value), "; f32 is expected"));
    }
    std::vector<RangeObserver> observers(model.values().size(), RangeObserver(options.observer));
    detail::observe_samples(model, data, options.samples, options.kernels,
                            [&](std::size_t index, const std::vector<std::span<const float>>& values) {
                                for (std::size_t id = 0; id < values.size(); ++id) {
                                    if (!observers[id].observe(values[id])) {
                                        fail(concat("calibration: value ", to_string(model.values()[id]),
                                                    " is NaN or infinite for sample ", index, "; finite numbers are expected"));
                                    }
                                }
                            });
    return observers;
}

MOTE_END_NAMESPACE
