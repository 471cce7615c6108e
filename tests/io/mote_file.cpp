// SPDX-License-Identifier: MIT
// The .mote file: what is written comes back equal and borrowed, and no damage passes unseen.

#include <mote/io/mote_file.hpp>
#include <mote/model/builder.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>

#include <cstdint>

namespace mote_file_test {

using namespace mote;

/// Every form of a field, two branches, and values whose quantization no layer knows.
Model<f32, i8, wide> mixed() {
    ModelBuilder<f32, i8, wide> b;
    const auto image = b.input("image", {1, 4, 4, 2});
    Tensor<f32> weight({4, 3, 3, 2});
    for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = 0.25f * static_cast<float>(i % 7) - 0.5f;
    auto x = b.add(Conv2d<f32>{.weight = weight, .bias = Tensor<f32>({4}, {1, 2, 3, 4}), .padding = {1, 1, 1, 1}}, image);
    const auto y = b.add(LeakyRelu{.slope = 0.2f}, x);
    x = b.add(Add{}, {x, y}, {.name = "sum"});
    x = b.add(Transpose{{0, 2, 1, 3}}, b.add(Pad{{0, 1, 0, 0}, {0, 0, 1, 0}, 0.5f}, x));
    x = b.add(Convert{Element::i8}, x, {.quantization = QuantizationParams{0.125f, -3}});
    Tensor<i8> narrow({2, 1, 1, 4}, {1, -2, 3, -4, 5, -6, 7, -8});
    narrow.set_quantization(Quantization({0.5f, 0.25f}, 0));
    x = b.add(Conv2d<i8>{.weight = narrow}, x, {.quantization = QuantizationParams{0.5f, 4}});
    b.output("out", b.add(Flatten{}, x));
    b.output("middle", y);
    return b.build();
}

/// The model in these bytes, by way of a file.
template <class List = AnyModel::layers>
BasicModel<List> load_bytes(std::string_view bytes) {
    write_file("bytes.mote", bytes);
    return load_mote<List>("bytes.mote");
}

struct Scaled {
    Tensor<f32> factor{};
    double power = 1;
    static constexpr const char* kind = "Scaled";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields =
        list_fields(Field{"factor", &Scaled::factor, Role::weight, 0}, Field{"power", &Scaled::power});
};
void infer(const Scaled&, InferContext& node) {
    node.output(node.input(0).shape, node.input(0).element);
}

}  // namespace mote_file_test

TEST_CASE("mote file: a model comes back equal, its weights borrowed at aligned addresses") {
    const auto model = mote_file_test::mixed();
    mote::save(model, "mixed.mote");
    const mote::AnyModel back = mote::load_mote("mixed.mote");
    std::remove("mixed.mote");
    CHECK(back == model);
    const auto* conv = mote::get_if<mote::Conv2d<mote::f32>>(back, back.nodes()[0]);
    REQUIRE(conv != nullptr);
    CHECK(reinterpret_cast<std::uintptr_t>(conv->weight.data()) % 64 == 0);
    mote::Tensor<mote::f32> weight = conv->weight;
    CHECK_ERROR(weight.values(), "borrowed");
    CHECK(mote::mote_bytes(back) == mote::mote_bytes(model));
}

TEST_CASE("mote file: recurrent layers come back, of reals and of bytes, with all their outputs") {
    using namespace mote;
    ModelBuilder<f32, i8, wide> b;
    const auto x = b.input("x", {2, 3, 4});
    Lstm<f32> lstm{.weight = Tensor<f32>({8, 4}), .recurrent = Tensor<f32>({8, 2}), .output = RecurrentFunction::softsign};
    lstm.lengths = {3, 1};
    lstm.coupled = lstm.reverse = true;
    lstm.cell_clip = 2.5f;
    const auto y = b.add_outputs(lstm, 3, {x});
    Lstm<i8> bytes{
        .weight = Tensor<i8>({8, 4}), .recurrent = Tensor<i8>({8, 2}), .table = Tensor<i16>({2, 1025}), .cell_bits = 9};
    bytes.weight.set_quantization(Quantization(std::vector<float>(8, 0.5f), 0));
    bytes.recurrent.set_quantization(QuantizationParams{0.25f, 0});
    bytes.stateful = true;
    const auto q = b.add(Convert{Element::i8}, x, {.quantization = QuantizationParams{0.1f, 1}});
    b.output("sequence", y[0]);
    b.output("cell", y[2]);
    b.output("bytes", b.add(bytes, q, {.quantization = QuantizationParams{0.01f, -1}}));
    const auto model = b.build();
    CHECK(mote_file_test::load_bytes(mote_bytes(model)) == model);
    std::remove("bytes.mote");
}

