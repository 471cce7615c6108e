// SPDX-License-Identifier: MIT
// Value: its bytes, its text, its equality.

#include <mote/model/value.hpp>

#include <support/catch.hpp>

TEST_CASE("value: bytes are those of its elements, packed") {
    CHECK(mote::Value{"x", {2, 3}, mote::Element::f32}.bytes() == 24);
    CHECK(mote::Value{"x", {5}, mote::Element::i4}.bytes() == 3);
    CHECK(mote::Value{"x", {}, mote::Element::i64}.bytes() == 8);
}

TEST_CASE("value: the text names name, shape and element") {
    CHECK(to_string(mote::Value{"image", {1, 8, 8, 3}, mote::Element::i8}) == "'image' [1x8x8x3] i8");
}

TEST_CASE("value: equality sees every member") {
    const mote::Value value{"x", {2}, mote::Element::i8, mote::QuantizationParams{0.5f, 1}};
    CHECK(value == mote::Value(value));
    mote::Value other = value;
    other.name = "y";
    CHECK(value != other);
    other = value;
    other.shape = {1, 2};
    CHECK(value != other);
    other = value;
    other.element = mote::Element::u8;
    CHECK(value != other);
    other = value;
    other.quantization = {};
    CHECK(value != other);
}
