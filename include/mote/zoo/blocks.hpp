// SPDX-License-Identifier: MIT
#pragma once
// What the networks of the zoo are made of: convolution, BatchNorm and activation in one call, squeeze-excite, the residual
// sum, the classifier's head, and the rule by which channels round to a multiple of 8.
//
// Figures in the zoo's comments are counted as papers count: parameters without BatchNorm's means and variances, MACs of
// convolutions and dense layers alone. Model::cost counts both.

#include <mote/zoo/initialize.hpp>

#include <optional>

MOTE_BEGIN_NAMESPACE

namespace zoo {

using Builder = ModelBuilder<f32>;
using Handle = Builder::Handle;

/// Options of a network for ImageNet.
struct ImageNetOptions {
    std::size_t classes = 1000;
    Size2d image{224, 224};
    std::size_t channels = 3;  ///< of the image
};

/// Options of a network for CIFAR-10.
struct CifarOptions {
    std::size_t classes = 10;
    Size2d image{32, 32};
    std::size_t channels = 3;  ///< of the image
};

enum class Activation : std::uint8_t { none, relu, relu6, hard_swish, hard_sigmoid };

/// half: kernel / 2 rows on every side (PyTorch's networks); same: TensorFlow's SAME; valid: none.
enum class Padding : std::uint8_t { half, same, valid };

/// BatchNorm's constants; `momentum` is the share of the new batch. The defaults are PyTorch's.
struct Norm {
    float epsilon = 1e-5f;
    float momentum = 0.1f;
};
/// Keras' defaults, whose momentum 0.99 is the share of the old statistics.
inline constexpr Norm keras_norm{.epsilon = 1e-3f, .momentum = 0.01f};

/// A convolution without bias, BatchNorm, and an activation. Without `norm`: a convolution with bias, and an activation.
struct ConvBlock {
    std::size_t out = 0;  ///< output channels; 0: as many as come in
    Size2d kernel{3, 3};
    Size2d stride{1, 1};
    Padding padding = Padding::half;
    Activation activation = Activation::relu;
    std::optional<Norm> norm = Norm{};
    bool depthwise = false;  ///< each channel by itself; `out` is then 0
};

/// The multiple of `divisor` next to `value`, at least `divisor`, and never less than 90 % of `value` (Sandler et al. 2018,
/// MobileNetV2, as in its published code).
inline std::size_t make_divisible(double value, std::size_t divisor = 8) {
    const auto d = static_cast<double>(divisor);
    std::size_t result = static_cast<std::size_t>((value + d / 2) / d) * divisor;
    if (result < divisor) result = divisor;
    return static_cast<double>(result) < 0.9 * value ? result + divisor : result;
}

/// Throws an Error that names the network, the option and what is accepted, unless `value` lies in [1, limit].
inline void check_option(const char* network, const char* option, std::size_t value, std::size_t limit) {
    if (value < 1 || value > limit) fail(network, ": ", option, " is ", value, "; 1 to ", limit, " is accepted");
}

/// The options that image networks share: classes and channels in [1, 2^20], the image's extents in [1, 2^14], the width in
/// (0, 8]. Throws as check_option does.
inline void check_options(const char* network, std::size_t classes, Size2d image, std::size_t channels, double width = 1.0) {
    check_option(network, "classes", classes, std::size_t{1} << 20);
    check_option(network, "image.height", image.height, std::size_t{1} << 14);
    check_option(network, "image.width", image.width, std::size_t{1} << 14);
    check_option(network, "channels", channels, std::size_t{1} << 20);
    if (!(width > 0.0 && width <= 8.0)) fail(network, ": width is ", width, "; more than 0 and up to 8 is accepted");
}

template <class List>
auto activate(BasicBuilder<List>& b, typename BasicBuilder<List>::Handle x, Activation activation) {
    switch (activation) {
        case Activation::none:
            return x;
        case Activation::relu:
            return b.add(Relu{}, x);
        case Activation::relu6:
            return b.add(Relu6{}, x);
        case Activation::hard_swish:
            return b.add(HardSwish{}, x);
        case Activation::hard_sigmoid:
            return b.add(HardSigmoid{}, x);
    }
    fail("an activation that is none of the enumeration");
}

/// [batch, height, width, in] -> [batch, out_height, out_width, out]
template <class List>
auto conv(BasicBuilder<List>& b, typename BasicBuilder<List>::Handle x, const ConvBlock& block) {
    const Shape in = b.shape(x);
    const Size2d k = block.kernel;
    const std::size_t out = block.out == 0 ? in[3] : block.out;
    Padding2d padding;
    if (block.padding == Padding::half) padding = {k.height / 2, k.height / 2, k.width / 2, k.width / 2};
    if (block.padding == Padding::same) padding = same_padding({in[1], in[2]}, k, block.stride);
    Tensor<f32> weight({out, k.height, k.width, block.depthwise ? 1 : in[3]});
    Tensor<f32> bias;
    if (!block.norm) bias = Tensor<f32>(Shape{out});
    if (block.depthwise) {
        x = b.add(
            DepthwiseConv2d<f32>{
                .weight = std::move(weight), .bias = std::move(bias), .stride = block.stride, .padding = padding},
            x);
    } else {
        x = b.add(Conv2d<f32>{.weight = std::move(weight), .bias = std::move(bias), .stride = block.stride, .padding = padding},
                  x);
    }
    if (block.norm) {
        BatchNorm norm = batch_norm(out, block.norm->momentum);
        norm.epsilon = block.norm->epsilon;
        x = b.add(std::move(norm), x);
    }
    return activate(b, x, block.activation);
}

/// [batch, in] -> [batch, out], with bias.
template <class List>
auto dense(BasicBuilder<List>& b, typename BasicBuilder<List>::Handle x, std::size_t out) {
    return b.add(Dense<f32>{.weight = Tensor<f32>({out, b.channels(x)}), .bias = Tensor<f32>(Shape{out})}, x);
}

/// Squeeze-excite: scales each channel by a hard sigmoid of all channels' means, which go through `squeezed` channels and back
/// (Hu et al. 2018, section 3; the hard sigmoid is Howard et al. 2019, section 5.3).
inline Handle squeeze_excite(Builder& b, Handle x, std::size_t squeezed) {
    Handle gate = b.add(GlobalAveragePool{}, x);
    gate = conv(b, gate, {.out = squeezed, .kernel = {1, 1}, .norm = std::nullopt});
    gate =
        conv(b, gate, {.out = b.channels(x), .kernel = {1, 1}, .activation = Activation::hard_sigmoid, .norm = std::nullopt});
    return b.add(Mul{}, {x, gate});
}

/// The expanding half, the filter and the linear projection of an inverted residual block, and the sum with its input where
/// the shapes agree (Sandler et al. 2018, section 3.3 and table 1). No expansion where `expanded` is the input's channels.
struct InvertedResidual {
    std::size_t expanded = 0;
    std::size_t out = 0;
    std::size_t kernel = 3;
    std::size_t stride = 1;
    Padding padding = Padding::half;
    Activation activation = Activation::relu6;
    Norm norm{};
    std::size_t squeezed = 0;  ///< channels of the squeeze-excite after the filter; 0: none
};

inline Handle inverted_residual(Builder& b, Handle x, const InvertedResidual& block) {
    Handle y = x;
    if (block.expanded != b.channels(x)) {
        y = conv(b, y, {.out = block.expanded, .kernel = {1, 1}, .activation = block.activation, .norm = block.norm});
    }
    y = conv(b, y,
             {.kernel = {block.kernel, block.kernel},
              .stride = {block.stride, block.stride},
              .padding = block.padding,
              .activation = block.activation,
              .norm = block.norm,
              .depthwise = true});
    if (block.squeezed != 0) y = squeeze_excite(b, y, block.squeezed);
    y = conv(b, y, {.out = block.out, .kernel = {1, 1}, .activation = Activation::none, .norm = block.norm});
    return block.stride == 1 && block.out == b.channels(x) ? b.add(Add{}, {x, y}) : y;
}

/// Names the softmax of logits [batch, classes] as output "probabilities" and builds the model.
template <class List>
BasicModel<List> with_softmax(BasicBuilder<List>& b, typename BasicBuilder<List>::Handle logits) {
    b.output("probabilities", b.add(Softmax{}, logits));
    return b.build();
}

/// Mean over the image, dense layer, softmax: [batch, height, width, channels] -> [batch, classes].
template <class List>
BasicModel<List> classifier(BasicBuilder<List>& b, typename BasicBuilder<List>::Handle x, std::size_t classes) {
    return with_softmax(b, dense(b, b.add(Flatten{}, b.add(GlobalAveragePool{}, x)), classes));
}

}  // namespace zoo

MOTE_END_NAMESPACE
