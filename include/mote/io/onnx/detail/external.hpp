// SPDX-License-Identifier: MIT
#pragma once
// External data: bytes of a tensor that lie in another file of the model's folder.

#include <mote/io/mapped_file.hpp>
#include <mote/io/onnx/detail/message.hpp>

#include <charconv>
#include <filesystem>
#include <map>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx {

/// Where a tensor's bytes lie, as the file states it.
struct ExternalEntry {
    std::string location{};
    std::string offset{};
    std::string length{};
};

class ExternalFiles {
  public:
    /// Without a folder every entry is refused.
    explicit ExternalFiles(std::string folder) : folder_(std::move(folder)) {}

    /// `needed` bytes at the entry's place. Throws where that lies outside of the folder or of a file in it.
    FileBytes bytes(const Place& place, const ExternalEntry& entry, std::uint64_t needed, std::size_t alignment) {
        Mapped& mapped = open(place, entry.location);
        const Bytes all = mapped.file.bytes;
        const std::uint64_t offset = number(place, "offset", entry.offset, 0);
        const std::uint64_t length = number(place, "length", entry.length, needed);
        if (length != needed) {
            place.refuse("its external data have ", length, " bytes; ", needed, " are expected by its shape and element type");
        }
        if (offset > all.size() || length > all.size() - offset) {
            place.refuse("its external data lie at bytes ", offset, " to ", offset, "+", length, " of '",
                         printable(entry.location), "', which has ", all.size());
        }
        FileBytes part = aligned_bytes(
            mapped.file.owner, all.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length)), alignment);
        if (part.owner != mapped.file.owner) {
            mapped.copied += length;  // else a small model could name one large part over and over
            if (mapped.copied > all.size()) {
                place.refuse("the tensors copy more of '", printable(entry.location), "' than its ", all.size(),
                             " bytes; offsets that are multiples of the element's size are expected");
            }
        }
        return part;
    }

  private:
    struct Mapped {
        FileBytes file{};
        std::uint64_t copied = 0;
    };

    static std::uint64_t number(const Place& place, const char* what, const std::string& text, std::uint64_t otherwise) {
        if (text.empty()) return otherwise;
        std::uint64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size()) {
            place.refuse("the ", what, " of its external data is '", printable(text), "'; a number of bytes is expected");
        }
        return value;
    }

    Mapped& open(const Place& place, const std::string& location) {
        if (const auto known = files_.find(location); known != files_.end()) return known->second;
        const std::string shown = printable(location);
        const char* const expected = "'; a file inside the model's folder is expected";
        if (folder_.empty()) {
            place.refuse("its data lie in the file '", shown,
                         "', but the model was not read from a folder; "
                         "a model with its data inside, or a path, is expected");
        }
        const std::filesystem::path relative(location);
        const bool climbs = std::any_of(relative.begin(), relative.end(), [](const auto& part) { return part == ".."; });
        if (location.empty() || location.find('\0') != std::string::npos || relative.has_root_path() || climbs) {
            place.refuse("its data lie in '", shown, expected);
        }
        std::error_code error;
        const std::filesystem::path folder = std::filesystem::canonical(folder_, error);
        if (error) place.refuse("the model's folder '", folder_, "' cannot be read: ", error.message());
        const std::filesystem::path file = std::filesystem::canonical(folder / relative, error);
        if (error) place.refuse("its data lie in '", shown, "', which cannot be read (", error.message(), ")", expected + 1);
        const auto [in_folder, in_file] = std::mismatch(folder.begin(), folder.end(), file.begin(), file.end());
        if (in_folder != folder.end()) place.refuse("its data lie in '", shown, "', a link to '", file.string(), expected);
        if (!std::filesystem::is_regular_file(file, error)) {
            place.refuse("its data lie in '", shown, "', which is not a regular file", expected + 1);
        }
        return files_.emplace(location, Mapped{map_file(file.string())}).first->second;
    }

    std::string folder_;
    std::map<std::string, Mapped> files_{};
};

}  // namespace detail::onnx

MOTE_END_NAMESPACE
