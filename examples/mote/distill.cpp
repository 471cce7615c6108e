// SPDX-License-Identifier: MIT
// mote distill: a student trained on labels and a teacher's answers.

#include "training.hpp"

#include <mote/transform/distill.hpp>

namespace tool {

namespace {

struct Arguments {
    std::string teacher, student, out;
    DataArguments data;
    mote::DistillOptions options;
    TrainingArguments training;
    Output output;
};

void distill(const Arguments& arguments) {
    expect_writable_format(arguments.out);
    const mote::AnyModel teacher = load_model(arguments.teacher);
    const mote::Model<mote::f32, mote::wide> student = load_f32_model(arguments.student);
    about(arguments.student, [&] {
        const ToolDataset data = open_data(arguments.data, only_input(student), mote::Cifar10Part::train);
        mote::DistillOptions options = arguments.options;
        if (options.hard_label_weight > 0.0) expect_labels(data, arguments.data);
        Training training("distillation");
        options.training = training.options(arguments.training);
        save_model(mote::distill(teacher, student, data, options), arguments.out);
        training.report(arguments.output, data.size());
    });
}

}  // namespace

void add_distill(CLI::App& app) {
    CLI::App* command = app.add_subcommand("distill", "Train a student on labels and on a teacher's answers");
    const auto arguments = std::make_shared<Arguments>();
    mote::DistillOptions& options = arguments->options;
    command->add_option("--teacher", arguments->teacher, "A model of any precision")->required()->type_name("MODEL");
    command->add_option("--student", arguments->student, "An f32 model with as many outputs")->required()->type_name("MODEL");
    add_data(*command, arguments->data);
    add_out(*command, arguments->out, "The trained student");
    command->add_option("--temperature", options.temperature)
        ->capture_default_str()
        ->check(CLI::PositiveNumber)
        ->type_name("X");
    command->add_option("--lambda", options.lambda, "The weight of the teacher's answers")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber)
        ->type_name("X");
    command->add_option("--label-weight", options.hard_label_weight, "The weight of the labels; 0 needs none")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber)
        ->type_name("X");
    add_training(*command, arguments->training);
    arguments->output.add_options(*command);
    command->footer(
        "example: mote distill --teacher net.mote --student slim.mote --data cifar10:data/cifar10 --epochs 20 -o tuned.mote");
    command->callback([arguments] { distill(*arguments); });
}

}  // namespace tool
