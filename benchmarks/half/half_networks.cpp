// SPDX-License-Identifier: MIT
// How long networks with random weights take in f32, bf16 and f16, one thread: the three alternate, and medians are told.
// usage: half_networks [rounds]

#include <mote/mote.hpp>
#include <mote/transform/convert.hpp>
#include <mote/zoo/initialize.hpp>
#include <mote/zoo/mobilenet.hpp>
#include <mote/zoo/resnet.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr double bar = 1.4;  ///< of ResNet-50 in bf16

double median(std::vector<double> times) {
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

/// The ratio of f32's time to bf16's.
double measure(const char* name, const mote::Model<mote::f32>& plain, std::size_t rounds) {
    const mote::Model<mote::f32> model = mote::initialize(plain, {.seed = 1});
    mote::Engine engines[] = {mote::Engine(model), mote::Engine(mote::convert<mote::bf16>(model)),
                              mote::Engine(mote::convert<mote::f16>(model))};
    std::vector<double> times[3];
    for (std::size_t round = 0; round <= rounds; ++round) {  // the first fills caches
        for (std::size_t i = 0; i < 3; ++i) {
            mote::Random random(round);
            for (float& x : engines[i].input<float>()) x = random.normal();
            const auto start = std::chrono::steady_clock::now();
            engines[i].run();
            const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
            if (round > 0) times[i].push_back(time.count());
        }
    }
    const double f32 = median(times[0]), bf16 = median(times[1]), f16 = median(times[2]);
    std::printf("%-14s %9.2f %9.2f %9.2f %11.2f %10.2f\n", name, f32, bf16, f16, f32 / bf16, f32 / f16);
    return f32 / bf16;
}

}  // namespace

int main(int argc, char** argv) {
    const long rounds = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 25;
    if (rounds < 1 || argc > 2) return std::fputs("usage: half_networks [rounds]\n", stderr), 2;
    const auto count = static_cast<std::size_t>(rounds);
    std::printf("%s, one thread, milliseconds, medians of %ld alternating rounds\n\n", mote::instruction_set(), rounds);
    std::printf("%-14s %9s %9s %9s %11s %10s\n", "network", "f32", "bf16", "f16", "f32 / bf16", "f32 / f16");
    const double ratio = measure("resnet50", mote::zoo::resnet50(), count);
    measure("mobilenet_v2", mote::zoo::mobilenet_v2(), count);
    std::printf("\nresnet50 in bf16: %.2f times as fast as in f32, the bar is %.1f: %s\n", ratio, bar,
                ratio >= bar ? "held" : "NOT HELD");
    return 0;
}
