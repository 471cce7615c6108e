// SPDX-License-Identifier: MIT
#pragma once
// read_onnx: an ONNX file's bytes as plain structs; read_onnx_tensor: a file that holds one tensor.

#include <mote/io/onnx/detail/tensor.hpp>
#include <mote/io/onnx/detail/value.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx {

/// "ai.onnx" is another name of the standard domain.
inline std::string domain_of(std::string text) {
    if (text == "ai.onnx") text.clear();
    return text;
}

inline std::string folder_of(const std::string& path) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    return folder.empty() ? "." : folder;
}

class Reader {
  public:
    Reader(const std::string& name, FileBytes file, const std::string& folder)
        : root_(name), file_(std::move(file)), external_(folder) {}

    OnnxModel model() {
        OnnxModel model;
        bool graphs = false;
        Message m(root_, file_.bytes);
        while (m.next()) {
            switch (m.field()) {
                case ModelField::ir_version:
                    model.ir_version = m.integer();
                    break;
                case ModelField::producer_name:
                    model.producer_name = m.text();
                    break;
                case ModelField::producer_version:
                    model.producer_version = m.text();
                    break;
                case ModelField::domain:
                    model.domain = m.text();
                    break;
                case ModelField::model_version:
                    model.model_version = m.integer();
                    break;
                case ModelField::opset_import:
                    model.opsets.push_back(opset(root_, m.bytes()));
                    break;
                case ModelField::metadata_props:
                    model.metadata.push_back(entry(root_, m.bytes()));
                    break;
                case ModelField::graph:
                    graph(root_, m.bytes(), model.graph, 0);
                    graphs = true;
                    break;
                case ModelField::functions:
                    function(m.bytes(), model.functions);
                    break;
                default:
                    m.skip();
            }
        }
        if (!graphs) root_.refuse("it holds no graph; an ONNX model is expected");
        return model;
    }

    OnnxTensor lone_tensor() { return tensor(root_, file_.bytes, 0); }

  private:
    static OnnxOpset opset(const Place& place, Bytes bytes) {
        OnnxOpset opset;
        Message m(place, bytes);
        while (m.next()) {
            switch (m.field()) {
                case OpsetField::domain:
                    opset.domain = domain_of(m.text());
                    break;
                case OpsetField::version:
                    opset.version = m.integer();
                    break;
                default:
                    m.skip();
            }
        }
        return opset;
    }

    static OnnxEntry entry(const Place& place, Bytes bytes) {
        OnnxEntry entry;
        Message m(place, bytes);
        while (m.next()) {
            switch (m.field()) {
                case EntryField::key:
                    entry.key = m.text();
                    break;
                case EntryField::value:
                    entry.value = m.text();
                    break;
                default:
                    m.skip();
            }
        }
        return entry;
    }

    /// Adds to `graph`: a message in two parts is their union.
    void graph(const Place& outer, Bytes bytes, OnnxGraph& graph, std::size_t index) {
        const Place place(outer, "graph", graph.name, index);
        Message m(place, bytes);
        while (m.next()) {
            switch (m.field()) {
                case GraphField::name:
                    graph.name = m.text();
                    break;
                case GraphField::node:
                    node(place, m.bytes(), graph.nodes);
                    break;
                case GraphField::initializer:
                    graph.initializers.push_back(tensor(place, m.bytes(), graph.initializers.size()));
                    break;
                case GraphField::sparse_initializer:
                    graph.sparse_initializers.push_back(sparse_tensor(place, m.bytes(), graph.sparse_initializers.size()));
                    break;
                case GraphField::input:
                    read_value(place, m.bytes(), graph.inputs);
                    break;
                case GraphField::output:
                    read_value(place, m.bytes(), graph.outputs);
                    break;
                case GraphField::value_info:
                    read_value(place, m.bytes(), graph.value_info);
                    break;
                default:
                    m.skip();
            }
        }
    }

