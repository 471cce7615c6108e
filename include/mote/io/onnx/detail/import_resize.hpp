// SPDX-License-Identifier: MIT
#pragma once
// Import of ONNX Resize and Upsample.

#include <mote/io/onnx/detail/import_windows.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_import {

class Resizing : protected Windows {
  public:
    using Windows::Windows;

  protected:
    /// By one or two neighbouring axes at a time, each pair as the height and width of an image.
    void resize() {
        Item x = computed(0);
        if (const std::optional<Item> bytes = bytes_of(0); bytes && next_quantization()) x = *bytes;
        const Resize2d how = resize_layer();
        const std::vector<ResizedAxis> axes = resized_axes(x.dims(), how);
        const auto changes = [&](std::size_t axis) { return axes[axis].changes; };
        Dims out, all = Layout::in_order(x.rank());
        for (const ResizedAxis& axis : axes) out.push_back(axis.out);
        if (std::none_of(all.begin(), all.end(), changes)) return set_item(0, computed(0));
        const bool image = x.rank() == 4 && !changes(0) && !changes(1);
        const Dims order = image ? Layout::channels_last(4) : common_order({&x});
        ValueId id = arranged(x, order);
        Dims now;
        for (const std::size_t axis : order) now.push_back(axes[axis].in);
        for (std::size_t i = 0; i < order.size(); ++i) {
            if (!changes(order[i])) continue;
            const bool two = i + 1 < order.size() && changes(order[i + 1]);
            const std::size_t behind = i + (two ? 2 : 1);
            const std::size_t outer = elements_of(Dims(now.begin(), now.begin() + static_cast<std::ptrdiff_t>(i)));
            const std::size_t inner = elements_of(Dims(now.begin() + static_cast<std::ptrdiff_t>(behind), now.end()));
            id = reshape(id, {outer, now[i], two ? now[i + 1] : 1, inner});
            id = resized(id, layer_of(how, axes[order[i]], two ? axes[order[i + 1]] : ResizedAxis{}));
            for (std::size_t k = i; k < behind; ++k) now[k] = out[order[k]];
            id = reshape(id, now);
            i = behind - 1;
        }
        bind(id, out, order);
    }

  private:
    struct ResizedAxis {
        std::size_t in = 1, out = 1;
        float scale = 0.0f;  ///< 0: out / in
        float first = 0.0f, last = 1.0f;
        bool changes = false;
    };

    /// An enumerator by its name in a table.
    template <class T, std::size_t n>
    T named(const char* attribute, const std::string& name, const std::pair<std::string_view, T> (&table)[n]) const {
        for (const auto& [known, value] : table) {
            if (known == name) return value;
        }
        fail("its ", attribute, " is '", onnx::printable(name), "', which is not supported");
    }
    /// What the node says of all axes.
    Resize2d resize_layer() const {
        static constexpr std::pair<std::string_view, Interpolation> modes[] = {{"nearest", Interpolation::nearest},
                                                                               {"linear", Interpolation::linear},
                                                                               {"bilinear", Interpolation::linear},
                                                                               {"cubic", Interpolation::cubic}};
        static constexpr std::pair<std::string_view, Alignment> alignments[] = {
            {"asymmetric", Alignment::asymmetric},
            {"align_corners", Alignment::corners},
            {"half_pixel", Alignment::half_pixel},
            {"half_pixel_symmetric", Alignment::half_pixel_symmetric},
            {"pytorch_half_pixel", Alignment::half_pixel_or_first},
            {"tf_half_pixel_for_nn", Alignment::half_pixel_floor},
            {"tf_crop_and_resize", Alignment::crop}};
        static constexpr std::pair<std::string_view, NearestPixel> pixels[] = {
            {"round_prefer_floor", NearestPixel::round_half_down},
            {"round_prefer_ceil", NearestPixel::round_half_up},
            {"floor", NearestPixel::floor},
            {"ceil", NearestPixel::ceil}};
        Resize2d layer;
        layer.interpolation = named("mode", text_attribute(*node_, "mode", "nearest"), modes);
        layer.alignment = Alignment::asymmetric;
        layer.nearest = NearestPixel::floor;
        if (opset_ < 11 || node_->op_type == "Upsample") return layer;
        layer.alignment = named("coordinate_transformation_mode",
                                text_attribute(*node_, "coordinate_transformation_mode", "half_pixel"), alignments);
        layer.nearest = named("nearest_mode", text_attribute(*node_, "nearest_mode", "round_prefer_floor"), pixels);
        layer.cubic = real_attribute(*node_, "cubic_coeff_a", -0.75f);
        layer.exclude_outside = integer_attribute(*node_, "exclude_outside", 0) != 0;
        layer.antialias = integer_attribute(*node_, "antialias", 0) != 0;
        layer.outside = real_attribute(*node_, "extrapolation_value", 0.0f);
        return layer;
    }

