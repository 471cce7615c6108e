// SPDX-License-Identifier: MIT
#pragma once
// lower: activations, functions, BatchNorm, Add, Mul, Convert.

#include <mote/engine/lower/movement.hpp>
#include <mote/engine/lower/numbers.hpp>
#include <mote/kernels/elementwise.hpp>
#include <mote/kernels/functions.hpp>
#include <mote/kernels/multipliers.hpp>
#include <mote/kernels/share.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// The elements that a part of a step computes, of arrays that are computed element by element.
struct Elements {
    Elements(std::size_t all, Part part) noexcept {
        const IndexRange range = kernels::share(static_cast<std::ptrdiff_t>(all), part, 64);
        first = range.begin;
        count = static_cast<std::size_t>(range.end - range.begin);
    }
    template <class T>
    T* of(std::byte* const* operands, std::size_t index) const noexcept {
        return operand<T>(operands, index) + first;
    }
    std::ptrdiff_t first;
    std::size_t count;
};

/// The rows of a product that a part computes: of one image, or whole images.
struct MulRows {
    MulRows(const RowGeometry& all, Part part) noexcept : geometry(all) {
        const bool one = all.outer == all.spatial;
        const IndexRange rows = kernels::share(all.outer, part, one ? 1 : all.spatial);
        geometry.outer = static_cast<std::int32_t>(rows.end - rows.begin);
        if (one) geometry.spatial = geometry.outer > 0 ? geometry.outer : 1;
        a = rows.begin * all.channels;
        b = one ? 0 : rows.begin / all.spatial * all.channels;
    }
    RowGeometry geometry;
    std::ptrdiff_t a, b;  ///< elements of each operand before the part's; the output's are a's
};

/// Into how many parts a step is divided that does little more than to read its inputs and write its output.
template <class Context>
std::int32_t parts_by_bytes(const Context& node) {
    std::size_t bytes = node.output().bytes();
    for (std::size_t i = 0; i < node.inputs(); ++i) bytes += node.input(i).bytes();
    return node.parts(bytes, std::uint64_t{1} << 13);
}

}  // namespace detail

/// An f32 activation. Operands: input, output.
struct UnaryStep {
    static constexpr const char* name = "unary_f32";
    std::size_t count = 0;
    UnaryF32 unary{};
    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        const detail::Elements some(count, part);
        kernels.unary_f32(some.count, unary, some.of<const float>(operands, 0), some.of<float>(operands, 1));
    }
};

/// Relu and Relu6 on bytes. Operands: input, output.
struct ClampStep {
    static constexpr const char* name = "clamp_i8";
    std::size_t count = 0;
    std::int8_t lo = -128, hi = 127;
    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        const detail::Elements some(count, part);
        kernels.clamp_i8(some.count, lo, hi, some.of<const std::int8_t>(operands, 0), some.of<std::int8_t>(operands, 1));
    }
};

/// Any function of one byte. Operands: input, output.
struct LookupStep {
    static constexpr const char* name = "lookup_i8";
    std::size_t count = 0;
    std::shared_ptr<const Tensor<i8>> table{};  ///< [256], the entry for q at q + 128
    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        const detail::Elements some(count, part);
        kernels.lookup_i8(some.count, table->data(), some.of<const std::int8_t>(operands, 0),
                          some.of<std::int8_t>(operands, 1));
    }
};

/// y = scale[channel] * x + shift[channel]. Operands: input, output.
struct AffineStep {
    static constexpr const char* name = "affine_f32";
    RowGeometry geometry{};
    Tensor<f32> scale{};
    Tensor<f32> shift{};
    void run(const KernelTable& kernels, std::byte* const* operands) const noexcept {
        kernels.affine_f32(geometry, scale.data(), shift.data(), operand<const float>(operands, 0),
                           operand<float>(operands, 1));
    }
};

