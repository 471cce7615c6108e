// SPDX-License-Identifier: MIT
#pragma once
// prune, structured: the least important channels go, and every tensor that holds them shrinks.

#include <mote/transform/channel_groups.hpp>
#include <mote/transform/criterion.hpp>
#include <mote/transform/detail/cut.hpp>

MOTE_BEGIN_NAMESPACE

struct ChannelPruning {
    double keep = 0.5;  ///< share of the channels that stay, between 0 and 1, to the nearest whole channel
    Criterion criterion = L1{};
    Scope scope = Scope::per_layer;      ///< in each group alone, or over the whole model
    std::size_t round_to = 1;            ///< what stays of a group is rounded up to a multiple of this
    std::vector<std::string> ignored{};  ///< nodes that keep all their outputs
    /// Hears what will be done, group by group, before anything is cut: the report without `after`. What it throws ends prune.
    std::function<void(const PruneReport&)> before_cut{};
    std::function<void(const PruneReport&)> report{};  ///< hears what was done, with the MACs that remain
};

namespace detail {

/// By group and channel: the importance, the sum over the filters that make the channel.
template <class List>
std::vector<std::vector<double>> channel_scores(const BasicModel<List>& model, const std::vector<ChannelGroup>& groups,
                                                const Criterion& criterion) {
    const std::vector<WeightRef> weights = weights_of(model.graph(), "prune");
    std::vector<Shape> shapes(weights.size());
    for (std::size_t w = 0; w < weights.size(); ++w) {
        visit(model.graph(), model.nodes()[weights[w].node], [&](const auto& layer) {
            for_each_parameter(layer, [&](const auto& field, const auto& tensor) {
                if (field.name == weights[w].field) shapes[w] = tensor.shape();
            });
        });
    }
    std::vector<std::vector<double>> scores;
    for (const ChannelGroup& group : groups) scores.emplace_back(group.channels.size(), 0.0);
    // Calls visit(group, channel, first, count, stride, outer) for each filter: where its elements lie in weight w.
    auto for_each_filter = [&](std::size_t w, const auto& visit_filter) {
        for (std::size_t g = 0; g < groups.size(); ++g) {
            for (std::size_t c = 0; c < groups[g].channels.size(); ++c) {
                for (const ParameterSlice& slice : groups[g].channels[c]) {
                    if (!slice.output || slice.node != weights[w].node || slice.field != weights[w].field) continue;
                    const std::size_t inner = shapes[w].stride(slice.axis), extent = shapes[w][slice.axis];
                    double sum = 0.0;
                    for (std::size_t o = 0; o < shapes[w].elements() / (inner * extent); ++o) {
                        for (std::size_t k = 0; k < inner; ++k) sum += visit_filter((o * extent + slice.index) * inner + k);
                    }
                    scores[g][c] += std::fabs(sum);
                }
            }
        }
    };
    if (const auto* taylor = std::get_if<Taylor>(&criterion)) {
        for_each_sensitivity(model, weights, *taylor, [&](const auto& product) {
            for (std::size_t w = 0; w < weights.size(); ++w) {
                const std::vector<double> batch = product(w);
                if (batch.empty()) continue;
                for_each_filter(w, [&](std::size_t element) { return batch[element]; });
            }
        });
    } else {
        for (std::size_t w = 0; w < weights.size(); ++w) {
            for_each_filter(w, [&](std::size_t element) { return std::fabs(static_cast<double>(weights[w].values[element])); });
        }
    }
    return scores;
}

/// By group: how many channels stay, before rounding. Throws where none would.
inline std::vector<std::size_t> channels_to_keep(const std::vector<ChannelGroup>& groups,
                                                 const std::vector<std::vector<double>>& scores,
                                                 const ChannelPruning& options) {
    std::vector<std::size_t> kept;
    std::size_t total = 0;
    for (const ChannelGroup& group : groups) {
        const std::size_t count = group.channels.size();
        const double share = group.locked.empty() ? options.keep : 1.0;
        kept.push_back(static_cast<std::size_t>(round_half_even(share * static_cast<double>(count))));
        total += group.locked.empty() ? count : 0;
    }
    if (options.scope == Scope::global) {
        // The groups' scores are of different sizes: each is measured by its mean.
        struct Candidate {
            double score;
            std::size_t group, channel;
        };
        std::vector<Candidate> candidates;
        for (std::size_t g = 0; g < groups.size(); ++g) {
            if (!groups[g].locked.empty()) continue;
            kept[g] = groups[g].channels.size();
            double mean = 0.0;
            for (const double score : scores[g]) mean += score / static_cast<double>(kept[g]);
            for (std::size_t c = 0; c < kept[g]; ++c) candidates.push_back({mean > 0.0 ? scores[g][c] / mean : 0.0, g, c});
        }
        std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
            if (a.score != b.score) return a.score < b.score;
            return a.group != b.group ? a.group < b.group : a.channel < b.channel;
        });
        const auto stay = static_cast<std::size_t>(round_half_even(options.keep * static_cast<double>(total)));
        for (std::size_t i = 0; i < total - stay; ++i) --kept[candidates[i].group];
    }
    for (std::size_t g = 0; g < groups.size(); ++g) {
        if (kept[g] > 0) continue;
        fail(concat("prune: keep ", options.keep, " leaves node '", groups[g].name, "' none of its ", groups[g].channels.size(),
                    " channels; a larger keep", options.scope == Scope::global ? ", Scope::per_layer" : "",
                    ", or ignoring the node is expected"));
    }
    return kept;
}

}  // namespace detail

