// SPDX-License-Identifier: MIT
#pragma once
// Pictures for the examples of this folder: PNG or JPEG in (stb_image), the part that a network sees, PNG out.

#include <mote/mote.hpp>

#include <stb/stb_image.h>
#include <stb/stb_image_resize.h>
#include <stb/stb_image_write.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace vision {

/// 8-bit RGB, [height, width, 3].
struct Image {
    int width = 0;
    int height = 0;
    std::vector<std::uint8_t> pixels{};

    std::uint8_t* at(int x, int y) {
        return &pixels[3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x))];
    }
    /// Sets a pixel; nothing outside the picture.
    void set(int x, int y, const std::uint8_t (&color)[3]) {
        if (x >= 0 && x < width && y >= 0 && y < height) std::copy_n(color, 3, at(x, y));
    }
};

inline Image load_image(const std::string& path) {
    Image image;
    std::uint8_t* pixels = stbi_load(path.c_str(), &image.width, &image.height, nullptr, 3);
    if (pixels == nullptr) mote::fail(path, ": ", stbi_failure_reason(), "; a PNG or JPEG picture is accepted");
    image.pixels.assign(pixels, pixels + 3 * static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height));
    stbi_image_free(pixels);
    return image;
}

inline void save_image(const std::string& path, const Image& image) {
    if (stbi_write_png(path.c_str(), image.width, image.height, 3, image.pixels.data(), 3 * image.width) == 0) {
        mote::fail(path, ": cannot be written");
    }
}

/// The square in the middle of a picture, as large as it fits.
struct Square {
    int x = 0;
    int y = 0;
    int size = 0;
};
inline Square middle(const Image& image) {
    const int size = std::min(image.width, image.height);
    return {(image.width - size) / 2, (image.height - size) / 2, size};
}

/// That square, resized to what input 0 of the engine takes, [1, height, width, 3].
inline std::vector<std::uint8_t> resized(Image& image, const Square& square, const mote::Shape& input) {
    if (input.rank() != 4 || input[3] != 3) mote::fail("the network takes [", to_string(input), "], no picture [1, h, w, 3]");
    std::vector<std::uint8_t> result(input.elements());
    stbir_resize_uint8(image.at(square.x, square.y), square.size, square.size, 3 * image.width, result.data(),
                       static_cast<int>(input[2]), static_cast<int>(input[1]), 0, 3);
    return result;
}

}  // namespace vision
