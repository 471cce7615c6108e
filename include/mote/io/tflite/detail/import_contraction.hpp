// SPDX-License-Identifier: MIT
#pragma once
// Import of TensorFlow Lite's operators with weights: convolutions, transposed ones, and fully connected layers.

#include <mote/io/tflite/detail/import_recurrent.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::tflite_import {

class Contraction : protected Recurrent {
  public:
    using Recurrent::Recurrent;

  protected:
    static constexpr std::string_view mediapipe_transpose_conv = "Convolution2DTransposeBias";

    Padding2d window_padding(Handle x, Padding kind, Size2d kernel, Size2d stride, Size2d dilation = {}) const {
        const Shape& in = shape(x);
        if (in.rank() != 4) refuse("its input is [", to_string(in), "]; [batch, height, width, channels] is expected");
        return kind == Padding::same ? same_padding({in[1], in[2]}, kernel, stride, dilation) : valid_padding();
    }
    Size2d size(std::int32_t height, std::int32_t width, const char* what) const {
        if (height < 1 || width < 1) refuse("its ", what, " is ", height, " x ", width, "; at least 1 is expected");
        return {static_cast<std::size_t>(height), static_cast<std::size_t>(width)};
    }

    /// Where a contraction's operands stand among its operator's inputs, and the weight's axis of output channels.
    struct Operands {
        std::size_t input = 0, weight = 1, bias = 2;
        std::size_t axis = 0;
    };
    /// A contraction in the precision of its input; the axis of output channels moves to the front.
    template <template <class> class L, class Fill>
    void contraction(Operands at, Handle x, Activation activation, const Fill& fill) {
        const std::int32_t out = output_id();
        const bool biased = inputs() > at.bias && op_->inputs[at.bias] >= 0;
        if (supported_element(tensor(input_id(at.input))) == Element::i8) {
            L<i8> layer;
            layer.weight = constants_.weight(index(input_id(at.weight)), at.axis);
            if (biased) layer.bias = constants_.bias(index(input_id(at.bias)));
            fill(layer);
            if (std::ranges::count(std::as_const(layer.weight).values(), std::int8_t{-128}) != 0) {
                return real_contraction<L>(at, x, activation, std::as_const(layer.bias), fill);
            }
            bind(activate(add(std::move(layer), {x}, quantization_of(out)), activation));
        } else {
            L<f32> layer;
            layer.weight = constants_.front(constants_.reals(index(input_id(at.weight))), at.axis);
            if (biased) layer.bias = constants_.reals(index(input_id(at.bias)));
            fill(layer);
            bind(activate(add(std::move(layer), {x}), activation));
        }
    }
    /// The same on real numbers, between Converts: of weights with -128, which mote's integer kernels do not take.
    template <template <class> class L, class Fill>
    void real_contraction(Operands at, Handle x, Activation activation, const Tensor<i32>& bias, const Fill& fill) {
        L<f32> layer;
        layer.weight = constants_.front(constants_.reals(index(input_id(at.weight))), at.axis);
        const std::span<const float> scales = tensor(input_id(at.weight)).quantization.scale;
        if (!bias.empty() &&
            (bias.elements() != layer.weight.shape()[0] || (scales.size() != 1 && scales.size() < bias.elements())))
            refuse("its bias has ", bias.elements(), " values; one an output channel is expected");
        if (!bias.empty()) layer.bias = Tensor<f32>(bias.shape());
        for (std::size_t c = 0; c < bias.elements(); ++c) {
            const double scale = static_cast<double>(scales[scales.size() == 1 ? 0 : c]);
            layer.bias[c] = static_cast<float>(bias[c] * scale * static_cast<double>(params_of(input_id(at.input)).scale));
        }
        fill(layer);
        const Handle y = add(std::move(layer), {add(Convert{Element::f32}, {x})});
        bind(activate(add(Convert{Element::i8}, {y}, quantization_of(output_id())), activation));
    }
    void conv_2d_op() {
        const Handle x = input(0);
        const Shape& w = tensor(input_id(1)).shape;
        if (w.rank() != 4) refuse("its weights are [", to_string(w), "]; rank 4 is expected");
        const Size2d stride = size(op_->option(conv_2d::stride_h), op_->option(conv_2d::stride_w), "stride");
        const Size2d dilation = size(op_->option(conv_2d::dilation_h), op_->option(conv_2d::dilation_w), "dilation");
        const Padding2d padding = window_padding(x, op_->option(conv_2d::padding), {w[1], w[2]}, stride, dilation);
        const std::size_t groups = w[3] == 0 ? 1 : std::max<std::size_t>(1, shape(x)[3] / w[3]);
        contraction<Conv2d>({}, x, op_->option(conv_2d::activation), [&](auto& layer) {
            layer.stride = stride, layer.dilation = dilation, layer.padding = padding, layer.groups = groups;
        });
    }
    void depthwise_conv_2d_op() {
        const Handle x = input(0);
        const Shape& w = tensor(input_id(1)).shape;
        if (w.rank() != 4 || w[0] != 1)
            refuse("its weights are [", to_string(w), "]; [1, height, width, channels] is expected");
        const Size2d stride =
            size(op_->option(depthwise_conv_2d::stride_h), op_->option(depthwise_conv_2d::stride_w), "stride");
        const Size2d dilation =
            size(op_->option(depthwise_conv_2d::dilation_h), op_->option(depthwise_conv_2d::dilation_w), "dilation");
        const Padding2d padding = window_padding(x, op_->option(depthwise_conv_2d::padding), {w[1], w[2]}, stride, dilation);
        const std::size_t in = shape(x)[3];
        if (in == 0 || w[3] % in != 0) refuse("its ", w[3], " channels are no multiple of the input's ", in);
        contraction<DepthwiseConv2d>({.axis = 3}, x, op_->option(depthwise_conv_2d::activation), [&](auto& layer) {
            layer.stride = stride, layer.dilation = dilation, layer.padding = padding, layer.multiplier = w[3] / in;
        });
    }
    void fully_connected_op() {
        Handle x = input(0);
        const Shape& w = tensor(input_id(1)).shape;
        if (w.rank() != 2) refuse("its weights are [", to_string(w), "]; [out, in] is expected");
        if (op_->option(fully_connected::weights_format) != WeightsFormat::dense)
            refuse("its weights are shuffled; dense ones are supported");
        if (shape(x).rank() != 2 && !(op_->option(fully_connected::keep_num_dims) && shape(x).back() == w[1])) {
            x = add(Reshape{{-1, static_cast<std::int64_t>(w[1])}}, {x}, quantization_of(input_id(0)));
        }
        contraction<Dense>({}, x, op_->option(fully_connected::activation), [](auto&) {});
    }

