// SPDX-License-Identifier: MIT
#pragma once
// Precision tags: empty types that name the element of a tensor, and the elements that a layer computes with.

#include <mote/core/config.hpp>
#include <mote/core/half.hpp>

#include <cstddef>
#include <cstdint>

MOTE_BEGIN_NAMESPACE

/// What one element of a tensor is, as a run-time value. The order is part of the .mote file format.
enum class Element : std::uint8_t { f64, f32, f16, bf16, i64, i32, i16, i8, u8, i4, b8, u64, u32, u16 };
inline constexpr std::size_t element_count = 14;

// Element tags. `value_type` is what a span of that element holds; `bits` is what one element occupies.
// A tag that a layer can be computed in also names the tags of its weight, activation, bias and accumulator.
struct i64;
struct i32;

struct f64 {
    using value_type = double;
    static constexpr Element element = Element::f64;
    static constexpr std::size_t bits = 64;
    static constexpr const char* name = "f64";
};
struct f32 {
    using value_type = float;
    using weight = f32;
    using activation = f32;
    using bias = f32;
    using accumulator = f32;
    static constexpr Element element = Element::f32;
    static constexpr std::size_t bits = 32;
    static constexpr const char* name = "f32";
};
/// IEEE 754 binary16, computed in f32.
struct f16 {
    using value_type = half;
    using weight = f16;
    using activation = f16;
    using bias = f32;
    using accumulator = f32;
    static constexpr Element element = Element::f16;
    static constexpr std::size_t bits = 16;
    static constexpr const char* name = "f16";
};
/// The upper half of a binary32, computed in f32.
struct bf16 {
    using value_type = bfloat;
    using weight = bf16;
    using activation = bf16;
    using bias = f32;
    using accumulator = f32;
    static constexpr Element element = Element::bf16;
    static constexpr std::size_t bits = 16;
    static constexpr const char* name = "bf16";
};
struct i64 {
    using value_type = std::int64_t;
    static constexpr Element element = Element::i64;
    static constexpr std::size_t bits = 64;
    static constexpr const char* name = "i64";
};
struct i32 {
    using value_type = std::int32_t;
    using weight = i32;
    using activation = i32;
    using bias = i32;
    using accumulator = i32;
    static constexpr Element element = Element::i32;
    static constexpr std::size_t bits = 32;
    static constexpr const char* name = "i32";
};
struct i16 {
    using value_type = std::int16_t;
    static constexpr Element element = Element::i16;
    static constexpr std::size_t bits = 16;
    static constexpr const char* name = "i16";
};
/// 8-bit weights and activations with exact int32 sums: the field's W8A8.
struct i8 {
    using value_type = std::int8_t;
    using weight = i8;
    using activation = i8;
    using bias = i32;
    using accumulator = i32;
    static constexpr Element element = Element::i8;
    static constexpr std::size_t bits = 8;
    static constexpr const char* name = "i8";
};
struct u8 {
    using value_type = std::uint8_t;
    static constexpr Element element = Element::u8;
    static constexpr std::size_t bits = 8;
    static constexpr const char* name = "u8";
};
/// Signed 4-bit integers in [-8, 7], two to a byte, the lower half first. A span of them holds the packed bytes.
struct i4 {
    using value_type = std::uint8_t;
    static constexpr Element element = Element::i4;
    static constexpr std::size_t bits = 4;
    static constexpr const char* name = "i4";
};
/// A truth value in one byte.
struct b8 {
    using value_type = bool;
    static constexpr Element element = Element::b8;
    static constexpr std::size_t bits = 8;
    static constexpr const char* name = "b8";
};
struct u64 {
    using value_type = std::uint64_t;
    static constexpr Element element = Element::u64;
    static constexpr std::size_t bits = 64;
    static constexpr const char* name = "u64";
};
struct u32 {
    using value_type = std::uint32_t;
    static constexpr Element element = Element::u32;
    static constexpr std::size_t bits = 32;
    static constexpr const char* name = "u32";
};
struct u16 {
    using value_type = std::uint16_t;
    static constexpr Element element = Element::u16;
    static constexpr std::size_t bits = 16;
    static constexpr const char* name = "u16";
};

// Layer tags whose weight and activation differ.
/// 4-bit weights with 8-bit activations.
struct w4a8 {
    using weight = i4;
    using activation = i8;
    using bias = i32;
    using accumulator = i32;
    static constexpr const char* name = "w4a8";
};
/// 8-bit weights with 16-bit activations (TFLite's 16x8).
struct w8a16 {
    using weight = i8;
    using activation = i16;
    using bias = i64;
    using accumulator = i64;
    static constexpr const char* name = "w8a16";
};
/// Trains in f32 while rounding as P would.
template <class P>
struct fake {
    using weight = f32;
    using activation = f32;
    using bias = f32;
    using accumulator = f32;
    using imitated = P;
    static constexpr const char* name = "fake";
};

constexpr const char* element_name(Element element) noexcept {
    constexpr const char* names[] = {"f64", "f32", "f16", "bf16", "i64", "i32", "i16",
                                     "i8",  "u8",  "i4",  "b8",   "u64", "u32", "u16"};
    return names[static_cast<std::size_t>(element)];
}

constexpr std::size_t element_bits(Element element) noexcept {
    constexpr std::uint8_t bits[] = {64, 32, 16, 16, 64, 32, 16, 8, 8, 4, 8, 64, 32, 16};
    return bits[static_cast<std::size_t>(element)];
}

/// Whether elements are floats.
constexpr bool holds_reals(Element element) noexcept {
    return element <= Element::bf16;
}

/// Bytes that `count` elements occupy, packed.
constexpr std::size_t element_bytes(Element element, std::size_t count) noexcept {
    return element_bits(element) == 4 ? (count + 1) / 2 : count * (element_bits(element) / 8);
}

/// The tag whose spans hold V; `void` where there is none. i4 is reached by its tag alone.
template <class V>
struct tag_of_value {
    using type = void;
};
template <>
struct tag_of_value<double> {
    using type = f64;
};
template <>
struct tag_of_value<float> {
    using type = f32;
};
template <>
struct tag_of_value<half> {
    using type = f16;
};
template <>
struct tag_of_value<bfloat> {
    using type = bf16;
};
template <>
struct tag_of_value<std::int64_t> {
    using type = i64;
};
template <>
struct tag_of_value<std::int32_t> {
    using type = i32;
};
template <>
struct tag_of_value<std::int16_t> {
    using type = i16;
};
template <>
struct tag_of_value<std::int8_t> {
    using type = i8;
};
template <>
struct tag_of_value<std::uint8_t> {
    using type = u8;
};
template <>
struct tag_of_value<bool> {
    using type = b8;
};
template <>
struct tag_of_value<std::uint64_t> {
    using type = u64;
};
template <>
struct tag_of_value<std::uint32_t> {
    using type = u32;
};
template <>
struct tag_of_value<std::uint16_t> {
    using type = u16;
};

MOTE_END_NAMESPACE
