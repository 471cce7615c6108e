// SPDX-License-Identifier: MIT
// mote eval: how often a model is right, and how long it takes.

#include "data.hpp"

#include <mote/engine/dispatch.hpp>
#include <mote/engine/evaluate.hpp>
#include <mote/train/evaluate.hpp>

#include <algorithm>
#include <chrono>

namespace tool {

namespace {

struct Arguments {
    std::string model;
    DataArguments data;
    Output output;
};

void eval(const Arguments& arguments) {
    const mote::AnyModel model = load_model(arguments.model);
    about(arguments.model, [&] {
        mote::Engine engine(mote::with_batch(model, 1), {.kernels = &mote::best_kernels()});
        ToolDataset data = open_data(arguments.data, only_input(model), mote::Cifar10Part::test);
        expect_labels(data, arguments.data);
        data.follow("samples", data.size());
        const std::size_t classes = engine.output_value().shape.elements();
        mote::Tensor<mote::f32> input(engine.input_value().shape);
        std::vector<double> milliseconds;
        std::size_t right = 0;
        for (std::size_t i = 0; i < data.size(); ++i) {
            const std::int64_t label = data.load(i, input.values());
            mote::detail::expect_label(i, label, classes);
            mote::set_input(engine, 0, input);
            engine.reset();
            const auto start = std::chrono::steady_clock::now();
            engine.run();
            milliseconds.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
            const mote::Tensor<mote::f32> output = mote::get_output(engine);
            right += static_cast<std::int64_t>(mote::detail::largest(output.values())) == label ? 1u : 0u;
        }
        const auto middle = milliseconds.begin() + static_cast<std::ptrdiff_t>(milliseconds.size() / 2);
        std::nth_element(milliseconds.begin(), middle, milliseconds.end());
        const double top1 = static_cast<double>(right) / static_cast<double>(data.size());
        arguments.output.print(mote::concat("samples  ", data.size(), "\ntop-1    ", number("%.2f", 100.0 * top1),
                                            " %\nmedian   ", number("%.4f", *middle), " ms a sample\n"));
        arguments.output.write(Json().add("samples", data.size()).add("top1", top1).add("milliseconds_median", *middle));
    });
}

}  // namespace

void add_eval(CLI::App& app) {
    CLI::App* command = app.add_subcommand("eval", "Top-1 accuracy and latency on a dataset");
    const auto arguments = std::make_shared<Arguments>();
    add_model(*command, arguments->model);
    add_data(*command, arguments->data);
    arguments->output.add_options(*command);
    command->footer("example: mote eval resnet8.tflite --data cifar10:data/cifar10:test");
    command->callback([arguments] { eval(*arguments); });
}

}  // namespace tool
