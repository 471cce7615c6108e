// SPDX-License-Identifier: MIT
// Folding BatchNorm keeps what the model computes.

#include <mote/mote.hpp>
#include <support/catch.hpp>

#include "../engine/random_model.hpp"

namespace fold_test {

using namespace mote;

/// fold's promise: relative to the output's range.
constexpr double fold_tolerance = 1e-5;

template <class List>
std::size_t count_norms(const BasicModel<List>& model) {
    std::size_t count = 0;
    for (const Node& node : model.nodes()) count += get_if<BatchNorm>(model, node) != nullptr ? 1u : 0u;
    return count;
}

double largest_gap(const Model<f32, wide>& a, const Model<f32, wide>& b, std::uint64_t seed) {
    Engine first(a, {.plan = {.fuse = false}});
    Engine second(b, {.plan = {.fuse = false}});
    random_model::fill_inputs(first, seed);
    random_model::fill_inputs(second, seed);
    first.run();
    second.run();
    double worst = 0;
    for (std::size_t i = 0; i < first.outputs(); ++i) {
        const auto x = first.output<float>(i);
        const auto y = second.output<float>(i);
        double range = 1e-30;
        double gap = 0;
        for (std::size_t k = 0; k < x.size(); ++k) {
            range = std::max(range, std::fabs(static_cast<double>(x[k])));
            gap = std::max(gap, std::fabs(static_cast<double>(x[k]) - static_cast<double>(y[k])));
        }
        worst = std::max(worst, gap / range);
    }
    return worst;
}

}  // namespace fold_test

using namespace fold_test;

TEST_CASE("fold: BatchNorm after each contraction disappears, and the outputs stay within 1e-5") {
    random_model::Dice dice{7};
    for (const bool with_bias : {false, true}) {
        auto bias = [&](std::size_t n) { return with_bias ? random_model::reals(dice, n, -1, 1) : Tensor<f32>{}; };
        ModelBuilder<f32, wide> b;
        auto x = b.input("x", {2, 7, 6, 4});
        x = b.add(Conv2d<f32>{.weight = random_model::weights<f32>(dice, {6, 3, 3, 2}), .bias = bias(6), .groups = 2}, x);
        x = b.add(random_model::batch_norm(dice, 6), x);
        x = b.add(
            DepthwiseConv2d<f32>{.weight = random_model::weights<f32>(dice, {12, 3, 2, 1}), .bias = bias(12), .multiplier = 2},
            x);
        x = b.add(random_model::batch_norm(dice, 12), x);
        x = b.add(random_model::batch_norm(dice, 12), x);  // and one more on top
        x = b.add(Relu{}, x);
        x = b.add(Dense<f32>{random_model::weights<f32>(dice, {5, 12}), bias(5)}, x);
        b.output("y", b.add(random_model::batch_norm(dice, 5), x));
        const Model<f32, wide> model = b.build();
        const Model<f32, wide> light = fold(model);
        CHECK(count_norms(model) == 4);
        CHECK(count_norms(light) == 0);
        CHECK(light.value(light.outputs()[0]).name == "y");
        CHECK(largest_gap(model, light, 1) < fold_tolerance);
    }
}

TEST_CASE("fold: BatchNorm stays where the value before it goes elsewhere too, or comes from no contraction") {
    random_model::Dice dice{8};
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {1, 3, 3, 4});
    const auto direct = b.add(random_model::batch_norm(dice, 4), x);
    const auto conv = b.add(Conv2d<f32>{.weight = random_model::weights<f32>(dice, {4, 1, 1, 4})}, direct);
    const auto norm = b.add(random_model::batch_norm(dice, 4), conv);
    b.output("y", b.add(Add{}, {norm, conv}));
    const auto seen = b.add(Conv2d<f32>{.weight = random_model::weights<f32>(dice, {2, 1, 1, 4})}, norm);
    b.output("seen", seen);
    b.output("z", b.add(random_model::batch_norm(dice, 2), seen));
    const Model<f32, wide> model = b.build();
    CHECK(fold(model) == model);
}

TEST_CASE("fold: random models keep their outputs") {
    std::size_t folded_norms = 0;
    for (std::uint64_t seed = 300; seed < 360; ++seed) {
        const Model<f32, wide> model = random_model::make<f32>(seed, 14);
        const Model<f32, wide> light = fold(model);
        folded_norms += count_norms(model) - count_norms(light);
        INFO("seed " << seed << "\n" << to_string(model));
        CHECK(largest_gap(model, light, seed) < fold_tolerance);
    }
    CHECK(folded_norms > 20);
}
