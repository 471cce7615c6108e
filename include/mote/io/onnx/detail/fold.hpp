// SPDX-License-Identifier: MIT
#pragma once
// folded: what a node of an ONNX graph makes of inputs that are all known (shape arithmetic, mostly).

#include <mote/io/onnx/detail/functions.hpp>
#include <mote/io/onnx/detail/shapes.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_import {

/// A node, the version of its operators, its known inputs (nullptr for one that is left out).
struct KnownNode {
    const OnnxNode& node;
    std::int64_t opset;
    std::vector<const Constant*> inputs;
    Budget& budget;

    bool has(std::size_t place) const noexcept { return place < inputs.size() && inputs[place] != nullptr; }
    const Constant& input(std::size_t place) const {
        if (!has(place)) fail("input ", place, " is missing");
        return *inputs[place];
    }
    std::vector<std::int64_t> integers(std::size_t place, std::string_view attribute) const {
        return has(place) ? input(place).integers() : integers_attribute(node, attribute);
    }
};

/// One number from each element; integers stay integers where the function takes them.
template <class Real, class Integer>
Constant each_element(const KnownNode& k, const Real& real, const Integer& integer) {
    const Constant& x = k.input(0);
    if (x.fill)
        return Constant::filled(x.element, x.dims, x.is_real() ? real(x.real(0)) : static_cast<double>(integer(x.integer(0))));
    if (x.is_real()) {
        std::vector<double> values;
        for (std::size_t i = 0; i < x.count(); ++i) values.push_back(real(x.real(i)));
        return Constant::of(x.element, x.dims, values, k.budget);
    }
    std::vector<std::int64_t> values;
    for (std::size_t i = 0; i < x.count(); ++i) values.push_back(integer(x.integer(i)));
    return Constant::of(x.element, x.dims, values, k.budget);
}

/// One number from each pair of elements that broadcast to the same place; `element` undefined: the inputs'.
template <class Real, class Integer>
Constant each_pair(const KnownNode& k, const Real& real, const Integer& integer, OnnxElement element = OnnxElement::undefined) {
    const Constant& a = k.input(0);
    const Constant& b = k.input(1);
    const Dims dims = broadcast_dims(a.dims, b.dims);
    const bool reals = a.is_real() || b.is_real();
    if (element == OnnxElement::undefined) element = a.element;
    const std::size_t count = elements_of(dims);
    if (count >= Shape::absurd / 8) fail("it becomes absurdly large");
    k.budget.take(8 * count);  // what is computed takes time, whatever it is kept in
    Walk wa(dims, broadcast_strides(a.dims, dims)), wb(dims, broadcast_strides(b.dims, dims));
    if (reals) {
        std::vector<double> values;
        for (std::size_t i = 0; i < count; ++i, wa.next(), wb.next()) {
            values.push_back(static_cast<double>(real(a.real(wa.place()), b.real(wb.place()))));
        }
        return Constant::of(element, dims, values, k.budget);
    }
    std::vector<std::int64_t> values;
    for (std::size_t i = 0; i < count; ++i, wa.next(), wb.next()) {
        values.push_back(static_cast<std::int64_t>(integer(a.integer(wa.place()), b.integer(wb.place()))));
    }
    return Constant::of(element, dims, values, k.budget);
}

