// SPDX-License-Identifier: MIT
#pragma once
// Random layers with a window over an image of a given shape; from a seed.

#include <engine/random_tensors.hpp>

#include <algorithm>

namespace random_model {

inline Padding2d padding(Dice& dice, std::size_t limit) {
    return {dice.below(limit), dice.below(limit), dice.below(limit), dice.below(limit)};
}
/// A kernel that fits into the padded image.
inline Size2d kernel(Dice& dice, const Shape& in, Padding2d pad, Size2d dilation) {
    auto most = [](std::size_t extent, std::size_t spread) { return std::min<std::size_t>(4, (extent - 1) / spread + 1); };
    return {dice.from_to(1, most(in[1] + pad.top + pad.bottom, dilation.height)),
            dice.from_to(1, most(in[2] + pad.left + pad.right, dilation.width))};
}
template <class P>
Conv2d<P> convolution(Dice& dice, const Shape& in) {
    Conv2d<P> layer;
    layer.groups = in[3] % 2 == 0 && dice.chance(30) ? 2 : 1;
    layer.dilation = {dice.from_to(1, 2), dice.from_to(1, 2)};
    layer.stride = {dice.from_to(1, 3), dice.from_to(1, 2)};
    layer.padding = dice.chance(50) ? padding(dice, 3) : Padding2d{};
    const Size2d k = kernel(dice, in, layer.padding, layer.dilation);
    const std::size_t out = layer.groups * dice.from_to(1, 9);
    layer.weight = weights<P>(dice, {out, k.height, k.width, in[3] / layer.groups});
    layer.bias = bias<P>(dice, out);
    return layer;
}
template <class P>
DepthwiseConv2d<P> depthwise(Dice& dice, const Shape& in) {
    DepthwiseConv2d<P> layer;
    layer.multiplier = dice.from_to(1, 2);
    layer.padding = padding(dice, 2);
    layer.stride = {dice.from_to(1, 2), dice.from_to(1, 2)};
    const Size2d k = kernel(dice, in, layer.padding, {});
    layer.weight = weights<P>(dice, {in[3] * layer.multiplier, k.height, k.width, 1});
    layer.bias = bias<P>(dice, in[3] * layer.multiplier);
    return layer;
}
/// Bytes in groups have one scale: ONNX's operator knows no other.
template <class P>
TransposeConv2d<P> transposed_convolution(Dice& dice, const Shape& in) {
    TransposeConv2d<P> layer;
    layer.groups = in[3] % 2 == 0 && dice.chance(30) ? 2 : dice.chance(20) ? in[3] : 1;
    const Size2d k{dice.from_to(1, 4), dice.from_to(1, 3)};
    layer.stride = {dice.from_to(1, 3), dice.from_to(1, 2)};
    layer.dilation = {dice.from_to(1, 2), dice.from_to(1, 3)};
    layer.padding = {dice.below(2), dice.below(k.height), dice.below(k.width), dice.below(2)};
    layer.output_padding = {dice.below(2), dice.below(2)};
    const auto covers = [](std::size_t extent, std::size_t stride, std::size_t kernel, std::size_t cut) {
        return (extent - 1) * stride + kernel > cut;
    };
    if (!covers(in[1], layer.stride.height, k.height, layer.padding.top + layer.padding.bottom) ||
        !covers(in[2], layer.stride.width, k.width, layer.padding.left + layer.padding.right))
        layer.padding = {};
    const std::size_t out = layer.groups * dice.from_to(1, layer.groups > 2 ? 2 : 9);
    layer.weight = weights<P>(dice, {out, k.height, k.width, in[3] / layer.groups});
    if (std::is_same_v<P, i8> && layer.groups > 1) layer.weight.set_quantization(layer.weight.quantization().params(0));
    layer.bias = bias<P>(dice, out);
    return layer;
}

template <class Pool>
Pool pool(Dice& dice, const Shape& in) {
    Pool layer;
    layer.kernel = {dice.from_to(1, std::min<std::size_t>(3, in[1])), dice.from_to(1, std::min<std::size_t>(3, in[2]))};
    layer.padding = {dice.below(layer.kernel.height), dice.below(layer.kernel.height), dice.below(layer.kernel.width),
                     dice.below(layer.kernel.width)};
    layer.stride = {dice.from_to(1, 2), dice.from_to(1, 3)};
    return layer;
}
inline AveragePool2d average_pool(Dice& dice, const Shape& in) {
    AveragePool2d layer = pool<AveragePool2d>(dice, in);
    layer.count_padding = dice.chance(50);
    return layer;
}
/// Dilated now and then. (ONNX has no dilated means before opset 19.)
inline MaxPool2d max_pool(Dice& dice, const Shape& in) {
    MaxPool2d layer = pool<MaxPool2d>(dice, in);
    const auto spread = [&](std::size_t extent, std::size_t padding, std::size_t kernel) {
        return dice.chance(50) && (kernel - 1) * 2 < extent + padding ? std::size_t{2} : 1;
    };
    layer.dilation = {spread(in[1], layer.padding.top + layer.padding.bottom, layer.kernel.height),
                      spread(in[2], layer.padding.left + layer.padding.right, layer.kernel.width)};
    return layer;
}
/// Counts in one of the two orders that ONNX knows. (onnxruntime has no padding as large as the kernel, dilated or not.)
inline ArgMaxPool arg_max_pool(Dice& dice, const Shape& in) {
    ArgMaxPool layer{.stride = {1, 2}, .dilation = {2, 1}, .after = {0, 0}};
    layer.kernel = {dice.from_to(1, (in[1] + 1) / 2), dice.from_to(1, std::min<std::size_t>(3, in[2]))};
    layer.before = {dice.below(layer.kernel[0]), dice.below(layer.kernel[1])};
    const bool turned = dice.chance(50);
    layer.steps = {in[1] * in[2] * in[3], turned ? 1 : in[2], turned ? in[1] : 1, in[1] * in[2]};
    return layer;
}

inline Resize2d resize(Dice& dice, const Shape& in) {
    Resize2d layer{.size = {dice.from_to(1, in[1] + 3), dice.from_to(1, in[2] + 3)}};
    layer.interpolation = static_cast<Interpolation>(dice.below(3));
    layer.alignment = static_cast<Alignment>(dice.below(3));
    if (layer.interpolation == Interpolation::nearest) layer.nearest = static_cast<NearestPixel>(dice.below(4));
    if (layer.interpolation == Interpolation::cubic) {
        layer.cubic = dice.chance(50) ? -0.5f : -0.75f;
        layer.exclude_outside = dice.chance(50);
    }
    return layer;
}

}  // namespace random_model
