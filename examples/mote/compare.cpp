// SPDX-License-Identifier: MIT
// mote compare: where two models of one network differ.

#include "data.hpp"

#include <mote/report/comparison.hpp>
#include <mote/tensor/file.hpp>

namespace tool {

namespace {

struct Arguments {
    std::string a, b, html;
    DataArguments data;
    Output output;
};

void compare(const Arguments& arguments) {
    const mote::AnyModel a = load_model(arguments.a), b = load_model(arguments.b);
    about(arguments.a, [&] {
        ToolDataset data = open_data(arguments.data, only_input(a), mote::Cifar10Part::test);
        data.follow("samples", data.size());
        const std::vector<mote::ValueComparison> comparison = mote::worst_first(mote::compare(a, b, data));
        arguments.output.print(mote::to_string(comparison, widest_cell));
        if (!arguments.html.empty()) {
            mote::write_file(arguments.html, mote::comparison_html(comparison, {mote::concat(arguments.a, " and ", arguments.b),
                                                                                arguments.a, arguments.b}));
        }
        std::vector<Json> values;
        for (const mote::ValueComparison& value : comparison) {
            values.push_back(Json()
                                 .add("name", value.name)
                                 .add("element", mote::element_name(value.element))
                                 .add("sqnr", value.sqnr)
                                 .add("own", value.own)
                                 .add("cosine", value.cosine)
                                 .add("clipped", value.clipped));
        }
        arguments.output.write(Json().add("samples", data.size()).add("values", values));
    });
}

}  // namespace

void add_compare(CLI::App& app) {
    CLI::App* command = app.add_subcommand("compare", "Value by value, the worst first: SQNR, cosine, clipping of B against A");
    const auto arguments = std::make_shared<Arguments>();
    command->add_option("A", arguments->a, "The model that is right, usually in f32")->required();
    command->add_option("B", arguments->b, "The model that follows it")->required();
    add_data(*command, arguments->data);
    command->add_option("--html", arguments->html, "Write a page with bars")->type_name("FILE");
    arguments->output.add_options(*command);
    command->footer("example: mote compare net.mote net_int8.mote --data npy:inputs.npy --html net.html");
    command->callback([arguments] { compare(*arguments); });
}

}  // namespace tool
