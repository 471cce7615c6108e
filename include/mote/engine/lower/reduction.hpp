// SPDX-License-Identifier: MIT
#pragma once
// lower: pooling, resizing and softmax.

#include <mote/engine/lower/context.hpp>
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

namespace detail {

template <class Context>
void lower_average_pool(const ConvGeometry& geometry, bool count_padding, const char* reason, Context& node) {
    if (node.input().element == Element::f32) {
        node.emit(AveragePoolStep<f32>{geometry, count_padding}, {.reason = reason});
        return;
    }
    QuantizationParams params;
    if (!quantization_of(node, node.input(), params)) return;
    node.emit(AveragePoolStep<i8>{geometry, count_padding, params.zero_point}, {.reason = reason});
}

}  // namespace detail

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
    detail::lower_average_pool(g, layer.count_padding, "", node);
}

template <class Context>
void lower(const GlobalAveragePool& layer, Context& node) {
    const ConvGeometry g = geometry(layer, node.input().shape, node.output().shape);
    detail::lower_average_pool(g, false, "the window is the image", node);
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