    /// Inputs: the output's shape, the weights, the image, and since version 3 a bias.
    void transpose_conv_op() {
        const Size2d stride = size(op_->option(transpose_conv::stride_h), op_->option(transpose_conv::stride_w), "stride");
        transposed_convolution({.input = 2, .weight = 1, .bias = 3}, stride, op_->option(transpose_conv::padding),
                               op_->option(transpose_conv::activation));
    }
    /// MediaPipe's: image, weights, bias; its options are three integers: padding (1 same, 2 valid), columns and rows of
    /// stride.
    void mediapipe_transpose_conv_op() {
        std::int32_t options[3] = {};
        if (op_->custom_options.size() != sizeof options)
            refuse("its options have ", op_->custom_options.size(), " bytes; ", sizeof options, " are expected");
        std::memcpy(options, op_->custom_options.data(), sizeof options);
        if (options[0] != 1 && options[0] != 2) refuse("its padding is ", options[0], "; 1 and 2 are supported");
        transposed_convolution({}, size(options[2], options[1], "stride"), options[0] == 1 ? Padding::same : Padding::valid,
                               Activation::none);
    }
    /// The output's extents follow from its tensor; what the whole output has more of them is cut off, the odd row behind.
    void transposed_convolution(Operands at, Size2d stride, Padding padding, Activation activation) {
        const Handle x = input(at.input);
        const Shape &in = shape(x), &out = tensor(output_id()).shape, &w = tensor(input_id(at.weight)).shape;
        if (in.rank() != 4 || out.rank() != 4 || w.rank() != 4 || w.elements() * in.elements() == 0 || w[3] != in[3])
            refuse("its weights are [", to_string(w), "] and its input [", to_string(in),
                   "]; [out, height, width, in] and [batch, height, width, in] are expected");
        struct Cut {
            std::size_t before, after, more;
        };
        const auto cut = [&](std::size_t axis, std::size_t step) -> Cut {
            const std::size_t whole = (in[axis] - 1) * step + w[axis];
            if (whole <= out[axis]) return {0, 0, out[axis] - whole};
            const std::size_t before = padding == Padding::same ? (whole - out[axis]) / 2 : 0;
            return {before, whole - out[axis] - before, 0};
        };
        const Cut rows = cut(1, stride.height), columns = cut(2, stride.width);
        contraction<TransposeConv2d>(at, x, activation, [&](auto& layer) {
            layer.stride = stride;
            layer.padding = {rows.before, rows.after, columns.before, columns.after};
            layer.output_padding = {rows.more, columns.more};
        });
    }
};

}  // namespace detail::tflite_import

MOTE_END_NAMESPACE
