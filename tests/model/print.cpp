// SPDX-License-Identifier: MIT
// A model as a table.

#include <mote/model/print.hpp>

#include <model/make.hpp>
#include <support/catch.hpp>

TEST_CASE("print: one line a node, sums below, figures to the right") {
    using namespace model_make;
    ModelBuilder<f32> b;
    const auto x = b.input("image", {2, 8, 8, 1});
    const auto y = b.add(GlobalAveragePool{}, b.add(Relu6{}, b.add(conv(12, 3, 1), x, {.name = "first"}), {.name = "clip"}));
    b.output("scores", b.add(dense(10, 12), b.add(Flatten{}, y)));
    CHECK(to_string(b.build()) ==
          "node                 layer              output    element  parameters  MACs  weight bytes\n"
          "image                input              2x8x8x1   f32               0     0             0\n"
          "first                Conv2d             2x6x6x12  f32             120  7776           480\n"
          "clip                 Relu6              2x6x6x12  f32               0     0             0\n"
          "globalaveragepool_2  GlobalAveragePool  2x1x1x12  f32               0     0             0\n"
          "flatten_3            Flatten            2x12      f32               0     0             0\n"
          "dense_4              Dense              2x10      f32             130   240           520\n"
          "sum                                                               250  8016          1000\n");
}

TEST_CASE("print: tables of any rows, ragged ones too") {
    CHECK(mote::to_table({}).empty());
    CHECK(mote::to_table({{"a", "12"}, {"long", "3", "x"}}) == "a     12\nlong   3  x\n");
    CHECK(mote::to_table({{}, {"a"}}) == "\na\n");
}

TEST_CASE("to_table: of cells longer than the widest start and end are shown") {
    const std::vector<std::vector<std::string>> rows{{"name", "n"}, {"a name of many letters", "1"}};
    CHECK(mote::to_table(rows, 10) == "name        n\na na..ters  1\n");
    CHECK(mote::to_table(rows) == "name                    n\na name of many letters  1\n");
}
