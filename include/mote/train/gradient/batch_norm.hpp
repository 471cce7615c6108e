// SPDX-License-Identifier: MIT
#pragma once
// BatchNorm while it trains: statistics of the whole batch, which the shards gather and each then combines in one order.

#include <mote/layers/elementwise.hpp>
#include <mote/train/gradient/context.hpp>

#include <cmath>

MOTE_BEGIN_NAMESPACE

// A layer that couples the samples of a batch has, beside gradient:
//   batch_sums(layer)              how many doubles a shard tells the others
//   gather(layer, forward)         writes this shard's part; then all shards have written
//   forward(layer, forward)        computes the outputs from all parts
//   gather_gradient(layer, node)   the same before gradient
//   learn(layer, forward)          after the step, once: what the layer keeps of the batch
//   frozen_gradient(layer, node)   gradient where the layer computes as in inference, from what it has kept

namespace detail {

/// A shard's sums: how many rows, and a row of `channels` numbers each for the mean, the sum of squared differences from it,
/// the sum of the outputs' gradients, and that of their products with the difference from the batch's mean.
struct BatchNormSums {
    std::size_t channels;
    double& rows(std::span<double> sums) const { return sums[0]; }
    double* mean(std::span<double> sums) const { return sums.data() + 1; }
    double* squares(std::span<double> sums) const { return sums.data() + 1 + channels; }
    double* gradient(std::span<double> sums) const { return sums.data() + 1 + 2 * channels; }
    double* product(std::span<double> sums) const { return sums.data() + 1 + 3 * channels; }
};

struct BatchMoments {
    double rows = 0.0, mean = 0.0, variance = 0.0;  // the biased variance, which normalizes
};

/// Of channel c over all shards (Chan, Golub and LeVeque 1983, equations 2.1).
inline BatchMoments batch_moments(const ForwardContext& node, std::size_t channels, std::size_t c) {
    const BatchNormSums at{channels};
    BatchMoments all;
    for (std::size_t s = 0; s < node.shards(); ++s) {
        const double rows = at.rows(node.sums(s));
        all.rows += rows;
        all.mean += rows * at.mean(node.sums(s))[c];
    }
    all.mean /= all.rows;
    for (std::size_t s = 0; s < node.shards(); ++s) {
        const double difference = at.mean(node.sums(s))[c] - all.mean;
        all.variance += at.squares(node.sums(s))[c] + at.rows(node.sums(s)) * difference * difference;
    }
    all.variance /= all.rows;
    return all;
}

/// sums[c] = sum over rows of term(row * channels + c, c): f32 over blocks of rows, double over blocks.
template <class Term>
void sum_rows(std::size_t rows, std::size_t channels, float* block, double* sums, Term term) {
    constexpr std::size_t block_rows = 64;
    for (std::size_t c = 0; c < channels; ++c) sums[c] = 0.0;
    for (std::size_t first = 0; first < rows; first += block_rows) {
        const std::size_t last = first + block_rows < rows ? first + block_rows : rows;
        for (std::size_t c = 0; c < channels; ++c) block[c] = 0.0f;
        for (std::size_t r = first; r < last; ++r) {
            for (std::size_t c = 0; c < channels; ++c) block[c] += term(r * channels + c, c);
        }
        for (std::size_t c = 0; c < channels; ++c) sums[c] += static_cast<double>(block[c]);
    }
}

}  // namespace detail

inline std::size_t batch_sums(const BatchNorm& layer) {
    return 1 + 4 * layer.scale.elements();
}

