// SPDX-License-Identifier: MIT
// infer of Concat, Pad, Reshape, Flatten and Transpose.

#include <mote/core/random.hpp>
#include <mote/model/infer/movement.hpp>

#include <model/make.hpp>
#include <support/catch.hpp>
#include <support/error_text.hpp>

#include <limits>
#include <numeric>

namespace infer_movement_test {

using namespace mote;
using namespace model_make;

Shape random_shape(Random& random) {
    Shape shape = Shape::ones(1 + random.below(5));
    for (std::size_t axis = 0; axis < shape.rank(); ++axis) shape[axis] = 1 + random.below(5);
    return shape;
}

const Quantization fifth = QuantizationParams{0.2f, -7};

/// Bytes pass with their quantization; another one cannot be asked for; any element passes.
template <class L>
void check_passes(const L& layer, const Shape& shape) {
    INFO(L::kind);
    const auto model = one(layer, {shape}, Element::i8, tenth);
    CHECK(model.value(model.outputs()[0]).quantization == tenth);
    CHECK(one(layer, {shape}, Element::i8, tenth, tenth) == model);
    CHECK_ERROR(one(layer, {shape}, Element::i8, tenth, fifth), "'node'", L::kind, "shares its input's quantization");
    const auto words = one(layer, {shape}, Element::i64);
    CHECK(words.value(words.outputs()[0]).element == Element::i64);
    CHECK_ERROR(one(layer, {}), "'node'", L::kind, "0 given");
}

}  // namespace infer_movement_test

TEST_CASE("infer movement: element and quantization pass unchanged") {
    using namespace infer_movement_test;
    check_passes(Concat{}, {2, 3});
    check_passes(Pad{.before = {0, 1}, .after = {0, 1}}, {2, 3});
    check_passes(Reshape{{0, -1}}, {2, 3});
    check_passes(Flatten{}, {2, 3});
    check_passes(Transpose{{1, 0}}, {2, 3});
}

TEST_CASE("infer concat: extents add up along the axis, counted from either end") {
    using namespace infer_movement_test;
    Random random(21);
    for (int round = 0; round < 100; ++round) {
        const Shape shape = random_shape(random);
        const std::size_t axis = random.below(shape.rank());
        std::vector<Shape> inputs(1 + random.below(4), shape);
        Shape expected = shape;
        expected[axis] = 0;
        for (Shape& input : inputs) {
            input[axis] = 1 + random.below(4);
            expected[axis] += input[axis];
        }
        const auto front = static_cast<std::int32_t>(axis);
        REQUIRE(shape_of(Concat{front}, inputs) == expected);
        REQUIRE(shape_of(Concat{front - static_cast<std::int32_t>(shape.rank())}, inputs) == expected);
        REQUIRE(concat_axis(Concat{front - static_cast<std::int32_t>(shape.rank())}, shape.rank()) == axis);
    }
}

TEST_CASE("infer concat: what does not fit is refused by name") {
    using namespace infer_movement_test;
    CHECK_ERROR(one(Concat{-1}, {{2, 3}, {3, 3}}), "'node' (Concat)", "'x0' [2x3]", "'x1' [3x3]", "more than axis 1");
    CHECK_ERROR(one(Concat{-1}, {{2, 3}, {2, 3, 1}}), "'node'", "'x1' [2x3x1]");
    CHECK_ERROR(one(Concat{2}, {{2, 3}}), "axis 2", "2 axes", "'x0'");
    CHECK_ERROR(one(Concat{-3}, {{2, 3}}), "axis -3");
    CHECK_ERROR(one(Concat{std::numeric_limits<std::int32_t>::min()}, {{2, 3}}), "axis -2147483648");
    CHECK_ERROR(one(Concat{0}, {Shape{}}), "axis 0", "0 axes");
    CHECK_ERROR(one(Concat{-1}, std::vector<Shape>(32, {1, std::size_t{1} << 59})), "'node'", "absurd");
    BasicBuilder<standard_layers<f32, i8>> b;
    const auto x = b.input("x", {1, 2}, Element::i8, tenth);
    CHECK_ERROR(b.add(Concat{}, {x, b.input("y", {1, 2}, Element::i8, fifth)}), "'x'", "'y'", "different quantizations");
    CHECK_ERROR(b.add(Concat{}, {x, b.input("z", {1, 2})}), "'x' [1x2] i8", "'z' [1x2] f32");
}

