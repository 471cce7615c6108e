// SPDX-License-Identifier: MIT
// Resizing: known vectors, and bytes within one rounding of the real result.

#include <mote/core/random.hpp>
#include <mote/kernels/resize.hpp>

#include <support/catch.hpp>

#include <cmath>
#include <vector>

namespace resize_test {

using namespace mote::kernels::reference;

TEST_CASE("resize_f32: two columns become four with half-pixel centres") {
    mote::ConvGeometry g;
    g.in_width = 2, g.out_width = 4;
    const std::int32_t rows[] = {0, 0};
    const std::int32_t columns[] = {0, 0, 0, resize_one / 4, 0, 3 * (resize_one / 4), 1, 0};
    const float in[] = {1, 5};
    float out[4];
    resize_f32(g, rows, columns, in, out);
    CHECK(out[0] == 1.0f);
    CHECK(out[1] == 2.0f);
    CHECK(out[2] == 4.0f);
    CHECK(out[3] == 5.0f);
}

TEST_CASE("resize_i8: one rounding, half to even, and the ends of the range stay") {
    mote::ConvGeometry g;
    g.in_height = g.in_width = 2;
    mote::Random random(1);
    for (int trial = 0; trial < 2000; ++trial) {
        const std::int32_t down = trial % 7 == 0 ? resize_one / 2 : static_cast<std::int32_t>(random.below(resize_one + 1));
        const std::int32_t right = trial % 5 == 0 ? resize_one / 2 : static_cast<std::int32_t>(random.below(resize_one + 1));
        const std::int32_t rows[] = {0, down}, columns[] = {0, right};
        std::int8_t in[4], out = 0;
        for (std::int8_t& q : in)
            q = static_cast<std::int8_t>(trial % 11 == 0 ? -128 : static_cast<int>(random.below(256)) - 128);
        resize_i8(g, rows, columns, in, &out);
        const double x = right / 1048576.0, y = down / 1048576.0;
        const double exact = (in[0] * (1 - x) + in[1] * x) * (1 - y) + (in[2] * (1 - x) + in[3] * x) * y;
        CHECK(static_cast<double>(out) == std::nearbyint(exact));
    }
}

}  // namespace resize_test
