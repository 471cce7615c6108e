// SPDX-License-Identifier: MIT
#pragma once
// Random models of the standard layers, f32 or i8, with branches, odd shapes, several inputs and outputs; from a seed.

#include <engine/random_windows.hpp>

namespace random_model {

using namespace mote;

/// A model of about `nodes` nodes with P = f32 or i8.
template <class P>
class Maker {
  public:
    using Handle = typename Builder<P>::Handle;
    static constexpr bool quantized = std::is_same_v<P, i8>;

    explicit Maker(std::uint64_t seed) : dice_{seed} {}

    Model<P, wide> make(std::size_t nodes) {
        const std::size_t inputs = dice_.from_to(1, 2);
        const std::size_t batch = dice_.from_to(1, 2);
        for (std::size_t i = 0; i < inputs; ++i) {
            const Shape shape{batch, dice_.from_to(1, 7), dice_.from_to(1, 7), dice_.from_to(1, 9)};
            pool_.push_back({quantized ? b_.input(concat("input", i), shape, Element::i8, activation(dice_, 4))
                                       : b_.input(concat("input", i), shape),
                             4});
        }
        while (count_ < nodes) step();
        b_.output("last", pool_.back().handle);
        for (std::size_t i = 0; i + 1 < pool_.size(); ++i) {
            if (dice_.chance(10)) b_.output(pool_[i].handle);
        }
        return b_.build();
    }

  private:
    /// A value and about what its numbers span.
    struct Item {
        Handle handle;
        float range;
    };

    template <class L>
    void push(L layer, std::vector<Handle> inputs, float range, bool asks_quantization) {
        NodeOptions options;
        if (quantized && asks_quantization) options.quantization = activation(dice_, range);
        pool_.push_back({b_.add(std::move(layer), std::span<const Handle>(inputs), std::move(options)), range});
        ++count_;
    }

    Item pick() { return dice_.chance(70) ? pool_.back() : pool_[dice_.below(pool_.size())]; }

    void step() {
        const Item x = pick();
        if (b_.shape(x.handle).elements() > 3000) return shrink(image(x));
        switch (dice_.below(32)) {
            case 3:
                depthwise(image(x));
                break;
            case 4:
                dense(x);
                break;
            case 5:
                norm(x);
                break;
            case 6:
            case 7:
                activation_layer(x);
                break;
            case 8:
            case 9:
                residual(x);
                break;
            case 10:
                squeeze_excite(image(x));
                break;
            case 11:
                concat_layer(x);
                break;
            case 12:
                pad(x);
                break;
            case 13:
                pooling(image(x));
                break;
            case 15:
                transpose(x);
                break;
            case 16:
                push(Flatten{}, {x.handle}, x.range, false);
                break;
            case 17:
                elementwise(x);
                break;
            case 18:
                if (dice_.chance(30)) softmax(x);
                break;
            case 19:
                resize(image(x));
                break;
            case 20:
                if constexpr (!quantized) {
                    push(Prelu{reals(dice_, b_.shape(x.handle).back(), -0.5f, 0.5f)}, {x.handle}, x.range, false);
                }
                break;
            case 21:
                function(x);
                break;
            case 22:
                broadcast_layer(x);
                break;
            case 23:
                slice(x);
                break;
            case 24:
                gather(x);
                break;
            case 25:
                tile(x);
                break;
            case 26:
                constant(x);
                break;
            case 27:
                reduce(x);
                break;
            case 28:
                products(x);
                break;
            case 29:
                arg_max(x);
                break;
            case 30:
                convert(x);
                break;
            case 31:
                transposed_convolution(image(x));
                break;
            default:
                convolution(image(x));
        }
    }

    void shrink(Item x) {
        const Shape in = b_.shape(x.handle);
        const Size2d window{std::min<std::size_t>(2, in[1]), std::min<std::size_t>(2, in[2])};
        push(AveragePool2d{.kernel = window, .stride = {2, 2}, .padding = {}}, {x.handle}, x.range, false);
    }

