// SPDX-License-Identifier: MIT
// ModelBuilder: branches, names, shapes on the way, refusals that leave it as it was.

#include <mote/model/builder.hpp>

#include <model/make.hpp>
#include <support/catch.hpp>
#include <support/error_text.hpp>

namespace builder_test {

using namespace mote;
using namespace model_make;

Conv2d<f32> same_conv(std::size_t out, std::size_t in) {
    Conv2d<f32> layer = conv(out, 3, in);
    layer.padding = uniform_padding(1);
    return layer;
}

}  // namespace builder_test

TEST_CASE("builder: a residual network with two branches is as easy as a chain") {
    using namespace builder_test;
    ModelBuilder<f32> b;
    const auto x = b.input("image", {1, 8, 8, 3});
    const auto stem = b.add(same_conv(16, 3), x);
    const auto left = b.add(same_conv(16, 16), b.add(Relu{}, b.add(same_conv(16, 16), stem)));
    const auto right = b.add(conv(16, 1, 16), stem);
    const auto sum = b.add(Add{}, {left, right}, {.name = "sum"});
    b.output("features", b.add(Relu{}, sum));
    const Model<f32> model = b.build();
    REQUIRE(model.nodes().size() == 7);
    const Node& add = model.nodes()[5];
    CHECK(add.name == "sum");
    REQUIRE(add.inputs.size() == 2);
    CHECK(model.value(add.inputs[0]).shape == Shape{1, 8, 8, 16});
    std::size_t uses_of_stem = 0;
    for (const Node& node : model.nodes()) {
        for (const ValueId id : node.inputs) uses_of_stem += id == model.nodes()[0].outputs[0];
    }
    CHECK(uses_of_stem == 2);
    CHECK(model.value(model.outputs()[0]).name == "features");
    CHECK(model.value(model.inputs()[0]).name == "image");
}

TEST_CASE("builder: handles tell shape and channels while the model is made") {
    using namespace builder_test;
    ModelBuilder<f32> b;
    const auto x = b.input("image", {1, 8, 8, 3});
    const auto y = b.add(conv(5, 3, 3), x);
    CHECK(b.shape(x) == Shape{1, 8, 8, 3});
    CHECK(b.shape(y) == Shape{1, 6, 6, 5});
    CHECK(b.channels(y) == 5);
}

TEST_CASE("builder: names are made from kind and place where none is given, for node and value") {
    using namespace builder_test;
    ModelBuilder<f32> b;
    const auto x = b.input("image", {1, 8, 8, 3});
    b.output(b.add(Relu{}, b.add(conv(5, 3, 3), x)));
    const Model<f32> model = b.build();
    CHECK(model.nodes()[0].name == "conv2d_0");
    CHECK(model.nodes()[1].name == "relu_1");
    CHECK(model.value(model.nodes()[1].outputs[0]).name == "relu_1");
}

TEST_CASE("builder: a layer that does not fit names its node and leaves the builder as it was") {
    using namespace builder_test;
    ModelBuilder<f32> b;
    const auto x = b.input("image", {1, 8, 8, 3});
    CHECK_ERROR(b.add(conv(5, 3, 4), x, {.name = "wrong"}), "node 'wrong' (Conv2d)", "'image' [1x8x8x3]");
    const auto y = b.add(conv(5, 3, 3), x);
    b.output(y);
    const Model<f32> model = b.build();
    CHECK(model.nodes().size() == 1);
    CHECK(model.values().size() == 2);
}

TEST_CASE("builder: a handle that it did not make is refused by name") {
    using namespace builder_test;
    ModelBuilder<f32> other;
    auto foreign = other.input("a", {1, 2});
    foreign = other.input("b", {1, 2});
    ModelBuilder<f32> b;
    b.input("x", {1, 2});
    CHECK_ERROR(b.add(Relu{}, foreign, {.name = "node"}), "'node' (Relu)", "no value of this builder");
    CHECK_ERROR(b.output("y", foreign), "no value of this builder");
    CHECK_ERROR(b.output(foreign), "no value of this builder");
    CHECK_ERROR(b.shape(foreign), "no value of this builder");
}

TEST_CASE("builder: several inputs and outputs, of several elements; building goes on after a build") {
    using namespace builder_test;
    ModelBuilder<f32, i8> b;
    const auto real = b.input("real", {1, 4});
    const auto bytes = b.input("bytes", {1, 4}, Element::i8, tenth);
    const auto both = b.add(Add{}, {real, b.add(Convert{Element::f32}, bytes)});
    b.output("sum", both);
    const auto first = b.build();
    b.output("activated", b.add(Relu{}, both));
    const auto second = b.build();
    CHECK(first.outputs().size() == 1);
    CHECK(second.outputs().size() == 2);
    CHECK(second.inputs().size() == 2);
    CHECK(second.value(second.inputs()[1]) == Value{"bytes", {1, 4}, Element::i8, tenth});
    CHECK(first.nodes()[0].layer == second.nodes()[0].layer);
}
