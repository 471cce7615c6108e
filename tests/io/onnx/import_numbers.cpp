// SPDX-License-Identifier: MIT
// Import of ONNX operators on numbers of any element, against answers worked out by hand from the operators' definitions.

#include <mote/engine/evaluate.hpp>
#include <mote/io/onnx/conformance.hpp>

#include <io/onnx/graphs.hpp>
#include <support/error_text.hpp>

namespace import_numbers_test {

using namespace onnx_graphs;
using E = OnnxElement;
constexpr double infinity = std::numeric_limits<double>::infinity(), not_a_number = std::numeric_limits<double>::quiet_NaN();

OnnxTensor numbers(std::string name, E element, const Integers& dims, const std::vector<double>& values) {
    namespace import = mote::detail::onnx_import;
    import::Budget budget(1 << 20);
    return {.name = std::move(name),
            .dims = dims,
            .element = element,
            .data = import::Constant::of(element, {}, values, budget).data};
}

struct Case {
    std::vector<OnnxNode> nodes{};
    std::vector<OnnxTensor> inputs{}, expected{};
    std::vector<OnnxTensor> constants{};
    std::int64_t opset = 21;

    OnnxModel model() const {
        OnnxModel result{.ir_version = 10, .opsets = {{"", opset}}};
        result.graph.nodes = nodes;
        result.graph.initializers = constants;
        const auto stated = [](const OnnxTensor& tensor) {
            OnnxValue value{tensor.name, {.kind = OnnxType::Kind::tensor, .element = tensor.element, .shape = {}}};
            value.type.shape.emplace();
            for (const std::int64_t extent : tensor.dims) value.type.shape->push_back({extent, ""});
            return value;
        };
        for (const OnnxTensor& tensor : inputs) result.graph.inputs.push_back(stated(tensor));
        for (const OnnxTensor& tensor : expected) result.graph.outputs.push_back(stated(tensor));
        return result;
    }
};

/// The case is imported and answers what is expected. Returns its model.
AnyModel check(const Case& c) {
    const auto run = [](const AnyModel& model, const std::vector<Constant>& values) {
        Engine engine(model);
        return evaluate(engine, std::span<const Constant>(values));
    };
    const ConformanceResult result = check_conformance(c.model(), c.inputs, c.expected, run);
    INFO(c.nodes.back().op_type << ": " << result.reason);
    CHECK(result.outcome == Conformance::passed);
    return import_onnx(c.model());
}
/// One node of inputs of one shape.
void check(const std::string& op, E element, const std::vector<std::vector<double>>& inputs, const std::vector<double>& output,
           E made = E::undefined, std::vector<OnnxAttribute> attributes = {}) {
    Case c;
    std::vector<std::string> names;
    const auto dims = [](const std::vector<double>& x) { return Integers{static_cast<std::int64_t>(x.size())}; };
    for (const std::vector<double>& x : inputs) {
        names.push_back(concat("x", names.size()));
        c.inputs.push_back(numbers(names.back(), element, dims(x), x));
    }
    c.nodes = {node(op, names, "y", std::move(attributes))};
    c.expected = {numbers("y", made == E::undefined ? element : made, dims(output), output)};
    check(c);
}
OnnxAttribute text(std::string name, std::string value) {
    return {std::move(name), OnnxAttributeType::text, "", std::vector<std::string>{std::move(value)}};
}

}  // namespace import_numbers_test

