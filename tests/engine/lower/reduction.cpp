// SPDX-License-Identifier: MIT
// Reduction, pooling and softmax steps. (What they compute is checked on random models in engine/plan.)

#include <mote/mote.hpp>

#include <engine/reference.hpp>
#include <support/catch.hpp>

using namespace mote;

TEST_CASE("reduction: padding counts in a mean only where the layer says so") {
    for (const bool count : {false, true}) {
        ModelBuilder<f32, wide> b;
        b.output("y", b.add(AveragePool2d{.kernel = {2, 2}, .stride = {1, 1}, .padding = {1, 0, 1, 0}, .count_padding = count},
                            b.input("x", {1, 1, 1, 1})));
        Engine engine(b.build());
        CHECK(evaluate(engine, Tensor<f32>({1, 1, 1, 1}, {8}))[0] == (count ? 2.0f : 8.0f));
    }
}

TEST_CASE("reduction: the largest value of a window wins, however negative; padding never does") {
    ModelBuilder<f32, wide> b;
    b.output("y",
             b.add(MaxPool2d{.kernel = {3, 3}, .stride = {1, 1}, .padding = uniform_padding(1)}, b.input("x", {1, 2, 2, 1})));
    Engine engine(b.build());
    CHECK(evaluate(engine, Tensor<f32>({1, 2, 2, 1}, {-9, -8, -7, -6}))[0] == -6.0f);
}

TEST_CASE("reduction: softmax works on the last axis of any rank and sums to one") {
    ModelBuilder<f32, wide> b;
    b.output("y", b.add(Softmax{}, b.input("x", {2, 1, 3, 4})));
    Engine engine(b.build());
    for (std::size_t i = 0; i < 24; ++i) engine.input<float>()[i] = static_cast<float>(i * i % 7) * 10.0f;
    engine.run();
    for (std::size_t row = 0; row < 6; ++row) {
        float sum = 0;
        for (std::size_t c = 0; c < 4; ++c) sum += engine.output<float>()[row * 4 + c];
        CHECK(sum == Approx(1.0f));
    }
}

TEST_CASE("reduction: an int8 mean without quantization is refused, a maximum needs none") {
    ModelBuilder<i8, wide> b;
    const auto x = b.input("x", {1, 2, 2, 1}, Element::i8);
    b.output("most", b.add(MaxPool2d{.kernel = {2, 2}}, x));
    CHECK(plan(b.build()).steps().size() == 1);
    b.output("mean", b.add(GlobalAveragePool{}, x, {.name = "mean_node"}));
    CHECK_THROWS_WITH(plan(b.build()), Catch::Contains("'mean_node'") && Catch::Contains("quantization"));
}

TEST_CASE("reduction: axes apart from each other are moved together first, neighbours are not") {
    const auto kernels_of = [](std::vector<std::size_t> axes) {
        ModelBuilder<f32, wide> b;
        b.output("y", b.add(Reduce{Reduction::sum, std::move(axes)}, b.input("x", {2, 3, 4, 5})));
        std::string text;
        const Plan planned = plan(b.build());
        for (const Step& step : planned.steps()) text += concat(step.kind->name, " ");
        return text;
    };
    CHECK(kernels_of({1, 2}) == "reduce_f32 ");
    CHECK(kernels_of({0, 1}) == "reduce_f32 ");
    CHECK(kernels_of({3}) == "reduce_f32 ");
    CHECK(kernels_of({0, 2}) == "move reduce_f32 ");
}

TEST_CASE("reduction: every function over every choice of axes gives what its definition gives") {
    for (int i = 0; i < reduction_count; ++i) {
        for (unsigned choice = 0; choice < 16; ++choice) {
            CAPTURE(i, choice);
            Reduce layer{.function = static_cast<Reduction>(i), .keep_dims = choice % 3 == 0};
            for (std::size_t axis = 0; axis < 4; ++axis) {
                if ((choice >> axis & 1u) != 0) layer.axes.push_back(axis);
            }
            ModelBuilder<f32, wide> b;
            b.output("y", b.add(layer, b.input("x", {2, 3, 1, 5})));
            const auto model = b.build();
            Engine engine(model, {.plan = {.keep_values = true}});
            for (std::size_t k = 0; k < 30; ++k) engine.input<float>()[k] = 0.1f * static_cast<float>(k * k % 11) + 0.3f;
            engine.run();
            CHECK(reference::first_wrong_node(model, engine) == "");
        }
    }
}

TEST_CASE("reduction: where the largest stands, along each axis") {
    for (std::size_t axis = 0; axis < 3; ++axis) {
        for (unsigned choice = 0; choice < 8; ++choice) {
            ModelBuilder<f32, wide> b;
            b.output("y",
                     b.add(ArgMax{axis, (choice & 1u) != 0, (choice & 2u) != 0, (choice & 4u) != 0}, b.input("x", {2, 5, 3})));
            const auto model = b.build();
            Engine engine(model, {.plan = {.keep_values = true}});
            for (std::size_t k = 0; k < 30; ++k) engine.input<float>()[k] = static_cast<float>(k * k % 5);
            engine.run();
            CHECK(reference::first_wrong_node(model, engine) == "");
        }
    }
}
