// SPDX-License-Identifier: MIT
#pragma once
// Part: one of several shares of a step's work, which threads compute at the same time.

#include <mote/core/config.hpp>

#include <cstddef>
#include <cstdint>

MOTE_BEGIN_NAMESPACE

/// Share `index` of `count`. Plain data: kernels of several instruction sets share it.
struct Part {
    std::int32_t index = 0;
    std::int32_t count = 1;
};

/// Elements begin <= i < end.
struct IndexRange {
    std::ptrdiff_t begin = 0;
    std::ptrdiff_t end = 0;
};

MOTE_END_NAMESPACE
