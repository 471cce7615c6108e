// SPDX-License-Identifier: MIT
#pragma once
// gradient: Conv2d, DepthwiseConv2d, TransposeConv2d, Dense, MatMul. Products of matrices on the kernel table's GEMM.

#include <mote/engine/lower/contraction.hpp>
#include <mote/engine/lower/matmul.hpp>
#include <mote/kernels/backward.hpp>
#include <mote/model/infer/contraction.hpp>
#include <mote/train/gradient/context.hpp>

#include <algorithm>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// C = A * B or C += A * B, on the context's scratch memory.
inline void multiply(GradientContext& node, GemmF32 gemm) {
    const KernelTable& kernels = node.kernels();
    gemm.scratch = node.scratch<std::byte>(kernels.gemm_f32_scratch_bytes(gemm.m, gemm.n, gemm.k));
    kernels.gemm_f32(gemm);
}

/// sums[c] += the sum of column c over `rows` rows of `columns` values.
inline void add_columns(std::size_t rows, std::size_t columns, const float* values, std::span<float> sums) {
    if (sums.empty()) return;
    for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t c = 0; c < columns; ++c) sums[c] += values[r * columns + c];
    }
}

/// y = x * transpose(w) + b with x [rows, in], w [out, in]: dw += transpose(dy) * x, dx (+)= dy * w.
inline void dense_gradient(GradientContext& node, const Tensor<f32>& weight, std::int32_t rows, std::int32_t in,
                           std::int32_t out) {
    const float* dy = node.output_gradient();
    GemmF32 to_weight;
    to_weight.m = out;
    to_weight.n = in;
    to_weight.k = rows;
    to_weight.a = dy;
    to_weight.lda = out;
    to_weight.transpose_a = true;
    to_weight.b = node.input_data();
    to_weight.ldb = in;
    to_weight.c = node.parameter_gradient("weight").data();
    to_weight.ldc = in;
    to_weight.accumulate = true;
    multiply(node, to_weight);
    add_columns(narrow<std::size_t>(rows), narrow<std::size_t>(out), dy, node.parameter_gradient("bias"));
    if (!node.wants(0)) return;
    const GradientSink dx = node.input_sink(0);
    GemmF32 to_input;
    to_input.m = rows;
    to_input.n = in;
    to_input.k = out;
    to_input.a = dy;
    to_input.lda = out;
    to_input.b = weight.data();
    to_input.ldb = in;
    to_input.c = dx.data;
    to_input.ldc = in;
    to_input.accumulate = dx.accumulate;
    multiply(node, to_input);
}

/// Whether the convolution is a dense layer over the pixels.
inline bool is_pointwise(const ConvGeometry& g) noexcept {
    return g.kernel_height == 1 && g.kernel_width == 1 && g.stride_height == 1 && g.stride_width == 1 && g.groups == 1 &&
           g.pad_top == 0 && g.pad_left == 0 && g.out_height == g.in_height && g.out_width == g.in_width;
}

}  // namespace detail

inline void gradient(const Dense<f32>& layer, GradientContext& node) {
    const ConvGeometry g = geometry(layer, node.input().shape, node.output().shape);
    detail::dense_gradient(node, layer.weight, g.batch, g.in_channels, g.out_channels);
}