TEST_CASE("infer pad: each axis grows by what stands before and after") {
    using namespace infer_movement_test;
    CHECK(shape_of(Pad{.before = {0, 1, 2}, .after = {3, 0, 4}}, {{2, 3, 4}}) == Shape{5, 4, 10});
    CHECK_ERROR(one(Pad{.before = {0}, .after = {0, 0}}, {{2, 3}}), "'node' (Pad)", "before has 1 and after 2", "2 axes");
    const std::size_t huge = ~std::size_t{0};
    CHECK_ERROR(one(Pad{.before = {0, huge}, .after = {0, 2}}, {{2, 3}}), "'node'", "absurd");
    const std::size_t large = std::size_t{1} << 40;
    CHECK_ERROR(one(Pad{.before = {large, large}, .after = {0, 0}}, {{2, 3}}), "'node'", "memory");
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    CHECK(shape_of(Pad{.before = {0, 1}, .after = {0, 0}, .value = -infinity}, {{2, 3}}) == Shape{2, 4});
    for (const float value : {nan, infinity, -infinity}) {
        CHECK_ERROR(one(Pad{.before = {0, 1}, .after = {0, 0}, .value = value}, {{2, 3}}, Element::i8, tenth), "'node'",
                    "not finite", "i8");
    }
}

TEST_CASE("infer reshape: 0 keeps an extent, -1 takes the rest, the number of elements stays") {
    using namespace infer_movement_test;
    CHECK(shape_of(Reshape{{0, -1}}, {{2, 3, 4}}) == Shape{2, 12});
    CHECK(shape_of(Reshape{{4, 6}}, {{2, 3, 4}}) == Shape{4, 6});
    CHECK(shape_of(Reshape{{-1}}, {{2, 3, 4}}) == Shape{24});
    CHECK(shape_of(Reshape{{0, 0, 2, -1}}, {{2, 3, 4}}) == Shape{2, 3, 2, 2});
    CHECK(shape_of(Reshape{{}}, {{1, 1}}) == Shape{});
    CHECK_ERROR(one(Reshape{{5, 5}}, {{2, 3, 4}}), "'node' (Reshape)", "'x0' [2x3x4]", "24 elements", "[5x5]");
    CHECK_ERROR(one(Reshape{{5, -1}}, {{2, 3, 4}}), "24 elements");
    CHECK_ERROR(one(Reshape{{-1, -1}}, {{2, 3, 4}}), "at most one -1");
    CHECK_ERROR(one(Reshape{{-2, 12}}, {{2, 3, 4}}), "at most one -1");
    CHECK_ERROR(one(Reshape{{2, 3, 4, 0}}, {{2, 3, 4}}), "keep the input's extent");
    CHECK_ERROR(one(Reshape{std::vector<std::int64_t>(9, 1)}, {{1, 1}}), "at most 8 axes", "9 given");
    const std::int64_t huge = std::int64_t{1} << 40;
    CHECK_ERROR(one(Reshape{{huge, huge, huge}}, {{2, 3, 4}}), "absurd");
}

TEST_CASE("infer flatten: the batch stays, the rest is joined") {
    using namespace infer_movement_test;
    CHECK(shape_of(Flatten{}, {{2, 3, 4, 5}}) == Shape{2, 60});
    CHECK(shape_of(Flatten{}, {{7}}) == Shape{7, 1});
    CHECK_ERROR(one(Flatten{}, {Shape{}}), "'node' (Flatten)", "batch axis");
}

TEST_CASE("infer transpose: any permutation moves the extents, nothing else is accepted") {
    using namespace infer_movement_test;
    Random random(22);
    for (int round = 0; round < 100; ++round) {
        const Shape shape = random_shape(random);
        std::vector<std::size_t> order(shape.rank());
        std::iota(order.begin(), order.end(), std::size_t{0});
        for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
        Shape expected = shape;
        for (std::size_t axis = 0; axis < shape.rank(); ++axis) expected[axis] = shape[order[axis]];
        REQUIRE(shape_of(Transpose{order}, {shape}) == expected);
        std::vector<std::size_t> repeated = order;
        repeated[0] = repeated.back();
        if (order.size() > 1) CHECK_ERROR(one(Transpose{repeated}, {shape}), "'node' (Transpose)", "once");
    }
    CHECK_ERROR(one(Transpose{{0, 1, 2}}, {{2, 3}}), "'node'", "each of the 2 axes");
    CHECK_ERROR(one(Transpose{{0}}, {{2, 3}}), "'node'", "each of the 2 axes");
    CHECK_ERROR(one(Transpose{{0, 99}}, {{2, 3}}), "'node'", "each of the 2 axes");
}
