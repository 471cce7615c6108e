// SPDX-License-Identifier: MIT
#pragma once
// ONNX test cases as the ONNX project publishes them: a folder with model.onnx and test_data_set_*/input_*.pb and output_*.pb,
// or a network without its weights, NAME.onnx beside NAME_output_*.pb, whose input is a ramp.

#include <mote/io/onnx/import.hpp>
#include <cmath>
#include <filesystem>
#include <map>
#include <tuple>

MOTE_BEGIN_NAMESPACE

enum class Conformance : std::uint8_t { passed, failed, unsupported };

/// What became of a case; `reason` says why it did not pass.
struct ConformanceResult {
    std::string name{};
    Conformance outcome = Conformance::passed;
    std::string reason{};
    bool computes = false;  ///< whether its model has a layer that computes: not all of it was known when it was imported
};

/// The cases of a folder.
struct ConformanceReport {
    std::vector<ConformanceResult> cases{};

    std::size_t count(Conformance outcome) const {
        return static_cast<std::size_t>(std::ranges::count(cases, outcome, &ConformanceResult::outcome));
    }
    /// How many ran a layer.
    std::size_t computed() const {
        return static_cast<std::size_t>(std::ranges::count(cases, true, &ConformanceResult::computes));
    }
    /// How often each operator kept a case from being imported, with what it said; the most frequent first.
    std::vector<std::pair<std::string, std::size_t>> reasons() const {
        std::map<std::string, std::size_t> counts;
        for (const ConformanceResult& c : cases) {
            if (c.outcome == Conformance::unsupported) ++counts[c.reason];
        }
        std::vector<std::pair<std::string, std::size_t>> result(counts.begin(), counts.end());
        std::ranges::sort(
            result, [](const auto& a, const auto& b) { return std::tie(b.second, a.first) < std::tie(a.second, b.first); });
        return result;
    }
};

/// The differences that the ONNX project allows: |got - expected| <= absolute + relative * |expected|.
struct ConformanceTolerance {
    double relative = 1e-3;
    double absolute = 1e-7;
};

namespace detail::onnx_conformance {

/// The inputs of an operator that a layer holds as weights or attributes.
struct Parameters {
    std::string_view op;
    std::size_t first, last;
};
inline constexpr Parameters parameters[] = {
    {"Attention", 3, 3},
    {"Attention", 6, 6},
    {"BatchNormalization", 1, 4},
    {"Clip", 1, 2},
    {"Conv", 1, 2},
    {"ConvInteger", 1, 3},
    {"ConvTranspose", 1, 2},
    {"CumSum", 1, 1},
    {"DequantizeLinear", 1, 2},
    {"Dropout", 1, 2},
    {"QLinearConv", 1, 8},
    {"QLinearMatMul", 1, 7},
    {"QuantizeLinear", 1, 2},
    {"GRU", 1, 4},
    {"LSTM", 1, 4},
    {"LSTM", 7, 7},
    {"RNN", 1, 4},
    {"Expand", 1, 1},
    {"CenterCropPad", 1, 1},
    {"ConstantOfShape", 0, 0},
    {"Gather", 1, 1},
    {"GatherElements", 1, 1},
    {"GatherND", 1, 1},
    {"Gemm", 1, 2},
    {"MatMul", 1, 1},
    {"MatMulInteger", 2, 3},
    {"OneHot", 1, 2},
    {"PRelu", 1, 1},
    {"Pad", 1, 3},
    {"Pow", 1, 1},
    {"ReduceL1", 1, 1},
    {"ReduceL2", 1, 1},
    {"ReduceLogSum", 1, 1},
    {"ReduceLogSumExp", 1, 1},
    {"ReduceMax", 1, 1},
    {"ReduceMean", 1, 1},
    {"ReduceMin", 1, 1},
    {"ReduceProd", 1, 1},
    {"ReduceSum", 1, 1},
    {"ReduceSumSquare", 1, 1},
    {"Reshape", 1, 1},
    {"Resize", 1, 3},
    {"RotaryEmbedding", 1, 3},
    {"Slice", 1, 4},
    {"Split", 1, 1},
    {"Squeeze", 1, 1},
    {"Tile", 1, 1},
    {"TopK", 1, 1},
    {"Trilu", 1, 1},
    {"Where", 0, 0},
    {"Unsqueeze", 1, 1},
    {"Upsample", 1, 1},
};

inline bool is_parameter(const OnnxGraph& graph, const std::string& name) {
    for (const OnnxNode& node : graph.nodes) {
        for (const Parameters& row : parameters) {
            if (row.op != node.op_type) continue;
            for (std::size_t i = row.first; i <= row.last && i < node.inputs.size(); ++i) {
                if (node.inputs[i] == name) return true;
            }
        }
    }
    return false;
}

template <class Chosen>
std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& folder, const Chosen& chosen) {
    std::vector<std::filesystem::path> result;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (chosen(entry.path())) result.push_back(entry.path());
    }
    std::ranges::sort(result);
    return result;
}

