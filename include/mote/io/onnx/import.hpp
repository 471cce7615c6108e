// SPDX-License-Identifier: MIT
#pragma once
// import_onnx: the model that an ONNX file states, its images channels last. load_onnx() reads the file first.

#include <mote/io/onnx/detail/import_numbers.hpp>
#include <mote/io/onnx/read.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_import {

/// Goes through the graph node by node. What cannot be imported is noted with its node, and all of it told at the end.
class Importer : private Numbers {
  public:
    using Numbers::Numbers;

    /// The operators that can become layers, in the order of the alphabet.
    static std::vector<std::string_view> operators() {
        std::vector<std::string_view> names;
        for (const Entry& entry : entries()) names.push_back(entry.name);
        return names;
    }

    AnyModel run() {
        opset_ = model_.opset();
        if (opset_ < 1 || opset_ > newest_opset) {
            note("the model", concat("it uses opset ", opset_, "; 1 to ", newest_opset, " are supported"));
        }
        nodes_ = without_fused_quantization(model_.graph.nodes);
        for (const OnnxNode& node : nodes_) {
            for (const std::string& input : node.inputs) users_[input].push_back(&node);
        }
        for (const OnnxValue& output : model_.graph.outputs) reserve_name(output.name);
        for (const OnnxTensor& tensor : model_.graph.initializers) {
            guarded(concat("constant '", onnx::printable(tensor.name), "'"), [&] {
                Item item;
                item.constant = Constant::of(tensor);
                define(tensor.name, std::move(item));
            });
        }
        for (const OnnxSparseTensor& sparse : model_.graph.sparse_initializers) {
            note(concat("constant '", onnx::printable(sparse.values.name), "'"), "it is sparse; dense ones are supported");
            lose(sparse.values.name);
        }
        for (std::size_t i = 0; i < nodes_.size(); ++i) {  // what later nodes state is known before it is needed
            if (nodes_[i].op_type == "Constant") convert_node(i);
        }
        for (const OnnxValue& input : model_.graph.inputs) {
            if (items_.count(input.name) != 0) continue;  // an initializer is its value
            if (!guarded(concat("input '", onnx::printable(input.name), "'"), [&] { add_input(input); })) lose(input.name);
        }
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (nodes_[i].op_type != "Constant") convert_node(i);
        }
        node_ = nullptr;
        for (const OnnxValue& output : model_.graph.outputs) {
            guarded(concat("output '", onnx::printable(output.name), "'"), [&] { add_output(output); });
        }
        tell_notes(options_.name);
        return finished();
    }

  private:
    static constexpr std::int64_t newest_opset = 28;

    struct Entry {
        std::string_view name;
        void (Importer::*convert)();
    };

    void define(const std::string& name, Item item) {
        if (!items_.emplace(name, std::move(item)).second) fail("the name is used twice");
    }
    void lose(const std::string& name) {
        Item item;
        item.lost = true;
        items_.insert_or_assign(name, std::move(item));
    }

    void add_input(const OnnxValue& input) {
        if (input.type.kind != OnnxType::Kind::tensor) fail("it is no tensor; tensors are supported");
        const Quantization q = input_quantization(input);
        const Element held = held_element(input.type.element);
        if (!input.type.shape) fail("its rank is not stated");
        Dims dims;
        for (std::size_t axis = 0; axis < input.type.shape->size(); ++axis)
            dims.push_back(extent((*input.type.shape)[axis], axis));
        if (dims.size() > Shape::max_rank) fail("it has ", dims.size(), " axes; up to ", Shape::max_rank, " are supported");
        const bool turned = options_.channels_last_io && dims.size() >= 3 && dims.size() <= 5;
        const Dims order = turned ? Layout::channels_last(dims.size()) : Layout::in_order(dims.size());
        Dims stored;
        for (const std::size_t axis : order) stored.push_back(dims[axis]);
        const auto id = narrow<ValueId>(graph_.values.size());
        graph_.values.push_back({unused(input.name), make_shape(stored), q.present() ? Element::i8 : held, q});
        graph_.inputs.push_back(id);
        if (shape(id).elements() >= Shape::absurd)
            fail("it is [", dims_text(dims), "]; extents that memory holds are expected");
        wanted_names_.emplace(id, input.name);
        define(input.name, item_of(id, Layout(dims, order), input.type.element));
    }
    /// Bytes are real numbers to those that use them, at once or after they were moved; none where nothing says which.
    Quantization input_quantization(const OnnxValue& input) const {
        const bool bytes = input.type.element == OnnxElement::int8 || input.type.element == OnnxElement::uint8;
        std::vector<std::string> names{input.name};
        std::unordered_set<std::string> seen;
        while (bytes && !names.empty()) {
            const auto users = users_.find(names.back());
            names.pop_back();
            if (users == users_.end() || !seen.insert(users->first).second) continue;
            for (const OnnxNode* user : users->second) {
                if (std::ranges::find(byte_operators, user->op_type) == std::end(byte_operators)) continue;
                if (user->op_type != "DequantizeLinear") {
                    names.insert(names.end(), user->outputs.begin(), user->outputs.end());
                } else if (const std::optional<Steps> s = steps_of(*user, input.type.element)) {
                    if (s->of_bytes()) return s->whole();
                }
            }
        }
        return {};
    }
    std::size_t extent(const OnnxDimension& dimension, std::size_t axis) const {
        if (dimension.extent >= 0) return static_cast<std::size_t>(dimension.extent);
        for (const auto& [name, value] : options_.dimensions) {
            if (!name.empty() && name == dimension.symbol) return value;
        }
        if (axis == 0) return options_.batch;
        fail("axis ", axis, " is open", dimension.symbol.empty() ? "" : " ('", onnx::printable(dimension.symbol),
             dimension.symbol.empty() ? "" : "')", "; the option dimensions gives it an extent by its name");
    }

    void add_output(const OnnxValue& output) {
        const auto found = items_.find(output.name);
        if (found == items_.end()) fail("it is made by no node");
        Item& x = found->second;
        if (x.lost) return;
        name_ = output.name;
        parts_ = 0;
        if (x.constant) make_value(x);
        const std::size_t rank = x.rank();
        const bool turned = options_.channels_last_io && rank >= 3 && rank <= 5;
        const Dims order = turned ? Layout::channels_last(rank) : Layout::in_order(rank);
        if (rank > Shape::max_rank) fail("it has ", rank, " axes; up to ", Shape::max_rank, " are supported");
        make_real(x);
        make_exact(x);
        Item exact;
        exact.forms = x.exact;
        ValueId id = arranged(x.exact.empty() ? x : exact, order);
        const auto taken = [&](const std::vector<ValueId>& ids) { return std::find(ids.begin(), ids.end(), id) != ids.end(); };
        const auto wanted = wanted_names_.find(id);  // an input that is an output too stays itself
        const bool same = !taken(graph_.outputs) && wanted != wanted_names_.end() && wanted->second == output.name;
        if (!same && (taken(graph_.inputs) || taken(graph_.outputs))) {
            const Dims dims(shape(id).begin(), shape(id).end());
            Reshape copy;
            for (const std::size_t d : dims) copy.shape.push_back(copy.shape.empty() ? 0 : static_cast<std::int64_t>(d));
            id = add(std::move(copy), {id});
        }
        graph_.outputs.push_back(id);
        wanted_names_.insert_or_assign(id, output.name);
    }

    void convert_node(std::size_t position) {
        node_ = &nodes_[position];
        const OnnxNode& node = *node_;
        const std::string what = concat(
            "node ", node.name.empty() ? concat("number ", position) : concat("'", onnx::printable(node.name), "'"), " (",
            node.domain.empty() ? "" : concat(onnx::printable(node.domain), "."), onnx::printable(node.op_type), ")");
        bool usable = true, all_known = true;
        for (const std::string& input : node.inputs) {
            const auto found = items_.find(input);
            if (input.empty() || found == items_.end()) continue;
            usable = usable && !found->second.lost;
            all_known = all_known && found->second.constant.has_value();
        }
        name_ = !node.name.empty() ? node.name : node.outputs.empty() ? node.op_type : node.outputs[0];
        parts_ = 0;
        arranging_ = false;
        const Entry* entry = node.domain.empty() ? entry_of(node.op_type) : nullptr;
        const auto fold = node.domain.empty() ? folding_of(node.op_type) : nullptr;
        bool done = false;
        if (usable) {
            done = guarded(what, [&] {
                if (node.outputs.empty()) fail("it has no output; one at least is expected");
                if (all_known && fold != nullptr) {
                    fold_node(fold);
                } else if (entry != nullptr) {
                    (this->*entry->convert)();
                } else {
                    fail(fold != nullptr ? "no such operator is supported on computed values"
                                         : "no such operator is supported");
                }
            });
        } else if (entry == nullptr && fold == nullptr) {
            note(what, "no such operator is supported");
        }
        for (const std::string& output : node.outputs) {
            if (!done && !output.empty()) lose(output);
        }
    }
    template <class Fold>
    void fold_node(Fold fold) {
        single_output();
        KnownNode k{*node_, opset_, {}, budget_};
        std::vector<Constant> adapted;
        for (std::size_t i = 0; i < node_->inputs.size(); ++i) k.inputs.push_back(has_input(i) ? &*item(i).constant : nullptr);
        if (k.inputs.size() == 2 && k.has(0) && k.has(1) && opset_ < 7) {
            adapted.push_back(*k.inputs[1]);
            adapted[0].dims = aligned(*node_, opset_, k.inputs[0]->dims, adapted[0].dims);
            k.inputs[1] = &adapted[0];
        }
        Item result;
        result.constant = fold(k);
        set_item(0, std::move(result));
    }

    static std::span<const Entry> entries() {
        static constexpr Entry table[] = {
            {"Abs", &Importer::magnitude},
            {"Acos", &Importer::function},
            {"Acosh", &Importer::function},
            {"Add", &Importer::binary_numbers<BinaryFunction::add>},
            {"And", &Importer::bits<BitOperation::both>},
            {"ArgMax", &Importer::arg_max<true>},
            {"ArgMin", &Importer::arg_max<false>},
            {"Asin", &Importer::function},
            {"Asinh", &Importer::function},
            {"Atan", &Importer::function},
            {"Atanh", &Importer::function},
            {"Attention", &Importer::attention},
            {"AveragePool", &Importer::pool<AveragePool2d>},
            {"BatchNormalization", &Importer::batch_norm},
            {"BitShift", &Importer::bit_shift},
            {"BitwiseAnd", &Importer::bits<BitOperation::both>},
            {"BitwiseNot", &Importer::invert},
            {"BitwiseOr", &Importer::bits<BitOperation::either>},
            {"BitwiseXor", &Importer::bits<BitOperation::one>},
            {"Cast", &Importer::cast},
            {"CastLike", &Importer::cast},
            {"Ceil", &Importer::function},
            {"Celu", &Importer::activation<UnaryFunction::celu>},
            {"CenterCropPad", &Importer::center_crop_pad},
            {"Clip", &Importer::clip_numbers},
            {"Concat", &Importer::concat_values},
            {"Constant", &Importer::constant_node},
            {"Conv", &Importer::conv},
            {"ConvInteger", &Importer::conv_integer},
            {"ConvTranspose", &Importer::conv_transpose},
            {"Cos", &Importer::function},
            {"Cosh", &Importer::function},
            {"CumSum", &Importer::cumulative_sum},
            {"DepthToSpace", &Importer::depth_to_space},
            {"DequantizeLinear", &Importer::dequantize_any},
            {"Div", &Importer::binary_numbers<BinaryFunction::div>},
            {"Dropout", &Importer::dropout},
            {"DynamicQuantizeLinear", &Importer::dynamic_quantize},
            {"Einsum", &Importer::einsum},
            {"Elu", &Importer::activation<UnaryFunction::elu>},
            {"Equal", &Importer::compare<Comparison::equal>},
            {"Erf", &Importer::function},
            {"Exp", &Importer::function},
            {"Expand", &Importer::expand},
            {"Flatten", &Importer::flatten},
            {"Floor", &Importer::function},
            {"GRU", &Importer::gru},
            {"Gather", &Importer::gather},
            {"GatherElements", &Importer::gather_elements},
            {"GatherND", &Importer::gather_nd},
            {"Gelu", &Importer::gelu},
            {"Gemm", &Importer::gemm},
            {"GlobalAveragePool", &Importer::global_pool<Reduction::mean>},
            {"GlobalLpPool", &Importer::global_lp_pool},
            {"GlobalMaxPool", &Importer::global_pool<Reduction::max>},
            {"Greater", &Importer::compare<Comparison::greater>},
            {"GreaterOrEqual", &Importer::compare<Comparison::greater_or_equal>},
            {"GroupNormalization", &Importer::group_norm},
            {"HardSigmoid", &Importer::hard_sigmoid},
            {"HardSwish", &Importer::unary<HardSwish>},
            {"Identity", &Importer::same},
            {"InstanceNormalization", &Importer::instance_norm},
            {"IsInf", &Importer::is_infinite},
            {"IsNaN", &Importer::is_nan},
            {"LRN", &Importer::lrn},
            {"LSTM", &Importer::lstm},
            {"LayerNormalization", &Importer::layer_norm<true>},
            {"LeakyRelu", &Importer::leaky_relu},
            {"Less", &Importer::compare<Comparison::less>},
            {"LessOrEqual", &Importer::compare<Comparison::less_or_equal>},
            {"Log", &Importer::function},
            {"LogSoftmax", &Importer::log_softmax},
            {"LpNormalization", &Importer::lp_norm},
            {"LpPool", &Importer::lp_pool},
            {"MatMul", &Importer::matmul},
            {"MatMulInteger", &Importer::matmul_integer},
            {"Max", &Importer::all_numbers<BinaryFunction::max>},
            {"MaxPool", &Importer::pool<MaxPool2d>},
            {"Mean", &Importer::mean_of_inputs},
            {"MeanVarianceNormalization", &Importer::mean_variance_norm},
            {"Min", &Importer::all_numbers<BinaryFunction::min>},
            {"Mish", &Importer::function},
            {"Mod", &Importer::remainder},
            {"Mul", &Importer::binary_numbers<BinaryFunction::mul>},
            {"Neg", &Importer::negative_number},
            {"Not", &Importer::invert},
            {"OneHot", &Importer::one_hot},
            {"Or", &Importer::bits<BitOperation::either>},
            {"PRelu", &Importer::prelu},
            {"Pad", &Importer::pad},
            {"Pow", &Importer::power_of_numbers},
            {"QuantizeLinear", &Importer::quantize_any},
            {"RMSNormalization", &Importer::layer_norm<false>},
            {"RNN", &Importer::rnn},
            {"Reciprocal", &Importer::function},
            {"ReduceL1", &Importer::reduce<Reduction::l1>},
            {"ReduceL2", &Importer::reduce<Reduction::l2>},
            {"ReduceLogSum", &Importer::reduce<Reduction::log_sum>},
            {"ReduceLogSumExp", &Importer::reduce<Reduction::log_sum_exp>},
            {"ReduceMax", &Importer::reduce<Reduction::max>},
            {"ReduceMean", &Importer::reduce<Reduction::mean>},
            {"ReduceMin", &Importer::reduce<Reduction::min>},
            {"ReduceProd", &Importer::reduce<Reduction::prod>},
            {"ReduceSum", &Importer::reduce<Reduction::sum>},
            {"ReduceSumSquare", &Importer::reduce<Reduction::sum_square>},
            {"Relu", &Importer::rectified},
            {"Reshape", &Importer::reshape_node},
            {"Resize", &Importer::resize},
            {"RotaryEmbedding", &Importer::rotary_embedding},
            {"Round", &Importer::function},
            {"Selu", &Importer::selu},
            {"Shape", &Importer::shape_node},
            {"Shrink", &Importer::shrink},
            {"Sigmoid", &Importer::unary<Sigmoid>},
            {"Sign", &Importer::sign_of_number},
            {"Sin", &Importer::function},
            {"Sinh", &Importer::function},
            {"Size", &Importer::size_node},
            {"Slice", &Importer::slice},
            {"Softmax", &Importer::softmax},
            {"Softplus", &Importer::function},
            {"Softsign", &Importer::function},
            {"SpaceToDepth", &Importer::space_to_depth},
            {"Split", &Importer::split},
            {"Sqrt", &Importer::function},
            {"Squeeze", &Importer::squeeze},
            {"Sub", &Importer::binary_numbers<BinaryFunction::sub>},
            {"Sum", &Importer::all_numbers<BinaryFunction::add>},
            {"Swish", &Importer::swish},
            {"Tan", &Importer::function},
            {"Tanh", &Importer::unary<Tanh>},
            {"ThresholdedRelu", &Importer::activation<UnaryFunction::thresholded_relu>},
            {"Tile", &Importer::tile},
            {"TopK", &Importer::top_k},
            {"Transpose", &Importer::transpose},
            {"Trilu", &Importer::trilu},
            {"Unsqueeze", &Importer::unsqueeze},
            {"Upsample", &Importer::resize},
            {"Where", &Importer::choose},
            {"Xor", &Importer::bits<BitOperation::one>},
        };
        return table;
    }
    static const Entry* entry_of(std::string_view op) {
        const auto entry = std::ranges::find(entries(), op, &Entry::name);
        return entry == entries().end() ? nullptr : &*entry;
    }

    // ------------------------------------------------------------------------------------------------------- the model

    /// Without the nodes whose values nobody uses, and with the file's names where they are free.
    AnyModel finished() {
        std::vector<char> used(graph_.values.size(), 0);
        for (const ValueId id : graph_.outputs) used[id] = 1;
        std::vector<Node> nodes;
        for (std::size_t i = graph_.nodes.size(); i-- > 0;) {
            if (!std::ranges::any_of(graph_.nodes[i].outputs, [&](ValueId id) { return used[id] != 0; })) continue;
            for (const ValueId id : graph_.nodes[i].inputs) used[id] = 1;
            nodes.push_back(std::move(graph_.nodes[i]));
        }
        graph_.nodes.assign(std::make_move_iterator(nodes.rbegin()), std::make_move_iterator(nodes.rend()));
        std::unordered_set<std::string> taken;
        std::vector<char> named(graph_.values.size(), 0);
        const auto name = [&](ValueId id, bool always) {
            const auto wanted = wanted_names_.find(id);
            if (named[id] != 0 || wanted == wanted_names_.end() || wanted->second.empty()) return;
            if (!taken.insert(wanted->second).second && !always) return;
            graph_.values[id].name = wanted->second;
            named[id] = 1;
        };
        for (const ValueId id : graph_.inputs) name(id, true);
        for (const ValueId id : graph_.outputs) name(id, true);
        std::vector<ValueId> made;
        for (const Node& node : graph_.nodes) made.insert(made.end(), node.outputs.begin(), node.outputs.end());
        for (const ValueId id : made) name(id, false);
        for (const ValueId id : made) {
            if (named[id] != 0) continue;
            const std::string base = graph_.values[id].name;
            for (std::size_t n = 1; !taken.insert(graph_.values[id].name).second; ++n)
                graph_.values[id].name = concat(base, "_", n);
        }
        return AnyModel(compacted(std::move(graph_)));
    }
};

}  // namespace detail::onnx_import

/// The operators of ONNX's own domain that import_onnx makes layers of. (On values that are known it computes some more.)
inline std::vector<std::string_view> onnx_operators() {
    return detail::onnx_import::Importer::operators();
}

/// The model in these plain structs, computed in f32 whatever the width of its floats. Values that the file states as [batch,
/// channels, ...] are kept as [batch, ..., channels] between the layers; inputs and outputs keep the file's order of axes
/// unless the options say otherwise. What is known (initializers, shapes, arithmetic on them) is computed here. Throws an Error
/// that names the model and lists everything in it that is not supported, each with its node and what is missing.
inline AnyModel import_onnx(const OnnxModel& model, const OnnxImportOptions& options = {}) {
    return detail::onnx_import::Importer(model, options).run();
}

/// The model in the file at `path`; data in other files of its folder are read too.
inline AnyModel load_onnx(const std::string& path, OnnxImportOptions options = {}) {
    options.name = path;
    return import_onnx(read_onnx(path), options);
}

MOTE_END_NAMESPACE
