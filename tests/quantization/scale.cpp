// SPDX-License-Identifier: MIT
// Scales: zero is exact, ranges are covered, integers stay inside what exact sums allow.

#include <mote/core/random.hpp>
#include <mote/quantization/scale.hpp>

#include <support/catch.hpp>

#include <limits>

namespace scale_test {

using namespace mote;

constexpr float infinity = std::numeric_limits<float>::infinity();

Tensor<f32> random_tensor(Random& random, const Shape& shape, float size) {
    Tensor<f32> tensor(shape);
    for (float& x : tensor.values()) x = size * random.normal();
    return tensor;
}

TEST_CASE("scale: activation parameters hold zero exactly and reach both ends of random ranges") {
    Random random(1);
    for (int i = 0; i < 1000; ++i) {
        const float size = std::ldexp(1.0f, static_cast<int>(random.below(60)) - 30);
        const Range range{size * (random.uniform() - 0.7f), size * (random.uniform() + 0.1f)};
        const Range whole = join(range, {0.0f, 0.0f});
        const QuantizationParams q = activation_params(range);
        CAPTURE(range.lo, range.hi, q.scale, q.zero_point);
        REQUIRE(usable_scale(q.scale));
        REQUIRE((q.zero_point >= -128 && q.zero_point <= 127));
        CHECK(dequantize_value(static_cast<std::int8_t>(q.zero_point), q) == 0.0);
        // Half a step for rounding the zero point; the rest is what a scale in float can be off by.
        const double slack = 0.501 * static_cast<double>(q.scale);
        CHECK(dequantize_value(-128, q) <= static_cast<double>(whole.lo) + slack);
        CHECK(dequantize_value(127, q) >= static_cast<double>(whole.hi) - slack);
    }
}

TEST_CASE("scale: ranges of no width, of one sign and of absurd size give usable parameters") {
    CHECK(activation_params({0.0f, 0.0f}) == QuantizationParams{1.0f / 255.0f, -128});
    CHECK(activation_params({2.0f, 4.0f}) == QuantizationParams{4.0f / 255.0f, -128});
    CHECK(activation_params({-4.0f, -2.0f}).zero_point == 127);
    CHECK(usable_scale(activation_params({0.0f, 1e-44f}).scale));
    const float huge = std::numeric_limits<float>::max();
    CHECK(usable_scale(activation_params({-huge, huge}).scale));
}

TEST_CASE("scale: weights are within half a step of the channel's own scale, symmetric, and reach 127") {
    Random random(3);
    for (int i = 0; i < 50; ++i) {
        const std::size_t channels = 1 + random.below(6), inner = 1 + random.below(40);
        const Tensor<f32> weight = random_tensor(random, {channels, inner}, 0.3f);
        const Tensor<f32> bias = random_tensor(random, Shape{channels}, 1.0f);
        const QuantizationParams in{0.02f, 3}, out{0.05f, -7};
        const QuantizedWeights q = quantize_weights(weight, bias, in, out);
        REQUIRE(q.weight.quantization().scale.size() == channels);
        for (std::size_t c = 0; c < channels; ++c) {
            const double scale = static_cast<double>(q.weight.quantization().scale[c]);
            int largest = 0;
            for (std::size_t k = 0; k < inner; ++k) {
                const int w = q.weight[c * inner + k];
                largest = std::max(largest, std::abs(w));
                CHECK(std::fabs(w * scale - static_cast<double>(weight[c * inner + k])) <= 0.5001 * scale);
            }
            CHECK(largest == 127);
            const double bias_scale = scale * static_cast<double>(in.scale);
            CHECK(std::fabs(q.bias[c] * bias_scale - static_cast<double>(bias[c])) <= 0.5001 * bias_scale);
        }
    }
}

TEST_CASE("scale: a bias beyond int32 widens its channel's scale, and no other's") {
    const Tensor<f32> weight({2, 1}, {1e-6f, 1.0f});
    const Tensor<f32> bias(Shape{2}, {1000.0f, 1.0f});
    const QuantizationParams in{1e-3f, 0}, out{8.0f, 0};
    const QuantizedWeights q = quantize_weights(weight, bias, in, out);
    CHECK(q.weight.quantization().scale[1] == 1.0f / 127.0f);
    CHECK(std::int64_t{q.bias[0]} + 255 * 127 < (std::int64_t{1} << 31));
    const double real =
        static_cast<double>(q.bias[0]) * static_cast<double>(in.scale) * static_cast<double>(q.weight.quantization().scale[0]);
    CHECK(real == Approx(1000.0).epsilon(1e-6));  // int32 keeps at least 2^30 steps
}

TEST_CASE("scale: channels of zeros and of denormals get scales whose multiplier is a normal float") {
    const Tensor<f32> weight({3, 2}, {0.0f, 0.0f, 1e-44f, -1e-44f, 0.5f, 0.25f});
    const QuantizationParams in{1e-3f, 0}, out{10.0f, 0};
    const QuantizedWeights q = quantize_weights(weight, {}, in, out);
    CHECK(q.bias.empty());
    CHECK(q.weight.quantization().scale[0] == q.weight.quantization().scale[2]);
    for (const float scale : q.weight.quantization().scale) {
        CHECK(usable_scale(in.scale * scale / out.scale));
    }
    CHECK(q.weight[0] == 0);
    CHECK(usable_scale(quantize_weights(Tensor<f32>({1, 2}), {}, in, out).weight.quantization().scale[0]));
}

}  // namespace scale_test
