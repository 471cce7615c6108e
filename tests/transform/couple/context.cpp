// SPDX-License-Identifier: MIT
// Couplings: joined channels share slices and locks.

#include <mote/transform/couple/context.hpp>

#include <support/catch.hpp>

namespace couple_context_test {

using namespace mote;

TEST_CASE("couplings: joining collects slices and keeps the first reason of a lock") {
    Couplings all;
    const Channel a = all.make(), b = all.make(), c = all.make_locked("input"), d = all.make();
    all.add_slice(a, {0, "weight", 0, 3, true});
    all.add_slice(b, {1, "weight", 3, 3, false});
    all.join(b, a);
    CHECK(all.find(a) == all.find(b));
    CHECK(all.slices(b).size() == 2);
    CHECK(all.locked(a).empty());
    all.join(a, c);
    CHECK(all.locked(b) == "input");
    all.lock(a, "output");
    CHECK(all.locked(c) == "input");
    CHECK(all.find(d) != all.find(a));
    CHECK(all.locked(d).empty());
    all.join(a, b);  // again: nothing is doubled
    CHECK(all.slices(a).size() == 2);
}

TEST_CASE("couplings: input_channels joins all positions of a channel") {
    Couplings all;
    Labels labels;
    for (int i = 0; i < 6; ++i) labels.channels.push_back(all.make());
    const Value value{"x", {1, 3, 2}, Element::f32, {}};
    const std::string name = "node";
    CoupleContext node(all, 0, name, "Kind", {&value}, {&labels}, {});
    const std::vector<Channel> channels = node.input_channels();
    REQUIRE(channels.size() == 2);
    CHECK(all.find(labels.channels[4]) == all.find(channels[0]));
    CHECK(all.find(labels.channels[5]) == all.find(channels[1]));
    CHECK(all.find(channels[0]) != all.find(channels[1]));
}

}  // namespace couple_context_test