TEST_CASE("mote file: functions come back, and one that is unknown is refused") {
    using namespace mote_file_test;
    ModelBuilder<f32, i8, wide> b;
    const auto x = b.input("x", {2, 3});
    const auto y = b.add(Unary{UnaryFunction::clip, -1.5f, 2.5f}, x);
    b.output("y", b.add(Binary{BinaryFunction::squared_difference}, {x, y}, {.name = "difference"}));
    const AnyModel model = b.build();
    const std::string bytes = mote_bytes(model);
    CHECK(load_bytes(bytes) == model);
    Graph<AnyModel::layers> graph = model.graph();
    graph.nodes[1].layer = make_erased(Binary{static_cast<BinaryFunction>(binary_functions)});
    CHECK_ERROR(AnyModel(graph), "'difference' (Binary)", "function is unknown");
    std::remove("bytes.mote");
}

TEST_CASE("mote file: little stands beside the weights") {
    const auto model = mote_file_test::mixed();
    std::size_t weights = 0;
    for (const mote::Node& node : model.nodes()) {
        mote::visit(model, node, [&](const auto& layer) {
            mote::for_each_parameter(layer, [&](const auto&, const auto& tensor) { weights += tensor.bytes(); });
        });
    }
    CHECK(mote::mote_bytes(model).size() <= weights + 1024 + 64 * model.nodes().size());
}

TEST_CASE("mote file: a change of any byte and any cut is an error", "[damaged]") {
    const auto model = mote_file_test::mixed();
    const std::string bytes = mote::mote_bytes(model);
    std::size_t errors = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        std::string changed = bytes;
        changed[i] = static_cast<char>(changed[i] ^ static_cast<char>(1 + i % 255));
        if (!support::error_text([&] { mote_file_test::load_bytes(changed); }).empty()) ++errors;
    }
    CHECK(errors == bytes.size());
    errors = 0;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        if (!support::error_text([&] { mote_file_test::load_bytes(std::string_view(bytes).substr(0, size)); }).empty())
            ++errors;
    }
    CHECK(errors == bytes.size());
}

TEST_CASE("mote file: a table that lies is refused, whatever it says", "[damaged]") {
    // The checksum is made right again, so that the reader itself must hold.
    const std::string bytes = mote::mote_bytes(mote_file_test::mixed());
    std::uint64_t table = 0;
    std::memcpy(&table, bytes.data() + 16, 8);
    std::size_t errors = 0;
    for (std::size_t i = 8; i < 24 + table; ++i) {
        for (const int value : {0, 1, 127, 128, 255}) {
            std::string changed = bytes;
            changed[i] = static_cast<char>(value);
            const std::uint64_t sum =
                mote::detail::mote_file::checksum(reinterpret_cast<const std::byte*>(changed.data()), changed.size() - 8);
            std::memcpy(changed.data() + changed.size() - 8, &sum, 8);
            if (!support::error_text([&] { mote_file_test::load_bytes(changed); }).empty()) ++errors;
        }
    }
    CHECK(errors > table);  // most changes are errors; a changed name or number may be another model, but none crashes
}

TEST_CASE("mote file: errors say what is wrong") {
    const std::string bytes = mote::mote_bytes(mote_file_test::mixed());
    CHECK_ERROR(mote_file_test::load_bytes("something else, long enough to be a file of mote"), "bytes.mote", "no .mote file");
    std::string newer = bytes;
    newer[4] = 9;
    CHECK_ERROR(mote_file_test::load_bytes(newer), "version 9");
    std::string damaged = bytes;
    damaged[bytes.size() / 2] ^= 4;
    CHECK_ERROR(mote_file_test::load_bytes(damaged), "checksum");
    CHECK_ERROR((mote_file_test::load_bytes<mote::standard_layers<mote::f32, mote::wide>>(bytes)), "Conv2d in i8");
    std::remove("bytes.mote");
}

TEST_CASE("mote file: an application's layer is read where the list holds it") {
    using List = mote::append<mote::standard_layers<mote::f32, mote::wide>, mote_file_test::Scaled>;
    mote::BasicBuilder<List> b;
    const auto x = b.input("x", {1, 3});
    b.output("y", b.add(mote_file_test::Scaled{mote::Tensor<mote::f32>({3}, {1, 2, 3}), 2}, x));
    const auto model = b.build();
    CHECK(mote_file_test::load_bytes<List>(mote::mote_bytes(model)) == model);
    CHECK_ERROR(mote_file_test::load_bytes(mote::mote_bytes(model)), "Scaled");
    std::remove("bytes.mote");
}

TEST_CASE("mote file: version 1 stays readable") {
    const mote::AnyModel model = mote::load_mote(MOTE_TEST_FILES "/version1.mote");
    CHECK(model == mote_file_test::mixed());
}
