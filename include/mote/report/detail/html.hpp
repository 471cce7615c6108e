// SPDX-License-Identifier: MIT
#pragma once
// What the pages have in common: head and style, numbers, bars in a table.

#include <mote/report/svg.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

inline std::string html_number(const char* format, double value) {
    char text[40];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

/// A bar that is full at a share of 1.
inline std::string html_bar(double share, const char* colour) {
    const double full = std::isnan(share) ? 0.0 : std::min(1.0, std::max(0.0, share));
    return concat("<div class=\"bar\"><div style=\"width:", html_number("%.1f", 100.0 * full), "%;background:", colour,
                  "\"></div></div>");
}

/// Everything before the page's first paragraph.
inline std::string html_head(const std::string& title) {
    const std::string escaped = svg_escaped(title);
    return concat(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>", escaped,
        "</title>\n<style>\nbody{font-family:sans-serif;margin:2em;color:#222}table{border-collapse:collapse}\n"
        "td,th{padding:3px 8px;text-align:right;border-bottom:1px solid #e4e4e4}td:first-child,th:first-child{text-align:left;"
        "font-family:monospace;min-width:13em;max-width:36em;overflow-wrap:anywhere}h1{font-size:1.3em}\n.bar{width:100px;"
        "height:12px;"
        "background:#f0f0f0}.bar div{height:12px}\n.text{text-align:left}tr:target{background:#fff3c4}p{max-width:60em}\n"
        "</style></head><body>\n<h1>",
        escaped, "</h1>\n");
}

}  // namespace detail

MOTE_END_NAMESPACE
