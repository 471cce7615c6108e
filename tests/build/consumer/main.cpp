// SPDX-License-Identifier: MIT
// A user's first program.

#include <mote/mote.hpp>

#include <cstdio>

int main() {
    mote::ModelBuilder<mote::f32> b;
    b.output("y", b.add(mote::Relu{}, b.input("x", {1, 2})));
    mote::Engine engine(b.build());
    const auto y = mote::evaluate(engine, mote::Tensor<mote::f32>({1, 2}, {-1, 2}));
    std::printf("%g %g by %s kernels\n", double{y[0]}, double{y[1]}, mote::instruction_set());
}
