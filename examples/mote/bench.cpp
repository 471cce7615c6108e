// SPDX-License-Identifier: MIT
// mote bench: how long a model takes here, and where the time goes.

#include "tool.hpp"

#include <mote/engine/dispatch.hpp>
#include <mote/model/print.hpp>
#include <mote/report/progress.hpp>
#include <mote/report/roof.hpp>
#include <mote/report/roofline_page.hpp>
#include <mote/tensor/file.hpp>

#include <algorithm>
#include <chrono>

namespace tool {

namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
    std::string model, html;
    std::size_t rounds = 50, threads = 1;
    bool measure = false;
    std::string choices;
    Output output;
};

double microseconds(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double, std::micro>(to - from).count();
}

double median(std::vector<double> times) {
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    return *middle;
}

/// "one thread", "2 threads"
std::string counted(std::size_t count, const char* what) {
    return count == 1 ? mote::concat("one ", what) : mote::concat(count, " ", what, "s");
}

struct Measured {
    mote::Roofline roofline;
    std::string instruction_set, choices;
};

/// Times whole runs, and runs step by step, in rounds that alternate with those that measure the machine's peaks.
Measured measure(const mote::AnyModel& model, const Arguments& arguments) {
    mote::EngineOptions options{.kernels = &mote::best_kernels()};
    options.threads = arguments.threads;
    options.plan.measure = arguments.measure;
    options.plan.choices = arguments.choices;
    mote::Engine engine(model, options);
    mote::Roofline roofline{.title = arguments.model, .points = mote::roofline_points(model, engine.plan())};
    // A round takes a millisecond at least: the clock counts little, and most rounds pass before others get the core.
    engine.run();
    const auto once = Clock::now();
    engine.run();
    const double guess = std::max(1e-3, microseconds(once, Clock::now()));
    const auto runs = static_cast<std::size_t>(std::clamp(1000.0 / guess, 1.0, 10000.0));
    std::vector<double> whole;
    std::vector<std::vector<double>> of_step(roofline.points.size());
    mote::RoofMeter meter(arguments.threads);
    mote::ProgressLine line;
    line.start("rounds");
    for (std::size_t round = 0; round < arguments.rounds; ++round) {
        meter.measure_peaks();
        const auto start = Clock::now();
        for (std::size_t i = 0; i < runs; ++i) engine.run();
        whole.push_back(microseconds(start, Clock::now()) / static_cast<double>(runs));
        std::vector<double> sums(of_step.size(), 0.0);
        for (std::size_t i = 0; i < runs; ++i) {
            auto last = Clock::now();
            engine.run_steps([&](std::size_t step) {
                const auto now = Clock::now();
                sums[step] += microseconds(last, now);
                last = now;
            });
        }
        for (std::size_t s = 0; s < sums.size(); ++s) of_step[s].push_back(sums[s] / static_cast<double>(runs));
        line.update(round + 1, arguments.rounds);
    }
    meter.measure_levels();
    roofline.roof = meter.roof();
    roofline.microseconds = median(whole);
    for (std::size_t s = 0; s < of_step.size(); ++s) roofline.points[s].microseconds = median(of_step[s]);
    roofline.note = mote::concat("median of ", counted(arguments.rounds, "round"), " of ", counted(runs, "run"), ", ",
                                 counted(arguments.threads, "thread"), ", ", engine.plan().kernels().instruction_set);
    if (engine.plan().kernels().instruction_set != std::string_view(mote::instruction_set())) {
        roofline.note += mote::concat("; the peak is that of ", mote::instruction_set());
    }
    std::string choices = engine.plan().choices();
    if (arguments.measure) roofline.note += mote::concat("; --choices ", choices);
    return {std::move(roofline), engine.plan().kernels().instruction_set, std::move(choices)};
}

