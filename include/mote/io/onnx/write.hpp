// SPDX-License-Identifier: MIT
#pragma once
// write_onnx: the bytes of an ONNX file. What read_onnx reads from them equals what was written.

#include <mote/io/onnx/file.hpp>

#include <protozero/pbf_writer.hpp>

#include <bit>
#include <limits>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx {

static_assert(std::endian::native == std::endian::little, "mote: ONNX files are read and written on little-endian machines");

/// The format's own limit of a file, and so of every tensor in it.
inline constexpr std::size_t largest_file_bytes = std::numeric_limits<std::int32_t>::max();

using Out = protozero::pbf_writer;

/// put(out, x) writes the fields of x's message behind what the file holds; nothing is put together first.
class Writer {
  public:
    template <class T>
    std::string file_of(const T& content) {
        Out out(file_);
        put(out, content);
        if (file_.size() > largest_file_bytes) {
            fail("an ONNX file of ", file_.size(), " bytes; at most ", largest_file_bytes, " are allowed");
        }
        return std::move(file_);
    }

  private:
    /// A message in `field`, whose fields put_fields(out) writes; also where there are none, which has a meaning of its own.
    template <class PutFields>
    void put_message(Out& out, std::uint32_t field, PutFields put_fields) {
        const std::size_t before = file_.size();
        {
            Out inner(out, field);
            put_fields(inner);
        }
        if (file_.size() == before) out.add_message(field, "", 0);  // an empty one is taken back by its writer
    }
    template <class T>
    void put_one(Out& out, std::uint32_t field, const T& item) {
        put_message(out, field, [&](Out& inner) { put(inner, item); });
    }

    void put_text(Out& out, std::uint32_t field, const std::string& text) {
        if (!text.empty()) out.add_string(field, text);
    }
    void put_texts(Out& out, std::uint32_t field, const std::vector<std::string>& texts) {
        for (const std::string& text : texts) out.add_string(field, text);
    }

    /// A message in `field` for each item.
    template <class T>
    void put_all(Out& out, std::uint32_t field, const std::vector<T>& items) {
        for (const T& item : items) put_one(out, field, item);
    }

    void put(Out& out, const OnnxOpset& opset) {
        put_text(out, OpsetField::domain, opset.domain);
        out.add_int64(OpsetField::version, opset.version);
    }

    void put(Out& out, const OnnxEntry& entry) {
        put_text(out, EntryField::key, entry.key);
        put_text(out, EntryField::value, entry.value);
    }

    void put(Out& out, const OnnxTensor& tensor) {
        const std::optional<std::uint64_t> count = onnx_elements(tensor.dims);
        const bool strings = tensor.element == OnnxElement::string;
        if (tensor.element == OnnxElement::undefined || !count || tensor.strings.size() != (strings ? *count : 0) ||
            tensor.data.bytes.size() != onnx_bytes(tensor.element, *count)) {
            fail("tensor '", tensor.name, "': ", tensor.data.bytes.size(), " bytes and ", tensor.strings.size(), " strings of ",
                 onnx_element_name(tensor.element), "; an element type and what the dims ask for are expected");
        }
        if (tensor.data.bytes.size() > largest_file_bytes) {
            fail("tensor '", tensor.name, "': ", tensor.data.bytes.size(), " bytes; at most ", largest_file_bytes,
                 " fit an ONNX file");
        }
        for (const std::int64_t extent : tensor.dims) out.add_int64(TensorField::dims, extent);
        out.add_int32(TensorField::data_type, static_cast<std::int32_t>(tensor.element));
        put_texts(out, TensorField::string_data, tensor.strings);
        put_text(out, TensorField::name, tensor.name);
        if (!tensor.data.bytes.empty()) {
            out.add_bytes(TensorField::raw_data, reinterpret_cast<const char*>(tensor.data.bytes.data()),
                          tensor.data.bytes.size());
        }
    }

    void put(Out& out, const OnnxSparseTensor& sparse) {
        put_one(out, SparseTensorField::values, sparse.values);
        put_one(out, SparseTensorField::indices, sparse.indices);
        for (const std::int64_t extent : sparse.dims) out.add_int64(SparseTensorField::dims, extent);
    }

    void put(Out& out, const OnnxDimension& dimension) {
        if (dimension.extent >= 0) {
            out.add_int64(DimensionField::extent, dimension.extent);
        } else {
            put_text(out, DimensionField::symbol, dimension.symbol);
        }
    }

    void put(Out& out, const OnnxType& type) {
        using Kind = OnnxType::Kind;
        switch (type.kind) {
            case Kind::unknown:
                break;
            case Kind::tensor:
            case Kind::sparse_tensor:
                put_message(out, type.kind == Kind::tensor ? TypeField::tensor : TypeField::sparse_tensor, [&](Out& inner) {
                    inner.add_int32(TensorTypeField::element, static_cast<std::int32_t>(type.element));
                    if (!type.shape) return;
                    put_message(inner, TensorTypeField::shape,
                                [&](Out& shape) { put_all(shape, ShapeField::dimension, *type.shape); });
                });
                break;
            case Kind::sequence:
            case Kind::optional:
                put_message(out, type.kind == Kind::sequence ? TypeField::sequence : TypeField::optional,
                            [&](Out& inner) { put_all(inner, WrapperTypeField::inner, type.inner); });
                break;
            case Kind::map:
                put_message(out, TypeField::map, [&](Out& inner) {
                    inner.add_int32(MapTypeField::key, static_cast<std::int32_t>(type.element));
                    put_all(inner, MapTypeField::inner, type.inner);
                });
                break;
            case Kind::opaque:
                out.add_message(TypeField::opaque, "", 0);
                break;
        }
    }

