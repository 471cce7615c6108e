// SPDX-License-Identifier: MIT
// Kernels of several instruction sets in one program (this one: see CMakeLists.txt beside it).

#include <mote/engine/dispatch.hpp>
#include <mote/mote.hpp>

#include <engine/random_model.hpp>
#include <support/catch.hpp>
#include <support/error_text.hpp>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace dispatch_test {

std::vector<std::vector<std::int8_t>> bytes_of(const mote::Model<mote::i8, mote::wide>& model, const mote::KernelTable& kernels,
                                               std::uint64_t seed) {
    mote::Engine engine(model, {.kernels = &kernels});
    random_model::fill_inputs(engine, seed);
    engine.run();
    std::vector<std::vector<std::int8_t>> outputs;
    for (std::size_t i = 0; i < engine.outputs(); ++i) {
        const auto bytes = engine.output<std::int8_t>(i);
        outputs.emplace_back(bytes.begin(), bytes.end());
    }
    return outputs;
}

/// Sets the variable for a scope.
struct Wanted {
    explicit Wanted(const char* set) { ::setenv("MOTE_INSTRUCTION_SET", set, 1); }
    ~Wanted() { ::unsetenv("MOTE_INSTRUCTION_SET"); }
};

}  // namespace dispatch_test

TEST_CASE("dispatch: every table in the program that the machine runs gives the same bytes") {
    using namespace dispatch_test;
    std::size_t run = 0;
    for (const mote::CompiledKernels& set : mote::compiled_kernels()) {
        if (!mote::machine_runs(set.instruction_set)) continue;
        INFO(set.instruction_set);
        CHECK(std::string(set.table().instruction_set) == set.instruction_set);
        for (std::uint64_t seed = 300; seed < 315; ++seed) {
            const mote::Model<mote::i8, mote::wide> model = random_model::make<mote::i8>(seed, 14);
            INFO("seed " << seed);
            REQUIRE(bytes_of(model, set.table(), seed) == bytes_of(model, mote::scalar_kernels(), seed));
        }
        ++run;
    }
    CHECK(run >= 1);
    WARN("tables run: " << mote::detail::names_of_kernels(true)
                        << "; in the program: " << mote::detail::names_of_kernels(false));
}

TEST_CASE("dispatch: the first table that runs is the best, and the environment may name another") {
    using namespace dispatch_test;
    ::unsetenv("MOTE_INSTRUCTION_SET");
    const std::string best = mote::best_kernels().instruction_set;
    CHECK(mote::detail::names_of_kernels(true).substr(0, best.size()) == best);
    for (const mote::CompiledKernels& set : mote::compiled_kernels()) {
        if (!mote::machine_runs(set.instruction_set)) continue;
        const Wanted wanted(set.instruction_set);
        CHECK(std::strcmp(mote::best_kernels().instruction_set, set.instruction_set) == 0);
    }
}

TEST_CASE("dispatch: a table that is not there, or does not run here, is refused with those that would do") {
    using namespace dispatch_test;
    {
        const Wanted wanted("avx9");
        const std::string text = support::error_text([] { (void)mote::best_kernels(); });
        CHECK(text.find("'avx9'") != std::string::npos);
        CHECK(text.find(mote::detail::names_of_kernels(false)) != std::string::npos);
    }
    for (const mote::CompiledKernels& set : mote::compiled_kernels()) {
        if (mote::machine_runs(set.instruction_set)) continue;
        const std::string text = support::error_text([&] { (void)mote::kernels_of(set.instruction_set); });
        CHECK(text.find(mote::detail::names_of_kernels(true)) != std::string::npos);
    }
}
