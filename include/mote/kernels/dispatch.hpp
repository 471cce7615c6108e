// SPDX-License-Identifier: MIT
#pragma once
// The kernel tables of a program that CMake's mote_dispatch(target) compiled for several instruction sets, and which of them
// this machine runs. Without mote_dispatch() a program that calls compiled_kernels() does not link.

#include <mote/kernels/kernel_table.hpp>
#include <mote/simd/instruction_set.hpp>

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

MOTE_BEGIN_NAMESPACE

/// An instruction set that is in the program.
struct CompiledKernels {
    const char* instruction_set;             ///< "avx2" ...
    const KernelTable& (*table)() noexcept;  ///< may be called only where machine_runs(instruction_set)
};

/// All that are in the program, the most capable first.
struct CompiledKernelsList {
    const CompiledKernels* first;
    std::size_t count;
    const CompiledKernels* begin() const noexcept { return first; }
    const CompiledKernels* end() const noexcept { return first + count; }
};

/// Defined by the file that mote_dispatch() generates.
CompiledKernelsList compiled_kernels() noexcept;

namespace detail {
inline bool same_text(const char* a, const char* b) noexcept {
    while (*a != 0 && *a == *b) ++a, ++b;
    return *a == *b;
}
}  // namespace detail

/// Whether this processor, and the system that saves its registers, run an instruction set that mote_dispatch() can compile.
inline bool machine_runs(const char* instruction_set) noexcept {
    const auto is = [instruction_set](const char* name) { return detail::same_text(instruction_set, name); };
#define MOTE_DETAIL_SET(name, base, features) \
    if (is(#name)) return machine_runs(#base) features;  // NOLINT(bugprone-macro-parentheses): each begins with an operator
#if defined(__x86_64__)
    __builtin_cpu_init();
#define MOTE_DETAIL_HAS(feature) &&__builtin_cpu_supports(feature)
    MOTE_X86_64_SETS(MOTE_DETAIL_SET, MOTE_DETAIL_HAS)
#elif defined(__aarch64__)
#if defined(__linux__)
#define MOTE_DETAIL_HAS(feature, word, bit) &&(getauxval(word) >> (bit)&1) != 0
#else
#define MOTE_DETAIL_HAS(feature, word, bit) &&false
#endif
    MOTE_AARCH64_SETS(MOTE_DETAIL_SET, MOTE_DETAIL_HAS)
#endif
#undef MOTE_DETAIL_HAS
#undef MOTE_DETAIL_SET
    return is("scalar");
}

MOTE_END_NAMESPACE
