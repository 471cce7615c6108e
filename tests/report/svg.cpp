// SPDX-License-Identifier: MIT
// Pictures: every value is drawn, text is escaped, and what cannot be drawn is an error.

#include <mote/report/svg.hpp>

#include <support/catch.hpp>

#include <array>
#include <cmath>
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

TEST_CASE(
    "bars_svg: a bar and its number for each finite value, a group's name once, and the reference line where it is asked for") {
    const std::array<std::string, 2> groups{"small", "large"};
    const std::array<mote::Series, 2> series{mote::Series{"one", {1.25, 0.5}}, mote::Series{"two", {NAN, 2.0}}};
    const std::string svg = mote::bars_svg(groups, series, {.title = "a & b", .reference = 1.0});
    CHECK(svg_test::count(svg, "<rect x=") == 3 + 2);  // bars, and the legend
    for (const char* text : {">1.25<", ">0.50<", ">2.00<", ">small<", ">large<", ">one<", ">two<", "a &amp; b", "dasharray"})
        CHECK(svg_test::count(svg, text) == 1);
    CHECK(svg_test::count(svg, "nan") == 0);
    CHECK(svg_test::count(mote::bars_svg(groups, series), "dasharray") == 0);
    // The bar of 2 is four times as high as that of 0.5.
    const auto height = [&](const char* value) {
        const std::size_t at = svg.rfind("height=\"", svg.find(value)) + 8;
        return std::stod(svg.substr(at));
    };
    CHECK(std::abs(height(">2.00<") - 4 * height(">0.50<")) < 1e-3);
}

TEST_CASE("bars_svg: a missing value, a negative one and nothing to draw are errors") {
    const std::array<std::string, 2> groups{"a", "b"};
    for (const std::vector<double>& y : {std::vector<double>{1.0}, {1.0, -1.0}, {0.0, NAN}}) {
        const std::array<mote::Series, 1> series{mote::Series{"s", y}};
        CHECK_THROWS_AS(mote::bars_svg(groups, series), mote::Error);
    }
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
