// SPDX-License-Identifier: MIT
// mote bench: how long a model takes here, and where the time goes.

#include "tool.hpp"

#include <mote/model/print.hpp>
#include <mote/report/progress.hpp>

#include <algorithm>
#include <chrono>
#if !defined(MOTE_SCALAR)
#include <mote/simd/peak.hpp>
#endif

namespace tool {

namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
    std::string model;
    std::size_t rounds = 25, threads = 1;
    Output output;
};

double milliseconds(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double, std::milli>(to - from).count();
}

double median(std::vector<double> times) {
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    return *middle;
}

/// Operations (a multiplication, an addition) of this core in a nanosecond, at most: a loop in registers. 0 without vectors.
template <class Dot>
double peak_gops() {
#if defined(MOTE_SCALAR)
    return 0.0;
#else
    double best = 0.0;
    for (int round = 0; round < 20; ++round) {
        const auto start = Clock::now();
        for (int i = 0; i < 5; ++i) mote::kernels::simd::peak::run<Dot>();
        best = std::max(best, 5 * mote::kernels::simd::peak::operations<Dot>() / milliseconds(start, Clock::now()) * 1e-6);
    }
    return best;
#endif
}

double gops(std::uint64_t macs, double time) {
    return time > 0.0 ? 2.0 * static_cast<double>(macs) / time * 1e-6 : 0.0;
}

void bench(const Arguments& arguments) {
    const mote::AnyModel model = load_model(arguments.model);
    about(arguments.model, [&] {
        mote::Engine engine(model);
        const std::vector<mote::Step>& steps = engine.plan().steps();
        // A round takes some milliseconds, so that clock and scheduler count little.
        engine.run();
        const auto once = Clock::now();
        engine.run();
        const double guess = std::max(1e-6, milliseconds(once, Clock::now()));
        const auto runs = static_cast<std::size_t>(std::clamp(5.0 / guess, 1.0, 10000.0));
        std::vector<double> whole;
        std::vector<std::vector<double>> of_step(steps.size());
        mote::ProgressLine line;
        line.start("rounds");
        for (std::size_t round = 0; round < arguments.rounds; ++round) {
            auto start = Clock::now();
            for (std::size_t i = 0; i < runs; ++i) engine.run();
            whole.push_back(milliseconds(start, Clock::now()) / static_cast<double>(runs));
            std::vector<double> sums(steps.size(), 0.0);
            for (std::size_t i = 0; i < runs; ++i) {
                auto last = Clock::now();
                engine.run_steps([&](std::size_t step) {
                    const auto now = Clock::now();
                    sums[step] += milliseconds(last, now);
                    last = now;
                });
            }
            for (std::size_t s = 0; s < steps.size(); ++s) of_step[s].push_back(sums[s] / static_cast<double>(runs));
            line.update(round + 1, arguments.rounds);
        }

        const double time = median(whole);
        const std::uint64_t macs = model.cost().macs;
        bool bytes = false;
        for (const mote::Value& value : model.values()) bytes = bytes || value.element == mote::Element::i8;
#if defined(MOTE_SCALAR)
        const double peak = 0.0;
#else
        const double peak = bytes ? peak_gops<mote::kernels::simd::DotI8>() : peak_gops<mote::kernels::simd::DotF32>();
#endif
        const auto percent = [](double share) { return number("%.1f", 100.0 * share); };
        std::vector<std::vector<std::string>> rows{{"step", "kernel", "MACs", "ms", "time %", "GOP/s", "peak %"}};
        std::vector<Json> layers;
        double sum = 0.0;
        for (const std::vector<double>& times : of_step) sum += median(times);
        for (std::size_t s = 0; s < steps.size(); ++s) {
            std::string names;
            std::uint64_t step_macs = 0;
            for (const std::string& name : steps[s].nodes) {
                names += (names.empty() ? "" : " + ") + name;
                for (std::size_t i = 0; i < model.nodes().size(); ++i) {
                    if (model.nodes()[i].name == name) step_macs += model.cost(i).macs;
                }
            }
            const double step_time = median(of_step[s]), speed = gops(step_macs, step_time);
            rows.push_back({names, steps[s].kernel, mote::concat(step_macs), number("%.4f", step_time),
                            percent(step_time / sum), number("%.2f", speed),
                            peak > 0.0 ? percent(speed / peak) : std::string("-")});
            layers.push_back(Json()
                                 .add("nodes", names)
                                 .add("kernel", steps[s].kernel)
                                 .add("macs", step_macs)
                                 .add("milliseconds_median", step_time)
                                 .add("gops", speed));
        }
        const double speed = gops(macs, time);
        rows.push_back({"whole", "", mote::concat(macs), number("%.4f", time), "", number("%.2f", speed),
                        peak > 0.0 ? percent(speed / peak) : std::string("-")});
        arguments.output.print(mote::to_table(rows, widest_cell) +
                               mote::concat("\nmedian of ", arguments.rounds, " rounds of ", runs, " runs, one thread, ",
                                            mote::instruction_set(), "; peak of this core in ", bytes ? "int8" : "f32", ": ",
                                            number("%.1f", peak), " GOP/s\n"));
        arguments.output.write(Json()
                                   .add("milliseconds_median", time)
                                   .add("gops", speed)
                                   .add("peak_gops", peak)
                                   .add("threads", arguments.threads)
                                   .add("instruction_set", mote::instruction_set())
                                   .add("layers", layers));
    });
}

}  // namespace

void add_bench(CLI::App& app) {
    CLI::App* command = app.add_subcommand("bench", "Time, GOP/s and share of this core's peak, layer by layer");
    const auto arguments = std::make_shared<Arguments>();
    add_model(*command, arguments->model);
    command->add_option("--rounds", arguments->rounds, "The median of so many is told")
        ->capture_default_str()
        ->check(CLI::Range(1, 100000))
        ->type_name("N");
    command->add_option("--threads", arguments->threads, "An engine runs on one")
        ->capture_default_str()
        ->check(CLI::Range(1, 1))
        ->type_name("N");
    arguments->output.add_options(*command);
    command->footer("example: mote bench resnet8.tflite --rounds 50 --json bench.json");
    command->callback([arguments] { bench(*arguments); });
}

}  // namespace tool
