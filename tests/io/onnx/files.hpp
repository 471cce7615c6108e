// SPDX-License-Identifier: MIT
#pragma once
// The ONNX files that the tests read: those in the folder of shared data, and a small one that has every part.

#include <mote/io/onnx/file.hpp>

#include <support/catch.hpp>
#include <support/shared.hpp>

#include <filesystem>
#include <numeric>

namespace onnx_test {

/// The files below data/onnx_* that end so, sorted; none, and a warning, where that folder is absent.
inline std::vector<std::string> shared_files(const std::string& ending) {
    std::vector<std::string> files;
    if (support::shared_missing()) return files;
    for (const auto& folder : std::filesystem::directory_iterator(support::shared_path(""))) {
        if (!folder.path().filename().string().starts_with("onnx_")) continue;
        for (const auto& file : std::filesystem::recursive_directory_iterator(folder.path())) {
            if (file.path().extension() == ending) files.push_back(file.path().string());
        }
    }
    std::sort(files.begin(), files.end());
    CHECK_FALSE(files.empty());
    return files;
}

/// A copy of the bytes, in memory that ends with them.
inline mote::FileBytes bytes_of(std::string_view text) {
    const auto memory = std::make_shared<std::vector<char>>(text.begin(), text.end());
    return {memory, std::as_bytes(std::span<const char>(*memory))};
}

/// A tensor of that many elements, whose bytes are 0, 1, 0, 1 …
inline mote::OnnxTensor tensor(std::string name, mote::OnnxElement element, std::vector<std::int64_t> dims) {
    mote::OnnxTensor result{.name = std::move(name), .dims = std::move(dims), .element = element};
    std::string bytes(static_cast<std::size_t>(mote::onnx_bytes(element, *mote::onnx_elements(result.dims))), '\0');
    for (std::size_t i = 1; i < bytes.size(); i += 2) bytes[i] = 1;
    if (element == mote::OnnxElement::string) {
        result.strings.assign(static_cast<std::size_t>(*mote::onnx_elements(result.dims)), "text");
    }
    result.data = bytes_of(bytes);
    return result;
}

/// [6], with 0 but at 1 and 4.
inline mote::OnnxSparseTensor sparse(std::string name) {
    mote::OnnxSparseTensor result{.values = tensor(std::move(name), mote::OnnxElement::float32, {2}),
                                  .indices = {.dims = {2}, .element = mote::OnnxElement::int64},
                                  .dims = {2, 3}};
    const std::int64_t at[] = {1, 4};
    result.indices.data = bytes_of({reinterpret_cast<const char*>(at), sizeof at});
    return result;
}

/// A model with every part that a file can have.
inline mote::OnnxModel every_part() {
    using namespace mote;
    using Kind = OnnxType::Kind;
    using Type = OnnxAttributeType;
    const OnnxType scalar{.kind = Kind::tensor, .element = OnnxElement::float32, .shape = std::vector<OnnxDimension>()};
    const OnnxType image{.kind = Kind::tensor,
                         .element = OnnxElement::uint8,
                         .shape = std::vector<OnnxDimension>{{1, ""}, {-1, "height"}, {-1, ""}, {0, ""}}};
    const OnnxType unranked{.kind = Kind::tensor, .element = OnnxElement::int4};
    OnnxGraph body{.name = "body",
                   .nodes = {{.op_type = "Relu", .inputs = {"x"}, .outputs = {"y"}}},
                   .initializers = {tensor("w", OnnxElement::float32, {3})},
                   .outputs = {{"y", scalar}}};
    OnnxModel m{.ir_version = 10,
                .producer_name = "maker",
                .producer_version = "1.2",
                .domain = "org.example",
                .model_version = -3,
                .opsets = {{"", 21}, {"org.example", 1}},
                .metadata = {{"scale", "0.5"}, {"empty", ""}}};
    OnnxGraph& g = m.graph;
    g.name = "main";
    g.nodes.push_back({.name = "first",
                       .op_type = "Clip",
                       .inputs = {"a", "", "b"},
                       .outputs = {"c", ""},
                       .attributes = {{"f", Type::real, "", std::vector<float>{-0.5f}},
                                      {"i", Type::integer, "", std::vector<std::int64_t>{-7}},
                                      {"s", Type::text, "", std::vector<std::string>{""}},
                                      {"t", Type::tensor, "", std::vector<OnnxTensor>{tensor("", OnnxElement::int64, {})}},
                                      {"g", Type::graph, "", std::vector<OnnxGraph>{body}},
                                      {"sp", Type::sparse_tensor, "", std::vector<OnnxSparseTensor>{sparse("v")}},
                                      {"ty", Type::value_type, "", std::vector<OnnxType>{scalar}}}});
    g.nodes.push_back({.op_type = "Twice",
                       .domain = "org.example",
                       .overload = "second",
                       .inputs = {"c"},
                       .outputs = {"d"},
                       .attributes = {{"f", Type::reals, "", std::vector<float>{1, 2, 3}},
                                      {"i", Type::integers, "", std::vector<std::int64_t>()},
                                      {"s", Type::texts, "", std::vector<std::string>{"", "x"}},
                                      {"t", Type::tensors, "", std::vector<OnnxTensor>{tensor("p", OnnxElement::int2, {5})}},
                                      {"g", Type::graphs, "", std::vector<OnnxGraph>{body, {}}},
                                      {"sp", Type::sparse_tensors, "", std::vector<OnnxSparseTensor>{sparse("v"), sparse("")}},
                                      {"ty", Type::value_types, "", std::vector<OnnxType>{image, {}, unranked}}}});
    for (std::size_t e = 1; e < detail::onnx::element_infos.size(); ++e) {
        const auto element = static_cast<OnnxElement>(e);
        g.initializers.push_back(tensor(onnx_element_name(element), element, {3, 1}));
    }
    g.initializers.push_back(tensor("nothing", OnnxElement::float64, {4, 0}));
    g.sparse_initializers.push_back(sparse("rare"));
    g.inputs = {
        {"a", image}, {"q", {.kind = Kind::sequence, .inner = {image}}}, {"o", {.kind = Kind::optional, .inner = {unranked}}}};
    g.outputs = {{"d", {}}};
    g.value_info = {{"m", {.kind = Kind::map, .element = OnnxElement::string, .inner = {scalar}}},
                    {"z", {.kind = Kind::sparse_tensor, .element = OnnxElement::bfloat16}},
                    {"opaque", {.kind = Kind::opaque}},
                    {"unknown", {.kind = Kind::sequence}}};
    m.functions.push_back({.name = "Twice",
                           .domain = "org.example",
                           .overload = "second",
                           .inputs = {"u"},
                           .outputs = {"v"},
                           .attributes = {"needed"},
                           .defaults = {{"f", Type::reals, "", std::vector<float>{1}}},
                           .nodes = {{.op_type = "Sum",
                                      .inputs = {"u", "u"},
                                      .outputs = {"v"},
                                      .attributes = {{"axis", Type::integer, "needed", {}}}}},
                           .opsets = {{"", 21}},
                           .value_info = {{"v", scalar}}});
    return m;
}

}  // namespace onnx_test
