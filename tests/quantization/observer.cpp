// SPDX-License-Identifier: MIT
// Observers: what they report of a stream, whatever its batches.

#include <mote/core/random.hpp>
#include <mote/quantization/observer.hpp>

#include <support/catch.hpp>

#include <algorithm>
#include <limits>

namespace observer_test {

using namespace mote;

std::vector<float> normal_numbers(std::uint64_t seed, std::size_t count, float size = 1.0f) {
    Random random(seed);
    std::vector<float> values(count);
    for (float& x : values) x = size * random.normal();
    return values;
}

TEST_CASE("observer: min-max is the smallest and the largest value over all batches") {
    const std::vector<float> values = normal_numbers(1, 1000);
    RangeObserver observer;
    CHECK(observer.range() == Range{0.0f, 0.0f});
    for (std::size_t i = 0; i < values.size(); i += 100) REQUIRE(observer.observe(std::span(values).subspan(i, 100)));
    CHECK(observer.count() == 1000);
    CHECK(observer.range().lo == *std::min_element(values.begin(), values.end()));
    CHECK(observer.range().hi == *std::max_element(values.begin(), values.end()));
}

TEST_CASE("observer: a percentile is what sorting all values gives, to the width of a bin") {
    for (const double percentile : {90.0, 99.0, 99.9}) {
        for (const float size : {1e-6f, 1.0f, 3e4f}) {
            std::vector<float> values = normal_numbers(7, 20000, size);
            RangeObserver observer({Observer::percentile, percentile});
            for (std::size_t i = 0; i < values.size(); i += 1000) observer.observe(std::span(values).subspan(i, 1000));
            std::sort(values.begin(), values.end());
            const auto cut = static_cast<std::size_t>((1.0 - percentile / 100.0) * 20000.0);
            const double largest = std::max(-static_cast<double>(values.front()), static_cast<double>(values.back()));
            const double bin = 2.0 * 2.0 * largest / 8192.0;  // the limit is at most twice the largest magnitude
            CAPTURE(percentile, size);
            CHECK(std::fabs(static_cast<double>(observer.range().lo) - static_cast<double>(values[cut])) <= bin);
            CHECK(std::fabs(static_cast<double>(observer.range().hi) - static_cast<double>(values[19999 - cut])) <= bin);
        }
    }
}

TEST_CASE("observer: a range does not depend on how the stream is cut into batches") {
    std::vector<float> values = normal_numbers(3, 5000);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] *= static_cast<float>(1 + i / 100);  // growing: bins merge
    for (const Observer kind : {Observer::min_max, Observer::percentile, Observer::mse, Observer::entropy}) {
        RangeObserver whole({kind, 99.0}), parts({kind, 99.0});
        whole.observe(values);
        for (std::size_t i = 0; i < values.size(); i += 50) parts.observe(std::span(values).subspan(i, 50));
        CHECK(whole.range() == parts.range());
        CHECK(whole.range().lo >= whole.extremes().lo);
        CHECK(whole.range().hi <= whole.extremes().hi);
    }
}

TEST_CASE("observer: one outlier does not widen a percentile range, and a percentile of 100 is min-max") {
    std::vector<float> values = normal_numbers(5, 100000);
    values[777] = 50.0f;
    RangeObserver cut({Observer::percentile, 99.99}), all({Observer::percentile, 100.0});
    cut.observe(values);
    all.observe(values);
    CHECK(cut.range().hi < 6.0f);
    CHECK(cut.extremes().hi == 50.0f);
    CHECK(all.range() == all.extremes());
}

TEST_CASE("observer: constant streams, zeros first, and one-sided streams keep their range") {
    RangeObserver zeros({Observer::percentile, 99.0});
    const std::vector<float> none(100, 0.0f), ones(100, 1.0f);
    zeros.observe(none);
    CHECK(zeros.range() == Range{0.0f, 0.0f});
    zeros.observe(ones);
    CHECK(zeros.range().lo == 0.0f);
    CHECK(zeros.range().hi == 1.0f);
    RangeObserver constant({Observer::percentile, 99.0});
    constant.observe(ones);
    CHECK(constant.range() == Range{1.0f, 1.0f});
}

TEST_CASE("observer: NaN and infinity are refused and change nothing") {
    RangeObserver observer({Observer::percentile, 99.0});
    const float good[] = {1.0f, -2.0f};
    const float bad[] = {5.0f, std::numeric_limits<float>::quiet_NaN()};
    const float worse[] = {5.0f, -std::numeric_limits<float>::infinity()};
    REQUIRE(observer.observe(good));
    CHECK_FALSE(observer.observe(bad));
    CHECK_FALSE(observer.observe(worse));
    CHECK(observer.count() == 2);
    CHECK(observer.extremes() == Range{-2.0f, 1.0f});
}

TEST_CASE("observer: a percentile outside (50, 100] is an error that says so") {
    CHECK_THROWS_WITH(RangeObserver({Observer::percentile, 50.0}), Catch::Contains("percentile 50: above 50"));
    CHECK_THROWS_WITH(RangeObserver({Observer::percentile, 100.5}), Catch::Contains("at most 100"));
    CHECK_THROWS_AS(RangeObserver({Observer::percentile, std::numeric_limits<double>::quiet_NaN()}), Error);
}

}  // namespace observer_test