namespace fold_op {

/// Integers wrap, as the file's elements do.
template <class Operation>
std::int64_t wrapped(std::int64_t a, std::int64_t b, Operation operation) {
    return static_cast<std::int64_t>(operation(static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(b)));
}
inline Constant add(const KnownNode& k) {
    return each_pair(k, std::plus<>(), [](std::int64_t a, std::int64_t b) { return wrapped(a, b, std::plus<>()); });
}
inline Constant sub(const KnownNode& k) {
    return each_pair(k, std::minus<>(), [](std::int64_t a, std::int64_t b) { return wrapped(a, b, std::minus<>()); });
}
inline Constant mul(const KnownNode& k) {
    return each_pair(k, std::multiplies<>(), [](std::int64_t a, std::int64_t b) { return wrapped(a, b, std::multiplies<>()); });
}
inline Constant div(const KnownNode& k) {
    return each_pair(k, std::divides<>(), [](std::int64_t a, std::int64_t b) {
        if (b == 0) fail("an integer is divided by 0");
        return b == -1 ? wrapped(0, a, std::minus<>()) : a / b;
    });
}
inline Constant pow(const KnownNode& k) {
    const auto power = [](double a, double b) { return std::pow(a, b); };
    return each_pair(k, power, [](std::int64_t a, std::int64_t b) {
        return round_to_i64(std::pow(static_cast<double>(a), static_cast<double>(b)));
    });
}
inline Constant least(const KnownNode& k) {
    const auto f = [](auto a, auto b) { return b < a ? b : a; };
    if (k.inputs.size() > 2) fail("it has ", k.inputs.size(), " known inputs; up to 2 are supported");
    return k.inputs.size() == 1 ? k.input(0) : each_pair(k, f, f);
}
inline Constant largest(const KnownNode& k) {
    const auto f = [](auto a, auto b) { return b > a ? b : a; };
    if (k.inputs.size() > 2) fail("it has ", k.inputs.size(), " known inputs; up to 2 are supported");
    return k.inputs.size() == 1 ? k.input(0) : each_pair(k, f, f);
}
template <class Compare>
Constant compare(const KnownNode& k) {
    const auto f = [](auto a, auto b) { return Compare()(a, b); };
    return each_pair(k, f, f, OnnxElement::boolean);
}
inline Constant negative(const KnownNode& k) {
    return each_element(k, std::negate<>(), [](std::int64_t a) { return wrapped(0, a, std::minus<>()); });
}
inline Constant logical_not(const KnownNode& k) {
    const auto f = [](auto a) { return a == 0 ? decltype(a){1} : decltype(a){0}; };
    return each_element(k, f, f);
}
inline Constant function(const KnownNode& k) {
    const UnaryFunction f = *function_named(k.node.op_type);
    const auto real = [f](double x) { return unary_value(f, 0.0, 0.0, x); };
    return each_element(k, real, [&](std::int64_t a) { return round_to_i64(real(static_cast<double>(a))); });
}

inline Constant same(const KnownNode& k) {
    return k.input(0);
}
inline Constant cast(const KnownNode& k) {
    const Constant& x = k.input(0);
    const std::int64_t to = integer_attribute(k.node, "to", 0);
    if (to < 1 || to >= static_cast<std::int64_t>(onnx::element_infos.size())) fail("it casts to element type ", to);
    const auto element = static_cast<OnnxElement>(to);
    if (element == x.element) return x;
    if (x.fill) return Constant::filled(element, x.dims, x.real(0));
    if (x.is_real()) {
        std::vector<double> values;
        for (std::size_t i = 0; i < x.count(); ++i) values.push_back(x.real(i));
        return Constant::of(element, x.dims, values, k.budget);
    }
    return Constant::of(element, x.dims, x.integers(), k.budget);
}
inline Constant constant_of_shape(const KnownNode& k) {
    Dims dims;
    for (const std::int64_t extent : k.input(0).integers()) dims.push_back(extent_of(extent));
    if (elements_of(dims) >= Shape::absurd) fail("[", dims_text(dims), "] has more elements than memory can hold");
    const OnnxAttribute* a = k.node.attribute("value");
    if (a == nullptr) return Constant::filled(OnnxElement::float32, dims, 0.0);
    const std::span<const OnnxTensor> values = a->values<OnnxTensor>();
    if (values.size() != 1) fail("attribute 'value' holds no tensor");
    Constant result = Constant::of(values[0]);
    if (result.count() != 1) fail("attribute 'value' has ", result.count(), " elements; one is expected");
    result.dims = std::move(dims);
    result.fill = true;
    return result;
}
inline Constant range(const KnownNode& k) {
    const double start = k.input(0).number(), limit = k.input(1).number(), delta = k.input(2).number();
    const double steps = std::ceil((limit - start) / delta);
    if (!(steps < 1e8)) fail("a range of ", steps, " numbers; up to 10^8 are supported");
    std::vector<double> values;
    for (double i = 0; i < steps; ++i) values.push_back(start + i * delta);
    const std::size_t count = values.size();
    return Constant::of(k.input(0).element, {count}, values, k.budget);
}
inline Constant reshape(const KnownNode& k) {
    const std::vector<std::int64_t> shape = k.integers(1, "shape");
    return k.input(0).reshaped(reshaped_dims(k.input(0).dims, shape, integer_attribute(k.node, "allowzero", 0) != 0));
}
inline Constant squeeze(const KnownNode& k) {
    return k.input(0).reshaped(squeezed_dims(k.input(0).dims, k.integers(1, "axes")));
}
inline Constant unsqueeze(const KnownNode& k) {
    return k.input(0).reshaped(unsqueezed_dims(k.input(0).dims, k.integers(1, "axes")));
}
inline Constant flatten(const KnownNode& k) {
    return k.input(0).reshaped(flattened_dims(k.input(0).dims, integer_attribute(k.node, "axis", 1)));
}
/// Transpose's attribute, which names each axis once; the axes in reverse where there is none.
inline Dims transpose_order(const OnnxNode& node, std::size_t rank) {
    const std::vector<std::int64_t> perm = integers_attribute(node, "perm");
    Dims order;
    if (node.attribute("perm") == nullptr) {
        for (std::size_t axis = rank; axis-- > 0;) order.push_back(axis);
        return order;
    }
    axes_in(perm, rank);
    if (perm.size() != rank) fail("its perm has ", perm.size(), " axes; ", rank, " are expected");
    for (const std::int64_t axis : perm) order.push_back(axis_in(axis, rank));
    return order;
}
inline Constant transpose(const KnownNode& k) {
    return transposed(k.input(0), transpose_order(k.node, k.input(0).dims.size()), k.budget);
}
inline Constant expand(const KnownNode& k) {
    Dims shape;
    for (const std::int64_t extent : k.input(1).integers()) shape.push_back(extent_of(extent));
    return broadcast(k.input(0), broadcast_dims(k.input(0).dims, shape), k.budget);
}
inline Constant concatenated(const KnownNode& k) {
    const Constant& first = k.input(0);
    const std::size_t axis = axis_in(integer_attribute(k.node, "axis", 1), first.dims.size());
    Dims dims = first.dims;
    dims[axis] = 0;
    for (std::size_t i = 0; i < k.inputs.size(); ++i) {
        Dims same_but = k.input(i).dims;
        if (same_but.size() == dims.size()) dims[axis] += same_but[axis], same_but[axis] = first.dims[axis];
        if (same_but != first.dims || k.input(i).element != first.element) fail("its inputs differ in more than axis ", axis);
    }
    const std::size_t bits = onnx_element_bits(first.element), count = elements_of(dims);
    if (bits < 8)
        fail("constants of ", onnx_element_name(first.element), " are joined; elements of 8 bits or more are supported");
    const std::size_t bytes = bits / 8;
    if (count >= Shape::absurd / bytes) fail("it becomes absurdly large");
    k.budget.take(bytes * count);
    const std::shared_ptr<std::byte> memory = allocate_bytes(bytes * count);
    std::size_t outer = 1, inner = 1;
    for (std::size_t i = 0; i < dims.size(); ++i) (i < axis ? outer : inner) *= i == axis ? 1 : dims[i];
    std::byte* to = memory.get();
    for (std::size_t o = 0; o < outer; ++o) {
        for (std::size_t i = 0; i < k.inputs.size(); ++i) {
            const Constant& part = k.input(i);
            const std::size_t length = part.dims[axis] * inner;
            for (std::size_t e = 0; e < length; ++e, to += bytes) {
                std::memcpy(to, part.data.bytes.data() + (part.fill ? 0 : (o * length + e) * bytes), bytes);
            }
        }
    }
    return {dims, first.element, {memory, {memory.get(), bytes * count}}, false};
}
/// Only one axis is chosen from: outer x axis x inner.
inline Constant gather(const KnownNode& k) {
    const Constant& x = k.input(0);
    const std::size_t axis = axis_in(integer_attribute(k.node, "axis", 0), x.dims.size());
    const std::vector<std::int64_t> indices = k.input(1).integers();
    Dims dims(x.dims.begin(), x.dims.begin() + static_cast<std::ptrdiff_t>(axis));
    const std::size_t outer = elements_of(dims);
    dims.insert(dims.end(), k.input(1).dims.begin(), k.input(1).dims.end());
    dims.insert(dims.end(), x.dims.begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.dims.end());
    const std::size_t inner = elements_of(Dims(x.dims.begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.dims.end()));
    if (elements_of(dims) > std::size_t{1} << 26) fail("it gathers more than 2^26 elements");
    std::vector<double> reals;
    std::vector<std::int64_t> integers;
    for (std::size_t o = 0; o < outer; ++o) {
        for (const std::int64_t index : indices) {
            const std::size_t at = axis_in(index, x.dims[axis]);
            for (std::size_t i = 0; i < inner; ++i) {
                const std::size_t from = (o * x.dims[axis] + at) * inner + i;
                x.is_real() ? reals.push_back(x.real(from)) : integers.push_back(x.integer(from));
            }
        }
    }
    return x.is_real() ? Constant::of(x.element, dims, reals, k.budget) : Constant::of(x.element, dims, integers, k.budget);
}
inline std::vector<Range> ranges_of(const KnownNode& k, const Dims& in) {
    return slice_ranges(in, k.integers(1, "starts"), k.integers(2, "ends"), k.integers(3, "axes"), k.integers(4, "steps"));
}
inline Constant slice(const KnownNode& k) {
    const Constant& x = k.input(0);
    std::vector<std::int64_t> strides = strides_of(x.dims);
    std::int64_t start = 0;
    Dims dims;
    const std::vector<Range> ranges = ranges_of(k, x.dims);
    for (std::size_t axis = 0; axis < dims.size() || axis < ranges.size(); ++axis) {
        dims.push_back(ranges[axis].count);
        start += ranges[axis].start * strides[axis];
        strides[axis] *= ranges[axis].count > 1 ? ranges[axis].step : 0;
    }
    return walked(x, dims, strides, start, k.budget);
}
inline Constant where(const KnownNode& k) {
    const Constant &c = k.input(0), &a = k.input(1), &b = k.input(2);
    const Dims dims = broadcast_dims(c.dims, broadcast_dims(a.dims, b.dims));
    if (elements_of(dims) > std::size_t{1} << 26) fail("it chooses among more than 2^26 elements");
    const Constant all = broadcast(c, dims, k.budget), yes = broadcast(a, dims, k.budget), no = broadcast(b, dims, k.budget);
    std::vector<double> reals;
    std::vector<std::int64_t> integers;
    for (std::size_t i = 0; i < elements_of(dims); ++i) {
        const Constant& from = all.integer(i) != 0 ? yes : no;
        a.is_real() ? reals.push_back(from.real(i)) : integers.push_back(from.integer(i));
    }
    return a.is_real() ? Constant::of(a.element, dims, reals, k.budget) : Constant::of(a.element, dims, integers, k.budget);
}
/// Over all elements, or along the axes; integers in double, which holds what shapes hold.
template <class Combine>
Constant reduced(const KnownNode& k, double first, const Combine& combine) {
    const Constant& x = k.input(0);
    const std::vector<std::int64_t> axes = k.integers(1, "axes");
    std::vector<char> chosen = axes_in(axes, x.dims.size());
    if (axes.empty()) chosen.assign(x.dims.size(), 1);
    Dims kept = x.dims, dims;
    for (std::size_t axis = 0; axis < x.dims.size(); ++axis) {
        if (chosen[axis] != 0) kept[axis] = 1;
        if (chosen[axis] == 0 || integer_attribute(k.node, "keepdims", 1) != 0) dims.push_back(kept[axis]);
    }
    k.budget.take(x.count());
    std::vector<double> values(elements_of(kept), first);
    Walk walk(x.dims, broadcast_strides(kept, x.dims));
    for (std::size_t i = 0; i < x.count(); ++i, walk.next()) values[walk.place()] = combine(values[walk.place()], x.real(i));
    return Constant::of(x.element, dims, values, k.budget);
}
inline Constant reduced_product(const KnownNode& k) {
    return reduced(k, 1.0, std::multiplies<>());
}
inline Constant reduced_sum(const KnownNode& k) {
    return reduced(k, 0.0, std::plus<>());
}
inline Constant reduced_largest(const KnownNode& k) {
    return reduced(k, -std::numeric_limits<double>::infinity(), [](double a, double b) { return b > a ? b : a; });
}
inline Constant reduced_least(const KnownNode& k) {
    return reduced(k, std::numeric_limits<double>::infinity(), [](double a, double b) { return b < a ? b : a; });
}

}  // namespace fold_op

