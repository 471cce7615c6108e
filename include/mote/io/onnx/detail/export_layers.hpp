// SPDX-License-Identifier: MIT
#pragma once
// to_onnx: the nodes of an ONNX graph that say what a layer says.

#include <mote/io/onnx/detail/export_context.hpp>
#include <mote/layers/table.hpp>
#include <mote/model/infer/movement.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_export {

template <class P>
concept Exported = std::is_same_v<P, f32> || std::is_same_v<P, i8>;

// ------------------------------------------------------------------------------------------------------- contractions

/// The weight in real numbers; arguments as of OnnxExportContext::parameter.
template <class P>
std::string weight(OnnxExportContext& node, const Tensor<P>& tensor, const Dims& dims, const Dims& order, Dims stated = {}) {
    std::string name = node.parameter("weight", tensor, dims, order, std::move(stated));
    if constexpr (std::is_same_v<P, f32>) {
        return name;
    } else {
        return node.dequantized<i8>(name, tensor.quantization());
    }
}

/// The inputs of an operator that contracts x with the weight, and its bias behind them, if there is one. An int32 bias counts
/// in steps of s_in * s_weight[c].
template <class P>
std::vector<std::string> contraction_inputs(OnnxExportContext& node, const std::string& x, const std::string& w,
                                            const Tensor<P>& bias, const Quantization& weight_scales) {
    std::vector<std::string> inputs{x, w};
    if (bias.empty()) return inputs;
    inputs.push_back(node.parameter("bias", bias));
    if constexpr (std::is_same_v<P, i32>) {
        Quantization steps = weight_scales;
        for (float& scale : steps.scale) {
            const double step = static_cast<double>(node.input(0).quantization.params().scale) * static_cast<double>(scale);
            scale = static_cast<float>(step);
            if (!usable_scale(scale)) {
                node.fail("its bias counts in steps of ", step, "; a finite, positive, normal float is supported");
            }
        }
        inputs.back() = node.dequantized<i32>(inputs.back(), steps);
    }
    return inputs;
}

inline Attributes window(Size2d kernel, Size2d stride, Padding2d padding, Size2d dilation) {
    return {integers("kernel_shape", {kernel.height, kernel.width}), integers("strides", {stride.height, stride.width}),
            integers("pads", {padding.top, padding.left, padding.bottom, padding.right}),
            integers("dilations", {dilation.height, dilation.width})};
}

template <class L>
void convolution(const L& layer, std::size_t groups, OnnxExportContext& node) {
    const OnnxForm x = node.image();
    const Shape& w = layer.weight.shape();
    Attributes attributes = window({w[1], w[2]}, layer.stride, layer.padding, layer.dilation);
    attributes.push_back(integer("group", static_cast<std::int64_t>(groups)));
    const std::string weights = weight(node, layer.weight, dims_of(w), channels_first(4));
    const std::vector<std::string> inputs =
        contraction_inputs(node, x.tensor, weights, layer.bias, layer.weight.quantization());
    node.finish(node.emit("Conv", inputs, std::move(attributes)), channels_first(4));
}

/// A form of input 0 that needs no transpose to be [rows, in], and the order of its columns: extents `split` of the last axis,
/// of which `order` are stored one after the other. In order where another form or a transpose is needed.
struct Columns {
    std::optional<OnnxForm> form{};
    Dims split{};
    Dims order{};
};
inline Columns columns_of(const OnnxExportContext& node) {
    const std::size_t last = node.input(0).shape.rank() - 1;
    const Dims lead = Layout::in_order(last);
    Columns result;
    for (const OnnxForm& form : node.forms(0)) {
        const Dims before = form.layout.sequence(lead), parts = form.layout.parts(last);
        const bool behind = std::is_sorted(before.begin(), before.end()) &&
                            (before.empty() || parts.empty() || before.back() < *std::min_element(parts.begin(), parts.end()));
        if (!behind) continue;
        if (std::is_sorted(parts.begin(), parts.end())) return {};
        if (result.form) continue;
        result.form = form;
        for (const std::size_t part : parts) result.split.push_back(form.layout.extents()[part]);
        result.order = Layout::in_order(parts.size());
        std::sort(result.order.begin(), result.order.end(), [&](std::size_t a, std::size_t b) { return parts[a] < parts[b]; });
    }
    return result;
}

}  // namespace detail::onnx_export

