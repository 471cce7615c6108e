// SPDX-License-Identifier: MIT
// Recurrent cells: the vector pass against the definition, whose equations tests/engine/lower/recurrent.cpp checks in double.

#include <mote/kernels/recurrent_cell.hpp>
#if defined(MOTE_VECTORS)
#include <mote/kernels/recurrent_cell_simd.hpp>
#endif

#include <support/catch.hpp>
#include <support/generate.hpp>

#include <cmath>

namespace recurrent_cell_test {

using namespace support;

/// All that a step writes.
struct Step {
    std::vector<float> z, h, c, reset;
};

template <class Open, class Close>
Step run(const mote::RecurrentCellF32& cell, std::size_t gates, mote::Random random, Open open, Close close) {
    const auto n = static_cast<std::size_t>(cell.hidden);
    const auto numbers = [&](std::size_t count) {
        std::vector<float> x(count);
        for (float& value : x) value = random.normal();
        return x;
    };
    Step step{numbers(gates * n), numbers(n), numbers(n), std::vector<float>(n)};
    const std::vector<float> q = numbers(gates * n), candidate = numbers(n);
    mote::RecurrentRunF32 run;
    run.z = step.z.data(), run.q = q.data(), run.candidate = candidate.data();
    run.h = run.h_next = step.h.data(), run.c = run.c_next = step.c.data(), run.reset = step.reset.data();
    if (cell.cell == mote::Cell::gru && !cell.reset_after) open(cell, run);
    close(cell, run);
    return step;
}

}  // namespace recurrent_cell_test

#if defined(MOTE_VECTORS)
TEST_CASE(
    "recurrent cells: the vector pass gives what the definition gives, for all cells, functions and odd numbers of units") {
    using namespace recurrent_cell_test;
    constexpr double tolerance = 2e-6;  // some roundings of numbers around 1, relative where they are larger
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 75);
        const auto chance = [&] { return from_to(random, 0, 1) == 1; };
        const auto chosen = [&] { return static_cast<mote::RecurrentFunction>(from_to(random, 0, 6)); };
        mote::RecurrentCellF32 cell;
        cell.cell = static_cast<mote::Cell>(from_to(random, 0, 2));
        cell.hidden = from_to(random, 1, 70);
        cell.gate = chance() ? chosen() : mote::RecurrentFunction::sigmoid;
        cell.candidate = chance() ? chosen() : mote::RecurrentFunction::tanh;
        cell.output = chosen();
        cell.clip = chance() ? 0.7f : 0.0f;
        cell.cell_clip = chance() ? 0.4f : 0.0f;
        cell.coupled = chance();
        cell.reset_after = chance();
        std::vector<float> peephole(static_cast<std::size_t>(3 * cell.hidden));
        for (float& x : peephole) x = random.normal();
        if (chance()) cell.peephole = peephole.data();
        const std::size_t gates = cell.cell == mote::Cell::lstm ? 4 : cell.cell == mote::Cell::gru ? 3 : 1;
        const Step expected =
            run(cell, gates, random, mote::kernels::reference::open_cell_f32, mote::kernels::reference::close_cell_f32);
        const Step got = run(cell, gates, random, mote::kernels::open_cell_f32<>, mote::kernels::close_cell_f32<>);
        for (const auto part : {&Step::z, &Step::h, &Step::c, &Step::reset}) {
            for (std::size_t i = 0; i < (got.*part).size(); ++i) {
                const double wanted = static_cast<double>((expected.*part)[i]);
                CHECK(std::fabs(static_cast<double>((got.*part)[i]) - wanted) <= tolerance * std::fmax(1.0, std::fabs(wanted)));
            }
        }
    }
}
#endif
