// SPDX-License-Identifier: MIT
#pragma once
// Gradients against finite differences: every parameter of a model, under a random linear loss of its output.

#include <mote/core/random.hpp>
#include <mote/kernels/native.hpp>
#include <mote/model/builder.hpp>
#include <mote/train/detail/session.hpp>

#include <support/catch.hpp>

#include <cmath>
#include <string>
#include <vector>

/// A layer of an application's own, with a number for each element of a sample: y = x + offset. Its parameter's gradient is
/// the sum over the batch of what stands behind it, so that input gradients are seen too.
namespace gradient_check {

struct Offset {
    mote::Tensor<mote::f32> offset{};  ///< [1, ...]
    static constexpr const char* kind = "Offset";
    static constexpr mote::Family family = mote::Family::elementwise;
    static constexpr auto fields = list_fields(mote::Field{"offset", &Offset::offset, mote::Role::weight});
};
inline void infer(const Offset&, mote::InferContext& node) {
    node.output(node.input(0).shape, mote::Element::f32);
}
struct OffsetStep {
    static constexpr const char* name = "offset";
    std::size_t count = 0;
    std::vector<float> offset{};
    void run(const mote::KernelTable&, std::byte* const* operands) const noexcept {
        const float* in = mote::operand<const float>(operands, 0);
        float* out = mote::operand<float>(operands, 1);
        for (std::size_t i = 0; i < count; ++i) out[i] = in[i] + offset[i % offset.size()];
    }
};
inline void lower(const Offset& layer, mote::LowerContext& node) {
    const std::span<const float> offset = layer.offset.values();
    node.emit(OffsetStep{node.input().shape.elements(), {offset.begin(), offset.end()}});
}
inline void gradient(const Offset& layer, mote::GradientContext& node) {
    const float* dy = node.output_gradient();
    const std::size_t count = node.output().shape.elements();
    const std::span<float> d = node.parameter_gradient("offset");
    for (std::size_t i = 0; i < count; ++i) d[i % layer.offset.elements()] += dy[i];
    if (node.wants(0)) mote::detail::put(node.input_sink(0), count, dy);
}

using List = mote::append<mote::standard_layers<mote::f32, mote::wide>, Offset>;
using Builder = mote::BasicBuilder<List>;
using Handle = Builder::Handle;

inline mote::Tensor<mote::f32> random_tensor(const mote::Shape& shape, mote::Random& random, float size = 0.5f) {
    mote::Tensor<mote::f32> tensor(shape);
    for (float& x : tensor.values()) x = size * random.normal();
    return tensor;
}

/// An input whose gradient is seen.
inline Handle offset_input(Builder& b, Handle x) {
    return b.add(Offset{mote::Tensor<mote::f32>(b.shape(x))}, x);
}

/// Values from -4 to 7, further apart than a difference step, and none near a kink of an activation (-3, 0, 3, 6).
inline std::vector<float> spaced_values(std::size_t count, mote::Random& random) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) {
        float x = -4.0f + 11.0f * (static_cast<float>(i) + 0.5f) / static_cast<float>(count);
        for (const float kink : {-3.0f, 0.0f, 3.0f, 6.0f}) {
            if (std::fabs(x - kink) < 0.02f) x = kink + (x < kink ? -0.02f : 0.02f) + (x - kink) * 0.5f;
        }
        values[i] = x;
    }
    for (std::size_t left = count; left > 1; --left) std::swap(values[left - 1], values[random.below(left)]);
    return values;
}

/// Outputs are f32, rounded to 2^-24, and the step is 2^-8: each difference quotient carries an error of about 2^-16 of the
/// largest terms, and the third derivative adds the square of the step. A wrong factor or index is far above.
constexpr double tolerance = 2e-3;

/// Compares every parameter's gradient with central differences; `samples` of the model's input in `shards`.
template <class L>
void check(const mote::BasicModel<L>& model, std::size_t samples, std::size_t shards, std::uint64_t seed, bool freeze = false) {
    mote::Random random(seed, 99);
    mote::detail::TrainingSession session(
        mote::detail::make_training_network(model), [&](std::size_t n) { return mote::detail::batched_values(model, n); },
        samples, shards, 1, freeze, mote::native_kernels());
    const std::size_t inputs = session.network().sample_size;
    const std::vector<float> x = spaced_values(samples * inputs, random);
    auto load = [&](std::size_t place, std::span<float> values) {
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = x[place * inputs + i];
    };
    std::vector<double> direction(samples * session.network().classes);
    for (double& d : direction) d = static_cast<double>(random.normal());
    auto loss = [&] {
        session.lower_all();
        const std::span<const float> y = session.forward(load);
        double sum = 0.0;
        for (std::size_t i = 0; i < y.size(); ++i) sum += direction[i] * static_cast<double>(y[i]);
        return sum;
    };
    session.prepare(samples);
    loss();
    const std::span<float> dy = session.logits_gradient();
    for (std::size_t i = 0; i < dy.size(); ++i) dy[i] = static_cast<float>(direction[i]);
    session.backward();
    REQUIRE_FALSE(session.network().parameters.empty());
    for (const mote::detail::TrainedParameter& p : session.network().parameters) {
        std::vector<float> gradient(p.size);
        session.reduce(p.offset, p.size, gradient.data());
        std::vector<double> difference(p.size);
        double largest = 0.0;
        constexpr float step = 1.0f / 256.0f;
        for (std::size_t i = 0; i < p.size; ++i) {
            const float before = p.values[i];
            p.values[i] = before + step;
            const double up = loss();
            p.values[i] = before - step;
            const double down = loss();
            p.values[i] = before;
            difference[i] = (up - down) / static_cast<double>((before + step) - (before - step));
            largest = std::fmax(largest, std::fabs(difference[i]));
        }
        const std::string& node = session.network().nodes[p.node].name;
        const std::string field = p.field;
        CAPTURE(node, field, largest);
        for (std::size_t i = 0; i < p.size; ++i) {
            CAPTURE(i, gradient[i], difference[i]);
            const bool close =
                std::fabs(static_cast<double>(gradient[i]) - difference[i]) <= tolerance * std::fmax(largest, 0.1);
            if (!close) CHECK(close);
        }
        CHECK(largest > 0.0);
    }
}

}  // namespace gradient_check
