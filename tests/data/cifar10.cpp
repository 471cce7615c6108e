// SPDX-License-Identifier: MIT
// CIFAR-10: planes become channels, records are counted by size, damage is named.

#include <mote/data/cifar10.hpp>
#include <mote/tensor/file.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>

#include <filesystem>

namespace cifar10_test {

using namespace mote;

/// A record whose byte k of plane c is (seed + 7 k + 50 c) mod 256.
std::string record(int label, int seed) {
    std::string bytes(1, static_cast<char>(label));
    for (int c = 0; c < 3; ++c) {
        for (int k = 0; k < 1024; ++k) bytes += static_cast<char>((seed + 7 * k + 50 * c) & 255);
    }
    return bytes;
}

/// A folder of its own, which goes with it.
struct Folder {
    std::filesystem::path path = std::filesystem::temp_directory_path() / "mote_cifar10_test";
    Folder() { std::filesystem::create_directories(path); }
    ~Folder() { std::filesystem::remove_all(path); }
    void write(const char* name, const std::string& bytes) const { write_file((path / name).string(), bytes); }
};

}  // namespace cifar10_test

TEST_CASE("cifar10: records of several files follow each other, their planes as channels, their bytes as 0 to 255") {
    using namespace cifar10_test;
    const Folder folder;
    folder.write("data_batch_1.bin", record(3, 1) + record(9, 2));
    folder.write("data_batch_2.bin", record(0, 3));
    folder.write("test_batch.bin", record(5, 4));
    const Cifar10 train = load_cifar10(folder.path.string(), Cifar10Part::train);
    REQUIRE(train.size() == 3);
    CHECK(load_cifar10(folder.path.string(), Cifar10Part::test).size() == 1);
    CHECK(train.shape() == Shape{32, 32, 3});
    std::vector<float> values(3072);
    constexpr std::int64_t labels[] = {3, 9, 0};
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(train.load(i, values) == labels[i]);
        CHECK(train.label(i) == labels[i]);
        for (int k : {0, 1, 33, 1023}) {
            for (int c = 0; c < 3; ++c) {
                const int expected = (static_cast<int>(i) + 1 + 7 * k + 50 * c) & 255;
                CHECK(values[static_cast<std::size_t>(3 * k + c)] == static_cast<float>(expected));
            }
        }
    }
}

TEST_CASE("cifar10: a wrong size, a wrong label and a missing file are errors that name the file") {
    using namespace cifar10_test;
    const Folder folder;
    folder.write("a.bin", record(3, 1) + "x");
    folder.write("empty.bin", "");
    folder.write("label.bin", record(3, 1) + record(10, 1));
    const auto path = [&](const char* name) { return (folder.path / name).string(); };
    for (const char* name : {"a.bin", "empty.bin"}) {
        CHECK_THAT(support::error_text([&] { Cifar10({path(name)}); }),
                   Catch::Contains(name) && Catch::Contains("3073 bytes are expected"));
    }
    const Cifar10 data({path("label.bin")});
    std::vector<float> values(3072);
    CHECK_NOTHROW(data.load(0, values));
    CHECK_THAT(support::error_text([&] { data.load(1, values); }), Catch::Contains("label.bin' record 1: label 10"));
    CHECK_THAT(support::error_text([&] { data.load(2, values); }), Catch::Contains("there are 2"));
    CHECK_THAT(support::error_text([&] { data.load(0, std::span(values).first(3)); }), Catch::Contains("3072 values"));
    CHECK_THAT(support::error_text([&] { load_cifar10(path("none"), Cifar10Part::train); }),
               Catch::Contains("data_batch_1.bin"));
}
