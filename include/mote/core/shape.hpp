// SPDX-License-Identifier: MIT
#pragma once
// Shape: the extents of a dense array, row-major, of rank at most 8; it never allocates.

#include <mote/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>

MOTE_BEGIN_NAMESPACE

class Shape {
  public:
    static constexpr std::size_t max_rank = 8;

    /// Rank 0: one element.
    constexpr Shape() noexcept = default;

    template <class... Extent>
    constexpr Shape(std::size_t first, Extent... rest) noexcept
        : extents_{first, static_cast<std::size_t>(rest)...}, rank_{static_cast<std::uint8_t>(1 + sizeof...(rest))} {
        static_assert(1 + sizeof...(rest) <= max_rank, "mote: a shape has at most 8 axes");
    }

    /// `rank` extents of 1. A rank above 8 counts as 8.
    static constexpr Shape ones(std::size_t rank) noexcept {
        Shape shape;
        shape.rank_ = static_cast<std::uint8_t>(rank < max_rank ? rank : max_rank);
        for (std::size_t axis = 0; axis < shape.rank_; ++axis) shape.extents_[axis] = 1;
        return shape;
    }

    constexpr std::size_t rank() const noexcept { return rank_; }
    constexpr std::size_t operator[](std::size_t axis) const noexcept { return extents_[axis]; }
    constexpr std::size_t& operator[](std::size_t axis) noexcept { return extents_[axis]; }
    constexpr const std::size_t* begin() const noexcept { return extents_; }
    constexpr const std::size_t* end() const noexcept { return extents_ + rank_; }
    constexpr std::size_t back() const noexcept { return rank_ == 0 ? 1 : extents_[rank_ - 1u]; }

    /// The number of elements; `absurd` where the product does not fit.
    constexpr std::size_t elements() const noexcept {
        std::size_t product = 1;
        bool zero = false;
        bool overflow = false;
        for (const std::size_t extent : *this) {
            if (extent == 0) {
                zero = true;
            } else if (product > absurd / extent) {
                overflow = true;
            } else {
                product *= extent;
            }
        }
        return zero ? 0 : overflow ? absurd : product;
    }
    static constexpr std::size_t absurd = static_cast<std::size_t>(-1) / 16;

    /// Elements between neighbours along `axis`.
    constexpr std::size_t stride(std::size_t axis) const noexcept {
        std::size_t product = 1;
        for (std::size_t i = axis + 1; i < rank_; ++i) product *= extents_[i];
        return product;
    }

    friend constexpr bool operator==(const Shape& a, const Shape& b) noexcept {
        if (a.rank_ != b.rank_) return false;
        for (std::size_t axis = 0; axis < a.rank_; ++axis) {
            if (a.extents_[axis] != b.extents_[axis]) return false;
        }
        return true;
    }
    friend constexpr bool operator!=(const Shape& a, const Shape& b) noexcept { return !(a == b); }

  private:
    std::size_t extents_[max_rank] = {};
    std::uint8_t rank_ = 0;
};

/// The shape to which both repeat: axes are aligned at the last, an axis that is missing or of extent 1 repeats. False where
/// two extents differ otherwise.
constexpr bool broadcast(const Shape& a, const Shape& b, Shape& to) noexcept {
    to = Shape::ones(a.rank() > b.rank() ? a.rank() : b.rank());
    for (const Shape* from : {&a, &b}) {
        const std::size_t lead = to.rank() - from->rank();
        for (std::size_t axis = 0; axis < from->rank(); ++axis) {
            const std::size_t extent = (*from)[axis];
            std::size_t& known = to[lead + axis];
            if (known != extent && known != 1 && extent != 1) return false;
            if (known == 1) known = extent;
        }
    }
    return true;
}

MOTE_END_NAMESPACE
