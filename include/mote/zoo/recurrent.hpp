// SPDX-License-Identifier: MIT
#pragma once
// Classifiers of sequences: recurrent layers, and a dense layer on the last hidden state.

#include <mote/zoo/blocks.hpp>

MOTE_BEGIN_NAMESPACE

namespace zoo {

/// `time` steps of `features` numbers each. Each extent is at most 2^14, classes at most 2^20, layers at most 64.
struct SequenceOptions {
    std::size_t classes = 12;
    std::size_t time = 49;
    std::size_t features = 10;
    std::size_t hidden = 64;
    std::size_t layers = 1;
};

namespace detail {

template <class L>
Model<f32, wide> sequence_classifier(const char* name, const SequenceOptions& options, std::size_t gates) {
    constexpr std::size_t limit = std::size_t{1} << 14;
    check_option(name, "classes", options.classes, std::size_t{1} << 20);
    check_option(name, "time", options.time, limit);
    check_option(name, "features", options.features, limit);
    check_option(name, "hidden", options.hidden, limit);
    check_option(name, "layers", options.layers, 64);
    ModelBuilder<f32, wide> b;
    std::vector x{b.input("features", {1, options.time, options.features})};
    for (std::size_t i = 0; i < options.layers; ++i) {
        L layer{.weight = Tensor<f32>({gates * options.hidden, b.channels(x[0])}),
                .recurrent = Tensor<f32>({gates * options.hidden, options.hidden}),
                .bias = Tensor<f32>(Shape{gates * options.hidden})};
        x = b.add_outputs(std::move(layer), 2, {x[0]});
    }
    return with_softmax(b, dense(b, x[1], options.classes));
}

}  // namespace detail

/// LSTM layers and a dense layer on the last hidden state: [batch, time, features] -> [batch, classes]. The
/// defaults take keywords' features as zoo/keyword.hpp does. Throws as check_option does.
inline Model<f32, wide> lstm_classifier(const SequenceOptions& options = {}) {
    return detail::sequence_classifier<Lstm<f32>>("lstm_classifier", options, 4);
}

/// The same of GRU layers.
inline Model<f32, wide> gru_classifier(const SequenceOptions& options = {}) {
    return detail::sequence_classifier<Gru<f32>>("gru_classifier", options, 3);
}

}  // namespace zoo

MOTE_END_NAMESPACE
