// SPDX-License-Identifier: MIT
// Which word was spoken? DS-CNN (Zhang et al. 2017, "Hello edge: keyword spotting on microcontrollers") of MLPerf Tiny,
// kws_ref_model.tflite or kws_ref_model_float32.tflite, over a file of samples: 490 bytes each, 49 frames of 10 MFCCs quantized
// as the int8 network's input (scale 0.5847, zero point 83).

#include "main.hpp"

#include <mote/io/load.hpp>
#include <mote/mote.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

constexpr float scale = 0.584702909f;
constexpr int zero_point = 83;

std::vector<char> bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) mote::fail(path, ": cannot be read");
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> lines_of(const std::string& path) {
    std::ifstream file(path);
    if (!file) mote::fail(path, ": cannot be read");
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

/// Column `label` of row,sample,label,class,source_file.
std::vector<std::size_t> labels_of(const std::string& path) {
    std::vector<std::size_t> labels;
    for (const std::string& line : lines_of(path)) {
        if (line.empty() || line[0] < '0' || line[0] > '9') continue;  // the heading
        const std::size_t first = line.find(','), second = line.find(',', first + 1);
        if (second == std::string::npos) mote::fail(path, ": '", line, "' has no label in its third column");
        labels.push_back(static_cast<std::size_t>(std::atoi(line.c_str() + second + 1)));
    }
    return labels;
}

/// The first index of the largest score.
template <class T>
std::size_t best(std::span<const T> scores) {
    return static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

std::size_t classify(mote::Engine& engine, const char* sample) {
    const std::size_t count = engine.input_value().shape.elements();
    const bool bytes = engine.input_value().element == mote::Element::i8;
    for (std::size_t i = 0; i < count; ++i) {
        const auto q = static_cast<std::int8_t>(sample[i]);
        if (bytes) {
            engine.input<std::int8_t>()[i] = q;
        } else {
            engine.input<float>()[i] = scale * static_cast<float>(q - zero_point);
        }
    }
    engine.run();
    return engine.output_value().element == mote::Element::i8 ? best(engine.output<std::int8_t>())
                                                              : best(engine.output<float>());
}

void run(const std::string& network, const std::string& samples, const std::string& classes, const std::string& labels) {
    mote::Engine engine(mote::load(network));
    const std::size_t size = engine.input_value().shape.elements();
    const std::vector<char> data = bytes_of(samples);
    if (data.empty() || data.size() % size != 0) mote::fail(samples, ": ", data.size(), " bytes are no samples of ", size);
    const std::vector<std::string> names = lines_of(classes);
    if (names.size() != engine.output_value().shape.elements()) mote::fail(classes, ": the network knows other classes");
    const std::vector<std::size_t> wanted = labels.empty() ? std::vector<std::size_t>{} : labels_of(labels);
    if (!labels.empty() && wanted.size() != data.size() / size) mote::fail(labels, ": ", wanted.size(), " labels");

    std::size_t right = 0;
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < data.size() / size; ++i) {
        const std::size_t told = classify(engine, &data[i * size]);
        if (wanted.empty()) {
            std::printf("%s\n", names[told].c_str());
        } else {
            right += told == wanted[i];
        }
    }
    const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
    if (!wanted.empty())
        std::printf("%zu of %zu right, %.0f us each\n", right, wanted.size(),
                    time.count() / static_cast<double>(wanted.size()));
}

}  // namespace

int main(int count, char** arguments) {
    return guarded_main(count, arguments, 4, "NETWORK.tflite SAMPLES.bin CLASSES.txt [LABELS.csv]",
                        [&] { run(arguments[1], arguments[2], arguments[3], count > 4 ? arguments[4] : ""); });
}
