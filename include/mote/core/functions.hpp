// SPDX-License-Identifier: MIT
#pragma once
// Functions of one real number and of two: their names and what they are. One definition serves kernels, emitted headers, the
// tables of bytes and the constants of a file. NaN, infinities and signed zeros follow IEEE 754 and C's functions.

#include <mote/core/config.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>

MOTE_BEGIN_NAMESPACE

/// Functions of x, with two constants a and b. Files hold the numbers: new ones stand last.
enum class UnaryFunction : std::uint8_t {
    // Of C:
    abs,
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atanh,
    ceil,
    cos,
    cosh,
    erf,
    exp,
    floor,
    log,
    round,  ///< to the nearest integer, halves to the even one
    sin,
    sinh,
    sqrt,
    tan,
    // Others:
    celu,       ///< x where x > 0, else a (e^(x / a) - 1) (Barron 2017)
    clip,       ///< min(max(x, a), b)
    elu,        ///< x where x > 0, else a (e^x - 1) (Clevert et al. 2016)
    gelu,       ///< x (1 + erf(x / sqrt 2)) / 2 (Hendrycks and Gimpel 2016)
    gelu_tanh,  ///< x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, close to it
    linear,     ///< a x + b
    mish,       ///< x tanh(ln(1 + e^x)) (Misra 2019)
    reciprocal,
    rsqrt,     ///< 1 / sqrt(x)
    selu,      ///< b x where x > 0, else b a (e^x - 1) (Klambauer et al. 2017)
    shrink,    ///< x + b where x < -a, x - b where x > a, else 0
    sign,      ///< -1, 0, 1
    softplus,  ///< ln(1 + e^x)
    softsign,  ///< x / (1 + |x|)
    square,
    thresholded_relu,  ///< x where x > a, else 0
};
inline constexpr std::size_t unary_functions = static_cast<std::size_t>(UnaryFunction::thresholded_relu) + 1;

/// Functions of x and y. Files hold the numbers: new ones stand last.
enum class BinaryFunction : std::uint8_t {
    add,
    sub,
    mul,
    div,
    pow,
    max,                 ///< NaN where either is
    min,                 ///< NaN where either is
    fmod,                ///< the remainder that has the sign of x
    floor_mod,           ///< the remainder that has the sign of y
    floor_div,           ///< floor(x / y)
    prelu,               ///< x where x > 0, else x y
    squared_difference,  ///< (x - y)^2
};
inline constexpr std::size_t binary_functions = static_cast<std::size_t>(BinaryFunction::squared_difference) + 1;

/// x = y, x < y, x <= y, x > y, x >= y; NaN is in no relation. Files hold the numbers: new ones stand last.
enum class Comparison : std::uint8_t { equal, less, less_or_equal, greater, greater_or_equal };
inline constexpr std::size_t comparisons = static_cast<std::size_t>(Comparison::greater_or_equal) + 1;

/// Of the bits of two integers, or of two truth values (which shift nowhere). What is shifted out is lost, and the sign stays.
/// Files hold the numbers: new ones stand last.
enum class BitOperation : std::uint8_t { both, either, one, shift_left, shift_right };
inline constexpr std::size_t bit_operations = static_cast<std::size_t>(BitOperation::shift_right) + 1;

/// Activations inside a recurrent layer: 1 / (1 + e^-x), tanh x, max(x, 0), min(max(x / 5 + 1 / 2, 0), 1) (not the HardSigmoid
/// of MobileNetV3), x / (1 + |x|), ln(1 + e^x), x.
enum class RecurrentFunction : std::uint8_t { sigmoid, tanh, relu, hard_sigmoid, softsign, softplus, identity };

/// What a recurrent layer's step is: of Rnn, Gru or Lstm.
enum class Cell : std::uint8_t { rnn, gru, lstm };

