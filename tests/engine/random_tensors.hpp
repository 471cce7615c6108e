// SPDX-License-Identifier: MIT
#pragma once
// Random numbers, quantizations, weights and tables for random models; from a seed.

#include <mote/mote.hpp>

#include <cmath>
#include <cstdint>

namespace random_model {

using namespace mote;

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers everywhere.
struct Dice {
    std::uint64_t state;
    std::uint64_t next() {
        std::uint64_t z = state += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }
    std::size_t from_to(std::size_t lo, std::size_t hi) { return lo + below(hi - lo + 1); }
    bool chance(std::size_t percent) { return below(100) < percent; }
    float real(float lo, float hi) { return lo + (hi - lo) * static_cast<float>(static_cast<double>(next() >> 11) * 0x1p-53); }
};

template <class P>
using Builder = ModelBuilder<P, wide>;

/// An activation quantization of about the given range.
inline Quantization activation(Dice& dice, float range) {
    return QuantizationParams{range / 127.0f * dice.real(0.7f, 1.3f), static_cast<std::int32_t>(dice.from_to(0, 80)) - 40};
}

template <class P>
Tensor<typename P::weight> weights(Dice& dice, const Shape& shape) {
    Tensor<typename P::weight> tensor(shape);
    if constexpr (std::is_same_v<P, f32>) {
        const float range = 1.7f / std::sqrt(static_cast<float>(shape.elements() / shape[0]));
        for (float& x : tensor.values()) x = dice.real(-range, range);
    } else {
        for (std::int8_t& x : tensor.values()) x = static_cast<std::int8_t>(static_cast<int>(dice.below(255)) - 127);
        const auto inner = static_cast<float>(shape.elements() / shape[0]);  // keeps ranges as they are
        std::vector<float> scales;
        const std::size_t count = dice.chance(80) ? shape[0] : 1;
        for (std::size_t c = 0; c < count; ++c) scales.push_back(dice.real(0.005f, 0.02f) / std::sqrt(inner));
        tensor.set_quantization(Quantization(scales, 0));
    }
    return tensor;
}
template <class P>
Tensor<typename P::bias> bias(Dice& dice, std::size_t channels) {
    if (dice.chance(25)) return {};
    Tensor<typename P::bias> tensor(Shape{channels});
    for (auto& x : tensor.values()) {
        if constexpr (std::is_same_v<P, f32>) {
            x = dice.real(-1, 1);
        } else {
            x = static_cast<std::int32_t>(dice.below(4001)) - 2000;
        }
    }
    return tensor;
}
inline Tensor<i8> byte_table(Dice& dice) {
    Tensor<i8> table(Shape{256});
    for (std::int8_t& x : table.values()) x = static_cast<std::int8_t>(static_cast<int>(dice.below(256)) - 128);
    return table;
}
inline Tensor<f32> reals(Dice& dice, std::size_t count, float lo, float hi) {
    Tensor<f32> tensor(Shape{count});
    for (float& x : tensor.values()) x = dice.real(lo, hi);
    return tensor;
}
inline BatchNorm batch_norm(Dice& dice, std::size_t channels) {
    return {.scale = reals(dice, channels, 0.5f, 1.5f),
            .shift = reals(dice, channels, -0.5f, 0.5f),
            .mean = reals(dice, channels, -0.5f, 0.5f),
            .variance = reals(dice, channels, 0.3f, 2.0f)};
}

}  // namespace random_model
