// SPDX-License-Identifier: MIT
#pragma once
// best_kernels(): the most capable kernels of this program that this machine runs, for Engine's and plan()'s `kernels`.

#include <mote/kernels/dispatch.hpp>
#include <mote/tensor/error.hpp>

#include <cstdlib>

MOTE_BEGIN_NAMESPACE

namespace detail {
/// "avx2, sse2, scalar": those of the program, or of them those that the machine runs.
template <class Lazy = void>
std::string names_of_kernels(bool runnable) {
    std::string names;
    for (const CompiledKernels& set : compiled_kernels()) {
        if (runnable && !machine_runs(set.instruction_set)) continue;
        if (!names.empty()) names += ", ";
        names += set.instruction_set;
    }
    return names;
}
}  // namespace detail

/// The kernels of one instruction set that mote_dispatch() compiled. Throws an Error that lists those that would do where the
/// program does not hold them, or the machine does not run them.
template <class Lazy = void>
const KernelTable& kernels_of(std::string_view instruction_set) {
    for (const CompiledKernels& set : compiled_kernels()) {
        if (instruction_set != set.instruction_set) continue;
        if (machine_runs(set.instruction_set)) return set.table();
        fail("kernels '", instruction_set, "': this machine does not run them; it runs ", detail::names_of_kernels(true));
    }
    fail("kernels '", instruction_set, "': not in this program, which holds ", detail::names_of_kernels(false));
}

/// The most capable kernels of the program that the machine runs; where the environment's variable MOTE_INSTRUCTION_SET is set,
/// those that it names. Throws as kernels_of() does, and where none runs.
template <class Lazy = void>
const KernelTable& best_kernels() {
    const char* wanted = std::getenv("MOTE_INSTRUCTION_SET");
    if (wanted != nullptr && *wanted != 0) return kernels_of(wanted);
    for (const CompiledKernels& set : compiled_kernels()) {
        if (machine_runs(set.instruction_set)) return set.table();
    }
    fail("this machine runs none of the kernels in this program: ", detail::names_of_kernels(false));
}

MOTE_END_NAMESPACE
