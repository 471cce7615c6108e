// SPDX-License-Identifier: MIT
// export_onnx: what import_onnx makes of an exported model answers as the model does; images are transposed at the ends alone.

#include <mote/engine/engine.hpp>
#include <mote/io/onnx/export.hpp>
#include <mote/io/onnx/import.hpp>

#include <engine/random_model.hpp>
#include <io/onnx/files.hpp>
#include <io/onnx/zoo_networks.hpp>
#include <support/error_text.hpp>
#include <support/generate.hpp>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace onnx_export_test {

using namespace mote;

std::size_t count_of(const OnnxModel& file, std::string_view op) {
    return static_cast<std::size_t>(std::ranges::count(file.graph.nodes, op, &OnnxNode::op_type));
}
const OnnxNode& only(const OnnxModel& file, std::string_view op) {
    REQUIRE(count_of(file, op) == 1);
    return *std::ranges::find(file.graph.nodes, op, &OnnxNode::op_type);
}

/// What comes back from the bytes of the exported file.
template <class List>
AnyModel there_and_back(const BasicModel<List>& model, const OnnxExportOptions& options = {}) {
    const std::string bytes = write_onnx(export_onnx(model, options));
    OnnxImportOptions back;
    back.channels_last_io = options.channels_first_io;
    return import_onnx(read_onnx("exported", onnx_test::bytes_of(bytes)), back);
}

template <class List>
std::size_t transposes(const BasicModel<List>& model) {
    const auto is = [&](const Node& node) { return get_if<Transpose>(model, node) != nullptr; };
    return static_cast<std::size_t>(std::ranges::count_if(model.nodes(), is));
}

/// The first difference in names, shapes or answers of two models for the same inputs; empty where there is none. Real
/// numbers may differ by 1e-5 of the largest, bytes not at all.
template <class List>
std::string first_difference(const BasicModel<List>& model, const AnyModel& other, std::uint64_t seed) {
    Engine a(model), b(other);
    if (a.inputs() != b.inputs() || a.outputs() != b.outputs()) return "another number of inputs or outputs";
    for (std::size_t i = 0; i < a.inputs(); ++i) {
        if (a.input_value(i) != b.input_value(i)) return "input " + to_string(b.input_value(i));
    }
    random_model::fill_inputs(a, seed);
    random_model::fill_inputs(b, seed);
    a.run();
    b.run();
    for (std::size_t i = 0; i < a.outputs(); ++i) {
        const Value &x = a.output_value(i), &y = b.output_value(i);
        if (x.name != y.name || x.shape != y.shape || x.element != y.element) return "output " + to_string(y);
        if (x.element == Element::i8) {
            if (!std::ranges::equal(a.output<std::int8_t>(i), b.output<std::int8_t>(i))) return "bytes of " + to_string(y);
        } else {
            const std::span<const float> p = a.output<float>(i), q = b.output<float>(i);
            if (support::relative_difference({p.begin(), p.end()}, {q.begin(), q.end()}) > 1e-5)
                return "numbers of " + to_string(y);
        }
    }
    return {};
}

std::size_t reals(const std::vector<Value>& values) {
    return static_cast<std::size_t>(std::ranges::count(values, Element::f32, &Value::element));
}

/// The model with the tables of its functions.
Model<i8, wide> with_own_tables(const Model<i8, wide>& model) {
    using List = Model<i8, wide>::layers;
    Graph<List> graph = model.graph();
    for (Node& node : graph.nodes) {
        if (node.inputs.empty()) continue;
        const Quantization &in = graph.values[node.inputs[0]].quantization, &out = graph.values[node.outputs[0]].quantization;
        if (!in.present() || !out.present()) continue;
        visit<List>(node, [&](const auto& layer) {
            using L = std::remove_cvref_t<decltype(layer)>;
            if constexpr (std::is_same_v<L, Softmax>) {
                node = with_layer<List>(node, Softmax{softmax_table(in.params().scale)});
            } else if constexpr (requires { activation_value(layer, 0.0); }) {
                node = with_layer<List>(node, with_table(layer, in.params(), out.params()));
            }
        });
    }
    return Model<i8, wide>(std::move(graph));
}

