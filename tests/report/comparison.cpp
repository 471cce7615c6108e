// SPDX-License-Identifier: MIT
// The page of a comparison: the worst value first, names escaped, bars as long as the figures say.

#include <mote/report/comparison.hpp>

#include <support/catch.hpp>

TEST_CASE("comparison_html: rows stand by the noise of their own; values that are equal last, without signal first") {
    const std::vector<mote::ValueComparison> values{{"good", mote::Element::i8, 30.0, 0.999, 0.0, 30.0},
                                                    {"equal", mote::Element::f32, HUGE_VAL, 1.0, 0.0, HUGE_VAL},
                                                    {"after", mote::Element::i8, 11.0, 0.9, 0.0, 40.0},
                                                    {"bad<b>", mote::Element::i8, 12.0, 0.9, 0.025, 12.0},
                                                    {"silent", mote::Element::i8, -HUGE_VAL, 0.0, 0.0, -HUGE_VAL}};
    const std::string html = mote::comparison_html(values, {"net & light", "a.mote", "b.mote"});
    const std::size_t at[] = {html.find(">silent<"), html.find("bad&lt;b&gt;"), html.find(">good<"), html.find(">after<"),
                              html.find(">equal</td><td>f32")};
    for (std::size_t i = 0; i < 5; ++i) CHECK(at[i] != std::string::npos);
    CHECK(std::is_sorted(std::begin(at), std::end(at)));
    CHECK(html.find("bad<b>") == std::string::npos);
    CHECK(html.find("net &amp; light") != std::string::npos);
    CHECK(html.find("width:20.0%;background:#d1495b") != std::string::npos);   // 12 of 60 dB
    CHECK(html.find("width:50.0%;background:#e0a030") != std::string::npos);   // 30 of 60 dB
    CHECK(html.find("width:100.0%;background:#1b6ca8") != std::string::npos);  // equal
    CHECK(html.find("width:50.0%;background:#d1495b") != std::string::npos);   // 2.5 of 5 % clipped
}
