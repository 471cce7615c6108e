// SPDX-License-Identifier: MIT
#pragma once
// What transforms check before they work: finite weights, names that exist.

#include <mote/model/model.hpp>
#include <mote/quantization/scale.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// "node 'fc' (Dense)"
template <class List>
std::string node_text(const Node& node) {
    return concat("node '", node.name, "' (", kind_name<List>(node), ")");
}

/// Throws an Error that names node and tensor where an f32 parameter is NaN or infinite.
template <class List>
void expect_finite_parameters(const Graph<List>& graph, const char* what) {
    for (const Node& node : graph.nodes) {
        visit(graph, node, [&](const auto& layer) {
            for_each_parameter(layer, [&](const auto& field, const auto& tensor) {
                if constexpr (std::is_same_v<std::remove_cvref_t<decltype(tensor)>, Tensor<f32>>) {
                    const std::size_t at = first_not_finite(tensor.values());
                    if (at == tensor.size()) return;
                    fail(concat(what, ": ", node_text<List>(node), ": ", field.name, " [", to_string(tensor.shape()),
                                "] is NaN or infinite at element ", at, "; finite numbers are expected"));
                }
            });
        });
    }
}

/// By node: whether it is named. Throws where a name is no node's.
template <class List>
std::vector<bool> named_nodes(const Graph<List>& graph, const std::vector<std::string>& names, const char* option) {
    std::vector<bool> named(graph.nodes.size(), false);
    for (const std::string& name : names) {
        bool found = false;
        for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
            if (graph.nodes[i].name == name) found = named[i] = true;
        }
        if (found) continue;
        std::string known;
        for (const Node& node : graph.nodes) known += concat(known.empty() ? "'" : ", '", node.name, "'");
        fail(concat(option, " names '", name, "', which is no node of the model; its nodes are ", known));
    }
    return named;
}

/// Sets of numbers that grow together (Tarjan 1975, with path halving).
class DisjointSets {
  public:
    explicit DisjointSets(std::size_t count = 0) {
        while (parent_.size() < count) add();
    }
    std::size_t add() {
        parent_.push_back(parent_.size());
        return parent_.size() - 1;
    }
    std::size_t size() const noexcept { return parent_.size(); }
    std::size_t find(std::size_t item) noexcept {
        while (parent_[item] != item) item = parent_[item] = parent_[parent_[item]];
        return item;
    }
    /// The smaller root stays. True where they were apart.
    bool join(std::size_t a, std::size_t b) noexcept {
        a = find(a);
        b = find(b);
        if (a == b) return false;
        (a < b ? parent_[b] : parent_[a]) = a < b ? a : b;
        return true;
    }

  private:
    std::vector<std::size_t> parent_;
};

}  // namespace detail

MOTE_END_NAMESPACE
