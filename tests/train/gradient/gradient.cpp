// SPDX-License-Identifier: MIT
// The table of what training calls: which layers are differentiable, and an application's own layer among them.

#include <mote/train/gradient/gradient.hpp>

#include "check.hpp"

TEST_CASE("gradient: every standard f32 layer but Convert is differentiable, and only BatchNorm couples a batch") {
    using namespace mote::detail;
    static_assert(Differentiable<mote::Conv2d<mote::f32>> && Differentiable<mote::DepthwiseConv2d<mote::f32>> &&
                  Differentiable<mote::Dense<mote::f32>> && Differentiable<mote::BatchNorm>);
    static_assert(Differentiable<mote::Add> && Differentiable<mote::Mul> && Differentiable<mote::Concat> &&
                  Differentiable<mote::Pad> && Differentiable<mote::MaxPool2d> && Differentiable<mote::AveragePool2d> &&
                  Differentiable<mote::GlobalAveragePool> && Differentiable<mote::Softmax>);
    static_assert(Differentiable<mote::Relu> && Differentiable<mote::Relu6> && Differentiable<mote::LeakyRelu> &&
                  Differentiable<mote::Sigmoid> && Differentiable<mote::Tanh> && Differentiable<mote::HardSigmoid> &&
                  Differentiable<mote::HardSwish> && Differentiable<mote::Reshape> && Differentiable<mote::Flatten> &&
                  Differentiable<mote::Transpose>);
    static_assert(!Differentiable<mote::Convert> && !Differentiable<mote::Conv2d<mote::i8>> &&
                  !Differentiable<mote::Dense<mote::i8>>);
    static_assert(CouplesBatch<mote::BatchNorm> && !CouplesBatch<mote::Conv2d<mote::f32>>);
    CHECK(training_verbs<mote::Relu>.gradient != nullptr);
    CHECK(training_verbs<mote::Convert>.gradient == nullptr);
    CHECK(training_verbs<gradient_check::Offset>.gradient != nullptr);
    CHECK(training_verbs<gradient_check::Offset>.batch_sums == nullptr);
}

TEST_CASE("gradient: an application's own layer in the middle of a network") {
    using namespace gradient_check;
    mote::Random random(1);
    Builder b;
    const Handle x = offset_input(b, b.input("x", {1, 6}));
    const Handle y = b.add(mote::Dense<mote::f32>{random_tensor({4, 6}, random), {}}, b.add(mote::Tanh{}, x));
    b.output("y", b.add(mote::Sigmoid{}, b.add(Offset{random_tensor({1, 4}, random)}, y)));
    check(b.build(), 5, 3, 1);
}
