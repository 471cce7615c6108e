// SPDX-License-Identifier: MIT
#pragma once
// roofline_html: the steps of a plan as points under the roof of the machine, and as a table. No script, no external resource.

#include <mote/report/detail/html.hpp>
#include <mote/report/roofline.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// The kinds, those that take the most time first, with their time.
inline std::vector<std::pair<std::string, double>> kinds_by_time(const Roofline& roofline) {
    std::vector<std::pair<std::string, double>> kinds;
    for (const RooflinePoint& point : roofline.points) {
        const auto same = [&](const auto& kind) { return kind.first == point.kind; };
        const auto found = std::find_if(kinds.begin(), kinds.end(), same);
        if (found == kinds.end()) {
            kinds.emplace_back(point.kind, point.microseconds);
        } else {
            found->second += point.microseconds;
        }
    }
    std::sort(kinds.begin(), kinds.end(),
              [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
    return kinds;
}

/// Of the kind at this place: the colours of the other pictures, then hues that are far from each other.
inline std::string kind_colour(std::size_t place) {
    if (place < std::size(svg_colours)) return svg_colours[place];
    return concat("hsl(", (place * 137 + 20) % 360, ",55%,45%)");
}

/// A logarithmic axis from `low` to `high`, drawn from pixel `from` to pixel `to`.
struct LogAxis {
    double low = 1.0, high = 10.0, from = 0.0, to = 1.0;

    double decades() const { return std::log10(high / low); }
    double at(double value) const { return from + (to - from) * std::log10(value / low) / decades(); }
    /// 1, 2 and 5 times the powers of ten; of long axes the powers alone.
    std::vector<double> ticks() const {
        std::vector<double> result;
        for (double power = std::pow(10.0, std::floor(std::log10(low))); power <= high; power *= 10.0) {
            for (const double factor : {1.0, 2.0, 5.0}) {
                const double tick = factor * power;
                if (tick >= low && tick <= high && (factor == 1.0 || decades() < 4.0)) result.push_back(tick);
            }
        }
        return result;
    }
};

class RooflineDrawing {
  public:
    explicit RooflineDrawing(const Roofline& roofline)
        : roofline_(roofline), roof_(roofline.roof), kinds_(kinds_by_time(roofline)) {
        double least_x = 1.0, most_x = 10.0, most_y = std::max(roof_.f32_gops, roof_.i8_gops);
        peak_ = most_y;
        for (const RooflinePoint& point : roofline.points) {
            time_ += point.microseconds;
            most_y = std::max(most_y, point.gops());
            if (point.macs == 0) continue;
            least_x = std::min(least_x, point.intensity());
            most_x = std::max(most_x, point.intensity());
        }
        for (const MemoryLevel& level : roof_.levels) most_x = std::max(most_x, peak_ / level.gigabytes_per_second);
        x_.low = least_x / 1.5;
        x_.high = most_x * 2.0;
        double least_y = most_y / 100.0;
        for (const RooflinePoint& point : roofline.points) {
            if (height(point) > 0.0) least_y = std::min(least_y, height(point));
            most_y = std::max(most_y, height(point));
        }
        y_.low = most_y > 0.0 ? least_y / 1.5 : 1.0;
        y_.high = most_y > 0.0 ? most_y * 2.0 : 10.0;
    }

    std::string draw() const {
        std::string svg = svg_head(right + 190, bottom + 60);
        axes(svg);
        roofs(svg);
        points(svg);
        legend(svg);
        return svg + "</svg>\n";
    }

  private:
    static constexpr const char* halo = "stroke=\"#ffffff\" stroke-width=\"3\" paint-order=\"stroke\"";
    static constexpr double left = 70, strip = 56, top = 24, right = 890, bottom = 524;

    static std::string path(const std::string& d, const std::string& style) {
        return concat("<path d=\"", d, "\" fill=\"none\" ", style, "/>\n");
    }
    static std::string point_at(double x, double y) { return concat(svg_number(x), " ", svg_number(y)); }
    std::string place(double x, double y) const { return point_at(x_.at(x), y_.at(y)); }

    /// What a point is drawn at: operations a second; without any, what the bytes that it moves would allow at the left edge.
    double height(const RooflinePoint& point) const {
        return point.macs > 0 ? point.gops() : point.gigabytes_per_second() * x_.low;
    }

    void axes(std::string& svg) const {
        const char* grid = "stroke=\"#e4e4e4\"";
        for (const double x : x_.ticks()) {
            svg += path(concat("M", point_at(x_.at(x), top), "V", svg_number(bottom)), grid);
            svg += svg_text(x_.at(x), bottom + 18, svg_number(x), "text-anchor=\"middle\"");
        }
        for (const double y : y_.ticks()) {
            svg += path(concat("M", point_at(left, y_.at(y)), "H", svg_number(right)), grid);
            svg += svg_text(left - 6, y_.at(y) + 4, svg_number(y), "text-anchor=\"end\"");
        }
        svg += concat("<rect x=\"", svg_number(left), "\" y=\"", svg_number(top), "\" width=\"", svg_number(strip),
                      "\" height=\"", svg_number(bottom - top), "\" fill=\"#f6f6f6\"/>\n");
        svg += svg_text(left + strip / 2, top + 16, "no MACs", "text-anchor=\"middle\" fill=\"#777777\"");
        svg += path(concat("M", point_at(left, top), "V", svg_number(bottom), "H", svg_number(right)), "stroke=\"#222222\"");
        svg += svg_text((left + strip + right) / 2, bottom + 42, "arithmetic intensity, operations / byte",
                        "text-anchor=\"middle\"");
        svg += svg_text(6, top - 8, "speed, GOP/s", "");
    }

    void roofs(std::string& svg) const {
        if (!(peak_ > 0.0)) return;
        double start = x_.high;  // where the fastest level reaches the peak
        const double angle = -std::atan2((bottom - top) / y_.decades(), (right - left - strip) / x_.decades()) * 57.29578;
        for (std::size_t i = 0; i < roof_.levels.size(); ++i) {
            const MemoryLevel& level = roof_.levels[i];
            const double speed = level.gigabytes_per_second, ridge = peak_ / speed;
            start = std::min(start, std::max(x_.low, ridge));
            const double from = std::max(x_.low, y_.low / speed);
            if (from >= ridge) continue;
            svg += path(concat("M", place(from, from * speed), "L", place(ridge, peak_)),
                        "class=\"roof\" stroke=\"#222222\" stroke-width=\"1.5\"");
            if (from == x_.low) {
                svg += path(concat("M", point_at(left, y_.at(from * speed)), "h", svg_number(strip)),
                            "stroke=\"#222222\" stroke-dasharray=\"2 3\"");
            }
            // Labels stand at one end and the other in turn, for levels may be as fast as each other.
            const double at = i % 2 == 1 ? from : ridge;
            svg += concat("<g transform=\"translate(", place(at, at * speed), ") rotate(", svg_number(angle), ")\">");
            svg += svg_text(i % 2 == 1 ? 10 : -10, -5, concat(level.name, " ", html_number("%.1f", speed), " GB/s"),
                            concat(halo, i % 2 == 1 ? "" : " text-anchor=\"end\"").c_str());
            svg += "</g>\n";
        }
        const std::pair<const char*, double> peaks[] = {{"f32 peak ", roof_.f32_gops}, {"int8 peak ", roof_.i8_gops}};
        for (const auto& [name, gops] : peaks) {
            if (!(gops > 0.0)) continue;
            const double from = start * gops / peak_;
            svg += path(concat("M", place(std::max(x_.low, from), gops), "H", svg_number(right)),
                        "class=\"roof\" stroke=\"#222222\" stroke-width=\"1.5\"");
            svg +=
                svg_text(right - 4, y_.at(gops) - 5, concat(name, html_number("%.1f", gops), " GOP/s"), "text-anchor=\"end\"");
        }
    }

    void points(std::string& svg) const {
        std::vector<std::size_t> order;  // the largest first, so that each can be pointed at
        for (std::size_t i = 0; i < roofline_.points.size(); ++i) order.push_back(i);
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            const double time_a = roofline_.points[a].microseconds, time_b = roofline_.points[b].microseconds;
            return time_a != time_b ? time_a > time_b : a < b;
        });
        std::size_t without = 0;
        for (const std::size_t i : order) {
            const RooflinePoint& point = roofline_.points[i];
            const double share = time_ > 0.0 ? point.microseconds / time_ : 0.0;
            const double spread = static_cast<double>(without % 5) * 9 - 18;
            if (point.macs == 0) ++without;
            const double x = point.macs > 0 ? x_.at(point.intensity()) : left + strip / 2 + spread;
            const double y = y_.at(std::max(y_.low, height(point)));
            const auto kind = std::find_if(kinds_.begin(), kinds_.end(), [&](const auto& k) { return k.first == point.kind; });
            svg += concat("<a href=\"#step", i, "\"><circle class=\"step\" cx=\"", svg_number(x), "\" cy=\"", svg_number(y),
                          "\" r=\"", html_number("%.1f", 3.5 + 12.0 * std::sqrt(share)), "\" fill=\"",
                          kind_colour(static_cast<std::size_t>(kind - kinds_.begin())), "\" fill-opacity=\"0.75\" stroke=\"",
                          point.transformed ? "#000000" : "#ffffff", "\"><title>", svg_escaped(tooltip(point)),
                          "</title></circle></a>\n");
        }
    }

    std::string tooltip(const RooflinePoint& point) const {
        std::string text = concat(point.name, "\n", point.kernel, point.reason.empty() ? "" : "\n", point.reason, "\n",
                                  html_number("%.3f", point.microseconds), " µs");
        if (point.macs > 0) {
            text += concat(", ", html_number("%.2f", point.gops()), " GOP/s, ", html_number("%.2f", point.intensity()),
                           " operations / byte");
        }
        text += concat(", ", html_number("%.2f", point.gigabytes_per_second()), " GB/s");
        const double share = point.peak_share(roof_);
        if (share > 0.0) text += concat("\n", html_number("%.1f", 100.0 * share), " % of the peak");
        return text;
    }

    void legend(std::string& svg) const {
        svg += svg_text(right + 16, top + 8, "share of the time", "fill=\"#777777\"");
        for (std::size_t i = 0; i < kinds_.size() && i < 24; ++i) {
            const double y = top + 30 + 20.0 * static_cast<double>(i);
            svg += concat("<circle cx=\"", svg_number(right + 22), "\" cy=\"", svg_number(y - 4), "\" r=\"6\" fill=\"",
                          kind_colour(i), "\"/>\n");
            const double share = time_ > 0.0 ? 100.0 * kinds_[i].second / time_ : 0.0;
            svg += svg_text(right + 36, y, concat(kinds_[i].first, " ", html_number("%.1f", share), " %"), "");
        }
    }

    const Roofline& roofline_;
    const Roof& roof_;
    std::vector<std::pair<std::string, double>> kinds_;
    double time_ = 0.0;  // of all points
    double peak_ = 0.0;  // the higher one
    LogAxis x_{1.0, 10.0, left + strip, right}, y_{1.0, 10.0, bottom, top};
};

}  // namespace detail

