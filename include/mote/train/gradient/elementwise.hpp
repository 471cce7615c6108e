// SPDX-License-Identifier: MIT
#pragma once
// gradient: activations, functions, Add and Mul.

#include <mote/engine/lower/elementwise.hpp>
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

namespace detail {

/// The derivative of a function at x, where it is y; of a kink and a step one side's.
inline float unary_slope(UnaryFunction function, float a, float b, float x, float y) {
    const auto logistic = [](float t) { return 1.0f / (1.0f + std::exp(-t)); };
    switch (function) {
        case UnaryFunction::abs:
            return x < 0.0f ? -1.0f : 1.0f;
        case UnaryFunction::acos:
            return -1.0f / std::sqrt(1.0f - x * x);
        case UnaryFunction::acosh:
            return 1.0f / std::sqrt(x * x - 1.0f);
        case UnaryFunction::asin:
            return 1.0f / std::sqrt(1.0f - x * x);
        case UnaryFunction::asinh:
            return 1.0f / std::sqrt(x * x + 1.0f);
        case UnaryFunction::atan:
            return 1.0f / (x * x + 1.0f);
        case UnaryFunction::atanh:
            return 1.0f / (1.0f - x * x);
        case UnaryFunction::ceil:
        case UnaryFunction::floor:
        case UnaryFunction::round:
        case UnaryFunction::sign:
            return 0.0f;
        case UnaryFunction::celu:
            return x > 0.0f ? 1.0f : std::exp(x / a);
        case UnaryFunction::clip:
            return x > a && x < b ? 1.0f : 0.0f;
        case UnaryFunction::cos:
            return -std::sin(x);
        case UnaryFunction::cosh:
            return std::sinh(x);
        case UnaryFunction::elu:
            return x > 0.0f ? 1.0f : y + a;
        case UnaryFunction::erf:
            return 1.1283791671f * std::exp(-x * x);  // 2 / sqrt(pi)
        case UnaryFunction::exp:
            return y;
        case UnaryFunction::gelu: {
            const float density = 0.3989422804f * std::exp(-0.5f * x * x);  // 1 / sqrt(2 pi)
            return 0.5f * std::erfc(-0.7071067812f * x) + x * density;
        }
        case UnaryFunction::gelu_tanh: {
            const float t = std::tanh(0.7978845608f * (x + 0.044715f * x * x * x));
            return 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * 0.7978845608f * (1.0f + 3.0f * 0.044715f * x * x);
        }
        case UnaryFunction::linear:
            return a;
        case UnaryFunction::log:
            return 1.0f / x;
        case UnaryFunction::mish: {
            const float t = std::tanh(softplus(x));
            return t + x * (1.0f - t * t) * logistic(x);
        }
        case UnaryFunction::reciprocal:
            return -y * y;
        case UnaryFunction::rsqrt:
            return -0.5f * y * y * y;
        case UnaryFunction::selu:
            return x > 0.0f ? b : y + a * b;
        case UnaryFunction::shrink:
            return x < -a || x > a ? 1.0f : 0.0f;
        case UnaryFunction::sin:
            return std::cos(x);
        case UnaryFunction::sinh:
            return std::cosh(x);
        case UnaryFunction::softplus:
            return logistic(x);
        case UnaryFunction::softsign: {
            const float scale = 1.0f + std::abs(x);
            return 1.0f / (scale * scale);
        }
        case UnaryFunction::sqrt:
            return 0.5f / y;
        case UnaryFunction::square:
            return 2.0f * x;
        case UnaryFunction::tan:
            return 1.0f + y * y;
        case UnaryFunction::thresholded_relu:
            return x > a ? 1.0f : 0.0f;
    }
    return 0.0f;
}

/// The derivatives by x and by y.
struct BinarySlopes {
    float x, y;
};
inline BinarySlopes binary_slopes(BinaryFunction function, float x, float y) {
    switch (function) {
        case BinaryFunction::add:
            return {1.0f, 1.0f};
        case BinaryFunction::sub:
            return {1.0f, -1.0f};
        case BinaryFunction::mul:
            return {y, x};
        case BinaryFunction::div:
            return {1.0f / y, -x / (y * y)};
        case BinaryFunction::pow:  // x^y has a derivative by y where x > 0, and 0 at x = 0
            return {y == 0.0f ? 0.0f : y * std::pow(x, y - 1.0f), x == 0.0f ? 0.0f : std::pow(x, y) * std::log(x)};
        case BinaryFunction::max:
            return x > y ? BinarySlopes{1.0f, 0.0f} : BinarySlopes{0.0f, 1.0f};
        case BinaryFunction::min:
            return x < y ? BinarySlopes{1.0f, 0.0f} : BinarySlopes{0.0f, 1.0f};
        case BinaryFunction::fmod:
            return {1.0f, -std::trunc(x / y)};
        case BinaryFunction::floor_mod:
            return {1.0f, -std::floor(x / y)};
        case BinaryFunction::floor_div:
            return {0.0f, 0.0f};
        case BinaryFunction::prelu:
            return x > 0.0f ? BinarySlopes{1.0f, 0.0f} : BinarySlopes{y, x};
        case BinaryFunction::squared_difference:
            return {2.0f * (x - y), 2.0f * (y - x)};
    }
    return {0.0f, 0.0f};
}

}  // namespace detail

inline void gradient(const Unary& layer, GradientContext& node) {
    detail::activation_gradient(node, [&layer](float d, float x, float y) {
        return d * detail::unary_slope(layer.function, layer.alpha, layer.beta, x, y);
    });
}

/// What repeats gathers the gradients of its copies.
inline void gradient(const Binary& layer, GradientContext& node) {
    const float* const dy = node.output_gradient();
    const float* const a = node.input_data(0);
    const float* const b = node.input_data(1);
    float* const da = node.wants(0) ? node.input_gradient(0).data() : nullptr;
    float* const db = node.wants(1) ? node.input_gradient(1).data() : nullptr;
    const BroadcastGeometry g = detail::broadcast_geometry(node.input(0).shape, node.input(1).shape, node.output().shape);
    const std::ptrdiff_t a_step = g.a_stride[g.rank - 1], b_step = g.b_stride[g.rank - 1];
    kernels::reference::for_each_broadcast_row(
        g, [&](std::ptrdiff_t count, std::ptrdiff_t i, std::ptrdiff_t j, std::ptrdiff_t to) {
            for (std::ptrdiff_t k = to; k < to + count; ++k, i += a_step, j += b_step) {
                const detail::BinarySlopes slopes = detail::binary_slopes(layer.function, a[i], b[j]);
                if (da != nullptr) da[i] += dy[k] * slopes.x;
                if (db != nullptr) db[j] += dy[k] * slopes.y;
            }
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
