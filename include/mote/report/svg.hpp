// SPDX-License-Identifier: MIT
#pragma once
// Pictures as SVG text: curves over epochs, groups of bars, and the confusion of a classifier. No script, no external resource.

#include <mote/tensor/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

MOTE_BEGIN_NAMESPACE

/// One line of a curve picture: y[i] at x = i + 1.
struct Series {
    std::string name;
    std::vector<double> y;
};

struct CurveOptions {
    std::string title{};
    std::string x_label = "epoch";
    std::string y_label{};
    double from = -INFINITY;  ///< smaller values leave a gap
};

struct BarOptions {
    std::string title{};
    std::string y_label{};
    double reference = NAN;  ///< a line at this height
};

namespace detail {

inline constexpr const char* svg_colours[] = {"#1b6ca8", "#d1495b", "#2e8b57", "#8a5a9e", "#c77800", "#555555"};

inline std::string svg_number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", value);
    return text;
}

inline std::string svg_escaped(const std::string& text) {
    std::string result;
    for (const char c : text) {
        if (c == '<') {
            result += "&lt;";
        } else if (c == '&') {
            result += "&amp;";
        } else if (c == '>') {
            result += "&gt;";
        } else if (c == '"') {
            result += "&quot;";
        } else {
            result += c;
        }
    }
    return result;
}

inline std::string svg_text(double x, double y, const std::string& text, const char* style) {
    return concat("<text x=\"", svg_number(x), "\" y=\"", svg_number(y), "\" ", style, ">", svg_escaped(text), "</text>\n");
}

inline std::string svg_head(double width, double height) {
    return concat("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", svg_number(width), " ", svg_number(height),
                  "\" width=\"", svg_number(width), "\" height=\"", svg_number(height),
                  "\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
}

/// A round step (1, 2 or 5 times a power of ten) that divides the range into at most six parts.
inline double svg_step(double range) {
    const double power = std::pow(10.0, std::floor(std::log10(range / 6)));
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (range / (factor * power) <= 6) return factor * power;
    }
    return 10 * power;
}

}  // namespace detail

/// Lines over a common x axis with a legend. Values that are not finite, or below options.from, leave a gap. Throws where there
/// is nothing to draw.
inline std::string curves_svg(std::span<const Series> series, const CurveOptions& options = {}) {
    constexpr double left = 60, top = 40, width = 520, height = 260;
    auto drawn = [&options](double y) { return std::isfinite(y) && y >= options.from; };
    double low = INFINITY, high = -INFINITY;
    std::size_t points = 0;
    for (const Series& line : series) {
        points = std::max(points, line.y.size());
        for (const double y : line.y) {
            if (!drawn(y)) continue;
            low = std::min(low, y);
            high = std::max(high, y);
        }
    }
    if (!(low <= high)) fail("curves_svg: there is no finite value to draw; one that is not below options.from is expected");
    if (high - low < 1e-9 * std::max(1.0, std::abs(high))) high = low + std::max(1e-3, std::abs(low) * 1e-3);
    const double step = detail::svg_step(high - low);
    low = std::floor(low / step) * step;
    high = std::ceil(high / step) * step;
    auto x_at = [&](std::size_t i) {
        return left + width * (points < 2 ? 0.5 : static_cast<double>(i) / static_cast<double>(points - 1));
    };
    auto y_at = [&](double y) { return top + height * (high - y) / (high - low); };

    std::string svg = detail::svg_head(left + width + 150, top + height + 50);
    svg += detail::svg_text(left, 22, options.title, "font-size=\"15\"");
    for (double y = low; y <= high + step / 2; y += step) {
        const std::string at = detail::svg_number(y_at(y));
        svg += concat("<path d=\"M", detail::svg_number(left), " ", at, "h", detail::svg_number(width),
                      "\" stroke=\"#dddddd\"/>\n");
        svg += detail::svg_text(left - 6, y_at(y) + 4, detail::svg_number(std::abs(y) < step / 1000 ? 0 : y),
                                "text-anchor=\"end\"");
    }
    const std::size_t every = std::max<std::size_t>(1, (points + 9) / 10);
    for (std::size_t i = 0; i < points; i += every) {
        svg += detail::svg_text(x_at(i), top + height + 18, std::to_string(i + 1), "text-anchor=\"middle\"");
    }
    svg += detail::svg_text(left + width / 2, top + height + 38, options.x_label, "text-anchor=\"middle\"");
    svg += detail::svg_text(6, top - 8, options.y_label, "");
    std::size_t index = 0;
    for (const Series& line : series) {
        const char* colour = detail::svg_colours[index % std::size(detail::svg_colours)];
        std::string path;
        bool pen_down = false;
        for (std::size_t i = 0; i < line.y.size(); ++i) {
            if (!drawn(line.y[i])) {
                pen_down = false;
                continue;
            }
            path += concat(pen_down ? "L" : "M", detail::svg_number(x_at(i)), " ", detail::svg_number(y_at(line.y[i])));
            pen_down = true;
        }
        svg += concat("<path d=\"", path, "\" fill=\"none\" stroke=\"", colour, "\" stroke-width=\"1.8\"/>\n");
        const double y = top + 8 + 20.0 * static_cast<double>(index);
        svg += concat("<path d=\"M", detail::svg_number(left + width + 12), " ", detail::svg_number(y), "h18\" stroke=\"",
                      colour, "\" stroke-width=\"3\"/>\n");
        svg += detail::svg_text(left + width + 36, y + 4, line.name, "");
        ++index;
    }
    return svg + "</svg>\n";
}

