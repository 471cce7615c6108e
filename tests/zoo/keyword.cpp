// SPDX-License-Identifier: MIT
// DS-CNN: published sizes.

#include <mote/zoo/keyword.hpp>

#include <zoo/figures.hpp>

TEST_CASE("ds_cnn_small: the parameters and MACs of MLPerf Tiny's reference model") {
    using namespace zoo_test;
    const mote::Model<mote::f32> model = mote::zoo::ds_cnn_small();
    const Figures f = figures(model);
    CHECK(f.parameters + f.statistics + f.normed == 24'908);  // Keras' total, with the biases that BatchNorm cancels
    CHECK(f.macs == 2'656'768);
    check_output(model, 12);
    check_memory(model);
}

TEST_CASE("ds_cnn: operations as in Zhang et al. 2017, two a MAC") {
    using namespace zoo_test;
    CHECK(millions(2 * figures(mote::zoo::ds_cnn_small()).macs) == Approx(5.4).epsilon(0.02));
    CHECK(millions(2 * figures(mote::zoo::ds_cnn_medium()).macs) == Approx(19.8).epsilon(0.02));
    CHECK(millions(2 * figures(mote::zoo::ds_cnn_large()).macs) == Approx(56.9).epsilon(0.02));
    check_output(mote::zoo::ds_cnn_medium(), 12);
    check_output(mote::zoo::ds_cnn_large(), 12);
}

TEST_CASE("ds_cnn: classes and features are free; nonsense is refused") {
    using namespace zoo_test;
    check_output(mote::zoo::ds_cnn_small({.classes = 35, .features = {98, 40}}), 35);
    check_refusals("ds_cnn_small", mote::zoo::ds_cnn_small);
    check_refusals("ds_cnn_large", mote::zoo::ds_cnn_large);
    CHECK_ERROR(mote::zoo::ds_cnn_medium({.features = {0, 10}}), "ds_cnn_medium: features.height is 0");
}
