// SPDX-License-Identifier: MIT
// The runtime without exceptions: a model runs; with an argument, an ill-formed model ends the program.

#include <mote/mote.hpp>

int main(int count, char**) {
    const bool wrong = count > 1;
    mote::ModelBuilder<mote::f32> b;
    const mote::Dense<mote::f32> layer{mote::Tensor<mote::f32>({1, 2}, {1, 2}), mote::Tensor<mote::f32>({1}, {3})};
    const auto x = b.input("x", {1, wrong ? 3u : 2u});
    b.output("y", b.add(layer, x, {.name = "narrow"}));
    mote::Engine engine(b.build());
    return mote::evaluate(engine, mote::Tensor<mote::f32>({1, 2}, {10, 20}))[0] == 53.0f ? 0 : 1;
}
