// SPDX-License-Identifier: MIT
#pragma once
// OnnxExportContext: what the layers of a model share while they become nodes of an ONNX graph.

#include <mote/core/narrow.hpp>
#include <mote/io/detail/import_log.hpp>
#include <mote/io/onnx/file.hpp>
#include <mote/model/node.hpp>
#include <mote/passes/layout.hpp>

#include <map>
#include <tuple>

MOTE_BEGIN_NAMESPACE

/// How export_onnx writes a model.
struct OnnxExportOptions {
    std::string name = "model";  ///< of the graph, and what errors call the model
    std::int64_t opset = 17;     ///< of the operators, 13 to 21; below 14 HardSwish is two nodes
    /// Inputs and outputs of rank 3 to 5 are [batch, channels, ...] instead of the model's [batch, ..., channels].
    bool channels_first_io = false;
};

namespace detail::onnx_export {

using Dims = std::vector<std::size_t>;
using Groups = std::vector<Dims>;
using Attributes = std::vector<OnnxAttribute>;

inline OnnxAttribute integer(std::string name, std::int64_t value) {
    return {std::move(name), OnnxAttributeType::integer, "", std::vector<std::int64_t>{value}};
}
inline OnnxAttribute integers(std::string name, std::initializer_list<std::size_t> values) {
    std::vector<std::int64_t> list;
    for (const std::size_t value : values) list.push_back(static_cast<std::int64_t>(value));
    return {std::move(name), OnnxAttributeType::integers, "", std::move(list)};
}
inline OnnxAttribute real(std::string name, float value) {
    return {std::move(name), OnnxAttributeType::real, "", std::vector<float>{value}};
}
inline OnnxAttribute text(std::string name, std::string value) {
    return {std::move(name), OnnxAttributeType::text, "", std::vector<std::string>{std::move(value)}};
}

/// Batch, channels, then the axes between them.
inline Dims channels_first(std::size_t rank) {
    Dims order = Layout::in_order(rank);
    if (rank >= 3) std::rotate(order.begin() + 1, order.end() - 1, order.end());
    return order;
}
inline Groups each_alone(const Dims& order) {
    Groups groups;
    for (const std::size_t axis : order) groups.push_back({axis});
    return groups;
}
inline Dims dims_of(const Shape& shape) {
    return {shape.begin(), shape.end()};
}
/// The extents of the axes in this order.
inline Dims picked(const Shape& shape, const Dims& order) {
    Dims dims;
    for (const std::size_t axis : order) dims.push_back(shape[axis]);
    return dims;
}

template <class P>
constexpr OnnxElement element_of = OnnxElement::undefined;
template <>
inline constexpr OnnxElement element_of<f32> = OnnxElement::float32;
template <>
inline constexpr OnnxElement element_of<i8> = OnnxElement::int8;
template <>
inline constexpr OnnxElement element_of<i32> = OnnxElement::int32;
template <>
inline constexpr OnnxElement element_of<i64> = OnnxElement::int64;

}  // namespace detail::onnx_export

/// A tensor of the file that holds a value of the model, how the value's axes lie in it, and its own extents.
struct OnnxForm {
    std::string tensor;
    Layout layout;
    std::vector<std::size_t> dims;
};

/// What a layer's `to_onnx` sees of its node: its inputs as tensors of the graph, and what adds nodes and constants.
///
///     void to_onnx(const MyLayer&, mote::OnnxExportContext& node) {
///         const mote::OnnxForm x = node.real(node.form(0));
///         node.finish(node.emit("Celu", {x.tensor}), x.layout, x.dims);
///     }
///
/// An i8 value is a tensor of bytes. real() reads it through DequantizeLinear, finish() makes it by QuantizeLinear, so that an
/// operator between the two computes on real numbers (the QDQ form of quantized graphs).
class OnnxExportContext : private detail::ImportLog {
  public:
    using Dims = detail::onnx_export::Dims;
    using Groups = detail::onnx_export::Groups;
    using Attributes = detail::onnx_export::Attributes;

    OnnxExportContext(std::span<const Value> values, const OnnxExportOptions& options)
        : values_(values), options_(options), forms_(values.size()) {
        for (const Value& value : values) reserve_name(value.name);
    }

