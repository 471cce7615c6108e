// SPDX-License-Identifier: MIT
#pragma once
// Import of ONNX convolutions, the transposed one too, over one to three image axes. Of a volume the slices that the kernel's
// depth takes in are gathered as channels of one image, so that a convolution of images does the rest.

#include <mote/io/onnx/detail/import_resize.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_import {

class Convolution : protected Resizing {
  public:
    using Resizing::Resizing;

  protected:
    Tensor<f32> optional_bias(std::size_t place, std::size_t channels) {
        if (!has_input(place)) return {};
        return constant(place, "bias").reals(Shape{channels}, budget_);
    }
    /// A weight with extents 1 for the image axes that it lacks of three.
    static Dims three_axes(Dims dims) {
        while (dims.size() < 5) dims.insert(dims.begin() + 2, 1);
        return dims;
    }
    std::size_t groups_of(const Dims& dims) const {
        const std::int64_t group = integer_attribute(*node_, "group", 1);
        if (group < 1 || group > largest_window || dims[1] % static_cast<std::size_t>(group) != 0)
            fail("its group is ", group, "; groups that divide the ", dims[1], " channels are expected");
        return static_cast<std::size_t>(group);
    }
    void expect_weight(const Dims& w, const Dims& x) const {
        expect_image(x);
        if (w.size() != x.size() || elements_of(w) == 0)
            fail("its weight is [", dims_text(w), "] and its input [", dims_text(x),
                 "]; one rank, and no empty axis, is expected");
    }

    /// Slices of a volume's depth: `rows` times `taps` of them; -1 stands for one of zeros.
    struct DepthTaps {
        std::size_t rows = 1, taps = 1;
        std::vector<std::int64_t> slices{};
    };
    /// Images of batch * rows, in whose channels the slices of a row lie side by side, group by group. Of an image itself.
    ValueId with_depth(Item& x, const DepthTaps& depth, std::size_t groups) {
        if (x.rank() < 5) return images(x);
        ValueId id = arranged(x, Layout::channels_last(5));
        const Shape s = shape(id);
        Tensor<i32> indices({depth.rows, depth.taps});
        bool moves = depth.rows * depth.taps != s[1], zeros = false;
        for (std::size_t i = 0; i < indices.elements(); ++i) {
            zeros = zeros || depth.slices[i] < 0;
            moves = moves || depth.slices[i] != static_cast<std::int64_t>(i);
            indices[i] = depth.slices[i] < 0 ? narrow<std::int32_t>(s[1]) : narrow<std::int32_t>(depth.slices[i]);
        }
        if (zeros) id = add(Pad{.before = Dims(5, 0), .after = {0, 1, 0, 0, 0}}, {id});
        if (moves) id = add(Gather{1, std::move(indices)}, {id});
        if (depth.taps > 1) {
            id = reshape(id, {s[0], depth.rows, depth.taps, s[2] * s[3], groups, s[4] / groups});
            id = add(Transpose{{0, 1, 3, 4, 2, 5}}, {id});
        }
        return reshape(id, {s[0] * depth.rows, s[2], s[3], depth.taps * s[4]});
    }

    void conv() {
        Item& x = computed(0);
        const Dims dims = x.dims();
        Constant w = constant(1, "weight");
        expect_weight(w.dims, dims);
        std::vector<WindowAxis> axes = window(dims, Dims(w.dims.begin() + 2, w.dims.end()));
        const std::size_t groups = groups_of(dims), out = w.dims[0], channels = dims[1];
        w.dims = three_axes(w.dims);
        axes.insert(axes.begin(), 3 - axes.size(), WindowAxis{});
        const DepthTaps depth = dims.size() < 5 ? DepthTaps{} : depth_taps(dims[2], axes[0]);
        const Shape to{out, w.dims[3], w.dims[4], w.dims[2] * w.dims[1]};
        const bool depthwise = groups > 1 && groups == channels && to[3] == 1 && out % channels == 0;
        const auto bound = [&](auto weight, auto bias, Item& from, const Quantization& q) {
            using P = std::conditional_t<std::is_same_v<decltype(weight), Tensor<i8>>, i8, f32>;
            const ValueId in = with_depth(from, depth, groups);
            const auto bind_layer = [&](auto layer) {
                layer.weight = std::move(weight);
                layer.bias = std::move(bias);
                layer.stride = {axes[1].stride, axes[2].stride};
                layer.dilation = {axes[1].dilation, axes[2].dilation};
                layer.padding = padding_of(axes[1], axes[2]);
                bind(image_form(add(std::move(layer), {in}, q), dims.size(), dims[0]));
            };
            if (depthwise) {
                bind_layer(DepthwiseConv2d<P>{.multiplier = out / channels});
            } else {
                bind_layer(Conv2d<P>{.groups = groups});
            }
        };
        const Dims order{0, 3, 4, 2, 1};
        Tensor<f32> bias = optional_bias(2, out);
        if (std::optional<ByteContraction> b = byte_contraction(0)) {
            b->weight.dims = w.dims;
            Tensor<i8> weight = b->tensor(transposed(b->weight, order, budget_), to);
            return bound(std::move(weight), byte_bias(*b, 2, bias), b->x, b->output);
        }
        bound(transposed(w, order, budget_).reals(to, budget_), std::move(bias), x, {});
    }
    DepthTaps depth_taps(std::size_t extent, const WindowAxis& axis) const {
        const std::size_t padded = extent + axis.before + axis.after, reach = (axis.kernel - 1) * axis.dilation + 1;
        if (reach > padded) fail("its window covers ", reach, " slices but the padded volume has only ", padded);
        DepthTaps depth{(padded - reach) / axis.stride + 1, axis.kernel, {}};
        expect_slices(depth);
        for (std::size_t row = 0; row < depth.rows; ++row) {
            for (std::size_t tap = 0; tap < depth.taps; ++tap) {
                const std::size_t at = row * axis.stride + tap * axis.dilation;
                const bool inside = at >= axis.before && at - axis.before < extent;
                depth.slices.push_back(inside ? static_cast<std::int64_t>(at - axis.before) : -1);
            }
        }
        return depth;
    }
    void expect_slices(const DepthTaps& depth) const {
        if (depth.rows > largest_window / depth.taps)
            fail("its depth takes ", depth.rows, " times ", depth.taps, " slices; up to 2^24 are supported");
    }

