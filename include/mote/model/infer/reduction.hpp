// SPDX-License-Identifier: MIT
#pragma once
// infer: output values of reductions, pooling, resizing and softmax.

#include <mote/model/infer/contraction.hpp>
#include <mote/model/infer/resize.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// Pooling keeps the quantization: the output's bytes mean what the input's mean.
template <class Context>
void expect_shared_quantization(const Context& node) {
    const Quantization& asked = node.requested_quantization();
    if (asked.present() && asked != node.input(0).quantization) {
        node.fail("the output shares its input's quantization; another one was given");
    }
}

/// window_outputs() where no window may lie in padding alone.
template <class Context>
std::size_t pool_outputs(const Context& node, const char* axis, std::size_t extent, std::size_t before, std::size_t after,
                         std::size_t kernel, std::size_t stride, std::size_t dilation) {
    const std::size_t outputs = window_outputs(node, axis, extent, before, after, kernel, stride, dilation);
    const std::size_t window = (kernel - 1) * dilation + 1;
    if (before >= window || after >= window) {
        node.fail(axis, ": padding of ", before, " and ", after, " around a window that covers ", window,
                  "; padding must be smaller than the window, so that no window lies in padding alone");
    }
    return outputs;
}

template <class Pool>
void infer_pool(const Pool& layer, InferContext& node) {
    node.expect_inputs(1);
    expect_computed(node, 0);
    node.expect_rank(0, 4, "[batch, height, width, channels]");
    expect_shared_quantization(node);
    const Value& in = node.input(0);
    const Padding2d& pad = layer.padding;
    node.expect_full(0);
    if (layer.kernel.height == 0 || layer.kernel.width == 0) {
        node.fail("the kernel is ", layer.kernel.height, "x", layer.kernel.width, "; each extent must be at least 1");
    }
    const std::size_t height = pool_outputs(node, "height", in.shape[1], pad.top, pad.bottom, layer.kernel.height,
                                            layer.stride.height, layer.dilation.height);
    const std::size_t width = pool_outputs(node, "width", in.shape[2], pad.left, pad.right, layer.kernel.width,
                                           layer.stride.width, layer.dilation.width);
    if (layer.kernel.height > (std::size_t{1} << 22) / layer.kernel.width) node.fail("the kernel covers more than 2^22 pixels");
    node.output({in.shape[0], height, width, in.shape[3]}, in.element, in.quantization);
}

/// A bit an axis.
using AxisSet = std::uint32_t;
constexpr bool has_axis(AxisSet set, std::size_t axis) noexcept {
    return ((set >> axis) & 1u) != 0;
}

template <class Lazy = void>
AxisSet axis_set(std::span<const std::size_t> axes) {
    AxisSet set = 0;
    for (const std::size_t axis : axes) set |= AxisSet{1} << axis;
    return set;
}

/// The output where the chosen axes become one number.
template <class Context>
void infer_reduced(std::span<const std::size_t> axes, bool keep_dims, Element element, Context& node) {
    expect_shared_quantization(node);
    const Value& in = node.input(0);
    Shape out = in.shape;
    AxisSet chosen = 0;
    for (const std::size_t axis : axes) {
        if (axis >= out.rank() || has_axis(chosen, axis)) {
            node.fail("axis ", axis, " is named twice, or outside the ", out.rank(), " axes of input ", to_string(in));
        }
        chosen |= AxisSet{1} << axis;
    }
    std::size_t rank = 0;
    for (std::size_t axis = 0; axis < in.shape.rank(); ++axis) {
        if (!has_axis(chosen, axis) || keep_dims) out[rank++] = has_axis(chosen, axis) ? 1 : in.shape[axis];
    }
    Shape shape = Shape::ones(rank);
    for (std::size_t axis = 0; axis < rank; ++axis) shape[axis] = out[axis];
    if (element == Element::i8 && shape.elements() > 0 && in.shape.elements() / shape.elements() > std::size_t{1} << 22)
        node.fail("the kernel covers more than 2^22 pixels");
    node.output(shape, element, in.quantization);
}

}  // namespace detail

template <class Context>
void infer(const Reduce& layer, Context& node) {
    node.expect_inputs(1);
    if (static_cast<int>(layer.function) >= reduction_count) node.fail("its function is unknown");
    const Element element = node.input(0).element;
    const bool bytes = element == Element::i8 && (layer.function == Reduction::mean || layer.function == Reduction::max);
    if (!bytes) detail::expect_numbers(node, 0);
    if (bytes && node.input(0).quantization.present()) node.expect_full(0);
    detail::infer_reduced(layer.axes, layer.keep_dims, element, node);
}

template <class Context>
void infer(const ArgMax& layer, Context& node) {
    node.expect_inputs(1);
    detail::expect_numbers(node, 0);
    node.expect_full(0);
    detail::infer_reduced(std::span(&layer.axis, 1), layer.keep_dims, Element::i64, node);
}

