// SPDX-License-Identifier: MIT
#pragma once
// Residual networks (He et al. 2016, "Deep residual learning for image recognition").

#include <mote/zoo/blocks.hpp>

MOTE_BEGIN_NAMESPACE

namespace zoo {

/// How a residual block's input reaches the sum where the shapes differ (He et al. section 3.3). identity, option A: every
/// second pixel, and zeros for the added channels; no parameters. projection, option B: a 1x1 convolution with BatchNorm.
enum class Shortcut : std::uint8_t { identity, projection };

/// Options of resnet20, resnet32 and resnet56. Option A is the paper's choice for CIFAR-10 (section 4.2).
struct CifarResNetOptions {
    std::size_t classes = 10;
    Size2d image{32, 32};
    std::size_t channels = 3;  ///< of the image
    Shortcut shortcut = Shortcut::identity;
};

namespace detail {

inline Handle shortcut(Builder& b, Handle x, std::size_t out, std::size_t stride, Shortcut kind) {
    const std::size_t in = b.channels(x);
    if (stride == 1 && in == out) return x;
    if (kind == Shortcut::projection) {
        return conv(b, x, {.out = out, .kernel = {1, 1}, .stride = {stride, stride}, .activation = Activation::none});
    }
    if (stride != 1) x = b.add(MaxPool2d{.stride = {stride, stride}}, x);
    return b.add(Pad{.before = {0, 0, 0, 0}, .after = {0, 0, 0, out - in}}, x);
}

/// Two 3x3 convolutions (figure 5, left).
inline Handle basic_block(Builder& b, Handle x, std::size_t out, std::size_t stride, Shortcut kind) {
    Handle y = conv(b, x, {.out = out, .stride = {stride, stride}});
    y = conv(b, y, {.out = out, .activation = Activation::none});
    return b.add(Relu{}, b.add(Add{}, {shortcut(b, x, out, stride, kind), y}));
}

/// 1x1, 3x3, 1x1 to four times the channels (figure 5, right).
inline Handle bottleneck_block(Builder& b, Handle x, std::size_t channels, std::size_t stride) {
    Handle y = conv(b, x, {.out = channels, .kernel = {1, 1}});
    y = conv(b, y, {.out = channels, .stride = {stride, stride}});
    y = conv(b, y, {.out = 4 * channels, .kernel = {1, 1}, .activation = Activation::none});
    return b.add(Relu{}, b.add(Add{}, {shortcut(b, x, 4 * channels, stride, Shortcut::projection), y}));
}

inline Model<f32> imagenet_resnet(const char* name, const ImageNetOptions& options, const std::size_t (&blocks)[4],
                                  bool bottleneck) {
    check_options(name, options.classes, options.image, options.channels);
    Builder b;
    Handle x = b.input("image", {1, options.image.height, options.image.width, options.channels});
    x = conv(b, x, {.out = 64, .kernel = {7, 7}, .stride = {2, 2}});
    x = b.add(MaxPool2d{.kernel = {3, 3}, .stride = {2, 2}, .padding = uniform_padding(1)}, x);
    for (std::size_t stage = 0; stage < 4; ++stage) {
        for (std::size_t i = 0; i < blocks[stage]; ++i) {
            const std::size_t channels = std::size_t{64} << stage;
            const std::size_t stride = stage > 0 && i == 0 ? 2 : 1;
            x = bottleneck ? bottleneck_block(b, x, channels, stride)
                           : basic_block(b, x, channels, stride, Shortcut::projection);
        }
    }
    return classifier(b, x, options.classes);
}

/// 6n + 2 layers: a 3x3 convolution, three stages of n basic blocks, a dense layer.
inline Model<f32> cifar_resnet(const char* name, const CifarResNetOptions& options, std::size_t n) {
    check_options(name, options.classes, options.image, options.channels);
    Builder b;
    Handle x = b.input("image", {1, options.image.height, options.image.width, options.channels});
    x = conv(b, x, {.out = 16});
    for (std::size_t stage = 0; stage < 3; ++stage) {
        for (std::size_t i = 0; i < n; ++i) {
            x = basic_block(b, x, std::size_t{16} << stage, stage > 0 && i == 0 ? 2 : 1, options.shortcut);
        }
    }
    return classifier(b, x, options.classes);
}

}  // namespace detail

/// He et al. table 1, 18 layers, with projection shortcuts; padding as in PyTorch. 11.69 M parameters, 1.81 G MACs.
/// Throws as check_options does.
inline Model<f32> resnet18(const ImageNetOptions& options = {}) {
    return detail::imagenet_resnet("resnet18", options, {2, 2, 2, 2}, false);
}

/// He et al. table 1, 50 layers, with projection shortcuts; padding as in PyTorch, whose stride stands in the 3x3 convolution
/// instead of the 1x1 before it. 25.56 M parameters, 4.09 G MACs. Throws as check_options does.
inline Model<f32> resnet50(const ImageNetOptions& options = {}) {
    return detail::imagenet_resnet("resnet50", options, {3, 4, 6, 3}, true);
}

/// He et al. section 4.2, n = 3; padding as in PyTorch. 0.27 M parameters, 41 M MACs. Throws as check_options does.
inline Model<f32> resnet20(const CifarResNetOptions& options = {}) {
    return detail::cifar_resnet("resnet20", options, 3);
}

/// He et al. section 4.2, n = 5; padding as in PyTorch. 0.46 M parameters, 69 M MACs. Throws as check_options does.
inline Model<f32> resnet32(const CifarResNetOptions& options = {}) {
    return detail::cifar_resnet("resnet32", options, 5);
}

/// He et al. section 4.2, n = 9; padding as in PyTorch. 0.85 M parameters, 126 M MACs. Throws as check_options does.
inline Model<f32> resnet56(const CifarResNetOptions& options = {}) {
    return detail::cifar_resnet("resnet56", options, 9);
}

/// The image classification network of MLPerf Tiny (Banbury et al. 2021): three basic blocks, SAME padding as in TensorFlow,
/// shortcuts of 1x1 convolutions without BatchNorm. 78 k parameters, 12.5 M MACs. The reference model's biases before each
/// BatchNorm, which cancels them, are left out. Throws as check_options does.
inline Model<f32> resnet8(const CifarOptions& options = {}) {
    check_options("resnet8", options.classes, options.image, options.channels);
    Builder b;
    Handle x = b.input("image", {1, options.image.height, options.image.width, options.channels});
    x = conv(b, x, {.out = 16, .padding = Padding::same, .norm = keras_norm});
    for (std::size_t stage = 0; stage < 3; ++stage) {
        const std::size_t out = std::size_t{16} << stage;
        const std::size_t stride = stage > 0 ? 2 : 1;
        Handle y = conv(b, x, {.out = out, .stride = {stride, stride}, .padding = Padding::same, .norm = keras_norm});
        y = conv(b, y, {.out = out, .padding = Padding::same, .activation = Activation::none, .norm = keras_norm});
        if (stage > 0) {
            x = conv(b, x,
                     {.out = out,
                      .kernel = {1, 1},
                      .stride = {stride, stride},
                      .activation = Activation::none,
                      .norm = std::nullopt});
        }
        x = b.add(Relu{}, b.add(Add{}, {x, y}));
    }
    return classifier(b, x, options.classes);
}

}  // namespace zoo

MOTE_END_NAMESPACE
