// SPDX-License-Identifier: MIT
// The memory planner: nothing that lives at one time overlaps, and little is wasted.

#include <mote/engine/memory.hpp>
#include <support/catch.hpp>

#include <cstdint>

namespace memory_test {

using namespace mote;

struct Numbers {
    std::uint64_t state;
    std::size_t below(std::size_t n) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return static_cast<std::size_t>(state >> 33) % n;
    }
};

bool valid(const std::vector<Lifetime>& buffers, const Placement& placement) {
    for (std::size_t i = 0; i < buffers.size(); ++i) {
        if (placement.offsets[i] % storage_alignment != 0) return false;
        if (placement.offsets[i] + buffers[i].bytes > placement.bytes) return false;
        for (std::size_t j = 0; j < i; ++j) {
            const bool apart = placement.offsets[i] + buffers[i].bytes <= placement.offsets[j] ||
                               placement.offsets[j] + buffers[j].bytes <= placement.offsets[i];
            if (buffers[i].meets(buffers[j]) && !apart) return false;
        }
    }
    return true;
}

}  // namespace memory_test

using namespace memory_test;

TEST_CASE("memory: random buffers never overlap while they live, and the block is no larger than their sum") {
    Numbers numbers{1};
    double waste = 0;
    constexpr std::size_t rounds = 500;
    for (std::size_t round = 0; round < rounds; ++round) {
        std::vector<Lifetime> buffers(1 + numbers.below(40));
        std::size_t sum = 0;
        for (Lifetime& buffer : buffers) {
            buffer.first = numbers.below(20);
            buffer.last = buffer.first + numbers.below(6);
            buffer.bytes = numbers.below(5000);
            sum += align_up(buffer.bytes);
        }
        const Placement placement = place(buffers);
        REQUIRE(valid(buffers, placement));
        REQUIRE(placement.bytes <= sum);
        REQUIRE(placement.least_bytes == least_bytes(buffers));
        REQUIRE(placement.bytes >= placement.least_bytes);
        if (least_bytes(buffers) > 0) {
            waste += static_cast<double>(placement.bytes) / static_cast<double>(least_bytes(buffers)) - 1.0;
        }
    }
    CHECK(waste / rounds < 0.05);  // of what no planner could avoid
}

TEST_CASE("memory: a chain needs its two largest neighbours, not the sum") {
    std::vector<Lifetime> chain;
    for (std::size_t i = 0; i < 10; ++i) chain.push_back({i % 2 == 0 ? 1024u : 256u, i, i + 1});
    CHECK(place(chain).bytes == 1280);
}

TEST_CASE("memory: in lanes nothing overlaps either, and a lane's buffers have one middle") {
    Numbers numbers{2};
    for (std::size_t round = 0; round < 200; ++round) {
        std::vector<Lifetime> buffers(1 + numbers.below(20));
        for (Lifetime& buffer : buffers) {
            buffer.first = numbers.below(20);
            buffer.last = buffer.first + numbers.below(4);
            buffer.bytes = numbers.below(5000);
        }
        REQUIRE(valid(buffers, place_in_lanes(buffers)));
    }
    const std::vector<Lifetime> chain{{1024, 0, 1}, {256, 1, 2}, {512, 2, 3}, {128, 3, 4}};
    const Placement placement = place_in_lanes(chain);
    CHECK(placement.bytes == 1024 + 256);
    CHECK(placement.offsets == std::vector<std::size_t>{0, 1024, 256, 1088});
}

TEST_CASE("memory: the least is the most that lives at one time") {
    const std::vector<Lifetime> buffers{{64, 0, 2}, {128, 2, 3}, {64, 3, 3}, {1, 9, 9}};
    CHECK(least_bytes(buffers) == 192);
    CHECK(place(buffers).bytes == 192);
}

TEST_CASE("memory: no buffers, and empty buffers, need nothing") {
    CHECK(place({}).bytes == 0);
    const std::vector<Lifetime> empty{{0, 0, 1}, {0, 0, 1}};
    CHECK(place(empty).bytes == 0);
}
