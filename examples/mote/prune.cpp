// SPDX-License-Identifier: MIT
// mote prune: a model without its least important channels, or with its least important weights zero.

#include "data.hpp"

#include <mote/transform/prune.hpp>

namespace tool {

namespace {

struct Arguments {
    std::string model, out;
    double keep = 0.0, sparsity = 0.0;
    bool taylor = false;
    std::string scope;
    std::size_t round_to = 1;
    std::vector<std::string> ignored;
    DataArguments data;
    Output output;
};

mote::Scope scope_of(const Arguments& arguments, mote::Scope otherwise) {
    return arguments.scope.empty() ? otherwise : arguments.scope == "global" ? mote::Scope::global : mote::Scope::per_layer;
}

void prune(const Arguments& arguments) {
    expect_writable_format(arguments.out);
    const mote::Model<mote::f32, mote::wide> model = load_f32_model(arguments.model);
    about(arguments.model, [&] {
        mote::Criterion criterion = mote::L1{};
        if (arguments.taylor) {
            const ToolDataset data = open_data(arguments.data, only_input(model), mote::Cifar10Part::train);
            expect_labels(data, arguments.data);
            criterion = mote::Taylor(data, {.samples = 0});
        }
        mote::PruneReport done;
        const auto report = [&done](const mote::PruneReport& r) { done = r; };
        const bool channels = arguments.keep > 0.0;
        const mote::Model<mote::f32, mote::wide> slim =
            channels ? mote::prune(model, mote::ChannelPruning{.keep = arguments.keep,
                                                               .criterion = criterion,
                                                               .scope = scope_of(arguments, mote::Scope::per_layer),
                                                               .round_to = arguments.round_to,
                                                               .ignored = arguments.ignored,
                                                               .report = report})
                     : mote::prune(model, mote::WeightPruning{.sparsity = arguments.sparsity,
                                                              .criterion = criterion,
                                                              .scope = scope_of(arguments, mote::Scope::global),
                                                              .ignored = arguments.ignored,
                                                              .report = report});
        save_model(slim, arguments.out);
        arguments.output.print(done.text + "\n" + size_table(model, slim));
        arguments.output.write(size_figures(slim)
                                   .add(channels ? "channels_removed" : "weights_zeroed", done.removed)
                                   .add(channels ? "channels" : "weights", done.total));
    });
}

}  // namespace

void add_prune(CLI::App& app) {
    CLI::App* command = app.add_subcommand("prune", "Remove the least important channels, or zero the least important weights");
    const auto arguments = std::make_shared<Arguments>();
    add_model(*command, arguments->model);
    add_out(*command, arguments->out, "The pruned model");
    CLI::Option_group* kind = command->add_option_group("what goes");
    const auto share = [](const std::string& text) {
        char* end = nullptr;
        const double value = std::strtod(text.c_str(), &end);
        const bool good = end != text.c_str() && *end == '\0' && value > 0.0 && value < 1.0;
        return good ? std::string() : "'" + text + "' is no share between 0 and 1, without them";
    };
    kind->add_option("--keep", arguments->keep, "The share of the channels that stays, between 0 and 1")
        ->check(share)
        ->type_name("X");
    kind->add_option("--sparsity", arguments->sparsity, "The share of the weights that becomes zero, between 0 and 1")
        ->check(share)
        ->type_name("X");
    kind->require_option(1);
    command->add_option("--scope", arguments->scope, "Chosen per-layer (usual for channels) or global (usual for weights)")
        ->check(CLI::IsMember({"per-layer", "global"}))
        ->type_name("SCOPE");
    command->add_option("--round-to", arguments->round_to, "Channels that stay are rounded up to a multiple of this")
        ->capture_default_str()
        ->check(CLI::PositiveNumber)
        ->type_name("N");
    command->add_option("--ignore", arguments->ignored, "A node that keeps all its outputs; may be given again")
        ->type_name("NODE");
    CLI::Option* taylor =
        command->add_flag("--taylor", arguments->taylor, "Importance by the loss's sensitivity on --data, not by magnitude");
    add_data(*command, arguments->data, false);
    taylor->needs(command->get_option("--data"));
    arguments->output.add_options(*command);
    command->footer("example: mote prune net.mote --keep 0.5 -o slim.mote");
    command->callback([arguments] { prune(*arguments); });
}

}  // namespace tool
