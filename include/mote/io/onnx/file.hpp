// SPDX-License-Identifier: MIT
#pragma once
// What an ONNX file holds, as plain structs: read.hpp makes them from a file's bytes, write.hpp makes bytes from them.

#include <mote/io/mapped_file.hpp>
#include <mote/io/onnx/schema.hpp>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

MOTE_BEGIN_NAMESPACE

/// A dense tensor. `data` is little-endian, row-major and aligned for one element; it lies in the file where it can, else in
/// memory of its own. Elements below 8 bits are packed, the first in the lowest bits. Strings are in `strings` instead.
struct OnnxTensor {
    std::string name{};
    std::vector<std::int64_t> dims{};
    OnnxElement element = OnnxElement::undefined;
    FileBytes data{};
    std::vector<std::string> strings{};

    /// Same name, dims, element and bytes, wherever these lie.
    friend bool operator==(const OnnxTensor& a, const OnnxTensor& b) {
        return a.name == b.name && a.dims == b.dims && a.element == b.element && a.strings == b.strings &&
               std::ranges::equal(a.data.bytes, b.data.bytes);
    }
};

/// A tensor of shape `dims`, zero but for `values` [count] at `indices`: [count], linear, or [count, rank]. Reading checks that
/// the indices lie inside.
struct OnnxSparseTensor {
    OnnxTensor values{};
    OnnxTensor indices{};
    std::vector<std::int64_t> dims{};
    friend bool operator==(const OnnxSparseTensor&, const OnnxSparseTensor&) = default;
};

/// One axis of a value: its extent, or -1 and a symbol, or -1 and "" where nothing is known.
struct OnnxDimension {
    std::int64_t extent = -1;
    std::string symbol{};
    friend bool operator==(const OnnxDimension&, const OnnxDimension&) = default;
};

/// The type of a value.
struct OnnxType {
    enum class Kind : std::uint8_t { unknown, tensor, sparse_tensor, sequence, optional, map, opaque };
    Kind kind = Kind::unknown;
    OnnxElement element = OnnxElement::undefined;       ///< of a tensor; of a map's key
    std::optional<std::vector<OnnxDimension>> shape{};  ///< of a tensor, where it is known
    std::vector<OnnxType> inner{};                      ///< of a sequence, optional or map: one, if it is stated
    friend bool operator==(const OnnxType&, const OnnxType&) = default;
};

/// A named value and its type.
struct OnnxValue {
    std::string name{};
    OnnxType type{};
    friend bool operator==(const OnnxValue&, const OnnxValue&) = default;
};

struct OnnxGraph;

/// A named attribute. A single value is a list of one; `type` tells the two apart. In a function, `reference` may name the
/// function's attribute that gives the value; then there is none here.
struct OnnxAttribute {
    std::string name{};
    OnnxAttributeType type = OnnxAttributeType::undefined;
    std::string reference{};
    std::variant<std::monostate, std::vector<float>, std::vector<std::int64_t>, std::vector<std::string>,
                 std::vector<OnnxTensor>, std::vector<OnnxSparseTensor>, std::vector<OnnxGraph>, std::vector<OnnxType>>
        value;  // without {}: it would ask for all of OnnxGraph here

    /// The values where they are of type T; else none.
    template <class T>
    std::span<const T> values() const noexcept {
        const auto* list = std::get_if<std::vector<T>>(&value);
        return list == nullptr ? std::span<const T>() : std::span<const T>(*list);
    }
    friend bool operator==(const OnnxAttribute&, const OnnxAttribute&);
};

/// One operation. An input or output named "" is left out. The standard operators' domain is "" ("ai.onnx" is read as "").
struct OnnxNode {
    std::string name{};
    std::string op_type{};
    std::string domain{};
    std::string overload{};
    std::vector<std::string> inputs{};
    std::vector<std::string> outputs{};
    std::vector<OnnxAttribute> attributes{};

    /// The attribute of that name; nullptr where there is none.
    const OnnxAttribute* attribute(std::string_view wanted) const noexcept;
    friend bool operator==(const OnnxNode&, const OnnxNode&) = default;
};

