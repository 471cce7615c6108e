// SPDX-License-Identifier: MIT
// initialize: spread by fan-in, neutral biases and norms, fixed by the seed.

#include <mote/zoo/initialize.hpp>

#include <support/catch.hpp>

namespace initialize_test {

mote::Model<mote::f32> network() {
    mote::ModelBuilder<mote::f32> b;
    auto x = b.input("x", {1, 8, 8, 16});
    x = b.add(mote::Conv2d<mote::f32>{.weight = mote::Tensor<mote::f32>({64, 3, 3, 16}),
                                      .bias = mote::Tensor<mote::f32>(mote::Shape{64}),
                                      .padding = mote::uniform_padding(1)},
              x, {.name = "conv"});
    x = b.add(mote::DepthwiseConv2d<mote::f32>{.weight = mote::Tensor<mote::f32>({64, 3, 3, 1})}, x, {.name = "depthwise"});
    mote::BatchNorm norm = mote::batch_norm(64);
    norm.scale[3] = norm.shift[3] = norm.mean[3] = norm.variance[3] = 5.0f;
    x = b.add(norm, x, {.name = "norm"});
    x = b.add(mote::Dense<mote::f32>{.weight = mote::Tensor<mote::f32>({100, 2304})}, b.add(mote::Flatten{}, x),
              {.name = "dense"});
    b.output(x);
    return b.build();
}

double variance(const mote::Tensor<mote::f32>& weight) {
    double sum = 0.0;
    for (const float w : weight.values()) sum += static_cast<double>(w) * static_cast<double>(w);
    return sum / static_cast<double>(weight.elements());
}

template <class L>
const L& layer(const mote::Model<mote::f32>& model, const char* name) {
    for (const mote::Node& node : model.nodes()) {
        if (node.name == name) return *mote::get_if<L>(model, node);
    }
    FAIL("no such node");
    std::abort();
}

}  // namespace initialize_test

TEST_CASE("initialize: weights have variance 2 / fan-in, biases are 0, BatchNorm is the identity") {
    using namespace initialize_test;
    const mote::Model<mote::f32> model = mote::initialize(network(), {.seed = 1});
    const auto& conv = layer<mote::Conv2d<mote::f32>>(model, "conv");
    // Four standard errors of a variance of n normal numbers: 4 * sqrt(2 / n).
    CHECK(variance(conv.weight) == Approx(2.0 / 144).epsilon(4 * std::sqrt(2.0 / 9216)));
    for (const float b : conv.bias.values()) CHECK(b == 0.0f);
    CHECK(variance(layer<mote::DepthwiseConv2d<mote::f32>>(model, "depthwise").weight) ==
          Approx(2.0 / 9).epsilon(4 * std::sqrt(2.0 / 576)));
    CHECK(variance(layer<mote::Dense<mote::f32>>(model, "dense").weight) ==
          Approx(2.0 / 2304).epsilon(4 * std::sqrt(2.0 / 230400)));
    const auto& norm = layer<mote::BatchNorm>(model, "norm");
    CHECK(mote::equal(norm, mote::batch_norm(64)));
}

TEST_CASE("initialize: the seed fixes the weights, and the argument does not change") {
    using namespace initialize_test;
    const mote::Model<mote::f32> empty = network();
    const mote::Model<mote::f32> one = mote::initialize(empty, {.seed = 1});
    CHECK(one == mote::initialize(empty, {.seed = 1}));
    CHECK_FALSE(one == mote::initialize(empty, {.seed = 2}));
    CHECK(empty == network());
}
