// SPDX-License-Identifier: MIT
// import_onnx: images channels last without transposes between layers, known values computed, all that is missing told at once.

#include <mote/engine/evaluate.hpp>
#include <mote/io/onnx/import.hpp>
#include <mote/io/onnx/write.hpp>

#include <io/onnx/graphs.hpp>
#include <support/error_text.hpp>
#include <support/generate.hpp>

namespace onnx_import_test {

using namespace mote;
using namespace onnx_graphs;

/// Convolution, batch norm, pooling, a squeeze-excite gate, a reshape by the batch's extent, a dense layer.
OnnxModel network() {
    Random random(3);
    const auto weights = [&](std::string name, Integers dims) {
        return reals(std::move(name), dims, support::floats(static_cast<std::size_t>(*onnx_elements(dims)), random, 0.3f));
    };
    OnnxModel m{.ir_version = 8, .opsets = {{"", 13}}};
    OnnxGraph& g = m.graph;
    g.inputs = {value("image", {{-1, "batch"}, {3, ""}, {8, ""}, {6, ""}})};
    g.outputs = {value("scores", {{-1, "batch"}, {5, ""}})};
    g.initializers = {weights("w1", {4, 3, 3, 3}), weights("b1", {4}),     reals("scale", {4}, {1, 2, 0.5f, -1}),
                      weights("shift", {4}),       weights("mean", {4}),   reals("variance", {4}, {1, 0.5f, 2, 0.25f}),
                      weights("w2", {4, 4, 1, 1}), weights("w3", {5, 48}), weights("b3", {5}),
                      integers("zero", {0}),       integers("minus", {-1})};
    g.nodes = {node("Conv", {"image", "w1", "b1"}, "c", {attribute("pads", {1, 1, 1, 1})}),
               node("BatchNormalization", {"c", "scale", "shift", "mean", "variance"}, "n"),
               node("Relu", {"n"}, "r"),
               node("MaxPool", {"r"}, "p", {attribute("kernel_shape", {2, 2}), attribute("strides", {2, 2})}),
               node("GlobalAveragePool", {"p"}, "a"),
               node("Conv", {"a", "w2"}, "e"),
               node("Sigmoid", {"e"}, "gate"),
               node("Mul", {"p", "gate"}, "g"),
               node("Shape", {"g"}, "shape"),
               node("Gather", {"shape", "zero"}, "first", {attribute("axis", 0)}),
               node("Concat", {"first", "minus"}, "flat", {attribute("axis", 0)}),
               node("Reshape", {"g", "flat"}, "f"),
               node("Gemm", {"f", "w3", "b3"}, "scores", {attribute("transB", 1)})};
    return m;
}

/// The network with QuantizeLinear and DequantizeLinear around each operator: weights of signed bytes, values of unsigned ones.
/// `limit` is the largest magnitude of each value.
OnnxModel quantized_network(const std::vector<std::pair<std::string, float>>& limits) {
    OnnxModel m = network();
    OnnxGraph& g = m.graph;
    std::erase_if(g.nodes, [](const OnnxNode& n) { return n.op_type == "BatchNormalization"; });
    g.nodes[1].inputs = {"c"};
    const std::vector<OnnxNode> plain = std::move(g.nodes);
    g.nodes.clear();
    const auto quantize = [&](const std::string& name, const std::string& result) {
        for (const auto& [value, limit] : limits) {
            if (value != name) continue;
            g.initializers.push_back(reals(name + "_scale", {}, {2 * limit / 255}));
            g.initializers.push_back(bytes(name + "_zero", {}, {static_cast<std::int8_t>(128)}, OnnxElement::uint8));
            g.nodes.push_back(node("QuantizeLinear", {name, name + "_scale", name + "_zero"}, name + "_bytes"));
            g.nodes.push_back(node("DequantizeLinear", {name + "_bytes", name + "_scale", name + "_zero"}, result));
        }
    };
    quantize("image", "image_real");
    for (OnnxNode n : plain) {
        for (std::string& input : n.inputs) {
            for (const auto& [value, limit] : limits) {
                if (input == value && n.op_type != "Shape") input += "_real";
            }
            if (input != "w1" && input != "w2" && input != "w3") continue;
            g.initializers.push_back(reals(input + "_scale", {}, {0.01f}));
            g.initializers.push_back(bytes(input + "_zero", {}, {0}, OnnxElement::int8));
            g.nodes.push_back(node("QuantizeLinear", {input, input + "_scale", input + "_zero"}, input + "_bytes"));
            g.nodes.push_back(node("DequantizeLinear", {input + "_bytes", input + "_scale", input + "_zero"}, input + "_real"));
            input += "_real";
        }
        const std::string output = n.outputs[0];
        g.nodes.push_back(std::move(n));
        quantize(output, output + "_real");
    }
    for (OnnxNode& n : g.nodes) {
        if (n.op_type == "Shape") n.inputs[0] = "g";
    }
    g.outputs[0].name = "scores_real";
    return m;
}

std::size_t transposes(const AnyModel& model) {
    return count_of<Transpose>(model);
}

/// An LSTM of both directions over [time, batch, features], or with `layout` over [batch, time, features]; its sequence and its
/// last states. Without `layout` the network's own input is [batch, time, features] too.
OnnxModel recurrent_network(bool layout, std::vector<OnnxAttribute> more = {}) {
    Random random(9);
    const auto weights = [&](std::string name, Integers dims) {
        return reals(std::move(name), dims, support::floats(static_cast<std::size_t>(*onnx_elements(dims)), random, 0.4f));
    };
    OnnxModel m{.ir_version = 8, .opsets = {{"", 14}}};
    OnnxGraph& g = m.graph;
    g.inputs = {value("x", {{2, ""}, {5, ""}, {3, ""}})};
    g.outputs = {value("y", {}), value("h", {}), value("c", {})};
    g.initializers = {weights("w", {2, 16, 3}), weights("r", {2, 16, 4}), weights("b", {2, 32})};
    more.push_back(attribute("hidden_size", 4));
    more.push_back({"direction", OnnxAttributeType::text, "", std::vector<std::string>{"bidirectional"}});
    if (layout) {
        more.push_back(attribute("layout", 1));
        g.nodes = {{.name = "lstm", .op_type = "LSTM", .inputs = {"x", "w", "r", "b"}, .outputs = {"y", "h", "c"}}};
    } else {
        g.nodes = {node("Transpose", {"x"}, "t", {attribute("perm", {1, 0, 2})}),
                   {.name = "lstm", .op_type = "LSTM", .inputs = {"t", "w", "r", "b"}, .outputs = {"s", "u", "v"}},
                   node("Transpose", {"s"}, "y", {attribute("perm", {2, 0, 1, 3})}),
                   node("Transpose", {"u"}, "h", {attribute("perm", {1, 0, 2})}),
                   node("Transpose", {"v"}, "c", {attribute("perm", {1, 0, 2})})};
    }
    g.nodes[layout ? 0 : 1].attributes = std::move(more);
    return m;
}

}  // namespace onnx_import_test

