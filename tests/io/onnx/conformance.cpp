// SPDX-License-Identifier: MIT
// The ONNX project's test cases: none answers wrongly, and at least so many are supported.

#include <mote/engine/evaluate.hpp>
#include <mote/io/onnx/conformance.hpp>
#include <mote/io/onnx/write.hpp>
#include <mote/tensor/file.hpp>

#include <io/onnx/files.hpp>
#include <support/error_text.hpp>

namespace onnx_conformance_test {

using namespace mote;

std::vector<Constant> answers(const AnyModel& model, const std::vector<Constant>& inputs) {
    Engine engine(model);
    return evaluate(engine, inputs);
}

/// A folder of cases, and how many of them pass; more are supported with every layer that mote gets.
struct Folder {
    const char* name;
    std::size_t passed;
};
constexpr Folder folders[] = {
    {"onnx_node", 435},
    {"onnx_node_new", 402},
    {"onnx_simple", 6},
    {"onnx_pytorch_converted", 66},
    {"onnx_pytorch_operator", 28},
};

std::size_t transposes(const AnyModel& model) {
    return static_cast<std::size_t>(
        std::ranges::count_if(model.nodes(), [&](const Node& n) { return get_if<Transpose>(model, n) != nullptr; }));
}

/// The network answers what is expected; with channels last at both ends this many transposes are left in it.
void check_light(const std::string& name, std::size_t left) {
    const std::string path = support::shared_path(concat("onnx_light/light_", name, ".onnx"));
    const ConformanceResult result = check_conformance_case(path, answers);
    INFO(name << ": " << result.reason);
    CHECK(result.outcome == Conformance::passed);
    OnnxImportOptions options;
    options.channels_last_io = true;
    CHECK(transposes(load_onnx(path, options)) == left);
}

}  // namespace onnx_conformance_test

TEST_CASE("onnx conformance: no case of the shared folders answers wrongly") {
    using namespace onnx_conformance_test;
    if (support::shared_missing()) return;
    for (const Folder& folder : folders) {
        const ConformanceReport report = check_conformance_folder(support::shared_path(folder.name), answers);
        std::string text =
            concat(folder.name, ": ", report.count(Conformance::passed), " passed, ", report.count(Conformance::failed),
                   " failed, ", report.count(Conformance::unsupported), " unsupported");
        for (const auto& [reason, count] : report.reasons()) {
            if (count > 4) text += concat("\n  ", count, " x ", reason);
        }
        WARN(text);
        for (const ConformanceResult& c : report.cases) {
            if (c.outcome == Conformance::failed) FAIL_CHECK(c.name << ": " << c.reason);
        }
        CHECK(report.count(Conformance::passed) >= folder.passed);
    }
}

TEST_CASE("onnx conformance: networks of real shapes answer what is expected, with no transposes of images left") {
    using namespace onnx_conformance_test;
    if (support::shared_missing()) return;
    check_light("squeezenet", 0);
    check_light("shufflenet", 16);  // its shuffles
}

TEST_CASE("onnx conformance: so do large networks", "[.slow]") {
    using namespace onnx_conformance_test;
    if (support::shared_missing()) return;
    for (const char* name : {"bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50", "vgg19", "zfnet512"})
        check_light(name, 0);
}

