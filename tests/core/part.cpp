// SPDX-License-Identifier: MIT
// Part and IndexRange: plain data that kernels of several instruction sets share.

#include <mote/core/part.hpp>

#include <support/catch.hpp>

#include <type_traits>

TEST_CASE("part: the default is the whole, and the types are plain data") {
    CHECK(mote::Part{}.index == 0);
    CHECK(mote::Part{}.count == 1);
    CHECK(mote::IndexRange{}.begin == mote::IndexRange{}.end);
    CHECK(std::is_aggregate_v<mote::Part>);
    CHECK(std::is_trivially_copyable_v<mote::Part>);
    CHECK(std::is_trivially_copyable_v<mote::IndexRange>);
}