TEST_CASE("onnx import: a recurrent layer takes a sequence as it lies, and both layouts answer the same") {
    using namespace onnx_import_test;
    const AnyModel turned = import_onnx(recurrent_network(false)), straight = import_onnx(recurrent_network(true));
    CHECK(transposes(turned) == 0);
    CHECK(count_of<Lstm<f32>>(turned) == 2);
    CHECK(turned.nodes()[0].outputs.size() == 3);
    Engine a(turned), b(straight);
    Random random(2);
    Tensor<f32> x({2, 5, 3}, support::floats(30, random));
    const std::vector<Tensor<f32>> first = evaluate(a, {x}), second = evaluate(b, {x});
    REQUIRE(first.size() == 3);
    CHECK(first[0].shape() == Shape{2, 5, 2, 4});
    CHECK(first[1].shape() == Shape{2, 2, 4});
    for (std::size_t i = 0; i < 3; ++i) CHECK(first[i] == second[i]);
    // Forward the last state is the last step's, reverse the first one's.
    for (std::size_t k = 0; k < 4; ++k) {
        CHECK(first[1][k] == first[0][4 * 8 + k]);
        CHECK(first[1][4 + k] == first[0][4 + k]);
    }
}

TEST_CASE("onnx import: of a recurrent layer that no layer means, each part is told") {
    using namespace onnx_import_test;
    const auto names = [](std::vector<std::string> list) {
        return OnnxAttribute{"activations", OnnxAttributeType::texts, "", std::move(list)};
    };
    const std::vector<std::string> six{"HardSigmoid", "Tanh", "Tanh", "sigmoid", "Relu", "Softsign"};
    const AnyModel model = import_onnx(recurrent_network(true, {names(six)}));
    const auto* lstm = get_if<Lstm<f32>>(model, model.nodes()[0]);
    REQUIRE(lstm != nullptr);
    CHECK(lstm->gate == RecurrentFunction::hard_sigmoid);
    CHECK(get_if<Lstm<f32>>(model, model.nodes()[1])->output == RecurrentFunction::softsign);
    CHECK_ERROR(import_onnx(recurrent_network(true, {names({"Tanh"})})), "'lstm' (LSTM)", "1 activations; 6");
    auto other = six;
    other[4] = "Elu";
    CHECK_ERROR(import_onnx(recurrent_network(true, {names(other)})), "'lstm' (LSTM)", "'elu'", "Softplus");
    const OnnxAttribute alpha{"activation_alpha", OnnxAttributeType::reals, "", std::vector<float>{0.3f}};
    CHECK_ERROR(import_onnx(recurrent_network(true, {names(six), alpha})), "activation_alpha is not 0.2");
    OnnxModel small = recurrent_network(true);
    small.graph.initializers[0].dims = {2, 8, 6};
    small.graph.initializers[2].dims = {1, 64};
    CHECK_ERROR(import_onnx(small), "'lstm' (LSTM)", "B is [1x64]");
    small.graph.initializers[1].dims = {2, 64};
    CHECK_ERROR(import_onnx(small), "'lstm' (LSTM)", "R is [2x64]");
    OnnxModel lengths = recurrent_network(true);
    lengths.graph.initializers.push_back(integers("n", {6, 1}));
    lengths.graph.nodes[0].inputs.push_back("n");
    CHECK_ERROR(import_onnx(lengths), "'lstm' (LSTM)", "sequence length is 6");
}