/// PREFIX0.pb, PREFIX1.pb ...
inline std::vector<OnnxTensor> tensors(const std::string& prefix) {
    std::vector<OnnxTensor> list;
    for (std::size_t i = 0; std::filesystem::exists(concat(prefix, i, ".pb")); ++i) {
        list.push_back(read_onnx_tensor(concat(prefix, i, ".pb")));
    }
    return list;
}
/// Of NAME.onnx: NAME_output_.
inline std::string outputs_beside(const std::filesystem::path& file) {
    return concat((file.parent_path() / file.stem()).string(), "_output_");
}
inline bool is_case(const std::filesystem::path& path) {
    if (std::filesystem::is_directory(path)) return std::filesystem::exists(path / "model.onnx");
    return path.extension() == ".onnx" && std::filesystem::exists(outputs_beside(path) + "0.pb");
}

/// The numbers k / n at places k = 0 ... n - 1 of an input, in double, as float32.
inline OnnxTensor ramp(const OnnxValue& input) {
    OnnxTensor tensor{.element = OnnxElement::float32};
    if (input.type.element != tensor.element || !input.type.shape)
        fail("input '", input.name, "': float32 of a stated shape is expected");
    for (const OnnxDimension& dimension : *input.type.shape) tensor.dims.push_back(dimension.extent);
    const std::uint64_t count = onnx_elements(tensor.dims).value_or(0);
    if (count == 0 || count > std::uint64_t{1} << 28)
        fail("input '", input.name, "': extents from 1, up to 2^28 in all, are expected");
    const std::shared_ptr<std::byte> memory = allocate_bytes(4 * count);
    for (std::uint64_t k = 0; k < count; ++k) {
        const auto value = static_cast<float>(static_cast<double>(k) / static_cast<double>(count));
        std::memcpy(memory.get() + 4 * k, &value, 4);
    }
    tensor.data = {memory, {memory.get(), 4 * count}};
    return tensor;
}
inline std::vector<OnnxTensor> ramps(const OnnxGraph& graph) {
    std::vector<OnnxTensor> list;
    for (const OnnxValue& input : graph.inputs) {
        if (std::ranges::count(graph.initializers, input.name, &OnnxTensor::name) == 0) list.push_back(ramp(input));
    }
    return list;
}

/// The tensor as the graph states it: data of bfloat16 are published as uint16 of the same bits.
inline OnnxTensor as_stated(OnnxTensor tensor, const OnnxValue& value) {
    const OnnxElement stated = value.type.element;
    if (stated == OnnxElement::bfloat16 && tensor.element == OnnxElement::uint16) tensor.element = stated;
    if (stated != OnnxElement::undefined && tensor.element != stated) {
        fail("data: they are of ", onnx_element_name(tensor.element), " where the graph states ", onnx_element_name(stated));
    }
    return tensor;
}

/// What unsigned bytes are shifted by in a value that holds them as signed ones.
inline int shift_of(OnnxElement element, const Value& value) {
    return element == OnnxElement::uint8 && value.element == Element::i8 ? 128 : 0;
}

