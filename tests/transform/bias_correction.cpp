// SPDX-License-Identifier: MIT
// correct_bias: outputs lose the shift that rounded weights give them.

#include <mote/transform/bias_correction.hpp>
#include <mote/transform/quantize.hpp>

#include <support/catch.hpp>
#include <transform/networks.hpp>

namespace bias_correction_test {

using namespace mote;

/// By channel, how far the mean of the int8 outputs is from that of the real ones.
template <class A, class B>
double mean_shift(const BasicModel<A>& real, const BasicModel<B>& light, const Tensor<f32>& samples) {
    Engine one(real), two(light);
    Tensor<f32> sample(one.input_value().shape);
    std::vector<double> shift(one.output_value().shape.back(), 0.0);
    for (std::size_t i = 0; i < samples.shape()[0]; ++i) {
        std::copy_n(&samples.values()[i * sample.elements()], sample.elements(), sample.data());
        const Tensor<f32> a = evaluate(one, sample), b = evaluate(two, sample);
        for (std::size_t k = 0; k < a.elements(); ++k) shift[k % shift.size()] += static_cast<double>(a[k] - b[k]);
    }
    double sum = 0.0;
    for (const double x : shift) sum += std::fabs(x) / static_cast<double>(samples.elements() / sample.elements());
    return sum;
}

/// A layer of each kind whose weights, but for one large one a channel, lie 0.4 steps above what int8 has.
template <class L>
L biased(L layer) {
    const std::size_t inner = layer.weight.elements() / layer.weight.shape()[0];
    for (std::size_t i = 0; i < layer.weight.elements(); ++i) {
        layer.weight[i] = i % inner == 0 ? 1.27f : 0.01f * (static_cast<float>(i % 7) + 0.4f);
    }
    return layer;
}

TEST_CASE("correct_bias: what rounding adds to each layer on average goes, with groups, multipliers and without bias") {
    Random random(1);
    const auto of = [](auto layer, const Shape& shape) {
        ModelBuilder<f32, wide> b;
        b.output("y", b.add(biased(layer), b.input("x", shape), {.name = "layer"}));
        return b.build();
    };
    Conv2d<f32> without_bias = networks::conv(random, 4, 3, 1);
    without_bias.bias = {};
    for (const Model<f32, wide>& model :
         {of(networks::dense(random, 24, 5), {1, 24}), of(networks::conv(random, 6, 4, 1, 2), {1, 3, 4, 6}),
          of(without_bias, {1, 3, 3, 4}),
          of(DepthwiseConv2d<f32>{Tensor<f32>({6, 2, 2, 1}), {}, {}, {}, {}, 2}, {1, 4, 4, 3})}) {
        const Shape& shape = model.value(model.inputs()[0]).shape;
        Tensor<f32> samples = networks::samples(2, {64, shape.elements()});
        for (std::size_t i = 0; i < samples.elements(); ++i) samples[i] = 0.2f * samples[i] + static_cast<float>(i % 3);
        const Model<i8, wide> light = quantize<i8, wide>(model, samples, {.f32_inputs = false});
        const Model<i8, wide> corrected = correct_bias(model, light, samples);
        const double before = mean_shift(model, light, samples), after = mean_shift(model, corrected, samples);
        CAPTURE(to_string(shape), before, after);
        CHECK(after < 0.35 * before);  // what is left is the rounding of inputs, outputs and the bias itself
    }
}

TEST_CASE("correct_bias: models that have nothing in common are an error") {
    const Tensor<f32> images = networks::samples(3, {4, 6, 6, 2});
    const Model<i8, wide> light = quantize<i8, wide>(networks::plain(1), images);
    ModelBuilder<f32, wide> b;
    b.output("y", b.add(Relu{}, b.input("image", {1, 6, 6, 2})));
    CHECK_THROWS_WITH(correct_bias(b.build(), light, images), Catch::Contains("of one name"));
}

TEST_CASE("correct_bias: a model whose layers all stayed in f32 stays as it is") {
    const Tensor<f32> images = networks::samples(3, {4, 6, 6, 2});
    const auto real = networks::plain(1);
    const auto light = quantize<f32, i8, wide>(real, images, {.least_sqnr = 300.0});
    CHECK(correct_bias(real, light, images) == light);
}

}  // namespace bias_correction_test
