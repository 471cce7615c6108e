// SPDX-License-Identifier: MIT
// The schema's lists: numbers at known places, and no name twice.

#include <mote/io/tflite/schema.hpp>

#include <support/catch.hpp>

#include <set>
#include <string_view>

TEST_CASE("tflite schema: operators have the numbers of the public schema") {
    using mote::tflite::operator_code;
    using mote::tflite::operator_name;
    // The first and last of each decade that has a gap in no version of the schema, and those after a change of its style.
    CHECK(operator_code("ADD") == 0);
    CHECK(operator_code("CONV_2D") == 3);
    CHECK(operator_code("FULLY_CONNECTED") == 9);
    CHECK(operator_code("SOFTMAX") == 25);
    CHECK(operator_code("CUSTOM") == 32);
    CHECK(operator_code("MEAN") == 40);
    CHECK(operator_code("PRELU") == 54);
    CHECK(operator_code("TRANSPOSE_CONV") == 67);
    CHECK(operator_code("REDUCE_MAX") == 82);
    CHECK(operator_code("LEAKY_RELU") == 98);
    CHECK(operator_code("QUANTIZE") == 114);
    CHECK(operator_code("HARD_SWISH") == 117);
    CHECK(operator_code("DENSIFY") == 124);
    CHECK(operator_code("BATCH_MATMUL") == 126);
    CHECK(operator_code("CUMSUM") == 128);
    CHECK(operator_code("GELU") == 150);
    CHECK(operator_code("STABLEHLO_LOGISTIC") == 162);
    CHECK(operator_code("DILATE") == 203);
    CHECK(operator_name(117) == "HARD_SWISH");
    CHECK(operator_name(-1).empty());
    CHECK(operator_name(static_cast<std::int32_t>(std::size(mote::tflite::operator_names))).empty());
}

TEST_CASE("tflite schema: no operator stands twice") {
    const std::set<std::string_view> names(std::begin(mote::tflite::operator_names), std::end(mote::tflite::operator_names));
    CHECK(names.size() == std::size(mote::tflite::operator_names));
    CHECK(names.count("") == 0);
}

TEST_CASE("tflite schema: a tensor type has the size of its element") {
    for (const mote::tflite::TensorType& type : mote::tflite::tensor_types) {
        INFO(type.name);
        if (type.known) CHECK(type.bits == mote::element_bits(type.element));
    }
    CHECK(std::string_view(mote::tflite::tensor_types[9].name) == "INT8");
    CHECK(std::string_view(mote::tflite::tensor_types[17].name) == "INT4");
}