/// Operands: both inputs, output.
template <class P>
struct AddStep;
template <>
struct AddStep<f32> {
    static constexpr const char* name = "add_f32";
    std::size_t count = 0;
    Clamp clamp{};
    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        const detail::Elements some(count, part);
        kernels.add_f32(some.count, some.of<const float>(operands, 0), some.of<const float>(operands, 1), clamp.lo, clamp.hi,
                        some.of<float>(operands, 2));
    }
};
template <>
struct AddStep<i8> {
    static constexpr const char* name = "add_i8";
    std::size_t count = 0;
    AddI8 add{};
    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        const detail::Elements some(count, part);
        kernels.add_i8(some.count, add, some.of<const std::int8_t>(operands, 0), some.of<const std::int8_t>(operands, 1),
                       some.of<std::int8_t>(operands, 2));
    }
};

/// Operands: both inputs, output.
template <class P>
struct MulStep;
template <>
struct MulStep<f32> {
    static constexpr const char* name = "mul_f32";
    RowGeometry geometry{};
    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        const detail::MulRows some(geometry, part);
        kernels.mul_f32(some.geometry, operand<const float>(operands, 0) + some.a, operand<const float>(operands, 1) + some.b,
                        operand<float>(operands, 2) + some.a);
    }
};
template <>
struct MulStep<i8> {
    static constexpr const char* name = "mul_i8";
    RowGeometry geometry{};
    MulI8 mul{};
    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        const detail::MulRows some(geometry, part);
        kernels.mul_i8(some.geometry, mul, operand<const std::int8_t>(operands, 0) + some.a,
                       operand<const std::int8_t>(operands, 1) + some.b, operand<std::int8_t>(operands, 2) + some.a);
    }
};

/// f32 -> i8. Operands: input, output.
struct QuantizeStep {
    static constexpr const char* name = "quantize_i8";
    std::size_t count = 0;
    float inverse_scale = 1.0f;
    std::int32_t zero_point = 0;
    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        const detail::Elements some(count, part);
        kernels.quantize_i8(some.count, inverse_scale, zero_point, some.of<const float>(operands, 0),
                            some.of<std::int8_t>(operands, 1));
    }
};

/// i8 -> f32. Operands: input, output.
struct DequantizeStep {
    static constexpr const char* name = "dequantize_i8";
    std::size_t count = 0;
    float scale = 1.0f;
    std::int32_t zero_point = 0;
    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        const detail::Elements some(count, part);
        kernels.dequantize_i8(some.count, scale, zero_point, some.of<const std::int8_t>(operands, 0),
                              some.of<float>(operands, 1));
    }
};

/// i8 -> i8 under another quantization. Operands: input, output.
struct RequantizeStep {
    static constexpr const char* name = "requantize_i8";
    std::size_t count = 0;
    float multiplier = 1.0f;
    std::int32_t input_zero_point = 0;
    std::int32_t zero_point = 0;
    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        const detail::Elements some(count, part);
        kernels.requantize_i8(some.count, multiplier, input_zero_point, zero_point, some.of<const std::int8_t>(operands, 0),
                              some.of<std::int8_t>(operands, 1));
    }
};

namespace detail {

template <class Context>
void lower_clamp(Clamp clamp, Context& node) {
    const std::size_t count = node.input().shape.elements();
    if (node.input().element == Element::f32) {
        node.emit(UnaryStep{count, {.lo = clamp.lo, .hi = clamp.hi}},
                  {.reason = "clamp", .parts = parts_by_bytes(node), .in_place = {0}});
        return;
    }
    QuantizationParams params;
    if (!quantization_of(node, node.input(), params)) return;
    const ByteRange range = byte_range(clamp, params);
    node.emit(ClampStep{count, narrow<std::int8_t>(range.lo), narrow<std::int8_t>(range.hi)},
              {.parts = parts_by_bytes(node), .in_place = {0}});
}

template <class Context>
void lower_function(const Tensor<i8>& table, UnaryF32 unary, const char* reason, Context& node) {
    const std::size_t count = node.input().shape.elements();
    if (node.input().element == Element::f32) {
        node.emit(UnaryStep{count, unary}, {.reason = reason, .parts = parts_by_bytes(node), .in_place = {0}});
    } else {
        node.emit(LookupStep{count, node.share(table)}, {.reason = reason, .parts = parts_by_bytes(node), .in_place = {0}});
    }
}

}  // namespace detail

