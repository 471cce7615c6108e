// SPDX-License-Identifier: MIT
#pragma once
// lower: reductions, pooling, resizing and softmax.

#include <mote/engine/lower/movement.hpp>
#include <mote/engine/lower/numbers.hpp>
#include <mote/kernels/pool.hpp>
#include <mote/kernels/reduce.hpp>
#include <mote/kernels/resize.hpp>
#include <mote/kernels/share.hpp>
#include <mote/model/infer/reduction.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// What a part of a pool computes: whole images, or rows of the only one.
struct PoolPart {
    PoolPart(const ConvGeometry& all, Part part) noexcept : geometry(all) {
        const IndexRange range = kernels::share(all.batch > 1 ? all.batch : all.out_height, part);
        const auto count = static_cast<std::int32_t>(range.end - range.begin);
        const std::ptrdiff_t row = std::ptrdiff_t{all.out_width} * all.out_channels;
        if (all.batch > 1) {
            geometry.batch = count;
            input = range.begin * all.in_height * all.in_width * all.in_channels;
            output = range.begin * all.out_height * row;
        } else {
            geometry.out_height = count;
            geometry.pad_top -= static_cast<std::int32_t>(range.begin) * all.stride_height;
            output = range.begin * row;
        }
    }
    ConvGeometry geometry;
    std::ptrdiff_t input = 0, output = 0;  ///< elements before the part's
};

}  // namespace detail

/// Operands: input, output.
template <class P>
struct MaxPoolStep;
template <>
struct MaxPoolStep<f32> {
    static constexpr const char* name = "max_pool_f32";
    ConvGeometry geometry{};
    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        const detail::PoolPart some(geometry, part);
        kernels.max_pool_f32(some.geometry, operand<const float>(operands, 0) + some.input,
                             operand<float>(operands, 1) + some.output);
    }
};
template <>
struct MaxPoolStep<i8> {
    static constexpr const char* name = "max_pool_i8";
    ConvGeometry geometry{};
    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        const detail::PoolPart some(geometry, part);
        kernels.max_pool_i8(some.geometry, operand<const std::int8_t>(operands, 0) + some.input,
                            operand<std::int8_t>(operands, 1) + some.output);
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
    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        const detail::PoolPart some(geometry, part);
        kernels.average_pool_f32(some.geometry, count_padding, operand<const float>(operands, 0) + some.input,
                                 operand<float>(operands, 1) + some.output);
    }
};
template <>
struct AveragePoolStep<i8> {
    static constexpr const char* name = "average_pool_i8";
    ConvGeometry geometry{};
    bool count_padding = false;
    std::int32_t zero_point = 0;
    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        const detail::PoolPart some(geometry, part);
        kernels.average_pool_i8(some.geometry, count_padding, zero_point, operand<const std::int8_t>(operands, 0) + some.input,
                                operand<std::int8_t>(operands, 1) + some.output);
    }
};

/// Operands: input, output, scratch where there is more than one row tap. See kernels/resize.hpp.
template <class P>
struct ResizeStep {
    using Element = typename P::value_type;
    using Weight = std::conditional_t<std::is_same_v<P, f32>, float, std::int32_t>;
    static constexpr const char* name = std::is_same_v<P, f32> ? "resize_f32" : "resize_i8";
    ConvGeometry geometry{};
    std::vector<std::int32_t> row_index{}, column_index{};
    std::vector<Weight> row_weight{}, column_weight{};
    Element outside{};
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        using kernels::ResizeTable;
        const ResizeTable<Weight> rows{row_index.data(), row_weight.data()};
        const ResizeTable<Weight> columns{column_index.data(), column_weight.data()};
        void* const scratch = geometry.kernel_height > 1 ? operands[2] : nullptr;
        const auto* input = operand<const Element>(operands, 0);
        auto* output = operand<Element>(operands, 1);
        if constexpr (std::is_same_v<P, f32>) {
            kernels::reference::resize_f32(geometry, rows, columns, outside, input, output, scratch);
        } else {
            kernels::reference::resize_i8(geometry, rows, columns, outside, input, output, scratch);
        }
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

/// Operands: input, output.
struct ArgMaxPoolStep {
    static constexpr const char* name = "arg_max_pool_f32";
    WindowGeometry geometry{};
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        kernels::reference::arg_max_pool_f32(geometry, operand<const float>(operands, 0), operand<std::int64_t>(operands, 1));
    }
};

