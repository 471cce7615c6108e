// SPDX-License-Identifier: MIT
#pragma once
// channel_groups: which layers' channels can only be removed together.

#include <mote/model/print.hpp>
#include <mote/transform/couple/couple.hpp>

#include <algorithm>
#include <array>

MOTE_BEGIN_NAMESPACE

/// One side of a layer in a group.
struct GroupMember {
    std::string node{};
    std::string kind{};
    bool output = true;        ///< the layer's outputs, or its inputs
    std::size_t slices = 1;    ///< how many of the layer's positions belong to one channel (Flatten before Dense: the pixels)
    std::size_t position = 0;  ///< of the node in the model
};

/// Channels that go through the same layers; each is removed from all of them or from none.
struct ChannelGroup {
    std::string name{};                                   ///< the first node that makes them
    std::string locked{};                                 ///< why none of them is ever removed; empty where they can be
    std::vector<GroupMember> members{};                   ///< in the model's order
    std::vector<Channel> roots{};                         ///< by channel: its label
    std::vector<std::vector<ParameterSlice>> channels{};  ///< by channel: what goes with it
};

namespace detail {

/// Groups by what they go through and whether they are locked, in the order in which they are made.
inline std::vector<ChannelGroup> grouped(Couplings& all) {
    std::vector<ChannelGroup> groups;
    std::vector<std::string> keys;
    for (Channel channel = 0; channel < all.size(); ++channel) {
        if (all.find(channel) != channel) continue;
        std::string key = all.locked(channel);
        const std::vector<ParameterSlice>& slices = all.slices(channel);
        bool made = false;  // by a layer, not only read
        for (const ParameterSlice& slice : slices) made = made || slice.output;
        if (!made) continue;
        std::vector<std::array<std::size_t, 3>> places;
        for (const ParameterSlice& slice : slices) places.push_back({slice.node, slice.output ? 0u : 1u, slice.axis});
        std::sort(places.begin(), places.end());
        places.erase(std::unique(places.begin(), places.end()), places.end());
        for (const auto& place : places) key += concat(" ", place[0], ".", place[1], ".", place[2]);
        std::size_t group = 0;
        while (group < keys.size() && keys[group] != key) ++group;
        if (group == keys.size()) {
            keys.push_back(key);
            groups.push_back({{}, all.locked(channel), {}, {}, {}});
        }
        groups[group].roots.push_back(channel);
        groups[group].channels.push_back(slices);
    }
    return groups;
}

template <class List>
void describe(const Graph<List>& graph, ChannelGroup& group) {
    for (const ParameterSlice& slice : group.channels[0]) {
        bool known = false;
        for (const GroupMember& member : group.members) {
            known = known || (member.position == slice.node && member.output == slice.output);
        }
        if (known) continue;
        std::size_t count = 0;
        for (const ParameterSlice& other : group.channels[0]) {
            const bool same_tensor = other.node == slice.node && other.axis == slice.axis && other.output == slice.output;
            count += same_tensor && std::string_view(other.field) == slice.field ? 1u : 0u;
        }
        const Node& node = graph.nodes[slice.node];
        group.members.push_back({node.name, kind_name<List>(node), slice.output, count, slice.node});
    }
    std::sort(group.members.begin(), group.members.end(), [](const GroupMember& a, const GroupMember& b) {
        return a.position != b.position ? a.position < b.position : a.output < b.output;
    });
    group.name = group.members[0].node;
    for (std::size_t i = group.members.size(); i-- > 0;) {
        if (group.members[i].output) group.name = group.members[i].node;
    }
}

template <class List>
std::vector<ChannelGroup> channel_groups(const BasicModel<List>& model, ModelCouplings& couplings) {
    std::vector<ChannelGroup> groups = grouped(couplings.all);
    for (ChannelGroup& group : groups) {
        describe(model.graph(), group);
        if (group.channels.size() == 1 && group.locked.empty()) group.locked = "a single channel, or all hang together";
    }
    return groups;
}

}  // namespace detail

/// The groups of the model; nothing is cut. Nodes named in `ignored` keep all their outputs. Throws for an unknown name.
template <class List>
std::vector<ChannelGroup> channel_groups(const BasicModel<List>& model, const std::vector<std::string>& ignored = {}) {
    detail::ModelCouplings couplings =
        detail::couplings(model, detail::named_nodes(model.graph(), ignored, "channel_groups: ignored"));
    return detail::channel_groups(model, couplings);
}

/// A table: group, channels, the layers whose channels go together, and why it stays.
inline std::string to_string(const std::vector<ChannelGroup>& groups) {
    std::vector<std::vector<std::string>> rows{{"group", "channels", "layers", "stays because of"}};
    for (const ChannelGroup& group : groups) {
        std::string layers;
        for (const GroupMember& member : group.members) {
            if (!layers.empty()) layers += ", ";
            layers += member.node + (member.output ? " outputs" : " inputs");
            if (member.slices > 1) layers += concat(" (", member.slices, " each)");
        }
        rows.push_back({group.name, concat(group.channels.size()), layers, group.locked});
    }
    return to_table(rows);
}

MOTE_END_NAMESPACE
