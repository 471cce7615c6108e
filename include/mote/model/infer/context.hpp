// SPDX-License-Identifier: MIT
#pragma once
// InferContext: what a layer's `infer` sees of its node, and what it answers.

#include <mote/model/value.hpp>

MOTE_BEGIN_NAMESPACE

template <class Lazy>
class BasicInferContext;
using InferContext = BasicInferContext<void>;

/// A layer reads its input values, checks itself against them, and states each output (and each state that outlives a run).
///
///     void infer(const MyLayer& layer, mote::InferContext& node) {
///         node.expect_inputs(1);
///         node.output(node.input(0).shape, node.input(0).element);
///     }
template <class Lazy>
class BasicInferContext {
  public:
    BasicInferContext(std::string_view name, const char* kind, std::span<const Value* const> inputs,
                      std::span<const Quantization* const> requested)
        : name_(name), kind_(kind), inputs_(inputs), requested_(requested) {}

    std::size_t inputs() const noexcept { return inputs_.size(); }
    const Value& input(std::size_t index) const noexcept { return *inputs_[index]; }

    /// The quantization that the model's maker asked for output `index`; absent where none was given.
    const Quantization& requested_quantization(std::size_t index = 0) const noexcept {
        static const Quantization none;
        return index < requested_.size() ? *requested_[index] : none;
    }

    /// How many values the model binds to the layer's outputs.
    std::size_t bound_outputs() const noexcept { return requested_.size(); }

    /// States the next output.
    void output(const Shape& shape, Element element, Quantization quantization = {}) {
        if (shape.elements() >= Shape::absurd) {
            fail("the output [", to_string(shape), "] has more elements than memory can hold");
        }
        outputs_.push_back({{}, shape, element, std::move(quantization)});
    }

    /// Declares a value that the engine keeps from run to run; reset() sets it to real zero.
    void state(std::string_view name, const Shape& shape, Element element, Quantization quantization = {}) {
        states_.push_back({std::string(name), shape, element, std::move(quantization)});
    }

    /// Throws an Error of these parts that names the node and its kind.
    template <class... Part>
    [[noreturn]] void fail(const Part&... part) const {
        const detail::TextPart parts[] = {"node '", name_, "' (", kind_, "): ", part...};
        detail::fail_joined(parts, sizeof...(part) + 5);
    }

    void expect_inputs(std::size_t least, std::size_t most) const {
        if (inputs() < least || inputs() > most) {
            fail(least == most ? concat(least) : concat("from ", least, " to ", most), " inputs expected, ", inputs(),
                 " given");
        }
    }
    void expect_inputs(std::size_t count) const { expect_inputs(count, count); }

    void expect_rank(std::size_t index, std::size_t rank, const char* axes) const {
        if (input(index).shape.rank() != rank) {
            fail("input ", to_string(input(index)), " has rank ", input(index).shape.rank(), "; expected ", axes);
        }
    }

    /// Checks that no axis of the input is empty.
    void expect_full(std::size_t index) const {
        if (input(index).shape.elements() == 0)
            fail("input ", to_string(input(index)), " has an empty axis; extents from 1 are expected");
    }

    const std::vector<Value>& outputs() const noexcept { return outputs_; }
    const std::vector<Value>& states() const noexcept { return states_; }

  private:
    std::string_view name_;
    const char* kind_;
    std::span<const Value* const> inputs_;
    std::span<const Quantization* const> requested_;
    std::vector<Value> outputs_;
    std::vector<Value> states_;
};

namespace detail {

/// Whether layers compute on this element: in f32, or as int8.
constexpr bool is_computed(Element element) noexcept {
    return element == Element::i8 || (holds_reals(element) && element != Element::f64);
}

/// Checks that a layer without tables of its own can compute on this element.
template <class Lazy = void>
void expect_computed(const InferContext& node, std::size_t index) {
    const Value& value = node.input(index);
    if (!is_computed(value.element)) node.fail("input ", to_string(value), ": f32, f16, bf16 or i8 expected");
}

template <class Lazy = void>
void expect_f32(const InferContext& node, std::size_t index) {
    const Value& value = node.input(index);
    if (value.element != Element::f32) node.fail("input ", to_string(value), ": f32 expected");
}

/// Whether the value is of plain numbers, each in bytes of its own: no i8 that stands for real numbers.
inline bool holds_numbers(const Value& value) noexcept {
    return element_bits(value.element) >= 8 && !value.quantization.present();
}

/// Checks that the value is of plain numbers.
template <class Lazy = void>
void expect_numbers(const InferContext& node, std::size_t index) {
    if (!holds_numbers(node.input(index)))
        node.fail("input ", to_string(node.input(index)), ": elements of whole bytes without quantization are expected");
}

/// Two inputs that do not go together, and what would.
template <class Lazy = void>
[[noreturn]] __attribute__((noinline, cold)) void fail_pair(const InferContext& node, const char* expected) {
    node.fail("inputs ", to_string(node.input(0)), " and ", to_string(node.input(1)), ": ", expected);
}

/// What is wrong with a quantization, and what would do; "" where nothing is.
template <class Lazy = void>
std::string quantization_flaw(const Quantization& quantization) {
    if (quantization.zero_point.size() != quantization.scale.size()) {
        return concat(quantization.scale.size(), " scales but ", quantization.zero_point.size(), " zero points");
    }
    for (const float scale : quantization.scale) {
        if (usable_scale(scale)) continue;
        return concat("the scale ", scale, ", which is not usable; a finite, positive, normal float is expected");
    }
    return {};
}

/// What keeps an i8 value from being computed with, and what would do; "" where nothing does.
template <class Lazy = void>
std::string activation_flaw(const Quantization& quantization) {
    if (!quantization.present()) return "no quantization; an i8 value that is computed with needs a scale and a zero point";
    if (quantization.per_axis()) return "a scale per axis; an i8 value that is computed with has one scale";
    std::string flaw = quantization_flaw(quantization);
    if (!flaw.empty()) return flaw;
    const std::int32_t zero_point = quantization.zero_point[0];
    if (zero_point < -128 || zero_point > 127) flaw = concat("the zero point ", zero_point, ", which is outside [-128, 127]");
    return flaw;
}

/// The usable per-tensor quantization that an i8 output needs; the requested one.
template <class Lazy = void>
Quantization expect_output_quantization(const InferContext& node, std::size_t index = 0) {
    const Quantization& asked = node.requested_quantization(index);
    const std::string flaw = activation_flaw(asked);
    if (!flaw.empty()) node.fail("the output has ", flaw);
    return asked;
}

/// Checks that an i8 input has one usable scale; an f32 input needs none.
template <class Lazy = void>
void expect_input_quantization(const InferContext& node, std::size_t index) {
    const Value& value = node.input(index);
    if (value.element != Element::i8) return;
    const std::string flaw = activation_flaw(value.quantization);
    if (!flaw.empty()) node.fail("input ", to_string(value), " has ", flaw);
}

/// The multiplier of a requantization, m = s_in * s_weight / s_out in double, rounded to float.
template <class Lazy = void>
float requantization_multiplier(float input_scale, float weight_scale, float output_scale) {
    return static_cast<float>(static_cast<double>(input_scale) * static_cast<double>(weight_scale) /
                              static_cast<double>(output_scale));
}

}  // namespace detail

MOTE_END_NAMESPACE