template <class Context>
void lower(const Relu&, Context& node) {
    detail::lower_clamp({.lo = 0.0f}, node);
}
template <class Context>
void lower(const Relu6&, Context& node) {
    detail::lower_clamp({.lo = 0.0f, .hi = 6.0f}, node);
}
template <class Context>
void lower(const LeakyRelu& layer, Context& node) {
    detail::lower_function(layer.table, {.function = UnaryKernel::leaky_relu, .slope = layer.slope}, "leaky relu", node);
}
template <class Context>
void lower(const Sigmoid& layer, Context& node) {
    detail::lower_function(layer.table, {.function = UnaryKernel::sigmoid}, "sigmoid", node);
}
template <class Context>
void lower(const Tanh& layer, Context& node) {
    detail::lower_function(layer.table, {.function = UnaryKernel::tanh}, "tanh", node);
}
template <class Context>
void lower(const HardSigmoid& layer, Context& node) {
    detail::lower_function(layer.table, {.function = UnaryKernel::hard_sigmoid}, "hard sigmoid", node);
}
template <class Context>
void lower(const HardSwish& layer, Context& node) {
    detail::lower_function(layer.table, {.function = UnaryKernel::hard_swish}, "hard swish", node);
}

/// Operands: input, output.
struct FunctionStep {
    static constexpr const char* name = "function_f32";
    std::size_t count = 0;
    UnaryFunction function = UnaryFunction::abs;
    float alpha = 0.0f, beta = 0.0f;
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        kernels::reference::unary_function_f32(function, count, alpha, beta, operand<const float>(operands, 0),
                                               operand<float>(operands, 1));
    }
};

template <class Context>
void lower(const Unary& layer, Context& node) {
    const std::size_t count = node.input().shape.elements();
    if (node.input().element == Element::f32) {
        node.emit(FunctionStep{count, layer.function, layer.alpha, layer.beta}, {.in_place = {0}});
    } else {
        node.emit(LookupStep{count, node.share(layer.table)}, {.in_place = {0}});
    }
}

/// Operands: both inputs, output.
struct BinaryStep {
    static constexpr const char* name = "binary_f32";
    BinaryFunction function = BinaryFunction::add;
    BroadcastGeometry geometry{};
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        kernels::reference::binary_function_f32(function, geometry, operand<const float>(operands, 0),
                                                operand<const float>(operands, 1), operand<float>(operands, 2));
    }
};

namespace detail {

/// The axes joined where both arrays run on, or both repeat.
template <class Lazy = void>
BroadcastGeometry broadcast_geometry(const Shape& a, const Shape& b, const Shape& to) {
    MoveGeometry g;
    g.rank = narrow<std::int32_t>(to.rank());
    for (std::size_t axis = 0; axis < to.rank(); ++axis) g.extent[axis] = narrow<std::int32_t>(to[axis]);
    repeating_strides(a, to, g.input_stride);
    repeating_strides(b, to, g.output_stride);
    g = joined_axes(g);
    BroadcastGeometry result;
    result.rank = g.rank;
    for (std::int32_t axis = 0; axis < g.rank; ++axis) {
        result.extent[axis] = g.extent[axis];
        result.a_stride[axis] = g.input_stride[axis];
        result.b_stride[axis] = g.output_stride[axis];
    }
    return result;
}

}  // namespace detail

