// SPDX-License-Identifier: MIT
#pragma once
// infer: output values of Conv2d, DepthwiseConv2d, TransposeConv2d, Dense and MatMul, and the checks that make integer sums
// exact.

#include <mote/core/geometry.hpp>
#include <mote/core/narrow.hpp>
#include <mote/layers/contraction.hpp>
#include <mote/model/infer/context.hpp>

#include <limits>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// Output rows of a window that moves over `extent` padded rows. Fails where the window does not fit.
template <class Context>
std::size_t window_outputs(const Context& node, const char* axis, std::size_t extent, std::size_t pad_before,
                           std::size_t pad_after, std::size_t kernel, std::size_t stride, std::size_t dilation) {
    constexpr std::size_t limit = std::numeric_limits<std::int32_t>::max() / 4;
    if (extent == 0 || kernel == 0 || stride == 0 || dilation == 0) {
        node.fail(axis, ": image ", extent, ", kernel ", kernel, ", stride ", stride, ", dilation ", dilation,
                  "; each must be at least 1");
    }
    if (extent > limit || kernel > limit || stride > limit || dilation > limit || pad_before > limit || pad_after > limit ||
        (kernel - 1) > limit / dilation) {
        node.fail(axis, ": image ", extent, ", kernel ", kernel, ", stride ", stride, ", dilation ", dilation, ", padding ",
                  pad_before, " and ", pad_after, ": beyond what a 32-bit kernel can index");
    }
    const std::size_t window = (kernel - 1) * dilation + 1;
    const std::size_t padded = extent + pad_before + pad_after;
    if (window > padded) {
        node.fail(axis, ": the window covers ", window, " but the padded image has only ", padded);
    }
    return (padded - window) / stride + 1;
}

/// Fails for an i8 contraction whose scales cannot be computed with or whose sums could leave int32:
/// 255 * 127 * K + |bias| < 2^31 for every output channel (DESIGN, numbers).
template <class Context>
void check_i8_contraction(const Context& node, const Tensor<i8>& weight, const Tensor<i32>& bias) {
    const Quantization& q = weight.quantization();
    const std::size_t out = weight.shape()[0];
    if (q.zero_point.size() != q.scale.size() || (q.scale.size() != 1 && (q.scale.size() != out || q.axis != 0))) {
        node.fail("the weight has ", q.scale.size(), " scales along axis ", q.axis, "; expected 1, or ", out, " along axis 0");
    }
    expect_input_quantization(node, 0);
    const Quantization& in = node.input(0).quantization;
    const Quantization result = expect_output_quantization(node);
    for (std::size_t c = 0; c < q.scale.size(); ++c) {
        if (q.zero_point[c] != 0) node.fail("int8 weights are symmetric; a zero point other than 0 was given");
        const float multiplier = requantization_multiplier(in.params().scale, q.scale[c], result.params().scale);
        if (!usable_scale(q.scale[c]) || !usable_scale(multiplier)) {
            node.fail("output channel ", c, ": weight scale ", q.scale[c], " gives the multiplier ", multiplier,
                      "; a finite, positive, normal float is expected");
        }
    }
    for (const std::int8_t w : weight.values()) {
        if (w == -128) node.fail("int8 weights lie in [-127, 127]; -128 was found");
    }
    const std::int64_t inner = static_cast<std::int64_t>(weight.elements() / out);
    const std::int64_t limit = std::int64_t{1} << 31;
    std::int64_t largest_bias = 0;
    for (const std::int32_t b : bias.values()) {
        const std::int64_t magnitude = b < 0 ? -std::int64_t{b} : std::int64_t{b};
        if (magnitude > largest_bias) largest_bias = magnitude;
    }
    if (inner > limit / (255 * 127) || 255 * 127 * inner + largest_bias >= limit) {
        node.fail("a sum of ", inner, " products with a bias of up to ", largest_bias,
                  " could overflow int32; 255 * 127 * K + |bias| must stay below 2^31");
    }
}

