// SPDX-License-Identifier: MIT
// The tables of the ONNX format: every type has its row, and rows agree with the format's published numbers.

#include <mote/io/onnx/schema.hpp>

#include <support/catch.hpp>

#include <string>

TEST_CASE("onnx schema: every element type has its row") {
    using mote::OnnxElement;
    CHECK(mote::detail::onnx::element_infos.size() == static_cast<std::size_t>(OnnxElement::int2) + 1);
    CHECK(static_cast<int>(OnnxElement::float16) == 10);
    CHECK(static_cast<int>(OnnxElement::bfloat16) == 16);
    CHECK(static_cast<int>(OnnxElement::float8e5m2fnuz) == 20);
    CHECK(static_cast<int>(OnnxElement::int2) == 26);
    const std::pair<OnnxElement, const char*> names[] = {
        {OnnxElement::float32, "float32"},       {OnnxElement::string, "string"},
        {OnnxElement::boolean, "bool"},          {OnnxElement::complex128, "complex128"},
        {OnnxElement::float8e5m2, "float8e5m2"}, {OnnxElement::uint4, "uint4"},
        {OnnxElement::float8e8m0, "float8e8m0"}, {OnnxElement::int2, "int2"}};
    for (const auto& [element, name] : names) CHECK(std::string(mote::onnx_element_name(element)) == name);
    for (const auto& [element, bits] : {std::pair{OnnxElement::int4, 4u},
                                        {OnnxElement::uint2, 2u},
                                        {OnnxElement::boolean, 8u},
                                        {OnnxElement::complex128, 128u},
                                        {OnnxElement::string, 0u}}) {
        CHECK(mote::onnx_element_bits(element) == bits);
    }
}

TEST_CASE("onnx schema: a typed field holds what its elements take") {
    for (const mote::detail::onnx::ElementInfo& row : mote::detail::onnx::element_infos) {
        if (row.field == 0) continue;
        INFO(row.name);
        const std::string field = mote::detail::onnx::data_field(row.field).name;
        const std::string name = row.name;
        const std::size_t bytes = mote::detail::onnx::data_field(row.field).fixed_bytes;
        if (bytes != 0) CHECK(row.bits % (8 * bytes) == 0);
        if (name == "string") {
            CHECK(field == "string_data");
        } else if (name == "int64") {
            CHECK(field == "int64_data");
        } else if (name == "uint32" || name == "uint64") {
            CHECK(field == "uint64_data");
        } else if (name == "float32" || name == "complex64") {
            CHECK(field == "float_data");
        } else if (name == "float64" || name == "complex128") {
            CHECK(field == "double_data");
        } else {
            CHECK(field == "int32_data");
        }
    }
}

TEST_CASE("onnx schema: every attribute type has its row") {
    using mote::OnnxAttributeType;
    CHECK(mote::detail::onnx::attribute_infos.size() == static_cast<std::size_t>(OnnxAttributeType::value_types) + 1);
    CHECK(static_cast<int>(OnnxAttributeType::integers) == 7);
    CHECK(static_cast<int>(OnnxAttributeType::sparse_tensor) == 11);
    CHECK(std::string(mote::onnx_attribute_name(OnnxAttributeType::integers)) == "ints");
    CHECK(std::string(mote::onnx_attribute_name(OnnxAttributeType::value_types)) == "type_protos");
    for (std::size_t a = 1; a < mote::detail::onnx::attribute_infos.size(); ++a) {
        for (std::size_t b = 1; b < a; ++b) {
            CHECK(mote::detail::onnx::attribute_infos[a].field != mote::detail::onnx::attribute_infos[b].field);
        }
    }
}
