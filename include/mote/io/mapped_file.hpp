// SPDX-License-Identifier: MIT
#pragma once
// map_file: the bytes of a file without a copy, where the system can map it; else read once.

#include <mote/tensor/error.hpp>
#include <mote/tensor/storage.hpp>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <span>

#if defined(__unix__) || defined(__APPLE__)
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

MOTE_BEGIN_NAMESPACE

/// Bytes, and what keeps them alive.
struct FileBytes {
    std::shared_ptr<const void> owner;
    std::span<const std::byte> bytes;
};

/// The bytes as they are where their address suits elements of `alignment`, else a copy.
inline FileBytes aligned_bytes(std::shared_ptr<const void> owner, std::span<const std::byte> bytes, std::size_t alignment) {
    if (bytes.empty()) return {};
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignment == 0) return {std::move(owner), bytes};
    const std::shared_ptr<std::byte> copy = allocate_bytes(bytes.size());
    std::memcpy(copy.get(), bytes.data(), bytes.size());
    return {copy, {copy.get(), bytes.size()}};
}

namespace detail {
[[noreturn]] inline void cannot_read(const std::string& path, const char* reason) {
    fail("cannot read '", path, "': ", reason, "; a readable file is expected");
}
}  // namespace detail

/// The file's bytes, aligned as storage is. Replacing the file by renaming another over it is safe while they are used;
/// writing into it is not. Throws an Error that names the path and the system's reason.
inline FileBytes map_file(const std::string& path) {
#if defined(__unix__) || defined(__APPLE__)
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) detail::cannot_read(path, std::strerror(errno));
    struct ::stat status {};
    const char* reason = nullptr;
    void* memory = nullptr;
    std::size_t size = 0;
    if (::fstat(file, &status) != 0) {
        reason = std::strerror(errno);
    } else if (!S_ISREG(status.st_mode)) {
        reason = "it is not a regular file";
    } else if (status.st_size > 0) {
        size = static_cast<std::size_t>(status.st_size);
        memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
        if (memory == MAP_FAILED) reason = std::strerror(errno);
    }
    ::close(file);
    if (reason != nullptr) detail::cannot_read(path, reason);
    if (size == 0) return {};
    std::shared_ptr<const void> owner(memory, [size](const void* p) { ::munmap(const_cast<void*>(p), size); });
    return {owner, {static_cast<const std::byte*>(memory), size}};
#else
    std::FILE* file = std::fopen(path.c_str(), "rb");
    if (file == nullptr) detail::cannot_read(path, std::strerror(errno));
    std::fseek(file, 0, SEEK_END);
    const long end = std::ftell(file);
    std::rewind(file);
    const std::size_t size = end > 0 ? static_cast<std::size_t>(end) : 0;
    std::shared_ptr<std::byte> memory = allocate_bytes(size);
    const bool whole = end >= 0 && std::fread(memory.get(), 1, size, file) == size;
    std::fclose(file);
    if (!whole) detail::cannot_read(path, "it could not be read to its end");
    return {memory, {memory.get(), size}};
#endif
}

MOTE_END_NAMESPACE