inline void gather(const BatchNorm& layer, ForwardContext& node) {
    const std::size_t channels = layer.scale.elements();
    const std::size_t rows = node.input().shape.elements() / channels;
    const detail::BatchNormSums at{channels};
    const std::span<double> sums = node.sums(node.shard());
    const float* x = node.input_data();
    float* const block = node.scratch<float>(channels);
    float* const mean = node.scratch<float>(channels);
    at.rows(sums) = static_cast<double>(rows);
    detail::sum_rows(rows, channels, block, at.mean(sums), [x](std::size_t i, std::size_t) { return x[i]; });
    for (std::size_t c = 0; c < channels; ++c) {
        mean[c] = static_cast<float>(at.mean(sums)[c] / static_cast<double>(rows));
        at.mean(sums)[c] = static_cast<double>(mean[c]);
    }
    // About the rounded mean: the remaining sum of differences corrects it.
    double* const rest = at.gradient(sums);
    detail::sum_rows(rows, channels, block, rest, [x, mean](std::size_t i, std::size_t c) { return x[i] - mean[c]; });
    detail::sum_rows(rows, channels, block, at.squares(sums), [x, mean](std::size_t i, std::size_t c) {
        const float d = x[i] - mean[c];
        return d * d;
    });
    for (std::size_t c = 0; c < channels; ++c) {
        const double correction = rest[c] / static_cast<double>(rows);
        at.mean(sums)[c] += correction;
        at.squares(sums)[c] -= correction * rest[c];
    }
}

inline void forward(const BatchNorm& layer, ForwardContext& node) {
    const std::size_t channels = layer.scale.elements();
    float* const scale = node.scratch<float>(channels);
    float* const shift = node.scratch<float>(channels);
    for (std::size_t c = 0; c < channels; ++c) {
        const detail::BatchMoments batch = detail::batch_moments(node, channels, c);
        const double factor =
            static_cast<double>(layer.scale[c]) / std::sqrt(batch.variance + static_cast<double>(layer.epsilon));
        scale[c] = static_cast<float>(factor);
        shift[c] = static_cast<float>(static_cast<double>(layer.shift[c]) - batch.mean * factor);
    }
    RowGeometry rows;
    rows.outer = narrow<std::int32_t>(node.input().shape.elements() / channels);
    rows.channels = narrow<std::int32_t>(channels);
    node.kernels().affine_f32(rows, scale, shift, node.input_data(), node.output_data());
}

/// The running mean and the unbiased running variance follow the batch's by `momentum`.
inline void learn(BatchNorm& layer, ForwardContext& node) {
    const std::size_t channels = layer.scale.elements();
    for (std::size_t c = 0; c < channels; ++c) {
        const detail::BatchMoments batch = detail::batch_moments(node, channels, c);
        const double unbiased = batch.rows > 1.0 ? batch.variance * batch.rows / (batch.rows - 1.0) : batch.variance;
        layer.mean[c] += layer.momentum * (static_cast<float>(batch.mean) - layer.mean[c]);
        layer.variance[c] += layer.momentum * (static_cast<float>(unbiased) - layer.variance[c]);
    }
}

inline void gather_gradient(const BatchNorm& layer, GradientContext& node) {
    const std::size_t channels = layer.scale.elements();
    const std::size_t rows = node.input().shape.elements() / channels;
    const detail::BatchNormSums at{channels};
    const std::span<double> sums = node.sums(node.shard());
    const float* x = node.input_data();
    const float* dy = node.output_gradient();
    float* const block = node.scratch<float>(channels);
    float* const mean = node.scratch<float>(channels);
    for (std::size_t c = 0; c < channels; ++c) mean[c] = static_cast<float>(detail::batch_moments(node, channels, c).mean);
    detail::sum_rows(rows, channels, block, at.gradient(sums), [dy](std::size_t i, std::size_t) { return dy[i]; });
    detail::sum_rows(rows, channels, block, at.product(sums),
                     [x, dy, mean](std::size_t i, std::size_t c) { return dy[i] * (x[i] - mean[c]); });
}

