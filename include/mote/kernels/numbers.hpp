// SPDX-License-Identifier: MIT
#pragma once
// Numbers of any element, scalar: integers are computed with in 64 bits and wrap where they are stored, floats in double. A run
// of elements is read, computed with and written at a time, so that an operation is compiled once for each of these three
// types, not for each element. Elements are whole bytes (not i4).

#include <mote/core/functions.hpp>
#include <mote/core/geometry.hpp>
#include <mote/core/precision.hpp>
#include <mote/simd/instruction_set.hpp>

#include <cstddef>
#include <type_traits>

MOTE_BEGIN_KERNELS

namespace reference {

/// How many numbers are read at once.
inline constexpr std::ptrdiff_t number_run = 64;

template <class T, class Number>
MOTE_ALWAYS_INLINE void load_as(const void* from, std::ptrdiff_t step, std::ptrdiff_t count, Number* to) noexcept {
    const T* x = static_cast<const T*>(from);
    for (std::ptrdiff_t i = 0; i < count; ++i) to[i] = static_cast<Number>(x[i * step]);
}
template <class T>
MOTE_ALWAYS_INLINE void load_small(const void* from, std::ptrdiff_t step, std::ptrdiff_t count, double* to) noexcept {
    const T* x = static_cast<const T*>(from);
    for (std::ptrdiff_t i = 0; i < count; ++i) to[i] = static_cast<double>(to_float(x[i * step]));
}

/// Element `at` of `from` and those behind it, `step` apart: floats as double, integers as integers of 64 bits.
template <class Number>
[[gnu::noinline]] void load_numbers(Element element, const void* array, std::ptrdiff_t at, std::ptrdiff_t step,
                                    std::ptrdiff_t count, Number* to) noexcept {
    const void* from = static_cast<const char*>(array) + at * static_cast<std::ptrdiff_t>(element_bits(element) / 8);
    if constexpr (std::is_same_v<Number, double>) {
        switch (element) {
            case Element::f64:
                return load_as<double>(from, step, count, to);
            case Element::f32:
                return load_as<float>(from, step, count, to);
            case Element::f16:
                return load_small<half>(from, step, count, to);
            case Element::bf16:
                return load_small<bfloat>(from, step, count, to);
            default:
                break;
        }
    }
    switch (element) {
        case Element::i64:
            return load_as<std::int64_t>(from, step, count, to);
        case Element::i32:
            return load_as<std::int32_t>(from, step, count, to);
        case Element::i16:
            return load_as<std::int16_t>(from, step, count, to);
        case Element::i8:
            return load_as<std::int8_t>(from, step, count, to);
        case Element::u8:
        case Element::b8:
            return load_as<std::uint8_t>(from, step, count, to);
        case Element::u64:
            return load_as<std::uint64_t>(from, step, count, to);
        case Element::u32:
            return load_as<std::uint32_t>(from, step, count, to);
        case Element::u16:
            return load_as<std::uint16_t>(from, step, count, to);
        default:
            return;
    }
}

/// A real number cut towards zero; beyond 64 bits the nearest, and 0 for NaN.
MOTE_ALWAYS_INLINE std::uint64_t cut(double x) noexcept {
    constexpr double sign = 9223372036854775808.0;  // 2^63
    if (x >= sign) return x >= 2 * sign ? ~std::uint64_t{0} : static_cast<std::uint64_t>(x);
    return static_cast<std::uint64_t>(x >= -sign ? static_cast<std::int64_t>(x) : x < 0 ? INT64_MIN : 0);
}
template <class Integer>
MOTE_ALWAYS_INLINE std::uint64_t cut(Integer x) noexcept {
    return static_cast<std::uint64_t>(x);
}

template <class T, class Number>
MOTE_ALWAYS_INLINE void store_as(const Number* x, std::ptrdiff_t step, std::ptrdiff_t count, void* to) noexcept {
    T* y = static_cast<T*>(to);
    for (std::ptrdiff_t i = 0; i < count; ++i) {
        if constexpr (std::is_floating_point_v<T>) {
            y[i * step] = static_cast<T>(x[i]);
        } else if constexpr (std::is_same_v<T, bool>) {
            y[i * step] = x[i] != 0;
        } else if constexpr (std::is_same_v<T, half>) {
            y[i * step] = to_half(static_cast<float>(x[i]));
        } else if constexpr (std::is_same_v<T, bfloat>) {
            y[i * step] = to_bfloat(static_cast<float>(x[i]));
        } else {
            y[i * step] = static_cast<T>(cut(x[i]));
        }
    }
}

/// The numbers as elements, `step` apart from element `at` on: floats are rounded, integers wrap, truth values are what is not
/// 0.
template <class Number>
[[gnu::noinline]] void store_numbers(Element element, const Number* x, std::ptrdiff_t at, std::ptrdiff_t step,
                                     std::ptrdiff_t count, void* array) noexcept {
    void* to = static_cast<char*>(array) + at * static_cast<std::ptrdiff_t>(element_bits(element) / 8);
    switch (element) {
        case Element::f64:
            return store_as<double>(x, step, count, to);
        case Element::f32:
            return store_as<float>(x, step, count, to);
        case Element::f16:
            return store_as<half>(x, step, count, to);
        case Element::bf16:
            return store_as<bfloat>(x, step, count, to);
        case Element::i64:
        case Element::u64:
            return store_as<std::uint64_t>(x, step, count, to);
        case Element::i32:
        case Element::u32:
            return store_as<std::uint32_t>(x, step, count, to);
        case Element::i16:
        case Element::u16:
            return store_as<std::uint16_t>(x, step, count, to);
        case Element::i8:
        case Element::u8:
            return store_as<std::uint8_t>(x, step, count, to);
        case Element::b8:
            return store_as<bool>(x, step, count, to);
        default:
            return;
    }
}

/// visit(number) with a 0 of the type that these elements are computed with in.
template <class Visit>
MOTE_ALWAYS_INLINE void with_numbers(Element element, Visit&& visit) noexcept {
    if (holds_reals(element)) return visit(double{});
    if (element == Element::u64) return visit(std::uint64_t{});
    visit(std::int64_t{});
}

/// The same numbers as other elements.
inline void cast_numbers(Element from, Element to, std::ptrdiff_t count, const void* input, void* output) noexcept {
    with_numbers(from, [&](auto zero) {
        decltype(zero) run[number_run];
        for (std::ptrdiff_t at = 0; at < count; at += number_run) {
            const std::ptrdiff_t length = count - at < number_run ? count - at : number_run;
            load_numbers(from, input, at, 1, length, run);
            store_numbers(to, run, at, 1, length, output);
        }
    });
}

/// x^y of integers; what is no integer is cut towards zero.
template <class Integer>
Integer integer_power(Integer x, Integer y) noexcept {
    if (y < 0) return x == 1 ? x : x == static_cast<Integer>(-1) ? ((y & 1) != 0 ? x : Integer(1)) : Integer(0);
    std::uint64_t power = static_cast<std::uint64_t>(x), result = 1;
    for (auto rest = static_cast<std::uint64_t>(y); rest != 0; rest >>= 1, power *= power) {
        if ((rest & 1) != 0) result *= power;
    }
    return static_cast<Integer>(result);
}

/// A function of integers, whose 64 bits wrap. What is divided by 0 is 0.
template <class Integer>
[[gnu::noinline]] Integer integer_value(BinaryFunction function, Integer x, Integer y) noexcept {
    const auto a = static_cast<std::uint64_t>(x), b = static_cast<std::uint64_t>(y);
    const bool minus_one = Integer(-1) < Integer(0) && y == static_cast<Integer>(-1);
    switch (function) {
        case BinaryFunction::add:
            return static_cast<Integer>(a + b);
        case BinaryFunction::sub:
            return static_cast<Integer>(a - b);
        case BinaryFunction::mul:
            return static_cast<Integer>(a * b);
        case BinaryFunction::pow:
            return integer_power(x, y);
        case BinaryFunction::max:
            return x > y ? x : y;
        case BinaryFunction::min:
            return x < y ? x : y;
        case BinaryFunction::prelu:
            return x > 0 ? x : static_cast<Integer>(a * b);
        case BinaryFunction::squared_difference:
            return static_cast<Integer>((a - b) * (a - b));
        default:
            break;
    }
    if (y == 0) return 0;
    const Integer quotient = minus_one ? static_cast<Integer>(0 - a) : static_cast<Integer>(x / y);
    const Integer rest = minus_one ? Integer(0) : static_cast<Integer>(x % y);
    const bool below = rest != 0 && (rest < 0) != (y < 0);
    if (function == BinaryFunction::div) return quotient;
    if (function == BinaryFunction::floor_div) return below ? quotient - 1 : quotient;
    return function == BinaryFunction::floor_mod && below ? rest + y : rest;
}
MOTE_ALWAYS_INLINE double number_value(BinaryFunction function, double x, double y) noexcept {
    return binary_value(function, x, y);
}
template <class Integer>
MOTE_ALWAYS_INLINE Integer number_value(BinaryFunction function, Integer x, Integer y) noexcept {
    return integer_value(function, x, y);
}

template <class Number>
MOTE_ALWAYS_INLINE bool compared(Comparison comparison, Number x, Number y) noexcept {
    switch (comparison) {
        case Comparison::equal:
            return x == y;
        case Comparison::less:
            return x < y;
        case Comparison::less_or_equal:
            return x <= y;
        case Comparison::greater:
            return x > y;
        case Comparison::greater_or_equal:
            return x >= y;
    }
    return false;
}

/// Numbers of which nothing is shifted to the right but what their element holds.
template <class Integer>
MOTE_ALWAYS_INLINE Integer bits_of(BitOperation operation, Integer x, Integer y) noexcept {
    const bool far = y < 0 || y > 63;
    switch (operation) {
        case BitOperation::both:
            return x & y;
        case BitOperation::either:
            return x | y;
        case BitOperation::one:
            return x ^ y;
        case BitOperation::shift_left:
            return far ? Integer(0) : static_cast<Integer>(static_cast<std::uint64_t>(x) << y);
        case BitOperation::shift_right:
            return far ? (x < 0 ? static_cast<Integer>(-1) : Integer(0)) : static_cast<Integer>(x >> y);
    }
    return x;
}

/// output = value(x, y) of two arrays that broadcast, of `from` elements, as `to` elements. The output may be an input that
/// does not repeat, where its elements are as wide.
template <class Number, class Value>
MOTE_ALWAYS_INLINE void broadcast_numbers(const BroadcastGeometry& g, Element from, Element to, const void* a, const void* b,
                                          void* output, Value value) noexcept {
    const std::int32_t last = g.rank - 1;
    const std::ptrdiff_t count = g.rank > 0 ? g.extent[last] : 1;
    const std::ptrdiff_t a_step = g.rank > 0 ? g.a_stride[last] : 0, b_step = g.rank > 0 ? g.b_stride[last] : 0;
    std::ptrdiff_t rows = 1;
    for (std::int32_t axis = 0; axis < last; ++axis) rows *= g.extent[axis];
    Number x[number_run], y[number_run];
    for (std::ptrdiff_t row = 0; row < rows; ++row) {
        std::ptrdiff_t i = 0, j = 0, rest = row;
        for (std::int32_t axis = last - 1; axis >= 0; --axis) {
            i += rest % g.extent[axis] * g.a_stride[axis];
            j += rest % g.extent[axis] * g.b_stride[axis];
            rest /= g.extent[axis];
        }
        for (std::ptrdiff_t at = 0; at < count; at += number_run) {
            const std::ptrdiff_t length = count - at < number_run ? count - at : number_run;
            load_numbers(from, a, i + at * a_step, a_step, length, x);
            load_numbers(from, b, j + at * b_step, b_step, length, y);
            for (std::ptrdiff_t k = 0; k < length; ++k) x[k] = static_cast<Number>(value(x[k], y[k]));
            store_numbers(to, x, row * count + at, 1, length, output);
        }
    }
}

inline void binary_numbers(BinaryFunction function, Element element, const BroadcastGeometry& g, const void* a, const void* b,
                           void* output) noexcept {
    with_numbers(element, [&](auto zero) {
        using Number = decltype(zero);
        broadcast_numbers<Number>(g, element, element, a, b, output,
                                  [&](Number x, Number y) { return number_value(function, x, y); });
    });
}

/// The output holds truth values.
inline void compare_numbers(Comparison comparison, Element element, const BroadcastGeometry& g, const void* a, const void* b,
                            void* output) noexcept {
    with_numbers(element, [&](auto zero) {
        using Number = decltype(zero);
        broadcast_numbers<Number>(g, element, Element::b8, a, b, output,
                                  [&](Number x, Number y) { return compared(comparison, x, y); });
    });
}

/// Of integers and truth values.
inline void bit_numbers(BitOperation operation, Element element, const BroadcastGeometry& g, const void* a, const void* b,
                        void* output) noexcept {
    if (element == Element::u64) {
        return broadcast_numbers<std::uint64_t>(g, element, element, a, b, output,
                                                [&](std::uint64_t x, std::uint64_t y) { return bits_of(operation, x, y); });
    }
    broadcast_numbers<std::int64_t>(g, element, element, a, b, output,
                                    [&](std::int64_t x, std::int64_t y) { return bits_of(operation, x, y); });
}

/// a's element where the condition holds, else b's.
inline void select(const SelectGeometry& g, std::size_t element_bytes, const std::uint8_t* condition, const void* a,
                   const void* b, void* output) noexcept {
    const auto size = static_cast<std::ptrdiff_t>(element_bytes);
    std::ptrdiff_t count = 1;
    for (std::int32_t axis = 0; axis < g.rank; ++axis) count *= g.extent[axis];
    for (std::ptrdiff_t at = 0; at < count; ++at) {
        std::ptrdiff_t c = 0, i = 0, j = 0, rest = at;
        for (std::int32_t axis = g.rank - 1; axis >= 0; --axis) {
            const std::ptrdiff_t index = rest % g.extent[axis];
            rest /= g.extent[axis];
            c += index * g.condition_stride[axis];
            i += index * g.a_stride[axis];
            j += index * g.b_stride[axis];
        }
        const char* from = condition[c] != 0 ? static_cast<const char*>(a) + i * size : static_cast<const char*>(b) + j * size;
        __builtin_memcpy(static_cast<char*>(output) + at * size, from, element_bytes);
    }
}

}  // namespace reference

MOTE_END_KERNELS