/// Some images at a time: their windows as rows of a matrix [pixels, kernel area * in], the products, and back.
inline void gradient(const Conv2d<f32>& layer, GradientContext& node) {
    constexpr std::size_t block_floats = std::size_t{1} << 17;  // of the matrix of windows: what a second-level cache holds
    const ConvGeometry g = geometry(layer, node.input().shape, node.output().shape);
    if (detail::is_pointwise(g)) {
        detail::dense_gradient(node, layer.weight, g.batch * g.out_height * g.out_width, g.in_channels, g.out_channels);
        return;
    }
    const std::int32_t out = g.out_channels / g.groups;
    const std::int32_t window = g.kernel_height * g.kernel_width * (g.in_channels / g.groups);
    const std::size_t pixels = narrow<std::size_t>(g.out_height * g.out_width);
    const std::size_t in_image = narrow<std::size_t>(g.in_height * g.in_width * g.in_channels);
    const std::size_t out_image = pixels * narrow<std::size_t>(g.out_channels);
    const std::size_t matrix = pixels * narrow<std::size_t>(window);
    const std::size_t batch = narrow<std::size_t>(g.batch);
    const std::size_t fitting = block_floats / matrix > 0 ? block_floats / matrix : 1;
    const std::size_t images = fitting < batch ? fitting : batch;
    float* const windows = node.scratch<float>(images * matrix);
    std::byte* const scratch = node.scratch<std::byte>([&] {
        const std::int32_t rows = narrow<std::int32_t>(images * pixels);
        const std::size_t a = node.kernels().gemm_f32_scratch_bytes(out, window, rows);
        const std::size_t b = node.kernels().gemm_f32_scratch_bytes(rows, window, out);
        return a > b ? a : b;
    }());
    const float* dy = node.output_gradient();
    const float* x = node.input_data();
    float* const dw = node.parameter_gradient("weight").data();
    float* const dx = node.wants(0) ? node.input_gradient(0).data() : nullptr;
    detail::add_columns(batch * pixels, narrow<std::size_t>(g.out_channels), dy, node.parameter_gradient("bias"));
    for (std::size_t first = 0; first < batch; first += images) {
        const std::size_t count = images < batch - first ? images : batch - first;
        for (std::int32_t group = 0; group < g.groups; ++group) {
            const std::ptrdiff_t weights = std::ptrdiff_t{group} * out * window;
            for (std::size_t i = 0; i < count; ++i) {
                kernels::im2col(g, group, x + (first + i) * in_image, windows + i * matrix);
            }
            GemmF32 gemm;
            gemm.m = out;
            gemm.n = window;
            gemm.k = narrow<std::int32_t>(count * pixels);
            gemm.a = dy + first * out_image + group * out;
            gemm.lda = g.out_channels;
            gemm.transpose_a = true;
            gemm.b = windows;
            gemm.ldb = window;
            gemm.c = dw + weights;
            gemm.ldc = window;
            gemm.accumulate = true;
            gemm.scratch = scratch;
            node.kernels().gemm_f32(gemm);
            if (dx == nullptr) continue;
            gemm.m = narrow<std::int32_t>(count * pixels);
            gemm.k = out;
            gemm.transpose_a = false;
            gemm.b = layer.weight.data() + weights;
            gemm.c = windows;
            gemm.accumulate = false;
            node.kernels().gemm_f32(gemm);
            for (std::size_t i = 0; i < count; ++i) {
                kernels::col2im(g, group, windows + i * matrix, dx + (first + i) * in_image);
            }
        }
    }
}

inline void gradient(const DepthwiseConv2d<f32>& layer, GradientContext& node) {
    const ConvGeometry g = geometry(layer, node.input().shape, node.output().shape);
    const float* dy = node.output_gradient();
    float* const scratch = node.scratch<float>(layer.weight.elements());
    kernels::depthwise_weight_gradient(g, node.input_data(), dy, node.parameter_gradient("weight").data(), scratch);
    const std::size_t channels = narrow<std::size_t>(g.out_channels);
    detail::add_columns(node.output().shape.elements() / channels, channels, dy, node.parameter_gradient("bias"));
    if (!node.wants(0)) return;
    kernels::depthwise_input_gradient(g, layer.weight.data(), dy, node.input_gradient(0).data(), scratch);
}

