// SPDX-License-Identifier: MIT
// load_digits: values and labels of a file, and an error for every way in which it can be wrong.

#include <mote/data/digits.hpp>
#include <mote/tensor/file.hpp>

#include <support/catch.hpp>

#include <cstdlib>

#include <unistd.h>

namespace digits_test {

/// A file that is removed again.
struct File {
    std::string path;
    explicit File(const std::string& content) {
        const char* directory = std::getenv("TMPDIR");
        path = mote::concat(directory == nullptr ? "." : directory, "/digits_test_", getpid(), ".csv");
        mote::write_file(path, content);
    }
    ~File() { std::remove(path.c_str()); }
};

std::string line(const std::string& pixel, const std::string& label, int pixels = 64) {
    std::string text;
    for (int i = 0; i < pixels; ++i) text += (i == 5 ? pixel : std::string("0")) + ",";
    return text + label;
}

}  // namespace digits_test

TEST_CASE("load_digits: pixels become [8, 8, 1] values in [0, 1], with or without a last line break") {
    const digits_test::File file(digits_test::line("16", "7") + "\n" + digits_test::line("4", "0") + "\r\n\n" +
                                 digits_test::line("8", "9"));
    const mote::TensorDataset digits = mote::load_digits(file.path);
    REQUIRE(digits.size() == 3);
    CHECK(digits.shape() == mote::Shape{8, 8, 1});
    std::vector<float> values(64);
    CHECK(digits.load(0, values) == 7);
    CHECK(values[5] == 1.0f);
    CHECK(digits.load(1, values) == 0);
    CHECK(values[5] == 0.25f);
    CHECK(values[6] == 0.0f);
    CHECK(digits.load(2, values) == 9);
}

TEST_CASE("load_digits: a wrong file is an error that names file, line and expectation") {
    const auto error = [](const std::string& content) {
        const digits_test::File file(content);
        try {
            mote::load_digits(file.path);
        } catch (const mote::Error& e) {
            return std::string(e.what());
        }
        return std::string("no error");
    };
    const std::string good = digits_test::line("1", "1") + "\n";
    CHECK_THAT(error(""), Catch::Contains("no digits"));
    CHECK_THAT(error(good + digits_test::line("17", "1") + "\n"), Catch::Contains("line 2: pixel 5") && Catch::Contains("16"));
    CHECK_THAT(error(digits_test::line("x", "1") + "\n"), Catch::Contains("line 1: pixel 5"));
    CHECK_THAT(error(digits_test::line("nan", "1") + "\n"), Catch::Contains("pixel 5"));
    CHECK_THAT(error(digits_test::line("1", "10") + "\n"), Catch::Contains("label") && Catch::Contains("9"));
    CHECK_THAT(error(digits_test::line("1", "1.5") + "\n"), Catch::Contains("label"));
    CHECK_THAT(error(digits_test::line("1", "1", 63) + "\n"), Catch::Contains("64 pixels and a label"));
    CHECK_THAT(error(digits_test::line("1", "1", 65) + "\n"), Catch::Contains("line 1"));
    CHECK_THAT(error(std::string(2000, '1') + "\n"), Catch::Contains("too long"));
    CHECK_THROWS_WITH(mote::load_digits("no/such/file.csv"), Catch::Contains("cannot read 'no/such/file.csv'"));
}
