// SPDX-License-Identifier: MIT
#pragma once
// gradient: activations, Add and Mul.

#include <mote/layers/elementwise.hpp>
#include <mote/train/gradient/context.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// dx (+)= back(dy, x, y). Selections rather than factors of 0 and 1: compilers make vectors of them.
template <class Back>
void activation_gradient(GradientContext& node, Back back) {
    if (!node.wants(0)) return;
    const float* MOTE_RESTRICT dy = node.output_gradient();
    const GradientSink sink = node.input_sink(0);
    const float* MOTE_RESTRICT x = node.input_data();
    const float* MOTE_RESTRICT y = node.output_data();
    float* MOTE_RESTRICT dx = sink.data;
    const std::size_t count = node.input().shape.elements();
    if (sink.accumulate) {
        for (std::size_t i = 0; i < count; ++i) dx[i] += back(dy[i], x[i], y[i]);
    } else {
        for (std::size_t i = 0; i < count; ++i) dx[i] = back(dy[i], x[i], y[i]);
    }
}

}  // namespace detail

inline void gradient(const Relu&, GradientContext& node) {
    detail::activation_gradient(node, [](float d, float x, float) { return x > 0.0f ? d : 0.0f; });
}
inline void gradient(const Relu6&, GradientContext& node) {
    detail::activation_gradient(node, [](float d, float x, float) {
        const float above = x > 0.0f ? d : 0.0f;
        return x < 6.0f ? above : 0.0f;
    });
}
inline void gradient(const LeakyRelu& layer, GradientContext& node) {
    const float slope = layer.slope;
    detail::activation_gradient(node, [slope](float d, float x, float) {
        const float negative = slope * d;
        return x > 0.0f ? d : negative;
    });
}
inline void gradient(const Prelu& layer, GradientContext& node) {
    const float* x = node.input_data();
    const float* dy = node.output_gradient();
    const std::size_t count = node.input().shape.elements();
    const std::size_t channels = node.input().shape.back();
    const std::span<float> slopes = node.parameter_gradient("slope");
    for (std::size_t i = 0; i < count; ++i) {
        if (x[i] < 0.0f) slopes[i % channels] += dy[i] * x[i];
    }
    if (!node.wants(0)) return;
    float* dx = node.input_gradient(0).data();
    for (std::size_t i = 0; i < count; ++i) dx[i] += x[i] > 0.0f ? dy[i] : dy[i] * std::as_const(layer.slope)[i % channels];
}
inline void gradient(const Sigmoid&, GradientContext& node) {
    detail::activation_gradient(node, [](float d, float, float y) { return d * (y * (1.0f - y)); });
}
inline void gradient(const Tanh&, GradientContext& node) {
    detail::activation_gradient(node, [](float d, float, float y) { return d * (1.0f - y * y); });
}
inline void gradient(const HardSigmoid&, GradientContext& node) {
    detail::activation_gradient(node, [](float d, float x, float) {
        const float inside = d * (1.0f / 6.0f);
        const float above = x > -3.0f ? inside : 0.0f;
        return x < 3.0f ? above : 0.0f;
    });
}
inline void gradient(const HardSwish&, GradientContext& node) {
    detail::activation_gradient(node, [](float d, float x, float) {
        const float inside = d * ((2.0f * x + 3.0f) * (1.0f / 6.0f));
        const float above = x > -3.0f ? inside : 0.0f;
        return x < 3.0f ? above : d;
    });
}

inline void gradient(const Add&, GradientContext& node) {
    const std::size_t count = node.output().shape.elements();
    for (std::size_t i = 0; i < 2; ++i) {
        if (node.wants(i)) detail::put(node.input_sink(i), count, node.output_gradient());
    }
}

inline void gradient(const Mul&, GradientContext& node) {
    const float* dy = node.output_gradient();
    const float* a = node.input_data(0);
    const float* b = node.input_data(1);
    const Shape& shape = node.input(0).shape;
    const std::size_t count = shape.elements();
    if (node.input(1).shape == shape) {
        for (std::size_t side = 0; side < 2; ++side) {
            if (!node.wants(side)) continue;
            const float* other = side == 0 ? b : a;
            const std::span<float> d = node.input_gradient(side);
            for (std::size_t i = 0; i < count; ++i) d[i] += dy[i] * other[i];
        }
        return;
    }
    // b is [batch, channels], repeated over the positions of a.
    const std::size_t channels = shape.back();
    const std::size_t batch = shape[0];
    const std::size_t positions = count / (batch * channels);
    float* const da = node.wants(0) ? node.input_gradient(0).data() : nullptr;
    float* const db = node.wants(1) ? node.input_gradient(1).data() : nullptr;
    for (std::size_t n = 0; n < batch; ++n) {
        for (std::size_t p = 0; p < positions; ++p) {
            const std::size_t at = (n * positions + p) * channels;
            if (da != nullptr) {
                for (std::size_t c = 0; c < channels; ++c) da[at + c] += dy[at + c] * b[n * channels + c];
            }
            if (db != nullptr) {
                for (std::size_t c = 0; c < channels; ++c) db[n * channels + c] += dy[at + c] * a[at + c];
            }
        }
    }
}

MOTE_END_NAMESPACE
