// SPDX-License-Identifier: MIT
// Augmentations: every outcome is a shifted or mirrored image, and all of them occur.

#include <mote/data/augment.hpp>

#include <support/catch.hpp>

#include <set>

namespace augment_test {

constexpr std::size_t height = 3, width = 4, channels = 2;

std::vector<float> image() {
    std::vector<float> values(height * width * channels);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i + 1);
    return values;
}

/// The image moved by (down, right), -1 at the border.
std::vector<float> moved(int down, int right) {
    const std::vector<float> from = image();
    std::vector<float> to(from.size(), -1.0f);
    for (int y = 0; y < 3; ++y) {
        for (int x = 0; x < 4; ++x) {
            const int source_y = y - down, source_x = x - right;
            if (source_y < 0 || source_y >= 3 || source_x < 0 || source_x >= 4) continue;
            for (int c = 0; c < 2; ++c) {
                to[static_cast<std::size_t>((y * 4 + x) * 2 + c)] =
                    from[static_cast<std::size_t>((source_y * 4 + source_x) * 2 + c)];
            }
        }
    }
    return to;
}

}  // namespace augment_test

TEST_CASE("shift_pixels: all nine moves by up to one pixel, and nothing else") {
    using namespace augment_test;
    const mote::Augmentation shift = mote::shift_pixels(1, -1.0f);
    std::set<std::vector<float>> expected, seen;
    for (int down = -1; down <= 1; ++down) {
        for (int right = -1; right <= 1; ++right) expected.insert(moved(down, right));
    }
    for (std::uint64_t i = 0; i < 200; ++i) {
        std::vector<float> values = image();
        mote::Random random(i);
        shift(values, {height, width, channels}, random);
        seen.insert(values);
    }
    CHECK(seen == expected);
}

TEST_CASE("flip_horizontally: the image or its mirror image") {
    using namespace augment_test;
    const mote::Augmentation flip = mote::flip_horizontally();
    std::set<std::vector<float>> seen;
    for (std::uint64_t i = 0; i < 50; ++i) {
        std::vector<float> values = image();
        mote::Random random(i);
        flip(values, {height, width, channels}, random);
        seen.insert(values);
    }
    REQUIRE(seen.size() == 2);
    CHECK(seen.count(image()) == 1);
    const std::vector<float> mirrored = *seen.begin() == image() ? *seen.rbegin() : *seen.begin();
    CHECK(mirrored[0] == 7.0f);
    CHECK(mirrored[1] == 8.0f);
    CHECK(mirrored[6] == 1.0f);
}

TEST_CASE("augmentations of what is no image are an error") {
    std::vector<float> values(4);
    mote::Random random(0);
    CHECK_THROWS_WITH(mote::shift_pixels(1)(values, mote::Shape{4}, random), Catch::Contains("no image"));
    CHECK_THROWS_WITH(mote::flip_horizontally()(values, {2, 2}, random), Catch::Contains("no image"));
}
