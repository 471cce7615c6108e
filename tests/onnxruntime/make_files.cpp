// SPDX-License-Identifier: MIT
// Writes ONNX files, inputs and mote's answers for compare.py.
//
// usage: make_files OUT [RESNET8 INDEXES CIFAR10]
//   OUT      every network of the zoo and some random ones: NAME.onnx, NAME.in0.npy ..., NAME.out0.npy ...
//   RESNET8  a .tflite file: the network in f32 and quantized, each answering 1,000 test images
//   INDEXES  a .npy file of the test images that show the activations' ranges
//   CIFAR10  the folder of the data set's binary version

#include <mote/engine/evaluate.hpp>
#include <mote/io/npy.hpp>
#include <mote/io/onnx/export.hpp>
#include <mote/io/tflite/import.hpp>
#include <mote/transform/quantize.hpp>

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

/// The first `count` records of a file of CIFAR-10: a label, then planes of red, green and blue; as images [32, 32, 3] of 0 to
/// 255.
TensorDataset cifar10(const std::string& path, std::size_t count) {
    const FileBytes file = map_file(path);
    constexpr std::size_t pixels = 32 * 32, record = 1 + 3 * pixels;
    if (file.bytes.size() < count * record) fail("'", path, "': ", count, " records are expected");
    Tensor<f32> images(Shape{count, 32, 32, 3});
    float* to = images.data();
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
            for (std::size_t c = 0; c < 3; ++c)
                *to++ = static_cast<float>(std::to_integer<int>(file.bytes[i * record + 1 + c * pixels + pixel]));
        }
    }
    return {std::move(images), std::vector<std::int64_t>(count, 0)};
}

/// The model's file with a batch of 100, the images as it takes them, and its answers.
template <class P, class List>
void write_classifier(const BasicModel<List>& model, const TensorDataset& images, const std::string& path) {
    constexpr std::size_t batch = 100;
    const BasicModel<List> several = with_batch(model, batch);
    save_onnx(several, path + ".onnx", {.name = "resnet8"});
    Engine engine(several);
    using V = typename P::value_type;
    std::vector<V> in, out;
    Shape from = engine.input_value(0).shape, to = engine.output_value(0).shape;
    const std::size_t pixels = from.elements();
    for (std::size_t at = 0; at < images.size(); at += batch) {
        const std::span<const float> part = images.inputs().values().subspan(at / batch * pixels, pixels);
        set_input(engine, 0, Tensor<f32>(from, part));
        engine.run();
        in.insert(in.end(), engine.input<V>(0).begin(), engine.input<V>(0).end());
        out.insert(out.end(), engine.output<V>(0).begin(), engine.output<V>(0).end());
    }
    from[0] = to[0] = images.size();
    save_npy(Tensor<P>(from, in), path + ".in0.npy");
    save_npy(Tensor<P>(to, out), path + ".out0.npy");
}

/// How many bytes agree depends on the calibration a little: onnxruntime rounds a requantization's multiplier twice, mote once,
/// so that a sum now and then rounds to another byte, and what follows makes more of it.
void write_resnet8(const std::string& out, const std::string& network, const std::string& indexes, const std::string& folder) {
    const AnyModel model = load_tflite(network);
    const TensorDataset all = cifar10(folder + "/test_batch.bin", 9000), test = cifar10(folder + "/test_batch.bin", 1000);
    const NpyArray list = load_npy(indexes);
    std::vector<std::size_t> calibration;
    for (const std::int64_t index : list.values<std::int64_t>()) {
        if (index < 9000) calibration.push_back(narrow<std::size_t>(index));  // the others are not in the shared data
    }
    write_classifier<f32>(model, test, out + "trained_resnet8");
    write_classifier<i8>(quantize<i8, wide>(model, subset(all, calibration)), test, out + "trained_resnet8_i8");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 && argc != 5) {
        std::fputs("usage: make_files OUT [RESNET8 INDEXES CIFAR10]\n", stderr);
        return 2;
    }
    try {
        const std::string out = std::string(argv[1]) + "/";
        if (argc == 5) write_resnet8(out, argv[2], argv[3], argv[4]);
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