template <class P>
requires detail::onnx_export::Exported<P>
void to_onnx(const Conv2d<P>& layer, OnnxExportContext& node) {
    detail::onnx_export::convolution(layer, layer.groups, node);
}
template <class P>
requires detail::onnx_export::Exported<P>
void to_onnx(const DepthwiseConv2d<P>& layer, OnnxExportContext& node) {
    detail::onnx_export::convolution(layer, node.input(0).shape[3], node);
}

/// A Gemm of [rows, in]. Where x was flattened from an image that lies channels first, the weight's columns move instead of
/// the image.
template <class P>
requires detail::onnx_export::Exported<P>
void to_onnx(const Dense<P>& layer, OnnxExportContext& node) {
    namespace to = detail::onnx_export;
    const Shape& out = node.output().shape;
    const std::size_t rows = node.input(0).shape.elements() / node.input(0).shape.back(), in = layer.weight.shape()[1];
    const to::Columns columns = to::columns_of(node);
    to::Dims split{layer.weight.shape()[0]}, order{0};
    OnnxForm x{"", Layout(to::Dims{}), {rows, in}};
    if (columns.form) {
        split.insert(split.end(), columns.split.begin(), columns.split.end());
        for (const std::size_t part : columns.order) order.push_back(part + 1);
        x.tensor = node.reshaped(*columns.form, x.dims);
    } else {
        split.push_back(in);
        order.push_back(1);
        const std::size_t last = node.input(0).shape.rank() - 1;
        x.tensor = node.arranged(0, to::Groups{Layout::in_order(last), {last}}).tensor;
    }
    x = node.real(x);
    const std::string weight = to::weight(node, layer.weight, split, order, to::dims_of(layer.weight.shape()));
    node.finish(node.emit("Gemm", to::contraction_inputs(node, x.tensor, weight, layer.bias, layer.weight.quantization()),
                          {to::integer("transB", 1)}),
                Layout(out), {rows, out.back()});
}

// --------------------------------------------------------------------------------------------------------- elementwise

namespace detail::onnx_export {

/// An operator on each element alone: whatever way its input lies, its output lies too.
inline void each_element(OnnxExportContext& node, const char* op, Attributes attributes = {}) {
    const OnnxForm x = node.real(node.form(0));
    node.finish(node.emit(op, {x.tensor}, std::move(attributes)), x.layout, x.dims);
}

/// The output is input 0's tensors, under these layouts.
template <class LayoutOf>
void same_tensors(OnnxExportContext& node, const LayoutOf& layout_of) {
    const std::vector<OnnxForm> forms = node.forms(0);
    for (const OnnxForm& form : forms) node.finish_stored(form.tensor, layout_of(form.layout), form.dims);
}

/// Whether bytes hold nothing outside of [least, most]. Then a clamp is no operator: runtimes join QuantizeLinear with what
/// stands before it only where nothing stands between.
inline bool saturates(OnnxExportContext& node, double least, double most) {
    if (node.input(0).element != Element::i8) return false;
    const QuantizationParams q = node.output().quantization.params();
    if (quantize_real(least, q) != -128 || quantize_real(most, q) != 127) return false;
    same_tensors(node, [](const Layout& layout) { return layout; });
    return true;
}

/// Throws where a layer of bytes looks up other numbers than its function's.
template <class L>
void expect_own_table(const L& layer, const OnnxExportContext& node) {
    if (node.output().element != Element::i8) return;
    if (with_table(layer, node.input(0).quantization.params(), node.output().quantization.params()).table == layer.table)
        return;
    node.fail("its table of bytes is not that of its function; no operator looks up others");
}

}  // namespace detail::onnx_export

