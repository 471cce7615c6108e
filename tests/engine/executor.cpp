// SPDX-License-Identifier: MIT
// Executor: a reference to whatever has parallel_for; engines give the same bits on any, with any number of threads.

#include <mote/engine/executor.hpp>
#include <mote/core/random.hpp>
#include <mote/mote.hpp>

#include <engine/random_model.hpp>
#include <support/catch.hpp>
#include <support/error_text.hpp>

#include <cstring>

namespace executor_test {

using namespace mote;

/// The application's own: backwards on one thread, counting.
struct Backwards {
    std::size_t calls = 0;
    template <class Body>
    void parallel_for(std::size_t count, const Body& body) {
        ++calls;
        while (count > 0) body(--count);
    }
};
struct WithHooks : Backwards {
    std::size_t threads() const { return 3; }
    int begun = 0, ended = 0;
    void begin_run() { ++begun; }
    void end_run() { ++ended; }
};

/// Convolutions that are worth dividing by rows, by panels and by channels, a residual, and a dense layer.
template <class P>
BasicModel<standard_layers<P>> network() {
    BasicBuilder<standard_layers<P>> b;
    mote::Random random(7);
    const auto fill = [&](auto& tensor) {
        for (auto& v : tensor.values())
            v = static_cast<std::remove_cvref_t<decltype(v)>>(static_cast<int>(random.below(15)) - 7);
    };
    const auto conv = [&](std::size_t out, std::size_t kernel, std::size_t in, std::size_t stride) {
        Conv2d<P> layer{.weight = Tensor<typename P::weight>({out, kernel, kernel, in}),
                        .stride = {stride, stride},
                        .padding = uniform_padding(kernel / 2)};
        fill(layer.weight);
        if constexpr (std::is_same_v<P, i8>) layer.weight.set_quantization(Quantization(QuantizationParams{0.02f, 0}));
        return layer;
    };
    NodeOptions options;
    const Element element = P::activation::element;
    if constexpr (std::is_same_v<P, i8>) options.quantization = QuantizationParams{0.1f, 3};
    const auto x = b.input("x", {1, 33, 29, 12}, element, options.quantization);
    const auto y = b.add(conv(24, 3, 12, 1), x, options);
    DepthwiseConv2d<P> depthwise{.weight = Tensor<typename P::weight>({24, 3, 3, 1}), .padding = uniform_padding(1)};
    fill(depthwise.weight);
    if constexpr (std::is_same_v<P, i8>) depthwise.weight.set_quantization(Quantization(QuantizationParams{0.02f, 0}));
    const auto z = b.add(Relu{}, b.add(Add{}, {y, b.add(depthwise, y, options)}, options));
    const auto deep = b.add(conv(700, 5, 24, 16), z, options);
    b.output("deep", deep);
    b.output("wide", b.add(conv(40, 1, 24, 1), z, options));
    return b.build();
}

/// Pools, sums, products and clamps that are worth dividing; of one image by rows, of several by images.
template <class P>
BasicModel<standard_layers<P>> network_without_weights(std::size_t batch) {
    BasicBuilder<standard_layers<P>> b;
    NodeOptions options;
    if constexpr (std::is_same_v<P, i8>) options.quantization = QuantizationParams{0.5f, -3};
    const auto x = b.input("x", {batch, 61, 70, 36}, P::activation::element, options.quantization);
    const auto largest = b.add(MaxPool2d{.kernel = {3, 3}, .stride = {2, 2}, .padding = uniform_padding(1)}, x);
    const auto scaled = b.add(Mul{}, {largest, b.add(GlobalAveragePool{}, largest)}, options);
    const auto mean =
        b.add(AveragePool2d{.kernel = {3, 2}, .stride = {1, 1}, .padding = uniform_padding(1), .count_padding = true},
              b.add(Add{}, {scaled, largest}, options));
    b.output("mean", b.add(Relu{}, mean));
    b.output("product", b.add(Mul{}, {mean, mean}, options));
    if constexpr (std::is_same_v<P, f32>) b.output("tanh", b.add(Tanh{}, mean));
    return b.build();
}

template <class T, class List>
std::vector<std::byte> answer(const BasicModel<List>& model, const EngineOptions& options) {
    Engine engine(model, options);
    mote::Random random(3);
    for (T& v : engine.input<T>()) v = static_cast<T>(static_cast<int>(random.below(200)) - 100);
    std::vector<std::byte> bytes;
    for (int run = 0; run < 3; ++run) engine.run();
    for (std::size_t i = 0; i < engine.outputs(); ++i) {
        const auto output = std::as_bytes(engine.output<T>(i));
        bytes.insert(bytes.end(), output.begin(), output.end());
    }
    return bytes;
}

}  // namespace executor_test

TEST_CASE("executor: the same bits for any number of threads, in f32 too") {
    using namespace executor_test;
    const auto real = network<f32>();
    const auto bytes = network<i8>();
    const auto one = answer<float>(real, {});
    const auto one_i8 = answer<std::int8_t>(bytes, {});
    for (std::size_t threads = 2; threads <= 5; ++threads) {
        CAPTURE(threads);
        CHECK(answer<float>(real, {.threads = threads}) == one);
        CHECK(answer<std::int8_t>(bytes, {.threads = threads}) == one_i8);
    }
    const Plan plan = mote::plan(real, {.threads = 3});
    if (plan.kernels().divides) {
        CHECK(std::ranges::any_of(plan.steps(), [](const Step& step) { return step.parts == 3; }));
        CHECK(to_string(plan).find("3 parts") != std::string::npos);
    }
    const Plan alone = mote::plan(real);
    for (const Step& step : alone.steps()) CHECK(step.parts == 1);
}

TEST_CASE("executor: pools and elementwise steps in parts give the bits of the whole") {
    using namespace executor_test;
    for (const std::size_t batch : {std::size_t{1}, std::size_t{3}}) {
        const auto real = network_without_weights<f32>(batch);
        const auto bytes = network_without_weights<i8>(batch);
        const auto one = answer<float>(real, {});
        const auto one_i8 = answer<std::int8_t>(bytes, {});
        for (std::size_t threads = 2; threads <= 5; ++threads) {
            CAPTURE(batch, threads);
            CHECK(answer<float>(real, {.threads = threads}) == one);
            CHECK(answer<std::int8_t>(bytes, {.threads = threads}) == one_i8);
        }
        const Plan plan = mote::plan(real, {.threads = 3});
        if (!plan.kernels().divides) continue;
        for (const Step& step : plan.steps()) CHECK((step.parts == 3 || step.kernel.find("average_pool") == 0));
    }
}

TEST_CASE("executor: engines run on the application's threads, and tell them of a run") {
    using namespace executor_test;
    const auto model = network<f32>();
    const auto expected = answer<float>(model, {});
    Backwards backwards;
    CHECK(answer<float>(model, {.threads = 4, .executor = backwards}) == expected);
    WithHooks hooks;
    CHECK(answer<float>(model, {.executor = hooks}) == expected);
    CHECK(hooks.begun == 3);
    CHECK(hooks.ended == 3);
    if (native_kernels().divides) {
        CHECK(backwards.calls > 0);
        CHECK(hooks.calls > 0);
    }
    ThreadPool pool(3);
    Engine a(model, {.executor = pool});
    Engine b(a);
    CHECK(a.plan().options().threads == 3);
    CHECK(answer<float>(model, {.executor = pool}) == expected);
    CHECK_ERROR(Engine(model, {.executor = backwards}), "threads");
    CHECK_FALSE(static_cast<bool>(Executor{}));
}
