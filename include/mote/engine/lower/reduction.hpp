// SPDX-License-Identifier: MIT
#pragma once
// lower: reductions, pooling, resizing and softmax.

#include <mote/engine/lower/movement.hpp>
#include <mote/kernels/reduce.hpp>
#include <mote/kernels/resize.hpp>
#include <mote/model/infer/reduction.hpp>

MOTE_BEGIN_NAMESPACE

/// Operands: input, output.
template <class P>
struct MaxPoolStep;
template <>
struct MaxPoolStep<f32> {
    static constexpr const char* name = "max_pool_f32";
    ConvGeometry geometry{};
    void run(const KernelTable& kernels, std::byte* const* operands) const noexcept {
        kernels.max_pool_f32(geometry, operand<const float>(operands, 0), operand<float>(operands, 1));
    }
};
template <>
struct MaxPoolStep<i8> {
    static constexpr const char* name = "max_pool_i8";
    ConvGeometry geometry{};
    void run(const KernelTable& kernels, std::byte* const* operands) const noexcept {
        kernels.max_pool_i8(geometry, operand<const std::int8_t>(operands, 0), operand<std::int8_t>(operands, 1));
    }
};

/// Operands: input, output.
template <class P>
struct AveragePoolStep;
template <>
struct AveragePoolStep<f32> {
    static constexpr const char* name = "average_pool_f32";
    ConvGeometry geometry{};
    bool count_padding = false;
    void run(const KernelTable& kernels, std::byte* const* operands) const noexcept {
        kernels.average_pool_f32(geometry, count_padding, operand<const float>(operands, 0), operand<float>(operands, 1));
    }
};
template <>
struct AveragePoolStep<i8> {
    static constexpr const char* name = "average_pool_i8";
    ConvGeometry geometry{};
    bool count_padding = false;
    std::int32_t zero_point = 0;
    void run(const KernelTable& kernels, std::byte* const* operands) const noexcept {
        kernels.average_pool_i8(geometry, count_padding, zero_point, operand<const std::int8_t>(operands, 0),
                                operand<std::int8_t>(operands, 1));
    }
};

/// Operands: input, output.
template <class P>
struct ResizeStep;
template <>
struct ResizeStep<f32> {
    static constexpr const char* name = "resize_f32";
    ConvGeometry geometry{};
    std::vector<std::int32_t> rows{}, columns{};  ///< see kernels/resize.hpp
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        kernels::reference::resize_f32(geometry, rows.data(), columns.data(), operand<const float>(operands, 0),
                                       operand<float>(operands, 1));
    }
};
template <>
struct ResizeStep<i8> {
    static constexpr const char* name = "resize_i8";
    ConvGeometry geometry{};
    std::vector<std::int32_t> rows{}, columns{};
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        kernels::reference::resize_i8(geometry, rows.data(), columns.data(), operand<const std::int8_t>(operands, 0),
                                      operand<std::int8_t>(operands, 1));
    }
};

/// Over the last axis. Operands: input, output.
template <class P>
struct SoftmaxStep;
template <>
struct SoftmaxStep<f32> {
    static constexpr const char* name = "softmax_f32";
    RowGeometry geometry{};
    void run(const KernelTable& kernels, std::byte* const* operands) const noexcept {
        kernels.softmax_f32(geometry, operand<const float>(operands, 0), operand<float>(operands, 1));
    }
};
template <>
struct SoftmaxStep<i8> {
    static constexpr const char* name = "softmax_i8";
    RowGeometry geometry{};
    std::shared_ptr<const Tensor<i32>> table{};  ///< [256]
    void run(const KernelTable& kernels, std::byte* const* operands) const noexcept {
        kernels.softmax_i8(geometry, table->data(), operand<const std::int8_t>(operands, 0), operand<std::int8_t>(operands, 1));
    }
};

/// Over the middle of [outer, spatial, channels]. Operands: input, output.
struct ReduceStep {
    static constexpr const char* name = "reduce_f32";
    RowGeometry geometry{};
    Reduction function = Reduction::sum;
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        kernels::reference::reduce_f32(geometry, function, operand<const float>(operands, 0), operand<float>(operands, 1));
    }
};

/// Operands: input, output.
struct ArgMaxStep {
    static constexpr const char* name = "arg_max_f32";
    RowGeometry geometry{};
    bool largest = true;
    bool select_last = false;
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        kernels::reference::arg_max_f32(geometry, largest, select_last, operand<const float>(operands, 0),
                                        operand<std::int64_t>(operands, 1));
    }
};

