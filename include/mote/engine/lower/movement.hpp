// SPDX-License-Identifier: MIT
#pragma once
// lower: the movement layers. All are copies with strides or by index; most reshapes are nothing at all.

#include <mote/engine/lower/context.hpp>
#include <mote/model/infer/movement.hpp>

#include <array>

MOTE_BEGIN_NAMESPACE

/// Copies with strides from each input into the output, after filling it where the copies leave gaps. Operands: inputs,
/// output.
struct MoveStep {
    static constexpr const char* name = "move";
    /// From element `input_offset` of input number `input`, and to element `output_offset` of the output.
    struct Part {
        std::size_t input = 0;
        MoveGeometry geometry{};
        std::size_t output_offset = 0;
        std::size_t input_offset = 0;
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
            kernels.move(part.geometry, element_bytes, operands[part.input] + part.input_offset * element_bytes,
                         output + part.output_offset * element_bytes);
        }
    }
};

/// Copies rows by index. Operands: input, output.
struct GatherStep {
    static constexpr const char* name = "gather";
    std::size_t element_bytes = 4;
    GatherGeometry geometry{};
    std::shared_ptr<const Tensor<i32>> indices{};

    void run(const KernelTable& kernels, std::byte* const* operands) const noexcept {
        kernels.gather(geometry, element_bytes, indices->data(), operands[0], operands[1]);
    }
};

