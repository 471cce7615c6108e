// SPDX-License-Identifier: MIT
// Writer: numbers are written with every bit, geometries with every member.

#include <mote/emit/writer.hpp>

#include <support/catch.hpp>

#include <array>
#include <cstdlib>
#include <cstring>
#include <limits>

TEST_CASE("writer: a float that is written reads back with the same bits") {
    std::uint32_t bits = 1;
    for (int i = 0; i < 20000; ++i) {
        bits = bits * 1664525u + 1013904223u;
        float value;
        std::memcpy(&value, &bits, sizeof value);
        if (value != value || value - value != 0.0f) continue;  // infinite or NaN: below
        const float back = std::strtof(mote::Writer::number(value).c_str(), nullptr);
        REQUIRE(std::memcmp(&back, &value, sizeof value) == 0);
    }
    CHECK(mote::Writer::number(std::numeric_limits<float>::infinity()) == "__builtin_huge_valf()");
    CHECK(mote::Writer::number(-std::numeric_limits<float>::infinity()) == "-__builtin_huge_valf()");
}

TEST_CASE("writer: the least int32 has no literal of its own") {
    CHECK(mote::Writer::number(std::numeric_limits<std::int32_t>::min()) == "-2147483647 - 1");
    CHECK(mote::Writer::number(std::numeric_limits<std::int32_t>::max()) == "2147483647");
    CHECK(mote::Writer::number(std::int8_t{-128}) == "-128");
}

TEST_CASE("writer: several geometries of a step have different names, arrays carry the step's number") {
    mote::Writer writer;
    writer.begin_step(4, {"input_0", "arena + 16"}, {{16, 64}, {128}}, "two nodes");
    const std::string first = writer.geometry(mote::RowGeometry{2, 3, 1});
    const std::string second = writer.geometry(mote::MoveGeometry{});
    const std::string third = writer.geometry(mote::GatherGeometry{5, 6, 7, 8});
    CHECK((first != second && second != third && third != first));
    writer.geometry(mote::WindowGeometry{2, 3, 4, {5, 6}, {7, 8}, {9, 10}, {11, 12}, {13, 14}, {15, 16}, {17, 18, 19, 20}});
    for (const char* text : {"rank = 2, batch = 3, channels = 4, extent[] = {5, 6}, out[] = {7, 8}", "kernel[] = {9, 10}",
                             "stride[] = {11, 12}, dilation[] = {13, 14}, before[] = {15, 16}, steps[] = {17, 18, 19, 20}"})
        CHECK(writer.declarations().find(text) != std::string::npos);
    CHECK(writer.declarations().find("outer = 5, extent = 6, count = 7, inner = 8") != std::string::npos);
    const std::array<float, 2> values{1.0f, 2.0f};
    CHECK(writer.array("weight", std::span<const float>(values)) == "weight_4");
    CHECK(writer.operand(1, "float*") == "reinterpret_cast<float*>(arena + 16)");
    CHECK(writer.scratch("g()") == "arena + scratch_4");
    CHECK(writer.declarations().find("scratch_4_bytes = g();") != std::string::npos);
    CHECK(writer.declarations().find("place(scratch_4_bytes, {{16, 64}, {128, mote::firmware::open}})") != std::string::npos);
    CHECK(writer.scratch_ends() == std::vector<std::string>{"scratch_4 + scratch_4_bytes"});
    writer.call("f()");
    writer.end_step("int a, int b", "a, b");
    CHECK(writer.declarations().find("void step_4(int a, int b) noexcept {\n    f();\n}") != std::string::npos);
    CHECK(writer.calls() == "    step_4(a, b);\n");
    CHECK(writer.declarations().find("two nodes") != std::string::npos);
    CHECK(writer.declarations().find("outer = 2, channels = 3") != std::string::npos);
}
