// SPDX-License-Identifier: MIT
#pragma once
// U-Net (Ronneberger et al. 2015): a class for each pixel.

#include <mote/zoo/blocks.hpp>

MOTE_BEGIN_NAMESPACE

namespace zoo {

struct UNetOptions {
    std::size_t classes = 1;
    Size2d image{128, 128};     ///< multiples of 2^depth
    std::size_t channels = 3;   ///< of the image
    std::size_t features = 16;  ///< channels at full size; they double at each halving (64 as published)
    std::size_t depth = 4;      ///< halvings, up to 8
};

/// Ronneberger et al. 2015, figure 1, small by default: padded convolutions with BatchNorm, so that the mask has the image's
/// size. [batch, height, width, channels] -> "mask" [batch, height, width, classes]: of one class its probability, of more a
/// softmax. The defaults: 1.94 M parameters, 0.76 G MACs. Throws as check_options does.
inline Model<f32, wide> unet(const UNetOptions& options = {}) {
    check_options("unet", options.classes, options.image, options.channels);
    check_option("unet", "features", options.features, std::size_t{1} << 12);
    check_option("unet", "depth", options.depth, 8);
    const std::size_t multiple = std::size_t{1} << options.depth;
    if (options.image.height % multiple != 0 || options.image.width % multiple != 0) {
        fail("unet: image is ", options.image.height, "x", options.image.width, "; multiples of ", multiple, " are accepted");
    }
    ModelBuilder<f32, wide> b;
    auto x = b.input("image", {1, options.image.height, options.image.width, options.channels});
    std::vector<decltype(x)> skips;
    for (std::size_t level = 0; level <= options.depth; ++level) {
        if (level > 0) x = b.add(MaxPool2d{.kernel = {2, 2}, .stride = {2, 2}}, x);
        for (int i = 0; i < 2; ++i) x = conv(b, x, {.out = options.features << level});
        skips.push_back(x);
    }
    for (std::size_t level = options.depth; level-- > 0;) {
        const std::size_t out = options.features << level;
        x = b.add(
            TransposeConv2d<f32>{
                .weight = Tensor<f32>({out, 2, 2, b.channels(x)}), .bias = Tensor<f32>(Shape{out}), .stride = {2, 2}},
            x);
        x = b.add(Concat{}, {x, skips[level]});
        for (int i = 0; i < 2; ++i) x = conv(b, x, {.out = out});
    }
    x = conv(b, x, {.out = options.classes, .kernel = {1, 1}, .activation = Activation::none, .norm = std::nullopt});
    b.output("mask", options.classes == 1 ? b.add(Sigmoid{}, x) : b.add(Softmax{}, x));
    return b.build();
}

}  // namespace zoo

MOTE_END_NAMESPACE
