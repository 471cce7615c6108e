// SPDX-License-Identifier: MIT
// Residual networks: published sizes, shortcuts, and that one runs.

#include <mote/engine/engine.hpp>
#include <mote/zoo/resnet.hpp>

#include <zoo/figures.hpp>

#include <cmath>

namespace resnet_test {

using namespace mote;

/// The model's output for a ramp of pixels; its weights are drawn from seed 1.
std::vector<float> output(const Model<f32>& model) {
    Engine engine(initialize(model, {.seed = 1}));
    float x = -1.0f;
    for (float& pixel : engine.input<float>(0)) pixel = x = x > 1.0f ? -1.0f : x + 0.01f;
    engine.run();
    const std::span<const float> values = engine.output<float>(0);
    return {values.begin(), values.end()};
}

/// All are finite and they sum to one.
void check_probabilities(const std::vector<float>& values, std::size_t classes) {
    REQUIRE(values.size() == classes);
    float sum = 0.0f;
    for (const float value : values) {
        REQUIRE(std::isfinite(value));
        sum += value;
    }
    CHECK(sum == Approx(1.0f).margin(1e-4));
}

}  // namespace resnet_test

TEST_CASE("resnet18, resnet50: torchvision's parameters and MACs") {
    using namespace zoo_test;
    const mote::Model<mote::f32> small = mote::zoo::resnet18();
    CHECK(figures(small).parameters == 11'689'512);
    CHECK(millions(figures(small).macs) == Approx(1814).epsilon(0.001));
    check_output(small, 1000);
    const mote::Model<mote::f32> large = mote::zoo::resnet50();
    CHECK(figures(large).parameters == 25'557'032);
    CHECK(millions(figures(large).macs) == Approx(4089).epsilon(0.001));
    check_output(large, 1000);
}

TEST_CASE("resnet20, resnet32, resnet56: the parameters of He et al. table 6") {
    using namespace zoo_test;
    // The paper's 0.27, 0.46 and 0.85 M; to the unit as other implementations of option A count them.
    const mote::Model<mote::f32> model = mote::zoo::resnet20();
    CHECK(figures(model).parameters == 269'722);
    CHECK(millions(figures(model).macs) == Approx(40.6).epsilon(0.005));
    check_output(model, 10);
    CHECK(figures(mote::zoo::resnet32()).parameters == 464'154);
    CHECK(figures(mote::zoo::resnet56()).parameters == 853'018);
}

TEST_CASE("resnet20: projection shortcuts add two 1x1 convolutions with BatchNorm") {
    using namespace zoo_test;
    const mote::Model<mote::f32> model = mote::zoo::resnet20({.shortcut = mote::zoo::Shortcut::projection});
    CHECK(figures(model).parameters == 269'722 + (16 * 32 + 2 * 32) + (32 * 64 + 2 * 64));
    check_output(model, 10);
}

TEST_CASE("resnet8: the parameters and MACs of MLPerf Tiny's reference model") {
    using namespace zoo_test;
    const mote::Model<mote::f32> model = mote::zoo::resnet8();
    const Figures f = figures(model);
    CHECK(f.parameters + f.statistics + f.normed == 78'666);  // Keras' total, with the biases that BatchNorm cancels
    CHECK(f.macs == 12'501'632);
    check_output(model, 10);
}

TEST_CASE("resnet: classes, image and channels are free") {
    using namespace zoo_test;
    check_output(mote::zoo::resnet8({.classes = 7, .image = {28, 20}, .channels = 1}), 7);
    check_output(mote::zoo::resnet20({.classes = 100, .image = {17, 33}}), 100);
    check_output(mote::zoo::resnet18({.classes = 2, .image = {33, 64}, .channels = 4}), 2);
}

TEST_CASE("resnet: options of no meaning are refused by name") {
    using namespace zoo_test;
    check_refusals("resnet8", mote::zoo::resnet8);
    check_refusals("resnet18", mote::zoo::resnet18);
    check_refusals("resnet20", mote::zoo::resnet20);
    check_refusals("resnet50", mote::zoo::resnet50);
}

TEST_CASE("resnet8, resnet20: initialized, they run") {
    using namespace resnet_test;
    check_probabilities(output(zoo::resnet8()), 10);
    check_probabilities(output(zoo::resnet20({.classes = 5, .image = {9, 12}})), 5);
}

TEST_CASE("resnet: an identity shortcut takes every second pixel and adds zeros") {
    using namespace resnet_test;
    zoo::Builder b;
    const auto x = b.input("x", {1, 3, 4, 2});
    b.output("y", zoo::detail::shortcut(b, x, 5, 2, zoo::Shortcut::identity));
    Engine engine(b.build());
    float number = 0.0f;
    for (float& element : engine.input<float>(0)) element = number -= 1.0f;  // negative: padding must not win
    engine.run();
    const std::span<const float> y = engine.output<float>(0);
    const std::vector<float> expected{-1,  -2,  0, 0, 0, -5,  -6,  0, 0, 0,  // row 0, columns 0 and 2
                                      -17, -18, 0, 0, 0, -21, -22, 0, 0, 0};
    CHECK(std::vector<float>(y.begin(), y.end()) == expected);
}
