// SPDX-License-Identifier: MIT
// The other one: both instantiate the same templates.

#include <everything.hpp>

mote::Tensor<mote::f32> unit_answer();

int main() {
    mote::ModelBuilder<mote::f32> b;
    b.output("y", b.add(mote::Relu{}, b.input("x", {1, 2})));
    mote::Engine engine(b.build());
    const mote::Tensor<mote::f32> answer = mote::evaluate(engine, mote::Tensor<mote::f32>({1, 2}, {-1, 2}));
    return answer == unit_answer() && answer[0] == 0.0f && answer[1] == 2.0f ? 0 : 1;
}
