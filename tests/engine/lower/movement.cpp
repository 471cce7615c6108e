// SPDX-License-Identifier: MIT
// Movement: as few axes as possible, no step where nothing moves, every element size.

#include <support/catch.hpp>

#include "../random_model.hpp"
#include "../reference.hpp"

namespace movement_test {

using namespace mote;

/// Parts of unequal extent along each axis in turn, of different values, against the oracle.
template <class P>
void check_concat(std::size_t axis) {
    ModelBuilder<P> b;
    std::vector<typename ModelBuilder<P>::Handle> parts;
    for (const std::size_t extent : {3u, 1u, 4u, 2u}) {
        Shape shape{2, 3, 4, 5};
        shape[axis] = extent;
        const Quantization q = QuantizationParams{0.25f, -3};
        const std::string name = concat("part", parts.size());
        parts.push_back(std::is_same_v<P, i8> ? b.input(name, shape, Element::i8, q) : b.input(name, shape));
    }
    const auto from_back = static_cast<std::int32_t>(axis) - 4;
    b.output("y", b.add(Concat{static_cast<std::int32_t>(axis)}, parts));
    b.output("z", b.add(Concat{from_back}, std::vector{parts[3], parts[0]}));
    const Model<P> model = b.build();
    Engine engine(model, {.plan = {.keep_values = true}});
    random_model::fill_inputs(engine, axis);
    engine.run();
    INFO(P::name << " along axis " << axis);
    CHECK(reference::first_wrong_node(model, engine) == "");
}

/// A 1x1 and a 3x3 convolution, between them what no convolution makes, joined by channels; and two joined in the other order.
template <class P>
Model<P> joined_convolutions(std::size_t first, std::size_t second) {
    random_model::Dice dice{first * 100 + second};
    ModelBuilder<P> b;
    const Quantization q = std::is_same_v<P, i8> ? Quantization(QuantizationParams{0.05f, -3}) : Quantization();
    const auto convolution = [&](std::size_t channels, std::size_t size, const auto& from) {
        Conv2d<P> layer;
        layer.padding = {size / 2, size / 2, size / 2, size / 2};
        layer.weight = random_model::weights<P>(dice, {channels, size, size, 16});
        layer.bias = random_model::bias<P>(dice, channels);
        return b.add(Relu{}, b.add(std::move(layer), from, {.quantization = q}), {.quantization = q});
    };
    const auto x = b.input("x", {2, 9, 7, 16}, std::is_same_v<P, i8> ? Element::i8 : Element::f32, q);
    b.output("three", b.add(Concat{}, {convolution(first, 1, x), x, convolution(second, 3, x)}, {.quantization = q}));
    const auto late = convolution(second, 3, x);
    b.output("two", b.add(Concat{}, {convolution(first, 1, x), late}, {.quantization = q}));
    return b.build();
}
template <class P>
void check_joined() {
    for (const std::size_t first : {1u, 16u, 21u, 64u}) {
        for (const std::size_t second : {32u, 7u}) {
            const Model<P> model = joined_convolutions<P>(first, second);
            Engine plain(model, {.plan = {.fuse = false}});
            Engine fused(model, {.threads = 2});
            INFO(P::name << " " << first << " and " << second << " channels");
            // Four convolutions, and x is moved; scalar kernels write no strides, so that all parts of both are.
            CHECK(fused.plan().steps().size() == (fused.plan().kernels().divides ? 5 : 6));
            for (Engine* engine : {&plain, &fused}) {
                random_model::fill_inputs(*engine, first);
                engine->run();
            }
            for (std::size_t o = 0; o < 2; ++o) {
                using T = typename P::value_type;
                const auto expected = plain.output<T>(o), got = fused.output<T>(o);
                REQUIRE(expected.size() == got.size());
                for (std::size_t i = 0; i < got.size(); ++i) REQUIRE(got[i] == expected[i]);
            }
        }
    }
}

}  // namespace movement_test

