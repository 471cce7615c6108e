// SPDX-License-Identifier: MIT
#pragma once
// The verb gradient of all standard layers, and the table through which training calls a layer. Only here it is asked what a
// layer supports.

#include <mote/engine/lower/lower.hpp>
#include <mote/train/gradient/batch_norm.hpp>
#include <mote/train/gradient/contraction.hpp>
#include <mote/train/gradient/elementwise.hpp>
#include <mote/train/gradient/movement.hpp>
#include <mote/train/gradient/recurrent.hpp>
#include <mote/train/gradient/reduction.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

template <class L>
concept Differentiable = requires(const L& layer, GradientContext& node) {
    gradient(layer, node);
};

/// Layers that are trained on statistics of the whole batch (see batch_norm.hpp).
template <class L>
concept CouplesBatch = requires(const L& layer, L& learner, ForwardContext& node, GradientContext& backward) {
    { batch_sums(layer) } -> std::convertible_to<std::size_t>;
    gather(layer, node);
    forward(layer, node);
    gather_gradient(layer, backward);
    frozen_gradient(layer, backward);
    learn(learner, node);
};

/// What training calls of one layer type; null where the type has no such function.
struct TrainingVerbs {
    void (*lower)(const void*, LowerContext&) = nullptr;
    void (*gradient)(const void*, GradientContext&) = nullptr;
    std::size_t (*batch_sums)(const void*) = nullptr;
    void (*gather)(const void*, ForwardContext&) = nullptr;
    void (*forward)(const void*, ForwardContext&) = nullptr;
    void (*gather_gradient)(const void*, GradientContext&) = nullptr;
    void (*frozen_gradient)(const void*, GradientContext&) = nullptr;
    void (*learn)(void*, ForwardContext&) = nullptr;
};

template <class L>
constexpr TrainingVerbs training_verbs_of() {
    TrainingVerbs verbs;
    verbs.lower = &LowerVerb<L>::call;
    if constexpr (Differentiable<L>) {
        verbs.gradient = [](const void* l, GradientContext& node) { gradient(*static_cast<const L*>(l), node); };
    }
    if constexpr (CouplesBatch<L>) {
        verbs.batch_sums = [](const void* l) -> std::size_t { return batch_sums(*static_cast<const L*>(l)); };
        verbs.gather = [](const void* l, ForwardContext& node) { gather(*static_cast<const L*>(l), node); };
        verbs.forward = [](const void* l, ForwardContext& node) { forward(*static_cast<const L*>(l), node); };
        verbs.gather_gradient = [](const void* l, GradientContext& node) { gather_gradient(*static_cast<const L*>(l), node); };
        verbs.frozen_gradient = [](const void* l, GradientContext& node) { frozen_gradient(*static_cast<const L*>(l), node); };
        verbs.learn = [](void* l, ForwardContext& node) { learn(*static_cast<L*>(l), node); };
    }
    return verbs;
}

template <class L>
inline constexpr TrainingVerbs training_verbs = training_verbs_of<L>();

}  // namespace detail

MOTE_END_NAMESPACE
