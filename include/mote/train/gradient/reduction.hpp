// SPDX-License-Identifier: MIT
#pragma once
// gradient: reductions, pooling, resizing and softmax.

#include <mote/kernels/backward.hpp>
#include <mote/model/infer/reduction.hpp>
#include <mote/train/gradient/context.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// Calls visit(i, o) for every element i of the input: o is the output element that it is part of.
template <class Visit>
void for_each_reduced(const Reduce& layer, const Shape& in, Visit visit) {
    const AxisSet chosen = axis_set(layer.axes);
    for (std::size_t i = 0; i < in.elements(); ++i) {
        std::size_t o = 0, rest = i, step = 1;
        for (std::size_t axis = in.rank(); axis-- > 0;) {
            if (!has_axis(chosen, axis)) {
                o += rest % in[axis] * step;
                step *= in[axis];
            }
            rest /= in[axis];
        }
        visit(i, o);
    }
}

}  // namespace detail

/// Of equal largest (or smallest) ones each gets a part.
inline void gradient(const Reduce& layer, GradientContext& node) {
    if (!node.wants(0)) return;
    const Shape& in = node.input().shape;
    const std::size_t outputs = node.output().shape.elements();
    const float* x = node.input_data();
    const float* y = node.output_data();
    const float* dy = node.output_gradient();
    float* const dx = node.input_gradient(0).data();
    const auto each = [&](auto slope) {
        detail::for_each_reduced(layer, in, [&](std::size_t i, std::size_t o) { dx[i] += dy[o] * slope(i, o); });
    };
    switch (layer.function) {
        case Reduction::sum:
            return each([](std::size_t, std::size_t) { return 1.0f; });
        case Reduction::mean: {
            const float share = static_cast<float>(outputs) / static_cast<float>(in.elements());
            return each([share](std::size_t, std::size_t) { return share; });
        }
        case Reduction::max:
        case Reduction::min: {
            float* const equal = node.scratch<float>(outputs);
            for (std::size_t o = 0; o < outputs; ++o) equal[o] = 0.0f;
            detail::for_each_reduced(layer, in, [&](std::size_t i, std::size_t o) { equal[o] += x[i] == y[o] ? 1.0f : 0.0f; });
            return each([&](std::size_t i, std::size_t o) { return x[i] == y[o] ? 1.0f / equal[o] : 0.0f; });
        }
        case Reduction::prod: {  // of the others: without zeros, or with one that is left out
            float* const zeros = node.scratch<float>(outputs);
            float* const others = node.scratch<float>(outputs);
            for (std::size_t o = 0; o < outputs; ++o) zeros[o] = 0.0f, others[o] = 1.0f;
            detail::for_each_reduced(layer, in, [&](std::size_t i, std::size_t o) {
                zeros[o] += x[i] == 0.0f ? 1.0f : 0.0f;
                others[o] *= x[i] == 0.0f ? 1.0f : x[i];
            });
            return each([&](std::size_t i, std::size_t o) {
                if (x[i] == 0.0f) return zeros[o] == 1.0f ? others[o] : 0.0f;
                return zeros[o] == 0.0f ? others[o] / x[i] : 0.0f;
            });
        }
        case Reduction::l1:
            return each([&](std::size_t i, std::size_t) { return x[i] > 0.0f ? 1.0f : x[i] < 0.0f ? -1.0f : 0.0f; });
        case Reduction::l2:
            return each([&](std::size_t i, std::size_t o) { return y[o] > 0.0f ? x[i] / y[o] : 0.0f; });
        case Reduction::log_sum:
            return each([&](std::size_t, std::size_t o) { return __builtin_expf(-y[o]); });
        case Reduction::log_sum_exp:
            return each([&](std::size_t i, std::size_t o) { return __builtin_expf(x[i] - y[o]); });
        case Reduction::sum_square:
            return each([&](std::size_t i, std::size_t) { return 2.0f * x[i]; });
    }
}

inline void gradient(const MaxPool2d& layer, GradientContext& node) {
    if (!node.wants(0)) return;
    const ConvGeometry g = geometry(layer, node.input().shape, node.output().shape);
    kernels::max_pool_gradient(g, node.input_data(), node.output_gradient(), node.input_gradient(0).data());
}

inline void gradient(const AveragePool2d& layer, GradientContext& node) {
    if (!node.wants(0)) return;
    const ConvGeometry g = geometry(layer, node.input().shape, node.output().shape);
    kernels::average_pool_gradient(g, layer.count_padding, node.output_gradient(), node.input_gradient(0).data());
}

inline void gradient(const GlobalAveragePool&, GradientContext& node) {
    if (!node.wants(0)) return;
    const Shape& shape = node.input().shape;
    const std::size_t pixels = shape[1] * shape[2];
    const std::size_t channels = shape[3];
    const float share = 1.0f / static_cast<float>(pixels);
    const float* dy = node.output_gradient();
    float* const dx = node.input_gradient(0).data();
    for (std::size_t n = 0; n < shape[0]; ++n) {
        for (std::size_t p = 0; p < pixels; ++p) {
            for (std::size_t c = 0; c < channels; ++c) dx[(n * pixels + p) * channels + c] += share * dy[n * channels + c];
        }
    }
}

/// Each input gets its share of the outputs that it is part of.
inline void gradient(const Resize2d& layer, GradientContext& node) {
    if (!node.wants(0)) return;
    const Shape& in = node.input().shape;
    const ResizeTaps rows = resize_taps(layer, false, in[1]);
    const ResizeTaps columns = resize_taps(layer, true, in[2]);
    const float* dy = node.output_gradient();
    float* dx = node.input_gradient(0).data();
    for (std::size_t n = 0; n < in[0]; ++n, dx += in[1] * in[2] * in[3]) {
        for (std::size_t row = 0; row < rows.index.size(); row += rows.count) {
            for (std::size_t column = 0; column < columns.index.size(); column += columns.count, dy += in[3]) {
                for (std::size_t tap = 0; tap < rows.count * columns.count; ++tap) {
                    const std::size_t r = row + tap / columns.count, c = column + tap % columns.count;
                    const auto weight = static_cast<float>(rows.weight[r] * columns.weight[c]);
                    if (weight == 0.0f || rows.index[r] < 0 || columns.index[c] < 0) continue;
                    const auto y = static_cast<std::size_t>(rows.index[r]), x = static_cast<std::size_t>(columns.index[c]);
                    for (std::size_t k = 0; k < in[3]; ++k) dx[(y * in[2] + x) * in[3] + k] += weight * dy[k];
                }
            }
        }
    }
}

/// dx = y * (dy - sum(dy * y)) over the last axis.
inline void gradient(const Softmax&, GradientContext& node) {
    if (!node.wants(0)) return;
    const Shape& shape = node.input().shape;
    const std::size_t classes = shape.back();
    const float* y = node.output_data();
    const float* dy = node.output_gradient();
    float* const dx = node.input_gradient(0).data();
    for (std::size_t first = 0; first < shape.elements(); first += classes) {
        float sum = 0.0f;
        for (std::size_t c = first; c < first + classes; ++c) sum += dy[c] * y[c];
        for (std::size_t c = first; c < first + classes; ++c) dx[c] += y[c] * (dy[c] - sum);
    }
}

MOTE_END_NAMESPACE
