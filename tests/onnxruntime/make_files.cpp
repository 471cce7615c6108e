// SPDX-License-Identifier: MIT
// Writes ONNX files, inputs and mote's answers for compare.py.
//
// usage: make_files OUT [CIFAR10]
//   OUT      every network of the zoo and some random ones: NAME.onnx, NAME.in0.npy ..., NAME.out0.npy ...
//   CIFAR10  the unpacked data set: ResNet-8 of the shared data, quantized, on 1,000 test images

#include <mote/engine/evaluate.hpp>
#include <mote/io/npy.hpp>
#include <mote/io/onnx/export.hpp>

#include <engine/random_model.hpp>
#include <io/onnx/zoo_networks.hpp>

namespace {

using namespace mote;

/// The model's file, numbers for its inputs, and its answers to them.
template <class List>
void write_network(const BasicModel<List>& model, const std::string& path, std::uint64_t seed,
                   const OnnxExportOptions& options) {
    save_onnx(model, path + ".onnx", options);
    Engine engine(model);
    random_model::fill_inputs(engine, seed);
    engine.run();
    for (std::size_t i = 0; i < engine.inputs(); ++i) {
        const std::span<const float> values = engine.input<float>(i);
        save_npy(Tensor<f32>(engine.input_value(i).shape, values), concat(path, ".in", i, ".npy"));
    }
    for (std::size_t i = 0; i < engine.outputs(); ++i) {
        const std::span<const float> values = engine.output<float>(i);
        save_npy(Tensor<f32>(engine.output_value(i).shape, values), concat(path, ".out", i, ".npy"));
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2 || argc > 3) {
        std::fputs("usage: make_files OUT [CIFAR10]\n", stderr);
        return 2;
    }
    try {
        const std::string out = std::string(argv[1]) + "/";
        for (const onnx_test::ZooNetwork& network : onnx_test::zoo_networks<true>) {
            write_network(with_batch(onnx_test::drawn(network.make()), 2), out + network.name, 1, {.name = network.name});
        }
        for (std::uint64_t seed = 0; seed < 40; ++seed) {
            write_network(random_model::make<f32>(seed, 12), concat(out, "random_", seed), seed,
                          {.opset = 13 + static_cast<std::int64_t>(seed % 9)});
        }
    } catch (const Error& error) {
        std::fprintf(stderr, "make_files: %s\n", error.what());
        return 1;
    }
    return 0;
}
