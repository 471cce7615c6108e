// SPDX-License-Identifier: MIT
#pragma once
// Augmentations of images [height, width, channels], for TrainOptions::augment and augmented().

#include <mote/data/dataset.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {
inline void expect_image(const Shape& shape, const char* what) {
    if (shape.rank() != 3) fail(concat(what, ": a sample [", to_string(shape), "] is no image [height, width, channels]"));
}
}  // namespace detail

/// Moves the image by up to `most` pixels along each axis; `fill` comes in at the border.
inline Augmentation shift_pixels(std::size_t most, float fill = 0.0f) {
    return [most, fill](std::span<float> values, const Shape& shape, Random& random) {
        detail::expect_image(shape, "shift_pixels");
        const auto height = narrow<std::ptrdiff_t>(shape[0]), width = narrow<std::ptrdiff_t>(shape[1]),
                   channels = narrow<std::ptrdiff_t>(shape[2]);
        const auto limit = narrow<std::ptrdiff_t>(most);
        const auto down = narrow<std::ptrdiff_t>(random.below(2 * most + 1)) - limit;
        const auto right = narrow<std::ptrdiff_t>(random.below(2 * most + 1)) - limit;
        // In place: walk so that a pixel is read before it is overwritten.
        for (std::ptrdiff_t row = 0; row < height; ++row) {
            const std::ptrdiff_t y = down > 0 ? height - 1 - row : row;
            for (std::ptrdiff_t column = 0; column < width; ++column) {
                const std::ptrdiff_t x = right > 0 ? width - 1 - column : column;
                const std::ptrdiff_t from_y = y - down, from_x = x - right;
                const bool inside = from_y >= 0 && from_y < height && from_x >= 0 && from_x < width;
                for (std::ptrdiff_t c = 0; c < channels; ++c) {
                    values[narrow<std::size_t>((y * width + x) * channels + c)] =
                        inside ? values[narrow<std::size_t>((from_y * width + from_x) * channels + c)] : fill;
                }
            }
        }
    };
}

/// Mirrors left and right with probability one half.
inline Augmentation flip_horizontally() {
    return [](std::span<float> values, const Shape& shape, Random& random) {
        detail::expect_image(shape, "flip_horizontally");
        if ((random.bits() & 1u) == 0) return;
        const std::size_t width = shape[1], channels = shape[2];
        for (std::size_t y = 0; y < shape[0]; ++y) {
            float* row = values.data() + y * width * channels;
            for (std::size_t x = 0; x < width / 2; ++x) {
                for (std::size_t c = 0; c < channels; ++c)
                    std::swap(row[x * channels + c], row[(width - 1 - x) * channels + c]);
            }
        }
    };
}

MOTE_END_NAMESPACE
