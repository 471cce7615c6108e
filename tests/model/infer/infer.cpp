// SPDX-License-Identifier: MIT
// The verb infer as a whole: every standard layer has it.

#include <mote/layers/layers.hpp>
#include <mote/model/infer/infer.hpp>

#include <support/catch.hpp>

namespace infer_test {

template <class L>
concept Infers = requires(const L& layer, mote::InferContext& node) {
    infer(layer, node);
};

struct Silent {};

template <class... L>
constexpr bool all_infer(mote::LayerList<L...>) {
    return (Infers<L> && ...);
}

}  // namespace infer_test

TEST_CASE("infer: every standard layer of every precision states its outputs; a type without the verb is told apart") {
    STATIC_REQUIRE(infer_test::all_infer(mote::standard_layers<mote::f32, mote::i8>{}));
    STATIC_REQUIRE(!infer_test::Infers<infer_test::Silent>);
}
