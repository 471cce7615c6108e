// SPDX-License-Identifier: MIT
#pragma once
// The kernel tables of this unit. Scalar kernels, the specification, are all that exist so far.

#include <mote/kernels/conv2d.hpp>
#include <mote/kernels/convert.hpp>
#include <mote/kernels/depthwise.hpp>
#include <mote/kernels/gemm.hpp>
#include <mote/kernels/kernel_table.hpp>
#include <mote/kernels/lookup.hpp>
#include <mote/kernels/move.hpp>
#include <mote/kernels/pool.hpp>
#include <mote/kernels/softmax.hpp>

MOTE_BEGIN_NAMESPACE

inline const KernelTable& scalar_kernels() noexcept {
    static constexpr KernelTable table{
        "scalar",
        {"conv2d_f32 (scalar)", kernels::conv_f32_packed_bytes, kernels::conv_f32_pack, kernels::no_scratch_bytes,
         kernels::conv_f32_run},
        {"conv2d_i8 (scalar)", kernels::conv_i8_packed_bytes, kernels::conv_i8_pack, kernels::no_scratch_bytes,
         kernels::conv_i8_run},
        {"depthwise_f32 (scalar)", kernels::reference::depthwise_f32_packed_bytes, kernels::reference::depthwise_f32_pack,
         kernels::no_scratch_bytes, kernels::reference::depthwise_f32_run},
        {"depthwise_i8 (scalar)", kernels::reference::depthwise_i8_packed_bytes, kernels::reference::depthwise_i8_pack,
         kernels::no_scratch_bytes, kernels::reference::depthwise_i8_run},
        kernels::gemm_f32_scratch_bytes,
        kernels::gemm_f32,
        kernels::reference::max_pool_f32,
        kernels::reference::max_pool_i8,
        kernels::reference::average_pool_f32,
        kernels::reference::average_pool_i8,
        kernels::reference::add_f32,
        kernels::reference::add_i8,
        kernels::reference::mul_f32,
        kernels::reference::mul_i8,
        kernels::reference::unary_f32,
        kernels::reference::clamp_i8,
        kernels::reference::lookup_i8,
        kernels::reference::affine_f32,
        kernels::reference::softmax_f32,
        kernels::reference::softmax_i8,
        kernels::reference::quantize_i8,
        kernels::reference::dequantize_i8,
        kernels::reference::requantize_i8,
        kernels::reference::move,
        kernels::reference::fill,
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
