// SPDX-License-Identifier: MIT
#pragma once
// Geometries: the sizes that a kernel reads. On the desk they are these run-time structs; an emitted header gives the
// kernels a struct with the same names as static constexpr members, so that the compiler knows every bound.
// They are plain data on purpose: kernels of several instruction sets share them (no function to be merged).

#include <mote/core/config.hpp>

#include <cstdint>

MOTE_BEGIN_NAMESPACE

/// A window that slides over an NHWC image: convolution, depthwise convolution, pooling; with a 1x1 window on a 1x1
/// image also the dense layer. Rows beyond the image are padding (the bottom and right padding follow from the output's
/// size). Output channel c reads the input channels of its group, c / (out_channels / groups).
struct ConvGeometry {
    std::int32_t batch = 1;
    std::int32_t in_height = 1, in_width = 1, in_channels = 1;
    std::int32_t out_height = 1, out_width = 1, out_channels = 1;
    std::int32_t kernel_height = 1, kernel_width = 1;
    std::int32_t stride_height = 1, stride_width = 1;
    std::int32_t dilation_height = 1, dilation_width = 1;
    std::int32_t pad_top = 0, pad_left = 0;
    std::int32_t groups = 1;
};

/// A window of `rank` <= 6 axes that slides over the axes between [batch, ..., channels]; the places in `steps` are those of
/// ArgMaxPool.
struct WindowGeometry {
    std::int32_t rank = 1;
    std::int32_t batch = 1, channels = 1;
    std::int32_t extent[6] = {};
    std::int32_t out[6] = {};
    std::int32_t kernel[6] = {};
    std::int32_t stride[6] = {};
    std::int32_t dilation[6] = {};
    std::int32_t before[6] = {};
    std::int32_t steps[8] = {};
};

/// Movement of a dense array of rank <= 8: element [i0, ...] of the output, whose extents these are, comes from
/// input offset base + sum(i * input_stride) (in elements) and goes to output offset sum(i * output_stride).
struct MoveGeometry {
    std::int32_t rank = 0;
    std::int32_t extent[8] = {};
    std::int32_t input_stride[8] = {};
    std::int32_t output_stride[8] = {};
};

/// Two dense arrays of rank <= 8 that broadcast to a dense one of these extents: element [i0, ...] is made of a's element
/// sum(i * a_stride) and b's element sum(i * b_stride). The stride is 0 along an axis along which an array repeats.
struct BroadcastGeometry {
    std::int32_t rank = 0;
    std::int32_t extent[8] = {};
    std::int32_t a_stride[8] = {};
    std::int32_t b_stride[8] = {};
};

/// Three dense arrays of rank <= 8 that broadcast to a dense one of these extents, as two do.
struct SelectGeometry {
    std::int32_t rank = 0;
    std::int32_t extent[8] = {};
    std::int32_t condition_stride[8] = {};
    std::int32_t a_stride[8] = {};
    std::int32_t b_stride[8] = {};
};

/// Rows of `inner` elements chosen by index: row [o, k] of the output [outer, count, inner] is row [o, index[k]] of the input
/// [outer, extent, inner].
struct GatherGeometry {
    std::int32_t outer = 1;
    std::int32_t extent = 1;
    std::int32_t count = 1;
    std::int32_t inner = 1;
};

/// `outer` rows of `channels` values: elementwise, softmax over the last axis, broadcast over channels.
/// Mul with `spatial` > 1 repeats its second operand [outer / spatial, channels] for each of `spatial` positions.
struct RowGeometry {
    std::int32_t outer = 1;
    std::int32_t channels = 1;
    std::int32_t spatial = 1;
};

MOTE_END_NAMESPACE