/// The tensor in the element of the model's value.
inline Constant value_of(const OnnxTensor& tensor, const Value& value) {
    const onnx_import::Constant numbers = onnx_import::Constant::of(tensor);
    const std::size_t bytes = element_bytes(value.element, 1);
    Constant result{value.element, numbers.dims, Tensor<u8>(Shape{bytes * numbers.count()})};
    const OnnxElement element = onnx_import::onnx_element_of(value.element);
    auto* to = reinterpret_cast<std::byte*>(result.bytes.data());
    for (std::size_t i = 0; i < numbers.count(); ++i, to += bytes) {
        if (numbers.is_real()) {
            onnx_import::store_element(element, numbers.real(i), to);
        } else {
            onnx_import::store_element(element, numbers.integer(i) - shift_of(tensor.element, value), to);
        }
    }
    return result;
}

/// What differs first; "" where nothing does. Whole numbers are the same or not.
inline std::string difference(const Constant& got, int shift, const OnnxTensor& tensor, ConformanceTolerance tolerance) {
    const onnx_import::Constant expected = onnx_import::Constant::of(tensor);
    if (got.shape != expected.dims) {
        return concat("it is [", onnx_import::dims_text(got.shape), "]; [", onnx_import::dims_text(expected.dims),
                      "] is expected");
    }
    const auto* bytes = reinterpret_cast<const std::byte*>(got.bytes.data());
    const onnx_import::Constant numbers{
        got.shape, onnx_import::onnx_element_of(got.element), {nullptr, {bytes, got.bytes.bytes()}}};
    const bool whole = !numbers.is_real() && !expected.is_real();
    for (std::size_t i = 0; i < expected.count(); ++i) {
        const double a = numbers.real(i) + shift, e = expected.real(i);
        const bool same = whole           ? numbers.integer(i) + shift == expected.integer(i)
                          : std::isnan(e) ? std::isnan(a)
                          : std::isinf(e) ? a == e
                                          : std::abs(a - e) <= tolerance.absolute + tolerance.relative * std::abs(e);
        if (!same) return concat("element ", i, " is ", a, "; ", e, " is expected");
    }
    return {};
}

/// The operator and what it lacks, without names: "Exp: no such operator is supported".
inline std::string reason_of(const std::string& text) {
    const std::size_t line = text.find("\n  ");
    if (line == std::string::npos) return text;
    std::string first = text.substr(line + 3, text.find('\n', line + 3) - line - 3);
    const std::size_t open = first.find(" ("), close = first.find("): ");
    if (first.starts_with("node ") && open < close && close != std::string::npos) {
        first = concat(first.substr(open + 2, close - open - 2), ": ", first.substr(close + 3));
    } else if (const std::size_t colon = first.find(": "); colon != std::string::npos) {
        first = concat(first.substr(0, first.find(' ')), first.substr(colon));
    }
    return first;
}

}  // namespace detail::onnx_conformance

