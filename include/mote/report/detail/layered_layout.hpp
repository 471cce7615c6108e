// SPDX-License-Identifier: MIT
#pragma once
// Layered layout of a directed graph without cycles: a level for each vertex, few crossings, and ways around the boxes between.
// (Sugiyama, Tagawa and Toda 1981: levels by longest path, points on long edges, order by barycentre.)

#include <mote/tensor/error.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// Vertices come after those that lead to them. A net goes from one vertex to several.
struct LayeredGraph {
    struct Net {
        std::size_t source = 0;
        std::vector<std::size_t> targets{};
    };
    std::vector<double> width{};  // by vertex
    std::vector<Net> nets{};
};

struct LayeredLayout {
    std::size_t levels = 0;
    std::vector<std::size_t> level{};          // by vertex
    std::vector<double> x{};                   // by vertex: the middle
    std::vector<std::vector<double>> route{};  // by net: the middle at each level between its source and its last target
    double left = 0.0, right = 0.0;            // of everything
};

class LayeredLayouter {
  public:
    static constexpr std::size_t limit = 200000;  // vertices and points on long edges

    explicit LayeredLayouter(const LayeredGraph& graph) : graph_(graph), vertices_(graph.width.size()) {}

    LayeredLayout run() {
        set_levels();
        add_items();
        for (int sweep = 0; sweep < 8; ++sweep) order(sweep % 2 == 0);
        place();
        return result();
    }

  private:
    void set_levels() {
        level_.assign(vertices_, 0);
        std::vector<std::vector<std::size_t>> nets_of(vertices_);
        for (std::size_t n = 0; n < graph_.nets.size(); ++n) nets_of[graph_.nets[n].source].push_back(n);
        for (std::size_t v = 0; v < vertices_; ++v) {
            levels_ = std::max(levels_, level_[v] + 1);
            for (const std::size_t n : nets_of[v]) {
                for (const std::size_t t : graph_.nets[n].targets) level_[t] = std::max(level_[t], level_[v] + 1);
            }
        }
    }

    /// The vertices, and a point for each net on each level that it only passes.
    void add_items() {
        width_ = graph_.width;
        item_level_ = level_;
        above_.resize(vertices_);
        below_.resize(vertices_);
        for (const LayeredGraph::Net& net : graph_.nets) {
            first_point_.push_back(width_.size());
            std::size_t last = level_[net.source] + 1;
            for (const std::size_t t : net.targets) last = std::max(last, level_[t]);
            if (width_.size() + last - level_[net.source] > limit) {
                fail("the graph is too large to draw: more than ", limit, " boxes and points on its edges");
            }
            for (std::size_t l = level_[net.source] + 1; l < last; ++l) {
                width_.push_back(12.0);
                item_level_.push_back(l);
                above_.emplace_back();
                below_.emplace_back();
                connect(at(net, l - 1), width_.size() - 1);
            }
            for (const std::size_t t : net.targets) connect(at(net, level_[t] - 1), t);
        }
        first_point_.push_back(width_.size());
        rows_.resize(levels_);
        for (std::size_t i = 0; i < width_.size(); ++i) rows_[item_level_[i]].push_back(i);
        place_.resize(width_.size());
        for (const std::vector<std::size_t>& row : rows_) number(row);
    }
    std::size_t at(const LayeredGraph::Net& net, std::size_t level) const {
        const std::size_t n = static_cast<std::size_t>(&net - graph_.nets.data());
        return level == level_[net.source] ? net.source : first_point_[n] + level - level_[net.source] - 1;
    }
    void connect(std::size_t upper, std::size_t lower) {
        below_[upper].push_back(lower);
        above_[lower].push_back(upper);
    }
    void number(const std::vector<std::size_t>& row) {
        for (std::size_t i = 0; i < row.size(); ++i) place_[row[i]] = static_cast<double>(i);
    }

    static double mean(const std::vector<std::size_t>& items, const std::vector<double>& of, double otherwise) {
        if (items.empty()) return otherwise;
        double sum = 0.0;
        for (const std::size_t i : items) sum += of[i];
        return sum / static_cast<double>(items.size());
    }

    void order(bool down) {
        std::vector<double> wanted(width_.size());
        for (std::size_t step = 0; step < levels_; ++step) {
            std::vector<std::size_t>& row = rows_[down ? step : levels_ - 1 - step];
            for (const std::size_t i : row) wanted[i] = mean(down ? above_[i] : below_[i], place_, place_[i]);
            std::sort(row.begin(), row.end(), [&](std::size_t a, std::size_t b) {
                return wanted[a] != wanted[b] ? wanted[a] < wanted[b] : place_[a] < place_[b];
            });
            number(row);
        }
    }

    /// Each item as near to its neighbours as those beside it allow.
    void place() {
        x_.assign(width_.size(), 0.0);
        for (int sweep = 0; sweep < 8; ++sweep) {
            const bool down = sweep % 2 == 0;
            for (std::size_t step = 0; step < levels_; ++step) {
                const std::vector<std::size_t>& row = rows_[down ? step : levels_ - 1 - step];
                std::vector<double> wanted, low, high;
                for (const std::size_t i : row) wanted.push_back(mean(down ? above_[i] : below_[i], x_, x_[i]));
                low = high = wanted;
                for (std::size_t k = 1; k < row.size(); ++k) low[k] = std::max(low[k], low[k - 1] + gap(row[k - 1], row[k]));
                for (std::size_t k = row.size(); k-- > 1;)
                    high[k - 1] = std::min(high[k - 1], high[k] - gap(row[k - 1], row[k]));
                for (std::size_t k = 0; k < row.size(); ++k) x_[row[k]] = 0.5 * (low[k] + high[k]);
            }
        }
    }
    double gap(std::size_t a, std::size_t b) const { return 0.5 * (width_[a] + width_[b]) + 24.0; }

    LayeredLayout result() const {
        LayeredLayout layout;
        layout.levels = levels_;
        layout.level = level_;
        layout.x.assign(x_.begin(), x_.begin() + static_cast<std::ptrdiff_t>(vertices_));
        for (std::size_t n = 0; n < graph_.nets.size(); ++n) {
            layout.route.emplace_back(x_.begin() + static_cast<std::ptrdiff_t>(first_point_[n]),
                                      x_.begin() + static_cast<std::ptrdiff_t>(first_point_[n + 1]));
        }
        for (std::size_t i = 0; i < x_.size(); ++i) {
            layout.left = i == 0 ? x_[i] - 0.5 * width_[i] : std::min(layout.left, x_[i] - 0.5 * width_[i]);
            layout.right = i == 0 ? x_[i] + 0.5 * width_[i] : std::max(layout.right, x_[i] + 0.5 * width_[i]);
        }
        return layout;
    }

    const LayeredGraph& graph_;
    std::size_t vertices_, levels_ = 0;
    std::vector<std::size_t> level_, item_level_, first_point_;
    std::vector<double> width_, place_, x_;
    std::vector<std::vector<std::size_t>> above_, below_, rows_;
};

}  // namespace detail

MOTE_END_NAMESPACE
