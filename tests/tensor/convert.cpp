// SPDX-License-Identifier: MIT
// convert: every pair of elements against one rule told in long double.

#include <mote/core/random.hpp>
#include <mote/tensor/convert.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

namespace convert_test {

using namespace mote;

static_assert(std::numeric_limits<long double>::digits >= 64, "the oracle holds every double and every int64");

/// A number that is exact: every element of every tag is a long double.
template <class P>
long double exact(const Tensor<P>& tensor, std::size_t index) {
    return static_cast<long double>(get(tensor, index));
}

/// Nearest multiple of 2^`unit`, ties to even.
long double rounded(long double value, int unit) {
    const long double steps = std::ldexp(value, -unit);
    const long double low = std::floor(steps);
    const long double rest = steps - low;
    const bool up = rest > 0.5L || (rest == 0.5L && std::fmod(low, 2.0L) != 0.0L);
    return std::ldexp(up ? low + 1.0L : low, unit);
}

/// Rounded to a float format of `digits` bits whose least normal number is 2^`least` and which overflows at 2^`most`.
long double float_rounded(long double value, int digits, int least, int most) {
    if (std::isnan(value) || std::isinf(value) || value == 0) return value;
    int exponent;
    std::frexp(value, &exponent);
    const int unit = (exponent - 1 < least ? least : exponent - 1) - (digits - 1);
    const long double result = rounded(value, unit);
    const bool overflows = std::fabs(result) >= std::ldexp(1.0L, most);
    return std::copysign(overflows ? std::numeric_limits<long double>::infinity() : result, value);
}

long double saturated(long double value, long double low, long double high) {
    if (std::isnan(value)) return 0;
    const long double whole = std::isinf(value) ? value : rounded(value, 0);
    return whole < low ? low : whole > high ? high : whole;
}

/// What `value` must become in element To.
template <class To>
long double expected(long double value) {
    if constexpr (std::is_same_v<To, f64>) return float_rounded(value, 53, -1022, 1024);
    if constexpr (std::is_same_v<To, f32>) return float_rounded(value, 24, -126, 128);
    if constexpr (std::is_same_v<To, f16>) return float_rounded(value, 11, -14, 16);
    if constexpr (std::is_same_v<To, bf16>) return float_rounded(value, 8, -126, 128);
    if constexpr (std::is_same_v<To, i64>) return saturated(value, -0x1p63L, 0x1p63L - 1);
    if constexpr (std::is_same_v<To, i32>) return saturated(value, -0x1p31L, 0x1p31L - 1);
    if constexpr (std::is_same_v<To, i16>) return saturated(value, -32768, 32767);
    if constexpr (std::is_same_v<To, i8>) return saturated(value, -128, 127);
    if constexpr (std::is_same_v<To, u8>) return saturated(value, 0, 255);
    if constexpr (std::is_same_v<To, i4>) return saturated(value, -8, 7);
    if constexpr (std::is_same_v<To, b8>) return value != 0;
}

/// Random bits (so that all magnitudes, infinities and NaN occur), small halves (so that ties occur), and numbers beside the
/// limits of every element, as far as From holds them.
template <class From>
Tensor<From> numbers(std::uint64_t seed) {
    std::vector<double> reals;
    for (const double limit : {0.0,
                               0.5,
                               1.5,
                               2.5,
                               7.0,
                               7.5,
                               8.0,
                               8.5,
                               127.5,
                               128.5,
                               255.5,
                               32767.5,
                               32768.5,
                               65504.0,
                               65519.99,
                               65520.0,
                               2147483647.5,
                               2147483648.5,
                               0x1p63,
                               0x1p-24,
                               0x1p-25,
                               0x1.000002p-25,
                               0x1p-126,
                               0x1p-149,
                               0x1p-150,
                               0x1.8p-150,
                               0x1.fffffep127,
                               0x1.ffffffp127,
                               0x1p128,
                               0x1.ffp127,
                               0x1.fep127}) {
        for (const double near : {limit, std::nextafter(limit, 1e300), std::nextafter(limit, -1e300)}) {
            reals.push_back(near);
            reals.push_back(-near);
        }
    }
    for (const double special : {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                                 std::numeric_limits<double>::quiet_NaN(), 0x1.004p0, 0x1.00400001p0, 0x1.0080000001p0}) {
        reals.push_back(special);
    }
    Random random(seed);
    const std::size_t drawn = 400;
    Tensor<From> tensor(Shape{drawn + reals.size()});
    for (std::size_t i = 0; i < drawn; ++i) {
        const std::uint64_t bits = random.bits() >> random.below(60);
        if constexpr (std::is_same_v<From, b8>) {
            tensor[i] = (bits & 1u) != 0;
        } else if constexpr (std::is_same_v<From, i4>) {
            set(tensor, i, static_cast<std::int8_t>(bits & 15u));
        } else {
            std::memcpy(static_cast<void*>(&tensor[i]), &bits, sizeof tensor[i]);
        }
    }
    const Tensor<f64> list(Shape{reals.size()}, reals);
    const Tensor<From> held = convert<From>(list);
    for (std::size_t i = 0; i < reals.size(); ++i) set(tensor, drawn + i, get(held, i));
    return tensor;
}

template <class To, class From>
void check_pair() {
    INFO(From::name << " -> " << To::name);
    const Tensor<From> from = numbers<From>(7);
    const Tensor<To> to = convert<To>(from);
    REQUIRE(to.shape() == from.shape());
    for (std::size_t i = 0; i < from.elements(); ++i) {
        const long double want = expected<To>(exact(from, i));
        const long double got = exact(to, i);
        const bool right = std::isnan(want) ? std::isnan(got)
                                            : got == want && (want != 0 || detail::is_float<To> == false ||
                                                              std::signbit(got) == std::signbit(want));
        if (!right) {
            CAPTURE(i, static_cast<double>(exact(from, i)), static_cast<double>(want), static_cast<double>(got));
            CHECK(right);
        }
    }
}

template <class From, class... To>
void check_from() {
    (check_pair<To, From>(), ...);
}

template <class... P>
void check_all() {
    (check_from<P, P...>(), ...);
}

}  // namespace convert_test