    // ------------------------------------------------------------------------------------------- the node that is written

    std::int64_t opset() const noexcept { return options_.opset; }
    std::size_t inputs() const noexcept { return node_->inputs.size(); }
    const Value& input(std::size_t place) const { return values_[node_->inputs[place]]; }
    const Value& output() const { return values_[node_->outputs[0]]; }

    /// The tensors that hold input `place`, as it is stored: bytes for i8. One at least.
    const std::vector<OnnxForm>& forms(std::size_t place) const { return forms_[node_->inputs[place]]; }
    const OnnxForm& form(std::size_t place) const { return forms(place).front(); }

    /// Input `place` as it is stored, with each group of axes as one axis of the tensor; every axis belongs to one group.
    OnnxForm arranged(std::size_t place, const Groups& groups) { return arranged_value(node_->inputs[place], groups); }
    /// The same with the axes in this order.
    OnnxForm arranged(std::size_t place, const Dims& order) { return arranged(place, detail::onnx_export::each_alone(order)); }
    /// The form in real numbers.
    OnnxForm real(const OnnxForm& form, std::size_t place = 0) {
        if (input(place).element == Element::f32) return form;
        if (!input(place).quantization.present())
            fail("input ", to_string(input(place)), " is of plain numbers; f32, and i8 with a quantization, are supported");
        std::string& tensor = reals_[form.tensor];
        if (tensor.empty()) tensor = dequantized<i8>(form.tensor, input(place).quantization);
        return {tensor, form.layout, form.dims};
    }
    /// An image [batch, height, width, channels] in real numbers, its axes [batch, channels, height, width] in the file.
    OnnxForm image(std::size_t place = 0) { return real(arranged(place, detail::onnx_export::channels_first(4)), place); }

    /// The order in which most of the inputs lie, channels first where others are no better.
    Dims common_order() const {
        const std::size_t rank = input(0).shape.rank();
        Dims best;
        std::size_t most = 0;
        for (const Dims& order : {detail::onnx_export::channels_first(rank), Layout::in_order(rank)}) {
            std::size_t count = 1;
            for (std::size_t i = 0; i < inputs(); ++i) {
                const auto lies = [&](const OnnxForm& f) { return f.layout.rank() == rank && f.layout.stored_as(order); };
                count += static_cast<std::size_t>(std::ranges::any_of(forms(i), lies));
            }
            if (count > most) best = order, most = count;
        }
        return best;
    }

    // ---------------------------------------------------------------------------------------------- nodes and constants

    /// A node with one output, or so many; the tensor of the last.
    std::string emit(const char* op, std::vector<std::string> inputs, Attributes attributes = {}, std::size_t outputs = 1) {
        OnnxNode node{.op_type = op, .inputs = std::move(inputs), .attributes = std::move(attributes)};
        for (std::size_t i = 0; i < outputs; ++i) node.outputs.push_back(unused(concat(base(), "/", op)));
        node.name = node.outputs.back();
        graph_.nodes.push_back(std::move(node));
        return graph_.nodes.back().name;
    }