TEST_CASE("onnx import: a convolutional network has no transpose between its layers") {
    using namespace onnx_import_test;
    const OnnxModel file = network();
    const AnyModel first = import_onnx(file);
    CHECK(first.value(first.inputs()[0]).shape == Shape{1, 3, 8, 6});
    CHECK(first.value(first.inputs()[0]).name == "image");
    CHECK(first.value(first.outputs()[0]).name == "scores");
    CHECK(transposes(first) == 1);
    CHECK(get_if<Transpose>(first, first.nodes()[0]) != nullptr);
    const AnyModel last = import_onnx(file, {.channels_last_io = true});
    CHECK(last.value(last.inputs()[0]).shape == Shape{1, 8, 6, 3});
    CHECK(transposes(last) == 0);
    CHECK(std::ranges::any_of(last.nodes(), [](const Node& n) { return n.name == "the_c"; }));

    Random random(5);
    const Tensor<f32> image({1, 3, 8, 6}, support::floats(144, random));
    Tensor<f32> turned(Shape{1, 8, 6, 3});
    for (std::size_t c = 0; c < 3; ++c) {
        for (std::size_t i = 0; i < 48; ++i) turned[i * 3 + c] = std::as_const(image)[c * 48 + i];
    }
    Engine a(first), b(last);
    const Tensor<f32> x = evaluate(a, image), y = evaluate(b, turned);
    CHECK(x == y);
    Engine two(with_batch(first, 2));
    std::vector<float> twice(image.values().begin(), image.values().end());
    twice.insert(twice.end(), image.values().begin(), image.values().end());
    const Tensor<f32> both = evaluate(two, Tensor<f32>({2, 3, 8, 6}, twice));
    CHECK(support::relative_difference({x[0], x[1], x[2], x[3], x[4]}, {both[5], both[6], both[7], both[8], both[9]}) < 1e-5);
}

TEST_CASE("onnx import: operators between QuantizeLinear and DequantizeLinear become layers of bytes") {
    using namespace onnx_import_test;
    const std::vector<std::pair<std::string, float>> limits = {{"image", 4}, {"r", 6},    {"p", 6}, {"a", 4},
                                                               {"e", 4},     {"gate", 1}, {"g", 6}, {"scores", 12}};
    OnnxModel real = network();
    std::erase_if(real.graph.nodes, [](const OnnxNode& n) { return n.op_type == "BatchNormalization"; });
    real.graph.nodes[1].inputs = {"c"};
    const AnyModel exact = import_onnx(real), model = import_onnx(quantized_network(limits));
    CHECK(count_of<Conv2d<i8>>(model) == 2);
    CHECK(count_of<Dense<i8>>(model) == 1);
    CHECK(count_of<Conv2d<f32>>(model) + count_of<Dense<f32>>(model) == 0);
    CHECK(count_of<Transpose>(model) == 1);
    for (const Value& value : model.values()) {
        const bool ends = value.name == "image" || value.name == "scores_real";
        INFO(value.name);
        CHECK((value.element == Element::f32) == ends);
    }
    Random random(8);
    const Tensor<f32> image({1, 3, 8, 6}, support::floats(144, random));
    Engine a(exact), b(model);
    const Tensor<f32> x = evaluate(a, image), y = evaluate(b, image);
    for (std::size_t i = 0; i < 5; ++i) CHECK(std::abs(x[i] - y[i]) < 0.5f);  // a few steps of 24 / 255
}

TEST_CASE("onnx import: functions of a value, and of two that broadcast without a transpose; limits may be computed") {
    using namespace onnx_import_test;
    OnnxModel file = network();
    OnnxGraph& g = file.graph;
    g.inputs[0] = value("x", {{1, ""}, {3, ""}, {4, ""}, {5, ""}});
    g.inputs.push_back(value("low", {{3, ""}, {1, ""}, {1, ""}}));
    g.initializers = {reals("two", {}, {2}), reals("half", {}, {0.5f})};
    g.nodes = {node("Relu", {"x"}, "r"),
               node("Sqrt", {"r"}, "root"),
               node("Pow", {"x", "two"}, "square"),
               node("Sub", {"square", "low"}, "difference"),
               node("Clip", {"difference", "low"}, "clipped"),
               node("Max", {"clipped", "half", "x"}, "larger"),
               node("Mean", {"larger", "low", "root"}, "mean"),
               node("Div", {"two", "larger"}, "quotient"),
               node("Add", {"mean", "quotient"}, "y")};
    g.outputs = {value("y", {})};
    const AnyModel model = import_onnx(file, {.channels_last_io = true});
    CHECK(transposes(model) == 0);
    Random random(6);
    const Tensor<f32> x({1, 4, 5, 3}, support::floats(60, random));
    const Tensor<f32> low({3, 1, 1}, support::floats(3, random));
    Engine engine(model);
    const Tensor<f32> y = evaluate(engine, {x, low})[0];
    for (std::size_t i = 0; i < 60; ++i) {
        const float floor = low[i % 3];
        const float larger = std::max({std::max(x[i] * x[i] - floor, floor), 0.5f, x[i]});
        const float wanted = (larger + floor + std::sqrt(std::max(x[i], 0.0f))) / 3 + 2 / larger;
        CHECK(std::abs(y[i] - wanted) < 1e-5f * std::abs(wanted) + 1e-6f);
    }
}

