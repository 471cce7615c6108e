// SPDX-License-Identifier: MIT
// prune, unstructured: exactly the asked share becomes exactly zero, the least important first.

#include <mote/transform/prune_weights.hpp>

#include <support/catch.hpp>
#include <transform/networks.hpp>

#include <limits>

namespace prune_weights_test {

using namespace mote;

struct Count {
    std::size_t zeros = 0, all = 0;
};
/// Zeros among the weights of the contractions, or of one node.
Count count_zeros(const Model<f32, wide>& model, std::string_view only = {}) {
    Count count;
    for (const Node& node : model.nodes()) {
        if (!only.empty() && node.name != only) continue;
        visit(model, node, [&]<class L>(const L& layer) {
            if (L::family != Family::contraction) return;
            for_each_parameter(layer, [&](const auto& field, const auto& tensor) {
                if (field.role != Role::weight) return;
                for (const auto w : tensor.values()) count.zeros += w == 0 ? 1u : 0u;
                count.all += tensor.elements();
            });
        });
    }
    return count;
}

TEST_CASE("prune weights: the share of zeros is what was asked for, to the nearest weight, in either scope") {
    const Model<f32, wide> model = networks::mixed(1);
    for (const double sparsity : {0.1, 0.5, 0.77}) {
        const Count global = count_zeros(prune(model, WeightPruning{.sparsity = sparsity}));
        CHECK(global.zeros == static_cast<std::size_t>(std::nearbyint(sparsity * static_cast<double>(global.all))));
        const Model<f32, wide> each = prune(model, WeightPruning{.sparsity = sparsity, .scope = Scope::per_layer});
        for (const char* node : {"stem", "depth", "head"}) {
            const Count count = count_zeros(each, node);
            CHECK(count.zeros == static_cast<std::size_t>(std::nearbyint(sparsity * static_cast<double>(count.all))));
        }
    }
}

TEST_CASE("prune weights: by L1 no zeroed weight is larger than one that stays, and those that stay do not change") {
    const Model<f32, wide> model = networks::plain(1);
    const Model<f32, wide> sparse = prune(model, WeightPruning{.sparsity = 0.6});
    double largest_gone = 0.0, smallest_left = HUGE_VAL;
    for (const char* name : {"first", "second"}) {
        const Tensor<f32>& before = networks::layer<Conv2d<f32>>(model, name).weight;
        const Tensor<f32>& after = networks::layer<Conv2d<f32>>(sparse, name).weight;
        for (std::size_t i = 0; i < before.elements(); ++i) {
            const double magnitude = std::fabs(static_cast<double>(before[i]));
            if (after[i] == 0.0f) {
                largest_gone = std::max(largest_gone, magnitude);
            } else {
                CHECK(after[i] == before[i]);
                smallest_left = std::min(smallest_left, magnitude);
            }
        }
        CHECK(networks::layer<Conv2d<f32>>(sparse, name).bias == networks::layer<Conv2d<f32>>(model, name).bias);
    }
    CHECK(largest_gone <= smallest_left);
}

TEST_CASE("prune weights: Taylor zeroes what the loss does not feel, where L1 zeroes what is small") {
    ModelBuilder<f32, wide> b;
    auto x = b.input("x", {1, 4});
    // Only the first two inputs are ever other than zero: the large weights of the others are not felt.
    b.output("y", b.add(Dense<f32>{Tensor<f32>({2, 4}, {0.1f, 0.2f, 9, 9, 0.3f, -0.1f, 9, 9}), {}}, x, {.name = "fc"}));
    const Model<f32, wide> model = b.build();
    Tensor<f32> inputs = networks::samples(3, {16, 4});
    for (std::size_t i = 0; i < 16; ++i) inputs[4 * i + 2] = inputs[4 * i + 3] = 0.0f;
    const TensorDataset set(inputs, std::vector<std::int64_t>(16, 1));
    const auto by_taylor = prune(model, WeightPruning{.sparsity = 0.5, .criterion = Taylor(set)});
    CHECK(networks::layer<Dense<f32>>(by_taylor, "fc").weight == Tensor<f32>({2, 4}, {0.1f, 0.2f, 0, 0, 0.3f, -0.1f, 0, 0}));
    const auto by_size = prune(model, WeightPruning{.sparsity = 0.5, .criterion = L1{}});
    CHECK(networks::layer<Dense<f32>>(by_size, "fc").weight == Tensor<f32>({2, 4}, {0, 0, 9, 9, 0, 0, 9, 9}));
}

TEST_CASE("prune weights: weights that are zero already count, and ignored nodes do not") {
    const Model<f32, wide> model = networks::plain(2);
    const Model<f32, wide> once = prune(model, WeightPruning{.sparsity = 0.3});
    const Model<f32, wide> twice = prune(once, WeightPruning{.sparsity = 0.6});
    CHECK(twice == prune(model, WeightPruning{.sparsity = 0.6}));
    const Model<f32, wide> some = prune(model, WeightPruning{.sparsity = 0.5, .ignored = {"first"}});
    CHECK(count_zeros(some, "first").zeros == 0);
    const Count rest = count_zeros(some);
    CHECK(rest.zeros == (rest.all - count_zeros(some, "first").all) / 2);
}

TEST_CASE("prune weights: the report counts zeros, and the argument does not change") {
    const Model<f32, wide> model = networks::plain(3);
    const Model<f32, wide> copy = model;
    PruneReport report;
    const Model<f32, wide> sparse =
        prune(model, WeightPruning{.sparsity = 0.5, .report = [&](const PruneReport& r) { report = r; }});
    CHECK(model == copy);
    CHECK(report.removed == count_zeros(sparse).zeros);
    CHECK(report.total == count_zeros(sparse).all);
    CHECK(report.after == report.before);
    CHECK_THAT(report.text, Catch::Contains("first") && Catch::Contains("head"));
}

TEST_CASE("prune weights: shares outside (0, 1), an empty layer, no effect and bad weights are errors that name the reason") {
    const Model<f32, wide> model = networks::plain(4);
    for (const double bad : {0.0, 1.0, -0.1, 2.0, std::numeric_limits<double>::quiet_NaN()}) {
        CHECK_THROWS_WITH(prune(model, WeightPruning{.sparsity = bad}), Catch::Contains("between 0 and 1"));
    }
    const Model<f32, wide> sparse = prune(model, WeightPruning{.sparsity = 0.5});
    CHECK_THROWS_WITH(prune(sparse, WeightPruning{.sparsity = 0.4}), Catch::Contains("changes nothing"));
    ModelBuilder<f32, wide> b;
    auto x = b.add(Dense<f32>{Tensor<f32>({2, 2}, {1e-3f, 1e-3f, 1e-3f, 1e-3f}), {}}, b.input("x", {1, 2}), {.name = "small"});
    b.output("y", b.add(Dense<f32>{Tensor<f32>({2, 2}, {1, 1, 1, 1}), {}}, x));
    CHECK_THROWS_WITH(prune(b.build(), WeightPruning{.sparsity = 0.5}),
                      Catch::Contains("node 'small'") && Catch::Contains("none of its 4"));
    Graph<standard_layers<f32, wide>> graph = model.graph();
    networks::set_slice(graph, 0, "weight", 0, 1, std::numeric_limits<float>::infinity());
    CHECK_THROWS_WITH((prune(Model<f32, wide>(graph), WeightPruning{})),
                      Catch::Contains("node 'first'") && Catch::Contains("weight"));
    ModelBuilder<f32, wide> none;
    none.output("y", none.add(Relu{}, none.input("x", {1, 2})));
    CHECK_THROWS_WITH(prune(none.build(), WeightPruning{}), Catch::Contains("no weights"));
}

}  // namespace prune_weights_test