    // ----------------------------------------------------------------------------------------- transposed convolution

    /// One axis: what is cut off of the whole output before and after, and what is added behind.
    struct TransposedAxis {
        std::size_t kernel = 1, stride = 1, dilation = 1, before = 0, after = 0, more = 0;
        std::size_t outputs(std::size_t in) const {
            const std::size_t whole = (in - 1) * stride + (kernel - 1) * dilation + 1 + more;
            return whole > before + after ? whole - before - after : 0;
        }
    };
    std::vector<TransposedAxis> transposed_axes(const Dims& dims, const Dims& kernel) const {
        const std::size_t axes = dims.size() - 2;
        const std::vector<std::int64_t> stride = sizes("strides", axes, 1, 1), dilation = sizes("dilations", axes, 1, 1),
                                        more = sizes("output_padding", axes, 0, 0), pads = sizes("pads", 2 * axes, 0, 0),
                                        wanted = integers_attribute(*node_, "output_shape");
        const std::string automatic = text_attribute(*node_, "auto_pad", "NOTSET");
        const bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
        if (!same && automatic != "NOTSET" && !automatic.empty() && automatic != "VALID")
            fail("its auto_pad is '", onnx::printable(automatic), "'");
        if (!wanted.empty() && wanted.size() < axes)
            fail("its output_shape has ", wanted.size(), " extents; ", axes, " are expected");
        std::vector<TransposedAxis> result;
        for (std::size_t i = 0; i < axes; ++i) {
            if (dims[i + 2] > std::size_t{1} << 31 || kernel[i] > std::size_t{1} << 24)
                fail("an extent of ", dims[i + 2], " under a kernel of ", kernel[i], " is beyond what is supported");
            TransposedAxis a{kernel[i], static_cast<std::size_t>(stride[i]), static_cast<std::size_t>(dilation[i])};
            a.more = static_cast<std::size_t>(more[i]);
            if (same || !wanted.empty()) {
                const auto extent = static_cast<std::int64_t>(dims[i + 2]);
                const std::int64_t out = wanted.empty() ? extent * stride[i] : wanted[wanted.size() - axes + i];
                if (out < 1 || out > largest_window) fail("its output_shape holds ", out);
                const std::int64_t total = static_cast<std::int64_t>(a.outputs(dims[i + 2])) - out;
                if (total < 0) a.more += static_cast<std::size_t>(-total);
                const std::size_t cut = total < 0 ? 0 : static_cast<std::size_t>(total);
                a.before = automatic == "SAME_UPPER" ? cut / 2 : cut - cut / 2;
                a.after = cut - a.before;
            } else if (automatic != "VALID") {
                a.before = static_cast<std::size_t>(pads[i]);
                a.after = static_cast<std::size_t>(pads[i + axes]);
            }
            result.push_back(a);
        }
        return result;
    }
    /// The slices that output rows first, first + stride, ... are made of, and the taps of the kernel's depth that meet them.
    struct TransposedRows {
        DepthTaps depth;
        std::size_t first_tap = 0, tap_step = 1;
    };
    TransposedRows transposed_rows(std::size_t extent, const TransposedAxis& axis, std::size_t first) const {
        TransposedRows rows;
        const std::size_t outputs = axis.outputs(extent);
        std::vector<std::size_t> taps;
        for (std::size_t k = 0; k < axis.kernel; ++k) {
            const std::size_t row = first + axis.before;
            if ((row % axis.stride) == k * axis.dilation % axis.stride) taps.push_back(k);
        }
        rows.first_tap = taps.empty() ? 0 : taps[0];
        rows.tap_step = taps.size() < 2 ? 1 : taps[1] - taps[0];
        rows.depth = {(outputs - first + axis.stride - 1) / axis.stride, std::max<std::size_t>(1, taps.size()), {}};
        expect_slices(rows.depth);
        for (std::size_t row = first; row < outputs; row += axis.stride) {
            for (const std::size_t k : taps) {
                const auto away = static_cast<std::int64_t>(row + axis.before) - static_cast<std::int64_t>(k * axis.dilation);
                const std::int64_t slice = away / static_cast<std::int64_t>(axis.stride);
                rows.depth.slices.push_back(away >= 0 && slice < static_cast<std::int64_t>(extent) ? slice : -1);
            }
            if (taps.empty()) rows.depth.slices.push_back(-1);
        }
        return rows;
    }

