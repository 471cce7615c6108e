// SPDX-License-Identifier: MIT
// Precision tags: names, sizes, and the way back from a value's type.

#include <mote/core/precision.hpp>

#include <support/catch.hpp>

#include <string>
#include <type_traits>

namespace precision_test {

using namespace mote;

template <class... P, class Check>
void for_tags(Check check) {
    (check(P{}), ...);
}

template <class Check>
void for_all_tags(Check check) {
    for_tags<f64, f32, f16, bf16, i64, i32, i16, i8, u8, i4, b8, u64, u32, u16>(check);
}

}  // namespace precision_test

TEST_CASE("precision: each tag agrees with the run-time tables") {
    using namespace precision_test;
    std::size_t place = 0;
    for_all_tags([&](auto tag) {
        using P = decltype(tag);
        CHECK(static_cast<std::size_t>(P::element) == place++);
        CHECK(std::string(P::name) == element_name(P::element));
        CHECK(P::bits == element_bits(P::element));
        if (P::bits >= 8) CHECK(sizeof(typename P::value_type) * 8 == P::bits);
    });
    CHECK(place == element_count);
}

TEST_CASE("precision: a value's type leads back to its tag; i4 shares its bytes with u8 and is not reached") {
    using namespace precision_test;
    for_all_tags([](auto tag) {
        using P = decltype(tag);
        using Back = typename tag_of_value<typename P::value_type>::type;
        CHECK((std::is_same_v<Back, P> || (std::is_same_v<P, i4> && std::is_same_v<Back, u8>)));
    });
    STATIC_REQUIRE(std::is_void_v<tag_of_value<char*>::type>);
}

TEST_CASE("precision: bytes of packed elements round up") {
    using namespace precision_test;
    STATIC_REQUIRE(element_bytes(Element::i4, 0) == 0);
    STATIC_REQUIRE(element_bytes(Element::i4, 1) == 1);
    STATIC_REQUIRE(element_bytes(Element::i4, 2) == 1);
    STATIC_REQUIRE(element_bytes(Element::i4, 7) == 4);
    STATIC_REQUIRE(element_bytes(Element::b8, 7) == 7);
    STATIC_REQUIRE(element_bytes(Element::f64, 7) == 56);
    STATIC_REQUIRE(element_bytes(Element::bf16, 7) == 14);
}

TEST_CASE("precision: a layer's tag names what it is computed with") {
    using namespace precision_test;
    STATIC_REQUIRE(std::is_same_v<i8::weight, i8> && std::is_same_v<i8::bias, i32>);
    STATIC_REQUIRE(std::is_same_v<w4a8::weight, i4> && std::is_same_v<w4a8::activation, i8>);
    STATIC_REQUIRE(std::is_same_v<w8a16::activation, i16> && std::is_same_v<w8a16::accumulator, i64>);
    STATIC_REQUIRE(std::is_same_v<fake<i8>::weight, f32> && std::is_same_v<fake<i8>::imitated, i8>);
    STATIC_REQUIRE(std::is_same_v<f16::bias, f32> && std::is_same_v<f16::accumulator, f32>);
}
