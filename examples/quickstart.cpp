// SPDX-License-Identifier: MIT
// The whole way of one network: trained, distilled, pruned, quantized to int8, planned, run, and emitted as one header
// for firmware. Data: the UCI handwritten digits (examples/data).

#include <mote/data/digits.hpp>
#include <mote/emit/header.hpp>
#include <mote/emit/samples.hpp>
#include <mote/io/mote_file.hpp>
#include <mote/mote.hpp>
#include <mote/report/progress.hpp>
#include <mote/report/svg.hpp>
#include <mote/tensor/file.hpp>
#include <mote/train/train.hpp>
#include <mote/transform/transform.hpp>
#include <mote/zoo/initialize.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

namespace {

using mote::f32;
using mote::i8;
using mote::Tensor;
using Builder = mote::ModelBuilder<f32>;
using Handle = Builder::Handle;

constexpr std::size_t train_digits = 1297;
constexpr std::size_t split_seed = 1;
constexpr std::size_t device_digits = 100;  // test digits that the firmware classifies too

/// Convolution or depthwise convolution, BatchNorm, Relu; SAME padding.
Handle conv(Builder& b, Handle x, std::size_t out, std::size_t kernel, std::size_t stride = 1) {
    const mote::Shape& in = b.shape(x);
    x = b.add(mote::Conv2d<f32>{.weight = Tensor<f32>({out, kernel, kernel, in[3]}),
                                .stride = {stride, stride},
                                .padding = mote::same_padding({in[1], in[2]}, {kernel, kernel}, {stride, stride})},
              x);
    x = b.add(mote::batch_norm(out), x);
    return b.add(mote::Relu{}, x);
}
Handle depthwise(Builder& b, Handle x, std::size_t stride = 1) {
    const mote::Shape in = b.shape(x);
    x = b.add(mote::DepthwiseConv2d<f32>{.weight = Tensor<f32>({in[3], 3, 3, 1}),
                                         .stride = {stride, stride},
                                         .padding = mote::same_padding({in[1], in[2]}, {3, 3}, {stride, stride})},
              x);
    x = b.add(mote::batch_norm(in[3]), x);
    return b.add(mote::Relu{}, x);
}
mote::Model<f32> classifier(Builder& b, Handle x) {
    const std::size_t channels = b.channels(x);
    x = b.add(mote::Flatten{}, b.add(mote::GlobalAveragePool{}, x));
    x = b.add(mote::Dense<f32>{.weight = Tensor<f32>({10, channels}), .bias = Tensor<f32>(mote::Shape{10})}, x);
    b.output("digit", b.add(mote::Softmax{}, x));
    return b.build();
}

/// A small residual network: 8x8 -> 4x4 -> 2x2.
mote::Model<f32> teacher_network(std::uint64_t seed) {
    Builder b;
    Handle x = conv(b, b.input("image", {1, 8, 8, 1}), 32, 3);
    for (const std::size_t channels : {32u, 64u}) {
        Handle y = conv(b, x, channels, 3, channels == 32 ? 1 : 2);
        y = conv(b, y, channels, 3);
        if (b.shape(y) != b.shape(x)) x = conv(b, x, channels, 1, 2);
        x = b.add(mote::Relu{}, b.add(mote::Add{}, {x, y}));
    }
    return mote::initialize(classifier(b, conv(b, x, 64, 3, 2)), {.seed = seed});
}

/// Depthwise separable, after MobileNet.
mote::Model<f32> student_network(std::uint64_t seed) {
    Builder b;
    Handle x = conv(b, b.input("image", {1, 8, 8, 1}), 16, 3);
    x = conv(b, depthwise(b, x), 32, 1);
    x = conv(b, depthwise(b, x, 2), 48, 1);
    return mote::initialize(classifier(b, depthwise(b, x)), {.seed = seed});
}

struct Stage {
    const char* name;
    std::vector<double> top1;  // one a seed
    std::uint64_t parameters = 0, macs = 0, weight_bytes = 0;
    std::size_t arena_bytes = 0;
    double microseconds = 0;
    double mean() const {
        double sum = 0;
        for (const double x : top1) sum += x;
        return sum / static_cast<double>(top1.size());
    }
};

double median_microseconds(mote::Engine& engine) {
    constexpr int runs = 200;
    std::vector<double> times;
    for (int round = 0; round < 15; ++round) {
        const auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < runs; ++i) engine.run();
        times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count() / runs);
    }
    std::nth_element(times.begin(), times.begin() + 7, times.end());
    return times[7];
}

