// SPDX-License-Identifier: MIT
// Runs an emitted network on the samples, in exactly arena_bytes of memory between guard words, and prints each output as a
// line of hexadecimal bytes, to be compared with the desk's.

#include "board.hpp"
#include "net.hpp"
#include "samples.hpp"

/// Where a counter of instructions takes notice.
extern "C" __attribute__((noinline, noipa)) void perf_mark() {
    __asm__ volatile("");
}

namespace {

constexpr std::uint32_t guard = 0xC0FFEE42;
struct Guarded {
    alignas(16) std::uint32_t before[4];
    std::byte arena[net::arena_bytes];
    std::uint32_t after[4];
};
static_assert(net::arena_bytes % 4 == 0, "nothing stands between the arena and its guards");
Guarded memory;
net::State state;
samples::Output output[net::output_0_elements];
char line[2 * sizeof output + 2];

}  // namespace

int board::main() {
    static_assert(net::input_0_elements == samples::input_elements, "the samples are the network's inputs");
    for (std::uint32_t& word : memory.before) word = guard;
    for (std::uint32_t& word : memory.after) word = guard;
    net::reset(state);
    for (int i = 0; i < samples::count; ++i) {
        if (i == 1) perf_mark();
        net::run(samples::input[i], output, memory.arena, state);
        if (i == 1) perf_mark();
        for (std::size_t k = 0; k < sizeof output; ++k) {
            const std::uint8_t byte = reinterpret_cast<const std::uint8_t*>(output)[k];
            line[2 * k] = "0123456789abcdef"[byte >> 4];
            line[2 * k + 1] = "0123456789abcdef"[byte & 15];
        }
        line[2 * sizeof output] = '\n';
        print(line);
    }
    for (int i = 0; i < 4; ++i) {
        if (memory.before[i] != guard || memory.after[i] != guard) {
            print("the arena's guards were overwritten\n");
            return 2;
        }
    }
    return 0;
}
