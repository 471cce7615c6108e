// SPDX-License-Identifier: MIT
#pragma once
// The 16-bit floating-point elements: IEEE 754 binary16 (`half`) and the upper half of binary32 (`bfloat`).

#include <mote/core/config.hpp>

#include <cstdint>
#include <cstring>
#include <type_traits>

MOTE_BEGIN_NAMESPACE

struct half {
    std::uint16_t bits = 0;
    friend constexpr bool operator==(half a, half b) noexcept { return a.bits == b.bits; }
    friend constexpr bool operator!=(half a, half b) noexcept { return a.bits != b.bits; }
};

struct bfloat {
    std::uint16_t bits = 0;
    friend constexpr bool operator==(bfloat a, bfloat b) noexcept { return a.bits == b.bits; }
    friend constexpr bool operator!=(bfloat a, bfloat b) noexcept { return a.bits != b.bits; }
};

/// Exact.
MOTE_ALWAYS_INLINE float to_float(bfloat value) noexcept {
    const std::uint32_t bits = static_cast<std::uint32_t>(value.bits) << 16;
    float result;
    std::memcpy(&result, &bits, sizeof result);
    return result;
}

/// Rounds to nearest even; a NaN stays a (quiet) NaN.
MOTE_ALWAYS_INLINE bfloat to_bfloat(float value) noexcept {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return {static_cast<std::uint16_t>((bits >> 16) | 0x40u)};
    bits += 0x7fffu + ((bits >> 16) & 1u);
    return {static_cast<std::uint16_t>(bits >> 16)};
}

/// Exact. (IEEE 754-2008, 3.4: exponent bias 15, ten fraction bits.)
MOTE_ALWAYS_INLINE float to_float(half value) noexcept {
    const std::uint32_t sign = static_cast<std::uint32_t>(value.bits & 0x8000u) << 16;
    std::uint32_t exponent = (value.bits >> 10) & 0x1fu;
    std::uint32_t fraction = value.bits & 0x3ffu;
    std::uint32_t bits;
    if (exponent == 31) {
        bits = sign | 0x7f800000u | (fraction << 13);
    } else if (exponent != 0) {
        bits = sign | ((exponent + 112) << 23) | (fraction << 13);
    } else if (fraction == 0) {
        bits = sign;
    } else {  // subnormal: shift until the hidden bit appears
        exponent = 113;
        while ((fraction & 0x400u) == 0) {
            fraction <<= 1;
            --exponent;
        }
        bits = sign | (exponent << 23) | ((fraction & 0x3ffu) << 13);
    }
    float result;
    std::memcpy(&result, &bits, sizeof result);
    return result;
}

/// Rounds to nearest even; beyond 65504 becomes infinite; a NaN stays a (quiet) NaN.
MOTE_ALWAYS_INLINE half to_half(float value) noexcept {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    const std::uint32_t sign = (bits >> 16) & 0x8000u;
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return {static_cast<std::uint16_t>(sign | 0x7e00u)};
    if (magnitude >= 0x477ff000u) return {static_cast<std::uint16_t>(sign | 0x7c00u)};
    if (magnitude < 0x33000001u) return {static_cast<std::uint16_t>(sign)};  // at most half of the least subnormal
    std::uint32_t fraction = (magnitude & 0x7fffffu) | 0x800000u;
    const std::uint32_t exponent = magnitude >> 23;
    std::uint32_t drop = 13;  // fraction bits that do not fit
    std::uint32_t result = 0;
    if (exponent < 113) {
        drop += 113 - exponent;  // subnormal: the hidden bit is stored
    } else {
        result = (exponent - 112) << 10;
        fraction &= 0x7fffffu;
    }
    const std::uint32_t kept = fraction >> drop;
    const std::uint32_t rest = fraction & ((1u << drop) - 1u);
    const std::uint32_t middle = 1u << (drop - 1);
    result += kept;
    if (rest > middle || (rest == middle && (result & 1u) != 0)) ++result;  // may carry into the exponent: still right
    return {static_cast<std::uint16_t>(sign | result)};
}

// For templates on float, half and bfloat.
MOTE_ALWAYS_INLINE float to_float(float value) noexcept {
    return value;
}
template <class T>
MOTE_ALWAYS_INLINE T from_float(float value) noexcept {
    if constexpr (std::is_same_v<T, half>) {
        return to_half(value);
    } else if constexpr (std::is_same_v<T, bfloat>) {
        return to_bfloat(value);
    } else {
        return value;
    }
}

MOTE_END_NAMESPACE
