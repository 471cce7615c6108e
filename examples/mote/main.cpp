// SPDX-License-Identifier: MIT
// mote: the library as a program. Exit status: 0 done, 1 the work failed, 2 wrong usage.

#include "tool.hpp"

#include <exception>

namespace {

/// The text on one line: the lines of a list are joined, what is no text (a name in a file may hold anything) is replaced.
std::string one_line(const std::string& text) {
    std::string line;
    bool listed = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\n') {
            const bool control = static_cast<unsigned char>(text[i]) < 0x20 || text[i] == 0x7F;
            line += control ? '?' : text[i];
            continue;
        }
        while (i + 1 < text.size() && (text[i + 1] == ' ' || text[i + 1] == '\n')) ++i;
        if (i + 1 == text.size()) break;
        line += listed ? "; " : " ";
        listed = true;
    }
    return line;
}

int report(const std::string& command, const std::string& text, int status) {
    std::fprintf(stderr, "%s: %s\n", command.c_str(), one_line(text).c_str());
    return status;
}

}  // namespace

int main(int count, char** arguments) {
    CLI::App app("Neural networks made small: what is in them, lighter ones of them, and firmware out of them.", "mote");
    app.require_subcommand(1);
    app.set_help_all_flag("--help-all", "The help of all commands");
    tool::add_inspect(app);
    tool::add_eval(app);
    tool::add_compare(app);
    tool::add_quantize(app);
    tool::add_prune(app);
    tool::add_fine_tune(app);
    tool::add_distill(app);
    tool::add_convert(app);
    tool::add_emit(app);
    tool::add_bench(app);
    tool::add_conformance(app);
    tool::add_operators(app);
    app.footer(
        "example: mote inspect face.tflite --svg face.svg\nmote COMMAND --help tells of each.\n"
        "Networks run on the best kernels of this machine; MOTE_INSTRUCTION_SET=avx2 or another name asks for others.");

    std::string command = "mote", commands;
    for (const CLI::App* known : app.get_subcommands({})) {
        commands += (commands.empty() ? "" : ", ") + known->get_name();
        if (count > 1 && known->get_name() == arguments[1]) command += " " + known->get_name();
    }
    if (count > 1 && arguments[1][0] != '-' && command == "mote") {
        return report(command, mote::concat("'", arguments[1], "' is no command; ", commands, " are"), 2);
    }
    try {
        app.parse(count, arguments);
        if (std::fflush(stdout) != 0) return report(command, "cannot write to the standard output", 1);
        return 0;
    } catch (const CLI::Success& asked) {  // --help
        return app.exit(asked);
    } catch (const CLI::ParseError& error) {
        return report(command, std::string(error.what()) + "; see " + command + " --help", 2);
    } catch (const std::bad_alloc&) {
        return report(command, "there is not enough memory; a machine with more, or a smaller model, is needed", 1);
    } catch (const std::exception& error) {
        return report(command, error.what(), 1);
    }
}
