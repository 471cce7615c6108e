// SPDX-License-Identifier: MIT
// map_file: the file's bytes, kept alive by their owner; errors name path and reason.

#include <mote/io/mapped_file.hpp>
#include <mote/tensor/file.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>

TEST_CASE("map_file: the bytes outlive the name") {
    mote::write_file("mapped.bin", "four");
    const mote::FileBytes file = mote::map_file("mapped.bin");
    mote::write_file("mapped.bin", "another text");
    std::remove("mapped.bin");
    REQUIRE(file.bytes.size() == 4);
    CHECK(std::memcmp(file.bytes.data(), "four", 4) == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(file.bytes.data()) % mote::storage_alignment == 0);
}

TEST_CASE("map_file: an empty file has no bytes") {
    mote::write_file("empty.bin", "");
    CHECK(mote::map_file("empty.bin").bytes.empty());
    std::remove("empty.bin");
}

TEST_CASE("map_file: what cannot be read is named") {
    CHECK_ERROR(mote::map_file("no/such.file"), "no/such.file", "No such file");
    CHECK_ERROR(mote::map_file("."), "not a regular file");
}