namespace detail {

/// C's functions of one width. (std's overloads of them would cost a compiler more than all that is done with them.)
template <class Real>
struct CMath;
template <>
struct CMath<float> {
    /// In the order of UnaryFunction.
    static constexpr float (*functions[])(float) = {::fabsf,      ::acosf, ::acoshf, ::asinf, ::asinhf, ::atanf,  ::atanhf,
                                                    ::ceilf,      ::cosf,  ::coshf,  ::erff,  ::expf,   ::floorf, ::logf,
                                                    ::nearbyintf, ::sinf,  ::sinhf,  ::sqrtf, ::tanf};
    static MOTE_ALWAYS_INLINE float erfc(float x) noexcept { return __builtin_erfcf(x); }
    static MOTE_ALWAYS_INLINE float exp(float x) noexcept { return __builtin_expf(x); }
    static MOTE_ALWAYS_INLINE float expm1(float x) noexcept { return __builtin_expm1f(x); }
    static MOTE_ALWAYS_INLINE float floor(float x) noexcept { return __builtin_floorf(x); }
    static MOTE_ALWAYS_INLINE float fmod(float x, float y) noexcept { return __builtin_fmodf(x, y); }
    static MOTE_ALWAYS_INLINE float log1p(float x) noexcept { return __builtin_log1pf(x); }
    static MOTE_ALWAYS_INLINE float pow(float x, float y) noexcept { return __builtin_powf(x, y); }
    static MOTE_ALWAYS_INLINE float sqrt(float x) noexcept { return __builtin_sqrtf(x); }
    static MOTE_ALWAYS_INLINE float tanh(float x) noexcept { return __builtin_tanhf(x); }
};
template <>
struct CMath<double> {
    static constexpr double (*functions[])(double) = {::fabs,      ::acos, ::acosh, ::asin, ::asinh, ::atan,  ::atanh,
                                                      ::ceil,      ::cos,  ::cosh,  ::erf,  ::exp,   ::floor, ::log,
                                                      ::nearbyint, ::sin,  ::sinh,  ::sqrt, ::tan};
    static MOTE_ALWAYS_INLINE double erfc(double x) noexcept { return __builtin_erfc(x); }
    static MOTE_ALWAYS_INLINE double exp(double x) noexcept { return __builtin_exp(x); }
    static MOTE_ALWAYS_INLINE double expm1(double x) noexcept { return __builtin_expm1(x); }
    static MOTE_ALWAYS_INLINE double floor(double x) noexcept { return __builtin_floor(x); }
    static MOTE_ALWAYS_INLINE double fmod(double x, double y) noexcept { return __builtin_fmod(x, y); }
    static MOTE_ALWAYS_INLINE double log1p(double x) noexcept { return __builtin_log1p(x); }
    static MOTE_ALWAYS_INLINE double pow(double x, double y) noexcept { return __builtin_pow(x, y); }
    static MOTE_ALWAYS_INLINE double sqrt(double x) noexcept { return __builtin_sqrt(x); }
    static MOTE_ALWAYS_INLINE double tanh(double x) noexcept { return __builtin_tanh(x); }
};

template <class Real>
MOTE_ALWAYS_INLINE Real magnitude(Real x) noexcept {
    return x < 0 ? -x : x;
}
/// ln(1 + e^x) without overflow.
template <class Real>
MOTE_ALWAYS_INLINE Real softplus(Real x) noexcept {
    return (x < 0 ? Real(0) : x) + CMath<Real>::log1p(CMath<Real>::exp(-magnitude(x)));
}

}  // namespace detail

template <class Real>
MOTE_ALWAYS_INLINE Real unary_value(UnaryFunction function, Real a, Real b, Real x) noexcept {
    using Math = detail::CMath<Real>;
    if (function < UnaryFunction::celu) return Math::functions[static_cast<std::size_t>(function)](x);
    switch (function) {
        case UnaryFunction::celu:
            return x > 0 ? x : a * Math::expm1(x / a);
        case UnaryFunction::clip:
            x = x < a ? a : x;
            return x > b ? b : x;
        case UnaryFunction::elu:
            return x > 0 ? x : a * Math::expm1(x);
        case UnaryFunction::gelu:
            return x * Math::erfc(x * Real(-0.70710678118654752)) * Real(0.5);
        case UnaryFunction::gelu_tanh:
            return x * (1 + Math::tanh(Real(0.79788456080286536) * (x + Real(0.044715) * x * x * x))) * Real(0.5);
        case UnaryFunction::linear:
            return a * x + b;
        case UnaryFunction::mish:
            return x * Math::tanh(detail::softplus(x));
        case UnaryFunction::reciprocal:
            return 1 / x;
        case UnaryFunction::rsqrt:
            return 1 / Math::sqrt(x);
        case UnaryFunction::selu:
            return b * (x > 0 ? x : a * Math::expm1(x));
        case UnaryFunction::shrink:
            return x < -a ? x + b : x > a ? x - b : Real(0);
        case UnaryFunction::sign:
            return x > 0 ? Real(1) : x < 0 ? Real(-1) : x;
        case UnaryFunction::softplus:
            return detail::softplus(x);
        case UnaryFunction::softsign:
            return x / (1 + detail::magnitude(x));
        case UnaryFunction::square:
            return x * x;
        case UnaryFunction::thresholded_relu:
            return x > a ? x : Real(0);
        default:
            return x;
    }
}

template <class Real>
MOTE_ALWAYS_INLINE Real binary_value(BinaryFunction function, Real x, Real y) noexcept {
    using Math = detail::CMath<Real>;
    switch (function) {
        case BinaryFunction::add:
            return x + y;
        case BinaryFunction::sub:
            return x - y;
        case BinaryFunction::mul:
            return x * y;
        case BinaryFunction::div:
            return x / y;
        case BinaryFunction::pow:
            return Math::pow(x, y);
        case BinaryFunction::max:
            return x > y || x != x ? x : y;  // NOLINT(misc-redundant-expression): NaN stays
        case BinaryFunction::min:
            return x < y || x != x ? x : y;  // NOLINT(misc-redundant-expression): NaN stays
        case BinaryFunction::fmod:
            return Math::fmod(x, y);
        case BinaryFunction::floor_mod: {
            const Real rest = Math::fmod(x, y);
            return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
        }
        case BinaryFunction::floor_div:
            return Math::floor(x / y);
        case BinaryFunction::prelu:
            return x > 0 ? x : x * y;
        case BinaryFunction::squared_difference:
            return (x - y) * (x - y);
    }
    return x;
}

MOTE_END_NAMESPACE
