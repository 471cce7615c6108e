// SPDX-License-Identifier: MIT
#pragma once
// compare: where two models of the same network differ, value by value.

#include <mote/model/print.hpp>
#include <mote/passes/graph.hpp>
#include <mote/quantization/calibrate.hpp>

#include <cfloat>

MOTE_BEGIN_NAMESPACE

/// How a value of model b follows the value of that name in model a, over all samples.
struct ValueComparison {
    std::string name{};
    Element element = Element::f32;  ///< in b
    /// Signal to quantization noise, 10 log10(sum a^2 / sum (a - b)^2) in dB; infinite where they are equal.
    double sqnr = 0.0;
    /// sum a*b / sqrt(sum a^2 * sum b^2), 1 where both are zero throughout.
    double cosine = 0.0;
    /// The share, from 0 to 1, of a's numbers that lie more than half a step outside what b can represent; 0 for f32.
    double clipped = 0.0;
    /// The SQNR in dB if the noise that it has beyond the worst value that it is made of were all: a bad layer stands out, and
    /// those after it, which only hand its noise on, do not. Infinite where nothing comes in addition.
    double own = 0.0;
};

struct CompareOptions {
    std::size_t samples = 0;               ///< at most so many, evenly spread over the set; 0 for all
    const KernelTable* kernels = nullptr;  ///< native_kernels() where null
};

namespace detail {

/// A value as real numbers.
class RealValue {
  public:
    RealValue(const Engine& engine, const Value& value) {
        if (value.element == Element::f32) {
            reals_ = engine.value<float>(value.name);
        } else {
            bytes_ = engine.value<std::int8_t>(value.name);
            params_ = value.quantization.params();
        }
    }
    std::size_t size() const noexcept { return reals_.size() + bytes_.size(); }
    double operator[](std::size_t index) const noexcept {
        return bytes_.empty() ? static_cast<double>(reals_[index]) : dequantize_value(bytes_[index], params_);
    }

  private:
    std::span<const float> reals_{};
    std::span<const std::int8_t> bytes_{};
    QuantizationParams params_{};
};

inline bool is_real(const Value& value) {
    return value.element == Element::f32 || (value.element == Element::i8 && value.quantization.present());
}

/// Noise over signal; the largest number where there is no signal.
inline double noise_ratio(double noise, double signal) noexcept {
    return noise == 0.0 ? 0.0 : signal == 0.0 ? DBL_MAX : noise / signal;
}
inline double decibels(double ratio) noexcept {
    return ratio <= 0.0 ? HUGE_VAL : ratio == DBL_MAX ? -HUGE_VAL : -10.0 * std::log10(ratio);
}

/// By value: it is int8, and only a clamp (Relu, Relu6) sees it, for which it saturates.
template <class List>
std::vector<bool> saturates_for_clamp(const BasicModel<List>& model) {
    const Edges edge = edges(model.graph());
    std::vector<bool> result(model.values().size(), false);
    for (std::size_t id = 0; id < result.size(); ++id) {
        const std::size_t next = edge.only_consumer(narrow<ValueId>(id));
        if (next == no_node || model.values()[id].element != Element::i8) continue;
        const Node& node = model.nodes()[next];
        result[id] = get_if<Relu>(model, node) != nullptr || get_if<Relu6>(model, node) != nullptr;
    }
    return result;
}

}  // namespace detail

