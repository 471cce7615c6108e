// SPDX-License-Identifier: MIT
// Is there a person in the picture? MobileNetV1 0.25 of MLPerf Tiny (Banbury et al. 2021), vww_96_float.tflite or
// vww_96_int8.tflite.

#include "image.hpp"
#include "main.hpp"

#include <mote/io/load.hpp>

namespace {

/// Pixels as the network takes them: reals from 0 to 1, or bytes of pixel - 128.
void write_input(mote::Engine& engine, const std::vector<std::uint8_t>& pixels) {
    if (engine.input_value().element == mote::Element::i8) {
        const std::span<std::int8_t> input = engine.input<std::int8_t>();
        for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<std::int8_t>(pixels[i] - 128);
    } else {
        const std::span<float> input = engine.input<float>();
        for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<float>(pixels[i]) / 255.0f;
    }
}

/// The network's probability of class `index`.
double probability(const mote::Engine& engine, std::size_t index) {
    const mote::Value& value = engine.output_value();
    if (value.shape.elements() != 2) mote::fail("the network tells ", value.shape.elements(), " classes apart, not 2");
    if (value.element != mote::Element::i8) return static_cast<double>(engine.output<float>()[index]);
    const mote::QuantizationParams q = value.quantization.params();
    return static_cast<double>(q.scale) * (engine.output<std::int8_t>()[index] - q.zero_point);
}

void run(const std::string& network, const std::string& picture) {
    mote::Engine engine(mote::load(network));
    vision::Image image = vision::load_image(picture);
    write_input(engine, vision::resized(image, vision::middle(image), engine.input_value().shape));
    engine.run();
    const double person = probability(engine, 1);
    std::printf("%s (%.3f)\n", person > 0.5 ? "a person" : "no person", person);
}

}  // namespace

int main(int count, char** arguments) {
    return guarded_main(count, arguments, 3, "NETWORK.tflite PICTURE", [&] { run(arguments[1], arguments[2]); });
}
