// SPDX-License-Identifier: MIT
#pragma once
// gradient: pooling, resizing and softmax.

#include <mote/kernels/backward.hpp>
#include <mote/model/infer/reduction.hpp>
#include <mote/train/gradient/context.hpp>

MOTE_BEGIN_NAMESPACE

inline void gradient(const MaxPool2d& layer, GradientContext& node) {
    if (!node.wants(0)) return;
    const ConvGeometry g = geometry(layer, node.input().shape, node.output().shape);
    kernels::max_pool_gradient(g, node.input_data(), node.output_gradient(), node.input_gradient(0).data());
}

inline void gradient(const AveragePool2d& layer, GradientContext& node) {
    if (!node.wants(0)) return;
    const ConvGeometry g = geometry(layer, node.input().shape, node.output().shape);
    kernels::average_pool_gradient(g, layer.count_padding, node.output_gradient(), node.input_gradient(0).data());
}

inline void gradient(const GlobalAveragePool&, GradientContext& node) {
    if (!node.wants(0)) return;
    const Shape& shape = node.input().shape;
    const std::size_t pixels = shape[1] * shape[2];
    const std::size_t channels = shape[3];
    const float share = 1.0f / static_cast<float>(pixels);
    const float* dy = node.output_gradient();
    float* const dx = node.input_gradient(0).data();
    for (std::size_t n = 0; n < shape[0]; ++n) {
        for (std::size_t p = 0; p < pixels; ++p) {
            for (std::size_t c = 0; c < channels; ++c) dx[(n * pixels + p) * channels + c] += share * dy[n * channels + c];
        }
    }
}

/// Each input gets its share of the outputs that it is part of.
inline void gradient(const Resize2d& layer, GradientContext& node) {
    if (!node.wants(0)) return;
    const Shape& in = node.input().shape;
    const std::vector<std::int32_t> rows = resize_places(in[1], layer.size.height, layer.bilinear, layer.alignment);
    const std::vector<std::int32_t> columns = resize_places(in[2], layer.size.width, layer.bilinear, layer.alignment);
    const float* dy = node.output_gradient();
    float* dx = node.input_gradient(0).data();
    for (std::size_t n = 0; n < in[0]; ++n, dx += in[1] * in[2] * in[3]) {
        for (std::size_t row = 0; row < rows.size(); row += 2) {
            for (std::size_t column = 0; column < columns.size(); column += 2, dy += in[3]) {
                for (std::size_t corner = 0; corner < 4; ++corner) {
                    const auto share = [&](const std::vector<std::int32_t>& places, std::size_t at, bool behind) {
                        const float part = static_cast<float>(places[at + 1]) / 1048576.0f;
                        return behind ? part : 1.0f - part;
                    };
                    const bool below = corner >= 2, right = corner % 2 == 1;
                    const float weight = share(rows, row, below) * share(columns, column, right);
                    if (weight == 0.0f) continue;
                    const std::size_t y = static_cast<std::size_t>(rows[row]) + below;
                    const std::size_t x = static_cast<std::size_t>(columns[column]) + right;
                    for (std::size_t c = 0; c < in[3]; ++c) dx[(y * in[2] + x) * in[3] + c] += weight * dy[c];
                }
            }
        }
    }
}

/// dx = y * (dy - sum(dy * y)) over the last axis.
inline void gradient(const Softmax&, GradientContext& node) {
    if (!node.wants(0)) return;
    const Shape& shape = node.input().shape;
    const std::size_t classes = shape.back();
    const float* y = node.output_data();
    const float* dy = node.output_gradient();
    float* const dx = node.input_gradient(0).data();
    for (std::size_t first = 0; first < shape.elements(); first += classes) {
        float sum = 0.0f;
        for (std::size_t c = first; c < first + classes; ++c) sum += dy[c] * y[c];
        for (std::size_t c = first; c < first + classes; ++c) dx[c] += y[c] * (dy[c] - sum);
    }
}

MOTE_END_NAMESPACE
