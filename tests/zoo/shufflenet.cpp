// SPDX-License-Identifier: MIT
// ShuffleNets: published sizes.

#include <mote/zoo/shufflenet.hpp>

#include <zoo/figures.hpp>

TEST_CASE("shufflenet_v2: torchvision's parameters, and the paper's MACs, of all widths") {
    using namespace zoo_test;
    struct Row {
        double width;
        std::uint64_t parameters;
        double macs;  // Ma et al. 2018, table 8
    };
    for (const Row& row :
         {Row{0.5, 1'366'792, 41}, Row{1.0, 2'278'604, 146}, Row{1.5, 3'503'624, 299}, Row{2.0, 7'393'996, 591}}) {
        const Figures f = figures(mote::zoo::shufflenet_v2({.width = row.width}));
        CHECK(f.parameters == row.parameters);
        CHECK(millions(f.macs) == Approx(row.macs).epsilon(0.02));
    }
    check_output(mote::zoo::shufflenet_v2(), 1000);
    check_memory(mote::zoo::shufflenet_v2());
}

TEST_CASE("shufflenet_v2_cifar: 4x4 pixels reach the mean") {
    using namespace zoo_test;
    const auto model = mote::zoo::shufflenet_v2_cifar();
    CHECK(figures(model).parameters == 2'278'604 - 990 * 1025);  // shufflenet_v2 with 10 classes
    CHECK(millions(figures(model).macs) == Approx(45).epsilon(0.02));
    check_output(model, 10);
    for (const mote::Node& node : model.nodes()) {
        if (mote::get_if<mote::GlobalAveragePool>(model, node) == nullptr) continue;
        CHECK(model.value(node.inputs[0]).shape == mote::Shape{1, 4, 4, 1024});
    }
}

TEST_CASE("shufflenet_v2: a shuffle lays the two groups' channels by turns, and every unit has one") {
    const auto model = mote::zoo::shufflenet_v2_cifar({.width = 0.5});
    std::size_t shuffles = 0;
    for (const mote::Node& node : model.nodes()) {
        const auto* transpose = mote::get_if<mote::Transpose>(model, node);
        if (transpose == nullptr) continue;
        ++shuffles;
        const mote::Shape &in = model.value(node.inputs[0]).shape, &out = model.value(node.outputs[0]).shape;
        REQUIRE(in.rank() == 5);
        CHECK(in[3] == 2);
        CHECK(out[4] == 2);
        CHECK(transpose->order == std::vector<std::size_t>{0, 1, 2, 4, 3});
    }
    CHECK(shuffles == 4 + 8 + 4);
}

TEST_CASE("shufflenet_v2: classes, image and channels are free; nonsense and unpublished widths are refused") {
    using namespace zoo_test;
    check_output(mote::zoo::shufflenet_v2({.classes = 4, .image = {31, 64}, .channels = 1, .width = 0.5}), 4);
    check_refusals("shufflenet_v2", mote::zoo::shufflenet_v2);
    check_refusals("shufflenet_v2_cifar", mote::zoo::shufflenet_v2_cifar);
    CHECK_ERROR(mote::zoo::shufflenet_v2({.width = 0.75}), "shufflenet_v2: width is 0.75; 0.5, 1, 1.5 or 2 is accepted");
}
