// SPDX-License-Identifier: MIT
#pragma once
// ImportState: what the operators of an ONNX graph share while they are imported.

#include <mote/io/detail/import_log.hpp>
#include <mote/io/onnx/detail/fold.hpp>
#include <mote/io/onnx/detail/message.hpp>
#include <mote/model/model.hpp>
#include <mote/passes/graph.hpp>
#include <mote/passes/layout.hpp>

#include <unordered_map>
#include <unordered_set>

MOTE_BEGIN_NAMESPACE

/// How import_onnx reads a model.
struct OnnxImportOptions {
    std::string name = "model";  ///< what errors call it; load_onnx gives the path
    std::size_t batch = 1;       ///< the extent of a first axis that the file leaves open
    /// The extents of named axes ("height"). Every other open axis needs its name here.
    std::vector<std::pair<std::string, std::size_t>> dimensions{};
    /// Inputs and outputs of rank 3 to 5 are [batch, ..., channels] instead of the file's [batch, channels, ...].
    bool channels_last_io = false;
    /// What constants may take beyond the bytes that the file holds of them.
    std::size_t max_constant_bytes = std::size_t{1} << 30;
};

namespace detail::onnx_import {

using List = AnyModel::layers;
using Groups = std::vector<Dims>;

/// A value of the model, and how the file's axes lie in it.
struct Form {
    ValueId id = 0;
    Layout layout;
};

/// The integers that a known value of real numbers was made of.
struct Origin {
    Constant bytes{};
    std::vector<float> scales{};  ///< one, or one an index of `axis`
    std::vector<std::int64_t> zero_points{};
    std::size_t axis = 0;
};

/// A named value of the file: known, or computed and stored in one form or several, or lost to an error that was told.
struct Item {
    std::vector<Form> forms{};
    std::vector<Form> bytes{};  ///< of real numbers: the i8 values that stand for them; `forms` may then wait to be made
    std::vector<Form> exact{};  ///< of float64, float16, bfloat16: in the file's width; `forms`, in f32, may wait then too
    std::optional<Constant> constant{};
    std::shared_ptr<const Origin> origin{};
    OnnxElement element = OnnxElement::float32;
    bool lost = false;

    Dims dims() const { return constant ? constant->dims : stored().layout.dims(); }
    const Form& stored() const { return !forms.empty() ? forms.front() : !bytes.empty() ? bytes.front() : exact.front(); }
    std::size_t rank() const { return constant ? constant->dims.size() : stored().layout.rank(); }
};

/// The elements of a file and what a value of the model holds them in; of those of one element the first is written.
struct HeldElement {
    OnnxElement file;
    Element held;
};
inline constexpr HeldElement held_elements[] = {
    {OnnxElement::float32, Element::f32},   {OnnxElement::float64, Element::f64}, {OnnxElement::float16, Element::f16},
    {OnnxElement::bfloat16, Element::bf16}, {OnnxElement::int64, Element::i64},   {OnnxElement::int32, Element::i32},
    {OnnxElement::int16, Element::i16},     {OnnxElement::int8, Element::i8},     {OnnxElement::uint64, Element::u64},
    {OnnxElement::uint32, Element::u32},    {OnnxElement::uint16, Element::u16},  {OnnxElement::uint8, Element::u8},
    {OnnxElement::boolean, Element::b8},    {OnnxElement::int4, Element::i8},     {OnnxElement::int2, Element::i8},
    {OnnxElement::uint4, Element::u8},      {OnnxElement::uint2, Element::u8},
};
inline std::optional<Element> element_of(OnnxElement element) {
    const auto* entry = std::ranges::find(held_elements, element, &HeldElement::file);
    return entry == std::end(held_elements) ? std::nullopt : std::optional(entry->held);
}
inline OnnxElement onnx_element_of(Element element) {
    const auto* entry = std::ranges::find(held_elements, element, &HeldElement::held);
    return entry == std::end(held_elements) ? OnnxElement::undefined : entry->file;
}

inline Groups each_alone(const Dims& order) {
    Groups groups;
    for (const std::size_t axis : order) groups.push_back({axis});
    return groups;
}

class ImportState : protected ImportLog {
  public:
    ImportState(const OnnxModel& model, const OnnxImportOptions& options)
        : model_(model), options_(options), budget_(file_bytes(model.graph, options.max_constant_bytes)) {
        for (const OnnxValue& output : model.graph.outputs) outputs_.insert(output.name);
    }

