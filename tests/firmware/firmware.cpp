// SPDX-License-Identifier: MIT
// Runs the emitted networks in exactly arena_bytes between guard words: int8 answers to the bit, f32 to 1e-4 of their range.
// The same program runs on a desk and, with MOTE_BOARD, on a microcontroller.

#include <cstddef>
#include <cstdint>

namespace {

struct Case {
    const char* name;
    bool (*check)();
};

template <std::size_t bytes>
struct Guarded {
    static constexpr std::uint32_t guard = 0xC0FFEE42;
    alignas(16) std::uint32_t before[4];
    std::byte arena[bytes];
    std::uint32_t after[4];
    static_assert(bytes % 4 == 0, "nothing stands between the arena and its guards");

    void set() {
        for (std::uint32_t& word : before) word = guard;
        for (std::uint32_t& word : after) word = guard;
        for (std::byte& b : arena) b = std::byte{0x5a};
    }
    bool whole() const {
        bool result = true;
        for (const std::uint32_t word : before) result = result && word == guard;
        for (const std::uint32_t word : after) result = result && word == guard;
        return result;
    }
};
template <>
struct Guarded<0> {
    std::byte arena[1];
    void set() {}
    static bool whole() { return true; }
};

template <std::size_t n>
bool same(const std::int8_t (&got)[n], const std::int8_t (&expected)[n]) {
    for (std::size_t i = 0; i < n; ++i) {
        if (got[i] != expected[i]) return false;
    }
    return true;
}
template <std::size_t n>
bool same(const float (&got)[n], const float (&expected)[n]) {
    float low = expected[0];
    float high = expected[0];
    for (std::size_t i = 0; i < n; ++i) {
        low = expected[i] < low ? expected[i] : low;
        high = expected[i] > high ? expected[i] : high;
    }
    const float largest = high > -low ? high : -low;
    for (std::size_t i = 0; i < n; ++i) {
        const float error = got[i] - expected[i];
        if (!(error <= 1e-4f * largest && -error <= 1e-4f * largest)) return false;
    }
    return true;
}

}  // namespace

#include "networks.hpp"

using mote::firmware::open;
static_assert(mote::firmware::place(48, {{16, 64}, {128, open}}) == 16, "scratch lies in the first gap that holds it");
static_assert(mote::firmware::place(49, {{16, 64}, {128, open}}) == 128, "else behind everything");
static_assert(mote::firmware::place(0, {{0, open}}) == 0, "");
static_assert(mote::firmware::arena_end(std::size_t{64}, std::size_t{65}, std::size_t{3}) == 80, "");

#if defined(MOTE_BOARD)
#include "board.hpp"

int board::main() {
    int failures = 0;
    for (const Case& c : cases) {
        const bool good = c.check();
        board::print(c.name);
        board::print(good ? " same\n" : " differs\n");
        failures += good ? 0 : 1;
    }
    return failures;
}
#else
#include <cstdio>

int main() {
    int failures = 0;
    for (const Case& c : cases) {
        const bool good = c.check();
        std::printf("%s %s\n", c.name, good ? "same" : "differs");
        failures += good ? 0 : 1;
    }
    return failures;
}
#endif
