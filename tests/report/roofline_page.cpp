// SPDX-License-Identifier: MIT
// The page of a roofline: a point and a row for every step at the place that its figures say, lines for the roof, text escaped.

#include <mote/report/roofline_page.hpp>

#include <support/catch.hpp>

#include <cmath>

namespace roofline_page_test {

using namespace mote;

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
    return found;
}

/// The number behind `name="` in the point of this step.
double of_point(const std::string& html, std::size_t step, const std::string& name) {
    const std::size_t at = html.find(concat("<a href=\"#step", step, "\"><circle class=\"step\""));
    REQUIRE(at != std::string::npos);
    return std::stod(html.substr(html.find(concat(name, "=\""), at) + name.size() + 2));
}

Roofline example() {
    Roofline roofline{.title = "net <&>", .note = "one \"thread\"", .microseconds = 130.0};
    roofline.roof = {2, 100.0, 400.0, {{"L1", 200.0}, {"L2", 100.0}, {"memory", 10.0}}};
    roofline.points = {
        {.name = "a<b>", .kind = "Conv2d", .kernel = "k & k", .macs = 1'000'000, .bytes = 200'000, .microseconds = 100.0},
        {.name = "b",
         .kind = "Conv2d",
         .kernel = "k",
         .reason = "\"why\"",
         .transformed = true,
         .macs = 100'000,
         .bytes = 20'000,
         .microseconds = 1.0},
        {.name = "c",
         .kind = "Dense",
         .kernel = "d",
         .element = mote::Element::i8,
         .macs = 10'000,
         .bytes = 20'000,
         .microseconds = 10.0},
        {.name = "d", .kind = "Add", .kernel = "add", .bytes = 40'000, .microseconds = 4.0},
        {.name = "e", .kind = "Reshape", .kernel = "move", .bytes = 0, .microseconds = 0.0}};
    return roofline;
}

}  // namespace roofline_page_test

TEST_CASE("roofline_html: every step has a point with a tooltip and a row, in the colour of its kind") {
    using namespace roofline_page_test;
    const std::string html = roofline_html(example());
    CHECK(count(html, "<circle class=\"step\"") == 5);
    CHECK(count(html, "</title></circle>") == 5);
    CHECK(count(html, "<tr class=\"step\"") == 5);
    for (int i = 0; i < 5; ++i) {
        CHECK(count(html, concat("<a href=\"#step", i, "\">")) == 1);
        CHECK(count(html, concat("id=\"step", i, "\"")) == 1);
    }
    CHECK(count(html,
                "<title>a&lt;b&gt;\nk &amp; k\n100.000 µs, 20.00 GOP/s, 10.00 operations / byte, 2.00 GB/s\n20.0 % of the "
                "peak</title>") == 1);
    CHECK(count(html, "<title>d\nadd\n4.000 µs, 10.00 GB/s</title>") == 1);
    CHECK(count(html, "Conv2d 87.8 %") == 1);
    CHECK(count(html, "stroke=\"#000000\"") == 1);  // the transformed one
    CHECK(count(html, "whole run") == 1);
    CHECK(count(html, "Winograd") == 1);
}

TEST_CASE("roofline_html: text from files is escaped, and the page needs nothing else") {
    using namespace roofline_page_test;
    const std::string html = roofline_html(example());
    CHECK(html.find("a<b>") == std::string::npos);
    CHECK(html.find("<&>") == std::string::npos);
    CHECK(count(html, "net &lt;&amp;&gt;") == 2);
    CHECK(count(html, "&quot;why&quot;") == 2);
    CHECK(count(html, "nan") == 0);
    CHECK(count(html, "inf") == 0);
    CHECK(count(html, "<script") == 0);
    CHECK(count(html, "http") == 1);  // the name of SVG itself
}

TEST_CASE("roofline_svg: points stand where intensity and speed say, on logarithmic axes that both name their unit") {
    using namespace roofline_page_test;
    const std::string svg = roofline_svg(example());
    CHECK(count(svg, ">arithmetic intensity, operations / byte<") == 1);
    CHECK(count(svg, ">speed, GOP/s<") == 1);
    // a: 10 operations / byte, 20 GOP/s; b: 10, 200; c: 1, 2; d moves as fast as memory.
    CHECK(of_point(svg, 0, "cx") == Approx(of_point(svg, 1, "cx")));
    CHECK(of_point(svg, 0, "cx") > of_point(svg, 2, "cx"));
    CHECK(of_point(svg, 0, "cy") - of_point(svg, 1, "cy") == Approx(of_point(svg, 2, "cy") - of_point(svg, 0, "cy")));
    CHECK(of_point(svg, 3, "cx") < of_point(svg, 2, "cx"));
    CHECK(of_point(svg, 0, "r") > of_point(svg, 1, "r"));
    // Three levels of memory and two peaks; that of memory begins where d stands.
    CHECK(count(svg, "class=\"roof\"") == 5);
    for (const char* text :
         {">L1 200.0 GB/s<", ">L2 100.0 GB/s<", ">memory 10.0 GB/s<", ">f32 peak 100.0 GOP/s<", ">int8 peak 400.0 GOP/s<"}) {
        CHECK(count(svg, text) == 1);
    }
    const std::size_t dashes = svg.rfind("stroke-dasharray");
    const std::size_t line = svg.rfind("d=\"M", dashes);
    CHECK(std::stod(svg.substr(svg.find(' ', line))) == Approx(of_point(svg, 3, "cy")).epsilon(1e-4));
}

TEST_CASE("roofline_html: without a roof, without times and without steps there is still a page") {
    using namespace roofline_page_test;
    Roofline roofline = example();
    roofline.roof = {};
    for (int round = 0; round < 3; ++round) {
        const std::string html = roofline_html(roofline);
        CHECK(count(html, "<circle class=\"step\"") == roofline.points.size());
        CHECK(count(html, "class=\"roof\"") == 0);
        CHECK(count(html, "nan") == 0);
        CHECK(count(html, "inf") == 0);
        if (round == 0) {
            for (RooflinePoint& point : roofline.points) point.microseconds = 0.0;
        } else {
            roofline.points.clear();
        }
    }
}
