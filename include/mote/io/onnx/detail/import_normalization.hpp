// SPDX-License-Identifier: MIT
#pragma once
// Import of ONNX normalizations: reductions, and functions of two values that broadcast.

#include <mote/io/onnx/detail/import_reduction.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_import {

class Normalization : protected Reductions {
  public:
    using Reductions::Reductions;

  protected:
    Item function_of(const Item& x, UnaryFunction function, float alpha = 0.0f, float beta = 0.0f) {
        const Form& form = x.forms.front();
        return made({add(Unary{function, alpha, beta}, {form.id}), form.layout});
    }
    static std::vector<char> axes_from(std::size_t first, std::size_t rank) {
        std::vector<char> chosen(rank, 0);
        std::fill(chosen.begin() + static_cast<std::ptrdiff_t>(first), chosen.end(), 1);
        return chosen;
    }
    /// The mean of the squares along the axes, plus a number.
    Item mean_square(Item& x, const std::vector<char>& chosen, float plus) {
        std::size_t count = 1;
        for (std::size_t axis = 0; axis < chosen.size(); ++axis) count *= chosen[axis] != 0 ? x.dims()[axis] : 1;
        return made(scaled(reduced(x, chosen, Reduction::sum_square), 1.0f / static_cast<float>(count), plus));
    }

    /// The value and what it was divided by: (x - mean) / sqrt(variance + epsilon) along the axes, or without the mean.
    struct Normalized {
        Item value, mean, inverse;
    };
    Normalized normalized(Item x, const std::vector<char>& chosen, float epsilon, bool centred) {
        Normalized result;
        if (centred) {
            result.mean = made(reduced(x, chosen, Reduction::mean));
            x = made(combined(BinaryFunction::sub, x, result.mean));
        }
        result.inverse = function_of(mean_square(x, chosen, epsilon), UnaryFunction::rsqrt);
        result.value = made(combined(BinaryFunction::mul, x, result.inverse));
        return result;
    }
    /// The value times input `scale`, plus input `shift` where there is one; each under these extents, which broadcast.
    Item scaled_by(Item x, std::size_t scale, std::size_t shift, const Dims& dims) {
        for (const std::size_t place : {scale, shift}) {
            if (!has_input(place)) continue;
            const BinaryFunction function = place == scale ? BinaryFunction::mul : BinaryFunction::add;
            x = known(place) ? with_known(function, x, item(place).constant->reshaped(dims))
                             : made(combined(function, x, reshaped(computed(place), dims)));
        }
        return x;
    }
    Dims input_dims(std::size_t place) { return item(place).dims(); }

    /// LayerNormalization (Ba et al. 2016) and RMSNormalization (Zhang and Sennrich 2019), over all axes from one on.
    template <bool centred>
    void layer_norm() {
        Item& x = computed(0);
        const std::size_t axis = axis_in(integer_attribute(*node_, "axis", -1), x.rank());
        const Normalized n = normalized(x, axes_from(axis, x.rank()), real_attribute(*node_, "epsilon", 1e-5f), centred);
        const Item y = scaled_by(n.value, 1, 2, input_dims(1));
        bind(y.forms.front());
        if (centred && has_output(1)) bind(n.mean.forms.front(), 1);
        if (centred && has_output(2)) bind(n.inverse.forms.front(), 2);
    }
    /// Of each group of channels (Wu and He 2018). Before opset 21 scale and bias are one a group.
    void group_norm() {
        Item& x = computed(0);
        const Dims dims = x.dims();
        const std::int64_t stated = integer_attribute(*node_, "num_groups", 0);
        if (dims.size() < 2 || stated < 1 || dims[1] % static_cast<std::size_t>(stated) != 0)
            fail(stated, " groups of [", dims_text(dims), "]; groups that divide the channels are expected");
        const auto groups = static_cast<std::size_t>(stated);
        Dims split = dims, each(dims.size(), 1);
        split[1] = groups;
        split.insert(split.begin() + 2, dims[1] / groups);
        Item y =
            normalized(reshaped(x, split), axes_from(2, split.size()), real_attribute(*node_, "epsilon", 1e-5f), true).value;
        if (opset_ < 21) {
            each[0] = groups;
            y = scaled_by(y, 1, 2, each);
            return set_item(0, reshaped(y, dims));
        }
        each.erase(each.begin());
        each[0] = dims[1];
        y = reshaped(y, dims);
        set_item(0, scaled_by(y, 1, 2, each));
    }
    /// Of each channel of each sample (Ulyanov et al. 2016).
    void instance_norm() {
        Item& x = computed(0);
        const Dims dims = x.dims();
        if (dims.size() < 3) fail("its input is [", dims_text(dims), "]; batch, channels and an image are expected");
        Dims each(dims.size() - 1, 1);
        each[0] = dims[1];
        const Normalized n = normalized(x, axes_from(2, dims.size()), real_attribute(*node_, "epsilon", 1e-5f), true);
        set_item(0, scaled_by(n.value, 1, 2, each));
    }
    /// (x - mean) / (deviation + 10^-9)
    void mean_variance_norm() {
        Item x = computed(0);
        std::vector<std::int64_t> axes = integers_attribute(*node_, "axes");
        if (node_->attribute("axes") == nullptr) axes = {0, 2, 3};
        const std::vector<char> chosen = axes_in(axes, x.rank());
        x = made(combined(BinaryFunction::sub, x, made(reduced(x, chosen, Reduction::mean))));
        const Item root = function_of(mean_square(x, chosen, 0.0f), UnaryFunction::sqrt);
        const Form deviation = scaled(root.forms.front(), 1.0f, 1e-9f);
        set_item(0, made(combined(BinaryFunction::div, x, made(deviation))));
    }

