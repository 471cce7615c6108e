// SPDX-License-Identifier: MIT
// Cuts the person out of a picture: MediaPipe's selfie_segmentation.tflite tells for each pixel how likely it is a person's;
// everything else is blended into a plain colour.

#include "image.hpp"
#include "main.hpp"

#include <mote/io/load.hpp>

namespace {

/// The mask [height, width] at a point of the square, x and y from 0 to 1, between its four nearest pixels.
float mask_at(std::span<const float> mask, const mote::Shape& shape, float x, float y) {
    const auto height = static_cast<int>(shape[1]), width = static_cast<int>(shape[2]);
    const float fx = std::clamp(x * static_cast<float>(width) - 0.5f, 0.0f, static_cast<float>(width - 1));
    const float fy = std::clamp(y * static_cast<float>(height) - 0.5f, 0.0f, static_cast<float>(height - 1));
    const int x0 = static_cast<int>(fx), y0 = static_cast<int>(fy);
    const int x1 = std::min(x0 + 1, width - 1), y1 = std::min(y0 + 1, height - 1);
    const float u = fx - static_cast<float>(x0), v = fy - static_cast<float>(y0);
    const auto at = [&](int column, int row) { return mask[static_cast<std::size_t>(row * width + column)]; };
    return (1 - v) * ((1 - u) * at(x0, y0) + u * at(x1, y0)) + v * ((1 - u) * at(x0, y1) + u * at(x1, y1));
}

void run(const std::string& network, const std::string& picture, const std::string& result) {
    mote::Engine engine(mote::load(network));
    vision::Image image = vision::load_image(picture);
    const vision::Square square = vision::middle(image);
    const std::vector<std::uint8_t> pixels = vision::resized(image, square, engine.input_value().shape);
    const std::span<float> input = engine.input<float>();
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<float>(pixels[i]) / 255.0f;
    engine.run();

    const mote::Shape& shape = engine.output_value().shape;
    if (shape.rank() != 4 || shape[3] != 1)
        mote::fail("the network gives [", mote::to_string(shape), "], no mask [1, h, w, 1]");
    const std::span<const float> mask = engine.output<float>();
    constexpr float background[] = {0, 177, 64};
    for (int y = 0; y < square.size; ++y) {
        for (int x = 0; x < square.size; ++x) {
            const auto size = static_cast<float>(square.size);
            const float person = std::clamp(
                mask_at(mask, shape, (static_cast<float>(x) + 0.5f) / size, (static_cast<float>(y) + 0.5f) / size), 0.0f, 1.0f);
            std::uint8_t* pixel = image.at(square.x + x, square.y + y);
            for (int c = 0; c < 3; ++c) {
                pixel[c] = static_cast<std::uint8_t>(
                    std::lround(person * static_cast<float>(pixel[c]) + (1 - person) * background[c]));
            }
        }
    }
    const auto share = static_cast<double>(std::count_if(mask.begin(), mask.end(), [](float p) { return p > 0.5f; })) /
                       static_cast<double>(mask.size());
    std::printf("person: %.1f %% of the square\n", 100 * share);
    vision::save_image(result, image);
}

}  // namespace

int main(int count, char** arguments) {
    return guarded_main(count, arguments, 4, "NETWORK.tflite PICTURE RESULT.png",
                        [&] { run(arguments[1], arguments[2], arguments[3]); });
}