    void put(Out& out, const OnnxValue& value) {
        put_text(out, ValueField::name, value.name);
        if (value.type.kind != OnnxType::Kind::unknown) put_one(out, ValueField::type, value.type);
    }

    void put_values(Out&, std::uint32_t, std::monostate) {}
    void put_values(Out& out, std::uint32_t field, const std::vector<float>& values) {
        for (const float value : values) out.add_float(field, value);
    }
    void put_values(Out& out, std::uint32_t field, const std::vector<std::int64_t>& values) {
        for (const std::int64_t value : values) out.add_int64(field, value);
    }
    void put_values(Out& out, std::uint32_t field, const std::vector<std::string>& values) { put_texts(out, field, values); }
    template <class T>
    void put_values(Out& out, std::uint32_t field, const std::vector<T>& values) {
        put_all(out, field, values);
    }

    void put(Out& out, const OnnxAttribute& attribute) {
        check(attribute);
        put_text(out, AttributeField::name, attribute.name);
        const std::uint32_t field = info(attribute.type).field;
        std::visit([&](const auto& values) { put_values(out, field, values); }, attribute.value);
        if (attribute.type != OnnxAttributeType::undefined) {
            out.add_enum(AttributeField::type, static_cast<std::int32_t>(attribute.type));
        }
        put_text(out, AttributeField::reference, attribute.reference);
    }

    void put(Out& out, const OnnxNode& node) {
        put_texts(out, NodeField::input, node.inputs);
        put_texts(out, NodeField::output, node.outputs);
        put_text(out, NodeField::name, node.name);
        put_text(out, NodeField::op_type, node.op_type);
        put_all(out, NodeField::attribute, node.attributes);
        put_text(out, NodeField::domain, node.domain);
        put_text(out, NodeField::overload, node.overload);
    }

    void put(Out& out, const OnnxGraph& graph) {
        put_all(out, GraphField::node, graph.nodes);
        put_text(out, GraphField::name, graph.name);
        put_all(out, GraphField::initializer, graph.initializers);
        put_all(out, GraphField::input, graph.inputs);
        put_all(out, GraphField::output, graph.outputs);
        put_all(out, GraphField::value_info, graph.value_info);
        put_all(out, GraphField::sparse_initializer, graph.sparse_initializers);
    }

    void put(Out& out, const OnnxFunction& function) {
        put_text(out, FunctionField::name, function.name);
        put_texts(out, FunctionField::input, function.inputs);
        put_texts(out, FunctionField::output, function.outputs);
        put_texts(out, FunctionField::attribute, function.attributes);
        put_all(out, FunctionField::node, function.nodes);
        put_all(out, FunctionField::opset_import, function.opsets);
        put_text(out, FunctionField::domain, function.domain);
        put_all(out, FunctionField::attribute_proto, function.defaults);
        put_all(out, FunctionField::value_info, function.value_info);
        put_text(out, FunctionField::overload, function.overload);
    }

    void put(Out& out, const OnnxModel& model) {
        out.add_int64(ModelField::ir_version, model.ir_version);
        put_text(out, ModelField::producer_name, model.producer_name);
        put_text(out, ModelField::producer_version, model.producer_version);
        put_text(out, ModelField::domain, model.domain);
        if (model.model_version != 0) out.add_int64(ModelField::model_version, model.model_version);
        put_one(out, ModelField::graph, model.graph);
        put_all(out, ModelField::opset_import, model.opsets);
        put_all(out, ModelField::metadata_props, model.metadata);
        put_all(out, ModelField::functions, model.functions);
    }

    /// Throws where the type and the value are not of one kind.
    static void check(const OnnxAttribute& attribute) {
        using Type = OnnxAttributeType;
        constexpr Type lists[] = {Type::undefined, Type::reals,          Type::integers, Type::texts,
                                  Type::tensors,   Type::sparse_tensors, Type::graphs,   Type::value_types};
        constexpr Type single[] = {Type::undefined, Type::real,          Type::integer, Type::text,
                                   Type::tensor,    Type::sparse_tensor, Type::graph,   Type::value_type};
        const std::size_t held = attribute.value.index();
        const bool one = std::visit(
            [](const auto& values) {
                if constexpr (requires { values.size(); }) return values.size() == 1;
                return false;
            },
            attribute.value);
        const bool fits = held == 0 ? !attribute.reference.empty()
                                    : attribute.reference.empty() &&
                                          (attribute.type == lists[held] || (one && attribute.type == single[held]));
        if (!fits) {
            fail("attribute '", attribute.name, "': its type is ", onnx_attribute_name(attribute.type), ", its value ",
                 onnx_attribute_name(lists[held]),
                 "; a type that fits the value, or a reference instead of a value, is expected");
        }
    }

    std::string file_{};
};

}  // namespace detail::onnx

/// The model's ONNX file. Tensors are written raw, inside of it. Throws where a tensor's data do not fit its dims or the file
/// would exceed 2 GiB, the format's limit.
inline std::string write_onnx(const OnnxModel& model) {
    return detail::onnx::Writer().file_of(model);
}

/// The file that holds this tensor alone, such as the input_0.pb of a test case. Throws as write_onnx does.
inline std::string write_onnx_tensor(const OnnxTensor& tensor) {
    return detail::onnx::Writer().file_of(tensor);
}

MOTE_END_NAMESPACE
