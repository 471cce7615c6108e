// SPDX-License-Identifier: MIT
#pragma once
// Error: what every check of an untrusted thing throws; text that names the thing, the reason, and what would do.

#include <mote/core/config.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>
#if MOTE_EXCEPTIONS
#include <stdexcept>
#endif

/// Called by a failed check where exceptions are off. A program may define it; otherwise the text goes to the standard
/// error output and the program aborts.
extern "C" [[noreturn]] __attribute__((weak)) void mote_failed(char const* text);

MOTE_BEGIN_NAMESPACE

#if MOTE_EXCEPTIONS
class Error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};
#endif

/// Throws Error(text); without exceptions calls mote_failed(text).
[[noreturn]] inline void fail(const std::string& text) {
#if MOTE_EXCEPTIONS
    throw Error(text);
#else
    if (&mote_failed != nullptr) mote_failed(text.c_str());
    std::fputs(text.c_str(), stderr);
    std::fputc('\n', stderr);
    std::abort();
#endif
}

namespace detail {
template <class Part>
std::string text_of(const Part& part) {
    if constexpr (std::is_floating_point_v<Part>) {
        char text[32];
        std::snprintf(text, sizeof text, "%.7g", static_cast<double>(part));
        return text;
    } else if constexpr (std::is_arithmetic_v<Part>) {
        return std::to_string(part);
    } else {
        return std::string(part);
    }
}
}  // namespace detail

/// The parts, one after the other, as one text: concat("node '", name, "': ", 3).
template <class... Part>
std::string concat(const Part&... part) {
    std::string text;
    ((text += detail::text_of(part)), ...);
    return text;
}

MOTE_END_NAMESPACE
