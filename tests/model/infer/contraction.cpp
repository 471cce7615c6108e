// SPDX-License-Identifier: MIT
// infer of Conv2d, DepthwiseConv2d, TransposeConv2d and Dense: shapes, refusals, and sums that stay inside int32.

#include <mote/core/random.hpp>
#include <mote/model/infer/contraction.hpp>

#include <model/make.hpp>
#include <support/catch.hpp>
#include <support/error_text.hpp>

#include <limits>

namespace infer_contraction_test {

using namespace mote;
using namespace model_make;

/// How many places a window has, found by sliding it.
std::size_t places(std::size_t extent, std::size_t before, std::size_t after, std::size_t kernel, std::size_t stride,
                   std::size_t dilation) {
    std::size_t count = 0;
    for (std::size_t at = 0; at + (kernel - 1) * dilation < before + extent + after; at += stride) ++count;
    return count;
}

AnyModel dense_model(Dense<i8> layer, Quantization in = tenth, Quantization out = tenth) {
    const std::size_t inner = layer.weight.shape()[1];
    return one(std::move(layer), {{1, inner}}, Element::i8, std::move(in), std::move(out));
}

}  // namespace infer_contraction_test

TEST_CASE("infer conv2d: output sizes of random windows equal a count of the window's places") {
    using namespace infer_contraction_test;
    Random random(5);
    std::size_t made = 0;
    for (int round = 0; round < 400; ++round) {
        const std::size_t batch = 1 + random.below(3), height = 1 + random.below(12), width = 1 + random.below(12);
        const std::size_t groups = 1 + random.below(3), in = groups * (1 + random.below(3)),
                          out = groups * (1 + random.below(3));
        const std::size_t kernel_height = 1 + random.below(5), kernel_width = 1 + random.below(5);
        const Size2d stride{1 + random.below(6), 1 + random.below(6)};
        const Size2d dilation{1 + random.below(3), 1 + random.below(3)};
        const Padding2d pad{random.below(4), random.below(4), random.below(4), random.below(4)};
        const Conv2d<f32> layer{.weight = Tensor<f32>(Shape{out, kernel_height, kernel_width, in / groups}),
                                .stride = stride,
                                .dilation = dilation,
                                .padding = pad,
                                .groups = groups};
        const Shape image{batch, height, width, in};
        const Shape expected{batch, places(height, pad.top, pad.bottom, kernel_height, stride.height, dilation.height),
                             places(width, pad.left, pad.right, kernel_width, stride.width, dilation.width), out};
        if (expected[1] == 0 || expected[2] == 0) {
            CHECK_ERROR(one(layer, {image}), "node 'node' (Conv2d)", "the window covers", "the padded image has only");
            continue;
        }
        ++made;
        REQUIRE(shape_of(layer, {image}) == expected);
        const std::size_t multiplier = 1 + random.below(3);
        const DepthwiseConv2d<f32> depthwise{.weight = Tensor<f32>(Shape{in * multiplier, kernel_height, kernel_width, 1}),
                                             .stride = stride,
                                             .dilation = dilation,
                                             .padding = pad,
                                             .multiplier = multiplier};
        REQUIRE(shape_of(depthwise, {image}) == Shape{batch, expected[1], expected[2], in * multiplier});
        const ConvGeometry g = geometry(layer, image, expected);
        REQUIRE(g.in_channels == static_cast<std::int32_t>(in));
        REQUIRE(g.out_height == static_cast<std::int32_t>(expected[1]));
        REQUIRE(g.kernel_width == static_cast<std::int32_t>(kernel_width));
        REQUIRE(g.stride_width == static_cast<std::int32_t>(stride.width));
        REQUIRE(g.dilation_height == static_cast<std::int32_t>(dilation.height));
        REQUIRE(g.pad_left == static_cast<std::int32_t>(pad.left));
        REQUIRE(g.groups == static_cast<std::int32_t>(groups));
        REQUIRE(geometry(depthwise, image, {batch, expected[1], expected[2], in * multiplier}).groups ==
                static_cast<std::int32_t>(in));
    }
    CHECK(made > 200);
}

