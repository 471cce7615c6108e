// SPDX-License-Identifier: MIT
// mote.hpp alone is enough to build, plan and run a model.

#include <mote/mote.hpp>
#include <support/catch.hpp>

TEST_CASE("mote: one include builds, plans, prints and runs a network") {
    mote::ModelBuilder<mote::f32> b;
    const auto x = b.input("x", {1, 2});
    b.output("y", b.add(mote::Dense<mote::f32>{mote::Tensor<mote::f32>({1, 2}, {1, 2}), mote::Tensor<mote::f32>({1}, {3})}, x));
    const mote::Model<mote::f32> model = b.build();
    mote::Engine engine(model);
    CHECK(mote::evaluate(engine, mote::Tensor<mote::f32>({1, 2}, {10, 20}))[0] == 53.0f);
    CHECK_FALSE(mote::to_string(engine.plan()).empty());
    CHECK_FALSE(mote::to_string(model).empty());
}
