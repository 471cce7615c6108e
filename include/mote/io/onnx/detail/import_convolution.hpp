// SPDX-License-Identifier: MIT
#pragma once
// Import of ONNX convolutions, the transposed one too.

#include <mote/io/onnx/detail/import_windows.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_import {

class Convolution : protected Windows {
  public:
    using Windows::Windows;

  protected:
    Tensor<f32> optional_bias(std::size_t place, std::size_t channels) {
        if (!has_input(place)) return {};
        return constant(place, "bias").reals(Shape{channels}, budget_);
    }
    void conv() {
        Item& x = computed(0);
        Constant w = constant(1, "weight");
        const std::size_t rank = x.rank();
        if (w.dims.size() != rank)
            fail("its weight is [", dims_text(w.dims), "] and its input [", dims_text(x.dims()), "]; one rank is expected");
        if (rank == 5) fail("three-dimensional convolution: no layer for it");
        const ValueId in = image(x);
        const std::size_t out = w.dims[0], channels = x.dims()[1];
        if (elements_of(w.dims) == 0) fail("its weight is empty");
        const std::vector<WindowAxis> axes = window(x.dims(), Dims(w.dims.begin() + 2, w.dims.end()));
        const WindowAxis h = rank == 3 ? WindowAxis{} : axes[0], v = axes.back();
        const std::int64_t group = integer_attribute(*node_, "group", 1);
        if (group < 1 || group > largest_window) fail("its group is ", group, "; 1 or more is expected");
        const auto groups = static_cast<std::size_t>(group);
        if (rank == 3) w.dims.insert(w.dims.begin() + 2, 1);
        const Shape to{out, w.dims[2], w.dims[3], w.dims[1]};
        const bool depthwise = groups > 1 && groups == channels && w.dims[1] == 1 && out % channels == 0;
        const auto bound = [&](auto weight, auto bias, ValueId from, const Quantization& q) {
            using P = std::conditional_t<std::is_same_v<decltype(weight), Tensor<i8>>, i8, f32>;
            if (depthwise) {
                DepthwiseConv2d<P> layer{.weight = std::move(weight), .bias = std::move(bias), .multiplier = out / channels};
                bind_image(add(with_window(std::move(layer), h, v), {from}, q), rank);
            } else {
                Conv2d<P> layer{.weight = std::move(weight), .bias = std::move(bias), .groups = groups};
                bind_image(add(with_window(std::move(layer), h, v), {from}, q), rank);
            }
        };
        Tensor<f32> bias = optional_bias(2, out);
        if (std::optional<ByteContraction> b = byte_contraction(0)) {
            b->weight.dims = w.dims;
            const Tensor<i8> weight = b->tensor(transposed(b->weight, {0, 2, 3, 1}, budget_), to);
            const Tensor<i32> steps = byte_bias(*b, 2, bias);
            return bound(weight, steps, image(b->x), b->output);
        }
        bound(transposed(w, {0, 2, 3, 1}, budget_).reals(to, budget_), std::move(bias), in, {});
    }
    template <class L>
    static L with_window(L layer, const WindowAxis& h, const WindowAxis& w) {
        layer.stride = {h.stride, w.stride};
        layer.dilation = {h.dilation, w.dilation};
        layer.padding = padding_of(h, w);
        return layer;
    }

    // ----------------------------------------------------------------------------------------- transposed convolution

