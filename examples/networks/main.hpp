// SPDX-License-Identifier: MIT
#pragma once
// The frame of these programs: a line of usage, and errors on one line.

#include <cstdio>
#include <exception>

/// Runs `run` where there are `needed` - 1 arguments at least. Exit status: 0; 1 for an error; 2 for wrong usage.
template <class Run>
int guarded_main(int count, char** arguments, int needed, const char* usage, Run run) {
    if (count < needed) {
        std::fprintf(stderr, "usage: %s %s\n", arguments[0], usage);
        return 2;
    }
    try {
        run();
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", arguments[0], error.what());
        return 1;
    }
}
