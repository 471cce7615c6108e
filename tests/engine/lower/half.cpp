// SPDX-License-Identifier: MIT
// Layers in bf16 and f16: own kernels with all that f32's fuse; other layers compute in f32 between two conversions.

#include <mote/core/random.hpp>
#include <mote/mote.hpp>
#include <mote/tensor/convert.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>

#include <algorithm>

namespace half_test {

using namespace mote;

template <class P>
Tensor<P> weights(const Shape& shape, std::uint64_t seed) {
    Random random(seed);
    Tensor<f32> real(shape);
    for (float& w : real.values()) w = random.normal() * 0.5f;
    return convert<P>(real);
}

/// Two convolutions side by side into a Concat, then one with a residual.
template <class P>
Model<f32, P> branches() {
    ModelBuilder<f32, P> b;
    const auto x = b.add(Convert{P::element}, b.input("x", {1, 5, 5, 3}), {.name = "enter"});
    const auto left = b.add(Conv2d<P>{.weight = weights<P>({7, 3, 3, 3}, 1), .padding = {1, 1, 1, 1}}, x);
    const auto right = b.add(Relu6{}, b.add(Conv2d<P>{.weight = weights<P>({9, 1, 1, 3}, 2)}, x));
    const auto both = b.add(Concat{}, {left, right});
    auto y = b.add(Pad{{0, 1, 1, 0}, {0, 1, 1, 0}}, both);
    y = b.add(DepthwiseConv2d<P>{.weight = weights<P>({16, 3, 3, 1}, 3)}, y);
    y = b.add(Relu{}, b.add(Add{}, {y, both}));
    b.output("y", b.add(Convert{Element::f32}, y, {.name = "leave"}));
    return b.build();
}

}  // namespace half_test

TEST_CASE("half: convolutions take padding, clamps, a residual and their place in a Concat") {
    using namespace half_test;
    const auto check = [](const auto& model) {
        const Plan fused = plan(model), plain = plan(model, {.fuse = false});
        if (fused.kernels().divides) CHECK(fused.steps().size() == 5);
        Engine a(fused), b(plain), threads(model, {.threads = 2});
        for (Engine* engine : {&a, &b, &threads}) {
            float value = -2.0f;
            for (float& x : engine->input<float>()) x = value += 0.05f;
            engine->run();
        }
        CHECK(std::ranges::equal(a.output<float>(), threads.output<float>()));
        // Fused, a sum is rounded once; else it is before the residual is added, too.
        for (std::size_t i = 0; i < a.output<float>().size(); ++i)
            CHECK(a.output<float>()[i] == Approx(b.output<float>()[i]).epsilon(0.02).margin(0.05));
    };
    check(branches<bf16>());
    check(branches<f16>());
}

TEST_CASE("half: a layer without kernels of its own computes in f32 between conversions") {
    using namespace half_test;
    ModelBuilder<f32, bf16> b;
    auto x = b.input("x", {1, 4, 4, 5}, Element::bf16);
    b.output("y", b.add(GlobalAveragePool{}, b.add(Add{}, {x, x})));
    Engine engine(b.build());
    std::vector<std::string> kinds;
    for (const Step& step : engine.plan().steps()) kinds.push_back(step.kind->name);
    CHECK(kinds == std::vector<std::string>{"to_f32", "add_f32", "from_f32", "to_f32", "average_pool_f32", "from_f32"});
    for (std::size_t i = 0; i < 80; ++i) engine.input<bfloat>()[i] = to_bfloat(static_cast<float>(i % 5));
    engine.run();
    for (std::size_t c = 0; c < 5; ++c) CHECK(to_float(engine.output<bfloat>()[c]) == static_cast<float>(2 * c));
}

TEST_CASE("half: kernels without f16 and bf16 refuse their values by name") {
    using namespace half_test;
    if (!native_kernels().divides) return;  // scalar tables know all elements
    ModelBuilder<f32> b;
    b.output("y", b.add(Relu{}, b.input("x", {1, 4}, Element::f16)));
    CHECK_ERROR(plan(b.build()), "'x'", "f16", "Model<f32, f16>");
}
