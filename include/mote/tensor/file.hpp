// SPDX-License-Identifier: MIT
#pragma once
// write_file: a file is written beside its name and renamed when whole, so that a failure loses nothing.

#include <mote/tensor/error.hpp>

#include <cerrno>
#include <cstring>
#include <string_view>

MOTE_BEGIN_NAMESPACE

/// Replaces the file at `path` by `content`. Throws an Error that names the path and the system's reason; then the old
/// file, if there was one, is as it was.
inline void write_file(const std::string& path, std::string_view content) {
    const std::string beside = path + ".part";
    std::FILE* file = std::fopen(beside.c_str(), "wb");
    if (file == nullptr) {
        fail("cannot write '", path, "': ", std::strerror(errno), "; a path in a writable directory is expected");
    }
    bool written = std::fwrite(content.data(), 1, content.size(), file) == content.size();
    int reason = errno;
    if (std::fclose(file) != 0) {
        if (written) reason = errno;
        written = false;
    }
    if (written && std::rename(beside.c_str(), path.c_str()) != 0) {
        reason = errno;
        written = false;
    }
    if (!written) {
        std::remove(beside.c_str());
        fail("cannot write '", path, "': ", std::strerror(reason),
             "; a path to a file, or to nothing yet, on a disk with room is expected");
    }
}

MOTE_END_NAMESPACE
