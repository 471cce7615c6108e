// SPDX-License-Identifier: MIT
// Numbers of any element: what is read, computed and written, against C++'s arithmetic in the element's own type.

#include <mote/kernels/numbers.hpp>

#include <support/catch.hpp>

#include <limits>
#include <type_traits>
#include <vector>

namespace numbers_test {

using namespace mote;
namespace reference = kernels::reference;

template <class... P, class Check>
void for_tags(Check check) {
    (check(P{}), ...);
}
template <class Check>
void for_integers(Check check) {
    for_tags<i64, i32, i16, i8, u64, u32, u16, u8>(check);
}

/// Numbers at the ends of T and about 0.
template <class T>
std::vector<T> numbers() {
    std::vector<T> result{std::numeric_limits<T>::lowest(), std::numeric_limits<T>::max()};
    for (int i = 0; i < 70; ++i) result.push_back(static_cast<T>(i * 37 - 900));
    return result;
}

/// What C++ makes of two integers of the narrow type, computed in the wide one, which wraps.
template <class T>
T expected(BinaryFunction function, T x, T y) {
    using Unsigned = std::make_unsigned_t<T>;
    const auto a = static_cast<Unsigned>(x), b = static_cast<Unsigned>(y);
    const bool minus_one = std::is_signed_v<T> && b == static_cast<Unsigned>(-1);
    const auto quotient = [&] { return minus_one ? static_cast<T>(static_cast<Unsigned>(0u - a)) : static_cast<T>(x / y); };
    const auto rest = [&] { return minus_one ? T(0) : static_cast<T>(x % y); };
    switch (function) {
        case BinaryFunction::add:
            return static_cast<T>(static_cast<Unsigned>(a + b));
        case BinaryFunction::sub:
            return static_cast<T>(static_cast<Unsigned>(a - b));
        case BinaryFunction::mul:
            return static_cast<T>(static_cast<Unsigned>(std::uint64_t{a} * b));
        case BinaryFunction::div:
            return y == 0 ? T(0) : quotient();
        case BinaryFunction::max:
            return x > y ? x : y;
        case BinaryFunction::min:
            return x < y ? x : y;
        case BinaryFunction::fmod:
            return y == 0 ? T(0) : rest();
        case BinaryFunction::floor_mod:
            return y == 0 ? T(0) : rest() != 0 && (rest() < 0) != (y < 0) ? static_cast<T>(rest() + y) : rest();
        default:
            return y == 0 ? T(0) : rest() != 0 && (rest() < 0) != (y < 0) ? static_cast<T>(quotient() - 1) : quotient();
    }
}

BroadcastGeometry line(std::size_t count) {
    BroadcastGeometry g;
    g.rank = 1;
    g.extent[0] = static_cast<std::int32_t>(count);
    g.a_stride[0] = g.b_stride[0] = 1;
    return g;
}

}  // namespace numbers_test

TEST_CASE("numbers: functions of two integers wrap and round as C++ does in their own type; what 0 divides is 0") {
    using namespace numbers_test;
    for_integers([](auto tag) {
        using P = decltype(tag);
        using T = typename P::value_type;
        const std::vector<T> y = numbers<T>();
        for (const auto function :
             {BinaryFunction::add, BinaryFunction::sub, BinaryFunction::mul, BinaryFunction::div, BinaryFunction::max,
              BinaryFunction::min, BinaryFunction::fmod, BinaryFunction::floor_mod, BinaryFunction::floor_div}) {
            for (const T x : {std::numeric_limits<T>::lowest(), std::numeric_limits<T>::max(), T(7), static_cast<T>(-7)}) {
                BroadcastGeometry g = line(y.size());
                g.a_stride[0] = 0;
                std::vector<T> got(y.size());
                reference::binary_numbers(function, P::element, g, &x, y.data(), got.data());
                for (std::size_t i = 0; i < y.size(); ++i) {
                    INFO(P::name << " function " << static_cast<int>(function) << " of " << +x << " and " << +y[i]);
                    CHECK(got[i] == expected(function, x, y[i]));
                }
            }
        }
    });
}

TEST_CASE("numbers: integers have powers, floats are computed in double") {
    using namespace numbers_test;
    const std::int32_t x[] = {3, -2, 1, -1, -1, 0, 2, 7}, y[] = {4, 3, -5, -3, -2, 0, -1, 0};
    std::int32_t power[8];
    reference::binary_numbers(BinaryFunction::pow, Element::i32, line(8), x, y, power);
    CHECK(std::vector<std::int32_t>(power, power + 8) == std::vector<std::int32_t>{81, -8, 1, -1, 1, 1, 0, 1});
    const double a[] = {1e300, 0.1}, b[] = {1e300, 0.2};
    double sum[2];
    reference::binary_numbers(BinaryFunction::add, Element::f64, line(2), a, b, sum);
    CHECK(sum[0] == 2e300);
    CHECK(sum[1] == 0.1 + 0.2);
    const half h[] = {to_half(1.5f), to_half(-2.0f)};
    half twice[2];
    reference::binary_numbers(BinaryFunction::add, Element::f16, line(2), h, h, twice);
    CHECK(to_float(twice[0]) == 3.0f);
    CHECK(to_float(twice[1]) == -4.0f);
}

