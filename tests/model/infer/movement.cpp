// SPDX-License-Identifier: MIT
// infer of the movement layers.

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
    check_passes(Slice{{0, 1}, {-1, 2}, {1, 1}}, {2, 3});
    check_passes(Gather{-1, Tensor<i32>(Shape{2}, {2, 0})}, {2, 3});
    check_passes(Tile{{1, 2}}, {2, 3});
}

TEST_CASE("infer slice: a size of -1 is what there is along the stride, in either direction; more is refused") {
    using namespace infer_movement_test;
    Random random(23);
    for (int round = 0; round < 200; ++round) {
        const std::size_t extent = 1 + random.below(9), begin = random.below(extent);
        const std::int64_t stride = (1 + static_cast<std::int64_t>(random.below(4))) * (random.below(2) == 0 ? 1 : -1);
        std::int64_t count = 0;
        for (auto at = static_cast<std::int64_t>(begin); at >= 0 && at < static_cast<std::int64_t>(extent); at += stride)
            ++count;
        REQUIRE(shape_of(Slice{{0, begin}, {-1, -1}, {1, stride}}, {{2, extent}}) == Shape{2, static_cast<std::size_t>(count)});
        REQUIRE(shape_of(Slice{{0, begin}, {1, count - 1}, {1, stride}}, {{2, extent}})[1] ==
                static_cast<std::size_t>(count - 1));
        CHECK_ERROR(one(Slice{{0, begin}, {-1, count + 1}, {1, stride}}, {{2, extent}}), "'node' (Slice)", "axis 1", "'x0'",
                    "-1 for all");
    }
    const std::int64_t least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
    CHECK(shape_of(Slice{{0, 2}, {-1, -1}, {most, least}}, {{2, 3}}) == Shape{1, 1});
    CHECK(shape_of(Slice{{0, 3}, {-1, -1}, {1, 1}}, {{2, 3}}) == Shape{2, 0});
    CHECK(shape_of(Slice{}, {Shape{}}) == Shape{});
    CHECK_ERROR(one(Slice{{0, 3}, {-1, 1}, {1, 1}}, {{2, 3}}), "axis 1 goes beyond it");
    CHECK_ERROR(one(Slice{{0, 0}, {-1, least}, {1, 1}}, {{2, 3}}), "axis 1");
    CHECK_ERROR(one(Slice{{0, 0}, {-1, -1}, {1, 0}}, {{2, 3}}), "stride of axis 1 is 0");
    CHECK_ERROR(one(Slice{{0}, {-1, -1}, {1, 1, 1}}, {{2, 3}}), "begin, size and stride", "2 axes");
}

TEST_CASE("infer gather: the axes of the indices stand where the axis stood; an index outside it is refused") {
    using namespace infer_movement_test;
    CHECK(shape_of(Gather{1, Tensor<i32>(Shape{2, 1}, {3, 0})}, {{2, 4, 5}}) == Shape{2, 2, 1, 5});
    CHECK(shape_of(Gather{-3, Tensor<i32>(Shape{}, {1})}, {{2, 4, 5}}) == Shape{4, 5});
    CHECK(shape_of(Gather{2, {}}, {{2, 4, 5}}) == Shape{2, 4, 0});
    CHECK_ERROR(one(Gather{1, Tensor<i32>(Shape{2}, {0, 4})}, {{2, 4}}), "'node' (Gather)", "index 4", "outside the axis",
                "'x0' [2x4]");
    CHECK_ERROR(one(Gather{1, Tensor<i32>(Shape{1}, {-1})}, {{2, 4}}), "index -1");
    CHECK_ERROR(one(Gather{2, {}}, {{2, 4}}), "axis 2", "outside its axes");
    CHECK_ERROR(one(Gather{std::numeric_limits<std::int32_t>::min(), {}}, {{2, 4}}), "axis -2147483648");
    CHECK_ERROR(one(Gather{0, Tensor<i32>(Shape{1, 1, 1, 1, 1, 1, 1, 1})}, {{2, 4}}), "more than 8 axes");
    CHECK_ERROR(one(Gather{0, Tensor<i32>(Shape{1})}, {Shape{}}), "axis 0", "outside its axes");
}

TEST_CASE("infer tile: each axis is as often as long as it repeats") {
    using namespace infer_movement_test;
    CHECK(shape_of(Tile{{1, 3, 0}}, {{2, 4, 5}}) == Shape{2, 12, 0});
    CHECK_ERROR(one(Tile{{1}}, {{2, 3}}), "'node' (Tile)", "repeats", "2 axes");
    CHECK_ERROR(one(Tile{{1, ~std::size_t{0}}}, {{2, 3}}), "axis 1", "absurd");
    CHECK_ERROR(one(Tile{{std::size_t{1} << 40, std::size_t{1} << 40}}, {{2, 3}}), "'node'", "memory");
}

TEST_CASE("infer constant: it has no input, and the value is what its bytes say") {
    using namespace infer_movement_test;
    Tensor<i8> steps(Shape{2, 3});
    steps.set_quantization(tenth);
    const auto model = one(constant_of(steps), {}, Element::f32, {}, tenth);
    const Value& value = model.value(model.outputs()[0]);
    CHECK(value == Value{"node", {2, 3}, Element::i8, tenth});
    CHECK(shape_of(constant_of(Tensor<i64>(Shape{})), {}) == Shape{});
    CHECK_ERROR(one(constant_of(steps), {}, Element::f32, {}, fifth), "'node' (Constant)", "its value was given another");
    CHECK_ERROR(one(constant_of(steps), {{2, 3}}), "'node'", "0 inputs expected", "1 given");
    CHECK_ERROR(one(Constant{}, {}), "'node'", "its bytes do not fill");
    CHECK_ERROR(one(Constant{Element::i8, std::vector<std::size_t>(9, 1), Tensor<u8>(Shape{1})}, {}), "more than 8 axes");
    CHECK_ERROR(one(Constant{Element::i8, {std::size_t{1} << 40, std::size_t{1} << 40}, {}}, {}), "'node'",
                "its bytes do not fill");
    steps.set_quantization(QuantizationParams{-1.0f, 0});
    CHECK_ERROR(one(constant_of(steps), {}), "'node'", "scale or zero point that is not usable");
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
    BasicBuilder<standard_layers<f32, i8, wide>> b;
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
