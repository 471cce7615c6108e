// SPDX-License-Identifier: MIT
#pragma once
// The kernel tables of a program that CMake's mote_dispatch(target) compiled for several instruction sets, and which of them
// this machine runs. Without mote_dispatch() a program that calls compiled_kernels() does not link.

#include <mote/kernels/kernel_table.hpp>

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
    if (is("scalar")) return true;
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd") &&
                        __builtin_cpu_supports("avx512vl");
    if (is("sse2")) return true;
    if (is("sse4_1")) return __builtin_cpu_supports("sse4.1") != 0;
    if (is("avx")) return __builtin_cpu_supports("avx") != 0;
    if (is("avx2")) return avx2;
    if (is("avx512")) return avx512;
    if (is("avx512vnni")) return avx512 && __builtin_cpu_supports("avx512vnni");
#elif defined(__aarch64__)
    if (is("neon")) return true;
#if defined(__linux__)
    // The bits of the Linux kernel's Documentation/arm64/elf_hwcaps.
    if (is("neon_dot")) return (getauxval(AT_HWCAP) & 1ul << 20) != 0;
    if (is("neon_i8mm")) return (getauxval(AT_HWCAP) & 1ul << 20) != 0 && (getauxval(AT_HWCAP2) & 1ul << 13) != 0;
#endif
#endif
    return false;
}

MOTE_END_NAMESPACE