/// The convolution whose transpose it is takes dy to dx. By image and group: the windows of dy as rows [input pixels, kernel
/// area * out], their products with the weights [kernel area * out, in], and with x for the weights' gradient.
inline void gradient(const TransposeConv2d<f32>& layer, GradientContext& node) {
    const ConvGeometry g = geometry(layer, node.input().shape, node.output().shape);
    const std::int32_t out = g.in_channels / g.groups, in = g.out_channels / g.groups;
    const std::int32_t area = g.kernel_height * g.kernel_width;
    const std::int32_t pixels = g.out_height * g.out_width, window = area * out;
    const std::size_t dy_image = narrow<std::size_t>(g.in_height * g.in_width * g.in_channels);
    const std::size_t x_image = narrow<std::size_t>(pixels * g.out_channels);
    float* const windows = node.scratch<float>(narrow<std::size_t>(pixels) * narrow<std::size_t>(window));
    const std::size_t weights = narrow<std::size_t>(window) * narrow<std::size_t>(in);  // of a group, [area, out, in]
    float* const weight = node.scratch<float>(weights);
    float* const slope = node.scratch<float>(weights);
    std::byte* const scratch = node.scratch<std::byte>(std::max(node.kernels().gemm_f32_scratch_bytes(window, in, pixels),
                                                                node.kernels().gemm_f32_scratch_bytes(pixels, in, window)));
    const float* dy = node.output_gradient();
    const float* x = node.input_data();
    float* const dw = node.parameter_gradient("weight").data();
    float* const dx = node.wants(0) ? node.input_gradient(0).data() : nullptr;
    const std::size_t channels = narrow<std::size_t>(g.in_channels);
    detail::add_columns(node.output().shape.elements() / channels, channels, dy, node.parameter_gradient("bias"));
    for (std::int32_t group = 0; group < g.groups; ++group) {
        // visit(place in the layer's weights, place in [area, out, in]) for each weight of the group
        const auto each_weight = [&](auto visit) {
            for (std::int32_t i = 0; i < window * in; ++i) {
                const std::int32_t o = i / (area * in), tap = i / in % area;
                visit(std::ptrdiff_t{group} * window * in + i, (tap * out + o) * in + i % in);
            }
        };
        each_weight([&](std::ptrdiff_t from, std::int32_t to) { weight[to] = layer.weight.data()[from]; });
        for (std::int32_t image = 0; image < g.batch; ++image) {
            kernels::im2col(g, group, dy + narrow<std::size_t>(image) * dy_image, windows);
            const std::size_t first = narrow<std::size_t>(image) * x_image + narrow<std::size_t>(group * in);
            GemmF32 gemm;
            gemm.m = window;
            gemm.n = in;
            gemm.k = pixels;
            gemm.a = windows;
            gemm.lda = window;
            gemm.transpose_a = true;
            gemm.b = x + first;
            gemm.ldb = g.out_channels;
            gemm.c = slope;
            gemm.ldc = in;
            gemm.accumulate = image > 0;
            gemm.scratch = scratch;
            node.kernels().gemm_f32(gemm);
            if (dx == nullptr) continue;
            gemm.m = pixels;
            gemm.k = window;
            gemm.transpose_a = false;
            gemm.b = weight;
            gemm.ldb = in;
            gemm.c = dx + first;
            gemm.ldc = g.out_channels;
            gemm.accumulate = true;
            node.kernels().gemm_f32(gemm);
        }
        each_weight([&](std::ptrdiff_t to, std::int32_t from) { dw[to] += slope[from]; });
    }
}

/// da += dy * transpose(b), db += transpose(a) * dy, or the transpose of that where the input is. Each product adds to the
/// matrices that it was made of, so that one that was repeated gets the sum.
inline void gradient(const MatMul& layer, GradientContext& node) {
    const MatMulGeometry g = geometry(layer, node.input(0).shape, node.input(1).shape, node.output().shape);
    const float* dy = node.output_gradient();
    for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
        if (!node.wants(side)) continue;
        float* const d = node.input_gradient(side).data();
        const float* const other = node.input_data(1 - side);
        const bool first = side == 0, turned = first ? layer.transpose_a : layer.transpose_b;
        const bool other_turned = first ? layer.transpose_b : layer.transpose_a;
        const bool dy_first = first != turned;
        GemmF32 gemm;
        gemm.m = turned ? (first ? g.k : g.n) : (first ? g.m : g.k);
        gemm.n = turned ? (first ? g.m : g.k) : (first ? g.k : g.n);
        gemm.k = first ? g.n : g.m;
        gemm.accumulate = true;
        gemm.ldc = gemm.n;
        (dy_first ? gemm.lda : gemm.ldb) = g.n;
        (dy_first ? gemm.ldb : gemm.lda) = first ? (other_turned ? g.k : g.n) : (other_turned ? g.m : g.k);
        (dy_first ? gemm.transpose_a : gemm.transpose_b) = turned;
        (dy_first ? gemm.transpose_b : gemm.transpose_a) = other_turned == turned;
        gemm.scratch = node.scratch<std::byte>(node.kernels().gemm_f32_scratch_bytes(gemm.m, gemm.n, gemm.k));
        for (std::int32_t i = 0; i < g.count; ++i) {
            std::ptrdiff_t a = 0, b = 0;
            g.find(i, a, b);
            (dy_first ? gemm.a : gemm.b) = dy + std::ptrdiff_t{i} * g.m * g.n;
            (dy_first ? gemm.b : gemm.a) = other + (first ? b : a);
            gemm.c = d + (first ? a : b);
            node.kernels().gemm_f32(gemm);
        }
    }
}

MOTE_END_NAMESPACE
