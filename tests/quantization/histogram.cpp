// SPDX-License-Identifier: MIT
// Histograms: the ranges chosen from them are what a search over the values themselves would choose.

#include <mote/core/random.hpp>
#include <mote/quantization/histogram.hpp>

#include <support/catch.hpp>

#include <algorithm>

namespace histogram_test {

using namespace mote;

/// Laplace numbers: heavy tails, as activations have.
std::vector<float> laplace_numbers(std::uint64_t seed, std::size_t count) {
    Random random(seed);
    std::vector<float> values(count);
    for (float& x : values) {
        const float u = random.uniform() - 0.5f;
        x = (u < 0.0f ? 1.0f : -1.0f) * std::log(1.0f - 1.999f * std::fabs(u));
    }
    return values;
}

std::vector<float> rectified(std::vector<float> values) {
    for (float& x : values) x = x > 0.0f ? x : 0.0f;
    return values;
}

Histogram histogram_of(const std::vector<float>& values) {
    Histogram histogram;
    for (std::size_t i = 0; i < values.size(); i += 1000) {
        histogram.add(std::span(values).subspan(i, std::min<std::size_t>(1000, values.size() - i)));
    }
    return histogram;
}

double squared_error(const std::vector<float>& values, Range range) {
    const QuantizationParams params = activation_params(range);
    double sum = 0.0;
    for (const float x : values) {
        const double real = static_cast<double>(x);
        const double off = real - dequantize_value(quantize_real(real, params), params);
        sum += off * off;
    }
    return sum;
}

TEST_CASE("histogram: every value is counted in the bin that holds it, however wide later values make the bins") {
    const std::vector<float> values = laplace_numbers(1, 3000);
    Histogram small = histogram_of(values), grown;
    const float tiny = 1e-30f;
    grown.add(std::span(&tiny, 1));
    grown.add(values);
    double all = 0.0;
    for (std::size_t bin = 0; bin < Histogram::bin_count; ++bin) {
        const double inside = static_cast<double>(std::count_if(values.begin(), values.end(), [&](float x) {
            return static_cast<double>(x) >= small.edge(bin) && static_cast<double>(x) < small.edge(bin + 1);
        }));
        if (bin % 97 == 0 || bin == small.first()) CHECK(small[bin] == inside);
        CHECK(grown[bin] == small[bin] + (bin == Histogram::bin_count / 2 ? 1.0 : 0.0));
        all += small[bin];
    }
    CHECK(all == 3000.0);
    const float zeros[] = {0.0f, -0.0f};
    small.add(zeros);
    CHECK(small.zeros() == 2);
}

TEST_CASE("mse: no other range of a fine grid leaves a smaller squared error, measured on the values themselves") {
    std::vector<float> skewed = laplace_numbers(3, 20000);
    for (float& x : skewed) x = x < 0.0f ? 0.1f * x : x;
    std::vector<float> outlier = laplace_numbers(4, 20000);
    outlier[100] = 400.0f;
    for (const auto& values : {laplace_numbers(2, 20000), rectified(laplace_numbers(2, 20000)), skewed, outlier}) {
        const Range all{*std::min_element(values.begin(), values.end()), *std::max_element(values.begin(), values.end())};
        const double found = squared_error(values, mse_range(histogram_of(values)));
        double least = squared_error(values, all);
        CHECK(found < least);
        for (int lo = 0; lo <= 20; ++lo) {
            for (int hi = 1; hi <= 20; ++hi) {
                least = std::min(least, squared_error(values, {all.lo * static_cast<float>(lo) / 20.0f,
                                                               all.hi * static_cast<float>(hi) / 20.0f}));
            }
        }
        CHECK(found <= 1.05 * least);  // the noise of rounding is taken as uniform
    }
}

/// The divergence of the values clipped to `range` from what `levels` equal levels leave of them, on a grid of `grid` cells.
double divergence(const std::vector<float>& values, Range range, std::size_t levels, std::size_t grid) {
    std::vector<double> p(grid, 0.0), q(grid, 0.0);
    double inside = 0.0, all = 0.0;
    for (const float x : values) {
        if (x == 0.0f) continue;
        const double place = (static_cast<double>(x) - static_cast<double>(range.lo)) /
                             (static_cast<double>(range.hi) - static_cast<double>(range.lo)) * static_cast<double>(grid);
        const double last = static_cast<double>(grid - 1);
        const auto cell = static_cast<std::size_t>(place < 0.0 ? 0.0 : place > last ? last : place);
        p[cell] += 1.0;
        all += 1.0;
        if (place < 0.0 || place >= static_cast<double>(grid)) continue;
        q[cell] += 1.0;
        inside += 1.0;
    }
    double sum = 0.0;
    for (std::size_t level = 0; level < levels; ++level) {
        const std::size_t from = level * grid / levels, to = (level + 1) * grid / levels;
        double held = 0.0, cells = 0.0;
        for (std::size_t cell = from; cell < to; ++cell) {
            held += q[cell];
            cells += q[cell] > 0.0 ? 1.0 : 0.0;
        }
        for (std::size_t cell = from; cell < to; ++cell) {
            if (q[cell] > 0.0) sum += p[cell] / all * std::log(p[cell] / all / (held / cells / inside));
        }
    }
    return sum;
}

TEST_CASE("entropy: a few outliers are cut away, and the range tells the values better than the whole one does") {
    std::vector<float> values = laplace_numbers(5, 50000);
    for (std::size_t i = 0; i < 5; ++i) values[1000 * i] = 60.0f + static_cast<float>(i);
    for (const auto& numbers : {values, rectified(values)}) {
        const Range range = entropy_range(histogram_of(numbers));
        const float lo = *std::min_element(numbers.begin(), numbers.end());
        CHECK(range.hi < 40.0f);
        CHECK(range.hi > 2.0f);
        const auto cells = [&](Range r) {
            const Histogram h = histogram_of(numbers);
            return static_cast<std::size_t>(std::lround(static_cast<double>(r.hi - r.lo) / (h.edge(1) - h.edge(0))));
        };
        const Range whole{lo, 65.0f};
        CHECK(divergence(numbers, range, 256, cells(range)) < divergence(numbers, whole, 256, cells(whole)));
    }
}

TEST_CASE("entropy: evenly spread values keep their whole range") {
    Random random(6);
    std::vector<float> values(200000);
    for (float& x : values) x = 2.0f * random.uniform() - 0.5f;
    const Range range = entropy_range(histogram_of(values));
    CHECK(range.lo < -0.49f);
    CHECK(range.hi > 1.47f);
}

TEST_CASE("histogram: zeros, one value, denormals and the largest numbers give ranges that hold them") {
    for (const float value : {0.0f, 1.0f, -1.0f, 1e-44f, 3e38f, -3e38f}) {
        const std::vector<float> values(100, value);
        const Histogram histogram = histogram_of(values);
        for (const Range range : {percentile_range(histogram, 99.0), mse_range(histogram), entropy_range(histogram)}) {
            CAPTURE(value, range.lo, range.hi);
            CHECK(range.lo <= value);
            CHECK(range.hi >= value);
        }
    }
}

}  // namespace histogram_test