  protected:
    // --------------------------------------------------------------------------------------------- what is supported

    /// f32 stands for floats of any width, but where an operator computes with all elements alike.
    static bool is_float(OnnxElement element) {
        return element == OnnxElement::float32 || element == OnnxElement::float16 || element == OnnxElement::bfloat16 ||
               element == OnnxElement::float64;
    }

    // ---------------------------------------------------------------------------------------- the node that is read

    bool has_input(std::size_t place) const { return place < node_->inputs.size() && !node_->inputs[place].empty(); }
    bool has_output(std::size_t place) const { return place < node_->outputs.size() && !node_->outputs[place].empty(); }
    Item& item(std::size_t place) {
        if (!has_input(place)) fail("input ", place, " is missing");
        const auto found = items_.find(node_->inputs[place]);
        if (found == items_.end())
            fail("input ", place, " ('", onnx::printable(node_->inputs[place]), "') is made by no node before it");
        return found->second;
    }
    bool known(std::size_t place) { return has_input(place) && item(place).constant.has_value(); }
    const Constant& constant(std::size_t place, const char* what) {
        const Item& i = item(place);
        if (!i.constant)
            fail("its ", what, " ('", onnx::printable(node_->inputs[place]), "') is computed; a constant is supported");
        return *i.constant;
    }
    /// The input as a value of the model; a constant becomes one.
    Item& computed(std::size_t place) {
        Item& i = item(place);
        if (i.constant) make_value(i);
        if (!is_float(i.element) && std::ranges::find(byte_operators, node_->op_type) == std::end(byte_operators)) {
            fail("input ", place, " ('", onnx::printable(node_->inputs[place]), "') is of ", onnx_element_name(i.element),
                 "; floats are supported");
        }
        make_real(i);
        return i;
    }
    /// What works on bytes as on real numbers.
    static constexpr std::string_view byte_operators[] = {"CenterCropPad", "Concat",       "DepthToSpace", "DequantizeLinear",
                                                          "Expand",        "Flatten",      "Gather",       "GatherElements",
                                                          "GatherND",      "Identity",     "MaxPool",      "Pad",
                                                          "Reshape",       "SpaceToDepth", "Slice",        "Split",
                                                          "Squeeze",       "Tile",         "Transpose",    "Trilu",
                                                          "Unsqueeze",     "Where"};
    /// Adds the layer that makes a known value, once. Floats of any width become f32.
    void make_value(Item& x) {
        const Constant& c = *x.constant;
        x.element = c.element;
        if (!x.forms.empty()) return;
        if (c.dims.size() > Shape::max_rank)
            fail("a constant has ", c.dims.size(), " axes; up to ", Shape::max_rank, " are supported");
        const Shape extents = make_shape(c.dims);
        mote::Constant layer;
        if (is_float(c.element)) {
            layer = constant_of(c.reals(extents, budget_));
        } else {
            layer = constant_layer(c);
        }
        arranging_ = true;
        x.forms.push_back({add(std::move(layer), {}), Layout(c.dims)});
        arranging_ = false;
    }
    /// The known value in the element that holds its numbers.
    mote::Constant constant_layer(const Constant& c) {
        const Element element = held_element(c.element);
        const OnnxElement stored = onnx_element_of(element);
        const std::size_t bytes = element_bytes(element, 1);
        budget_.take(bytes * c.count());
        Tensor<u8> elements(Shape{bytes * c.count()});
        auto* to = reinterpret_cast<std::byte*>(elements.data());
        for (std::size_t i = 0; i < c.count(); ++i, to += bytes) {
            if (c.is_real()) {
                store_element(stored, c.real(i), to);
            } else {
                store_element(stored, c.integer(i), to);
            }
        }
        return {element, c.dims, std::move(elements)};
    }
    static Element held_element(OnnxElement element) {
        const std::optional<Element> held = element_of(element);
        if (!held) fail("its numbers are of ", onnx_element_name(element), "; no value of the model holds that");
        return *held;
    }
    /// Adds the f32 form of a value that is stored otherwise. Where nobody uses it, it goes again.
    void make_real(Item& x) {
        if (!x.forms.empty() || (x.bytes.empty() && x.exact.empty())) return;
        const Form from = x.stored();
        arranging_ = true;
        const ValueId id = x.bytes.empty() ? add(Cast{Element::f32}, {from.id}) : add(Convert{Element::f32}, {from.id});
        arranging_ = false;
        x.forms.push_back({id, from.layout});
    }
    /// The same of floats in the file's width.
    void make_exact(Item& x) {
        if (!is_float(x.element) || x.element == OnnxElement::float32 || !x.exact.empty()) return;
        make_real(x);
        arranging_ = true;
        x.exact.push_back({add(Cast{held_element(x.element)}, {x.forms.front().id}), x.forms.front().layout});
        arranging_ = false;
    }
    /// Whether an input is computed with in its own element: of integers, truth values or float64.
    bool is_plain(std::size_t place) {
        if (!has_input(place)) return false;
        const Item& i = item(place);
        const OnnxElement element = i.constant ? i.constant->element : i.element;
        const bool stands_for_reals =
            !i.constant && !i.forms.empty() && graph_.values[i.forms.front().id].quantization.present();
        return (!is_float(element) && !stands_for_reals) || element == OnnxElement::float64;
    }
    /// The same without float64, which most operators compute in f32.
    bool is_whole(std::size_t place) {
        if (!is_plain(place)) return false;
        const Item& i = item(place);
        return !is_float(i.constant ? i.constant->element : i.element);
    }
    /// The input as a value of numbers in their own element; a constant becomes one.
    Item plain(std::size_t place) {
        Item& x = item(place);
        Item result;
        result.element = x.constant ? x.constant->element : x.element;
        if (x.constant) {
            if (x.rank() > Shape::max_rank)
                fail("a constant has ", x.rank(), " axes; up to ", Shape::max_rank, " are supported");
            result.forms.push_back({add(constant_layer(*x.constant), {}), Layout(x.constant->dims)});
            return result;
        }
        make_exact(x);
        make_real(x);
        result.forms = x.exact.empty() ? x.forms : x.exact;
        const Value& value = graph_.values[result.forms.front().id];
        if (value.quantization.present())
            fail("input ", place, " ('", onnx::printable(node_->inputs[place]),
                 "') stands for real numbers; dequantize it first");
        return result;
    }
    /// The input in its own element where that is computed with, else in f32.
    Item plain_or_computed(std::size_t place) { return is_plain(place) ? plain(place) : computed(place); }
    /// Numbers as another element of the file.
    Item as_element(const Item& x, OnnxElement element) {
        const Form from = x.forms.front();
        Item result;
        result.element = element;
        result.forms.push_back(
            {graph_.values[from.id].element == held_element(element) ? from.id : add(Cast{held_element(element)}, {from.id}),
             from.layout});
        return result;
    }
    /// The integers of an input, or of the attribute that held them before.
    std::vector<std::int64_t> integers(std::size_t place, const char* what) {
        return has_input(place) ? constant(place, what).integers() : integers_attribute(*node_, what);
    }
    /// Whether a node or the graph's outputs ask for output `place`.
    bool is_used(std::size_t place) const {
        return has_output(place) && users_.count(node_->outputs[place]) + outputs_.count(node_->outputs[place]) != 0;
    }
    void single_output() const {
        for (std::size_t i = 1; i < node_->outputs.size(); ++i) {
            if (is_used(i)) fail("its output ", i, " is used; only the first is supported");
        }
    }

