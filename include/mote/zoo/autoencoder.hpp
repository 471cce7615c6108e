// SPDX-License-Identifier: MIT
#pragma once
// Anomaly detection: a network that learns to reproduce the sounds of a machine that works as it should.

#include <mote/zoo/blocks.hpp>

MOTE_BEGIN_NAMESPACE

namespace zoo {

/// 640 features are 5 frames of 128 mel bands.
struct AutoencoderOptions {
    std::size_t features = 640;
    std::size_t hidden = 128;  ///< outputs of each hidden layer
    std::size_t code = 8;      ///< outputs of the layer in the middle
};

/// The anomaly detection network of MLPerf Tiny (Banbury et al. 2021; Koizumi et al. 2020, DCASE task 2): dense
/// layers of 128 x 4, 8, 128 x 4 outputs with BatchNorm and Relu, and one back to the features. [batch, 640] -> [batch, 640];
/// the mean squared difference tells an anomaly. 0.27 M parameters, 0.26 M MACs. The reference model's biases before each
/// BatchNorm, which cancels them, are left out. Throws an Error unless each option lies in [1, 2^14].
inline Model<f32> autoencoder(const AutoencoderOptions& options = {}) {
    constexpr std::size_t limit = std::size_t{1} << 14;
    check_option("autoencoder", "features", options.features, limit);
    check_option("autoencoder", "hidden", options.hidden, limit);
    check_option("autoencoder", "code", options.code, limit);
    Builder b;
    Handle x = b.input("features", {1, options.features});
    for (std::size_t i = 0; i < 9; ++i) {
        const std::size_t out = i == 4 ? options.code : options.hidden;
        BatchNorm norm = batch_norm(out, keras_norm.momentum);
        norm.epsilon = keras_norm.epsilon;
        x = b.add(Dense<f32>{.weight = Tensor<f32>({out, b.channels(x)})}, x);
        x = b.add(Relu{}, b.add(std::move(norm), x));
    }
    b.output("reconstruction", dense(b, x, options.features));
    return b.build();
}

}  // namespace zoo

MOTE_END_NAMESPACE