/// Whether a function has no operator of its own in some opset.
bool has_formula(const Model<i8, wide>& model) {
    using F = UnaryFunction;
    return std::ranges::any_of(model.nodes(), [&](const Node& node) {
        const auto* layer = get_if<Unary>(model, node);
        return layer != nullptr && (layer->function == F::gelu || layer->function == F::gelu_tanh ||
                                    layer->function == F::linear || layer->function == F::mish);
    });
}

}  // namespace onnx_export_test

TEST_CASE("onnx export: random models come back with the same answers") {
    using namespace onnx_export_test;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        const Model<f32, wide> model = random_model::make<f32>(seed, 12);
        for (const bool channels_first_io : {false, true}) {
            INFO("seed " << seed << ", channels first " << channels_first_io);
            const OnnxExportOptions options{.opset = 13 + static_cast<std::int64_t>(seed % 9),
                                            .channels_first_io = channels_first_io};
            CHECK(first_difference(model, there_and_back(model, options), seed) == "");
        }
    }
}

TEST_CASE("onnx export: functions are operators, or made of such, in every opset") {
    using namespace onnx_export_test;
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {1, 5, 4, 3}), gate = b.input("gate", {4, 1});
    const auto inside = b.add(Unary{UnaryFunction::linear, 0.2f, 0.05f}, x);
    const auto above = b.add(Unary{UnaryFunction::linear, 0.7f, 4.1f}, x);
    for (std::size_t i = 0; i < unary_functions; ++i) {
        using F = UnaryFunction;
        const auto f = static_cast<F>(i);
        const bool unit = f == F::acos || f == F::asin || f == F::atanh;
        const bool positive = f == F::acosh || f == F::log || f == F::rsqrt || f == F::sqrt || f == F::reciprocal;
        const Unary layer{f, f == F::clip ? -1.3f : 1.3f, 1.9f};
        b.output(concat("unary ", i), b.add(layer, unit ? inside : positive ? above : x));
    }
    b.output("half open", b.add(Unary{UnaryFunction::clip, -std::numeric_limits<float>::infinity(), 0.5f}, x));
    for (std::size_t i = 0; i < binary_functions; ++i) {
        const Binary layer{static_cast<BinaryFunction>(i)};
        b.output(concat("binary ", i), b.add(layer, {above, gate}));
        b.output(concat("alike ", i), b.add(layer, {above, inside}));
        if (layer.function != BinaryFunction::prelu) b.output(concat("swapped ", i), b.add(layer, {inside, above}));
    }
    b.output("turned", b.add(Binary{BinaryFunction::sub}, {gate, x}));
    const Model<f32, wide> model = b.build();
    for (const std::int64_t opset : {13, 17, 18, 20, 21}) {
        for (const bool channels_first_io : {false, true}) {
            INFO("opset " << opset << ", channels first " << channels_first_io);
            const OnnxExportOptions options{.opset = opset, .channels_first_io = channels_first_io};
            CHECK(first_difference(model, there_and_back(model, options), 3) == "");
        }
    }
    CHECK(count_of(export_onnx(model, {.opset = 17}), "Gelu") == 0);
    CHECK(count_of(export_onnx(model, {.opset = 20}), "Gelu") == 2);
    ModelBuilder<f32, wide> wide;
    wide.output("y", wide.add(Binary{BinaryFunction::prelu}, {wide.input("x", {1, 3}), wide.input("slope", {2, 3})},
                              {.name = "slopes"}));
    CHECK_ERROR(export_onnx(wide.build()), "'slopes' (Binary)", "PRelu");
}

