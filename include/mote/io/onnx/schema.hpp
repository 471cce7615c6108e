// SPDX-License-Identifier: MIT
#pragma once
// The ONNX file format as numbers: the fields of its messages (onnx.proto), its element types and attribute types.

#include <mote/core/config.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

MOTE_BEGIN_NAMESPACE

/// An element type of ONNX, numbered as in the file.
enum class OnnxElement : std::uint8_t {
    undefined,
    float32,
    uint8,
    int8,
    uint16,
    int16,
    int32,
    int64,
    string,
    boolean,
    float16,
    float64,
    uint32,
    uint64,
    complex64,
    complex128,
    bfloat16,
    float8e4m3fn,
    float8e4m3fnuz,
    float8e5m2,
    float8e5m2fnuz,
    uint4,
    int4,
    float4e2m1,
    float8e8m0,
    uint2,
    int2
};

/// What an attribute holds, numbered as in the file. A plural is a list.
enum class OnnxAttributeType : std::uint8_t {
    undefined,
    real,
    integer,
    text,
    tensor,
    graph,
    reals,
    integers,
    texts,
    tensors,
    graphs,
    sparse_tensor,
    sparse_tensors,
    value_type,
    value_types
};

namespace detail::onnx {

// The fields that are read and written, a struct a message.

struct ModelField {
    enum : std::uint32_t {
        ir_version = 1,
        producer_name = 2,
        producer_version = 3,
        domain = 4,
        model_version = 5,
        graph = 7,
        opset_import = 8,
        metadata_props = 14,
        functions = 25
    };
};
struct OpsetField {
    enum : std::uint32_t { domain = 1, version = 2 };
};
/// Also the name and value of external data.
struct EntryField {
    enum : std::uint32_t { key = 1, value = 2 };
};
struct GraphField {
    enum : std::uint32_t {
        node = 1,
        name = 2,
        initializer = 5,
        input = 11,
        output = 12,
        value_info = 13,
        sparse_initializer = 15
    };
};
struct NodeField {
    enum : std::uint32_t { input = 1, output = 2, name = 3, op_type = 4, attribute = 5, domain = 7, overload = 8 };
};
struct FunctionField {
    enum : std::uint32_t {
        name = 1,
        input = 4,
        output = 5,
        attribute = 6,
        node = 7,
        opset_import = 9,
        domain = 10,
        attribute_proto = 11,
        value_info = 12,
        overload = 13
    };
};
struct AttributeField {
    enum : std::uint32_t {
        name = 1,
        real = 2,
        integer = 3,
        text = 4,
        tensor = 5,
        graph = 6,
        reals = 7,
        integers = 8,
        texts = 9,
        tensors = 10,
        graphs = 11,
        value_type = 14,
        value_types = 15,
        type = 20,
        reference = 21,
        sparse_tensor = 22,
        sparse_tensors = 23
    };
};
struct TensorField {
    enum : std::uint32_t {
        dims = 1,
        data_type = 2,
        segment = 3,
        float_data = 4,
        int32_data = 5,
        string_data = 6,
        int64_data = 7,
        name = 8,
        raw_data = 9,
        double_data = 10,
        uint64_data = 11,
        external_data = 13,
        data_location = 14
    };
};
struct SparseTensorField {
    enum : std::uint32_t { values = 1, indices = 2, dims = 3 };
};
struct ValueField {
    enum : std::uint32_t { name = 1, type = 2 };
};
struct TypeField {
    enum : std::uint32_t { tensor = 1, sequence = 4, map = 5, opaque = 7, sparse_tensor = 8, optional = 9 };
};
/// Of a tensor's type and of a sparse one's.
struct TensorTypeField {
    enum : std::uint32_t { element = 1, shape = 2 };
};
/// Of a sequence's type and of an optional's.
struct WrapperTypeField {
    enum : std::uint32_t { inner = 1 };
};
struct MapTypeField {
    enum : std::uint32_t { key = 1, inner = 2 };
};
struct ShapeField {
    enum : std::uint32_t { dimension = 1 };
};
struct DimensionField {
    enum : std::uint32_t { extent = 1, symbol = 2 };
};

/// An element type: its name, the bits of one element (0 where they vary), and the field that holds it where it is not raw.
struct ElementInfo {
    const char* name;
    std::size_t bits;
    std::uint32_t field;
};

inline constexpr std::array element_infos{
    ElementInfo{"undefined", 0, 0},
    ElementInfo{"float32", 32, TensorField::float_data},
    ElementInfo{"uint8", 8, TensorField::int32_data},
    ElementInfo{"int8", 8, TensorField::int32_data},
    ElementInfo{"uint16", 16, TensorField::int32_data},
    ElementInfo{"int16", 16, TensorField::int32_data},
    ElementInfo{"int32", 32, TensorField::int32_data},
    ElementInfo{"int64", 64, TensorField::int64_data},
    ElementInfo{"string", 0, TensorField::string_data},
    ElementInfo{"bool", 8, TensorField::int32_data},
    ElementInfo{"float16", 16, TensorField::int32_data},
    ElementInfo{"float64", 64, TensorField::double_data},
    ElementInfo{"uint32", 32, TensorField::uint64_data},
    ElementInfo{"uint64", 64, TensorField::uint64_data},
    ElementInfo{"complex64", 64, TensorField::float_data},
    ElementInfo{"complex128", 128, TensorField::double_data},
    ElementInfo{"bfloat16", 16, TensorField::int32_data},
    ElementInfo{"float8e4m3fn", 8, TensorField::int32_data},
    ElementInfo{"float8e4m3fnuz", 8, TensorField::int32_data},
    ElementInfo{"float8e5m2", 8, TensorField::int32_data},
    ElementInfo{"float8e5m2fnuz", 8, TensorField::int32_data},
    ElementInfo{"uint4", 4, TensorField::int32_data},
    ElementInfo{"int4", 4, TensorField::int32_data},
    ElementInfo{"float4e2m1", 4, TensorField::int32_data},
    ElementInfo{"float8e8m0", 8, TensorField::int32_data},
    ElementInfo{"uint2", 2, TensorField::int32_data},
    ElementInfo{"int2", 2, TensorField::int32_data},
};

/// A typed data field of a tensor: its name, and the bytes of one stored number (0: a varint).
struct DataFieldInfo {
    std::uint32_t field;
    const char* name;
    std::size_t fixed_bytes;
};

inline constexpr std::array data_fields{
    DataFieldInfo{TensorField::float_data, "float_data", 4},   DataFieldInfo{TensorField::int32_data, "int32_data", 0},
    DataFieldInfo{TensorField::string_data, "string_data", 0}, DataFieldInfo{TensorField::int64_data, "int64_data", 0},
    DataFieldInfo{TensorField::double_data, "double_data", 8}, DataFieldInfo{TensorField::uint64_data, "uint64_data", 0},
};

constexpr const DataFieldInfo& data_field(std::uint32_t field) noexcept {
    std::size_t at = 0;
    while (data_fields[at].field != field) ++at;
    return data_fields[at];
}

/// An attribute type: its name, its field, and whether it is a list.
struct AttributeInfo {
    const char* name;
    std::uint32_t field;
    bool list;
};

inline constexpr std::array attribute_infos{
    AttributeInfo{"undefined", 0, false},
    AttributeInfo{"float", AttributeField::real, false},
    AttributeInfo{"int", AttributeField::integer, false},
    AttributeInfo{"string", AttributeField::text, false},
    AttributeInfo{"tensor", AttributeField::tensor, false},
    AttributeInfo{"graph", AttributeField::graph, false},
    AttributeInfo{"floats", AttributeField::reals, true},
    AttributeInfo{"ints", AttributeField::integers, true},
    AttributeInfo{"strings", AttributeField::texts, true},
    AttributeInfo{"tensors", AttributeField::tensors, true},
    AttributeInfo{"graphs", AttributeField::graphs, true},
    AttributeInfo{"sparse_tensor", AttributeField::sparse_tensor, false},
    AttributeInfo{"sparse_tensors", AttributeField::sparse_tensors, true},
    AttributeInfo{"type_proto", AttributeField::value_type, false},
    AttributeInfo{"type_protos", AttributeField::value_types, true},
};

constexpr const ElementInfo& info(OnnxElement element) noexcept {
    return element_infos[static_cast<std::size_t>(element)];
}
constexpr const AttributeInfo& info(OnnxAttributeType type) noexcept {
    return attribute_infos[static_cast<std::size_t>(type)];
}

}  // namespace detail::onnx

/// "float32", "int4" …
constexpr const char* onnx_element_name(OnnxElement element) noexcept {
    return detail::onnx::info(element).name;
}
/// Bits of one element; 0 for strings.
constexpr std::size_t onnx_element_bits(OnnxElement element) noexcept {
    return detail::onnx::info(element).bits;
}
/// "ints", "graph" …
constexpr const char* onnx_attribute_name(OnnxAttributeType type) noexcept {
    return detail::onnx::info(type).name;
}

MOTE_END_NAMESPACE
