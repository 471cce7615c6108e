// SPDX-License-Identifier: MIT
// write_file: a file is whole or as it was.

#include <mote/tensor/file.hpp>

#include <support/catch.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

namespace file_test {

std::string read(const std::string& path) {
    std::string text;
    if (std::FILE* file = std::fopen(path.c_str(), "rb")) {
        char buffer[256];
        for (std::size_t n = std::fread(buffer, 1, sizeof buffer, file); n > 0;
             n = std::fread(buffer, 1, sizeof buffer, file)) {
            text.append(buffer, n);
        }
        std::fclose(file);
    }
    return text;
}

}  // namespace file_test

TEST_CASE("write_file: replaces the whole file and leaves nothing beside it") {
    char directory[] = "mote_file_XXXXXX";
    REQUIRE(mkdtemp(directory) != nullptr);
    const std::string path = std::string(directory) + "/a.txt";
    mote::write_file(path, "a longer first text");
    mote::write_file(path, std::string_view("b\0c", 3));
    CHECK(file_test::read(path) == std::string("b\0c", 3));
    CHECK(file_test::read(path + ".part").empty());
    std::remove(path.c_str());
    rmdir(directory);
}

TEST_CASE("write_file: a path that cannot be written is named, and the old file stays as it was") {
    char directory[] = "mote_file_XXXXXX";
    REQUIRE(mkdtemp(directory) != nullptr);
    const std::string path = std::string(directory) + "/a.txt";
    mote::write_file(path, "old");
    REQUIRE(mkdir((path + ".part").c_str(), 0700) == 0);  // the name beside it is taken by a directory
    try {
        mote::write_file(path, "new");
        FAIL("an unwritable path was accepted");
    } catch (const mote::Error& error) {
        CHECK(std::string(error.what()).find(path) != std::string::npos);
    }
    CHECK(file_test::read(path) == "old");
    CHECK_THROWS_AS(mote::write_file(std::string(directory) + "/none/b.txt", "x"), mote::Error);
    rmdir((path + ".part").c_str());
    std::remove(path.c_str());
    rmdir(directory);
}

TEST_CASE("write_file: a failure after the file was opened says what is accepted, and leaves nothing beside it") {
    char directory[] = "mote_file_XXXXXX";
    REQUIRE(mkdtemp(directory) != nullptr);
    const std::string path = std::string(directory) + "/taken";
    REQUIRE(mkdir(path.c_str(), 0700) == 0);  // a directory cannot be replaced by a file
    CHECK_THROWS_WITH(
        mote::write_file(path, "x"),
        Catch::Contains(path) && Catch::Contains("a path to a file, or to nothing yet, on a disk with room is expected"));
    CHECK(access((path + ".part").c_str(), F_OK) != 0);
    rmdir(path.c_str());
    rmdir(directory);
}
