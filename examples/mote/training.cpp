// SPDX-License-Identifier: MIT
// What the commands that train have in common.

#include "training.hpp"

namespace tool {

void add_training(CLI::App& command, TrainingArguments& arguments) {
    command.add_option("--epochs", arguments.epochs)->capture_default_str()->check(CLI::PositiveNumber)->type_name("N");
    command.add_option("--batch-size", arguments.batch_size)->capture_default_str()->check(CLI::PositiveNumber)->type_name("N");
    command.add_option("--rate", arguments.rate, "The first learning rate of AdamW; a cosine leads from it to zero")
        ->capture_default_str()
        ->check(CLI::PositiveNumber)
        ->type_name("X");
    command.add_option("--seed", arguments.seed, "Of the order of the samples")->capture_default_str()->type_name("N");
    command.add_option("--threads", arguments.threads, "They do not change the result")
        ->capture_default_str()
        ->check(CLI::PositiveNumber)
        ->type_name("N");
    command.add_flag("--freeze-batch-norm", arguments.freeze_batch_norm, "BatchNorm keeps its statistics");
}

mote::TrainOptions Training::options(const TrainingArguments& arguments) {
    mote::TrainOptions options;
    options.epochs = arguments.epochs;
    options.batch_size = arguments.batch_size;
    options.schedule = mote::Cosine{.rate = arguments.rate, .warm_up_epochs = arguments.epochs > 1 ? 1.0 : 0.0};
    options.seed = arguments.seed;
    options.threads = arguments.threads;
    options.freeze_batch_norm = arguments.freeze_batch_norm;
    options.callback = [this](const mote::TrainProgress& progress) {
        loss_ = progress.loss;
        accuracy_ = progress.accuracy;
        line_.update(progress);
    };
    return options;
}

void Training::report(const Output& output, std::size_t samples) const {
    output.print(mote::concat("last epoch: loss ", number("%.4f", loss_), ", accuracy ", number("%.2f", 100.0 * accuracy_),
                              " % of the samples while training\n"));
    output.write(Json().add("samples", samples).add("loss", loss_).add("training_accuracy", accuracy_));
}

}  // namespace tool
