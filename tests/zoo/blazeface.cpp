// SPDX-License-Identifier: MIT
// BlazeFace: published sizes.

#include <mote/zoo/blazeface.hpp>

#include <zoo/figures.hpp>

TEST_CASE("blazeface: the parameters, MACs and outputs of MediaPipe's short-range model") {
    using namespace zoo_test;
    const mote::Model<mote::f32> model = mote::zoo::blazeface();
    const Figures f = figures(model);
    CHECK(f.parameters - f.normed == 101'390);  // the file has a bias where this has BatchNorm's scale and shift
    CHECK(f.macs == 30'760'960);
    REQUIRE(model.outputs().size() == 2);
    CHECK(model.value(model.outputs()[0]).shape == mote::Shape{1, 896, 1});
    CHECK(model.value(model.outputs()[1]).shape == mote::Shape{1, 896, 16});
}

TEST_CASE("blazeface: classes, image and key points are free; nonsense is refused") {
    using namespace zoo_test;
    const auto model =
        mote::with_batch(mote::zoo::blazeface({.classes = 3, .image = {32, 48}, .channels = 1, .key_points = 2}), 2);
    const std::size_t anchors = 2 * 4 * 6 + 6 * 2 * 3;
    CHECK(model.value(model.outputs()[0]).shape == mote::Shape{2, anchors, 3});
    CHECK(model.value(model.outputs()[1]).shape == mote::Shape{2, anchors, 8});
    check_refusals("blazeface", mote::zoo::blazeface);
    CHECK_ERROR(mote::zoo::blazeface({.image = {128, 120}}), "blazeface: image is 128x120; multiples of 16 are accepted");
    CHECK_ERROR(mote::zoo::blazeface({.key_points = 0}), "blazeface: key_points is 0");
}