    /// One axis of a transposed convolution as a convolution: `spread` - 1 zeros follow (or precede) each pixel, and so many
    /// more stand before and after them all.
    struct SpreadAxis {
        std::size_t spread = 1, dilation = 1, before = 0, after = 0;
        bool zeros_first = false;
    };
    SpreadAxis spread_axis(std::size_t in, std::size_t kernel, std::size_t i, std::size_t axes) const {
        if (in > std::size_t{1} << 31 || kernel > std::size_t{1} << 24)
            fail("an extent of ", in, " under a kernel of ", kernel, " is beyond what is supported");
        const std::int64_t stride = sizes("strides", axes, 1, 1)[i], dilation = sizes("dilations", axes, 1, 1)[i];
        const std::int64_t more = sizes("output_padding", axes, 0, 0)[i],
                           reach = (static_cast<std::int64_t>(kernel) - 1) * dilation;
        const std::string automatic = text_attribute(*node_, "auto_pad", "NOTSET");
        const bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
        const std::vector<std::int64_t> pads = sizes("pads", 2 * axes, 0, 0);
        std::int64_t first = automatic == "VALID" ? 0 : pads[i], last = automatic == "VALID" ? 0 : pads[i + axes];
        if (same || node_->attribute("output_shape") != nullptr) {
            const std::vector<std::int64_t> wanted = integers_attribute(*node_, "output_shape");
            const auto extent = static_cast<std::int64_t>(in);
            if (!wanted.empty() && wanted.size() < axes)
                fail("its output_shape has ", wanted.size(), " extents; ", axes, " are expected");
            const std::int64_t out = wanted.empty() ? extent * stride : wanted[wanted.size() - axes + i];
            if (out < 1 || out > largest_window) fail("its output_shape holds ", out);
            const std::int64_t total = stride * (extent - 1) + more + reach + 1 - out;
            first = automatic == "SAME_UPPER" || !same ? total / 2 : total - total / 2;
            last = total - first;
        }
        SpreadAxis a;
        a.spread = static_cast<std::size_t>(stride);
        a.dilation = static_cast<std::size_t>(dilation);
        std::int64_t before = reach - first, after = reach - last + more;
        (after >= stride - 1 ? after : before) -= stride - 1;
        a.zeros_first = reach - last + more < stride - 1;
        if (before < 0 || after < 0) fail("its padding cuts off whole pixels; no layer for it");
        a.before = static_cast<std::size_t>(before);
        a.after = static_cast<std::size_t>(after);
        return a;
    }
    /// Zeros between the pixels, then a convolution with the kernel turned about: every product that the transposed one has,
    /// and those with the zeros.
    void conv_transpose() {
        Item& x = computed(0);
        Constant w = constant(1, "weight");
        const std::size_t rank = x.rank();
        if (rank < 3 || rank > 4 || w.dims.size() != rank) {
            fail("its weight is [", dims_text(w.dims), "] and its input [", dims_text(x.dims()),
                 "]; one or two image axes are supported");
        }
        const std::int64_t group = integer_attribute(*node_, "group", 1);
        const std::size_t channels = x.dims()[1];
        if (group < 1 || w.dims[0] != channels || channels % static_cast<std::size_t>(group) != 0 || elements_of(w.dims) == 0) {
            fail("its weight [", dims_text(w.dims), "] in ", group, " groups does not fit ", channels, " channels");
        }
        const auto groups = static_cast<std::size_t>(group);
        const SpreadAxis h = rank == 3 ? SpreadAxis{} : spread_axis(x.dims()[2], w.dims[2], 0, 2);
        const SpreadAxis v = spread_axis(x.dims()[rank - 1], w.dims[rank - 1], rank - 3, rank - 2);
        if (rank == 3) w.dims.insert(w.dims.begin() + 2, 1);
        const std::size_t in = channels / groups, each = w.dims[1], height = w.dims[2], width = w.dims[3];
        budget_.take(4 * w.count());
        Tensor<f32> weight({each * groups, height, width, in});
        for (std::size_t o = 0, to = 0; o < each * groups; ++o) {
            for (std::size_t tap = height * width; tap-- > 0;) {
                for (std::size_t i = 0; i < in; ++i, ++to) {
                    weight[to] = static_cast<float>(w.real(((o / each * in + i) * each + o % each) * height * width + tap));
                }
            }
        }
        ValueId id = image(x);
        const Shape s = shape(id);
        if (h.spread > 1 || v.spread > 1) {
            Pad zeros{.before = Dims(6, 0), .after = Dims(6, 0)};
            (h.zeros_first ? zeros.before : zeros.after)[2] = h.spread - 1;
            (v.zeros_first ? zeros.before : zeros.after)[4] = v.spread - 1;
            id = add(std::move(zeros), {reshape(id, {s[0], s[1], 1, s[2], 1, s[3]})});
            id = reshape(id, {s[0], s[1] * h.spread, s[2] * v.spread, s[3]});
        }
        bind_image(add(Conv2d<f32>{std::move(weight),
                                   optional_bias(2, each * groups),
                                   {1, 1},
                                   {h.dilation, v.dilation},
                                   {h.before, h.after, v.before, v.after},
                                   groups},
                       {id}),
                   rank);
    }
};

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
