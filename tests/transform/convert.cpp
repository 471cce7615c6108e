// SPDX-License-Identifier: MIT
// convert: what becomes of the layers and values of a model in bf16 and f16, and how near its answers are.

#include <mote/core/random.hpp>
#include <mote/io/mote_file.hpp>
#include <mote/transform/convert.hpp>

#include <engine/random_model.hpp>
#include <support/catch.hpp>
#include <support/error_text.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace half_model_test {

using namespace mote;

/// A network of what convert() treats in different ways: a convolution with what a plan fuses, a residual, a layer that stays
/// in f32 between others, a value that is an output too.
Model<f32, wide> mixed() {
    Random random(5);
    const auto weights = [&](const Shape& shape) {
        Tensor<f32> tensor(shape);
        for (float& w : tensor.values()) w = random.normal() * 0.3f;
        return tensor;
    };
    ModelBuilder<f32, wide> b;
    const auto x = b.input("image", {1, 6, 5, 3});
    auto y = b.add(Conv2d<f32>{.weight = weights({8, 3, 3, 3}), .bias = weights({8}), .padding = {1, 1, 1, 1}}, x,
                   {.name = "first"});
    const auto start = b.add(Relu{}, y, {.name = "start"});
    y = b.add(DepthwiseConv2d<f32>{.weight = weights({8, 3, 3, 1}), .padding = {1, 1, 1, 1}}, start, {.name = "second"});
    y = b.add(Add{}, {y, start}, {.name = "sum"});
    b.output("middle", y);
    y = b.add(Prelu{weights({8})}, y, {.name = "real"});
    y = b.add(MaxPool2d{.kernel = {2, 2}, .stride = {2, 2}}, y, {.name = "pool"});
    y = b.add(Flatten{}, y);
    y = b.add(Dense<f32>{.weight = weights({4, 48})}, y, {.name = "head"});
    b.output("scores", b.add(Softmax{}, y));
    return b.build();
}

Tensor<f32> noise(const Shape& shape, std::uint64_t seed) {
    Random random(seed);
    Tensor<f32> tensor(shape);
    for (float& x : tensor.values()) x = random.normal();
    return tensor;
}

/// The largest difference over the largest number, or over 1.
double difference(const Tensor<f32>& a, const Tensor<f32>& b) {
    double most = 1.0, apart = 0.0;
    for (std::size_t i = 0; i < a.elements(); ++i) {
        most = std::max(most, std::fabs(static_cast<double>(a[i])));
        apart = std::max(apart, std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    }
    return apart / most;
}

/// Roundings to 8 and to 11 bits, layer after layer.
template <class P>
constexpr double tolerance = std::is_same_v<P, bf16> ? 0.05 : 0.006;

template <class P>
void check_answers(std::uint64_t seeds) {
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        CAPTURE(seed);
        const Model<f32, wide> model = random_model::make<f32>(seed, 14);
        Engine real(model), light(convert<P>(model)), parts(convert<P>(model), {.threads = 2});
        for (std::size_t i = 0; i < real.inputs(); ++i) {
            const Tensor<f32> input = noise(real.input_value(i).shape, seed + i);
            for (Engine* engine : {&real, &light, &parts}) set_input(*engine, i, input);
        }
        for (Engine* engine : {&real, &light, &parts}) engine->run();
        for (std::size_t i = 0; i < real.outputs(); ++i) {
            if (real.output_value(i).element != Element::f32) continue;
            REQUIRE(light.output_value(i) == real.output_value(i));
            CHECK(difference(get_output(real, i), get_output(light, i)) <= tolerance<P>);
            CHECK(std::ranges::equal(get_output(light, i).values(), get_output(parts, i).values()));  // the same bits
        }
    }
}

}  // namespace half_model_test

TEST_CASE("convert: weights and values are of 16 bits, the outside and what has no such form stay f32") {
    using namespace half_model_test;
    const Model<f32, wide> model = mixed();
    const Model<f32, bf16, wide> light = convert<bf16>(model);
    const auto element = [&](const char* name) {
        for (const Value& value : light.values()) {
            if (value.name == name) return value.element;
        }
        return Element::b8;
    };
    for (const char* name : {"first", "start", "second", "middle_bf16", "head"}) CHECK(element(name) == Element::bf16);
    for (const char* name : {"image", "middle", "real", "pool", "scores"}) CHECK(element(name) == Element::f32);
    CHECK(light.cost().parameters == model.cost().parameters);
    CHECK(light.cost().weight_bytes < model.cost().weight_bytes * 3 / 5);
    // The image, the value that is an output and is read in f32, what enters and leaves the last layer.
    const auto converts =
        std::ranges::count_if(light.nodes(), [&](const Node& node) { return get_if<Convert>(light, node) != nullptr; });
    CHECK(converts == 4);
    CHECK(plan(light).steps().size() == plan(model).steps().size() + 4);  // all else is fused as in f32
}

TEST_CASE("convert: a Model<f32> becomes a Model<f32, f16>, and a converted model stays as it is") {
    using namespace half_model_test;
    ModelBuilder<f32> b;
    b.output("y", b.add(Dense<f32>{Tensor<f32>({1, 2}, {1.0f + 0x1p-12f, 2.0f}), {}}, b.input("x", {1, 2})));
    const Model<f32, f16> light = convert<f16>(b.build());
    CHECK(to_float(get_if<Dense<f16>>(light, light.nodes()[1])->weight[0]) == 1.0f);
    CHECK(convert<f16>(light) == light);
}

TEST_CASE("convert: a weight that f16 does not hold is an error that names the node") {
    using namespace half_model_test;
    ModelBuilder<f32> b;
    b.output("y", b.add(Dense<f32>{Tensor<f32>({1, 2}, {1.0f, 70000.0f}), {}}, b.input("x", {1, 2}), {.name = "fc"}));
    CHECK_ERROR(convert<f16>(b.build()), "'fc'", "70000", "f16");
    CHECK(convert<bf16>(b.build()).nodes().size() == 3);
}

TEST_CASE("convert: the answers of odd models are near those in f32, and have the same bits for any number of threads") {
    using namespace half_model_test;
    check_answers<bf16>(40);
    check_answers<f16>(40);
}

TEST_CASE("convert: a .mote file holds the model in bf16") {
    using namespace half_model_test;
    const AnyModel light = convert<bf16>(mixed());
    save(light, "light.mote");
    CHECK(load_mote("light.mote") == light);
    std::filesystem::remove("light.mote");
}