/// The model without the least important channels of each group of coupled layers (see channel_groups): filters, biases,
/// BatchNorm, depthwise filters and the inputs of every layer that reads them go, through Add, Mul, Concat, Flatten and any
/// movement. It computes what the model computes with those channels masked to zero in every value. Inputs and outputs of the
/// model stay as they are.
///
/// Throws for a keep outside (0, 1), weights that are NaN, infinite or no f32, an unknown name, a layer left empty, and where
/// no channel would go (saying why of each group).
template <class List>
BasicModel<List> prune(const BasicModel<List>& model, const ChannelPruning& options) {
    if (!(options.keep > 0.0 && options.keep < 1.0)) {
        fail(concat("prune: keep ", options.keep, "; a share between 0 and 1 is expected, neither of them"));
    }
    if (options.round_to == 0) fail("prune: round_to is 0; a number of channels from 1 is expected");
    detail::expect_finite_parameters(model.graph(), "prune");
    detail::ModelCouplings couplings =
        detail::couplings(model, detail::named_nodes(model.graph(), options.ignored, "prune: ignored"));
    const std::vector<ChannelGroup> groups = detail::channel_groups(model, couplings);
    const std::vector<std::vector<double>> scores = detail::channel_scores(model, groups, options.criterion);
    const std::vector<std::size_t> kept = detail::channels_to_keep(groups, scores, options);

    PruneReport report;
    report.before = model.cost();
    std::vector<std::vector<std::string>> rows{{"group", "channels", "kept", "layers", "stays because of"}};
    std::vector<bool> gone_of_model(couplings.all.size(), false);
    for (std::size_t g = 0; g < groups.size(); ++g) {
        const std::size_t count = groups[g].channels.size();
        const std::size_t rounded = (kept[g] + options.round_to - 1) / options.round_to * options.round_to;
        const std::size_t stay = rounded < count ? rounded : count;
        std::vector<std::size_t> order;
        for (std::size_t c = 0; c < count; ++c) order.push_back(c);
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return scores[g][a] != scores[g][b] ? scores[g][a] > scores[g][b] : a < b;
        });
        for (std::size_t i = stay; i < count; ++i) gone_of_model[groups[g].roots[order[i]]] = true;
        if (groups[g].locked.empty()) report.total += count;
        report.removed += count - stay;
        std::string layers;
        for (const GroupMember& member : groups[g].members) {
            layers += concat(layers.empty() ? "" : ", ", member.node, member.output ? " outputs" : " inputs");
        }
        const std::string why = !groups[g].locked.empty() ? groups[g].locked
                                : stay == count           ? concat("rounding up to ", options.round_to)
                                                          : std::string();
        rows.push_back({groups[g].name, concat(count), concat(stay), layers, why});
    }
    report.text = to_table(rows);
    if (report.removed == 0) {
        fail(concat("prune: keep ", options.keep, " removes no channel of any group, so nothing would become smaller:\n",
                    report.text));
    }
    if (options.before_cut) options.before_cut(report);
    BasicModel<List> result = detail::cut_model(model, couplings, gone_of_model);
    if (options.report) {
        report.after = result.cost();
        options.report(report);
    }
    return result;
}

MOTE_END_NAMESPACE
