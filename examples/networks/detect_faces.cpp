// SPDX-License-Identifier: MIT
// Finds faces in a picture with BlazeFace (Bazarevsky et al. 2019, "BlazeFace: sub-millisecond neural face detection on mobile
// GPUs"), MediaPipe's face_detection_short_range.tflite, and draws their boxes and six key points.

#include "blazeface.hpp"
#include "image.hpp"
#include "main.hpp"

#include <mote/io/load.hpp>

#include <cstdio>

namespace {

using namespace blazeface;

void draw(vision::Image& image, const vision::Square& square, const Face& face) {
    constexpr std::uint8_t green[] = {0, 255, 0}, red[] = {255, 0, 0};
    const auto x_of = [&](float x) { return square.x + static_cast<int>(std::lround(x * static_cast<float>(square.size))); };
    const auto y_of = [&](float y) { return square.y + static_cast<int>(std::lround(y * static_cast<float>(square.size))); };
    const int thick = 1 + square.size / 200;
    for (int t = 0; t < thick; ++t) {
        for (int x = x_of(face.left); x <= x_of(face.right); ++x) {
            image.set(x, y_of(face.top) + t, green), image.set(x, y_of(face.bottom) - t, green);
        }
        for (int y = y_of(face.top); y <= y_of(face.bottom); ++y) {
            image.set(x_of(face.left) + t, y, green), image.set(x_of(face.right) - t, y, green);
        }
    }
    for (const auto& [px, py] : face.points) {
        for (int y = -thick; y <= thick; ++y) {
            for (int x = -thick; x <= thick; ++x) image.set(x_of(px) + x, y_of(py) + y, red);
        }
    }
}

void run(const std::string& network, const std::string& picture, const std::string& result) {
    mote::Engine engine(mote::load(network));
    vision::Image image = vision::load_image(picture);
    const vision::Square square = vision::middle(image);
    const mote::Shape& shape = engine.input_value().shape;
    const std::vector<std::uint8_t> pixels = vision::resized(image, square, shape);
    const std::span<float> input = engine.input<float>();
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<float>(pixels[i]) / 127.5f - 1.0f;
    engine.run();
    const std::size_t boxes = engine.output_value(0).shape.back() == 1 ? 1 : 0;
    const auto found = decode(engine.output<float>(boxes), engine.output<float>(1 - boxes), static_cast<float>(shape[1]), 0.6f);
    const std::vector<Face> faces = suppress(found, 0.3f);
    for (const Face& face : faces) {
        std::printf("face: score %.2f, box %.3f %.3f %.3f %.3f\n", static_cast<double>(face.score),
                    static_cast<double>(face.left), static_cast<double>(face.top), static_cast<double>(face.right),
                    static_cast<double>(face.bottom));
        draw(image, square, face);
    }
    std::printf("%zu face%s\n", faces.size(), faces.size() == 1 ? "" : "s");
    if (!result.empty()) vision::save_image(result, image);
}

}  // namespace

int main(int count, char** arguments) {
    return guarded_main(count, arguments, 3, "NETWORK.tflite PICTURE [RESULT.png]",
                        [&] { run(arguments[1], arguments[2], count > 3 ? arguments[3] : ""); });
}
