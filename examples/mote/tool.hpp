// SPDX-License-Identifier: MIT
#pragma once
// What the commands share: models in files, what is printed, and the list of the commands.

#include "instances.hpp"
#include "json.hpp"

#include <CLI/CLI.hpp>

namespace tool {

/// Where a command's figures go: words to the standard output, and with --json FILE the figures to a file; "-" is the standard
/// output, which then holds nothing else.
class Output {
  public:
    void add_options(CLI::App& command);
    void print(const std::string& text) const;
    void write(const Json& figures) const;

  private:
    std::string json_;
};

/// The model in the file, which ends in .tflite, .onnx or .mote. Inputs and outputs of an .onnx file keep its order of axes
/// unless they are asked to have their channels last.
mote::AnyModel load_model(const std::string& path, bool channels_last_io = false);
/// The same in f32 throughout; else an Error that names the first node that is not.
mote::Model<mote::f32, mote::wide> load_f32_model(const std::string& path);
/// Writes .mote or .onnx, as the path ends.
void save_model(const mote::AnyModel& model, const std::string& path);
/// Throws an Error unless save_model() can write to a path with this ending: before long work.
void expect_writable_format(const std::string& path);

/// Runs the action; an Error whose text does not name the file gets it in front.
template <class Action>
auto about(const std::string& path, Action&& action) {
    try {
        return action();
    } catch (const mote::Error& error) {
        const std::string text = error.what();
        if (text.find(path) != std::string::npos) throw;
        throw mote::Error("'" + path + "': " + text);
    }
}

/// parameters, macs, weight_bytes, and the arena_bytes of its plan.
Json size_figures(const mote::AnyModel& model);
/// "before" and "after" as a table of these sizes.
std::string size_table(const mote::AnyModel& before, const mote::AnyModel& after);

/// Cells of tables are at most so wide: names in files may be whole lists.
inline constexpr std::size_t widest_cell = 44;

/// "12.34"
std::string number(const char* format, double value);

/// A required MODEL, the first argument.
void add_model(CLI::App& command, std::string& path);
/// A required -o, --out.
void add_out(CLI::App& command, std::string& path, const char* what);

// Each adds its command, which does its work while the line of arguments is parsed.
void add_inspect(CLI::App& app);
void add_eval(CLI::App& app);
void add_compare(CLI::App& app);
void add_quantize(CLI::App& app);
void add_prune(CLI::App& app);
void add_fine_tune(CLI::App& app);
void add_distill(CLI::App& app);
void add_convert(CLI::App& app);
void add_emit(CLI::App& app);
void add_bench(CLI::App& app);
void add_conformance(CLI::App& app);
void add_operators(CLI::App& app);

}  // namespace tool
