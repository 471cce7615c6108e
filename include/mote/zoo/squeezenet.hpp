// SPDX-License-Identifier: MIT
#pragma once
// SqueezeNet (Iandola et al. 2016). No BatchNorm; biases as published.

#include <mote/zoo/blocks.hpp>

MOTE_BEGIN_NAMESPACE

namespace zoo {

namespace detail {

/// A 3x3 maximum at stride 2; a last window that reaches beyond the image counts (PyTorch's ceil_mode, Caffe's rule).
inline Handle squeezenet_pool(Builder& b, Handle x) {
    auto excess = [](std::size_t extent) { return extent < 3 ? 3 - extent : (extent - 3) % 2; };
    const std::size_t bottom = excess(b.shape(x)[1]);
    const std::size_t right = excess(b.shape(x)[2]);
    return b.add(MaxPool2d{.kernel = {3, 3}, .stride = {2, 2}, .padding = {.bottom = bottom, .right = right}}, x);
}

/// 1x1 to `squeezed` channels, then 1x1 and 3x3 side by side to `expanded` each (section 3.2).
inline Handle fire(Builder& b, Handle x, std::size_t squeezed, std::size_t expanded) {
    x = conv(b, x, {.out = squeezed, .kernel = {1, 1}, .norm = std::nullopt});
    const Handle one = conv(b, x, {.out = expanded, .kernel = {1, 1}, .norm = std::nullopt});
    const Handle three = conv(b, x, {.out = expanded, .norm = std::nullopt});
    return b.add(Concat{}, {one, three});
}

/// `pools` holds the places, among fire modules 2 to 9, before which a pooling stands.
inline Model<f32> squeezenet(const char* name, const ImageNetOptions& options, std::size_t stem, std::size_t kernel,
                             const std::size_t (&pools)[3]) {
    check_options(name, options.classes, options.image, options.channels);
    Builder b;
    Handle x = b.input("image", {1, options.image.height, options.image.width, options.channels});
    x = conv(b, x,
             {.out = stem, .kernel = {kernel, kernel}, .stride = {2, 2}, .padding = Padding::valid, .norm = std::nullopt});
    for (std::size_t module = 2; module <= 9; ++module) {
        for (const std::size_t pool : pools) {
            if (pool == module) x = squeezenet_pool(b, x);
        }
        const std::size_t squeezed = 16 * (module / 2);
        x = fire(b, x, squeezed, 4 * squeezed);
    }
    x = conv(b, x, {.out = options.classes, .kernel = {1, 1}, .norm = std::nullopt});
    return with_softmax(b, b.add(Flatten{}, b.add(GlobalAveragePool{}, x)));
}

}  // namespace detail

/// Iandola et al. table 1; padding as in PyTorch. 1.248 M parameters, 0.82 G MACs. Throws as check_options does, and for an
/// image smaller than the first kernel (7x7).
inline Model<f32> squeezenet_1_0(const ImageNetOptions& options = {}) {
    return detail::squeezenet("squeezenet_1_0", options, 96, 7, {2, 5, 9});
}

/// The authors' version 1.1: a smaller first convolution and earlier pooling; padding as in PyTorch. 1.235 M parameters,
/// 0.35 G MACs. Throws as check_options does, and for an image smaller than the first kernel (3x3).
inline Model<f32> squeezenet_1_1(const ImageNetOptions& options = {}) {
    return detail::squeezenet("squeezenet_1_1", options, 64, 3, {2, 4, 6});
}

}  // namespace zoo

MOTE_END_NAMESPACE
