// SPDX-License-Identifier: MIT
#pragma once
// model_svg: the graph of a model as a picture. No script, no external resource.

#include <mote/model/model.hpp>
#include <mote/report/detail/layered_layout.hpp>
#include <mote/report/svg.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// What is drawn of a node, an input or an output.
struct DrawnBox {
    std::string kind, name, title;
    std::string colour = "#ffffff";
    double share = 0.0;  // of the largest number of MACs
    double width() const { return 150.0 + 130.0 * std::sqrt(share); }
    double height() const { return 38.0 + 40.0 * std::sqrt(share); }
};

/// A hue a family; the kinds of a family are lighter or darker.
inline std::string layer_colour(Family family, std::string_view kind = {}) {
    constexpr const char* hues[] = {"0,0%", "130,40%", "40,85%", "208,62%", "285,42%"};
    unsigned sum = 3;
    for (const char c : kind) sum = 31 * sum + static_cast<unsigned char>(c);
    return concat("hsl(", hues[static_cast<std::size_t>(family)], ",", kind.empty() ? 84u : 76u + 4 * (sum % 5), "%)");
}

/// The text's start, as far as it fits into `width` pixels.
inline std::string fitted(const std::string& text, double width) {
    const auto most = static_cast<std::size_t>(width / 6.4);
    return text.size() <= most ? text : text.substr(0, most - 2) + "..";
}

inline std::string draw_graph(const LayeredGraph& graph, const std::vector<DrawnBox>& boxes,
                              const std::vector<std::string>& values, const std::string& title) {
    constexpr double margin = 24, between = 46, legend_height = 76;
    const LayeredLayout layout = LayeredLayouter(graph).run();
    std::vector<double> top(layout.levels + 1, legend_height), height(layout.levels, 12.0);
    for (std::size_t v = 0; v < boxes.size(); ++v)
        height[layout.level[v]] = std::max(height[layout.level[v]], boxes[v].height());
    for (std::size_t l = 0; l < layout.levels; ++l) top[l + 1] = top[l] + height[l] + between;
    const double shift = margin - layout.left;
    const double width = std::max(620.0, layout.right - layout.left + 2 * margin + 120);

    std::string svg = svg_head(width, top[layout.levels]);
    svg += svg_text(margin, 24, title, "font-size=\"15\"");
    double at = margin;
    const std::pair<const char*, Family> legend[] = {{"contraction", Family::contraction},
                                                     {"elementwise", Family::elementwise},
                                                     {"reduction", Family::reduction},
                                                     {"movement", Family::movement},
                                                     {"recurrent", Family::recurrent}};
    for (const auto& [name, family] : legend) {
        svg += concat("<rect x=\"", svg_number(at), "\" y=\"36\" width=\"14\" height=\"14\" stroke=\"#777777\" fill=\"",
                      layer_colour(family), "\"/>\n");
        svg += svg_text(at + 20, 48, name, "");
        at += 110;
    }
    auto point = [&](double x, double y) { return concat(svg_number(x + shift), " ", svg_number(y)); };
    for (std::size_t n = 0; n < graph.nets.size(); ++n) {
        const LayeredGraph::Net& net = graph.nets[n];
        const std::size_t from = layout.level[net.source];
        const double start = top[from] + 0.5 * (height[from] + boxes[net.source].height());
        std::string path;
        for (const std::size_t target : net.targets) {
            double x = layout.x[net.source], y = start;
            path += "M" + point(x, y);
            for (std::size_t l = from + 1; l <= layout.level[target]; ++l) {
                const bool end = l == layout.level[target];
                const double next_x = end ? layout.x[target] : layout.route[n][l - from - 1];
                const double next_y = top[l] + (end ? 0.5 * (height[l] - boxes[target].height()) : 0.0);
                const double middle = 0.5 * (y + next_y);
                path += concat("C", point(x, middle), " ", point(next_x, middle), " ", point(next_x, next_y));
                x = next_x;
                y = next_y;
                if (end) continue;
                y = top[l] + height[l];
                path += "L" + point(x, y);
            }
        }
        svg += concat("<path d=\"", path, "\" fill=\"none\" stroke=\"#999999\"/>\n");
        svg += svg_text(layout.x[net.source] + shift + 5, start + 14, values[n], "font-size=\"10\" fill=\"#555555\"");
    }
    for (std::size_t v = 0; v < boxes.size(); ++v) {
        const DrawnBox& box = boxes[v];
        const std::size_t l = layout.level[v];
        const double x = layout.x[v] + shift, y = top[l] + 0.5 * (height[l] - box.height());
        svg += concat("<g><title>", svg_escaped(box.title), "</title><rect x=\"", svg_number(x - 0.5 * box.width()), "\" y=\"",
                      svg_number(y), "\" width=\"", svg_number(box.width()), "\" height=\"", svg_number(box.height()),
                      "\" rx=\"5\" stroke=\"#777777\" fill=\"", box.colour, "\"/>\n");
        const double middle = y + 0.5 * box.height();
        svg += svg_text(x, middle - 3, box.kind, "text-anchor=\"middle\" font-weight=\"bold\"");
        svg += svg_text(x, middle + 12, fitted(box.name, box.width()), "text-anchor=\"middle\" font-size=\"11\"");
        svg += "</g>\n";
    }
    return svg + "</svg>\n";
}

}  // namespace detail

/// The model from top to bottom: a box a node, coloured by its kind, the larger the more of the model's MACs it takes; an
/// edge a value, with its shape and element. Throws an Error where the graph is too large to draw.
template <class List>
std::string model_svg(const BasicModel<List>& model, const std::string& title = {}) {
    detail::LayeredGraph graph;
    std::vector<detail::DrawnBox> boxes;
    std::vector<std::string> values;
    std::vector<std::size_t> net_of(model.values().size());
    auto produce = [&](ValueId id) {
        const Value& value = model.value(id);
        net_of[id] = graph.nets.size();
        graph.nets.push_back({boxes.size(), {}});
        values.push_back(concat(to_string(value.shape), " ", element_name(value.element)));
    };
    auto finish = [&](detail::DrawnBox box) {
        graph.width.push_back(box.width());
        boxes.push_back(std::move(box));
    };
    std::uint64_t most = 1;
    for (std::size_t i = 0; i < model.nodes().size(); ++i) most = std::max(most, model.cost(i).macs);
    for (const ValueId id : model.inputs()) {
        produce(id);
        finish({"input", model.value(id).name, to_string(model.value(id))});
    }
    for (std::size_t i = 0; i < model.nodes().size(); ++i) {
        const Node& node = model.nodes()[i];
        const Cost cost = model.cost(i);
        const Family family =
            visit(model, node, [](const auto& layer) { return std::remove_cvref_t<decltype(layer)>::family; });
        for (const ValueId id : node.inputs) graph.nets[net_of[id]].targets.push_back(boxes.size());
        for (const ValueId id : node.outputs) produce(id);
        finish({kind_name<List>(node), node.name,
                concat(node.name, ": ", cost.macs, " MACs, ", cost.parameters, " parameters, ", cost.weight_bytes,
                       " weight bytes"),
                detail::layer_colour(family, kind_name<List>(node)),
                static_cast<double>(cost.macs) / static_cast<double>(most)});
    }
    for (const ValueId id : model.outputs()) {
        graph.nets[net_of[id]].targets.push_back(boxes.size());
        finish({"output", model.value(id).name, to_string(model.value(id))});
    }
    return detail::draw_graph(graph, boxes, values, title);
}

MOTE_END_NAMESPACE