    void conv_transpose() {
        Item& x = computed(0);
        const Dims dims = x.dims();
        Constant w = constant(1, "weight");
        expect_weight(w.dims, dims);
        const std::size_t groups = groups_of(dims), out = w.dims[1] * groups;
        if (w.dims[0] != dims[1]) fail("its weight [", dims_text(w.dims), "] does not fit ", dims[1], " channels");
        std::vector<TransposedAxis> axes = transposed_axes(dims, Dims(w.dims.begin() + 2, w.dims.end()));
        axes.insert(axes.begin(), 3 - axes.size(), TransposedAxis{});
        const Tensor<f32> bias = optional_bias(2, out);
        std::optional<ByteContraction> b = byte_contraction(1);
        if (!b)
            return bind(transposed_convolution<f32>(
                x, w, bias, axes, groups, {}, [&](const Constant& part, const Shape& to) { return part.reals(to, budget_); }));
        const std::vector<float> each = b->scales;  // the channels' of a group are those of all
        for (std::size_t group = 1; group < groups && each.size() > 1; ++group)
            b->scales.insert(b->scales.end(), each.begin(), each.end());
        const Tensor<i32> steps = byte_bias(*b, 2, bias);
        bind(transposed_convolution<i8>(b->x, b->weight, steps, axes, groups, b->output,
                                        [&](const Constant& part, const Shape& to) { return b->tensor(part, to); }));
    }
    /// weight_of(constant, shape) makes a weight of the layer.
    template <class P, class WeightOf>
    Form transposed_convolution(Item& x, const Constant& w, const Tensor<typename P::bias>& bias,
                                const std::vector<TransposedAxis>& axes, std::size_t groups, const Quantization& q,
                                const WeightOf& weight_of) {
        const Dims dims = x.dims(), kernel = three_axes(w.dims);
        const TransposedAxis &d = axes[0], &h = axes[1], &v = axes[2];
        const bool volume = dims.size() == 5;
        const std::size_t in = dims[1] / groups, out = kernel[1], outputs = volume ? d.outputs(dims[2]) : 1;
        if (outputs == 0) fail("its padding cuts off the whole output");
        if (d.stride > 64) fail("its stride over depth is ", d.stride, "; up to 64 are supported");  // each phase is a layer
        const auto strides = strides_of({groups, in, out, kernel[2], kernel[3], kernel[4]});
        std::vector<ValueId> parts;
        Tensor<i32> order(Shape{outputs});
        std::int32_t row = 0;
        for (std::size_t first = 0; first < std::min(d.stride, outputs); ++first) {
            const TransposedRows rows = volume ? transposed_rows(dims[2], d, first) : TransposedRows{};
            const std::size_t taps = rows.depth.taps;
            const Constant part = walked(w, {groups, out, kernel[3], kernel[4], taps, in},
                                         {strides[0], strides[2], strides[4], strides[5],
                                          strides[3] * static_cast<std::int64_t>(rows.tap_step), strides[1]},
                                         strides[3] * static_cast<std::int64_t>(rows.first_tap), budget_);
            TransposeConv2d<P> layer{.weight = weight_of(part, {groups * out, kernel[3], kernel[4], taps * in}), .bias = bias};
            layer.stride = {h.stride, v.stride};
            layer.dilation = {h.dilation, v.dilation};
            layer.padding = {h.before, h.after, v.before, v.after};
            layer.output_padding = {h.more, v.more};
            layer.groups = groups;
            parts.push_back(add(std::move(layer), {with_depth(x, rows.depth, groups)}, q));
            for (std::size_t at = first; volume && at < outputs; at += d.stride) order[at] = row++;
        }
        if (parts.size() == 1) return image_form(parts[0], dims.size(), dims[0]);
        for (ValueId& id : parts) {
            const Shape s = shape(id);
            id = reshape(id, {dims[0], s[0] / dims[0], s[1], s[2], s[3]});
        }
        const ValueId all = add(Gather{1, std::move(order)}, {add(Concat{1}, parts)});
        const Shape s = shape(all);
        return {all, Layout(Dims{s[0], s[4], s[1], s[2], s[3]}, Layout::channels_last(5))};
    }
};

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
