// SPDX-License-Identifier: MIT
// Tensor: owning, borrowing, copying, comparing, refusing.

#include <mote/tensor/tensor.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

TEST_CASE("tensor: a new one is zero and aligned, a default one is empty") {
    const mote::Tensor<mote::f32> tensor(mote::Shape{3, 5});
    CHECK(tensor.elements() == 15);
    CHECK(tensor.bytes() == 60);
    CHECK(tensor.owns());
    CHECK(reinterpret_cast<std::uintptr_t>(tensor.data()) % 64 == 0);
    for (const float value : tensor.values()) CHECK(value == 0.0f);
    const mote::Tensor<mote::i8> absent;
    CHECK(absent.empty());
    CHECK(absent.bytes() == 0);
    CHECK(absent.values().empty());
}

TEST_CASE("tensor: values are given in row-major order, as many as the shape says") {
    const mote::Tensor<mote::i32> tensor({2, 3}, {1, 2, 3, 4, 5, 6});
    CHECK(tensor[tensor.shape().stride(0) * 1 + 2] == 6);
    CHECK_ERROR((mote::Tensor<mote::i32>({2, 3}, {1, 2, 3})), "2x3", "6 values expected", "3 given");
    CHECK_ERROR((mote::Tensor<mote::i4>({3}, {1})), "2 values expected", "1 given");
}

TEST_CASE("tensor: an absurd shape is refused before anything is allocated") {
    const std::size_t huge = std::size_t{1} << 40;
    CHECK_ERROR((mote::Tensor<mote::f64>(mote::Shape{huge, huge})), "1099511627776x1099511627776", "memory");
    CHECK_ERROR((mote::Tensor<mote::i4>(mote::Shape{~std::size_t{0}})), "memory");
    CHECK_ERROR((mote::Tensor<mote::i8>::borrow(mote::Shape{huge, huge}, nullptr, nullptr)), "memory");
    CHECK(mote::Tensor<mote::f32>(mote::Shape{huge, huge, 0}).empty());
}

TEST_CASE("make_shape: a rank above 8 is refused") {
    const std::vector<std::size_t> nine(9, 1);
    CHECK_ERROR(mote::make_shape(nine), "rank 9", "8 axes");
    CHECK(mote::make_shape(std::span(nine).first(8)).rank() == 8);
    CHECK(mote::make_shape({}) == mote::Shape{});
}

TEST_CASE("tensor: copies of an owner are deep, moves leave an empty tensor") {
    mote::Tensor<mote::f32> first({2}, {1, 2});
    first.set_quantization(mote::QuantizationParams{0.5f, 1});
    mote::Tensor<mote::f32> second = first;
    CHECK(second == first);
    second[0] = 9;
    CHECK(first[0] == 1);
    CHECK(second != first);
    const float* data = second.data();
    mote::Tensor<mote::f32> third = std::move(second);
    CHECK(third.data() == data);
    // NOLINTNEXTLINE(bugprone-use-after-move): what is left is the point
    CHECK(second.empty());
    CHECK(second == mote::Tensor<mote::f32>());
    const mote::Tensor<mote::f32> fourth = second;
    CHECK(fourth.empty());
    third = first;
    CHECK(third == first);
}

TEST_CASE("tensor: borrowed memory is shared, kept alive and read-only") {
    auto owner = std::make_shared<std::vector<float>>(std::vector<float>{1, 2, 3, 4});
    const std::weak_ptr<std::vector<float>> watch = owner;
    {
        mote::Tensor<mote::f32> tensor = mote::Tensor<mote::f32>::borrow({2, 2}, owner->data(), owner);
        owner.reset();
        CHECK_FALSE(watch.expired());
        CHECK_FALSE(tensor.owns());
        const mote::Tensor<mote::f32> copy = tensor;
        CHECK(std::as_const(tensor).data() == copy.data());
        CHECK(copy[3] == 4);
        CHECK_ERROR(tensor.data(), "read-only", "copy");
        CHECK_ERROR(tensor[0] = 1, "read-only");
        const mote::Tensor<mote::f32> own(copy.shape(), copy.values());
        CHECK(own.owns());
        CHECK(own == copy);
    }
    CHECK(watch.expired());
}

TEST_CASE("tensor: equality is of shape, quantization and bits") {
    using mote::Tensor;
    const Tensor<mote::f32> zero({1}, {0.0f});
    CHECK(zero != Tensor<mote::f32>({1}, {-0.0f}));
    CHECK(zero != Tensor<mote::f32>({1, 1}, {0.0f}));
    const Tensor<mote::f32> nan({1}, {__builtin_nanf("")});
    CHECK(nan == Tensor<mote::f32>({1}, {__builtin_nanf("")}));
    Tensor<mote::f32> scaled = zero;
    scaled.set_quantization(mote::QuantizationParams{2.0f, 0});
    CHECK(scaled != zero);
}

TEST_CASE("tensor: the unused half of a last four-bit byte does not matter") {
    using mote::Tensor;
    CHECK(Tensor<mote::i4>({3}, {0x21, 0x03}) == Tensor<mote::i4>({3}, {0x21, 0x93}));
    CHECK(Tensor<mote::i4>({3}, {0x21, 0x03}) != Tensor<mote::i4>({3}, {0x21, 0x04}));
    CHECK(Tensor<mote::i4>({3}, {0x21, 0x03}) != Tensor<mote::i4>({3}, {0x31, 0x03}));
    CHECK(Tensor<mote::i4>({4}, {0x21, 0x03}) != Tensor<mote::i4>({4}, {0x21, 0x93}));
}

TEST_CASE("tensor: another shape for the same elements") {
    const mote::Tensor<mote::i8> tensor({2, 3}, {1, 2, 3, 4, 5, 6});
    CHECK(tensor.reshaped({3, 2}) == mote::Tensor<mote::i8>({3, 2}, {1, 2, 3, 4, 5, 6}));
    CHECK_ERROR(tensor.reshaped({7}), "2x3", "7");
}

TEST_CASE("tensor: views see the same memory") {
    mote::Tensor<mote::f32> tensor({2}, {1, 2});
    tensor.view()[1] = 5;
    CHECK(std::as_const(tensor).view()[1] == 5);
    CHECK(std::as_const(tensor).view().shape == tensor.shape());
}

TEST_CASE("quantization: absent, by one scale, by a scale per axis") {
    CHECK_FALSE(mote::Quantization{}.present());
    const mote::Quantization one = mote::QuantizationParams{0.5f, -3};
    CHECK(one.present());
    CHECK_FALSE(one.per_axis());
    CHECK(one.params(7) == mote::QuantizationParams{0.5f, -3});
    const mote::Quantization many({0.5f, 0.25f}, 3);
    CHECK(many.per_axis());
    CHECK(many.params(1) == mote::QuantizationParams{0.25f, 0});
    CHECK(many.axis == 3);
    CHECK(many != mote::Quantization({0.5f, 0.25f}, 2));
}

TEST_CASE("to_string: shapes") {
    CHECK(mote::to_string(mote::Shape{2, 8, 8, 3}) == "2x8x8x3");
    CHECK(mote::to_string(mote::Shape{}) == "scalar");
    CHECK(mote::to_string(mote::Shape{0}) == "0");
}
