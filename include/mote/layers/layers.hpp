// SPDX-License-Identifier: MIT
#pragma once
// All layers, and the type lists that models are made of.

#include <mote/layers/contraction.hpp>
#include <mote/layers/elementwise.hpp>
#include <mote/layers/movement.hpp>
#include <mote/layers/recurrent.hpp>
#include <mote/layers/reduction.hpp>

MOTE_BEGIN_NAMESPACE

template <class... L>
struct LayerList {
    static constexpr std::size_t size = sizeof...(L);
};

/// Layers without parameters: their arithmetic follows their values' elements.
using plain_layers = LayerList<Add, Mul, Concat, Pad, MaxPool2d, AveragePool2d, GlobalAveragePool, Softmax, Relu, Relu6,
                               LeakyRelu, Sigmoid, Tanh, HardSigmoid, HardSwish, Reshape, Flatten, Transpose, Convert>;

/// A tag among a model's precisions: Model<f32, wide> also holds the layers beyond those of image classifiers. Each layer that
/// a model may hold costs each unit that plans it a part of a second.
struct wide {};

namespace detail {
template <class... Lists>
struct joined;
template <class... A>
struct joined<LayerList<A...>> {
    using type = LayerList<A...>;
};
template <class... A, class... B, class... Rest>
struct joined<LayerList<A...>, LayerList<B...>, Rest...> : joined<LayerList<A..., B...>, Rest...> {};

/// What a tag brings into a model: its standard layers, and its further ones, which `wide` lets in.
template <class P>
struct layers_of {
    using standard = LayerList<Conv2d<P>, DepthwiseConv2d<P>, Dense<P>>;
    using further = LayerList<TransposeConv2d<P>, Lstm<P>, Svdf<P>>;
};
template <>
struct layers_of<f32> {
    using standard = LayerList<Conv2d<f32>, DepthwiseConv2d<f32>, Dense<f32>, BatchNorm>;
    using further = LayerList<TransposeConv2d<f32>, Prelu, Lstm<f32>, Gru<f32>, Rnn<f32>, Svdf<f32>>;
};
template <>
struct layers_of<f16> {
    using standard = LayerList<Conv2d<f16>, DepthwiseConv2d<f16>, Dense<f16>>;
    using further = LayerList<>;
};
template <>
struct layers_of<bf16> {
    using standard = LayerList<Conv2d<bf16>, DepthwiseConv2d<bf16>, Dense<bf16>>;
    using further = LayerList<>;
};
template <>
struct layers_of<wide> {
    using standard = LayerList<>;
    using further = LayerList<Resize2d, ArgMaxPool, Unary, Binary, Slice, Gather, Tile, Constant, Reduce, ArgMax, MatMul, Cast,
                              Compare, Bitwise, Where, TopK, ConvInteger2d>;
};

template <bool Wide, class... P>
struct layers_of_tags : joined<plain_layers, typename layers_of<P>::standard...> {};
template <class... P>
struct layers_of_tags<true, P...>
    : joined<plain_layers, typename layers_of<P>::standard..., typename layers_of<P>::further...> {};

template <class L, class List>
struct index_in;
template <class L>
struct index_in<L, LayerList<>> {
    static constexpr std::size_t value = 0;
};
template <class L, class First, class... Rest>
struct index_in<L, LayerList<First, Rest...>> {
    static constexpr std::size_t value = std::is_same_v<L, First> ? 0 : 1 + index_in<L, LayerList<Rest...>>::value;
};
}  // namespace detail

/// The layers that a Model<P...> may hold. P: element tags, and `wide`.
template <class... P>
using standard_layers = typename detail::layers_of_tags<(std::is_same_v<P, wide> || ...), P...>::type;

/// A list with an application's own layers behind it: BasicModel<append<standard_layers<f32>, MyLayer>>.
template <class List, class... L>
using append = typename detail::joined<List, LayerList<L...>>::type;

template <class L, class List>
inline constexpr std::size_t index_in = detail::index_in<L, List>::value;

template <class L, class List>
inline constexpr bool contains = detail::index_in<L, List>::value < List::size;

namespace detail {
/// Whether each layer of the first list is in the second.
template <class List, class Others>
struct within;
template <class... L, class Others>
struct within<LayerList<L...>, Others> : std::bool_constant<(contains<L, Others> && ...)> {};
}  // namespace detail

// An application's own layer may call any kernel.

/// Whether a model of these layers can meet an integer convolution.
template <class List>
inline constexpr bool has_integer_convolutions = !detail::within<List, standard_layers<f32, f16, bf16, wide>>::value;
/// Whether a model of these layers can meet a product of two matrices that are both values.
template <class List>
inline constexpr bool has_matrix_products = !detail::within<List, standard_layers<f32, i8, f16, bf16>>::value;
/// Whether a model of these layers can meet a convolution in floats of 16 bits.
template <class List>
inline constexpr bool has_half_convolutions = !detail::within<List, standard_layers<f32, i8, wide>>::value;

MOTE_END_NAMESPACE