    /// The numbers of a known input, or of the attribute that held them before; as many as `count`, or none.
    std::vector<double> numbers(std::size_t place, const char* what, std::size_t count) {
        std::vector<double> result;
        if (has_input(place)) {
            const Constant& c = constant(place, what);
            for (std::size_t i = 0; i < c.count() && i <= 2 * Shape::max_rank; ++i) result.push_back(c.real(i));
        } else if (const OnnxAttribute* a = node_->attribute(what); a != nullptr && place == 1) {
            for (const float number : a->values<float>()) result.push_back(static_cast<double>(number));
        }
        if (!result.empty() && result.size() != count) fail("it has ", result.size(), " ", what, "; ", count, " are expected");
        return result;
    }
    /// The extents after the node, its scales and its crop.
    std::vector<ResizedAxis> resized_axes(const Dims& dims, const Resize2d& how) {
        const std::size_t rank = dims.size();
        std::vector<std::int64_t> named_axes = integers_attribute(*node_, "axes");
        if (named_axes.empty()) {
            for (std::size_t axis = 0; axis < rank; ++axis) named_axes.push_back(static_cast<std::int64_t>(axis));
        }
        axes_in(named_axes, rank);
        const std::size_t count = named_axes.size();
        const bool early = node_->op_type == "Upsample" || opset_ < 11;
        const std::vector<double> scales = numbers(early ? 1 : 2, "scales", count);
        const std::vector<double> sizes = early || !scales.empty() ? std::vector<double>() : numbers(3, "sizes", count);
        const std::vector<double> roi = how.alignment == Alignment::crop ? numbers(1, "roi", 2 * count) : std::vector<double>();
        if (scales.empty() && sizes.empty()) fail("it has neither scales nor sizes");
        if (how.alignment == Alignment::crop && roi.empty()) fail("it crops without a roi; one is expected");
        for (const double number : scales.empty() ? sizes : scales) {
            if (!(number > 0.0 && number < 1e6))
                fail("a scale or size is ", number, "; one above 0 and below 10^6 is expected");
        }
        const std::string policy = text_attribute(*node_, "keep_aspect_ratio_policy", "stretch");
        if (policy != "stretch" && policy != "not_larger" && policy != "not_smaller")
            fail("its keep_aspect_ratio_policy is '", onnx::printable(policy), "'");
        std::vector<ResizedAxis> axes;
        for (const std::size_t extent : dims) axes.push_back({extent, extent});
        double all = policy == "not_larger" ? 1e9 : 0.0;
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            const double s = sizes[i] / static_cast<double>(dims[axis_in(named_axes[i], rank)]);
            all = policy == "not_larger" ? std::min(all, s) : std::max(all, s);
        }
        for (std::size_t i = 0; i < count; ++i) {
            ResizedAxis& axis = axes[axis_in(named_axes[i], rank)];
            const auto extent = static_cast<double>(axis.in);
            const double s = !scales.empty() ? scales[i] : policy == "stretch" ? sizes[i] / extent : all;
            const double size = !scales.empty()       ? std::floor(extent * s)
                                : policy == "stretch" ? sizes[i]
                                                      : std::floor(s * extent + 0.5);
            if (!(size >= 1.0 && size <= 1048576.0) || axis.in > std::size_t{1} << 20)
                fail("an extent of ", axis.in, " becomes ", size, "; 1 to 2^20 are supported");
            axis.out = static_cast<std::size_t>(size);
            if (std::abs(s * extent - size) > 1e-12 * size) axis.scale = static_cast<float>(s);
            if (!roi.empty()) {
                axis.first = static_cast<float>(roi[i]);
                axis.last = static_cast<float>(roi[count + i]);
            }
            axis.changes = axis.out != axis.in || axis.scale != 0.0f || axis.first != 0.0f || axis.last != 1.0f;
        }
        return axes;
    }

    static Resize2d layer_of(Resize2d layer, const ResizedAxis& height, const ResizedAxis& width) {
        layer.size = {height.out, width.out};
        layer.scale_height = height.scale;
        layer.scale_width = width.scale;
        if (layer.alignment == Alignment::crop)
            layer.crop = Tensor<f32>(Shape{4}, {height.first, width.first, height.last, width.last});
        return layer;
    }
    /// Bytes that need more taps than integer arithmetic takes are resized in f32.
    ValueId resized(ValueId id, Resize2d layer) {
        const Value& value = graph_.values[id];
        const bool bytes = value.element == Element::i8;
        const auto flawed = [&](bool width) {
            return *resize_i8_flaw(resize_taps(layer, width, value.shape[width ? 2 : 1])) != 0;
        };
        if (!bytes || (!flawed(false) && !flawed(true))) return add(std::move(layer), {id});
        const Quantization q = value.quantization;
        return add(Convert{Element::i8}, {add(std::move(layer), {add(Convert{Element::f32}, {id})})}, q);
    }
};

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
