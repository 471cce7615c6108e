// SPDX-License-Identifier: MIT
#pragma once
// The version, the namespace that carries it, and what this unit is compiled with.

#define MOTE_VERSION_MAJOR 0
#define MOTE_VERSION_MINOR 1
#define MOTE_VERSION_PATCH 0
#define MOTE_VERSION (MOTE_VERSION_MAJOR * 10000 + MOTE_VERSION_MINOR * 100 + MOTE_VERSION_PATCH)

#if defined(__cpp_exceptions) || defined(__EXCEPTIONS)
#define MOTE_EXCEPTIONS 1
// The inline namespace makes units of another version, or without exceptions, fail to link instead of merging.
#define MOTE_BEGIN_NAMESPACE \
    namespace mote {         \
    inline namespace v0_1 {
#else
#define MOTE_EXCEPTIONS 0
#define MOTE_BEGIN_NAMESPACE \
    namespace mote {         \
    inline namespace v0_1_noexceptions {
#endif
#define MOTE_END_NAMESPACE \
    }                      \
    }

// In what mote.hpp includes (models, passes, plans, vector kernels) a function or class that asks for no type may stand as a
// template all the same, on a parameter that nobody gives: `template <class Lazy = void>`, and the verbs on their Context. A
// unit then instantiates the vectors, strings and kernels that it needs where it is used, not where it is included: a fifth
// less work for the compiler of a unit that includes mote.hpp.

#if defined(__GNUC__)
#define MOTE_ALWAYS_INLINE inline __attribute__((always_inline))
#define MOTE_NEVER_INLINE inline __attribute__((noinline))
#define MOTE_RESTRICT __restrict__
#else
#define MOTE_ALWAYS_INLINE inline
#define MOTE_NEVER_INLINE inline
#define MOTE_RESTRICT
#endif
