// SPDX-License-Identifier: MIT
#pragma once
// Import of ONNX operators that choose elements: slices, gatherings by known indices, paddings of every mode, masks.

#include <mote/io/onnx/detail/import_movement.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_import {

class Selection : protected Movement {
  public:
    using Movement::Movement;

  protected:
    // ---------------------------------------------------------------------------------------------------------- slices

    /// A range of each axis.
    Item sliced(Item& x, const std::vector<Range>& ranges) {
        Dims dims = x.dims();
        const Dims order = common_order({&x});
        Slice layer;
        bool whole = true;
        for (const std::size_t axis : order) {
            const Range& r = ranges[axis];
            const bool all = r.count == dims[axis] && r.step == 1;
            whole = whole && all;
            layer.begin.push_back(r.count == 0 ? 0 : static_cast<std::size_t>(r.start));
            layer.size.push_back(all ? -1 : static_cast<std::int64_t>(r.count));
            layer.stride.push_back(r.step);
            dims[axis] = r.count;
        }
        return whole ? x : item_of(add(std::move(layer), {arranged(x, order)}), Layout(dims, order), x.element);
    }
    static std::vector<Range> whole_ranges(const Dims& dims) {
        std::vector<Range> ranges;
        for (const std::size_t extent : dims) ranges.push_back({0, 1, extent});
        return ranges;
    }
    void slice() {
        KnownNode k{*node_, opset_, {}, budget_};
        Item& x = movable(0);
        for (std::size_t i = 0; i < node_->inputs.size(); ++i)
            k.inputs.push_back(i > 0 && has_input(i) ? &constant(i, "range") : nullptr);
        give(sliced(x, fold_op::ranges_of(k, x.dims())));
    }
    void split() {
        Item& x = movable(0);
        const Dims dims = x.dims();
        const std::size_t axis = axis_in(integer_attribute(*node_, "axis", 0), dims.size());
        std::vector<std::int64_t> sizes = integers(1, "split");
        const std::size_t parts = node_->outputs.size();
        if (sizes.empty()) {  // equal ones; what is missing is missing from the last
            const std::size_t size = (dims[axis] + parts - 1) / parts;
            for (std::size_t i = 0; i < parts; ++i) {
                const std::size_t begin = std::min(dims[axis], i * size);
                sizes.push_back(static_cast<std::int64_t>(std::min(size, dims[axis] - begin)));
            }
        }
        std::size_t begin = 0;
        if (sizes.size() != parts) fail("it has ", parts, " outputs and states ", sizes.size(), " sizes");
        for (std::size_t i = 0; i < parts; ++i) {
            const std::size_t size = extent_of(sizes[i]);
            if (size > dims[axis] - begin) fail("its parts are longer than the ", dims[axis], " of axis ", axis);
            std::vector<Range> ranges = whole_ranges(dims);
            ranges[axis] = {static_cast<std::int64_t>(begin), 1, size};
            if (has_output(i)) give(sliced(x, ranges), i);
            begin += size;
        }
        if (begin != dims[axis]) fail("its parts have ", begin, " of the ", dims[axis], " of axis ", axis);
    }

    // ------------------------------------------------------------------------------------------------ known indices

