// SPDX-License-Identifier: MIT
#pragma once
// Import of ONNX operators that treat each element alone, of one value or of several.

#include <mote/io/onnx/detail/import_quantized.hpp>
#include <mote/layers/table.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_import {

class Arithmetic : protected Quantized {
  public:
    using Quantized::Quantized;

  protected:
    // ---------------------------------------------------------------------------------------------- one value alone

    template <class L>
    void unary(L layer) {
        single_output();
        const Form x = computed(0).forms.front();
        if (const std::optional<Item> bytes = bytes_of(0)) {
            const Form& from = bytes->forms.front();
            if constexpr (std::is_same_v<L, Relu> || std::is_same_v<L, Relu6>) {
                return bind(add(std::move(layer), {from.id}), from.layout);
            } else if (const std::optional<Quantization> q = next_quantization()) {
                layer = with_table(std::move(layer), quantization_of(*bytes).params(), q->params());
                return bind(add(std::move(layer), {from.id}, *q), from.layout);
            }
        }
        bind(add(std::move(layer), {x.id}), x.layout);
    }
    template <class L>
    void unary() {
        unary(L{});
    }
    void leaky_relu() { unary(LeakyRelu{.slope = real_attribute(*node_, "alpha", 0.01f)}); }
    void absolute() { unary(LeakyRelu{.slope = -1.0f}); }
    void negative() {
        const Form x = scaled(computed(0).forms.front(), -1.0f, 0.0f);
        bind(x.id, x.layout);
    }
    /// max(0, min(1, alpha x + beta)); mote's is at alpha 1/6, beta 1/2.
    void hard_sigmoid() {
        const float alpha = real_attribute(*node_, "alpha", 0.2f), beta = real_attribute(*node_, "beta", 0.5f);
        Form x = computed(0).forms.front();
        if (alpha != 1.0f / 6.0f || beta != 0.5f) x = scaled(x, 6.0f * alpha, 6.0f * beta - 3.0f);
        bind(add(HardSigmoid{}, {x.id}), x.layout);
    }
    void swish() {
        const Form x = computed(0).forms.front();
        const float alpha = real_attribute(*node_, "alpha", 1.0f);
        const ValueId gate = add(Sigmoid{}, {alpha == 1.0f ? x.id : scaled(x, alpha, 0.0f).id});
        bind(add(Mul{}, {x.id, gate}), x.layout);
    }
    void clip() {
        const auto limit = [&](std::size_t place, const char* name, double otherwise) {
            if (has_input(place)) return constant(place, name).number();
            return static_cast<double>(real_attribute(*node_, name, static_cast<float>(otherwise)));
        };
        constexpr double far = std::numeric_limits<float>::max();
        const double lo = limit(1, "min", -far), hi = limit(2, "max", far);
        if (lo <= -far && hi >= far) return same();
        if (lo == 0.0 && hi == 6.0) return unary<Relu6>();
        if (lo == 0.0 && hi >= far) return unary<Relu>();
        fail("it clips to [", lo, ", ", hi, "]; [0, 6] and from 0 on are supported");
    }
    void cast() {
        const std::int64_t to = integer_attribute(*node_, "to", 0);
        const auto count = static_cast<std::int64_t>(onnx::element_infos.size());
        if (to < 1 || to >= count || !is_float(static_cast<OnnxElement>(to))) {
            fail("it casts to ", to >= 1 && to < count ? onnx_element_name(static_cast<OnnxElement>(to)) : "an unknown type",
                 "; floats are supported");
        }
        Item result = computed(0);
        if (static_cast<OnnxElement>(to) == OnnxElement::bfloat16 && result.element != OnnxElement::bfloat16) {
            fail("it rounds to bfloat16; no layer for it");
        }
        result.element = static_cast<OnnxElement>(to);
        set_item(0, std::move(result));
    }
    void same() {
        single_output();
        set_item(0, computed(0));
    }
    void dropout() {
        const bool training = known(2) && constant(2, "training_mode").number() != 0.0;
        if (training) fail("it is in training mode");
        same();
    }

    /// scale * x + shift, one number each.
    Form scaled(const Form& x, float scale, float shift) {
        ValueId id = x.id;
        if (shape(id).rank() < 2) id = reshape(id, {1, shape(id).elements()});
        const Shape channels{shape(id).back()};
        budget_.take(16 * channels.elements());
        return {add(affine(filled(channels, scale), filled(channels, shift)), {id}), x.layout};
    }
    static Tensor<f32> filled(const Shape& shape, float value) {
        Tensor<f32> result(shape);
        std::fill(result.values().begin(), result.values().end(), value);
        return result;
    }
    static BatchNorm affine(Tensor<f32> scale, Tensor<f32> shift) {
        const Shape channels = scale.shape();
        return {.scale = std::move(scale),
                .shift = std::move(shift),
                .mean = filled(channels, 0.0f),
                .variance = filled(channels, 1.0f),
                .epsilon = 0.0f};
    }

