// SPDX-License-Identifier: MIT
// The picture of a graph: a box for each node, input and output, none over another; long edges pass the boxes between.

#include <mote/report/model_svg.hpp>

#include <mote/core/random.hpp>

#include <model/make.hpp>
#include <support/catch.hpp>
#include <support/error_text.hpp>

namespace model_svg_test {

using namespace mote;

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
    return found;
}

/// The number behind `attribute="` at or after `from`.
double attribute(const std::string& svg, const std::string& name, std::size_t from) {
    return std::stod(svg.substr(svg.find(name + "=\"", from) + name.size() + 2));
}

}  // namespace model_svg_test

TEST_CASE("model_svg: a residual network has a box a node, an edge a value with its shape, and larger boxes for more MACs") {
    using namespace model_svg_test;
    ModelBuilder<f32> b;
    const auto x = b.input("image", {1, 8, 8, 4});
    const auto small = b.add(model_make::conv(4, 1, 4), x, {.name = "small <conv>"});
    Conv2d<f32> conv = model_make::conv(4, 3, 4);
    conv.padding = uniform_padding(1);
    const auto large = b.add(std::move(conv), small, {.name = "large"});
    b.output("sum", b.add(Add{}, {large, x}));
    const std::string svg = model_svg(b.build(), "a & b");
    CHECK(count(svg, "<g>") == 5);
    CHECK(count(svg, "fill=\"none\"") == 4);
    CHECK(count(svg, "1x8x8x4 f32</text>") == 4);
    CHECK(count(svg, "small &lt;conv&gt;") == 2);
    CHECK(count(svg, "a &amp; b") == 1);
    CHECK(attribute(svg, "width", svg.find("<title>large")) > attribute(svg, "width", svg.find("<title>small")));
}

TEST_CASE("layered layout: on random graphs every edge goes down, and nothing stands over anything else") {
    using namespace model_svg_test;
    Random random(1);
    for (int round = 0; round < 50; ++round) {
        detail::LayeredGraph graph;
        const std::size_t vertices = 1 + random.below(30);
        for (std::size_t v = 0; v < vertices; ++v) graph.width.push_back(20.0 + static_cast<double>(random.below(100)));
        for (std::size_t v = 0; v + 1 < vertices; ++v) {
            graph.nets.push_back({v, {}});
            for (std::size_t n = random.below(4); n > 0; --n) {
                graph.nets.back().targets.push_back(v + 1 + random.below(vertices - v - 1));
            }
        }
        const detail::LayeredLayout layout = detail::LayeredLayouter(graph).run();
        struct Item {
            double x, width;
        };
        std::vector<std::vector<Item>> rows(layout.levels);
        for (std::size_t v = 0; v < vertices; ++v) rows[layout.level[v]].push_back({layout.x[v], graph.width[v]});
        for (std::size_t n = 0; n < graph.nets.size(); ++n) {
            const std::size_t from = layout.level[graph.nets[n].source];
            std::size_t last = from + 1;
            for (const std::size_t t : graph.nets[n].targets) {
                CHECK(layout.level[t] > from);
                last = std::max(last, layout.level[t]);
            }
            REQUIRE(layout.route[n].size() == last - from - 1);
            for (std::size_t l = from + 1; l < last; ++l) rows[l].push_back({layout.route[n][l - from - 1], 12.0});
        }
        for (const std::vector<Item>& row : rows) {
            for (std::size_t a = 0; a < row.size(); ++a) {
                CHECK(row[a].x - 0.5 * row[a].width >= layout.left);
                CHECK(row[a].x + 0.5 * row[a].width <= layout.right);
                for (std::size_t c = 0; c < a; ++c) {
                    CHECK(std::abs(row[a].x - row[c].x) > 0.5 * (row[a].width + row[c].width) + 1.0);
                }
            }
        }
    }
}

TEST_CASE("layered layout: a graph that would need too many points is an error") {
    using namespace model_svg_test;
    detail::LayeredGraph graph;
    constexpr std::size_t vertices = 1000;
    for (std::size_t v = 0; v < vertices; ++v) {
        graph.width.push_back(10.0);
        if (v + 1 < vertices) graph.nets.push_back({v, {v + 1, vertices - 1}});
    }
    CHECK_THAT(support::error_text([&] { detail::LayeredLayouter(graph).run(); }), Catch::Contains("too large to draw"));
}
