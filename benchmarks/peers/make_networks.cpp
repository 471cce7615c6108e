// SPDX-License-Identifier: MIT
// Writes the networks of the race as mote has them: their files in f32 and int8, an input, and how much they compute.
//
// usage: make_networks OUT NAME...
//   OUT/NAME.f32.mote, .f32.onnx, .f32.npy   BatchNorm folded; images channels first in the ONNX file; an input, channels last
//   OUT/NAME.i8.mote, .i8.onnx, .i8.npy      quantized on random samples; QuantizeLinear and DequantizeLinear in the ONNX file
// and a line "NAME MACS" for each.
// Without arguments: the names, one a line.
//
// Weights come from a seed. Where a network ends in a Softmax, what goes into it is an output too: random weights leave little
// of the others' shares, and the sides' answers are compared.

#include <mote/io/mote_file.hpp>
#include <mote/io/npy.hpp>
#include <mote/io/onnx/export.hpp>
#include <mote/transform/quantize.hpp>
#include <mote/zoo/autoencoder.hpp>
#include <mote/zoo/keyword.hpp>
#include <mote/zoo/mobilenet.hpp>
#include <mote/zoo/resnet.hpp>
#include <mote/zoo/shufflenet.hpp>
#include <mote/zoo/squeezenet.hpp>

#include <cstdio>
#include <cstring>

namespace {

using namespace mote;
using F32 = Model<f32, wide>;

struct Network {
    const char* name;
    F32 (*make)();
};

constexpr Network networks[] = {
    {"resnet50", []() -> F32 { return zoo::resnet50(); }},
    {"resnet18", []() -> F32 { return zoo::resnet18(); }},
    {"mobilenet_v2", []() -> F32 { return zoo::mobilenet_v2(); }},
    {"squeezenet_1_1", []() -> F32 { return zoo::squeezenet_1_1(); }},
    {"shufflenet_v2", []() -> F32 { return zoo::shufflenet_v2(); }},
    {"mobilenet_v3_small", []() -> F32 { return zoo::mobilenet_v3_small(); }},
    {"resnet8", []() -> F32 { return zoo::resnet8(); }},
    {"ds_cnn", []() -> F32 { return zoo::ds_cnn_small(); }},
    {"visual_wake_words", []() -> F32 { return zoo::visual_wake_words(); }},
    {"autoencoder", []() -> F32 { return zoo::autoencoder(); }},
};

/// Weights from a seed, BatchNorm folded, the input of a Softmax as an output.
F32 drawn(const F32& model) {
    Graph<F32::layers> graph = fold(initialize(model, {.seed = 1})).graph();
    for (const Node& node : graph.nodes) {
        if (get_if<Softmax>(graph, node) != nullptr) graph.outputs.push_back(node.inputs[0]);
    }
    return F32(std::move(graph));
}

Tensor<f32> sample(const Shape& shape, std::uint64_t stream) {
    Tensor<f32> tensor(shape);
    Random random(7, stream);
    for (float& x : tensor.values()) x = random.normal();
    return tensor;
}

template <class List>
void save_all(const BasicModel<List>& model, const std::string& path, const char* name) {
    save(model, path + ".mote");
    save_onnx(model, path + ".onnx", {.name = name, .channels_first_io = true});
}

void write(const Network& network, const std::string& out) {
    const F32 model = drawn(network.make());
    const std::string path = out + "/" + network.name;
    const Shape shape = model.values()[model.inputs()[0]].shape;
    save_all(model, path + ".f32", network.name);
    const Tensor<f32> input = sample(shape, 0);
    save_npy(input, path + ".f32.npy");

    SampleList samples;
    for (std::uint64_t i = 0; i < 4; ++i) samples.push_back({sample(shape, i)});
    const Model<i8, wide> light = quantize<i8, wide>(model, samples);
    save_all(light, path + ".i8", network.name);
    const Value& value = light.values()[light.inputs()[0]];
    const QuantizationParams params = value.quantization.params();
    Tensor<i8> bytes(shape);
    native_kernels().quantize_i8(input.elements(), static_cast<float>(1.0 / static_cast<double>(params.scale)),
                                 params.zero_point, input.data(), bytes.data());
    save_npy(bytes, path + ".i8.npy");
    std::printf("%s %llu\n", network.name, static_cast<unsigned long long>(model.cost().macs));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 1) {
        for (const Network& network : networks) std::puts(network.name);
        return 0;
    }
    try {
        for (int i = 2; i < argc; ++i) {
            const Network* found =
                std::ranges::find_if(networks, [&](const Network& n) { return std::strcmp(n.name, argv[i]) == 0; });
            if (found == std::end(networks)) fail("no network is called '", argv[i], "'");
            write(*found, argv[1]);
            std::fflush(stdout);
        }
    } catch (const Error& error) {
        std::fprintf(stderr, "make_networks: %s\n", error.what());
        return 1;
    }
    return 0;
}
