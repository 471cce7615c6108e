// SPDX-License-Identifier: MIT
// mote quantize: an f32 model in int8.

#include "data.hpp"

#include <mote/transform/bias_correction.hpp>
#include <mote/transform/equalize.hpp>
#include <mote/transform/quantize.hpp>

namespace tool {

namespace {

struct Arguments {
    std::string model, out;
    DataArguments data;
    mote::QuantizeOptions options;
    double migration = -1.0;
    bool correct_bias = true;
    Output output;
};

void quantize(const Arguments& arguments) {
    expect_writable_format(arguments.out);
    const mote::Model<mote::f32, mote::wide> original = load_f32_model(arguments.model);
    about(arguments.model, [&] {
        ToolDataset data = open_data(arguments.data, only_input(original), mote::Cifar10Part::train);
        const bool equal = arguments.migration >= 0.0;
        if (equal) data.follow("equalization", data.size());
        const auto model = equal ? mote::equalize(original, data, {.migration = arguments.migration}) : original;
        data.follow("calibration", data.size());
        mote::AnyModel light = mote::quantize<mote::f32, mote::i8, mote::wide>(model, data, arguments.options);
        if (arguments.correct_bias) {
            data.follow("bias correction", data.size());
            light = mote::correct_bias(model, light, data);
        }
        save_model(light, arguments.out);
        arguments.output.print(size_table(model, light));
        arguments.output.write(size_figures(light).add("samples", data.size()));
    });
}

}  // namespace

void add_quantize(CLI::App& app) {
    CLI::App* command = app.add_subcommand("quantize", "An f32 model in int8, its ranges observed on a dataset");
    const auto arguments = std::make_shared<Arguments>();
    mote::QuantizeOptions& options = arguments->options;
    options.observer = mote::Observer::mse;  // with corrected biases the best of benchmarks/quantization
    add_model(*command, arguments->model);
    add_data(*command, arguments->data);
    add_out(*command, arguments->out, "The int8 model");
    command
        ->add_option("--observer", options.observer,
                     "Of the activations' ranges: min-max, percentile, mse (the default) or entropy")
        ->transform(CLI::CheckedTransformer(std::map<std::string, mote::Observer>{{"min-max", mote::Observer::min_max},
                                                                                  {"percentile", mote::Observer::percentile},
                                                                                  {"mse", mote::Observer::mse},
                                                                                  {"entropy", mote::Observer::entropy}}))
        ->type_name("KIND");
    command->add_option("--percentile", options.percentile, "The share of values in percent that each end of a range keeps")
        ->capture_default_str()
        ->check(CLI::Range(50.0, 100.0))
        ->type_name("X");
    command->add_option("--keep-f32", options.keep_f32, "A node that stays in f32; may be given again")->type_name("NODE");
    command
        ->add_option("--least-sqnr", options.least_sqnr,
                     "The most sensitive layers stay in f32, as few as let the outputs reach this ratio of signal to noise")
        ->check(CLI::PositiveNumber)
        ->type_name("DB");
    command
        ->add_option("--equalize", arguments->migration,
                     "First make channels equal; this share of their differences, from 0 to 1, moves into the weights")
        ->check(CLI::Range(0.0, 1.0))
        ->type_name("X");
    command->add_flag("!--no-bias-correction", arguments->correct_bias,
                      "Leave in the outputs what rounded weights add to them on average; else the biases take it out");
    command->add_flag("--f32-inputs", options.f32_inputs, "The model takes real numbers and converts them itself");
    command->add_flag("--f32-outputs", options.f32_outputs, "The model answers in real numbers");
    arguments->output.add_options(*command);
    command->footer(
        "example: mote quantize resnet8.tflite --data cifar10:data/cifar10:train --samples 500 -o resnet8_int8.mote");
    command->callback([arguments] { quantize(*arguments); });
}

}  // namespace tool