    // ------------------------------------------------------------------------------------------------------- layers

    const Shape& shape(ValueId id) const { return graph_.values[id].shape; }

    template <class L>
    ValueId add(L layer, std::vector<ValueId> inputs, const Quantization& q = {}) {
        return append(make_node<List>({}, std::move(layer), std::move(inputs), {}), 1, q)[0];
    }
    /// A layer with `count` outputs.
    template <class L>
    std::vector<ValueId> add_outputs(L layer, std::vector<ValueId> inputs, std::size_t count) {
        return append(make_node<List>({}, std::move(layer), std::move(inputs), {}), count, {});
    }
    std::vector<ValueId> append(Node node, std::size_t count, const Quantization& q) {
        node.name = unused(arranging_ ? name_ + "/arranged" : parts_ == 0 ? name_ : concat(name_, "/", parts_));
        if (!arranging_) ++parts_;
        for (std::size_t i = 0; i < count; ++i) {
            node.outputs.push_back(narrow<ValueId>(graph_.values.size()));
            graph_.values.push_back({i == 0 ? node.name : unused(concat(node.name, "_", i)), {}, Element::f32, q});
        }
        detail::infer_node<List>(node, graph_.values);
        graph_.nodes.push_back(std::move(node));
        return graph_.nodes.back().outputs;
    }

