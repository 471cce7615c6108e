// SPDX-License-Identifier: MIT
#pragma once
// convert<To>(tensor): the same numbers in another element; and reading and writing single elements, packed ones too.

#include <mote/tensor/tensor.hpp>

#include <limits>

MOTE_BEGIN_NAMESPACE

namespace detail {

inline bool is_nan(double value) noexcept {  // by bits: -ffast-math removes value != value
    std::uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return (bits & 0x7fffffffffffffffu) > 0x7ff0000000000000u;
}

/// The nearest integer, ties to even; saturates; 0 for a NaN.
inline std::int64_t round_to_i64(double value) noexcept {
    constexpr double limit = 9223372036854775808.0;  // 2^63
    if (is_nan(value)) return 0;
    if (value >= limit) return std::numeric_limits<std::int64_t>::max();
    if (value < -limit) return std::numeric_limits<std::int64_t>::min();
    const auto whole = static_cast<std::int64_t>(value);
    const double rest = value - static_cast<double>(whole);  // exact, of value's sign
    if (rest > 0.5 || (rest == 0.5 && (whole & 1) != 0)) return whole + 1;
    if (rest < -0.5 || (rest == -0.5 && (whole & 1) != 0)) return whole - 1;
    return whole;
}

/// The nearest double, but an inexact one gets an odd last bit: a second rounding, to a format at least two bits
/// shorter, is then right (Boldo and Melquiond 2008, "Emulation of FMA and correctly rounded sums", section 3).
inline double to_odd_double(std::int64_t value) noexcept {
    std::uint64_t magnitude =
        value < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    std::uint64_t sticky = 0;
    int shift = 0;
    while (magnitude >> 53 != 0) {
        sticky |= magnitude & 1u;
        magnitude >>= 1;
        ++shift;
    }
    double result = static_cast<double>(static_cast<std::int64_t>(magnitude | sticky));
    for (; shift > 0; --shift) result *= 2.0;
    return value < 0 ? -result : result;
}

/// The nearest float, but an inexact one gets an odd last bit.
inline float to_odd_float(double value) noexcept {
    std::uint64_t from;
    std::memcpy(&from, &value, sizeof from);
    const std::uint32_t sign = static_cast<std::uint32_t>(from >> 32) & 0x80000000u;
    const std::uint64_t magnitude = from & 0x7fffffffffffffffu;
    std::uint32_t bits = 0;
    if (magnitude >= 0x47f0000000000000u) {  // 2^128 and beyond, infinity, NaN
        const bool beyond = magnitude < 0x7ff0000000000000u;
        bits = beyond ? 0x7f7fffffu : magnitude == 0x7ff0000000000000u ? 0x7f800000u : 0x7fc00000u;
    } else if (magnitude >= 0x3810000000000000u) {  // a normal float: the exponent's bias changes from 1023 to 127
        const std::uint64_t rebiased = magnitude - (std::uint64_t{1023 - 127} << 52);
        bits = static_cast<std::uint32_t>(rebiased >> 29) | ((rebiased & 0x1fffffffu) != 0 ? 1u : 0u);
    } else if (magnitude != 0) {  // a subnormal float, counted in 2^-149
        const std::uint64_t exponent = magnitude >> 52;
        const std::uint64_t fraction = (magnitude & 0xfffffffffffffu) | (exponent != 0 ? 0x10000000000000u : 0u);
        const std::uint64_t drop = 1023 - 149 + 52 - (exponent != 0 ? exponent : 1);
        bits = drop > 52 ? 1u : static_cast<std::uint32_t>(fraction >> drop);
        if (drop <= 52 && (fraction & ((std::uint64_t{1} << drop) - 1)) != 0) bits |= 1u;
    }
    bits |= sign;
    float result;
    std::memcpy(&result, &bits, sizeof result);
    return result;
}

template <class P>
inline constexpr bool is_16_bit_float = std::is_same_v<P, f16> || std::is_same_v<P, bf16>;
template <class P>
inline constexpr bool is_float = std::is_same_v<P, f64> || std::is_same_v<P, f32> || is_16_bit_float<P>;

/// What an element is computed with: itself, float for the 16-bit floats, int8 for i4.
template <class P>
struct number_of {
    using type = typename P::value_type;
};
template <>
struct number_of<f16> {
    using type = float;
};
template <>
struct number_of<bf16> {
    using type = float;
};
template <>
struct number_of<i4> {
    using type = std::int8_t;
};

/// One number of element tag From as a number of element tag To.
template <class To, class From>
typename number_of<To>::type convert_number(typename number_of<From>::type value) noexcept {
    using Result = typename number_of<To>::type;
    if constexpr (std::is_same_v<To, From>) {
        return value;
    } else if constexpr (std::is_same_v<To, b8>) {
        if constexpr (is_float<From>) {
            return is_nan(static_cast<double>(value)) || value != 0;
        } else {
            return value != 0;
        }
    } else if constexpr (is_16_bit_float<To>) {
        float odd = 0.0f;
        if constexpr (std::is_same_v<From, f64>) {
            odd = to_odd_float(value);
        } else if constexpr (is_float<From>) {
            odd = value;
        } else {
            odd = to_odd_float(to_odd_double(value));
        }
        if constexpr (std::is_same_v<To, f16>) {
            return to_float(to_half(odd));
        } else {
            return to_float(to_bfloat(odd));
        }
    } else if constexpr (is_float<To>) {
        return static_cast<Result>(value);
    } else {
        constexpr std::int64_t lowest = std::is_same_v<To, i4> ? -8 : std::int64_t{std::numeric_limits<Result>::min()};
        constexpr std::int64_t highest = std::is_same_v<To, i4> ? 7 : std::int64_t{std::numeric_limits<Result>::max()};
        std::int64_t whole = 0;
        if constexpr (is_float<From>) {
            whole = round_to_i64(static_cast<double>(value));
        } else {
            whole = value;
        }
        return static_cast<Result>(whole < lowest ? lowest : whole > highest ? highest : whole);
    }
}

}  // namespace detail

