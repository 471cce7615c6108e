// SPDX-License-Identifier: MIT
// infer of Lstm, Gru, Rnn and Svdf.

#include <mote/layers/table.hpp>
#include <mote/model/infer/recurrent.hpp>

#include <model/make.hpp>
#include <support/catch.hpp>
#include <support/error_text.hpp>

namespace infer_recurrent_test {

using namespace mote;
using namespace model_make;

Lstm<f32> lstm() {
    return {.weight = Tensor<f32>({16, 3}), .recurrent = Tensor<f32>({16, 4})};
}
Gru<f32> gru() {
    return {.weight = Tensor<f32>({12, 3}), .recurrent = Tensor<f32>({12, 4})};
}
Rnn<f32> rnn() {
    return {.weight = Tensor<f32>({4, 3}), .recurrent = Tensor<f32>({4, 4})};
}
Lstm<i8> lstm_i8() {
    Lstm<i8> layer{.weight = Tensor<i8>({16, 3}), .recurrent = Tensor<i8>({16, 4}), .table = lstm_table()};
    layer.weight.set_quantization(QuantizationParams{0.01f, 0});
    layer.recurrent.set_quantization(QuantizationParams{0.02f, 0});
    return layer;
}
Svdf<i8> svdf_i8() {
    Svdf<i8> layer{.feature = Tensor<i8>({4, 3}), .time = Tensor<i16>({4, 5}), .rank = 2};
    layer.feature.set_quantization(QuantizationParams{0.01f, 0});
    layer.time.set_quantization(QuantizationParams{0.02f, 0});
    return layer;
}

template <class L>
void check_common(L layer, std::size_t states) {
    INFO(L::kind);
    CHECK(shape_of(layer, {{2, 5, 3}}) == Shape{2, 5, 4});
    CHECK(shape_of(layer, {{2, 5, 3}, {2, 4}}) == Shape{2, 5, 4});
    layer.time_major = true;
    CHECK(shape_of(layer, {{5, 2, 3}, {2, 4}}) == Shape{5, 2, 4});
    CHECK_ERROR(one(layer, {{5, 2, 3}, {5, 4}}), "'node'", L::kind, "initial state", "[2x4]");
    CHECK_ERROR(one(layer, {{5, 2}}), "'node'", "[time, batch, features]");
    layer.time_major = false;
    CHECK_ERROR(one(layer, {{5, 2, 3, 1}}), "'node'", "[batch, time, features]");
    CHECK_ERROR(one(layer, {{5, 2, 4}}), "'node'", "does not fit", "4 hidden units");
    CHECK_ERROR(one(layer, {{5, 0, 3}}), "empty axis");
    CHECK_ERROR(one(layer, {{5, 2, 3}}, Element::i32), "f32 expected");
    CHECK_ERROR(one(layer, {}), "inputs expected");
    L bad = layer;
    bad.recurrent = Tensor<f32>({5, 4});
    CHECK_ERROR(one(bad, {{5, 2, 3}}), "recurrent weight is [5x4]");
    bad = layer;
    bad.bias = Tensor<f32>(Shape{3});
    CHECK_ERROR(one(bad, {{5, 2, 3}}), "bias is [3]");
    bad = layer;
    bad.initial_hidden = Tensor<f32>({3, 4});
    CHECK_ERROR(one(bad, {{5, 2, 3}}), "initial state is [3x4]");
    bad.initial_hidden = Tensor<f32>({1, 4});
    CHECK(shape_of(bad, {{5, 2, 3}}) == Shape{5, 2, 4});
    CHECK_ERROR(one(bad, {{5, 2, 3}, {5, 4}}), "one of them");
    bad.stateful = true;
    CHECK_ERROR(one(bad, {{5, 2, 3}}), "one of them");
    bad = layer;
    bad.candidate = static_cast<RecurrentFunction>(99);
    CHECK_ERROR(one(bad, {{5, 2, 3}}), "activation");
    bad = layer;
    bad.clip = -1.0f;
    CHECK_ERROR(one(bad, {{5, 2, 3}}), "clip");
    bad = layer;
    bad.lengths = {2, 1};
    CHECK_ERROR(one(bad, {{5, 2, 3}}), "2 lengths for a batch of 5");
    bad.lengths = {2, 1, 0, 3, 1};
    CHECK_ERROR(one(bad, {{5, 2, 3}}), "a length is 3");
    bad.lengths[3] = 2;
    bad.stateful = true;
    const auto model = one(bad, {{5, 2, 3}});
    REQUIRE(model.states(0).size() == states);
    CHECK(model.states(0)[0].name == "hidden");
    CHECK(model.states(0)[0].shape == Shape{5, 4});

    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {2, 5, 3});
    const auto outputs = b.add_outputs(layer, 1 + states, {x});
    CHECK(b.shape(outputs[0]) == Shape{2, 5, 4});
    CHECK(b.shape(outputs.back()) == Shape{2, 4});
    CHECK_ERROR(b.add_outputs(layer, 2 + states, {x}), "outputs");
}

}  // namespace infer_recurrent_test

