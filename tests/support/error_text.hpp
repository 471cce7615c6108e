// SPDX-License-Identifier: MIT
#pragma once
// error_text: what an Error says, so that a test can look for the names in it.

#include <mote/tensor/error.hpp>

#include <support/catch.hpp>

#include <initializer_list>
#include <string>
#include <string_view>

namespace support {

namespace detail {

__attribute__((noinline)) inline std::string error_text(void (*call)(void*), void* action) {
    try {
        call(action);
    } catch (const mote::Error& error) {
        return error.what();
    }
    return {};
}

}  // namespace detail

/// The text of the Error that `action` throws; "" where it throws none.
template <class Action>
std::string error_text(Action&& action) {
    return detail::error_text([](void* object) { (*static_cast<std::remove_reference_t<Action>*>(object))(); }, &action);
}

/// Fails the test where the text lacks one of the parts. (A function, not a macro's body: hundreds of them are compiled.)
__attribute__((noinline)) inline void check_text(const char* file, int line, const std::string& text,
                                                 std::initializer_list<std::string_view> parts) {
    INFO(file << ':' << line << ": the error's text is \"" << text << '"');
    CHECK_FALSE(text.empty());
    for (const std::string_view part : parts) {
        INFO("a part that is expected: " << std::string(part));
        CHECK(text.find(part) != std::string::npos);
    }
}

}  // namespace support

/// Checks that the expression throws an Error whose text holds all the parts.
#define CHECK_ERROR(expression, ...) \
    support::check_text(__FILE__, __LINE__, support::error_text([&] { static_cast<void>(expression); }), {__VA_ARGS__})
