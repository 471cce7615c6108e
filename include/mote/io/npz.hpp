// SPDX-License-Identifier: MIT
#pragma once
// NumPy's .npz files: ZIP archives (PKWARE's APPNOTE 6.3, sections in the comments) of .npy files, stored or deflated by zlib.

#include <mote/io/npy.hpp>

#include <zlib.h>

#include <algorithm>

MOTE_BEGIN_NAMESPACE

namespace detail::zip {

/// The records' signatures and sizes without what varies (4.3.7, 4.3.12, 4.3.16).
inline constexpr std::uint32_t local_signature = 0x04034b50, central_signature = 0x02014b50, end_signature = 0x06054b50;
inline constexpr std::size_t local_bytes = 30, central_bytes = 46, end_bytes = 22;
/// What a field of 2 or 4 bytes holds where ZIP64 has the value (4.4.1.4).
inline constexpr std::uint32_t elsewhere16 = 0xffff, elsewhere32 = 0xffffffff;
inline constexpr std::uint32_t stored = 0, deflated = 8;  // 4.4.5
inline constexpr std::uint32_t encrypted = 1;             // 4.4.4
/// Deflate's shortest code for its longest match takes 2 bits and stands for 258 bytes.
inline constexpr std::size_t most_expansion = 1032;

inline std::uint32_t get16(std::span<const std::byte> bytes, std::size_t at) {
    return std::to_integer<std::uint32_t>(bytes[at]) | std::to_integer<std::uint32_t>(bytes[at + 1]) << 8;
}
inline std::uint32_t get32(std::span<const std::byte> bytes, std::size_t at) {
    return get16(bytes, at) | get16(bytes, at + 2) << 16;
}
inline void put(std::string& to, std::initializer_list<std::pair<std::uint32_t, int>> fields) {
    for (const auto& [value, bytes] : fields) {
        for (int i = 0; i < bytes; ++i) to += static_cast<char>(value >> 8 * i & 255);
    }
}

inline std::uint32_t crc(const void* bytes, std::size_t count) {
    return static_cast<std::uint32_t>(::crc32_z(0, static_cast<const Bytef*>(bytes), count));
}

/// The raw deflate stream's bytes; false where it does not make exactly `to`.
inline bool inflate_all(std::span<const std::byte> from, std::span<std::byte> to) {
    ::z_stream stream{};
    if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) return false;
    std::byte none{};
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(from.data()));
    stream.avail_in = static_cast<uInt>(from.size());
    stream.next_out = reinterpret_cast<Bytef*>(to.empty() ? &none : to.data());
    stream.avail_out = static_cast<uInt>(to.size());
    const int result = ::inflate(&stream, Z_FINISH);
    const bool whole = result == Z_STREAM_END && stream.avail_in == 0 && stream.avail_out == 0;
    ::inflateEnd(&stream);
    return whole;
}

/// The raw deflate stream of these bytes; none where memory is short.
inline std::string deflate_all(std::string_view from) {
    ::z_stream stream{};
    if (::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) return {};
    std::string to(::deflateBound(&stream, static_cast<uLong>(from.size())), '\0');
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(from.data()));
    stream.avail_in = static_cast<uInt>(from.size());
    stream.next_out = reinterpret_cast<Bytef*>(to.data());
    stream.avail_out = static_cast<uInt>(to.size());
    const int result = ::deflate(&stream, Z_FINISH);
    to.resize(result == Z_STREAM_END ? to.size() - stream.avail_out : 0);
    ::deflateEnd(&stream);
    return to;
}

}  // namespace detail::zip

struct NpzOptions {
    std::size_t expansion_limit = std::size_t{1} << 30;  ///< bytes that all deflated arrays together may need
};

/// The arrays in a .npz file. Each is read when it is asked for; one that is stored without compression borrows from the file.
class NpzFile {
  public:
    /// Reads the archive's directory; `name` stands in errors. Throws an Error that says what is wrong and what would do.
    NpzFile(std::string name, FileBytes file, const NpzOptions& options = {}) : name_(std::move(name)), file_(std::move(file)) {
        read_directory(options);
    }

    /// The arrays' names (without ".npy") in the file's order. What else the archive holds is left alone.
    std::vector<std::string> names() const {
        std::vector<std::string> result;
        for (const Member& m : members_) result.push_back(m.name);
        return result;
    }
    /// The array of that name. Throws an Error that lists the names there are, or says what is wrong with the array.
    NpyArray array(std::string_view wanted) const {
        const auto found = std::find_if(members_.begin(), members_.end(), [&](const Member& m) { return m.name == wanted; });
        if (found != members_.end()) return read_npy(concat(name_, "' array '", found->name), content(*found));
        std::string all;
        for (const Member& m : members_) all += concat(all.empty() ? "" : ", ", m.name);
        refuse("it holds no array '", wanted, "'; there ", all.empty() ? "are none" : "are ", all);
    }