template <class Context>
void lower(const Binary& layer, Context& node) {
    const Shape& to = node.output().shape;
    const bool a = node.input(0).shape.elements() == to.elements(), b = node.input(1).shape.elements() == to.elements();
    const Places in_place = a && b ? Places{0, 1} : a ? Places{0} : b ? Places{1} : Places{};
    const BroadcastGeometry g = detail::broadcast_geometry(node.input(0).shape, node.input(1).shape, to);
    const Element element = node.output().element;
    if (element == Element::f32) return node.emit(BinaryStep{layer.function, g}, {.in_place = in_place});
    node.emit(BinaryNumbersStep{layer.function, element, g}, {.in_place = in_place});
}

template <class Context>
void lower(const Compare& layer, Context& node) {
    node.emit(CompareStep{layer.comparison, node.input().element,
                          detail::broadcast_geometry(node.input(0).shape, node.input(1).shape, node.output().shape)});
}

template <class Context>
void lower(const Bitwise& layer, Context& node) {
    node.emit(BitwiseStep{layer.operation, node.input().element,
                          detail::broadcast_geometry(node.input(0).shape, node.input(1).shape, node.output().shape)});
}

template <class Context>
void lower(const Where&, Context& node) {
    const Shape& to = node.output().shape;
    SelectStep step{element_bytes(node.output().element, 1)};
    step.geometry.rank = narrow<std::int32_t>(to.rank());
    for (std::size_t axis = 0; axis < to.rank(); ++axis) step.geometry.extent[axis] = narrow<std::int32_t>(to[axis]);
    detail::repeating_strides(node.input(0).shape, to, step.geometry.condition_stride);
    detail::repeating_strides(node.input(1).shape, to, step.geometry.a_stride);
    detail::repeating_strides(node.input(2).shape, to, step.geometry.b_stride);
    node.emit(step);
}

template <class Context>
void lower(const Cast& layer, Context& node) {
    const Value& in = node.input();
    if (in.element == layer.element) {
        if (!node.share_storage()) node.emit(detail::copy_of(in), {.reason = "the same numbers"});
        return;
    }
    node.emit(CastStep{in.element, layer.element, in.shape.elements()});
}

/// Operands: input, output.
struct PreluStep {
    static constexpr const char* name = "prelu_f32";
    RowGeometry geometry{};
    std::shared_ptr<const Tensor<f32>> slope{};  ///< [channels]
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        kernels::reference::prelu_f32(geometry, slope->data(), operand<const float>(operands, 0), operand<float>(operands, 1));
    }
};

template <class Context>
void lower(const Prelu& layer, Context& node) {
    const Shape& shape = node.input().shape;
    PreluStep step;
    step.geometry.channels = narrow<std::int32_t>(shape.back());
    step.geometry.outer = narrow<std::int32_t>(shape.elements() / shape.back());
    step.slope = node.share(layer.slope);
    node.emit(std::move(step), {.in_place = {0}});
}

template <class Context>
void lower(const BatchNorm& layer, Context& node) {
    const Shape& shape = node.input().shape;
    AffineStep step;
    step.geometry.channels = narrow<std::int32_t>(shape.back());
    step.geometry.outer = narrow<std::int32_t>(shape.elements() / shape.back());
    step.scale = Tensor<f32>(layer.scale.shape());
    step.shift = Tensor<f32>(layer.scale.shape());
    for (std::size_t c = 0; c < layer.scale.elements(); ++c) {
        const Affine affine = affine_of(layer, c);
        step.scale[c] = static_cast<float>(affine.scale);
        step.shift[c] = static_cast<float>(affine.shift);
    }
    const std::size_t bytes = 2 * layer.scale.bytes();
    node.emit(std::move(step), {.reason = "no layer before it to fold into", .constant_bytes = bytes, .in_place = {0}});
}

