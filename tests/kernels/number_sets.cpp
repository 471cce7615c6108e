// SPDX-License-Identifier: MIT
// Reductions and products of numbers of any element.

#include <mote/kernels/number_sets.hpp>
#include <mote/kernels/reduce.hpp>

#include <support/catch.hpp>
#include <support/generate.hpp>

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

namespace number_sets_test {

using namespace mote;
namespace reference = kernels::reference;

template <class T>
T reduced(Reduction function, Element element, const std::vector<T>& x) {
    T result{};
    reference::reduce_numbers({1, 1, static_cast<std::int32_t>(x.size())}, function, element, x.data(), &result);
    return result;
}

}  // namespace number_sets_test

TEST_CASE("number sets: integers are added in their own width; of none the largest is the least there is") {
    using namespace number_sets_test;
    std::vector<std::int8_t> x(100, 3);
    x[7] = -128;
    CHECK(reduced(Reduction::sum, Element::i8, x) == static_cast<std::int8_t>(99 * 3 - 128));
    CHECK(reduced(Reduction::max, Element::i8, x) == 3);
    CHECK(reduced(Reduction::min, Element::i8, x) == -128);
    CHECK(reduced<std::int64_t>(Reduction::prod, Element::i64, {2, -3, 4}) == -24);
    CHECK(reduced<std::int64_t>(Reduction::l1, Element::i64, {2, -3, 4}) == 9);
    CHECK(reduced<std::int64_t>(Reduction::l2, Element::i64, {3, -4}) == 5);
    CHECK(reduced<std::int32_t>(Reduction::sum_square, Element::i32, {3, -4}) == 25);
    CHECK(reduced<std::int32_t>(Reduction::mean, Element::i32, {3, -4, -4}) == -1);
    CHECK(reduced<std::int16_t>(Reduction::max, Element::i16, {}) == -32768);
    CHECK(reduced<std::uint64_t>(Reduction::min, Element::u64, {}) == std::numeric_limits<std::uint64_t>::max());
    CHECK(reduced<std::uint64_t>(Reduction::max, Element::u64, {std::uint64_t{1} << 63, 5}) == std::uint64_t{1} << 63);
    CHECK(reduced<std::uint8_t>(Reduction::max, Element::b8, {0, 1, 0}) == 1);
    CHECK(reduced<std::uint8_t>(Reduction::min, Element::b8, {}) == 1);
}

TEST_CASE("number sets: of floats they are what the f32 kernels make, over the middle axis and of no numbers too") {
    using namespace number_sets_test;
    const RowGeometry g{2, 3, 70};
    Random random(5);
    std::vector<float> x = support::floats(2 * 3 * 70, random);
    for (float& value : x) value = value * value + 0.1f;  // for the logarithm
    std::vector<float> got(6), expected(6);
    for (int i = 0; i < reduction_count; ++i) {
        const auto function = static_cast<Reduction>(i);
        if (function == Reduction::prod) continue;  // leaves f32's range
        reference::reduce_numbers(g, function, Element::f32, x.data(), got.data());
        reference::reduce_f32(g, function, x.data(), expected.data());
        for (std::size_t k = 0; k < 6; ++k) {
            INFO(i);
            CHECK(got[k] == Approx(expected[k]).epsilon(1e-5));
        }
    }
    const float infinity = std::numeric_limits<float>::infinity();
    CHECK(reduced<float>(Reduction::log_sum_exp, Element::f32, {}) == -infinity);
    CHECK(reduced<float>(Reduction::log_sum_exp, Element::f32, {infinity, 1}) == infinity);
    for (int i = 0; i < reduction_count; ++i) {  // the f32 kernel agrees on nothing
        const auto function = static_cast<Reduction>(i);
        reference::reduce_f32(RowGeometry{1, 1, 0}, function, x.data(), expected.data());
        const float none = reduced<float>(function, Element::f32, {});
        CHECK((none == expected[0] || (none != none && expected[0] != expected[0])));
    }
}

