// SPDX-License-Identifier: MIT
// Constants: axes move to the front, sparse tensors get their zeros back.

#include <mote/io/mapped_file.hpp>
#include <mote/io/tflite/constants.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>
#include <support/shared.hpp>

using mote::detail::tflite_import::Constants;

TEST_CASE("tflite constants: a depthwise weight's channels come first") {
    const mote::Tensor<mote::i8> weight({1, 2, 1, 3}, {1, 2, 3, 4, 5, 6});
    mote::TfliteFile file;
    file.subgraphs.emplace_back();
    const Constants constants(file, 100);
    const mote::Tensor<mote::i8> front = constants.front(weight, 3);
    CHECK(front == mote::Tensor<mote::i8>({3, 2, 1, 1}, {1, 4, 2, 5, 3, 6}));
    CHECK(constants.front(weight, 0) == weight);
}

TEST_CASE("tflite constants: the pruned face detector is 30 % non-zero, its blocks where they belong") {
    if (support::shared_missing()) return;
    const mote::FileBytes bytes = mote::map_file(support::shared_path("mediapipe/face_detection_full_range_sparse.tflite"));
    const mote::TfliteFile file = mote::read_tflite("sparse", bytes.bytes, bytes.owner);
    const Constants constants(file, std::size_t{1} << 30);
    std::size_t sparse = 0, elements = 0, non_zero = 0;
    for (std::size_t id = 0; id < file.subgraphs[0].tensors.size(); ++id) {
        const mote::TfliteTensor& t = file.subgraphs[0].tensors[id];
        if (!t.sparsity) continue;
        const mote::Tensor<mote::f32> dense = constants.reals(id);
        REQUIRE(dense.shape() == t.shape);
        std::size_t here = 0;
        for (const float x : dense.values()) here += x != 0.0f;
        CHECK(here <= t.bytes.size() / (t.type_info().bits / 8u));  // nothing is stored twice
        ++sparse;
        elements += dense.elements();
        non_zero += here;
    }
    CHECK(sparse == 46);
    CHECK(elements == 462592);
    const double share = static_cast<double>(non_zero) / static_cast<double>(elements);
    CHECK(share > 0.299);
    CHECK(share < 0.301);
}

TEST_CASE("tflite constants: copies of constants take no more than the file holds and the option adds") {
    const std::vector<float> stored(6, 1.5f);
    mote::TfliteFile file;
    file.name = "limit.tflite";
    file.subgraphs.emplace_back().tensors.resize(2);
    for (mote::TfliteTensor& t : file.subgraphs[0].tensors) t.bytes = std::as_bytes(std::span(stored));  // shared: counted once
    const Constants constants(file, 12);
    const mote::Tensor<mote::i8> weight({1, 1, 2, 6}, std::vector<std::int8_t>(12, 1));
    for (int i = 0; i < 3; ++i) CHECK(constants.front(weight, 3).elements() == 12);
    CHECK_ERROR(constants.front(weight, 3), "beyond 36 bytes", "max_constant_bytes raises the limit");
}

TEST_CASE("tflite constants: half precision becomes real, integers become real by their scale") {
    if (support::shared_missing()) return;
    const mote::FileBytes bytes = mote::map_file(support::shared_path("mlperf_tiny/kws/kws_ref_model_float32.tflite"));
    const mote::TfliteFile file = mote::read_tflite("hybrid", bytes.bytes, bytes.owner);
    const Constants constants(file, std::size_t{1} << 30);
    std::size_t integers = 0;
    for (std::size_t id = 0; id < file.subgraphs[0].tensors.size(); ++id) {
        const mote::TfliteTensor& t = file.subgraphs[0].tensors[id];
        if (std::string_view(t.type_info().name) != "INT8" || !constants.known(id)) continue;
        ++integers;
        const mote::Tensor<mote::f32> real = constants.reals(id);
        const float first = t.quantization.scale[0] * static_cast<float>(std::to_integer<std::int8_t>(t.bytes[0]));
        CHECK(std::as_const(real)[0] == first);
        CHECK_ERROR(constants.integers(id), "INT8", "INT32");
    }
    CHECK(integers == 5);
}
