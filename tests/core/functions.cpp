// SPDX-License-Identifier: MIT
// Functions of one number and of two: what their definitions say, and what IEEE 754 says of the numbers at the ends.

#include <mote/core/functions.hpp>

#include <support/catch.hpp>

#include <limits>
#include <vector>

namespace functions_test {

using mote::BinaryFunction;
using mote::UnaryFunction;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinite = std::numeric_limits<double>::infinity();

double value(UnaryFunction function, double x, double a = 0.0, double b = 0.0) {
    return mote::unary_value(function, a, b, x);
}
double value(BinaryFunction function, double x, double y) {
    return mote::binary_value(function, x, y);
}
bool same(double a, double b) {
    return std::isnan(b) ? std::isnan(a) : a == b && std::signbit(a) == std::signbit(b);
}

/// The function at points against another form of its definition.
template <class Other>
void check(UnaryFunction function, double from, double to, double a, double b, Other other) {
    for (int i = 0; i <= 100; ++i) {
        const double x = from + (to - from) * i / 100.0;
        CAPTURE(static_cast<int>(function), x);
        CHECK(value(function, x, a, b) == Approx(other(x)).epsilon(1e-9).margin(1e-12));
        const auto single = mote::unary_value(function, static_cast<float>(a), static_cast<float>(b), static_cast<float>(x));
        const double wanted = other(static_cast<double>(static_cast<float>(x)));
        CHECK(static_cast<double>(single) == Approx(wanted).epsilon(1e-4).margin(1e-6));
    }
}

double logistic_log(double x) {
    return std::log(1.0 + std::exp(x));
}

}  // namespace functions_test

TEST_CASE("functions: activations are what the papers define") {
    using namespace functions_test;
    check(UnaryFunction::celu, -5, 5, 0.7, 0,
          [](double x) { return std::max(0.0, x) + std::min(0.0, 0.7 * (std::exp(x / 0.7) - 1)); });
    check(UnaryFunction::clip, -5, 5, -1.5, 2, [](double x) { return std::min(std::max(x, -1.5), 2.0); });
    check(UnaryFunction::elu, -5, 5, 0.7, 0, [](double x) { return x > 0 ? x : 0.7 * (std::exp(x) - 1); });
    check(UnaryFunction::gelu, -5, 5, 0, 0, [](double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2.0))); });
    check(UnaryFunction::gelu_tanh, -5, 5, 0, 0,
          [](double x) { return x / 2 * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * std::pow(x, 3)))); });
    check(UnaryFunction::linear, -5, 5, -2, 0.5, [](double x) { return 0.5 - 2 * x; });
    check(UnaryFunction::mish, -5, 5, 0, 0, [](double x) { return x * std::tanh(logistic_log(x)); });
    check(UnaryFunction::selu, -5, 5, 1.6, 1.1, [](double x) { return 1.1 * (x > 0 ? x : 1.6 * std::exp(x) - 1.6); });
    check(UnaryFunction::shrink, -5, 5, 1.3, 0.4, [](double x) { return x < -1.3 ? x + 0.4 : x > 1.3 ? x - 0.4 : 0.0; });
    check(UnaryFunction::softplus, -5, 5, 0, 0, logistic_log);
    check(UnaryFunction::softsign, -5, 5, 0, 0, [](double x) { return x / (1 + std::fabs(x)); });
    check(UnaryFunction::thresholded_relu, -5, 5, 1.3, 0, [](double x) { return x > 1.3 ? x : 0.0; });
}

