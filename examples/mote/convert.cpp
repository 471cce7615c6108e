// SPDX-License-Identifier: MIT
// mote convert: a model in another format.

#include "tool.hpp"

namespace tool {

void add_convert(CLI::App& app) {
    struct Arguments {
        std::string model, out;
    };
    CLI::App* command =
        app.add_subcommand("convert", "Write a .tflite, .onnx or .mote model as .onnx or .mote; images are channels-last");
    const auto arguments = std::make_shared<Arguments>();
    add_model(*command, arguments->model);
    add_out(*command, arguments->out, "The new file, .mote or .onnx");
    command->footer("example: mote convert face.tflite -o face.onnx");
    command->callback([arguments] {
        expect_writable_format(arguments->out);
        save_model(load_model(arguments->model), arguments->out);
    });
}

}  // namespace tool
