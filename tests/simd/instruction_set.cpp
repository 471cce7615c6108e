// SPDX-License-Identifier: MIT
// The name of the unit's instruction set, and that its kernels stand in a namespace of that name.

#include <mote/kernels/native.hpp>

#include <support/catch.hpp>

#include <string>
#include <type_traits>

MOTE_BEGIN_KERNELS
struct InThisSet {};
MOTE_END_KERNELS

TEST_CASE("instruction set: kernels stand in the inline namespace of its name, and native_kernels() tells it") {
    CHECK(std::is_same_v<mote::kernels::InThisSet, mote::kernels::MOTE_INSTRUCTION_SET::InThisSet>);
    CHECK(std::string(mote::instruction_set()) == MOTE_INSTRUCTION_SET_NAME);
    CHECK(std::string(mote::scalar_kernels().instruction_set) == "scalar");
#if defined(MOTE_SCALAR)
    CHECK(std::string(mote::instruction_set()) == "scalar");
#endif
}
