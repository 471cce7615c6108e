// SPDX-License-Identifier: MIT
// mote convert: a model in another format, or in floats of 16 bits.

#include "tool.hpp"

#include <mote/transform/convert.hpp>

namespace tool {

void add_convert(CLI::App& app) {
    struct Arguments {
        std::string model, out, to;
        bool channels_last = false;
    };
    CLI::App* command = app.add_subcommand("convert", "Write a .tflite, .onnx or .mote model as .onnx or .mote");
    const auto arguments = std::make_shared<Arguments>();
    add_model(*command, arguments->model);
    add_out(*command, arguments->out, "The new file, .mote or .onnx");
    command->add_flag("--channels-last", arguments->channels_last,
                      "Images that go into an .onnx model, or come out, get their channels as the last axis");
    command->add_option("--to", arguments->to, "Weights and the values between layers become floats of 16 bits")
        ->check(CLI::IsMember({"bf16", "f16"}))
        ->type_name("PRECISION");
    command->footer("example: mote convert face.tflite -o face.onnx\nexample: mote convert face.tflite --to bf16 -o face.mote");
    command->callback([arguments] {
        expect_writable_format(arguments->out);
        mote::AnyModel model = load_model(arguments->model, arguments->channels_last);
        about(arguments->model, [&] {
            if (arguments->to == "bf16") model = mote::convert<mote::bf16>(model);
            if (arguments->to == "f16") model = mote::convert<mote::f16>(model);
        });
        save_model(model, arguments->out);
    });
}

}  // namespace tool