/// Bars from 0 in groups: bar s of group g is series[s].y[g], with its value above; where that is not finite there is none.
/// Throws where a series has not one value a group, a value is negative, or there is nothing to draw.
inline std::string bars_svg(std::span<const std::string> groups, std::span<const Series> series,
                            const BarOptions& options = {}) {
    constexpr double left = 60, top = 60, height = 240, bar = 26, gap = 24;
    double high = std::isfinite(options.reference) ? options.reference : 0.0;
    for (const Series& one : series) {
        if (one.y.size() != groups.size()) {
            fail("bars_svg: series '", one.name, "' has ", one.y.size(), " values for ", groups.size(), " groups");
        }
        for (const double y : one.y) {
            if (y < 0) fail("bars_svg: series '", one.name, "' holds ", y, "; bars are 0 or more");
            if (std::isfinite(y)) high = std::max(high, y);
        }
    }
    if (!(high > 0)) fail("bars_svg: there is no positive value to draw");
    const double step = detail::svg_step(high);
    high = std::ceil(high / step) * step;
    const double bars = bar * static_cast<double>(series.size());
    double group = bars + gap;
    for (const std::string& name : groups) group = std::max(group, 7 * static_cast<double>(name.size()));
    const double width = group * static_cast<double>(groups.size());
    const auto y_at = [&](double y) { return top + height * (1 - y / high); };
    const auto line = [&](double y, const char* style) {
        return concat("<path d=\"M", detail::svg_number(left), " ", detail::svg_number(y_at(y)), "h", detail::svg_number(width),
                      "\" ", style, "/>\n");
    };

    std::string svg = detail::svg_head(left + width + 20, top + height + 40);
    svg += detail::svg_text(left, 22, options.title, "font-size=\"15\"");
    svg += detail::svg_text(6, top - 12, options.y_label, "");
    for (double y = 0; y <= high + step / 2; y += step) {
        svg += line(y, "stroke=\"#dddddd\"");
        svg += detail::svg_text(left - 6, y_at(y) + 4, detail::svg_number(y), "text-anchor=\"end\"");
    }
    double legend = left + 150;
    for (std::size_t s = 0; s < series.size(); ++s) {
        const char* colour = detail::svg_colours[s % std::size(detail::svg_colours)];
        svg += concat("<rect x=\"", detail::svg_number(legend), "\" y=\"", detail::svg_number(top - 23),
                      "\" width=\"12\" height=\"12\" fill=\"", colour, "\"/>\n");
        svg += detail::svg_text(legend + 18, top - 12, series[s].name, "");
        legend += 40 + 7 * static_cast<double>(series[s].name.size());
        for (std::size_t g = 0; g < groups.size(); ++g) {
            const double y = series[s].y[g];
            if (!std::isfinite(y)) continue;
            const double x = left + group * static_cast<double>(g) + (group - bars) / 2 + bar * static_cast<double>(s);
            svg += concat("<rect x=\"", detail::svg_number(x), "\" y=\"", detail::svg_number(y_at(y)), "\" width=\"",
                          detail::svg_number(bar - 2), "\" height=\"", detail::svg_number(height * y / high), "\" fill=\"",
                          colour, "\"/>\n");
            char text[32];
            std::snprintf(text, sizeof text, "%.2f", y);
            svg += detail::svg_text(x + bar / 2 - 1, y_at(y) - 3, text, "text-anchor=\"middle\" font-size=\"10\"");
        }
    }
    for (std::size_t g = 0; g < groups.size(); ++g) {
        svg += detail::svg_text(left + group * (static_cast<double>(g) + 0.5), top + height + 18, groups[g],
                                "text-anchor=\"middle\" font-size=\"11\"");
    }
    if (std::isfinite(options.reference)) svg += line(options.reference, "stroke=\"#222222\" stroke-dasharray=\"5 3\"");
    return svg + "</svg>\n";
}

