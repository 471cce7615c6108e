// SPDX-License-Identifier: MIT
#pragma once
// Import of ONNX operators that move elements or know the answer: most of them are a matter of layout and make no layer.

#include <mote/io/onnx/detail/import_recurrent.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_import {

class Movement : protected Recurrent {
  public:
    using Recurrent::Recurrent;

  protected:
    // --------------------------------------------------------------------------------------------------- known values

    void set_constant(Constant value) {
        Item result;
        result.constant = std::move(value);
        set_item(0, std::move(result));
    }
    void constant_node() {
        const OnnxNode& node = *node_;
        if (const OnnxAttribute* a = node.attribute("value"); a != nullptr && !a->values<OnnxTensor>().empty()) {
            return set_constant(Constant::of(a->values<OnnxTensor>()[0]));
        }
        for (const char* name : {"value_float", "value_floats", "value_int", "value_ints"}) {
            const OnnxAttribute* a = node.attribute(name);
            if (a == nullptr) continue;
            const bool list = std::string_view(name).back() == 's';
            const std::vector<double> reals(a->values<float>().begin(), a->values<float>().end());
            const std::vector<std::int64_t> whole(a->values<std::int64_t>().begin(), a->values<std::int64_t>().end());
            const std::size_t count = reals.size() + whole.size();
            if (!list && count != 1) fail("attribute '", name, "' has ", count, " values; one is expected");
            const Dims dims = list ? Dims{count} : Dims{};
            return set_constant(whole.empty() ? Constant::of(OnnxElement::float32, dims, reals, budget_)
                                              : Constant::of(OnnxElement::int64, dims, whole, budget_));
        }
        fail("its value is no tensor of numbers");
    }
    void shape_node() {
        const Dims dims = item(0).dims();
        const auto rank = static_cast<std::int64_t>(dims.size());
        const auto place = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
        const std::int64_t start = place(std::clamp<std::int64_t>(integer_attribute(*node_, "start", 0), -64, 64));
        const std::int64_t end = place(std::clamp<std::int64_t>(integer_attribute(*node_, "end", rank), -64, 64));
        std::vector<std::int64_t> extents;
        for (std::int64_t i = start; i < end; ++i)
            extents.push_back(static_cast<std::int64_t>(dims[static_cast<std::size_t>(i)]));
        set_constant(Constant::of(OnnxElement::int64, {extents.size()}, extents, budget_));
    }
    void size_node() {
        set_constant(Constant::filled(OnnxElement::int64, {}, static_cast<double>(elements_of(item(0).dims()))));
    }

    // -------------------------------------------------------------------------------------------------------- movement

