// SPDX-License-Identifier: MIT
// gradient: the movement layers against finite differences.

#include <mote/train/gradient/movement.hpp>

#include "check.hpp"

TEST_CASE("gradient: Concat along any axis but the batch, also of a value that is used elsewhere") {
    using namespace gradient_check;
    for (const std::int32_t axis : {1, 2, -1}) {
        CAPTURE(axis);
        Builder b;
        const Handle x = b.input("x", {1, 2, 3, 4});
        const Handle left = offset_input(b, x);
        const Handle right = b.add(mote::Tanh{}, offset_input(b, x));
        const Handle all = b.add(mote::Concat{axis}, {left, right, left});
        b.output("y", b.add(mote::Concat{axis}, {b.add(mote::Sigmoid{}, all), right}));
        check(b.build(), 3, 2, 1);
    }
}

TEST_CASE("gradient: Pad, Reshape, Flatten and Transpose, one after the other and added to another use") {
    using namespace gradient_check;
    Builder b;
    const Handle x = offset_input(b, b.input("x", {1, 2, 3, 4}));
    const Handle padded = b.add(mote::Pad{{0, 1, 0, 2}, {0, 0, 2, 1}, 0.5f}, x);
    const Handle turned = b.add(mote::Transpose{{0, 3, 1, 2}}, b.add(mote::Tanh{}, padded));
    const Handle shaped = b.add(mote::Reshape{{0, -1, 5}}, turned);
    const Handle flat = b.add(mote::Flatten{}, b.add(mote::Sigmoid{}, shaped));
    const Handle other = b.add(mote::Flatten{}, b.add(mote::Transpose{{0, 2, 3, 1}}, x));
    b.output("y", b.add(mote::Concat{1}, {flat, other}));
    check(b.build(), 3, 2, 2);
}

TEST_CASE("gradient: Slice, Gather and Tile, of elements that are taken once, several times and not at all") {
    using namespace gradient_check;
    using mote::i32;
    using mote::Shape;
    using mote::Tensor;
    Builder b;
    const Handle x = offset_input(b, b.input("x", {1, 3, 4}));
    const Handle some = b.add(mote::Slice{{0, 2, 1}, {-1, 2, 2}, {1, -2, 2}}, x);
    const Handle chosen = b.add(mote::Gather{1, Tensor<i32>(Shape{2, 2}, {2, 0, 0, 1})}, b.add(mote::Tanh{}, x));
    const Handle apart = b.add(mote::Gather{-1, Tensor<i32>(Shape{2}, {3, 1})}, x);
    const Handle repeated = b.add(mote::Tile{{1, 2, 3}}, b.add(mote::Sigmoid{}, x));
    std::vector<Handle> parts;
    for (const Handle y : {some, chosen, apart, repeated}) parts.push_back(b.add(mote::Flatten{}, b.add(mote::Tanh{}, y)));
    b.output("y", b.add(mote::Concat{1}, parts));
    check(b.build(), 3, 2, 3);
}