TEST_CASE("onnx import: integers are computed with in their own element, floats of 64 bits in theirs") {
    using namespace import_numbers_test;
    check("Add", E::uint8, {{250, 1}, {10, 2}}, {4, 3});
    check("Div", E::int32, {{-7, 7}, {2, -2}}, {-3, -3});
    check("Mul", E::uint64, {{1e19, 3}, {1, 4}}, {1e19, 12});
    check("Sub", E::uint16, {{1}, {2}}, {65535});
    check("Max", E::int16, {{1, -5}, {2, -6}, {0, 9}}, {2, 9});
    check("Min", E::uint32, {{4e9, 5}, {3e9, 6}}, {3e9, 5});
    check("Sum", E::float64, {{1e300, 1}, {1e300, 2}}, {2e300, 3});
    check("Mod", E::int8, {{-7, 7, 7}, {3, -3, 3}}, {2, -2, 1});
    check("Mod", E::int64, {{-7, 7}, {3, -3}}, {-1, 1}, E::undefined, {attribute("fmod", 1)});
    check("Neg", E::int8, {{-128, 5}}, {-128, -5});
    check("Abs", E::int64, {{-9, 5}}, {9, 5});
    check("Sign", E::uint8, {{0, 200}}, {0, 1});
    check("Sign", E::int32, {{-4, 0, 2}}, {-1, 0, 1});
    check("Relu", E::int32, {{-4, 3}}, {0, 3});
    check("ReduceMax", E::boolean, {{0, 1, 0}}, {1});
    check("ReduceSum", E::int64, {{1, 2, 40}}, {43});
    check("ArgMax", E::int8, {{1, 9, 3}}, {1}, E::int64);
    check("Identity", E::float16, {{1.5, -2}}, {1.5, -2});
    check({.nodes = {node("CumSum", {"x", "axis"}, "y", {attribute("exclusive", 1)})},
           .inputs = {numbers("x", E::int32, {2, 3}, {1, 2, 3, 1 << 30, 1 << 30, 1})},
           .expected = {numbers("y", E::int32, {2, 3}, {0, 1, 3, 0, 1 << 30, -2147483648.0})},
           .constants = {numbers("axis", E::int64, {}, {1})}});
    Case mixed{.nodes = {node("Pow", {"x", "e"}, "y")},
               .inputs = {numbers("x", E::int32, {3}, {1, 2, 3}), numbers("e", E::float32, {3}, {4, 5, 0.5})},
               .expected = {numbers("y", E::int32, {3}, {1, 32, 1})}};
    check(mixed);
}

TEST_CASE("onnx import: inputs and outputs have the file's elements") {
    using namespace import_numbers_test;
    for (const auto& [element, held] : {std::pair(E::float64, Element::f64),
                                        {E::float16, Element::f16},
                                        {E::bfloat16, Element::bf16},
                                        {E::float32, Element::f32}}) {
        Case c{.nodes = {node("Sigmoid", {"x"}, "y")},
               .inputs = {numbers("x", element, {2}, {0, 0})},
               .expected = {numbers("y", element, {2}, {0.5, 0.5})}};
        const AnyModel model = check(c);
        CHECK(model.value(model.inputs()[0]).element == held);
        CHECK(model.value(model.outputs()[0]).element == held);
    }
    check("Cast", E::float32, {{1.9, -1.9, 300}}, {1, -1, 300}, E::int16, {attribute("to", 5)});
    check("Cast", E::float32, {{0, -0.5}}, {0, 1}, E::boolean, {attribute("to", 9)});
    check("Cast", E::float32, {{1.00390625, 1.01171875}}, {1.0, 1.015625}, E::bfloat16, {attribute("to", 16)});  // ties
    check("Cast", E::int64, {{7, -1}}, {7, -1}, E::float64, {attribute("to", 11)});
    Case old{.nodes = {node("Cast", {"x"}, "y", {attribute("to", 16)})},
             .inputs = {numbers("x", E::float32, {1}, {1})},
             .expected = {numbers("y", E::bfloat16, {1}, {1})},
             .opset = 13};
    CHECK_ERROR(import_onnx(old.model()), "the_y", "bfloat16", "opset 13");
}