inline void to_onnx(const Relu&, OnnxExportContext& node) {
    if (!detail::onnx_export::saturates(node, 0.0, std::numeric_limits<float>::max()))
        detail::onnx_export::each_element(node, "Relu");
}
inline void to_onnx(const Relu6&, OnnxExportContext& node) {
    if (detail::onnx_export::saturates(node, 0.0, 6.0)) return;
    const OnnxForm x = node.real(node.form(0));
    const float limits[] = {0.0f, 6.0f};
    const std::span<const float> all(limits);
    const std::string least = node.constant<f32>("least", {}, all.subspan(0, 1));
    const std::string most = node.constant<f32>("most", {}, all.subspan(1, 1));
    node.finish(node.emit("Clip", {x.tensor, least, most}), x.layout, x.dims);
}
inline void to_onnx(const LeakyRelu& layer, OnnxExportContext& node) {
    detail::onnx_export::expect_own_table(layer, node);
    detail::onnx_export::each_element(node, "LeakyRelu", {detail::onnx_export::real("alpha", layer.slope)});
}
inline void to_onnx(const Sigmoid& layer, OnnxExportContext& node) {
    detail::onnx_export::expect_own_table(layer, node);
    detail::onnx_export::each_element(node, "Sigmoid");
}
inline void to_onnx(const Tanh& layer, OnnxExportContext& node) {
    detail::onnx_export::expect_own_table(layer, node);
    detail::onnx_export::each_element(node, "Tanh");
}
inline void to_onnx(const HardSigmoid& layer, OnnxExportContext& node) {
    detail::onnx_export::expect_own_table(layer, node);
    detail::onnx_export::each_element(
        node, "HardSigmoid", {detail::onnx_export::real("alpha", 1.0f / 6.0f), detail::onnx_export::real("beta", 0.5f)});
}
inline void to_onnx(const HardSwish& layer, OnnxExportContext& node) {
    namespace to = detail::onnx_export;
    to::expect_own_table(layer, node);
    if (node.opset() >= 14) return to::each_element(node, "HardSwish");
    const OnnxForm x = node.real(node.form(0));
    const std::string gate = node.emit("HardSigmoid", {x.tensor}, {to::real("alpha", 1.0f / 6.0f), to::real("beta", 0.5f)});
    node.finish(node.emit("Mul", {x.tensor, gate}), x.layout, x.dims);
}

inline void to_onnx(const Prelu& layer, OnnxExportContext& node) {
    namespace to = detail::onnx_export;
    const std::size_t rank = node.input(0).shape.rank();
    const to::Dims order = node.common_order();
    const OnnxForm x = node.arranged(0, order);
    to::Dims dims{layer.slope.elements()};
    if (order.back() != rank - 1) dims.resize(rank - 1, 1);
    node.finish(node.emit("PRelu", {x.tensor, node.parameter("slope", layer.slope, dims, Layout::in_order(dims.size()))}),
                order);
}
inline void to_onnx(const BatchNorm& layer, OnnxExportContext& node) {
    namespace to = detail::onnx_export;
    const to::Dims order = to::channels_first(node.input(0).shape.rank());
    const OnnxForm x = node.arranged(0, order);
    node.finish(node.emit("BatchNormalization",
                          {x.tensor, node.parameter("scale", layer.scale), node.parameter("shift", layer.shift),
                           node.parameter("mean", layer.mean), node.parameter("variance", layer.variance)},
                          {to::real("epsilon", layer.epsilon)}),
                order);
}

namespace detail::onnx_export {

/// An operator on two values of one shape.
inline void both(OnnxExportContext& node, const char* op) {
    for (const OnnxForm& a : node.forms(0)) {
        for (const OnnxForm& b : node.forms(1)) {
            if (a.layout != b.layout || a.dims != b.dims) continue;
            const OnnxForm x = node.real(a, 0), y = node.real(b, 1);
            return node.finish(node.emit(op, {x.tensor, y.tensor}), x.layout, x.dims);
        }
    }
    const Dims order = node.common_order();
    const OnnxForm x = node.real(node.arranged(0, order), 0), y = node.real(node.arranged(1, order), 1);
    node.finish(node.emit(op, {x.tensor, y.tensor}), order);
}

}  // namespace detail::onnx_export

