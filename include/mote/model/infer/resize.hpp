// SPDX-License-Identifier: MIT
#pragma once
// resize_taps: which input pixels make each output pixel of Resize2d along one axis, and with what weights; computed in double,
// so that every verb and every target uses the same.

#include <mote/layers/reduction.hpp>
#include <mote/tensor/quantize.hpp>

#include <cmath>
#include <limits>

MOTE_BEGIN_NAMESPACE

/// `count` taps for each output pixel, those of weight 0 (and index 0) to fill up. Weights add up to 1. An index of -1 stands
/// for a place outside of a crop.
struct ResizeTaps {
    std::size_t count = 1;
    std::vector<std::int32_t> index{};  ///< [out, count]
    std::vector<double> weight{};       ///< [out, count]
};

/// Resize2d along one axis, of `in` pixels.
struct ResizeAxis {
    std::size_t in = 1;
    std::size_t out = 1;
    double scale = 1.0;
    double first = 0.0;  ///< of a crop
    double last = 1.0;
};

namespace detail {

/// `width`: the axis of columns, else that of rows.
template <class Lazy = void>
ResizeAxis resize_axis(const Resize2d& layer, bool width, std::size_t in) {
    ResizeAxis axis{in, width ? layer.size.width : layer.size.height};
    const auto stated = static_cast<double>(width ? layer.scale_width : layer.scale_height);
    axis.scale = stated > 0.0 ? stated : static_cast<double>(axis.out) / static_cast<double>(in);
    if (layer.alignment == Alignment::crop) {
        axis.first = static_cast<double>(layer.crop[width ? 1 : 0]);
        axis.last = static_cast<double>(layer.crop[width ? 3 : 2]);
    }
    return axis;
}

/// Where output pixel i lies in the input (see Alignment).
template <class Lazy = void>
double resize_place(Alignment alignment, const ResizeAxis& axis, std::size_t i) {
    const auto at = static_cast<double>(i), last_pixel = static_cast<double>(axis.in) - 1.0;
    const double extent = axis.scale * static_cast<double>(axis.in);
    const double half_pixel = (at + 0.5) / axis.scale - 0.5;
    switch (alignment) {
        case Alignment::asymmetric:
            return at / axis.scale;
        case Alignment::corners:
            return extent == 1.0 ? 0.0 : at * last_pixel / (extent - 1.0);
        case Alignment::half_pixel:
            return half_pixel;
        case Alignment::half_pixel_symmetric:
            return half_pixel + static_cast<double>(axis.in) / 2.0 * (1.0 - static_cast<double>(axis.out) / extent);
        case Alignment::half_pixel_or_first:
            return axis.out == 1 ? 0.0 : half_pixel;
        case Alignment::half_pixel_floor:
            return (at + 0.5) / axis.scale;
        case Alignment::crop: {
            const double length = (axis.last - axis.first) * last_pixel;
            return axis.first * last_pixel + (extent == 1.0 ? length / 2.0 : at * length / (extent - 1.0));
        }
    }
    return half_pixel;
}

template <class Lazy = void>
double nearest_pixel(NearestPixel nearest, double place) {
    switch (nearest) {
        case NearestPixel::floor:
            return std::floor(place);
        case NearestPixel::ceil:
            return std::ceil(place);
        case NearestPixel::round_half_down:
            return std::ceil(place - 0.5);
        case NearestPixel::round_half_up:
            break;
    }
    return std::floor(place + 0.5);
}

/// The weight of a pixel `distance` away: a triangle, or Keys' cubic.
template <class Lazy = void>
double interpolation_weight(Interpolation interpolation, double a, double distance) {
    const double d = std::fabs(distance);
    if (interpolation == Interpolation::linear) return d < 1.0 ? 1.0 - d : 0.0;
    if (d <= 1.0) return ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0;
    return d < 2.0 ? ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a : 0.0;
}

}  // namespace detail

