// SPDX-License-Identifier: MIT
// Classifiers of sequences: their sizes by hand.

#include <mote/zoo/recurrent.hpp>

#include <zoo/figures.hpp>

TEST_CASE("recurrent classifiers: parameters and MACs as counted by hand") {
    using namespace zoo_test;
    const mote::zoo::SequenceOptions options{.classes = 5, .time = 7, .features = 3, .hidden = 4, .layers = 2};
    const auto lstm = mote::zoo::lstm_classifier(options);
    CHECK(lstm.cost().parameters == 4 * (4 * 3 + 16 + 4) + 4 * (16 + 16 + 4) + 25);
    CHECK(lstm.cost().macs == 7 * (4 * (12 + 16) + 4 * (16 + 16)) + 20);
    check_output(lstm, 5);
    const auto gru = mote::zoo::gru_classifier(options);
    CHECK(gru.cost().parameters == 3 * (4 * 3 + 16 + 4) + 3 * (16 + 16 + 4) + 25);
    check_output(gru, 5);
    check_refusals("lstm_classifier", mote::zoo::lstm_classifier);
    check_refusals("gru_classifier", mote::zoo::gru_classifier);
    CHECK_ERROR(mote::zoo::gru_classifier({.layers = 65}), "gru_classifier: layers is 65");
}
