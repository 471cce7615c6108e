// SPDX-License-Identifier: MIT
// evaluate: real tensors in, real tensors out, checked.

#include <mote/mote.hpp>
#include <support/catch.hpp>

namespace evaluate_test {

using namespace mote;

Model<f32> sum_and_relu() {
    ModelBuilder<f32> b;
    const auto x = b.input("left", {1, 3});
    const auto y = b.input("right", {1, 3});
    const auto sum = b.add(Add{}, {x, y});
    b.output("sum", sum);
    b.output("relu", b.add(Relu{}, sum));
    return b.build();
}

}  // namespace evaluate_test

using namespace evaluate_test;

TEST_CASE("evaluate: several inputs and outputs in the model's order") {
    Engine engine(sum_and_relu());
    const std::vector<Tensor<f32>> out = evaluate(engine, {Tensor<f32>({1, 3}, {1, -2, 3}), Tensor<f32>({1, 3}, {1, 1, 1})});
    REQUIRE(out.size() == 2);
    CHECK(out[0] == Tensor<f32>({1, 3}, {2, -1, 4}));
    CHECK(out[1] == Tensor<f32>({1, 3}, {2, 0, 4}));
}

TEST_CASE("evaluate: int8 models take and give real numbers") {
    ModelBuilder<i8> b;
    const Quantization q = QuantizationParams{0.5f, 10};
    b.output("y", b.add(Relu{}, b.input("x", {1, 4}, Element::i8, q)));
    Engine engine(b.build());
    const Tensor<f32> out = evaluate(engine, Tensor<f32>({1, 4}, {-3.0f, 0.0f, 1.2f, 1e6f}));
    CHECK(out == Tensor<f32>({1, 4}, {0.0f, 0.0f, 1.0f, 58.5f}));  // 58.5: the largest that the bytes hold
}

TEST_CASE("evaluate: a wrong number of tensors, or a wrong shape, names the input") {
    Engine engine(sum_and_relu());
    CHECK_THROWS_WITH(evaluate(engine, Tensor<f32>({1, 3})), Catch::Contains("2 inputs") && Catch::Contains("1 tensors"));
    CHECK_THROWS_WITH(evaluate(engine, {Tensor<f32>({1, 3}), Tensor<f32>({3, 1})}),
                      Catch::Contains("'right'") && Catch::Contains("1x3") && Catch::Contains("3x1"));
}

TEST_CASE("evaluate: elements without real numbers are refused") {
    ModelBuilder<f32> b;
    b.output("y", b.add(Flatten{}, b.input("numbers", {1, 2, 2}, Element::i32)));
    Engine engine(b.build());
    CHECK_THROWS_WITH(evaluate(engine, Tensor<f32>({1, 2, 2})), Catch::Contains("'numbers'") && Catch::Contains("i32"));
    engine.input<std::int32_t>("numbers")[3] = 42;
    engine.run();
    CHECK(engine.output<std::int32_t>("y")[3] == 42);
    CHECK_THROWS_WITH(get_output(engine), Catch::Contains("'y'"));
}

TEST_CASE("evaluate: an input whose scale has no normal inverse is refused by name, as Convert is") {
    for (const float scale : {1e38f, 3e38f}) {
        ModelBuilder<i8> b;
        b.output("y", b.add(Relu{}, b.input("coarse", {1, 2}, Element::i8, QuantizationParams{scale, 0})));
        Engine engine(b.build());
        CHECK_THROWS_WITH(evaluate(engine, Tensor<f32>({1, 2})),
                          Catch::Contains("'coarse'") && Catch::Contains("no normal inverse") && Catch::Contains("2^126"));
    }
}
