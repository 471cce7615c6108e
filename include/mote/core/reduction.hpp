// SPDX-License-Identifier: MIT
#pragma once
// Reduction: how several numbers become one. Layers name it, kernels compute it.

#include <mote/core/config.hpp>

#include <cstdint>

MOTE_BEGIN_NAMESPACE

/// Of n numbers x: sum(x), sum(x) / n, the largest, the smallest, the product, sum(|x|), sqrt(sum(x^2)), log(sum(x)),
/// log(sum(exp(x))), sum(x^2).
enum class Reduction : std::uint8_t { sum, mean, max, min, prod, l1, l2, log_sum, log_sum_exp, sum_square };

inline constexpr int reduction_count = 10;

MOTE_END_NAMESPACE
