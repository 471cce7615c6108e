// SPDX-License-Identifier: MIT
// The researcher's program: a network trained on digits, made lighter step by step, and written for firmware. The trained
// network goes into digits.mote, on which the README's commands of the tool work.
// usage: researcher [OUTPUT.hpp]

#include <mote/data/data.hpp>
#include <mote/emit/header.hpp>
#include <mote/io/mote_file.hpp>
#include <mote/mote.hpp>
#include <mote/transform/transform.hpp>
#include <mote/zoo/initialize.hpp>

#include <cstdio>

int main(int count, char** arguments) try {
    const auto digits = mote::load_digits(MOTE_DIGITS_CSV);
    const auto [set, test] = mote::stratified_split(digits, 1297, 1);

    mote::ModelBuilder<mote::f32> b;
    auto x = b.input("image", {1, 8, 8, 1});
    for (const std::size_t channels : {16u, 32u}) {
        x = b.add(mote::Conv2d<mote::f32>{.weight = mote::Tensor<mote::f32>({channels, 3, 3, b.channels(x)}),
                                          .stride = {2, 2},
                                          .padding = mote::uniform_padding(1)},
                  x);
        x = b.add(mote::Relu{}, b.add(mote::batch_norm(channels), x));
    }
    x = b.add(mote::Flatten{}, x);
    b.output("digit", b.add(mote::Dense<mote::f32>{.weight = mote::Tensor<mote::f32>({10, b.channels(x)}),
                                                   .bias = mote::Tensor<mote::f32>(mote::Shape{10})},
                            x));

    const auto net = mote::train(mote::initialize(b.build(), {.seed = 1}), set, {.epochs = 20, .threads = 2});
    const auto slim = mote::prune(net, mote::ChannelPruning{.keep = 0.5, .criterion = mote::L1{}});
    const auto tuned = mote::distill(net, slim, set, {.temperature = 4, .training = {.epochs = 20, .threads = 2}});
    const auto light = mote::quantize<mote::i8>(tuned, set);
    mote::emit_header(light, count > 1 ? arguments[1] : "net.hpp", {.name = "net"});

    mote::save(net, "digits.mote");

    auto report = [&](const char* name, const auto& model) {
        const mote::Cost cost = model.cost();
        std::printf("%-8s %6.2f %%  %6zu MACs  %6zu bytes\n", name, 100 * mote::accuracy(model, test), std::size_t{cost.macs},
                    std::size_t{cost.weight_bytes});
    };
    report("trained", net);
    report("pruned", slim);
    report("distilled", tuned);
    report("int8", light);
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "researcher: %s\n", error.what());
    return 1;
}