/// The taps along one axis.
template <class Lazy = void>
ResizeTaps resize_taps(const Resize2d& layer, const ResizeAxis& axis) {
    struct Tap {
        std::int32_t index;
        double weight;
    };
    const bool nearest = layer.interpolation == Interpolation::nearest;
    const double last_pixel = static_cast<double>(axis.in) - 1.0, a = static_cast<double>(layer.cubic);
    const double shrink = layer.antialias && axis.scale < 1.0 ? axis.scale : 1.0;
    const double reach = (layer.interpolation == Interpolation::linear ? 1.0 : 2.0) / shrink;
    std::vector<std::vector<Tap>> pixels(axis.out);
    ResizeTaps result;
    for (std::size_t i = 0; i < axis.out; ++i) {
        std::vector<Tap>& taps = pixels[i];
        const double place = detail::resize_place(layer.alignment, axis, i);
        if (layer.alignment == Alignment::crop && !(place >= 0.0 && place <= last_pixel)) {
            taps.push_back({-1, 1.0});
            continue;
        }
        const auto border = [&](double pixel) {
            return static_cast<std::int32_t>(std::fmin(std::fmax(pixel, 0.0), last_pixel));
        };
        if (nearest) {
            taps.push_back({border(detail::nearest_pixel(layer.nearest, place)), 1.0});
            continue;
        }
        double sum = 0.0;
        for (double pixel = std::floor(place - reach) + 1.0; pixel < place + reach; pixel += 1.0) {
            const double weight = detail::interpolation_weight(layer.interpolation, a, (pixel - place) * shrink);
            const bool outside = pixel < 0.0 || pixel > last_pixel;
            if (weight == 0.0 || (outside && layer.exclude_outside)) continue;
            sum += weight;
            if (!taps.empty() && taps.back().index == border(pixel)) {
                taps.back().weight += weight;
            } else {
                taps.push_back({border(pixel), weight});
            }
        }
        std::erase_if(taps, [](const Tap& tap) { return tap.weight == 0.0; });
        for (Tap& tap : taps) tap.weight /= sum;
        if (taps.empty() || sum == 0.0) taps.assign(1, {border(place), 1.0});  // nothing of it lies inside
        if (taps.size() == 1) taps[0].weight = 1.0;
        result.count = taps.size() > result.count ? taps.size() : result.count;
    }
    for (const std::vector<Tap>& taps : pixels) {
        for (std::size_t k = 0; k < result.count; ++k) {
            result.index.push_back(k < taps.size() ? taps[k].index : 0);
            result.weight.push_back(k < taps.size() ? taps[k].weight : 0.0);
        }
    }
    return result;
}
template <class Lazy = void>
ResizeTaps resize_taps(const Resize2d& layer, bool width, std::size_t in) {
    return resize_taps(layer, detail::resize_axis(layer, width, in));
}

/// Fractional bits of an int8 tap's weight; a pixel has at most resize_i8_taps of them.
inline constexpr int resize_bits = 22;
inline constexpr std::size_t resize_i8_taps = 8;

/// The weights with resize_bits fractional bits; each pixel's add up to 1 exactly.
template <class Lazy = void>
std::vector<std::int32_t> fixed_weights(const ResizeTaps& taps) {
    std::vector<std::int32_t> result;
    for (std::size_t first = 0; first < taps.weight.size(); first += taps.count) {
        std::size_t largest = first;
        std::int32_t rest = 1 << resize_bits;
        for (std::size_t k = first; k < first + taps.count; ++k) {
            result.push_back(static_cast<std::int32_t>(round_half_even(taps.weight[k] * (1 << resize_bits))));
            rest -= result[k];
            if (result[k] > result[largest]) largest = k;
        }
        result[largest] += rest;
    }
    return result;
}

/// What keeps a pixel's weights from int8 arithmetic; "" where nothing does.
template <class Lazy = void>
const char* resize_i8_flaw(const ResizeTaps& taps) {
    if (taps.count > resize_i8_taps) return "more than 8 pixels become one";
    for (std::size_t first = 0; first < taps.weight.size(); first += taps.count) {
        double sum = 0.0;
        for (std::size_t k = first; k < first + taps.count; ++k) sum += std::fabs(taps.weight[k]);
        if (!(sum < 3.0)) return "weights of both signs add up to 3 or more";
    }
    return "";
}

MOTE_END_NAMESPACE
