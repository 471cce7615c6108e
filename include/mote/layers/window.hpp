// SPDX-License-Identifier: MIT
#pragma once
// Attributes of a window that slides over an image, and the SAME and VALID paddings.

#include <mote/core/config.hpp>

#include <cstddef>

MOTE_BEGIN_NAMESPACE

struct Size2d {
    std::size_t height = 1;
    std::size_t width = 1;
    friend bool operator==(const Size2d&, const Size2d&) = default;
};

/// Rows and columns of padding; of real value 0 (the zero point, where the image is quantized).
struct Padding2d {
    std::size_t top = 0;
    std::size_t bottom = 0;
    std::size_t left = 0;
    std::size_t right = 0;
    friend bool operator==(const Padding2d&, const Padding2d&) = default;
};

/// No padding: the window stays inside the image.
constexpr Padding2d valid_padding() noexcept {
    return {};
}

/// TensorFlow's SAME: ceil(extent / stride) outputs, the odd row of padding at the bottom and right. None where an extent,
/// kernel or stride is 0 (the layer that gets it refuses those, naming the node).
constexpr Padding2d same_padding(Size2d image, Size2d kernel, Size2d stride = {}, Size2d dilation = {}) noexcept {
    auto total = [](std::size_t extent, std::size_t window, std::size_t step, std::size_t spread) {
        if (extent == 0 || window == 0 || step == 0) return std::size_t{0};
        const std::size_t outputs = (extent - 1) / step + 1;
        const std::size_t covered = (outputs - 1) * step + (window - 1) * spread + 1;
        return covered > extent ? covered - extent : std::size_t{0};
    };
    const std::size_t rows = total(image.height, kernel.height, stride.height, dilation.height);
    const std::size_t columns = total(image.width, kernel.width, stride.width, dilation.width);
    return {rows / 2, rows - rows / 2, columns / 2, columns - columns / 2};
}

/// The same padding on all four sides (PyTorch's convention).
constexpr Padding2d uniform_padding(std::size_t pixels) noexcept {
    return {pixels, pixels, pixels, pixels};
}

MOTE_END_NAMESPACE
