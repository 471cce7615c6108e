// SPDX-License-Identifier: MIT
#pragma once
// Windows over NHWC images: which pixels lie under an output, and where no tap falls into the padding.

#include <mote/core/geometry.hpp>
#include <mote/simd/instruction_set.hpp>

#include <cstddef>

MOTE_BEGIN_KERNELS

/// Calls visit(tap, input pixel) for each tap of one output pixel; input pixel is -1 in padding.
template <class G, class Visit>
MOTE_ALWAYS_INLINE void for_each_tap(const G& g, std::int32_t out_y, std::int32_t out_x, Visit&& visit) {
    for (std::int32_t ky = 0; ky < g.kernel_height; ++ky) {
        const std::int32_t y = out_y * g.stride_height - g.pad_top + ky * g.dilation_height;
        for (std::int32_t kx = 0; kx < g.kernel_width; ++kx) {
            const std::int32_t x = out_x * g.stride_width - g.pad_left + kx * g.dilation_width;
            const bool inside = y >= 0 && y < g.in_height && x >= 0 && x < g.in_width;
            visit(ky * g.kernel_width + kx, inside ? y * g.in_width + x : -1);
        }
    }
}

/// The taps begin <= tap < end of one axis that lie in the image.
struct TapRange {
    std::int32_t begin, end;
};

/// `at` is where the axis' first tap lies; taps are `dilation` apart.
MOTE_ALWAYS_INLINE TapRange taps_inside(std::int32_t at, std::int32_t dilation, std::int32_t taps,
                                        std::int32_t image) noexcept {
    const std::int32_t begin = at >= 0 ? 0 : (-at + dilation - 1) / dilation;
    const std::int32_t room = image - at;  // the taps at * dilation < room lie in the image
    std::int32_t end = room <= 0 ? 0 : (room + dilation - 1) / dilation;
    end = end < taps ? end : taps;
    return {begin < end ? begin : end, end};
}

MOTE_END_KERNELS
