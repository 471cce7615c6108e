// SPDX-License-Identifier: MIT
#pragma once
// lower: Concat, Pad, Reshape, Flatten, Transpose. All are copies with strides; most reshapes are nothing at all.

#include <mote/engine/lower/context.hpp>
#include <mote/model/infer/movement.hpp>

#include <array>

MOTE_BEGIN_NAMESPACE

/// Copies with strides from each input into the output, after filling it where the copies leave gaps. Operands: inputs,
/// output.
struct MoveStep {
    static constexpr const char* name = "move";
    /// From input number `input`, and to element `output_offset` of the output.
    struct Part {
        std::size_t input = 0;
        MoveGeometry geometry{};
        std::size_t output_offset = 0;
    };
    std::size_t element_bytes = 4;
    std::vector<Part> parts{};
    std::size_t output_operand = 1;
    std::size_t fill_count = 0;  ///< elements of the output to fill first
    std::array<std::byte, 8> fill_value{};

    void run(const KernelTable& kernels, std::byte* const* operands) const noexcept {
        std::byte* output = operands[output_operand];
        if (fill_count > 0) kernels.fill(fill_count, element_bytes, fill_value.data(), output);
        for (const Part& part : parts) {
            kernels.move(part.geometry, element_bytes, operands[part.input], output + part.output_offset * element_bytes);
        }
    }
};

namespace detail {

/// The same movement with axes of extent 1 left out, and neighbours joined that run on in both arrays.
inline MoveGeometry joined_axes(const MoveGeometry& g) {
    MoveGeometry result;
    for (std::int32_t axis = 0; axis < g.rank; ++axis) {
        if (g.extent[axis] == 1) continue;
        const std::int32_t last = result.rank - 1;
        if (last >= 0 && result.input_stride[last] == g.extent[axis] * g.input_stride[axis] &&
            result.output_stride[last] == g.extent[axis] * g.output_stride[axis]) {
            result.extent[last] *= g.extent[axis];
        } else {
            ++result.rank;
            result.extent[last + 1] = g.extent[axis];
        }
        result.input_stride[result.rank - 1] = g.input_stride[axis];
        result.output_stride[result.rank - 1] = g.output_stride[axis];
    }
    if (result.rank == 0) {
        result.rank = 1;
        result.extent[0] = result.input_stride[0] = result.output_stride[0] = 1;
    }
    return result;
}

inline MoveGeometry move_geometry(const Shape& extent, const Shape& input, const Shape& output) {
    MoveGeometry g;
    g.rank = narrow<std::int32_t>(extent.rank());
    for (std::size_t axis = 0; axis < extent.rank(); ++axis) {
        g.extent[axis] = narrow<std::int32_t>(extent[axis]);
        g.input_stride[axis] = narrow<std::int32_t>(input.stride(axis));
        g.output_stride[axis] = narrow<std::int32_t>(output.stride(axis));
    }
    return g;
}

/// The step that copies a value as it is.
inline MoveStep copy_of(const Value& value) {
    MoveStep step;
    step.element_bytes = element_bytes(value.element, 1);
    step.parts.push_back({0, joined_axes(move_geometry(value.shape, value.shape, value.shape)), 0});
    return step;
}

/// The step that makes axis order[a] of a value axis a.
template <class Lazy = void>
MoveStep transposing(const Value& value, const std::size_t* order) {
    Shape out = value.shape;
    for (std::size_t axis = 0; axis < out.rank(); ++axis) out[axis] = value.shape[order[axis]];
    MoveGeometry g = move_geometry(out, out, out);
    for (std::size_t axis = 0; axis < out.rank(); ++axis) {
        g.input_stride[axis] = narrow<std::int32_t>(value.shape.stride(order[axis]));
    }
    MoveStep step;
    step.element_bytes = element_bytes(value.element, 1);
    step.parts.push_back({0, joined_axes(g), 0});
    return step;
}

/// False, and the node is refused, where elements are smaller than a byte.
template <class Context>
bool movable(Context& node) {
    if (element_bits(node.input().element) >= 8) return true;
    node.unsupported("input ", to_string(node.input()), ": packed elements are not moved; convert them first");
    return false;
}

template <class Context>
void lower_reshape(Context& node) {
    if (node.share_storage()) return;
    if (movable(node)) node.emit(copy_of(node.input()), {.reason = "both sides are seen from outside"});
}

}  // namespace detail

template <class Context>
void lower(const Reshape&, Context& node) {
    detail::lower_reshape(node);
}
template <class Context>
void lower(const Flatten&, Context& node) {
    detail::lower_reshape(node);
}

template <class Context>
void lower(const Transpose& layer, Context& node) {
    if (!detail::movable(node)) return;
    MoveStep step = detail::transposing(node.input(), layer.order.data());
    const MoveGeometry& g = step.parts[0].geometry;
    if (g.rank == 1 && g.input_stride[0] == 1 && node.share_storage()) return;  // nothing moves
    node.emit(std::move(step), {.reason = "transpose"});
}

template <class Context>
void lower(const Concat& layer, Context& node) {
    if (!detail::movable(node)) return;
    const Shape& out = node.output().shape;
    const std::size_t axis = concat_axis(layer, out.rank());
    MoveStep step;
    step.element_bytes = element_bytes(node.input().element, 1);
    step.output_operand = node.inputs();
    std::size_t offset = 0;
    for (std::size_t i = 0; i < node.inputs(); ++i) {
        const Shape& in = node.input(i).shape;
        if (in.elements() == 0) continue;
        step.parts.push_back({i, detail::joined_axes(detail::move_geometry(in, in, out)), offset});
        offset += in[axis] * out.stride(axis);
    }
    node.emit(std::move(step), {.reason = "concat"});
}

template <class Context>
void lower(const Pad& layer, Context& node) {
    if (!detail::movable(node)) return;
    const Value& value = node.input();
    const Shape& out = node.output().shape;
    MoveStep step;
    step.element_bytes = element_bytes(value.element, 1);
    step.fill_count = out.elements() == value.shape.elements() ? 0 : out.elements();
    std::size_t offset = 0;
    for (std::size_t axis = 0; axis < out.rank(); ++axis) offset += layer.before[axis] * out.stride(axis);
    step.parts.push_back({0, detail::joined_axes(detail::move_geometry(value.shape, value.shape, out)), offset});
    if (value.element == Element::f32) {
        std::memcpy(step.fill_value.data(), &layer.value, sizeof layer.value);
    } else if (value.element == Element::i8) {
        QuantizationParams params;
        if (!detail::quantization_of(node, value, params)) return;
        const detail::ByteRange range = detail::byte_range({.lo = layer.value}, params);
        const auto byte = narrow<std::int8_t>(range.lo);
        std::memcpy(step.fill_value.data(), &byte, sizeof byte);
    } else if (layer.value != 0.0f) {
        return node.unsupported("input ", to_string(value), " is padded by ", layer.value,
                                "; elements other than f32 and i8 are padded by 0 only");
    }
    node.emit(std::move(step), {.reason = "pad"});
}

MOTE_END_NAMESPACE
