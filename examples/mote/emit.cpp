// SPDX-License-Identifier: MIT
// mote emit: a model as one header for firmware.

#include "tool.hpp"

#include <mote/emit/header.hpp>

namespace tool {

void add_emit(CLI::App& app) {
    struct Arguments {
        std::string model, out;
        mote::EmitOptions options;
    };
    CLI::App* command = app.add_subcommand("emit", "Write a model as one C++17 header for firmware");
    const auto arguments = std::make_shared<Arguments>();
    add_model(*command, arguments->model);
    add_out(*command, arguments->out, "The header");
    command->add_option("--name", arguments->options.name, "The namespace that the header declares")
        ->type_name("NAME")
        ->capture_default_str();
    command->footer("example: mote emit keyword.mote -o net.hpp --name keyword");
    command->callback([arguments] {
        const mote::AnyModel model = load_model(arguments->model);
        about(arguments->model, [&] { mote::emit_header(model, arguments->out, arguments->options); });
    });
}

}  // namespace tool