using namespace mote;

TEST_CASE("movement: a concat of parts of unequal extents and of different values, along every axis") {
    for (std::size_t axis = 0; axis < 4; ++axis) {
        movement_test::check_concat<f32>(axis);
        movement_test::check_concat<i8>(axis);
    }
}

TEST_CASE("movement: a concat of channels is a copy of two axes a part") {
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {2, 3, 4, 5});
    const auto y = b.input("y", {2, 3, 4, 2});
    b.output("z", b.add(Concat{}, {x, y}));
    const Plan p = plan(b.build());
    const auto* step = get_if<MoveStep>(p.steps()[0]);
    REQUIRE(step != nullptr);
    REQUIRE(step->parts.size() == 2);
    CHECK(step->parts[0].geometry.rank == 2);
    CHECK(step->parts[0].geometry.extent[0] == 24);
    CHECK(step->parts[1].output_offset == 5);
    CHECK(step->fill_count == 0);
}

TEST_CASE("movement: convolutions write to their channels of a concat, with the bits they have alone") {
    movement_test::check_joined<f32>();
    movement_test::check_joined<i8>();
}

TEST_CASE("movement: a transpose that only renames axes of extent one moves nothing") {
    ModelBuilder<f32, wide> b;
    const auto x = b.add(Tanh{}, b.input("x", {1, 6, 1, 5}));
    const auto y = b.add(Transpose{{0, 2, 1, 3}}, x);
    b.output("y", b.add(Tanh{}, y));
    CHECK(plan(b.build()).steps().size() == 2);
}

TEST_CASE("movement: one and eight byte elements move too, and pad with zero") {
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {1, 2}, Element::i64);
    b.output("wide", b.add(Pad{{0, 1}, {0, 1}, 0.0f}, x));
    const auto y = b.input("y", {2, 3}, Element::b8);
    b.output("flags", b.add(Transpose{{1, 0}}, y));
    Engine engine(b.build());
    engine.input<std::int64_t>("x")[0] = std::int64_t{1} << 40;
    engine.input<std::int64_t>("x")[1] = -2;
    engine.input<bool>("y")[1] = true;
    engine.run();
    const auto wide = engine.output<std::int64_t>("wide");
    CHECK((wide[0] == 0 && wide[1] == std::int64_t{1} << 40 && wide[2] == -2 && wide[3] == 0));
    CHECK(engine.output<bool>("flags")[2]);
    CHECK_FALSE(engine.output<bool>("flags")[1]);
}

TEST_CASE("movement: an int8 pad holds the real value in steps") {
    ModelBuilder<i8, wide> b;
    const Quantization q = QuantizationParams{0.5f, 10};
    const auto x = b.input("x", {1, 1}, Element::i8, q);
    b.output("zero", b.add(Pad{{0, 1}, {0, 0}, 0.0f}, x));
    b.output("some", b.add(Pad{{0, 1}, {0, 0}, -3.0f}, x));
    b.output("beyond", b.add(Pad{{0, 1}, {0, 0}, 1e9f}, x));
    Engine engine(b.build());
    engine.run();
    CHECK(engine.output<std::int8_t>("zero")[0] == 10);
    CHECK(engine.output<std::int8_t>("some")[0] == 4);
    CHECK(engine.output<std::int8_t>("beyond")[0] == 127);
}

TEST_CASE("movement: packed elements are refused, each node by name") {
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {1, 2}, Element::i4);
    b.output("y", b.add(Transpose{{1, 0}}, x, {.name = "turn"}));
    b.output("w", b.add(Pad{{0, 1}, {0, 0}, 2.0f}, x, {.name = "frame"}));
    CHECK_THROWS_WITH(plan(b.build()), Catch::Contains("'turn'") && Catch::Contains("i4") && Catch::Contains("'frame'"));
}

