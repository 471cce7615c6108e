// SPDX-License-Identifier: MIT
// mote emit: a model as one header for firmware.

#include "data.hpp"

#include <mote/emit/header.hpp>
#include <mote/emit/samples.hpp>
#include <mote/engine/evaluate.hpp>

#include <filesystem>

namespace tool {

namespace {

struct Arguments {
    std::string model, out;
    mote::EmitOptions options;
    DataArguments data;
};

/// Beside the header: samples, and what the definition of the kernels answers, in f32 too to the last bit.
void write_samples(const mote::AnyModel& model, const Arguments& arguments) {
    const mote::Value& input = only_input(model);
    if (input.shape.rank() > 0 && input.shape[0] != 1) {
        mote::fail("input ", mote::to_string(input), " holds ", input.shape[0], " samples; --data feeds a model of one");
    }
    mote::Engine engine(model, {.kernels = &mote::scalar_kernels()});
    const ToolDataset data = open_data(arguments.data, input, mote::Cifar10Part::test);
    mote::SampleWriter samples(engine);
    mote::Tensor<mote::f32> sample(input.shape);
    for (std::size_t i = 0; i < data.size(); ++i) {
        data.load(i, sample.values());
        mote::set_input(engine, 0, sample);
        samples.add();
    }
    const std::string directory = std::filesystem::path(arguments.out).parent_path().string();
    samples.write(directory.empty() ? "." : directory);
}

}  // namespace

void add_emit(CLI::App& app) {
    CLI::App* command = app.add_subcommand("emit", "Write a model as one C++17 header for firmware");
    const auto arguments = std::make_shared<Arguments>();
    add_model(*command, arguments->model);
    add_out(*command, arguments->out, "The header");
    command->add_option("--name", arguments->options.name, "The namespace that the header declares")
        ->type_name("NAME")
        ->capture_default_str();
    add_data(*command, arguments->data, false);
    command->get_option("--data")->description(
        "Samples to write beside the header, as samples.hpp, with the answers in "
        "expected.txt: cifar10:DIR[:train|:test], npy:INPUTS.npy or digits:FILE.csv");
    command->footer("example: mote emit keyword.mote -o net.hpp --name keyword");
    command->callback([arguments] {
        const mote::AnyModel model = load_model(arguments->model);
        about(arguments->model, [&] {
            mote::emit_header(model, arguments->out, arguments->options);
            if (!arguments->data.text.empty()) write_samples(model, *arguments);
        });
    });
}

}  // namespace tool
