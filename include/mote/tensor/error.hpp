// SPDX-License-Identifier: MIT
#pragma once
// Error: what every check of an untrusted thing throws; text that names the thing, the reason, and what would do.

#include <mote/core/config.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
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

namespace detail {

/// A part of a text: a string that somebody else holds, or a number.
class TextPart {
  public:
    TextPart(const std::string& text) noexcept : text_(text) {}
    TextPart(std::string_view text) noexcept : text_(text) {}
    TextPart(const char* text) noexcept : text_(text) {}
    template <class Number>
    requires(std::is_arithmetic_v<Number>) TextPart(Number number)
    noexcept {
        if constexpr (std::is_floating_point_v<Number>) {
            print("%.7g", static_cast<double>(number));
        } else if constexpr (std::is_signed_v<Number>) {
            print("%lld", static_cast<long long>(number));
        } else {
            print("%llu", static_cast<unsigned long long>(number));
        }
    }
    TextPart(const TextPart&) = delete;
    TextPart& operator=(const TextPart&) = delete;

    std::string_view text() const noexcept { return text_; }

  private:
    template <class Number>
    __attribute__((noinline)) void print(const char* format, Number number) noexcept {
        text_ = {digits_, static_cast<std::size_t>(std::snprintf(digits_, sizeof digits_, format, number))};
    }

    char digits_[32];
    std::string_view text_;
};

__attribute__((noinline)) inline std::string join(const TextPart* parts, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += parts[i].text();
    return text;
}

/// Throws Error(text); without exceptions calls mote_failed(text).
[[noreturn]] __attribute__((noinline, cold)) inline void fail_joined(const TextPart* parts, std::size_t count) {
    const std::string text = join(parts, count);
#if MOTE_EXCEPTIONS
    throw Error(text);
#else
    if (&mote_failed != nullptr) mote_failed(text.c_str());
    std::fputs(text.c_str(), stderr);
    std::fputc('\n', stderr);
    std::abort();
#endif
}

}  // namespace detail

/// The parts, one after the other, as one text: concat("node '", name, "': ", 3).
template <class... Part>
std::string concat(const Part&... part) {
    const detail::TextPart parts[] = {part...};
    return detail::join(parts, sizeof...(part));
}

/// Throws Error(concat(part...)); without exceptions calls mote_failed with that text.
template <class... Part>
[[noreturn]] void fail(const Part&... part) {
    const detail::TextPart parts[] = {part...};
    detail::fail_joined(parts, sizeof...(part));
}

MOTE_END_NAMESPACE