std::string table(const mote::Roofline& roofline) {
    const mote::RooflinePoint sum = roofline.sum();
    std::vector<std::vector<std::string>> rows{
        {"step", "kernel", "why", "MACs", "us", "time %", "GOP/s", "peak %", "bytes", "OP/byte", "GB/s"}};
    const auto add = [&](const mote::RooflinePoint& point, double share) {
        const bool computes = point.macs > 0;
        rows.push_back(
            {point.name, point.kernel, point.reason, mote::concat(point.macs), number("%.3f", point.microseconds),
             number("%.1f", 100.0 * point.microseconds / sum.microseconds), computes ? number("%.2f", point.gops()) : "-",
             share > 0.0 ? number(point.transformed ? "%.1f*" : "%.1f", 100.0 * share) : "-", mote::concat(point.bytes),
             computes ? number("%.2f", point.intensity()) : "-", number("%.2f", point.gigabytes_per_second())});
    };
    for (const mote::RooflinePoint& point : roofline.points) add(point, point.peak_share(roofline.roof));
    add(sum, roofline.peak_share(sum.microseconds));
    add(roofline.whole(), roofline.peak_share(roofline.microseconds));
    std::string text = mote::to_table(rows, widest_cell) + "\n" + roofline.note + "\n";
    const mote::Roof& roof = roofline.roof;
    if (roof.f32_gops > 0.0) {
        text += mote::concat("peak of ", counted(roof.threads, "thread"), ": ", number("%.1f", roof.f32_gops),
                             " GOP/s in f32, ", number("%.1f", roof.i8_gops), " in int8; read from");
        for (const mote::MemoryLevel& level : roof.levels) {
            text += mote::concat(&level == roof.levels.data() ? " " : ", ", level.name, " ",
                                 number("%.1f", level.gigabytes_per_second));
        }
        text += " GB/s\n";
    }
    for (const std::string& remark : roofline.remarks()) text += remark + "\n";
    return text;
}

Json figures(const Measured& measured) {
    const mote::Roofline& roofline = measured.roofline;
    const mote::RooflinePoint sum = roofline.sum();
    std::vector<Json> layers, levels;
    for (const mote::RooflinePoint& point : roofline.points) {
        layers.push_back(Json()
                             .add("nodes", point.name)
                             .add("kind", point.kind)
                             .add("kernel", point.kernel)
                             .add("reason", point.reason)
                             .add("precision", mote::element_name(point.element))
                             .add("transformed", point.transformed)
                             .add("macs", point.macs)
                             .add("bytes", point.bytes)
                             .add("intensity", point.intensity())
                             .add("milliseconds_median", 1e-3 * point.microseconds)
                             .add("gops", point.gops())
                             .add("gigabytes_per_second", point.gigabytes_per_second())
                             .add("peak_share", point.peak_share(roofline.roof)));
    }
    for (const mote::MemoryLevel& level : roofline.roof.levels) {
        levels.push_back(Json().add("name", level.name).add("gigabytes_per_second", level.gigabytes_per_second));
    }
    return Json()
        .add("milliseconds_median", 1e-3 * roofline.microseconds)
        .add("milliseconds_of_layers", 1e-3 * sum.microseconds)
        .add("macs", sum.macs)
        .add("bytes", sum.bytes)
        .add("gops", roofline.whole().gops())
        .add("peak_share", roofline.peak_share(roofline.microseconds))
        .add("peak_f32_gops", roofline.roof.f32_gops)
        .add("peak_i8_gops", roofline.roof.i8_gops)
        .add("memory", levels)
        .add("threads", roofline.roof.threads)
        .add("instruction_set", measured.instruction_set)
        .add("choices", measured.choices)
        .add("layers", layers);
}

void bench(const Arguments& arguments) {
    const mote::AnyModel model = load_model(arguments.model);
    about(arguments.model, [&] {
        const Measured measured = measure(model, arguments);
        if (!arguments.html.empty()) mote::write_file(arguments.html, mote::roofline_html(measured.roofline));
        arguments.output.print(table(measured.roofline));
        arguments.output.write(figures(measured));
    });
}

}  // namespace

void add_bench(CLI::App& app) {
    CLI::App* command = app.add_subcommand(
        "bench", "Layer by layer: kernel, time, GOP/s, share of this machine's peak, bytes moved; a roofline");
    const auto arguments = std::make_shared<Arguments>();
    add_model(*command, arguments->model);
    command->add_option("--rounds", arguments->rounds, "The median of so many is told")
        ->capture_default_str()
        ->check(CLI::Range(1, 100000))
        ->type_name("N");
    command->add_option("--threads", arguments->threads, "That share a run; the peak is theirs, too")
        ->capture_default_str()
        ->check(CLI::Range(1, 4096))
        ->type_name("N");
    command->add_flag("--measure", arguments->measure,
                      "Where a convolution has several kernels, take the fastest here; the choices are told");
    command->add_option("--choices", arguments->choices, "Those of another such run: a digit a convolution")
        ->type_name("DIGITS");
    command->add_option("--html", arguments->html, "Write a page: the steps under this machine's roofline, and as a table")
        ->type_name("FILE");
    arguments->output.add_options(*command);
    command->footer("example: mote bench resnet8.tflite --threads 2 --html resnet8.html --json bench.json");
    command->callback([arguments] { bench(*arguments); });
}

}  // namespace tool
