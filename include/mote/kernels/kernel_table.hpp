// SPDX-License-Identifier: MIT
#pragma once
// KernelTable: one instruction set's kernels as function pointers over plain structs. It is all that plan() and the engine
// know of SIMD, so that kernels compiled for several instruction sets can stand in one program.

#include <mote/core/half.hpp>
#include <mote/core/part.hpp>
#include <mote/kernels/arguments.hpp>

#include <cstddef>

MOTE_BEGIN_NAMESPACE

/// Packing and running of one precision's convolution, of one geometry. Sizes are in bytes; packed and scratch memory is
/// 64-byte aligned.
template <class Constants, class Run>
struct ConvKernels {
    const char* name;                                  ///< e.g. "conv2d_i8 6x16 (avx2)"
    std::size_t (*packed_bytes)(const ConvGeometry&);  ///< of the constants as the tile reads them
    void (*pack)(const ConvGeometry&, const Constants&, void* packed);
    std::size_t (*scratch_bytes)(const ConvGeometry&);   ///< of one run, or of one part
    void (*run)(const ConvGeometry&, const Run&, Part);  ///< or the part of a run
    /// About how many cycles a run takes on one core; the largest double for a geometry that the kernel does not compute.
    double (*cycles)(const ConvGeometry&);
};

/// What computes with T, half or bfloat, other than through f32.
template <class T>
struct HalfKernels {
    ConvKernels<ConvConstantsFloat<T>, ConvFloat<T>> conv2d;
    ConvKernels<ConvConstantsFloat<T>, ConvFloat<T>> depthwise;
    void (*to_f32)(std::size_t count, const T* input, float* output);
    void (*from_f32)(std::size_t count, const float* input, T* output);
};

struct KernelTable {
    const char* instruction_set;  ///< "avx2", "neon_dot", "scalar" ...
    bool divides;                 ///< whether kernels compute parts, and conv2d at a stride; else part 0 is the whole
    /// Of conv2d_f32 for some geometries, with more packed constants (kernels/winograd_simd.hpp). Null names where the set has
    /// none.
    ConvKernels<ConvConstantsF32, ConvF32> winograd_f32[2];

    // Integer convolutions, gemm_f32 and attention_f32 are null in native_kernels() of models that cannot meet one.
    ConvKernels<ConvConstantsF32, ConvF32> conv2d_f32;
    ConvKernels<ConvConstantsI8, ConvI8> conv2d_i8;
    ConvKernels<ConvConstantsF32, ConvF32> depthwise_f32;  ///< groups = in_channels; weight [out, kh, kw, 1]
    ConvKernels<ConvConstantsI8, ConvI8> depthwise_i8;

    std::size_t (*gemm_f32_scratch_bytes)(std::int32_t m, std::int32_t n, std::int32_t k);
    void (*gemm_f32)(const GemmF32&);
    std::size_t (*attention_f32_scratch_bytes)(const AttentionF32&);
    void (*attention_f32)(const AttentionF32&);

    // Pooling reads the window of a ConvGeometry with in_channels = out_channels.
    void (*max_pool_f32)(const ConvGeometry&, const float* input, float* output);
    void (*max_pool_i8)(const ConvGeometry&, const std::int8_t* input, std::int8_t* output);
    void (*average_pool_f32)(const ConvGeometry&, bool count_padding, const float* input, float* output);
    void (*average_pool_i8)(const ConvGeometry&, bool count_padding, std::int32_t zero_point, const std::int8_t* input,
                            std::int8_t* output);

    // Elementwise: `count` elements; output may be an input.
    void (*add_f32)(std::size_t count, const float* a, const float* b, float lo, float hi, float* output);
    void (*add_i8)(std::size_t count, const AddI8&, const std::int8_t* a, const std::int8_t* b, std::int8_t* output);
    /// b is [outer / spatial, channels], repeated for each of `spatial` positions (spatial = 1: same shape as a).
    void (*mul_f32)(const RowGeometry&, const float* a, const float* b, float* output);
    void (*mul_i8)(const RowGeometry&, const MulI8&, const std::int8_t* a, const std::int8_t* b, std::int8_t* output);
    void (*unary_f32)(std::size_t count, const UnaryF32&, const float* input, float* output);
    void (*clamp_i8)(std::size_t count, std::int8_t lo, std::int8_t hi, const std::int8_t* input, std::int8_t* output);
    void (*lookup_i8)(std::size_t count, const std::int8_t* table, const std::int8_t* input, std::int8_t* output);
    /// output = input * scale[channel] + shift[channel]
    void (*affine_f32)(const RowGeometry&, const float* scale, const float* shift, const float* input, float* output);

    // A recurrent layer's step between its products; null in native_kernels() of models that cannot meet one.
    void (*open_cell_f32)(const RecurrentCellF32&, const RecurrentRunF32&);
    void (*close_cell_f32)(const RecurrentCellF32&, const RecurrentRunF32&);

    // Softmax over the channels of each of `outer` rows.
    void (*softmax_f32)(const RowGeometry&, const float* input, float* output);
    void (*softmax_i8)(const RowGeometry&, const std::int32_t* table, const std::int8_t* input, std::int8_t* output);

    // Conversion of `count` elements.
    void (*quantize_i8)(std::size_t count, float inverse_scale, std::int32_t zero_point, const float* input,
                        std::int8_t* output);
    void (*dequantize_i8)(std::size_t count, float scale, std::int32_t zero_point, const std::int8_t* input, float* output);
    void (*requantize_i8)(std::size_t count, float multiplier, std::int32_t input_zero_point, std::int32_t zero_point,
                          const std::int8_t* input, std::int8_t* output);

    // Movement of elements of 1, 2, 4 or 8 bytes.
    void (*move)(const MoveGeometry&, std::size_t element_bytes, const void* input, void* output);
    /// Rows chosen by index.
    void (*gather)(const GatherGeometry&, std::size_t element_bytes, const std::int32_t* index, const void* input,
                   void* output);
    /// Fills `count` elements with the element at `value`.
    void (*fill)(std::size_t count, std::size_t element_bytes, const void* value, void* output);

    // Null in native_kernels() of models without layers in these precisions.
    HalfKernels<half> f16;
    HalfKernels<bfloat> bf16;
};

MOTE_END_NAMESPACE