/// The function that folds an operator; nullptr where none does.
inline auto folding_of(std::string_view op) {
    using Fold = Constant (*)(const KnownNode&);
    if (function_named(op)) return Fold{&fold_op::function};
    struct Entry {
        std::string_view op;
        Fold fold;
    };
    static constexpr Entry table[] = {
        {"Add", &fold_op::add},
        {"Cast", &fold_op::cast},
        {"Concat", &fold_op::concatenated},
        {"ConstantOfShape", &fold_op::constant_of_shape},
        {"Div", &fold_op::div},
        {"Dropout", &fold_op::same},
        {"Equal", &fold_op::compare<std::equal_to<>>},
        {"Expand", &fold_op::expand},
        {"Flatten", &fold_op::flatten},
        {"Gather", &fold_op::gather},
        {"Greater", &fold_op::compare<std::greater<>>},
        {"GreaterOrEqual", &fold_op::compare<std::greater_equal<>>},
        {"Identity", &fold_op::same},
        {"Less", &fold_op::compare<std::less<>>},
        {"LessOrEqual", &fold_op::compare<std::less_equal<>>},
        {"Max", &fold_op::largest},
        {"Min", &fold_op::least},
        {"Mul", &fold_op::mul},
        {"Neg", &fold_op::negative},
        {"Not", &fold_op::logical_not},
        {"Pow", &fold_op::pow},
        {"Range", &fold_op::range},
        {"ReduceMax", &fold_op::reduced_largest},
        {"ReduceMin", &fold_op::reduced_least},
        {"ReduceProd", &fold_op::reduced_product},
        {"ReduceSum", &fold_op::reduced_sum},
        {"Reshape", &fold_op::reshape},
        {"Slice", &fold_op::slice},
        {"Squeeze", &fold_op::squeeze},
        {"Sub", &fold_op::sub},
        {"Transpose", &fold_op::transpose},
        {"Unsqueeze", &fold_op::unsqueeze},
        {"Where", &fold_op::where},
    };
    const auto* entry = std::ranges::find(table, op, &Entry::op);
    return entry == std::end(table) ? nullptr : entry->fold;
}

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
