// SPDX-License-Identifier: MIT
// Concat, Pad, Reshape, Flatten, Transpose: their fields.

#include <mote/layers/movement.hpp>

#include <layers/change.hpp>
#include <support/catch.hpp>

namespace movement_layers_test {

template <class L>
void check(const char* kind) {
    CHECK(std::string(L::kind) == kind);
    CHECK(L::family == mote::Family::movement);
    CHECK(layer_change::unseen_changes(L{}).empty());
    CHECK(layer_change::bytes_of_fields<L>() == sizeof(L));
}

}  // namespace movement_layers_test

TEST_CASE("movement layers: every member is a field, and equality sees a change of each") {
    using namespace movement_layers_test;
    check<mote::Concat>("Concat");
    check<mote::Pad>("Pad");
    check<mote::Reshape>("Reshape");
    check<mote::Flatten>("Flatten");
    check<mote::Transpose>("Transpose");
}

TEST_CASE("movement layers: Concat joins channels unless told otherwise") {
    CHECK(mote::Concat{}.axis == -1);
    CHECK(mote::equal(mote::Concat{-1}, mote::Concat{}));
}
