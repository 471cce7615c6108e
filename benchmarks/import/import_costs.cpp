// SPDX-License-Identifier: MIT
// What reading a ResNet-50 costs: seconds and resident memory from a file to a folded model, and to an Engine of one thread.
//
// usage: import_costs DIR [ROUNDS]
//   writes DIR/resnet50.onnx and DIR/resnet50.mote with weights from a seed (once), and prints a line for each of them: medians
//   of ROUNDS programs of their own (default 5), so that the memory is that of one reading
// usage: import_costs --read FILE
//   one reading: seconds until the model is folded, peak of resident bytes then, seconds until the Engine stands

#include <mote/engine/engine.hpp>
#include <mote/io/mote_file.hpp>
#include <mote/io/onnx/export.hpp>
#include <mote/io/onnx/import.hpp>
#include <mote/passes/fold.hpp>
#include <mote/zoo/resnet.hpp>

#include <sys/resource.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace {

using namespace mote;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}
double peak_bytes() {
    ::rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return 1024.0 * static_cast<double>(usage.ru_maxrss);
}

/// The .mote file holds the folded model already.
Model<f32> read(const std::string& path) {
    if (path.ends_with(".mote")) return load_mote<Model<f32>::layers>(path);
    return fold(as<f32>(load_onnx(path, {.channels_last_io = true})));
}

int read_once(const std::string& path) {
    const double before = peak_bytes();
    const Clock::time_point begin = Clock::now();
    const Model<f32> model = read(path);
    const double loaded = seconds_since(begin), peak = peak_bytes() - before;
    const Clock::time_point middle = Clock::now();
    const Engine engine(model);
    std::printf("%g %g %g\n", loaded, peak, seconds_since(middle));
    return engine.inputs() == 1 ? 0 : 1;
}

void make(const std::string& folder) {
    const std::string onnx = folder + "/resnet50.onnx", file = folder + "/resnet50.mote";
    if (std::FILE* there = std::fopen(file.c_str(), "rb")) {
        std::fclose(there);
        return;
    }
    const Model<f32> model = initialize(zoo::resnet50(), {.seed = 1});
    save_onnx(model, onnx, {.name = "resnet50", .channels_first_io = true});
    save(fold(model), file);
}

/// What a program of its own prints of one reading.
std::array<double, 3> measured(const std::string& program, const std::string& path) {
    std::array<double, 3> result{};
    std::FILE* child = ::popen(("'" + program + "' --read '" + path + "'").c_str(), "r");
    if (child == nullptr) fail("cannot start '", program, "'");
    const bool read = std::fscanf(child, "%lf %lf %lf", &result[0], &result[1], &result[2]) == 3;
    if (::pclose(child) != 0 || !read) fail("reading '", path, "' failed");
    return result;
}

void print_costs(const std::string& program, const std::string& path, std::size_t rounds) {
    std::array<std::vector<double>, 3> all;
    for (std::size_t i = 0; i <= rounds; ++i) {
        const std::array<double, 3> one = measured(program, path);
        for (std::size_t k = 0; k < one.size() && i > 0; ++k) all[k].push_back(one[k]);  // the first warms the page cache
    }
    for (std::vector<double>& figures : all) std::sort(figures.begin(), figures.end());
    const auto median = [&](std::size_t k) { return all[k][all[k].size() / 2]; };
    const auto bytes = static_cast<double>(map_file(path).bytes.size());
    std::printf("%-24s %6.1f MiB  read and folded in %.3f s, peak %.2f times the file; Engine in %.3f s\n", path.c_str(),
                bytes / 1048576.0, median(0), median(1) / bytes, median(2));
}

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc == 3 && std::string_view(argv[1]) == "--read") return read_once(argv[2]);
        const int rounds = argc == 3 ? std::atoi(argv[2]) : 5;
        if (argc < 2 || argc > 3 || rounds < 1 || rounds > 1000) {
            std::fputs("usage: import_costs DIR [ROUNDS]\nexample: build/release/benchmarks/import/import_costs build\n",
                       stderr);
            return 2;
        }
        make(argv[1]);
        for (const char* name : {"/resnet50.onnx", "/resnet50.mote"}) {
            print_costs(argv[0], argv[1] + std::string(name), static_cast<std::size_t>(rounds));
        }
    } catch (const Error& error) {
        std::fprintf(stderr, "import_costs: %s\n", error.what());
        return 1;
    }
    return 0;
}
