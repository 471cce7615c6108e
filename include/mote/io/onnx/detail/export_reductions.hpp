// SPDX-License-Identifier: MIT
#pragma once
// to_onnx of reductions and of products of computed matrices.

#include <mote/io/onnx/detail/export_layers.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_export {

/// What a reduction makes of each element alone. (Operators without axes reduce all of them.)
inline std::string reduced_alone(Reduction function, const std::string& x, OnnxExportContext& node) {
    switch (function) {
        case Reduction::l1:
        case Reduction::l2:
            return node.emit("Abs", {x});
        case Reduction::log_sum:
            return node.emit("Log", {x});
        case Reduction::sum_square:
            return node.emit("Mul", {x, x});
        default:
            return node.emit("Identity", {x});
    }
}

/// The order in which the axes lie that are not in `axes`, counted without those.
inline Dims order_without(const Dims& order, std::span<const std::size_t> axes) {
    Dims result;
    for (const std::size_t axis : order) {
        if (std::ranges::count(axes, axis) != 0) continue;
        const auto before = std::ranges::count_if(axes, [&](std::size_t other) { return other < axis; });
        result.push_back(axis - static_cast<std::size_t>(before));
    }
    return result;
}

}  // namespace detail::onnx_export

inline void to_onnx(const Reduce& layer, OnnxExportContext& node) {
    namespace to = detail::onnx_export;
    constexpr const char* names[] = {"ReduceSum", "ReduceMean", "ReduceMax",    "ReduceMin",       "ReduceProd",
                                     "ReduceL1",  "ReduceL2",   "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"};
    static_assert(std::size(names) == reduction_count);
    const to::Dims order = node.common_order();
    const std::string x = node.real(node.arranged(0, order)).tensor;
    if (layer.axes.empty()) return node.finish(to::reduced_alone(layer.function, x, node), order);
    std::vector<std::int64_t> axes;
    for (const std::size_t axis : layer.axes) axes.push_back(std::ranges::find(order, axis) - order.begin());
    to::Attributes attributes{to::integer("keepdims", layer.keep_dims ? 1 : 0)};
    std::vector<std::string> inputs{x};
    if (node.opset() >= 18 || layer.function == Reduction::sum) {
        inputs.push_back(node.extents("axes", axes));
    } else {
        attributes.push_back({"axes", OnnxAttributeType::integers, "", std::move(axes)});
    }
    const std::string y = node.emit(names[static_cast<std::size_t>(layer.function)], std::move(inputs), std::move(attributes));
    node.finish(y, layer.keep_dims ? order : to::order_without(order, layer.axes));
}

inline void to_onnx(const ArgMax& layer, OnnxExportContext& node) {
    namespace to = detail::onnx_export;
    const to::Dims order = node.common_order();
    const std::string x = node.arranged(0, order).tensor;
    const std::string y = node.emit(
        layer.largest ? "ArgMax" : "ArgMin", {x},
        {to::integer("axis", std::ranges::find(order, layer.axis) - order.begin()),
         to::integer("keepdims", layer.keep_dims ? 1 : 0), to::integer("select_last_index", layer.select_last ? 1 : 0)});
    node.finish(y, layer.keep_dims ? order : to::order_without(order, std::span(&layer.axis, 1)));
}

inline void to_onnx(const MatMul& layer, OnnxExportContext& node) {
    const auto matrices = [&](std::size_t place, bool turned) {
        detail::onnx_export::Dims order = Layout::in_order(node.input(place).shape.rank());
        if (turned) std::swap(order[order.size() - 1], order[order.size() - 2]);
        return node.arranged(place, order).tensor;
    };
    const std::string a = matrices(0, layer.transpose_a), b = matrices(1, layer.transpose_b);
    node.finish(node.emit("MatMul", {a, b}), Layout::in_order(node.output().shape.rank()));
}

MOTE_END_NAMESPACE
