// SPDX-License-Identifier: MIT
#pragma once
// infer: output values of reductions, pooling, resizing and softmax.

#include <mote/layers/reduction.hpp>
#include <mote/model/infer/contraction.hpp>

#include <cmath>

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

template <class Pool>
void infer_pool(const Pool& layer, InferContext& node) {
    node.expect_inputs(1);
    expect_f32_or_i8(node, 0);
    node.expect_rank(0, 4, "[batch, height, width, channels]");
    expect_shared_quantization(node);
    const Value& in = node.input(0);
    const Padding2d& pad = layer.padding;
    node.expect_full(0);
    if (layer.kernel.height == 0 || layer.kernel.width == 0) {
        node.fail("the kernel is ", layer.kernel.height, "x", layer.kernel.width, "; each extent must be at least 1");
    }
    if (pad.top >= layer.kernel.height || pad.bottom >= layer.kernel.height || pad.left >= layer.kernel.width ||
        pad.right >= layer.kernel.width) {
        node.fail("padding must be smaller than the kernel, so that no window lies in padding alone");
    }
    const std::size_t height =
        window_outputs(node, "height", in.shape[1], pad.top, pad.bottom, layer.kernel.height, layer.stride.height, 1);
    const std::size_t width =
        window_outputs(node, "width", in.shape[2], pad.left, pad.right, layer.kernel.width, layer.stride.width, 1);
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
    node.expect_full(0);
    expect_shared_quantization(node);
    const Value& in = node.input(0);
    Shape out = in.shape;
    for (const std::size_t axis : axes) {
        if (axis >= out.rank() || out[axis] == 0) {
            node.fail("axis ", axis, " is named twice, or outside the ", out.rank(), " axes of input ", to_string(in));
        }
        out[axis] = 0;  // no axis of a full value is
    }
    std::size_t rank = 0;
    for (const std::size_t extent : out) {
        if (extent != 0 || keep_dims) out[rank++] = extent == 0 ? 1 : extent;
    }
    Shape shape = Shape::ones(rank);
    for (std::size_t axis = 0; axis < rank; ++axis) shape[axis] = out[axis];
    if (element == Element::i8 && in.shape.elements() / shape.elements() > std::size_t{1} << 22)
        node.fail("the kernel covers more than 2^22 pixels");
    node.output(shape, element, in.quantization);
}

}  // namespace detail

template <class Context>
void infer(const Reduce& layer, Context& node) {
    node.expect_inputs(1);
    if (static_cast<int>(layer.function) >= reduction_count) node.fail("its function is unknown");
    const Element element = node.input(0).element;
    const bool bytes = layer.function == Reduction::mean || layer.function == Reduction::max;
    if (element != Element::i8 || !bytes) detail::expect_f32(node, 0);
    detail::infer_reduced(layer.axes, layer.keep_dims, element, node);
}

template <class Context>
void infer(const ArgMax& layer, Context& node) {
    node.expect_inputs(1);
    detail::expect_f32(node, 0);
    detail::infer_reduced(std::span(&layer.axis, 1), layer.keep_dims, Element::i64, node);
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
void infer(const Resize2d& layer, Context& node) {
    node.expect_inputs(1);
    detail::expect_f32_or_i8(node, 0);
    node.expect_rank(0, 4, "[batch, height, width, channels]");
    node.expect_full(0);
    detail::expect_shared_quantization(node);
    if (layer.size.height == 0 || layer.size.width == 0) {
        node.fail("the size is ", layer.size.height, "x", layer.size.width, "; each extent must be at least 1");
    }
    if (layer.alignment > Alignment::half_pixel) node.fail("the alignment is none of asymmetric, corners and half_pixel");
    const Value& in = node.input(0);
    const Shape shape{in.shape[0], layer.size.height, layer.size.width, in.shape[3]};
    for (const std::size_t extent : {in.shape[1], in.shape[2], layer.size.height, layer.size.width}) {
        if (extent > std::size_t{1} << 20) node.fail("extent ", extent, " is above 2^20");
    }
    node.output(shape, in.element, in.quantization);
}

template <class Context>
void infer(const Softmax& layer, Context& node) {
    node.expect_inputs(1);
    detail::expect_f32_or_i8(node, 0);
    const Value& in = node.input(0);
    if (in.shape.rank() == 0 || in.shape.elements() == 0) node.fail("input ", to_string(in), " is empty or a scalar");
    if (in.element == Element::f32) {
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

/// For each of `out` places the index at or before it among `in`, and how far behind that it lies in steps of 2^-20.
inline std::vector<std::int32_t> resize_places(std::size_t in, std::size_t out, bool bilinear, Alignment alignment) {
    std::vector<std::int32_t> places;
    const auto last = static_cast<double>(in - 1);
    const double scale = static_cast<double>(in) / static_cast<double>(out);
    for (std::size_t i = 0; i < out; ++i) {
        const auto at = static_cast<double>(i);
        double place = at * scale;
        if (alignment == Alignment::corners) place = out > 1 ? at * last / static_cast<double>(out - 1) : 0.0;
        if (alignment == Alignment::half_pixel) place = (at + 0.5) * scale - (bilinear ? 0.5 : 0.0);
        if (!bilinear) place = std::floor(alignment == Alignment::corners ? place + 0.5 : place);
        place = place < 0.0 ? 0.0 : place > last ? last : place;
        const double first = std::floor(place);
        places.push_back(static_cast<std::int32_t>(first));
        places.push_back(static_cast<std::int32_t>((place - first) * 1048576.0 + 0.5));
    }
    return places;
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
inline ConvGeometry geometry(const GlobalAveragePool&, const Shape& in, const Shape& out) {
    return pool_geometry(AveragePool2d{.kernel = {in[1], in[2]}, .stride = {1, 1}, .padding = {}}, in, out);
}

MOTE_END_NAMESPACE