/// Element `index` as a number: float for f16 and bf16, [-8, 7] for i4, else the element itself. `index` lies below
/// elements().
template <class P>
typename detail::number_of<P>::type get(const Tensor<P>& tensor, std::size_t index) noexcept {
    if constexpr (std::is_same_v<P, i4>) {
        const int nibble = (tensor[index / 2] >> (index % 2 * 4)) & 15;
        return static_cast<std::int8_t>((nibble ^ 8) - 8);
    } else if constexpr (detail::is_16_bit_float<P>) {
        return to_float(tensor[index]);
    } else if constexpr (std::is_same_v<P, b8>) {
        return reinterpret_cast<const unsigned char*>(tensor.data())[index] != 0;  // borrowed bytes may be neither 0 nor 1
    } else {
        return tensor[index];
    }
}

/// Writes element `index`, which lies below elements(); an i4 keeps the lower four bits. Throws on borrowed memory.
template <class P>
void set(Tensor<P>& tensor, std::size_t index, typename detail::number_of<P>::type value) {
    if constexpr (std::is_same_v<P, i4>) {
        const int shift = static_cast<int>(index % 2 * 4);
        std::uint8_t& byte = tensor[index / 2];
        byte = static_cast<std::uint8_t>((byte & (0xf0 >> shift)) | ((value & 15) << shift));
    } else if constexpr (std::is_same_v<P, f16>) {
        tensor[index] = to_half(value);
    } else if constexpr (std::is_same_v<P, bf16>) {
        tensor[index] = to_bfloat(value);
    } else {
        tensor[index] = value;
    }
}

/// The tensor's numbers in element To, rounded once, to nearest with ties to even. Integers saturate, and a NaN becomes
/// 0 in them; a truth value is "not zero" (a NaN is true), and as a number 0 or 1. What is stored is converted, not what
/// it stands for: an integer tensor keeps its quantization in another integer element, and in no other.
template <class To, class From>
Tensor<To> convert(const Tensor<From>& tensor) {
    Tensor<To> result(tensor.shape());
    const std::size_t count = tensor.elements();
    for (std::size_t i = 0; i < count; ++i) set(result, i, detail::convert_number<To, From>(get(tensor, i)));
    constexpr bool integers =
        !detail::is_float<To> && !detail::is_float<From> && !std::is_same_v<To, b8> && !std::is_same_v<From, b8>;
    if constexpr (integers || std::is_same_v<To, From>) result.set_quantization(tensor.quantization());
    return result;
}

MOTE_END_NAMESPACE
