// SPDX-License-Identifier: MIT
#pragma once
// Import of ONNX operators that move elements or know the answer: many of them are a matter of layout and make no layer.

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

    /// What a movement takes of an input: its bytes, where real numbers stand for bytes, or its numbers as wide as they are;
    /// what is no input itself lasts until the next call.
    Item& movable(std::size_t place) {
        movable_bytes_ = bytes_of(place);
        if (!movable_bytes_ && is_plain(place) && !is_whole(place)) movable_bytes_ = plain(place);
        return movable_bytes_ ? *movable_bytes_ : computed(place);
    }
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
        const Item& x = computed(0);
        set_item(0, transposed_item(x, fold_op::transpose_order(*node_, x.rank())));
    }
    /// Reshape, transpose, reshape: all of it a matter of layout.
    void regrouped(const Dims& apart, const Dims& order, const Dims& dims) {
        Item x = transposed_item(reshaped(computed(0), apart), order);
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
        Item x = movable(0);
        give(expanded(x, broadcast_dims(x.dims(), to)));
    }
    /// A few axes at a time, so that the repeated ones and the value's are no more than a movement has.
    void tile() {
        Item x = movable(0);
        Dims repeats;
        for (const std::int64_t count : integers(1, "repeats")) repeats.push_back(extent_of(count));
        if (repeats.size() != x.rank()) fail("it repeats ", repeats.size(), " axes of ", x.rank());
        Dims some(x.rank(), 1);
        std::size_t axes = x.rank();
        for (std::size_t axis = 0; axis < repeats.size(); ++axis) {
            if (repeats[axis] == 1) continue;
            if (++axes > Shape::max_rank) {
                x = repeated(x, some);
                some.assign(some.size(), 1);
                axes = x.rank() + 1;
            }
            some[axis] = repeats[axis];
        }
        give(repeated(x, some));
    }
    void concat_values() {
        if (node_->inputs.size() == 1) return same();
        std::vector<Item> items = alike_inputs();
        give(joined(items, axis_in(integer_attribute(*node_, "axis", 1), items.front().rank())));
    }
    /// All inputs as bytes of one scale where they are that, else as they are computed.
    std::vector<Item> alike_inputs(std::size_t first = 0) {
        std::vector<Item> items;
        for (std::size_t i = first; i < node_->inputs.size(); ++i) {
            const std::optional<Item> bytes = bytes_of(i);
            if (!bytes || (!items.empty() && quantization_of(*bytes) != quantization_of(items.front()))) break;
            items.push_back(*bytes);
        }
        if (items.size() + first == node_->inputs.size()) return items;
        items.clear();
        for (std::size_t i = first; i < node_->inputs.size(); ++i) items.push_back(plain_or_computed(i));
        return items;
    }
    Item joined(std::vector<Item>& items, std::size_t axis) {
        std::vector<const Item*> all;
        for (const Item& x : items) all.push_back(&x);
        Dims dims = items.front().dims();
        for (std::size_t i = 1; i < items.size(); ++i) {
            if (items[i].rank() != dims.size())
                fail("[", dims_text(dims), "] and [", dims_text(items[i].dims()), "] differ in rank");
            dims[axis] += items[i].dims()[axis];
        }
        const Dims order = common_order(all);
        std::vector<ValueId> ids;
        for (Item& x : items) ids.push_back(arranged(x, order));
        const auto at = std::find(order.begin(), order.end(), axis) - order.begin();
        return item_of(add(Concat{static_cast<std::int32_t>(at)}, ids), Layout(dims, order), items.front().element);
    }

  private:
    std::optional<Item> movable_bytes_;
};

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
