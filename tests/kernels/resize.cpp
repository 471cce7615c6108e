// SPDX-License-Identifier: MIT
// Resizing: known vectors, sums of any taps, and bytes within one rounding of the real result.

#include <mote/core/random.hpp>
#include <mote/kernels/resize.hpp>

#include <support/catch.hpp>

#include <cmath>
#include <vector>

namespace resize_test {

using namespace mote::kernels::reference;
using mote::kernels::ResizeTable;

constexpr std::int32_t one = 1 << resize_fraction;

/// Indices and weights of `out` pixels of `in`, some of them outside.
template <class Weight>
struct Taps {
    std::vector<std::int32_t> index;
    std::vector<Weight> weight;
    ResizeTable<Weight> table() const { return {index.data(), weight.data()}; }
};
template <class Weight>
Taps<Weight> taps(mote::Random& random, std::int32_t in, std::int32_t out, std::int32_t count) {
    Taps<Weight> result;
    for (std::int32_t i = 0; i < out; ++i) {
        Weight rest = std::is_same_v<Weight, float> ? Weight{1} : static_cast<Weight>(one);
        const bool outside = random.below(6) == 0;
        for (std::int32_t k = 0; k < count; ++k) {
            Weight w = rest;  // the last one, behind which those of weight 0 stand
            if (k + 1 < count && random.below(4) != 0)
                w = static_cast<Weight>(static_cast<double>(rest) * (static_cast<double>(random.uniform()) * 2 - 0.5));
            result.index.push_back(outside && k == 0 ? -1
                                                     : static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(in))));
            result.weight.push_back(w);
            rest -= w;
        }
    }
    return result;
}

/// The same in double, pixel by pixel.
template <class T, class Weight>
double expected(const mote::ConvGeometry& g, const Taps<Weight>& rows, const Taps<Weight>& columns, double outside,
                const std::vector<T>& in, std::int32_t n, std::int32_t y, std::int32_t x, std::int32_t c) {
    const double unit = std::is_same_v<Weight, float> ? 1.0 : static_cast<double>(one);
    if (rows.index[static_cast<std::size_t>(y * g.kernel_height)] < 0) return outside;
    if (columns.index[static_cast<std::size_t>(x * g.kernel_width)] < 0) return outside;
    double sum = 0;
    for (std::int32_t i = 0; i < g.kernel_height; ++i) {
        for (std::int32_t j = 0; j < g.kernel_width; ++j) {
            const auto r = static_cast<std::size_t>(y * g.kernel_height + i),
                       k = static_cast<std::size_t>(x * g.kernel_width + j);
            const auto at = static_cast<std::size_t>(
                ((n * g.in_height + rows.index[r]) * g.in_width + columns.index[k]) * g.in_channels + c);
            const double weight = static_cast<double>(rows.weight[r]) / unit * static_cast<double>(columns.weight[k]) / unit;
            if (weight != 0.0) sum += weight * static_cast<double>(in[at]);
        }
    }
    return sum;
}

mote::ConvGeometry geometry(mote::Random& random) {
    const auto extent = [&] { return 1 + static_cast<std::int32_t>(random.below(6)); };
    mote::ConvGeometry g;
    g.batch = 1 + static_cast<std::int32_t>(random.below(2));
    g.in_height = extent(), g.in_width = extent(), g.out_height = extent(), g.out_width = extent();
    g.in_channels = g.out_channels = extent();
    g.kernel_height = 1 + static_cast<std::int32_t>(random.below(4));
    g.kernel_width = 1 + static_cast<std::int32_t>(random.below(4));
    return g;
}

/// Calls compare(output place, n, y, x, c).
template <class Compare>
void each_output(const mote::ConvGeometry& g, const Compare& compare) {
    std::size_t at = 0;
    for (std::int32_t n = 0; n < g.batch; ++n) {
        for (std::int32_t y = 0; y < g.out_height; ++y) {
            for (std::int32_t x = 0; x < g.out_width; ++x) {
                for (std::int32_t c = 0; c < g.in_channels; ++c) compare(at++, n, y, x, c);
            }
        }
    }
}

}  // namespace resize_test

