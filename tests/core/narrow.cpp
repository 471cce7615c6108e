// SPDX-License-Identifier: MIT
// narrow and fits.

#include <mote/core/narrow.hpp>

#include <support/catch.hpp>

#include <cstdint>
#include <limits>

namespace narrow_test {

/// fits<T> against comparison in a type that holds all values of both.
template <class T, class U>
bool agrees() {
    for (std::int64_t value = std::numeric_limits<U>::min(); value <= std::int64_t{std::numeric_limits<U>::max()}; ++value) {
        const bool expected = value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
        if (mote::fits<T>(static_cast<U>(value)) != expected) return false;
        if (expected && mote::narrow<T>(static_cast<U>(value)) != static_cast<T>(value)) return false;
    }
    return true;
}

}  // namespace narrow_test

TEST_CASE("fits: right for every 16-bit value and every 8- and 16-bit type, and narrow keeps what fits") {
    using namespace narrow_test;
    CHECK(agrees<std::int8_t, std::int16_t>());
    CHECK(agrees<std::uint8_t, std::int16_t>());
    CHECK(agrees<std::uint16_t, std::int16_t>());
    CHECK(agrees<std::int16_t, std::uint16_t>());
    CHECK(agrees<std::int8_t, std::uint16_t>());
    CHECK(agrees<std::int32_t, std::uint16_t>());
    CHECK(agrees<std::uint8_t, std::int8_t>());
}

TEST_CASE("fits: the ends of the 64-bit types") {
    STATIC_REQUIRE(!mote::fits<std::uint64_t>(std::int64_t{-1}));
    STATIC_REQUIRE(!mote::fits<std::int64_t>(~std::uint64_t{0}));
    STATIC_REQUIRE(!mote::fits<std::int32_t>(std::int64_t{1} << 31));
    STATIC_REQUIRE(mote::fits<std::int32_t>((std::int64_t{1} << 31) - 1));
    STATIC_REQUIRE(mote::fits<std::int32_t>(-(std::int64_t{1} << 31)));
    STATIC_REQUIRE(!mote::fits<std::int32_t>(-(std::int64_t{1} << 31) - 1));
    STATIC_REQUIRE(mote::narrow<std::int32_t>(std::size_t{7}) == 7);
}
