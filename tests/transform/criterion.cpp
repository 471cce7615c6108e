// SPDX-License-Identifier: MIT
// Criteria: Taylor's sensitivity is |w * dL/dw| as finite differences of the loss give it.

#include <mote/transform/criterion.hpp>

#include <support/catch.hpp>
#include <transform/networks.hpp>

namespace criterion_test {

using namespace mote;

double mean_loss(const Model<f32, wide>& model, const TensorDataset& set) {
    double loss = 0.0;
    for_each_gradient(model, set, cross_entropy(), {.batch_size = 64}, [](std::span<const ParameterGradient>) {});
    Engine engine(with_batch(model, set.size()));
    set_input(engine, 0, set.inputs());
    engine.run();
    const Tensor<f32> logits = get_output(engine);
    std::vector<std::int64_t> labels;
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; i < set.size(); ++i) {
        labels.push_back(set.label(i));
        indices.push_back(i);
    }
    std::vector<float> gradient(logits.elements(), 0.0f);
    loss = softmax_cross_entropy({logits.elements() / set.size(), logits.values(), labels, indices, gradient});
    return loss;
}

TEST_CASE("criterion: the sensitivity of a weight is what the loss would change by, to first order, if it were scaled away") {
    Random random(1);
    ModelBuilder<f32, wide> b;
    auto x = b.add(Tanh{}, b.add(networks::dense(random, 3, 4), b.input("x", {1, 3}), {.name = "first"}));
    b.output("y", b.add(networks::dense(random, 4, 3), x, {.name = "second"}));
    const Model<f32, wide> model = b.build();
    const TensorDataset set(networks::samples(2, {6, 3}), {0, 1, 2, 0, 1, 2});
    const std::vector<detail::WeightRef> weights = detail::weights_of(model.graph(), "test");
    REQUIRE(weights.size() == 2);
    std::size_t batches = 0;
    detail::for_each_sensitivity(model, weights, Taylor(set), [&](const auto& product) {
        ++batches;
        for (std::size_t w = 0; w < 2; ++w) {
            const std::vector<double> products = product(w);
            REQUIRE(products.size() == weights[w].values.size());
            for (std::size_t i = 0; i < products.size(); ++i) {
                constexpr float share = 0.02f;  // of the weight; two-sided, so that the error is of its cube
                auto scaled = [&](float factor) {
                    Graph<standard_layers<f32, wide>> graph = model.graph();
                    Node& node = graph.nodes[weights[w].node];
                    Dense<f32> layer = *get_if<Dense<f32>>(graph, node);
                    layer.weight[i] *= factor;
                    node = with_layer<standard_layers<f32, wide>>(node, layer);
                    return mean_loss(Model<f32, wide>(graph), set);
                };
                const double slope = (scaled(1 + share) - scaled(1 - share)) / (2.0 * static_cast<double>(share));
                CHECK(products[i] == Approx(slope).margin(2e-5));
            }
        }
    });
    CHECK(batches == 1);
}

TEST_CASE("criterion: Taylor reads at most the samples that it is given, in batches") {
    const TensorDataset set(networks::samples(2, {100, 3}), std::vector<std::int64_t>(100, 0));
    CHECK(Taylor(set).size() == 100);
    CHECK(Taylor(set, {.samples = 7}).size() == 7);
    CHECK(Taylor(set, {.samples = 0}).size() == 100);
    Random random(3);
    ModelBuilder<f32, wide> b;
    b.output("y", b.add(networks::dense(random, 3, 2), b.input("x", {1, 3})));
    const Model<f32, wide> model = b.build();
    std::size_t batches = 0;
    TaylorOptions options{.samples = 7};
    options.gradient.batch_size = 3;
    detail::for_each_sensitivity(model, detail::weights_of(model.graph(), "test"), Taylor(set, options),
                                 [&](const auto&) { ++batches; });
    CHECK(batches == 3);
}

TEST_CASE("criterion: weights in int8 are refused by the name of their node") {
    ModelBuilder<i8, wide> b;
    Dense<i8> layer{Tensor<i8>({1, 2}, {1, 2}), {}};
    layer.weight.set_quantization(Quantization({0.1f}, 0));
    const auto x = b.input("x", {1, 2}, Element::i8, QuantizationParams{0.1f, 0});
    b.output("y", b.add(layer, x, {.name = "fc", .quantization = QuantizationParams{0.1f, 0}}));
    CHECK_THROWS_WITH(detail::weights_of(b.build().graph(), "prune"),
                      Catch::Contains("node 'fc' (Dense)") && Catch::Contains("prune before quantize"));
}

}  // namespace criterion_test