namespace detail {

/// The axes as [outer, spatial, channels] with the chosen ones in the middle. Where others stand between them, a step before
/// moves them to the end, and `input` becomes what that writes.
template <class Context>
RowGeometry reduced_rows(AxisSet chosen, Context& node, std::vector<BufferId>& input) {
    const Shape& in = node.input().shape;
    std::size_t extent[3] = {1, 1, 1};  // before, chosen, behind
    std::size_t part = 0;
    bool together = true;
    for (std::size_t axis = 0; axis < in.rank(); ++axis) {
        if (in[axis] == 1) continue;
        if (has_axis(chosen, axis)) {
            together = together && part < 2;
            part = part < 1 ? 1 : part;
        } else if (part == 1) {
            part = 2;
        }
        extent[has_axis(chosen, axis) ? 1 : part] *= in[axis];
    }
    RowGeometry g{narrow<std::int32_t>(extent[0]), narrow<std::int32_t>(extent[2]), narrow<std::int32_t>(extent[1])};
    if (together) return g;
    std::size_t order[Shape::max_rank] = {};
    std::size_t at = 0;
    for (const bool last : {false, true}) {
        for (std::size_t axis = 0; axis < in.rank(); ++axis) {
            if (has_axis(chosen, axis) == last) order[at++] = axis;
        }
    }
    input = {node.temporary(node.input().bytes())};
    node.emit(moving(node.input(), {0, transposition(in, order)}),
              {.reason = "the axes that become one number last", .outputs = input});
    g.outer *= g.channels;
    g.channels = 1;
    return g;
}

template <class Context>
void lower_average_pool(const ConvGeometry& geometry, bool count_padding, StepOptions options, Context& node) {
    if (node.input().element == Element::f32) {
        node.emit(AveragePoolStep<f32>{geometry, count_padding}, std::move(options));
        return;
    }
    QuantizationParams params;
    if (!quantization_of(node, node.input(), params)) return;
    node.emit(AveragePoolStep<i8>{geometry, count_padding, params.zero_point}, std::move(options));
}

}  // namespace detail

template <class Context>
void lower(const Reduce& layer, Context& node) {
    StepOptions options;
    const RowGeometry rows = detail::reduced_rows(detail::axis_set(layer.axes), node, options.inputs);
    if (node.input().element == Element::f32) return node.emit(ReduceStep{rows, layer.function}, std::move(options));
    ConvGeometry g;  // a window over all of a column
    g.batch = rows.outer;
    g.in_height = g.kernel_height = rows.spatial;
    g.in_channels = g.out_channels = g.groups = rows.channels;
    options.reason = "the window is the axes";
    if (layer.function == Reduction::max) return node.emit(MaxPoolStep<i8>{g}, std::move(options));
    detail::lower_average_pool(g, false, std::move(options), node);
}

template <class Context>
void lower(const ArgMax& layer, Context& node) {
    StepOptions options;
    const RowGeometry rows = detail::reduced_rows(detail::AxisSet{1} << layer.axis, node, options.inputs);
    node.emit(ArgMaxStep{rows, layer.largest, layer.select_last}, std::move(options));
}

template <class Context>
void lower(const MaxPool2d& layer, Context& node) {
    const ConvGeometry g = geometry(layer, node.input().shape, node.output().shape);
    if (node.input().element == Element::f32) {
        node.emit(MaxPoolStep<f32>{g});
    } else {
        node.emit(MaxPoolStep<i8>{g});
    }
}

template <class Context>
void lower(const AveragePool2d& layer, Context& node) {
    const ConvGeometry g = geometry(layer, node.input().shape, node.output().shape);
    detail::lower_average_pool(g, layer.count_padding, {}, node);
}

template <class Context>
void lower(const GlobalAveragePool& layer, Context& node) {
    const ConvGeometry g = geometry(layer, node.input().shape, node.output().shape);
    detail::lower_average_pool(g, false, {.reason = "the window is the image"}, node);
}

template <class Context>
void lower(const Resize2d& layer, Context& node) {
    const Shape& in = node.input().shape;
    ConvGeometry g;
    g.batch = narrow<std::int32_t>(in[0]);
    g.in_height = narrow<std::int32_t>(in[1]);
    g.in_width = narrow<std::int32_t>(in[2]);
    g.in_channels = g.out_channels = narrow<std::int32_t>(in[3]);
    g.out_height = narrow<std::int32_t>(layer.size.height);
    g.out_width = narrow<std::int32_t>(layer.size.width);
    std::vector<std::int32_t> rows = resize_places(in[1], layer.size.height, layer.bilinear, layer.alignment);
    std::vector<std::int32_t> columns = resize_places(in[2], layer.size.width, layer.bilinear, layer.alignment);
    const StepOptions options{.reason = layer.bilinear ? "bilinear" : "nearest",
                              .constant_bytes = 4 * (rows.size() + columns.size())};
    if (node.input().element == Element::f32) {
        node.emit(ResizeStep<f32>{g, std::move(rows), std::move(columns)}, options);
    } else {
        node.emit(ResizeStep<i8>{g, std::move(rows), std::move(columns)}, options);
    }
}

template <class Context>
void lower(const Softmax& layer, Context& node) {
    const Shape& shape = node.input().shape;
    RowGeometry g;
    g.channels = narrow<std::int32_t>(shape.back());
    g.outer = narrow<std::int32_t>(shape.elements() / shape.back());
    if (node.input().element == Element::f32) {
        node.emit(SoftmaxStep<f32>{g});
    } else {
        node.emit(SoftmaxStep<i8>{g, node.share(layer.table)}, {.reason = "exponentials by table"});
    }
}

MOTE_END_NAMESPACE
