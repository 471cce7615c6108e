// SPDX-License-Identifier: MIT
// Tables: every entry is the nearest byte to the function's real value.

#include <mote/layers/table.hpp>

#include <support/catch.hpp>

namespace table_test {

using namespace mote;

template <class L>
void check_table(const L& layer, QuantizationParams in, QuantizationParams out) {
    const Tensor<i8> table = with_table(layer, in, out).table;
    REQUIRE(table.elements() == 256);
    for (int q = -128; q <= 127; ++q) {
        const double x = static_cast<double>(in.scale) * (q - in.zero_point);
        const double exact = activation_value(layer, x) / static_cast<double>(out.scale) + out.zero_point;
        const double expected = exact < -128.0 ? -128.0 : exact > 127.0 ? 127.0 : exact;
        CAPTURE(L::kind, q, exact);
        CHECK(std::fabs(static_cast<double>(table[static_cast<std::size_t>(q + 128)]) - expected) <= 0.5);
    }
}

TEST_CASE("table: activations are within half a step of their real value for all 256 bytes") {
    for (const QuantizationParams in : {QuantizationParams{0.05f, 0}, QuantizationParams{0.2f, -100}}) {
        check_table(LeakyRelu{0.1f}, in, {0.1f, 5});
        check_table(Sigmoid{}, in, {1.0f / 256.0f, -128});
        check_table(Tanh{}, in, {1.0f / 128.0f, 0});
        check_table(HardSigmoid{}, in, {1.0f / 255.0f, -128});
        check_table(HardSwish{}, in, {0.1f, -110});
        check_table(Unary{UnaryFunction::gelu}, in, {0.1f, -110});
        check_table(Unary{UnaryFunction::clip, -1.0f, 2.5f}, in, {0.02f, -40});
        check_table(Unary{UnaryFunction::linear, -0.5f, 0.3f}, in, {0.1f, 4});
    }
}

TEST_CASE("table: activation values at known points") {
    CHECK(activation_value(LeakyRelu{0.25f}, -8.0) == -2.0);
    CHECK(activation_value(LeakyRelu{0.25f}, 8.0) == 8.0);
    CHECK(activation_value(Sigmoid{}, 0.0) == 0.5);
    CHECK(activation_value(Tanh{}, 0.0) == 0.0);
    CHECK(activation_value(HardSigmoid{}, -3.0) == 0.0);
    CHECK(activation_value(HardSigmoid{}, 0.0) == 0.5);
    CHECK(activation_value(HardSigmoid{}, 100.0) == 1.0);
    CHECK(activation_value(HardSwish{}, 1.5) == 1.5 * 0.75);
    CHECK(activation_value(Unary{UnaryFunction::linear, 0.5f, 3.0f}, 8.0) == 7.0);
}

TEST_CASE("table: where a function is infinite the byte is the last, where it is no number the lowest") {
    const Tensor<i8> table = with_table(Unary{UnaryFunction::log}, {1.0f, 0}, {1.0f, 0}).table;
    CHECK(table[127] == -128);  // of -1
    CHECK(table[128] == -128);  // of 0
    CHECK(table[129] == 0);
    CHECK(with_table(Unary{UnaryFunction::reciprocal}, {1.0f, 0}, {1.0f, 0}).table[128] == 127);
}

TEST_CASE("table: softmax entries fall from 2^22 by exp(-scale) a step") {
    const Tensor<i32> table = softmax_table(0.1f);
    REQUIRE(table.elements() == 256);
    CHECK(table[0] == 4194304);
    for (std::size_t d = 1; d < 256; ++d) {
        CHECK(table[d] <= table[d - 1]);
        CHECK(std::fabs(static_cast<double>(table[d]) -
                        4194304.0 * std::exp(-static_cast<double>(0.1f) * static_cast<double>(d))) <= 0.5001);
    }
    CHECK(softmax_table(100.0f)[1] == 0);
}

}  // namespace table_test
