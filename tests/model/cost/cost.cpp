// SPDX-License-Identifier: MIT
// cost: MACs, parameters and bytes, against published figures.

#include <mote/model/cost/cost.hpp>

#include <model/make.hpp>
#include <support/catch.hpp>

#include <cmath>

namespace cost_test {

using namespace mote;
using namespace model_make;

/// MobileNet v1 (Howard et al. 2017, table 1), without its activations, which cost no MACs.
Model<f32> mobilenet(double width, std::size_t resolution) {
    ModelBuilder<f32> b;
    auto wide = [width](int channels) { return static_cast<std::size_t>(std::lround(width * channels)); };
    auto same = [&](auto layer, auto x, std::size_t stride) {
        layer.stride = {stride, stride};
        layer.padding = same_padding({b.shape(x)[1], b.shape(x)[2]}, {3, 3}, layer.stride);
        return b.add(layer, x);
    };
    auto x = same(conv(wide(32), 3, 3), b.input("image", {1, resolution, resolution, 3}), 2);
    const int out[] = {64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024};
    const std::size_t stride[] = {1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1};
    for (std::size_t i = 0; i < 13; ++i) {
        const std::size_t channels = b.channels(x);
        x = same(DepthwiseConv2d<f32>{Tensor<f32>(Shape{channels, 3, 3, 1}), Tensor<f32>(Shape{channels})}, x, stride[i]);
        x = b.add(conv(wide(out[i]), 1, channels), x);
    }
    x = b.add(Flatten{}, b.add(GlobalAveragePool{}, x));
    b.output("scores", b.add(dense(1000, b.channels(x)), x));
    return b.build();
}

/// What MobileNet's authors print: millions, rounded.
void check_mobilenet(double width, std::size_t resolution, double published_macs, double published_parameters) {
    CAPTURE(width, resolution);
    const Cost cost = mobilenet(width, resolution).cost();
    CHECK(std::fabs(static_cast<double>(cost.macs) / 1e6 - published_macs) <= 1.0);
    CHECK(std::fabs(static_cast<double>(cost.parameters) / 1e6 - published_parameters) <= 0.05);
    CHECK(cost.weight_bytes == 4 * cost.parameters);
}

/// One layer's cost on these inputs.
template <class L>
Cost cost_of(L layer, const std::vector<Shape>& inputs) {
    return one(std::move(layer), inputs).cost();
}

}  // namespace cost_test

TEST_CASE("cost: MobileNet v1 has the mult-adds and parameters of its article (tables 6 and 7)") {
    using namespace cost_test;
    check_mobilenet(1.0, 224, 569, 4.2);
    check_mobilenet(1.0, 160, 290, 4.2);
    check_mobilenet(0.5, 224, 149, 1.3);
    check_mobilenet(0.25, 224, 41, 0.5);
}

TEST_CASE("cost: LeNet-5's first and last layers (LeCun et al. 1998, section II.B)") {
    using namespace cost_test;
    const Cost c1 = cost_of(conv(6, 5, 1), {{1, 32, 32, 1}});
    CHECK(c1.parameters == 156);
    CHECK(c1.macs + 28 * 28 * 6 == 122304);  // the article counts a connection for each bias
    const Cost c5 = cost_of(conv(120, 5, 16), {{1, 5, 5, 16}});
    CHECK(c5.parameters == 48120);
    CHECK(c5.macs + 120 == 48120);
    CHECK(cost_of(dense(84, 120), {{1, 120}}).parameters == 10164);
}

TEST_CASE("cost: groups, batches and BatchNorm") {
    using namespace cost_test;
    Conv2d<f32> grouped = conv(8, 3, 2);
    grouped.groups = 4;
    CHECK(cost_of(grouped, {{1, 5, 5, 8}}).macs == 3 * 3 * 8 * 9 * 2);
    CHECK(cost_of(grouped, {{7, 5, 5, 8}}).macs == 7 * 3 * 3 * 8 * 9 * 2);
    CHECK(cost_of(grouped, {{7, 5, 5, 8}}).parameters == 8 * 9 * 2 + 8);
    BatchNorm norm{Tensor<f32>(Shape{3}), Tensor<f32>(Shape{3}), Tensor<f32>(Shape{3}), Tensor<f32>(Shape{3})};
    CHECK(cost_of(norm, {{2, 5, 3}}) == Cost{30, 12, 48});
}

TEST_CASE("cost: a transposed convolution multiplies each input pixel by all weights of its group, whatever is cut off") {
    using namespace cost_test;
    TransposeConv2d<f32> layer{.weight = Tensor<f32>(Shape{6, 3, 2, 4}), .bias = Tensor<f32>(Shape{6}), .stride = {2, 3}};
    layer.groups = 2;
    CHECK(cost_of(layer, {{2, 5, 7, 8}}) == Cost{2 * 5 * 7 * 8 * 3 * 2 * 3, 6 * 3 * 2 * 4 + 6, 4 * (6 * 3 * 2 * 4 + 6)});
    layer.padding = {2, 1, 1, 0};
    CHECK(cost_of(layer, {{2, 5, 7, 8}}).macs == 2 * 5 * 7 * 8 * 3 * 2 * 3);
}

TEST_CASE("cost: int8 weights count a byte, their biases four; tables and movement cost nothing") {
    using namespace cost_test;
    const auto model = one(dense_i8(10, 64), {{1, 64}}, Element::i8, tenth, tenth);
    CHECK(model.cost() == Cost{640, 650, 680});
    const auto table = one(Sigmoid{Tensor<i8>(Shape{256})}, {{1, 64}}, Element::i8, tenth, tenth);
    CHECK(table.cost() == Cost{});
    CHECK(cost_of(Flatten{}, {{1, 2, 3}}) == Cost{});
    CHECK(cost_of(Add{}, {{1, 2}, {1, 2}}) == Cost{});
}

TEST_CASE("cost: the model's is the sum of its nodes'") {
    using namespace cost_test;
    const auto model = mobilenet(0.25, 32);
    Cost sum;
    for (std::size_t i = 0; i < model.nodes().size(); ++i) sum += model.cost(i);
    CHECK(sum == model.cost());
}