    // ------------------------------------------------------------------------------------- parameters along an axis

    /// The value with axis k stored last, the others in an order that costs least; rank 2 at least.
    Form with_last(Item& x, std::size_t k) {
        Dims order = common_order({&x});
        std::erase(order, k);
        order.push_back(k);
        Groups groups = each_alone(order);
        if (groups.size() == 1) groups.insert(groups.begin(), Dims());
        return {arranged(x, groups), Layout(x.dims(), order)};
    }
    /// The value so that its last stored axis runs along all axes on which the constant, which broadcasts to it, differs; and
    /// the constant's numbers along that axis.
    std::pair<Form, Tensor<f32>> by_channel(Item& x, Constant c) {
        const Dims dims = x.dims();
        c.dims.insert(c.dims.begin(), dims.size() - c.dims.size(), 1);
        Dims varying;
        for (std::size_t axis = 0; axis < dims.size(); ++axis) {
            if (c.dims[axis] > 1 && !c.fill) varying.push_back(axis);
        }
        if (varying.empty()) {
            Form form = x.forms.front();
            if (shape(form.id).rank() < 2) form.id = reshape(form.id, {1, shape(form.id).elements()});
            budget_.take(4 * shape(form.id).back());
            return {form, filled(Shape{shape(form.id).back()}, static_cast<float>(c.real(0)))};
        }
        if (varying.size() == 1) {
            const std::size_t extent = dims[varying[0]];
            return {with_last(x, varying[0]), c.reals(Shape{extent}, budget_)};
        }
        const Dims order = common_order({&x});
        std::size_t first = 0;
        while (std::find(varying.begin(), varying.end(), order[first]) == varying.end()) ++first;
        const Dims last(order.begin() + static_cast<std::ptrdiff_t>(first), order.end());
        Groups groups = each_alone(Dims(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(first)));
        if (groups.empty()) groups.push_back({});
        groups.push_back(last);
        const std::vector<std::int64_t> all = broadcast_strides(c.dims, dims);
        std::vector<std::int64_t> strides;
        Dims extents;
        for (const std::size_t axis : last) strides.push_back(all[axis]), extents.push_back(dims[axis]);
        const Constant spread = walked(c, extents, strides, 0, budget_);
        return {{arranged(x, groups), Layout(dims, order)}, spread.reals(Shape{spread.count()}, budget_)};
    }

    void batch_norm() {
        single_output();
        if (integer_attribute(*node_, "training_mode", 0) != 0) fail("it is in training mode");
        if (opset_ < 9 && integer_attribute(*node_, "spatial", 1) == 0)
            fail("its statistics are of each pixel; of each channel are supported");
        Item& x = computed(0);
        if (x.rank() < 2) fail("its input is [", dims_text(x.dims()), "]; a batch and a channel axis are expected");
        const std::size_t channels = x.dims()[1];
        const Shape each{channels};
        BatchNorm layer{.scale = constant(1, "scale").reals(each, budget_),
                        .shift = constant(2, "B").reals(each, budget_),
                        .mean = constant(3, "mean").reals(each, budget_),
                        .variance = constant(4, "variance").reals(each, budget_),
                        .epsilon = real_attribute(*node_, "epsilon", 1e-5f)};
        const Form form = with_last(x, 1);
        bind(add(std::move(layer), {form.id}), form.layout);
    }
    void prelu() {
        Item& x = computed(0);
        Constant slope = constant(1, "slope");
        if (opset_ < 7 && slope.dims.size() == 1 && x.rank() > 2) slope.dims.resize(x.rank() - 1, 1);  // along axis 1
        if (broadcast_dims(slope.dims, x.dims()) != x.dims())
            fail("its slope [", dims_text(slope.dims), "] does not broadcast");
        auto [form, values] = by_channel(x, slope);
        bind(add(Prelu{std::move(values)}, {form.id}), form.layout);
    }

    // ------------------------------------------------------------------------------------------------- several values

    /// Extents of input 1 as they align with input 0: opset 6 and before name the first axis of input 0 that it meets.
    static Dims aligned(const OnnxNode& node, std::int64_t opset, const Dims& a, Dims b) {
        if (opset >= 7 || integer_attribute(node, "broadcast", 0) == 0 || node.attribute("axis") == nullptr) return b;
        const std::size_t axis = axis_in(integer_attribute(node, "axis", 0), a.size());
        if (axis + b.size() > a.size()) fail("input 1 does not fit behind axis ", axis);
        b.resize(a.size() - axis, 1);
        return b;
    }

