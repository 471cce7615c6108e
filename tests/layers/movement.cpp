// SPDX-License-Identifier: MIT
// The movement layers: their fields; constants.

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
    check<mote::Slice>("Slice");
    check<mote::Gather>("Gather");
    check<mote::Tile>("Tile");
    check<mote::Constant>("Constant");
}

TEST_CASE("movement layers: a constant holds a tensor's elements, shape and quantization, whatever they are") {
    using namespace mote;
    Tensor<i8> bytes(Shape{2, 3}, {1, -2, 3, -4, 5, -128});
    bytes.set_quantization(QuantizationParams{0.5f, 7});
    const Constant layer = constant_of(bytes);
    CHECK(layer.element == Element::i8);
    CHECK(layer.shape == std::vector<std::size_t>{2, 3});
    CHECK(layer.bytes.quantization() == bytes.quantization());
    REQUIRE(layer.bytes.elements() == 6);
    CHECK((layer.bytes[0] == 1 && layer.bytes[5] == 0x80));
    CHECK(constant_of(Tensor<i64>(Shape{}, {9})).bytes.elements() == 8);
    CHECK_FALSE(equal(layer, constant_of(Tensor<i8>(Shape{2, 3}, {1, -2, 3, -4, 5, -128}))));
}

TEST_CASE("movement layers: Concat joins channels unless told otherwise") {
    CHECK(mote::Concat{}.axis == -1);
    CHECK(mote::equal(mote::Concat{-1}, mote::Concat{}));
}