inline void to_onnx(const Add&, OnnxExportContext& node) {
    detail::onnx_export::both(node, "Add");
}
inline void to_onnx(const Mul&, OnnxExportContext& node) {
    namespace to = detail::onnx_export;
    const Shape &a = node.input(0).shape, &b = node.input(1).shape;
    if (a == b) return to::both(node, "Mul");
    // One number a channel, under as many axes as the first has.
    const to::Dims order = to::channels_first(a.rank());
    to::Groups groups(a.rank());
    groups[0] = {0};
    groups[1] = {b.rank() - 1};
    for (std::size_t axis = 1; axis + 1 < b.rank(); ++axis) groups[0].push_back(axis);
    const OnnxForm x = node.real(node.arranged(0, order), 0), y = node.real(node.arranged(1, groups), 1);
    node.finish(node.emit("Mul", {x.tensor, y.tensor}), order);
}

inline void to_onnx(const Convert&, OnnxExportContext& node) {
    const OnnxForm x = node.real(node.form(0));
    node.finish(x.tensor, x.layout, x.dims);
}

// ------------------------------------------------------------------------------------------------------------ movement

namespace detail::onnx_export {

/// The same tensors under other axes; a transpose only where these do not cut between what lies together.
inline void under_other_axes(OnnxExportContext& node) {
    const Dims dims = dims_of(node.output().shape);
    const std::vector<OnnxForm> forms = node.forms(0);
    bool any = false;
    for (const OnnxForm& form : forms) {
        const std::optional<Layout> layout = form.layout.reshaped(dims);
        if (layout) node.finish_stored(form.tensor, *layout, form.dims);
        any = any || layout.has_value();
    }
    if (any) return;
    if (node.output().shape.elements() == 0) node.fail("its value is empty; extents from 1 are supported");
    const OnnxForm x = node.arranged(0, Layout::in_order(node.input(0).shape.rank()));
    node.finish_stored(x.tensor, Layout(dims), x.dims);
}

}  // namespace detail::onnx_export

inline void to_onnx(const Reshape&, OnnxExportContext& node) {
    detail::onnx_export::under_other_axes(node);
}
inline void to_onnx(const Flatten&, OnnxExportContext& node) {
    detail::onnx_export::under_other_axes(node);
}
inline void to_onnx(const Transpose& layer, OnnxExportContext& node) {
    detail::onnx_export::same_tensors(node, [&](const Layout& layout) { return layout.transposed(layer.order); });
}
inline void to_onnx(const Concat& layer, OnnxExportContext& node) {
    namespace to = detail::onnx_export;
    const to::Dims order = node.common_order();
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < node.inputs(); ++i) parts.push_back(node.arranged(i, order).tensor);
    const std::size_t axis = concat_axis(layer, order.size());
    node.finish_stored(
        node.emit("Concat", std::move(parts), {to::integer("axis", std::ranges::find(order, axis) - order.begin())}), order);
}
namespace detail::onnx_export {

/// Input 0, of which `tensor` holds the axes in `order`, as it is stored, padded as the layer says.
inline std::string padded(OnnxExportContext& node, const std::string& tensor, const Dims& order, const Pad& layer) {
    std::vector<std::int64_t> sides;
    for (const std::size_t axis : order) sides.push_back(static_cast<std::int64_t>(layer.before[axis]));
    for (const std::size_t axis : order) sides.push_back(static_cast<std::int64_t>(layer.after[axis]));
    std::string value;
    if (node.input(0).element == Element::f32) {
        value = node.constant<f32>("value", {}, {&layer.value, 1});
    } else {
        if (!node.input(0).quantization.present()) node.fail("its bytes have no scale; one is expected");
        const std::int8_t byte = quantize_real(static_cast<double>(layer.value), node.input(0).quantization.params());
        value = node.constant<i8>("value", {}, {&byte, 1});
    }
    return node.emit("Pad", {tensor, node.extents("pads", sides), value});
}

}  // namespace detail::onnx_export