    /// A constant of these elements; equal ones that are small are one.
    template <class P>
    std::string constant(const char* what, const Dims& dims, std::span<const typename P::value_type> elements) {
        const std::span<const std::byte> bytes = std::as_bytes(elements);
        Key key{static_cast<int>(detail::onnx_export::element_of<P>), dims, {}};
        if (bytes.size() <= largest_key) {
            key.content.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            if (const auto found = constants_.find(key); found != constants_.end()) return found->second;
        }
        const std::shared_ptr<std::byte> memory = allocate_bytes(bytes.size());
        if (!bytes.empty()) std::memcpy(memory.get(), bytes.data(), bytes.size());
        const std::string name =
            initializer(what, dims, detail::onnx_export::element_of<P>, {memory, {memory.get(), bytes.size()}});
        if (bytes.size() <= largest_key) constants_.emplace(std::move(key), name);
        return name;
    }
    std::string extents(const char* what, const std::vector<std::int64_t>& numbers) {
        return constant<i64>(what, {numbers.size()}, numbers);
    }
    /// A tensor of the node's layer. Its bytes are the layer's own, which the graph keeps alive; nodes that share a layer share
    /// the constant.
    template <class P>
    std::string parameter(const char* what, const Tensor<P>& tensor) {
        const Dims dims = detail::onnx_export::dims_of(tensor.shape());
        return parameter(what, tensor, dims, Layout::in_order(dims.size()));
    }
    /// The tensor after it was given the extents `dims`, with axis order[a] as axis a, and then the extents `stated` (where
    /// they are given). Copied where elements change places.
    template <class P>
    std::string parameter(const char* what, const Tensor<P>& tensor, const Dims& dims, const Dims& order, Dims stated = {}) {
        constexpr OnnxElement element = detail::onnx_export::element_of<P>;
        Dims moved;
        for (const std::size_t axis : order) moved.push_back(dims[axis]);
        if (stated.empty()) stated = moved;
        std::string& name = parameters_[{tensor.data(), dims, order, stated}];
        if (!name.empty()) return name;
        if (Layout(dims).stored_as(order)) {
            return name = initializer(what, stated, element, {node_->layer, std::as_bytes(tensor.values())});
        }
        Dims stride(dims.size(), 1), at(dims.size(), 0);
        for (std::size_t axis = dims.size() - 1; axis-- > 0;) stride[axis] = stride[axis + 1] * dims[axis + 1];
        const std::shared_ptr<std::byte> memory = allocate_bytes(tensor.bytes());
        auto* to = reinterpret_cast<typename P::value_type*>(memory.get());
        std::size_t from = 0;
        for (std::size_t i = 0; i < tensor.elements(); ++i) {
            to[i] = tensor[from];
            for (std::size_t a = order.size(); a-- > 0;) {
                from += stride[order[a]];
                if (++at[a] < moved[a]) break;
                from -= moved[a] * stride[order[a]];
                at[a] = 0;
            }
        }
        return name = initializer(what, stated, element, {memory, {memory.get(), tensor.bytes()}});
    }

    /// The real numbers of a tensor of P (i8 or i32), by one scale or by one an index of `axis`.
    template <class P>
    std::string dequantized(const std::string& tensor, const Quantization& q, std::int64_t axis = 0) {
        Attributes attributes;
        if (q.per_axis()) attributes.push_back(detail::onnx_export::integer("axis", axis));
        return emit("DequantizeLinear", {tensor, scales(q), zero_points<P>(q)}, std::move(attributes));
    }
    std::string reshaped(const OnnxForm& form, const Dims& dims) {
        if (form.dims == dims) return form.tensor;
        std::vector<std::int64_t> numbers;  // a first extent that stays follows the batch
        for (const std::size_t extent : dims) {
            const bool batch = numbers.empty() && !form.dims.empty() && form.dims[0] == extent;
            numbers.push_back(batch ? 0 : static_cast<std::int64_t>(extent));
        }
        return emit("Reshape", {form.tensor, extents("shape", numbers)});
    }

    // ------------------------------------------------------------------------------------------------------- its output

    /// The node's output is this tensor of real numbers, quantized where the output is i8.
    void finish(std::string tensor, Layout layout, Dims dims) {
        name_node(tensor);
        if (output().element == Element::i8) {
            const Quantization& q = output().quantization;
            tensor = emit("QuantizeLinear", {std::move(tensor), scales(q), zero_points<i8>(q)});
        }
        forms_[node_->outputs[0]].push_back({std::move(tensor), std::move(layout), std::move(dims)});
    }
    /// The node's output is this tensor as it is. More than one call states more forms of it.
    void finish_stored(std::string tensor, Layout layout, Dims dims) {
        name_node(tensor);
        forms_[node_->outputs[0]].push_back({std::move(tensor), std::move(layout), std::move(dims)});
    }
    /// The same, its axes in this order.
    void finish(std::string tensor, const Dims& order) {
        finish(std::move(tensor), Layout(output().shape, order), detail::onnx_export::picked(output().shape, order));
    }
    void finish_stored(std::string tensor, const Dims& order) {
        finish_stored(std::move(tensor), Layout(output().shape, order), detail::onnx_export::picked(output().shape, order));
    }