    void function(Bytes bytes, std::vector<OnnxFunction>& functions) {
        OnnxFunction& f = functions.emplace_back();
        const Place place(root_, "function", f.name, functions.size() - 1);
        Message m(place, bytes);
        while (m.next()) {
            switch (m.field()) {
                case FunctionField::name:
                    f.name = m.text();
                    break;
                case FunctionField::domain:
                    f.domain = domain_of(m.text());
                    break;
                case FunctionField::overload:
                    f.overload = m.text();
                    break;
                case FunctionField::input:
                    f.inputs.push_back(m.text());
                    break;
                case FunctionField::output:
                    f.outputs.push_back(m.text());
                    break;
                case FunctionField::attribute:
                    f.attributes.push_back(m.text());
                    break;
                case FunctionField::attribute_proto:
                    attribute(place, m.bytes(), f.defaults);
                    break;
                case FunctionField::node:
                    node(place, m.bytes(), f.nodes);
                    break;
                case FunctionField::opset_import:
                    f.opsets.push_back(opset(place, m.bytes()));
                    break;
                case FunctionField::value_info:
                    read_value(place, m.bytes(), f.value_info);
                    break;
                default:
                    m.skip();
            }
        }
        if (f.name.empty()) place.refuse("it has no name; the operator that it defines is expected");
    }

    void node(const Place& outer, Bytes bytes, std::vector<OnnxNode>& nodes) {
        OnnxNode& node = nodes.emplace_back();
        const Place place(outer, "node", node.name, nodes.size() - 1, &node.op_type);
        Message m(place, bytes);
        while (m.next()) {
            switch (m.field()) {
                case NodeField::input:
                    node.inputs.push_back(m.text());
                    break;
                case NodeField::output:
                    node.outputs.push_back(m.text());
                    break;
                case NodeField::name:
                    node.name = m.text();
                    break;
                case NodeField::op_type:
                    node.op_type = m.text();
                    break;
                case NodeField::domain:
                    node.domain = domain_of(m.text());
                    break;
                case NodeField::overload:
                    node.overload = m.text();
                    break;
                case NodeField::attribute:
                    attribute(place, m.bytes(), node.attributes);
                    break;
                default:
                    m.skip();
            }
        }
        if (node.op_type.empty()) place.refuse("it has no op_type; an operator's name is expected");
    }

    void attribute(const Place& outer, Bytes bytes, std::vector<OnnxAttribute>& attributes) {
        OnnxAttribute& a = attributes.emplace_back();
        const Place place(outer, "attribute", a.name, attributes.size() - 1);
        using Type = OnnxAttributeType;
        Type found = Type::undefined;
        auto add = [&]<class T>(Type type, T value) {
            if (found != Type::undefined && (found != type || !info(type).list)) {
                place.refuse("it holds a value of type ", info(found).name, " and another of type ", info(type).name,
                             "; one value is expected");
            }
            if (found != type) a.value.template emplace<std::vector<T>>();
            found = type;
            std::get<std::vector<T>>(a.value).push_back(std::move(value));
        };
        std::size_t parts = 0;
        Message m(place, bytes);
        while (m.next()) {
            switch (m.field()) {
                case AttributeField::name:
                    a.name = m.text();
                    break;
                case AttributeField::reference:
                    a.reference = m.text();
                    break;
                case AttributeField::type:
                    a.type = numbered<Type>(place, "attribute type", m.integer(), attribute_infos.size());
                    break;
                case AttributeField::real:
                    add(Type::real, m.real());
                    break;
                case AttributeField::integer:
                    add(Type::integer, m.integer());
                    break;
                case AttributeField::text:
                    add(Type::text, m.text());
                    break;
                case AttributeField::tensor:
                    add(Type::tensor, tensor(place, m.bytes(), 0));
                    break;
                case AttributeField::graph:
                    add(Type::graph, subgraph(place, m.bytes(), 0));
                    break;
                case AttributeField::sparse_tensor:
                    add(Type::sparse_tensor, sparse_tensor(place, m.bytes(), 0));
                    break;
                case AttributeField::value_type:
                    add(Type::value_type, read_type(place, m.bytes()));
                    break;
                case AttributeField::reals:
                    m.reals<float>([&](float x) { add(Type::reals, x); });
                    break;
                case AttributeField::integers:
                    m.integers([&](std::int64_t x) { add(Type::integers, x); });
                    break;
                case AttributeField::texts:
                    add(Type::texts, m.text());
                    break;
                case AttributeField::tensors:
                    add(Type::tensors, tensor(place, m.bytes(), parts++));
                    break;
                case AttributeField::graphs:
                    add(Type::graphs, subgraph(place, m.bytes(), parts++));
                    break;
                case AttributeField::sparse_tensors:
                    add(Type::sparse_tensors, sparse_tensor(place, m.bytes(), parts++));
                    break;
                case AttributeField::value_types:
                    add(Type::value_types, read_type(place, m.bytes()));
                    break;
                default:
                    m.skip();
            }
        }
        if (a.name.empty()) place.refuse("it has no name; a name is expected");
        if (found == Type::undefined) return absent_value(place, a);
        if (!a.reference.empty())
            place.refuse("it holds a value and refers to '", printable(a.reference), "'; one of them is expected");
        if (a.type == Type::undefined) a.type = found;  // files of the first version state no type
        if (a.type != found) {
            place.refuse("its type is ", info(a.type).name, ", but it holds ", info(found).name, "; the same are expected");
        }
    }

