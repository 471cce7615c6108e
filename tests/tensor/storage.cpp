// SPDX-License-Identifier: MIT
// Aligned memory, and values whose type is forgotten.

#include <mote/tensor/storage.hpp>

#include <support/catch.hpp>

#include <cstdint>

namespace storage_test {

struct Counted {
    explicit Counted(int* count) : alive(count) { ++*alive; }
    Counted(const Counted& other) : alive(other.alive) { ++*alive; }
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --*alive; }
    int* alive;
};

}  // namespace storage_test

TEST_CASE("storage: memory is aligned to 64 bytes, zeroed, and whole lines long") {
    for (const std::size_t bytes :
         {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{65}, std::size_t{1000}}) {
        const auto memory = mote::allocate_bytes(bytes);
        CHECK(reinterpret_cast<std::uintptr_t>(memory.get()) % mote::storage_alignment == 0);
        const std::size_t whole = mote::align_up(bytes == 0 ? 1 : bytes);
        CHECK(whole % 64 == 0);
        CHECK(whole >= bytes);
        std::size_t nonzero = 0;
        for (std::size_t i = 0; i < whole; ++i) nonzero += memory.get()[i] != std::byte{0};
        CHECK(nonzero == 0);
    }
}

TEST_CASE("storage: align_up gives the next multiple") {
    STATIC_REQUIRE(mote::align_up(0) == 0);
    STATIC_REQUIRE(mote::align_up(1) == 64);
    STATIC_REQUIRE(mote::align_up(64) == 64);
    STATIC_REQUIRE(mote::align_up(65) == 128);
    STATIC_REQUIRE(mote::align_up(17, 16) == 32);
}

TEST_CASE("make_erased: the value lives as long as a pointer to it does, and is destroyed once") {
    int alive = 0;
    {
        std::shared_ptr<const void> first = mote::make_erased(storage_test::Counted(&alive));
        CHECK(alive == 1);
        const std::shared_ptr<const void> second = first;
        first.reset();
        CHECK(alive == 1);
        CHECK(static_cast<const storage_test::Counted*>(second.get())->alive == &alive);
    }
    CHECK(alive == 0);
}
