// SPDX-License-Identifier: MIT
#pragma once
// Message: the fields of one message of an ONNX file; whatever is wrong becomes an Error that names the place.

#include <mote/tensor/error.hpp>

#include <protozero/pbf_reader.hpp>

#include <algorithm>
#include <span>
#include <vector>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx {

/// How deep messages may stand in each other; about 33 graphs.
inline constexpr std::size_t depth_limit = 100;

/// A name or path of the file as an error shows it: at most 200 characters, none that ends or breaks the text.
inline std::string printable(const std::string& text) {
    std::string result = text.substr(0, 200);
    for (char& c : result) c = static_cast<unsigned char>(c) < 32 || c == 127 ? '?' : c;
    return result.size() < text.size() ? result + "..." : result;
}

/// What is being read: a file, or a part of another place. The names may still be unread while the place stands.
class Place {
  public:
    explicit Place(const std::string& file) noexcept : name_(file) {}
    Place(const Place& outer, const char* kind, const std::string& name, std::size_t index, const std::string* type = nullptr)
        : outer_(&outer), kind_(kind), name_(name), type_(type), index_(index), depth_(outer.depth_ + 1) {
        if (depth_ > depth_limit) {
            file().refuse("its messages are nested more than ", depth_limit, " deep; at most ", depth_limit, " are read");
        }
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    template <class... Part>
    [[noreturn]] void refuse(const Part&... part) const {
        fail(text(), part...);
    }

  private:
    const Place& file() const noexcept {
        const Place* place = this;
        while (place->outer_ != nullptr) place = place->outer_;
        return *place;
    }
    std::string text() const {
        if (outer_ == nullptr) return concat("'", name_, "': ");
        std::string text = concat(outer_->text(), kind_, " ");
        text += name_.empty() ? concat("number ", index_) : concat("'", printable(name_), "'");
        if (type_ != nullptr && !type_->empty()) text += concat(" (", printable(*type_), ")");
        return text + ": ";
    }

    const Place* outer_ = nullptr;
    const char* kind_ = "";
    const std::string& name_;
    const std::string* type_ = nullptr;
    std::size_t index_ = 0;
    std::size_t depth_ = 0;
};

using Bytes = std::span<const std::byte>;

class Message {
  public:
    Message(const Place& place, Bytes bytes)
        : place_(place), reader_(reinterpret_cast<const char*>(bytes.data()), bytes.size()) {}

    /// Goes to the next field; each must be taken or skipped.
    bool next() {
        return guarded([&] { return reader_.next(); });
    }
    std::uint32_t field() const noexcept { return reader_.tag(); }
    void skip() {
        guarded([&] { reader_.skip(); });
    }
    std::int64_t integer() {
        expect(protozero::pbf_wire_type::varint, "an integer");
        return guarded([&] { return reader_.get_int64(); });
    }
    float real() {
        expect(protozero::pbf_wire_type::fixed32, "a float");
        return guarded([&] { return reader_.get_float(); });
    }
    Bytes bytes() {
        expect(protozero::pbf_wire_type::length_delimited, "a text or a message");
        const protozero::data_view view = guarded([&] { return reader_.get_view(); });
        return {reinterpret_cast<const std::byte*>(view.data()), view.size()};
    }
    std::string text() {
        const Bytes view = bytes();
        return std::string(reinterpret_cast<const char*>(view.data()), view.size());
    }
    /// each(integer) for the field's integers, packed or alone.
    template <class Each>
    void integers(Each each) {
        if (!packed()) return each(integer());
        guarded([&] {
            for (const std::int64_t value : reader_.get_packed_int64()) each(value);
        });
    }
    /// each(number) for the field's float or double, packed or alone.
    template <class T, class Each>
    void reals(Each each) {
        constexpr bool single = sizeof(T) == 4;
        if (!packed()) {
            expect(single ? protozero::pbf_wire_type::fixed32 : protozero::pbf_wire_type::fixed64, "a number");
        }
        guarded([&] {
            if constexpr (single) {
                if (!packed()) return each(reader_.get_float());
                for (const float value : reader_.get_packed_float()) each(value);
            } else {
                if (!packed()) return each(reader_.get_double());
                for (const double value : reader_.get_packed_double()) each(value);
            }
        });
    }
    /// Skips the field and tells how many numbers it holds, of `fixed_bytes` bytes each, or varints.
    std::size_t count(std::size_t fixed_bytes) {
        if (!packed()) {
            skip();
            return 1;
        }
        const Bytes view = bytes();
        if (fixed_bytes != 0) return view.size() / fixed_bytes;
        return static_cast<std::size_t>(
            std::ranges::count_if(view, [](std::byte b) { return (b & std::byte{128}) == std::byte{0}; }));
    }

  private:
    bool packed() const noexcept { return reader_.has_wire_type(protozero::pbf_wire_type::length_delimited); }
    void expect(protozero::pbf_wire_type type, const char* wanted) const {
        if (!reader_.has_wire_type(type)) {
            place_.refuse("field ", reader_.tag(), " has the wrong wire type; ", wanted, " is expected");
        }
    }
    template <class Action>
    auto guarded(Action action) -> decltype(action()) {
        try {
            return action();
        } catch (const protozero::exception& error) {
            place_.refuse("its bytes are damaged or cut short (", error.what(), "); a whole ONNX file is expected");
        }
    }

    const Place& place_;
    protozero::pbf_reader reader_;
};

}  // namespace detail::onnx

MOTE_END_NAMESPACE