TEST_CASE("numbers: comparisons know the sign of an element, and NaN is in no relation") {
    using namespace numbers_test;
    const auto compared = [](auto tag, auto x, auto y) {
        using T = typename decltype(tag)::value_type;
        const T a = static_cast<T>(x), b = static_cast<T>(y);
        std::vector<bool> result;
        for (std::size_t i = 0; i < comparisons; ++i) {
            bool holds = false;
            reference::compare_numbers(static_cast<Comparison>(i), decltype(tag)::element, line(1), &a, &b, &holds);
            result.push_back(holds);
        }
        return result;
    };
    const std::vector<bool> equal{true, false, true, false, true}, less{false, true, true, false, false},
        greater{false, false, false, true, true}, none(5, false);
    for_integers([&](auto tag) {
        CHECK(compared(tag, 5, 5) == equal);
        CHECK(compared(tag, 5, 6) == less);
        CHECK(compared(tag, -1, 3) == (std::is_signed_v<typename decltype(tag)::value_type> ? less : greater));
    });
    CHECK(compared(f64{}, 1.0, 1.0 + 1e-15) == less);
    CHECK(compared(f32{}, std::numeric_limits<float>::quiet_NaN(), 1.0f) == none);
    CHECK(compared(b8{}, true, false) == greater);
}

TEST_CASE("numbers: bits stay within their element, and shifts keep the sign") {
    using namespace numbers_test;
    const auto bits = [](auto tag, BitOperation operation, auto x, auto y) {
        using T = typename decltype(tag)::value_type;
        const T a = static_cast<T>(x), b = static_cast<T>(y);
        T result{};
        reference::bit_numbers(operation, decltype(tag)::element, line(1), &a, &b, &result);
        return +result;
    };
    CHECK(bits(u8{}, BitOperation::both, 0xcc, 0xaa) == 0x88);
    CHECK(bits(u8{}, BitOperation::either, 0xcc, 0xaa) == 0xee);
    CHECK(bits(u8{}, BitOperation::one, 0xcc, 0xaa) == 0x66);
    CHECK(bits(i8{}, BitOperation::one, 0x0f, -1) == ~0x0f);
    CHECK(bits(u8{}, BitOperation::shift_left, 0xff, 4) == 0xf0);
    CHECK(bits(u16{}, BitOperation::shift_right, 0xffff, 12) == 0xf);
    CHECK(bits(i16{}, BitOperation::shift_right, -8, 1) == -4);
    CHECK(bits(u64{}, BitOperation::shift_right, ~std::uint64_t{0}, 63) == 1u);
    CHECK(bits(u64{}, BitOperation::shift_left, 1, 64) == 0u);
    CHECK(bits(b8{}, BitOperation::one, true, true) == 0);
}

TEST_CASE("numbers: elements become others; reals are cut and clamped to 64 bits, integers wrap") {
    using namespace numbers_test;
    const float reals[] = {-1.9f, 2.9f, 300.0f, std::numeric_limits<float>::quiet_NaN(),
                           std::numeric_limits<float>::infinity()};
    std::int64_t wide[5];
    reference::cast_numbers(Element::f32, Element::i64, 5, reals, wide);
    CHECK(std::vector<std::int64_t>(wide, wide + 4) == std::vector<std::int64_t>{-1, 2, 300, 0});
    std::uint8_t narrow[5];
    reference::cast_numbers(Element::f32, Element::u8, 5, reals, narrow);
    CHECK(std::vector<int>(narrow, narrow + 3) == std::vector<int>{255, 2, 44});
    const double big = 1.5e19;
    std::uint64_t unsigned_big = 0;
    reference::cast_numbers(Element::f64, Element::u64, 1, &big, &unsigned_big);
    CHECK(unsigned_big == 15000000000000000000u);
    float back = 0;
    reference::cast_numbers(Element::u64, Element::f32, 1, &unsigned_big, &back);
    CHECK(back == 1.5e19f);
    const std::int32_t whole[] = {-2, 0, 1};
    bool truth[3];
    reference::cast_numbers(Element::i32, Element::b8, 3, whole, truth);
    CHECK(std::vector<bool>(truth, truth + 3) == std::vector<bool>{true, false, true});
    const double rounded = 65519.99, third = 1.0 / 3.0;  // below what becomes infinite
    half h;
    reference::cast_numbers(Element::f64, Element::f16, 1, &rounded, &h);
    CHECK(to_float(h) == 65504.0f);
    bfloat bf;
    reference::cast_numbers(Element::f64, Element::bf16, 1, &third, &bf);
    CHECK(to_float(bf) == to_float(to_bfloat(1.0f / 3.0f)));
}
