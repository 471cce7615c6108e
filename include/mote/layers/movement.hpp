// SPDX-License-Identifier: MIT
#pragma once
// Layers that move elements and compute nothing: Concat, Pad, Reshape, Flatten, Transpose,
// Slice, Gather, Tile; and the one that has no input, Constant.

#include <mote/layers/fields.hpp>

MOTE_BEGIN_NAMESPACE

/// The inputs one after the other along `axis` (negative: from the end).
struct Concat {
    std::int32_t axis = -1;
    static constexpr const char* kind = "Concat";
    static constexpr Family family = Family::movement;
    static constexpr auto fields = list_fields(Field{"axis", &Concat::axis});
};

/// Adds before[a] and after[a] elements of real value `value` along each axis a; both have the input's rank.
struct Pad {
    std::vector<std::size_t> before{};
    std::vector<std::size_t> after{};
    float value = 0.0f;
    static constexpr const char* kind = "Pad";
    static constexpr Family family = Family::movement;
    static constexpr auto fields =
        list_fields(Field{"before", &Pad::before}, Field{"after", &Pad::after}, Field{"value", &Pad::value});
};

/// The same elements under `shape`, the batch (first axis) included: 0 keeps the input's extent, one -1 takes the rest.
struct Reshape {
    std::vector<std::int64_t> shape{};
    static constexpr const char* kind = "Reshape";
    static constexpr Family family = Family::movement;
    static constexpr auto fields = list_fields(Field{"shape", &Reshape::shape});
};

/// [batch, ...] -> [batch, elements]
struct Flatten {
    static constexpr const char* kind = "Flatten";
    static constexpr Family family = Family::movement;
    static constexpr auto fields = list_fields();
};

/// Output axis a is input axis order[a].
struct Transpose {
    std::vector<std::size_t> order{};
    static constexpr const char* kind = "Transpose";
    static constexpr Family family = Family::movement;
    static constexpr auto fields = list_fields(Field{"order", &Transpose::order});
};

/// Along each axis a: size[a] elements from begin[a] on, stride[a] apart, backwards where that is negative; a size of -1 takes
/// all there are. All three have the input's rank.
struct Slice {
    std::vector<std::size_t> begin{};
    std::vector<std::int64_t> size{};
    std::vector<std::int64_t> stride{};
    static constexpr const char* kind = "Slice";
    static constexpr Family family = Family::movement;
    static constexpr auto fields =
        list_fields(Field{"begin", &Slice::begin}, Field{"size", &Slice::size}, Field{"stride", &Slice::stride});
};

/// The positions `indices` of `axis` (negative: from the end), whose place their axes take: [a, extent, b] -> [a, indices...,
/// b].
struct Gather {
    std::int32_t axis = 0;
    Tensor<i32> indices{};
    static constexpr const char* kind = "Gather";
    static constexpr Family family = Family::movement;
    static constexpr auto fields = list_fields(Field{"axis", &Gather::axis}, Field{"indices", &Gather::indices});
};

/// The input repeats[a] times along each axis a.
struct Tile {
    std::vector<std::size_t> repeats{};
    static constexpr const char* kind = "Tile";
    static constexpr Family family = Family::movement;
    static constexpr auto fields = list_fields(Field{"repeats", &Tile::repeats});
};

/// A value of its own, without inputs: `bytes` are the elements in row-major order, and bear their quantization.
struct Constant {
    Element element = Element::f32;
    std::vector<std::size_t> shape{};
    Tensor<u8> bytes{};
    static constexpr const char* kind = "Constant";
    static constexpr Family family = Family::movement;
    static constexpr auto fields =
        list_fields(Field{"element", &Constant::element}, Field{"shape", &Constant::shape}, Field{"bytes", &Constant::bytes});
};

/// The tensor as a layer.
template <class P>
Constant constant_of(Tensor<P> tensor) {
    const auto owner = std::make_shared<const Tensor<P>>(std::move(tensor));
    const Shape& shape = owner->shape();
    Constant layer{P::element, {shape.begin(), shape.end()}, {}};
    layer.bytes = Tensor<u8>::borrow(Shape{owner->bytes()}, reinterpret_cast<const std::uint8_t*>(owner->data()), owner);
    layer.bytes.set_quantization(owner->quantization());
    return layer;
}

MOTE_END_NAMESPACE