  private:
    struct Member {
        std::string name;
        std::uint32_t method = 0, crc = 0;
        std::size_t packed = 0, bytes = 0;  ///< in the file, and as an array
        std::size_t at = 0;                 ///< of the local header
    };

    template <class... Part>
    [[noreturn]] void refuse(const Part&... part) const {
        fail("'", name_, "': ", part...);
    }

    /// Where the end record stands: the last place that leaves room for the comment it states (4.3.16).
    std::size_t end_record() const {
        const std::span<const std::byte> bytes = file_.bytes;
        for (std::size_t after = detail::zip::end_bytes;
             after <= bytes.size() && after <= detail::zip::end_bytes + detail::zip::elsewhere16; ++after) {
            const std::size_t at = bytes.size() - after;
            if (detail::zip::get32(bytes, at) != detail::zip::end_signature) continue;
            if (detail::zip::get16(bytes, at + 20) == after - detail::zip::end_bytes) return at;
        }
        refuse("it is no .npz file, or its end is missing");
    }

    void read_directory(const NpzOptions& options) {
        using namespace detail::zip;
        const std::span<const std::byte> bytes = file_.bytes;
        const std::size_t end = end_record();
        const std::size_t count = get16(bytes, end + 10), size = get32(bytes, end + 12);
        directory_ = get32(bytes, end + 16);
        if (count == elsewhere16 || size == elsewhere32 || directory_ == elsewhere32) refuse_zip64();
        if (get16(bytes, end + 4) != 0 || get16(bytes, end + 6) != 0 || get16(bytes, end + 8) != count) {
            refuse("it is one of several volumes; a whole archive is expected");
        }
        if (size > end || directory_ > end - size) refuse("its directory does not lie in the file");
        std::size_t at = directory_, expanded = 0;
        const std::size_t directory_end = directory_ + size;
        for (std::size_t i = 0; i < count; ++i) {
            if (directory_end - at < central_bytes || get32(bytes, at) != central_signature) refuse("its directory is damaged");
            const std::size_t name = get16(bytes, at + 28);
            const std::size_t whole = central_bytes + name + get16(bytes, at + 30) + get16(bytes, at + 32);
            if (whole > directory_end - at) refuse("its directory is damaged");
            Member m{text(at + central_bytes, name), get16(bytes, at + 10), get32(bytes, at + 16),
                     get32(bytes, at + 20),          get32(bytes, at + 24), get32(bytes, at + 42)};
            const std::uint32_t flags = get16(bytes, at + 8);
            at += whole;
            if (!m.name.ends_with(".npy")) continue;
            m.name.resize(m.name.size() - 4);
            if (m.packed == elsewhere32 || m.bytes == elsewhere32 || m.at == elsewhere32) refuse_zip64();
            if ((flags & encrypted) != 0) refuse("array '", m.name, "' is encrypted; plain ones are supported");
            if (m.method != stored && m.method != deflated) {
                refuse("array '", m.name, "' is packed by method ", m.method, "; stored and deflated ones are supported");
            }
            const bool possible = m.method == stored ? m.bytes == m.packed : m.bytes / most_expansion <= m.packed;
            if (!possible) refuse("array '", m.name, "' cannot have ", m.bytes, " bytes, of ", m.packed, " in the file");
            if (m.method == deflated) expanded += m.bytes;
            members_.push_back(std::move(m));
        }
        if (at != directory_end) refuse("its directory goes on behind its ", count, " entries");
        if (expanded > options.expansion_limit) {
            refuse("its arrays expand to ", expanded, " bytes; up to ", options.expansion_limit, " are accepted");
        }
        std::vector<std::string> sorted = names();
        std::sort(sorted.begin(), sorted.end());
        const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
        if (twice != sorted.end()) refuse("two arrays are named '", *twice, "'");
    }

    [[noreturn]] void refuse_zip64() const { refuse("it needs ZIP64; archives and arrays below 4 GiB are supported"); }

    std::string text(std::size_t at, std::size_t count) const {
        return std::string(reinterpret_cast<const char*>(file_.bytes.data()) + at, count);
    }