    /// Divided by the sum of magnitudes or the root of the sum of squares; zeros stay.
    void lp_norm() {
        Item& x = computed(0);
        const std::int64_t p = integer_attribute(*node_, "p", 2);
        if (p != 1 && p != 2) fail("its p is ", p, "; 1 and 2 are supported");
        std::vector<char> chosen(x.rank(), 0);
        chosen[axis_in(integer_attribute(*node_, "axis", -1), x.rank())] = 1;
        const Item norm = made(reduced(x, chosen, p == 1 ? Reduction::l1 : Reduction::l2));
        const Item above =
            function_of(norm, UnaryFunction::clip, std::numeric_limits<float>::min(), std::numeric_limits<float>::infinity());
        set_item(0, made(combined(BinaryFunction::div, x, above)));
    }
    /// x - ln(sum(e^x)); before opset 13 over all axes from one on.
    void log_softmax() {
        Item& x = computed(0);
        const std::int64_t stated = integer_attribute(*node_, "axis", opset_ < 13 ? 1 : -1);
        const bool none = stated == static_cast<std::int64_t>(x.rank()) && opset_ < 13;
        const std::size_t axis = none ? x.rank() : axis_in(stated, x.rank());
        std::vector<char> chosen = axes_from(axis, x.rank());
        if (opset_ >= 13) std::fill(chosen.begin() + static_cast<std::ptrdiff_t>(axis) + 1, chosen.end(), 0);
        set_item(0, made(combined(BinaryFunction::sub, x, made(reduced(x, chosen, Reduction::log_sum_exp)))));
    }

    /// x / (bias + alpha / size * the sum of squares of `size` channels around)^beta (Krizhevsky et al. 2012): a dense layer
    /// with a band of weights along the channels.
    void lrn() {
        Item& x = computed(0);
        const std::int64_t size = integer_attribute(*node_, "size", 0);
        if (x.rank() < 2 || size < 1 || size > 1 << 20)
            fail("over ", size, " channels of [", dims_text(x.dims()), "]; 1 to 2^20, and a channel axis, are expected");
        const std::size_t channels = x.dims()[1];
        const float share = real_attribute(*node_, "alpha", 1e-4f) / static_cast<float>(size);
        Dense<f32> sums{.weight = Tensor<f32>({channels, channels}),
                        .bias = filled(Shape{channels}, real_attribute(*node_, "bias", 1.0f))};
        budget_.take(4 * channels * (channels + 1));
        const auto wide = static_cast<std::size_t>(size), before = (wide - 1) / 2;
        for (std::size_t c = 0; c < channels; ++c) {
            const std::size_t first = c > before ? c - before : 0, end = std::min(channels, c + wide - before);
            for (std::size_t k = 0; k < channels; ++k) sums.weight[c * channels + k] = k >= first && k < end ? share : 0.0f;
        }
        const Form form = with_last(x, 1);
        const ValueId sum = add(std::move(sums), {add(Unary{UnaryFunction::square}, {form.id})});
        const Item factor = powered(made({sum, form.layout}), -real_attribute(*node_, "beta", 0.75f));
        bind(add(Mul{}, {form.id, factor.forms.front().id}), form.layout);
    }
    /// x^exponent of what is not negative: e^(exponent ln x).
    Item powered(const Item& x, float exponent) {
        if (exponent == 1.0f) return x;
        if (exponent == 2.0f) return function_of(x, UnaryFunction::square);
        if (exponent == 0.5f) return function_of(x, UnaryFunction::sqrt);
        const Item logarithm = function_of(x, UnaryFunction::log);
        return function_of(made(scaled(logarithm.forms.front(), exponent, 0.0f)), UnaryFunction::exp);
    }
    float exponent_of_norm() const {
        const std::int64_t p = integer_attribute(*node_, "p", 2);
        if (p < 1) fail("its p is ", p, "; 1 or more is supported");
        return static_cast<float>(p);
    }
    /// (sum |x|^p)^(1 / p) over the image.
    void global_lp_pool() {
        Item& x = computed(0);
        if (x.rank() < 3) fail("its input is [", dims_text(x.dims()), "]; batch, channels and an image are expected");
        const float p = exponent_of_norm();
        Item powers = powered(function_of(x, UnaryFunction::abs), p);
        set_item(0, powered(made(reduced(powers, axes_from(2, x.rank()), Reduction::sum)), 1.0f / p));
    }

    /// The sums of all elements up to each: a dense layer with a triangle of ones.
    void cumulative_sum() {
        Item x = plain_or_computed(0);
        const std::size_t axis = axis_in(static_cast<std::int64_t>(constant(1, "axis").number()), x.rank());
        const std::size_t n = x.dims()[axis];
        const bool exclusive = integer_attribute(*node_, "exclusive", 0) != 0,
                   reverse = integer_attribute(*node_, "reverse", 0) != 0;
        if (n > 1 << 14) fail("it adds ", n, " numbers; up to 2^14 are supported");
        budget_.take(4 * n * n);
        Tensor<f32> ones({n, n});
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
                const bool before = reverse ? j > i : j < i;
                ones[i * n + j] = before || (i == j && !exclusive) ? 1.0f : 0.0f;
            }
        }
        const Form form = with_last(x, axis);
        if (!is_plain(0)) return bind(add(Dense<f32>{.weight = std::move(ones)}, {form.id}), form.layout);
        const ValueId matrix = add(Cast{held_element(x.element)}, {add(constant_of(std::move(ones)), {})});
        bind(add(MatMul{.transpose_b = true}, {form.id, matrix}), form.layout);
    }
};

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
