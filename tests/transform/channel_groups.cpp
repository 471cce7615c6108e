// SPDX-License-Identifier: MIT
// channel_groups: names what hangs together before anything is cut.

#include <mote/transform/channel_groups.hpp>

#include <support/catch.hpp>
#include <transform/networks.hpp>

namespace channel_groups_test {

using namespace mote;

const ChannelGroup& group_named(const std::vector<ChannelGroup>& groups, std::string_view name) {
    for (const ChannelGroup& group : groups) {
        if (group.name == name) return group;
    }
    fail(concat("no group '", name, "'"));
}

std::string members(const ChannelGroup& group) {
    std::string text;
    for (const GroupMember& member : group.members) text += member.node + (member.output ? ">" : "<") + " ";
    return text;
}

TEST_CASE("channel groups: a residual joins both of its sides with everything that reads the sum") {
    const auto groups = channel_groups(networks::mixed(1));
    const ChannelGroup& stem = group_named(groups, "stem");
    CHECK(stem.channels.size() == 4);  // eight, in pairs: one reader has two groups
    CHECK(members(stem) == "stem> stem_norm> narrow< wide> wide_norm> expand< side< mix< ");
    CHECK(stem.locked.empty());
    CHECK(members(group_named(groups, "narrow")) == "narrow> wide< ");
}

TEST_CASE("channel groups: depthwise with a multiplier and squeeze-excite follow the channel that they read") {
    const auto groups = channel_groups(networks::mixed(1));
    const ChannelGroup& expand = group_named(groups, "expand");
    CHECK(expand.channels.size() == 10);
    CHECK(members(expand) == "expand> depth> squeeze< excite> mix< ");
    CHECK(expand.members[1].slices == 2);
}

TEST_CASE("channel groups: Flatten before a dense layer couples one column a pixel") {
    const auto groups = channel_groups(networks::mixed(1));
    const ChannelGroup& mix = group_named(groups, "mix");
    CHECK(members(mix) == "mix> hidden< ");
    CHECK(mix.members[1].slices == 9);
}

TEST_CASE("channel groups: outputs of the model, softmax, ignored nodes and mixed axes are locked, with the reason") {
    CHECK_THAT(group_named(channel_groups(networks::mixed(1)), "head").locked, Catch::Contains("output 'logits'"));
    CHECK_THAT(group_named(channel_groups(networks::plain(1)), "head").locked, Catch::Contains("'softmax' (Softmax)"));
    CHECK_THAT(group_named(channel_groups(networks::plain(1), {"first"}), "first").locked, Catch::Contains("is ignored"));
    CHECK_THROWS_WITH(channel_groups(networks::plain(1), {"none"}), Catch::Contains("'none'") && Catch::Contains("'first'"));

    ModelBuilder<f32, wide> b;
    Random random(1);
    auto x = b.add(networks::conv(random, 2, 6), b.input("x", {1, 4, 4, 2}), {.name = "conv"});
    x = b.add(Reshape{{0, 24, 4}}, x, {.name = "mixing"});  // six channels in rows of four
    x = b.add(Reshape{{0, 4, 4, 6}}, x);
    b.output("y", b.add(networks::conv(random, 6, 3), x));
    CHECK_THAT(group_named(channel_groups(b.build()), "conv").locked,
               Catch::Contains("value 'mixing' has channels along more than one axis"));

    ModelBuilder<f32, wide> c;
    x = c.add(networks::conv(random, 2, 6), c.input("x", {1, 4, 4, 2}), {.name = "conv"});
    x = c.add(Flatten{}, c.add(Transpose{{0, 3, 1, 2}}, x));
    x = c.add(Reshape{{0, 24, 4}}, x);
    c.output("y", c.add(networks::dense(random, 4, 3), x));
    CHECK_THAT(group_named(channel_groups(c.build()), "conv").locked, Catch::Contains("all hang together"));
}

TEST_CASE("channel groups: the table names every group and its layers") {
    const std::string text = to_string(channel_groups(networks::mixed(1)));
    for (const char* part : {"stem outputs (2 each), stem_norm outputs (2 each), narrow inputs", "depth outputs (2 each)",
                             "hidden inputs (9 each)", "output 'logits'"}) {
        CHECK_THAT(text, Catch::Contains(part));
    }
}

}  // namespace channel_groups_test