TEST_CASE("onnx export: reductions by every function, products of computed matrices and places of largest come back") {
    using namespace onnx_export_test;
    for (const std::int64_t opset : {13, 18}) {
        for (unsigned i = 0; i < 4 * static_cast<unsigned>(reduction_count); ++i) {
            CAPTURE(opset, i);
            Reduce layer{.function = static_cast<Reduction>(i / 4), .keep_dims = i % 2 == 0};
            if (i % 4 == 1) layer.axes = {1, 3};
            if (i % 4 >= 2) layer.axes = {2};
            ModelBuilder<f32, wide> b;
            const auto x = b.input("x", {2, 3, 4, 5});
            const auto above = b.add(Sigmoid{}, x);
            b.output("y", b.add(layer, above));
            b.output("z", b.add(MatMul{i % 2 == 0, i % 2 != 0}, {above, x}));
            const Model<f32, wide> model = b.build();
            CHECK(first_difference(model, there_and_back(model, {.opset = opset}), i) == "");
        }
    }
    for (std::size_t axis = 0; axis < 4; ++axis) {
        ModelBuilder<f32, wide> b;
        b.output("y", b.add(ArgMax{axis, axis % 2 == 0, axis < 2, axis != 1}, b.input("x", {2, 3, 4, 5})));
        const Model<f32, wide> model = b.build();
        const OnnxModel file = export_onnx(model);
        CHECK(file.graph.outputs[0].type.element == OnnxElement::int64);
        Engine here(model), back(import_onnx(file));
        random_model::fill_inputs(here, axis);
        random_model::fill_inputs(back, axis);
        here.run();
        back.run();
        CHECK(std::ranges::equal(here.output<std::int64_t>(), back.output<std::int64_t>()));
    }
}

TEST_CASE("onnx export: pixels that a transposed convolution adds are less than its stride in the file") {
    using namespace onnx_export_test;
    for (const std::size_t more : {1u, 2u, 3u, 5u}) {
        for (const std::size_t cut : {0u, 1u}) {
            for (const std::size_t stride : {1u, 2u, 3u}) {
                CAPTURE(more, cut, stride);
                ModelBuilder<f32, wide> b;
                random_model::Dice dice{more};
                TransposeConv2d<f32> layer{.weight = random_model::weights<f32>(dice, {2, 3, 2, 4}),
                                           .bias = random_model::bias<f32>(dice, 2)};
                layer.stride = {stride, 1};
                layer.padding = {.bottom = cut, .right = cut};
                layer.output_padding = {more, 1};
                b.output("y", b.add(layer, b.input("x", {2, 3, 4, 4})));
                const Model<f32, wide> model = b.build();
                const OnnxModel file = export_onnx(model);
                const auto added = only(file, "ConvTranspose").attribute("output_padding")->values<std::int64_t>();
                CHECK(added[0] == static_cast<std::int64_t>((more - std::min(more, cut)) % stride));
                CHECK(added[1] == 0);
                CHECK(first_difference(model, there_and_back(model), stride) == "");
            }
        }
    }
}

TEST_CASE("onnx export: random models of bytes come back with the same bytes") {
    using namespace onnx_export_test;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        const Model<i8, wide> model = with_own_tables(random_model::make<i8>(seed, 12));
        for (const bool channels_first_io : {false, true}) {
            INFO("seed " << seed << ", channels first " << channels_first_io);
            const OnnxExportOptions options{.opset = 14 + static_cast<std::int64_t>(seed % 8),
                                            .channels_first_io = channels_first_io};
            const AnyModel back = there_and_back(model, options);
            CHECK(first_difference(model, back, seed) == "");
            // What is made of several operators, or mixes bytes with reals, may come back between conversions.
            if (reals(model.values()) == 0 && !has_formula(model)) CHECK(reals(back.values()) == 0);
        }
    }
}

TEST_CASE("onnx export: networks of the zoo come back with the same answers, their images transposed at the input alone") {
    using namespace onnx_export_test;
    for (const onnx_test::ZooNetwork& network : onnx_test::zoo_networks<false>) {
        INFO(network.name);
        const Model<f32, wide> model = onnx_test::drawn(network.make());
        CHECK(count_of(export_onnx(model, {.channels_first_io = true}), "Transpose") == network.transposes);
        std::size_t images = 0;
        for (const auto& ends : {model.inputs(), model.outputs()}) {
            for (const ValueId id : ends) images += model.value(id).shape.rank() >= 3 && model.value(id).shape.back() > 1;
        }
        CHECK(count_of(export_onnx(model), "Transpose") == network.transposes + images);
        if (model.cost().macs > 20'000'000) continue;
        const AnyModel back = there_and_back(model, {.channels_first_io = true});
        CHECK(transposes(back) == transposes(model));
        CHECK(first_difference(model, back, 3) == "");
    }
}