    /// Positions along one axis; negative ones count from the end.
    Item gathered(Item& x, std::size_t axis, const std::vector<std::int64_t>& indices) {
        const Dims order = common_order({&x});
        Dims dims = x.dims();
        budget_.take(sizeof(std::int32_t) * indices.size());
        Gather layer{narrow<std::int32_t>(std::find(order.begin(), order.end(), axis) - order.begin()),
                     Tensor<i32>(Shape{indices.size()})};
        for (std::size_t i = 0; i < indices.size(); ++i) {
            const std::size_t at = axis_in(indices[i], dims[axis]);
            if (at > std::size_t{0x7fffffff}) fail("index ", at, " is beyond what a layer holds");
            layer.indices[i] = static_cast<std::int32_t>(at);
        }
        dims[axis] = indices.size();
        return item_of(add(std::move(layer), {arranged(x, order)}), Layout(dims, order), x.element);
    }
    void gather() {
        Item x = movable(0);
        const Constant& indices = constant(1, "indices");
        const Dims dims = x.dims();
        const std::size_t axis = axis_in(integer_attribute(*node_, "axis", 0), dims.size());
        const auto at = static_cast<std::ptrdiff_t>(axis);
        Dims to(dims.begin(), dims.begin() + at);
        to.insert(to.end(), indices.dims.begin(), indices.dims.end());
        to.insert(to.end(), dims.begin() + at + 1, dims.end());
        Item y = gathered(x, axis, indices.integers());
        give(to.size() == dims.size() ? std::move(y) : reshaped(y, to));
    }
    void gather_elements() {
        Item x = movable(0);
        const Constant& indices = constant(1, "indices");
        const Dims dims = x.dims();
        const std::size_t axis = axis_in(integer_attribute(*node_, "axis", 0), dims.size());
        if (indices.dims.size() != dims.size())
            fail("its indices have ", indices.dims.size(), " axes; ", dims.size(), " are expected");
        for (std::size_t i = 0; i < dims.size(); ++i) {
            if (i != axis && indices.dims[i] > dims[i])
                fail("its indices [", dims_text(indices.dims), "] are wider than [", dims_text(dims), "]");
        }
        std::vector<std::int64_t> strides = strides_of(dims), flat = indices.integers();
        const std::int64_t along = strides[axis];
        strides[axis] = 0;
        Walk walk(indices.dims, strides);
        for (std::int64_t& index : flat) {
            index = static_cast<std::int64_t>(walk.place()) + along * static_cast<std::int64_t>(axis_in(index, dims[axis]));
            walk.next();
        }
        Item line = reshaped(x, {elements_of(dims)});
        Item y = gathered(line, 0, flat);
        give(reshaped(y, indices.dims));
    }
    /// Each row of the indices names the leading axes' position, behind `batch_dims` axes that both have.
    void gather_nd() {
        Item x = movable(0);
        const Constant& indices = constant(1, "indices");
        const Dims dims = x.dims();
        const std::size_t batch = extent_of(integer_attribute(*node_, "batch_dims", 0));
        if (indices.dims.empty() || batch >= indices.dims.size()) fail("its indices have ", indices.dims.size(), " axes");
        const std::size_t length = indices.dims.back();
        if (length == 0 || length > dims.size() || batch > dims.size() - length)
            fail("its indices name ", length, " axes of [", dims_text(dims), "] behind ", batch);
        const auto lead = static_cast<std::ptrdiff_t>(batch + length);
        Dims to(indices.dims.begin(), indices.dims.end() - 1);
        to.insert(to.end(), dims.begin() + lead, dims.end());
        const Dims rows(dims.begin(), dims.begin() + lead);
        const std::vector<std::int64_t> strides = strides_of(rows), all = indices.integers();
        std::size_t batches = 1;
        for (std::size_t axis = 0; axis < batch; ++axis) {
            if (indices.dims[axis] != dims[axis]) fail("axis ", axis, " of its inputs differs");
            batches *= dims[axis];
        }
        const std::size_t each = batches == 0 ? 0 : all.size() / length / batches;
        std::vector<std::int64_t> flat;
        for (std::size_t row = 0; row < all.size() / length; ++row) {
            std::int64_t at = batch == 0 ? 0 : static_cast<std::int64_t>(row / each) * strides[batch - 1];
            for (std::size_t i = 0; i < length; ++i) {
                at += strides[batch + i] * static_cast<std::int64_t>(axis_in(all[row * length + i], rows[batch + i]));
            }
            flat.push_back(at);
        }
        Dims table = to;
        table.erase(table.begin(), table.end() - static_cast<std::ptrdiff_t>(dims.size()) + lead);
        table.insert(table.begin(), elements_of(rows));
        Item lines = reshaped(x, table);
        Item y = gathered(lines, 0, flat);
        give(reshaped(y, to));
    }

