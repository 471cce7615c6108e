// SPDX-License-Identifier: MIT
// What steps compute and move: nothing is left out or counted twice, and shares follow from times and peaks.

#include <mote/report/roofline.hpp>

#include <mote/zoo/mobilenet.hpp>
#include <mote/zoo/resnet.hpp>
#include <mote/zoo/unet.hpp>

#include <model/make.hpp>
#include <support/catch.hpp>
#include <support/error_text.hpp>

namespace roofline_test {

using namespace mote;

template <class List>
std::uint64_t macs_of_steps(const BasicModel<List>& model) {
    std::uint64_t sum = 0;
    for (const RooflinePoint& point : roofline_points(model, plan(model))) sum += point.macs;
    return sum;
}

Model<f32, wide> transposed(std::size_t kernel, std::size_t stride) {
    ModelBuilder<f32, wide> b;
    TransposeConv2d<f32> layer{.weight = Tensor<f32>({6, kernel, kernel, 4}), .bias = Tensor<f32>(Shape{6})};
    layer.stride = {stride, stride};
    b.output("y", b.add(std::move(layer), b.input("x", {1, 5, 7, 4}), {.name = "up"}));
    return b.build();
}

}  // namespace roofline_test

TEST_CASE("roofline_points: the steps of a plan have all MACs of the model, each once") {
    using namespace roofline_test;
    for (const Model<f32>& model : {zoo::resnet8(), zoo::visual_wake_words()}) {
        CHECK(macs_of_steps(model) == model.cost().macs);
    }
    const auto unet = zoo::unet({.image = {16, 16}, .features = 4});
    CHECK(macs_of_steps(unet) == unet.cost().macs);
}

TEST_CASE("roofline_points: the MACs of a node of several steps are divided among those that hold its weights") {
    using namespace roofline_test;
    const auto model = transposed(3, 2);
    const auto points = roofline_points(model, plan(model));
    REQUIRE(points.size() == 8);  // four convolutions of phases, each with its placement
    std::uint64_t sum = 0;
    for (const RooflinePoint& point : points) {
        CHECK(point.name == "up");
        CHECK(point.kind == "TransposeConv2d");
        CHECK((point.macs > 0) == (point.kernel.find("move") == std::string::npos));
        sum += point.macs;
    }
    CHECK(sum == model.cost().macs);
}

TEST_CASE("roofline_points: bytes are those of inputs, the residual, outputs and packed constants, without scratch") {
    using namespace roofline_test;
    ModelBuilder<f32> b;
    const auto x = b.input("x", {1, 8, 8, 4});
    Conv2d<f32> conv = model_make::conv(4, 3, 4);
    conv.padding = uniform_padding(1);
    const auto y = b.add(std::move(conv), x, {.name = "conv"});
    b.output("y", b.add(Softmax{}, b.add(Add{}, {y, x}, {.name = "sum"}), {.name = "softmax"}));
    const auto model = b.build();
    const Plan p = plan(model);
    const auto points = roofline_points(model, p);
    REQUIRE(points.size() == 2);
    CHECK(points[0].name == "conv + sum");
    CHECK(points[0].kind == "Conv2d");
    CHECK(points[0].kernel == p.steps()[0].kernel);
    CHECK(points[0].macs == 8 * 8 * 4 * 4 * 9);
    CHECK(points[0].bytes == 3 * 8 * 8 * 4 * 4 + p.steps()[0].constant_bytes);
    CHECK(p.steps()[0].constant_bytes >= 4 * 4 * 9 * 4);
    CHECK(points[1].kind == "Softmax");
    CHECK(points[1].macs == 0);
    CHECK(points[1].bytes == 2 * 8 * 8 * 4 * 4);
    CHECK(points[0].element == Element::f32);
}

TEST_CASE("roofline_points: a step that packs nothing moves the weights as they are in its layer, and its states") {
    using namespace roofline_test;
    ModelBuilder<f32, wide> b;
    Svdf<f32> layer{.feature = Tensor<f32>({6, 5}), .time = Tensor<f32>({6, 8}), .bias = Tensor<f32>(Shape{6})};
    b.output("y", b.add(std::move(layer), b.input("x", {1, 5}), {.name = "svdf"}));
    const auto model = b.build();
    const auto points = roofline_points(model, plan(model));
    REQUIRE(points.size() == 1);
    REQUIRE(model.states(0).size() == 1);
    CHECK(points[0].bytes == 4 * (5 + 6 + 6 * 5 + 6 * 8 + 6) + model.states(0)[0].bytes());
    CHECK(points[0].macs == 6 * 5 + 6 * 8);
}

TEST_CASE("roofline_points: products of bytes are told from those of floats; the plan of another model is refused") {
    using namespace roofline_test;
    const auto bytes = model_make::one(model_make::dense_i8(3, 8), {{1, 8}}, Element::i8, model_make::tenth, model_make::tenth);
    const auto points = roofline_points(bytes, plan(bytes));
    REQUIRE(points.size() == 1);
    CHECK(points[0].element == Element::i8);
    CHECK(points[0].macs == 24);
    CHECK_ERROR(roofline_points(zoo::resnet8(), plan(bytes)), "node 'node'");
}

TEST_CASE("roofline: rates and shares follow from operations, bytes and times; a share is that of the products' own peak") {
    using namespace roofline_test;
    Roofline roofline{.roof = {1, 100.0, 400.0, {}}, .microseconds = 40.0};
    roofline.points.push_back({.name = "a", .macs = 500'000, .bytes = 100'000, .microseconds = 20.0});
    roofline.points.push_back({.name = "b", .element = Element::i8, .macs = 1'000'000, .bytes = 50'000, .microseconds = 10.0});
    roofline.points.push_back({.name = "c", .bytes = 1'000, .microseconds = 2.0});
    const auto& [a, b, c] = std::tie(roofline.points[0], roofline.points[1], roofline.points[2]);
    CHECK(a.gops() == Approx(50.0));
    CHECK(a.intensity() == Approx(10.0));
    CHECK(a.gigabytes_per_second() == Approx(5.0));
    CHECK(a.peak_share(roofline.roof) == Approx(0.5));
    CHECK(b.peak_share(roofline.roof) == Approx(0.5));
    CHECK(c.gops() == 0.0);
    CHECK(c.gigabytes_per_second() == Approx(0.5));
    CHECK(c.peak_share(roofline.roof) == 0.0);
    const RooflinePoint sum = roofline.sum();
    CHECK(sum.macs == 1'500'000);
    CHECK(sum.bytes == 151'000);
    CHECK(sum.microseconds == Approx(32.0));
    CHECK(roofline.whole().gops() == Approx(75.0));
    CHECK(roofline.peak_share(40.0) == Approx((10.0 + 5.0) / 40.0));
    CHECK(roofline.remarks().empty());
    CHECK(Roofline{.points = roofline.points}.peak_share(40.0) == 0.0);  // no peak is known
}

TEST_CASE("roofline: a share above the peak is explained where Winograd's algorithms run, and is a broken measure elsewhere") {
    using namespace roofline_test;
    Roofline roofline{.roof = {1, 100.0, 400.0, {}}};
    roofline.points.push_back({.name = "a", .transformed = true, .macs = 1'000'000, .bytes = 1, .microseconds = 10.0});
    REQUIRE(roofline.remarks().size() == 1);
    CHECK(roofline.remarks()[0].find("Winograd") != std::string::npos);
    roofline.points[0].transformed = false;
    REQUIRE(roofline.remarks().size() == 1);
    CHECK(roofline.remarks()[0].find("too low") != std::string::npos);
}