template <class Model, class Data>
void measure(Stage& stage, const Model& model, const Data& test) {
    stage.top1.push_back(mote::accuracy(model, test));
    const mote::Cost cost = model.cost();
    mote::Engine engine(model);
    stage.parameters = cost.parameters;
    stage.macs = cost.macs;
    stage.weight_bytes = cost.weight_bytes;
    stage.arena_bytes = engine.plan().arena_bytes();
    stage.microseconds = median_microseconds(engine);
}

struct Arguments {
    std::size_t seeds = 3;
    std::string out = "quickstart-out";
    std::string data = MOTE_DIGITS_CSV;
};

constexpr const char* usage =
    "usage: quickstart [--seeds N] [--out DIR] [--data FILE]\n"
    "  --seeds N    train with N seeds and print the mean accuracy (default 3)\n"
    "  --out DIR    where net.hpp, samples.hpp, expected.txt and the pictures go (default quickstart-out)\n"
    "  --data FILE  the digits, a line of 64 pixels and a label each\n"
    "example: quickstart --seeds 1 --out out\n";

[[noreturn]] void wrong_usage(const std::string& text) {
    std::fprintf(stderr, "quickstart: %s\n%s", text.c_str(), usage);
    std::exit(2);
}

Arguments parse(int count, char** values) {
    Arguments result;
    for (int i = 1; i < count; ++i) {
        const std::string_view name = values[i];
        if (name == "--help" || name == "-h") {
            std::fputs(usage, stdout);
            std::exit(0);
        }
        if (name != "--seeds" && name != "--out" && name != "--data") wrong_usage("unknown option '" + std::string(name) + "'");
        if (i + 1 == count) wrong_usage("option '" + std::string(name) + "' needs a value");
        const std::string value = values[++i];
        if (name == "--out") result.out = value;
        if (name == "--data") result.data = value;
        if (name == "--seeds") {
            char* end = nullptr;
            const unsigned long n = std::strtoul(value.c_str(), &end, 10);
            if (*end != '\0' || n < 1 || n > 100) wrong_usage("--seeds takes a number from 1 to 100, not '" + value + "'");
            result.seeds = n;
        }
    }
    return result;
}

/// The int8 answers of the first digits, for the firmware to compare itself with.
template <class Data>
void write_device_files(const mote::Model<i8>& model, const Data& test, const std::string& directory) {
    mote::emit_header(model, directory + "/net.hpp", {.name = "net"});
    mote::Engine engine(model);
    mote::SampleWriter samples(engine);
    const std::span<std::int8_t> in = engine.input<std::int8_t>(0);
    const mote::QuantizationParams q = model.value(model.inputs()[0]).quantization.params();
    std::vector<float> image(in.size());
    for (std::size_t i = 0; i < device_digits; ++i) {
        test.load(i, image);
        for (std::size_t k = 0; k < in.size(); ++k) in[k] = mote::quantize_value(image[k], q);
        samples.add();
    }
    samples.write(directory);
}