TEST_CASE("onnx import: between bytes a function is a table") {
    using namespace onnx_import_test;
    OnnxModel file = network();
    OnnxGraph& g = file.graph;
    g.inputs[0] = value("x", {{1, ""}, {6, ""}});
    g.initializers = {reals("scale", {}, {0.05f}), bytes("zero", {}, {3}, OnnxElement::int8)};
    g.nodes = {node("QuantizeLinear", {"x", "scale", "zero"}, "x_bytes"),
               node("DequantizeLinear", {"x_bytes", "scale", "zero"}, "x_real"), node("Erf", {"x_real"}, "erf"),
               node("QuantizeLinear", {"erf", "scale", "zero"}, "y_bytes"),
               node("DequantizeLinear", {"y_bytes", "scale", "zero"}, "y")};
    g.outputs = {value("y", {})};
    const AnyModel model = import_onnx(file);
    REQUIRE(model.nodes().size() == 3);
    const Unary* layer = get_if<Unary>(model, model.nodes()[1]);
    REQUIRE(layer != nullptr);
    CHECK(layer->table == with_table(Unary{UnaryFunction::erf}, {0.05f, 3}, {0.05f, 3}).table);
}

TEST_CASE("onnx import: open axes take their extents from the options") {
    using namespace onnx_import_test;
    OnnxModel file = network();
    CHECK(import_onnx(file, {.batch = 3}).value(0).shape[0] == 3);
    CHECK(import_onnx(file, {.dimensions = {{"batch", 2}}}).value(0).shape[0] == 2);
    (*file.graph.inputs[0].type.shape)[2] = {-1, "rows"};
    CHECK_ERROR(import_onnx(file), "input 'image'", "axis 2 is open ('rows')", "dimensions");
    CHECK(import_onnx(file, {.dimensions = {{"rows", 8}}}).value(0).shape[2] == 8);
    CHECK_ERROR(import_onnx(file, {.dimensions = {{"rows", 0}}}), "node 'the_c'", "empty axis");
    file.graph.inputs[0].type.shape.reset();
    CHECK_ERROR(import_onnx(file), "input 'image'", "rank");
}

TEST_CASE("onnx import: everything that is not supported is told in one error") {
    using namespace onnx_import_test;
    OnnxModel file = network();
    file.opsets[0].version = 99;
    file.graph.nodes[2].op_type = "Unheard";
    file.graph.nodes.push_back(node("Det", {"a"}, "det"));
    file.graph.nodes.push_back(node("Softmax", {"nowhere"}, "s"));
    file.graph.nodes.push_back(node("Other", {"c"}, "o"));
    file.graph.nodes.back().domain = "org.example";
    file.graph.outputs.push_back(value("absent", {}));
    file.graph.outputs.push_back(value("shift", {}));
    CHECK_ERROR(import_onnx(file, {.name = "net.onnx"}), "'net.onnx': 6 things", "opset 99", "node 'the_r' (Unheard)",
                "node 'the_det' (Det)", "node 'the_s' (Softmax): input 0 ('nowhere') is made by no node",
                "node 'the_o' (org.example.Other)", "output 'absent'");
}

TEST_CASE("onnx import: a known value that a layer reads, or that is an output, is a layer of its own") {
    using namespace onnx_import_test;
    OnnxModel file{.ir_version = 8, .opsets = {{"", 13}}};
    OnnxGraph& g = file.graph;
    g.inputs = {value("x", {{1, ""}, {2, ""}})};
    g.outputs = {value("y", {}), value("extents", {}), value("w", {})};
    g.initializers = {reals("w", {1, 3}, {5, -6, 7})};
    g.nodes = {node("Concat", {"x", "w"}, "y", {attribute("axis", 1)}), node("Shape", {"x"}, "extents")};
    const AnyModel model = import_onnx(file);
    Engine engine(model);
    engine.input<float>()[0] = 1;
    engine.input<float>()[1] = 2;
    engine.run();
    const std::span<const float> y = engine.output<float>("y"), w = engine.output<float>("w");
    CHECK((y.size() == 5 && y[0] == 1 && y[1] == 2 && y[2] == 5 && y[3] == -6 && y[4] == 7));
    CHECK((w.size() == 3 && w[2] == 7));
    const std::span<const std::int64_t> extents = engine.output<std::int64_t>("extents");
    CHECK((extents.size() == 2 && extents[0] == 1 && extents[1] == 2));
}

