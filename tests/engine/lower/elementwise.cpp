// SPDX-License-Identifier: MIT
// Elementwise steps: functions, Convert in all directions, BatchNorm alone, broadcasts, refusals.

#include <support/catch.hpp>

#include "../random_model.hpp"
#include "../reference.hpp"

namespace elementwise_test {

using namespace mote;

Quantization params(float scale, std::int32_t zero_point) {
    return QuantizationParams{scale, zero_point};
}

/// A product with a gate [batch, channels], against the oracle; without it, the bytes of the gate [batch, 1, 1, channels].
template <class P>
void check_gate(std::size_t batch, std::size_t channels) {
    ModelBuilder<P> b;
    auto input = [&](const char* name, const Shape& shape, const Quantization& q) {
        return std::is_same_v<P, i8> ? b.input(name, shape, Element::i8, q) : b.input(name, shape);
    };
    const auto x = input("x", {batch, 3, 2, channels}, params(0.03f, -5));
    const auto gate = input("gate", {batch, channels}, params(0.008f, -128));
    const auto n = static_cast<std::int64_t>(channels);
    const NodeOptions product{.name = {}, .quantization = std::is_same_v<P, i8> ? params(0.02f, 7) : Quantization{}};
    b.output("flat", b.add(Mul{}, {x, gate}, product));
    b.output("image", b.add(Mul{}, {x, b.add(Reshape{{0, 1, 1, n}}, gate)}, product));
    const Model<P> model = b.build();
    INFO(to_string(model));
    Engine engine(model, {.plan = {.keep_values = true}});
    random_model::fill_inputs(engine, channels);
    engine.run();
    CHECK(reference::first_wrong_node(model, engine) == "");
    using Number = typename P::value_type;
    const auto flat = engine.template output<Number>("flat");
    const auto image = engine.template output<Number>("image");
    CHECK(std::equal(flat.begin(), flat.end(), image.begin(), image.end()));
}

/// Every function on numbers for which it is defined, against the oracle.
void check_function(UnaryFunction function) {
    using F = UnaryFunction;
    const bool unit = function == F::acos || function == F::asin || function == F::atanh;
    const bool positive = function == F::acosh || function == F::log || function == F::rsqrt || function == F::sqrt;
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {1, 7, 5});
    const Unary layer{function, function == F::clip ? -1.3f : 1.3f, 2.1f};
    b.output("y", b.add(layer, b.add(Unary{F::linear, unit ? 0.2f : 0.7f, positive ? 4.0f : 0.013f}, x)));
    const Model<f32, wide> model = b.build();
    Engine engine(model, {.plan = {.keep_values = true}});
    random_model::fill_inputs(engine, static_cast<std::uint64_t>(function));
    engine.run();
    INFO(static_cast<int>(function));
    CHECK(reference::first_wrong_node(model, engine) == "");
}

/// Every function on values of these shapes.
void check_broadcast(const Shape& first, const Shape& second) {
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", first), y = b.input("y", second);
    const auto positive = b.add(Unary{UnaryFunction::linear, 0.2f, 1.1f}, x);  // for pow
    for (std::size_t i = 0; i < binary_functions; ++i) {
        const auto function = static_cast<BinaryFunction>(i);
        b.output(concat("z", i), b.add(Binary{function}, {function == BinaryFunction::pow ? positive : x, y}));
    }
    const Model<f32, wide> model = b.build();
    Engine engine(model, {.plan = {.keep_values = true}});
    random_model::fill_inputs(engine, first.elements());
    engine.run();
    INFO(to_string(first) << " and " << to_string(second));
    CHECK(reference::first_wrong_node(model, engine) == "");
}

}  // namespace elementwise_test

using namespace elementwise_test;

