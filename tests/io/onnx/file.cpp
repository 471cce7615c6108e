// SPDX-License-Identifier: MIT
// The structs of an ONNX file: counts that cannot overflow, equality by content, look-ups by name.

#include <io/onnx/files.hpp>

TEST_CASE("onnx file: elements are counted, or there is no count") {
    using Dims = std::vector<std::int64_t>;
    CHECK(mote::onnx_elements(Dims{}) == 1u);
    CHECK(mote::onnx_elements(Dims{2, 3, 4}) == 24u);
    CHECK(mote::onnx_elements(Dims{2, 0, 4}) == 0u);
    CHECK_FALSE(mote::onnx_elements(Dims{2, -1}).has_value());
    CHECK_FALSE(mote::onnx_elements(Dims{0, -1}).has_value());
    const std::int64_t large = std::int64_t{1} << 40;
    CHECK_FALSE(mote::onnx_elements(Dims{large, large}).has_value());
    CHECK(mote::onnx_elements(Dims{large, large, 0}) == 0u);
    CHECK(mote::onnx_elements(Dims{std::int64_t{1} << 62}) == std::uint64_t{1} << 62);
    CHECK_FALSE(mote::onnx_elements(Dims{(std::int64_t{1} << 62) + 1}).has_value());
}

TEST_CASE("onnx file: elements below a byte are packed") {
    using mote::OnnxElement;
    CHECK(mote::onnx_bytes(OnnxElement::float32, 3) == 12);
    CHECK(mote::onnx_bytes(OnnxElement::int4, 0) == 0);
    CHECK(mote::onnx_bytes(OnnxElement::int4, 3) == 2);
    CHECK(mote::onnx_bytes(OnnxElement::uint2, 4) == 1);
    CHECK(mote::onnx_bytes(OnnxElement::uint2, 5) == 2);
    CHECK(mote::onnx_bytes(OnnxElement::string, 5) == 0);
    CHECK(mote::onnx_bytes(OnnxElement::complex128, std::uint64_t{1} << 62) == ~std::uint64_t{0});
}

TEST_CASE("onnx file: models are equal by content") {
    const mote::OnnxModel a = onnx_test::every_part();
    mote::OnnxModel b = onnx_test::every_part();
    CHECK(a == b);
    b.graph.initializers[3] = onnx_test::tensor("int16", mote::OnnxElement::int16, {3, 2});
    CHECK_FALSE(a == b);
    b = a;
    b.graph.nodes[0].attributes[4].value = std::vector<mote::OnnxGraph>{{.name = "other"}};
    CHECK_FALSE(a == b);
}

TEST_CASE("onnx file: attributes and opsets are found by name") {
    const mote::OnnxModel m = onnx_test::every_part();
    CHECK(m.opset() == 21);
    CHECK(m.opset("org.example") == 1);
    CHECK(m.opset("org.other") == 0);
    const mote::OnnxAttribute* i = m.graph.nodes[0].attribute("i");
    REQUIRE(i != nullptr);
    REQUIRE(i->values<std::int64_t>().size() == 1);
    CHECK(i->values<std::int64_t>()[0] == -7);
    CHECK(i->values<float>().empty());
    CHECK(m.graph.nodes[0].attribute("axis") == nullptr);
}