TEST_CASE("onnx import: movements of dequantized bytes move bytes") {
    using namespace onnx_import_test;
    OnnxModel file{.ir_version = 8, .opsets = {{"", 13}}};
    OnnxGraph& g = file.graph;
    g.inputs = {value("x", {{1, ""}, {2, ""}, {3, ""}, {4, ""}})};
    g.outputs = {value("y", {})};
    g.initializers = {reals("scale", {}, {0.25f}),
                      integers("starts", {1}),
                      integers("ends", {9}),
                      integers("axes", {3}),
                      integers("indices", {1, 0}),
                      integers("repeats", {1, 1, 2, 1}),
                      integers("pads", {0, 0, 1, 0, 0, 0, 0, 2}),
                      integers("sizes", {1, 1})};
    g.nodes = {node("QuantizeLinear", {"x", "scale"}, "q"),
               node("DequantizeLinear", {"q", "scale"}, "d"),
               node("Slice", {"d", "starts", "ends", "axes"}, "s"),
               node("Gather", {"s", "indices"}, "t", {attribute("axis", 1)}),
               node("Tile", {"t", "repeats"}, "r"),
               node("Pad", {"r", "pads"}, "p"),
               node("Split", {"p", "sizes"}, "first", {attribute("axis", 1)}),
               node("Concat", {"second", "first"}, "c", {attribute("axis", 1)}),
               node("QuantizeLinear", {"c", "scale"}, "b"),
               node("DequantizeLinear", {"b", "scale"}, "y")};
    g.nodes[6].outputs.push_back("second");
    const AnyModel model = import_onnx(file);
    for (const Node& n : model.nodes()) {
        const Value& in = model.value(n.inputs[0]);
        INFO(n.name << " reads " << to_string(in));
        CHECK((in.element == Element::i8 || get_if<Convert>(model, n) != nullptr || get_if<Transpose>(model, n) != nullptr));
    }
    Engine engine(model);
    for (std::size_t i = 0; i < 24; ++i) engine.input<float>()[i] = 0.25f * static_cast<float>(i);
    engine.run();
    const std::span<const float> y = engine.output<float>();
    REQUIRE(model.value(model.outputs()[0]).shape == Shape{1, 2, 7, 5});
    for (std::size_t c = 0; c < 2; ++c) {
        for (std::size_t row = 0; row < 7; ++row) {
            for (std::size_t column = 0; column < 5; ++column) {
                // two exchanges of the channels; a row in front, columns behind
                const bool inside = row > 0 && column < 3;
                const auto at = static_cast<float>(c * 12 + (row - 1) % 3 * 4 + column + 1);
                CHECK(y[(c * 7 + row) * 5 + column] == (inside ? 0.25f * at : 0.0f));
            }
        }
    }
}

TEST_CASE("onnx import: parts and indices that are not in a value are refused by node") {
    using namespace onnx_import_test;
    const auto refused = [](OnnxNode n, Integers numbers, std::initializer_list<std::string_view> parts) {
        OnnxModel file{.ir_version = 8, .opsets = {{"", 18}}};
        file.graph.inputs = {value("x", {{2, ""}, {3, ""}})};
        file.graph.outputs = {value("y", {})};
        file.graph.initializers = {integers("n", numbers)};
        file.graph.nodes = {std::move(n)};
        support::check_text(__FILE__, __LINE__, support::error_text([&] { import_onnx(file); }), parts);
    };
    refused(node("Gather", {"x", "n"}, "y"), {0, 2}, {"node 'the_y' (Gather)", "axis 2"});
    refused(node("Gather", {"x", "x"}, "y"), {}, {"node 'the_y' (Gather)", "is computed"});
    refused(node("GatherElements", {"x", "n"}, "y"), {0}, {"(GatherElements)", "1 axes; 2 are expected"});
    refused(node("GatherND", {"x", "n"}, "y"), {0, 1, 2}, {"(GatherND)", "name 3 axes"});
    refused(node("GatherND", {"x", "n"}, "y"), {0, 3}, {"(GatherND)", "axis 3"});
    refused(node("Split", {"x", "n"}, "y"), {3}, {"(Split)", "longer than the 2 of axis 0"});
    refused(node("Split", {"x", "n"}, "y"), {1}, {"(Split)", "1 of the 2"});
    refused(node("Split", {"x", "n"}, "y"), {1, 1}, {"(Split)", "1 outputs and states 2 sizes"});
    refused(node("Tile", {"x", "n"}, "y"), {2}, {"(Tile)", "1 axes of 2"});
    refused(node("Tile", {"x", "n"}, "y"), {2, -1}, {"(Tile)", "-1"});
    refused(node("Pad", {"x", "n"}, "y"), {0, 0, 1 << 25, 0}, {"(Pad)", "a padding is"});
    refused(node("CenterCropPad", {"x", "n"}, "y"), {4}, {"(CenterCropPad)", "1 extents for 2 axes"});
    refused(node("Where", {"n", "x"}, "y"), {1}, {"(Where)", "two inputs"});
}

