// SPDX-License-Identifier: MIT
#pragma once
// Value: an edge of a model. Activation quantization lives here and nowhere else.

#include <mote/tensor/tensor.hpp>

MOTE_BEGIN_NAMESPACE

/// The place of a value in its model.
using ValueId = std::uint32_t;

struct Value {
    std::string name{};
    Shape shape{};
    Element element = Element::f32;
    Quantization quantization{};

    std::size_t bytes() const noexcept { return element_bytes(element, shape.elements()); }
    friend bool operator==(const Value&, const Value&) = default;
};

/// "image [1x8x8x3] i8"
template <class Lazy = void>
std::string to_string(const Value& value) {
    return concat("'", value.name, "' [", to_string(value.shape), "] ", element_name(value.element));
}

MOTE_END_NAMESPACE