template <class Context>
void lower(const Add&, Context& node) {
    const std::size_t count = node.output().shape.elements();
    if (node.output().element == Element::f32) {
        node.emit(AddStep<f32>{count, node.group().clamp}, {.parts = detail::parts_by_bytes(node), .in_place = {0, 1}});
        return;
    }
    QuantizationParams a;
    QuantizationParams b;
    QuantizationParams out;
    if (!detail::quantization_of(node, node.input(0), a) || !detail::quantization_of(node, node.input(1), b) ||
        !detail::quantization_of(node, node.output(), out)) {
        return;
    }
    AddStep<i8> step{count};
    const detail::ByteRange range = detail::byte_range(node.group().clamp, out);
    if (!make_add_i8(a, b, out, range.lo, range.hi, step.add)) {
        return node.unsupported(
            concat("the scales ", a.scale, " and ", b.scale, " -> ", out.scale, " are too far apart for 32-bit fixed point"));
    }
    node.emit(step, {.parts = detail::parts_by_bytes(node), .in_place = {0, 1}});
}

template <class Context>
void lower(const Mul&, Context& node) {
    const Shape& shape = node.input(0).shape;
    const bool same = node.input(1).shape.elements() == shape.elements();
    RowGeometry geometry;
    geometry.channels = narrow<std::int32_t>(shape.back());
    geometry.outer = narrow<std::int32_t>(shape.elements() / shape.back());
    geometry.spatial = same ? 1 : narrow<std::int32_t>(shape.elements() / node.input(1).shape.elements());
    StepOptions options;
    options.reason = same ? "elementwise" : "the second operand is repeated over the positions";
    options.in_place = same ? Places{0, 1} : Places{0};
    options.parts = detail::parts_by_bytes(node);
    if (node.output().element == Element::f32) {
        node.emit(MulStep<f32>{geometry}, std::move(options));
        return;
    }
    QuantizationParams a;
    QuantizationParams b;
    QuantizationParams out;
    if (!detail::quantization_of(node, node.input(0), a) || !detail::quantization_of(node, node.input(1), b) ||
        !detail::quantization_of(node, node.output(), out)) {
        return;
    }
    MulStep<i8> step{geometry};
    if (!make_mul_i8(a, b, out, -128, 127, step.mul)) {
        return node.unsupported(
            concat("the scales ", a.scale, " * ", b.scale, " -> ", out.scale, " are too far apart for 32-bit fixed point"));
    }
    node.emit(step, std::move(options));
}

template <class Context>
void lower(const Convert&, Context& node) {
    const Value& in = node.input();
    const Value& out = node.output();
    const std::size_t count = in.shape.elements();
    QuantizationParams from;
    QuantizationParams to;
    if (in.element == Element::i8 && !detail::quantization_of(node, in, from)) return;
    if (out.element == Element::i8 && !detail::quantization_of(node, out, to)) return;
    if (in.element == out.element && (in.element == Element::f32 || from == to)) {
        if (!node.share_storage()) node.emit(detail::copy_of(in), {.reason = "the same numbers"});
    } else if (in.element == Element::f32) {
        const float inverse = static_cast<float>(1.0 / static_cast<double>(to.scale));
        if (!usable_scale(inverse)) return node.unsupported("the scale ", to.scale, " has no normal inverse");
        node.emit(QuantizeStep{count, inverse, to.zero_point}, {.parts = detail::parts_by_bytes(node)});
    } else if (out.element == Element::f32) {
        node.emit(DequantizeStep{count, from.scale, from.zero_point}, {.parts = detail::parts_by_bytes(node)});
    } else {
        const float multiplier = detail::requantization_multiplier(from.scale, 1.0f, to.scale);
        if (!usable_scale(multiplier)) {
            return node.unsupported(
                concat("the scales ", from.scale, " -> ", to.scale, " give the unusable multiplier ", multiplier));
        }
        node.emit(RequantizeStep{count, multiplier, from.zero_point, to.zero_point},
                  {.parts = detail::parts_by_bytes(node), .in_place = {0}});
    }
}

MOTE_END_NAMESPACE
