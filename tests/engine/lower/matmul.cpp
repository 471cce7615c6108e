// SPDX-License-Identifier: MIT
// MatMul steps: products transposed and repeated in every way, shared by threads; attention as one step.

#include <mote/mote.hpp>

#include <engine/random_model.hpp>
#include <engine/reference.hpp>
#include <support/catch.hpp>
#include <support/generate.hpp>

namespace matmul_test {

using namespace mote;

/// softmax(scale q k^T + bias) v, with what is there.
struct Attention {
    Shape q, k, v, bias{};
    bool transposed_keys = false, scaled = true;
};
Model<f32, wide> model_of(const Attention& attention) {
    ModelBuilder<f32, wide> b;
    const auto q = b.input("q", attention.q), k = b.input("k", attention.k), v = b.input("v", attention.v);
    auto scores = b.add(MatMul{false, !attention.transposed_keys}, {q, k});
    if (attention.scaled) scores = b.add(Unary{UnaryFunction::linear, 0.25f, 0.0f}, scores);
    if (attention.bias.rank() > 0) scores = b.add(Binary{}, {scores, b.input("bias", attention.bias)});
    b.output("y", b.add(MatMul{}, {b.add(Softmax{}, scores), v}));
    return b.build();
}
std::vector<float> run(const Model<f32, wide>& model, const EngineOptions& options) {
    Engine engine(model, options);
    random_model::fill_inputs(engine, 7);
    engine.run();
    const auto y = engine.output<float>(0);
    return {y.begin(), y.end()};
}

}  // namespace matmul_test

using namespace matmul_test;

TEST_CASE("contraction: products of computed matrices, transposed and repeated in every way") {
    const std::pair<Shape, Shape> batches[] = {{{}, {}}, {{2, 3}, {}}, {{}, {3}}, {{2, 1}, {3}}, {{2, 3}, {2, 3}}};
    for (const auto& [before_a, before_b] : batches) {
        for (unsigned choice = 0; choice < 4; ++choice) {
            CAPTURE(to_string(before_a), to_string(before_b), choice);
            const auto matrices = [](const Shape& before, std::size_t rows, std::size_t columns, bool turned) {
                Shape shape = Shape::ones(before.rank() + 2);
                for (std::size_t axis = 0; axis < before.rank(); ++axis) shape[axis] = before[axis];
                shape[before.rank()] = turned ? columns : rows;
                shape[before.rank() + 1] = turned ? rows : columns;
                return shape;
            };
            ModelBuilder<f32, wide> b;
            const MatMul layer{(choice & 1u) != 0, (choice & 2u) != 0};
            const auto x = b.input("x", matrices(before_a, 5, 7, layer.transpose_a));
            const auto y = b.input("y", matrices(before_b, 7, 3, layer.transpose_b));
            b.output("z", b.add(layer, {x, y}));
            const auto model = b.build();
            Engine engine(model, {.plan = {.keep_values = true}});
            random_model::fill_inputs(engine, choice);
            engine.run();
            CHECK(reference::first_wrong_node(model, engine) == "");
        }
    }
}

TEST_CASE("contraction: one computed matrix behind all rows of others is one product, else one a matrix") {
    // One b behind all rows of a: one product; else one a matrix, repeated where there are fewer.
    const MatMulGeometry all = geometry(MatMul{}, Shape{2, 3, 4}, Shape{4, 5}, Shape{2, 3, 5});
    CHECK(all.m == 6);
    CHECK(all.count == 1);
    const MatMulGeometry g = geometry(MatMul{}, Shape{2, 1, 3, 4}, Shape{2, 4, 5}, Shape{2, 2, 3, 5});
    CHECK(g.m == 3);
    REQUIRE(g.count == 4);
    std::ptrdiff_t a = 0, b = 0;
    g.find(2, a, b);
    CHECK(a == 12);
    CHECK(b == 0);
    g.find(3, a, b);
    CHECK(a == 12);
    CHECK(b == 20);
}

TEST_CASE("matmul: the same bits for any number of threads, by matrices, rows and columns") {
    const std::pair<Shape, Shape> products[] = {{{5, 60, 40}, {5, 40, 70}}, {{90, 64}, {64, 30}}, {{7, 130}, {130, 200}}};
    for (const auto& [a, b] : products) {
        for (const bool transposed : {false, true}) {
            CAPTURE(to_string(a), transposed);
            const auto turned = [](Shape shape) {
                std::swap(shape[shape.rank() - 2], shape[shape.rank() - 1]);
                return shape;
            };
            ModelBuilder<f32, wide> builder;
            const auto x = builder.input("x", transposed ? turned(a) : a), y = builder.input("y", transposed ? turned(b) : b);
            builder.output("z", builder.add(MatMul{transposed, transposed}, {x, y}));
            const auto model = builder.build();
            const auto one = run(model, {});
            for (const std::size_t threads : {2u, 3u}) CHECK(run(model, {.plan = {.threads = threads}}) == one);
        }
    }
}

TEST_CASE("attention: one step that equals its layers, with and without scale and bias, and for any number of threads") {
    const Attention attentions[] = {
        {{13, 8}, {21, 8}, {21, 5}},
        {{2, 3, 13, 8}, {2, 3, 21, 8}, {2, 3, 21, 5}, {2, 1, 1, 21}},
        {{2, 3, 13, 8}, {2, 1, 8, 21}, {3, 21, 5}, {13, 21}, true},
        {{2, 13, 8}, {2, 21, 8}, {2, 21, 5}, {21}, false, false},
        {{3, 40, 16}, {3, 40, 16}, {3, 40, 16}, {3, 40, 40}},
    };
    for (const Attention& attention : attentions) {
        CAPTURE(to_string(attention.q), to_string(attention.bias));
        const auto model = model_of(attention);
        const Plan p = plan(model);
        if (p.kernels().divides) {
            REQUIRE(p.steps().size() == 1);
            REQUIRE(get_if<AttentionStep>(p.steps()[0]) != nullptr);
            CHECK(get_if<AttentionStep>(p.steps()[0])->biased == (attention.bias.rank() > 0));
        }
        const auto fused = run(model, {}), layers = run(model, {.plan = {.fuse = false}});
        CHECK(support::relative_difference(layers, fused) <= support::f32_tolerance);
        for (const std::size_t threads : {2u, 3u}) CHECK(run(model, {.plan = {.threads = threads}}) == fused);
    }
}

TEST_CASE("attention: scores that are seen elsewhere, or values that repeat them, stay steps of their own") {
    {
        ModelBuilder<f32, wide> b;
        const auto q = b.input("q", {4, 8}), k = b.input("k", {6, 8}), v = b.input("v", {6, 3});
        const auto weights = b.add(Softmax{}, b.add(MatMul{false, true}, {q, k}));
        b.output("weights", weights);
        b.output("y", b.add(MatMul{}, {weights, v}));
        CHECK(plan(b.build()).steps().size() == 3);
    }
    CHECK(plan(model_of({{4, 8}, {6, 8}, {2, 6, 3}})).steps().size() == 4);
}