TEST_CASE("elementwise: Convert quantizes, requantizes, dequantizes, and costs nothing between equal numbers") {
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {1, 5});
    auto y = b.add(Convert{Element::f32}, x);
    y = b.add(Convert{Element::i8}, y, {.quantization = params(0.5f, 3)});
    y = b.add(Convert{Element::i8}, y, {.quantization = params(0.5f, 3)});
    y = b.add(Convert{Element::i8}, y, {.quantization = params(1.0f, -1)});
    b.output("bytes", y);
    b.output("reals", b.add(Convert{Element::f32}, y));
    Engine engine(b.build());
    CHECK(engine.plan().steps().size() == 3);
    const float in[] = {0, 1, -1.26f, 1e9f, 2};
    for (std::size_t i = 0; i < 5; ++i) engine.input<float>()[i] = in[i];
    engine.run();
    const std::int8_t bytes[] = {-1, 0, -3, 61, 1};  // -1.26 -> -1.5 -> -2 (half to even); 1e9 -> 62 (127 - 3 half steps)
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(static_cast<int>(engine.output<std::int8_t>("bytes")[i]) == bytes[i]);
        CHECK(engine.output<float>("reals")[i] == static_cast<float>(bytes[i] + 1));
    }
}

TEST_CASE("elementwise: a Convert between an input and an output that are the same numbers is a copy") {
    ModelBuilder<f32, wide> b;
    b.output("y", b.add(Convert{Element::f32}, b.input("x", {2, 3})));
    Engine engine(b.build());
    engine.input<float>()[5] = 7;
    engine.run();
    CHECK(engine.output<float>()[5] == 7.0f);
    CHECK(engine.plan().steps().size() == 1);
}

TEST_CASE("elementwise: Mul repeats a gate over the positions of each image") {
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {2, 2, 1, 3});
    const auto gate = b.input("gate", {2, 1, 1, 3});
    b.output("y", b.add(Mul{}, {x, gate}));
    Engine engine(b.build());
    for (std::size_t i = 0; i < 12; ++i) engine.input<float>("x")[i] = 1;
    for (std::size_t i = 0; i < 6; ++i) engine.input<float>("gate")[i] = static_cast<float>(i);
    engine.run();
    for (std::size_t i = 0; i < 12; ++i) CHECK(engine.output<float>()[i] == static_cast<float>(i / 6 * 3 + i % 3));
    const auto* step = get_if<MulStep<f32>>(engine.plan().steps()[0]);
    REQUIRE(step != nullptr);
    CHECK(step->geometry.spatial == 2);
}

TEST_CASE("elementwise: Mul takes a gate of two axes, [batch, channels]") {
    for (const std::size_t batch : {1u, 2u}) {
        for (const std::size_t channels : {1u, 5u, 16u, 37u}) {
            check_gate<f32>(batch, channels);
            check_gate<i8>(batch, channels);
        }
    }
}

TEST_CASE("elementwise: int8 activations by table hold the layer's table, and refuse nothing that infer allowed") {
    Tensor<i8> table(Shape{256});
    for (std::size_t i = 0; i < 256; ++i) table[i] = static_cast<std::int8_t>(127 - static_cast<int>(i));
    ModelBuilder<i8, wide> b;
    b.output("y",
             b.add(Sigmoid{table}, b.input("x", {1, 256}, Element::i8, params(0.1f, 0)), {.quantization = params(0.01f, 0)}));
    Engine engine(b.build());
    for (std::size_t i = 0; i < 256; ++i) engine.input<std::int8_t>()[i] = static_cast<std::int8_t>(static_cast<int>(i) - 128);
    engine.run();
    for (std::size_t i = 0; i < 256; ++i) REQUIRE(engine.output<std::int8_t>()[i] == table[i]);
}

TEST_CASE("elementwise: scales that 32-bit fixed point cannot hold are refused with the scales") {
    ModelBuilder<i8, wide> b;
    const auto x = b.input("x", {1, 2}, Element::i8, params(1.0f, 0));
    const auto y = b.add(Mul{}, {x, x}, {.name = "product", .quantization = params(1e-12f, 0)});
    b.output("a", y);
    b.output("b", b.add(Add{}, {x, x}, {.name = "sum", .quantization = params(1e-12f, 0)}));
    CHECK_THROWS_WITH(plan(b.build()),
                      Catch::Contains("'product'") && Catch::Contains("'sum'") && Catch::Contains("too far apart"));
}

TEST_CASE("elementwise: a Convert whose multiplier is no normal float is refused") {
    ModelBuilder<i8, wide> b;
    const auto x = b.input("x", {1, 2}, Element::i8, params(1e-30f, 0));
    b.output("y", b.add(Convert{Element::i8}, x, {.name = "tiny", .quantization = params(1e30f, 0)}));
    CHECK_THROWS_WITH(plan(b.build()), Catch::Contains("'tiny'") && Catch::Contains("multiplier"));
}