/// Nodes in the file's order. An initializer may also be an input: then it is that input's default.
struct OnnxGraph {
    std::string name{};
    std::vector<OnnxNode> nodes{};
    std::vector<OnnxTensor> initializers{};
    std::vector<OnnxSparseTensor> sparse_initializers{};
    std::vector<OnnxValue> inputs{};
    std::vector<OnnxValue> outputs{};
    std::vector<OnnxValue> value_info{};
    friend bool operator==(const OnnxGraph&, const OnnxGraph&) = default;
};

inline bool operator==(const OnnxAttribute& a, const OnnxAttribute& b) {
    return a.name == b.name && a.type == b.type && a.reference == b.reference && a.value == b.value;
}

inline const OnnxAttribute* OnnxNode::attribute(std::string_view wanted) const noexcept {
    const auto found = std::ranges::find(attributes, wanted, &OnnxAttribute::name);
    return found == attributes.end() ? nullptr : &*found;
}

/// The version of a domain's operators that a model uses.
struct OnnxOpset {
    std::string domain{};
    std::int64_t version = 0;
    friend bool operator==(const OnnxOpset&, const OnnxOpset&) = default;
};

/// An operator that the model defines by nodes. `attributes` have no default, `defaults` have one.
struct OnnxFunction {
    std::string name{};
    std::string domain{};
    std::string overload{};
    std::vector<std::string> inputs{};
    std::vector<std::string> outputs{};
    std::vector<std::string> attributes{};
    std::vector<OnnxAttribute> defaults{};
    std::vector<OnnxNode> nodes{};
    std::vector<OnnxOpset> opsets{};
    std::vector<OnnxValue> value_info{};
    friend bool operator==(const OnnxFunction&, const OnnxFunction&) = default;
};

/// A name and a text that a model carries along.
struct OnnxEntry {
    std::string key{};
    std::string value{};
    friend bool operator==(const OnnxEntry&, const OnnxEntry&) = default;
};

/// The whole file, without its documentation texts and training parts.
struct OnnxModel {
    std::int64_t ir_version = 0;
    std::string producer_name{};
    std::string producer_version{};
    std::string domain{};
    std::int64_t model_version = 0;
    std::vector<OnnxOpset> opsets{};
    std::vector<OnnxEntry> metadata{};
    OnnxGraph graph{};
    std::vector<OnnxFunction> functions{};

    /// The version of the domain's operators; 0 where the model states none.
    std::int64_t opset(std::string_view wanted = "") const noexcept {
        const auto found = std::ranges::find(opsets, wanted, &OnnxOpset::domain);
        return found == opsets.end() ? 0 : found->version;
    }
    friend bool operator==(const OnnxModel&, const OnnxModel&) = default;
};

/// The product of the extents; none where one is negative or the product does not fit.
inline std::optional<std::uint64_t> onnx_elements(std::span<const std::int64_t> dims) noexcept {
    std::uint64_t count = 1;
    bool overflow = false, zero = false;
    for (const std::int64_t extent : dims) {
        if (extent < 0) return std::nullopt;
        zero |= extent == 0;
        if (extent > 0) {
            overflow |= count > (std::uint64_t{1} << 62) / static_cast<std::uint64_t>(extent);
            if (!overflow) count *= static_cast<std::uint64_t>(extent);
        }
    }
    if (zero) return 0;
    if (overflow) return std::nullopt;
    return count;
}

/// The bytes of `count` elements, packed; the largest number where the product does not fit. 0 for strings.
constexpr std::uint64_t onnx_bytes(OnnxElement element, std::uint64_t count) noexcept {
    constexpr std::uint64_t most = ~std::uint64_t{0};
    const std::uint64_t bits = onnx_element_bits(element);
    if (bits == 0) return 0;
    if (bits < 8) return count / (8 / bits) + (count % (8 / bits) != 0 ? 1 : 0);
    return count > most / (bits / 8) ? most : count * (bits / 8);
}

MOTE_END_NAMESPACE
