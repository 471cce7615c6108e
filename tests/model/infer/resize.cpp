// SPDX-License-Identifier: MIT
// resize_taps: places by every alignment, nearest pixels by every rounding, cubic and antialiasing weights. The expected
// numbers are those of the ONNX project's reference evaluator (Python package onnx 1.23).

#include <mote/model/infer/resize.hpp>

#include <support/catch.hpp>

namespace resize_taps_test {

using namespace mote;

/// The row of numbers 1, 2 ... n resized; `outside` -1.
std::vector<double> resized(const Resize2d& layer, const ResizeAxis& axis) {
    const ResizeTaps taps = resize_taps(layer, axis);
    std::vector<double> result(axis.out);
    for (std::size_t i = 0; i < taps.index.size(); ++i) {
        const double value = taps.index[i] < 0 ? -1.0 : static_cast<double>(taps.index[i] + 1);
        result[i / taps.count] += taps.weight[i] * value;
    }
    return result;
}
void check(const std::vector<double>& got, const std::vector<double>& wanted) {
    REQUIRE(got.size() == wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == Approx(wanted[i]).margin(1e-6));
}
ResizeAxis axis(std::size_t in, std::size_t out, double scale = 0) {
    return {in, out, scale > 0 ? scale : static_cast<double>(out) / static_cast<double>(in)};
}

constexpr Interpolation linear = Interpolation::linear, nearest = Interpolation::nearest, cubic = Interpolation::cubic;

}  // namespace resize_taps_test

TEST_CASE("resize taps: linear, by every alignment") {
    using namespace resize_taps_test;
    const auto by = [](Alignment alignment) { return Resize2d{.interpolation = linear, .alignment = alignment}; };
    check(resized(by(Alignment::half_pixel), axis(2, 4)), {1, 1.25, 1.75, 2});
    check(resized(by(Alignment::asymmetric), axis(3, 5)), {1, 1.6, 2.2, 2.8, 3});
    check(resized(by(Alignment::corners), axis(3, 5)), {1, 1.5, 2, 2.5, 3});
    check(resized(by(Alignment::corners), axis(3, 1)), {1});
    check(resized(by(Alignment::half_pixel), axis(3, 1)), {2});
    check(resized(by(Alignment::half_pixel_or_first), axis(3, 1)), {1});
    check(resized(by(Alignment::half_pixel_or_first), axis(3, 5)), {1, 1.4, 2, 2.6, 3});
    check(resized(by(Alignment::half_pixel_floor), axis(4, 2)), {2, 4});  // (i + 0.5) / s, as its definition says
    // 4 by 0.6 is 2.4, cut to 2.
    check(resized(by(Alignment::half_pixel_symmetric), axis(4, 2, 0.6)), {1.6666667, 3.3333333});
    check(resized(by(Alignment::half_pixel), axis(4, 2, 0.6)), {1.3333333, 3});
    ResizeAxis crop = axis(4, 3);
    crop.first = 1.0 / 3;
    check(resized(by(Alignment::crop), crop), {2, 3, 4});
    crop.first = -0.5, crop.last = 1.5;
    check(resized(by(Alignment::crop), crop), {-1, 2.5, -1});
}

TEST_CASE("resize taps: the nearest pixel, by every rounding; a place in the middle tells them apart") {
    using namespace resize_taps_test;
    const auto by = [](NearestPixel pixel) { return Resize2d{.interpolation = nearest, .nearest = pixel}; };
    check(resized(by(NearestPixel::floor), axis(5, 2)), {1, 4});
    check(resized(by(NearestPixel::floor), axis(4, 2)), {1, 3});
    check(resized(by(NearestPixel::ceil), axis(5, 2)), {2, 5});
    check(resized(by(NearestPixel::ceil), axis(4, 2)), {2, 4});
    check(resized(by(NearestPixel::round_half_down), axis(5, 2)), {2, 4});
    check(resized(by(NearestPixel::round_half_down), axis(4, 2)), {1, 3});
    check(resized(by(NearestPixel::round_half_up), axis(5, 2)), {2, 4});
    check(resized(by(NearestPixel::round_half_up), axis(4, 2)), {2, 4});
    CHECK(resize_taps(by(NearestPixel::ceil), axis(5, 2)).count == 1);
}

TEST_CASE("resize taps: cubic weights; the border goes on, or is left out") {
    using namespace resize_taps_test;
    Resize2d layer{.interpolation = cubic};
    check(resized(layer, axis(4, 8)), {0.8945312, 1.1914062, 1.6679688, 2.296875, 2.703125, 3.3320312, 3.8085938, 4.1054688});
    check(resized(layer, axis(4, 3)), {1.1261574, 2.5, 3.8738426});
    layer.cubic = -0.5f;
    layer.exclude_outside = true;
    check(resized(layer, axis(4, 8)), {0.9117647, 1.1678832, 1.7099237, 2.25, 2.75, 3.2900763, 3.8321168, 4.0882353});
}

TEST_CASE("resize taps: antialiasing weighs all pixels that become one") {
    using namespace resize_taps_test;
    Resize2d layer{.interpolation = linear, .antialias = true};
    CHECK(resize_taps(layer, axis(4, 2)).count == 3);  // and one outside, which is the border's
    check(resized(layer, axis(4, 2)), {1.625, 3.375});
    check(resized(layer, axis(5, 3, 0.6)), {1.375, 3, 4.625});
    check(resized(layer, axis(4, 8)), {1, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4});  // nothing shrinks
    layer.interpolation = cubic;
    check(resized(layer, axis(5, 2)), {1.721, 4.279});
    layer.exclude_outside = true;
    check(resized(layer, axis(5, 2)), {1.8359744, 4.1640256});
}

TEST_CASE("resize taps: weights add up to 1 in 22 bits, and one tap is one") {
    using namespace resize_taps_test;
    for (std::size_t out = 1; out < 30; ++out) {
        Resize2d layer{.interpolation = static_cast<Interpolation>(out % 3), .exclude_outside = out % 2 == 0};
        const ResizeTaps taps = resize_taps(layer, axis(7, out));
        const std::vector<std::int32_t> fixed = fixed_weights(taps);
        for (std::size_t i = 0; i < out; ++i) {
            std::int32_t sum = 0;
            for (std::size_t k = 0; k < taps.count; ++k) sum += fixed[i * taps.count + k];
            CHECK(sum == 1 << resize_bits);
        }
    }
}
