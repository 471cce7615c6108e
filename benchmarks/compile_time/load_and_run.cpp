// SPDX-License-Identifier: MIT
// The program whose compile time and size benchmarks/compile_time.sh measures: it loads a network of f32, such as ResNet-50,
// from a .mote file, runs it on an image whose bytes come from the standard input as floats, and prints where the output is
// largest.

#include <mote/io/mote_file.hpp>
#include <mote/mote.hpp>

#include <algorithm>
#include <cstdio>

int main(int argc, char** argv) try {
    if (argc != 2) return std::fputs("usage: load_and_run MODEL.mote <image\n", stderr), 2;
    mote::Engine engine(mote::load_mote<mote::standard_layers<mote::f32>>(argv[1]));
    const std::span<float> image = engine.input<float>();
    if (std::fread(image.data(), sizeof(float), image.size(), stdin) != image.size()) mote::fail("the image is too short");
    engine.run();
    const std::span<const float> scores = engine.output<float>();
    std::printf("%td\n", std::ranges::max_element(scores) - scores.begin());
    return 0;
} catch (const mote::Error& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
}
