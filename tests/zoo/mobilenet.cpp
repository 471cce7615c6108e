// SPDX-License-Identifier: MIT
// MobileNets: published sizes at several widths.

#include <mote/zoo/mobilenet.hpp>

#include <zoo/figures.hpp>

TEST_CASE("mobilenet_v1: Keras' parameters and the paper's MACs") {
    using namespace zoo_test;
    const mote::Model<mote::f32> model = mote::zoo::mobilenet_v1();
    CHECK(figures(model).parameters == 4'231'976);
    CHECK(millions(figures(model).macs) == Approx(569).epsilon(0.001));
    check_output(model, 1000);
}

TEST_CASE("mobilenet_v1: the paper's MACs of smaller widths") {
    using namespace zoo_test;
    struct Row {
        double width, parameters, macs;  // Howard et al. 2017, table 6
    };
    for (const Row& row : {Row{0.75, 2.6, 325}, Row{0.5, 1.3, 149}, Row{0.25, 0.5, 41}}) {
        const Figures f = figures(mote::zoo::mobilenet_v1({.width = row.width}));
        CHECK(millions(f.parameters) == Approx(row.parameters).margin(0.05));
        CHECK(millions(f.macs) == Approx(row.macs).margin(0.5));
    }
}

TEST_CASE("visual_wake_words: the parameters and MACs of MLPerf Tiny's reference model") {
    using namespace zoo_test;
    const mote::Model<mote::f32> model = mote::zoo::visual_wake_words();
    const Figures f = figures(model);
    CHECK(f.parameters + f.statistics + f.normed == 221'794);  // Keras' total, with the biases that BatchNorm cancels
    CHECK(f.macs == 7'489'664);
    check_output(model, 2);
    check_memory(model);
}

TEST_CASE("mobilenet_v2: torchvision's parameters, and the published MACs of five widths") {
    using namespace zoo_test;
    const mote::Model<mote::f32> model = mote::zoo::mobilenet_v2();
    CHECK(figures(model).parameters == 3'504'872);
    check_memory(model);
    check_output(model, 1000);
    struct Row {
        double width, parameters, macs;  // the authors' list of checkpoints, which leaves BatchNorm out
    };
    for (const Row& row :
         {Row{1.4, 6.06, 582}, Row{1.0, 3.47, 300}, Row{0.75, 2.61, 209}, Row{0.5, 1.95, 97}, Row{0.35, 1.66, 59}}) {
        const Figures f = figures(mote::zoo::mobilenet_v2({.width = row.width}));
        CHECK(millions(f.parameters - 2 * f.normed) == Approx(row.parameters).margin(0.01));
        CHECK(millions(f.macs) == Approx(row.macs).margin(1.0));
    }
}

TEST_CASE("mobilenet_v2_cifar: 4x4 pixels reach the mean") {
    using namespace zoo_test;
    const mote::Model<mote::f32> model = mote::zoo::mobilenet_v2_cifar();
    CHECK(figures(model).parameters == 3'504'872 - 990 * 1281);  // mobilenet_v2 with 10 classes
    CHECK(millions(figures(model).macs) == Approx(88).epsilon(0.005));
    check_output(model, 10);
    for (const mote::Node& node : model.nodes()) {
        if (mote::get_if<mote::GlobalAveragePool>(model, node) == nullptr) continue;
        CHECK(model.value(node.inputs[0]).shape == mote::Shape{1, 4, 4, 1280});
    }
}

TEST_CASE("mobilenet_v3: torchvision's parameters and MACs") {
    using namespace zoo_test;
    const mote::Model<mote::f32> small = mote::zoo::mobilenet_v3_small();
    CHECK(figures(small).parameters == 2'542'856);
    CHECK(millions(figures(small).macs) == Approx(56.5).epsilon(0.002));
    check_output(small, 1000);
    const mote::Model<mote::f32> large = mote::zoo::mobilenet_v3_large();
    CHECK(figures(large).parameters == 5'483'032);
    CHECK(millions(figures(large).macs) == Approx(217).epsilon(0.005));
    check_output(large, 1000);
}

TEST_CASE("mobilenet: classes, image, channels and width are free, and channels stay multiples of 8") {
    using namespace zoo_test;
    const mote::Model<mote::f32> models[] = {
        mote::zoo::mobilenet_v1({.classes = 3, .image = {33, 40}, .channels = 1, .width = 0.3}),
        mote::zoo::mobilenet_v2({.classes = 3, .image = {33, 40}, .channels = 1, .width = 0.1}),
        mote::zoo::mobilenet_v2_cifar({.classes = 3, .image = {33, 40}, .channels = 1, .width = 0.45}),
        mote::zoo::mobilenet_v3_small({.classes = 3, .image = {33, 40}, .channels = 1, .width = 0.35}),
        mote::zoo::mobilenet_v3_large({.classes = 3, .image = {1, 1}, .channels = 1, .width = 0.55}),
        mote::zoo::visual_wake_words({.classes = 3, .image = {33, 40}, .channels = 1})};
    for (const mote::Model<mote::f32>& model : models) {
        check_output(model, 3);
        for (const mote::Node& node : model.nodes()) {
            if (mote::get_if<mote::Conv2d<mote::f32>>(model, node) == nullptr) continue;
            CHECK(model.value(node.outputs[0]).shape.back() % 8 == 0);
        }
    }
}

TEST_CASE("mobilenet: options of no meaning are refused by name") {
    using namespace zoo_test;
    check_refusals("mobilenet_v1", mote::zoo::mobilenet_v1);
    check_refusals("mobilenet_v2", mote::zoo::mobilenet_v2);
    check_refusals("mobilenet_v2_cifar", mote::zoo::mobilenet_v2_cifar);
    check_refusals("mobilenet_v3_small", mote::zoo::mobilenet_v3_small);
    check_refusals("mobilenet_v3_large", mote::zoo::mobilenet_v3_large);
    check_refusals("visual_wake_words", mote::zoo::visual_wake_words);
}