/// Checks common to all contractions: weight rank, no empty axis, bias length, elements.
template <class P, class Context>
void check_contraction(const Context& node, const Tensor<typename P::weight>& weight, const Tensor<typename P::bias>& bias,
                       std::size_t rank, const char* axes) {
    node.expect_inputs(1);
    if (weight.shape().rank() != rank) {
        node.fail("weight [", to_string(weight.shape()), "] has rank ", weight.shape().rank(), "; expected ", axes);
    }
    for (const std::size_t extent : weight.shape()) {
        if (extent == 0)
            node.fail("weight [", to_string(weight.shape()), "] has an empty axis; each extent must be at least 1");
    }
    if (weight.elements() > std::numeric_limits<std::int32_t>::max()) {
        node.fail(
            concat("weight [", to_string(weight.shape()), "]: beyond the 2^31 - 1 elements that a 32-bit kernel can index"));
    }
    if (!bias.empty() && (bias.shape().rank() != 1 || bias.shape()[0] != weight.shape()[0])) {
        node.fail("bias [", to_string(bias.shape()), "]: expected [", weight.shape()[0], "], or none");
    }
    if (node.input(0).element != P::activation::element) {
        node.fail("input ", to_string(node.input(0)), ": ", P::activation::name, " expected");
    }
    node.expect_full(0);
    if constexpr (std::is_same_v<P, i8>) check_i8_contraction(node, weight, bias);
}

template <class P, class Context>
Quantization contraction_quantization(const Context& node) {
    if constexpr (std::is_same_v<typename P::activation, i8>) {
        return expect_output_quantization(node);
    } else {
        return {};
    }
}

}  // namespace detail

namespace detail {

/// Checks an image against weights [out, kernel_height, kernel_width, in / groups].
template <class P, class Layer, class Context>
void check_convolution(const Layer& layer, const Context& node) {
    check_contraction<P>(node, layer.weight, layer.bias, 4, "[out, kernel_height, kernel_width, in / groups]");
    node.expect_rank(0, 4, "[batch, height, width, channels]");
    const Shape& in = node.input(0).shape;
    const Shape& w = layer.weight.shape();
    if (layer.groups == 0 || in[3] % layer.groups != 0 || w[0] % layer.groups != 0) {
        node.fail(layer.groups, " groups do not divide ", in[3], " input and ", w[0], " output channels");
    }
    if (w[3] != in[3] / layer.groups) {
        node.fail("weight [", to_string(w), "] has ", w[3], " input channels; input ", to_string(node.input(0)), " in ",
                  layer.groups, " groups needs ", in[3] / layer.groups);
    }
}

template <class P, class Layer, class Context>
void infer_convolution(const Layer& layer, Context& node) {
    check_convolution<P>(layer, node);
    const Shape& in = node.input(0).shape;
    const Shape& w = layer.weight.shape();
    const Padding2d& pad = layer.padding;
    const std::size_t height =
        window_outputs(node, "height", in[1], pad.top, pad.bottom, w[1], layer.stride.height, layer.dilation.height);
    const std::size_t width =
        window_outputs(node, "width", in[2], pad.left, pad.right, w[2], layer.stride.width, layer.dilation.width);
    node.output({in[0], height, width, w[0]}, P::activation::element, contraction_quantization<P>(node));
}

}  // namespace detail

template <class P, class Context>
void infer(const Conv2d<P>& layer, Context& node) {
    detail::infer_convolution<P>(layer, node);
}
template <class Context>
void infer(const ConvInteger2d& layer, Context& node) {
    detail::infer_convolution<i32>(layer, node);
}