TEST_CASE("onnx import: comparisons, logic, bits and choices of computed values") {
    using namespace import_numbers_test;
    check("Less", E::float32, {{1, 2, not_a_number}, {2, 2, 2}}, {1, 0, 0}, E::boolean);
    check("GreaterOrEqual", E::uint64, {{1e19, 2}, {2, 3}}, {1, 0}, E::boolean);
    check("Equal", E::boolean, {{1, 0}, {1, 1}}, {1, 0}, E::boolean);
    check("Xor", E::boolean, {{1, 0, 1}, {1, 1, 0}}, {0, 1, 1});
    check("Not", E::boolean, {{1, 0}}, {0, 1});
    check("BitwiseNot", E::uint8, {{0xf0}}, {0x0f});
    check("BitwiseAnd", E::int32, {{12, -1}, {10, 5}}, {8, 5});
    check("BitShift", E::uint8, {{0xff, 1}, {4, 1}}, {0xf0, 2}, E::undefined, {text("direction", "LEFT")});
    check("BitShift", E::uint16, {{256}, {4}}, {16}, E::undefined, {text("direction", "RIGHT")});
    check("IsNaN", E::float32, {{not_a_number, 1, infinity}}, {1, 0, 0}, E::boolean);
    check("IsInf", E::float32, {{-infinity, 1, infinity}}, {1, 0, 1}, E::boolean);
    check("IsInf", E::float32, {{-infinity, not_a_number, infinity}}, {0, 0, 1}, E::boolean, {attribute("detect_negative", 0)});
    check({.nodes = {node("Greater", {"x", "zero"}, "c"), node("Where", {"c", "x", "z"}, "y")},
           .inputs = {numbers("x", E::float32, {2, 2}, {1, -2, -3, 4}), numbers("z", E::float32, {2}, {7, 8})},
           .expected = {numbers("y", E::float32, {2, 2}, {1, 8, 7, 4})},
           .constants = {numbers("zero", E::float32, {}, {0})}});
    check({.nodes = {node("OneHot", {"x", "depth", "values"}, "y", {attribute("axis", 0)})},
           .inputs = {numbers("x", E::int32, {3}, {0, -1, 5})},
           .expected = {numbers("y", E::float32, {2, 3}, {3, 2, 2, 2, 3, 2})},
           .constants = {numbers("depth", E::int64, {}, {2}), numbers("values", E::float32, {2}, {2, 3})}});
    OnnxNode top = node("TopK", {"x", "k"}, "y", {attribute("axis", 0), attribute("largest", 0)});
    top.outputs.push_back("i");
    check({.nodes = {top},
           .inputs = {numbers("x", E::int64, {3, 2}, {3, 1, 2, 5, 2, 0})},
           .expected = {numbers("y", E::int64, {2, 2}, {2, 0, 2, 1}), numbers("i", E::int64, {2, 2}, {1, 2, 2, 0})},
           .constants = {numbers("k", E::int64, {1}, {2})}});
}

TEST_CASE("onnx import: scales an axis, a block, or of a run; elements of 2 to 16 bits") {
    using namespace import_numbers_test;
    const OnnxTensor x = numbers("x", E::float32, {2, 2}, {1, 40, -9, 0.25});
    check({.nodes = {node("QuantizeLinear", {"x", "s", "z"}, "y")},
           .inputs = {x},
           .expected = {numbers("y", E::uint8, {2, 2}, {12, 255, 0, 3})},
           .constants = {numbers("s", E::float32, {2}, {0.5, 0.1}), numbers("z", E::uint8, {2}, {10, 1})}});
    check({.nodes = {node("QuantizeLinear", {"x", "s"}, "y", {attribute("axis", 0), attribute("output_dtype", 5)})},
           .inputs = {x},
           .expected = {numbers("y", E::int16, {2, 2}, {1000, 32767, -9, 0})},
           .constants = {numbers("s", E::float32, {2}, {0.001, 1})}});
    check({.nodes = {node("Identity", {"given"}, "s"), node("DequantizeLinear", {"q", "s", "z"}, "y", {attribute("axis", 0)})},
           .inputs = {numbers("q", E::int32, {2}, {70000, -3}), numbers("given", E::float32, {2}, {0.5, 2})},
           .expected = {numbers("y", E::float32, {2}, {35000, -6})},
           .constants = {numbers("z", E::int32, {2}, {0, 0})}});
    const std::vector<OnnxAttribute> blocks{attribute("axis", 1), attribute("block_size", 2)};
    const OnnxTensor scales = numbers("s", E::float32, {1, 2}, {1, 10});
    check({.nodes = {node("DequantizeLinear", {"q", "s"}, "y", blocks)},
           .inputs = {numbers("q", E::int8, {1, 3}, {1, 2, 3})},
           .expected = {numbers("y", E::float32, {1, 3}, {1, 2, 30})},
           .constants = {scales}});
    OnnxTensor packed{.name = "q", .dims = {1, 3}, .element = E::int4};  // 1, -2, 3
    packed.data = onnx_test::bytes_of("\xe1\x03");
    check({.nodes = {node("DequantizeLinear", {"q", "s"}, "w", blocks), node("Mul", {"x", "w"}, "y")},
           .inputs = {numbers("x", E::float32, {1, 3}, {1, 1, 2})},
           .expected = {numbers("y", E::float32, {1, 3}, {1, -2, 60})},
           .constants = {packed, scales}});
    Case wrong{.nodes = {node("DequantizeLinear", {"q", "s"}, "y", blocks)},
               .inputs = {numbers("q", E::int8, {1, 5}, {1, 2, 3, 4, 5})},
               .expected = {numbers("y", E::float32, {1, 5}, {1, 2, 3, 4, 5})},
               .constants = {scales}};
    CHECK_ERROR(import_onnx(wrong.model()), "the_y", "blocks of 2 of [1x5]");
    OnnxNode dynamic = node("DynamicQuantizeLinear", {"x"}, "y");
    dynamic.outputs = {"y", "s", "z"};
    check({.nodes = {dynamic},
           .inputs = {numbers("x", E::float32, {3}, {-1, 0, 4.1})},
           .expected = {numbers("y", E::uint8, {3}, {0, 50, 255}), numbers("s", E::float32, {}, {0.02}),
                        numbers("z", E::uint8, {}, {50})}});
}

