// SPDX-License-Identifier: MIT
// Samples in .npy files: reals, bytes and quantized bytes, with labels of any integer; what does not fit is named.

#include <mote/data/npy_dataset.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>

#include <cstdio>
#include <cmath>
#include <filesystem>

namespace npy_dataset_test {

using namespace mote;

template <class P>
NpyArray array(const Tensor<P>& tensor) {
    const std::string path = (std::filesystem::temp_directory_path() / "mote_npy_dataset_test.npy").string();
    save_npy(tensor, path);
    NpyArray result = load_npy(path);
    std::remove(path.c_str());
    return result;
}

template <class P>
std::string refusal(const Tensor<P>& inputs, const Quantization& quantization = {}) {
    return support::error_text([&] { NpyDataset("x.npy", array(inputs), {}, quantization); });
}

}  // namespace npy_dataset_test

TEST_CASE("npy dataset: f4 and f8 are real numbers, u1 values 0 to 255, i1 what their quantization says") {
    using namespace npy_dataset_test;
    std::vector<float> values(2);
    const NpyDataset reals("x", array(Tensor<f32>({3, 2}, {1, 2, 3, 4, 5, 6})), array(Tensor<i64>(Shape{3}, {7, 8, 9})));
    CHECK(reals.size() == 3);
    CHECK(reals.shape() == Shape{2});
    CHECK(reals.load(1, values) == 8);
    CHECK(values == std::vector<float>{3, 4});
    CHECK(NpyDataset("x", array(Tensor<f64>({2, 2}, {1, 2, 3.25, 4}))).load(1, values) == -1);
    CHECK(values == std::vector<float>{3.25f, 4});
    const NpyDataset bytes("x", array(Tensor<u8>({2, 2}, {0, 255, 128, 1})), array(Tensor<i8>(Shape{2}, {1, 0})));
    CHECK(bytes.load(0, values) == 1);
    CHECK(values == std::vector<float>{0, 255});
    const NpyDataset quantized("x", array(Tensor<i8>({1, 2}, {-128, 3})), {}, QuantizationParams{0.5f, 1});
    CHECK_FALSE(quantized.has_labels());
    CHECK(quantized.load(0, values) == -1);
    CHECK(values == std::vector<float>{-64.5f, 1});
    CHECK(NpyDataset("x", array(Tensor<f32>({1, 2})), array(Tensor<i32>(Shape{1}, {4}))).label(0) == 4);
    CHECK(NpyDataset("x", array(Tensor<f32>({1, 2})), array(Tensor<u8>(Shape{1}, {200}))).label(0) == 200);
    CHECK(NpyDataset("x", array(Tensor<f32>({1, 2})), array(Tensor<f32>(Shape{1}, {-3}))).label(0) == -3);
    CHECK(NpyDataset("x", array(Tensor<f32>({1, 2})), array(Tensor<f64>(Shape{1}, {7}))).label(0) == 7);
}

TEST_CASE("npy dataset: elements, shapes and numbers that do not fit are errors") {
    using namespace npy_dataset_test;
    CHECK_THAT(refusal(Tensor<i8>({2, 2})), Catch::Contains("nothing says what they mean"));
    CHECK_THAT(refusal(Tensor<i64>({2, 2})), Catch::Contains("f4, f8, u1 or i1 is expected"));
    CHECK_THAT(refusal(Tensor<f32>(Shape{}, {1})), Catch::Contains("holds no samples"));
    const NpyArray inputs = array(Tensor<f32>({2, 2}));
    CHECK_THAT(support::error_text([&] { NpyDataset("x.npy", inputs, array(Tensor<i64>(Shape{3}))); }),
               Catch::Contains("one label a sample"));
    CHECK_THAT(support::error_text([&] { NpyDataset("x.npy", inputs, array(Tensor<i16>(Shape{2}))); }),
               Catch::Contains("its labels are i16"));
    for (const double label : {0.5, 1e300, std::nan("")}) {
        CHECK_THAT(support::error_text([&] {
                       NpyDataset("x.npy", inputs, array(Tensor<f64>(Shape{2}, {1, label})));
                   }),
                   Catch::Contains("whole numbers are expected"));
    }
    const NpyDataset data("x.npy", inputs);
    std::vector<float> values(3);
    CHECK_THAT(support::error_text([&] { data.load(0, values); }), Catch::Contains("2 values"));
    CHECK_THAT(support::error_text([&] { data.load(2, std::span(values).first(2)); }), Catch::Contains("there are 2"));
}
