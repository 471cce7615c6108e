// SPDX-License-Identifier: MIT
// U-Net: published sizes.

#include <mote/zoo/unet.hpp>

#include <zoo/figures.hpp>

TEST_CASE("unet: the parameters of published networks, and the figures that the comment states") {
    using namespace zoo_test;
    // Buda et al. 2019, brain segmentation (PyTorch Hub's unet, as torchsummary counts it).
    CHECK(figures(mote::zoo::unet({.image = {16, 16}, .features = 32})).parameters == 7'763'041);
    // The published features, as PyTorch programs count them for two classes (milesial/Pytorch-UNet).
    CHECK(figures(mote::zoo::unet({.classes = 2, .image = {16, 16}, .features = 64})).parameters == 31'037'698);
    const Figures f = figures(mote::zoo::unet());
    CHECK(millions(f.parameters) == Approx(1.94).epsilon(0.003));
    CHECK(millions(f.macs) == Approx(758).epsilon(0.001));
}

TEST_CASE("unet: a class for each pixel of every size of image; nonsense is refused") {
    using namespace zoo_test;
    CHECK(output_shape(mote::zoo::unet()) == mote::Shape{1, 128, 128, 1});
    const auto model = mote::zoo::unet({.classes = 5, .image = {24, 40}, .channels = 1, .features = 4, .depth = 3});
    CHECK(output_shape(model) == mote::Shape{1, 24, 40, 5});
    CHECK(output_shape(mote::with_batch(model, 3)) == mote::Shape{3, 24, 40, 5});
    check_refusals("unet", mote::zoo::unet);
    CHECK_ERROR(mote::zoo::unet({.image = {128, 120}}), "unet: image is 128x120; multiples of 16 are accepted");
    CHECK_ERROR(mote::zoo::unet({.features = 0}), "unet: features is 0");
    CHECK_ERROR(mote::zoo::unet({.depth = 9}), "unet: depth is 9; 1 to 8 is accepted");
}
