// SPDX-License-Identifier: MIT
#pragma once
// Layers that contract an input axis: with weights Conv2d, DepthwiseConv2d, TransposeConv2d, Dense, each a template on its
// precision tag; with another input MatMul.

#include <mote/layers/fields.hpp>
#include <mote/layers/window.hpp>

MOTE_BEGIN_NAMESPACE

/// 2-D convolution, [batch, height, width, in] -> [batch, out_height, out_width, out]; cross-correlation, as in every
/// framework. MACs = output elements * kernel area * in / groups.
template <class P>
struct Conv2d {
    Tensor<typename P::weight> weight{};  ///< [out, kernel_height, kernel_width, in / groups]
    Tensor<typename P::bias> bias{};      ///< [out], or empty; for i8 at scale s_in * s_weight[c]
    Size2d stride{};
    Size2d dilation{};
    Padding2d padding{};
    std::size_t groups = 1;

    static constexpr const char* kind = "Conv2d";
    static constexpr Family family = Family::contraction;
    static constexpr auto fields =
        list_fields(Field{"weight", &Conv2d::weight, Role::weight, 0, 3}, Field{"bias", &Conv2d::bias, Role::bias, 0},
                    Field{"stride", &Conv2d::stride}, Field{"dilation", &Conv2d::dilation}, Field{"padding", &Conv2d::padding},
                    Field{"groups", &Conv2d::groups});
};

/// Depthwise convolution, [batch, height, width, in] -> [batch, out_height, out_width, in * multiplier]; output channel
/// c reads input channel c / multiplier.
template <class P>
struct DepthwiseConv2d {
    Tensor<typename P::weight> weight{};  ///< [in * multiplier, kernel_height, kernel_width, 1]
    Tensor<typename P::bias> bias{};      ///< [in * multiplier], or empty
    Size2d stride{};
    Size2d dilation{};
    Padding2d padding{};
    std::size_t multiplier = 1;

    static constexpr const char* kind = "DepthwiseConv2d";
    static constexpr Family family = Family::contraction;
    static constexpr auto fields = list_fields(
        Field{"weight", &DepthwiseConv2d::weight, Role::weight, 0}, Field{"bias", &DepthwiseConv2d::bias, Role::bias, 0},
        Field{"stride", &DepthwiseConv2d::stride}, Field{"dilation", &DepthwiseConv2d::dilation},
        Field{"padding", &DepthwiseConv2d::padding}, Field{"multiplier", &DepthwiseConv2d::multiplier});
};

/// Transposed convolution, [batch, height, width, in] -> [batch, out_height, out_width, out]: what takes a Conv2d's gradient
/// back to its input (Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", section 4). Input pixel i
/// adds weight tap k to output row i * stride + k * dilation - padding.top; out_height = (height - 1) * stride + (kernel_height
/// - 1) * dilation + 1 + output_padding - padding.top - padding.bottom. MACs = input pixels * kernel area * in * out / groups.
template <class P>
struct TransposeConv2d {
    Tensor<typename P::weight> weight{};  ///< [out, kernel_height, kernel_width, in / groups]
    Tensor<typename P::bias> bias{};      ///< [out], or empty
    Size2d stride{};
    Size2d dilation{};
    Padding2d padding{};          ///< rows and columns of the output that are cut off
    Size2d output_padding{0, 0};  ///< rows below and columns on the right that are added; they hold the bias alone
    std::size_t groups = 1;

    static constexpr const char* kind = "TransposeConv2d";
    static constexpr Family family = Family::contraction;
    static constexpr auto fields =
        list_fields(Field{"weight", &TransposeConv2d::weight, Role::weight, 0, 3},
                    Field{"bias", &TransposeConv2d::bias, Role::bias, 0}, Field{"stride", &TransposeConv2d::stride},
                    Field{"dilation", &TransposeConv2d::dilation}, Field{"padding", &TransposeConv2d::padding},
                    Field{"output_padding", &TransposeConv2d::output_padding}, Field{"groups", &TransposeConv2d::groups});
};

/// Fully connected over the last axis, [..., in] -> [..., out].
template <class P>
struct Dense {
    Tensor<typename P::weight> weight{};  ///< [out, in]
    Tensor<typename P::bias> bias{};      ///< [out], or empty

    static constexpr const char* kind = "Dense";
    static constexpr Family family = Family::contraction;
    static constexpr auto fields =
        list_fields(Field{"weight", &Dense::weight, Role::weight, 0, 1}, Field{"bias", &Dense::bias, Role::bias, 0});
};

/// Products of matrices, [..., m, k] and [..., k, n] -> [..., m, n]; a transposed input is [..., k, m] or [..., n, k]. The axes
/// before them broadcast against each other, from the last one on, as NumPy's matmul does. Of integers sums wrap.
struct MatMul {
    bool transpose_a = false;
    bool transpose_b = false;
    static constexpr const char* kind = "MatMul";
    static constexpr Family family = Family::contraction;
    static constexpr auto fields =
        list_fields(Field{"transpose_a", &MatMul::transpose_a}, Field{"transpose_b", &MatMul::transpose_b});
};

/// Conv2d of i32 values with i32 weights, without rounding: sums wrap in 32 bits.
struct ConvInteger2d {
    Tensor<i32> weight{};  ///< [out, kernel_height, kernel_width, in / groups]
    Tensor<i32> bias{};    ///< [out], or empty
    Size2d stride{};
    Size2d dilation{};
    Padding2d padding{};
    std::size_t groups = 1;
    static constexpr const char* kind = "ConvInteger2d";
    static constexpr Family family = Family::contraction;
    static constexpr auto fields = list_fields(
        Field{"weight", &ConvInteger2d::weight, Role::weight, 0, 3}, Field{"bias", &ConvInteger2d::bias, Role::bias, 0},
        Field{"stride", &ConvInteger2d::stride}, Field{"dilation", &ConvInteger2d::dilation},
        Field{"padding", &ConvInteger2d::padding}, Field{"groups", &ConvInteger2d::groups});
};

MOTE_END_NAMESPACE
