// SPDX-License-Identifier: MIT
// The autoencoder: its published size.

#include <mote/zoo/autoencoder.hpp>

#include <zoo/figures.hpp>

TEST_CASE("autoencoder: the parameters and MACs of MLPerf Tiny's reference model") {
    using namespace zoo_test;
    const mote::Model<mote::f32> model = mote::zoo::autoencoder();
    check_memory(model);
    const Figures f = figures(model);
    CHECK(f.parameters + f.statistics + f.normed == 269'992);  // Keras' total, with the biases that BatchNorm cancels
    CHECK(f.macs == 264'192);
    check_output(model, 640);
}

TEST_CASE("autoencoder: sizes are free; nonsense is refused") {
    using namespace zoo_test;
    check_output(mote::zoo::autoencoder({.features = 20, .hidden = 16, .code = 2}), 20);
    CHECK_ERROR(mote::zoo::autoencoder({.features = 0}), "autoencoder: features is 0; 1 to 16384 is accepted");
    CHECK_ERROR(mote::zoo::autoencoder({.hidden = 0}), "autoencoder: hidden is 0");
    CHECK_ERROR(mote::zoo::autoencoder({.code = 1 << 20}), "autoencoder: code is 1048576");
}
