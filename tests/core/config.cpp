// SPDX-License-Identifier: MIT
// The version and the namespace that carries it.

#include <mote/core/config.hpp>
#include <mote/core/shape.hpp>

#include <support/catch.hpp>

#include <type_traits>

TEST_CASE("config: the version's number orders as its parts do") {
    STATIC_REQUIRE(MOTE_VERSION == MOTE_VERSION_MAJOR * 10000 + MOTE_VERSION_MINOR * 100 + MOTE_VERSION_PATCH);
    STATIC_REQUIRE(MOTE_VERSION_MINOR < 100);
    STATIC_REQUIRE(MOTE_VERSION_PATCH < 100);
}

TEST_CASE("config: names stand in a namespace of this version, so that mixed units fail to link") {
    STATIC_REQUIRE(MOTE_EXCEPTIONS == 1);
    STATIC_REQUIRE(std::is_same_v<mote::Shape, mote::v0_1::Shape>);
}