/// Ioffe and Szegedy 2015, section 3 (the derivatives before algorithm 2), solved for dx:
/// dx = scale / deviation * (dy - mean(dy) - (x - mean) * mean(dy * (x - mean)) / variance)
inline void gradient(const BatchNorm& layer, GradientContext& node) {
    const std::size_t channels = layer.scale.elements();
    const std::size_t rows = node.input().shape.elements() / channels;
    const detail::BatchNormSums at{channels};
    const std::span<double> own = node.sums(node.shard());
    const std::span<float> dscale = node.parameter_gradient("scale");
    const std::span<float> dshift = node.parameter_gradient("shift");
    float* const by_dy = node.scratch<float>(channels);
    float* const by_x = node.scratch<float>(channels);
    float* const constant = node.scratch<float>(channels);
    for (std::size_t c = 0; c < channels; ++c) {
        const detail::BatchMoments batch = detail::batch_moments(node, channels, c);
        const double variance = batch.variance + static_cast<double>(layer.epsilon);
        const double inverse = 1.0 / std::sqrt(variance);
        dscale[c] += static_cast<float>(at.product(own)[c] * inverse);
        dshift[c] += static_cast<float>(at.gradient(own)[c]);
        double sum = 0.0, product = 0.0;
        for (std::size_t s = 0; s < node.shards(); ++s) {
            sum += at.gradient(node.sums(s))[c];
            product += at.product(node.sums(s))[c];
        }
        const double factor = static_cast<double>(layer.scale[c]) * inverse;
        const double slope = -factor * product / (batch.rows * variance);
        by_dy[c] = static_cast<float>(factor);
        by_x[c] = static_cast<float>(slope);
        constant[c] = static_cast<float>(-factor * sum / batch.rows - slope * batch.mean);
    }
    if (!node.wants(0)) return;
    const float* x = node.input_data();
    const float* dy = node.output_gradient();
    const GradientSink dx = node.input_sink(0);
    for (std::size_t r = 0; r < rows; ++r) {
        const std::size_t at_row = r * channels;
        for (std::size_t c = 0; c < channels; ++c) {
            const std::size_t i = at_row + c;
            const float value = by_dy[c] * dy[i] + (by_x[c] * x[i] + constant[c]);
            dx.data[i] = dx.accumulate ? dx.data[i] + value : value;
        }
    }
}

/// With the stored mean and variance each channel is an affine function of its own.
inline void frozen_gradient(const BatchNorm& layer, GradientContext& node) {
    const std::size_t channels = layer.scale.elements();
    const std::size_t rows = node.input().shape.elements() / channels;
    const std::span<float> dscale = node.parameter_gradient("scale");
    const std::span<float> dshift = node.parameter_gradient("shift");
    const float* x = node.input_data();
    const float* dy = node.output_gradient();
    float* const block = node.scratch<float>(channels);
    float* const mean = node.scratch<float>(channels);
    float* const factor = node.scratch<float>(channels);
    double* const sum = node.scratch<double>(channels);
    double* const product = node.scratch<double>(channels);
    for (std::size_t c = 0; c < channels; ++c) mean[c] = layer.mean[c];
    detail::sum_rows(rows, channels, block, sum, [dy](std::size_t i, std::size_t) { return dy[i]; });
    detail::sum_rows(rows, channels, block, product,
                     [x, dy, mean](std::size_t i, std::size_t c) { return dy[i] * (x[i] - mean[c]); });
    for (std::size_t c = 0; c < channels; ++c) {
        const double inverse = 1.0 / std::sqrt(static_cast<double>(layer.variance[c]) + static_cast<double>(layer.epsilon));
        dscale[c] += static_cast<float>(product[c] * inverse);
        dshift[c] += static_cast<float>(sum[c]);
        factor[c] = static_cast<float>(static_cast<double>(layer.scale[c]) * inverse);
    }
    if (!node.wants(0)) return;
    const std::span<float> dx = node.input_gradient(0);
    for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t c = 0; c < channels; ++c) dx[r * channels + c] += factor[c] * dy[r * channels + c];
    }
}

MOTE_END_NAMESPACE
