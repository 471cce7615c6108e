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
    void function() { unary(Unary{.function = *function_named(node_->op_type)}); }
    void negative() { unary(Unary{UnaryFunction::linear, -1.0f, 0.0f}); }
    /// With the attribute alpha.
    template <UnaryFunction function>
    void activation() {
        unary(Unary{function, real_attribute(*node_, "alpha", 1.0f)});
    }
    void selu() {
        unary(Unary{UnaryFunction::selu, real_attribute(*node_, "alpha", 1.67326319217681884765625f),
                    real_attribute(*node_, "gamma", 1.05070102214813232421875f)});
    }
    void shrink() {
        unary(Unary{UnaryFunction::shrink, real_attribute(*node_, "lambd", 0.5f), real_attribute(*node_, "bias", 0.0f)});
    }
    void gelu() {
        const std::string kind = text_attribute(*node_, "approximate", "none");
        if (kind != "none" && kind != "tanh")
            fail("its approximation is '", onnx::printable(kind), "'; none and tanh are supported");
        unary(Unary{kind == "tanh" ? UnaryFunction::gelu_tanh : UnaryFunction::gelu});
    }
    /// max(0, min(1, alpha x + beta)); mote's is at alpha 1/6, beta 1/2.
    void hard_sigmoid() {
        const float alpha = real_attribute(*node_, "alpha", 0.2f), beta = real_attribute(*node_, "beta", 0.5f);
        if (alpha == 1.0f / 6.0f && beta == 0.5f) return unary<HardSigmoid>();
        const Form x = scaled(computed(0).forms.front(), 6.0f * alpha, 6.0f * beta - 3.0f);
        bind(add(HardSigmoid{}, {x.id}), x.layout);
    }
    void swish() {
        const Form x = computed(0).forms.front();
        const float alpha = real_attribute(*node_, "alpha", 1.0f);
        const ValueId gate = add(Sigmoid{}, {alpha == 1.0f ? x.id : scaled(x, alpha, 0.0f).id});
        bind(add(Mul{}, {x.id, gate}), x.layout);
    }
    void clip() {
        constexpr double infinity = std::numeric_limits<double>::infinity(), far = std::numeric_limits<float>::max();
        for (const std::size_t place : {std::size_t{1}, std::size_t{2}}) {
            if (has_input(place) && !known(place)) return clip_to_values();
        }
        const auto limit = [&](std::size_t place, const char* name, double otherwise) {
            if (has_input(place)) return constant(place, name).number();
            return static_cast<double>(real_attribute(*node_, name, static_cast<float>(otherwise)));
        };
        double lo = limit(1, "min", -infinity), hi = limit(2, "max", infinity);
        if (lo <= -far) lo = -infinity;
        if (hi >= far) hi = infinity;
        if (lo == -infinity && hi == infinity) return same();
        if (lo == 0.0 && hi == 6.0) return unary<Relu6>();
        if (lo == 0.0 && hi == infinity) return unary<Relu>();
        unary(Unary{UnaryFunction::clip, static_cast<float>(lo), static_cast<float>(hi)});
    }
    void clip_to_values() {
        Item x = computed(0);
        if (has_input(1)) x = made(combined(BinaryFunction::max, x, computed(1)));
        if (has_input(2)) x = made(combined(BinaryFunction::min, x, computed(2)));
        set_item(0, std::move(x));
    }
    void cast() {
        std::int64_t to = integer_attribute(*node_, "to", 0);
        if (node_->op_type == "CastLike") {
            const Item& like = item(1);
            to = static_cast<std::int64_t>(like.constant ? like.constant->element : like.element);
        }
        const auto count = static_cast<std::int64_t>(onnx::element_infos.size());
        if (to < 1 || to >= count) fail("it casts to element type ", to, "; 1 to ", count - 1, " are known");
        const auto element = static_cast<OnnxElement>(to);
        if (onnx_element_bits(element) < 8) fail("it casts to ", onnx_element_name(element), "; 8 bits or more are supported");
        if (element == item(0).element && !known(0)) return set_item(0, item(0));
        if (element == OnnxElement::bfloat16 && opset_ < 19)
            fail("it casts to bfloat16 in opset ", opset_, ", which does not say how numbers are rounded; 19 does");
        const Item from = item(0).bytes.empty() ? plain(0) : computed(0);
        const Form form = as_element(from, element).forms.front();
        bind(form.id, form.layout, 0, element);
    }
    void same() {
        single_output();
        set_item(0, computed(0));
    }
    void dropout() {
        const bool training = known(2) && constant(2, "training_mode").number() != 0.0;
        if (training) fail("it is in training mode");
        if (is_used(1)) {  // nothing is dropped
            Item mask;
            mask.constant = Constant::filled(opset_ < 10 ? item(0).element : OnnxElement::boolean, item(0).dims(), 1.0);
            set_item(1, std::move(mask));
        }
        set_item(0, computed(0));
    }

    /// scale * x + shift, one number each.
    Form scaled(const Form& x, float scale, float shift) {
        return {add(Unary{UnaryFunction::linear, scale, shift}, {x.id}), x.layout};
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
        if (!known(1)) {
            return bind(combined(BinaryFunction::prelu, x, computed(1)));
        }
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

    /// The value repeated along its axes of extent 1 (and in front).
    Item expanded(Item& given, const Dims& to) {
        Dims from = given.dims();
        from.insert(from.begin(), to.size() - from.size(), 1);
        Item x = reshaped(given, from);
        if (from == to) return x;
        Dims repeats(to.size(), 1);
        for (std::size_t axis = 0; axis < to.size(); ++axis) repeats[axis] = from[axis] == to[axis] ? 1 : to[axis];
        return repeated(x, repeats);
    }
    /// The value repeats[a] times along axis a.
    Item repeated(Item& x, const Dims& repeats) {
        const Dims order = common_order({&x});
        Tile layer;
        Dims to = x.dims();
        for (const std::size_t axis : order) {
            to[axis] *= repeats[axis];
            layer.repeats.push_back(repeats[axis]);
        }
        return item_of(add(std::move(layer), {arranged(x, order)}), Layout(to, order), x.element);
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
    /// A value that this node has made.
    Item made(Form form) const {
        Item result;
        result.element = result_element();
        result.forms.push_back(std::move(form));
        return result;
    }
    /// A layer of values that broadcast.
    template <class L>
    Form broadcasting(L layer, std::vector<Item> items) {
        Dims dims = items.front().dims();
        bool same = true;
        for (const Item& x : items) {
            same = same && x.dims() == items.front().dims();
            dims = broadcast_dims(dims, x.dims());
        }
        std::vector<ValueId> ids;
        if (same) {
            const Layout layout = alike(items, ids);
            return {add(std::move(layer), ids), layout};
        }
        std::vector<const Item*> all;
        for (Item& x : items) {
            Dims from = x.dims();
            from.insert(from.begin(), dims.size() - from.size(), 1);
            x = reshaped(x, from);
            all.push_back(&x);
        }
        const Dims order = common_order(all);
        for (Item& x : items) ids.push_back(arranged(x, order));
        return {add(std::move(layer), ids), Layout(dims, order)};
    }
    /// A function of two values that broadcast.
    Form combined(BinaryFunction function, Item a, Item b) {
        const bool plain = a.dims() == b.dims() && graph_.values[a.forms.front().id].element == Element::f32;
        std::vector<Item> items{std::move(a), std::move(b)};
        if (plain && function == BinaryFunction::add) return broadcasting(Add{}, std::move(items));
        if (plain && function == BinaryFunction::mul) return broadcasting(Mul{}, std::move(items));
        return broadcasting(Binary{function}, std::move(items));
    }

    /// Times or plus a constant that broadcasts to the value.
    Item with_known(BinaryFunction function, Item& x, const Constant& c) {
        if (c.dims.size() > x.rank() || broadcast_dims(c.dims, x.dims()) != x.dims())
            fail("[", dims_text(c.dims), "] does not broadcast to [", dims_text(x.dims()), "]");
        auto [form, values] = by_channel(x, c);
        budget_.take(16 * values.elements());
        const bool times = function == BinaryFunction::mul;
        Tensor<f32> other = filled(values.shape(), times ? 0.0f : 1.0f);
        if (times) std::swap(values, other);
        return made({add(affine(std::move(other), std::move(values)), {form.id}), form.layout});
    }
    /// One input is known: a scale or a shift along an axis.
    void with_constant(BinaryFunction operation) {
        const bool first = known(0);  // constant - x, constant / x
        Constant c = first ? *item(0).constant : *item(1).constant;
        Item x = computed(first ? 1 : 0);
        if (!c.is_real()) fail("its constant is of ", onnx_element_name(c.element), "; floats are supported");
        if (first && operation == BinaryFunction::div) {
            const Form form = x.forms.front();
            x.forms = {{add(Unary{UnaryFunction::reciprocal}, {form.id}), form.layout}};
            operation = BinaryFunction::mul;
        }
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
        Tensor<f32> scale = filled(channels, operation == BinaryFunction::sub && first ? -1.0f : 1.0f),
                    shift = filled(channels, 0.0f);
        const Tensor<f32>& read = values;
        for (std::size_t i = 0; i < channels.elements(); ++i) {
            if (operation == BinaryFunction::add) shift[i] = read[i];
            if (operation == BinaryFunction::sub) shift[i] = first ? read[i] : -read[i];
            if (operation == BinaryFunction::mul) scale[i] = read[i];
            if (operation == BinaryFunction::div) scale[i] = 1.0f / read[i];
        }
        bind(add(affine(std::move(scale), std::move(shift)), {form.id}), form.layout);
    }
    /// Add, Sub, Mul or Div.
    template <BinaryFunction function>
    void binary() {
        if (node_->inputs.size() != 2) fail("it has ", node_->inputs.size(), " inputs; two are expected");
        const bool add_or_mul = function == BinaryFunction::add || function == BinaryFunction::mul;
        const std::optional<Quantization> q = add_or_mul ? next_quantization() : std::nullopt;
        const bool bytes = q && bytes_of(0) && bytes_of(1), one_known = known(0) || known(1);
        if (function == BinaryFunction::mul && (bytes || !one_known) && gated()) return;
        if (bytes && of_bytes(function, *q)) return;
        if (one_known) return with_constant(function);
        Item& b = computed(1);
        bind(combined(function, computed(0), reshaped(b, aligned(*node_, opset_, computed(0).dims(), b.dims()))));
    }
    /// The sum or product of two values of one shape, both in bytes.
    bool of_bytes(BinaryFunction function, const Quantization& q) {
        std::vector<Item> items{*bytes_of(0), *bytes_of(1)};
        if (items[0].dims() != items[1].dims()) return false;
        std::vector<ValueId> ids;
        const Layout layout = alike(items, ids);
        bind(function == BinaryFunction::mul ? add(Mul{}, ids, q) : add(Add{}, ids, q), layout);
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
    /// Of all inputs. A known number is a limit of the largest and of the least.
    template <BinaryFunction function>
    Form of_all() {
        constexpr float infinity = std::numeric_limits<float>::infinity();
        std::optional<Item> result;
        for (std::size_t i = 0; i < node_->inputs.size(); ++i) {
            if (!known(i)) result = result ? made(combined(function, *result, computed(i))) : computed(i);
        }
        for (std::size_t i = 0; i < node_->inputs.size(); ++i) {
            if (!known(i)) continue;
            const Constant& c = constant(i, "input");
            if (function != BinaryFunction::add && c.count() == 1 && c.dims.size() <= result->rank()) {
                const auto limit = static_cast<float>(c.real(0));
                const bool least = function == BinaryFunction::max;
                const Form form = result->forms.front();
                const Unary clip{UnaryFunction::clip, least ? limit : -infinity, least ? infinity : limit};
                result = made({add(clip, {form.id}), form.layout});
            } else {
                result = made(combined(function, *result, computed(i)));
            }
        }
        return result->forms.front();
    }
    void sum() {
        if (node_->inputs.size() == 1) return same();
        if (node_->inputs.size() == 2) return binary<BinaryFunction::add>();
        bind(of_all<BinaryFunction::add>());
    }
    void mean_of_inputs() {
        if (node_->inputs.size() == 1) return same();
        bind(scaled(of_all<BinaryFunction::add>(), 1.0f / static_cast<float>(node_->inputs.size()), 0.0f));
    }
    template <BinaryFunction function>
    void largest() {
        if (node_->inputs.size() == 1) return same();
        bind(of_all<function>());
    }
    void modulo() {
        if (integer_attribute(*node_, "fmod", 0) == 0)
            fail("it is the remainder of integers; with fmod = 1, of floats, is supported");
        bind(combined(BinaryFunction::fmod, computed(0), computed(1)));
    }
    void power() {
        if (!known(1) || constant(1, "exponent").count() != 1 || constant(1, "exponent").dims.size() > computed(0).rank()) {
            return bind(combined(BinaryFunction::pow, computed(0), computed(1)));
        }
        const double exponent = constant(1, "exponent").number();
        if (exponent == 1.0) return set_item(0, computed(0));
        for (const auto& [wanted, function] : {std::pair(2.0, UnaryFunction::square),
                                               {0.5, UnaryFunction::sqrt},
                                               {-0.5, UnaryFunction::rsqrt},
                                               {-1.0, UnaryFunction::reciprocal}}) {
            if (exponent == wanted) return unary(Unary{function});
        }
        bind(combined(BinaryFunction::pow, computed(0), computed(1)));
    }
};

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
