// SPDX-License-Identifier: MIT
// gradient: Conv2d, DepthwiseConv2d, TransposeConv2d and Dense against finite differences on generated shapes.

#include <mote/train/gradient/contraction.hpp>

#include "check.hpp"

namespace contraction_gradient_test {

using namespace gradient_check;

std::size_t from_to(mote::Random& random, std::size_t least, std::size_t most) {
    return least + static_cast<std::size_t>(random.below(most - least + 1));
}

/// A window that fits the padded image.
template <class Layer>
void set_window(Layer& layer, mote::Random& random) {
    layer.stride = {from_to(random, 1, 3), from_to(random, 1, 2)};
    layer.dilation = {from_to(random, 1, 2), from_to(random, 1, 2)};
    layer.padding = {from_to(random, 0, 2), from_to(random, 0, 1), from_to(random, 0, 2), from_to(random, 0, 1)};
}

}  // namespace contraction_gradient_test

TEST_CASE("gradient: Conv2d with groups, strides, dilations and uneven padding") {
    using namespace contraction_gradient_test;
    for (std::uint64_t seed = 0; seed < 24; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed);
        const std::size_t groups = from_to(random, 1, 3);
        const std::size_t in = groups * from_to(random, 1, 3), out = groups * from_to(random, 1, 3);
        mote::Conv2d<mote::f32> conv;
        conv.groups = groups;
        conv.weight = random_tensor({out, from_to(random, 1, 3), from_to(random, 1, 3), in / groups}, random);
        if (seed % 2 == 0) conv.bias = random_tensor(mote::Shape{out}, random);
        set_window(conv, random);
        Builder b;
        const Handle x = offset_input(b, b.input("x", {1, from_to(random, 5, 7), from_to(random, 5, 7), in}));
        b.output("y", b.add(conv, x));
        check(b.build(), from_to(random, 1, 4), 2, seed);
    }
}

TEST_CASE("gradient: pointwise Conv2d, also where its input's gradient is added to another") {
    using namespace contraction_gradient_test;
    mote::Random random(7);
    Builder b;
    const Handle x = offset_input(b, b.input("x", {1, 3, 2, 5}));
    const mote::Conv2d<mote::f32> conv{.weight = random_tensor({5, 1, 1, 5}, random),
                                       .bias = random_tensor(mote::Shape{5}, random)};
    const mote::Conv2d<mote::f32> wide{.weight = random_tensor({5, 3, 3, 5}, random), .padding = mote::uniform_padding(1)};
    const Handle y = b.add(conv, x);
    b.output("y", b.add(mote::Add{}, {b.add(mote::Add{}, {x, y}), b.add(wide, x)}));
    check(b.build(), 3, 2, 7);
}

TEST_CASE("gradient: TransposeConv2d with groups, strides, dilations, rows cut off and rows added") {
    using namespace contraction_gradient_test;
    for (std::uint64_t seed = 0; seed < 16; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 2);
        const std::size_t groups = from_to(random, 1, 3);
        const std::size_t in = groups * from_to(random, 1, 2), out = groups * from_to(random, 1, 2);
        mote::TransposeConv2d<mote::f32> conv;
        conv.groups = groups;
        conv.weight = random_tensor({out, from_to(random, 1, 3), from_to(random, 1, 3), in / groups}, random);
        if (seed % 2 == 0) conv.bias = random_tensor(mote::Shape{out}, random);
        set_window(conv, random);
        conv.output_padding = {from_to(random, 0, 1), from_to(random, 0, 1)};
        Builder b;
        const Handle x = offset_input(b, b.input("x", {1, 5, 5, in}));
        b.output("y", b.add(mote::Tanh{}, b.add(conv, x)));
        check(b.build(), from_to(random, 1, 3), 2, seed);
    }
}

TEST_CASE("gradient: DepthwiseConv2d with a multiplier") {
    using namespace contraction_gradient_test;
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 1);
        const std::size_t in = from_to(random, 1, 9), multiplier = from_to(random, 1, 3);
        mote::DepthwiseConv2d<mote::f32> conv;
        conv.multiplier = multiplier;
        conv.weight = random_tensor({in * multiplier, from_to(random, 1, 3), from_to(random, 1, 3), 1}, random);
        if (seed % 2 == 0) conv.bias = random_tensor(mote::Shape{in * multiplier}, random);
        set_window(conv, random);
        Builder b;
        const Handle x = offset_input(b, b.input("x", {1, from_to(random, 5, 6), from_to(random, 5, 6), in}));
        b.output("y", b.add(conv, x));
        check(b.build(), from_to(random, 1, 3), 2, seed);
    }
}

TEST_CASE("gradient: Dense over the last axis, with and without bias") {
    using namespace contraction_gradient_test;
    mote::Random random(3);
    Builder b;
    const Handle x = offset_input(b, b.input("x", {1, 3, 7}));
    const Handle y = b.add(mote::Dense<mote::f32>{random_tensor({5, 7}, random), random_tensor(mote::Shape{5}, random)}, x);
    b.output("y", b.add(mote::Dense<mote::f32>{random_tensor({4, 5}, random), {}}, b.add(mote::Tanh{}, y)));
    check(b.build(), 5, 4, 3);
}

TEST_CASE("gradient: MatMul, each input transposed or not, and one matrix that meets several") {
    using namespace gradient_check;
    for (const bool a : {false, true}) {
        for (const bool b_turned : {false, true}) {
            CAPTURE(a, b_turned);
            Builder b;
            const Handle x = offset_input(b, b.input("x", {1, 2, 3, 3}));
            const Handle y = offset_input(b, b.add(mote::Tanh{}, b.add(mote::Reduce{mote::Reduction::mean, {1}}, x)));
            b.output("y", b.add(mote::Flatten{}, b.add(mote::MatMul{a, b_turned}, {x, y})));
            check(b.build(), 3, 2, 1);
            Builder c;
            const Handle u = offset_input(c, c.input("x", {1, a ? std::size_t{4} : 2, a ? std::size_t{2} : 4}));
            const Handle v =
                offset_input(c, c.add(mote::Reshape{{0, b_turned ? 2 : 4, b_turned ? 4 : 2}}, c.add(mote::Tanh{}, u)));
            c.output("y", c.add(mote::Flatten{}, c.add(mote::MatMul{a, b_turned}, {u, v})));
            check(c.build(), 2, 1, 2);
        }
    }
}
