// SPDX-License-Identifier: MIT
#pragma once
// read_tensor: one tensor of an ONNX file, its data raw, in typed fields or in another file, as little-endian bytes.

#include <mote/io/onnx/detail/external.hpp>
#include <mote/io/onnx/detail/message.hpp>
#include <mote/io/onnx/detail/value.hpp>

#include <bit>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx {

static_assert(std::endian::native == std::endian::little, "mote: ONNX files are read and written on little-endian machines");

/// What a tensor's message says about its data, before any is unpacked.
struct DataParts {
    Bytes raw{};
    std::uint32_t field = 0;  ///< the typed field that holds data; 0 for none
    std::size_t numbers = 0;  ///< how many it holds
    bool in_file = false;     ///< whether the data lie in another file
    ExternalEntry external{};
};

/// One name and text of external data.
inline void external_entry(const Place& place, Bytes bytes, ExternalEntry& entry) {
    std::string key, value;
    Message m(place, bytes);
    while (m.next()) {
        switch (m.field()) {
            case EntryField::key:
                key = m.text();
                break;
            case EntryField::value:
                value = m.text();
                break;
            default:
                m.skip();
        }
    }
    if (key == "location") entry.location = value;
    if (key == "offset") entry.offset = value;
    if (key == "length") entry.length = value;
}

/// Everything but the numbers of typed fields, which are counted.
inline DataParts tensor_parts(const Place& place, Bytes bytes, OnnxTensor& tensor) {
    DataParts parts;
    Message m(place, bytes);
    while (m.next()) {
        switch (m.field()) {
            case TensorField::name:
                tensor.name = m.text();
                break;
            case TensorField::dims:
                m.integers([&](std::int64_t extent) { tensor.dims.push_back(extent); });
                break;
            case TensorField::data_type:
                tensor.element = read_element(place, m.integer());
                break;
            case TensorField::raw_data:
                parts.raw = m.bytes();
                break;
            case TensorField::string_data:
                tensor.strings.push_back(m.text());
                break;
            case TensorField::float_data:
            case TensorField::int32_data:
            case TensorField::int64_data:
            case TensorField::double_data:
            case TensorField::uint64_data: {
                const std::uint32_t field = m.field();
                const std::size_t count = m.count(data_field(field).fixed_bytes);
                if (count == 0) break;
                if (parts.field != 0 && parts.field != field) {
                    place.refuse("it holds ", data_field(parts.field).name, " and ", data_field(field).name,
                                 "; one is expected");
                }
                parts.field = field;
                parts.numbers += count;
                break;
            }
            case TensorField::external_data:
                external_entry(place, m.bytes(), parts.external);
                break;
            case TensorField::data_location:
                parts.in_file = m.integer() == 1;
                break;
            case TensorField::segment:
                place.refuse(
                    "it is a segment of a tensor, a sequence or an optional, which are not supported; "
                    "one whole tensor is expected");
            default:
                m.skip();
        }
    }
    return parts;
}

/// The numbers of the typed field, each in the bytes that the element takes.
inline FileBytes unpacked(const Place& place, Bytes message, const DataParts& parts, OnnxElement element, std::size_t needed) {
    const std::shared_ptr<std::byte> memory = allocate_bytes(needed);
    std::size_t at = 0;
    auto put = [&](const auto& number, std::size_t bytes) {
        if (bytes > needed - at) place.refuse("its data changed while they were read; a file that rests is expected");
        std::memcpy(memory.get() + at, &number, bytes);
        at += bytes;
    };
    const std::size_t width = std::clamp<std::size_t>(onnx_element_bits(element) / 8, 1, 8);
    const std::int64_t most = width == 8 ? 0 : (std::int64_t{1} << (8 * width)) - 1;  // 8 bytes hold any number
    auto put_integer = [&](std::int64_t number) {
        if (width < 8 && (number > most || number < -(most / 2) - 1)) {
            place.refuse("its ", data_field(parts.field).name, " holds ", number, ", which does not fit ", info(element).name);
        }
        put(number, width);
    };
    Message m(place, message);
    while (m.next()) {
        if (m.field() != parts.field) {
            m.skip();
        } else if (parts.field == TensorField::float_data) {
            m.reals<float>([&](float number) { put(number, sizeof number); });
        } else if (parts.field == TensorField::double_data) {
            m.reals<double>([&](double number) { put(number, sizeof number); });
        } else {
            m.integers(put_integer);
        }
    }
    return {memory, {memory.get(), needed}};
}

