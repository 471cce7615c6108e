// SPDX-License-Identifier: MIT
// exp, sigmoid and tanh on vectors against double.

#include <mote/simd/instruction_set.hpp>

#if defined(MOTE_VECTORS)
#include <mote/simd/math.hpp>

#include <support/catch.hpp>

#include <algorithm>
#include <cmath>

namespace math_test {

namespace simd = mote::kernels::simd;

template <class Check>
void sweep(double from, double to, Check check) {
    constexpr auto lanes = static_cast<std::size_t>(simd::lanes32);
    constexpr int points = 40000;
    float x[lanes];
    for (int first = 0; first < points; first += static_cast<int>(lanes)) {
        for (std::size_t i = 0; i < lanes; ++i) {
            x[i] = static_cast<float>(from + (to - from) * (first + static_cast<int>(i)) / points);
        }
        check(simd::load(x), x, lanes);
    }
}

}  // namespace math_test

TEST_CASE("math: exp is right to 4e-7 of its value from -87 to 88, and finite beyond") {
    using namespace math_test;
    double worst = 0;
    sweep(-87, 88, [&](simd::F32 v, const float* x, std::size_t lanes) {
        float y[simd::lanes32];
        simd::store(y, simd::exp(v));
        for (std::size_t i = 0; i < lanes; ++i) {
            const double expected = std::exp(static_cast<double>(x[i]));
            worst = std::max(worst, std::abs(static_cast<double>(y[i]) - expected) / expected);
        }
    });
    CHECK(worst < 4e-7);  // a few units in the last place of 2^-24
    float y[simd::lanes32];
    simd::store(y, simd::exp(simd::F32(1000.0f)));
    CHECK(std::isfinite(y[0]));
    simd::store(y, simd::exp(simd::F32(-1000.0f)));
    CHECK(y[0] < 2e-38f);
}

TEST_CASE("math: sigmoid and tanh are right to 3e-7") {
    using namespace math_test;
    double worst = 0;
    sweep(-30, 30, [&](simd::F32 v, const float* x, std::size_t lanes) {
        float s[simd::lanes32], t[simd::lanes32];
        simd::store(s, simd::sigmoid(v));
        simd::store(t, simd::tanh(v));
        for (std::size_t i = 0; i < lanes; ++i) {
            const double real = static_cast<double>(x[i]);
            worst = std::max(worst, std::abs(static_cast<double>(s[i]) - 1 / (1 + std::exp(-real))));
            worst = std::max(worst, std::abs(static_cast<double>(t[i]) - std::tanh(real)));
        }
    });
    CHECK(worst < 3e-7);
}
#endif
