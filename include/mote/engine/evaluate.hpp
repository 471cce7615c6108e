// SPDX-License-Identifier: MIT
#pragma once
// evaluate: one checked run on tensors of real numbers.

#include <mote/engine/engine.hpp>

MOTE_BEGIN_NAMESPACE

/// Writes a real tensor into input `index`, quantized where the input is i8. Throws an Error that names the input where the
/// shape differs, where the input is neither f32 nor i8, or where its scale has no normal inverse to quantize with.
template <class Lazy = void>
void set_input(Engine& engine, std::size_t index, const Tensor<f32>& tensor) {
    const Value& value = engine.input_value(index);
    if (tensor.shape() != value.shape) {
        fail("input ", to_string(value), ": a tensor of that shape is expected, [", to_string(tensor.shape()), "] given");
    }
    if (value.element == Element::f32) {
        std::memcpy(engine.input<float>(index).data(), tensor.data(), tensor.bytes());
    } else if (value.element == Element::i8 && value.quantization.present()) {
        const QuantizationParams params = value.quantization.params();
        const auto inverse = static_cast<float>(1.0 / static_cast<double>(params.scale));
        if (!usable_scale(inverse)) {
            fail("input ", to_string(value), ": the scale ", params.scale,
                 " has no normal inverse; real numbers are quantized by scales from 2^-126 to 2^126, others by input<T>()");
        }
        engine.plan().kernels().quantize_i8(tensor.elements(), inverse, params.zero_point, tensor.data(),
                                            engine.input<std::int8_t>(index).data());
    } else {
        fail("input ", to_string(value), ": real numbers go into f32, or i8 with a quantization; use input<T>()");
    }
}

/// Output `index` as real numbers; integers of 64 bits are rounded. Throws where it is neither f32 nor i64 nor i8 with a
/// quantization.
template <class Lazy = void>
Tensor<f32> get_output(const Engine& engine, std::size_t index = 0) {
    const Value& value = engine.output_value(index);
    Tensor<f32> result(value.shape);
    if (value.element == Element::f32) {
        std::memcpy(result.data(), engine.output<float>(index).data(), result.bytes());
    } else if (value.element == Element::i8 && value.quantization.present()) {
        const QuantizationParams params = value.quantization.params();
        engine.plan().kernels().dequantize_i8(result.elements(), params.scale, params.zero_point,
                                              engine.output<std::int8_t>(index).data(), result.data());
    } else if (value.element == Element::i64) {
        const std::span<const std::int64_t> integers = engine.output<std::int64_t>(index);
        for (std::size_t i = 0; i < integers.size(); ++i) result[i] = static_cast<float>(integers[i]);
    } else {
        fail("output ", to_string(value), ": only f32, i64, and i8 with a quantization, are read so; use output<T>()");
    }
    return result;
}

/// All outputs for these inputs as their elements are, in the model's order. Throws an Error where number, elements or shapes
/// of the inputs differ from the model's.
template <class Lazy = void>
std::vector<Constant> evaluate(Engine& engine, std::span<const Constant> inputs) {
    if (inputs.size() != engine.inputs()) {
        fail("the model has ", engine.inputs(), " inputs; ", inputs.size(), " values were given");
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const Value& value = engine.input_value(i);
        const std::span<std::byte> to = engine.input_bytes(i);
        const bool same = inputs[i].element == value.element &&
                          std::ranges::equal(inputs[i].shape, std::span(value.shape.begin(), value.shape.end()));
        if (!same || inputs[i].bytes.bytes() != to.size())
            fail("input ", to_string(value), ": a value of that element and shape is expected");
        if (!to.empty()) std::memcpy(to.data(), inputs[i].bytes.data(), to.size());
    }
    engine.run();
    std::vector<Constant> outputs;
    for (std::size_t i = 0; i < engine.outputs(); ++i) {
        const Value& value = engine.output_value(i);
        const std::span<const std::byte> from = engine.output_bytes(i);
        Constant output{value.element, {value.shape.begin(), value.shape.end()}, Tensor<u8>(Shape{from.size()})};
        if (!from.empty()) std::memcpy(output.bytes.data(), from.data(), from.size());
        outputs.push_back(std::move(output));
    }
    return outputs;
}

/// All outputs for these inputs, in the model's order. Throws an Error where their number or shapes differ from the model's.
template <class Lazy = void>
std::vector<Tensor<f32>> evaluate(Engine& engine, std::span<const Tensor<f32>> inputs) {
    if (inputs.size() != engine.inputs()) {
        fail("the model has ", engine.inputs(), " inputs; ", inputs.size(), " tensors were given");
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) set_input(engine, i, inputs[i]);
    engine.run();
    std::vector<Tensor<f32>> outputs;
    for (std::size_t i = 0; i < engine.outputs(); ++i) outputs.push_back(get_output(engine, i));
    return outputs;
}
template <class Lazy = void>
std::vector<Tensor<f32>> evaluate(Engine& engine, std::initializer_list<Tensor<f32>> inputs) {
    return evaluate(engine, std::span<const Tensor<f32>>(inputs.begin(), inputs.size()));
}

/// The first output of a model with one input.
template <class Lazy = void>
Tensor<f32> evaluate(Engine& engine, const Tensor<f32>& input) {
    return evaluate(engine, std::span<const Tensor<f32>>(&input, 1)).front();
}

MOTE_END_NAMESPACE
