// SPDX-License-Identifier: MIT
// Pictures: every value is drawn, text is escaped, and what cannot be drawn is an error.

#include <mote/report/svg.hpp>

#include <support/catch.hpp>

#include <array>
#include <limits>

namespace svg_test {

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
    return found;
}

}  // namespace svg_test

TEST_CASE("curves_svg: one path and one legend line a series, and a gap where a value is not finite") {
    const std::array<mote::Series, 2> series{
        mote::Series{"a<b", {1.0, 2.0, std::numeric_limits<double>::quiet_NaN(), 3.0, 4.0}}, mote::Series{"c", {0.5}}};
    const std::string svg = mote::curves_svg(series, {.title = "loss & more"});
    CHECK(svg_test::count(svg, "stroke-width=\"1.8\"") == 2);
    CHECK(svg_test::count(svg, "stroke-width=\"3\"") == 2);
    CHECK(svg_test::count(svg, "a&lt;b") == 1);
    CHECK(svg_test::count(svg, "loss &amp; more") == 1);
    const std::size_t path = svg.find("fill=\"none\"");
    const std::size_t start = svg.rfind("d=\"", path);
    CHECK(svg_test::count(svg.substr(start, path - start), "M") == 2);
    CHECK(svg_test::count(svg.substr(start, path - start), "L") == 2);
}

TEST_CASE("curves_svg: values below `from` leave a gap") {
    const std::vector<mote::Series> series{{"a", {1, 95, 96, 97}}};
    CHECK(mote::curves_svg(series, {.from = 90}).find(">0</text>") == std::string::npos);
    CHECK_THROWS_AS(mote::curves_svg(series, {.from = 98}), mote::Error);
}

TEST_CASE("curves_svg: constant series are drawn, empty ones are an error") {
    const std::array<mote::Series, 1> constant{mote::Series{"a", {2.0, 2.0}}};
    CHECK(svg_test::count(mote::curves_svg(constant), "nan") == 0);
    const std::array<mote::Series, 1> empty{mote::Series{"a", {}}};
    CHECK_THROWS_AS(mote::curves_svg(empty), mote::Error);
}

TEST_CASE("confusion_svg: every count other than zero is written, and a wrong number of counts is an error") {
    const std::array<std::string, 2> classes{"cat", "dog"};
    const std::array<std::int64_t, 4> counts{17, 3, 0, 29};
    const std::string svg = mote::confusion_svg(counts, classes, "title");
    for (const char* text : {">17<", ">3<", ">29<"}) CHECK(svg_test::count(svg, text) == 1);
    CHECK(svg_test::count(svg, ">0<") == 0);
    CHECK(svg_test::count(svg, "<rect x=") == 4);
    CHECK_THROWS_AS(mote::confusion_svg(std::span(counts).first(3), classes), mote::Error);
}