    /// Elements of all the items, counted one item after the other, under `dims`.
    Item chosen(std::vector<Item> items, const std::vector<std::int64_t>& places, const Dims& dims) {
        for (Item& x : items) x = reshaped(x, {elements_of(x.dims())});
        Item all = items.size() == 1 ? items.front() : joined(items, 0);
        Item y = gathered(all, 0, places);
        return reshaped(y, dims);
    }
    void where() {
        const Constant& condition = constant(0, "condition");
        std::vector<Item> items = alike_inputs(1);
        if (items.size() != 2 || items[0].element != items[1].element) fail("two inputs of one type are expected behind it");
        const Dims a = items[0].dims(), b = items[1].dims();
        const Dims dims = broadcast_dims(condition.dims, broadcast_dims(a, b));
        const auto first = static_cast<std::int64_t>(elements_of(a));
        budget_.take(8 * elements_of(dims));
        Walk c(dims, broadcast_strides(condition.dims, dims)), yes(dims, broadcast_strides(a, dims)),
            no(dims, broadcast_strides(b, dims));
        std::vector<std::int64_t> places;
        for (std::size_t i = 0; i < elements_of(dims); ++i, c.next(), yes.next(), no.next()) {
            places.push_back(static_cast<std::int64_t>(
                condition.integer(c.place()) != 0 ? yes.place() : no.place() + static_cast<std::size_t>(first)));
        }
        give(chosen(std::move(items), places, dims));
    }
    /// Of each matrix the triangle; what is beyond it is 0.
    void trilu() {
        Item x = plain_or_computed(0);
        const Dims dims = x.dims();
        if (dims.size() < 2) fail("its input is [", dims_text(dims), "]; a matrix is expected");
        const std::int64_t k = has_input(1) ? std::clamp<std::int64_t>(static_cast<std::int64_t>(constant(1, "k").number()),
                                                                       -(std::int64_t{1} << 40), std::int64_t{1} << 40)
                                            : 0;
        const bool upper = integer_attribute(*node_, "upper", 1) != 0;
        const std::size_t count = elements_of(dims), rows = dims[dims.size() - 2], columns = dims.back();
        budget_.take(8 * count);
        std::vector<std::int64_t> places;
        for (std::size_t i = 0; i < count; ++i) {
            const auto row = static_cast<std::int64_t>(i / columns % rows), column = static_cast<std::int64_t>(i % columns);
            const bool kept = upper ? column - row >= k : column - row <= k;
            places.push_back(static_cast<std::int64_t>(kept ? i : count));
        }
        const ValueId zero = add(constant_of(Tensor<f32>(Shape{1})), {});
        Item none = x;
        none.forms = {{is_plain(0) ? add(Cast{held_element(x.element)}, {zero}) : zero, Layout(Dims{1})}};
        none.bytes.clear();
        none.exact.clear();
        give(chosen({x, none}, places, dims));
    }

    // -------------------------------------------------------------------------------------------------------- paddings