TEST_CASE("onnx import: what a node states is checked") {
    using namespace onnx_import_test;
    const auto refused = [](auto change, std::initializer_list<std::string_view> parts) {
        OnnxModel file = network();
        change(file.graph);
        support::check_text(__FILE__, __LINE__, support::error_text([&] { import_onnx(file); }), parts);
    };
    const auto conv = [](Integers values, const char* name) {
        return [=](OnnxGraph& g) { g.nodes[0].attributes.push_back(attribute(name, values)); };
    };
    refused(conv({0, 1}, "strides"), {"node 'the_c' (Conv)", "strides holds 0"});
    refused(conv({1}, "strides"), {"node 'the_c' (Conv)", "2 are expected"});
    refused(conv({1, -5}, "dilations"), {"node 'the_c' (Conv)", "dilations holds -5"});
    refused(
        [](OnnxGraph& g) {
            g.nodes[0].attributes[0] = attribute("pads", {1, 1, 1, std::int64_t{1} << 60});
        },
        {"node 'the_c' (Conv)", "pads"});
    refused([](OnnxGraph& g) { g.nodes[0].attributes.push_back(attribute("group", 0)); },
            {"node 'the_c' (Conv)", "group is 0"});
    refused([](OnnxGraph& g) { g.nodes[0].attributes.push_back(attribute("group", 2)); }, {"node 'the_c' (Conv)", "groups"});
    refused([](OnnxGraph& g) { g.nodes[0].inputs[1] = "c"; }, {"node 'the_c' (Conv)", "made by no node before it"});
    refused([](OnnxGraph& g) { g.nodes[0].inputs[1] = "image"; }, {"node 'the_c' (Conv)", "is computed; a constant"});
    refused([](OnnxGraph& g) { g.nodes[0].inputs.resize(1); }, {"node 'the_c' (Conv)", "input 1 is missing"});
    refused([](OnnxGraph& g) { g.nodes[1].outputs[0] = "c"; }, {"node 'the_n' (BatchNormalization)", "made before"});
    refused([](OnnxGraph& g) { g.nodes[9].attributes[0] = attribute("axis", 9); }, {"node 'the_first' (Gather)", "axis 9"});
    refused(
        [](OnnxGraph& g) {
            g.nodes[3].attributes.pop_back(), g.nodes[3].attributes[0] = attribute("kernel_shape", {9, 9});
        },
        {"node 'the_p' (MaxPool)"});
    refused([](OnnxGraph& g) { g.initializers[9] = integers("zero", {4}); }, {"node 'the_first' (Gather)", "axis 4"});
    refused([](OnnxGraph& g) { g.initializers[10] = integers("minus", {7}); }, {"node 'the_f' (Reshape)", "48 elements"});
    refused([](OnnxGraph& g) { g.initializers[7].dims = {48, 5}; }, {"node 'the_scores' (Gemm)", "do not broadcast"});
}

TEST_CASE("onnx import: cycles, extents that are negative or overflow, and data of another type are refused by name") {
    using namespace onnx_import_test;
    const auto refused = [](auto change, std::initializer_list<std::string_view> parts) {
        OnnxModel file = network();
        change(file.graph);
        support::check_text(__FILE__, __LINE__, support::error_text([&] { import_onnx(file); }), parts);
    };
    refused([](OnnxGraph& g) { g.nodes[0].inputs[0] = "c"; }, {"node 'the_c' (Conv)", "made by no node before it"});
    refused([](OnnxGraph& g) { g.nodes[0].inputs[0] = "p"; }, {"node 'the_c' (Conv)", "made by no node before it"});
    constexpr std::int64_t half = std::int64_t{1} << 32, most = std::numeric_limits<std::int64_t>::max();
    for (const std::int64_t extent : {std::int64_t{-5}, std::int64_t{0}, half, most}) {
        const auto change = [&](OnnxGraph& g) {
            for (std::size_t axis = 1; axis < 4; ++axis) (*g.inputs[0].type.shape)[axis] = {extent, ""};
        };
        if (extent == 0) {
            refused(change, {"node 'the_c' (Conv)", "has an empty axis"});
        } else {
            refused(change, {"input 'image'"});
        }
    }
    for (const Integers& dims : {Integers{4, -3, 3, 3}, {-4, -3, 3, 3}, {half, half, 1, 1}, {most, 3, 3, 3}, {4, 3, 3, 4}}) {
        refused([&](OnnxGraph& g) { g.initializers[0].dims = dims; }, {"'w1'"});
    }
    for (const OnnxElement element : {OnnxElement::float64, OnnxElement::float16, OnnxElement::string}) {
        refused([&](OnnxGraph& g) { g.initializers[0].element = element; }, {"'w1'"});
    }
}

