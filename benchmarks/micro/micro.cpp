// SPDX-License-Identifier: MIT
// The kernels' speed, and their share of the peak of this core, which a loop in registers measures in the same rounds.
//
// usage: micro                                      the four figures that have a floor
//        micro --benchmark_filter='^(gemm|conv)'    others, of the names in --benchmark_list_tests; the peaks run with them
// All rounds of all benchmarks are interleaved, and the best round of each counts, on both sides. The exit status is 1 where a
// share is above 1: then the loop that measures the peak is broken.

#include "../block.hpp"

#include <mote/kernels/native.hpp>
#include <mote/simd/peak.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace {

using mote::ConvGeometry;
using mote::kernels::simd::DotF32;
using mote::kernels::simd::DotI8;

const mote::KernelTable& table() {
    return mote::native_kernels();
}

/// What one iteration computes; the reporter divides by the peak of the same kind.
void set_rate(benchmark::State& state, double operations) {
    state.counters["rate"] = benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate);
}

template <class D>
void peak(benchmark::State& state) {
    for (auto _ : state) mote::kernels::simd::peak::run<D>();
    set_rate(state, mote::kernels::simd::peak::operations<D>());
}

void gemm_f32(benchmark::State& state, int m, int n, int k) {
    const auto elements = [](int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); };
    Block<float> a(elements(m, k)), b(elements(k, n)), c(elements(m, n));
    Block<char> scratch(table().gemm_f32_scratch_bytes(m, n, k));
    mote::GemmF32 gemm;
    gemm.m = m, gemm.n = n, gemm.k = k;
    gemm.a = a.data(), gemm.b = b.data(), gemm.c = c.data();
    gemm.lda = k, gemm.ldb = n, gemm.ldc = n;
    gemm.scratch = scratch.data();
    for (auto _ : state) table().gemm_f32(gemm);
    set_rate(state, 2.0 * m * n * k);
}

std::size_t inputs(const ConvGeometry& g) {
    return static_cast<std::size_t>(g.batch) * static_cast<std::size_t>(g.in_height * g.in_width * g.in_channels);
}
std::size_t outputs(const ConvGeometry& g) {
    return static_cast<std::size_t>(g.batch) * static_cast<std::size_t>(g.out_height * g.out_width * g.out_channels);
}
std::size_t taps(const ConvGeometry& g) {
    return static_cast<std::size_t>(g.kernel_height * g.kernel_width * (g.in_channels / g.groups));
}
double operations(const ConvGeometry& g) {
    return 2.0 * static_cast<double>(outputs(g)) * static_cast<double>(taps(g));
}

void conv_f32(benchmark::State& state, bool depthwise, const ConvGeometry& g) {
    const auto& kernel = depthwise ? table().depthwise_f32 : table().conv2d_f32;
    const auto channels = static_cast<std::size_t>(g.out_channels);
    Block<float> input(inputs(g)), weight(channels * taps(g)), bias(channels), output(outputs(g));
    Block<char> packed(kernel.packed_bytes(g)), scratch(kernel.scratch_bytes(g));
    kernel.pack(g, {weight.data(), bias.data()}, packed.data());
    mote::ConvF32 run;
    run.input = input.data(), run.packed = packed.data(), run.output = output.data(), run.scratch = scratch.data();
    for (auto _ : state) kernel.run(g, run, {});
    set_rate(state, operations(g));
}

void conv_i8(benchmark::State& state, bool depthwise, const ConvGeometry& g) {
    const auto& kernel = depthwise ? table().depthwise_i8 : table().conv2d_i8;
    const auto channels = static_cast<std::size_t>(g.out_channels);
    Block<std::int8_t> input(inputs(g)), weight(channels * taps(g)), output(outputs(g));
    Block<std::int32_t> bias(channels);
    Block<float> multiplier(channels);
    std::fill_n(multiplier.data(), channels, 0.003f);
    Block<char> packed(kernel.packed_bytes(g)), scratch(kernel.scratch_bytes(g));
    kernel.pack(g, {weight.data(), bias.data(), multiplier.data(), 3}, packed.data());
    mote::ConvI8 run;
    run.input = input.data(), run.packed = packed.data(), run.output = output.data(), run.scratch = scratch.data();
    run.input_zero_point = 3;
    for (auto _ : state) kernel.run(g, run, {});
    set_rate(state, operations(g));
}

