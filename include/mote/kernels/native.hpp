// SPDX-License-Identifier: MIT
#pragma once
// The kernel tables of this unit: the scalar definitions, and the kernels of the instruction set that it is compiled for.

#include <mote/kernels/attention.hpp>
#include <mote/kernels/conv2d.hpp>
#include <mote/kernels/convert.hpp>
#include <mote/kernels/depthwise.hpp>
#include <mote/kernels/gemm.hpp>
#include <mote/kernels/kernel_table.hpp>
#include <mote/kernels/lookup.hpp>
#include <mote/kernels/move.hpp>
#include <mote/kernels/pool.hpp>
#include <mote/kernels/recurrent_cell.hpp>
#include <mote/kernels/softmax.hpp>
#if defined(MOTE_VECTORS)
#include <mote/kernels/attention_simd.hpp>
#include <mote/kernels/conv2d_simd.hpp>
#include <mote/kernels/convert_simd.hpp>
#include <mote/kernels/depthwise_simd.hpp>
#include <mote/kernels/elementwise_simd.hpp>
#include <mote/kernels/gemm_simd.hpp>
#include <mote/kernels/lookup_simd.hpp>
#include <mote/kernels/pool_simd.hpp>
#include <mote/kernels/recurrent_cell_simd.hpp>
#include <mote/kernels/softmax_simd.hpp>
#include <mote/kernels/winograd_simd.hpp>
#elif !defined(MOTE_SCALAR)
#error "mote: this target has no vector kernels; define MOTE_SCALAR to ask for scalar ones"
#endif

MOTE_BEGIN_KERNELS

namespace reference {
inline std::size_t no_scratch_bytes(const ConvGeometry&) noexcept {
    return 0;
}
/// There is no other kernel to compare with.
inline double any_cycles(const ConvGeometry&) noexcept {
    return 0;
}
template <class T>
constexpr HalfKernels<T> half_kernels(const char* conv2d, const char* depthwise) noexcept {
    return {
        {conv2d, conv2d_f32_packed_bytes<T>, conv2d_f32_pack<T>, no_scratch_bytes, conv2d_f32_run<T>, any_cycles},
        {depthwise, depthwise_f32_packed_bytes<T>, depthwise_f32_pack<T>, no_scratch_bytes, depthwise_f32_run<T>, any_cycles},
        to_f32<T>,
        from_f32<T>};
}
}  // namespace reference

/// The specification. Like all kernels these belong to the unit's instruction set: its compiler flags made them.
inline const KernelTable& scalar_kernels() noexcept {
    using namespace reference;
    static constexpr KernelTable table{
        "scalar",
        false,
        {},
        {"conv2d_f32 (scalar)", reference::conv2d_f32_packed_bytes<>, reference::conv2d_f32_pack<>, no_scratch_bytes,
         reference::conv2d_f32_run<>, any_cycles},
        {"conv2d_i8 (scalar)", reference::conv2d_i8_packed_bytes, reference::conv2d_i8_pack, no_scratch_bytes,
         reference::conv2d_i8_run, any_cycles},
        {"depthwise_f32 (scalar)", reference::depthwise_f32_packed_bytes<>, reference::depthwise_f32_pack<>, no_scratch_bytes,
         reference::depthwise_f32_run<>, any_cycles},
        {"depthwise_i8 (scalar)", reference::depthwise_i8_packed_bytes, reference::depthwise_i8_pack, no_scratch_bytes,
         reference::depthwise_i8_run, any_cycles},
        reference::gemm_f32_scratch_bytes,
        reference::gemm_f32,
        reference::attention_f32_scratch_bytes,
        reference::attention_f32,
        reference::max_pool_f32,
        reference::max_pool_i8,
        reference::average_pool_f32,
        reference::average_pool_i8,
        reference::add_f32,
        reference::add_i8,
        reference::mul_f32,
        reference::mul_i8,
        reference::unary_f32,
        reference::clamp_i8,
        reference::lookup_i8,
        reference::affine_f32,
        reference::open_cell_f32,
        reference::close_cell_f32,
        reference::softmax_f32,
        reference::softmax_i8,
        reference::quantize_i8,
        reference::dequantize_i8,
        reference::requantize_i8,
        reference::move,
        reference::gather,
        reference::fill,
        half_kernels<half>("conv2d_f16 (scalar)", "depthwise_f16 (scalar)"),
        half_kernels<bfloat>("conv2d_bf16 (scalar)", "depthwise_bf16 (scalar)"),
    };
    return table;
}

#if defined(MOTE_VECTORS)
template <class D>
constexpr HalfKernels<typename D::Input> half_kernels(const char* conv2d, const char* depthwise) noexcept {
    using T = typename D::Input;
    return {{conv2d, conv2d_f32_packed_bytes<D>, conv2d_f32_pack<D>, conv2d_f32_scratch_bytes<D>, conv2d_f32_run<D>,
             reference::any_cycles},
            {depthwise, depthwise_f32_packed_bytes<T>, depthwise_f32_pack<T>, depthwise_f32_scratch_bytes<T>,
             depthwise_f32_run<T>, reference::any_cycles},
            to_f32<T>,
            from_f32<T>};
}

