// SPDX-License-Identifier: MIT
// EfficientNet-Lite: published sizes.

#include <mote/zoo/efficientnet_lite.hpp>

#include <zoo/figures.hpp>

TEST_CASE("efficientnet_lite0: published parameters and MACs") {
    using namespace zoo_test;
    const mote::Model<mote::f32> model = mote::zoo::efficientnet_lite0();
    CHECK(figures(model).parameters == 4'652'008);                      // as in timm
    CHECK(millions(figures(model).macs) == Approx(390).epsilon(0.02));  // published with two digits
    check_output(model, 1000);
}

TEST_CASE("efficientnet_lite0: classes, image and channels are free; nonsense is refused") {
    using namespace zoo_test;
    check_output(mote::zoo::efficientnet_lite0({.classes = 4, .image = {31, 64}, .channels = 1}), 4);
    check_refusals("efficientnet_lite0", mote::zoo::efficientnet_lite0);
}
