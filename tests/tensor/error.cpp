// SPDX-License-Identifier: MIT
// Error and concat.

#include <mote/tensor/error.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>

#include <cstdint>
#include <limits>
#include <type_traits>

TEST_CASE("error: a failed check throws an Error, which is a runtime_error, with its text") {
    STATIC_REQUIRE(std::is_base_of_v<std::runtime_error, mote::Error>);
    CHECK(support::error_text([] { mote::fail("the reason"); }) == "the reason");
    CHECK_THROWS_AS(mote::fail("the reason"), mote::Error);
}

TEST_CASE("concat: strings and numbers of every type, one after the other") {
    const std::string owned = "owned";
    CHECK(mote::concat("a ", owned, ' ' + std::string("b"), std::string_view(" c ")) == "a owned b c ");
    CHECK(mote::concat(std::int8_t{-128}, ' ', std::uint8_t{65}) == "-128" + std::to_string(int{' '}) + "65");
    CHECK(mote::concat(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
    CHECK(mote::concat(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
    CHECK(mote::concat(0.5f, " ", -1e300, " ", 1e-30f) == "0.5 -1e+300 1e-30");
    CHECK(mote::concat(std::numeric_limits<double>::infinity()) == "inf");
}
