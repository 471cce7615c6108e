// SPDX-License-Identifier: MIT
// GradientContext: where gradients go, and memory that a node borrows.

#include <mote/train/gradient/context.hpp>

#include <support/catch.hpp>

TEST_CASE("gradient context: the first writer of a gradient finds it clear, the next adds; unseen outputs have gradient zero") {
    std::vector<mote::Value> values{{"x", {1, 2}}, {"y", {1, 2}}};
    float data[4] = {1.0f, 2.0f, 3.0f, 4.0f};
    float gradient[4] = {7.0f, 7.0f, 7.0f, 7.0f};
    float parameters[2] = {};
    mote::detail::ShardBuffers shard;
    shard.values = values;
    shard.data = {data, data + 2};
    shard.gradient = {gradient, gradient + 2};
    shard.written = {0, 0};
    shard.parameter_gradient = parameters;
    const mote::ValueId in[] = {0}, out[] = {1};
    const mote::detail::ParameterSlot slots[] = {{"weight", 1, 1}};
    mote::detail::NodeView view{"n", "Test", in, out, slots, {}, 0};
    mote::KernelTable kernels{};
    mote::GradientContext node(view, shard, 0, kernels);
    CHECK(node.output_gradient()[0] == 0.0f);
    CHECK(node.output_gradient()[1] == 0.0f);
    REQUIRE(node.wants(0));
    CHECK(node.input_gradient(0)[0] == 0.0f);
    node.input_gradient(0)[1] += 5.0f;
    CHECK(node.input_gradient(0)[1] == 5.0f);
    CHECK(node.input_sink(0).accumulate);
    CHECK(node.parameter_gradient("weight").data() == parameters + 1);
    CHECK(node.parameter_gradient("bias").empty());
    shard.gradient[0] = nullptr;
    CHECK_FALSE(node.wants(0));
}

TEST_CASE("gradient context: scratch pieces are aligned, do not overlap, and need one block after the first round") {
    mote::detail::Scratch scratch;
    std::vector<std::byte*> first;
    for (int round = 0; round < 3; ++round) {
        scratch.reset();
        std::vector<std::byte*> pieces;
        for (const std::size_t bytes : {100u, 1u, 5000u, 64u}) {
            std::byte* piece = scratch.take(bytes);
            CHECK(reinterpret_cast<std::uintptr_t>(piece) % 64 == 0);
            std::memset(piece, round, bytes);
            for (std::byte* other : pieces) CHECK((piece >= other + 64 || piece + bytes <= other));
            pieces.push_back(piece);
        }
        if (round == 2) CHECK(pieces == first);
        first = pieces;
    }
}