    template <class... Part>
    [[noreturn]] static void fail(const Part&... part) {
        mote::fail(part...);
    }

    // -------------------------------------------------------------------------------------------------------- the graph

    void add_input(ValueId id) {
        const Dims order = outer_order(id);
        inputs_.push_back(id);
        forms_[id].push_back({values_[id].name, Layout(values_[id].shape, order), picked(id, order)});
        graph_.inputs.push_back(typed(id, order));
    }
    /// Calls write(*this) for the node; an error is noted with its name, and what follows goes on.
    template <class Write>
    void add_node(const Node& node, const char* kind, Write write) {
        node_ = &node;
        const bool done = guarded(concat("node '", node.name, "' (", kind, ")"), [&] { write(*this); });
        for (const ValueId id : node.outputs) {
            const Dims order = Layout::in_order(values_[id].shape.rank());
            if (!done) forms_[id] = {{values_[id].name, Layout(values_[id].shape, order), picked(id, order)}};
        }
        node_ = nullptr;
    }
    void add_output(ValueId id) {
        const Dims order = outer_order(id);
        value_ = id;
        std::string tensor = arranged_value(id, detail::onnx_export::each_alone(order)).tensor;
        const auto is_input = [&](const std::string& name) {
            return std::ranges::count(graph_.inputs, name, &OnnxValue::name) != 0;
        };
        if (tensor != values_[id].name && (is_input(tensor) || final_names_.count(tensor) != 0))
            tensor = emit("Identity", {tensor});
        final_names_.emplace(tensor, values_[id].name);
        graph_.outputs.push_back(typed(id, order));
    }
    /// The graph, its tensors named after the values that they hold. Throws an Error with all that could not be written.
    OnnxGraph finished() {
        tell_notes(options_.name);
        for (const ValueId id : inputs_) state_scale(id);
        std::unordered_set<std::string> taken;
        for (const OnnxValue& value : graph_.inputs) taken.insert(value.name);
        for (const OnnxValue& value : graph_.outputs) taken.insert(value.name);
        for (ValueId id = 0; id < values_.size(); ++id) {
            for (const OnnxForm& form : forms_[id]) {
                if (final_names_.count(form.tensor) != 0 || taken.count(form.tensor) != 0) continue;
                if (taken.insert(values_[id].name).second) final_names_.emplace(form.tensor, values_[id].name);
                break;
            }
        }
        const auto rename = [&](std::vector<std::string>& names) {
            for (std::string& name : names) {
                if (const auto found = final_names_.find(name); found != final_names_.end()) name = found->second;
            }
        };
        for (OnnxNode& node : graph_.nodes) rename(node.inputs), rename(node.outputs);
        graph_.name = options_.name;
        return std::move(graph_);
    }

  private:
    static constexpr std::size_t largest_key = 4096;
    /// What tells small constants apart.
    struct Key {
        int element;
        Dims dims;
        std::string content;
        friend auto operator<=>(const Key&, const Key&) = default;
    };