template <bool IntegerConvolutions, bool Gemm, bool Halves>
constexpr KernelTable make_native_kernels() noexcept {
    KernelTable table{
        MOTE_INSTRUCTION_SET_NAME,
        true,
        {},
        {"conv2d_f32 (" MOTE_INSTRUCTION_SET_NAME ")", conv2d_f32_packed_bytes<>, conv2d_f32_pack<>, conv2d_f32_scratch_bytes<>,
         conv2d_f32_run<>, conv2d_f32_cycles<>},
        {},
        {"depthwise_f32 (" MOTE_INSTRUCTION_SET_NAME ")", depthwise_f32_packed_bytes<>, depthwise_f32_pack<>,
         depthwise_f32_scratch_bytes<>, depthwise_f32_run<>, reference::any_cycles},
        {},
        nullptr,
        nullptr,
        nullptr,
        nullptr,
        max_pool_f32<>,
        max_pool_i8<>,
        average_pool_f32<>,
        average_pool_i8<>,
        add_f32<>,
        add_i8<>,
        mul_f32<>,
        mul_i8<>,
        unary_f32<>,
        clamp_i8<>,
        lookup_i8<>,
        affine_f32<>,
        nullptr,
        nullptr,
        softmax_f32<>,
        softmax_i8<>,
        quantize_i8<>,
        dequantize_i8<>,
        requantize_i8<>,
        kernels::move,
        kernels::gather,
        kernels::fill,
        {},
        {},
    };
#if !defined(MOTE_FEW_TILES)
    table.winograd_f32[0] = {"winograd_f32 F(2x2, 3x3) (" MOTE_INSTRUCTION_SET_NAME ")",
                             winograd_f32_packed_bytes<2>,
                             winograd_f32_pack<2>,
                             winograd_f32_scratch_bytes<2>,
                             winograd_f32_run<2>,
                             winograd_f32_cycles<2>};
    table.winograd_f32[1] = {"winograd_f32 F(4x4, 3x3) (" MOTE_INSTRUCTION_SET_NAME ")",
                             winograd_f32_packed_bytes<4>,
                             winograd_f32_pack<4>,
                             winograd_f32_scratch_bytes<4>,
                             winograd_f32_run<4>,
                             winograd_f32_cycles<4>};
#endif
    if constexpr (Gemm) {
        table.gemm_f32_scratch_bytes = gemm_f32_scratch_bytes<>;
        table.gemm_f32 = gemm_f32<>;
        table.attention_f32_scratch_bytes = attention_f32_scratch_bytes<>;
        table.attention_f32 = attention_f32<>;
        table.open_cell_f32 = open_cell_f32<>;
        table.close_cell_f32 = close_cell_f32<>;
    }
    if constexpr (IntegerConvolutions) {  // a third of what a table costs to compile
        table.conv2d_i8 = {"conv2d_i8 (" MOTE_INSTRUCTION_SET_NAME ")",
                           conv2d_i8_packed_bytes<>,
                           conv2d_i8_pack<>,
                           conv2d_i8_scratch_bytes<>,
                           conv2d_i8_run<>,
                           reference::any_cycles};
        table.depthwise_i8 = {"depthwise_i8 (" MOTE_INSTRUCTION_SET_NAME ")",
                              depthwise_i8_packed_bytes<>,
                              depthwise_i8_pack<>,
                              depthwise_i8_scratch_bytes<>,
                              depthwise_i8_run<>,
                              reference::any_cycles};
    }
    if constexpr (Halves) {
        table.f16 = half_kernels<simd::DotF16>("conv2d_f16 (" MOTE_INSTRUCTION_SET_NAME ")",
                                               "depthwise_f16 (" MOTE_INSTRUCTION_SET_NAME ")");
        table.bf16 = half_kernels<simd::DotBf16>("conv2d_bf16 (" MOTE_INSTRUCTION_SET_NAME ")",
                                                 "depthwise_bf16 (" MOTE_INSTRUCTION_SET_NAME ")");
    }
    return table;
}

/// The kernels of the instruction set that this unit is compiled for; what costs much to compile is null where not asked for:
/// conv2d_i8 and depthwise_i8; gemm_f32, attention_f32 and what recurrent layers call; f16 and bf16.
template <bool IntegerConvolutions = true, bool Gemm = true, bool Halves = true>
const KernelTable& native_kernels() noexcept {
    static constexpr KernelTable table = make_native_kernels<IntegerConvolutions, Gemm, Halves>();
    return table;
}
#else
template <bool IntegerConvolutions = true, bool Gemm = true, bool Halves = true>
const KernelTable& native_kernels() noexcept {
    return scalar_kernels();
}
#endif

MOTE_END_KERNELS

MOTE_BEGIN_NAMESPACE

using kernels::native_kernels;
using kernels::scalar_kernels;

/// The instruction set of native_kernels().
template <class Lazy = void>
const char* instruction_set() noexcept {
    return native_kernels().instruction_set;
}

MOTE_END_NAMESPACE
