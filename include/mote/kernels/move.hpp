// SPDX-License-Identifier: MIT
#pragma once
// Movement of elements of 1, 2, 4 or 8 bytes: strided copies of rank <= 8, rows chosen by index, and fill. First the
// definitions, then what runs on every instruction set: axes that can be walked as one are joined, runs that lie dense on both
// sides are copied whole, two that alternate are interleaved (a shuffle of two groups of channels), and transposed planes go in
// tiles, so that neither side's cache lines are left half used.

#include <mote/core/geometry.hpp>
#include <mote/simd/instruction_set.hpp>
#if defined(MOTE_VECTORS)
#include <mote/simd/interleave.hpp>
#endif

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

/// Rows chosen by index, each index in [0, extent); see GatherGeometry. Output and input do not overlap.
template <class G>
void gather(const G& g, std::size_t element_bytes, const std::int32_t* index, const void* input, void* output) noexcept {
    const std::size_t row = static_cast<std::size_t>(g.inner) * element_bytes;
    const char* from = static_cast<const char*>(input);
    char* to = static_cast<char*>(output);
    for (std::int32_t o = 0; o < g.outer; ++o, from += static_cast<std::size_t>(g.extent) * row) {
        for (std::int32_t k = 0; k < g.count; ++k, to += row) {
            const char* start = from + static_cast<std::size_t>(index[k]) * row;
            for (std::size_t byte = 0; byte < row; ++byte) to[byte] = start[byte];
        }
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

namespace movement {

MOTE_ALWAYS_INLINE std::ptrdiff_t magnitude(std::ptrdiff_t stride) noexcept {
    return stride < 0 ? -stride : stride;
}

/// The same movement with the output's steps falling from axis to axis, without axes of extent 1, adjacent axes joined where
/// both sides allow. False where nothing moves.
inline bool simplified(const MoveGeometry& g, MoveGeometry& to) noexcept {
    to.rank = 0;
    for (std::int32_t axis = 0; axis < g.rank; ++axis) {
        if (g.extent[axis] <= 0) return false;
        if (g.extent[axis] == 1) continue;
        std::int32_t at = to.rank++;
        for (; at > 0 && magnitude(to.output_stride[at - 1]) < magnitude(g.output_stride[axis]); --at) {
            to.extent[at] = to.extent[at - 1];
            to.input_stride[at] = to.input_stride[at - 1];
            to.output_stride[at] = to.output_stride[at - 1];
        }
        to.extent[at] = g.extent[axis];
        to.input_stride[at] = g.input_stride[axis];
        to.output_stride[at] = g.output_stride[axis];
    }
    std::int32_t last = 0;
    for (std::int32_t axis = 1; axis < to.rank; ++axis) {
        const std::ptrdiff_t extent = to.extent[axis];
        if (to.input_stride[last] == to.input_stride[axis] * extent &&
            to.output_stride[last] == to.output_stride[axis] * extent && to.extent[last] <= 0x7fffffff / extent) {
            to.extent[last] *= to.extent[axis];
        } else {
            to.extent[++last] = to.extent[axis];
        }
        to.input_stride[last] = to.input_stride[axis];
        to.output_stride[last] = to.output_stride[axis];
    }
    if (to.rank > 0) to.rank = last + 1;
    return true;
}

/// A plane of elements: `inner` runs along the last axis.
struct Plane {
    std::ptrdiff_t outer, inner;
    std::ptrdiff_t input_outer, input_inner, output_outer, output_inner;
};

template <class T>
void move_plane(const Plane& p, const char* input, char* output) noexcept {
    constexpr std::ptrdiff_t size = sizeof(T);
    if (p.input_inner == 1 && p.output_inner == 1) {
        for (std::ptrdiff_t i = 0; i < p.outer; ++i) {
            __builtin_memcpy(output + i * p.output_outer * size, input + i * p.input_outer * size,
                             static_cast<std::size_t>(p.inner * size));
        }
        return;
    }
#if defined(MOTE_VECTORS)
    if (p.inner == 2 && p.output_inner == 1 && p.output_outer == 2 && p.input_outer == 1) {
        return simd::interleave<size>(output, input, input + p.input_inner * size, p.outer);
    }
#endif
    constexpr std::ptrdiff_t tile = 32;  // elements a side: a tile's lines stay in the first cache
    for (std::ptrdiff_t first = 0; first < p.outer; first += tile) {
        const std::ptrdiff_t end = first + tile < p.outer ? first + tile : p.outer;
        for (std::ptrdiff_t start = 0; start < p.inner; start += tile) {
            const std::ptrdiff_t stop = start + tile < p.inner ? start + tile : p.inner;
            for (std::ptrdiff_t i = first; i < end; ++i) {
                const char* from = input + (i * p.input_outer + start * p.input_inner) * size;
                char* to = output + (i * p.output_outer + start * p.output_inner) * size;
                for (std::ptrdiff_t j = start; j < stop; ++j, from += p.input_inner * size, to += p.output_inner * size) {
                    __builtin_memcpy(to, from, sizeof(T));
                }
            }
        }
    }
}

template <class T>
void move(const MoveGeometry& g, const char* input, char* output) noexcept {
    MoveGeometry m;
    if (!simplified(g, m)) return;
    Plane plane{1, 1, 0, 1, 0, 1};
    std::int32_t outer_axes = m.rank;
    if (m.rank > 0) {
        const std::int32_t inner = --outer_axes;
        plane.inner = m.extent[inner];
        plane.input_inner = m.input_stride[inner];
        plane.output_inner = m.output_stride[inner];
    }
    if (outer_axes > 0) {
        // The plane's other axis is the one along which the input lies closest.
        std::int32_t other = outer_axes - 1;
        for (std::int32_t axis = 0; axis < outer_axes; ++axis) {
            if (magnitude(m.input_stride[axis]) < magnitude(m.input_stride[other])) other = axis;
        }
        plane.outer = m.extent[other];
        plane.input_outer = m.input_stride[other];
        plane.output_outer = m.output_stride[other];
        for (std::int32_t axis = other; axis + 1 < outer_axes; ++axis) {
            m.extent[axis] = m.extent[axis + 1];
            m.input_stride[axis] = m.input_stride[axis + 1];
            m.output_stride[axis] = m.output_stride[axis + 1];
        }
        --outer_axes;
    }
    constexpr std::ptrdiff_t size = sizeof(T);
    std::int32_t index[8] = {};
    for (;;) {
        move_plane<T>(plane, input, output);
        std::int32_t axis = outer_axes - 1;
        for (; axis >= 0; --axis) {
            input += std::ptrdiff_t{m.input_stride[axis]} * size;
            output += std::ptrdiff_t{m.output_stride[axis]} * size;
            if (++index[axis] < m.extent[axis]) break;
            input -= std::ptrdiff_t{m.extent[axis]} * m.input_stride[axis] * size;
            output -= std::ptrdiff_t{m.extent[axis]} * m.output_stride[axis] * size;
            index[axis] = 0;
        }
        if (axis < 0) return;
    }
}

template <class T>
void fill(std::size_t count, const void* value, char* output) noexcept {
    T element;
    __builtin_memcpy(&element, value, sizeof(T));
    for (std::size_t i = 0; i < count; ++i) __builtin_memcpy(output + i * sizeof(T), &element, sizeof(T));
}

}  // namespace movement

inline void move(const MoveGeometry& g, std::size_t element_bytes, const void* input, void* output) noexcept {
    const char* from = static_cast<const char*>(input);
    char* to = static_cast<char*>(output);
    switch (element_bytes) {
        case 1:
            return movement::move<std::uint8_t>(g, from, to);
        case 2:
            return movement::move<std::uint16_t>(g, from, to);
        case 4:
            return movement::move<std::uint32_t>(g, from, to);
        case 8:
            return movement::move<std::uint64_t>(g, from, to);
        default:
            return reference::move(g, element_bytes, input, output);
    }
}

inline void gather(const GatherGeometry& g, std::size_t element_bytes, const std::int32_t* index, const void* input,
                   void* output) noexcept {
    const std::size_t row = static_cast<std::size_t>(g.inner) * element_bytes;
    const char* from = static_cast<const char*>(input);
    char* to = static_cast<char*>(output);
    for (std::int32_t o = 0; o < g.outer; ++o, from += static_cast<std::size_t>(g.extent) * row) {
        for (std::int32_t k = 0; k < g.count; ++k, to += row) {
            __builtin_memcpy(to, from + static_cast<std::size_t>(index[k]) * row, row);
        }
    }
}

inline void fill(std::size_t count, std::size_t element_bytes, const void* value, void* output) noexcept {
    char* to = static_cast<char*>(output);
    switch (element_bytes) {
        case 1:
            return movement::fill<std::uint8_t>(count, value, to);
        case 2:
            return movement::fill<std::uint16_t>(count, value, to);
        case 4:
            return movement::fill<std::uint32_t>(count, value, to);
        case 8:
            return movement::fill<std::uint64_t>(count, value, to);
        default:
            return reference::fill(count, element_bytes, value, output);
    }
}

MOTE_END_KERNELS
