// SPDX-License-Identifier: MIT
// Calibration: observes each value of a model over datasets, tensors and sample lists.

#include <mote/model/builder.hpp>
#include <mote/quantization/calibrate.hpp>

#include <support/catch.hpp>

#include <limits>

namespace calibrate_test {

using namespace mote;

/// scaled = 2 x, clamped = relu(scaled)
Model<f32> doubling(std::size_t batch = 1) {
    ModelBuilder<f32> b;
    const auto x = b.input("x", {batch, 2});
    const auto scaled = b.add(Dense<f32>{Tensor<f32>({2, 2}, {2, 0, 0, 2}), {}}, x, {.name = "scaled"});
    b.output("clamped", b.add(Relu{}, scaled));
    return b.build();
}

Range range_of(const Model<f32>& model, const std::vector<RangeObserver>& observers, const std::string& name) {
    for (std::size_t id = 0; id < observers.size(); ++id) {
        if (model.values()[id].name == name) return observers[id].range();
    }
    FAIL("no value " << name);
    return {};
}

TEST_CASE("calibrate: a tensor, a dataset and a sample list show the same ranges of every value") {
    const Model<f32> model = doubling(3);  // calibration runs one sample at a time
    const Tensor<f32> samples({3, 2}, {1, -2, 3, 0.5f, -4, 2});
    const TensorDataset set(samples, {0, 0, 0});
    SampleList list;
    for (std::size_t i = 0; i < 3; ++i) list.push_back({Tensor<f32>({1, 2}, samples.values().subspan(2 * i, 2))});
    auto check = [&](const std::vector<RangeObserver>& observers) {
        CHECK(range_of(model, observers, "x") == Range{-4, 3});
        CHECK(range_of(model, observers, "scaled") == Range{-8, 6});
        CHECK(range_of(model, observers, "clamped") == Range{0, 6});
    };
    check(calibrate(model, samples));
    check(calibrate(model, set));
    check(calibrate(model, list));
}

TEST_CASE("calibrate: a limit on the samples spreads them over the set") {
    Tensor<f32> samples({10, 2});
    for (std::size_t i = 0; i < 10; ++i) samples[2 * i] = static_cast<float>(i);
    const auto observers = calibrate(doubling(), samples, {.samples = 2});
    CHECK(range_of(doubling(), observers, "x") == Range{0, 5});
    CHECK(observers[0].count() == 4);
}

TEST_CASE("calibrate: empty sets, wrong shapes, NaN and infinite samples are errors that say what is wrong") {
    const Model<f32> model = doubling();
    CHECK_THROWS_WITH(calibrate(model, Tensor<f32>({0, 2})), Catch::Contains("set of samples is empty"));
    CHECK_THROWS_WITH(calibrate(model, SampleList{}), Catch::Contains("set of samples is empty"));
    CHECK_THROWS_WITH(calibrate(model, Tensor<f32>({4, 3})), Catch::Contains("takes 2 values a sample"));
    CHECK_THROWS_WITH(calibrate(model, TensorDataset(Tensor<f32>({1, 3}), {0})), Catch::Contains("takes 2 values a sample"));
    CHECK_THROWS_WITH(calibrate(model, SampleList{{}}), Catch::Contains("sample 0 has 0 tensors"));
    CHECK_THROWS_WITH(calibrate(model, SampleList{{Tensor<f32>({1, 3})}}), Catch::Contains("[1x3] for input 'x'"));
    Tensor<f32> samples({2, 2}, {1, 2, 3, std::numeric_limits<float>::quiet_NaN()});
    CHECK_THROWS_WITH(calibrate(model, samples), Catch::Contains("sample 1 holds NaN or infinite values for input 'x'"));
    samples[3] = std::numeric_limits<float>::infinity();
    CHECK_THROWS_WITH(calibrate(model, samples), Catch::Contains("sample 1 holds NaN"));
    samples[3] = 3e38f;
    CHECK_THROWS_WITH(calibrate(model, samples), Catch::Contains("value 'scaled' [1x2] f32 is NaN or infinite for sample 1"));
}

TEST_CASE("calibrate: a model of two inputs needs a sample list") {
    ModelBuilder<f32> b;
    const auto x = b.input("x", {1, 2});
    const auto y = b.input("y", {1, 2});
    b.output("sum", b.add(Add{}, {x, y}));
    const Model<f32> model = b.build();
    CHECK_THROWS_WITH(calibrate(model, Tensor<f32>({1, 2})), Catch::Contains("the model has 2 inputs"));
    const SampleList list{{Tensor<f32>({1, 2}, {1, 2}), Tensor<f32>({1, 2}, {10, -20})}};
    CHECK(range_of(model, calibrate(model, list), "sum") == Range{-18, 11});
}

TEST_CASE("calibrate: an int8 model has nothing to observe and is refused") {
    ModelBuilder<i8> b;
    const auto x = b.input("x", {1, 2}, Element::i8, QuantizationParams{0.1f, 0});
    b.output("y", b.add(Relu{}, x));
    CHECK_THROWS_WITH(calibrate(b.build(), Tensor<f32>({1, 2})), Catch::Contains("value 'x' [1x2] i8; f32 is expected"));
}

}  // namespace calibrate_test
