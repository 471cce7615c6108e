// SPDX-License-Identifier: MIT
#pragma once
// Quantization of one tensor by one scale: real = scale * (q - zero_point).

#include <mote/core/config.hpp>

#include <cstdint>

MOTE_BEGIN_NAMESPACE

struct QuantizationParams {
    float scale = 1.0f;
    std::int32_t zero_point = 0;

    friend constexpr bool operator==(const QuantizationParams& a, const QuantizationParams& b) noexcept {
        return a.scale == b.scale && a.zero_point == b.zero_point;
    }
    friend constexpr bool operator!=(const QuantizationParams& a, const QuantizationParams& b) noexcept { return !(a == b); }
};

/// Whether a scale can be computed with: finite, positive and normal (DESIGN, numbers).
constexpr bool usable_scale(float scale) noexcept {
    return scale >= 1.17549435e-38f && scale <= 3.40282347e+38f;
}

MOTE_END_NAMESPACE
