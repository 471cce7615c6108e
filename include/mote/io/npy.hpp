// SPDX-License-Identifier: MIT
#pragma once
// NumPy's .npy files (NumPy enhancement proposal 1, versions 1 to 3): little-endian, C order.

#include <mote/io/mapped_file.hpp>
#include <mote/tensor/file.hpp>
#include <mote/tensor/tensor.hpp>

#include <string_view>

MOTE_BEGIN_NAMESPACE

/// An array as it lies in a file, which `file` keeps mapped.
struct NpyArray {
    Element element = Element::f32;
    Shape shape{};
    std::span<const std::byte> bytes{};
    FileBytes file{};

    /// The elements; V must be the element's type. Throws an Error that names both.
    template <class V>
    std::span<const V> values() const {
        using Tag = typename tag_of_value<V>::type;
        if (Tag::element != element) fail("the array is of ", element_name(element), ", not ", Tag::name);
        return {reinterpret_cast<const V*>(bytes.data()), shape.elements()};
    }
};

namespace detail {

struct NpyType {
    std::string_view code;
    Element element;
};
inline constexpr NpyType npy_types[] = {{"<f8", Element::f64}, {"<f4", Element::f32}, {"<f2", Element::f16},
                                        {"<i8", Element::i64}, {"<i4", Element::i32}, {"<i2", Element::i16},
                                        {"|i1", Element::i8},  {"|u1", Element::u8},  {"|b1", Element::b8}};

/// What follows `'key':` in a header's dictionary; empty where it does not stand there.
inline std::string_view npy_entry(std::string_view header, std::string_view key) {
    const std::size_t at = header.find(concat("'", key, "'"));
    if (at == std::string_view::npos) return {};
    const std::size_t colon = header.find(':', at + key.size() + 2);
    if (colon == std::string_view::npos) return {};
    const std::size_t begin = header.find_first_not_of(' ', colon + 1);
    return begin == std::string_view::npos ? std::string_view() : header.substr(begin);
}

}  // namespace detail

/// The array in the bytes of a .npy file; `name` stands in errors. Throws an Error that says what is wrong and what would do.
inline NpyArray read_npy(const std::string& name, FileBytes file) {
    auto refuse = [&](const auto&... part) { fail("'", name, "': ", part...); };
    const std::span<const std::byte> bytes = file.bytes;
    if (bytes.size() < 10 || std::memcmp(bytes.data(), "\x93NUMPY", 6) != 0) refuse("it is no .npy file");
    const int version = std::to_integer<int>(bytes[6]);
    if (version < 1 || version > 3) refuse("it has version ", version, "; 1 to 3 are supported");
    const std::size_t begin = version == 1 ? 10 : 12;
    std::size_t length = std::to_integer<std::size_t>(bytes[8]) | std::to_integer<std::size_t>(bytes[9]) << 8;
    if (version > 1 && bytes.size() >= 12) {
        length |= std::to_integer<std::size_t>(bytes[10]) << 16 | std::to_integer<std::size_t>(bytes[11]) << 24;
    }
    if (bytes.size() < begin || length > bytes.size() - begin) refuse("its header is longer than the file");
    const std::string_view header(reinterpret_cast<const char*>(bytes.data()) + begin, length);

    NpyArray array;
    const std::string_view type = detail::npy_entry(header, "descr");
    bool known = false;
    for (const detail::NpyType& t : detail::npy_types) {
        if (type.size() < 5 || type.substr(1, 3) != t.code || type[4] != type[0]) continue;
        array.element = t.element;
        known = true;
    }
    if (!known)
        refuse("its type is ", type.substr(0, 8), "; little-endian f8, f4, f2, i8, i4, i2, i1, u1 and b1 are supported");
    if (!detail::npy_entry(header, "fortran_order").starts_with("False"))
        refuse("it is in Fortran order; C order is supported");
    std::string_view extents = detail::npy_entry(header, "shape");
    if (!extents.starts_with("(") || extents.find(')') == std::string_view::npos) refuse("it has no shape");
    extents = extents.substr(1, extents.find(')') - 1);
    std::vector<std::size_t> axes;
    bool digits = false;
    for (std::size_t i = 0; i <= extents.size(); ++i) {
        const char c = i < extents.size() ? extents[i] : ',';
        if (c >= '0' && c <= '9') {
            if (!digits) axes.push_back(0);
            digits = true;
            if (axes.back() > Shape::absurd / 10) refuse("its shape is absurdly large");
            axes.back() = axes.back() * 10 + static_cast<std::size_t>(c - '0');
        } else if (c == ',' || c == ' ') {
            digits = false;
        } else {
            refuse("its shape is '(", extents.substr(0, 100), ")'; extents are expected");
        }
    }
    array.shape = make_shape(axes);
    const std::size_t count = checked_elements(array.shape, name.c_str());
    array.bytes = bytes.subspan(begin + length);
    const std::size_t expected = element_bytes(array.element, count);
    if (array.bytes.size() != expected) refuse("it holds ", array.bytes.size(), " bytes of data; its shape needs ", expected);
    array.file = aligned_bytes(std::move(file.owner), array.bytes, element_bytes(array.element, 1));
    array.bytes = array.file.bytes;
    if (array.element == Element::b8) {
        for (const std::byte b : array.bytes) {
            if (b > std::byte{1}) refuse("a truth value is ", std::to_integer<int>(b), "; 0 and 1 are expected");
        }
    }
    return array;
}

/// The array in the file at `path`.
inline NpyArray load_npy(const std::string& path) {
    return read_npy(path, map_file(path));
}

/// The bytes of a .npy file, version 1, that holds the tensor without its quantization.
template <class P>
std::string npy_bytes(const Tensor<P>& tensor) {
    static_assert(P::bits >= 8, "mote: packed elements have no type in .npy files");
    std::string header = "{'descr': '";
    for (const detail::NpyType& t : detail::npy_types) {
        if (t.element == P::element) header += t.code;
    }
    header += "', 'fortran_order': False, 'shape': (";
    for (const std::size_t extent : tensor.shape()) header += concat(extent, ",");
    header += ")}";
    header.append(63 - (header.size() + 10) % 64, ' ');
    header += '\n';
    std::string bytes("\x93NUMPY\x01\x00", 8);
    bytes += static_cast<char>(header.size() & 255);
    bytes += static_cast<char>(header.size() >> 8);
    bytes += header;
    bytes.append(reinterpret_cast<const char*>(tensor.data()), tensor.bytes());
    return bytes;
}

/// Writes the tensor (without its quantization) to `path`. Throws an Error that names the path.
template <class P>
void save_npy(const Tensor<P>& tensor, const std::string& path) {
    write_file(path, npy_bytes(tensor));
}

MOTE_END_NAMESPACE
