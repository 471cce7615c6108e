// SPDX-License-Identifier: MIT
// Draws the ratios of a race. Standard input: lines of a network, a kind of bar and a number, between tabs; standard output:
// SVG.

#include <mote/report/svg.hpp>

#include <iostream>

int main() {
    using namespace mote;
    std::vector<std::string> groups;
    std::vector<Series> series;
    const auto index_of = [](auto& list, const auto& is) {
        return static_cast<std::size_t>(std::ranges::find_if(list, is) - list.begin());
    };
    try {
        for (std::string network, kind, ratio; std::getline(std::cin, network, '\t');) {
            if (!std::getline(std::cin, kind, '\t') || !std::getline(std::cin, ratio)) fail("a line is not of three parts");
            const std::size_t group = index_of(groups, [&](const std::string& name) { return name == network; });
            if (group == groups.size()) groups.push_back(network);
            const std::size_t bar = index_of(series, [&](const Series& one) { return one.name == kind; });
            if (bar == series.size()) series.push_back({kind, {}});
            for (Series& one : series) one.y.resize(groups.size(), NAN);
            series[bar].y[group] = std::stod(ratio);
        }
        std::cout << bars_svg(groups, series,
                              {.title = "The fastest other engine's time over mote's (above 1: mote is faster)",
                               .y_label = "times",
                               .reference = 1.0});
    } catch (const std::exception& error) {
        std::cerr << "chart: " << error.what() << '\n';
        return 1;
    }
    return 0;
}
