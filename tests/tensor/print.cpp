// SPDX-License-Identifier: MIT
// to_string of tensors.

#include <mote/tensor/print.hpp>

#include <support/catch.hpp>

#include <limits>

TEST_CASE("print: element, shape and values of every element") {
    using namespace mote;
    CHECK(to_string(Tensor<f64>({2}, {0.1, -2})) == "f64 [2]: 0.1, -2");
    CHECK(to_string(Tensor<f32>({1, 2}, {1e-30f, 3})) == "f32 [1x2]: 1e-30, 3");
    CHECK(to_string(convert<f16>(Tensor<f32>({2}, {0.5f, 1e9f}))) == "f16 [2]: 0.5, inf");
    CHECK(to_string(convert<bf16>(Tensor<f32>({1}, {-0.5f}))) == "bf16 [1]: -0.5");
    CHECK(to_string(Tensor<i64>({1}, {std::numeric_limits<std::int64_t>::min()})) == "i64 [1]: -9223372036854775808");
    CHECK(to_string(Tensor<i32>({1}, {-7})) == "i32 [1]: -7");
    CHECK(to_string(Tensor<i16>({1}, {-32768})) == "i16 [1]: -32768");
    CHECK(to_string(Tensor<i8>({2}, {65, -128})) == "i8 [2]: 65, -128");
    CHECK(to_string(Tensor<u8>({1}, {200})) == "u8 [1]: 200");
    CHECK(to_string(Tensor<i4>({3}, {0xf1, 0x07})) == "i4 [3]: 1, -1, 7");
    CHECK(to_string(Tensor<b8>({2}, {true, false})) == "b8 [2]: true, false");
}

TEST_CASE("print: quantization, and the limit of values") {
    using namespace mote;
    Tensor<i8> tensor({2, 5}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    tensor.set_quantization(QuantizationParams{0.25f, -3});
    CHECK(to_string(tensor) == "i8 [2x5], scale 0.25, zero point -3: 0, 1, 2, 3, 4, 5, 6, 7, ...");
    tensor.set_quantization(Quantization({0.5f, 0.25f}, 0));
    CHECK(to_string(tensor, 2) == "i8 [2x5], 2 scales along axis 0: 0, 1, ...");
    CHECK(to_string(tensor, 0) == "i8 [2x5], 2 scales along axis 0: ...");
    CHECK(to_string(Tensor<f32>()) == "f32 [0]: no elements");
    CHECK(to_string(Tensor<f32>(Shape{})) == "f32 [scalar]: 0");
    CHECK(to_string(Quantization{}).empty());
}