/// Writes a value that is known. Operand: output.
struct ConstantStep {
    static constexpr const char* name = "constant";
    Element element = Element::f32;
    std::shared_ptr<const Tensor<u8>> bytes{};

    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        std::memcpy(operands[0], bytes->data(), bytes->bytes());
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

/// The movement that makes axis order[a] axis a.
template <class Lazy = void>
MoveGeometry transposition(const Shape& in, const std::size_t* order) {
    Shape out = in;
    for (std::size_t axis = 0; axis < out.rank(); ++axis) out[axis] = in[order[axis]];
    MoveGeometry g = move_geometry(out, out, out);
    for (std::size_t axis = 0; axis < out.rank(); ++axis) {
        g.input_stride[axis] = narrow<std::int32_t>(in.stride(order[axis]));
    }
    return g;
}

/// The step of one movement of a value's elements.
template <class Lazy = void>
MoveStep moving(const Value& value, MoveStep::Part part) {
    part.geometry = joined_axes(part.geometry);
    return {element_bytes(value.element, 1), {part}};
}
/// The step that copies a value as it is.
inline MoveStep copy_of(const Value& value) {
    return moving(value, {0, move_geometry(value.shape, value.shape, value.shape)});
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

/// Emits the movement, or nothing where the output is the whole input as it is.
template <class Context>
void emit_movement(Context& node, const MoveStep::Part& movement, const char* reason) {
    MoveStep step = moving(node.input(), movement);
    if (node.output().shape.elements() == 0) {
        step.parts.clear();
    } else {
        const MoveGeometry& g = step.parts[0].geometry;
        const bool same = node.output().shape.elements() == node.input().shape.elements() && g.rank == 1 &&
                          g.input_stride[0] == 1 && g.output_stride[0] == 1;
        if (same && node.share_storage()) return;
    }
    node.emit(std::move(step), {.reason = reason});
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
    detail::emit_movement(node, {0, detail::transposition(node.input().shape, layer.order.data())}, "transpose");
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
        const bool moved = node.group().written.empty() || node.group().written[i] == 0;
        if (moved && in.elements() != 0)
            step.parts.push_back({i, detail::joined_axes(detail::move_geometry(in, in, out)), offset});
        offset += in[axis] * out.stride(axis);
    }
    if (!step.parts.empty() || node.group().written.empty()) node.emit(std::move(step), {.reason = "concat"});
}

namespace detail {

/// The number as an element, whose bytes stand first.
template <class Lazy = void>
std::array<std::byte, 8> element_of_number(Element element, float number) {
    std::array<std::byte, 8> bytes{};
    const auto put = [&](auto value) { std::memcpy(bytes.data(), &value, sizeof value); };
    if (element == Element::f32) {
        put(number);
    } else if (element == Element::f64) {
        put(static_cast<double>(number));
    } else if (element == Element::f16) {
        put(to_half(number));
    } else if (element == Element::bf16) {
        put(to_bfloat(number));
    } else {                                             // the low bytes of an integer are the element (little endian)
        constexpr float limit = 9223372036854775808.0f;  // 2^63
        put(element == Element::b8 ? std::int64_t{number != 0.0f}
            : number >= limit      ? std::int64_t{0x7fffffffffffffff}
            : number < -limit      ? -std::int64_t{0x7fffffffffffffff} - 1
                                   : static_cast<std::int64_t>(number));
    }
    return bytes;
}

}  // namespace detail

template <class Context>
void lower(const Pad& layer, Context& node) {
    if (!detail::movable(node)) return;
    const Value& value = node.input();
    const Shape& out = node.output().shape;
    std::size_t offset = 0;
    for (std::size_t axis = 0; axis < out.rank(); ++axis) offset += layer.before[axis] * out.stride(axis);
    MoveStep step = detail::moving(value, {0, detail::move_geometry(value.shape, value.shape, out), offset});
    step.fill_count = out.elements() == value.shape.elements() ? 0 : out.elements();
    if (detail::holds_numbers(value)) {
        step.fill_value = detail::element_of_number(value.element, layer.value);
    } else {
        QuantizationParams params;
        if (!detail::quantization_of(node, value, params)) return;
        const detail::ByteRange range = detail::byte_range({.lo = layer.value}, params);
        const auto byte = narrow<std::int8_t>(range.lo);
        std::memcpy(step.fill_value.data(), &byte, sizeof byte);
    }
    node.emit(std::move(step), {.reason = "pad"});
}

namespace detail {

template <class Lazy = void>
MoveStep::Part movement_of(const Slice& layer, const Shape& in, const Shape& out) {
    MoveStep::Part result{0, move_geometry(out, in, out)};
    if (out.elements() == 0) return result;
    for (std::size_t axis = 0; axis < out.rank(); ++axis) {
        result.input_offset += layer.begin[axis] * in.stride(axis);
        if (out[axis] > 1) result.geometry.input_stride[axis] *= narrow<std::int32_t>(layer.stride[axis]);
    }
    return result;
}

/// False where the repeated axes and the input's are more than a movement has.
template <class Lazy = void>
bool movement_of(const Tile& layer, const Shape& in, const Shape& out, MoveStep::Part& result) {
    MoveGeometry& g = result.geometry;
    for (std::size_t axis = 0; axis < in.rank(); ++axis) {
        const auto append = [&](std::size_t extent, std::size_t input_stride, std::size_t output_stride) {
            if (extent == 1) return true;
            if (g.rank == narrow<std::int32_t>(Shape::max_rank)) return false;
            g.extent[g.rank] = narrow<std::int32_t>(extent);
            g.input_stride[g.rank] = narrow<std::int32_t>(input_stride);
            g.output_stride[g.rank++] = narrow<std::int32_t>(output_stride);
            return true;
        };
        if (!append(layer.repeats[axis], 0, in[axis] * out.stride(axis))) return false;
        if (!append(in[axis], in.stride(axis), out.stride(axis))) return false;
    }
    return true;
}

template <class Lazy = void>
GatherGeometry gather_geometry(const Gather& layer, const Shape& in) {
    const std::size_t axis = gather_axis(layer, in.rank());
    std::size_t outer = 1;
    for (std::size_t i = 0; i < axis; ++i) outer *= in[i];
    return {narrow<std::int32_t>(outer), narrow<std::int32_t>(in[axis]), narrow<std::int32_t>(layer.indices.elements()),
            narrow<std::int32_t>(in.stride(axis))};
}

/// False where the indices do not lie one stride apart.
template <class Lazy = void>
bool movement_of(const GatherGeometry& g, const Tensor<i32>& indices, MoveStep::Part& result) {
    const std::int32_t step = g.count < 2 ? 1 : indices[1] - indices[0];
    for (std::size_t k = 1; k < indices.elements(); ++k) {
        if (indices[k] - indices[k - 1] != step) return false;
    }
    result.geometry = {
        3, {g.outer, g.count, g.inner}, {g.extent * g.inner, step * g.inner, 1}, {g.count * g.inner, g.inner, 1}};
    result.input_offset = static_cast<std::size_t>(indices[0]) * static_cast<std::size_t>(g.inner);
    return true;
}

}  // namespace detail

template <class Context>
void lower(const Slice& layer, Context& node) {
    if (!detail::movable(node)) return;
    detail::emit_movement(node, detail::movement_of(layer, node.input().shape, node.output().shape), "slice");
}

template <class Context>
void lower(const Gather& layer, Context& node) {
    if (!detail::movable(node)) return;
    if (node.output().shape.elements() == 0) return detail::emit_movement(node, {}, "nothing is gathered");
    const GatherGeometry geometry = detail::gather_geometry(layer, node.input().shape);
    MoveStep::Part movement;
    if (detail::movement_of(geometry, layer.indices, movement)) {
        return detail::emit_movement(node, movement, "the indices are one stride apart");
    }
    node.emit(GatherStep{element_bytes(node.input().element, 1), geometry, node.share(layer.indices)}, {.reason = "gather"});
}

template <class Context>
void lower(const Tile& layer, Context& node) {
    if (!detail::movable(node)) return;
    MoveStep::Part movement;
    if (!detail::movement_of(layer, node.input().shape, node.output().shape, movement)) {
        return node.unsupported("input ", to_string(node.input()), ": its axes and those that are repeated are more than ",
                                Shape::max_rank, "; repeat them in several layers");
    }
    detail::emit_movement(node, movement, "tile");
}

template <class Context>
void lower(const Constant& layer, Context& node) {
    node.emit(ConstantStep{layer.element, node.share(layer.bytes)},
              {.reason = "constant", .constant_bytes = layer.bytes.bytes()});
}

MOTE_END_NAMESPACE
