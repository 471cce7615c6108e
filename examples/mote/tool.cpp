// SPDX-License-Identifier: MIT
// What the commands share.

#include "tool.hpp"

#include <mote/engine/dispatch.hpp>
#include <mote/model/print.hpp>
#include <mote/tensor/file.hpp>

#include <cstring>

namespace tool {

namespace {

/// The length of the UTF-8 sequence at the start of `text`; 0 where there is none.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first < 0xE0 && follows(1)) return 2;
    if (first >= 0xE0 && first < 0xF0 && follows(1) && follows(2)) {
        const bool shortest = first != 0xE0 || byte(1) >= 0xA0;
        const bool surrogate = first == 0xED && byte(1) >= 0xA0;
        return shortest && !surrogate ? 3 : 0;
    }
    if (first >= 0xF0 && first < 0xF5 && follows(1) && follows(2) && follows(3)) {
        const bool in_range = (first != 0xF0 || byte(1) >= 0x90) && (first != 0xF4 || byte(1) < 0x90);
        return in_range ? 4 : 0;
    }
    return 0;
}

}  // namespace

std::string json_string(std::string_view text) {
    std::string result = "\"";
    while (!text.empty()) {
        const auto first = static_cast<unsigned char>(text[0]);
        const std::size_t length = utf8_length(text);
        if (first == '"' || first == '\\') {
            result += '\\';
            result += text[0];
        } else if (length == 0 || first < 0x20 || first == 0x7F) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", unsigned{first});
            result += escape;
        } else {
            result += text.substr(0, length);
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return result + '"';
}

void Output::add_options(CLI::App& command) {
    command.add_option("--json", json_, "Write the figures to FILE as JSON; - for the standard output")->type_name("FILE");
}
void Output::print(const std::string& text) const {
    if (json_ != "-") std::fwrite(text.data(), 1, text.size(), stdout);
}
void Output::write(const Json& figures) const {
    const std::string text = figures.text() + "\n";
    if (json_ == "-") {
        std::fwrite(text.data(), 1, text.size(), stdout);
    } else if (!json_.empty()) {
        mote::write_file(json_, text);
    }
}

Json size_figures(const mote::AnyModel& model) {
    const mote::Cost cost = model.cost();
    return Json()
        .add("parameters", cost.parameters)
        .add("macs", cost.macs)
        .add("weight_bytes", cost.weight_bytes)
        .add("arena_bytes", mote::plan(model, mote::best_kernels()).arena_bytes());
}

std::string size_table(const mote::AnyModel& before, const mote::AnyModel& after) {
    std::vector<std::vector<std::string>> rows{{"", "parameters", "MACs", "weight bytes", "arena bytes"}};
    const auto add = [&](const char* name, const mote::AnyModel& model) {
        const mote::Cost cost = model.cost();
        rows.push_back({name, mote::concat(cost.parameters), mote::concat(cost.macs), mote::concat(cost.weight_bytes),
                        mote::concat(mote::plan(model, mote::best_kernels()).arena_bytes())});
    };
    add("before", before);
    add("after", after);
    return mote::to_table(rows);
}

std::string number(const char* format, double value) {
    char text[64];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

void add_model(CLI::App& command, std::string& path) {
    command.add_option("MODEL", path, "A .tflite, .onnx or .mote file")->required();
}
void add_out(CLI::App& command, std::string& path, const char* what) {
    command.add_option("-o,--out", path, what)->required()->type_name("FILE");
}

}  // namespace tool
