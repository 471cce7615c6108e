// SPDX-License-Identifier: MIT
#pragma once
// comparison_html: where two models differ, as a page with bars, the worst values first. No script, no external resource.

#include <mote/quantization/compare.hpp>
#include <mote/report/detail/html.hpp>

#include <algorithm>

MOTE_BEGIN_NAMESPACE

struct ComparisonPage {
    std::string title{};
    std::string model_a = "a";
    std::string model_b = "b";
};

/// The values by the noise that is their own, then by what they have, the most first; of equal ones in the model's order.
inline std::vector<ValueComparison> worst_first(const std::vector<ValueComparison>& comparison) {
    std::vector<const ValueComparison*> order;
    for (const ValueComparison& value : comparison) order.push_back(&value);
    std::sort(order.begin(), order.end(), [](const ValueComparison* a, const ValueComparison* b) {
        return a->own != b->own ? a->own < b->own : a->sqnr != b->sqnr ? a->sqnr < b->sqnr : a < b;
    });
    std::vector<ValueComparison> result;
    for (const ValueComparison* value : order) result.push_back(*value);
    return result;
}

/// A page of HTML: a row a value with bars for its own SQNR and for all of it (60 dB and more fill one; below 20 dB it is red),
/// and one for the share clipped (5 % and more fill it).
inline std::string comparison_html(const std::vector<ValueComparison>& comparison, const ComparisonPage& page = {}) {
    using detail::html_number;
    std::string html = concat(
        detail::html_head(page.title), "<p>How the values of <b>", detail::svg_escaped(page.model_b),
        "</b> follow those of <b>", detail::svg_escaped(page.model_a),
        "</b>, the worst first. SQNR is the signal to quantization noise; own is what it would be by the noise alone that "
        "comes in addition to the worst of its inputs; clipped is the share of numbers that the second model cannot "
        "represent.</p>\n<table>\n<tr><th>value</th><th>element</th><th>own dB</th><th></th><th>SQNR dB</th><th></th>"
        "<th>cosine</th><th>clipped %</th><th></th></tr>\n");
    for (const ValueComparison& value : worst_first(comparison)) {
        const auto decibels = [&](double db) {
            const char* colour = db < 20.0 ? "#d1495b" : db < 35.0 ? "#e0a030" : "#1b6ca8";
            const std::string text = std::isinf(db) ? std::string(db > 0 ? "equal" : "no signal") : html_number("%.1f", db);
            return concat("</td><td>", text, "</td><td>", detail::html_bar(db / 60.0, colour));
        };
        html += concat("<tr><td>", detail::svg_escaped(value.name), "</td><td>", element_name(value.element),
                       decibels(value.own), decibels(value.sqnr), "</td><td>", html_number("%.6f", value.cosine), "</td><td>",
                       html_number("%.3f", 100.0 * value.clipped), "</td><td>",
                       detail::html_bar(value.clipped / 0.05, "#d1495b"), "</td></tr>\n");
    }
    return html + "</table>\n</body></html>\n";
}

MOTE_END_NAMESPACE
