// SPDX-License-Identifier: MIT
#pragma once
// Every network of the zoo, with weights and statistics from a seed; small images where the network takes them.

#include <mote/core/random.hpp>
#include <mote/zoo/autoencoder.hpp>
#include <mote/zoo/blazeface.hpp>
#include <mote/zoo/efficientnet_lite.hpp>
#include <mote/zoo/keyword.hpp>
#include <mote/zoo/mobilenet.hpp>
#include <mote/zoo/resnet.hpp>
#include <mote/zoo/shufflenet.hpp>
#include <mote/zoo/squeezenet.hpp>
#include <mote/zoo/unet.hpp>
#include <mote/zoo/vgg.hpp>

namespace onnx_test {

using Wide = mote::Model<mote::f32, mote::wide>;

struct ZooNetwork {
    const char* name;
    Wide (*make)();
    std::size_t transposes = 0;  ///< of a channels-first file: a channel shuffle is one, and the reshaping of pixels to anchors
};

/// `whole`: with the images that the networks are made for.
template <bool whole>
constexpr mote::Size2d image(std::size_t extent) {
    return whole ? mote::Size2d{224, 224} : mote::Size2d{extent, extent};
}
template <bool whole>
inline constexpr ZooNetwork zoo_networks[] = {
    {"autoencoder", []() -> Wide { return mote::zoo::autoencoder(); }},
    {"ds_cnn_small", []() -> Wide { return mote::zoo::ds_cnn_small(); }},
    {"ds_cnn_medium", []() -> Wide { return mote::zoo::ds_cnn_medium(); }},
    {"ds_cnn_large", []() -> Wide { return mote::zoo::ds_cnn_large(); }},
    {"resnet8", []() -> Wide { return mote::zoo::resnet8(); }},
    {"resnet20", []() -> Wide { return mote::zoo::resnet20(); }},
    {"resnet32", []() -> Wide { return mote::zoo::resnet32(); }},
    {"resnet56", []() -> Wide { return mote::zoo::resnet56(); }},
    {"resnet18", []() -> Wide { return mote::zoo::resnet18({.image = image<whole>(32)}); }},
    {"resnet50", []() -> Wide { return mote::zoo::resnet50({.image = image<whole>(32)}); }},
    {"mobilenet_v1", []() -> Wide { return mote::zoo::mobilenet_v1({.image = image<whole>(32)}); }},
    {"mobilenet_v2", []() -> Wide { return mote::zoo::mobilenet_v2({.image = image<whole>(32)}); }},
    {"mobilenet_v2_cifar", []() -> Wide { return mote::zoo::mobilenet_v2_cifar(); }},
    {"mobilenet_v3_small", []() -> Wide { return mote::zoo::mobilenet_v3_small({.image = image<whole>(32)}); }},
    {"mobilenet_v3_large", []() -> Wide { return mote::zoo::mobilenet_v3_large({.image = image<whole>(32)}); }},
    {"visual_wake_words", []() -> Wide { return mote::zoo::visual_wake_words(); }},
    {"efficientnet_lite0", []() -> Wide { return mote::zoo::efficientnet_lite0({.image = image<whole>(32)}); }},
    {"squeezenet_1_0", []() -> Wide { return mote::zoo::squeezenet_1_0({.image = image<whole>(64)}); }},
    {"squeezenet_1_1", []() -> Wide { return mote::zoo::squeezenet_1_1({.image = image<whole>(64)}); }},
    {"shufflenet_v2", []() -> Wide { return mote::zoo::shufflenet_v2({.image = image<whole>(64)}); }, 16},
    {"shufflenet_v2_cifar", []() -> Wide { return mote::zoo::shufflenet_v2_cifar(); }, 16},
    {"unet",
     []() -> Wide {
         return mote::zoo::unet({.image = {16, 16}});
     }},
    {"blazeface",
     []() -> Wide {
         return mote::zoo::blazeface({.image = {32, 48}});
     },
     4},
    {"vgg_small", []() -> Wide { return mote::zoo::vgg_small(); }},
};

/// The model with weights drawn from a seed; biases, and BatchNorm's parameters and statistics, are drawn too. What goes into a
/// Softmax becomes an output as well: random weights leave little of the others' shares.
inline Wide drawn(const Wide& model) {
    using namespace mote;
    Graph<Wide::layers> graph = initialize(model, {.seed = 1}).graph();
    Random random(2);
    const auto draw = [&](Tensor<f32> tensor, float least, float most) {
        for (float& x : tensor.values()) x = least + (most - least) * static_cast<float>(random.below(4096)) / 4096.0f;
        return tensor;
    };
    for (Node& node : graph.nodes) {
        if (get_if<Softmax>(graph, node) != nullptr) graph.outputs.push_back(node.inputs[0]);
        if (const auto* norm = get_if<BatchNorm>(graph, node)) {
            BatchNorm other = *norm;
            other.scale = draw(norm->scale, 0.75f, 1.25f);
            other.shift = draw(norm->shift, -0.25f, 0.25f);
            other.mean = draw(norm->mean, -0.25f, 0.25f);
            other.variance = draw(norm->variance, 0.75f, 1.5f);
            node = with_layer<Wide::layers>(node, std::move(other));
        } else if (const auto* conv = get_if<Conv2d<f32>>(graph, node); conv != nullptr && !conv->bias.empty()) {
            Conv2d<f32> other = *conv;
            other.bias = draw(conv->bias, -0.25f, 0.25f);
            node = with_layer<Wide::layers>(node, std::move(other));
        } else if (const auto* dense = get_if<Dense<f32>>(graph, node); dense != nullptr && !dense->bias.empty()) {
            Dense<f32> other = *dense;
            other.bias = draw(dense->bias, -0.25f, 0.25f);
            node = with_layer<Wide::layers>(node, std::move(other));
        }
    }
    return Wide(std::move(graph));
}

}  // namespace onnx_test
