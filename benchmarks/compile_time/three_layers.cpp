// SPDX-License-Identifier: MIT
// The unit whose compile time benchmarks/compile_time.sh measures: a small network, planned and run.

#include <mote/mote.hpp>

int main() {
    mote::ModelBuilder<mote::f32> b;
    auto x = b.input("x", {1, 8, 8, 1});
    x = b.add(mote::Conv2d<mote::f32>{.weight = mote::Tensor<mote::f32>({4, 3, 3, 1})}, x);
    x = b.add(mote::Relu{}, x);
    x = b.add(mote::GlobalAveragePool{}, x);
    b.output("y", x);
    mote::Engine engine(b.build());
    engine.run();
    return engine.output<float>("y")[0] == 0.0f ? 0 : 1;
}
