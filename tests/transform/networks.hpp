// SPDX-License-Identifier: MIT
#pragma once
// Small networks with random parameters, and parameters set to zero by hand: what the tests of transforms share.

#include <mote/core/random.hpp>
#include <mote/engine/evaluate.hpp>
#include <mote/model/builder.hpp>

#include <cmath>

namespace networks {

using namespace mote;

inline Tensor<f32> normal(Random& random, const Shape& shape, float size) {
    Tensor<f32> tensor(shape);
    for (float& x : tensor.values()) x = size * random.normal();
    return tensor;
}
inline Tensor<f32> weight(Random& random, const Shape& shape) {
    return normal(random, shape, 1.4f / std::sqrt(static_cast<float>(shape.elements() / shape[0])));
}
inline Conv2d<f32> conv(Random& random, std::size_t in, std::size_t out, std::size_t kernel = 3, std::size_t groups = 1) {
    Conv2d<f32> layer{weight(random, {out, kernel, kernel, in / groups}), normal(random, Shape{out}, 0.2f)};
    layer.padding = uniform_padding(kernel / 2);
    layer.groups = groups;
    return layer;
}
inline DepthwiseConv2d<f32> depthwise(Random& random, std::size_t in, std::size_t multiplier = 1) {
    DepthwiseConv2d<f32> layer{weight(random, {in * multiplier, 3, 3, 1}), normal(random, Shape{in * multiplier}, 0.2f)};
    layer.padding = uniform_padding(1);
    layer.multiplier = multiplier;
    return layer;
}
inline Dense<f32> dense(Random& random, std::size_t in, std::size_t out) {
    return {weight(random, {out, in}), normal(random, Shape{out}, 0.2f)};
}
inline BatchNorm norm(Random& random, std::size_t channels) {
    BatchNorm layer{normal(random, Shape{channels}, 0.2f), normal(random, Shape{channels}, 0.2f),
                    normal(random, Shape{channels}, 0.2f), normal(random, Shape{channels}, 0.2f)};
    for (float& x : layer.scale.values()) x += 1.0f;
    for (float& x : layer.variance.values()) x = 0.5f + x * x;
    return layer;
}

/// Everything that channels go through: BatchNorm, a residual Add, depthwise, squeeze-excite, Concat, pooling, Transpose,
/// Reshape, Flatten -> Dense. Input [1, 6, 6, 3], output [1, 5]. No activation in it moves zero.
inline Model<f32, wide> mixed(std::uint64_t seed) {
    Random random(seed);
    ModelBuilder<f32, wide> b;
    const auto image = b.input("image", {1, 6, 6, 3});
    const auto stem = b.add(conv(random, 3, 8), image, {.name = "stem"});
    const auto x = b.add(Relu{}, b.add(norm(random, 8), stem, {.name = "stem_norm"}));
    // residual
    auto y = b.add(Relu6{}, b.add(conv(random, 8, 6), x, {.name = "narrow"}));
    y = b.add(norm(random, 8), b.add(conv(random, 6, 8), y, {.name = "wide"}), {.name = "wide_norm"});
    const auto sum = b.add(Relu{}, b.add(Add{}, {x, y}, {.name = "residual"}));
    // depthwise, squeeze-excite
    auto z = b.add(HardSwish{}, b.add(conv(random, 8, 10, 1), sum, {.name = "expand"}));
    z = b.add(LeakyRelu{0.1f}, b.add(depthwise(random, 10, 2), z, {.name = "depth"}));
    auto gate = b.add(Relu{}, b.add(conv(random, 20, 4, 1), b.add(GlobalAveragePool{}, z), {.name = "squeeze"}));
    gate = b.add(Sigmoid{}, b.add(conv(random, 4, 20, 1), gate, {.name = "excite"}));
    z = b.add(Mul{}, {z, gate}, {.name = "gated"});
    // concat
    const auto side = b.add(Tanh{}, b.add(conv(random, 8, 6, 3, 2), sum, {.name = "side"}));
    const auto both = b.add(Concat{}, {z, side, sum}, {.name = "concat"});
    const auto mixed = b.add(conv(random, 34, 6, 1), both, {.name = "mix"});
    const auto pooled = b.add(MaxPool2d{.kernel = {2, 2}, .stride = {2, 2}, .padding = {}}, mixed);
    const auto turned = b.add(Transpose{{0, 3, 1, 2}}, pooled);
    const auto shaped = b.add(Reshape{{0, 6, 9}}, turned, {.name = "shaped"});
    const auto flat = b.add(Flatten{}, shaped);
    const auto hidden = b.add(Relu{}, b.add(dense(random, 54, 12), flat, {.name = "hidden"}));
    b.output("logits", b.add(dense(random, 12, 5), hidden, {.name = "head"}));
    return b.build();
}

/// Channels through slices, a reversal, a shuffle by index, a tile; a constant that is added to some of them.
inline Model<f32, wide> parted(std::uint64_t seed) {
    Random random(seed);
    ModelBuilder<f32, wide> b;
    const auto all = [](std::size_t begin, std::int64_t size, std::int64_t stride) {
        return Slice{{0, 0, 0, begin}, {-1, -1, -1, size}, {1, 1, 1, stride}};
    };
    const auto x = b.add(Relu{}, b.add(conv(random, 2, 12), b.input("image", {1, 4, 4, 2}), {.name = "stem"}));
    const auto head = b.add(Relu{}, b.add(conv(random, 5, 4), b.add(all(0, 5, 1), x, {.name = "front"}), {.name = "left"}));
    const auto back = b.add(all(11, 7, -1), x, {.name = "back"});
    const auto some = b.add(Slice{{0, 3, 0, 0}, {-1, 2, -1, -1}, {1, -2, 1, 1}}, back, {.name = "rows"});
    const auto both = b.add(Concat{1}, {b.add(Tile{{1, 2, 1, 1}}, back), some});
    const auto mixed = b.add(Gather{3, Tensor<i32>(Shape{8}, {6, 0, 3, 3, 1, 5, 2, 4})}, both, {.name = "shuffle"});
    const auto right = b.add(Relu{}, b.add(conv(random, 8, 6), mixed, {.name = "right"}));
    const auto sum = b.add(Add{}, {b.add(conv(random, 4, 3), head, {.name = "fixed"}),
                                   b.add(constant_of(normal(random, {1, 4, 4, 3}, 1.0f)), {})});
    const auto flat = b.add(Concat{-1}, {b.add(Flatten{}, b.add(GlobalAveragePool{}, right)), b.add(Flatten{}, sum)});
    b.output("logits", b.add(dense(random, 54, 5), flat, {.name = "head"}));
    return b.build();
}

/// conv -> relu -> global pool -> dense -> softmax, [1, 6, 6, 2] -> [1, 4]
inline Model<f32, wide> plain(std::uint64_t seed, std::size_t outputs = 4) {
    Random random(seed);
    ModelBuilder<f32, wide> b;
    auto x = b.input("image", {1, 6, 6, 2});
    x = b.add(Relu{}, b.add(conv(random, 2, 8), x, {.name = "first"}), {.name = "first_relu"});
    x = b.add(Relu{}, b.add(conv(random, 8, 6), x, {.name = "second"}), {.name = "second_relu"});
    x = b.add(Flatten{}, b.add(GlobalAveragePool{}, x));
    x = b.add(dense(random, 6, outputs), x, {.name = "head"});
    b.output("probabilities", b.add(Softmax{}, x, {.name = "softmax"}));
    return b.build();
}

inline Tensor<f32> samples(std::uint64_t seed, const Shape& shape) {
    Random random(seed);
    return normal(random, shape, 1.0f);
}

/// The graph with one index of one axis of a parameter set to a number.
template <class List>
void set_slice(Graph<List>& graph, std::size_t node, std::string_view field, std::size_t axis, std::size_t index, float value) {
    Node& changed = graph.nodes[node];
    changed.layer = visit(graph, changed, [&]<class L>(const L& layer) {
        L next = layer;
        for_each_field(next, [&](const auto& f, auto& member) {
            if constexpr (std::is_same_v<std::remove_cvref_t<decltype(member)>, Tensor<f32>>) {
                if (field != f.name) return;
                const std::size_t stride = member.shape().stride(axis), extent = member.shape()[axis];
                for (std::size_t i = 0; i < member.elements(); ++i) {
                    if (i / stride % extent == index) member[i] = value;
                }
            }
        });
        return make_erased(std::move(next));
    });
}

/// The node of that name, as an L.
template <class L, class List>
const L& layer(const BasicModel<List>& model, std::string_view name) {
    for (const Node& node : model.nodes()) {
        if (node.name == name && get_if<L>(model, node) != nullptr) return *get_if<L>(model, node);
    }
    fail(concat("no node '", name, "' of this kind"));
}

/// The largest difference of the models' outputs on random inputs, as a share of the largest output.
template <class A, class B>
double difference(const BasicModel<A>& a, const BasicModel<B>& b, std::uint64_t seed = 99) {
    Engine one(a), two(b);
    Random random(seed);
    double most = 0.0, range = 1e-30;
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < one.inputs(); ++i) {
            const Tensor<f32> input = normal(random, one.input_value(i).shape, 1.0f);
            set_input(one, i, input);
            set_input(two, i, input);
        }
        one.run();
        two.run();
        for (std::size_t i = 0; i < one.outputs(); ++i) {
            const Tensor<f32> x = get_output(one, i), y = get_output(two, i);
            if (x.shape() != y.shape()) return HUGE_VAL;
            for (std::size_t k = 0; k < x.elements(); ++k) {
                most = std::max(most, std::fabs(static_cast<double>(x[k]) - static_cast<double>(y[k])));
                range = std::max(range, std::fabs(static_cast<double>(x[k])));
            }
        }
    }
    return most / range;
}

}  // namespace networks
