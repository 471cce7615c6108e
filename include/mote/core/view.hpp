// SPDX-License-Identifier: MIT
#pragma once
// TensorView<P>: a dense array that somebody else holds.

#include <mote/core/precision.hpp>
#include <mote/core/shape.hpp>

#include <type_traits>

MOTE_BEGIN_NAMESPACE

/// `shape.elements()` elements of tag P, row-major; neither owns nor keeps alive. TensorView<const P> is read-only.
template <class P>
struct TensorView {
    using tag = std::remove_const_t<P>;
    using value_type = std::conditional_t<std::is_const_v<P>, const typename tag::value_type, typename tag::value_type>;

    value_type* data = nullptr;
    Shape shape;

    constexpr std::size_t elements() const noexcept { return shape.elements(); }
    /// How many `value_type` the view spans: the elements, or for i4 their packed bytes.
    constexpr std::size_t size() const noexcept { return tag::bits == 4 ? (elements() + 1) / 2 : elements(); }
    constexpr value_type* begin() const noexcept { return data; }
    constexpr value_type* end() const noexcept { return data + size(); }
    constexpr value_type& operator[](std::size_t index) const noexcept { return data[index]; }
    constexpr operator TensorView<const tag>() const noexcept { return {data, shape}; }
};

MOTE_END_NAMESPACE