    /// What stands at place i of an axis of n elements that goes on by itself.
    static std::int64_t beyond(std::string_view mode, std::int64_t i, std::int64_t n) {
        if (mode == "edge") return std::clamp<std::int64_t>(i, 0, n - 1);
        const std::int64_t period = mode == "wrap" ? n : std::max<std::int64_t>(1, 2 * (n - 1));
        const std::int64_t at = (i % period + period) % period;
        return at < n ? at : period - at;
    }
    /// Elements before and after each axis; negative ones are cut off. `mode` "constant" fills with `value`.
    Item padded(Item x, const std::vector<std::int64_t>& before, const std::vector<std::int64_t>& after, std::string_view mode,
                float value) {
        Dims dims = x.dims();
        std::vector<Range> ranges = whole_ranges(dims);
        for (std::size_t axis = 0; axis < dims.size(); ++axis) {
            for (const std::int64_t side : {before[axis], after[axis]}) {
                if (side < -largest_padding || side > largest_padding)
                    fail("a padding is ", side, "; at most ", largest_padding, " are supported");
            }
            const auto n = static_cast<std::int64_t>(dims[axis]);
            const std::int64_t begin = std::max<std::int64_t>(0, -before[axis]),
                               end = n - std::max<std::int64_t>(0, -after[axis]);
            ranges[axis] = {begin, 1, static_cast<std::size_t>(std::max<std::int64_t>(0, end - begin))};
        }
        x = sliced(x, ranges);
        dims = x.dims();
        if (mode != "constant") {
            for (std::size_t axis = 0; axis < dims.size(); ++axis) {
                if (before[axis] <= 0 && after[axis] <= 0) continue;
                if (dims[axis] == 0) fail("axis ", axis, " is empty; nothing continues it");
                const auto n = static_cast<std::int64_t>(dims[axis]);
                budget_.take(sizeof(std::int64_t) *
                             (dims[axis] + static_cast<std::size_t>(std::max<std::int64_t>(0, before[axis]) +
                                                                    std::max<std::int64_t>(0, after[axis]))));
                std::vector<std::int64_t> indices;
                for (std::int64_t i = -std::max<std::int64_t>(0, before[axis]); i < n + std::max<std::int64_t>(0, after[axis]);
                     ++i)
                    indices.push_back(beyond(mode, i, n));
                x = gathered(x, axis, indices);
            }
            return x;
        }
        const Dims order = common_order({&x});
        Pad layer;
        layer.value = value;
        for (const std::size_t axis : order) {
            layer.before.push_back(static_cast<std::size_t>(std::max<std::int64_t>(0, before[axis])));
            layer.after.push_back(static_cast<std::size_t>(std::max<std::int64_t>(0, after[axis])));
            dims[axis] += layer.before.back() + layer.after.back();
        }
        return item_of(add(std::move(layer), {arranged(x, order)}), Layout(dims, order), x.element);
    }
    void pad() {
        const Item& given = item(0);
        const std::string mode = text_attribute(*node_, "mode", "constant");
        if (mode != "constant" && mode != "edge" && mode != "reflect" && mode != "wrap")
            fail("its mode is '", onnx::printable(mode), "'; constant, edge, reflect and wrap are supported");
        const Dims dims = given.dims();
        const std::vector<std::int64_t> sides = integers(1, opset_ < 2 ? "paddings" : "pads");
        std::vector<std::int64_t> axes;
        if (has_input(3)) axes = constant(3, "axes").integers();
        if (axes.empty()) {
            for (std::size_t axis = 0; axis < dims.size(); ++axis) axes.push_back(static_cast<std::int64_t>(axis));
        }
        axes_in(axes, dims.size());
        if (sides.size() != 2 * axes.size()) fail("it has ", sides.size(), " paddings for ", axes.size(), " axes");
        std::vector<std::int64_t> before(dims.size(), 0), after(dims.size(), 0);
        for (std::size_t i = 0; i < axes.size(); ++i) {
            const std::size_t axis = axis_in(axes[i], dims.size());
            before[axis] = sides[i];
            after[axis] = sides[i + axes.size()];
        }
        float value = has_input(2) ? static_cast<float>(constant(2, "value").number()) : real_attribute(*node_, "value", 0.0f);
        // Bytes hold 0 exactly; other numbers are put among real ones. What pads bytes as such is one of them.
        Item x = value == 0.0f || mode != "constant" ? movable(0) : computed(0);
        const Value& stored = graph_.values[x.forms.front().id];
        if (stored.element == Element::i8 && stored.quantization.present() && !is_float(x.element)) {
            const QuantizationParams q = stored.quantization.params();
            const float shift = x.element == OnnxElement::uint8 ? 128.0f : 0.0f;
            value = (value - shift - static_cast<float>(q.zero_point)) * q.scale;
        }
        give(padded(std::move(x), before, after, mode, value));
    }
    /// Each named axis gets its extent, in the middle; what is missing is 0.
    void center_crop_pad() {
        Item x = movable(0);
        const Dims dims = x.dims();
        const std::vector<std::int64_t> shape = constant(1, "shape").integers();
        std::vector<std::int64_t> axes = integers_attribute(*node_, "axes"), before(dims.size(), 0), after(dims.size(), 0);
        if (axes.empty()) {
            for (std::size_t axis = 0; axis < dims.size(); ++axis) axes.push_back(static_cast<std::int64_t>(axis));
        }
        axes_in(axes, dims.size());
        if (shape.size() != axes.size()) fail("it has ", shape.size(), " extents for ", axes.size(), " axes");
        for (std::size_t i = 0; i < axes.size(); ++i) {
            const std::size_t axis = axis_in(axes[i], dims.size());
            extent_of(shape[i]);
            const std::int64_t more =
                std::clamp(shape[i], std::int64_t{0}, largest_padding) - static_cast<std::int64_t>(dims[axis]);
            before[axis] = more < 0 ? -(-more / 2) : more / 2;
            after[axis] = more - before[axis];
        }
        give(padded(std::move(x), before, after, "constant", 0.0f));
    }

  private:
    static constexpr std::int64_t largest_padding = std::int64_t{1} << 24;
};

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
