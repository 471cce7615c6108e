// SPDX-License-Identifier: MIT
#pragma once
// Attributes of an ONNX node, and the extents that its shape operators state: Reshape, Squeeze, Unsqueeze, Flatten, Slice …

#include <mote/io/onnx/detail/constant.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_import {

inline std::string dims_text(const Dims& dims) {
    std::string text;
    for (const std::size_t extent : dims) text += concat(text.empty() ? "" : "x", extent);
    return text.empty() ? "scalar" : text;
}

inline std::int64_t integer_attribute(const OnnxNode& node, std::string_view name, std::int64_t otherwise) {
    const OnnxAttribute* a = node.attribute(name);
    if (a == nullptr) return otherwise;
    const std::span<const std::int64_t> values = a->values<std::int64_t>();
    if (values.size() != 1) fail("attribute '", name, "' has ", values.size(), " integers; one is expected");
    return values[0];
}
inline float real_attribute(const OnnxNode& node, std::string_view name, float otherwise) {
    const OnnxAttribute* a = node.attribute(name);
    if (a == nullptr) return otherwise;
    const std::span<const float> values = a->values<float>();
    if (values.size() != 1) fail("attribute '", name, "' has ", values.size(), " reals; one is expected");
    return values[0];
}
inline std::string text_attribute(const OnnxNode& node, std::string_view name, std::string_view otherwise) {
    const OnnxAttribute* a = node.attribute(name);
    if (a == nullptr) return std::string(otherwise);
    const std::span<const std::string> values = a->values<std::string>();
    if (values.size() != 1) fail("attribute '", name, "' has ", values.size(), " texts; one is expected");
    return values[0];
}
inline std::vector<std::int64_t> integers_attribute(const OnnxNode& node, std::string_view name) {
    const OnnxAttribute* a = node.attribute(name);
    if (a == nullptr) return {};
    const std::span<const std::int64_t> values = a->values<std::int64_t>();
    return {values.begin(), values.end()};
}

/// An axis counted from the front. A negative one counts from the end.
inline std::size_t axis_in(std::int64_t axis, std::size_t rank) {
    const auto r = static_cast<std::int64_t>(rank);
    if (axis < -r || axis >= r) fail("axis ", axis, " is outside the ", rank, " axes");
    return static_cast<std::size_t>(axis < 0 ? axis + r : axis);
}
inline std::vector<char> axes_in(const std::vector<std::int64_t>& axes, std::size_t rank) {
    std::vector<char> chosen(rank, 0);
    for (const std::int64_t axis : axes) {
        const std::size_t at = axis_in(axis, rank);
        if (chosen[at] != 0) fail("axis ", axis, " is named twice");
        chosen[at] = 1;
    }
    return chosen;
}

inline std::size_t extent_of(std::int64_t number) {
    if (number < 0) fail("an extent is ", number, "; 0 or more is expected");
    return static_cast<std::size_t>(number);
}

inline Dims reshaped_dims(const Dims& in, const std::vector<std::int64_t>& shape, bool allow_zero) {
    Dims dims;
    std::size_t known = 1, open = shape.size();
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        if (shape[axis] == -1 && open == shape.size()) {
            open = axis;
            dims.push_back(1);
            continue;
        }
        if (shape[axis] == 0 && !allow_zero && axis >= in.size())
            fail("its shape keeps axis ", axis, ", which the input lacks");
        dims.push_back(shape[axis] == 0 && !allow_zero ? in[axis] : extent_of(shape[axis]));
        if (dims.back() != 0 && known > Shape::absurd / dims.back()) fail("its shape's product is absurdly large");
        known *= dims.back();
    }
    const std::size_t count = elements_of(in);
    if (open != shape.size()) {
        if (known == 0 || count % known != 0) fail("[", dims_text(in), "] does not fit its shape");
        dims[open] = count / known;
    } else if (known != count) {
        fail("[", dims_text(in), "] has ", count, " elements; its shape [", dims_text(dims), "] has ", known);
    }
    return dims;
}

