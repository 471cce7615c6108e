// SPDX-License-Identifier: MIT
#pragma once
// What an emitted header includes: the kernels under one name, chosen by target. No arithmetic stands here. C++17, no heap, no
// exceptions, no xsimd. Each function takes a geometry whose members are static constexpr (see core/geometry.hpp for their
// names), so that the compiler knows every bound.

#include <mote/kernels/conv2d.hpp>
#include <mote/kernels/convert.hpp>
#include <mote/kernels/depthwise.hpp>
#include <mote/kernels/detail/arm_m/conv2d.hpp>
#include <mote/kernels/detail/arm_m/depthwise.hpp>
#include <mote/kernels/elementwise.hpp>
#include <mote/kernels/functions.hpp>
#include <mote/kernels/gemm.hpp>
#include <mote/kernels/lookup.hpp>
#include <mote/kernels/move.hpp>
#include <mote/kernels/pool.hpp>
#include <mote/kernels/reduce.hpp>
#include <mote/kernels/resize.hpp>
#include <mote/kernels/softmax.hpp>

MOTE_BEGIN_NAMESPACE

namespace firmware {

// Weights in canonical order [out, kernel_height, kernel_width, in / groups]; biases with the input's zero point folded in;
// conv2d_i8 needs conv2d_i8_scratch_bytes(g) of scratch, depthwise_i8 its own, 8-byte aligned.
using kernels::reference::conv2d_f32;
using kernels::reference::depthwise_f32;
using kernels::tile::conv2d_i8;
using kernels::tile::conv2d_i8_scratch_bytes;
using kernels::tile::depthwise_i8;
using kernels::tile::depthwise_i8_scratch_bytes;

using kernels::reference::arg_max_f32;
using kernels::reference::arg_max_pool_f32;
using kernels::reference::average_pool_f32;
using kernels::reference::average_pool_i8;
using kernels::reference::gemm_f32;
using kernels::reference::max_pool_f32;
using kernels::reference::max_pool_i8;
using kernels::reference::reduce_f32;
using kernels::reference::resize_f32;
using kernels::reference::resize_i8;
using kernels::reference::softmax_f32;
using kernels::reference::softmax_i8;

using kernels::reference::add_f32;
using kernels::reference::add_i8;
using kernels::reference::affine_f32;
using kernels::reference::binary_function_f32;
using kernels::reference::clamp_i8;
using kernels::reference::lookup_i8;
using kernels::reference::mul_f32;
using kernels::reference::mul_i8;
using kernels::reference::prelu_f32;
using kernels::reference::unary_f32;
using kernels::reference::unary_function_f32;

using kernels::reference::dequantize_i8;
using kernels::reference::fill;
using kernels::reference::gather;
using kernels::reference::move;
using kernels::reference::quantize_i8;
using kernels::reference::requantize_i8;

/// Bytes of the arena that a step may use.
struct Gap {
    std::size_t begin, end;
};
inline constexpr std::size_t open = static_cast<std::size_t>(-1);

/// The beginning of the first gap that holds so many bytes. The last is open.
template <std::size_t n>
constexpr std::size_t place(std::size_t bytes, const Gap (&gaps)[n]) noexcept {
    std::size_t i = 0;
    while (i + 1 < n && gaps[i].end - gaps[i].begin < bytes) ++i;
    return gaps[i].begin;
}

/// The bytes of an arena in which values and the steps' scratch end here: the largest, a multiple of 16.
template <class... Ends>
constexpr std::size_t arena_end(Ends... ends) noexcept {
    std::size_t result = 0;
    ((result = ends > result ? ends : result), ...);
    return (result + 15) / 16 * 16;
}

}  // namespace firmware

MOTE_END_NAMESPACE