    /// The value under another shape. A first extent that stays follows the batch.
    ValueId reshape(ValueId id, const Dims& to) {
        const Shape from = shape(id);
        if (to.size() == from.rank() && std::equal(to.begin(), to.end(), from.begin())) return id;
        Reshape layer;
        for (std::size_t axis = 0; axis < to.size(); ++axis) {
            const bool batch = axis == 0 && from.rank() > 0 && to[0] == from[0];
            layer.shape.push_back(batch ? 0 : static_cast<std::int64_t>(to[axis]));
        }
        return add(std::move(layer), {id});
    }

    /// The value with each group of axes as one stored axis; every axis belongs to one group. What is transposed for it is
    /// kept.
    ValueId arranged(Item& x, const Groups& groups) {
        std::optional<std::pair<std::size_t, Rearrangement>> way;
        for (std::size_t i = 0; i < x.forms.size(); ++i) {
            Rearrangement r = rearrange(x.forms[i].layout, shape(x.forms[i].id), groups);
            const bool better = !way || (!way->second.order.empty() && r.order.empty()) ||
                                (way->second.order.empty() && r.order.empty() && way->second.after && !r.after);
            if (better) way.emplace(i, std::move(r));
        }
        ValueId id = x.forms[way->first].id;
        const Rearrangement& r = way->second;
        arranging_ = true;
        if (!r.before.empty()) id = reshape(id, r.before);
        if (!r.order.empty()) id = add(Transpose{r.order}, {id});
        if (r.after) id = reshape(id, *r.after);
        arranging_ = false;
        if (!r.order.empty()) {
            Dims order;
            for (const Dims& group : groups) order.insert(order.end(), group.begin(), group.end());
            x.forms.push_back({id, Layout(x.dims(), order)});
        }
        return id;
    }
    ValueId arranged(Item& x, const Dims& order) { return arranged(x, each_alone(order)); }

    /// Whether one of the forms lies in this order.
    static bool lies_as(const Item& x, const Dims& order) {
        return std::any_of(x.forms.begin(), x.forms.end(), [&](const Form& f) { return f.layout.stored_as(order); });
    }
    /// The order in which most of the values lie, an image's first where others are no better.
    static Dims common_order(std::initializer_list<const Item*> items) {
        return common_order(std::span<const Item* const>(items.begin(), items.size()));
    }
    static Dims common_order(std::span<const Item* const> items) {
        const Layout& first = items.front()->forms.front().layout;
        Dims stored = Layout::in_order(first.rank());
        const auto at = [&](std::size_t axis) { return first.parts(axis).empty() ? 0 : first.parts(axis).front(); };
        std::sort(stored.begin(), stored.end(),
                  [&](std::size_t a, std::size_t b) { return std::pair(at(a), a) < std::pair(at(b), b); });
        Dims best;
        std::ptrdiff_t most = -1;
        for (const Dims& order : {Layout::channels_last(first.rank()), Layout::in_order(first.rank()), stored}) {
            const auto count = std::count_if(items.begin(), items.end(), [&](const Item* x) { return lies_as(*x, order); });
            if (count > most) best = order, most = count;
        }
        return best;
    }

    // ------------------------------------------------------------------------------------------------------- outputs