TEST_CASE("functions: each of C's functions is the one of its name") {
    using namespace functions_test;
    using F = UnaryFunction;
    check(F::abs, -3, 3, 0, 0, [](double x) { return std::sqrt(x * x); });
    check(F::acos, -0.9, 0.9, 0, 0, [](double x) { return std::acos(x); });
    check(F::acosh, 1.1, 9, 0, 0, [](double x) { return std::log(x + std::sqrt(x * x - 1)); });
    check(F::asin, -0.9, 0.9, 0, 0, [](double x) { return std::atan2(x, std::sqrt(1 - x * x)); });
    check(F::asinh, 0.1, 9, 0, 0, [](double x) { return std::log(x + std::sqrt(x * x + 1)); });
    check(F::atan, -5, 5, 0, 0, [](double x) { return std::atan2(x, 1.0); });
    check(F::atanh, -0.9, 0.9, 0, 0, [](double x) { return std::log((1 + x) / (1 - x)) / 2; });
    check(F::ceil, -3.3, 3.3, 0, 0, [](double x) { return -std::floor(-x); });
    check(F::cos, -5, 5, 0, 0, [](double x) { return 1 - 2 * std::pow(std::sin(x / 2), 2); });
    check(F::cosh, -4, 4, 0, 0, [](double x) { return (std::exp(x) + std::exp(-x)) / 2; });
    check(F::erf, -3, 3, 0, 0, [](double x) { return 1 - std::erfc(x); });
    check(F::exp, -4, 4, 0, 0, [](double x) { return std::pow(std::exp(x / 2), 2); });
    check(F::floor, -3.3, 3.3, 0, 0, [](double x) { return -std::ceil(-x); });
    check(F::log, 0.1, 9, 0, 0, [](double x) { return std::log2(x) * std::log(2.0); });
    check(F::reciprocal, 0.1, 9, 0, 0, [](double x) { return std::pow(x, -1); });
    check(F::rsqrt, 0.1, 9, 0, 0, [](double x) { return std::pow(x, -0.5); });
    check(F::sin, -5, 5, 0, 0, [](double x) { return 2 * std::sin(x / 2) * std::cos(x / 2); });
    check(F::sinh, -4, 4, 0, 0, [](double x) { return (std::exp(x) - std::exp(-x)) / 2; });
    check(F::sqrt, 0, 9, 0, 0, [](double x) { return std::pow(x, 0.5); });
    check(F::square, -3, 3, 0, 0, [](double x) { return std::pow(std::fabs(x), 2); });
    check(F::tan, -1.4, 1.4, 0, 0, [](double x) { return std::sin(x) / std::cos(x); });
}

TEST_CASE("functions: rounding, signs and the numbers at the ends") {
    using namespace functions_test;
    using F = UnaryFunction;
    for (const auto& [x, y] : {std::pair(0.5, 0.0), {1.5, 2.0}, {2.5, 2.0}, {-0.5, -0.0}, {-1.5, -2.0}, {2.51, 3.0}}) {
        CAPTURE(x);
        CHECK(same(value(F::round, x), y));
    }
    CHECK(value(F::sign, -3) == -1.0);
    CHECK(value(F::sign, 3) == 1.0);
    CHECK(value(F::sign, 0) == 0.0);
    for (const F function : {F::abs, F::ceil, F::celu, F::clip, F::elu, F::exp, F::gelu, F::log, F::mish, F::round, F::sign,
                             F::softplus, F::softsign, F::sqrt, F::square}) {
        CAPTURE(static_cast<int>(function));
        CHECK(std::isnan(value(function, not_a_number, 1.0, 2.0)));
    }
    CHECK(value(F::log, 0) == -infinite);
    CHECK(std::isnan(value(F::log, -1)));
    CHECK(std::isnan(value(F::sqrt, -1)));
    CHECK(same(value(F::reciprocal, -0.0), -infinite));
    CHECK(same(value(F::reciprocal, -infinite), -0.0));
    CHECK(value(F::exp, -infinite) == 0.0);
    CHECK(value(F::exp, 1000) == infinite);
    CHECK(value(F::softplus, 1000) == 1000.0);
    CHECK(value(F::softplus, -1000) == 0.0);
    CHECK(value(F::clip, infinite, -1, 2) == 2.0);
    CHECK(value(F::clip, 0, 3, 2) == 2.0);  // the upper limit is the last
    CHECK(value(F::elu, -infinite, 0.5) == -0.5);
}

TEST_CASE("functions: pairs of numbers") {
    using namespace functions_test;
    using F = BinaryFunction;
    CHECK(value(F::add, 5, -3) == 2.0);
    CHECK(value(F::sub, 5, -3) == 8.0);
    CHECK(value(F::mul, 5, -3) == -15.0);
    CHECK(value(F::div, 6, -3) == -2.0);
    CHECK(value(F::div, 1, 0) == infinite);
    CHECK(value(F::pow, 2, -3) == 0.125);
    CHECK(std::isnan(value(F::pow, -2, 0.5)));
    CHECK(value(F::fmod, -7, 3) == -1.0);
    CHECK(value(F::fmod, 7, -3) == 1.0);
    CHECK(value(F::floor_mod, -7, 3) == 2.0);
    CHECK(value(F::floor_mod, 7, -3) == -2.0);
    CHECK(value(F::floor_mod, 6, -3) == 0.0);
    CHECK(value(F::floor_div, -7, 2) == -4.0);
    CHECK(value(F::prelu, 3, 0.5) == 3.0);
    CHECK(value(F::prelu, -3, 0.5) == -1.5);
    CHECK(value(F::squared_difference, 5, 2) == 9.0);
    CHECK(value(F::max, 2, 3) == 3.0);
    CHECK(value(F::max, 3, 2) == 3.0);
    CHECK(value(F::min, 2, 3) == 2.0);
    CHECK(value(F::min, 3, 2) == 2.0);
    for (const F function : {F::max, F::min}) {
        CHECK(std::isnan(value(function, not_a_number, 1)));
        CHECK(std::isnan(value(function, 1, not_a_number)));
    }
}