namespace detail {

/// Into how many parts a pool is divided, by the taps of all channels.
template <class Context>
std::int32_t pool_parts(const ConvGeometry& g, const Context& node) {
    const std::uint64_t taps = std::uint64_t{node.output().shape.elements()} * static_cast<std::uint64_t>(g.kernel_height) *
                               static_cast<std::uint64_t>(g.kernel_width);
    const std::int32_t most = g.batch > 1 ? g.batch : g.out_height, parts = node.parts(taps, std::uint64_t{1} << 13);
    return parts < most ? parts : most;
}

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
    options.parts = pool_parts(geometry, node);
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
    if (detail::holds_numbers(node.input()))
        return node.emit(ReduceNumbersStep{rows, layer.function, node.input().element}, std::move(options));
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
    const Element element = node.input().element;
    if (element == Element::f32) return node.emit(ArgMaxStep{rows, layer.largest, layer.select_last}, std::move(options));
    node.emit(ArgMaxNumbersStep{rows, layer.largest, layer.select_last, element}, std::move(options));
}

template <class Context>
void lower(const TopK& layer, Context& node) {
    const Shape& in = node.input().shape;
    std::size_t outer = 1, channels = 1;
    for (std::size_t axis = 0; axis < in.rank(); ++axis) {
        if (axis != layer.axis) (axis < layer.axis ? outer : channels) *= in[axis];
    }
    node.emit(TopKStep{{narrow<std::int32_t>(outer), narrow<std::int32_t>(channels), narrow<std::int32_t>(in[layer.axis])},
                       narrow<std::int32_t>(layer.count),
                       layer.largest,
                       node.input().element});
}

template <class Context>
void lower(const MaxPool2d& layer, Context& node) {
    const ConvGeometry g = geometry(layer, node.input().shape, node.output().shape);
    if (node.input().element == Element::f32) {
        node.emit(MaxPoolStep<f32>{g}, {.parts = detail::pool_parts(g, node)});
    } else {
        node.emit(MaxPoolStep<i8>{g}, {.parts = detail::pool_parts(g, node)});
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
void lower(const ArgMaxPool& layer, Context& node) {
    node.emit(ArgMaxPoolStep{geometry(layer, node.input().shape, node.output().shape)});
}

namespace detail {

template <class Lazy = void>
std::vector<float> float_weights(const ResizeTaps& taps) {
    std::vector<float> result;
    for (const double weight : taps.weight) result.push_back(static_cast<float>(weight));
    return result;
}

}  // namespace detail

template <class Context>
void lower(const Resize2d& layer, Context& node) {
    const Shape& in = node.input().shape;
    ResizeTaps rows = resize_taps(layer, false, in[1]);
    ResizeTaps columns = resize_taps(layer, true, in[2]);
    const ConvGeometry g = geometry(layer, in, rows.count, columns.count);
    constexpr const char* names[] = {"nearest", "linear", "cubic"};
    const StepOptions options{.reason = names[static_cast<std::size_t>(layer.interpolation)],
                              .scratch_bytes = kernels::reference::resize_scratch_bytes(g),
                              .constant_bytes = 8 * (rows.index.size() + columns.index.size())};
    if (node.input().element == Element::f32) {
        std::vector<float> row_weight = detail::float_weights(rows), column_weight = detail::float_weights(columns);
        return node.emit(ResizeStep<f32>{g, std::move(rows.index), std::move(columns.index), std::move(row_weight),
                                         std::move(column_weight), layer.outside},
                         options);
    }
    QuantizationParams params;
    const bool crops = layer.alignment == Alignment::crop;  // else no number is written that was not read
    if (crops && !detail::quantization_of(node, node.input(), params)) return;
    const std::int8_t outside = crops ? quantize_real(static_cast<double>(layer.outside), params) : std::int8_t{0};
    std::vector<std::int32_t> row_weight = fixed_weights(rows), column_weight = fixed_weights(columns);
    node.emit(ResizeStep<i8>{g, std::move(rows.index), std::move(columns.index), std::move(row_weight),
                             std::move(column_weight), outside},
              options);
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
