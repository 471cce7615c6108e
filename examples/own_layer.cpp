// SPDX-License-Identifier: MIT
// An application's own layer: LayerScale (Touvron et al. 2021, "Going deeper with image transformers", section 3), a trained
// factor a channel. One struct and four functions, all outside mote; it trains, plans and runs like any other layer.

#include <mote/mote.hpp>
#include <mote/train/train.hpp>
#include <mote/zoo/initialize.hpp>

#include <cmath>
#include <cstdio>

namespace app {

/// y[..., c] = factor[c] * x[..., c]
struct LayerScale {
    mote::Tensor<mote::f32> factor{};  ///< [channels]

    static constexpr const char* kind = "LayerScale";
    static constexpr mote::Family family = mote::Family::elementwise;
    static constexpr auto fields = mote::list_fields(mote::Field{"factor", &LayerScale::factor, mote::Role::weight, 0});
};

/// Output values from input values; says what is wrong.
void infer(const LayerScale& layer, mote::InferContext& node) {
    node.expect_inputs(1);
    if (layer.factor.shape() != mote::Shape{node.input(0).shape.back()}) node.fail("factor needs one number a channel");
    node.output(node.input(0).shape, node.input(0).element);
}

/// What one run takes.
std::uint64_t cost(const LayerScale&, const mote::CostContext& node) {
    return node.output_elements();
}

/// The kernel call. Its output may be its input's memory.
struct ScaleStep {
    static constexpr const char* name = "layer_scale";
    std::size_t rows = 0;
    std::shared_ptr<const mote::Tensor<mote::f32>> factor{};

    void run(const mote::KernelTable&, std::byte* const* operands) const noexcept {
        const float* x = mote::operand<const float>(operands, 0);
        float* y = mote::operand<float>(operands, 1);
        const std::size_t channels = factor->elements();
        for (std::size_t i = 0; i < rows * channels; ++i) y[i] = x[i] * factor->values()[i % channels];
    }
};
void lower(const LayerScale& layer, mote::LowerContext& node) {
    const std::size_t rows = node.input().shape.elements() / layer.factor.elements();
    node.emit(ScaleStep{rows, node.share(layer.factor)}, {.in_place = {0}});
}

/// Gradients of the input and of the factor, for training.
void gradient(const LayerScale& layer, mote::GradientContext& node) {
    const float* x = node.input_data();
    const float* dy = node.output_gradient();
    const std::size_t count = node.input().shape.elements();
    const std::size_t channels = layer.factor.elements();
    const std::span<float> dfactor = node.parameter_gradient("factor");
    for (std::size_t i = 0; i < count; ++i) dfactor[i % channels] += dy[i] * x[i];
    if (!node.wants(0)) return;
    const std::span<float> dx = node.input_gradient(0);
    for (std::size_t i = 0; i < count; ++i) dx[i] += dy[i] * layer.factor[i % channels];
}

using Layers = mote::append<mote::standard_layers<mote::f32>, LayerScale>;

}  // namespace app

int main() {
    // Two rings of points: which one does a point belong to?
    mote::Tensor<mote::f32> points({400, 2});
    std::vector<std::int64_t> labels;
    mote::Random random(1, 0);
    for (std::size_t i = 0; i < 400; ++i) {
        const double angle = 6.283185307 * random.uniform();
        const double radius = (i % 2 == 0 ? 1.0 : 2.0) + 0.2 * random.normal();
        points[2 * i] = static_cast<float>(radius * std::cos(angle));
        points[2 * i + 1] = static_cast<float>(radius * std::sin(angle));
        labels.push_back(static_cast<std::int64_t>(i % 2));
    }
    const mote::TensorDataset data(points, labels);

    mote::BasicBuilder<app::Layers> b;
    const auto x = b.input("point", {1, 2});
    const auto hidden =
        b.add(mote::Tanh{},
              b.add(mote::Dense<mote::f32>{mote::Tensor<mote::f32>({16, 2}), mote::Tensor<mote::f32>(mote::Shape{16})}, x));
    const auto scaled = b.add(app::LayerScale{mote::Tensor<mote::f32>(mote::Shape{16})}, hidden);
    b.output("ring",
             b.add(mote::Dense<mote::f32>{mote::Tensor<mote::f32>({2, 16}), mote::Tensor<mote::f32>(mote::Shape{2})}, scaled));
    const auto trained = mote::train(mote::initialize(b.build(), {.seed = 1}), data,
                                     {.epochs = 60, .schedule = mote::Cosine{.rate = 2e-2f, .warm_up_epochs = 2}, .seed = 1});

    mote::print(trained);
    std::puts("");
    mote::print(mote::plan(trained));
    const double accuracy = mote::accuracy(trained, data);
    std::printf("\n%.1f %% of the points are put into their ring\n", 100 * accuracy);
    return accuracy > 0.95 ? 0 : 1;
}