    void set_item(std::size_t place, Item result) {
        if (!has_output(place)) return;
        if (!items_.emplace(node_->outputs[place], std::move(result)).second) {
            fail("it makes '", onnx::printable(node_->outputs[place]), "', which was made before");
        }
    }
    /// Output `place` is the value, whose axes have these extents and lie in this layout.
    void bind(ValueId id, Layout layout, std::size_t place = 0) { bind(id, std::move(layout), place, result_element()); }
    void bind(Form form, std::size_t place = 0) { bind(form.id, std::move(form.layout), place); }
    void bind(ValueId id, Layout layout, std::size_t place, OnnxElement element) {
        give(item_of(id, std::move(layout), element), place);
    }
    /// Output `place` is the item, named after it where it has no name yet.
    void give(Item result, std::size_t place = 0) {
        if (has_output(place)) wanted_names_.emplace(result.stored().id, node_->outputs[place]);
        set_item(place, std::move(result));
    }
    Item item_of(ValueId id, Layout layout, OnnxElement element) const {
        Item result;
        result.element = element;
        const Element held = graph_.values[id].element;
        const bool exact = holds_reals(held) && held != Element::f32;
        (exact                                      ? result.exact
         : held == Element::i8 && is_float(element) ? result.bytes
                                                    : result.forms)
            .push_back({id, std::move(layout)});
        return result;
    }
    void bind(ValueId id, const Dims& dims, const Dims& order) { bind(id, Layout(dims, order)); }
    /// The layout of other extents, which come of it by axes of 1 alone. (An array without elements may have no such layout.)
    static Layout layout_of(const Layout& layout, const Dims& dims) {
        std::optional<Layout> result = layout.reshaped(dims);
        if (!result)
            fail("[", dims_text(layout.dims()), "] becomes [", dims_text(dims),
                 "]: this is supported where there are elements");
        return std::move(*result);
    }
    OnnxElement result_element() const {
        for (const std::string& name : node_->inputs) {
            const auto found = items_.find(name);
            if (found != items_.end() && !found->second.constant) return found->second.element;
        }
        return OnnxElement::float32;
    }

    /// Axis a becomes what axis order[a] was.
    static Item transposed_item(Item x, const Dims& order) {
        for (Form& form : x.forms) form.layout = form.layout.transposed(order);
        for (Form& form : x.bytes) form.layout = form.layout.transposed(order);
        for (Form& form : x.exact) form.layout = form.layout.transposed(order);
        return x;
    }
    /// The last two axes traded.
    static Item swapped_last(Item x) {
        Dims order = Layout::in_order(x.rank());
        std::swap(order[order.size() - 1], order[order.size() - 2]);
        return transposed_item(std::move(x), order);
    }
    /// The same values under other axes.
    Item reshaped(Item& x, const Dims& dims) {
        Item result;
        result.element = x.element;
        for (const auto member : {&Item::forms, &Item::bytes, &Item::exact}) {
            for (const Form& form : x.*member) {
                if (const std::optional<Layout> layout = form.layout.reshaped(dims))
                    (result.*member).push_back({form.id, *layout});
            }
            if ((x.*member).empty() || !(result.*member).empty()) continue;
            if (elements_of(dims) == 0 && elements_of(x.dims()) == 0) {  // whatever it was, it is nothing
                const bool wide = member == &Item::exact || !is_float(x.element);
                const OnnxElement element = wide ? x.element : OnnxElement::float32;
                (result.*member).push_back({add(constant_layer({dims, element, {}, false}), {}), Layout(dims)});
                continue;
            }
            Item alone;
            if (member != &Item::forms) alone.forms = x.*member;
            const ValueId id = arranged(member == &Item::forms ? x : alone, Layout::in_order(x.rank()));
            const std::optional<Layout> layout = Layout(x.dims()).reshaped(dims);
            if (!layout) fail("[", dims_text(x.dims()), "] does not become [", dims_text(dims), "]");
            (result.*member).push_back({id, *layout});
        }
        return result;
    }

    static std::size_t file_bytes(const OnnxGraph& graph, std::size_t more) {
        std::size_t bytes = more;
        for (const OnnxTensor& t : graph.initializers) bytes += t.data.bytes.size();
        for (const OnnxNode& node : graph.nodes) {
            for (const OnnxAttribute& a : node.attributes) {
                for (const OnnxTensor& t : a.values<OnnxTensor>()) bytes += t.data.bytes.size();
            }
        }
        return bytes;
    }

    const OnnxModel& model_;
    const OnnxImportOptions& options_;
    std::int64_t opset_ = 0;
    Budget budget_;
    Graph<List> graph_;
    std::unordered_map<std::string, Item> items_;
    std::unordered_map<ValueId, std::string> wanted_names_;
    std::unordered_map<std::string, std::vector<const OnnxNode*>> users_;
    std::unordered_set<std::string> outputs_;
    std::vector<OnnxNode> nodes_;
    const OnnxNode* node_ = nullptr;
    std::string name_;
    std::size_t parts_ = 0;
    bool arranging_ = false;  // what is added brings a value into another layout
};

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
