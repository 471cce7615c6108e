// SPDX-License-Identifier: MIT
// BatchNorm while it trains: gradients through the statistics of the whole batch, what it keeps, and its frozen form.

#include <mote/train/gradient/batch_norm.hpp>

#include "check.hpp"

namespace batch_norm_gradient_test {

using namespace gradient_check;

mote::BatchNorm layer(std::size_t channels, mote::Random& random) {
    mote::BatchNorm norm{.scale = random_tensor(mote::Shape{channels}, random),
                         .shift = random_tensor(mote::Shape{channels}, random),
                         .mean = random_tensor(mote::Shape{channels}, random),
                         .variance = random_tensor(mote::Shape{channels}, random)};
    for (float& v : norm.variance.values()) v = 0.5f + v * v;
    return norm;
}

mote::BasicModel<List> network(std::uint64_t seed) {
    mote::Random random(seed);
    Builder b;
    const Handle x = offset_input(b, b.input("x", {1, 3, 3, 4}));
    const Handle y = b.add(layer(4, random), x);
    const Handle z = b.add(mote::Tanh{}, b.add(mote::Add{}, {x, y}));
    b.output("y", b.add(layer(4, random), z));
    return b.build();
}

}  // namespace batch_norm_gradient_test

TEST_CASE("gradient: BatchNorm on batch statistics, for any number of shards") {
    using namespace batch_norm_gradient_test;
    for (const std::size_t shards : {1u, 2u, 3u, 5u}) {
        CAPTURE(shards);
        check(network(1), 5, shards, 1);
    }
}

TEST_CASE("gradient: frozen BatchNorm is an affine function of its stored statistics") {
    using namespace batch_norm_gradient_test;
    check(network(2), 5, 2, 2, true);
}

TEST_CASE("BatchNorm: shards together normalize to mean 0 and variance 1, and keep the batch's mean and unbiased variance") {
    using namespace batch_norm_gradient_test;
    constexpr std::size_t samples = 7, channels = 3, pixels = 4;
    mote::Random random(4);
    mote::BatchNorm norm = layer(channels, random);
    for (std::size_t c = 0; c < channels; ++c) {
        norm.scale[c] = 1.0f;
        norm.shift[c] = 0.0f;
    }
    norm.momentum = 0.25f;
    Builder b;
    b.output("y", b.add(norm, b.input("x", {1, 2, 2, channels})));
    const mote::BasicModel<List> model = b.build();
    mote::detail::TrainingSession session(
        mote::detail::make_training_network(model), [&](std::size_t n) { return mote::detail::batched_values(model, n); },
        samples, 3, 2, false, mote::native_kernels());
    const mote::Tensor<mote::f32> x = random_tensor({samples, pixels, channels}, random, 3.0f);
    session.prepare(samples);
    session.lower_all();
    const std::span<const float> y = session.forward([&](std::size_t place, std::span<float> values) {
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = 1000.0f + x[place * values.size() + i];
    });
    session.learn(0);
    const auto* kept = static_cast<const mote::BatchNorm*>(session.network().nodes[0].layer.get());
    constexpr double rows = samples * pixels;
    for (std::size_t c = 0; c < channels; ++c) {
        double mean = 0.0, square = 0.0, mean_y = 0.0, square_y = 0.0;
        for (std::size_t i = c; i < x.elements(); i += channels) {
            mean += static_cast<double>(1000.0f + x[i]) / rows;
            mean_y += static_cast<double>(y[i]) / rows;
        }
        for (std::size_t i = c; i < x.elements(); i += channels) {
            square += std::pow(static_cast<double>(1000.0f + x[i]) - mean, 2.0);
            square_y += std::pow(static_cast<double>(y[i]) - mean_y, 2.0);
        }
        // The inputs are near 1000: f32 holds them to 6e-5, and the shift of the affine form to about as much.
        CHECK(std::fabs(mean_y) < 2e-4);
        CHECK(std::fabs(square_y / rows - 1.0) < 1e-4);
        CHECK(static_cast<double>(kept->mean[c]) ==
              Approx(0.75 * static_cast<double>(norm.mean[c]) + 0.25 * mean).epsilon(1e-6));
        CHECK(static_cast<double>(kept->variance[c]) ==
              Approx(0.75 * static_cast<double>(norm.variance[c]) + 0.25 * square / (rows - 1.0)).epsilon(1e-4));
    }
}
