// SPDX-License-Identifier: MIT
#pragma once
// Movement of elements of 1, 2, 4 or 8 bytes: strided copies of rank <= 8, and fill. The same code serves all instruction sets:
// runs that lie dense on both sides are copied whole.

#include <mote/core/geometry.hpp>
#include <mote/simd/instruction_set.hpp>

#include <cstddef>

MOTE_BEGIN_KERNELS

namespace reference {

/// Element [i0, i1, ...] of the output at sum(i * output_stride) comes from sum(i * input_stride), in elements. Output and
/// input do not overlap. An extent of 0 moves nothing; rank 0 moves one element.
template <class G>
void move(const G& g, std::size_t element_bytes, const void* input, void* output) noexcept {
    const auto size = static_cast<std::ptrdiff_t>(element_bytes);
    std::int32_t index[8] = {};
    std::ptrdiff_t from = 0;
    std::ptrdiff_t to = 0;
    for (std::int32_t axis = 0; axis < g.rank; ++axis) {
        if (g.extent[axis] <= 0) return;
    }
    for (;;) {
        for (std::ptrdiff_t byte = 0; byte < size; ++byte) {
            static_cast<char*>(output)[to * size + byte] = static_cast<const char*>(input)[from * size + byte];
        }
        std::int32_t axis = g.rank - 1;
        for (; axis >= 0; --axis) {
            from += g.input_stride[axis];
            to += g.output_stride[axis];
            if (++index[axis] < g.extent[axis]) break;
            from -= std::ptrdiff_t{g.extent[axis]} * g.input_stride[axis];
            to -= std::ptrdiff_t{g.extent[axis]} * g.output_stride[axis];
            index[axis] = 0;
        }
        if (axis < 0) return;
    }
}

/// Fills `count` elements with the element at `value`.
inline void fill(std::size_t count, std::size_t element_bytes, const void* value, void* output) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t byte = 0; byte < element_bytes; ++byte) {
            static_cast<char*>(output)[i * element_bytes + byte] = static_cast<const char*>(value)[byte];
        }
    }
}

}  // namespace reference

MOTE_END_KERNELS
