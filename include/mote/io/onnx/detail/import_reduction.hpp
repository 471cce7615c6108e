// SPDX-License-Identifier: MIT
#pragma once
// Import of ONNX reductions along axes, and of softmax.

#include <mote/io/onnx/detail/import_contraction.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_import {

class Reductions : protected Contraction {
  public:
    using Contraction::Contraction;

  protected:
    /// Over the chosen axes, which keep the extent 1.
    Form reduced(Item& x, const std::vector<char>& chosen, Reduction function) {
        Dims kept = x.dims();
        const Dims order = common_order({&x});
        Reduce layer{.function = function};
        for (std::size_t at = 0; at < order.size(); ++at) {
            if (chosen[order[at]] == 0) continue;
            kept[order[at]] = 1;
            layer.axes.push_back(at);
        }
        const Value& value = graph_.values[x.forms.front().id];
        const bool pools = value.element == Element::f32 || value.quantization.present();
        if (pools && function == Reduction::mean && chosen == std::vector<char>{0, 0, 1, 1} && value.shape.elements() > 0) {
            const Dims image = Layout::channels_last(4);
            return {add(GlobalAveragePool{}, {arranged(x, image)}), Layout(kept, image)};
        }
        return {add(std::move(layer), {arranged(x, order)}), Layout(kept, order)};
    }
    static Dims dims_without(const Layout& layout, const std::vector<char>& chosen) {
        Dims dims;
        for (std::size_t axis = 0; axis < chosen.size(); ++axis) {
            if (chosen[axis] == 0) dims.push_back(layout.dim(axis));
        }
        return dims;
    }
    /// The layout without the chosen axes, which have extent 1.
    static Layout without(const Layout& layout, const std::vector<char>& chosen) {
        return layout_of(layout, dims_without(layout, chosen));
    }
    /// What an operator gives whose chosen axes became one number.
    void give_reduced(ValueId id, const Layout& layout, const std::vector<char>& chosen, OnnxElement element) {
        Item y = item_of(id, layout, element);
        give(integer_attribute(*node_, "keepdims", 1) != 0 ? y : reshaped(y, dims_without(layout, chosen)));
    }
    template <Reduction function>
    void reduce() {
        Item x = plain_or_computed(0);
        const std::vector<std::int64_t> axes = integers(1, "axes");
        std::vector<char> chosen = axes_in(axes, x.rank());
        if (axes.empty() && integer_attribute(*node_, "noop_with_empty_axes", 0) == 0) chosen.assign(x.rank(), 1);
        std::optional<Item> bytes;
        if (function == Reduction::max || (function == Reduction::mean && next_quantization())) bytes = bytes_of(0);
        const Form y = reduced(bytes ? *bytes : x, chosen, function);
        give_reduced(y.id, y.layout, chosen, result_element());
    }
    template <bool largest>
    void arg_max() {
        Item x = plain_or_computed(0);
        std::vector<char> chosen(x.rank(), 0);
        const std::size_t axis = axis_in(integer_attribute(*node_, "axis", 0), x.rank());
        chosen[axis] = 1;
        const Dims order = common_order({&x});
        const auto at = static_cast<std::size_t>(std::find(order.begin(), order.end(), axis) - order.begin());
        const bool last = integer_attribute(*node_, "select_last_index", 0) != 0;
        const ValueId id = add(ArgMax{.axis = at, .largest = largest, .select_last = last}, {arranged(x, order)});
        Dims kept = x.dims();
        kept[axis] = 1;
        give_reduced(id, Layout(kept, order), chosen, OnnxElement::int64);
    }

    void softmax() {
        Item* input = &computed(0);
        Softmax layer;
        std::optional<Item> bytes = bytes_of(0);
        if (bytes && next_quantization() == QuantizationParams{1.0f / 256.0f, -128}) {
            input = &*bytes;
            layer.table = softmax_table(quantization_of(*bytes).params().scale);
        }
        Item& x = *input;
        if (x.rank() == 0) fail("its input is a scalar");
        const std::int64_t stated = integer_attribute(*node_, "axis", opset_ < 13 ? 1 : -1);
        const bool flat = opset_ < 13;  // over all axes from this one on
        const std::size_t axis = flat && stated == static_cast<std::int64_t>(x.rank()) ? x.rank() : axis_in(stated, x.rank());
        const Dims dims = x.dims();
        const bool rest = std::any_of(dims.begin() + static_cast<std::ptrdiff_t>(std::min(axis + 1, dims.size())), dims.end(),
                                      [](std::size_t extent) { return extent != 1; });
        if (!flat || (!rest && axis < dims.size())) {
            const Form form = with_last(x, axis);
            return bind(add(std::move(layer), {form.id}), form.layout);
        }
        Groups groups{{}, {}};
        for (std::size_t i = 0; i < dims.size(); ++i) groups[i < axis ? 0 : 1].push_back(i);
        bind(add(std::move(layer), {arranged(x, groups)}), Layout(dims));
    }
};

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