int run(const Arguments& arguments) {
    std::filesystem::create_directories(arguments.out);
    const mote::TensorDataset digits = mote::load_digits(arguments.data);
    const auto [train_set, test_set] = mote::stratified_split(digits, train_digits, split_seed);
    std::printf("digits: %zu to train with, %zu to test with; kernels: %s\n\n", train_set.size(), test_set.size(),
                mote::instruction_set());

    std::array<Stage, 5> stages{Stage{"teacher", {}}, Stage{"student alone", {}}, Stage{"student distilled", {}},
                                Stage{"pruned, fine-tuned", {}}, Stage{"int8", {}}};
    std::vector<mote::Series> curves;
    double first_seed_seconds = 0;
    for (std::size_t seed = 1; seed <= arguments.seeds; ++seed) {
        const auto start = std::chrono::steady_clock::now();
        mote::ProgressLine line;
        auto options = [&](const char* what, std::size_t epochs, float rate) {
            mote::TrainOptions result;
            result.epochs = epochs;
            result.batch_size = 32;
            result.seed = seed;
            result.threads = 2;
            result.optimizer = mote::AdamW{.weight_decay = 1e-2f};
            result.schedule = mote::Cosine{.rate = rate, .warm_up_epochs = 2};
            result.augment = mote::shift_pixels(1);
            if (seed == 1) curves.push_back({what, {}});
            line.start(mote::concat("seed ", seed, ": ", what));
            result.callback = [&line, &curves, seed](const mote::TrainProgress& p) {
                line.update(p);
                if (seed == 1 && p.epoch_ended) curves.back().y.push_back(100 * p.accuracy);
            };
            return result;
        };
        const auto teacher = mote::train(teacher_network(seed), train_set, options("teacher", 25, 4e-3f));
        measure(stages[0], teacher, test_set);
        const auto fresh = student_network(seed);
        const auto alone = mote::train(fresh, train_set, options("student alone", 25, 8e-3f));
        measure(stages[1], alone, test_set);
        const auto distilled = mote::distill(
            teacher, fresh, train_set, {.temperature = 10, .lambda = 0.5, .training = options("student distilled", 25, 8e-3f)});
        measure(stages[2], distilled, test_set);
        auto show_groups = [seed](const mote::PruneReport& report) {
            if (seed == 1)
                std::printf("\nchannels that go together, and how many of them will stay:\n%s\n", report.text.c_str());
        };
        const auto slim =
            mote::prune(distilled, mote::ChannelPruning{.keep = 0.75, .criterion = mote::L1{}, .before_cut = show_groups});
        const auto tuned = mote::distill(
            teacher, slim, train_set, {.temperature = 10, .lambda = 0.5, .training = options("pruned, fine-tuned", 40, 4e-3f)});
        measure(stages[3], tuned, test_set);
        const mote::Model<i8> light = mote::quantize<i8>(tuned, train_set);
        measure(stages[4], light, test_set);
        line.finish();
        if (seed == 1) {
            first_seed_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
            mote::print(light);
            std::puts("");
            mote::print(mote::plan(light));
            write_device_files(light, test_set, arguments.out);
            mote::save(light, arguments.out + "/net.mote");
            const std::vector<std::int64_t> counts = mote::confusion(light, test_set, 10);
            const std::vector<std::string> names{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
            mote::write_file(arguments.out + "/confusion.svg",
                             mote::confusion_svg(counts, names, "int8 student, 500 test digits"));
        }
    }
    mote::write_file(
        arguments.out + "/curves.svg",
        mote::curves_svg(curves,
                         {.title = "Accuracy on the training digits while training, seed 1", .y_label = "%", .from = 85}));

    std::vector<std::vector<std::string>> rows{
        {"", "top-1 %", "parameters", "MACs", "weight bytes", "arena bytes", "microseconds"}};
    auto number = [](const char* format, double value) {
        char text[32];
        std::snprintf(text, sizeof text, format, value);
        return std::string(text);
    };
    for (const Stage& stage : stages) {
        rows.push_back({stage.name, number("%.2f", 100 * stage.mean()), mote::concat(stage.parameters),
                        mote::concat(stage.macs), mote::concat(stage.weight_bytes), mote::concat(stage.arena_bytes),
                        number("%.2f", stage.microseconds)});
    }
    std::printf("\nmean of %zu seeds, last epoch, %zu test digits; seed 1 took %.1f s\n\n%s\n", arguments.seeds,
                test_set.size(), first_seed_seconds, mote::to_table(rows).c_str());
    for (const char* file : {"net.mote", "net.hpp", "samples.hpp", "expected.txt", "confusion.svg", "curves.svg"}) {
        std::printf("wrote %s/%s\n", arguments.out.c_str(), file);
    }
    return 0;
}

}  // namespace

int main(int count, char** values) {
    const Arguments arguments = parse(count, values);
    try {
        return run(arguments);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "quickstart: %s\n", error.what());
        return 1;
    }
}