/// A k x k window that keeps the image's size, or halves it with stride 2.
ConvGeometry window(int size, int in, int out, int kernel, int stride = 1) {
    ConvGeometry g;
    g.in_height = g.in_width = size;
    g.out_height = g.out_width = (size + stride - 1) / stride;
    g.in_channels = in;
    g.out_channels = out;
    g.kernel_height = g.kernel_width = kernel;
    g.stride_height = g.stride_width = stride;
    g.pad_top = g.pad_left = kernel / 2;
    return g;
}
ConvGeometry depthwise_window(int size, int channels, int kernel, int stride) {
    ConvGeometry g = window(size, channels, channels, kernel, stride);
    g.groups = channels;
    return g;
}
ConvGeometry dense(int rows, int in, int out) {
    ConvGeometry g = window(1, in, out, 1);
    g.batch = rows;
    return g;
}

struct Entry {
    std::string name;
    bool integer;
    double floor;  // of its share; 0: it has none
};
std::vector<Entry> entries;

void add(const std::string& name, bool integer, double floor, void (*run)(benchmark::State&)) {
    entries.push_back({name, integer, floor});
    benchmark::RegisterBenchmark(name.c_str(), run);
}
void add_gemm(const std::string& name, double floor, int m, int n, int k) {
    entries.push_back({name, false, floor});
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { gemm_f32(state, m, n, k); });
}
void add_conv(const std::string& name, double floor_f32, double floor_i8, bool depthwise, const ConvGeometry& g) {
    entries.push_back({name + "_f32", false, floor_f32});
    benchmark::RegisterBenchmark((name + "_f32").c_str(), [=](benchmark::State& state) { conv_f32(state, depthwise, g); });
    entries.push_back({name + "_i8", true, floor_i8});
    benchmark::RegisterBenchmark((name + "_i8").c_str(), [=](benchmark::State& state) { conv_i8(state, depthwise, g); });
}

void add_depthwise(const std::string& network, int size, int channels, int kernel, int stride) {
    const auto text = [](int n) { return std::to_string(n); };
    const std::string shape = text(kernel) + "x" + text(kernel) + "_" + text(size) + "x" + text(size) + "x" + text(channels);
    add_conv(network + "_depthwise_" + shape + (stride > 1 ? "_stride" + text(stride) : ""), 0, 0, true,
             depthwise_window(size, channels, kernel, stride));
}

void register_all() {
    add("peak_f32", false, 0, peak<DotF32>);
    add("peak_i8", true, 0, peak<DotI8>);
    add_gemm("gemm_768x768x768_f32", 0.70, 768, 768, 768);
    add_conv("dense_768x768x768", 0, 0.55, false, dense(768, 768, 768));  // the int8 GEMM
    add_conv("conv_3x3_56x56x64_64", 0.60, 0.45, false, window(56, 64, 64, 3));
    add_gemm("gemm_64x64x64_f32", 0, 64, 64, 64);
    add_gemm("gemm_1024x1024x1024_f32", 0, 1024, 1024, 1024);
    add_conv("dense_1x768x768", 0, 0, false, dense(1, 768, 768));
    add_conv("conv_7x7_224x224x3_64_stride2", 0, 0, false, window(224, 3, 64, 7, 2));
    add_conv("conv_3x3_28x28x128_128", 0, 0, false, window(28, 128, 128, 3));
    add_conv("conv_3x3_7x7x512_512", 0, 0, false, window(7, 512, 512, 3));
    add_conv("conv_1x1_56x56x64_256", 0, 0, false, window(56, 64, 256, 1));
    add_conv("conv_1x1_14x14x480_80", 0, 0, false, window(14, 480, 80, 1));
    ConvGeometry ds_cnn = depthwise_window(25, 64, 3, 1);
    ds_cnn.in_width = ds_cnn.out_width = 5;
    add_conv("ds_cnn_depthwise_3x3_25x5x64", 0, 0, true, ds_cnn);
    add_depthwise("visual_wake_words", 48, 8, 3, 1);
    add_depthwise("visual_wake_words", 48, 16, 3, 2);
    add_depthwise("visual_wake_words", 24, 32, 3, 1);
    add_depthwise("visual_wake_words", 6, 128, 3, 1);
    add_depthwise("visual_wake_words", 3, 256, 3, 1);
    add_depthwise("mobilenet_v2", 112, 32, 3, 1);
    add_depthwise("mobilenet_v2", 112, 96, 3, 2);
    add_depthwise("mobilenet_v2", 56, 144, 3, 1);
    add_depthwise("mobilenet_v2", 28, 192, 3, 2);
    add_depthwise("mobilenet_v2", 14, 576, 3, 1);
    add_depthwise("mobilenet_v2", 7, 960, 3, 1);
    add_depthwise("mobilenet_v3_small", 28, 88, 3, 1);
    add_depthwise("mobilenet_v3_small", 28, 96, 5, 2);
    add_depthwise("mobilenet_v3_small", 14, 240, 5, 1);
    add_depthwise("mobilenet_v3_small", 7, 576, 5, 1);
    add_depthwise("shufflenet_v2", 28, 58, 3, 1);
    add_depthwise("shufflenet_v2", 14, 116, 3, 1);
    add_depthwise("convnext", 56, 96, 7, 1);
}

