// SPDX-License-Identifier: MIT
#pragma once
// ShuffleNet V2 (Ma et al. 2018).

#include <mote/zoo/blocks.hpp>

#include <algorithm>

MOTE_BEGIN_NAMESPACE

namespace zoo {

struct ShuffleNetOptions {
    std::size_t classes = 1000;
    Size2d image{224, 224};
    std::size_t channels = 3;  ///< of the image
    double width = 1.0;        ///< 0.5, 1, 1.5 or 2: the published sizes, which are no multiples of one another
};

struct CifarShuffleNetOptions {
    std::size_t classes = 10;
    Size2d image{32, 32};
    std::size_t channels = 3;  ///< of the image
    double width = 1.0;        ///< 0.5, 1, 1.5 or 2
};

namespace detail {

using ShuffleBuilder = ModelBuilder<f32, wide>;
using ShuffleHandle = ShuffleBuilder::Handle;

/// The channels from `begin` on, `count` of them.
inline ShuffleHandle channel_slice(ShuffleBuilder& b, ShuffleHandle x, std::size_t begin, std::size_t count) {
    return b.add(
        Slice{.begin = {0, 0, 0, begin}, .size = {-1, -1, -1, static_cast<std::int64_t>(count)}, .stride = {1, 1, 1, 1}}, x);
}

/// Two groups of channels side by side come to lie by turns (figure 3, "channel shuffle").
inline ShuffleHandle channel_shuffle(ShuffleBuilder& b, ShuffleHandle x) {
    const auto half = static_cast<std::int64_t>(b.channels(x) / 2);
    x = b.add(Reshape{{0, 0, 0, 2, half}}, x);
    return b.add(Reshape{{0, 0, 0, 2 * half}}, b.add(Transpose{{0, 1, 2, 4, 3}}, x));
}

/// Figure 3 (c) at stride 1: half of the channels pass as they are; (d) at stride 2: both halves are filtered.
inline ShuffleHandle shuffle_unit(ShuffleBuilder& b, ShuffleHandle x, std::size_t out, std::size_t stride) {
    const std::size_t half = out / 2;
    const auto filter = [&](ShuffleHandle y) {
        return conv(b, y, {.stride = {stride, stride}, .activation = Activation::none, .depthwise = true});
    };
    const ConvBlock point{.out = half, .kernel = {1, 1}};
    const ShuffleHandle left = stride == 1 ? channel_slice(b, x, 0, half) : conv(b, filter(x), point);
    const ShuffleHandle right = conv(b, stride == 1 ? channel_slice(b, x, half, half) : x, point);
    return channel_shuffle(b, b.add(Concat{}, {left, conv(b, filter(right), point)}));
}

/// `stem`: the first convolution's stride; a pooling at stride 2 follows where `pool` is set.
inline Model<f32, wide> shufflenet_v2(const char* name, const ShuffleNetOptions& options, std::size_t stem, bool pool) {
    struct Size {
        double width;
        std::size_t out[3], last;
    };
    static constexpr Size sizes[] = {
        {0.5, {48, 96, 192}, 1024}, {1.0, {116, 232, 464}, 1024}, {1.5, {176, 352, 704}, 1024}, {2.0, {244, 488, 976}, 2048}};
    static constexpr std::size_t repeats[] = {4, 8, 4};
    check_options(name, options.classes, options.image, options.channels);
    const Size* size =
        std::find_if(std::begin(sizes), std::end(sizes), [&](const Size& s) { return s.width == options.width; });
    if (size == std::end(sizes)) fail(name, ": width is ", options.width, "; 0.5, 1, 1.5 or 2 is accepted");
    ShuffleBuilder b;
    ShuffleHandle x = b.input("image", {1, options.image.height, options.image.width, options.channels});
    x = conv(b, x, {.out = 24, .stride = {stem, stem}});
    if (pool) x = b.add(MaxPool2d{.kernel = {3, 3}, .stride = {2, 2}, .padding = uniform_padding(1)}, x);
    for (std::size_t stage = 0; stage < 3; ++stage) {
        for (std::size_t i = 0; i < repeats[stage]; ++i) x = shuffle_unit(b, x, size->out[stage], i == 0 ? 2 : 1);
    }
    x = conv(b, x, {.out = size->last, .kernel = {1, 1}});
    return classifier(b, x, options.classes);
}

}  // namespace detail

/// Ma et al. 2018, table 5; padding as in PyTorch. Width 1: 2.28 M parameters, 0.146 G MACs; 0.5: 1.37 M, 0.041 G; 1.5:
/// 3.50 M, 0.30 G; 2: 7.39 M, 0.58 G. Throws as check_options does.
inline Model<f32, wide> shufflenet_v2(const ShuffleNetOptions& options = {}) {
    return detail::shufflenet_v2("shufflenet_v2", options, 2, true);
}

/// shufflenet_v2 for 32x32 pixels: the first convolution has stride 1 and no pooling follows, so that 4x4 pixels reach the
/// mean; padding as in PyTorch. Width 1: 1.26 M parameters, 45 M MACs. Throws as check_options does.
inline Model<f32, wide> shufflenet_v2_cifar(const CifarShuffleNetOptions& options = {}) {
    return detail::shufflenet_v2("shufflenet_v2_cifar", {options.classes, options.image, options.channels, options.width}, 1,
                                 false);
}

}  // namespace zoo

MOTE_END_NAMESPACE
