// SPDX-License-Identifier: MIT
// prune.hpp holds both prunings, told apart by their options.

#include <mote/transform/prune.hpp>

#include <support/catch.hpp>
#include <transform/networks.hpp>

namespace prune_test {

using namespace mote;

TEST_CASE("prune: channels make the model smaller, weights leave its shape") {
    const Model<f32, wide> model = networks::mixed(1);
    CHECK(prune(model, ChannelPruning{.keep = 0.5}).cost().macs < model.cost().macs / 2);
    CHECK(prune(model, WeightPruning{.sparsity = 0.5}).cost() == model.cost());
}

}  // namespace prune_test
