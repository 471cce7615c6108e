// SPDX-License-Identifier: MIT
// Kernel tables: every entry of both tables is there.

#include <mote/kernels/native.hpp>

#include <support/catch.hpp>

#include <cstddef>
#include <cstring>

TEST_CASE("kernel tables: no entry of the scalar or the native table is missing") {
    for (const mote::KernelTable* table : {&mote::scalar_kernels(), &mote::native_kernels()}) {
        // From conv2d_f32 on a table is pointers alone: a missing entry is a null among them.
        constexpr std::size_t first = offsetof(mote::KernelTable, conv2d_f32);
        constexpr std::size_t count = (sizeof(mote::KernelTable) - first) / sizeof(void*);
        static_assert((sizeof(mote::KernelTable) - first) % sizeof(void*) == 0);
        const void* entries[count];
        std::memcpy(entries, reinterpret_cast<const char*>(table) + first, sizeof entries);
        for (const void* entry : entries) CHECK(entry != nullptr);
    }
}
