// SPDX-License-Identifier: MIT
// Sensitivity: a layer that int8 ruins is found, and stays in f32 where a bound asks for it.

#include <mote/quantization/compare.hpp>
#include <mote/transform/quantize.hpp>

#include <support/catch.hpp>
#include <transform/networks.hpp>

namespace mixed_precision_test {

using namespace mote;

/// Three hidden layers. The middle one's first channel is 3000 times the others, and nobody reads it: in int8 they drown.
Model<f32, wide> with_bad_layer() {
    Random random(1);
    ModelBuilder<f32, wide> b;
    Dense<f32> bad = networks::dense(random, 8, 8), after = networks::dense(random, 8, 8);
    for (std::size_t i = 0; i < 8; ++i) bad.weight[i] *= 3000.0f;
    for (std::size_t i = 0; i < 8; ++i) after.weight[8 * i] = 0.0f;
    auto x =
        b.add(Relu{}, b.add(networks::dense(random, 6, 8), b.input("x", {1, 6}), {.name = "first"}), {.name = "first_relu"});
    x = b.add(Relu{}, b.add(bad, x, {.name = "bad"}), {.name = "bad_relu"});
    x = b.add(Relu{}, b.add(after, x, {.name = "after"}), {.name = "after_relu"});
    b.output("y", b.add(networks::dense(random, 8, 3), x, {.name = "head"}));
    return b.build();
}

TEST_CASE("sensitivity: the planted layer is the worst, with what follows it, and the layers cover the model") {
    const Tensor<f32> samples = networks::samples(2, {64, 6});
    const std::vector<LayerSensitivity> layers = quantization_sensitivity(with_bad_layer(), samples);
    REQUIRE(layers.size() == 4);
    CHECK((layers[0].nodes[0] == "bad" || layers[0].nodes[0] == "after"));  // which makes the value, and which reads it
    CHECK((layers[1].nodes[0] == "bad" || layers[1].nodes[0] == "after"));
    CHECK(layers[1].sqnr < 20.0);
    CHECK(layers[2].sqnr > 25.0);
    CHECK(layers[0].sqnr <= layers[1].sqnr);
    for (const LayerSensitivity& layer : layers) CHECK(layer.nodes.size() == (layer.nodes[0] == "head" ? 1 : 2));
}

TEST_CASE("least_sqnr: as few layers as reach it stay in f32; without need none, and an int8 result refuses it") {
    const Tensor<f32> samples = networks::samples(2, {64, 6});
    const Model<f32, wide> model = with_bad_layer();
    const auto real_layers = [](const Model<f32, i8, wide>& light) {
        std::vector<std::string> names;
        for (const Node& node : light.nodes()) {
            if (get_if<Dense<f32>>(light, node) != nullptr) names.push_back(node.name);
        }
        return names;
    };
    CHECK(compare(model, quantize<f32, i8, wide>(model, samples), samples).back().sqnr < 20.0);
    const Model<f32, i8, wide> light = quantize<f32, i8, wide>(model, samples, {.least_sqnr = 25.0, .f32_outputs = true});
    CHECK(compare(model, light, samples).back().sqnr > 24.0);  // on more samples than it was measured on
    CHECK(real_layers(light) == std::vector<std::string>{"bad", "after"});
    CHECK(real_layers(quantize<f32, i8, wide>(model, samples, {.least_sqnr = 1.0})).empty());
    CHECK(real_layers(quantize<f32, i8, wide>(model, samples, {.least_sqnr = 500.0})).size() == 4);
    CHECK_THROWS_WITH((quantize<i8, wide>(model, samples, {.least_sqnr = 25.0})), Catch::Contains("quantize<f32, i8>"));
}

}  // namespace mixed_precision_test