/// Runs both models over the samples and compares the values that have one name and shape, in a's order. Left out are int8
/// values of b that only a Relu or Relu6 sees: they hold what it lets through, and its output tells of it. Throws for an empty
/// set, samples that do not fit, and models without a common value.
template <class A, class B, SampleSource D>
std::vector<ValueComparison> compare(const BasicModel<A>& a, const BasicModel<B>& b, const D& data,
                                     const CompareOptions& options = {}) {
    Engine engine_a = detail::observing_engine(a, options.kernels);
    Engine engine_b = detail::observing_engine(b, options.kernels);
    const std::vector<Value> inputs = detail::input_values(engine_a);
    const std::vector<Value> inputs_b = detail::input_values(engine_b);
    bool same_inputs = inputs.size() == inputs_b.size();
    for (std::size_t i = 0; same_inputs && i < inputs.size(); ++i) same_inputs = inputs[i].shape == inputs_b[i].shape;
    if (!same_inputs) fail("compare: the models' inputs differ in number or shape");

    struct Pair {
        ValueComparison result;
        std::size_t id;  // in b
        detail::RealValue a, b;
        double lo, hi;  // what b can represent
        double signal = 0.0, noise = 0.0, other = 0.0, product = 0.0;
        std::uint64_t clipped = 0, count = 0;
    };
    std::vector<Pair> pairs;
    const std::vector<bool> saturates = detail::saturates_for_clamp(b);
    for (const Value& x : engine_a.plan().values()) {
        for (std::size_t id = 0; id < saturates.size(); ++id) {
            const Value& y = engine_b.plan().values()[id];
            if (x.name != y.name || x.shape != y.shape || saturates[id] || !detail::is_real(x) || !detail::is_real(y)) continue;
            Pair pair{{y.name, y.element}, id, {engine_a, x}, {engine_b, y}, -HUGE_VAL, HUGE_VAL};
            if (y.element == Element::i8) {
                const QuantizationParams params = y.quantization.params();
                const double half = 0.5 * static_cast<double>(params.scale);
                pair.lo = dequantize_value(-128, params) - half;
                pair.hi = dequantize_value(127, params) + half;
            }
            pairs.push_back(std::move(pair));
        }
    }
    if (pairs.empty()) fail("compare: the models have no value of one name and shape");

    const detail::Samples samples = detail::samples_of(data, inputs);
    std::vector<Tensor<f32>> tensors;
    for (const Value& input : inputs) tensors.emplace_back(input.shape);
    const std::size_t count = detail::sample_count(samples.size, options.samples);
    for (std::size_t i = 0; i < count; ++i) {
        samples.load(i * samples.size / count, tensors);
        for (Engine* engine : {&engine_a, &engine_b}) {
            for (std::size_t k = 0; k < tensors.size(); ++k) set_input(*engine, k, tensors[k]);
            engine->reset();
            engine->run();
        }
        for (Pair& pair : pairs) {
            for (std::size_t k = 0; k < pair.a.size(); ++k) {
                const double x = pair.a[k];
                const double y = pair.b[k];
                pair.signal += x * x;
                pair.noise += (x - y) * (x - y);
                pair.other += y * y;
                pair.product += x * y;
                pair.clipped += x < pair.lo || x > pair.hi ? 1u : 0u;
            }
            pair.count += pair.a.size();
        }
    }
    // What reaches each value of b: its own noise over its signal, or where that is not known the worst that it is made of.
    std::vector<double> ratio(b.values().size(), -1.0), added(ratio);
    for (const Pair& pair : pairs) ratio[pair.id] = added[pair.id] = detail::noise_ratio(pair.noise, pair.signal);
    for (const Node& node : b.nodes()) {
        double worst = 0.0;
        for (const ValueId id : node.inputs) worst = ratio[id] > worst ? ratio[id] : worst;
        for (const ValueId id : node.outputs) {
            if (ratio[id] < 0.0) ratio[id] = worst;
            if (added[id] >= 0.0 && worst > 0.0) added[id] = ratio[id] > worst ? ratio[id] - worst : 0.0;
        }
    }
    std::vector<ValueComparison> results;
    for (Pair& pair : pairs) {
        ValueComparison& result = pair.result;
        result.sqnr = detail::decibels(ratio[pair.id]);
        result.own = detail::decibels(added[pair.id]);
        const double norm = std::sqrt(pair.signal) * std::sqrt(pair.other);
        result.cosine = norm > 0.0 ? pair.product / norm : pair.signal == pair.other ? 1.0 : 0.0;
        result.clipped = static_cast<double>(pair.clipped) / static_cast<double>(pair.count);
        results.push_back(std::move(result));
    }
    return results;
}

/// A table: value, element, SQNR, its own, cosine, share clipped; `widest` as of to_table().
inline std::string to_string(const std::vector<ValueComparison>& comparison, std::size_t widest = 0) {
    auto number = [](const char* format, double value) {
        char text[40];
        std::snprintf(text, sizeof text, format, value);
        return std::string(text);
    };
    std::vector<std::vector<std::string>> rows{{"value", "element", "SQNR dB", "own dB", "cosine", "clipped %"}};
    for (const ValueComparison& value : comparison) {
        rows.push_back({value.name, element_name(value.element), number("%.1f", value.sqnr), number("%.1f", value.own),
                        number("%.6f", value.cosine), number("%.3f", 100.0 * value.clipped)});
    }
    return to_table(rows, widest);
}

MOTE_END_NAMESPACE
