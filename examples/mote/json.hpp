// SPDX-License-Identifier: MIT
#pragma once
// Json: the figures of a command, written under the keys in the order in which they were added.

#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <cmath>

namespace tool {

/// `text` between quotes. Bytes that are no UTF-8 (a name in a file may hold any) are taken as Latin-1.
std::string json_string(std::string_view text);

class Json {
  public:
    Json& add(std::string_view key, const std::string& value) { return put(key, json_string(value)); }
    Json& add(std::string_view key, const char* value) { return put(key, json_string(value)); }
    Json& add(std::string_view key, const Json& value) { return put(key, value.text()); }
    Json& add(std::string_view key, const std::vector<Json>& values) {
        std::string list;
        for (const Json& value : values) list += (list.empty() ? "" : ",") + value.text();
        return put(key, "[" + list + "]");
    }
    /// A number; one that is not finite becomes null.
    template <class Number>
    requires(std::is_arithmetic_v<Number>) Json& add(std::string_view key, Number value) {
        if constexpr (std::is_same_v<Number, bool>) {
            return put(key, value ? "true" : "false");
        } else if constexpr (std::is_integral_v<Number>) {
            return put(key, std::to_string(value));
        } else {
            char number[40];
            std::snprintf(number, sizeof number, "%.9g", static_cast<double>(value));
            return put(key, std::isfinite(value) ? number : "null");
        }
    }

    std::string text() const { return "{" + members_ + "}"; }

  private:
    Json& put(std::string_view key, std::string_view value) {
        members_ += (members_.empty() ? "" : ",") + json_string(key) + ":";
        members_ += value;
        return *this;
    }
    std::string members_;
};

}  // namespace tool
