// SPDX-License-Identifier: MIT
// emit_header: what cannot be emitted is named, and a failure loses nothing. (That the emitted code computes what the engine
// computes is tested in tests/firmware.)

#include <mote/emit/header.hpp>
#include <mote/model/builder.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>

#include <algorithm>
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
    static constexpr auto fields = list_fields();
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

/// Bytes that are called something else: an input or an output of an element without a type in the header.
struct Relabel {
    Element to = Element::u8;
    static constexpr const char* kind = "Relabel";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields();
};
void infer(const Relabel& layer, InferContext& node) {
    node.output(node.input(0).shape, layer.to);
}
void lower(const Relabel&, LowerContext& node) {
    node.emit(detail::copy_of(node.input()));
}

std::string relabelled(Element from, Element to) {
    BasicBuilder<append<standard_layers<f32>, Relabel>> b;
    b.output("y", b.add(Relabel{to}, b.input("x", {1, 4}, from)));
    return header_text(b.build());
}

/// A model of one node whose names end in `name`.
std::string named(const std::string& name) {
    ModelBuilder<f32> b;
    const auto x = b.input("in" + name, {1, 2});
    b.output("out" + name, b.add(Tanh{}, x, {.name = "node" + name}));
    return header_text(b.build());
}

std::vector<std::string> lines(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> result;
    for (std::string line; std::getline(stream, line);) result.push_back(line);
    return result;
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

TEST_CASE("emit_header: keywords and reserved names are refused, and the error says what is accepted") {
    for (const char* name :
         {"int", "new", "class", "namespace", "xor", "constinit", "_Net", "_net", "a__b", "net__", "main", "posix", "std2"}) {
        CHECK_ERROR(mote::header_text(header_test::dense(), {.name = name}), mote::concat("'", name, "'"),
                    "letters, digits and _", "without a leading _ or a double __", "no C++ keyword");
    }
    for (const char* name : {"integer", "a_b_", "New", "net2", "studio", "std_net", "x"}) {
        CHECK(mote::header_text(header_test::dense(), {.name = name}).find(mote::concat("namespace ", name, " {")) !=
              std::string::npos);
    }
}

TEST_CASE("emit_header: no name of a value or node leaves its comment") {
    using namespace header_test;
    const std::size_t plain = lines(named("")).size();
    for (const char* name : {"\n#error", "\r#error", "\r\n#error", "\v", "\\", "\\\\", "?\?/", "\xe2\x80\xa8", "\x7f"}) {
        INFO(name);
        const std::string text = named(name);
        CHECK(lines(text).size() == plain);
        for (const std::string& line : lines(text)) {
            INFO(line);
            CHECK(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; }));
            CHECK_FALSE(line.ends_with('\\'));
            CHECK(line.find("?\?/") == std::string::npos);
            const std::size_t error = line.find("#error");
            CHECK((error == std::string::npos || line.find("//") < error));
        }
    }
    CHECK(named(" of 2+1").find("// 'in of 2+1' [") != std::string::npos);
    CHECK(named(" of 2+1").find("// node of 2+1\n") != std::string::npos);
}

TEST_CASE("emit_header: the header includes the firmware facade and nothing else") {
    std::vector<std::string> includes;
    for (const std::string& line : header_test::lines(mote::header_text(header_test::dense()))) {
        if (line.find("#include") != std::string::npos) includes.push_back(line);
    }
    CHECK(includes == std::vector<std::string>{"#include <mote/firmware/firmware.hpp>"});
}

TEST_CASE("emit_header: inputs and outputs are f32, i8 or i64; others are refused by name") {
    using mote::Element;
    for (const Element other : {Element::u8, Element::i16, Element::i32, Element::f16, Element::f64}) {
        CHECK_ERROR(header_test::relabelled(other, Element::f32), "'x'", element_name(other), "f32, i8 and i64 are supported");
        CHECK_ERROR(header_test::relabelled(Element::f32, other), "'y'", element_name(other), "f32, i8 and i64 are supported");
    }
    CHECK(header_test::relabelled(Element::f32, Element::f32).find("const float* input_0, float* output_0") !=
          std::string::npos);
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
