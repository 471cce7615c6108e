// SPDX-License-Identifier: MIT
// InferContext: what it shows of a node, what it collects, and how it refuses.

#include <mote/model/infer/context.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>

#include <limits>

namespace infer_context_test {

using namespace mote;

/// A context over one f32 and one i8 input.
struct Around {
    Value image{"image", {1, 8, 8, 3}};
    Value bytes{"bytes", {1, 4}, Element::i8, QuantizationParams{0.5f, 1}};
    Quantization asked = QuantizationParams{0.25f, -2};
    const Value* inputs[2] = {&image, &bytes};
    const Quantization* requested[1] = {&asked};
    InferContext context{"my node", "MyLayer", inputs, requested};
};

}  // namespace infer_context_test

TEST_CASE("infer context: inputs, requested quantizations, and none beyond the outputs") {
    infer_context_test::Around around;
    const mote::InferContext& node = around.context;
    CHECK(node.inputs() == 2);
    CHECK(node.input(1).name == "bytes");
    CHECK(node.requested_quantization() == around.asked);
    CHECK_FALSE(node.requested_quantization(1).present());
}

TEST_CASE("infer context: outputs and states are collected in order") {
    infer_context_test::Around around;
    around.context.output({1, 2}, mote::Element::f32);
    around.context.output({3}, mote::Element::i8, around.asked);
    around.context.state("memory", {1, 4}, mote::Element::f32);
    REQUIRE(around.context.outputs().size() == 2);
    CHECK(around.context.outputs()[1] == mote::Value{"", {3}, mote::Element::i8, around.asked});
    REQUIRE(around.context.states().size() == 1);
    CHECK(around.context.states()[0] == mote::Value{"memory", {1, 4}});
}

TEST_CASE("infer context: every refusal names node and kind, and what is expected") {
    infer_context_test::Around around;
    mote::InferContext& node = around.context;
    CHECK_ERROR(node.fail("reason"), "node 'my node' (MyLayer): reason");
    CHECK_ERROR(node.expect_inputs(1), "'my node' (MyLayer)", "1 inputs expected", "2 given");
    CHECK_ERROR(node.expect_inputs(3, 5), "from 3 to 5 inputs expected", "2 given");
    CHECK_ERROR(node.expect_rank(1, 4, "[batch, height, width, channels]"), "'bytes' [1x4] i8", "rank 2",
                "[batch, height, width, channels]");
    CHECK_ERROR(node.output({std::size_t{1} << 40, std::size_t{1} << 40}, mote::Element::f32), "'my node'", "memory");
    around.image.shape = {1, 0};
    CHECK_ERROR(node.expect_full(0), "'image' [1x0]", "empty axis", "extents from 1 are expected");
    CHECK(support::error_text([&] {
              node.expect_inputs(2);
              node.expect_rank(0, 2, "");
              node.expect_full(1);
          }) == "");
}

TEST_CASE("infer context: an int8 value that is computed with needs one usable scale and a zero point in range") {
    using mote::detail::expect_output_quantization;
    infer_context_test::Around around;
    const float infinity = std::numeric_limits<float>::infinity();
    CHECK(expect_output_quantization(around.context) == around.asked);
    around.asked = {};
    CHECK_ERROR(expect_output_quantization(around.context), "'my node'", "no quantization", "scale and a zero point");
    around.asked = mote::Quantization({0.5f, 0.25f}, 0);
    CHECK_ERROR(expect_output_quantization(around.context), "scale per axis", "one scale");
    for (const float scale : {0.0f, -0.5f, infinity, -infinity, std::numeric_limits<float>::quiet_NaN(), 1e-40f}) {
        around.asked = mote::QuantizationParams{scale, 0};
        CHECK_ERROR(expect_output_quantization(around.context), "scale", "finite, positive, normal");
    }
    for (const std::int32_t zero_point : {-129, 128, 1 << 30}) {
        around.asked = mote::QuantizationParams{0.5f, zero_point};
        CHECK_ERROR(expect_output_quantization(around.context), "zero point", "[-128, 127]");
    }
    around.asked = mote::QuantizationParams{0.5f, 0};
    around.asked.zero_point.clear();
    CHECK_ERROR(expect_output_quantization(around.context), "1 scales but 0 zero points");
}

TEST_CASE("infer context: an int8 input is checked likewise, an f32 one needs nothing") {
    using mote::detail::expect_input_quantization;
    infer_context_test::Around around;
    CHECK(support::error_text([&] {
              expect_input_quantization(around.context, 0);
              expect_input_quantization(around.context, 1);
          }) == "");
    around.bytes.quantization = {};
    CHECK_ERROR(expect_input_quantization(around.context, 1), "'my node'", "'bytes' [1x4] i8", "no quantization");
}

TEST_CASE("infer context: the multiplier of a requantization is rounded once, from double") {
    using mote::detail::requantization_multiplier;
    CHECK(requantization_multiplier(0.5f, 0.25f, 2.0f) == 0.0625f);
    const float a = 0.1f;
    const float b = 0.3f;
    const float c = 0.7f;
    CHECK(requantization_multiplier(a, b, c) == static_cast<float>(double{a} * double{b} / double{c}));
    CHECK(requantization_multiplier(1e-30f, 1e-30f, 1.0f) == 0.0f);
    CHECK(requantization_multiplier(1e30f, 1e30f, 1.0f) == std::numeric_limits<float>::infinity());
}