    /// The value as an image of 4 axes.
    Item image(Item x) {
        const Shape shape = b_.shape(x.handle);
        if (shape.rank() == 4) return x;
        const std::size_t rest = shape.elements() / shape[0];
        const std::size_t rows = rest % 2 == 0 ? 2 : 1;
        push(Reshape{{0, static_cast<std::int64_t>(rows), 1, -1}}, {x.handle}, x.range, false);
        return pool_.back();
    }

    void follow(bool may_norm) {
        if (!quantized && may_norm && dice_.chance(40)) norm(pool_.back());
        if (dice_.chance(50)) clamp_layer(pool_.back());
    }
    void clamp_layer(Item x) {
        if (dice_.chance(50)) {
            push(Relu{}, {x.handle}, x.range, false);
        } else {
            push(Relu6{}, {x.handle}, x.range, false);
        }
    }

    void convolution(Item x) {
        if (dice_.chance(25)) {
            push(Pad{.before = {0, dice_.below(3), dice_.below(3), 0}, .after = {0, dice_.below(3), dice_.below(3), 0}},
                 {x.handle}, x.range, false);
            x = pool_.back();
        }
        push(random_model::convolution<P>(dice_, b_.shape(x.handle)), {x.handle}, x.range, true);
        follow(true);
        if (dice_.chance(40)) {  // a residual block: two branches meet
            const Item y = pool_.back();
            const std::size_t channels = b_.channels(y.handle);
            Conv2d<P> second;
            second.weight = weights<P>(dice_, {channels, 1, 1, channels});
            second.bias = bias<P>(dice_, channels);
            push(std::move(second), {y.handle}, y.range, true);
            push(Add{}, {y.handle, pool_.back().handle}, 1.5f * y.range, true);
            if (dice_.chance(60)) clamp_layer(pool_.back());
        }
    }
    void transposed_convolution(Item x) {
        push(random_model::transposed_convolution<P>(dice_, b_.shape(x.handle)), {x.handle}, x.range, true);
        follow(true);
    }
    void depthwise(Item x) {
        push(random_model::depthwise<P>(dice_, b_.shape(x.handle)), {x.handle}, x.range, true);
        follow(true);
    }
    void dense(Item x) {
        const Shape shape = b_.shape(x.handle);
        const std::size_t out = dice_.from_to(1, 11);
        Dense<P> layer{weights<P>(dice_, {out, shape.back()}), bias<P>(dice_, out)};
        push(std::move(layer), {x.handle}, x.range, true);
        follow(true);
    }
    void norm(Item x) {
        if constexpr (!quantized) push(batch_norm(dice_, b_.channels(x.handle)), {x.handle}, x.range, false);
    }
    void activation_layer(Item x) {
        Tensor<i8> table = quantized ? byte_table(dice_) : Tensor<i8>{};
        switch (dice_.below(6)) {
            case 0:
                push(LeakyRelu{dice_.real(0, 0.4f), table}, {x.handle}, x.range, true);
                break;
            case 1:
                push(Sigmoid{table}, {x.handle}, 1, true);
                break;
            case 2:
                push(Tanh{table}, {x.handle}, 1, true);
                break;
            case 3:
                push(HardSigmoid{table}, {x.handle}, 1, true);
                break;
            case 4:
                push(HardSwish{table}, {x.handle}, x.range, true);
                break;
            default:
                clamp_layer(x);
        }
    }
    /// Functions without steps, whose values are no larger than theirs.
    void function(Item x) {
        using F = UnaryFunction;
        constexpr F functions[] = {F::abs,  F::asinh,     F::atan,   F::celu, F::clip, F::elu,      F::erf,
                                   F::gelu, F::gelu_tanh, F::linear, F::mish, F::selu, F::softplus, F::softsign};
        Unary layer{functions[dice_.below(std::size(functions))], 0.7f, 1.2f, quantized ? byte_table(dice_) : Tensor<i8>{}};
        if (layer.function == F::clip) layer.alpha = -1.5f;
        push(std::move(layer), {x.handle}, x.range, true);
    }
    /// Two values of one shape, or an image and its mean; of bytes, the reals that they stand for.
    void broadcast_layer(Item x) {
        using F = BinaryFunction;
        constexpr F functions[] = {F::add, F::sub, F::max, F::min};
        const Binary layer{functions[dice_.below(std::size(functions))]};
        Item y = like(x);
        if (dice_.chance(50)) {
            x = image(x);
            push(GlobalAveragePool{}, {x.handle}, x.range, false);
            y = pool_.back();
        }
        if (dice_.chance(50)) std::swap(x, y);
        const float range = x.range + y.range;
        if constexpr (quantized) {
            const std::size_t kept = pool_.size();
            for (Item* item : {&x, &y}) {
                push(Convert{Element::f32}, {item->handle}, item->range, false);
                *item = pool_.back();
            }
            push(layer, {x.handle, y.handle}, range, false);
            push(Convert{Element::i8}, {pool_.back().handle}, range, true);
            pool_[kept] = pool_.back();  // only i8 values go on
            pool_.resize(kept + 1);
        } else {
            push(layer, {x.handle, y.handle}, range, false);
        }
    }
    /// A value of x's shape (x itself, where there is no other).
    Item like(Item x) {
        for (const Item& other : pool_) {
            if (b_.shape(other.handle) == b_.shape(x.handle) && other.handle.id != x.handle.id && dice_.chance(60))
                return other;
        }
        return x;
    }
    void residual(Item x) {
        const Item y = like(x);
        const bool swapped = dice_.chance(50);
        push(Add{}, {swapped ? x.handle : y.handle, swapped ? y.handle : x.handle}, x.range + y.range, true);
        if (dice_.chance(50)) clamp_layer(pool_.back());
    }
    void elementwise(Item x) {
        const Item y = like(x);
        if (x.range * y.range > 100) return;
        push(Mul{}, {x.handle, y.handle}, x.range * y.range * 0.5f, true);
    }
    void squeeze_excite(Item x) {
        push(GlobalAveragePool{}, {x.handle}, x.range, false);
        push(HardSigmoid{quantized ? byte_table(dice_) : Tensor<i8>{}}, {pool_.back().handle}, 1, true);
        const Handle gate = pool_.back().handle;
        push(Mul{}, {x.handle, gate}, x.range, true);
    }
    void concat_layer(Item x) {
        std::vector<Handle> parts{x.handle, x.handle};
        if (!quantized) parts[1] = like(x).handle;  // int8 inputs must share their quantization
        if (dice_.chance(30)) parts.push_back(x.handle);
        push(Concat{static_cast<std::int32_t>(dice_.below(2 * b_.shape(x.handle).rank() - 1)) -
                    static_cast<std::int32_t>(b_.shape(x.handle).rank() - 1)},
             parts, x.range, false);
        if (b_.shape(pool_.back().handle)[0] > 4) batch_back(x);
    }
    /// Keeps batches small: the wide value leaves the pool.
    void batch_back(Item x) { pool_.back() = x; }
    void pad(Item x) {
        Pad layer;
        for (std::size_t axis = 0; axis < b_.shape(x.handle).rank(); ++axis) {
            layer.before.push_back(axis == 0 ? 0 : dice_.below(2));
            layer.after.push_back(axis == 0 ? 0 : dice_.below(2));
        }
        layer.value = dice_.chance(50) ? 0.0f : dice_.real(-2, 2);
        push(std::move(layer), {x.handle}, x.range, false);
    }
    void pooling(Item x) {
        const Shape shape = b_.shape(x.handle);
        if (dice_.chance(40)) {
            push(max_pool(dice_, shape), {x.handle}, x.range, false);
        } else if (dice_.chance(60)) {
            push(average_pool(dice_, shape), {x.handle}, x.range, false);
        } else {
            push(GlobalAveragePool{}, {x.handle}, x.range, false);
        }
    }
    /// Over any axes but the batch. (Products and logarithms have tests of their own: their ranges run away.)
    void reduce(Item x) {
        const std::size_t rank = b_.shape(x.handle).rank();
        Reduce layer{.function = dice_.chance(50) ? Reduction::mean : Reduction::max, .keep_dims = dice_.chance(50)};
        if (!quantized && dice_.chance(60)) {
            constexpr Reduction some[] = {Reduction::sum, Reduction::min, Reduction::l1, Reduction::l2, Reduction::log_sum_exp};
            layer.function = some[dice_.below(std::size(some))];
        }
        std::size_t count = 1;
        for (std::size_t axis = 1; axis < rank; ++axis) {
            if (dice_.chance(50)) continue;
            layer.axes.push_back(axis);
            count *= b_.shape(x.handle)[axis];
        }
        if (!layer.keep_dims && layer.axes.size() + 1 == rank) layer.axes.pop_back();
        const bool grows = layer.function == Reduction::sum || layer.function == Reduction::l1;
        push(std::move(layer), {x.handle}, x.range * (grows ? static_cast<float>(count) : 1.5f), false);
        if (grows && x.range * static_cast<float>(count) > 100) pool_.pop_back();
    }
    /// What only works in f32. In models of bytes nothing goes on from there: reals differ from machine to machine.
    template <class Work>
    void in_reals(Item x, const Work& work) {
        const auto others = static_cast<std::ptrdiff_t>(pool_.size());
        if (quantized) {
            push(Convert{Element::f32}, {x.handle}, x.range, false);
            x = pool_.back();
        }
        const bool stays = work(x) && !quantized;
        pool_.erase(pool_.begin() + others, stays ? pool_.end() - 1 : pool_.end());
    }
    /// The products of a value's rows, or columns, with each other.
    void products(Item given) {
        if (given.range > 6) return;
        in_reals(given, [&](Item x) {
            const bool columns = dice_.chance(50);
            push(MatMul{columns, !columns}, {x.handle, x.handle}, x.range * x.range, false);
            push(Softmax{}, {pool_.back().handle}, 1, false);
            const Shape made = b_.shape(pool_.back().handle);  // with the batch as columns too, with_batch cannot follow
            return made.rank() > 2 && made[0] == b_.shape(x.handle)[0];
        });
    }
    void arg_max(Item given) {
        in_reals(given, [&](Item x) {
            const std::size_t axis = dice_.below(b_.shape(x.handle).rank());
            push(ArgMax{axis, dice_.chance(50), dice_.chance(50), dice_.chance(50)}, {x.handle}, 1, false);
            return false;
        });
        if (b_.shape(given.handle).rank() != 4) return;
        in_reals(given, [&](Item x) {
            push(arg_max_pool(dice_, b_.shape(x.handle)), {x.handle}, 1, false);
            return false;
        });
    }
    void resize(Item x) { push(random_model::resize(dice_, b_.shape(x.handle)), {x.handle}, 1.3f * x.range, false); }
    void transpose(Item x) {
        const std::size_t rank = b_.shape(x.handle).rank();
        Transpose layer;
        for (std::size_t axis = 0; axis < rank; ++axis) layer.order.push_back(axis);
        for (std::size_t axis = rank - 1; axis > 1; --axis) std::swap(layer.order[axis], layer.order[1 + dice_.below(axis)]);
        push(std::move(layer), {x.handle}, x.range, false);
    }
    /// A part of every axis but the batch, backwards now and then.
    void slice(Item x) {
        const Shape shape = b_.shape(x.handle);
        Slice layer{{0}, {-1}, {1}};
        for (std::size_t axis = 1; axis < shape.rank(); ++axis) {
            const std::size_t begin = dice_.below(shape[axis]);
            const auto stride = static_cast<std::int64_t>(dice_.from_to(1, 3));
            layer.begin.push_back(begin);
            layer.stride.push_back(dice_.chance(30) ? -stride : stride);
            const std::size_t most = slice_extent(layer, axis, shape[axis]);
            layer.size.push_back(dice_.chance(50) ? -1 : static_cast<std::int64_t>(dice_.from_to(1, most)));
        }
        push(std::move(layer), {x.handle}, x.range, false);
    }
    void gather(Item x) {
        const Shape shape = b_.shape(x.handle);
        if (shape.rank() < 2) return;
        const std::size_t axis = dice_.from_to(1, shape.rank() - 1);
        const bool pairs = shape.rank() < 5 && dice_.chance(30);
        Gather layer{static_cast<std::int32_t>(axis),
                     Tensor<i32>(pairs ? Shape{dice_.from_to(1, 2), 2} : Shape{dice_.from_to(1, 6)})};
        if (dice_.chance(50)) layer.axis -= static_cast<std::int32_t>(shape.rank());
        for (std::int32_t& index : layer.indices.values()) index = static_cast<std::int32_t>(dice_.below(shape[axis]));
        push(std::move(layer), {x.handle}, x.range, false);
    }
    void tile(Item x) {
        const Shape shape = b_.shape(x.handle);
        if (shape.elements() > 500) return;
        Tile layer{{1}};
        for (std::size_t axis = 1; axis < shape.rank(); ++axis) layer.repeats.push_back(axis > 3 ? 1 : dice_.from_to(1, 2));
        push(std::move(layer), {x.handle}, x.range, false);
    }
    void constant(Item x) {
        if (b_.shape(x.handle)[0] != 1) return;  // with_batch cannot follow
        Tensor<std::conditional_t<quantized, i8, f32>> values(b_.shape(x.handle));
        for (auto& value : values.values()) {
            if constexpr (quantized) {
                value = static_cast<std::int8_t>(static_cast<int>(dice_.below(256)) - 128);
            } else {
                value = dice_.real(-x.range, x.range);
            }
        }
        if (quantized) values.set_quantization(activation(dice_, x.range));
        push(constant_of(std::move(values)), {}, x.range, false);
    }
    void softmax(Item x) {
        Softmax layer;
        if (quantized) {
            layer.table = Tensor<i32>(Shape{256});
            for (std::size_t d = 0; d < 256; ++d)
                layer.table[d] = static_cast<std::int32_t>(std::nearbyint(std::exp(-0.03 * static_cast<double>(d)) * 4194304));
        }
        push(std::move(layer), {x.handle}, 1, false);
    }
    void convert(Item x) {
        if constexpr (quantized) {
            if (dice_.chance(50)) {
                push(Convert{Element::i8}, {x.handle}, x.range, true);
            } else {
                push(Convert{Element::f32}, {x.handle}, x.range, false);
                push(Convert{Element::i8}, {pool_.back().handle}, x.range, true);
                std::swap(pool_.back(), pool_[pool_.size() - 2]);
                pool_.pop_back();  // only i8 values go on
            }
        } else if (count_ % 4 == 3) {
            push(Convert{Element::f32}, {x.handle}, x.range, false);  // the same numbers: no step, or a copy
        }
    }

    Dice dice_;
    Builder<P> b_;
    std::vector<Item> pool_;
    std::size_t count_ = 0;
};

template <class P>
Model<P, wide> make(std::uint64_t seed, std::size_t nodes) {
    return Maker<P>(seed).make(nodes);
}

/// Fills all inputs of an engine.
inline void fill_inputs(Engine& engine, std::uint64_t seed) {
    Dice dice{seed ^ 0x5eed};
    for (std::size_t i = 0; i < engine.inputs(); ++i) {
        if (engine.input_value(i).element == Element::f32) {
            for (float& x : engine.input<float>(i)) x = dice.real(-4, 4);
        } else {
            for (std::int8_t& x : engine.input<std::int8_t>(i))
                x = static_cast<std::int8_t>(static_cast<int>(dice.below(256)) - 128);
        }
    }
}

}  // namespace random_model
