// SPDX-License-Identifier: MIT
#pragma once
// error_text: what an Error says, so that a test can look for the names in it.

#include <mote/tensor/error.hpp>

#include <initializer_list>
#include <string>
#include <string_view>

namespace support {

/// The text of the Error that `action` throws; "" where it throws none.
template <class Action>
std::string error_text(Action&& action) {
    try {
        action();
    } catch (const mote::Error& error) {
        return error.what();
    }
    return {};
}

/// "" where `text` holds every part, else the text and the part that it lacks.
inline std::string missing(const std::string& text, std::initializer_list<std::string_view> parts) {
    for (const std::string_view part : parts) {
        if (text.find(part) == std::string::npos) return "\"" + text + "\" lacks \"" + std::string(part) + "\"";
    }
    return {};
}

}  // namespace support

/// Checks that the expression throws an Error whose text holds all the parts.
#define CHECK_ERROR(expression, ...) \
    CHECK(support::missing(support::error_text([&] { static_cast<void>(expression); }), {__VA_ARGS__}) == "")
