// SPDX-License-Identifier: MIT
// VGG-Small: its size from the layers' list.

#include <mote/zoo/vgg.hpp>

#include <zoo/figures.hpp>

TEST_CASE("vgg_small: parameters and MACs") {
    using namespace zoo_test;
    const mote::Model<mote::f32> model = mote::zoo::vgg_small();
    const std::uint64_t at32 = 9 * (3 * 128 + 128 * 128), at16 = 9 * (128 * 256 + 256 * 256), at8 = 9 * (256 * 512 + 512 * 512);
    const std::uint64_t classes = 4 * 4 * 512 * 10;
    CHECK(figures(model).parameters == at32 + at16 + at8 + 2 * 2 * (128 + 256 + 512) + classes + 10);
    CHECK(figures(model).macs == 1024 * at32 + 256 * at16 + 64 * at8 + classes);
    check_output(model, 10);
}

TEST_CASE("vgg_small: classes, image and channels are free; nonsense and too small an image are refused") {
    using namespace zoo_test;
    check_output(mote::zoo::vgg_small({.classes = 4, .image = {8, 19}, .channels = 1}), 4);
    check_refusals("vgg_small", mote::zoo::vgg_small);
    CHECK_ERROR(mote::zoo::vgg_small({.image = {7, 32}}), "MaxPool2d", "the window covers 2");
}
