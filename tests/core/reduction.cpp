// SPDX-License-Identifier: MIT
// Reductions: how many there are.

#include <mote/core/reduction.hpp>

#include <support/catch.hpp>

TEST_CASE("reduction: the count is that of the functions") {
    CHECK(static_cast<int>(mote::Reduction::sum_square) + 1 == mote::reduction_count);
}