    std::string base() const { return node_ != nullptr ? node_->name : values_[value_].name; }
    Dims picked(ValueId id, const Dims& order) const { return detail::onnx_export::picked(values_[id].shape, order); }
    Dims outer_order(ValueId id) const {
        const std::size_t rank = values_[id].shape.rank();
        const bool turned = options_.channels_first_io && rank >= 3 && rank <= 5;
        return turned ? detail::onnx_export::channels_first(rank) : Layout::in_order(rank);
    }
    OnnxValue typed(ValueId id, const Dims& order) const {
        OnnxValue result{values_[id].name, {.kind = OnnxType::Kind::tensor}};
        const Element element = values_[id].element;
        if (element != Element::f32 && element != Element::i8 && element != Element::i64)
            mote::fail("value ", to_string(values_[id]), " cannot be written; f32, i8 and i64 are supported");
        result.type.element = element == Element::i8    ? OnnxElement::int8
                              : element == Element::i64 ? OnnxElement::int64
                                                        : OnnxElement::float32;
        std::vector<OnnxDimension>& shape = result.type.shape.emplace();
        for (const std::size_t extent : picked(id, order)) shape.push_back({static_cast<std::int64_t>(extent), ""});
        return result;
    }
    /// A DequantizeLinear tells what an input's bytes mean, also where nobody reads them as real numbers.
    void state_scale(ValueId id) {
        if (values_[id].element != Element::i8 || !values_[id].quantization.present()) return;
        std::unordered_set<std::string> same{values_[id].name};
        for (const OnnxNode& node : graph_.nodes) {
            if (std::ranges::none_of(node.inputs, [&](const std::string& name) { return same.count(name) != 0; })) continue;
            if (node.op_type == "DequantizeLinear") return;
            same.insert(node.outputs[0]);
        }
        value_ = id;
        dequantized<i8>(values_[id].name, values_[id].quantization);
    }
    std::string initializer(const char* what, const Dims& dims, OnnxElement element, FileBytes data) {
        OnnxTensor tensor{.name = unused(concat(base(), "/", what)), .element = element, .data = std::move(data)};
        for (const std::size_t extent : dims) tensor.dims.push_back(static_cast<std::int64_t>(extent));
        graph_.initializers.push_back(std::move(tensor));
        return graph_.initializers.back().name;
    }
    static Dims scale_dims(const Quantization& q) { return q.per_axis() ? Dims{q.scale.size()} : Dims{}; }
    std::string scales(const Quantization& q) { return constant<f32>("scale", scale_dims(q), q.scale); }
    template <class P>
    std::string zero_points(const Quantization& q) {
        std::vector<typename P::value_type> zeros;
        for (const std::int32_t zero : q.zero_point) zeros.push_back(narrow<typename P::value_type>(zero));
        return constant<P>("zero_point", scale_dims(q), zeros);
    }
    /// The node that makes the tensor, where it was added last, gets the layer's own name.
    void name_node(const std::string& tensor) {
        if (!graph_.nodes.empty() && graph_.nodes.back().outputs.back() == tensor) graph_.nodes.back().name = node_->name;
    }

    /// A value by the shortest way from one of its forms. The result is another of them.
    OnnxForm arranged_value(ValueId id, const Groups& groups) {
        std::vector<OnnxForm>& forms = forms_[id];
        std::optional<std::pair<std::size_t, Rearrangement>> way;
        const auto cost = [](const Rearrangement& r) {
            return (r.order.empty() ? 0 : 4) + (r.before.empty() ? 0 : 1) + (r.after ? 1 : 0);
        };
        for (std::size_t i = 0; i < forms.size(); ++i) {
            Rearrangement r = rearrange(forms[i].layout, make_shape(forms[i].dims), groups);
            if (!way || cost(r) < cost(way->second)) way.emplace(i, std::move(r));
        }
        OnnxForm result = forms[way->first];
        const Rearrangement& r = way->second;
        if (cost(r) == 0) return result;
        Dims order;
        for (const Dims& group : groups) order.insert(order.end(), group.begin(), group.end());
        if (!r.before.empty()) result = {reshaped(result, r.before), result.layout, r.before};
        if (!r.order.empty()) {
            OnnxAttribute perm = detail::onnx_export::integers("perm", {});
            std::vector<std::int64_t> places;
            Dims moved;
            for (const std::size_t axis : r.order) {
                places.push_back(static_cast<std::int64_t>(axis));
                moved.push_back(result.dims[axis]);
            }
            perm.value = std::move(places);
            result = {emit("Transpose", {result.tensor}, {std::move(perm)}), Layout(values_[id].shape, order), moved};
        }
        if (r.after) result = {reshaped(result, *r.after), result.layout, *r.after};
        forms.push_back(result);
        return result;
    }

    std::span<const Value> values_;
    const OnnxExportOptions& options_;
    std::vector<std::vector<OnnxForm>> forms_;
    std::vector<ValueId> inputs_;
    OnnxGraph graph_;
    std::unordered_map<std::string, std::string> reals_;        // of a tensor of bytes, its real numbers
    std::unordered_map<std::string, std::string> final_names_;  // of tensors that hold values
    std::map<Key, std::string> constants_;
    std::map<std::tuple<const void*, Dims, Dims, Dims>, std::string> parameters_;
    const Node* node_ = nullptr;
    ValueId value_ = 0;
};

MOTE_END_NAMESPACE
