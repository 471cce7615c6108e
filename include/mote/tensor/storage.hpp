// SPDX-License-Identifier: MIT
#pragma once
// AlignedBytes: 64-byte aligned, zero-filled memory with shared ownership.

#include <mote/core/config.hpp>
#include <mote/tensor/error.hpp>

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

MOTE_BEGIN_NAMESPACE

inline constexpr std::size_t storage_alignment = 64;

constexpr std::size_t align_up(std::size_t bytes, std::size_t alignment = storage_alignment) noexcept {
    return (bytes + alignment - 1) / alignment * alignment;
}

/// `bytes` zeroed bytes at an address divisible by 64; at least one is allocated. Throws std::bad_alloc.
inline std::shared_ptr<std::byte> allocate_bytes(std::size_t bytes) {
    const std::size_t size = align_up(bytes == 0 ? 1 : bytes);
    auto* memory = static_cast<std::byte*>(::operator new (size, std::align_val_t{storage_alignment}));
    std::memset(memory, 0, size);
    return std::shared_ptr<std::byte>(memory, [](std::byte* p) { ::operator delete (p, std::align_val_t{storage_alignment}); });
}

namespace detail {
/// One function for all types.
MOTE_NEVER_INLINE std::shared_ptr<const void> erased(const void* object, void (*destroy)(const void*)) {
    return std::shared_ptr<const void>(object, destroy);
}
}  // namespace detail

/// The value on the heap, shared, its type forgotten. (One control block for all types: std::make_shared would bring a dozen
/// functions for each.)
template <class T>
std::shared_ptr<const void> make_erased(T value) {
    return detail::erased(new T(static_cast<T&&>(value)), [](const void* object) { delete static_cast<const T*>(object); });
}

MOTE_END_NAMESPACE
