// SPDX-License-Identifier: MIT
#pragma once
// Networks after VGG (Simonyan and Zisserman 2015).

#include <mote/zoo/blocks.hpp>

MOTE_BEGIN_NAMESPACE

namespace zoo {

/// The VGG-Small of papers on quantization (as in Zhang et al. 2018, LQ-Nets): pairs of 3x3 convolutions of 128, 256 and
/// 512 channels with BatchNorm, a 2x2 maximum after each pair, one dense layer. 4.66 M parameters, 0.61 G MACs. Throws as
/// check_options does, and for an image smaller than 8x8.
inline Model<f32> vgg_small(const CifarOptions& options = {}) {
    check_options("vgg_small", options.classes, options.image, options.channels);
    Builder b;
    Handle x = b.input("image", {1, options.image.height, options.image.width, options.channels});
    for (const std::size_t out : {std::size_t{128}, std::size_t{256}, std::size_t{512}}) {
        x = conv(b, x, {.out = out});
        x = conv(b, x, {.out = out});
        x = b.add(MaxPool2d{.kernel = {2, 2}, .stride = {2, 2}}, x);
    }
    return with_softmax(b, dense(b, b.add(Flatten{}, x), options.classes));
}

}  // namespace zoo

MOTE_END_NAMESPACE
