// SPDX-License-Identifier: MIT
#pragma once
// What each standard layer means, computed naively in double from its definition: the oracle of the tests of plans.

#include <mote/mote.hpp>

#include "function_reference.hpp"
#include "movement_reference.hpp"
#include "reduction_reference.hpp"

#include <algorithm>
#include <cmath>

namespace reference {

using namespace mote;

/// Calls tap(ky, kx, offset of pixel or -1) for each tap of output pixel (b, y, x).
template <class Tap>
void taps(const Shape& in, std::size_t b, std::size_t y, std::size_t x, Size2d kernel, Size2d stride, Size2d dilation,
          Padding2d pad, Tap tap) {
    for (std::size_t i = 0; i < kernel.height; ++i) {
        for (std::size_t j = 0; j < kernel.width; ++j) {
            const auto row = static_cast<long>(y * stride.height + i * dilation.height) - static_cast<long>(pad.top);
            const auto column = static_cast<long>(x * stride.width + j * dilation.width) - static_cast<long>(pad.left);
            const bool inside = row >= 0 && column >= 0 && row < static_cast<long>(in[1]) && column < static_cast<long>(in[2]);
            tap(i, j,
                inside ? ((static_cast<long>(b * in[1]) + row) * static_cast<long>(in[2]) + column) * static_cast<long>(in[3])
                       : -1L);
        }
    }
}

/// sum -> value: the identity for f32; for i8 the requantization of DESIGN's numeric contract.
template <class P>
double finished(double sum, std::size_t channel, const Tensor<typename P::weight>& weight, const Data& in, const Value& out) {
    if constexpr (std::is_same_v<P, f32>) {
        (void)channel, (void)weight, (void)in, (void)out;
        return sum;
    } else {
        const QuantizationParams q = out.quantization.params();
        const auto m =
            static_cast<float>(static_cast<double>(in.params().scale) *
                               static_cast<double>(weight.quantization().params(channel).scale) / static_cast<double>(q.scale));
        return clamped(std::nearbyint(static_cast<double>(static_cast<float>(sum) * m)) + q.zero_point, -128, 127);
    }
}

template <class P, class L>
std::vector<double> convolved(const L& layer, const Data& in, const Value& out, std::size_t groups) {
    const Shape& w = layer.weight.shape();
    const std::size_t per_group_out = w[0] / groups;
    const double zero = in.is_i8() ? in.params().zero_point : 0.0;
    std::vector<double> result;
    for (std::size_t b = 0; b < out.shape[0]; ++b) {
        for (std::size_t y = 0; y < out.shape[1]; ++y) {
            for (std::size_t x = 0; x < out.shape[2]; ++x) {
                for (std::size_t c = 0; c < w[0]; ++c) {
                    double sum = layer.bias.empty() ? 0.0 : static_cast<double>(layer.bias[c]);
                    taps(in.shape(), b, y, x, {w[1], w[2]}, layer.stride, layer.dilation, layer.padding,
                         [&](std::size_t i, std::size_t j, long at) {
                             if (at < 0) return;
                             for (std::size_t k = 0; k < w[3]; ++k) {
                                 const double input = in.x[static_cast<std::size_t>(at) + c / per_group_out * w[3] + k];
                                 sum +=
                                     (input - zero) * static_cast<double>(layer.weight[((c * w[1] + i) * w[2] + j) * w[3] + k]);
                             }
                         });
                    result.push_back(finished<P>(sum, c, layer.weight, in, out));
                }
            }
        }
    }
    return result;
}

template <class P>
std::vector<double> expected(const Conv2d<P>& layer, const std::vector<Data>& in, const Value& out) {
    return convolved<P>(layer, in[0], out, layer.groups);
}
template <class P>
std::vector<double> expected(const DepthwiseConv2d<P>& layer, const std::vector<Data>& in, const Value& out) {
    return convolved<P>(layer, in[0], out, in[0].shape()[3]);
}
template <class P>
std::vector<double> expected(const TransposeConv2d<P>& layer, const std::vector<Data>& in, const Value& out) {
    const Shape &w = layer.weight.shape(), &from = in[0].shape();
    const double zero = in[0].is_i8() ? in[0].params().zero_point : 0.0;
    std::vector<double> sums(out.shape.elements());
    for (std::size_t i = 0; i < sums.size(); ++i)
        sums[i] = layer.bias.empty() ? 0.0 : static_cast<double>(layer.bias[i % w[0]]);
    each_index(from, [&](std::size_t i, const std::vector<std::size_t>& at) {  // each input adds to what lies under the kernel
        const std::size_t group = at[3] / w[3];
        for (std::size_t tap = 0; tap < w[1] * w[2]; ++tap) {
            const std::size_t y = at[1] * layer.stride.height + tap / w[2] * layer.dilation.height;
            const std::size_t x = at[2] * layer.stride.width + tap % w[2] * layer.dilation.width;
            if (y < layer.padding.top || x < layer.padding.left) continue;
            const std::size_t row = y - layer.padding.top, column = x - layer.padding.left;
            if (row >= out.shape[1] || column >= out.shape[2]) continue;
            for (std::size_t o = 0; o < w[0] / layer.groups; ++o) {
                const std::size_t c = group * (w[0] / layer.groups) + o;
                sums[((at[0] * out.shape[1] + row) * out.shape[2] + column) * w[0] + c] +=
                    (in[0].x[i] - zero) * static_cast<double>(layer.weight[(c * w[1] * w[2] + tap) * w[3] + at[3] % w[3]]);
            }
        }
    });
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = finished<P>(sums[i], i % w[0], layer.weight, in[0], out);
    return sums;
}
template <class P>
std::vector<double> expected(const Dense<P>& layer, const std::vector<Data>& in, const Value& out) {
    const std::size_t inner = layer.weight.shape()[1];
    const double zero = in[0].is_i8() ? in[0].params().zero_point : 0.0;
    std::vector<double> result;
    for (std::size_t row = 0; row < in[0].x.size() / inner; ++row) {
        for (std::size_t c = 0; c < layer.weight.shape()[0]; ++c) {
            double sum = layer.bias.empty() ? 0.0 : static_cast<double>(layer.bias[c]);
            for (std::size_t k = 0; k < inner; ++k) {
                sum += (in[0].x[row * inner + k] - zero) * static_cast<double>(layer.weight[c * inner + k]);
            }
            result.push_back(finished<P>(sum, c, layer.weight, in[0], out));
        }
    }
    return result;
}

template <class Function>
std::vector<double> each(const Data& in, Function function) {
    std::vector<double> result;
    for (std::size_t i = 0; i < in.x.size(); ++i) result.push_back(function(i));
    return result;
}
inline std::vector<double> looked_up(const Tensor<i8>& table, const Data& in) {
    return each(in, [&](std::size_t i) { return static_cast<double>(table[static_cast<std::size_t>(in.x[i] + 128)]); });
}

inline std::vector<double> expected(const Relu&, const std::vector<Data>& in, const Value& out) {
    return each(in[0], [&](std::size_t i) {
        return in[0].is_i8() ? std::max<double>(in[0].x[i], out.quantization.params().zero_point) : std::max(in[0].x[i], 0.0);
    });
}
inline std::vector<double> expected(const Relu6&, const std::vector<Data>& in, const Value& out) {
    if (!in[0].is_i8()) return each(in[0], [&](std::size_t i) { return clamped(in[0].x[i], 0, 6); });
    const QuantizationParams q = out.quantization.params();
    const double top = std::min(127.0, q.zero_point + std::nearbyint(6.0 / static_cast<double>(q.scale)));
    return each(in[0], [&](std::size_t i) { return clamped(in[0].x[i], q.zero_point, top); });
}
inline std::vector<double> expected(const LeakyRelu& layer, const std::vector<Data>& in, const Value&) {
    if (in[0].is_i8()) return looked_up(layer.table, in[0]);
    return each(in[0], [&](std::size_t i) { return in[0].x[i] * (in[0].x[i] > 0 ? 1.0 : static_cast<double>(layer.slope)); });
}
inline std::vector<double> expected(const Sigmoid& layer, const std::vector<Data>& in, const Value&) {
    if (in[0].is_i8()) return looked_up(layer.table, in[0]);
    return each(in[0], [&](std::size_t i) { return 1 / (1 + std::exp(-in[0].x[i])); });
}
inline std::vector<double> expected(const Prelu& layer, const std::vector<Data>& in, const Value&) {
    return each(in[0], [&](std::size_t i) {
        const double x = in[0].x[i];
        return x > 0 ? x : x * static_cast<double>(layer.slope[i % in[0].shape().back()]);
    });
}
inline std::vector<double> expected(const Tanh& layer, const std::vector<Data>& in, const Value&) {
    if (in[0].is_i8()) return looked_up(layer.table, in[0]);
    return each(in[0], [&](std::size_t i) { return std::tanh(in[0].x[i]); });
}
inline std::vector<double> expected(const HardSigmoid& layer, const std::vector<Data>& in, const Value&) {
    if (in[0].is_i8()) return looked_up(layer.table, in[0]);
    return each(in[0], [&](std::size_t i) { return clamped(in[0].x[i] + 3, 0, 6) / 6; });
}
inline std::vector<double> expected(const HardSwish& layer, const std::vector<Data>& in, const Value&) {
    if (in[0].is_i8()) return looked_up(layer.table, in[0]);
    return each(in[0], [&](std::size_t i) { return in[0].x[i] * clamped(in[0].x[i] + 3, 0, 6) / 6; });
}
inline std::vector<double> expected(const Unary& layer, const std::vector<Data>& in, const Value&) {
    if (in[0].is_i8()) return looked_up(layer.table, in[0]);
    return each(in[0], [&](std::size_t i) {
        return function_of(layer.function, static_cast<double>(layer.alpha), static_cast<double>(layer.beta), in[0].x[i]);
    });
}
inline std::vector<double> expected(const BatchNorm& layer, const std::vector<Data>& in, const Value&) {
    return each(in[0], [&](std::size_t i) {
        const std::size_t c = i % in[0].shape().back();
        return static_cast<double>(layer.scale[c]) * (in[0].x[i] - static_cast<double>(layer.mean[c])) /
                   std::sqrt(static_cast<double>(layer.variance[c]) + static_cast<double>(layer.epsilon)) +
               static_cast<double>(layer.shift[c]);
    });
}
inline std::vector<double> expected(const Add&, const std::vector<Data>& in, const Value& out) {
    return each(in[0], [&](std::size_t i) { return steps(in[0].real(i) + in[1].real(i), out); });
}
inline std::vector<double> expected(const Mul&, const std::vector<Data>& in, const Value& out) {
    const std::size_t channels = in[0].shape().back();
    const std::size_t spatial = in[0].x.size() / in[1].x.size();
    return each(in[0], [&](std::size_t i) {
        const std::size_t other = spatial == 1 ? i : i / channels / spatial * channels + i % channels;
        return steps(in[0].real(i) * in[1].real(other), out);
    });
}
inline std::vector<double> expected(const Convert&, const std::vector<Data>& in, const Value& out) {
    return each(in[0], [&](std::size_t i) { return steps(in[0].real(i), out); });
}

inline std::vector<double> expected(const Binary& layer, const std::vector<Data>& in, const Value& out) {
    std::vector<double> result(out.shape.elements());
    each_index(out.shape, [&](std::size_t i, const std::vector<std::size_t>& index) {
        const auto of = [&](const Data& data) {
            const std::size_t rank = data.shape().rank();
            std::vector<std::size_t> at(index.end() - static_cast<std::ptrdiff_t>(rank), index.end());
            for (std::size_t axis = 0; axis < rank; ++axis) at[axis] = std::min(at[axis], data.shape()[axis] - 1);
            return data.x[offset_of(at, data.shape())];
        };
        result[i] = function_of(layer.function, of(in[0]), of(in[1]));
    });
    return result;
}

inline std::vector<double> expected(const MatMul& layer, const std::vector<Data>& in, const Value& out) {
    std::vector<double> result(out.shape.elements(), 0.0);
    const std::size_t rank = out.shape.rank();
    const Shape& a = in[0].shape();
    const std::size_t inner = a[a.rank() - (layer.transpose_a ? 2 : 1)];
    const auto at = [&](const Data& data, std::vector<std::size_t> index, std::size_t row, std::size_t column) {
        const Shape& shape = data.shape();
        index.erase(index.begin(), index.end() - static_cast<std::ptrdiff_t>(shape.rank()));
        for (std::size_t axis = 0; axis + 2 < shape.rank(); ++axis) index[axis] = shape[axis] == 1 ? 0 : index[axis];
        index[shape.rank() - 2] = row;
        index[shape.rank() - 1] = column;
        return data.x[offset_of(index, shape)];
    };
    each_index(out.shape, [&](std::size_t i, const std::vector<std::size_t>& index) {
        const std::size_t row = index[rank - 2], column = index[rank - 1];
        for (std::size_t k = 0; k < inner; ++k) {
            result[i] += (layer.transpose_a ? at(in[0], index, k, row) : at(in[0], index, row, k)) *
                         (layer.transpose_b ? at(in[1], index, column, k) : at(in[1], index, k, column));
        }
    });
    return result;
}

/// By output element: the numbers that become it.
inline std::vector<std::vector<double>> gathered(const std::vector<std::size_t>& axes, const Data& in, const Value& out) {
    std::vector<std::vector<double>> result(out.shape.elements());
    each_index(in.shape(), [&](std::size_t i, const std::vector<std::size_t>& index) {
        std::size_t at = 0;
        for (std::size_t axis = 0; axis < index.size(); ++axis) {
            if (std::count(axes.begin(), axes.end(), axis) == 0) at = at * in.shape()[axis] + index[axis];
        }
        result[at].push_back(in.x[i]);
    });
    return result;
}
inline std::vector<double> expected(const Reduce& layer, const std::vector<Data>& in, const Value& out) {
    std::vector<double> result;
    for (const std::vector<double>& numbers : gathered(layer.axes, in[0], out)) {
        result.push_back(reduced(layer.function, numbers));
    }
    return result;
}
inline std::vector<double> expected(const ArgMax& layer, const std::vector<Data>& in, const Value& out) {
    std::vector<double> result;
    for (const std::vector<double>& x : gathered({layer.axis}, in[0], out)) {
        std::size_t best = 0;
        for (std::size_t i = 1; i < x.size(); ++i) {
            const bool better = layer.largest ? x[i] > x[best] : x[i] < x[best];
            if (better || (layer.select_last && x[i] == x[best])) best = i;
        }
        result.push_back(static_cast<double>(best));
    }
    return result;
}

template <class Combine>
std::vector<double> pooled(const Data& in, const Value& out, Size2d kernel, Size2d stride, Padding2d pad, Size2d dilation,
                           Combine combine) {
    std::vector<double> result;
    for (std::size_t b = 0; b < out.shape[0]; ++b) {
        for (std::size_t y = 0; y < out.shape[1]; ++y) {
            for (std::size_t x = 0; x < out.shape[2]; ++x) {
                for (std::size_t c = 0; c < out.shape[3]; ++c) {
                    std::vector<double> window;
                    taps(in.shape(), b, y, x, kernel, stride, dilation, pad, [&](std::size_t, std::size_t, long at) {
                        if (at >= 0) window.push_back(in.x[static_cast<std::size_t>(at) + c]);
                    });
                    result.push_back(combine(window));
                }
            }
        }
    }
    return result;
}
inline std::vector<double> expected(const MaxPool2d& layer, const std::vector<Data>& in, const Value& out) {
    const double nothing = in[0].is_i8() ? -128.0 : -std::numeric_limits<double>::infinity();
    return pooled(in[0], out, layer.kernel, layer.stride, layer.padding, layer.dilation,
                  [&](const std::vector<double>& window) {
                      return window.empty() ? nothing : *std::max_element(window.begin(), window.end());
                  });
}
inline std::vector<double> expected(const AveragePool2d& layer, const std::vector<Data>& in, const Value& out) {
    const std::size_t area = layer.kernel.height * layer.kernel.width;
    const double zero = in[0].is_i8() ? in[0].params().zero_point : 0.0;
    return pooled(in[0], out, layer.kernel, layer.stride, layer.padding, layer.dilation,
                  [&](const std::vector<double>& window) {
                      double sum = 0;
                      for (const double x : window) sum += x;
                      if (!layer.count_padding) return sum / static_cast<double>(window.size());
                      return (sum + zero * static_cast<double>(area - window.size())) / static_cast<double>(area);
                  });
}
inline std::vector<double> expected(const GlobalAveragePool&, const std::vector<Data>& in, const Value& out) {
    return expected(AveragePool2d{.kernel = {in[0].shape()[1], in[0].shape()[2]}}, in, out);
}
inline std::vector<double> expected(const ArgMaxPool& layer, const std::vector<Data>& in, const Value& out) {
    const Shape& from = in[0].shape();
    std::vector<double> result(out.shape.elements(), -1);
    each_index(out.shape, [&](std::size_t i, const std::vector<std::size_t>& to) {
        double largest = 0;
        each_index(from, [&](std::size_t j, const std::vector<std::size_t>& at) {
            bool under = at.front() == to.front() && at.back() == to.back();
            double place = 0;
            for (std::size_t a = 0; a < at.size(); ++a) place += static_cast<double>(at[a] * layer.steps[a]);
            for (std::size_t a = 0; a < layer.kernel.size(); ++a) {
                const std::size_t first = to[a + 1] * layer.stride[a], here = at[a + 1] + layer.before[a];
                under = under && here >= first && (here - first) % layer.dilation[a] == 0 &&
                        (here - first) / layer.dilation[a] < layer.kernel[a];
            }
            if (!under || (result[i] >= 0 && in[0].x[j] <= largest)) return;
            largest = in[0].x[j];
            result[i] = place;
        });
    });
    return result;
}

/// What each of `extent` pixels counts in output pixel i of `target`.
inline std::vector<double> resize_shares(const Resize2d& layer, std::size_t i, std::size_t extent, std::size_t target) {
    const auto n = static_cast<double>(extent), m = static_cast<double>(target), at = static_cast<double>(i);
    double p = at * n / m;
    if (layer.alignment == Alignment::corners) p = target == 1 ? 0 : at * (n - 1) / (m - 1);
    if (layer.alignment == Alignment::half_pixel) p = (at + 0.5) * n / m - 0.5;
    std::vector<double> shares(extent);
    const auto add = [&](double pixel, double share) {
        if (layer.exclude_outside && (pixel < 0 || pixel > n - 1)) return;
        shares[static_cast<std::size_t>(clamped(pixel, 0, n - 1))] += share;
    };
    if (layer.interpolation == Interpolation::nearest) {
        const double down = std::floor(p), up = std::ceil(p);
        const bool first = p - down < up - p;
        switch (layer.nearest) {
            case NearestPixel::floor:
                add(down, 1);
                break;
            case NearestPixel::ceil:
                add(up, 1);
                break;
            case NearestPixel::round_half_down:
                add(first || p - down == 0.5 ? down : up, 1);
                break;
            case NearestPixel::round_half_up:
                add(first ? down : up, 1);
        }
    } else if (layer.interpolation == Interpolation::linear) {
        add(std::floor(p), 1 - (p - std::floor(p)));
        add(std::floor(p) + 1, p - std::floor(p));
    } else {  // PyTorch's form of the four weights
        const auto a = static_cast<double>(layer.cubic), t = p - std::floor(p);
        const auto far = [a](double x) { return a * x * x * x - 5 * a * x * x + 8 * a * x - 4 * a; };
        const auto near = [a](double x) { return (a + 2) * x * x * x - (a + 3) * x * x + 1; };
        add(std::floor(p) - 1, far(t + 1));
        add(std::floor(p), near(t));
        add(std::floor(p) + 1, near(1 - t));
        add(std::floor(p) + 2, far(2 - t));
    }
    double sum = 0;
    for (const double share : shares) sum += share;
    for (double& share : shares) share /= sum;
    return shares;
}
inline std::vector<double> expected(const Resize2d& layer, const std::vector<Data>& in, const Value& out) {
    const Shape& from = in[0].shape();
    std::vector<double> result;
    each_index(out.shape, [&](std::size_t, const std::vector<std::size_t>& at) {
        const std::vector<double> rows = resize_shares(layer, at[1], from[1], out.shape[1]);
        const std::vector<double> columns = resize_shares(layer, at[2], from[2], out.shape[2]);
        double sum = 0;
        for (std::size_t r = 0; r < from[1]; ++r) {
            for (std::size_t c = 0; c < from[2]; ++c) {
                sum += rows[r] * columns[c] * in[0].x[((at[0] * from[1] + r) * from[2] + c) * from[3] + at[3]];
            }
        }
        result.push_back(in[0].is_i8() ? clamped(sum, -128, 127) : sum);
    });
    return result;
}
inline std::vector<double> expected(const Softmax& layer, const std::vector<Data>& in, const Value&) {
    const std::size_t channels = in[0].shape().back();
    std::vector<double> result;
    for (std::size_t row = 0; row < in[0].x.size() / channels; ++row) {
        const double* x = in[0].x.data() + row * channels;
        const double largest = *std::max_element(x, x + channels);
        auto power = [&](std::size_t c) {
            return in[0].is_i8() ? static_cast<double>(layer.table[static_cast<std::size_t>(largest - x[c])])
                                 : std::exp(x[c] - largest);
        };
        double sum = 0;
        for (std::size_t c = 0; c < channels; ++c) sum += power(c);
        for (std::size_t c = 0; c < channels; ++c) {
            result.push_back(in[0].is_i8() ? std::min(127.0, 256 * power(c) / sum - 128) : power(c) / sum);
        }
    }
    return result;
}
/// A layer that the oracle does not know.
template <class L>
std::vector<double> expected(const L&, const std::vector<Data>&, const Value&) {
    return {};
}

/// How far an int8 result may lie from `expected`: fixed point and means round once, within 0.5 + 2^-10 steps; all else is
/// exact.
template <class L>
inline constexpr double i8_tolerance = 0.0;
inline constexpr double one_rounding = 0.5 + 1.0 / 1024;
template <>
inline constexpr double i8_tolerance<Add> = one_rounding;
template <>
inline constexpr double i8_tolerance<Mul> = one_rounding;
template <>
inline constexpr double i8_tolerance<Convert> = one_rounding;
template <>
inline constexpr double i8_tolerance<AveragePool2d> = one_rounding;
template <>
inline constexpr double i8_tolerance<GlobalAveragePool> = one_rounding;
template <>
inline constexpr double i8_tolerance<Reduce> = one_rounding;
template <>
inline constexpr double i8_tolerance<Resize2d> = one_rounding;
template <>
inline constexpr double i8_tolerance<Softmax> = one_rounding;

/// f32 results: relative to the largest expected magnitude (the project's tolerance for f32).
inline constexpr double f32_tolerance = 1e-4;

/// The numbers of a value after a run of an engine that keeps values.
inline Data read(const Engine& engine, const Value& value) {
    Data data{&value};
    if (value.element == Element::f32) {
        for (const float x : engine.value<float>(value.name)) data.x.push_back(static_cast<double>(x));
    } else if (value.element == Element::i64) {
        for (const std::int64_t x : engine.value<std::int64_t>(value.name)) data.x.push_back(static_cast<double>(x));
    } else {
        for (const std::int8_t x : engine.value<std::int8_t>(value.name)) data.x.push_back(x);
    }
    return data;
}

/// The first node whose output is not what its layer makes of its inputs; empty where all are right.
template <class List>
std::string first_wrong_node(const BasicModel<List>& model, const Engine& engine) {
    for (const Node& node : model.nodes()) {
        std::vector<Data> inputs;
        for (const ValueId id : node.inputs) inputs.push_back(read(engine, model.value(id)));
        const Value& out = model.value(node.outputs[0]);
        const Data actual = read(engine, out);
        const std::string problem = visit(model, node, [&](const auto& layer) -> std::string {
            const std::vector<double> wanted = expected(layer, inputs, out);
            if (wanted.size() != actual.x.size()) return "another number of elements";
            double largest = 0;
            for (const double x : wanted) largest = std::max(largest, std::fabs(x));
            const double tolerance = out.element == Element::i8 ? i8_tolerance<std::remove_cvref_t<decltype(layer)>> + 1e-9
                                                                : f32_tolerance * largest + 1e-30;
            for (std::size_t i = 0; i < wanted.size(); ++i) {
                if (!(std::fabs(wanted[i] - actual.x[i]) <= tolerance)) {
                    return concat("element ", i, ": ", wanted[i], " expected, ", actual.x[i], " found");
                }
            }
            return {};
        });
        if (!problem.empty()) return concat(node.name, " ", to_string(out), ": ", problem);
    }
    return {};
}

}  // namespace reference
