// SPDX-License-Identifier: MIT
// Bands: chains of convolutions of large images are one step whose bits are those of its parts.

#include <mote/core/random.hpp>
#include <mote/mote.hpp>

#include <engine/random_model.hpp>
#include <engine/random_tensors.hpp>
#include <support/catch.hpp>

namespace bands_test {

using namespace mote;

Tensor<f32> random(const Shape& shape, Random& from) {
    Tensor<f32> tensor(shape);
    for (float& x : tensor.values()) x = from.uniform() - 0.5f;
    return tensor;
}
Tensor<i8> random_bytes(const Shape& shape, Random& from) {
    Tensor<i8> tensor(shape);
    for (std::int8_t& x : tensor.values()) x = static_cast<std::int8_t>(static_cast<int>(from.below(255)) - 127);
    tensor.set_quantization(Quantization(std::vector<float>(shape[0], 0.005f), 0));
    return tensor;
}

/// Inverted residuals: expand, depthwise (5 x 5, or 3 x 3 at stride 2 and dilated), project, the first with a residual.
Model<f32> blocks(std::size_t height, std::size_t width) {
    Random from(3);
    ModelBuilder<f32> b;
    const auto x = b.input("x", {1, height, width, 8});
    auto y = b.add(Relu6{}, b.add(Conv2d<f32>{.weight = random({40, 1, 1, 8}, from), .bias = random({40}, from)}, x));
    y = b.add(Relu6{}, b.add(DepthwiseConv2d<f32>{.weight = random({40, 5, 5, 1}, from), .padding = {2, 2, 2, 2}}, y));
    y = b.add(Add{}, {b.add(Conv2d<f32>{.weight = random({8, 1, 1, 40}, from), .bias = random({8}, from)}, y), x});
    y = b.add(Relu{}, b.add(Conv2d<f32>{.weight = random({48, 1, 1, 8}, from)}, y));
    y = b.add(DepthwiseConv2d<f32>{.weight = random({48, 3, 3, 1}, from), .stride = {2, 2}, .padding = {0, 1, 0, 1}}, y);
    y = b.add(Conv2d<f32>{.weight = random({16, 1, 1, 48}, from)}, y);
    b.output("y", y);
    return b.build();
}
/// The same in int8, of one block.
Model<i8> bytes_block(std::size_t height, std::size_t width) {
    Random from(4);
    const auto of = [](float scale, std::int32_t zero_point) {
        return NodeOptions{.quantization = QuantizationParams{scale, zero_point}};
    };
    ModelBuilder<i8> b;
    const auto x = b.input("x", {1, height, width, 16}, Element::i8, QuantizationParams{0.02f, 3});
    auto y = b.add(Conv2d<i8>{.weight = random_bytes({64, 1, 1, 16}, from)}, x, of(0.03f, -5));
    y = b.add(DepthwiseConv2d<i8>{.weight = random_bytes({64, 3, 3, 1}, from), .padding = {1, 1, 1, 1}}, y, of(0.05f, 7));
    y = b.add(Conv2d<i8>{.weight = random_bytes({16, 1, 1, 64}, from)}, y, of(0.1f, 1));
    b.output("y", b.add(Add{}, {y, x}, of(0.1f, 0)));
    return b.build();
}

template <class M>
std::vector<std::byte> run(const M& model, const EngineOptions& options) {
    Engine engine(model, options);
    random_model::fill_inputs(engine, 5);
    engine.run();
    const auto y = engine.output_bytes(0);
    return {y.begin(), y.end()};
}

template <class M>
void check(const M& model, std::size_t steps) {
    const Plan p = plan(model);
    if (p.kernels().divides) {
        CHECK(p.steps().size() == steps);
        REQUIRE(get_if<BandsStep>(p.steps()[0]) != nullptr);
        CHECK(get_if<BandsStep>(p.steps()[0])->kernels.size() >= 3);
        CHECK(p.arena_bytes() < plan(model, {.fuse = false}).arena_bytes());
    }
    const auto whole = run(model, {.plan = {.keep_values = true}});
    for (const std::size_t threads : {1u, 2u, 3u}) CHECK(run(model, {.plan = {.threads = threads}}) == whole);
}

}  // namespace bands_test

using namespace bands_test;

TEST_CASE(
    "bands: inverted residuals of large images are joined where values are large, with the bits of their layers, for any "
    "threads") {
    for (const auto& [height, width] : {std::pair{64u, 61u}, std::pair{75u, 57u}, std::pair{50u, 82u}}) {
        CAPTURE(height, width);
        check(blocks(height, width), 3);
    }
}

TEST_CASE("bands: of bytes too") {
    check(bytes_block(97, 93), 1);
    check(bytes_block(128, 90), 1);
}

TEST_CASE("bands: small images, values that are seen elsewhere and batches stay steps of their own") {
    CHECK(plan(blocks(32, 32)).steps().size() == 6);
    CHECK(get_if<BandsStep>(plan(blocks(32, 32)).steps()[0]) == nullptr);
    Random from(5);
    for (const std::size_t batch : {1u, 2u}) {
        ModelBuilder<f32> b;
        const auto x = b.input("x", {batch, 64, 64, 8});
        const auto y = b.add(Conv2d<f32>{.weight = random({40, 1, 1, 8}, from)}, x);
        b.output("z", b.add(Conv2d<f32>{.weight = random({8, 1, 1, 40}, from)}, y));
        if (batch == 1) b.output("y", y);
        CHECK(plan(b.build()).steps().size() == 2);
    }
}
