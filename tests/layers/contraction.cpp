// SPDX-License-Identifier: MIT
// Conv2d, DepthwiseConv2d, TransposeConv2d, Dense and MatMul: their fields.

#include <mote/layers/contraction.hpp>

#include <layers/change.hpp>
#include <support/catch.hpp>

namespace contraction_layers_test {

using namespace mote;

template <class L>
void check(const char* kind) {
    CHECK(std::string(L::kind) == kind);
    CHECK(L::family == Family::contraction);
    CHECK(layer_change::unseen_changes(L{}).empty());
    CHECK(layer_change::bytes_of_fields<L>() == sizeof(L));
    const auto weight = layer_change::field<L>(0);
    CHECK(weight.role == Role::weight);
    CHECK(weight.output_axis == 0);
    const auto bias = layer_change::field<L>(1);
    CHECK(bias.role == Role::bias);
    CHECK(bias.output_axis == 0);
}

}  // namespace contraction_layers_test

TEST_CASE("contraction layers: every member is a field, and equality sees a change of each") {
    using namespace contraction_layers_test;
    check<Conv2d<f32>>("Conv2d");
    check<Conv2d<i8>>("Conv2d");
    check<DepthwiseConv2d<f32>>("DepthwiseConv2d");
    check<DepthwiseConv2d<i8>>("DepthwiseConv2d");
    check<TransposeConv2d<f32>>("TransposeConv2d");
    check<TransposeConv2d<i8>>("TransposeConv2d");
    check<Dense<f32>>("Dense");
    check<Dense<i8>>("Dense");
    check<Dense<w4a8>>("Dense");
    check<Conv2d<w8a16>>("Conv2d");
    CHECK(layer_change::unseen_changes(MatMul{}).empty());
    CHECK(layer_change::bytes_of_fields<MatMul>() == sizeof(MatMul));
}

TEST_CASE("contraction layers: the precision tag names the elements of weight and bias") {
    using namespace contraction_layers_test;
    STATIC_REQUIRE(std::is_same_v<decltype(Conv2d<i8>::weight), Tensor<i8>>);
    STATIC_REQUIRE(std::is_same_v<decltype(Conv2d<i8>::bias), Tensor<i32>>);
    STATIC_REQUIRE(std::is_same_v<decltype(Dense<w4a8>::weight), Tensor<i4>>);
    STATIC_REQUIRE(std::is_same_v<decltype(Dense<w8a16>::bias), Tensor<i64>>);
}

TEST_CASE("contraction layers: the input axis of a convolution is its last, a depthwise one has none") {
    using namespace contraction_layers_test;
    CHECK(layer_change::field<Conv2d<f32>>(0).input_axis == 3);
    CHECK(layer_change::field<TransposeConv2d<f32>>(0).input_axis == 3);
    CHECK(layer_change::field<DepthwiseConv2d<f32>>(0).input_axis == no_axis);
    CHECK(layer_change::field<Dense<f32>>(0).input_axis == 1);
}