/// The picture: both axes are logarithmic; a circle a step, the larger the more of the time it takes.
inline std::string roofline_svg(const Roofline& roofline) {
    return detail::RooflineDrawing(roofline).draw();
}

/// The page: the picture, and below it a row a step, the sums and the whole run.
inline std::string roofline_html(const Roofline& roofline) {
    using detail::html_number;
    const RooflinePoint sum = roofline.sum();
    const auto percent = [](double share) { return share > 0.0 ? html_number("%.1f", 100.0 * share) : std::string("-"); };
    const auto row = [&](const std::string& start, const RooflinePoint& point, double share) {
        const bool computes = point.macs > 0;
        const double time = sum.microseconds > 0.0 ? point.microseconds / sum.microseconds : 0.0;
        return concat(start, "<td>", detail::svg_escaped(point.name), "</td><td class=\"text\">",
                      detail::svg_escaped(point.kind), "</td><td class=\"text\">", detail::svg_escaped(point.kernel),
                      "</td><td class=\"text\">", detail::svg_escaped(point.reason), "</td><td>",
                      html_number("%.3f", point.microseconds), "</td><td>", percent(time), "</td><td>",
                      detail::html_bar(time, "#1b6ca8"), "</td><td>", point.macs, "</td><td>",
                      computes ? html_number("%.2f", point.gops()) : std::string("-"), "</td><td>", percent(share),
                      point.transformed ? " *" : "", "</td><td>", point.bytes, "</td><td>",
                      computes ? html_number("%.2f", point.intensity()) : std::string("-"), "</td><td>",
                      html_number("%.2f", point.gigabytes_per_second()), "</td></tr>\n");
    };
    std::string html = concat(
        detail::html_head(roofline.title), "<p>", detail::svg_escaped(roofline.note), "</p>\n", roofline_svg(roofline),
        "<p>A circle is a step of the plan: the higher, the more operations (two a multiply-accumulate) it does in a second; "
        "the "
        "further right, the more of them for each byte of its inputs, outputs and packed constants; the larger, the more of "
        "the "
        "time it takes. The lines are what ",
        roofline.roof.threads, roofline.roof.threads == 1 ? " thread" : " threads",
        " of this machine can do at most: dot products in registers, and reading from each level of memory. Steps without "
        "multiply-accumulates stand in the strip at the left, as high as the bytes that they move in a second would reach "
        "where the lines of the memory begin.",
        sum.transformed ? " A dark rim marks *." : "", "</p>\n");
    for (const std::string& remark : roofline.remarks()) html += concat("<p>", detail::svg_escaped(remark), "</p>\n");
    html +=
        "<table>\n<tr><th>step</th><th class=\"text\">layer</th><th class=\"text\">kernel</th><th class=\"text\">why</th>"
        "<th>µs</th><th>time %</th><th></th><th>MACs</th><th>GOP/s</th><th>peak %</th><th>bytes</th><th>OP/byte</th>"
        "<th>GB/s</th></tr>\n";
    for (std::size_t i = 0; i < roofline.points.size(); ++i) {
        const RooflinePoint& point = roofline.points[i];
        html += row(concat("<tr class=\"step\" id=\"step", i, "\">"), point, point.peak_share(roofline.roof));
    }
    html += row("<tr class=\"sum\">", sum, roofline.peak_share(sum.microseconds));
    html += row("<tr class=\"whole\">", roofline.whole(), roofline.peak_share(roofline.microseconds));
    return html + "</table>\n</body></html>\n";
}

MOTE_END_NAMESPACE
