// SPDX-License-Identifier: MIT
// A program's own handler of failed checks.

#include <cstdio>
#include <cstdlib>

extern "C" [[noreturn]] void mote_failed(char const* text);

extern "C" void mote_failed(char const* text) {
    std::fprintf(stderr, "own handler: %s\n", text);
    std::exit(3);
}
