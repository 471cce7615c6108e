// SPDX-License-Identifier: MIT
#pragma once
// The kernel tables of this unit. Scalar kernels, the specification, are all that exist so far.

#include <mote/kernels/elementwise.hpp>
#include <mote/kernels/gemm.hpp>
#include <mote/kernels/kernel_table.hpp>
#include <mote/kernels/pool.hpp>

MOTE_BEGIN_NAMESPACE

inline const KernelTable& scalar_kernels() noexcept {
    static constexpr KernelTable table{
        "scalar",
        {"conv2d_f32 (scalar)", kernels::conv_f32_packed_bytes, kernels::conv_f32_pack, kernels::no_scratch_bytes,
         kernels::conv_f32_run},
        {"conv2d_i8 (scalar)", kernels::conv_i8_packed_bytes, kernels::conv_i8_pack, kernels::no_scratch_bytes,
         kernels::conv_i8_run},
        {"depthwise_f32 (scalar)", kernels::conv_f32_packed_bytes, kernels::conv_f32_pack, kernels::no_scratch_bytes,
         kernels::conv_f32_run},
        {"depthwise_i8 (scalar)", kernels::conv_i8_packed_bytes, kernels::conv_i8_pack, kernels::no_scratch_bytes,
         kernels::conv_i8_run},
        kernels::gemm_f32_scratch_bytes,
        kernels::gemm_f32,
        kernels::max_pool<float>,
        kernels::max_pool<std::int8_t>,
        kernels::average_pool_f32,
        kernels::average_pool_i8,
        kernels::add_f32,
        kernels::add_i8,
        kernels::mul_f32,
        kernels::mul_i8,
        kernels::unary_f32,
        kernels::clamp_i8,
        kernels::lookup_i8,
        kernels::affine_f32,
        kernels::softmax_f32,
        kernels::softmax_i8,
        kernels::quantize_i8,
        kernels::dequantize_i8,
        kernels::requantize_i8,
        kernels::move,
        kernels::fill,
    };
    return table;
}

inline const KernelTable& native_kernels() noexcept {
    return scalar_kernels();
}

/// The instruction set of native_kernels().
inline const char* instruction_set() noexcept {
    return native_kernels().instruction_set;
}

MOTE_END_NAMESPACE
