// SPDX-License-Identifier: MIT
// Reductions, pooling, resizing and softmax: their fields.

#include <mote/layers/reduction.hpp>

#include <layers/change.hpp>
#include <support/catch.hpp>

namespace reduction_layers_test {

template <class L>
void check(const char* kind) {
    CHECK(std::string(L::kind) == kind);
    CHECK(L::family == mote::Family::reduction);
    CHECK(layer_change::unseen_changes(L{}).empty());
    CHECK(layer_change::bytes_of_fields<L>() == sizeof(L));
}

}  // namespace reduction_layers_test

TEST_CASE("reduction layers: every member is a field, and equality sees a change of each") {
    using namespace reduction_layers_test;
    check<mote::Reduce>("Reduce");
    check<mote::ArgMax>("ArgMax");
    check<mote::MaxPool2d>("MaxPool2d");
    check<mote::ArgMaxPool>("ArgMaxPool");
    check<mote::AveragePool2d>("AveragePool2d");
    check<mote::GlobalAveragePool>("GlobalAveragePool");
    check<mote::Resize2d>("Resize2d");
    check<mote::Softmax>("Softmax");
}

TEST_CASE("reduction layers: padding does not count in a mean unless told so") {
    CHECK_FALSE(mote::AveragePool2d{}.count_padding);
}
