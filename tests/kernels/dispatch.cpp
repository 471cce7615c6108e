// SPDX-License-Identifier: MIT
// Which instruction sets this machine runs.

#include <mote/kernels/dispatch.hpp>
#include <mote/simd/instruction_set.hpp>

#include <support/catch.hpp>

TEST_CASE("dispatch: the machine runs the set that this test is compiled for, and scalar kernels") {
    CHECK(mote::machine_runs(MOTE_INSTRUCTION_SET_NAME));
    CHECK(mote::machine_runs("scalar"));
}

TEST_CASE("dispatch: a set that includes another runs only where the other does") {
    const auto implies = [](const char* set, const char* other) {
        return !mote::machine_runs(set) || mote::machine_runs(other);
    };
    CHECK(implies("avx512amx", "avx512bf16"));
    CHECK(implies("avx512bf16", "avx512vnni"));
    CHECK(implies("avx512vnni", "avx512"));
    CHECK(implies("avx512", "avx2"));
    CHECK(implies("avxvnni", "avx2"));
    CHECK(implies("avx2", "avx"));
    CHECK(implies("avx", "sse4_1"));
    CHECK(implies("sse4_1", "sse2"));
    CHECK(implies("neon_i8mm", "neon_dot"));
    CHECK(implies("neon_dot", "neon"));
    CHECK(mote::machine_runs("sse2") != mote::machine_runs("neon"));
}

TEST_CASE("dispatch: no machine runs a set that is unknown, or part of a name") {
    for (const char* name : {"", "av", "avx20", "scala", "scalars", "AVX2", "mmx"}) {
        INFO(name);
        CHECK_FALSE(mote::machine_runs(name));
    }
}
