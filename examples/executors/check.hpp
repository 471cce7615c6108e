// SPDX-License-Identifier: MIT
#pragma once
// What both examples do with an executor: a network's answer is the same bits as on one thread.

#include <mote/mote.hpp>
#include <mote/zoo/initialize.hpp>
#include <mote/zoo/mobilenet.hpp>

#include <algorithm>
#include <cstdio>

/// Runs a network on the executor's threads and on one; the exit status of a program that shows it.
template <mote::ParallelFor E>
int check(const char* name, E& executor) {
    const auto model = mote::initialize(mote::zoo::mobilenet_v2_cifar(), {.seed = 1});
    mote::Engine alone(model);
    mote::Engine shared(model, {.executor = executor});  // into as many parts as executor.threads() says
    for (mote::Engine* engine : {&alone, &shared}) {
        float value = 0.0f;
        for (float& x : engine->input<float>()) x = value = value < 1.0f ? value + 0.01f : -1.0f;
        engine->run();
    }
    const auto parts = [](const mote::Engine& engine) {
        std::int32_t most = 0;
        for (const mote::Step& step : engine.plan().steps()) most = std::max(most, step.parts);
        return most;
    };
    const bool same = std::ranges::equal(alone.output<float>(), shared.output<float>());
    std::printf("%s: steps in up to %d parts, %s\n", name, parts(shared), same ? "the same bits" : "OTHER BITS");
    return same ? 0 : 1;
}
