// SPDX-License-Identifier: MIT
#pragma once
// MobileNet: version 1 (Howard et al. 2017), version 2 (Sandler et al. 2018), version 3 (Howard et al. 2019). Channels that a
// width multiplies round by make_divisible.

#include <mote/zoo/blocks.hpp>

MOTE_BEGIN_NAMESPACE

namespace zoo {

struct MobileNetOptions {
    std::size_t classes = 1000;
    Size2d image{224, 224};
    std::size_t channels = 3;  ///< of the image
    double width = 1.0;        ///< multiplies the channels of every layer
};

struct CifarMobileNetOptions {
    std::size_t classes = 10;
    Size2d image{32, 32};
    std::size_t channels = 3;  ///< of the image
    double width = 1.0;        ///< multiplies the channels of every layer
};

struct VisualWakeWordsOptions {
    std::size_t classes = 2;
    Size2d image{96, 96};
    std::size_t channels = 3;  ///< of the image
    double width = 0.25;       ///< multiplies the channels of every layer
};

namespace detail {

inline Model<f32> mobilenet_v1(const char* name, const MobileNetOptions& options) {
    check_options(name, options.classes, options.image, options.channels, options.width);
    struct Stage {
        std::size_t out, stride, blocks;
    };
    static constexpr Stage stages[] = {{64, 1, 1},  {128, 2, 1}, {128, 1, 1},  {256, 2, 1}, {256, 1, 1},
                                       {512, 2, 1}, {512, 1, 5}, {1024, 2, 1}, {1024, 1, 1}};
    auto scaled = [&](std::size_t out) { return make_divisible(static_cast<double>(out) * options.width); };
    Builder b;
    Handle x = b.input("image", {1, options.image.height, options.image.width, options.channels});
    x = conv(b, x, {.out = scaled(32), .stride = {2, 2}, .padding = Padding::same, .norm = keras_norm});
    for (const Stage& stage : stages) {
        for (std::size_t i = 0; i < stage.blocks; ++i) {
            x = conv(b, x,
                     {.stride = {stage.stride, stage.stride}, .padding = Padding::same, .norm = keras_norm, .depthwise = true});
            x = conv(b, x, {.out = scaled(stage.out), .kernel = {1, 1}, .norm = keras_norm});
        }
    }
    return classifier(b, x, options.classes);
}

/// `strides` of the first convolution and of the seven stages.
inline Model<f32> mobilenet_v2(const char* name, const MobileNetOptions& options, const std::size_t (&strides)[8]) {
    check_options(name, options.classes, options.image, options.channels, options.width);
    struct Stage {
        std::size_t expansion, out, blocks;
    };
    static constexpr Stage stages[] = {{1, 16, 1}, {6, 24, 2}, {6, 32, 3}, {6, 64, 4}, {6, 96, 3}, {6, 160, 3}, {6, 320, 1}};
    auto scaled = [&](std::size_t out) { return make_divisible(static_cast<double>(out) * options.width); };
    Builder b;
    Handle x = b.input("image", {1, options.image.height, options.image.width, options.channels});
    x = conv(b, x, {.out = scaled(32), .stride = {strides[0], strides[0]}, .activation = Activation::relu6});
    for (std::size_t s = 0; s < 7; ++s) {
        for (std::size_t i = 0; i < stages[s].blocks; ++i) {
            x = inverted_residual(b, x,
                                  {.expanded = stages[s].expansion * b.channels(x),
                                   .out = scaled(stages[s].out),
                                   .stride = i == 0 ? strides[s + 1] : 1});
        }
    }
    const std::size_t last = options.width > 1.0 ? scaled(1280) : 1280;
    x = conv(b, x, {.out = last, .kernel = {1, 1}, .activation = Activation::relu6});
    return classifier(b, x, options.classes);
}

/// A row of tables 1 and 2 of Howard et al. 2019.
struct MobileNetV3Row {
    std::size_t kernel, expanded, out;
    bool squeeze;
    Activation activation;
    std::size_t stride;
};

inline Model<f32> mobilenet_v3(const char* name, const MobileNetOptions& options, std::span<const MobileNetV3Row> rows,
                               std::size_t hidden) {
    check_options(name, options.classes, options.image, options.channels, options.width);
    auto scaled = [&](std::size_t out) { return make_divisible(static_cast<double>(out) * options.width); };
    constexpr Norm norm{.epsilon = 1e-3f, .momentum = 0.01f};
    Builder b;
    Handle x = b.input("image", {1, options.image.height, options.image.width, options.channels});
    x = conv(b, x, {.out = scaled(16), .stride = {2, 2}, .activation = Activation::hard_swish, .norm = norm});
    for (const MobileNetV3Row& row : rows) {
        const std::size_t expanded = scaled(row.expanded);
        x = inverted_residual(b, x,
                              {.expanded = expanded,
                               .out = scaled(row.out),
                               .kernel = row.kernel,
                               .stride = row.stride,
                               .activation = row.activation,
                               .norm = norm,
                               .squeezed = row.squeeze ? make_divisible(static_cast<double>(expanded) / 4) : 0});
    }
    x = conv(b, x, {.out = 6 * b.channels(x), .kernel = {1, 1}, .activation = Activation::hard_swish, .norm = norm});
    x = dense(b, b.add(Flatten{}, b.add(GlobalAveragePool{}, x)), scaled(hidden));
    return with_softmax(b, dense(b, b.add(HardSwish{}, x), options.classes));
}

}  // namespace detail

/// Howard et al. 2017, table 1 (whose last depthwise stride is 1, as in the authors' code); padding SAME as in TensorFlow.
/// 4.23 M parameters, 0.57 G MACs. Throws as check_options does.
inline Model<f32> mobilenet_v1(const MobileNetOptions& options = {}) {
    return detail::mobilenet_v1("mobilenet_v1", options);
}

/// The visual wake words network of MLPerf Tiny (Banbury et al. 2021): mobilenet_v1 of width 0.25 for 96x96 pixels. 0.21 M
/// parameters, 7.5 M MACs. The reference model's biases before each BatchNorm, which cancels them, are left out. Throws as
/// check_options does.
inline Model<f32> visual_wake_words(const VisualWakeWordsOptions& options = {}) {
    return detail::mobilenet_v1("visual_wake_words", {options.classes, options.image, options.channels, options.width});
}

/// Sandler et al. 2018, table 2; padding as in PyTorch. A width below 1 leaves the last convolution at 1280 channels
/// (section 4). 3.50 M parameters, 0.30 G MACs. Throws as check_options does.
inline Model<f32> mobilenet_v2(const MobileNetOptions& options = {}) {
    return detail::mobilenet_v2("mobilenet_v2", options, {2, 1, 2, 2, 2, 1, 2, 1});
}

/// mobilenet_v2 for 32x32 pixels: the first convolution and the stage of 24 channels have stride 1, so that 4x4 pixels reach
/// the mean; padding as in PyTorch. 2.24 M parameters, 88 M MACs. Throws as check_options does.
inline Model<f32> mobilenet_v2_cifar(const CifarMobileNetOptions& options = {}) {
    return detail::mobilenet_v2("mobilenet_v2_cifar", {options.classes, options.image, options.channels, options.width},
                                {1, 1, 1, 2, 2, 1, 2, 1});
}

/// Howard et al. 2019, table 2; padding, squeeze-excite and head as in PyTorch. 2.54 M parameters, 0.057 G MACs. Throws as
/// check_options does.
inline Model<f32> mobilenet_v3_small(const MobileNetOptions& options = {}) {
    constexpr Activation re = Activation::relu, hs = Activation::hard_swish;
    static constexpr detail::MobileNetV3Row rows[] = {
        {3, 16, 16, true, re, 2},  {3, 72, 24, false, re, 2}, {3, 88, 24, false, re, 1}, {5, 96, 40, true, hs, 2},
        {5, 240, 40, true, hs, 1}, {5, 240, 40, true, hs, 1}, {5, 120, 48, true, hs, 1}, {5, 144, 48, true, hs, 1},
        {5, 288, 96, true, hs, 2}, {5, 576, 96, true, hs, 1}, {5, 576, 96, true, hs, 1}};
    return detail::mobilenet_v3("mobilenet_v3_small", options, rows, 1024);
}

/// Howard et al. 2019, table 1; padding, squeeze-excite and head as in PyTorch. 5.48 M parameters, 0.217 G MACs. Throws as
/// check_options does.
inline Model<f32> mobilenet_v3_large(const MobileNetOptions& options = {}) {
    constexpr Activation re = Activation::relu, hs = Activation::hard_swish;
    static constexpr detail::MobileNetV3Row rows[] = {
        {3, 16, 16, false, re, 1},  {3, 64, 24, false, re, 2},  {3, 72, 24, false, re, 1},  {5, 72, 40, true, re, 2},
        {5, 120, 40, true, re, 1},  {5, 120, 40, true, re, 1},  {3, 240, 80, false, hs, 2}, {3, 200, 80, false, hs, 1},
        {3, 184, 80, false, hs, 1}, {3, 184, 80, false, hs, 1}, {3, 480, 112, true, hs, 1}, {3, 672, 112, true, hs, 1},
        {5, 672, 160, true, hs, 2}, {5, 960, 160, true, hs, 1}, {5, 960, 160, true, hs, 1}};
    return detail::mobilenet_v3("mobilenet_v3_large", options, rows, 1280);
}

}  // namespace zoo

MOTE_END_NAMESPACE