TEST_CASE(
    "onnx export: weights are the layers' own bytes where their order is the same, and shared by nodes that share a layer") {
    using namespace onnx_export_test;
    ModelBuilder<f32, wide> b;
    random_model::Dice dice{4};
    const Tensor<f32> weight = random_model::reals(dice, 24, -1, 1);
    const auto x = b.input("x", {1, 2, 2, 3});
    const auto point = b.add(Conv2d<f32>{.weight = weight.reshaped({8, 1, 1, 3})}, x, {.name = "point"});
    b.output("y", b.add(Dense<f32>{.weight = weight.reshaped({3, 8})}, point, {.name = "dense"}));
    Graph<Model<f32, wide>::layers> graph = b.build().graph();
    graph.values.push_back({"again", {}, Element::f32, {}});
    graph.nodes.push_back({"second", graph.nodes[0].layer, graph.nodes[0].kind, {0}, {3}});
    graph.outputs.push_back(3);
    OnnxModel file;
    const void *conv = nullptr, *dense = nullptr;
    {
        const Model<f32, wide> model(graph);
        file = export_onnx(model);
        conv = get_if<Conv2d<f32>>(model, model.nodes()[0])->weight.data();
        dense = get_if<Dense<f32>>(model, model.nodes()[1])->weight.data();
    }
    graph = {};  // the file keeps what it borrows
    std::size_t weights = 0;
    for (const OnnxTensor& t : file.graph.initializers) {
        if (t.data.bytes.size() != 96) continue;
        ++weights;
        CHECK((t.data.bytes.data() == conv || t.data.bytes.data() == dense));
    }
    CHECK(weights == 2);
    CHECK(count_of(file, "Conv") == 2);
    CHECK(write_onnx(file).size() > 192);
}

TEST_CASE("onnx export: operators, opset and names are as stated") {
    using namespace onnx_export_test;
    ModelBuilder<f32, wide> b;
    const auto x = b.input("image", {2, 5, 4, 3});
    const auto c = b.add(DepthwiseConv2d<f32>{.weight = Tensor<f32>({6, 3, 2, 1}), .padding = {1, 2, 0, 1}, .multiplier = 2}, x,
                         {.name = "depth"});
    const auto s = b.add(HardSwish{}, c, {.name = "swish"});
    const auto r = b.add(Resize2d{.size = {3, 7}, .interpolation = Interpolation::nearest}, s, {.name = "resize"});
    const auto f = b.add(Flatten{}, r, {.name = "flatten"});
    b.output("scores", b.add(Dense<f32>{Tensor<f32>(Shape{4, 126}), Tensor<f32>(Shape{4})}, f, {.name = "dense"}));
    const Model<f32, wide> model = b.build();
    const OnnxModel file = export_onnx(model, {.name = "net"});
    CHECK(file.opset() == 17);
    CHECK(file.ir_version == 8);
    CHECK(file.graph.name == "net");
    const OnnxNode &conv = only(file, "Conv"), &gemm = only(file, "Gemm");
    CHECK(conv.name == "depth");
    CHECK(conv.attribute("group")->values<std::int64_t>()[0] == 3);
    CHECK(std::ranges::equal(conv.attribute("pads")->values<std::int64_t>(), std::vector<std::int64_t>{1, 0, 2, 1}));
    CHECK(gemm.outputs == std::vector<std::string>{"scores"});
    CHECK(gemm.inputs.size() == 3);
    CHECK(only(file, "HardSwish").outputs == std::vector<std::string>{"swish"});
    CHECK(only(file, "Resize").attribute("nearest_mode")->values<std::string>()[0] == "round_prefer_ceil");
    CHECK(file.graph.inputs[0].name == "image");
    CHECK((*file.graph.inputs[0].type.shape)[3].extent == 3);
    const OnnxModel turned = export_onnx(model, {.channels_first_io = true});
    CHECK((*turned.graph.inputs[0].type.shape)[1].extent == 3);
    const OnnxModel old = export_onnx(model, {.opset = 13});
    CHECK(old.ir_version == 7);
    CHECK(count_of(old, "HardSwish") == 0);
    CHECK(only(old, "Mul").name == "swish");
    CHECK_ERROR(export_onnx(model, {.name = "net", .opset = 12}), "'net'", "opset 12", "13 to 21");
    CHECK_ERROR(export_onnx(model, {.opset = 22}), "opset 22", "13 to 21");
}

