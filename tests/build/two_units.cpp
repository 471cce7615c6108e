// SPDX-License-Identifier: MIT
// One of two units that include everything.

#include <everything.hpp>

mote::Tensor<mote::f32> unit_answer() {
    mote::ModelBuilder<mote::f32> b;
    b.output("y", b.add(mote::Relu{}, b.input("x", {1, 2})));
    mote::Engine engine(b.build());
    return mote::evaluate(engine, mote::Tensor<mote::f32>({1, 2}, {-1, 2}));
}