    /// The value repeated along its axes of extent 1 (and in front), by taking the nearest of one pixel.
    Item expanded(Item& given, const Dims& to) {
        Dims from = given.dims();
        from.insert(from.begin(), to.size() - from.size(), 1);
        Item x = reshaped(given, from);
        if (from == to) return x;
        const Dims order = common_order({&x});
        ValueId id = arranged(x, order);
        const auto between = [&](const Dims& dims, std::size_t first, std::size_t last) {
            std::size_t product = 1;
            for (std::size_t i = first; i < last; ++i) product *= dims[order[i]];
            return product;
        };
        for (std::size_t i = 0; i < order.size();) {
            const auto grows = [&](std::size_t at) { return at < order.size() && from[order[at]] != to[order[at]]; };
            if (!grows(i)) {
                ++i;
                continue;
            }
            std::size_t end = i;
            while (grows(end) || (end < order.size() && to[order[end]] == 1)) ++end;
            const std::size_t outer = between(to, 0, i), copies = between(to, i, end), inner = between(from, end, order.size());
            if (copies == 0) fail("it becomes empty");
            id = add(Resize2d{{copies, 1}, false, Alignment::asymmetric}, {reshape(id, {outer, 1, 1, inner})});
            i = end;
        }
        Dims stored;
        for (const std::size_t axis : order) stored.push_back(to[axis]);
        Item result;
        result.element = x.element;
        result.forms.push_back({reshape(id, stored), Layout(to, order)});
        return result;
    }

    /// The values as stored ones of one shape and layout.
    Layout alike(std::vector<Item>& items, std::vector<ValueId>& ids) {
        const Form first = items.front().forms.front();
        const bool same_layout =
            std::all_of(items.begin(), items.end(), [&](const Item& x) { return x.forms.front().layout == first.layout; });
        if (same_layout) {
            const Shape s = shape(first.id);
            for (const Item& x : items) ids.push_back(reshape(x.forms.front().id, Dims(s.begin(), s.end())));
            return first.layout;
        }
        std::vector<const Item*> all;
        for (const Item& x : items) all.push_back(&x);
        const Dims order = common_order(all);
        for (Item& x : items) ids.push_back(arranged(x, order));
        return Layout(items.front().dims(), order);
    }
    /// Inputs that are computed, each repeated to the extents that they have together.
    std::vector<Item> broadcast_inputs() {
        Dims dims = computed(0).dims();
        std::vector<Item> items;
        for (std::size_t i = 1; i < node_->inputs.size(); ++i) {
            dims = broadcast_dims(dims, i == 1 ? aligned(*node_, opset_, dims, computed(i).dims()) : computed(i).dims());
        }
        for (std::size_t i = 0; i < node_->inputs.size(); ++i) {
            Item x = computed(i);
            if (i == 1) x = reshaped(x, aligned(*node_, opset_, dims, x.dims()));
            items.push_back(expanded(x, dims));
        }
        return items;
    }

    enum class Operation { add, sub, mul, div };