TEST_CASE("infer transposed convolution: the shape from which the convolution of the same window makes its input's") {
    using namespace infer_contraction_test;
    Random random(6);
    for (int round = 0; round < 400; ++round) {
        const std::size_t groups = 1 + random.below(3), in = groups * (1 + random.below(3)),
                          out = groups * (1 + random.below(3));
        TransposeConv2d<f32> layer{.weight = Tensor<f32>(Shape{out, 1 + random.below(5), 1 + random.below(5), in / groups})};
        layer.stride = {1 + random.below(4), 1 + random.below(4)};
        layer.dilation = {1 + random.below(3), 1 + random.below(3)};
        layer.padding = {random.below(4), random.below(4), random.below(4), random.below(4)};
        layer.output_padding = {random.below(layer.stride.height), random.below(layer.stride.width)};
        layer.groups = groups;
        const Shape image{1 + random.below(3), 4 + random.below(12), 4 + random.below(12), in};
        const auto whole = [](std::size_t extent, std::size_t stride, std::size_t kernel, std::size_t dilation) {
            return (extent - 1) * stride + (kernel - 1) * dilation + 1;
        };
        const Padding2d& pad = layer.padding;
        const std::size_t height = whole(image[1], layer.stride.height, layer.weight.shape()[1], layer.dilation.height);
        const std::size_t width = whole(image[2], layer.stride.width, layer.weight.shape()[2], layer.dilation.width);
        if (height + layer.output_padding.height <= pad.top + pad.bottom ||
            width + layer.output_padding.width <= pad.left + pad.right) {
            CHECK_ERROR(one(layer, {image}), "node 'node' (TransposeConv2d)", "cuts off the whole output");
            continue;
        }
        const Shape made = shape_of(layer, {image});
        REQUIRE(made[3] == out);
        REQUIRE(made[1] == height + layer.output_padding.height - pad.top - pad.bottom);
        REQUIRE(places(made[1], pad.top, pad.bottom, layer.weight.shape()[1], layer.stride.height, layer.dilation.height) ==
                image[1]);
        REQUIRE(places(made[2], pad.left, pad.right, layer.weight.shape()[2], layer.stride.width, layer.dilation.width) ==
                image[2]);
        const ConvGeometry g = geometry(layer, image, made);  // of that convolution
        REQUIRE(g.in_height == static_cast<std::int32_t>(made[1]));
        REQUIRE(g.out_width == static_cast<std::int32_t>(image[2]));
        REQUIRE(g.in_channels == static_cast<std::int32_t>(out));
    }
    TransposeConv2d<f32> bad{.weight = Tensor<f32>(Shape{4, 3, 3, 2})};
    CHECK_ERROR(one(bad, {{1, 5, 5, 3}}), "'node'", "needs 3");
    bad.stride = {0, 1};
    CHECK_ERROR(one(bad, {{1, 5, 5, 2}}), "'node'", "height", "stride 0", "at least 1");
    bad.stride = {1, std::size_t{1} << 40};
    CHECK_ERROR(one(bad, {{1, 5, 5, 2}}), "'node'", "width", "32-bit");
    bad.stride = {1, 1};
    bad.output_padding = {~std::size_t{0}, 0};
    CHECK_ERROR(one(bad, {{1, 5, 5, 2}}), "'node'", "height", "32-bit");
    TransposeConv2d<i8> bytes{.weight = Tensor<i8>(Shape{4, 3, 3, 2})};
    bytes.weight.set_quantization(QuantizationParams{0.1f, 1});
    CHECK_ERROR(one(bytes, {{1, 5, 5, 2}}, Element::i8, tenth, tenth), "'node'", "symmetric");
}

TEST_CASE("infer conv2d: published shapes") {
    using namespace infer_contraction_test;
    Conv2d<f32> stem = conv(64, 7, 3);  // ResNet's first (He et al. 2015, table 1): 224 -> 112
    stem.stride = {2, 2};
    stem.padding = uniform_padding(3);
    CHECK(shape_of(stem, {{1, 224, 224, 3}}) == Shape{1, 112, 112, 64});
    Conv2d<f32> lenet = conv(6, 5, 1);  // LeNet-5's C1: 32 -> 28
    CHECK(shape_of(lenet, {{1, 32, 32, 1}}) == Shape{1, 28, 28, 6});
}

