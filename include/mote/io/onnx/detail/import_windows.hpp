// SPDX-License-Identifier: MIT
#pragma once
// Import of ONNX operators with a window over an image: pooling. Volumes are images, one a slice of their depth.

#include <mote/io/onnx/detail/import_normalization.hpp>

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
            if (ceil_mode && padded + a.stride > covered) {
                std::size_t outputs = (padded + a.stride - covered + a.stride - 1) / a.stride;
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

    void expect_image(const Dims& dims) const {
        if (dims.size() < 3 || dims.size() > 5)
            fail("its input is [", dims_text(dims), "]; one to three axes behind batch and channels are supported");
    }
    /// [batch, channels, length] is an image of height 1; of a volume each slice of its depth is one.
    ValueId images(Item& x) {
        const std::size_t rank = x.rank();
        if (rank == 3) return arranged(x, Groups{{0}, {}, {2}, {1}});
        const ValueId id = arranged(x, Layout::channels_last(rank));
        if (rank == 4) return id;
        const Shape s = shape(id);
        return reshape(id, {s[0] * s[1], s[2], s[3], s[4]});
    }
    /// What such images are in a file's order of axes; of a volume there are `batch` times as many as its depth.
    Form image_form(ValueId id, std::size_t rank, std::size_t batch) {
        const Shape s = shape(id);
        const Dims order = Layout::channels_last(rank);
        if (rank == 3) return {id, Layout(Dims{s[0], s[3], s[2]}, order)};
        if (rank == 4) return {id, Layout(Dims{s[0], s[3], s[1], s[2]}, order)};
        const std::size_t depth = s[0] / batch;
        return {reshape(id, {batch, depth, s[1], s[2], s[3]}), Layout(Dims{batch, s[3], depth, s[1], s[2]}, order)};
    }

    template <class Pool>
    ValueId pooled(ValueId x, WindowAxis h, WindowAxis w, bool count_padding) {
        Pool layer{.kernel = {h.kernel, w.kernel}, .stride = {h.stride, w.stride}, .padding = padding_of(h, w)};
        layer.dilation = {h.dilation, w.dilation};
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
    /// Over one to three image axes; three are a window over depth after one over height and width. (Of a mean, too: the
    /// pixels under a window are as many as the slices times the pixels of each.)
    template <class Pool>
    Form pooled(Item& x, const std::vector<WindowAxis>& axes, bool count_padding) {
        const Dims dims = x.dims();
        const WindowAxis h = dims.size() == 3 ? WindowAxis{} : axes[axes.size() - 2];
        ValueId id = pooled<Pool>(images(x), h, axes.back(), count_padding);
        if (dims.size() < 5) return image_form(id, dims.size(), dims[0]);
        const Shape flat = shape(id);
        id = reshape(id, {dims[0], dims[2], flat[1] * flat[2], flat[3]});
        id = pooled<Pool>(id, axes[0], {}, count_padding);
        return image_form(reshape(id, {dims[0] * shape(id)[1], flat[1], flat[2], flat[3]}), 5, dims[0]);
    }
    template <class Pool>
    void pool() {
        constexpr bool mean = std::is_same_v<Pool, AveragePool2d>;
        if (mean) single_output();
        const bool whole = is_whole(0);  // integers of 16 bits or fewer are exact in f32
        if (whole && onnx_element_bits(item(0).element) > 16)
            fail("its input is of ", onnx_element_name(item(0).element),
                 "; floats and integers of up to 16 bits are supported");
        Item x = whole ? as_element(plain(0), OnnxElement::float32) : computed(0);
        expect_image(x.dims());
        const std::vector<WindowAxis> axes = window(x.dims(), {});
        std::optional<Item> bytes = x.rank() < 5 || !mean ? bytes_of(0) : std::nullopt;
        if (mean && !next_quantization()) bytes.reset();
        Form y = pooled<Pool>(bytes ? *bytes : x, axes, integer_attribute(*node_, "count_include_pad", 0) != 0);
        if (whole) y.id = add(Cast{held_element(item(0).element)}, {y.id});
        bind(std::move(y));
        if (is_used(1)) bind_indices(x, axes);
    }
    /// Output 1 of MaxPool: where the largest stand in the input as the file lays it out, or with the image's axes in reverse.
    void bind_indices(Item& x, const std::vector<WindowAxis>& axes) {
        const Dims dims = x.dims();
        const std::int64_t storage = integer_attribute(*node_, "storage_order", 0);
        if (storage != 0 && storage != 1) fail("its storage_order is ", storage, "; 0 and 1 are supported");
        ArgMaxPool layer;
        layer.steps.assign(dims.size(), 1);
        for (std::size_t i = 0; i < axes.size(); ++i) {
            layer.kernel.push_back(axes[i].kernel);
            layer.stride.push_back(axes[i].stride);
            layer.dilation.push_back(axes[i].dilation);
            layer.before.push_back(axes[i].before);
            layer.after.push_back(axes[i].after + axes[i].beyond);
            for (std::size_t j = 0; j < axes.size(); ++j) {
                if (storage == 0 ? j > i : j < i) layer.steps[i + 1] *= dims[j + 2];
            }
        }
        layer.steps.back() = elements_of(Dims(dims.begin() + 2, dims.end()));
        layer.steps.front() = dims[1] * layer.steps.back();
        const Dims order = Layout::channels_last(dims.size());
        const ValueId id = add(std::move(layer), {arranged(x, order)});
        const Shape s = shape(id);
        Dims to{s[0], s.back()};
        to.insert(to.end(), s.begin() + 1, s.end() - 1);
        bind(id, Layout(to, order), 1, OnnxElement::int64);
    }
    /// (sum |x|^p)^(1 / p) under the window: the mean, all padding counted, times its area.
    void lp_pool() {
        single_output();
        const float p = exponent_of_norm();
        Item powers = powered(function_of(computed(0), UnaryFunction::abs), p);
        expect_image(powers.dims());
        std::vector<WindowAxis> axes = window(powers.dims(), {});
        float area = 1.0f;
        for (WindowAxis& a : axes) {
            area *= static_cast<float>(a.kernel);
            a.after += std::exchange(a.beyond, 0);
        }
        set_item(0, powered(made(scaled(pooled<AveragePool2d>(powers, axes, true), area, 0.0f)), 1.0f / p));
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
};

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
