// SPDX-License-Identifier: MIT
// Windows: taps inside the image, for every position of odd windows.

#include <mote/kernels/window.hpp>

#include <support/catch.hpp>

TEST_CASE("window: taps_inside names exactly the taps that lie in the image") {
    for (std::int32_t image = 1; image < 8; ++image) {
        for (std::int32_t taps = 1; taps < 6; ++taps) {
            for (std::int32_t dilation = 1; dilation < 4; ++dilation) {
                for (std::int32_t at = -20; at < 12; ++at) {
                    const mote::kernels::TapRange range = mote::kernels::taps_inside(at, dilation, taps, image);
                    for (std::int32_t tap = 0; tap < taps; ++tap) {
                        const std::int32_t pixel = at + tap * dilation;
                        const bool inside = pixel >= 0 && pixel < image;
                        REQUIRE(inside == (tap >= range.begin && tap < range.end));
                    }
                }
            }
        }
    }
}

TEST_CASE("window: each tap is visited once, padding as -1") {
    mote::ConvGeometry g;
    g.in_height = 3;
    g.in_width = 2;
    g.kernel_height = 2;
    g.kernel_width = 3;
    g.pad_top = 1;
    g.pad_left = 1;
    int visits = 0, padded = 0;
    mote::kernels::for_each_tap(g, 0, 0, [&](std::int32_t tap, std::int32_t pixel) {
        CHECK(tap == visits++);
        if (pixel < 0) ++padded;
    });
    CHECK(visits == 6);
    CHECK(padded == 4);  // the upper row, and the left column of the lower one
}
