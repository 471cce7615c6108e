// SPDX-License-Identifier: MIT
// emit_header: what cannot be emitted is named, and a failure loses nothing. (That the emitted code computes what the engine
// computes is tested in tests/firmware.)

#include <mote/emit/header.hpp>
#include <mote/model/builder.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>

#include <cstdio>
#include <fstream>
#include <sstream>

namespace header_test {

using namespace mote;

Model<f32> dense() {
    ModelBuilder<f32> b;
    const auto x = b.input("x", {1, 2});
    b.output("y", b.add(Dense<f32>{Tensor<f32>({1, 2}, {1, 2}), Tensor<f32>({1}, {3})}, x));
    return b.build();
}

/// A layer whose step nobody can write.
struct Odd {
    static constexpr const char* kind = "Odd";
    static constexpr Family family = Family::elementwise;
    static constexpr std::tuple<> fields{};
};
struct OddStep {
    static constexpr const char* name = "odd step";
    void run(const KernelTable&, std::byte* const*) const noexcept {}
};
void infer(const Odd&, InferContext& node) {
    node.output(node.input(0).shape, node.input(0).element);
}
void lower(const Odd&, LowerContext& node) {
    node.emit(OddStep{});
}

std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace header_test

TEST_CASE("emit_header: the same model gives the same text") {
    const std::string text = mote::header_text(header_test::dense(), {.name = "one"});
    CHECK(text == mote::header_text(header_test::dense(), {.name = "one"}));
    CHECK(text.find("namespace one {") != std::string::npos);
    CHECK(text.find("input_0_elements = 2;") != std::string::npos);
    CHECK(text.find("static_assert(MOTE_VERSION ==") != std::string::npos);
}

TEST_CASE("emit_header: a name that is no identifier is refused") {
    for (const char* name : {"", "1st", "a b", "a::b", "mote", "std"}) {
        CHECK_ERROR(mote::header_text(header_test::dense(), {.name = name}), "identifier");
    }
}

TEST_CASE("emit_header: all steps without a firmware form are listed, each with its node") {
    using namespace header_test;
    mote::BasicBuilder<append<standard_layers<f32>, Odd>> b;
    const auto x = b.add(Odd{}, b.input("x", {1, 2}), {.name = "first"});
    b.output("y", b.add(Odd{}, b.add(Relu{}, x), {.name = "second"}));
    CHECK_ERROR(mote::header_text(b.build()), "'odd step' of node 'first'", "'odd step' of node 'second'");
}

TEST_CASE("emit_header: an unwritable path is named, a model that cannot be emitted leaves the old file as it was") {
    using namespace header_test;
    CHECK_ERROR(mote::emit_header(dense(), "no-such-directory/net.hpp"), "no-such-directory/net.hpp");
    const std::string path = "emit_header_test.hpp";
    mote::emit_header(dense(), path);
    const std::string before = read(path);
    CHECK(before == mote::header_text(dense()));
    mote::BasicBuilder<append<standard_layers<f32>, Odd>> b;
    b.output("y", b.add(Odd{}, b.input("x", {1, 2})));
    CHECK_ERROR(mote::emit_header(b.build(), path), "no firmware form");
    CHECK(read(path) == before);
    std::remove(path.c_str());
}
