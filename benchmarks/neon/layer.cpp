// SPDX-License-Identifier: MIT
// Runs one layer in this unit's kernels a given number of times; table.py counts the instructions.
//
// usage: layer NAME RUNS       prints the layer's multiplications and additions of one run

#include "../block.hpp"

#include <mote/kernels/native.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

using mote::ConvGeometry;

std::size_t elements(std::int32_t height, std::int32_t width, std::int32_t channels) {
    return static_cast<std::size_t>(height * width * channels);
}
std::size_t taps(const ConvGeometry& g) {
    return elements(g.kernel_height, g.kernel_width, g.in_channels / g.groups);
}

void run_f32(const mote::ConvKernels<mote::ConvConstantsF32, mote::ConvF32>& kernel, const ConvGeometry& g, int runs) {
    const auto channels = static_cast<std::size_t>(g.out_channels);
    Block<float> input(elements(g.in_height, g.in_width, g.in_channels)), weight(channels * taps(g)), bias(channels);
    Block<float> output(elements(g.out_height, g.out_width, g.out_channels));
    Block<char> packed(kernel.packed_bytes(g)), scratch(kernel.scratch_bytes(g));
    kernel.pack(g, {weight.data(), bias.data()}, packed.data());
    mote::ConvF32 run;
    run.input = input.data(), run.packed = packed.data(), run.output = output.data(), run.scratch = scratch.data();
    for (; runs > 0; --runs) kernel.run(g, run, {});
}

void run_i8(const mote::ConvKernels<mote::ConvConstantsI8, mote::ConvI8>& kernel, const ConvGeometry& g, int runs) {
    const auto channels = static_cast<std::size_t>(g.out_channels);
    Block<std::int8_t> input(elements(g.in_height, g.in_width, g.in_channels)), weight(channels * taps(g));
    Block<std::int8_t> output(elements(g.out_height, g.out_width, g.out_channels));
    Block<std::int32_t> bias(channels);
    Block<float> multiplier(channels);
    for (std::size_t c = 0; c < channels; ++c) multiplier.data()[c] = 0.003f;
    Block<char> packed(kernel.packed_bytes(g)), scratch(kernel.scratch_bytes(g));
    kernel.pack(g, {weight.data(), bias.data(), multiplier.data(), 3}, packed.data());
    mote::ConvI8 run;
    run.input = input.data(), run.packed = packed.data(), run.output = output.data(), run.scratch = scratch.data();
    run.input_zero_point = 3;
    run.requantize.zero_point = -5;
    for (; runs > 0; --runs) kernel.run(g, run, {});
}

/// A k x k window that keeps the image's size.
ConvGeometry window(std::int32_t size, std::int32_t in, std::int32_t out, std::int32_t kernel, std::int32_t groups = 1) {
    ConvGeometry g;
    g.in_height = g.in_width = g.out_height = g.out_width = size;
    g.in_channels = in;
    g.out_channels = out;
    g.kernel_height = g.kernel_width = kernel;
    g.pad_top = g.pad_left = kernel / 2;
    g.groups = groups;
    return g;
}

struct Layer {
    const char* name;
    ConvGeometry g;
};
const Layer layers[] = {
    {"conv_1x1", window(28, 256, 256, 1)},
    {"conv_3x3", window(56, 64, 64, 3)},
    {"depthwise_3x3", window(56, 128, 128, 3, 128)},
};

}  // namespace

int main(int argc, char** argv) {
    const mote::KernelTable& table = mote::native_kernels();
    for (const Layer& layer : layers) {
        for (const bool integer : {false, true}) {
            char name[40];
            std::snprintf(name, sizeof name, "%s_%s", layer.name, integer ? "i8" : "f32");
            if (argc != 3 || std::strcmp(argv[1], name) != 0) continue;
            const ConvGeometry& g = layer.g;
            const bool depthwise = g.groups > 1;
            if (integer) {
                run_i8(depthwise ? table.depthwise_i8 : table.conv2d_i8, g, std::atoi(argv[2]));
            } else {
                run_f32(depthwise ? table.depthwise_f32 : table.conv2d_f32, g, std::atoi(argv[2]));
            }
            std::printf("%s %zu\n", table.instruction_set, elements(g.out_height, g.out_width, g.out_channels) * taps(g));
            return 0;
        }
    }
    std::fprintf(stderr, "usage: layer NAME RUNS; NAME is conv_1x1, conv_3x3 or depthwise_3x3, then _f32 or _i8\n");
    return 2;
}