    void bind_reshaped(const Dims& dims) {
        single_output();
        set_item(0, reshaped(computed(0), dims));
    }
    void reshape_node() {
        const bool allow_zero = integer_attribute(*node_, "allowzero", 0) != 0;
        bind_reshaped(reshaped_dims(computed(0).dims(), integers(1, "shape"), allow_zero));
    }
    void flatten() { bind_reshaped(flattened_dims(computed(0).dims(), integer_attribute(*node_, "axis", 1))); }
    void squeeze() { bind_reshaped(squeezed_dims(computed(0).dims(), integers(1, "axes"))); }
    void unsqueeze() { bind_reshaped(unsqueezed_dims(computed(0).dims(), integers(1, "axes"))); }
    void transpose() {
        Item x = computed(0);
        const Dims order = fold_op::transpose_order(*node_, x.rank());
        for (Form& form : x.forms) form.layout = form.layout.transposed(order);
        for (Form& form : x.bytes) form.layout = form.layout.transposed(order);
        set_item(0, std::move(x));
    }
    /// Reshape, transpose, reshape: all of it a matter of layout.
    void regrouped(const Dims& apart, const Dims& order, const Dims& dims) {
        Item x = reshaped(computed(0), apart);
        for (Form& form : x.forms) form.layout = form.layout.transposed(order);
        x.bytes.clear();
        set_item(0, reshaped(x, dims));
    }
    std::pair<Dims, std::size_t> blocks() {
        const Dims d = computed(0).dims();
        const std::int64_t block = integer_attribute(*node_, "blocksize", 0);
        if (d.size() != 4 || block < 1 || block > 1 << 12)
            fail("blocks of ", block, " of [", dims_text(d), "]; an image is expected");
        return {d, static_cast<std::size_t>(block)};
    }
    void depth_to_space() {
        const auto [d, b] = blocks();
        if (d[1] % (b * b) != 0) fail("its ", d[1], " channels do not divide into blocks of ", b);
        const std::size_t c = d[1] / (b * b);
        const Dims to{d[0], c, d[2] * b, d[3] * b};
        if (text_attribute(*node_, "mode", "DCR") == "CRD")
            return regrouped({d[0], c, b, b, d[2], d[3]}, {0, 1, 4, 2, 5, 3}, to);
        regrouped({d[0], b, b, c, d[2], d[3]}, {0, 3, 4, 1, 5, 2}, to);
    }
    void space_to_depth() {
        const auto [d, b] = blocks();
        if (d[2] % b != 0 || d[3] % b != 0) fail("[", dims_text(d), "] does not divide into blocks of ", b);
        regrouped({d[0], d[1], d[2] / b, b, d[3] / b, b}, {0, 3, 5, 1, 2, 4}, {d[0], d[1] * b * b, d[2] / b, d[3] / b});
    }
    void expand() {
        Dims to;
        for (const std::int64_t e : integers(1, "shape")) to.push_back(extent_of(e));
        set_item(0, expanded(computed(0), broadcast_dims(computed(0).dims(), to)));
    }
    /// Each axis a pair: how often it repeats, and itself.
    void tile() {
        const Dims dims = computed(0).dims();
        const std::vector<std::int64_t> repeats = integers(1, "repeats");
        if (repeats.size() != dims.size()) fail("it repeats ", repeats.size(), " axes of ", dims.size());
        Dims apart, to, joined;
        for (std::size_t axis = 0; axis < dims.size(); ++axis) {
            if (repeats[axis] < 1 || repeats[axis] > 1 << 20)
                fail("it repeats axis ", axis, " ", repeats[axis], " times; 1 to 2^20 are supported");
            const auto count = static_cast<std::size_t>(repeats[axis]);
            if (count > 1) apart.push_back(1), to.push_back(count);
            apart.push_back(dims[axis]), to.push_back(dims[axis]);
            joined.push_back(count * dims[axis]);
        }
        Item x = reshaped(computed(0), apart);
        Item repeated = expanded(x, to);
        set_item(0, reshaped(repeated, joined));
    }
    void concat_values() {
        if (node_->inputs.size() == 1) return same();
        std::vector<Item> items;
        std::vector<const Item*> all;
        for (std::size_t i = 0; i < node_->inputs.size(); ++i) items.push_back(computed(i));
        for (const Item& x : items) all.push_back(&x);
        Dims dims = items.front().dims();
        const std::size_t axis = axis_in(integer_attribute(*node_, "axis", 1), dims.size());
        for (std::size_t i = 1; i < items.size(); ++i) {
            if (items[i].rank() != dims.size())
                fail("[", dims_text(dims), "] and [", dims_text(items[i].dims()), "] differ in rank");
            dims[axis] += items[i].dims()[axis];
        }
        const Dims order = common_order(all);
        std::vector<ValueId> ids;
        for (Item& x : items) ids.push_back(arranged(x, order));
        const auto at = std::find(order.begin(), order.end(), axis) - order.begin();
        bind(add(Concat{static_cast<std::int32_t>(at)}, ids), dims, order);
    }
    void pad() {
        Item& x = computed(0);
        Dims dims = x.dims();
        const std::string mode = text_attribute(*node_, "mode", "constant");
        if (mode != "constant") fail("its mode is '", onnx::printable(mode), "'; constant is supported");
        const std::vector<std::int64_t> sides = integers(1, opset_ < 2 ? "paddings" : "pads");
        std::vector<std::int64_t> axes;
        if (has_input(3)) axes = constant(3, "axes").integers();
        if (axes.empty()) {
            for (std::size_t axis = 0; axis < dims.size(); ++axis) axes.push_back(static_cast<std::int64_t>(axis));
        }
        axes_in(axes, dims.size());
        if (sides.size() != 2 * axes.size()) fail("it has ", sides.size(), " paddings for ", axes.size(), " axes");
        const Dims order = common_order({&x});
        Pad layer{.before = Dims(dims.size(), 0), .after = Dims(dims.size(), 0)};
        for (std::size_t i = 0; i < axes.size(); ++i) {
            const std::size_t axis = axis_in(axes[i], dims.size());
            const auto at = static_cast<std::size_t>(std::find(order.begin(), order.end(), axis) - order.begin());
            for (const std::int64_t side : {sides[i], sides[i + axes.size()]}) {
                if (side < 0 || side > largest_window) fail("a padding is ", side, "; 0 to ", largest_window, " are supported");
            }
            layer.before[at] = static_cast<std::size_t>(sides[i]);
            layer.after[at] = static_cast<std::size_t>(sides[i + axes.size()]);
            dims[axis] += layer.before[at] + layer.after[at];
        }
        layer.value = has_input(2) ? static_cast<float>(constant(2, "value").number()) : real_attribute(*node_, "value", 0.0f);
        bind(add(std::move(layer), {arranged(x, order)}), dims, order);
    }
    /// Only what takes everything.
    void slice() {
        KnownNode k{*node_, opset_, {}, budget_};
        const Dims dims = computed(0).dims();
        for (std::size_t i = 0; i < node_->inputs.size(); ++i)
            k.inputs.push_back(i > 0 && has_input(i) ? &constant(i, "range") : nullptr);
        const std::vector<Range> ranges = fold_op::ranges_of(k, dims);
        for (std::size_t axis = 0; axis < dims.size(); ++axis) {
            if (ranges[axis].count != dims[axis] || ranges[axis].step != 1)
                fail("it takes a part of axis ", axis, "; no layer for it");
        }
        same();
    }
    void split() {
        if (node_->outputs.size() != 1) fail("it splits a value in ", node_->outputs.size(), "; no layer for it");
        same();
    }
};

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
