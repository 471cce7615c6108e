// SPDX-License-Identifier: MIT
#pragma once
// Parts of small ONNX graphs, and what the models that are made of them hold.

#include <mote/model/model.hpp>

#include <io/onnx/files.hpp>

namespace onnx_graphs {

using namespace mote;
using Integers = std::vector<std::int64_t>;

inline OnnxValue value(std::string name, std::vector<OnnxDimension> dims) {
    return {std::move(name), {.kind = OnnxType::Kind::tensor, .element = OnnxElement::float32, .shape = std::move(dims)}};
}
inline OnnxTensor reals(std::string name, Integers dims, const std::vector<float>& values) {
    OnnxTensor result{.name = std::move(name), .dims = std::move(dims), .element = OnnxElement::float32};
    result.data = onnx_test::bytes_of({reinterpret_cast<const char*>(values.data()), 4 * values.size()});
    return result;
}
inline OnnxTensor integers(std::string name, const Integers& values) {
    OnnxTensor result{
        .name = std::move(name), .dims = {static_cast<std::int64_t>(values.size())}, .element = OnnxElement::int64};
    result.data = onnx_test::bytes_of({reinterpret_cast<const char*>(values.data()), 8 * values.size()});
    return result;
}
inline OnnxAttribute attribute(std::string name, Integers values) {
    return {std::move(name), OnnxAttributeType::integers, "", std::move(values)};
}
inline OnnxAttribute attribute(std::string name, std::int64_t number) {
    return {std::move(name), OnnxAttributeType::integer, "", Integers{number}};
}
inline OnnxNode node(std::string op, std::vector<std::string> inputs, std::string output,
                     std::vector<OnnxAttribute> attributes = {}) {
    return {.name = "the_" + output,
            .op_type = std::move(op),
            .inputs = std::move(inputs),
            .outputs = {std::move(output)},
            .attributes = std::move(attributes)};
}

inline OnnxTensor bytes(std::string name, Integers dims, const std::vector<std::int8_t>& values, OnnxElement element) {
    OnnxTensor result{.name = std::move(name), .dims = std::move(dims), .element = element};
    result.data = onnx_test::bytes_of({reinterpret_cast<const char*>(values.data()), values.size()});
    return result;
}

template <class L>
std::size_t count_of(const AnyModel& model) {
    return static_cast<std::size_t>(
        std::ranges::count_if(model.nodes(), [&](const Node& n) { return get_if<L>(model, n) != nullptr; }));
}

}  // namespace onnx_graphs