TEST_CASE("number sets: the largest numbers in order, the first of equal ones first, whatever the element and the axis") {
    using namespace number_sets_test;
    Random random(3);
    for (int round = 0; round < 60; ++round) {
        const auto n = static_cast<std::int32_t>(1 + random.below(40)),
                   kept = static_cast<std::int32_t>(random.below(static_cast<std::size_t>(n) + 1));
        const bool largest = random.below(2) == 0;
        std::vector<std::int64_t> x(static_cast<std::size_t>(2 * n));  // two columns
        for (std::int64_t& value : x) value = static_cast<std::int64_t>(random.below(9)) - 4;
        std::vector<std::int64_t> values(static_cast<std::size_t>(2 * kept)), indices(values.size());
        reference::top_numbers({1, 2, n}, kept, largest, Element::i64, x.data(), values.data(), indices.data());
        for (std::size_t column = 0; column < 2; ++column) {
            std::vector<std::int64_t> order(static_cast<std::size_t>(n));
            std::iota(order.begin(), order.end(), 0);
            const auto at = [&](std::int64_t i) { return x[static_cast<std::size_t>(2 * i) + column]; };
            std::stable_sort(order.begin(), order.end(),
                             [&](std::int64_t i, std::int64_t j) { return largest ? at(i) > at(j) : at(i) < at(j); });
            for (std::size_t i = 0; i < static_cast<std::size_t>(kept); ++i) {
                CHECK(indices[2 * i + column] == order[i]);
                CHECK(values[2 * i + column] == at(order[i]));
            }
        }
    }
    const std::uint64_t u[] = {1, ~std::uint64_t{0}, 2};
    std::int64_t index = 0;
    std::uint64_t top = 0;
    reference::top_numbers({1, 1, 3}, 1, true, Element::u64, u, &top, &index);
    CHECK(index == 1);
    reference::arg_max_numbers({1, 1, 3}, true, false, Element::u64, u, &index);
    CHECK(index == 1);
    const std::int16_t tied[] = {4, -9, 4, -9};
    reference::arg_max_numbers({1, 1, 4}, false, true, Element::i16, tied, &index);
    CHECK(index == 3);
}

TEST_CASE("number sets: products of integers, transposed or not, wrap; convolutions too, in groups and with holes") {
    using namespace number_sets_test;
    const std::int32_t a[] = {1, 2, 3, 4, 5, 6}, b[] = {7, 8, 9, 10, 11, 12};  // [2, 3] x [3, 2]
    const std::vector<std::int32_t> expected{58, 64, 139, 154};
    const std::int32_t a_turned[] = {1, 4, 2, 5, 3, 6}, b_turned[] = {7, 9, 11, 8, 10, 12};
    for (int turned = 0; turned < 4; ++turned) {
        std::vector<std::int32_t> c(4);
        const bool left = (turned & 1) != 0, right = (turned & 2) != 0;
        reference::multiply_numbers(Element::i32, 2, 2, 3, left, right, 0, left ? a_turned : a, 0, right ? b_turned : b, 0,
                                    c.data());
        CHECK(c == expected);
    }
    const std::uint8_t x[] = {200, 3}, y[] = {2, 1};
    std::uint8_t z = 0;
    reference::multiply_numbers(Element::u8, 1, 1, 2, false, false, 0, x, 0, y, 0, &z);
    CHECK(z == static_cast<std::uint8_t>(403));

    ConvGeometry g;  // 1x4 pixels of 2 channels, each its own group; a window of two taps two apart
    g.in_width = 4;
    g.in_channels = g.out_channels = g.groups = 2;
    g.kernel_width = 2;
    g.dilation_width = 2;
    g.pad_left = 1;
    g.out_width = 4;
    const std::int32_t image[] = {1, 10, 2, 20, 3, 30, 4, 40}, weight[] = {1, 100, -1, 5}, bias[] = {0, 7};
    std::vector<std::int32_t> out(8);
    reference::conv2d_i32(g, image, weight, bias, out.data());
    CHECK(out == std::vector<std::int32_t>{200, 107, 301, 147, 402, 187, 3, -23});
}
