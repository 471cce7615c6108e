// SPDX-License-Identifier: MIT
// The peak of this core in the race: a loop of dot products in registers (simd/peak.hpp) that is timed in the same rounds as
// the networks. MODEL is f32 or i8; a run is OPERATIONS operations, the answer's one number.

#include "side.hpp"

#include <mote/simd/peak.hpp>

namespace {

constexpr int repetitions = 10;  // some hundred microseconds

using namespace race;

template <class Dot>
void run(const race::Arguments& arguments) {
    const auto operations = static_cast<float>(repetitions * mote::kernels::simd::peak::operations<Dot>());
    save_answer(arguments, 0, Shape{1}, Element::f32, &operations);
    serve([] {
        for (int i = 0; i < repetitions; ++i) mote::kernels::simd::peak::run<Dot>();
    });
}

}  // namespace

int main(int argc, char** argv) {
    return race::main_of(argc, argv, [](const race::Arguments& arguments) {
        if (arguments.model == "f32") return run<mote::kernels::simd::DotF32>(arguments);
        if (arguments.model == "i8") return run<mote::kernels::simd::DotI8>(arguments);
        race::fail("'", arguments.model, "' has no peak; f32 and i8 have");
    });
}
