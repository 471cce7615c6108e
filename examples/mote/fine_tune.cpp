// SPDX-License-Identifier: MIT
// mote fine-tune: a model trained on; weights that are zero stay zero.

#include "training.hpp"

#include <mote/transform/fine_tune.hpp>

namespace tool {

namespace {

struct Arguments {
    std::string model, out;
    DataArguments data;
    TrainingArguments training;
    Output output;
};

void fine_tune(const Arguments& arguments) {
    expect_writable_format(arguments.out);
    const mote::Model<mote::f32, mote::wide> model = load_f32_model(arguments.model);
    about(arguments.model, [&] {
        const ToolDataset data = open_data(arguments.data, only_input(model), mote::Cifar10Part::train);
        expect_labels(data, arguments.data);
        Training training("training");
        save_model(mote::fine_tune(model, data, training.options(arguments.training)), arguments.out);
        training.report(arguments.output, data.size());
    });
}

}  // namespace

void add_fine_tune(CLI::App& app) {
    CLI::App* command = app.add_subcommand("fine-tune", "Train a model on labels; weights that are zero stay zero");
    const auto arguments = std::make_shared<Arguments>();
    add_model(*command, arguments->model);
    add_data(*command, arguments->data);
    add_out(*command, arguments->out, "The trained model");
    add_training(*command, arguments->training);
    arguments->output.add_options(*command);
    command->footer("example: mote fine-tune slim.mote --data cifar10:data/cifar10 --epochs 5 --threads 2 -o tuned.mote");
    command->callback([arguments] { fine_tune(*arguments); });
}

}  // namespace tool
