// SPDX-License-Identifier: MIT
// The table of step texts: every step that a standard layer lowers to has one, and every text is written at least once.

#include <mote/emit/steps.hpp>
#include <mote/model/builder.hpp>

#include <engine/random_model.hpp>
#include <support/catch.hpp>

#include <array>

TEST_CASE("steps: every step of many random models, f32 and int8, has a text that calls the firmware kernels") {
    std::array<std::size_t, std::size(mote::detail::step_writers)> written{};
    auto check = [&](const mote::Plan& plan) {
        for (const mote::Step& step : plan.steps()) {
            INFO(step.kernel);
            const mote::detail::StepWriter* found = mote::detail::writer_of(step);
            REQUIRE(found != nullptr);
            mote::Writer writer;
            writer.begin_step(0, std::vector<std::string>(step.operands.size(), "arena"), {{}}, "node");
            found->write(step.data.get(), writer);
            writer.end_step("std::byte* arena", "arena");
            CHECK(writer.declarations().find("mote::firmware::") != std::string::npos);
            ++written[static_cast<std::size_t>(found - mote::detail::step_writers)];
        }
    };
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        check(mote::plan(random_model::make<mote::f32>(seed, 12), mote::scalar_kernels()));
        check(mote::plan(random_model::make<mote::i8>(seed, 12), mote::scalar_kernels()));
    }
    std::string missing;
    for (std::size_t i = 0; i < written.size(); ++i) {
        if (written[i] == 0) missing += mote::concat(mote::detail::step_writers[i].kind->name, " (entry ", i, ") ");
    }
    INFO("step kinds that no model has: " << missing);
    CHECK(missing.empty());
}
