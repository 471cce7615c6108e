// SPDX-License-Identifier: MIT
#pragma once
// read_value: a named value of an ONNX file and its type.

#include <mote/io/onnx/detail/message.hpp>
#include <mote/io/onnx/file.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx {

/// An enumerator by its number in the file, of `count`.
template <class T>
T numbered(const Place& place, const char* what, std::int64_t number, std::size_t count) {
    if (number < 0 || number >= static_cast<std::int64_t>(count)) {
        place.refuse(what, " ", number, " is unknown; a number below ", count, " is expected");
    }
    return static_cast<T>(number);
}

inline OnnxElement read_element(const Place& place, std::int64_t number) {
    return numbered<OnnxElement>(place, "element type", number, element_infos.size());
}

inline OnnxDimension read_dimension(const Place& place, Bytes bytes) {
    OnnxDimension result;
    Message m(place, bytes);
    while (m.next()) {
        switch (m.field()) {
            case DimensionField::extent:
                result = {std::max<std::int64_t>(m.integer(), -1), {}};
                break;
            case DimensionField::symbol:
                result = {-1, m.text()};
                break;
            default:
                m.skip();
        }
    }
    return result;
}

inline OnnxType read_tensor_type(OnnxType::Kind kind, const Place& place, Bytes bytes) {
    OnnxType result{.kind = kind};
    Message m(place, bytes);
    while (m.next()) {
        switch (m.field()) {
            case TensorTypeField::element:
                result.element = read_element(place, m.integer());
                break;
            case TensorTypeField::shape: {
                result.shape.emplace();
                Message axes(place, m.bytes());
                while (axes.next()) {
                    if (axes.field() == ShapeField::dimension) {
                        result.shape->push_back(read_dimension(place, axes.bytes()));
                    } else {
                        axes.skip();
                    }
                }
                break;
            }
            default:
                m.skip();
        }
    }
    return result;
}

inline OnnxType read_type(const Place& outer, Bytes bytes);

/// Of a sequence, an optional or a map (whose key is an element type).
inline OnnxType read_wrapper_type(OnnxType::Kind kind, std::uint32_t inner, const Place& place, Bytes bytes) {
    OnnxType result{.kind = kind};
    Message m(place, bytes);
    while (m.next()) {
        if (m.field() == inner) {
            result.inner.assign(1, read_type(place, m.bytes()));
        } else if (kind == OnnxType::Kind::map && m.field() == MapTypeField::key) {
            result.element = read_element(place, m.integer());
        } else {
            m.skip();
        }
    }
    return result;
}

inline OnnxType read_type(const Place& outer, Bytes bytes) {
    const std::string unnamed;
    const Place place(outer, "type", unnamed, 0);
    OnnxType result;
    Message m(place, bytes);
    while (m.next()) {
        switch (m.field()) {
            case TypeField::tensor:
                result = read_tensor_type(OnnxType::Kind::tensor, place, m.bytes());
                break;
            case TypeField::sparse_tensor:
                result = read_tensor_type(OnnxType::Kind::sparse_tensor, place, m.bytes());
                break;
            case TypeField::sequence:
                result = read_wrapper_type(OnnxType::Kind::sequence, WrapperTypeField::inner, place, m.bytes());
                break;
            case TypeField::optional:
                result = read_wrapper_type(OnnxType::Kind::optional, WrapperTypeField::inner, place, m.bytes());
                break;
            case TypeField::map:
                result = read_wrapper_type(OnnxType::Kind::map, MapTypeField::inner, place, m.bytes());
                break;
            case TypeField::opaque:
                result = OnnxType{.kind = OnnxType::Kind::opaque};
                m.skip();
                break;
            default:
                m.skip();
        }
    }
    return result;
}

/// Adds the value to `values`.
inline void read_value(const Place& outer, Bytes bytes, std::vector<OnnxValue>& values) {
    OnnxValue& value = values.emplace_back();
    const Place place(outer, "value", value.name, values.size() - 1);
    Message m(place, bytes);
    while (m.next()) {
        switch (m.field()) {
            case ValueField::name:
                value.name = m.text();
                break;
            case ValueField::type:
                value.type = read_type(place, m.bytes());
                break;
            default:
                m.skip();
        }
    }
    if (value.name.empty()) place.refuse("it has no name; a name is expected");
}

}  // namespace detail::onnx

MOTE_END_NAMESPACE