TEST_CASE("infer recurrent layers: shapes, states, outputs, and refusals by name") {
    using namespace infer_recurrent_test;
    check_common(lstm(), 2);
    check_common(gru(), 1);
    check_common(rnn(), 1);
    Lstm<f32> bad = lstm();
    bad.peephole = Tensor<f32>({4, 4});
    CHECK_ERROR(one(bad, {{5, 2, 3}}), "peephole is [4x4]", "[3x4]");
    Gru<f32> worse = gru();
    worse.recurrent_bias = Tensor<f32>(Shape{12});
    CHECK_ERROR(one(worse, {{5, 2, 3}}), "recurrent bias is [12]");
}

TEST_CASE("infer recurrent layers: of bytes, scales and tables are checked") {
    using namespace infer_recurrent_test;
    const auto model = one(lstm_i8(), {{2, 5, 3}}, Element::i8, tenth, QuantizationParams{0.01f, 3});
    CHECK(model.value(model.outputs()[0]).shape == Shape{2, 5, 4});
    CHECK(model.value(model.outputs()[0]).quantization == Quantization(QuantizationParams{0.01f, 3}));
    const auto refused = [](Lstm<i8> layer, const char* text) {
        CHECK_ERROR(one(std::move(layer), {{2, 5, 3}}, Element::i8, tenth, tenth), "'node' (Lstm)", text);
    };
    CHECK_ERROR(one(lstm_i8(), {{2, 5, 3}}), "i8 expected");
    CHECK_ERROR(one(lstm_i8(), {{2, 5, 3}}, Element::i8, tenth), "the output has no quantization");
    Lstm<i8> bad = lstm_i8();
    bad.table = {};
    refused(bad, "lstm_table");
    bad = lstm_i8();
    bad.cell_bits = 16;
    refused(bad, "16 fractional bits");
    bad = lstm_i8();
    bad.bias = Tensor<i32>(Shape{15});
    refused(bad, "bias is [15]");
    bad.bias = Tensor<i32>(Shape{16});
    bad.bias[3] = std::numeric_limits<std::int32_t>::min();
    refused(bad, "2^29");
    bad = lstm_i8();
    bad.recurrent.set_quantization(QuantizationParams{0.02f, 1});
    refused(bad, "symmetric");
    bad.recurrent.set_quantization(QuantizationParams{0.0f, 0});
    refused(bad, "not usable");
    bad.recurrent.set_quantization({});
    refused(bad, "0 scales");
}

TEST_CASE("infer svdf: units are filters by rank; its memory outlives a run") {
    using namespace infer_recurrent_test;
    const Svdf<f32> layer{
        .feature = Tensor<f32>({6, 3}), .time = Tensor<f32>({6, 5}), .bias = Tensor<f32>(Shape{2}), .rank = 3};
    const auto model = one(layer, {{2, 3}});
    CHECK(model.value(model.outputs()[0]).shape == Shape{2, 2});
    REQUIRE(model.states(0).size() == 1);
    CHECK(model.states(0)[0].shape == Shape{2, 6, 5});
    CHECK(model.cost().macs == 2 * (18 + 30));
    Svdf<f32> bad = layer;
    bad.rank = 4;
    CHECK_ERROR(one(bad, {{2, 3}}), "'node' (Svdf)", "rank 4");
    bad.rank = 0;
    CHECK_ERROR(one(bad, {{2, 3}}), "rank 0");
    bad = layer;
    bad.bias = Tensor<f32>(Shape{6});
    CHECK_ERROR(one(bad, {{2, 3}}), "bias is [6]");
    CHECK_ERROR(one(layer, {{2, 4}}), "do not fit");
    CHECK_ERROR(one(layer, {{1, 2, 3}}), "[batch, in]");
    const auto bytes = one(svdf_i8(), {{2, 3}}, Element::i8, tenth, tenth);
    CHECK(bytes.states(0)[0].element == Element::i16);
    Svdf<i8> odd = svdf_i8();
    odd.state_lo = 3;
    odd.state_hi = 2;
    CHECK_ERROR(one(odd, {{2, 3}}, Element::i8, tenth, tenth), "its state lies in [3, 2]");
    odd = svdf_i8();
    odd.time.set_quantization({});
    CHECK_ERROR(one(odd, {{2, 3}}, Element::i8, tenth, tenth), "one usable scale each");
}