/// Imports a graph with these inputs (in the graph's order; those that a layer holds as a parameter become constants), runs it
/// and compares its outputs. `run(model, inputs)` gives the outputs of a model: std::vector<Constant> of std::vector<Constant>,
/// in the model's order.
template <class Run>
ConformanceResult check_conformance(OnnxModel model, const std::vector<OnnxTensor>& inputs,
                                    const std::vector<OnnxTensor>& outputs, const Run& run,
                                    const OnnxImportOptions& options = {}, ConformanceTolerance tolerance = {}) {
    namespace conformance = detail::onnx_conformance;
    ConformanceResult result{options.name, Conformance::unsupported, {}, false};
    try {
        std::vector<OnnxTensor> given;
        std::size_t next = 0;
        for (OnnxValue& input : model.graph.inputs) {
            if (std::ranges::any_of(model.graph.initializers, [&](const OnnxTensor& t) { return t.name == input.name; }))
                continue;
            if (next == inputs.size()) fail("there are ", inputs.size(), " inputs; more are expected");
            OnnxTensor tensor = conformance::as_stated(inputs[next++], input);
            if (conformance::is_parameter(model.graph, input.name)) {
                tensor.name = input.name;
                model.graph.initializers.push_back(std::move(tensor));
                continue;
            }
            input.type.shape.emplace();
            for (const std::int64_t extent : tensor.dims) input.type.shape->push_back({extent, {}});
            given.push_back(std::move(tensor));
        }
        const AnyModel imported = import_onnx(model, options);
        std::vector<Constant> values;
        for (std::size_t i = 0; i < given.size() && i < imported.inputs().size(); ++i) {
            values.push_back(conformance::value_of(given[i], imported.value(imported.inputs()[i])));
        }
        const std::vector<Constant> got = run(imported, values);
        result.computes = std::ranges::any_of(imported.nodes(),
                                              [&](const Node& node) { return get_if<Constant>(imported, node) == nullptr; });
        result.outcome = Conformance::failed;
        if (got.size() != outputs.size()) {
            result.reason = concat("it has ", got.size(), " outputs; ", outputs.size(), " are expected");
            return result;
        }
        for (std::size_t i = 0; i < got.size() && result.reason.empty(); ++i) {
            const OnnxTensor expected =
                i < model.graph.outputs.size() ? conformance::as_stated(outputs[i], model.graph.outputs[i]) : outputs[i];
            const int shift = i < imported.outputs().size()
                                  ? conformance::shift_of(expected.element, imported.value(imported.outputs()[i]))
                                  : 0;
            const std::string flaw = conformance::difference(got[i], shift, expected, tolerance);
            if (!flaw.empty()) result.reason = concat("output ", i, ": ", flaw);
        }
        if (result.reason.empty()) result.outcome = Conformance::passed;
    } catch (const Error& error) {
        result.reason = conformance::reason_of(error.what());
    }
    return result;
}

/// The cases at `path`: itself where it is one, else those in this folder, by name. Throws where it is neither file nor folder.
inline std::vector<std::string> conformance_cases(const std::string& path) {
    namespace conformance = detail::onnx_conformance;
    std::error_code error;
    if (!std::filesystem::exists(path, error))
        fail("'", path, "': there is no such file or folder; ONNX test cases are expected");
    std::vector<std::string> result;
    if (conformance::is_case(path)) return {path};
    if (!std::filesystem::is_directory(path)) return result;
    for (const std::filesystem::path& entry : conformance::sorted_entries(path, conformance::is_case)) {
        result.push_back(entry.string());
    }
    return result;
}

/// The case at `path`, a folder or a file: all its sets of data.
template <class Run>
ConformanceResult check_conformance_case(const std::string& path, const Run& run) {
    namespace conformance = detail::onnx_conformance;
    const std::filesystem::path place(path);
    const bool network = !std::filesystem::is_directory(place);
    ConformanceResult result{(network ? place.stem() : place.filename()).string(), Conformance::unsupported, "it has no data",
                             false};
    OnnxImportOptions options;
    options.name = result.name;
    try {
        if (network) {
            const OnnxModel model = read_onnx(path);
            return check_conformance(model, conformance::ramps(model.graph),
                                     conformance::tensors(conformance::outputs_beside(place)), run, options);
        }
        const OnnxModel model = read_onnx((place / "model.onnx").string());
        const auto is_set = [](const std::filesystem::path& p) { return p.filename().string().starts_with("test_data_set_"); };
        for (const std::filesystem::path& set : conformance::sorted_entries(place, is_set)) {
            result = check_conformance(model, conformance::tensors((set / "input_").string()),
                                       conformance::tensors((set / "output_").string()), run, options);
            if (result.outcome != Conformance::passed) break;
        }
    } catch (const Error& error) {
        result.reason = error.what();
    }
    return result;
}

/// Every case in `folder`, by name.
template <class Run>
ConformanceReport check_conformance_folder(const std::string& folder, const Run& run) {
    ConformanceReport report;
    for (const std::string& path : conformance_cases(folder)) report.cases.push_back(check_conformance_case(path, run));
    return report;
}

MOTE_END_NAMESPACE
