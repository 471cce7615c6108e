// SPDX-License-Identifier: MIT
#pragma once
// share: which of a number of things a part computes.

#include <mote/core/part.hpp>
#include <mote/simd/instruction_set.hpp>

MOTE_BEGIN_KERNELS

/// The share of 0 ... n that a part computes, in multiples of `unit`.
constexpr IndexRange share(std::ptrdiff_t n, Part part, std::ptrdiff_t unit = 1) noexcept {
    if (part.count == 1) return {0, n};
    const std::ptrdiff_t units = (n + unit - 1) / unit;
    const std::ptrdiff_t begin = units * part.index / part.count * unit, end = units * (part.index + 1) / part.count * unit;
    return {begin < n ? begin : n, end < n ? end : n};
}

MOTE_END_KERNELS