template <class Context>
void infer(const TopK& layer, Context& node) {
    node.expect_inputs(1);
    detail::expect_numbers(node, 0);
    const Value& in = node.input(0);
    if (layer.axis >= in.shape.rank() || layer.count > in.shape[layer.axis]) {
        node.fail("input ", to_string(in), " has no ", layer.count, " numbers along axis ", layer.axis,
                  "; up to the extent of an axis are expected");
    }
    Shape shape = in.shape;
    shape[layer.axis] = layer.count;
    node.output(shape, in.element);
    node.output(shape, Element::i64);
}

template <class Context>
void infer(const MaxPool2d& layer, Context& node) {
    detail::infer_pool(layer, node);
}
template <class Context>
void infer(const AveragePool2d& layer, Context& node) {
    detail::infer_pool(layer, node);
}

template <class Context>
void infer(const GlobalAveragePool&, Context& node) {
    node.expect_inputs(1);
    node.expect_rank(0, 4, "[batch, height, width, channels]");
    const Shape& in = node.input(0).shape;
    detail::infer_pool(AveragePool2d{.kernel = {in[1], in[2]}, .stride = {1, 1}, .padding = {}}, node);
}

template <class Context>
void infer(const ArgMaxPool& layer, Context& node) {
    node.expect_inputs(1);
    detail::expect_f32(node, 0);
    node.expect_full(0);
    const Shape& in = node.input(0).shape;
    const std::size_t axes = layer.kernel.size();
    for (const auto* numbers : {&layer.stride, &layer.dilation, &layer.before, &layer.after}) {
        if (numbers->size() != axes) node.fail("its window has ", axes, " axes but ", numbers->size(), " numbers");
    }
    if (axes < 1 || axes > Shape::max_rank - 2 || in.rank() != axes + 2 || layer.steps.size() != in.rank()) {
        node.fail("input ", to_string(node.input(0)), " under a window of ", axes, " axes with ", layer.steps.size(),
                  " steps: [batch, rows ..., channels], of as many axes between, and a step an axis are expected");
    }
    Shape out = in;
    std::size_t window = 1;
    for (std::size_t i = 0; i < axes; ++i) {
        out[i + 1] = detail::pool_outputs(node, "window", in[i + 1], layer.before[i], layer.after[i], layer.kernel[i],
                                          layer.stride[i], layer.dilation[i]);
        if (layer.kernel[i] > (std::size_t{1} << 22) / window) node.fail("the kernel covers more than 2^22 pixels");
        window *= layer.kernel[i];
    }
    for (const std::size_t step : layer.steps) {
        if (step > std::numeric_limits<std::int32_t>::max()) node.fail("a step counts ", step, "; up to 2^31 - 1 is expected");
    }
    node.output(out, Element::i64);
}

namespace detail {

/// One axis of a Resize2d.
template <class Context>
void check_resize_axis(const Resize2d& layer, bool width, std::size_t in, const Context& node) {
    constexpr std::size_t limit = std::size_t{1} << 20;
    const std::size_t size = width ? layer.size.width : layer.size.height;
    for (const std::size_t extent : {in, size}) {
        if (extent > limit) node.fail("extent ", extent, " is above 2^20");
    }
    const float scale = width ? layer.scale_width : layer.scale_height;
    const double scaled = static_cast<double>(scale) * static_cast<double>(in);
    const bool fits = scaled >= 0.5 && std::fabs(scaled - static_cast<double>(size)) < 1.0;
    if (scale != 0.0f && !fits) {
        node.fail("the scale ", scale, " makes ", scaled, " pixels of ", in, ", which is not about ", size,
                  "; 0 stands for the extents' ratio");
    }
    if (node.input(0).element != Element::i8) return;
    const char* const flaw = resize_i8_flaw(resize_taps(layer, width, in));
    if (*flaw != 0)
        node.fail(flaw, "; int8 is resized by 8 pixels at most, whose weights add up to less than 3; f32 has no limit");
}

}  // namespace detail

template <class Context>
void infer(const Resize2d& layer, Context& node) {
    node.expect_inputs(1);
    detail::expect_computed(node, 0);
    node.expect_rank(0, 4, "[batch, height, width, channels]");
    node.expect_full(0);
    detail::expect_shared_quantization(node);
    if (layer.size.height == 0 || layer.size.width == 0) {
        node.fail("the size is ", layer.size.height, "x", layer.size.width, "; each extent must be at least 1");
    }
    if (layer.interpolation > Interpolation::cubic || layer.alignment > Alignment::crop ||
        layer.nearest > NearestPixel::round_half_up) {
        node.fail("the interpolation, alignment or nearest pixel is none of those known");
    }
    const bool crops = layer.alignment == Alignment::crop;
    bool finite = is_finite(layer.cubic) && is_finite(layer.outside);
    for (const float place : layer.crop.values()) finite = finite && is_finite(place);
    if (!finite || layer.crop.elements() != (crops ? 4u : 0u)) {
        node.fail("a crop has ", layer.crop.elements(), " places; with alignment crop 4 finite ones are expected, else none");
    }
    const Value& in = node.input(0);
    detail::check_resize_axis(layer, false, in.shape[1], node);
    detail::check_resize_axis(layer, true, in.shape[2], node);
    node.output({in.shape[0], layer.size.height, layer.size.width, in.shape[3]}, in.element, in.quantization);
}