TEST_CASE("resize_f32: two columns become four with half-pixel centres") {
    using namespace resize_test;
    mote::ConvGeometry g;
    g.in_width = 2, g.out_width = 4, g.kernel_width = 2;
    const std::int32_t row = 0, index[] = {0, 0, 0, 1, 0, 1, 1, 0};
    const float whole = 1.0f, weight[] = {1, 0, 0.75f, 0.25f, 0.25f, 0.75f, 1, 0}, in[] = {1, 5};
    float out[4];
    resize_f32(g, {&row, &whole}, {index, weight}, 0.0f, in, out, nullptr);
    CHECK(out[0] == 1.0f);
    CHECK(out[1] == 2.0f);
    CHECK(out[2] == 4.0f);
    CHECK(out[3] == 5.0f);
    CHECK(resize_scratch_bytes(g) == 0);
    g.kernel_height = 2;
    CHECK(resize_scratch_bytes(g) == 8);
}

TEST_CASE("resize: any taps, of reals within rounding, of bytes rounded once") {
    using namespace resize_test;
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 1);
        const mote::ConvGeometry g = geometry(random);
        const auto elements = static_cast<std::size_t>(g.batch * g.in_height * g.in_width * g.in_channels);
        const auto made = static_cast<std::size_t>(g.batch * g.out_height * g.out_width * g.in_channels);
        std::vector<char> scratch(resize_scratch_bytes(g));
        const Taps<float> rows = taps<float>(random, g.in_height, g.out_height, g.kernel_height);
        const Taps<float> columns = taps<float>(random, g.in_width, g.out_width, g.kernel_width);
        std::vector<float> x(elements), y(made);
        for (float& v : x) v = random.normal();
        resize_f32(g, rows.table(), columns.table(), -7.5f, x.data(), y.data(), scratch.data());
        each_output(g, [&](std::size_t at, std::int32_t n, std::int32_t row, std::int32_t column, std::int32_t c) {
            const double wanted = expected(g, rows, columns, -7.5, x, n, row, column, c);
            if (std::fabs(static_cast<double>(y[at]) - wanted) > 1e-4) CHECK(static_cast<double>(y[at]) == wanted);
        });
        const Taps<std::int32_t> down = taps<std::int32_t>(random, g.in_height, g.out_height, g.kernel_height);
        const Taps<std::int32_t> across = taps<std::int32_t>(random, g.in_width, g.out_width, g.kernel_width);
        std::vector<std::int8_t> p(elements), q(made);
        for (std::int8_t& v : p) v = static_cast<std::int8_t>(static_cast<int>(random.below(256)) - 128);
        resize_i8(g, down.table(), across.table(), std::int8_t{-33}, p.data(), q.data(), scratch.data());
        each_output(g, [&](std::size_t at, std::int32_t n, std::int32_t row, std::int32_t column, std::int32_t c) {
            const double sum = std::nearbyint(expected(g, down, across, -33, p, n, row, column, c));
            CHECK(static_cast<double>(q[at]) == std::fmin(std::fmax(sum, -128), 127));
        });
    }
}

TEST_CASE("resize: a tap of weight 0 reads nothing, so that it spreads no infinity") {
    using namespace resize_test;
    mote::ConvGeometry g;
    g.in_height = g.in_width = g.kernel_height = g.kernel_width = 2;
    const std::int32_t index[] = {1, 0};
    const float weight[] = {1, 0}, in[] = {__builtin_huge_valf(), 2, 3, 4};
    float out = 0, scratch[2];
    resize_f32(g, {index, weight}, {index, weight}, 0.0f, in, &out, scratch);
    CHECK(out == 4.0f);
}

TEST_CASE("resize_i8: ties go to the even byte, and the ends of the range hold an overshoot") {
    using namespace resize_test;
    mote::ConvGeometry g;
    g.in_width = g.kernel_width = 2;
    const std::int32_t row = 0, index[] = {0, 1}, half[] = {one / 2, one / 2}, beyond[] = {3 * (one / 2), -(one / 2)};
    std::int8_t out = 0;
    const auto of = [&](const std::int32_t(&weight)[2], std::int8_t a, std::int8_t b) {
        const std::int8_t in[] = {a, b};
        resize_i8(g, {&row, &one}, {index, weight}, std::int8_t{0}, in, &out, nullptr);
        return int{out};
    };
    CHECK(of(half, 1, 2) == 2);
    CHECK(of(half, 2, 3) == 2);
    CHECK(of(half, -1, -2) == -2);
    CHECK(of(half, -128, -128) == -128);
    CHECK(of(beyond, 127, -128) == 127);
    CHECK(of(beyond, -128, 127) == -128);
}
