// SPDX-License-Identifier: MIT
#pragma once
// fine_tune: training that keeps what pruning has made.

#include <mote/train/trainer.hpp>

MOTE_BEGIN_NAMESPACE

/// train(), where each weight of a convolution or dense layer that is exactly zero at entry is exactly zero at the end.
/// Biases and weights of one axis (BatchNorm's scale) move, zero or not. Throws as train does.
template <class List, Dataset D>
BasicModel<List> fine_tune(const BasicModel<List>& model, const D& data, TrainOptions options = {}) {
    options.keep_zeros = true;
    return train(model, data, options);
}

MOTE_END_NAMESPACE
