// SPDX-License-Identifier: MIT
#pragma once
// EfficientNet-Lite: EfficientNet (Tan and Le 2019) without squeeze-excite, with Relu6, and with a stem and a head that do not
// scale, for devices that compute in int8.

#include <mote/zoo/blocks.hpp>

MOTE_BEGIN_NAMESPACE

namespace zoo {

/// EfficientNet-Lite0: Tan and Le table 1 with the changes above; padding SAME as in TensorFlow. 4.65 M parameters,
/// 0.39 G MACs. Throws as check_options does.
inline Model<f32> efficientnet_lite0(const ImageNetOptions& options = {}) {
    check_options("efficientnet_lite0", options.classes, options.image, options.channels);
    struct Stage {
        std::size_t expansion, out, blocks, kernel, stride;
    };
    static constexpr Stage stages[] = {{1, 16, 1, 3, 1},  {6, 24, 2, 3, 2},  {6, 40, 2, 5, 2}, {6, 80, 3, 3, 2},
                                       {6, 112, 3, 5, 1}, {6, 192, 4, 5, 2}, {6, 320, 1, 3, 1}};
    Builder b;
    Handle x = b.input("image", {1, options.image.height, options.image.width, options.channels});
    const ConvBlock stem{
        .out = 32, .stride = {2, 2}, .padding = Padding::same, .activation = Activation::relu6, .norm = keras_norm};
    x = conv(b, x, stem);
    for (const Stage& stage : stages) {
        for (std::size_t i = 0; i < stage.blocks; ++i) {
            x = inverted_residual(b, x,
                                  {.expanded = stage.expansion * b.channels(x),
                                   .out = stage.out,
                                   .kernel = stage.kernel,
                                   .stride = i == 0 ? stage.stride : 1,
                                   .padding = Padding::same,
                                   .norm = keras_norm});
        }
    }
    x = conv(b, x, {.out = 1280, .kernel = {1, 1}, .activation = Activation::relu6, .norm = keras_norm});
    return classifier(b, x, options.classes);
}

}  // namespace zoo

MOTE_END_NAMESPACE