TEST_CASE("movement: slices, gatherings and tiles of generated shapes give the oracle's elements") {
    std::size_t steps = 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        random_model::Dice dice{seed};
        ModelBuilder<i8, wide> b;
        Shape shape = Shape::ones(dice.from_to(1, 6));
        for (std::size_t axis = 0; axis < shape.rank(); ++axis) shape[axis] = dice.from_to(1, 5);
        const auto x = b.input("x", shape, Element::i8, QuantizationParams{0.25f, -3});
        Slice slice;
        Tile tile;
        for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
            slice.begin.push_back(dice.below(shape[axis]));
            slice.stride.push_back(static_cast<std::int64_t>(dice.from_to(1, 3)) * (dice.chance(50) ? 1 : -1));
            slice.size.push_back(dice.chance(10) ? 0 : -1);
            tile.repeats.push_back(dice.chance(5) ? 0 : axis < 2 ? dice.from_to(1, 3) : 1);
        }
        Gather gather{static_cast<std::int32_t>(dice.below(shape.rank())), Tensor<i32>(Shape{dice.from_to(1, 4)})};
        for (std::int32_t& i : gather.indices.values())
            i = static_cast<std::int32_t>(dice.below(shape[static_cast<std::size_t>(gather.axis)]));
        b.output("slice", b.add(slice, x));
        b.output("tile", b.add(tile, x));
        b.output("gather", b.add(gather, x));
        const Model<i8, wide> model = b.build();
        Engine engine(model, {.plan = {.keep_values = true}});
        random_model::fill_inputs(engine, seed);
        engine.run();
        INFO("seed " << seed);
        CHECK(reference::first_wrong_node(model, engine) == "");
        for (const Step& step : engine.plan().steps()) steps += get_if<GatherStep>(step) != nullptr ? 1u : 0u;
    }
    CHECK((steps > 5 && steps < 55));  // indices one stride apart need none
}

TEST_CASE("movement: what takes everything as it is moves nothing") {
    ModelBuilder<f32, wide> b;
    auto x = b.add(Tanh{}, b.input("x", {2, 3, 4}));
    x = b.add(Slice{{0, 0, 0}, {-1, 3, 4}, {1, 1, 1}}, x);
    x = b.add(Gather{1, Tensor<i32>(Shape{3}, {0, 1, 2})}, x);
    x = b.add(Tile{{1, 1, 1}}, x);
    b.output("y", b.add(Tanh{}, x));
    CHECK(plan(b.build()).steps().size() == 2);
}

TEST_CASE("movement: a tile along more axes than a movement has is refused") {
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {2, 2, 2, 2, 2});
    b.output("y", b.add(Tile{{2, 2, 2, 2, 2}}, x, {.name = "all"}));
    CHECK_THROWS_WITH(plan(b.build()), Catch::Contains("'all'") && Catch::Contains("several layers"));
}

TEST_CASE("movement: a constant of any element is an output, of a model without inputs too") {
    ModelBuilder<f32, wide> b;
    b.output("wide", b.add(constant_of(Tensor<i64>(Shape{2}, {std::int64_t{1} << 40, -2})), {}));
    b.output("real", b.add(Relu{}, b.add(constant_of(Tensor<f32>(Shape{1, 3}, {-1.0f, 2.0f, 0.5f})), {})));
    b.output("none", b.add(constant_of(Tensor<f32>(Shape{0, 3})), {}));
    const Model<f32, wide> model = b.build();
    CHECK(model.inputs().empty());
    Engine engine(model);
    for (int run = 0; run < 2; ++run) {  // the second finds the constant as it was
        engine.run();
        CHECK(engine.output<std::int64_t>("wide")[0] == std::int64_t{1} << 40);
        CHECK(engine.output<std::int64_t>("wide")[1] == -2);
        CHECK(engine.output<float>("real")[0] == 0.0f);
        CHECK(engine.output<float>("real")[1] == 2.0f);
        CHECK(engine.output<float>("none").empty());
    }
}