TEST_CASE("infer dense: the last axis is replaced, whatever stands before it; the geometry's batch is all of that") {
    using namespace infer_contraction_test;
    CHECK(shape_of(dense(5, 3), {{2, 3}}) == Shape{2, 5});
    CHECK(shape_of(dense(5, 3), {{2, 4, 7, 3}}) == Shape{2, 4, 7, 5});
    const ConvGeometry g = geometry(dense(5, 3), Shape{2, 4, 7, 3}, Shape{2, 4, 7, 5});
    CHECK(g.batch == 56);
    CHECK(g.in_channels == 3);
    CHECK(g.out_channels == 5);
}

TEST_CASE("infer contraction: ill-fitting parameters are refused by name") {
    using namespace infer_contraction_test;
    CHECK_ERROR(one(conv(4, 3, 2), {{1, 8, 8, 3}}), "'node' (Conv2d)", "2 input channels", "needs 3");
    CHECK_ERROR(one(conv(4, 3, 3), {{1, 8, 3}}), "'node'", "'x0' [1x8x3]", "rank 3", "[batch, height, width, channels]");
    CHECK_ERROR(one(dense(4, 3), {{1, 5}}), "'node' (Dense)", "takes 3 inputs", "has 5");
    CHECK_ERROR(one(dense(4, 3), {{3}}), "'node' (Dense)", "rank 1", "[batch, ..., in]");
    CHECK_ERROR(one(dense(4, 3), {{1, 3}, {1, 3}}), "'node'", "1 inputs expected", "2 given");
    CHECK_ERROR(one(dense(4, 3), {}), "'node'", "1 inputs expected", "0 given");
    Dense<f32> layer = dense(4, 3);
    layer.bias = Tensor<f32>(Shape{3});
    CHECK_ERROR(one(layer, {{1, 3}}), "'node'", "bias [3]", "expected [4], or none");
    layer.bias = Tensor<f32>(Shape{4, 1});
    CHECK_ERROR(one(layer, {{1, 3}}), "bias [4x1]");
    layer.weight = Tensor<f32>(Shape{12});
    CHECK_ERROR(one(layer, {{1, 3}}), "weight [12]", "rank 1", "[out, in]");
    CHECK_ERROR(one(Dense<f32>{}, {{1, 3}}), "'node'", "weight [0]");
    CHECK_ERROR(one(dense(4, 3), {{1, 3}}, Element::i8, tenth), "'x0' [1x3] i8", "f32 expected");
    CHECK_ERROR(one(dense_i8(4, 3), {{1, 3}}), "'x0' [1x3] f32", "i8 expected");
    Conv2d<f32> grouped = conv(4, 3, 1);
    grouped.groups = 3;
    CHECK_ERROR(one(grouped, {{1, 8, 8, 3}}), "3 groups do not divide 3 input and 4 output channels");
    grouped.groups = 0;
    CHECK_ERROR(one(grouped, {{1, 8, 8, 3}}), "0 groups");
    DepthwiseConv2d<f32> depthwise{.weight = Tensor<f32>(Shape{6, 3, 3, 1})};
    CHECK_ERROR(one(depthwise, {{1, 8, 8, 3}}), "'node' (DepthwiseConv2d)", "multiplier 1", "[3 * multiplier");
    depthwise.multiplier = 0;
    CHECK_ERROR(one(depthwise, {{1, 8, 8, 3}}), "multiplier 0");
    depthwise.multiplier = 4;
    CHECK_ERROR(one(depthwise, {{1, 8, 8, 1}}), "multiplier 4");
}

TEST_CASE("infer contraction: zero-sized channels, kernels, strides and images are refused by name") {
    using namespace infer_contraction_test;
    CHECK_ERROR(one(conv(0, 3, 3), {{1, 8, 8, 3}}), "'node'", "weight [0x3x3x3]", "at least 1");
    CHECK_ERROR(one(conv(4, 0, 3), {{1, 8, 8, 3}}), "'node'", "empty axis");
    CHECK_ERROR(one(conv(4, 3, 0), {{1, 8, 8, 3}}), "'node'", "empty axis");
    CHECK_ERROR(one(conv(4, 3, 3), {{1, 0, 8, 3}}), "'x0' [1x0x8x3]", "empty axis");
    CHECK_ERROR(one(conv(4, 3, 3), {{0, 8, 8, 3}}), "'x0' [0x8x8x3]", "empty axis");
    CHECK_ERROR(one(dense(0, 3), {{1, 3}}), "'node'", "empty axis");
    Conv2d<f32> layer = conv(4, 3, 3);
    layer.stride = {0, 1};
    CHECK_ERROR(one(layer, {{1, 8, 8, 3}}), "'node'", "height", "stride 0", "at least 1");
    layer.stride = {};
    layer.dilation = {1, 0};
    CHECK_ERROR(one(layer, {{1, 8, 8, 3}}), "width", "dilation 0");
}

