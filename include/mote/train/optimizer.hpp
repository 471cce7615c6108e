// SPDX-License-Identifier: MIT
#pragma once
// Optimizers: how a parameter moves against its gradient. Each works on any part of a parameter, element by element.

#include <mote/core/config.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <variant>

MOTE_BEGIN_NAMESPACE

/// Stochastic gradient descent: v = momentum * v + g + weight_decay * w; w -= rate * v, or with Nesterov's momentum
/// w -= rate * (g + weight_decay * w + momentum * v) (Sutskever et al. 2013, in PyTorch's form).
struct SGD {
    float momentum = 0.9f;
    bool nesterov = false;
    float weight_decay = 0.0f;
    bool decay_all = false;  ///< biases and BatchNorm too
};

/// Kingma and Ba 2015, algorithm 1; weight decay is added to the gradient.
struct Adam {
    float beta1 = 0.9f;
    float beta2 = 0.999f;
    float epsilon = 1e-8f;
    float weight_decay = 0.0f;
    bool decay_all = false;
};

/// Adam with decoupled weight decay: w -= rate * weight_decay * w beside Adam's step (Loshchilov and Hutter 2019,
/// algorithm 2).
struct AdamW {
    float beta1 = 0.9f;
    float beta2 = 0.999f;
    float epsilon = 1e-8f;
    float weight_decay = 1e-2f;
    bool decay_all = false;
};

using Optimizer = std::variant<SGD, Adam, AdamW>;

/// One step on `count` elements. `first` and `second` are the optimizer's memory, zero before the first step.
struct ParameterStep {
    std::size_t count = 0;
    float* weight = nullptr;
    const float* gradient = nullptr;
    float* first = nullptr;   ///< momentum
    float* second = nullptr;  ///< mean square; SGD does not use it
    double rate = 0.0;
    std::uint64_t step = 1;  ///< counted from 1
    bool decay = false;      ///< whether weight decay applies to this parameter
};

inline void apply(const SGD& sgd, const ParameterStep& p) {
    const float rate = static_cast<float>(p.rate);
    const float decay = p.decay ? sgd.weight_decay : 0.0f;
    for (std::size_t i = 0; i < p.count; ++i) {
        const float g = p.gradient[i] + decay * p.weight[i];
        p.first[i] = sgd.momentum * p.first[i] + g;
        p.weight[i] -= rate * (sgd.nesterov ? g + sgd.momentum * p.first[i] : p.first[i]);
    }
}

namespace detail {

template <class A>
void adam_step(const A& adam, const ParameterStep& p, float coupled, float decoupled) {
    const double step = static_cast<double>(p.step);
    const double correct1 = 1.0 - std::pow(static_cast<double>(adam.beta1), step);
    const double correct2 = 1.0 - std::pow(static_cast<double>(adam.beta2), step);
    const float size = static_cast<float>(p.rate / correct1);
    const float root = static_cast<float>(1.0 / std::sqrt(correct2));
    const float keep = 1.0f - static_cast<float>(p.rate) * decoupled;
    const float beta1 = adam.beta1, beta2 = adam.beta2, epsilon = adam.epsilon;
    float* const weight = p.weight;
    float* const first = p.first;
    float* const second = p.second;
    for (std::size_t i = 0; i < p.count; ++i) {
        const float g = p.gradient[i] + coupled * weight[i];
        const float m = beta1 * first[i] + (1.0f - beta1) * g;
        const float v = beta2 * second[i] + (1.0f - beta2) * g * g;
        first[i] = m;
        second[i] = v;
        weight[i] = keep * weight[i] - size * m / (std::sqrt(v) * root + epsilon);
    }
}

}  // namespace detail

inline void apply(const Adam& adam, const ParameterStep& p) {
    detail::adam_step(adam, p, p.decay ? adam.weight_decay : 0.0f, 0.0f);
}
inline void apply(const AdamW& adam, const ParameterStep& p) {
    detail::adam_step(adam, p, 0.0f, p.decay ? adam.weight_decay : 0.0f);
}

MOTE_END_NAMESPACE
