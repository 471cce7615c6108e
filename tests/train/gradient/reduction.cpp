// SPDX-License-Identifier: MIT
// gradient: pooling and softmax against finite differences.

#include <mote/train/gradient/reduction.hpp>

#include "check.hpp"

TEST_CASE("gradient: MaxPool2d and AveragePool2d with overlap, strides and uneven padding") {
    using namespace gradient_check;
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 5);
        const mote::Size2d kernel{2 + static_cast<std::size_t>(random.below(2)), 1 + static_cast<std::size_t>(random.below(3))};
        const mote::Size2d stride{1 + static_cast<std::size_t>(random.below(3)), 1 + static_cast<std::size_t>(random.below(2))};
        const mote::Padding2d padding{
            static_cast<std::size_t>(random.below(kernel.height)), static_cast<std::size_t>(random.below(kernel.height)),
            static_cast<std::size_t>(random.below(kernel.width)), static_cast<std::size_t>(random.below(kernel.width))};
        Builder b;
        const Handle x = offset_input(b, b.input("x", {1, 5, 4, 3}));
        const Handle largest = b.add(mote::MaxPool2d{kernel, stride, padding}, x);
        const Handle mean = b.add(mote::AveragePool2d{kernel, stride, padding, seed % 2 == 0}, x);
        b.output("y", b.add(mote::Concat{}, {largest, mean}));
        check(b.build(), 3, 2, seed);
    }
}

TEST_CASE("gradient: Resize2d, larger and smaller, by every alignment") {
    using namespace gradient_check;
    for (const bool bilinear : {true, false}) {
        for (const auto alignment : {mote::Alignment::asymmetric, mote::Alignment::corners, mote::Alignment::half_pixel}) {
            Builder b;
            const Handle x = offset_input(b, b.input("x", {1, 3, 4, 2}));
            b.output("y", b.add(mote::Tanh{}, b.add(mote::Resize2d{{5, 3}, bilinear, alignment}, x)));
            check(b.build(), 3, 2, 1);
        }
    }
}

TEST_CASE("gradient: GlobalAveragePool") {
    using namespace gradient_check;
    Builder b;
    const Handle x = offset_input(b, b.input("x", {1, 3, 2, 5}));
    b.output("y", b.add(mote::GlobalAveragePool{}, x));
    check(b.build(), 3, 2, 1);
}

TEST_CASE("gradient: Softmax inside a model") {
    using namespace gradient_check;
    Builder b;
    const Handle x = offset_input(b, b.input("x", {1, 2, 5}));
    b.output("y", b.add(mote::Flatten{}, b.add(mote::Softmax{}, x)));
    check(b.build(), 3, 2, 1);
}