    /// The bytes of the .npy file within the archive.
    FileBytes content(const Member& m) const {
        using namespace detail::zip;
        const std::span<const std::byte> bytes = file_.bytes.first(directory_);
        const auto damaged = [&](const char* what) { refuse("array '", m.name, "': ", what); };
        if (m.at > bytes.size() || bytes.size() - m.at < local_bytes || get32(bytes, m.at) != local_signature) {
            damaged("its header is not where the directory says");
        }
        const std::size_t name = get16(bytes, m.at + 26), begin = local_bytes + name + get16(bytes, m.at + 28);
        if (begin > bytes.size() - m.at || m.packed > bytes.size() - m.at - begin) damaged("it does not lie in the file");
        if (text(m.at + local_bytes, name) != m.name + ".npy") damaged("its header has another name than the directory");
        if (get16(bytes, m.at + 8) != m.method) damaged("its header states another method than the directory");
        FileBytes result{file_.owner, bytes.subspan(m.at + begin, m.packed)};
        if (m.method == deflated) {
            const std::shared_ptr<std::byte> memory = allocate_bytes(m.bytes);
            if (!inflate_all(result.bytes, {memory.get(), m.bytes})) damaged("its deflated data are damaged");
            result = {memory, {memory.get(), m.bytes}};
        }
        if (crc(result.bytes.data(), result.bytes.size()) != m.crc) damaged("its checksum is wrong: the file is damaged");
        return result;
    }

    std::string name_;
    FileBytes file_;
    std::size_t directory_ = 0;
    std::vector<Member> members_;
};

/// The arrays in the file at `path`.
inline NpzFile load_npz(const std::string& path, const NpzOptions& options = {}) {
    return NpzFile(path, map_file(path), options);
}

/// An array to write: its name without ".npy", and npy_bytes of the tensor.
struct NpzMember {
    std::string name;
    std::string npy;
};

struct NpzWriteOptions {
    bool compress = true;  ///< deflate, as numpy.savez_compressed; else store, as numpy.savez
};

/// Writes the arrays to `path`; the same arrays make the same bytes. Throws an Error that names the path, for a name that is
/// empty, taken or longer than 65,000 bytes, and for an archive of 4 GiB or more.
inline void save_npz(const std::vector<NpzMember>& arrays, const std::string& path, const NpzWriteOptions& options = {}) {
    using namespace detail::zip;
    constexpr std::uint32_t version = 20, first_day = 0x21;  // of the format that knows deflate; 1 January 1980
    const auto limited = [&](std::size_t bytes) {
        if (bytes >= elsewhere32) fail("cannot write '", path, "': archives and arrays below 4 GiB are supported");
        return static_cast<std::uint32_t>(bytes);
    };
    if (arrays.size() >= elsewhere16) fail("cannot write '", path, "': ", arrays.size(), " arrays; up to 65,534 are supported");
    std::string file, directory;
    std::vector<std::string_view> names;
    for (const NpzMember& array : arrays) {
        if (array.name.empty() || array.name.size() > 65'000) {
            fail("cannot write '", path, "': an array's name has ", array.name.size(), " bytes; 1 to 65,000 are accepted");
        }
        names.push_back(array.name);
        const std::string name = array.name + ".npy";
        const std::uint32_t bytes = limited(array.npy.size()), at = limited(file.size());
        const std::string packed = options.compress ? deflate_all(array.npy) : std::string();
        const bool smaller = !packed.empty() && packed.size() < array.npy.size();
        const std::string& data = smaller ? packed : array.npy;
        const auto header = [&](std::string& to) {
            put(to, {{version, 2}, {0, 2}, {smaller ? deflated : stored, 2}, {0, 2}, {first_day, 2}});
            put(to, {{crc(array.npy.data(), array.npy.size()), 4}, {limited(data.size()), 4}, {bytes, 4}});
            put(to, {{static_cast<std::uint32_t>(name.size()), 2}, {0, 2}});
        };
        put(file, {{local_signature, 4}});
        header(file);
        file += name;
        file += data;
        put(directory, {{central_signature, 4}, {version, 2}});
        header(directory);
        put(directory, {{0, 2}, {0, 2}, {0, 2}, {0, 4}, {at, 4}});
        directory += name;
    }
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) fail("cannot write '", path, "': two arrays are named '", *twice, "'");
    const auto count = static_cast<std::uint32_t>(arrays.size());
    const std::uint32_t directory_at = limited(file.size()), directory_bytes = limited(directory.size());
    file += directory;
    put(file, {{end_signature, 4}, {0, 2}, {0, 2}, {count, 2}, {count, 2}, {directory_bytes, 4}, {directory_at, 4}, {0, 2}});
    write_file(path, file);
}

MOTE_END_NAMESPACE