TEST_CASE("onnx import: products of computed values, as they lie or transposed, with an addend, of vectors") {
    using namespace onnx_import_test;
    Random random(11);
    const auto tensor = [&](const Shape& shape) {
        Tensor<f32> result(shape);
        for (float& x : result.values()) x = random.normal();
        return result;
    };
    const auto answer = [](std::vector<OnnxNode> nodes, const std::vector<Tensor<f32>>& inputs) {
        OnnxModel m{.ir_version = 8, .opsets = {{"", 13}}};
        m.graph.nodes = std::move(nodes);
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            std::vector<OnnxDimension> dims;
            for (const std::size_t extent : inputs[i].shape()) dims.push_back({static_cast<std::int64_t>(extent), ""});
            m.graph.inputs.push_back(value(concat("x", i), dims));
        }
        m.graph.outputs = {value("y", {})};
        const AnyModel model = import_onnx(m);
        CHECK(transposes(model) == 0);
        Engine engine(model);
        return evaluate(engine, std::span<const Tensor<f32>>(inputs))[0];
    };
    const Tensor<f32> a = tensor({2, 3, 4}), b = tensor({2, 4, 5}), c = tensor({2, 5, 4}), u = tensor(Shape{4});
    const auto product = [&](const Tensor<f32>& right, bool turned) {
        Tensor<f32> result({2, 3, 5});
        for (std::size_t i = 0; i < 30; ++i) {
            double sum = 0;
            for (std::size_t k = 0; k < 4; ++k) {
                const std::size_t column = i % 5, matrix = i / 15 * 20;
                sum += static_cast<double>(a[i / 5 * 4 + k]) *
                       static_cast<double>(right[matrix + (turned ? column * 4 + k : k * 5 + column)]);
            }
            result[i] = static_cast<float>(sum);
        }
        return result;
    };
    const auto close = [](const Tensor<f32>& got, const Tensor<f32>& expected) {
        REQUIRE(got.shape() == expected.shape());
        for (std::size_t i = 0; i < got.elements(); ++i) CHECK(got[i] == Approx(expected[i]).margin(1e-5));
    };
    close(answer({node("MatMul", {"x0", "x1"}, "y")}, {a, b}), product(b, false));
    close(answer({node("Transpose", {"x1"}, "t", {attribute("perm", {0, 2, 1})}), node("MatMul", {"x0", "t"}, "y")}, {a, c}),
          product(c, true));
    const Tensor<f32> vector = answer({node("MatMul", {"x0", "x1"}, "y")}, {a, u});
    CHECK(vector.shape() == Shape{2, 3});
    CHECK(vector[4] == Approx(a[16] * u[0] + a[17] * u[1] + a[18] * u[2] + a[19] * u[3]));
    CHECK(answer({node("MatMul", {"x0", "x1"}, "y")}, {u, b}).shape() == Shape{2, 5});
    CHECK(answer({node("MatMul", {"x0", "x1"}, "y")}, {u, u}).shape() == Shape{});
    const Tensor<f32> m = tensor({3, 4}), n = tensor({5, 3}), row = tensor(Shape{5});
    const Tensor<f32> sum = answer({node("Gemm", {"x0", "x1", "x2"}, "y",
                                         {attribute("transA", 1), attribute("transB", 1),
                                          OnnxAttribute{"alpha", OnnxAttributeType::real, "", std::vector<float>{2}}})},
                                   {m, n, row});
    CHECK(sum.shape() == Shape{4, 5});
    CHECK(sum[7] == Approx(2 * (m[1] * n[6] + m[5] * n[7] + m[9] * n[8]) + row[2]).margin(1e-5));
}

TEST_CASE("onnx import: attention and its kin refuse what does not fit") {
    using namespace onnx_import_test;
    const auto refused = [](OnnxNode n, std::vector<std::vector<OnnxDimension>> inputs,
                            std::initializer_list<std::string_view> parts) {
        OnnxModel m{.ir_version = 11, .opsets = {{"", 23}}};
        for (std::size_t i = 0; i < inputs.size(); ++i) m.graph.inputs.push_back(value(concat("x", i), inputs[i]));
        m.graph.nodes = {std::move(n)};
        m.graph.outputs = {value("y", {})};
        support::check_text(__FILE__, __LINE__, support::error_text([&] { import_onnx(m); }), parts);
    };
    const std::vector<OnnxDimension> rows{{2, ""}, {3, ""}, {8, ""}}, others{{2, ""}, {3, ""}, {6, ""}};
    const auto heads = [](std::int64_t q, std::int64_t kv) {
        return std::vector<OnnxAttribute>{attribute("q_num_heads", q), attribute("kv_num_heads", kv)};
    };
    refused(node("Attention", {"x0", "x1", "x2"}, "y"), {rows, rows, rows}, {"node 'the_y' (Attention)", "0 heads of [2x3x8]"});
    refused(node("Attention", {"x0", "x1", "x2"}, "y", heads(3, 2)), {rows, rows, rows}, {"3 heads of [2x3x8]"});
    refused(node("Attention", {"x0", "x1", "x2"}, "y", heads(2, 2)), {rows, others, rows}, {"keys [2x2x3x3]", "do not fit"});
    refused(node("Einsum", {"x0"}, "y",
                 {OnnxAttribute{"equation", OnnxAttributeType::text, "", std::vector<std::string>{"ij->i"}}}),
            {rows}, {"node 'the_y' (Einsum)", "'ij' does not fit 3 axes"});
    refused(node("Einsum", {"x0"}, "y",
                 {OnnxAttribute{"equation", OnnxAttributeType::text, "", std::vector<std::string>{"iij->i"}}}),
            {rows}, {"names 'i' twice"});
    refused(node("LpNormalization", {"x0"}, "y", {attribute("p", 3)}), {rows}, {"its p is 3"});
    refused(node("LRN", {"x0"}, "y"), {rows}, {"over 0 channels"});
    refused(node("GroupNormalization", {"x0", "x1", "x1"}, "y", {attribute("num_groups", 2)}), {rows, {{3, ""}}},
            {"2 groups of [2x3x8]"});
}