TEST_CASE("infer contraction: absurd strides, paddings and dilations are refused, without overflow") {
    using namespace infer_contraction_test;
    const std::size_t huge = ~std::size_t{0};
    Conv2d<f32> layer = conv(4, 3, 3);
    layer.padding = {huge, huge, 0, 0};
    CHECK_ERROR(one(layer, {{1, 8, 8, 3}}), "'node'", "height", "32-bit");
    layer.padding = {};
    layer.dilation = {1, huge / 2 + 1};
    CHECK_ERROR(one(layer, {{1, 8, 8, 3}}), "'node'", "width", "32-bit");
    layer.dilation = {};
    layer.stride = {huge, 1};
    CHECK_ERROR(one(layer, {{1, 8, 8, 3}}), "'node'", "height", "32-bit");
    CHECK_ERROR(one(conv(4, 3, 3), {{1, std::size_t{1} << 40, std::size_t{1} << 40, 3}}), "'node'", "1099511627776", "32-bit");
}

TEST_CASE("infer int8: a sum is allowed up to the last K and bias that int32 holds, and no further") {
    using namespace infer_contraction_test;
    // 255 * 127 * 66311 = 2,147,481,735 leaves 1,912 for the bias below 2^31; 66312 products are too many
    const std::size_t most = ((std::size_t{1} << 31) - 1) / (255 * 127);
    CHECK(most == 66311);
    CHECK(dense_model(dense_i8(1, most)).nodes().size() == 1);
    CHECK_ERROR(dense_model(dense_i8(1, most + 1)), "'node' (Dense)", "66312 products", "overflow int32", "2^31");
    Dense<i8> layer = dense_i8(2, most);
    layer.bias[1] = 1912;
    CHECK(dense_model(layer).nodes().size() == 1);
    layer.bias[1] = -1912;
    CHECK(dense_model(layer).nodes().size() == 1);
    layer.bias[1] = 1913;
    CHECK_ERROR(dense_model(layer), "'node'", "bias of up to 1913");
    layer.bias[1] = -1913;
    CHECK_ERROR(dense_model(layer), "'node'", "bias of up to 1913");
    layer = dense_i8(1, 1);
    layer.bias[0] = std::numeric_limits<std::int32_t>::min();
    CHECK_ERROR(dense_model(layer), "overflow int32");
    layer.bias[0] = std::numeric_limits<std::int32_t>::max() - 255 * 127;
    CHECK(dense_model(layer).nodes().size() == 1);
    // a convolution's K is kernel area * in / groups
    Conv2d<i8> wide{.weight = Tensor<i8>(Shape{1, 3, 3, 7368})};
    wide.weight.set_quantization(QuantizationParams{0.1f, 0});
    CHECK_ERROR(one(wide, {{1, 3, 3, 7368}}, Element::i8, tenth, tenth), "66312 products");
}

