// SPDX-License-Identifier: MIT
// gradient: activations, functions, Add and Mul against finite differences.

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

/// The function of scale * x + shift, x from -4 to 7, added to x so that a derivative of 0 is seen too.
void check_function(mote::UnaryFunction function, float scale = 1.0f, float shift = 0.0f, float alpha = 0.0f,
                    float beta = 0.0f) {
    CAPTURE(static_cast<int>(function));
    Builder b;
    const Handle x = offset_input(b, b.input("x", {1, 3, 5, 7}));
    const Handle y =
        b.add(mote::Unary{function, alpha, beta}, b.add(mote::Unary{mote::UnaryFunction::linear, scale, shift}, x));
    b.output("y", b.add(mote::Add{}, {x, y}));
    check(b.build(), 3, 2, 1);
}

/// Of two trained values of these shapes, made of all of x or of its means: whole numbers and such with a half nearly, so that
/// none lies near a kink or a step.
void check_pair(mote::BinaryFunction function, const mote::Shape& first, const mote::Shape& second) {
    CAPTURE(static_cast<int>(function));
    using F = mote::UnaryFunction;
    Builder b;
    const Handle x = b.input("x", {1, 3, 4, 5});
    const auto branch = [&](const mote::Shape& shape, float scale, float shift, float rest) {
        const Handle from = shape == mote::Shape{1, 3, 4, 5} ? x : b.add(mote::GlobalAveragePool{}, x);
        const Handle whole = b.add(mote::Unary{F::round}, b.add(mote::Unary{F::linear, scale, shift}, from));
        return offset_input(b, b.add(mote::Unary{F::linear, 1.0f, rest}, whole));
    };
    const bool prelu = function == mote::BinaryFunction::prelu;  // sees both signs, or the lower
    const Handle left = prelu ? branch(first, -0.6f, 0.0f, 0.3f) : branch(first, 0.3f, 2.6f, 0.0f);
    b.output("y", b.add(mote::Flatten{}, b.add(mote::Binary{function}, {left, branch(second, 0.2f, 1.7f, 0.45f)})));
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

TEST_CASE("gradient: every function of one value agrees with finite differences") {
    using namespace elementwise_gradient_test;
    using F = mote::UnaryFunction;
    for (const F f : {F::abs, F::asinh, F::atan, F::erf, F::gelu, F::gelu_tanh, F::mish, F::sin, F::cos, F::sign, F::softplus,
                      F::softsign, F::square}) {
        check_function(f);
    }
    for (const F f : {F::acos, F::asin, F::atanh, F::tan}) check_function(f, 0.1f, -0.15f);
    for (const F f : {F::acosh, F::log, F::reciprocal, F::rsqrt, F::sqrt}) check_function(f, 0.3f, 2.5f);
    for (const F f : {F::cosh, F::exp, F::sinh}) check_function(f, 0.4f);
    for (const F f : {F::ceil, F::floor, F::round}) check_function(f, 0.1f, 0.45f);
    check_function(F::celu, 1.0f, 0.0f, 0.8f);
    check_function(F::elu, 1.0f, 0.0f, 0.8f);
    check_function(F::selu, 1.0f, 0.0f, 1.6f, 1.1f);
    check_function(F::clip, 1.0f, 0.0f, -3.0f, 6.0f);
    check_function(F::linear, 1.0f, 0.0f, -0.6f, 0.2f);
    check_function(F::shrink, 1.0f, 0.0f, 3.0f, 0.5f);
    check_function(F::thresholded_relu, 1.0f, 0.0f, 3.0f);
}

TEST_CASE("gradient: every function of two values, alike or repeated on either side") {
    using namespace elementwise_gradient_test;
    for (std::size_t i = 0; i < mote::binary_functions; ++i) {
        const auto function = static_cast<mote::BinaryFunction>(i);
        if (function == mote::BinaryFunction::floor_div) continue;  // has none
        check_pair(function, {1, 3, 4, 5}, {1, 3, 4, 5});
        check_pair(function, {1, 3, 4, 5}, {1, 1, 1, 5});
        check_pair(function, {1, 1, 1, 5}, {1, 3, 4, 5});
    }
}