template <class P, class Context>
void infer(const DepthwiseConv2d<P>& layer, Context& node) {
    detail::check_contraction<P>(node, layer.weight, layer.bias, 4, "[in * multiplier, kernel_height, kernel_width, 1]");
    node.expect_rank(0, 4, "[batch, height, width, channels]");
    const Shape& in = node.input(0).shape;
    const Shape& w = layer.weight.shape();
    if (layer.multiplier == 0 || w[3] != 1 || w[0] / layer.multiplier != in[3] || w[0] % layer.multiplier != 0) {
        node.fail("weight [", to_string(w), "] with multiplier ", layer.multiplier, " does not fit input ",
                  to_string(node.input(0)), "; expected [", in[3], " * multiplier, kernel_height, kernel_width, 1]");
    }
    const Padding2d& pad = layer.padding;
    const std::size_t height =
        detail::window_outputs(node, "height", in[1], pad.top, pad.bottom, w[1], layer.stride.height, layer.dilation.height);
    const std::size_t width =
        detail::window_outputs(node, "width", in[2], pad.left, pad.right, w[2], layer.stride.width, layer.dilation.width);
    node.output({in[0], height, width, w[0]}, P::activation::element, detail::contraction_quantization<P>(node));
}

namespace detail {

/// Output rows of a transposed convolution.
template <class Context>
std::size_t transposed_outputs(const Context& node, const char* axis, std::size_t extent, std::size_t before, std::size_t after,
                               std::size_t more, std::size_t kernel, std::size_t stride, std::size_t dilation) {
    constexpr std::size_t limit = std::numeric_limits<std::int32_t>::max() / 4;
    const auto fail = [&](const char* what) {
        node.fail(axis, ": image ", extent, ", kernel ", kernel, ", stride ", stride, ", dilation ", dilation, ", padding ",
                  before, " and ", after, ", output padding ", more, ": ", what);
    };
    if (stride == 0 || dilation == 0) fail("stride and dilation must be at least 1");
    if (before > limit || after > limit || more > limit || (extent - 1) > limit / stride || (kernel - 1) > limit / dilation) {
        fail("beyond what a 32-bit kernel can index");
    }
    const std::size_t whole = (extent - 1) * stride + (kernel - 1) * dilation + 1 + more;
    if (whole > limit) fail("beyond what a 32-bit kernel can index");
    if (before + after >= whole) fail("the padding cuts off the whole output");
    return whole - before - after;
}

}  // namespace detail

template <class P, class Context>
void infer(const TransposeConv2d<P>& layer, Context& node) {
    detail::check_convolution<P>(layer, node);
    const Shape& in = node.input(0).shape;
    const Shape& w = layer.weight.shape();
    const Padding2d& pad = layer.padding;
    const Size2d &stride = layer.stride, &dilation = layer.dilation, &more = layer.output_padding;
    const std::size_t height = detail::transposed_outputs(node, "height", in[1], pad.top, pad.bottom, more.height, w[1],
                                                          stride.height, dilation.height);
    const std::size_t width =
        detail::transposed_outputs(node, "width", in[2], pad.left, pad.right, more.width, w[2], stride.width, dilation.width);
    node.output({in[0], height, width, w[0]}, P::activation::element, detail::contraction_quantization<P>(node));
}

template <class P, class Context>
void infer(const Dense<P>& layer, Context& node) {
    detail::check_contraction<P>(node, layer.weight, layer.bias, 2, "[out, in]");
    Shape shape = node.input(0).shape;
    if (shape.rank() < 2) {
        node.fail("input ", to_string(node.input(0)), " has rank ", shape.rank(), "; expected [batch, ..., in]");
    }
    if (layer.weight.shape()[1] != shape.back()) {
        node.fail("weight [", to_string(layer.weight.shape()), "] takes ", layer.weight.shape()[1], " inputs; input ",
                  to_string(node.input(0)), " has ", shape.back(), " on its last axis");
    }
    shape[shape.rank() - 1] = layer.weight.shape()[0];
    node.output(shape, P::activation::element, detail::contraction_quantization<P>(node));
}

/// The shape with 1 for its last two axes.
template <class Lazy = void>
Shape matrices_before(Shape shape) {
    shape[shape.rank() - 2] = shape[shape.rank() - 1] = 1;
    return shape;
}