TEST_CASE("infer int8: multipliers that are zero, infinite or denormal are refused, naming channel and scale") {
    using namespace infer_contraction_test;
    CHECK_ERROR(dense_model(dense_i8(1, 1, 0.0f)), "'node'", "channel 0", "weight scale 0", "finite, positive, normal");
    CHECK_ERROR(dense_model(dense_i8(1, 1, std::numeric_limits<float>::infinity())), "weight scale inf");
    CHECK_ERROR(dense_model(dense_i8(1, 1, std::numeric_limits<float>::quiet_NaN())), "weight scale nan");
    CHECK_ERROR(dense_model(dense_i8(1, 1, -0.5f)), "weight scale -0.5");
    CHECK_ERROR(dense_model(dense_i8(1, 1, 1e-40f)), "weight scale 9.999946e-41");
    // usable scales whose product is not
    CHECK_ERROR(dense_model(dense_i8(1, 1, 1e-30f), QuantizationParams{1e-30f, 0}, QuantizationParams{1.0f, 0}),
                "the multiplier 0");
    CHECK_ERROR(dense_model(dense_i8(1, 1, 1e-20f), QuantizationParams{1e-20f, 0}, QuantizationParams{1.0f, 0}),
                "the multiplier", "normal");
    CHECK_ERROR(dense_model(dense_i8(1, 1, 1e30f), QuantizationParams{1e30f, 0}, QuantizationParams{1.0f, 0}),
                "the multiplier inf");
    Dense<i8> layer = dense_i8(3, 1);
    layer.weight.set_quantization(Quantization({0.5f, 0.25f, 0.0f}, 0));
    CHECK_ERROR(dense_model(layer), "channel 2", "weight scale 0");
}

TEST_CASE("infer int8: weights are symmetric in [-127, 127] with one scale, or one an output channel") {
    using namespace infer_contraction_test;
    Dense<i8> layer = dense_i8(3, 2);
    layer.weight.set_quantization(Quantization({0.5f, 0.25f, 1.0f}, 0));
    CHECK(dense_model(layer).nodes().size() == 1);
    layer.weight.set_quantization({});
    CHECK_ERROR(dense_model(layer), "'node'", "0 scales", "expected 1, or 3 along axis 0");
    layer.weight.set_quantization(Quantization({0.5f, 0.25f}, 0));
    CHECK_ERROR(dense_model(layer), "2 scales along axis 0");
    layer.weight.set_quantization(Quantization({0.5f, 0.25f, 1.0f}, 1));
    CHECK_ERROR(dense_model(layer), "3 scales along axis 1");
    layer.weight.set_quantization(QuantizationParams{0.5f, 1});
    CHECK_ERROR(dense_model(layer), "'node'", "symmetric", "zero point");
    Quantization lacking({0.5f, 0.25f, 1.0f}, 0);
    lacking.zero_point.pop_back();
    layer.weight.set_quantization(lacking);
    CHECK_ERROR(dense_model(layer), "'node'", "scales");
    layer = dense_i8(3, 2);
    layer.weight[5] = -128;
    CHECK_ERROR(dense_model(layer), "'node'", "[-127, 127]", "-128");
    CHECK_ERROR(dense_model(dense_i8(1, 1), {}), "'x0' [1x1] i8", "no quantization");
    CHECK_ERROR(dense_model(dense_i8(1, 1), tenth, {}), "'node'", "the output has no quantization");
}

TEST_CASE("infer int8: the output has the requested quantization") {
    using namespace infer_contraction_test;
    const auto model = dense_model(dense_i8(3, 2), tenth, QuantizationParams{0.7f, -5});
    const Value& out = model.value(model.outputs()[0]);
    CHECK(out.element == Element::i8);
    CHECK(out.quantization == Quantization(QuantizationParams{0.7f, -5}));
}

TEST_CASE("infer matmul: matrices fit, the axes before them broadcast; the products' places; refusals by name") {
    using namespace mote;
    using namespace model_make;
    CHECK(shape_of(MatMul{}, {{3, 4}, {4, 5}}) == Shape{3, 5});
    CHECK(shape_of(MatMul{true, true}, {{2, 1, 4, 3}, {6, 5, 4}}) == Shape{2, 6, 3, 5});
    CHECK_ERROR(one(MatMul{}, {{3, 4}, {5, 4}}), "'node' (MatMul)", "'x0' [3x4]", "matrices");
    CHECK_ERROR(one(MatMul{}, {Shape{4}, {4, 5}}), "'node' (MatMul)", "matrices");
    CHECK_ERROR(one(MatMul{}, {{2, 3, 4}, {3, 4, 5}}), "'node' (MatMul)", "axes before them");
    CHECK_ERROR(one(MatMul{}, {{3, 4}, {4, 5}}, Element::i8, tenth), "'node' (MatMul)", "without quantization");
    CHECK_ERROR(one(MatMul{}, {{3, 0}, {0, 5}}), "empty axis");
    CHECK(one(MatMul{false, true}, {{2, 3, 4}, {5, 4}}).cost().macs == 2 * 3 * 5 * 4);
}
