// SPDX-License-Identifier: MIT
#pragma once
// Numbers of any element, scalar: what is made of several of them, by reductions and products. See kernels/numbers.hpp.

#include <mote/core/reduction.hpp>
#include <mote/kernels/conv2d.hpp>
#include <mote/kernels/numbers.hpp>

MOTE_BEGIN_KERNELS

namespace reference {

/// The least (or the greatest) number that the element holds.
template <class Number>
Number extreme_number(Element element, bool greatest) noexcept {
    if constexpr (std::is_same_v<Number, double>) {
        return greatest ? __builtin_huge_val() : -__builtin_huge_val();
    } else {
        const std::size_t bits = element_bits(element);
        if (element == Element::b8) return greatest ? 1 : 0;
        const bool is_unsigned =
            element == Element::u8 || element == Element::u16 || element == Element::u32 || element == Element::u64;
        if (is_unsigned) return greatest ? static_cast<Number>(~std::uint64_t{0} >> (64 - bits)) : Number(0);
        const std::uint64_t top = std::uint64_t{1} << (bits - 1);
        return static_cast<Number>(greatest ? top - 1 : 0 - top);
    }
}

/// Takes x into the sum, product, or largest or smallest number so far.
template <class Number>
MOTE_ALWAYS_INLINE Number reduce_number(Reduction function, Number result, Number x) noexcept {
    switch (function) {
        case Reduction::max:
            return number_value(BinaryFunction::max, result, x);
        case Reduction::min:
            return number_value(BinaryFunction::min, result, x);
        case Reduction::prod:
            return number_value(BinaryFunction::mul, result, x);
        case Reduction::l1:
            return number_value(BinaryFunction::add, result, x < 0 ? number_value(BinaryFunction::sub, Number(0), x) : x);
        case Reduction::l2:
        case Reduction::sum_square:
            return number_value(BinaryFunction::add, result, number_value(BinaryFunction::mul, x, x));
        default:
            return number_value(BinaryFunction::add, result, x);
    }
}

/// Whether a reduction of integers is computed with real numbers.
constexpr bool reduces_in_reals(Reduction function) noexcept {
    return function == Reduction::l2 || function == Reduction::log_sum || function == Reduction::log_sum_exp;
}

template <class Number>
void reduce_numbers_as(const RowGeometry& g, Reduction function, Element element, const void* input, void* output) noexcept {
    const std::ptrdiff_t channels = g.channels, count = g.spatial;
    Number run[number_run];
    for (std::ptrdiff_t o = 0; o < g.outer; ++o) {
        for (std::ptrdiff_t c = 0; c < channels; ++c) {
            const std::ptrdiff_t first = o * count * channels + c;
            const auto reduced = [&](Reduction by, Number result, Number shift) {
                for (std::ptrdiff_t at = 0; at < count; at += number_run) {
                    const std::ptrdiff_t length = count - at < number_run ? count - at : number_run;
                    load_numbers(element, input, first + at * channels, channels, length, run);
                    for (std::ptrdiff_t i = 0; i < length; ++i) {
                        if constexpr (std::is_same_v<Number, double>) {
                            if (by == Reduction::log_sum_exp) run[i] = __builtin_exp(run[i] - shift);
                        }
                        result = reduce_number(by, result, run[i]);
                    }
                }
                return result;
            };
            Number shift = 0;
            if constexpr (std::is_same_v<Number, double>) {
                if (function == Reduction::log_sum_exp)
                    shift = reduced(Reduction::max, extreme_number<double>(element, false), 0.0);
                constexpr double most = 1.7976931348623157e308;
                if (!(shift >= -most && shift <= most)) shift = 0.0;  // of infinities nothing is subtracted
            }
            Number result = function == Reduction::max    ? extreme_number<Number>(element, false)
                            : function == Reduction::min  ? extreme_number<Number>(element, true)
                            : function == Reduction::prod ? Number(1)
                                                          : Number(0);
            result = reduced(function, result, shift);
            if constexpr (std::is_same_v<Number, double>) {
                if (function == Reduction::l2) result = __builtin_sqrt(result);
                if (function == Reduction::log_sum) result = __builtin_log(result);
                if (function == Reduction::log_sum_exp) result = shift + __builtin_log(result);
            }
            if (function == Reduction::mean) result = number_value(BinaryFunction::div, result, static_cast<Number>(count));
            store_numbers(element, &result, o * channels + c, 1, 1, output);
        }
    }
}

/// [outer, spatial, channels] -> [outer, channels]. Of no numbers the largest is the least that there is.
inline void reduce_numbers(const RowGeometry& g, Reduction function, Element element, const void* input,
                           void* output) noexcept {
    if (reduces_in_reals(function)) return reduce_numbers_as<double>(g, function, element, input, output);
    with_numbers(element, [&](auto zero) { reduce_numbers_as<decltype(zero)>(g, function, element, input, output); });
}

/// See arg_max_f32.
inline void arg_max_numbers(const RowGeometry& g, bool largest, bool last, Element element, const void* input,
                            std::int64_t* output) noexcept {
    with_numbers(element, [&](auto zero) {
        using Number = decltype(zero);
        const std::ptrdiff_t channels = g.channels;
        for (std::ptrdiff_t o = 0; o < g.outer; ++o) {
            for (std::ptrdiff_t c = 0; c < channels; ++c) {
                std::ptrdiff_t best = 0;
                Number a{};
                for (std::ptrdiff_t r = 0; r < g.spatial; ++r) {
                    Number b;
                    load_numbers(element, input, (o * g.spatial + r) * channels + c, 1, 1, &b);
                    if (r == 0 || (largest ? b > a : b < a) || (last && b == a)) best = r, a = b;
                }
                output[o * channels + c] = best;
            }
        }
    });
}

/// The `kept` largest (or smallest) numbers along the middle of [outer, spatial, channels], in order, and where they stand; of
/// equal ones the first stand first. kept <= spatial.
inline void top_numbers(const RowGeometry& g, std::int32_t kept, bool largest, Element element, const void* input, void* values,
                        std::int64_t* indices) noexcept {
    with_numbers(element, [&](auto zero) {
        using Number = decltype(zero);
        const std::ptrdiff_t channels = g.channels;
        for (std::ptrdiff_t o = 0; o < g.outer; ++o) {
            for (std::ptrdiff_t c = 0; c < channels; ++c) {
                const auto number = [&](std::int64_t at) {
                    Number x;
                    load_numbers(element, input, (o * g.spatial + at) * channels + c, 1, 1, &x);
                    return x;
                };
                const auto before = [&](std::int64_t i, std::int64_t j) {
                    const Number a = number(i), b = number(j);
                    return a == b ? i < j : largest ? a > b : a < b;
                };
                // A heap of what is kept so far, the last in order on top.
                const auto heap = [&](std::ptrdiff_t i) -> std::int64_t& { return indices[(o * kept + i) * channels + c]; };
                const auto swap = [&](std::ptrdiff_t i, std::ptrdiff_t j) {
                    const std::int64_t index = heap(i);
                    heap(i) = heap(j);
                    heap(j) = index;
                };
                const auto sink = [&](std::ptrdiff_t i, std::ptrdiff_t size) {
                    for (;;) {
                        std::ptrdiff_t top = i;
                        for (std::ptrdiff_t child = 2 * i + 1; child <= 2 * i + 2 && child < size; ++child) {
                            if (before(heap(top), heap(child))) top = child;
                        }
                        if (top == i) return;
                        swap(i, top);
                        i = top;
                    }
                };
                for (std::ptrdiff_t i = 0; i < kept; ++i) heap(i) = i;
                for (std::ptrdiff_t i = kept / 2; i-- > 0;) sink(i, kept);
                for (std::ptrdiff_t i = kept; kept > 0 && i < g.spatial; ++i) {
                    if (!before(i, heap(0))) continue;
                    heap(0) = i;
                    sink(0, kept);
                }
                for (std::ptrdiff_t size = kept; size-- > 1;) {
                    swap(0, size);
                    sink(0, size);
                }
                for (std::ptrdiff_t i = 0; i < kept; ++i) {
                    const Number x = number(heap(i));
                    store_numbers(element, &x, (o * kept + i) * channels + c, 1, 1, values);
                }
            }
        }
    });
}

MOTE_ALWAYS_INLINE double plus_product(double sum, double x, double y) noexcept {
    return sum + x * y;
}
template <class Integer>
MOTE_ALWAYS_INLINE Integer plus_product(Integer sum, Integer x, Integer y) noexcept {
    return static_cast<Integer>(static_cast<std::uint64_t>(sum) +
                                static_cast<std::uint64_t>(x) * static_cast<std::uint64_t>(y));
}

/// [m, k] x [k, n] -> [m, n], a transposed one read so. The matrices begin at these elements of their arrays.
inline void multiply_numbers(Element element, std::int32_t m, std::int32_t n, std::int32_t k, bool transpose_a,
                             bool transpose_b, std::ptrdiff_t a_first, const void* a, std::ptrdiff_t b_first, const void* b,
                             std::ptrdiff_t first, void* output) noexcept {
    with_numbers(element, [&](auto zero) {
        using Number = decltype(zero);
        Number x[number_run], y[number_run];
        for (std::ptrdiff_t i = 0; i < m; ++i) {
            for (std::ptrdiff_t j = 0; j < n; ++j) {
                Number sum{};
                for (std::ptrdiff_t at = 0; at < k; at += number_run) {
                    const std::ptrdiff_t length = k - at < number_run ? k - at : number_run;
                    load_numbers(element, a, a_first + (transpose_a ? at * m + i : i * k + at), transpose_a ? m : 1, length, x);
                    load_numbers(element, b, b_first + (transpose_b ? j * k + at : at * n + j), transpose_b ? 1 : n, length, y);
                    for (std::ptrdiff_t r = 0; r < length; ++r) sum = plus_product(sum, x[r], y[r]);
                }
                store_numbers(element, &sum, first + i * n + j, 1, 1, output);
            }
        }
    });
}

/// A convolution of integers; sums wrap in 32 bits. See kernels/conv2d.hpp; `bias` may be null.
inline void conv2d_i32(const ConvGeometry& g, const std::int32_t* input, const std::int32_t* weight, const std::int32_t* bias,
                       std::int32_t* output) noexcept {
    const std::ptrdiff_t in = g.in_channels / g.groups;
    const std::int32_t out = g.out_channels / g.groups;
    for_each_output(g, [&](std::ptrdiff_t at, std::int32_t c, std::ptrdiff_t image, std::int32_t y, std::int32_t x) {
        std::uint32_t sum = bias == nullptr ? 0 : static_cast<std::uint32_t>(bias[c]);
        for_each_tap(g, y, x, [&](std::int32_t tap, std::int32_t pixel) {
            if (pixel < 0) return;
            const std::int32_t* w = weight + c * weight_row(g) + tap * in;
            const std::int32_t* v = input + (image + pixel) * g.in_channels + c / out * in;
            for (std::ptrdiff_t k = 0; k < in; ++k) sum += static_cast<std::uint32_t>(v[k]) * static_cast<std::uint32_t>(w[k]);
        });
        output[at] = static_cast<std::int32_t>(sum);
    });
}

}  // namespace reference

MOTE_END_KERNELS
