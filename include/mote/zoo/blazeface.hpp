// SPDX-License-Identifier: MIT
#pragma once
// BlazeFace (Bazarevsky et al. 2019): a detector of a few large objects, with boxes and key points at fixed anchors.

#include <mote/zoo/blocks.hpp>

MOTE_BEGIN_NAMESPACE

namespace zoo {

struct BlazeFaceOptions {
    std::size_t classes = 1;
    Size2d image{128, 128};      ///< multiples of 16
    std::size_t channels = 3;    ///< of the image
    std::size_t key_points = 6;  ///< of an object, up to 1024
};

/// Bazarevsky et al. 2019, section 3, with the blocks of MediaPipe's short-range model: 2 anchors at each of the image's cells
/// of 8x8 pixels, then 6 at each of 16x16. [batch, height, width, channels] -> "classificators" [batch, anchors, classes],
/// before the sigmoid, and "regressors" [batch, anchors, 4 + 2 key_points]: centre, size and key points in pixels from the
/// anchor's centre. The defaults: 896 anchors, 0.10 M parameters, 30.8 M MACs. Throws as check_options does.
inline Model<f32> blazeface(const BlazeFaceOptions& options = {}) {
    const char* name = "blazeface";
    check_options(name, options.classes, options.image, options.channels);
    check_option(name, "key_points", options.key_points, 1024);
    if (options.image.height % 16 != 0 || options.image.width % 16 != 0) {
        fail(name, ": image is ", options.image.height, "x", options.image.width, "; multiples of 16 are accepted");
    }
    Builder b;
    /// BlazeBlock (figure 1): a filter and its projection, added to the input, whose new channels are 0.
    const auto block = [&](Handle x, std::size_t out, std::size_t stride) {
        const Size2d step{stride, stride};
        const std::size_t added = out - b.channels(x);
        Handle y = conv(
            b, x,
            {.stride = step, .padding = Padding::same, .activation = Activation::none, .norm = keras_norm, .depthwise = true});
        y = conv(b, y, {.out = out, .kernel = {1, 1}, .activation = Activation::none, .norm = keras_norm});
        if (stride > 1) x = b.add(MaxPool2d{.kernel = step, .stride = step}, x);
        if (added > 0) x = b.add(Pad{.before = {0, 0, 0, 0}, .after = {0, 0, 0, added}}, x);
        return b.add(Relu{}, b.add(Add{}, {y, x}));
    };
    Handle x = b.input("image", {1, options.image.height, options.image.width, options.channels});
    x = conv(b, x, {.out = 24, .kernel = {5, 5}, .stride = {2, 2}, .padding = Padding::same, .norm = keras_norm});
    for (const std::size_t out : {24u, 28u, 32u, 36u, 42u, 48u, 56u, 64u, 72u, 80u, 88u}) {
        x = block(x, out, out == 32 || out == 48 ? 2 : 1);
    }
    const Handle fine = x;
    for (std::size_t i = 0; i < 5; ++i) x = block(x, 96, i == 0 ? 2 : 1);
    /// `count` numbers at each anchor of both maps.
    const auto head = [&](const char* output, std::size_t count) {
        const auto at = [&](Handle map, std::size_t anchors) {
            map =
                conv(b, map, {.out = anchors * count, .kernel = {1, 1}, .activation = Activation::none, .norm = std::nullopt});
            return b.add(Reshape{{0, -1, static_cast<std::int64_t>(count)}}, map);
        };
        const Handle fine_anchors = at(fine, 2);
        b.output(output, b.add(Concat{.axis = 1}, {fine_anchors, at(x, 6)}));
    };
    head("classificators", options.classes);
    head("regressors", 4 + 2 * options.key_points);
    return b.build();
}

}  // namespace zoo

MOTE_END_NAMESPACE