template <class Context>
void infer(const MatMul& layer, Context& node) {
    node.expect_inputs(2);
    node.expect_full(0);
    node.expect_full(1);
    detail::expect_numbers(node, 0);
    detail::expect_numbers(node, 1);
    const Shape& a = node.input(0).shape;
    const Shape& b = node.input(1).shape;
    const Element element = node.input(0).element;
    Shape out;
    bool fits = element == node.input(1).element && a.rank() >= 2 && b.rank() >= 2 &&
                broadcast(matrices_before(a), matrices_before(b), out);
    fits = fits && a[a.rank() - (layer.transpose_a ? 2 : 1)] == b[b.rank() - (layer.transpose_b ? 1 : 2)];
    if (!fits) {
        detail::fail_pair(node,
                          "matrices [.., m, k] and [.., k, n] of one element are expected (or transposed, as the layer says), "
                          "and axes before them that are equal or 1");
    }
    out[out.rank() - 2] = a[a.rank() - (layer.transpose_a ? 1 : 2)];
    out[out.rank() - 1] = b[b.rank() - (layer.transpose_b ? 2 : 1)];
    node.output(out, element);
}

namespace detail {

/// The kernels' geometry of a convolution between two image values.
template <class Layer>
ConvGeometry conv_geometry(const Layer& layer, const Shape& in, const Shape& out, std::size_t groups) {
    const Shape& w = layer.weight.shape();
    ConvGeometry g;
    g.batch = narrow<std::int32_t>(in[0]);
    g.in_height = narrow<std::int32_t>(in[1]);
    g.in_width = narrow<std::int32_t>(in[2]);
    g.in_channels = narrow<std::int32_t>(in[3]);
    g.out_height = narrow<std::int32_t>(out[1]);
    g.out_width = narrow<std::int32_t>(out[2]);
    g.out_channels = narrow<std::int32_t>(out[3]);
    g.kernel_height = narrow<std::int32_t>(w[1]);
    g.kernel_width = narrow<std::int32_t>(w[2]);
    g.stride_height = narrow<std::int32_t>(layer.stride.height);
    g.stride_width = narrow<std::int32_t>(layer.stride.width);
    g.dilation_height = narrow<std::int32_t>(layer.dilation.height);
    g.dilation_width = narrow<std::int32_t>(layer.dilation.width);
    g.pad_top = narrow<std::int32_t>(layer.padding.top);
    g.pad_left = narrow<std::int32_t>(layer.padding.left);
    g.groups = narrow<std::int32_t>(groups);
    return g;
}

}  // namespace detail

/// Conv2d's geometry; in and out are the node's values' shapes.
template <class P>
ConvGeometry geometry(const Conv2d<P>& layer, const Shape& in, const Shape& out) {
    return detail::conv_geometry(layer, in, out, layer.groups);
}

inline ConvGeometry geometry(const ConvInteger2d& layer, const Shape& in, const Shape& out) {
    return detail::conv_geometry(layer, in, out, layer.groups);
}

/// groups = in_channels
template <class P>
ConvGeometry geometry(const DepthwiseConv2d<P>& layer, const Shape& in, const Shape& out) {
    return detail::conv_geometry(layer, in, out, in[3]);
}

/// Of the convolution whose transpose it is: from the output's shape to the input's.
template <class P>
ConvGeometry geometry(const TransposeConv2d<P>& layer, const Shape& in, const Shape& out) {
    return detail::conv_geometry(layer, out, in, layer.groups);
}

/// A 1x1 convolution of a 1x1 image; the rows are the batch.
template <class P>
ConvGeometry geometry(const Dense<P>&, const Shape& in, const Shape& out) {
    ConvGeometry g;
    g.batch = narrow<std::int32_t>(in.elements() / in.back());
    g.in_channels = narrow<std::int32_t>(in.back());
    g.out_channels = narrow<std::int32_t>(out.back());
    return g;
}

MOTE_END_NAMESPACE
