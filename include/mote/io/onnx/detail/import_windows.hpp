// SPDX-License-Identifier: MIT
#pragma once
// Import of ONNX operators with a window over an image: pooling and resizing.

#include <mote/io/onnx/detail/import_normalization.hpp>
#include <mote/model/infer/reduction.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_import {

/// A window along one axis of an image. `beyond` is padding behind that no mean counts: a rounded-up last place.
struct WindowAxis {
    std::size_t kernel = 1, stride = 1, dilation = 1, before = 0, after = 0, beyond = 0;
};

class Windows : protected Normalization {
  public:
    using Normalization::Normalization;

  protected:
    static constexpr std::int64_t largest_window = 1 << 24;

    std::vector<std::int64_t> sizes(const char* name, std::size_t count, std::int64_t least, std::int64_t otherwise) const {
        std::vector<std::int64_t> result = integers_attribute(*node_, name);
        if (result.empty()) result.assign(count, otherwise);
        if (result.size() != count) fail("its ", name, " has ", result.size(), " numbers; ", count, " are expected");
        for (const std::int64_t n : result) {
            if (n < least || n > largest_window)
                fail("its ", name, " holds ", n, "; ", least, " to ", largest_window, " are supported");
        }
        return result;
    }

    /// The node's window over the image axes of `dims`; its kernel is `kernel` where the attribute is not given.
    std::vector<WindowAxis> window(const Dims& dims, const Dims& kernel) const {
        const std::size_t axes = dims.size() - 2;
        const std::vector<std::int64_t> stride = sizes("strides", axes, 1, 1), dilation = sizes("dilations", axes, 1, 1),
                                        pads = sizes("pads", 2 * axes, 0, 0), extent = sizes("kernel_shape", axes, 1, 1);
        const std::string automatic = text_attribute(*node_, "auto_pad", "NOTSET");
        const bool ceil_mode = integer_attribute(*node_, "ceil_mode", 0) != 0;
        std::vector<WindowAxis> result;
        for (std::size_t i = 0; i < axes; ++i) {
            WindowAxis a;
            a.kernel = kernel.empty() ? static_cast<std::size_t>(extent[i]) : kernel[i];
            a.stride = static_cast<std::size_t>(stride[i]);
            a.dilation = static_cast<std::size_t>(dilation[i]);
            const std::size_t in = dims[i + 2], covered = (a.kernel - 1) * a.dilation + 1;
            if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
                const Padding2d same = same_padding({in, 1}, {a.kernel, 1}, {a.stride, 1}, {a.dilation, 1});
                a.before = automatic == "SAME_UPPER" ? same.top : same.bottom;
                a.after = automatic == "SAME_UPPER" ? same.bottom : same.top;
            } else if (automatic == "NOTSET" || automatic.empty()) {
                a.before = static_cast<std::size_t>(pads[i]);
                a.after = static_cast<std::size_t>(pads[i + axes]);
            } else if (automatic != "VALID") {
                fail("its auto_pad is '", onnx::printable(automatic), "'");
            }
            const std::size_t padded = in + a.before + a.after;
            if (ceil_mode && padded >= covered) {
                std::size_t outputs = (padded - covered + a.stride - 1) / a.stride + 1;
                if ((outputs - 1) * a.stride >= in + a.before) --outputs;  // no window in padding alone
                const std::size_t reach = (outputs - 1) * a.stride + covered;
                a.beyond = reach > padded ? reach - padded : 0;
            }
            result.push_back(a);
        }
        return result;
    }
    static Padding2d padding_of(const WindowAxis& h, const WindowAxis& w) {
        return {h.before, h.after + h.beyond, w.before, w.after + w.beyond};
    }

    /// [batch, channels, length] is an image of height 1.
    ValueId image(Item& x) {
        const std::size_t rank = x.rank();
        if (rank == 3) return arranged(x, Groups{{0}, {}, {2}, {1}});
        if (rank == 4) return arranged(x, Layout::channels_last(4));
        fail("its input is [", dims_text(x.dims()), "]; one or two axes behind batch and channels are supported");
    }
    Form image_form(ValueId id, std::size_t rank) const {
        const Shape s = shape(id);
        const Dims dims = rank == 3 ? Dims{s[0], s[3], s[2]} : Dims{s[0], s[3], s[1], s[2]};
        return {id, Layout(dims, Layout::channels_last(rank))};
    }
    void bind_image(ValueId id, std::size_t rank) { bind(image_form(id, rank)); }

    template <class Pool>
    ValueId pooled(ValueId x, WindowAxis h, WindowAxis w, bool count_padding) {
        Pool layer{.kernel = {h.kernel, w.kernel}, .stride = {h.stride, w.stride}, .padding = padding_of(h, w)};
        if constexpr (std::is_same_v<Pool, AveragePool2d>) {
            const bool beyond = h.beyond + w.beyond > 0;
            if (count_padding && beyond) {  // the padding that counts becomes pixels
                x = add(Pad{.before = {0, h.before, w.before, 0}, .after = {0, h.after, w.after, 0}}, {x});
                layer.padding = {0, h.beyond, 0, w.beyond};
            }
            layer.count_padding = count_padding && !beyond;
        }
        return add(layer, {x});
    }
    /// Over one to three image axes; three are a window over depth after one over height and width.
    template <class Pool>
    Form pooled(Item& x, bool count_padding) {
        const Dims dims = x.dims();
        if (dims.size() < 3 || dims.size() > 5)
            fail("its input is [", dims_text(dims), "]; one to three image axes are supported");
        const std::vector<WindowAxis> axes = window(dims, {});
        for (const WindowAxis& a : axes) {
            if (a.dilation != 1 && a.kernel != 1) fail("its window is dilated; no layer for it");
        }
        if (dims.size() < 5) {
            const WindowAxis h = dims.size() == 3 ? WindowAxis{} : axes[0];
            return image_form(pooled<Pool>(image(x), h, axes.back(), count_padding), dims.size());
        }
        const Dims order = Layout::channels_last(5);
        const Shape in = shape(arranged(x, order));
        ValueId id = reshape(arranged(x, order), {in[0] * in[1], in[2], in[3], in[4]});
        id = pooled<Pool>(id, axes[1], axes[2], count_padding);
        const Shape flat = shape(id);
        id = reshape(id, {in[0], in[1], flat[1] * flat[2], flat[3]});
        id = pooled<Pool>(id, axes[0], {}, count_padding);
        const std::size_t depth = shape(id)[1];
        id = reshape(id, {in[0], depth, flat[1], flat[2], flat[3]});
        return {id, Layout(Dims{in[0], flat[3], depth, flat[1], flat[2]}, order)};
    }
    template <class Pool>
    void pool() {
        single_output();
        Item& x = computed(0);
        std::optional<Item> bytes = x.rank() < 5 ? bytes_of(0) : std::nullopt;
        if (std::is_same_v<Pool, AveragePool2d> && !next_quantization()) bytes.reset();
        bind(pooled<Pool>(bytes ? *bytes : x, integer_attribute(*node_, "count_include_pad", 0) != 0));
    }
    /// (sum |x|^p)^(1 / p) under the window: the mean, padding counted, times its area.
    void lp_pool() {
        const float p = exponent_of_norm();
        Item powers = powered(function_of(computed(0), UnaryFunction::abs), p);
        float area = 1.0f;
        for (const std::int64_t extent : sizes("kernel_shape", powers.rank() - 2, 1, 1)) area *= static_cast<float>(extent);
        set_item(0, powered(made(scaled(pooled<AveragePool2d>(powers, true), area, 0.0f)), 1.0f / p));
    }
    template <Reduction function>
    void global_pool() {
        Item& x = computed(0);
        std::vector<char> chosen(x.rank(), 1);
        if (x.rank() < 2) fail("its input is [", dims_text(x.dims()), "]; batch and channels are expected");
        chosen[0] = chosen[1] = 0;
        std::optional<Item> bytes = bytes_of(0);
        if (function == Reduction::mean && !next_quantization()) bytes.reset();
        bind(reduced(bytes ? *bytes : x, chosen, function));
    }

    // ------------------------------------------------------------------------------------------------------ resizing

    /// Where a resized axis reads: the places of its new pixels in the old axis.
    std::vector<double> places(std::size_t in, std::size_t out, double scale, const std::string& transform,
                               bool nearest) const {
        std::vector<double> result;
        const auto n = static_cast<double>(in), m = static_cast<double>(out);
        const std::string rounding = text_attribute(*node_, "nearest_mode", "round_prefer_floor");
        for (std::size_t i = 0; i < out; ++i) {
            const auto at = static_cast<double>(i);
            double x = (at + 0.5) / scale - 0.5;
            if (transform == "pytorch_half_pixel" && out == 1) x = 0.0;
            if (transform == "align_corners") x = out == 1 ? 0.0 : at * (n - 1.0) / (scale * n - 1.0);
            if (transform == "asymmetric") x = at / scale;
            if (transform == "tf_half_pixel_for_nn") x = (at + 0.5) / scale;
            if (transform == "half_pixel_symmetric") x += n / 2.0 * (1.0 - m / (scale * n));
            if (nearest) {
                if (opset_ < 11 || rounding == "floor")
                    x = std::floor(x);
                else if (rounding == "ceil")
                    x = std::ceil(x);
                else if (rounding == "round_prefer_ceil")
                    x = std::floor(x + 0.5);
                else
                    x = std::ceil(x - 0.5);
            }
            result.push_back(std::clamp(x, 0.0, n - 1.0));
        }
        return result;
    }
    /// The alignment of mote's layer that reads at these places.
    static std::optional<Alignment> alignment_of(const std::vector<double>& wanted, std::size_t in, bool bilinear) {
        for (const Alignment alignment : {Alignment::half_pixel, Alignment::asymmetric, Alignment::corners}) {
            const std::vector<std::int32_t> have = resize_places(in, wanted.size(), bilinear, alignment);
            bool fits = true;
            for (std::size_t i = 0; fits && i < wanted.size(); ++i) {
                const double place = static_cast<double>(have[2 * i]) + static_cast<double>(have[2 * i + 1]) / 1048576.0;
                fits = std::abs(place - wanted[i]) < 1e-5;
            }
            if (fits) return alignment;
        }
        return std::nullopt;
    }
    void resize() {
        Item x = computed(0);
        if (const std::optional<Item> bytes = bytes_of(0); bytes && next_quantization()) x = *bytes;
        const Dims in = x.dims();
        const std::size_t rank = in.size();
        const bool upsample = node_->op_type == "Upsample";
        const std::size_t scales_at = upsample || opset_ < 11 ? 1 : 2;
        const std::string mode = text_attribute(*node_, "mode", "nearest");
        if (mode != "nearest" && mode != "linear" && mode != "bilinear")
            fail("its mode is '", onnx::printable(mode), "'; nearest and linear are supported");
        const std::string transform =
            opset_ < 11 ? "asymmetric" : text_attribute(*node_, "coordinate_transformation_mode", "half_pixel");
        if (transform == "tf_crop_and_resize") fail("it crops and resizes; no layer for it");
        std::vector<std::int64_t> axes = integers_attribute(*node_, "axes");
        if (axes.empty()) {
            for (std::size_t axis = 0; axis < rank; ++axis) axes.push_back(static_cast<std::int64_t>(axis));
        }
        axes_in(axes, rank);
        std::vector<double> scale(rank, 1.0);
        Dims out = in;
        const auto stated = [&](std::size_t place) {
            std::vector<double> numbers;
            if (has_input(place)) {
                const Constant& c = constant(place, place == 3 ? "sizes" : "scales");
                for (std::size_t i = 0; i < c.count() && i < Shape::max_rank + 1; ++i) numbers.push_back(c.real(i));
            } else if (place == 1 && upsample) {
                for (const float s : node_->attribute("scales") == nullptr ? std::span<const float>()
                                                                           : node_->attribute("scales")->values<float>())
                    numbers.push_back(static_cast<double>(s));
            }
            if (!numbers.empty() && numbers.size() != axes.size())
                fail("it has ", numbers.size(), " scales or sizes; ", axes.size(), " are expected");
            return numbers;
        };
        const std::vector<double> scales = stated(scales_at),
                                  wanted = scales_at == 2 && scales.empty() ? stated(3) : std::vector<double>();
        if (scales.empty() && wanted.empty()) fail("it has neither scales nor sizes");
        for (const double number : scales.empty() ? wanted : scales) {
            if (!(number > 0.0 && number < 1e6))
                fail("a scale or size is ", number, "; one above 0 and below 10^6 is expected");
        }
        const std::string policy = text_attribute(*node_, "keep_aspect_ratio_policy", "stretch");
        double all = policy == "not_larger" ? 1e9 : 0.0;
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            const double s = wanted[i] / static_cast<double>(in[axis_in(axes[i], rank)]);
            all = policy == "not_larger" ? std::min(all, s) : std::max(all, s);
        }
        for (std::size_t i = 0; i < axes.size(); ++i) {
            const std::size_t axis = axis_in(axes[i], rank);
            const auto extent = static_cast<double>(in[axis]);
            if (in[axis] > std::size_t{1} << 20) fail("an extent is ", in[axis], "; up to 2^20 are supported");
            if (!scales.empty()) {
                scale[axis] = scales[i];
                out[axis] = static_cast<std::size_t>(std::floor(extent * scales[i]));
            } else if (policy == "stretch") {
                scale[axis] = wanted[i] / extent;
                out[axis] = static_cast<std::size_t>(wanted[i]);
            } else {
                scale[axis] = all;
                out[axis] = static_cast<std::size_t>(std::floor(all * extent + 0.5));
            }
            if (out[axis] == 0 || out[axis] > std::size_t{1} << 20)
                fail("an extent becomes ", out[axis], "; 1 to 2^20 are supported");
            if (scale[axis] < 1.0 && integer_attribute(*node_, "antialias", 0) != 0 && mode != "nearest")
                fail("it filters what it shrinks (antialias); no layer for it");
        }
        const bool bilinear = mode != "nearest";
        std::vector<std::optional<Alignment>> alignment(rank);
        bool image_only = rank == 4 && scale[0] == 1.0 && scale[1] == 1.0;
        bool any = false;
        for (std::size_t axis = 0; axis < rank; ++axis) {
            if (scale[axis] == 1.0 && in[axis] == out[axis]) continue;
            any = true;
            alignment[axis] = alignment_of(places(in[axis], out[axis], scale[axis], transform, !bilinear), in[axis], bilinear);
            if (!alignment[axis])
                fail("the pixels that it reads along axis ", axis, " (", onnx::printable(transform), ", ", mode,
                     ") are not those of any alignment that is supported");
        }
        if (!any) return set_item(0, computed(0));
        image_only = image_only && alignment[2] && alignment[3] && *alignment[2] == *alignment[3];
        if (image_only) {
            const Dims order = Layout::channels_last(4);
            return bind(add(Resize2d{{out[2], out[3]}, bilinear, *alignment[2]}, {arranged(x, order)}), out, order);
        }
        const Dims order = common_order({&x});
        ValueId id = arranged(x, order);
        Dims now;
        for (const std::size_t axis : order) now.push_back(in[axis]);
        for (std::size_t i = 0; i < order.size(); ++i) {
            if (!alignment[order[i]]) continue;
            const std::size_t outer = elements_of(Dims(now.begin(), now.begin() + static_cast<std::ptrdiff_t>(i)));
            const std::size_t inner = elements_of(Dims(now.begin() + static_cast<std::ptrdiff_t>(i) + 1, now.end()));
            id = reshape(id, {outer, now[i], 1, inner});
            now[i] = out[order[i]];
            id = reshape(add(Resize2d{{now[i], 1}, bilinear, *alignment[order[i]]}, {id}), now);
        }
        bind(id, out, order);
    }
};

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
