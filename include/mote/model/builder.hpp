// SPDX-License-Identifier: MIT
#pragma once
// ModelBuilder<P...>: makes a model layer by layer; every call returns the handle of a value, so that branches are as easy as
// chains.

#include <mote/model/model.hpp>

MOTE_BEGIN_NAMESPACE

/// The name of the node and of its output value (made up from the layer's kind where empty), and the output's quantization,
/// which an i8 layer that rescales needs.
struct NodeOptions {
    std::string name{};
    Quantization quantization{};
};

///     ModelBuilder<f32> b;
///     const auto x = b.input("image", {1, 8, 8, 1});
///     const auto y = b.add(Relu{}, b.add(conv, x));
///     b.output("sum", b.add(Add{}, {x, y}));
///     const Model<f32> model = b.build();
template <class List>
class BasicBuilder {
  public:
    /// A value of the model that is being built.
    struct Handle {
        ValueId id = 0;
    };

    Handle input(std::string name, const Shape& shape, Element element = Element::f32, Quantization quantization = {}) {
        const Handle handle = value(std::move(name), std::move(quantization));
        graph_.values[handle.id].shape = shape;
        graph_.values[handle.id].element = element;
        graph_.inputs.push_back(handle.id);
        return handle;
    }

    /// A node with one output. Throws an Error that names the node where the layer does not fit its inputs.
    template <class L>
    Handle add(L layer, std::span<const Handle> inputs, NodeOptions options = {}) {
        return append(make_node<List>({}, std::move(layer), {}, {}), inputs, std::move(options), 1);
    }
    template <class L>
    Handle add(L layer, std::initializer_list<Handle> inputs, NodeOptions options = {}) {
        return add(std::move(layer), std::span<const Handle>(inputs.begin(), inputs.size()), std::move(options));
    }
    template <class L>
    Handle add(L layer, Handle input, NodeOptions options = {}) {
        return add(std::move(layer), std::span<const Handle>(&input, 1), std::move(options));
    }

    /// A node with `count` outputs: a sequence and the last state, say. The first has the node's name, those behind it a
    /// number.
    template <class L>
    std::vector<Handle> add_outputs(L layer, std::size_t count, std::span<const Handle> inputs, NodeOptions options = {}) {
        std::vector<Handle> outputs{append(make_node<List>({}, std::move(layer), {}, {}), inputs, std::move(options), count)};
        while (outputs.size() < count) outputs.push_back({outputs.back().id + 1});
        return outputs;
    }
    template <class L>
    std::vector<Handle> add_outputs(L layer, std::size_t count, std::initializer_list<Handle> inputs,
                                    NodeOptions options = {}) {
        return add_outputs(std::move(layer), count, std::span<const Handle>(inputs.begin(), inputs.size()), std::move(options));
    }

    /// Names the value and makes it the next output.
    void output(std::string name, Handle handle) {
        shape(handle);
        graph_.values[handle.id].name = std::move(name);
        graph_.outputs.push_back(handle.id);
    }
    void output(Handle handle) {
        shape(handle);
        graph_.outputs.push_back(handle.id);
    }

    /// Throws for a handle of another builder that this one cannot know.
    const Shape& shape(Handle handle) const {
        if (handle.id >= graph_.values.size()) fail("value ", handle.id, " is no value of this builder");
        return graph_.values[handle.id].shape;
    }
    /// The extent of the value's last axis.
    std::size_t channels(Handle handle) const { return shape(handle).back(); }

    /// The checked model. The builder can go on.
    BasicModel<List> build() const { return BasicModel<List>(graph_); }

  private:
    /// The first of `count` outputs, whose ids follow one another.
    Handle append(Node node, std::span<const Handle> inputs, NodeOptions options, std::size_t count) {
        const char* kind = kind_name<List>(node);
        node.name = options.name.empty() ? unused_name(kind) : std::move(options.name);
        for (const Handle input : inputs) {
            if (input.id >= graph_.values.size()) {
                fail("node '", node.name, "' (", kind, "): an input is no value of this builder");
            }
            node.inputs.push_back(input.id);
        }
        struct Undo {  // a layer that does not fit leaves the builder as it was
            std::vector<Value>& values;
            std::size_t size;
            ~Undo() { values.erase(values.begin() + static_cast<std::ptrdiff_t>(size), values.end()); }
        } undo{graph_.values, graph_.values.size()};
        const Handle first{narrow<ValueId>(graph_.values.size())};
        for (std::size_t i = 0; i < count; ++i) {
            node.outputs.push_back(narrow<ValueId>(graph_.values.size()));
            graph_.values.push_back({i == 0 ? node.name : concat(node.name, "_", i), {}, Element::f32, options.quantization});
        }
        detail::infer_node<List>(node, graph_.values);
        graph_.nodes.push_back(std::move(node));
        undo.size = graph_.values.size();
        return first;
    }

    Handle value(std::string name, Quantization quantization) {
        graph_.values.push_back({std::move(name), {}, Element::f32, std::move(quantization)});
        return {narrow<ValueId>(graph_.values.size() - 1)};
    }

    /// "conv2d_3": the kind in lower case and the node's place.
    std::string unused_name(const char* kind) const {
        std::string name;
        for (const char* c = kind; *c != '\0'; ++c) name += *c >= 'A' && *c <= 'Z' ? static_cast<char>(*c - 'A' + 'a') : *c;
        return concat(name, "_", graph_.nodes.size());
    }

    Graph<List> graph_;
};

template <class... P>
using ModelBuilder = BasicBuilder<standard_layers<P...>>;

MOTE_END_NAMESPACE
