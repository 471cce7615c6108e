// SPDX-License-Identifier: MIT
#pragma once
// What kernels are called with: plain structs of pointers and numbers, shared by all instruction sets (no functions here).
// Quantized arithmetic follows DESIGN section 3; each kernel's scalar definition states its formula.

#include <mote/core/functions.hpp>
#include <mote/core/geometry.hpp>

MOTE_BEGIN_NAMESPACE

/// How an int32 sum becomes a byte: q = zero_point + rint(clamp(float(sum) * multiplier[c], lo - zero_point, hi - zero_point)),
/// rint to nearest even.
struct RequantizeI8 {
    std::int32_t zero_point = 0;
    std::int32_t lo = -128;
    std::int32_t hi = 127;
};

/// q = clamp(zero_point + round(((qa - a_zero_point) * a_multiplier + (qb - b_zero_point) * b_multiplier) / 2^shift), lo, hi),
/// half to even. multiplier = round(scale_in / scale_out * 2^shift); shift >= 20. The sum is taken in int64 where `wide`, in
/// int32 where it fits.
struct AddI8 {
    std::int32_t a_zero_point = 0, b_zero_point = 0, zero_point = 0;
    std::int32_t a_multiplier = 0, b_multiplier = 0;
    std::int32_t shift = 20;
    std::int32_t lo = -128, hi = 127;
    bool wide = false;
};

/// q = clamp(zero_point + round((qa - a_zero_point) * (qb - b_zero_point) * multiplier / 2^shift), lo, hi), half to even, in
/// int64.
struct MulI8 {
    std::int32_t a_zero_point = 0, b_zero_point = 0, zero_point = 0;
    std::int32_t multiplier = 0;
    std::int32_t shift = 20;
    std::int32_t lo = -128, hi = 127;
};

/// A convolution's constants of floats (T is float, half or bfloat) in canonical order, as pack() reads them.
template <class T>
struct ConvConstantsFloat {
    const T* weight = nullptr;    ///< [out, kernel_height, kernel_width, in / groups]
    const float* bias = nullptr;  ///< [out], or null
};
using ConvConstantsF32 = ConvConstantsFloat<float>;

/// A convolution's int8 constants in canonical order, as pack() reads them.
struct ConvConstantsI8 {
    const std::int8_t* weight = nullptr;  ///< [out, kernel_height, kernel_width, in / groups]
    const std::int32_t* bias = nullptr;   ///< [out], or null; without the input's zero point
    const float* multiplier = nullptr;    ///< [out]
    std::int32_t input_zero_point = 0;    ///< what padding holds; pack() folds it into the bias
};

/// One run of a convolution or depthwise convolution of floats, computed in f32: y = clamp(sum + bias, lo, hi), and with a
/// residual y = clamp(y + residual, residual_lo, residual_hi), rounded to T in the end.
template <class T>
struct ConvFloat {
    const T* input = nullptr;      ///< [batch, in_height, in_width, in]
    const void* packed = nullptr;  ///< what pack() wrote, 64-byte aligned
    const T* residual = nullptr;   ///< shaped as the output, or null
    T* output = nullptr;           ///< [batch, out_height, out_width, out]; may be `residual` itself
    void* scratch = nullptr;       ///< scratch_bytes(), 64-byte aligned
    float lo = -__builtin_huge_valf(), hi = __builtin_huge_valf();
    float residual_lo = -__builtin_huge_valf(), residual_hi = __builtin_huge_valf();
    /// Of conv2d without a residual, elements from pixel to pixel of the output where they are not its channels.
    std::ptrdiff_t output_stride = 0;
};
using ConvF32 = ConvFloat<float>;

/// One run of an int8 convolution or depthwise convolution; with a residual, the byte q that `requantize` gives is summed with
/// the residual's byte as AddI8 says, q being its operand a.
struct ConvI8 {
    const std::int8_t* input = nullptr;
    const void* packed = nullptr;
    const std::int8_t* residual = nullptr;
    std::int8_t* output = nullptr;
    void* scratch = nullptr;
    std::int32_t input_zero_point = 0;
    RequantizeI8 requantize;
    AddI8 add;
    std::ptrdiff_t output_stride = 0;  ///< as in ConvFloat
};

/// f32 activations with a kernel of their own.
enum class UnaryKernel : std::uint8_t { clamp, leaky_relu, sigmoid, tanh, hard_sigmoid, hard_swish };

struct UnaryF32 {
    UnaryKernel function = UnaryKernel::clamp;
    float lo = -__builtin_huge_valf(), hi = __builtin_huge_valf();  ///< of clamp
    float slope = 0.0f;                                             ///< of leaky_relu
};

/// An f32 Lstm, Gru or Rnn (layers/recurrent.hpp has their equations).
struct RecurrentCellF32 {
    Cell cell = Cell::rnn;
    std::int32_t hidden = 0;
    RecurrentFunction gate = RecurrentFunction::sigmoid;
    RecurrentFunction candidate = RecurrentFunction::tanh;
    RecurrentFunction output = RecurrentFunction::identity;
    float clip = 0.0f, cell_clip = 0.0f;  ///< none where 0
    bool coupled = false;
    bool reset_after = false;
    const float* peephole = nullptr;  ///< [3, hidden], or null
};

/// What one step of a cell reads and writes. h_next may be h, c_next may be c.
struct RecurrentRunF32 {
    float* z = nullptr;                ///< [gates * hidden], the input's side; becomes what the activations gave
    const float* q = nullptr;          ///< [gates * hidden], the states' side; of a Gru that resets before it the gates' alone
    const float* candidate = nullptr;  ///< of such a Gru the candidate's product with `reset` [hidden]
    const float* h = nullptr;          ///< [hidden]
    const float* c = nullptr;
    float* h_next = nullptr;
    float* c_next = nullptr;
    float* reset = nullptr;  ///< [hidden], r * h
};

/// softmax(scale Q K^T + bias) V, with Q [queries, size], K [keys, size] (or [size, keys]) and V [keys, width].
struct AttentionF32 {
    std::int32_t queries = 0, keys = 0, size = 0, width = 0;
    float scale = 1.0f;
    bool transposed_keys = false;  ///< K is [size, keys]
    const float* q = nullptr;
    const float* k = nullptr;
    const float* v = nullptr;
    const float* bias = nullptr;   ///< [keys], or null
    std::int32_t bias_stride = 0;  ///< from a query's bias to the next one's
    float* output = nullptr;       ///< [queries, width]
    void* scratch = nullptr;       ///< attention_f32_scratch_bytes(), 64-byte aligned
};

/// C[m, n] (+)= A[m, k] * B[k, n], row-major with leading dimensions; a transposed operand is stored as [k, m] or [n, k].
struct GemmF32 {
    std::int32_t m = 0, n = 0, k = 0;
    const float* a = nullptr;
    const float* b = nullptr;
    float* c = nullptr;
    std::int32_t lda = 0, ldb = 0, ldc = 0;
    bool transpose_a = false, transpose_b = false;
    bool accumulate = false;  ///< add to C instead of overwriting it
    void* scratch = nullptr;  ///< gemm_f32_scratch_bytes(), 64-byte aligned
};

MOTE_END_NAMESPACE