template <class Context>
void infer(const Softmax& layer, Context& node) {
    node.expect_inputs(1);
    detail::expect_computed(node, 0);
    const Value& in = node.input(0);
    if (in.shape.rank() == 0 || in.shape.elements() == 0) node.fail("input ", to_string(in), " is empty or a scalar");
    if (in.element != Element::i8) {
        node.output(in.shape, in.element);
        return;
    }
    if (layer.table.elements() != 256) {
        node.fail("on int8 values the layer needs its table of 256 entries; it has ", layer.table.elements(),
                  " (quantize() and the importers make it)");
    }
    for (const std::int32_t entry : layer.table.values()) {
        if (entry < 0 || entry > 1 << 22 || layer.table[0] == 0) {
            node.fail("the table's entries must lie in [0, 2^22], and the first above 0");
        }
    }
    const Quantization fixed = QuantizationParams{1.0f / 256.0f, -128};
    const Quantization& asked = node.requested_quantization();
    if (asked.present() && asked != fixed)
        node.fail("the int8 output of softmax has scale 1/256 and zero point -128; another one was given");
    node.output(in.shape, in.element, fixed);
}

/// The kernels' geometry of a pooling layer between two image values.
template <class Pool>
ConvGeometry pool_geometry(const Pool& layer, const Shape& in, const Shape& out) {
    ConvGeometry g;
    g.batch = narrow<std::int32_t>(in[0]);
    g.in_height = narrow<std::int32_t>(in[1]);
    g.in_width = narrow<std::int32_t>(in[2]);
    g.in_channels = g.out_channels = g.groups = narrow<std::int32_t>(in[3]);
    g.out_height = narrow<std::int32_t>(out[1]);
    g.out_width = narrow<std::int32_t>(out[2]);
    g.kernel_height = narrow<std::int32_t>(layer.kernel.height);
    g.kernel_width = narrow<std::int32_t>(layer.kernel.width);
    g.stride_height = narrow<std::int32_t>(layer.stride.height);
    g.stride_width = narrow<std::int32_t>(layer.stride.width);
    g.dilation_height = narrow<std::int32_t>(layer.dilation.height);
    g.dilation_width = narrow<std::int32_t>(layer.dilation.width);
    g.pad_top = narrow<std::int32_t>(layer.padding.top);
    g.pad_left = narrow<std::int32_t>(layer.padding.left);
    return g;
}

inline ConvGeometry geometry(const MaxPool2d& layer, const Shape& in, const Shape& out) {
    return pool_geometry(layer, in, out);
}
inline ConvGeometry geometry(const AveragePool2d& layer, const Shape& in, const Shape& out) {
    return pool_geometry(layer, in, out);
}
template <class Lazy = void>
WindowGeometry geometry(const ArgMaxPool& layer, const Shape& in, const Shape& out) {
    WindowGeometry g;
    g.rank = narrow<std::int32_t>(layer.kernel.size());
    g.batch = narrow<std::int32_t>(in[0]);
    g.channels = narrow<std::int32_t>(in.back());
    for (std::size_t i = 0; i < layer.kernel.size(); ++i) {
        g.extent[i] = narrow<std::int32_t>(in[i + 1]);
        g.out[i] = narrow<std::int32_t>(out[i + 1]);
        g.kernel[i] = narrow<std::int32_t>(layer.kernel[i]);
        g.stride[i] = narrow<std::int32_t>(layer.stride[i]);
        g.dilation[i] = narrow<std::int32_t>(layer.dilation[i]);
        g.before[i] = narrow<std::int32_t>(layer.before[i]);
    }
    for (std::size_t i = 0; i < in.rank(); ++i) g.steps[i] = narrow<std::int32_t>(layer.steps[i]);
    return g;
}

/// Rows of taps by columns of taps.
template <class Lazy = void>
ConvGeometry geometry(const Resize2d& layer, const Shape& in, std::size_t row_taps, std::size_t column_taps) {
    ConvGeometry g;
    g.batch = narrow<std::int32_t>(in[0]);
    g.in_height = narrow<std::int32_t>(in[1]);
    g.in_width = narrow<std::int32_t>(in[2]);
    g.in_channels = g.out_channels = g.groups = narrow<std::int32_t>(in[3]);
    g.out_height = narrow<std::int32_t>(layer.size.height);
    g.out_width = narrow<std::int32_t>(layer.size.width);
    g.kernel_height = narrow<std::int32_t>(row_taps);
    g.kernel_width = narrow<std::int32_t>(column_taps);
    return g;
}

inline ConvGeometry geometry(const GlobalAveragePool&, const Shape& in, const Shape& out) {
    return pool_geometry(AveragePool2d{.kernel = {in[1], in[2]}, .stride = {1, 1}, .padding = {}}, in, out);
}

MOTE_END_NAMESPACE