TEST_CASE("onnx import: constants grow within the limit only") {
    using namespace onnx_import_test;
    OnnxModel file = network();
    file.graph.initializers.push_back(integers("huge", {1 << 20, 1 << 20}));
    file.graph.initializers.push_back(integers("large", {1, 3, 1 << 14, 1 << 10}));
    file.graph.nodes.push_back(node("ConstantOfShape", {"huge"}, "fill"));
    CHECK(import_onnx(file).nodes().size() > 5);  // nobody asks for its elements
    file.graph.nodes.push_back(node("Add", {"fill", "fill"}, "sum"));
    CHECK_ERROR(import_onnx(file), "node 'the_sum' (Add)", "max_constant_bytes");
    file.graph.nodes.resize(14);
    file.graph.nodes.push_back(node("ConstantOfShape", {"large"}, "some"));
    file.graph.nodes.push_back(node("Conv", {"image", "some"}, "y"));
    CHECK_ERROR(import_onnx(file, {.max_constant_bytes = 1 << 20}), "node 'the_y' (Conv)", "max_constant_bytes");
}

TEST_CASE("onnx import: damaged models give an error or a model", "[damaged]") {
    using namespace onnx_import_test;
    const std::string bytes = write_onnx(network());
    Random random(11);
    std::size_t models = 0;
    for (int round = 0; round < 2000; ++round) {
        std::string damaged = bytes;
        for (int i = 0; i < 1 + round % 3; ++i) damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
        static_cast<void>(support::error_text([&] {
            import_onnx(read_onnx("damaged", onnx_test::bytes_of(damaged)), {.max_constant_bytes = 1 << 24});
            ++models;
        }));
    }
    CHECK(models > 100);
}

TEST_CASE(
    "onnx import: the operators stand in the order of the alphabet, each once, and one that is not among them is refused") {
    using namespace onnx_import_test;
    const std::vector<std::string_view> names = onnx_operators();
    CHECK(std::ranges::is_sorted(names));
    CHECK(std::ranges::adjacent_find(names) == names.end());
    CHECK(std::ranges::count(names, "Conv") == 1);
    CHECK(std::ranges::count(names, "Loop") == 0);
    OnnxModel file = network();
    file.graph.nodes.push_back(node("Loop", {"image"}, "looped"));
    CHECK_ERROR(import_onnx(file), "(Loop)", "no such operator is supported");
}

TEST_CASE("onnx import: an axis goes, by a reduction, of an array without elements too") {
    using namespace onnx_import_test;
    for (const auto& [before, after] :
         {std::pair(Shape{3, 0, 2}, Shape{3, 0}), {Shape{0, 2, 2}, Shape{0, 2}}, {Shape{3, 2, 0}, Shape{3, 2}}}) {
        for (const char* op : {"ReduceL1", "ArgMax"}) {
            OnnxModel m{.ir_version = 7, .opsets = {{"", 12}}};
            const bool reduce = std::string_view(op) == "ReduceL1";
            m.graph.nodes.push_back(node(op, {"x"}, "y",
                                         {reduce ? attribute("axes", Integers{2}) : attribute("axis", std::int64_t{2}),
                                          attribute("keepdims", std::int64_t{0})}));
            std::vector<OnnxDimension> dims;
            for (const std::size_t extent : before) dims.push_back({static_cast<std::int64_t>(extent), ""});
            m.graph.inputs.push_back(value("x", dims));
            m.graph.outputs.push_back(value("y", {}));
            if (reduce) {
                const AnyModel model = import_onnx(m);
                CHECK(model.value(model.outputs()[0]).shape == after);
            } else {
                support::check_text(__FILE__, __LINE__, support::error_text([&] { import_onnx(m); }), {"empty axis"});
            }
        }
    }
}