    /// One input is known: a scale or a shift along an axis.
    void with_constant(Operation operation) {
        const bool first = known(0);  // constant - x, constant / x
        Constant c = first ? *item(0).constant : *item(1).constant;
        Item x = computed(first ? 1 : 0);
        if (!c.is_real()) fail("its constant is of ", onnx_element_name(c.element), "; floats are supported");
        if (first && operation == Operation::div) fail("it divides by a computed value; by a constant is supported");
        if (first) {
            x = reshaped(x, aligned(*node_, opset_, c.dims, x.dims()));
        } else {
            c.dims = aligned(*node_, opset_, x.dims(), c.dims);
        }
        const Dims dims = broadcast_dims(x.dims(), c.dims);
        if (dims != x.dims()) x = expanded(x, dims);
        auto [form, values] = by_channel(x, c);
        const Shape channels = values.shape();
        budget_.take(16 * channels.elements());
        Tensor<f32> scale = filled(channels, operation == Operation::sub && first ? -1.0f : 1.0f),
                    shift = filled(channels, 0.0f);
        const Tensor<f32>& read = values;
        for (std::size_t i = 0; i < channels.elements(); ++i) {
            if (operation == Operation::add) shift[i] = read[i];
            if (operation == Operation::sub) shift[i] = first ? read[i] : -read[i];
            if (operation == Operation::mul) scale[i] = read[i];
            if (operation == Operation::div) scale[i] = 1.0f / read[i];
        }
        bind(add(affine(std::move(scale), std::move(shift)), {form.id}), form.layout);
    }
    template <Operation operation>
    void binary() {
        if (node_->inputs.size() != 2) fail("it has ", node_->inputs.size(), " inputs; two are expected");
        if (known(0) || known(1)) return with_constant(operation);
        if constexpr (operation == Operation::div) fail("it divides by a computed value; by a constant is supported");
        if (operation == Operation::mul && gated()) return;
        if (const std::optional<Quantization> q = next_quantization(); q && sum_of_bytes<operation>(*q)) return;
        std::vector<Item> items = broadcast_inputs();
        std::vector<ValueId> ids;
        if (operation == Operation::sub) items[1].forms = {scaled(items[1].forms.front(), -1.0f, 0.0f)};
        const Layout layout = alike(items, ids);
        if constexpr (operation == Operation::mul) {
            bind(add(Mul{}, ids), layout);
        } else {
            bind(add(Add{}, ids), layout);
        }
    }
    /// Two values of one shape, both in bytes.
    template <Operation operation>
    bool sum_of_bytes(const Quantization& q) {
        std::optional<Item> a = bytes_of(0), b = bytes_of(1);
        if (!a || !b || operation == Operation::sub || a->dims() != b->dims()) return false;
        std::vector<Item> items{std::move(*a), std::move(*b)};
        std::vector<ValueId> ids;
        const Layout layout = alike(items, ids);
        if constexpr (operation == Operation::mul) {
            bind(add(Mul{}, ids, q), layout);
        } else {
            bind(add(Add{}, ids, q), layout);
        }
        return true;
    }
    /// An image times one number a channel: the layer repeats those itself.
    bool gated() {
        Item *a = &computed(0), *b = &computed(1);
        if (a->rank() != b->rank() || a->rank() < 3 || opset_ < 7) return false;
        if (elements_of(a->dims()) < elements_of(b->dims())) std::swap(a, b);
        const Dims x = a->dims(), y = b->dims();
        if (y[0] != x[0] || y[1] != x[1] || elements_of(y) != y[0] * y[1]) return false;
        const Dims order = Layout::channels_last(x.size());
        std::optional<Item> image = bytes_of(a == &computed(0) ? 0 : 1), gate = bytes_of(a == &computed(0) ? 1 : 0);
        const std::optional<Quantization> q = next_quantization();
        const bool bytes = image && gate && q;
        if (bytes) a = &*image, b = &*gate;
        bind(add(Mul{}, {arranged(*a, order), arranged(*b, order)}, bytes ? *q : Quantization()), x, order);
        return true;
    }
    Form summed() {
        std::vector<Item> items = broadcast_inputs();
        std::vector<ValueId> ids;
        const Layout layout = alike(items, ids);
        ValueId sum = ids[0];
        for (std::size_t i = 1; i < ids.size(); ++i) sum = add(Add{}, {sum, ids[i]});
        return {sum, layout};
    }
    void sum() {
        if (node_->inputs.size() == 1) return same();
        if (node_->inputs.size() == 2) return binary<Operation::add>();
        const Form x = summed();
        bind(x.id, x.layout);
    }
    void mean_of_inputs() {
        if (node_->inputs.size() == 1) return same();
        const Form x = scaled(summed(), 1.0f / static_cast<float>(node_->inputs.size()), 0.0f);
        bind(x.id, x.layout);
    }
    /// The values side by side, and the largest of them under a window.
    template <bool least>
    void largest() {
        if (node_->inputs.size() == 1) return same();
        std::vector<Item> items = broadcast_inputs();
        std::vector<ValueId> ids;
        const Layout layout = alike(items, ids);
        const Shape s = shape(ids[0]);
        const std::size_t batch = s.rank() > 1 ? s[0] : 1;
        for (ValueId& id : ids) {
            id = reshape(id, {batch, 1, 1, s.elements() / std::max<std::size_t>(1, batch)});
            if (least) id = scaled({id, layout}, -1.0f, 0.0f).id;
        }
        ValueId id = add(MaxPool2d{.kernel = {ids.size(), 1}}, {add(Concat{1}, ids)});
        if (least) id = scaled({id, layout}, -1.0f, 0.0f).id;
        bind(id, layout);
    }
    void power() {
        const double exponent = constant(1, "exponent").number();
        const Form x = computed(0).forms.front();
        if (exponent == 1.0) return set_item(0, computed(0));
        if (exponent != 2.0) fail("its exponent is ", exponent, "; 1 and 2 are supported");
        bind(add(Mul{}, {x.id, x.id}), x.layout);
    }
};

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
