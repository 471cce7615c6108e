// SPDX-License-Identifier: MIT
// couple: pooling and reductions of other axes hand channels on, Softmax and reductions of channels keep all of theirs.

#include <mote/transform/channel_groups.hpp>

#include <support/catch.hpp>
#include <transform/networks.hpp>

namespace couple_reduction_test {

using namespace mote;

TEST_CASE("couple: channels go through pooling, and a Softmax in the middle locks what it reads") {
    Random random(1);
    ModelBuilder<f32, wide> b;
    auto x = b.add(networks::conv(random, 2, 5), b.input("x", {1, 8, 8, 2}), {.name = "first"});
    x = b.add(MaxPool2d{.kernel = {2, 2}, .stride = {2, 2}, .padding = {}}, x);
    x = b.add(AveragePool2d{.kernel = {2, 2}, .stride = {2, 2}, .padding = {}}, x);
    x = b.add(Resize2d{{4, 4}}, x);
    x = b.add(networks::conv(random, 5, 4), b.add(GlobalAveragePool{}, x), {.name = "second"});
    x = b.add(Softmax{}, x, {.name = "weights"});
    b.output("y", b.add(networks::conv(random, 4, 3), x));
    const auto groups = channel_groups(b.build());
    REQUIRE(groups.size() == 3);
    CHECK(groups[0].locked.empty());
    CHECK(groups[0].members.size() == 2);
    CHECK_THAT(groups[1].locked, Catch::Contains("'weights' (Softmax) needs all of its inputs"));
}

TEST_CASE("couple: places that are counted keep all channels that they count") {
    Random random(1);
    ModelBuilder<f32, wide> b;
    const auto x = b.add(networks::conv(random, 2, 5), b.input("x", {1, 4, 4, 2}));
    b.output("y", b.add(networks::conv(random, 5, 4), x));
    b.output("places", b.add(ArgMaxPool{{2, 2}, {1, 1}, {1, 1}, {0, 0}, {0, 0}, {80, 4, 1, 16}}, x, {.name = "places"}));
    const auto groups = channel_groups(b.build());
    REQUIRE(groups.size() == 2);
    CHECK_THAT(groups[0].locked, Catch::Contains("'places' (ArgMaxPool) counts its inputs"));
}

TEST_CASE("couple: channels go through a reduction of other axes and end in one of their own") {
    Random random(1);
    ModelBuilder<f32, wide> b;
    auto x = b.add(networks::conv(random, 2, 5), b.input("x", {1, 8, 8, 2}), {.name = "first"});
    x = b.add(Reduce{Reduction::l2, {1}}, x);
    x = b.add(networks::conv(random, 5, 4), x, {.name = "second"});
    b.output("y", b.add(Reduce{Reduction::sum, {3}}, x, {.name = "sum"}));
    const auto groups = channel_groups(b.build());
    REQUIRE(groups.size() == 2);
    CHECK(groups[0].locked.empty());
    CHECK_THAT(groups[1].locked, Catch::Contains("'sum' (Reduce) needs all of its inputs"));
}

}  // namespace couple_reduction_test
