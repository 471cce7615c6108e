// SPDX-License-Identifier: MIT
// SqueezeNets: published sizes, and no BatchNorm.

#include <mote/zoo/squeezenet.hpp>

#include <zoo/figures.hpp>

TEST_CASE("squeezenet: torchvision's parameters and MACs, without BatchNorm") {
    using namespace zoo_test;
    const mote::Model<mote::f32> first = mote::zoo::squeezenet_1_0();
    CHECK(figures(first).parameters == 1'248'424);
    CHECK(figures(first).statistics == 0);
    CHECK(millions(figures(first).macs) == Approx(819).epsilon(0.001));
    check_output(first, 1000);
    const mote::Model<mote::f32> second = mote::zoo::squeezenet_1_1();
    CHECK(figures(second).parameters == 1'235'496);
    CHECK(figures(second).statistics == 0);
    CHECK(millions(figures(second).macs) == Approx(349).epsilon(0.001));
    check_output(second, 1000);
    check_memory(second);
}

TEST_CASE("squeezenet: the last pooling window may reach beyond the image") {
    using namespace zoo_test;
    // Row counts of PyTorch's ceil_mode: ceil((rows - 3) / 2) + 1.
    for (const auto& [rows, expected] : {std::pair{1, 1}, {2, 1}, {3, 1}, {4, 2}, {5, 2}, {54, 27}, {55, 27}, {109, 54}}) {
        mote::zoo::Builder b;
        const auto x = b.input("x", {1, static_cast<std::size_t>(rows), 6, 1});
        const auto y = mote::zoo::detail::squeezenet_pool(b, x);
        CHECK(b.shape(y) == mote::Shape{1, static_cast<std::size_t>(expected), 3, 1});
    }
}

TEST_CASE("squeezenet: classes, image and channels are free; nonsense and too small an image are refused") {
    using namespace zoo_test;
    check_output(mote::zoo::squeezenet_1_0({.classes = 4, .image = {7, 50}, .channels = 1}), 4);
    check_output(mote::zoo::squeezenet_1_1({.classes = 4, .image = {32, 32}, .channels = 1}), 4);
    check_refusals("squeezenet_1_0", mote::zoo::squeezenet_1_0);
    check_refusals("squeezenet_1_1", mote::zoo::squeezenet_1_1);
    CHECK_ERROR(mote::zoo::squeezenet_1_0({.image = {6, 50}}), "conv2d_0", "the window covers 7");
}