/// A confusion matrix: counts[truth * classes + answer], rows the truth, columns the answer; the diagonal is blue, errors
/// are red. Throws where counts is not classes * classes.
inline std::string confusion_svg(std::span<const std::int64_t> counts, std::span<const std::string> classes,
                                 const std::string& title = {}) {
    const std::size_t n = classes.size();
    if (n == 0 || counts.size() != n * n) {
        fail(concat("confusion_svg: ", counts.size(), " counts for ", n, " classes; expected classes * classes"));
    }
    constexpr double cell = 36, left = 90, top = 80;
    const double side = cell * static_cast<double>(n);
    std::string svg = detail::svg_head(left + side + 20, top + side + 20);
    svg += detail::svg_text(left, 22, title, "font-size=\"15\"");
    svg += detail::svg_text(left + side / 2, 46, "answer", "text-anchor=\"middle\"");
    svg += detail::svg_text(14, top + side / 2, "truth", "");
    for (std::size_t row = 0; row < n; ++row) {
        const double y = top + cell * static_cast<double>(row);
        std::int64_t sum = 0;
        for (std::size_t column = 0; column < n; ++column) sum += counts[row * n + column];
        svg += detail::svg_text(left - 8, y + cell / 2 + 4, classes[row], "text-anchor=\"end\"");
        svg +=
            detail::svg_text(left + cell * (static_cast<double>(row) + 0.5), top - 8, classes[row], "text-anchor=\"middle\"");
        for (std::size_t column = 0; column < n; ++column) {
            const std::int64_t count = counts[row * n + column];
            const double share = sum == 0 ? 0 : static_cast<double>(count) / static_cast<double>(sum);
            const double strength = row == column ? share : count == 0 ? 0 : std::max(0.25, std::min(1.0, share * 8));
            const double x = left + cell * static_cast<double>(column);
            svg += concat("<rect x=\"", detail::svg_number(x), "\" y=\"", detail::svg_number(y), "\" width=\"",
                          detail::svg_number(cell), "\" height=\"", detail::svg_number(cell), "\" stroke=\"#dddddd\" fill=\"",
                          row == column ? "#1b6ca8" : "#d1495b", "\" fill-opacity=\"", detail::svg_number(strength), "\"/>\n");
            if (count != 0) {
                svg += detail::svg_text(x + cell / 2, y + cell / 2 + 4, std::to_string(count),
                                        strength > 0.6 ? "text-anchor=\"middle\" fill=\"white\"" : "text-anchor=\"middle\"");
            }
        }
    }
    return svg + "</svg>\n";
}

MOTE_END_NAMESPACE