namespace onnx_export_test {

/// A layer that an application brings, with an operator of ONNX or without one.
template <bool known>
struct Own {
    static constexpr const char* kind = known ? "Celu" : "Unheard";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields();
};
template <bool known>
void infer(const Own<known>&, InferContext& node) {
    node.output(node.input(0).shape, node.input(0).element);
}
template <bool known>
std::uint64_t cost(const Own<known>&, const CostContext&) {
    return 0;
}
inline void to_onnx(const Own<true>&, OnnxExportContext& node) {
    const OnnxForm x = node.real(node.form(0));
    node.finish(node.emit("Celu", {x.tensor}), x.layout, x.dims);
}

}  // namespace onnx_export_test

TEST_CASE("onnx export: an application's layer says what it is, and all that have no operator are told in one error") {
    using namespace onnx_export_test;
    BasicBuilder<append<standard_layers<f32, wide>, Own<true>, Own<false>>> b;
    const auto x = b.input("x", {1, 4});
    const auto y = b.add(Own<true>{}, x, {.name = "own"});
    b.output("y", y);
    CHECK(only(export_onnx(b.build()), "Celu").name == "own");
    const auto z = b.add(Own<false>{}, y, {.name = "first"});
    b.output("z", b.add(Own<false>{}, b.add(Relu{}, z), {.name = "second"}));
    CHECK_ERROR(export_onnx(b.build(), {.name = "net"}), "'net': 2 things", "node 'first' (Unheard)", "node 'second' (Unheard)",
                "no ONNX operator");
}

