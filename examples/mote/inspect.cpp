// SPDX-License-Identifier: MIT
// mote inspect: what is in a model, and how it is computed here.

#include "tool.hpp"

#include <mote/engine/dispatch.hpp>
#include <mote/engine/print.hpp>
#include <mote/model/print.hpp>
#include <mote/report/model_svg.hpp>
#include <mote/tensor/file.hpp>

namespace tool {

namespace {

struct Arguments {
    std::string model, svg;
    Output output;
};

void inspect(const Arguments& arguments) {
    const mote::AnyModel model = load_model(arguments.model);
    about(arguments.model, [&] {
        if (!arguments.svg.empty()) mote::write_file(arguments.svg, mote::model_svg(model, arguments.model));
        const mote::Plan plan = mote::plan(model, mote::best_kernels());
        arguments.output.print(mote::to_string(model, widest_cell) + "\n" + mote::to_string(plan, widest_cell));
        Json figures = size_figures(model);
        const mote::PlanMemory& memory = plan.memory();
        figures.add("arena_least_bytes", memory.arena_least_bytes)
            .add("state_bytes", memory.state_bytes)
            .add("input_output_bytes", memory.input_output_bytes);
        figures.add("constant_bytes", memory.constant_bytes).add("instruction_set", plan.kernels().instruction_set);
        const auto values = [&](const std::vector<mote::ValueId>& ids) {
            std::vector<Json> list;
            for (const mote::ValueId id : ids) {
                const mote::Value& value = model.value(id);
                list.push_back(Json()
                                   .add("name", value.name)
                                   .add("shape", mote::to_string(value.shape))
                                   .add("element", mote::element_name(value.element)));
            }
            return list;
        };
        figures.add("inputs", values(model.inputs())).add("outputs", values(model.outputs()));
        std::vector<Json> layers;
        for (std::size_t i = 0; i < model.nodes().size(); ++i) {
            const mote::Node& node = model.nodes()[i];
            const mote::Value& value = model.value(node.outputs[0]);
            const mote::Cost cost = model.cost(i);
            layers.push_back(Json()
                                 .add("name", node.name)
                                 .add("kind", mote::kind_name<mote::AnyModel::layers>(node))
                                 .add("shape", mote::to_string(value.shape))
                                 .add("element", mote::element_name(value.element))
                                 .add("parameters", cost.parameters)
                                 .add("macs", cost.macs)
                                 .add("weight_bytes", cost.weight_bytes));
        }
        arguments.output.write(figures.add("layers", layers));
    });
}

}  // namespace

void add_inspect(CLI::App& app) {
    CLI::App* command = app.add_subcommand("inspect", "Layers, shapes, parameters, MACs, the plan and its memory map");
    const auto arguments = std::make_shared<Arguments>();
    add_model(*command, arguments->model);
    command->add_option("--svg", arguments->svg, "Draw the graph: nodes coloured by family, sized by MACs")->type_name("FILE");
    arguments->output.add_options(*command);
    command->footer("example: mote inspect face.tflite --svg face.svg --json face.json");
    command->callback([arguments] { inspect(*arguments); });
}

}  // namespace tool
