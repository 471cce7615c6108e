// SPDX-License-Identifier: MIT
// The quickstart's network in the engine, with every kernel table of this program that the machine runs: the bytes of the first
// test digits, a line a digit, beside those that the boards must give too. usage: desk NET_MOTE EXPECTED_TXT
// Built with mote_dispatch() it holds several tables; without (DESK_NATIVE) the unit's own and the scalar one.

#include <mote/data/digits.hpp>
#include <mote/data/split.hpp>
#include <mote/io/mote_file.hpp>
#include <mote/mote.hpp>
#include <mote/tensor/quantize.hpp>
#if !defined(DESK_NATIVE)
#include <mote/engine/dispatch.hpp>
#endif

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace {

using mote::i8;

std::string bytes_of(const mote::Model<i8>& model, const mote::KernelTable& kernels, std::size_t digits) {
    const auto [train_set, test] = mote::stratified_split(mote::load_digits(MOTE_DIGITS_CSV), 1297, 1);
    mote::Engine engine(model, {.kernels = &kernels});
    const std::span<std::int8_t> in = engine.input<std::int8_t>(0);
    const mote::QuantizationParams q = model.value(model.inputs()[0]).quantization.params();
    std::vector<float> image(in.size());
    std::string text;
    for (std::size_t i = 0; i < digits; ++i) {
        test.load(i, image);
        for (std::size_t k = 0; k < in.size(); ++k) in[k] = mote::quantize_value(image[k], q);
        engine.run();
        for (const std::int8_t byte : engine.output<std::int8_t>(0)) {
            char two[3];
            std::snprintf(two, sizeof two, "%02x", static_cast<unsigned>(static_cast<std::uint8_t>(byte)));
            text += two;
        }
        text += '\n';
    }
    return text;
}

int run(const char* net, const char* expected_path) {
    std::ifstream file(expected_path);
    std::ostringstream expected;
    expected << file.rdbuf();
    const std::string wanted = expected.str();
    const auto digits = static_cast<std::size_t>(std::count(wanted.begin(), wanted.end(), '\n'));
    if (digits == 0) mote::fail("'", expected_path, "' holds no line; the quickstart's expected.txt is expected");
    const mote::Model<i8> model = mote::as<i8>(mote::load_mote(net));
    bool same = true;
    auto check = [&](const mote::KernelTable& kernels) {
        const bool equal = bytes_of(model, kernels, digits) == wanted;
        same = same && equal;
        std::printf("%-12s %zu digits  same bytes: %s\n", kernels.instruction_set, digits, equal ? "yes" : "no");
    };
#if defined(DESK_NATIVE)
    check(mote::scalar_kernels());
    check(mote::native_kernels());
#else
    for (const mote::CompiledKernels& set : mote::compiled_kernels()) {
        if (mote::machine_runs(set.instruction_set)) {
            check(set.table());
        } else {
            std::printf("%-12s this machine does not run it\n", set.instruction_set);
        }
    }
#endif
    return same ? 0 : 1;
}

}  // namespace

int main(int count, char** values) {
    if (count != 3) {
        std::fputs("usage: desk NET_MOTE EXPECTED_TXT\n", stderr);
        return 2;
    }
    try {
        return run(values[1], values[2]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "desk: %s\n", error.what());
        return 1;
    }
}