inline void to_onnx(const Pad& layer, OnnxExportContext& node) {
    namespace to = detail::onnx_export;
    const to::Dims order = node.common_order();
    node.finish_stored(to::padded(node, node.arranged(0, order).tensor, order, layer), order);
}

inline void to_onnx(const Slice& layer, OnnxExportContext& node) {
    namespace to = detail::onnx_export;
    const to::Dims order = node.common_order();
    const OnnxForm x = node.arranged(0, order);
    std::vector<std::int64_t> starts, ends, axes, steps;
    for (const std::size_t axis : order) {
        const auto start = static_cast<std::int64_t>(layer.begin[axis]);
        const auto size = static_cast<std::int64_t>(node.output().shape[axis]);
        const std::int64_t step = size > 1 ? layer.stride[axis] : 1;
        const std::int64_t end = start + step * size;  // a negative one would count from the back
        starts.push_back(start);
        ends.push_back(end < 0 ? std::numeric_limits<std::int64_t>::min() : end);
        axes.push_back(static_cast<std::int64_t>(axes.size()));
        steps.push_back(step);
    }
    node.finish_stored(node.emit("Slice", {x.tensor, node.extents("starts", starts), node.extents("ends", ends),
                                           node.extents("axes", axes), node.extents("steps", steps)}),
                       order);
}
inline void to_onnx(const Gather& layer, OnnxExportContext& node) {
    namespace to = detail::onnx_export;
    // The indices' axes stand where their axis stood, so that other than one of them leave no other order.
    const bool one = layer.indices.shape().rank() == 1;
    const to::Dims order = one ? node.common_order() : Layout::in_order(node.input(0).shape.rank());
    const OnnxForm x = node.arranged(0, order);
    const std::size_t axis = gather_axis(layer, order.size());
    const std::string y = node.emit("Gather", {x.tensor, node.parameter("indices", layer.indices)},
                                    {to::integer("axis", std::ranges::find(order, axis) - order.begin())});
    node.finish_stored(y, one ? order : Layout::in_order(node.output().shape.rank()));
}
inline void to_onnx(const Tile& layer, OnnxExportContext& node) {
    namespace to = detail::onnx_export;
    const to::Dims order = node.common_order();
    const OnnxForm x = node.arranged(0, order);
    std::vector<std::int64_t> repeats;
    for (const std::size_t axis : order) repeats.push_back(static_cast<std::int64_t>(layer.repeats[axis]));
    node.finish_stored(node.emit("Tile", {x.tensor, node.extents("repeats", repeats)}), order);
}
inline void to_onnx(const Constant& layer, OnnxExportContext& node) {
    namespace to = detail::onnx_export;
    const auto* bytes = layer.bytes.data();
    const std::size_t count = node.output().shape.elements();
    std::string value;
    if (layer.element == Element::f32) {
        value = node.constant<f32>("value", layer.shape, {reinterpret_cast<const float*>(bytes), count});
    } else if (layer.element == Element::i8) {
        value = node.constant<i8>("value", layer.shape, {reinterpret_cast<const std::int8_t*>(bytes), count});
    } else {
        node.fail("it is of ", element_name(layer.element), "; f32 and i8 are supported");
    }
    node.finish_stored(node.emit("Identity", {std::move(value)}), Layout::in_order(layer.shape.size()));
}

// ------------------------------------------------------------------------------------------------------------- softmax

inline void to_onnx(const Softmax& layer, OnnxExportContext& node) {
    namespace to = detail::onnx_export;
    if (node.input(0).element == Element::i8 && layer.table != softmax_table(node.input(0).quantization.params().scale))
        node.fail("its table is not that of the input's scale; no operator looks up others");
    const to::Dims order = node.common_order();
    const OnnxForm x = node.real(node.arranged(0, order));
    const auto axis = std::ranges::find(order, order.size() - 1) - order.begin();
    node.finish(node.emit("Softmax", {x.tensor}, {to::integer("axis", axis)}), order);
}

MOTE_END_NAMESPACE