TEST_CASE("save_onnx: the file is what export_onnx states; what is too large is refused before it is written") {
    using namespace onnx_export_test;
    const Model<f32, wide> model = onnx_test::drawn(zoo::autoencoder());
    const auto path = (std::filesystem::temp_directory_path() / "mote_export_test.onnx").string();
    save_onnx(model, path, {.name = "autoencoder"});
    CHECK(read_onnx(path) == export_onnx(model, {.name = "autoencoder"}));
    CHECK(first_difference(model, load_onnx(path), 1) == "");
    std::filesystem::remove(path);
    CHECK_ERROR(save_onnx(model, "no/such/folder/net.onnx"), "cannot write 'no/such/folder/net.onnx'");
#if defined(__linux__)
    const std::size_t bytes = std::size_t{4} * 600'000 * 1'000;
    void* memory = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return;
    const std::shared_ptr<const void> owner(memory, [=](const void* p) { ::munmap(const_cast<void*>(p), bytes); });
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {1, 1'000});
    b.output("y",
             b.add(Dense<f32>{.weight = Tensor<f32>::borrow({600'000, 1'000}, static_cast<const float*>(memory), owner)}, x));
    CHECK_ERROR(save_onnx(b.build(), path), "mote_export_test.onnx", "2400000000 bytes", "2147483647");
    CHECK_FALSE(std::filesystem::exists(path));
#endif
}

TEST_CASE(
    "onnx export: bytes stand between QuantizeLinear and DequantizeLinear, weights with a scale a channel, biases exact") {
    using namespace onnx_export_test;
    ModelBuilder<i8, wide> b;
    const auto x = b.input("x", {1, 3, 3, 1}, Element::i8, QuantizationParams{0.5f, 3});
    Tensor<i8> weight({2, 1, 1, 1}, {127, -127});
    weight.set_quantization(Quantization({0.25f, 0.125f}, 0));
    const std::int32_t large = (1 << 30) + 1;  // no float holds it
    const auto y = b.add(Conv2d<i8>{.weight = weight, .bias = Tensor<i32>(Shape{2}, {large, -large})}, x,
                         {.name = "conv", .quantization = QuantizationParams{1e6f, -128}});
    const auto z = b.add(Relu{}, y, {.name = "relu"});
    b.output("y",
             b.add(Relu{}, b.add(Convert{Element::i8}, z, {.name = "wider", .quantization = QuantizationParams{2e6f, 0}})));
    const Model<i8, wide> model = b.build();
    const OnnxModel file = export_onnx(model, {.channels_first_io = true});
    CHECK(count_of(file, "Transpose") == 0);
    CHECK(count_of(file, "Relu") == 1);  // the first clamps what no byte at zero point -128 holds
    CHECK(count_of(file, "QuantizeLinear") == 3);
    CHECK(count_of(file, "DequantizeLinear") == 5);
    std::size_t axes = 0;
    for (const OnnxNode& n : file.graph.nodes) axes += n.op_type == "DequantizeLinear" && n.attribute("axis") != nullptr;
    CHECK(axes == 2);
    CHECK(file.graph.inputs[0].type.element == OnnxElement::int8);
    CHECK(file.graph.outputs[0].type.element == OnnxElement::int8);
    const AnyModel back = there_and_back(model, {.channels_first_io = true});
    CHECK(first_difference(model, back, 5) == "");
    const auto* conv = get_if<Conv2d<i8>>(back, back.nodes()[0]);
    REQUIRE(conv != nullptr);
    CHECK(conv->bias[0] == large);
    CHECK(conv->bias[1] == -large);
    CHECK(conv->weight == weight);
}

TEST_CASE("onnx export: tables of bytes that no function makes are refused, and so are biases in steps that no float holds") {
    using namespace onnx_export_test;
    ModelBuilder<i8, wide> b;
    const auto x = b.input("x", {1, 4}, Element::i8, QuantizationParams{1e-20f, 0});
    Softmax other{softmax_table(1e-20f)};
    other.table[255] -= 1;
    b.output("s", b.add(other, x, {.name = "shares"}));
    Sigmoid gate = with_table(Sigmoid{}, {1e-20f, 0}, {0.01f, 0});
    gate.table[3] += 1;
    b.output("g", b.add(gate, x, {.name = "gate", .quantization = QuantizationParams{0.01f, 0}}));
    Tensor<i8> weight(Shape{2, 4});
    weight.set_quantization(Quantization({1e-20f, 1e-20f}, 0));
    b.output("d", b.add(Dense<i8>{weight, Tensor<i32>(Shape{2})}, x,
                        {.name = "dense", .quantization = QuantizationParams{1e-30f, 0}}));
    CHECK_ERROR(export_onnx(b.build(), {.name = "net"}), "'net': 3 things", "node 'shares' (Softmax): its table",
                "node 'gate' (Sigmoid): its table", "node 'dense' (Dense): its bias counts in steps of");
}

TEST_CASE("onnx export: values of elements that a file's floats and bytes do not hold are refused by name") {
    using namespace onnx_export_test;
    ModelBuilder<f32, wide> b;
    const auto x = b.input("whole", {1, 4}, Element::i32);
    b.output("y", b.add(Binary{BinaryFunction::max}, {x, x}));
    CHECK_ERROR(export_onnx(b.build()), "'whole' [1x4] i32", "f32, i8 and i64 are supported");
    ModelBuilder<f32, wide> sums;
    const auto n = sums.input("n", {1, 4}, Element::i64);
    sums.output("y", sums.add(Reduce{Reduction::sum, {1}}, n, {.name = "sum"}));
    CHECK_ERROR(export_onnx(sums.build()), "'sum' (Reduce)", "plain numbers");
}