TEST_CASE("onnx conformance: cases are folders with a model, and networks beside their outputs, whose input is a ramp") {
    using namespace onnx_conformance_test;
    namespace fs = std::filesystem;
    const fs::path folder = fs::temp_directory_path() / "mote_conformance_cases";
    fs::remove_all(folder);
    fs::create_directories(folder / "b_case");
    fs::create_directories(folder / "no_case");
    OnnxModel model{.ir_version = 8, .opsets = {{"", 13}}};
    model.graph.nodes = {{.op_type = "Relu", .inputs = {"x"}, .outputs = {"y"}}};
    OnnxType type{.kind = OnnxType::Kind::tensor, .element = OnnxElement::float32};
    type.shape = std::vector<OnnxDimension>{{1, ""}, {4, ""}};
    model.graph.inputs = {{"x", type}};
    model.graph.outputs = {{"y", {}}};
    write_file((folder / "b_case" / "model.onnx").string(), write_onnx(model));
    write_file((folder / "net.onnx").string(), write_onnx(model));
    write_file((folder / "alone.onnx").string(), write_onnx(model));
    write_file((folder / "net_output_0.pb").string(),
               "\x08\x01\x08\x04\x10\x01\x4a\x10" + std::string("\0\0\0\0\0\0\x80\x3e\0\0\0\x3f\0\0\x40\x3f", 16));
    const std::vector<std::string> cases = conformance_cases(folder.string());
    CHECK(cases == std::vector<std::string>{(folder / "b_case").string(), (folder / "net.onnx").string()});
    CHECK(conformance_cases(cases[1]) == std::vector<std::string>{cases[1]});
    CHECK(conformance_cases((folder / "alone.onnx").string()).empty());
    CHECK_ERROR(conformance_cases((folder / "absent").string()), "absent", "no such file or folder");
    const ConformanceReport report = check_conformance_folder(folder.string(), answers);
    REQUIRE(report.cases.size() == 2);
    CHECK(report.cases[0].reason == "it has no data");
    CHECK(report.cases[1].name == "net");
    CHECK(report.cases[1].outcome == Conformance::passed);  // 0, 1/4, 1/2, 3/4
    model.graph.inputs[0].type.shape->at(1).extent = -1;
    write_file((folder / "net.onnx").string(), write_onnx(model));
    CHECK(check_conformance_case(cases[1], answers).reason.find("extents from 1") != std::string::npos);
    fs::remove_all(folder);
}

TEST_CASE("onnx conformance: a wrong answer fails, a shape that differs too, and NaN equals NaN") {
    using namespace onnx_conformance_test;
    OnnxModel model{.ir_version = 8, .opsets = {{"", 13}}};
    model.graph.nodes = {{.op_type = "Relu", .inputs = {"x"}, .outputs = {"y"}}};
    model.graph.inputs = {{"x", {.kind = OnnxType::Kind::tensor, .element = OnnxElement::float32}}};
    model.graph.outputs = {{"y", {}}};
    const auto tensor = [](std::vector<float> values) {
        OnnxTensor result{.dims = {1, static_cast<std::int64_t>(values.size())}, .element = OnnxElement::float32};
        result.data = onnx_test::bytes_of({reinterpret_cast<const char*>(values.data()), 4 * values.size()});
        return result;
    };
    const auto outcome = [&](const OnnxTensor& expected, std::vector<float> given) {
        return check_conformance(model, {tensor({1, 2, 3})}, {expected},
                                 [&](const AnyModel&, const std::vector<Constant>&) {
                                     return std::vector<Constant>{constant_of(Tensor<f32>(Shape{1, given.size()}, given))};
                                 })
            .outcome;
    };
    const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
    CHECK(outcome(tensor({1, 2, 3}), {1, 2, 3.002f}) == Conformance::passed);
    CHECK(outcome(tensor({1, 2, 3}), {1, 2, 3.004f}) == Conformance::failed);
    CHECK(outcome(tensor({1, 2, 3}), {1, 2}) == Conformance::failed);
    CHECK(outcome(tensor({nan, inf, -inf}), {nan, inf, -inf}) == Conformance::passed);
    CHECK(outcome(tensor({nan, inf, -inf}), {nan, inf, inf}) == Conformance::failed);
    CHECK(outcome(tensor({1, 2, 3}), {1, nan, 3}) == Conformance::failed);
    CHECK(outcome(tensor({1, nan, 3}), {1, 2, 3}) == Conformance::failed);
    model.graph.nodes[0].op_type = "Unheard";
    const ConformanceResult result = check_conformance(model, {tensor({1})}, {tensor({1})}, answers);
    CHECK(result.outcome == Conformance::unsupported);
    CHECK(result.reason == "Unheard: no such operator is supported");
}
