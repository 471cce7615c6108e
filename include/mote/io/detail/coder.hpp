// SPDX-License-Identifier: MIT
#pragma once
// How the .mote file codes integers, texts, shapes and quantization, and its checksum.

#include <mote/model/value.hpp>

#include <bit>
#include <cstring>
#include <span>

MOTE_BEGIN_NAMESPACE

namespace detail::mote_file {

static_assert(std::endian::native == std::endian::little, "mote: .mote files are read and written on little-endian machines");

/// Each step is a bijection of its lane, so that a change of any one word changes the sum.
inline std::uint64_t checksum(const std::byte* bytes, std::size_t count) noexcept {
    constexpr std::uint64_t odd = 0x9e3779b97f4a7c15u;
    std::uint64_t lane[4] = {1, 2, 3, 4};
    auto mix = [](std::uint64_t sum, std::uint64_t word) { return std::rotl((sum ^ word) * odd, 29); };
    std::size_t at = 0;
    for (; at + 32 <= count; at += 32) {
        std::uint64_t words[4];
        std::memcpy(words, bytes + at, 32);
        for (int i = 0; i < 4; ++i) lane[i] = mix(lane[i], words[i]);
    }
    for (; at < count; at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes + at, std::min<std::size_t>(8, count - at));
        lane[at / 8 % 4] = mix(lane[at / 8 % 4], word);
    }
    std::uint64_t sum = count;
    for (const std::uint64_t value : lane) sum = mix(sum, value);
    return sum;
}

class Out {
  public:
    void raw(const void* from, std::size_t count) { bytes_.append(static_cast<const char*>(from), count); }
    template <class T>
    void fixed(T value) {
        raw(&value, sizeof value);
    }
    void natural(std::uint64_t value) {
        for (; value >= 128; value >>= 7) bytes_ += static_cast<char>((value & 127) | 128);
        bytes_ += static_cast<char>(value);
    }
    void integer(std::int64_t value) {
        natural((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
    }
    void text(std::string_view value) {
        natural(value.size());
        raw(value.data(), value.size());
    }
    void align(std::size_t alignment) { bytes_.resize(align_up(bytes_.size(), alignment)); }
    std::string& bytes() noexcept { return bytes_; }

  private:
    std::string bytes_;
};

inline void put(Out& out, const Shape& shape) {
    out.natural(shape.rank());
    for (const std::size_t extent : shape) out.natural(extent);
}
inline void put(Out& out, const Quantization& q) {
    out.natural(q.scale.size());
    if (q.scale.empty()) return;
    out.natural(q.axis);
    for (const float scale : q.scale) out.fixed(scale);
    const bool symmetric = q.zero_point == std::vector<std::int32_t>(q.scale.size(), 0);
    out.natural(symmetric ? 0 : 1);
    if (symmetric) return;
    for (const std::int32_t zero : q.zero_point) out.integer(zero);
}
inline void put_integers(Out& out, std::initializer_list<std::size_t> values) {
    out.natural(values.size());
    for (const std::size_t value : values) out.integer(static_cast<std::int64_t>(value));
}

/// Reads what Out wrote and never beyond it; `what` names the file.
class In {
  public:
    In(const std::string& what, std::span<const std::byte> bytes) : what_(what), bytes_(bytes) {}

    template <class... Part>
    [[noreturn]] void refuse(const Part&... part) const {
        fail("'", what_, "': ", part..., "; a file written by mote::save is expected");
    }
    const std::byte* raw(std::size_t count) {
        if (count > bytes_.size() - at_) refuse("the table ends too early");
        at_ += count;
        return bytes_.data() + (at_ - count);
    }
    template <class T>
    T fixed() {
        T value;
        std::memcpy(&value, raw(sizeof value), sizeof value);
        return value;
    }
    MOTE_NEVER_INLINE std::uint64_t natural() {  // tables are short, and what reads them is to be small
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const auto byte = std::to_integer<std::uint64_t>(*raw(1));
            value |= (byte & 127) << shift;
            if (byte < 128) return value;
        }
        refuse("an integer has more than 64 bits");
    }
    std::int64_t integer() {
        const std::uint64_t value = natural();
        return static_cast<std::int64_t>((value >> 1) ^ (0 - (value & 1)));
    }
    /// A length of items of at least `bytes` bytes each.
    std::size_t length(std::size_t bytes = 1) {
        const std::uint64_t count = natural();
        if (count > (bytes_.size() - at_) / bytes) refuse("a list is longer than the table");
        return static_cast<std::size_t>(count);
    }
    MOTE_NEVER_INLINE std::string text() {
        const std::size_t count = length();
        return std::string(reinterpret_cast<const char*>(raw(count)), count);
    }
    ValueId id(std::size_t values) {
        const std::uint64_t id = natural();
        if (id >= values) refuse("value ", id, " is used; the model has ", values);
        return static_cast<ValueId>(id);
    }
    bool at_end() const noexcept { return at_ == bytes_.size(); }

  private:
    const std::string& what_;
    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
};

MOTE_NEVER_INLINE Shape get_shape(In& in) {
    const std::size_t rank = in.length();
    if (rank > Shape::max_rank) in.refuse("a shape has rank ", rank);
    Shape shape = Shape::ones(rank);
    for (std::size_t axis = 0; axis < rank; ++axis) shape[axis] = static_cast<std::size_t>(in.natural());
    return shape;
}
inline Element get_element(In& in) {
    const std::uint64_t element = in.natural();
    if (element >= element_count) in.refuse("element ", element, " is unknown");
    return static_cast<Element>(element);
}
MOTE_NEVER_INLINE Quantization get_quantization(In& in) {
    Quantization q;
    const std::size_t count = in.length(sizeof(float));
    if (count == 0) return q;
    q.axis = static_cast<std::size_t>(in.natural());
    q.zero_point.assign(count, 0);
    for (std::size_t i = 0; i < count; ++i) q.scale.push_back(in.fixed<float>());
    if (in.natural() == 0) return q;
    for (std::int32_t& zero : q.zero_point) zero = static_cast<std::int32_t>(in.integer());
    return q;
}
MOTE_NEVER_INLINE std::vector<std::int64_t> get_integers(In& in) {
    std::vector<std::int64_t> values(in.length());
    for (std::int64_t& value : values) value = in.integer();
    return values;
}
/// `count` integers.
MOTE_NEVER_INLINE std::vector<std::int64_t> get_integers(In& in, std::size_t count) {
    std::vector<std::int64_t> values = get_integers(in);
    if (values.size() != count) in.refuse("a field has ", values.size(), " numbers where ", count, " are expected");
    return values;
}

}  // namespace detail::mote_file

MOTE_END_NAMESPACE
