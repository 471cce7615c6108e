// SPDX-License-Identifier: MIT
// .npz files: what is written is read, NumPy's own too, and nothing else; hostile archives are refused before they expand.

#include <mote/io/npz.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>

namespace npz_test {

using namespace mote;

const Tensor<f32> reals({2, 3}, {0.5f, -1.0f, 2.0f, 3.0f, -4.0f, 5.0f});
const Tensor<u8> zeros(Shape{40'000});

std::string file_bytes(const std::string& path) {
    const FileBytes file = map_file(path);
    return {reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size()};
}
/// What save_npz writes of both tensors.
std::string archive(bool compress) {
    save_npz({{"reals", npy_bytes(reals)}, {"zeros", npy_bytes(zeros)}}, "arrays.npz", {compress});
    const std::string bytes = file_bytes("arrays.npz");
    std::remove("arrays.npz");
    return bytes;
}
NpzFile open(std::string bytes, const NpzOptions& options = {}) {
    const auto owner = std::make_shared<const std::string>(std::move(bytes));
    return NpzFile("arrays.npz", {owner, std::as_bytes(std::span(*owner))}, options);
}
bool holds(const NpzFile& file) {
    const NpyArray a = file.array("reals"), b = file.array("zeros");
    return a.shape == reals.shape() && std::memcmp(a.bytes.data(), reals.data(), reals.bytes()) == 0 &&
           b.shape == zeros.shape() && std::memcmp(b.bytes.data(), zeros.data(), zeros.bytes()) == 0;
}
/// The archive with the number of `bytes` bytes at `at` behind the `nth` signature changed.
std::string with(std::string file, std::uint32_t signature, std::size_t nth, std::size_t at, std::uint64_t value, int bytes) {
    const std::string mark(reinterpret_cast<const char*>(&signature), 4);
    std::size_t place = file.find(mark);
    for (; nth > 0; --nth) place = file.find(mark, place + 1);
    REQUIRE(place != std::string::npos);
    for (int i = 0; i < bytes; ++i) file[place + at + static_cast<std::size_t>(i)] = static_cast<char>(value >> 8 * i);
    return file;
}

}  // namespace npz_test

TEST_CASE("npz: arrays come back, stored and deflated, and the same arrays make the same bytes") {
    using namespace npz_test;
    const std::string stored = archive(false), deflated = archive(true);
    CHECK(open(stored).names() == std::vector<std::string>{"reals", "zeros"});
    CHECK(holds(open(stored)));
    CHECK(holds(open(deflated)));
    CHECK(deflated.size() < 1000);
    CHECK(deflated == archive(true));
    save_npz({}, "arrays.npz");
    CHECK(load_npz("arrays.npz").names().empty());
    CHECK_ERROR(load_npz("arrays.npz").array("x"), "'arrays.npz'", "no array 'x'", "there are none");
    std::remove("arrays.npz");
}

TEST_CASE("npz: an archive that NumPy wrote") {
    using namespace mote;
    const NpzFile file = load_npz(MOTE_TEST_FILES "/numpy.npz");  // numpy.savez_compressed of NumPy 2
    CHECK(file.names() == std::vector<std::string>{"reals", "labels", "zeros"});
    const NpyArray reals = file.array("reals");
    CHECK(reals.shape == Shape{3, 4});
    for (std::size_t i = 0; i < 12; ++i) CHECK(reals.values<float>()[i] == static_cast<float>(i) / 4);
    CHECK(file.array("labels").values<std::int64_t>()[1] == -1);
    CHECK(file.array("zeros").shape == Shape{64, 64});
    CHECK_ERROR(file.array("images"), "numpy.npz", "no array 'images'", "reals, labels, zeros");
}

TEST_CASE("npz: a comment and members of other kinds are left alone") {
    using namespace npz_test;
    std::string bytes = with(archive(true), detail::zip::end_signature, 0, 20, 5, 2) + "PK\5\6!";
    CHECK(holds(open(bytes)));
    // ".npx" in the directory alone: no array.
    bytes[bytes.rfind("zeros.npy") + 8] = 'x';
    CHECK(open(bytes).names() == std::vector<std::string>{"reals"});
}

TEST_CASE("npz: every truncated archive is refused, and each changed byte is an error or of no meaning", "[damaged]") {
    using namespace npz_test;
    for (const bool compress : {false, true}) {
        std::string bytes = archive(compress);
        for (std::size_t size = 0; size < bytes.size(); size += size < 400 ? 1 : 64) {
            CHECK_ERROR(open(bytes.substr(0, size)), "arrays.npz");
        }
        std::size_t errors = 0;
        const std::size_t step = compress ? 1 : 67;
        for (std::size_t at = 0; at < bytes.size(); at += step) {
            for (const char change : {'\x01', '\x80'}) {
                bytes[at] = static_cast<char>(bytes[at] ^ change);
                bool same = false;
                try {
                    same = holds(open(bytes));
                } catch (const Error&) {
                    same = true;
                    ++errors;
                }
                CHECK(same);
                bytes[at] = static_cast<char>(bytes[at] ^ change);
            }
        }
        CHECK(errors > bytes.size() / step);  // more than every other change
    }
}

TEST_CASE("npz: what expands beyond the limit, or beyond what deflate can, is refused before it does") {
    using namespace npz_test;
    using namespace detail::zip;
    const std::string bytes = archive(true);
    CHECK_ERROR(open(bytes, {.expansion_limit = 10'000}), "expand to", "up to 10000 are accepted");
    CHECK_ERROR(open(with(bytes, central_signature, 1, 24, 3'000'000'000, 4)), "array 'zeros' cannot have 3000000000 bytes");
    CHECK_ERROR(open(with(bytes, central_signature, 1, 24, 50'000, 4)).array("zeros"), "deflated data are damaged");
    CHECK_ERROR(open(with(bytes, central_signature, 1, 24, 1000, 4)).array("zeros"), "deflated data are damaged");
    CHECK_ERROR(open(with(archive(false), central_signature, 1, 24, 1000, 4)), "cannot have 1000 bytes");
    // Two entries over the same data: the header's name is one of theirs.
    CHECK_ERROR(open(with(bytes, central_signature, 1, 42, 0, 4)).array("zeros"), "another name");
    std::string twice = bytes;
    twice.replace(twice.rfind("zeros"), 5, "reals");
    CHECK_ERROR(open(twice), "two arrays are named 'reals'");
}

TEST_CASE("npz: offsets outside of the file, other methods, encryption, volumes and ZIP64 are named") {
    using namespace npz_test;
    using namespace detail::zip;
    const std::string bytes = archive(true);
    for (const std::uint64_t at : {bytes.size() - 10, bytes.size(), std::size_t{0xfffffff0}}) {
        CHECK_ERROR(open(with(bytes, central_signature, 0, 42, at, 4)).array("reals"), "array 'reals'", "not where");
    }
    CHECK_ERROR(open(with(bytes, local_signature, 0, 26, 0xffff, 2)).array("reals"), "does not lie in the file");
    CHECK_ERROR(open(with(bytes, local_signature, 0, 8, 0, 2)).array("reals"), "another method");
    CHECK_ERROR(open(with(bytes, central_signature, 0, 16, 7, 4)).array("reals"), "checksum");
    CHECK_ERROR(open(with(bytes, central_signature, 0, 10, 14, 2)), "method 14");
    CHECK_ERROR(open(with(bytes, central_signature, 0, 8, 1, 2)), "encrypted");
    CHECK_ERROR(open(with(bytes, central_signature, 0, 20, 0xffffffff, 4)), "ZIP64");
    CHECK_ERROR(open(with(bytes, central_signature, 0, 28, 0xffff, 2)), "directory is damaged");
    CHECK_ERROR(open(with(bytes, end_signature, 0, 10, 0xffff, 2)), "ZIP64");
    CHECK_ERROR(open(with(bytes, end_signature, 0, 4, 1, 2)), "volumes");
    CHECK_ERROR(open(with(with(bytes, end_signature, 0, 8, 3, 2), end_signature, 0, 10, 3, 2)), "directory is damaged");
    CHECK_ERROR(open(with(with(bytes, end_signature, 0, 8, 1, 2), end_signature, 0, 10, 1, 2)), "behind its 1 entries");
    CHECK_ERROR(open(with(bytes, end_signature, 0, 16, 0x7fffffff, 4)), "does not lie in the file");
    CHECK_ERROR(open("PK, but nothing of the kind, however long the text"), "no .npz file");
}

TEST_CASE("npz: names that no archive can hold are refused when written") {
    using namespace npz_test;
    CHECK_ERROR(save_npz({{"", npy_bytes(reals)}}, "arrays.npz"), "arrays.npz", "name has 0 bytes");
    CHECK_ERROR(save_npz({{std::string(70'000, 'a'), npy_bytes(reals)}}, "arrays.npz"), "name has 70000 bytes");
    CHECK_ERROR(save_npz({{"a", npy_bytes(reals)}, {"a", npy_bytes(reals)}}, "arrays.npz"), "two arrays are named 'a'");
    CHECK_ERROR(save_npz({}, "no_such_folder/arrays.npz"), "no_such_folder");
}
