// SPDX-License-Identifier: MIT
// Reductions: against sums in double on odd shapes, numbers that overflow exp, ties.

#include <mote/kernels/reduce.hpp>

#include <support/catch.hpp>
#include <support/generate.hpp>

#include <limits>

namespace reduce_test {

using mote::Reduction;
using mote::kernels::reference::arg_max_f32;
using mote::kernels::reference::reduce_f32;

double exact(Reduction function, const std::vector<double>& x) {
    double sum = 0, squares = 0, magnitudes = 0, product = 1, powers = 0, most = x[0], least = x[0];
    for (const double v : x) {
        sum += v, squares += v * v, magnitudes += std::fabs(v), product *= v, powers += std::exp(v);
        most = v > most ? v : most, least = v < least ? v : least;
    }
    const double all[] = {sum,
                          sum / static_cast<double>(x.size()),
                          most,
                          least,
                          product,
                          magnitudes,
                          std::sqrt(squares),
                          std::log(sum),
                          std::log(powers),
                          squares};
    return all[static_cast<std::size_t>(function)];
}

}  // namespace reduce_test

TEST_CASE("reduce_f32: every function over the middle of odd shapes") {
    using namespace reduce_test;
    mote::Random random(5);
    for (int round = 0; round < 200; ++round) {
        mote::RowGeometry g;
        g.outer = support::from_to(random, 1, 3);
        g.spatial = support::from_to(random, 1, 40);
        g.channels = round % 2 == 0 ? 1 : support::channels(random);
        const auto function = static_cast<Reduction>(round / 2 % mote::reduction_count);
        const auto inner = static_cast<std::size_t>(g.channels), count = static_cast<std::size_t>(g.spatial);
        std::vector<float> x = support::floats(static_cast<std::size_t>(g.outer) * count * inner, random), out, expected;
        if (function == Reduction::log_sum || function == Reduction::prod) {
            for (float& v : x) v = 0.5f + std::fabs(v);
        }
        for (std::size_t o = 0; o < static_cast<std::size_t>(g.outer); ++o) {
            for (std::size_t c = 0; c < inner; ++c) {
                std::vector<double> numbers;
                for (std::size_t r = 0; r < count; ++r) {
                    numbers.push_back(static_cast<double>(x[(o * count + r) * inner + c]));
                }
                expected.push_back(static_cast<float>(exact(function, numbers)));
            }
        }
        out.resize(expected.size());
        reduce_f32(g, function, x.data(), out.data());
        CAPTURE(round, g.outer, g.spatial, g.channels);
        CHECK(support::relative_difference(expected, out) < support::f32_tolerance);
    }
}

TEST_CASE("reduce_f32: log_sum_exp of large numbers does not overflow, of infinite ones is infinite") {
    using namespace reduce_test;
    constexpr float infinity = std::numeric_limits<float>::infinity();
    for (const std::int32_t channels : {1, 2}) {
        mote::RowGeometry g{1, channels, 2};
        const float x[] = {1000.0f, channels == 1 ? 1000.0f : -infinity, 1000.0f, -infinity};
        float y[2] = {};
        reduce_f32(g, Reduction::log_sum_exp, x, y);
        CHECK(y[0] == Approx(1000.6931));
        if (channels == 2) CHECK(y[1] == -infinity);
    }
}

TEST_CASE("arg_max_f32: the first or the last of equal ones, largest or smallest, along rows and columns") {
    using namespace reduce_test;
    const float x[] = {1, 7, 3, 7, 1};
    std::int64_t at = -1;
    const auto where = [&](bool largest, bool last) {
        arg_max_f32(mote::RowGeometry{1, 1, 5}, largest, last, x, &at);
        return at;
    };
    CHECK(where(true, false) == 1);
    CHECK(where(true, true) == 3);
    CHECK(where(false, false) == 0);
    CHECK(where(false, true) == 4);
    const float columns[] = {1, 9, 8, 2, 5, 5};
    std::int64_t two[2];
    arg_max_f32(mote::RowGeometry{1, 2, 3}, true, false, columns, two);
    CHECK(two[0] == 1);
    CHECK(two[1] == 0);
}