/// The tensor's data, once the rest of it is known.
inline void read_data(const Place& place, const FileBytes& message, const DataParts& parts, ExternalFiles& files,
                      OnnxTensor& tensor) {
    const OnnxElement element = tensor.element;
    const char* const name = info(element).name;
    const std::optional<std::uint64_t> count = onnx_elements(tensor.dims);
    if (!count) place.refuse("its dims are negative or too large; extents whose product fits memory are expected");
    const bool numbers = parts.field != 0 || !parts.raw.empty() || parts.in_file;
    if (element == OnnxElement::string) {
        if (numbers) place.refuse("its elements are strings, but it holds numbers; string_data are expected");
        if (tensor.strings.size() != *count) {
            place.refuse("it holds ", tensor.strings.size(), " strings; ", *count, " are expected by its dims");
        }
        return;
    }
    if (!tensor.strings.empty()) place.refuse("it is of ", name, ", but it holds strings; numbers are expected");
    const std::uint64_t needed = onnx_bytes(element, *count);
    const std::size_t alignment = std::clamp<std::size_t>(info(element).bits / 8, 1, 8);
    if (parts.in_file) {
        if (parts.field != 0 || !parts.raw.empty()) {
            place.refuse("its data lie in another file and in the model; one of them is expected");
        }
        tensor.data = files.bytes(place, parts.external, needed, alignment);
    } else if (parts.field == 0) {
        if (parts.raw.size() != needed) {
            place.refuse("it holds ", parts.raw.size(), " bytes of data; ", needed, " are expected by its dims and ", name);
        }
        tensor.data = aligned_bytes(message.owner, parts.raw, alignment);
    } else {
        if (!parts.raw.empty()) {
            place.refuse("it holds raw_data and ", data_field(parts.field).name, "; one of them is expected");
        }
        if (parts.field != info(element).field) {
            place.refuse("it is of ", name, ", but it holds ", data_field(parts.field).name, "; raw_data or ",
                         data_field(info(element).field).name, " are expected");
        }
        const bool complex = element == OnnxElement::complex64 || element == OnnxElement::complex128;
        const std::uint64_t wanted = complex ? 2 * *count : info(element).bits < 8 ? needed : *count;
        if (parts.numbers != wanted) {
            place.refuse("its ", data_field(parts.field).name, " holds ", parts.numbers, " numbers; ", wanted,
                         " are expected by its dims");
        }
        tensor.data = unpacked(place, message.bytes, parts, element, static_cast<std::size_t>(needed));
    }
    if (element == OnnxElement::boolean &&
        std::ranges::any_of(tensor.data.bytes, [](std::byte b) { return (b & std::byte{254}) != std::byte{0}; })) {
        place.refuse("it is of bool and holds other bytes than 0 and 1; these are expected");
    }
}

/// Reads the message into `tensor`; its data borrow from the file where they can.
inline void read_tensor(const Place& place, const FileBytes& message, ExternalFiles& files, OnnxTensor& tensor) {
    const DataParts parts = tensor_parts(place, message.bytes, tensor);
    if (tensor.element == OnnxElement::undefined)
        place.refuse("it has no element type; 1 to ", element_infos.size() - 1, " are expected");
    read_data(place, message, parts, files, tensor);
}

/// Throws where a sparse tensor's parts do not fit each other or an index lies outside.
inline void check_sparse(const Place& place, const OnnxSparseTensor& sparse) {
    const std::optional<std::uint64_t> elements = onnx_elements(sparse.dims);
    if (!elements) place.refuse("its dims are negative or too large; extents whose product fits memory are expected");
    const std::vector<std::int64_t>& shape = sparse.indices.dims;
    const std::size_t rank = sparse.dims.size();
    const bool linear = shape.size() == 1;
    const bool fits = sparse.values.dims.size() == 1 && sparse.indices.element == OnnxElement::int64 && !shape.empty() &&
                      shape[0] == sparse.values.dims[0] &&
                      (linear || (shape.size() == 2 && shape[1] == static_cast<std::int64_t>(rank)));
    if (!fits) place.refuse("its parts do not fit; values [n] and int64 indices [n] or [n, ", rank, "] are expected");
    const Bytes bytes = sparse.indices.data.bytes;
    for (std::size_t i = 0; i < bytes.size() / 8; ++i) {
        std::int64_t index;
        std::memcpy(&index, bytes.data() + 8 * i, 8);
        const std::uint64_t extent = linear ? *elements : static_cast<std::uint64_t>(sparse.dims[i % rank]);
        if (index < 0 || static_cast<std::uint64_t>(index) >= extent) {
            place.refuse("it has index ", index, "; indices from 0 to below ", extent, " are expected");
        }
    }
}

}  // namespace detail::onnx

MOTE_END_NAMESPACE
