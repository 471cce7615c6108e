// SPDX-License-Identifier: MIT
#pragma once
// Keyword spotting: the depthwise separable networks (DS-CNN) of Zhang et al. 2017, "Hello edge".

#include <mote/zoo/blocks.hpp>

MOTE_BEGIN_NAMESPACE

namespace zoo {

/// `features`: 49 frames of 10 cepstral coefficients are one second (frames of 40 ms, one every 20 ms).
struct KeywordOptions {
    std::size_t classes = 12;  ///< at most 2^20
    Size2d features{49, 10};   ///< each extent at most 2^14
};

namespace detail {

/// A 10x4 convolution, then `separable` depthwise and 1x1 convolutions, the first of them at stride `second`.
inline Model<f32> ds_cnn(const char* name, const KeywordOptions& options, std::size_t channels, Size2d first, Size2d second,
                         std::size_t separable) {
    check_option(name, "classes", options.classes, std::size_t{1} << 20);
    check_option(name, "features.height", options.features.height, std::size_t{1} << 14);
    check_option(name, "features.width", options.features.width, std::size_t{1} << 14);
    Builder b;
    Handle x = b.input("features", {1, options.features.height, options.features.width, 1});
    x = conv(b, x, {.out = channels, .kernel = {10, 4}, .stride = first, .padding = Padding::same, .norm = keras_norm});
    for (std::size_t i = 0; i < separable; ++i) {
        x = conv(b, x,
                 {.stride = i == 0 ? second : Size2d{1, 1}, .padding = Padding::same, .norm = keras_norm, .depthwise = true});
        x = conv(b, x, {.out = channels, .kernel = {1, 1}, .norm = keras_norm});
    }
    return classifier(b, x, options.classes);
}

}  // namespace detail

/// DS-CNN S of Zhang et al. (appendix), the keyword spotting network of MLPerf Tiny (Banbury et al. 2021); padding
/// SAME as in TensorFlow. 23 k parameters, 2.66 M MACs. The reference model's biases before each BatchNorm, which cancels them,
/// are left out. Throws as check_option does.
inline Model<f32> ds_cnn_small(const KeywordOptions& options = {}) {
    return detail::ds_cnn("ds_cnn_small", options, 64, {2, 2}, {1, 1}, 4);
}

/// DS-CNN M of Zhang et al. (appendix); padding SAME. 0.14 M parameters, 9.8 M MACs. Throws as check_option does.
inline Model<f32> ds_cnn_medium(const KeywordOptions& options = {}) {
    return detail::ds_cnn("ds_cnn_medium", options, 172, {2, 1}, {2, 2}, 4);
}

/// DS-CNN L of Zhang et al. (appendix); padding SAME. 0.41 M parameters, 28 M MACs. Throws as check_option does.
inline Model<f32> ds_cnn_large(const KeywordOptions& options = {}) {
    return detail::ds_cnn("ds_cnn_large", options, 276, {2, 1}, {2, 2}, 5);
}

}  // namespace zoo

MOTE_END_NAMESPACE