TEST_CASE("convert: all 121 pairs of elements round once, to nearest even, and saturate") {
    using namespace convert_test;
    check_all<f64, f32, f16, bf16, i64, i32, i16, i8, u8, i4, b8>();
}

TEST_CASE("convert: NaN becomes 0 in integers and true in truth values; infinities saturate") {
    using namespace convert_test;
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    const Tensor<f32> special({3}, {nan, infinity, -infinity});
    CHECK(convert<i8>(special) == Tensor<i8>({3}, {0, 127, -128}));
    CHECK(convert<i64>(special) ==
          Tensor<i64>({3}, {0, std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}));
    CHECK(convert<u8>(special) == Tensor<u8>({3}, {0, 255, 0}));
    CHECK(convert<b8>(special) == Tensor<b8>({3}, {true, true, true}));
}

TEST_CASE("convert: double to 16-bit floats rounds once where two roundings would go wrong") {
    using namespace convert_test;
    // just above a tie of half: rounding to float first would make it the tie, and then even, which is down
    const Tensor<f64> value({1}, {1.0 + 0x1p-11 + 0x1p-40});
    CHECK(get(convert<f16>(value), 0) == 1.0f + 0x1p-10f);
    const Tensor<f64> other({1}, {1.0 + 0x1p-8 + 0x1p-40});
    CHECK(get(convert<bf16>(other), 0) == 1.0f + 0x1p-7f);
    const Tensor<i64> whole({1}, {(std::int64_t{1} << 62) + (std::int64_t{1} << 54) + 1});
    CHECK(get(convert<bf16>(whole), 0) == 0x1p62f + 0x1p55f);
}

TEST_CASE("get and set: four-bit elements are packed lower half first, odd counts leave the rest of the byte alone") {
    using namespace convert_test;
    Tensor<i4> tensor(Shape{5});
    for (std::size_t i = 0; i < 5; ++i) set(tensor, i, static_cast<std::int8_t>(static_cast<int>(i) - 3));
    CHECK(tensor.size() == 3);
    CHECK(tensor[0] == 0xed);
    CHECK(tensor[1] == 0x0f);
    CHECK(tensor[2] == 0x01);
    for (std::size_t i = 0; i < 5; ++i) CHECK(get(tensor, i) == static_cast<int>(i) - 3);
    set(tensor, 1, 7);
    CHECK(get(tensor, 0) == -3);
    CHECK(get(tensor, 1) == 7);
    const Tensor<i4> all({16}, {0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe});
    for (int i = 0; i < 16; ++i) CHECK(get(all, static_cast<std::size_t>(i)) == (i < 8 ? i : i - 16));
}

TEST_CASE("get: a borrowed truth value is read as its byte, whatever it holds") {
    using namespace convert_test;
    auto bytes = std::make_shared<std::vector<unsigned char>>(std::vector<unsigned char>{0, 1, 2, 255});
    const Tensor<b8> tensor = Tensor<b8>::borrow({4}, reinterpret_cast<const bool*>(bytes->data()), bytes);
    CHECK(convert<u8>(tensor) == Tensor<u8>({4}, {0, 1, 1, 1}));
    CHECK(convert<b8>(tensor) == Tensor<b8>({4}, {false, true, true, true}));
}

TEST_CASE("convert: quantization goes along between integers and nowhere else") {
    using namespace convert_test;
    Tensor<i8> tensor({2}, {-100, 100});
    tensor.set_quantization(QuantizationParams{0.5f, 3});
    CHECK(convert<i32>(tensor).quantization() == tensor.quantization());
    CHECK(convert<i4>(tensor).quantization() == tensor.quantization());
    CHECK(convert<i8>(tensor) == tensor);
    CHECK_FALSE(convert<f32>(tensor).quantization().present());
    CHECK_FALSE(convert<b8>(tensor).quantization().present());
}

TEST_CASE("convert: shapes without elements and of rank 0 stay so; borrowed memory is read and not written") {
    using namespace convert_test;
    CHECK(convert<i8>(Tensor<f32>(Shape{3, 0})).shape() == Shape{3, 0});
    CHECK(convert<f64>(Tensor<i4>(Shape{})).shape() == Shape{});
    const auto owner = std::make_shared<std::vector<float>>(std::vector<float>{1.5f, 2.5f});
    Tensor<f32> borrowed = Tensor<f32>::borrow({2}, owner->data(), owner);
    CHECK(convert<i32>(borrowed) == Tensor<i32>({2}, {2, 2}));
    CHECK_ERROR(set(borrowed, 0, 1.0f), "read-only");
}
