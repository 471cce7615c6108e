// SPDX-License-Identifier: MIT
#pragma once
// What each function of one and of two numbers is, by other formulas than core/functions.hpp where there are any.

#include <mote/core/functions.hpp>

#include <algorithm>
#include <cmath>

namespace reference {

using mote::BinaryFunction;
using mote::UnaryFunction;

inline double function_of(UnaryFunction function, double a, double b, double x) {
    using F = UnaryFunction;
    const double plus = std::max(x, 0.0), below = std::min(x, 0.0);  // the two sides of 0
    const auto tanh_of = [](double t) { return 1 - 2 / (std::exp(2 * t) + 1); };
    switch (function) {
        case F::abs:
            return plus - below;
        case F::acos:
            return std::acos(x);
        case F::acosh:
            return std::acosh(x);
        case F::asin:
            return std::asin(x);
        case F::asinh:
            return std::asinh(x);
        case F::atan:
            return std::atan(x);
        case F::atanh:
            return std::atanh(x);
        case F::ceil:
            return -std::floor(-x);
        case F::celu:
            return plus + a * (std::exp(below / a) - 1);
        case F::clip:
            return std::min(std::max(x, a), b);
        case F::cos:
            return std::cos(x);
        case F::cosh:
            return (std::exp(x) + std::exp(-x)) / 2;
        case F::elu:
            return plus + a * (std::exp(below) - 1);
        case F::erf:
            return 1 - std::erfc(x);
        case F::exp:
            return std::exp(x);
        case F::floor:
            return -std::ceil(-x);
        case F::gelu:
            return x * (1 + std::erf(x / std::sqrt(2.0))) / 2;
        case F::gelu_tanh:
            return x * (1 + tanh_of(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x))) / 2;
        case F::linear:
            return a * x + b;
        case F::log:
            return std::log(x);
        case F::mish:
            return x * tanh_of(std::log(1 + std::exp(x)));
        case F::reciprocal:
            return 1 / x;
        case F::round:
            return std::rint(x);
        case F::rsqrt:
            return std::pow(x, -0.5);
        case F::selu:
            return b * (plus + a * (std::exp(below) - 1));
        case F::shrink:
            return x < -a ? x + b : x > a ? x - b : 0;
        case F::sign:
            return static_cast<double>(x > 0) - static_cast<double>(x < 0);
        case F::sin:
            return std::sin(x);
        case F::sinh:
            return (std::exp(x) - std::exp(-x)) / 2;
        case F::softplus:
            return std::max(x, 0.0) + std::log(1 + std::exp(-std::fabs(x)));
        case F::softsign:
            return x / (1 + std::fabs(x));
        case F::sqrt:
            return std::pow(x, 0.5);
        case F::square:
            return std::pow(x, 2);
        case F::tan:
            return std::tan(x);
        case F::thresholded_relu:
            return x > a ? x : 0;
    }
    return 0;
}
inline double function_of(BinaryFunction function, double x, double y) {
    using F = BinaryFunction;
    const double turns = std::floor(x / y);
    switch (function) {
        case F::add:
            return x + y;
        case F::sub:
            return x - y;
        case F::mul:
            return x * y;
        case F::div:
            return x / y;
        case F::pow:
            return std::pow(x, y);
        case F::max:
            return std::max(x, y);
        case F::min:
            return std::min(x, y);
        case F::fmod:
            return x - y * std::trunc(x / y);
        case F::floor_mod:
            return x - y * turns;
        case F::floor_div:
            return turns;
        case F::prelu:
            return std::max(x, 0.0) + y * std::min(x, 0.0);
        case F::squared_difference:
            return x * x - 2 * x * y + y * y;
    }
    return 0;
}

}  // namespace reference
