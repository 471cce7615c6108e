// SPDX-License-Identifier: MIT
// fine_tune: zeros stay exactly zero, everything else learns.

#include <mote/train/evaluate.hpp>
#include <mote/transform/prune.hpp>

#include <support/catch.hpp>
#include <transform/networks.hpp>

namespace fine_tune_test {

using namespace mote;

TEST_CASE("fine_tune: weights that are exactly zero at entry are exactly zero at the end, with every optimizer") {
    const Model<f32, wide> model = networks::plain(1);
    const TensorDataset set(networks::samples(2, {24, 6, 6, 2}), [] {
        std::vector<std::int64_t> labels;
        for (std::int64_t i = 0; i < 24; ++i) labels.push_back(i % 4);
        return labels;
    }());
    const Model<f32, wide> sparse = prune(model, WeightPruning{.sparsity = 0.7});
    for (const Optimizer& optimizer : {Optimizer(SGD{.weight_decay = 1e-3f}), Optimizer(Adam{}), Optimizer(AdamW{})}) {
        const Model<f32, wide> tuned = fine_tune(sparse, set, {.epochs = 2, .optimizer = optimizer});
        std::size_t zeros = 0, moved = 0;
        for (const char* name : {"first", "second"}) {
            const Tensor<f32>& before = networks::layer<Conv2d<f32>>(sparse, name).weight;
            const Tensor<f32>& after = networks::layer<Conv2d<f32>>(tuned, name).weight;
            for (std::size_t i = 0; i < before.elements(); ++i) {
                if (before[i] == 0.0f) REQUIRE(after[i] == 0.0f);
                zeros += before[i] == 0.0f ? 1u : 0u;
                moved += before[i] != after[i] ? 1u : 0u;
            }
        }
        CHECK(zeros > 300);
        CHECK(moved > 100);
        CHECK_FALSE(train(sparse, set, {.epochs = 2, .optimizer = optimizer}) == tuned);  // which would move the zeros
    }
}

TEST_CASE("fine_tune: biases and weights of one axis that are zero at entry move") {
    Random random(5);
    ModelBuilder<f32, wide> b;
    auto x = b.add(networks::dense(random, 4, 3), b.input("x", {1, 4}), {.name = "dense"});
    x = b.add(networks::norm(random, 3), x, {.name = "norm"});
    b.output("y", b.add(networks::dense(random, 3, 2), b.add(Tanh{}, x), {.name = "head"}));
    Graph<standard_layers<f32, wide>> graph = b.build().graph();
    networks::set_slice(graph, 0, "weight", 1, 2, 0.0f);
    networks::set_slice(graph, 1, "scale", 0, 1, 0.0f);
    networks::set_slice(graph, 3, "bias", 0, 0, 0.0f);
    const TensorDataset set(networks::samples(6, {8, 4}), {0, 1, 1, 0, 1, 0, 0, 1});
    const Model<f32, wide> tuned = fine_tune(Model<f32, wide>(graph), set, {.epochs = 3});
    for (std::size_t o = 0; o < 3; ++o) CHECK(networks::layer<Dense<f32>>(tuned, "dense").weight[o * 4 + 2] == 0.0f);
    CHECK(networks::layer<BatchNorm>(tuned, "norm").scale[1] != 0.0f);
    CHECK(networks::layer<Dense<f32>>(tuned, "head").bias[0] != 0.0f);
}

TEST_CASE("prune, fine_tune: both prunings are found under one header and leave trainable models") {
    const Model<f32, wide> slim = prune(networks::plain(3), ChannelPruning{.keep = 0.5});
    const TensorDataset set(networks::samples(4, {8, 6, 6, 2}), std::vector<std::int64_t>(8, 2));
    const Model<f32, wide> tuned =
        fine_tune(prune(slim, WeightPruning{.sparsity = 0.5}), set, {.epochs = 30, .schedule = ConstantRate{.rate = 1e-2f}});
    CHECK(accuracy(tuned, set) == 1.0);
    CHECK_THROWS_AS(fine_tune(slim, TensorDataset(Tensor<f32>({0, 6, 6, 2}), {})), Error);
}

}  // namespace fine_tune_test