TEST_CASE("onnx import: products of integers less their zero points, a row's and a column's too") {
    using namespace import_numbers_test;
    check({.nodes = {node("MatMulInteger", {"a", "b", "az", "bz"}, "y")},
           .inputs = {numbers("a", E::uint8, {2, 2}, {255, 1, 3, 4}), numbers("b", E::int8, {2, 2}, {-128, 1, 2, 3})},
           .expected = {numbers("y", E::int32, {2, 2}, {-32766, -254, -127, 1})},
           .constants = {numbers("az", E::uint8, {2}, {1, 2}), numbers("bz", E::int8, {2}, {1, 2})}});
    check({.nodes = {node("ConvInteger", {"x", "w", "xz", "wz"}, "y",
                          {attribute("group", 2), attribute("pads", Integers{0, 1, 0, 0})})},
           .inputs = {numbers("x", E::uint8, {1, 2, 1, 2}, {5, 7, 200, 100})},
           .expected = {numbers("y", E::int32, {1, 2, 1, 2}, {-6, -7, 594, -1290})},
           .constants = {numbers("w", E::uint8, {2, 1, 1, 2}, {3, 0, 1, 12}), numbers("xz", E::uint8, {}, {2}),
                         numbers("wz", E::uint8, {2}, {2, 9})}});
    check({.nodes = {node("Gemm", {"a", "b", "c"}, "y", {attribute("transB", 1)})},
           .inputs = {numbers("a", E::int32, {1, 2}, {2, 3}), numbers("b", E::int32, {2, 2}, {1, 2, 3, 4})},
           .expected = {numbers("y", E::int32, {1, 2}, {9, 20})},
           .constants = {numbers("c", E::int32, {2}, {1, 2})}});
    check(
        {.nodes = {node("MatMul", {"a", "b"}, "y")},
         .inputs = {numbers("a", E::float32, {2, 1, 1, 2}, {1, 2, 3, 4}), numbers("b", E::float32, {1, 2, 2, 1}, {1, 2, 3, 4})},
         .expected = {numbers("y", E::float32, {2, 2, 1, 1}, {5, 11, 11, 25})}});
}

TEST_CASE("onnx import: empty values are moved, split and reduced") {
    using namespace import_numbers_test;
    check({.nodes = {node("ReduceMax", {"x", "axes"}, "y", {attribute("keepdims", 0)})},
           .inputs = {numbers("x", E::float32, {2, 0, 2}, {})},
           .expected = {numbers("y", E::float32, {2, 2}, std::vector<double>(4, -infinity))},
           .constants = {numbers("axes", E::int64, {1}, {1})}});
    check({.nodes = {node("Reshape", {"x", "shape"}, "y", {attribute("allowzero", 1)})},
           .inputs = {numbers("x", E::float32, {0, 3, 4}, {})},
           .expected = {numbers("y", E::float32, {3, 4, 0}, {})},
           .constants = {numbers("shape", E::int64, {3}, {3, 4, 0})}});
    OnnxNode dropout = node("Dropout", {"x"}, "y");
    dropout.outputs.push_back("mask");
    check({.nodes = {dropout},
           .inputs = {numbers("x", E::float32, {2}, {3, 4})},
           .expected = {numbers("y", E::float32, {2}, {3, 4}), numbers("mask", E::boolean, {2}, {1, 1})}});
}
