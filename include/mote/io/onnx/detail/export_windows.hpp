// SPDX-License-Identifier: MIT
#pragma once
// to_onnx of pooling, resizing and transposed convolutions.

#include <mote/io/onnx/detail/export_layers.hpp>

MOTE_BEGIN_NAMESPACE

/// On bytes as on real numbers: the largest stays the largest.
inline void to_onnx(const MaxPool2d& layer, OnnxExportContext& node) {
    namespace to = detail::onnx_export;
    const to::Dims order = to::channels_first(4);
    const OnnxForm x = node.arranged(0, order);
    node.finish_stored(node.emit("MaxPool", {x.tensor}, to::window(layer.kernel, layer.stride, layer.padding, layer.dilation)),
                       order);
}
inline void to_onnx(const AveragePool2d& layer, OnnxExportContext& node) {
    namespace to = detail::onnx_export;
    const OnnxForm x = node.image();
    to::Attributes attributes = to::window(layer.kernel, layer.stride, layer.padding, layer.dilation);
    if (layer.dilation == Size2d{}) {
        attributes.pop_back();
    } else if (node.opset() < 19) {
        node.fail("its window is dilated; opset 19 has an operator for it, ", node.opset(), " has none");
    }
    attributes.push_back(to::integer("count_include_pad", layer.count_padding ? 1 : 0));
    node.finish(node.emit("AveragePool", {x.tensor}, std::move(attributes)), to::channels_first(4));
}
inline void to_onnx(const GlobalAveragePool&, OnnxExportContext& node) {
    const OnnxForm x = node.image();
    node.finish(node.emit("GlobalAveragePool", {x.tensor}), detail::onnx_export::channels_first(4));
}

namespace detail::onnx_export {

/// The steps that an operator counts by: those of [batch, channels, ...], the axes behind in order or in reverse.
inline std::vector<std::size_t> operator_steps(const Shape& in, bool reverse) {
    const std::size_t axes = in.rank() - 2;
    std::vector<std::size_t> steps(in.rank(), 1);
    std::size_t pixels = 1;
    for (std::size_t i = 0; i < axes; ++i) {
        const std::size_t axis = reverse ? i + 1 : axes - i;
        steps[axis] = pixels;
        pixels *= in[axis];
    }
    steps.back() = pixels;
    steps.front() = pixels * in.back();
    return steps;
}

inline OnnxAttribute integers(std::string name, const std::vector<std::size_t>& values) {
    return {std::move(name), OnnxAttributeType::integers, "", std::vector<std::int64_t>(values.begin(), values.end())};
}

}  // namespace detail::onnx_export

/// Output 1 of MaxPool.
inline void to_onnx(const ArgMaxPool& layer, OnnxExportContext& node) {
    namespace to = detail::onnx_export;
    const Shape& in = node.input(0).shape;
    const bool reverse = layer.steps != to::operator_steps(in, false);
    if (in.rank() > 5 || (reverse && layer.steps != to::operator_steps(in, true)))
        node.fail(
            "its steps are not those of [batch, channels, ...], of one to three axes behind; no operator counts by others");
    std::vector<std::size_t> pads = layer.before;
    pads.insert(pads.end(), layer.after.begin(), layer.after.end());
    const to::Dims order = to::channels_first(in.rank());
    const std::string y = node.emit(
        "MaxPool", {node.arranged(0, order).tensor},
        {to::integers("kernel_shape", layer.kernel), to::integers("strides", layer.stride), to::integers("pads", pads),
         to::integers("dilations", layer.dilation), to::integer("storage_order", reverse ? 1 : 0)},
        2);
    node.finish_stored(y, order);
}

namespace detail::onnx_export {

/// The least float by which an operator makes `out` pixels of `in`.
inline float exported_scale(float stated, std::size_t in, std::size_t out, const OnnxExportContext& node) {
    const auto pixels = [in](float scale) { return std::floor(static_cast<double>(scale) * static_cast<double>(in)); };
    const auto wanted = static_cast<double>(out);
    float scale = stated > 0.0f ? stated : static_cast<float>(wanted / static_cast<double>(in));
    if (stated == 0.0f && pixels(scale) < wanted) scale = std::nextafter(scale, 2.0f * scale);
    if (pixels(scale) != wanted) node.fail("the scale ", scale, " of ", in, " pixels makes ", pixels(scale), ", not ", out);
    return scale;
}

inline const char* transformation_of(const Resize2d& layer, const OnnxExportContext& node) {
    switch (layer.alignment) {
        case Alignment::asymmetric:
            return "asymmetric";
        case Alignment::corners:
            return "align_corners";
        case Alignment::half_pixel:
            return "half_pixel";
        case Alignment::half_pixel_symmetric:
            if (node.opset() >= 19) return "half_pixel_symmetric";
            node.fail("its alignment is half_pixel_symmetric, which opset 19 has, ", node.opset(), " has not");
        case Alignment::half_pixel_or_first:
            return "pytorch_half_pixel";
        case Alignment::half_pixel_floor:
            break;
        case Alignment::crop:
            return "tf_crop_and_resize";
    }
    node.fail("its alignment is half_pixel_floor, which no operator from opset 13 on has");
}

}  // namespace detail::onnx_export

