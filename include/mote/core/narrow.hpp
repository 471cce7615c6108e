// SPDX-License-Identifier: MIT
#pragma once
// narrow<T>: the one place where an integer changes its type on purpose.

#include <mote/core/config.hpp>

MOTE_BEGIN_NAMESPACE

/// The same value in type T. The caller knows that it fits (shapes and sizes are checked when a model is made).
template <class T, class U>
[[nodiscard]] constexpr T narrow(U value) noexcept {
    return static_cast<T>(value);
}

/// Whether `value` is representable in T.
template <class T, class U>
[[nodiscard]] constexpr bool fits(U value) noexcept {
    return static_cast<U>(static_cast<T>(value)) == value && ((static_cast<T>(value) < T{}) == (value < U{}));
}

MOTE_END_NAMESPACE