    /// A value that equals its type's default may be left out.
    static void absent_value(const Place& place, OnnxAttribute& a) {
        if (!a.reference.empty()) return;
        switch (a.type) {
            case OnnxAttributeType::real:
                a.value = std::vector<float>(1);
                break;
            case OnnxAttributeType::integer:
                a.value = std::vector<std::int64_t>(1);
                break;
            case OnnxAttributeType::text:
                a.value = std::vector<std::string>(1);
                break;
            case OnnxAttributeType::reals:
                a.value = std::vector<float>();
                break;
            case OnnxAttributeType::integers:
                a.value = std::vector<std::int64_t>();
                break;
            case OnnxAttributeType::texts:
                a.value = std::vector<std::string>();
                break;
            case OnnxAttributeType::tensors:
                a.value = std::vector<OnnxTensor>();
                break;
            case OnnxAttributeType::graphs:
                a.value = std::vector<OnnxGraph>();
                break;
            case OnnxAttributeType::sparse_tensors:
                a.value = std::vector<OnnxSparseTensor>();
                break;
            case OnnxAttributeType::value_types:
                a.value = std::vector<OnnxType>();
                break;
            default:
                place.refuse("it is of type ", info(a.type).name, " and holds no value; a value is expected");
        }
    }

    OnnxGraph subgraph(const Place& outer, Bytes bytes, std::size_t index) {
        OnnxGraph result;
        graph(outer, bytes, result, index);
        return result;
    }

    OnnxSparseTensor sparse_tensor(const Place& outer, Bytes bytes, std::size_t index) {
        OnnxSparseTensor result;
        const Place place(outer, "sparse tensor", result.values.name, index);
        Message m(place, bytes);
        while (m.next()) {
            switch (m.field()) {
                case SparseTensorField::values:
                    result.values = tensor(place, m.bytes(), 0);
                    break;
                case SparseTensorField::indices:
                    result.indices = tensor(place, m.bytes(), 1);
                    break;
                case SparseTensorField::dims:
                    m.integers([&](std::int64_t x) { result.dims.push_back(x); });
                    break;
                default:
                    m.skip();
            }
        }
        check_sparse(place, result);
        return result;
    }

    OnnxTensor tensor(const Place& outer, Bytes bytes, std::size_t index) {
        OnnxTensor result;
        const Place place(outer, "tensor", result.name, index);
        read_tensor(place, {file_.owner, bytes}, external_, result);
        return result;
    }

    Place root_;
    FileBytes file_;
    ExternalFiles external_;
};

}  // namespace detail::onnx

/// The model in these bytes, from which its tensors borrow. `name` names them in errors. Data in other files are read inside
/// `folder`, or refused where that is "". Throws an Error that names the file, the node or tensor, the reason, and what is
/// expected. Memory stays in proportion to the bytes: no count in them is believed before its data are there.
inline OnnxModel read_onnx(const std::string& name, FileBytes file, const std::string& folder = "") {
    return detail::onnx::Reader(name, std::move(file), folder).model();
}

/// The model in the file at `path`; data in other files of its folder are read too. Throws as above.
inline OnnxModel read_onnx(const std::string& path) {
    return read_onnx(path, map_file(path), detail::onnx::folder_of(path));
}

/// The tensor in these bytes. Throws as read_onnx does; sequences and optionals are refused.
inline OnnxTensor read_onnx_tensor(const std::string& name, FileBytes file, const std::string& folder = "") {
    return detail::onnx::Reader(name, std::move(file), folder).lone_tensor();
}

/// The tensor in the file at `path`, such as the input_0.pb of a test case. Throws as above.
inline OnnxTensor read_onnx_tensor(const std::string& path) {
    return read_onnx_tensor(path, map_file(path), detail::onnx::folder_of(path));
}

MOTE_END_NAMESPACE
