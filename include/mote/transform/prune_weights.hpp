// SPDX-License-Identifier: MIT
#pragma once
// prune, unstructured: the least important weights become exactly zero; shapes stay.

#include <mote/model/print.hpp>
#include <mote/transform/criterion.hpp>
#include <mote/transform/detail/checks.hpp>

#include <algorithm>

MOTE_BEGIN_NAMESPACE

struct WeightPruning {
    double sparsity = 0.5;  ///< share of the weights that is zero afterwards, between 0 and 1
    Criterion criterion = L1{};
    Scope scope = Scope::global;
    std::vector<std::string> ignored{};                ///< nodes that keep all their weights; they do not count
    std::function<void(const PruneReport&)> report{};  ///< hears what was done
};

namespace detail {

/// By weight and element: the importance.
template <class List>
std::vector<std::vector<double>> weight_scores(const BasicModel<List>& model, const std::vector<WeightRef>& weights,
                                               const Criterion& criterion) {
    std::vector<std::vector<double>> scores;
    for (const WeightRef& weight : weights) {
        scores.emplace_back(weight.values.size(), 0.0);
        if (!std::holds_alternative<L1>(criterion)) continue;
        for (std::size_t i = 0; i < weight.values.size(); ++i) {
            scores.back()[i] = std::fabs(static_cast<double>(weight.values[i]));
        }
    }
    if (const auto* taylor = std::get_if<Taylor>(&criterion)) {
        for_each_sensitivity(model, weights, *taylor, [&](const auto& product) {
            for (std::size_t w = 0; w < weights.size(); ++w) {
                const std::vector<double> batch = product(w);
                for (std::size_t i = 0; i < batch.size(); ++i) scores[w][i] += std::fabs(batch[i]);
            }
        });
    }
    return scores;
}

/// Marks the `count` least important elements of the weights `members`. Weights that are zero already go first, equal ones
/// in the model's order.
inline void mark_least(const std::vector<WeightRef>& weights, const std::vector<std::vector<double>>& scores,
                       const std::vector<std::size_t>& members, std::size_t count, std::vector<std::vector<bool>>& zero) {
    struct Candidate {
        double score;
        std::size_t weight, element;
    };
    std::vector<Candidate> candidates;
    for (const std::size_t w : members) {
        for (std::size_t i = 0; i < weights[w].values.size(); ++i) {
            candidates.push_back({weights[w].values[i] == 0.0f ? -1.0 : scores[w][i], w, i});
        }
    }
    auto less = [](const Candidate& a, const Candidate& b) {
        if (a.score != b.score) return a.score < b.score;
        return a.weight != b.weight ? a.weight < b.weight : a.element < b.element;
    };
    std::nth_element(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(count), candidates.end(), less);
    for (std::size_t i = 0; i < count; ++i) zero[candidates[i].weight][candidates[i].element] = true;
}

}  // namespace detail

/// The model with `sparsity` of the weights of its convolutions and dense layers set to exactly zero, to the nearest whole
/// weight; biases and BatchNorm stay. Chosen over the whole model (Scope::global) or in each layer alone. fine_tune keeps the
/// zeros. Throws for a sparsity outside (0, 1), weights that are NaN or infinite, an unknown name, a layer left without any
/// weight, and where no weight would become zero that is not zero yet.
template <class List>
BasicModel<List> prune(const BasicModel<List>& model, const WeightPruning& options) {
    if (!(options.sparsity > 0.0 && options.sparsity < 1.0)) {
        fail(concat("prune: sparsity ", options.sparsity, "; a share between 0 and 1 is expected, neither of them"));
    }
    Graph<List> graph = model.graph();
    detail::expect_finite_parameters(graph, "prune");
    const std::vector<bool> ignored = detail::named_nodes(graph, options.ignored, "prune: ignored");
    std::vector<detail::WeightRef> weights = detail::weights_of(graph, "prune");
    std::erase_if(weights, [&](const detail::WeightRef& weight) { return ignored[weight.node]; });
    if (weights.empty()) fail("prune: the model has no weights of convolutions or dense layers that are not ignored");
    const std::vector<std::vector<double>> scores = detail::weight_scores(model, weights, options.criterion);

    std::vector<std::vector<bool>> zero;
    std::vector<std::size_t> all;
    std::size_t total = 0, zero_before = 0;
    for (const detail::WeightRef& weight : weights) {
        all.push_back(zero.size());
        zero.emplace_back(weight.values.size(), false);
        total += weight.values.size();
        for (const float value : weight.values) zero_before += value == 0.0f ? 1u : 0u;
    }
    auto share = [&](std::size_t size) {
        return static_cast<std::size_t>(round_half_even(options.sparsity * static_cast<double>(size)));
    };
    if (options.scope == Scope::global) {
        detail::mark_least(weights, scores, all, share(total), zero);
    } else {
        for (const std::size_t w : all) detail::mark_least(weights, scores, {w}, share(zero[w].size()), zero);
    }

    PruneReport report;
    report.before = model.cost();
    std::vector<std::vector<std::string>> rows{{"node", "weights", "zero", "zero %"}};
    std::uint64_t zeros = 0, fresh = 0;
    for (const std::size_t w : all) {
        Node& node = graph.nodes[weights[w].node];
        std::size_t count = 0;
        for (std::size_t i = 0; i < zero[w].size(); ++i) {
            count += zero[w][i] || weights[w].values[i] == 0.0f ? 1u : 0u;
            fresh += zero[w][i] && weights[w].values[i] != 0.0f ? 1u : 0u;
        }
        if (count == zero[w].size()) {
            fail(concat("prune: sparsity ", options.sparsity, " leaves ", detail::node_text<List>(node), " none of its ", count,
                        " weights; a smaller sparsity, Scope::per_layer, or ignoring the node is expected"));
        }
        zeros += count;
        rows.push_back(
            {node.name, concat(zero[w].size()), concat(count),
             concat(round_half_even(1000.0 * static_cast<double>(count) / static_cast<double>(zero[w].size())) / 10)});
        node = visit(graph, node, [&]<class L>(const L& layer) {
            L next = layer;
            for_each_field(next, [&](const auto& field, auto& member) {
                if constexpr (std::is_same_v<std::remove_cvref_t<decltype(member)>, Tensor<f32>>) {
                    if (field.name != weights[w].field) return;
                    member = Tensor<f32>(member.shape(), weights[w].values);
                    for (std::size_t i = 0; i < zero[w].size(); ++i) {
                        if (zero[w][i]) member[i] = 0.0f;
                    }
                }
            });
            return Node{node.name, make_erased(std::move(next)), node.kind, node.inputs, node.outputs};
        });
    }
    if (fresh == 0) {
        fail(concat("prune: a sparsity of ", options.sparsity, " changes nothing: of ", total, " weights ", zero_before,
                    " are zero already; a larger sparsity is expected"));
    }
    BasicModel<List> result(std::move(graph));
    if (options.report) {
        report.after = result.cost();
        report.removed = zeros;
        report.total = total;
        report.text = to_table(rows);
        options.report(report);
    }
    return result;
}

MOTE_END_NAMESPACE