/// Keeps the best round of each benchmark.
class Best : public benchmark::BenchmarkReporter {
  public:
    bool ReportContext(const Context&) override { return true; }
    void ReportRuns(const std::vector<Run>& runs) override {
        for (const Run& run : runs) {
            if (run.run_type != Run::RT_Iteration || run.error_occurred) continue;
            double& best = best_[run.run_name.function_name];
            best = std::max(best, run.counters.at("rate").value);
            ++rounds_[run.run_name.function_name];
        }
    }
    /// The table; the exit status.
    int print() const {
        std::printf("%s, one thread; the best of interleaved rounds on both sides\n\n", mote::instruction_set());
        std::printf("%-40s %8s %12s %8s %8s\n", "kernel", "rounds", "speed", "share", "floor");
        bool broken = false;
        for (const Entry& entry : entries) {
            const auto found = best_.find(entry.name);
            const auto peak = best_.find(entry.integer ? "peak_i8" : "peak_f32");
            if (found == best_.end() || peak == best_.end()) continue;
            const double share = found->second / peak->second;
            std::printf("%-40s %8d %7.1f %s %7.1f%%", entry.name.c_str(), rounds_.at(entry.name), found->second * 1e-9,
                        entry.integer ? "GOP/s" : "GFLOP", 100 * share);
            if (entry.floor > 0) std::printf(" %7.0f%% %s", 100 * entry.floor, share < entry.floor ? "MISSED" : "held");
            std::printf("\n");
            broken = broken || share > 1;
        }
        if (broken) std::printf("\na share above 100 %%: the loop that measures the peak is broken\n");
        return broken ? 1 : 0;
    }

  private:
    std::map<std::string, double> best_;
    std::map<std::string, int> rounds_;
};

/// The options, with defaults before what the user gave, and the peaks added to a filter.
std::vector<std::string> options(int argc, char** argv) {
    std::vector<std::string> all = {argv[0], "--benchmark_repetitions=25", "--benchmark_min_time=0.02",
                                    "--benchmark_enable_random_interleaving=true"};
    std::string filter;
    for (const Entry& entry : entries) {
        if (entry.floor > 0) filter += "|" + entry.name;
    }
    filter = filter.substr(1);
    constexpr const char* filter_option = "--benchmark_filter=";
    for (int i = 1; i < argc; ++i) {
        if (std::strncmp(argv[i], filter_option, std::strlen(filter_option)) == 0) {
            filter = argv[i] + std::strlen(filter_option);
        } else {
            all.emplace_back(argv[i]);
        }
    }
    all.push_back(filter_option + ("^peak_|" + filter));
    return all;
}

}  // namespace

int main(int argc, char** argv) {
    register_all();
    std::vector<std::string> texts = options(argc, argv);
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    int count = static_cast<int>(pointers.size());
    benchmark::Initialize(&count, pointers.data());
    if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 2;
    Best best;
    benchmark::RunSpecifiedBenchmarks(&best);
    return best.print();
}
