// SPDX-License-Identifier: MIT
// gradient: activations, Add and Mul against finite differences.

#include <mote/train/gradient/elementwise.hpp>

#include "check.hpp"

namespace elementwise_gradient_test {

using namespace gradient_check;

template <class L>
void check_activation(L layer) {
    CAPTURE(L::kind);
    Builder b;
    const Handle x = offset_input(b, b.input("x", {1, 3, 5, 7}));
    b.output("y", b.add(std::move(layer), x));
    check(b.build(), 3, 2, 1);
}

}  // namespace elementwise_gradient_test

TEST_CASE("gradient: activations agree with finite differences") {
    using namespace elementwise_gradient_test;
    check_activation(mote::Relu{});
    check_activation(mote::Relu6{});
    check_activation(mote::LeakyRelu{.slope = 0.2f});
    check_activation(mote::Sigmoid{});
    check_activation(mote::Tanh{});
    check_activation(mote::HardSigmoid{});
    check_activation(mote::HardSwish{});
    check_activation(mote::Prelu{mote::Tensor<mote::f32>(mote::Shape{7}, {0.1f, -0.2f, 0.3f, 0.0f, 0.5f, 1.0f, -1.0f})});
}

TEST_CASE("gradient: Add and Mul of two branches, of one value with itself, and broadcast over positions") {
    using namespace elementwise_gradient_test;
    Builder b;
    const Handle x = b.input("x", {1, 2, 3, 4});
    const Handle left = offset_input(b, x);
    const Handle right = offset_input(b, x);
    const Handle twice = b.add(mote::Add{}, {left, left});
    const Handle square = b.add(mote::Mul{}, {right, right});
    const Handle scale = b.add(mote::GlobalAveragePool{}, right);
    const Handle scaled = b.add(mote::Mul{}, {twice, scale});
    b.output("y", b.add(mote::Mul{}, {b.add(mote::Add{}, {scaled, square}), b.add(mote::Sigmoid{}, left)}));
    check(b.build(), 5, 3, 2);
}

TEST_CASE("gradient: Mul by a gate of two axes, [batch, channels]") {
    using namespace elementwise_gradient_test;
    Builder b;
    const Handle x = b.input("x", {1, 2, 3, 4});
    const Handle image = offset_input(b, x);
    const Handle gate = b.add(mote::Flatten{}, b.add(mote::GlobalAveragePool{}, offset_input(b, x)));
    REQUIRE(b.shape(gate) == mote::Shape{1, 4});
    b.output("y", b.add(mote::Tanh{}, b.add(mote::Mul{}, {image, gate})));
    check(b.build(), 5, 2, 3);
}