TEST_CASE("elementwise: a Convert to bytes whose scale has no normal inverse is refused") {
    for (const float scale : {1e38f, 3e38f}) {
        ModelBuilder<f32, i8, wide> b;
        b.output("y", b.add(Convert{Element::i8}, b.input("x", {1, 2}), {.name = "coarse", .quantization = params(scale, 0)}));
        CHECK_THROWS_WITH(plan(b.build()),
                          Catch::Contains("'coarse' (Convert)") && Catch::Contains(concat("the scale ", scale)));
    }
    ModelBuilder<f32, i8, wide> b;  // the largest that has one
    b.output("y", b.add(Convert{Element::i8}, b.input("x", {1, 2}), {.quantization = params(0x1p126f, 0)}));
    Engine engine(b.build());
    engine.input<float>()[0] = 0x1p127f;
    engine.run();
    CHECK(engine.output<std::int8_t>()[0] == 2);
}

TEST_CASE("elementwise: every function of one value is what it is called") {
    for (std::size_t i = 0; i < unary_functions; ++i) check_function(static_cast<UnaryFunction>(i));
}

TEST_CASE("elementwise: functions of two values repeat what broadcasts, whatever the shapes") {
    check_broadcast({2, 3, 4}, {2, 3, 4});
    check_broadcast({2, 3, 4}, {4});
    check_broadcast({3, 1}, {2, 1, 4});
    check_broadcast({2, 1, 3, 1, 5}, {4, 1, 2, 1});
    check_broadcast({1, 1}, {2, 6});
    check_broadcast({1, 2, 1, 2, 1, 2, 1, 2}, {2, 1, 2, 1, 2, 1, 2, 1});
}

TEST_CASE("elementwise: a function of two values takes the place of the one that does not repeat") {
    for (const bool swapped : {false, true}) {
        ModelBuilder<f32, wide> b;
        const auto x = b.input("x", {4, 3}), row = b.input("row", {3});
        auto y = b.add(Unary{UnaryFunction::square}, x);
        for (int i = 0; i < 3; ++i)
            y = swapped ? b.add(Binary{BinaryFunction::sub}, {row, y}) : b.add(Binary{BinaryFunction::sub}, {y, row});
        b.output("y", b.add(Tanh{}, y));
        const Model<f32, wide> model = b.build();
        Engine engine(model);
        CHECK(engine.plan().arena_bytes() <= 64 + 2 * 64 + 64);  // both inputs and one value
        random_model::fill_inputs(engine, 5);
        engine.run();
        for (std::size_t i = 0; i < 12; ++i) {
            const double square = std::pow(static_cast<double>(engine.input<float>("x")[i]), 2);
            const double r = static_cast<double>(engine.input<float>("row")[i % 3]);
            CHECK(static_cast<double>(engine.output<float>()[i]) ==
                  Approx(std::tanh(swapped ? r - (r - (r - square)) : square - 3 * r)).margin(1e-5));
        }
    }
}

TEST_CASE("elementwise: infinities and numbers that are none pass through functions as IEEE 754 has it (NaN)") {
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {1, 4});
    b.output("clip", b.add(Unary{UnaryFunction::clip, -1.0f, 1.0f}, x));
    b.output("exp", b.add(Unary{UnaryFunction::exp}, x));
    b.output("max", b.add(Binary{BinaryFunction::max}, {x, b.add(Unary{UnaryFunction::reciprocal}, x)}));
    Engine engine(b.build());
    const float inf = std::numeric_limits<float>::infinity();
    const float in[] = {std::numeric_limits<float>::quiet_NaN(), inf, -inf, 0.0f};
    for (std::size_t i = 0; i < 4; ++i) engine.input<float>()[i] = in[i];
    engine.run();
    const float clip[] = {0, 1, -1, 0}, exp[] = {0, inf, 0, 1}, max[] = {0, inf, -0.0f, inf};
    for (const auto& [name, wanted] : {std::pair("clip", clip), {"exp", exp}, {"max", max}}) {
        CAPTURE(name);
        CHECK(std::isnan(engine.output<float>(name)[0]));
        for (std::size_t i = 1; i < 4; ++i) CHECK(engine.output<float>(name)[i] == wanted[i]);
    }
}
