// SPDX-License-Identifier: MIT
// mote convert: a model in another format.

#include "tool.hpp"

namespace tool {

void add_convert(CLI::App& app) {
    struct Arguments {
        std::string model, out;
        bool channels_last = false;
    };
    CLI::App* command = app.add_subcommand("convert", "Write a .tflite, .onnx or .mote model as .onnx or .mote");
    const auto arguments = std::make_shared<Arguments>();
    add_model(*command, arguments->model);
    add_out(*command, arguments->out, "The new file, .mote or .onnx");
    command->add_flag("--channels-last", arguments->channels_last,
                      "Images that go into an .onnx model, or come out, get their channels as the last axis");
    command->footer("example: mote convert face.tflite -o face.onnx");
    command->callback([arguments] {
        expect_writable_format(arguments->out);
        save_model(load_model(arguments->model, arguments->channels_last), arguments->out);
    });
}

}  // namespace tool
