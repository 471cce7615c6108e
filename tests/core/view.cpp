// SPDX-License-Identifier: MIT
// TensorView: data that somebody else holds.

#include <mote/core/view.hpp>

#include <support/catch.hpp>

#include <type_traits>

TEST_CASE("view: spans its elements and writes through") {
    float data[6] = {1, 2, 3, 4, 5, 6};
    const mote::TensorView<mote::f32> view{data, {2, 3}};
    CHECK(view.elements() == 6);
    CHECK(view.size() == 6);
    float sum = 0;
    for (const float value : view) sum += value;
    CHECK(sum == 21);
    view[4] = 50;
    CHECK(data[4] == 50);
}

TEST_CASE("view: a read-only view comes from a mutable one, not the other way") {
    float data[2] = {1, 2};
    const mote::TensorView<mote::f32> view{data, {2}};
    const mote::TensorView<const mote::f32> read = view;
    CHECK(read[1] == 2);
    CHECK(read.shape == view.shape);
    STATIC_REQUIRE(std::is_same_v<decltype(read[0]), const float&>);
    STATIC_REQUIRE(!std::is_convertible_v<mote::TensorView<const mote::f32>, mote::TensorView<mote::f32>>);
}

TEST_CASE("view: four-bit elements span their packed bytes") {
    std::uint8_t bytes[3] = {0x21, 0x43, 0x05};
    const mote::TensorView<mote::i4> view{bytes, {5}};
    CHECK(view.elements() == 5);
    CHECK(view.size() == 3);
    CHECK(view.end() - view.begin() == 3);
}
