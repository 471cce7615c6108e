// SPDX-License-Identifier: MIT
// fold, as transforms see it: a network with every coupling stays the same function without its BatchNorm.

#include <mote/transform/fold.hpp>

#include <support/catch.hpp>
#include <transform/networks.hpp>

namespace transform_fold_test {

using namespace mote;

TEST_CASE("fold: the network of every coupling loses its BatchNorm and changes by less than 1e-5 of its range") {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const Model<f32, wide> model = networks::mixed(seed);
        const Model<f32, wide> folded = fold(model);
        for (const Node& node : folded.nodes()) CHECK(get_if<BatchNorm>(folded, node) == nullptr);
        CHECK(folded.nodes().size() + 2 == model.nodes().size());
        CHECK(networks::difference(model, folded) <= 1e-5);
    }
}

}  // namespace transform_fold_test