inline Dims squeezed_dims(const Dims& in, const std::vector<std::int64_t>& axes) {
    const std::vector<char> chosen = axes_in(axes, in.size());
    Dims dims;
    for (std::size_t axis = 0; axis < in.size(); ++axis) {
        const bool dropped = axes.empty() ? in[axis] == 1 : chosen[axis] != 0;
        if (dropped && in[axis] != 1) fail("axis ", axis, " of [", dims_text(in), "] is not 1");
        if (!dropped) dims.push_back(in[axis]);
    }
    return dims;
}
inline Dims unsqueezed_dims(const Dims& in, const std::vector<std::int64_t>& axes) {
    if (axes.size() > 64) fail("it adds ", axes.size(), " axes; up to 64 are supported");
    const std::vector<char> chosen = axes_in(axes, in.size() + axes.size());
    Dims dims;
    std::size_t next = 0;
    for (const char added : chosen) dims.push_back(added != 0 ? 1 : in[next++]);
    return dims;
}
inline Dims flattened_dims(const Dims& in, std::int64_t axis) {
    const std::size_t at = axis == static_cast<std::int64_t>(in.size()) ? in.size() : axis_in(axis, in.size());
    return {elements_of(Dims(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(at))),
            elements_of(Dims(in.begin() + static_cast<std::ptrdiff_t>(at), in.end()))};
}
inline Dims broadcast_dims(const Dims& a, const Dims& b) {
    Dims dims(std::max(a.size(), b.size()), 1);
    for (std::size_t i = 0; i < dims.size(); ++i) {
        const std::size_t x = i < a.size() ? a[a.size() - 1 - i] : 1, y = i < b.size() ? b[b.size() - 1 - i] : 1;
        if (x != y && x != 1 && y != 1) fail("[", dims_text(a), "] and [", dims_text(b), "] do not broadcast");
        dims[dims.size() - 1 - i] = x == 1 ? y : x;
    }
    return dims;
}

/// What Slice takes of one axis: `count` elements from `start` on, `step` apart.
struct Range {
    std::int64_t start = 0, step = 1;
    std::size_t count = 0;
};

/// The range of each axis. Opset 10 and later: starts, ends, axes, steps are inputs; before, attributes without steps.
inline std::vector<Range> slice_ranges(const Dims& in, const std::vector<std::int64_t>& starts,
                                       const std::vector<std::int64_t>& ends, std::vector<std::int64_t> axes,
                                       std::vector<std::int64_t> steps) {
    std::vector<Range> ranges;
    for (const std::size_t extent : in) ranges.push_back({0, 1, extent});
    if (axes.empty()) {
        for (std::size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
    }
    if (steps.empty()) steps.assign(starts.size(), 1);
    if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size()) {
        fail("it has ", starts.size(), " starts, ", ends.size(), " ends, ", axes.size(), " axes and ", steps.size(),
             " steps; as many of each are expected");
    }
    axes_in(axes, in.size());
    for (std::size_t i = 0; i < starts.size(); ++i) {
        const std::size_t axis = axis_in(axes[i], in.size());
        const auto extent = static_cast<std::int64_t>(in[axis]);
        const std::int64_t step = steps[i];
        constexpr std::int64_t far = std::int64_t{1} << 40;
        if (step == 0) fail("a step is 0");
        const auto place = [&](std::int64_t at, std::int64_t lo, std::int64_t hi) {
            at = std::clamp(at, -far, far);
            return std::clamp(at < 0 ? at + extent : at, lo, hi);
        };
        const std::int64_t stride = std::clamp(step, -far, far);
        const std::int64_t start = stride > 0 ? place(starts[i], 0, extent) : place(starts[i], -1, extent - 1);
        const std::int64_t end = stride > 0 ? place(ends[i], 0, extent) : place(ends[i], -1, extent - 1);
        const std::int64_t span = stride > 0 ? end - start : start - end;
        const std::int64_t size = stride > 0 ? stride : -stride;
        ranges[axis] = {start, stride, span <= 0 ? 0 : static_cast<std::size_t>((span - 1) / size + 1)};
    }
    return ranges;
}

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
