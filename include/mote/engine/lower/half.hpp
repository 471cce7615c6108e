// SPDX-License-Identifier: MIT
#pragma once
// Layers that compute floats of 16 bits in f32, and the steps around them that convert.

#include <mote/engine/lower/elementwise.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {
constexpr bool is_half(Element element) noexcept {
    return element == Element::f16 || element == Element::bf16;
}

/// Layers whose `lower` knows f32 and i8 alone.
template <class L, class... Kind>
inline constexpr bool is_one_of = (std::is_same_v<L, Kind> || ...);
template <class L>
inline constexpr bool computes_in_f32 =
    is_one_of<L, Add, Mul, Relu, Relu6, LeakyRelu, Sigmoid, Tanh, HardSigmoid, HardSwish, Unary, Convert, MaxPool2d,
              AveragePool2d, GlobalAveragePool, Resize2d, Softmax>;
}  // namespace detail

/// f16, bf16 -> f32. Operands: input, output.
struct ToF32Step {
    static constexpr const char* name = "to_f32";
    std::size_t count = 0;
    Element from = Element::bf16;
    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        const detail::Elements some(count, part);
        float* const to = some.of<float>(operands, 1);
        if (from == Element::bf16) return kernels.bf16.to_f32(some.count, some.of<const bfloat>(operands, 0), to);
        kernels.f16.to_f32(some.count, some.of<const half>(operands, 0), to);
    }
};

/// f32 -> f16, bf16. Operands: input, output.
struct FromF32Step {
    static constexpr const char* name = "from_f32";
    std::size_t count = 0;
    Element to = Element::bf16;
    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        const detail::Elements some(count, part);
        const float* const from = some.of<const float>(operands, 0);
        if (to == Element::bf16) return kernels.bf16.from_f32(some.count, from, some.of<bfloat>(operands, 1));
        kernels.f16.from_f32(some.count, from, some.of<half>(operands, 1));
    }
};

namespace detail {

/// From now on the layer sees f32 where its values are of 16 bits; its inputs are converted. False where the node was refused.
template <class Lazy = void>
bool enter_f32(LowerContext& node) {
    for (const auto* ids : {&node.group().inputs, &node.group().outputs}) {
        for (const ValueId id : *ids) {
            const Value& value = node.stated(id);
            if (!is_half(value.element)) continue;
            if (node.kernels().bf16.to_f32 == nullptr) {
                node.unsupported("value ", to_string(value), ": these kernels do not know its element; those of a Model<f32, ",
                                 element_name(value.element), "> do");
                return false;
            }
            node.stand_in(id);
        }
    }
    for (std::size_t i = 0; i < node.inputs(); ++i) {
        const ValueId id = node.group().inputs[i];
        const bool again = i > 0 && node.group().inputs[0] == id;
        if (node.input_buffer(i) == id || again) continue;
        const std::size_t count = node.input(i).shape.elements();
        node.emit(ToF32Step{count, node.stated(id).element}, {.reason = "computed in f32",
                                                              .inputs = {id},
                                                              .outputs = {node.input_buffer(i)},
                                                              .parts = node.parts(count, 1 << 12)});
    }
    return true;
}

/// Converts the outputs of what was lowered since.
template <class Lazy = void>
void leave_f32(LowerContext& node) {
    for (std::size_t i = 0; i < node.outputs(); ++i) {
        const ValueId id = node.group().outputs[i];
        if (node.output_buffer(i) == id) continue;
        const std::size_t count = node.output(i).shape.elements();
        node.emit(FromF32Step{count, node.stated(id).element}, {.reason = "computed in f32",
                                                                .inputs = {node.output_buffer(i)},
                                                                .outputs = {id},
                                                                .parts = node.parts(count, 1 << 12)});
    }
}

}  // namespace detail

MOTE_END_NAMESPACE
