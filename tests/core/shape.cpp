// SPDX-License-Identifier: MIT
// Shape: extents, products, strides.

#include <mote/core/random.hpp>
#include <mote/core/shape.hpp>

#include <support/catch.hpp>

#include <vector>

TEST_CASE("shape: extents, rank and equality") {
    STATIC_REQUIRE(mote::Shape{}.rank() == 0);
    STATIC_REQUIRE(mote::Shape{}.elements() == 1);
    STATIC_REQUIRE(mote::Shape{}.back() == 1);
    STATIC_REQUIRE(mote::Shape{2, 3, 4}.rank() == 3);
    STATIC_REQUIRE(mote::Shape{2, 3, 4}.elements() == 24);
    STATIC_REQUIRE(mote::Shape{2, 3, 4}.back() == 4);
    STATIC_REQUIRE(mote::Shape{2, 3, 4}.stride(0) == 12);
    STATIC_REQUIRE(mote::Shape{2, 3, 4}.stride(2) == 1);
    STATIC_REQUIRE(mote::Shape{2, 3} != mote::Shape{2, 3, 1});
    STATIC_REQUIRE(mote::Shape{2, 3} != mote::Shape{3, 2});
    STATIC_REQUIRE(mote::Shape{1, 2, 3, 4, 5, 6, 7, 8}.elements() == 40320);
    STATIC_REQUIRE(mote::Shape::ones(3) == mote::Shape{1, 1, 1});
    CHECK(mote::Shape::ones(99).rank() == mote::Shape::max_rank);
    mote::Shape shape{2, 3};
    shape[1] = 5;
    CHECK(shape == mote::Shape{2, 5});
}

TEST_CASE("shape: an axis that was cut away leaves no trace in equality") {
    mote::Shape ones = mote::Shape::ones(2);
    CHECK(ones == mote::Shape{1, 1});
    CHECK(mote::Shape{1, 1, 9} != ones);
}

TEST_CASE("shape: a product that overflows is absurd, never small; a zero axis makes it 0") {
    const std::size_t huge = std::size_t{1} << 32;
    CHECK(mote::Shape{huge, huge}.elements() == mote::Shape::absurd);
    CHECK(mote::Shape{huge, huge, huge}.elements() == mote::Shape::absurd);
    CHECK(mote::Shape{huge, huge, 0}.elements() == 0);
    CHECK(mote::Shape{0, huge, huge}.elements() == 0);
    CHECK(mote::Shape{~std::size_t{0}}.elements() == mote::Shape::absurd);
    CHECK(mote::Shape{mote::Shape::absurd - 1}.elements() == mote::Shape::absurd - 1);
    CHECK(mote::Shape{1, ~std::size_t{0} / 2, 2, 2}.elements() == mote::Shape::absurd);
}

TEST_CASE("shape: elements and strides of random shapes equal products taken one by one") {
    mote::Random random(11);
    for (int round = 0; round < 500; ++round) {
        const std::size_t rank = random.below(9);
        mote::Shape shape = mote::Shape::ones(rank);
        std::vector<std::size_t> extents;
        for (std::size_t axis = 0; axis < rank; ++axis) {
            extents.push_back(random.below(6));
            shape[axis] = extents.back();
        }
        std::size_t product = 1;
        for (std::size_t axis = rank; axis-- > 0;) {
            REQUIRE(shape.stride(axis) == product);
            product *= extents[axis];
        }
        REQUIRE(shape.elements() == product);
        REQUIRE(std::vector<std::size_t>(shape.begin(), shape.end()) == extents);
    }
}

TEST_CASE("shape: two shapes broadcast to one, aligned at the last axis, or do not") {
    const auto to = [](const mote::Shape& a, const mote::Shape& b) {
        mote::Shape forth, back;
        REQUIRE(mote::broadcast(a, b, forth));
        REQUIRE(mote::broadcast(b, a, back));
        REQUIRE(forth == back);
        return forth;
    };
    CHECK(to({2, 3}, {2, 3}) == mote::Shape{2, 3});
    CHECK(to({2, 3}, {}) == mote::Shape{2, 3});
    CHECK(to({}, {}) == mote::Shape{});
    CHECK(to({4, 1, 3}, {5, 1}) == mote::Shape{4, 5, 3});
    CHECK(to({1, 3}, {0, 3}) == mote::Shape{0, 3});
    mote::Shape shape;
    CHECK_FALSE(mote::broadcast({2, 3}, {2, 4}, shape));
    CHECK_FALSE(mote::broadcast({2, 3}, {2}, shape));
    CHECK_FALSE(mote::broadcast({0}, {2}, shape));
}