inline void to_onnx(const Resize2d& layer, OnnxExportContext& node) {
    namespace to = detail::onnx_export;
    const OnnxForm x = node.image();
    const to::Dims order = to::channels_first(4);
    constexpr const char* modes[] = {"nearest", "linear", "cubic"};
    constexpr const char* pixels[] = {"floor", "ceil", "round_prefer_floor", "round_prefer_ceil"};
    to::Attributes attributes{to::text("mode", modes[static_cast<std::size_t>(layer.interpolation)]),
                              to::text("coordinate_transformation_mode", to::transformation_of(layer, node))};
    if (layer.interpolation == Interpolation::nearest)
        attributes.push_back(to::text("nearest_mode", pixels[static_cast<std::size_t>(layer.nearest)]));
    if (layer.interpolation == Interpolation::cubic) attributes.push_back(to::real("cubic_coeff_a", layer.cubic));
    if (layer.exclude_outside) attributes.push_back(to::integer("exclude_outside", 1));
    if (layer.antialias) {
        if (node.opset() < 18) node.fail("it filters what it shrinks, which opset 18 has, ", node.opset(), " has not");
        attributes.push_back(to::integer("antialias", 1));
    }
    std::string roi;
    if (layer.alignment == Alignment::crop) {
        const float places[] = {0, 0, layer.crop[0], layer.crop[1], 1, 1, layer.crop[2], layer.crop[3]};
        roi = node.constant<f32>("roi", {8}, places);
        attributes.push_back(to::real("extrapolation_value", layer.outside));
    }
    const Shape &in = node.input(0).shape, &out = node.output().shape;
    std::vector<std::string> inputs{x.tensor, roi};
    if (layer.scale_height > 0.0f || layer.scale_width > 0.0f) {
        const float scales[] = {1, 1, to::exported_scale(layer.scale_height, in[1], out[1], node),
                                to::exported_scale(layer.scale_width, in[2], out[2], node)};
        inputs.push_back(node.constant<f32>("scales", {4}, scales));
    } else {
        std::vector<std::int64_t> sizes;
        for (const std::size_t axis : order) sizes.push_back(static_cast<std::int64_t>(out[axis]));
        inputs.insert(inputs.end(), {"", node.extents("sizes", sizes)});
    }
    node.finish(node.emit("Resize", std::move(inputs), std::move(attributes)), order);
}

namespace detail::onnx_export {

/// One axis of a transposed convolution as the operator has it, whose output_padding is less than its stride: pixels that are
/// added are not cut off; zeros behind the input add a stride of pixels each.
struct AddedPixels {
    std::size_t cut, zeros, more;
};
inline AddedPixels added_pixels(std::size_t cut, std::size_t more, std::size_t stride) {
    const std::size_t both = std::min(cut, more);
    return {cut - both, (more - both) / stride, (more - both) % stride};
}

}  // namespace detail::onnx_export

template <class P>
requires detail::onnx_export::Exported<P>
void to_onnx(const TransposeConv2d<P>& layer, OnnxExportContext& node) {
    namespace to = detail::onnx_export;
    const auto below = to::added_pixels(layer.padding.bottom, layer.output_padding.height, layer.stride.height);
    const auto right = to::added_pixels(layer.padding.right, layer.output_padding.width, layer.stride.width);
    const to::Dims order = to::channels_first(4);
    OnnxForm x = node.arranged(0, order);
    if (below.zeros + right.zeros != 0)
        x.tensor = to::padded(node, x.tensor, order, {.before = {0, 0, 0, 0}, .after = {0, below.zeros, right.zeros, 0}});
    x = node.real(x);
    const Shape& w = layer.weight.shape();
    const std::size_t groups = layer.groups, out = w[0] / groups;
    const Quantization& q = layer.weight.quantization();
    if (q.per_axis() && groups > 1)
        node.fail("it has a scale an output channel in ", groups, " groups, whose weights lie along no axis of the operator's");
    to::Attributes attributes =
        to::window({w[1], w[2]}, layer.stride, {layer.padding.top, below.cut, layer.padding.left, right.cut}, layer.dilation);
    attributes.push_back(to::integers("output_padding", {below.more, right.more}));
    attributes.push_back(to::integer("group", static_cast<std::int64_t>(groups)));
    std::string weight = node.parameter("weight", layer.weight, {groups, out, w[1], w[2], w[3]}, {0, 4, 1, 2, 3},
                                        {groups * w[3], out, w[1], w[2]});
    if constexpr (std::is_same_v<P, i8>) weight = node.dequantized<i8>(weight, q, 1);
    const std::vector<std::string> inputs = to::contraction_inputs(node, x.tensor, weight, layer.bias, q);
    node.finish(node.emit("ConvTranspose", inputs, std::move(attributes)), order);
}

MOTE_END_NAMESPACE
