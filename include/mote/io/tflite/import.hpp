// SPDX-License-Identifier: MIT
#pragma once
// import_tflite: the model that a TensorFlow Lite file states. load_tflite() maps the file first.

#include <mote/io/mapped_file.hpp>
#include <mote/io/tflite/constants.hpp>
#include <mote/layers/table.hpp>
#include <mote/model/builder.hpp>

#include <optional>

MOTE_BEGIN_NAMESPACE

namespace detail::tflite_import {

using namespace tflite;
using Builder = ModelBuilder<f32, i8>;
using Handle = Builder::Handle;

/// Builds the model operator by operator. What cannot be imported is noted with its operator, and all of it told at the end.
class Importer {
  public:
    explicit Importer(const TfliteFile& file)
        : file_(file),
          graph_(file.subgraphs.front()),
          constants_(file),
          handles_(graph_.tensors.size()),
          lost_(graph_.tensors.size()) {}

    AnyModel run() {
        if (file_.subgraphs.size() > 1)
            notes_.push_back(concat("it has ", file_.subgraphs.size(), " subgraphs; one is supported"));
        for (const std::int32_t id : graph_.inputs) {
            const TfliteTensor& t = tensor(id);
            const std::string what = concat("input '", t.name, "'");
            const std::optional<Element> element = supported_element(t);
            if (!element) {
                note(what, concat("of ", t.type_info().name, "; FLOAT32, INT8 and UINT8 are supported"));
                lose(id);
            } else if (t.quantization.scale.size() > 1) {
                note(what, "has a scale an axis; one scale is supported");
                lose(id);
            } else {
                handles_[index(id)] = builder_.input(unused(t.name), t.shape, *element, quantization_of(id));
            }
        }
        for (std::size_t i = 0; i < graph_.operators.size(); ++i) {
            op_ = &graph_.operators[i];
            position_ = i;
            convert_operator();
        }
        for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
            const std::int32_t id = graph_.outputs[i];
            if (handles_[index(id)]) {
                builder_.output(*handles_[index(id)]);
            } else if (!lost_[index(id)]) {
                note(concat("output '", tensor(id).name, "'"), "is made by no operator");
            }
        }
        if (notes_.empty()) return builder_.build();
        std::string text;
        for (const std::string& n : notes_) text += concat("\n  ", n);
        fail("'", file_.name, "': ", notes_.size(), " things in it are not supported:", text);
    }

  private:
    struct Entry {
        std::string_view name;
        void (Importer::*convert)();
    };

    // ------------------------------------------------------------------------------------------------------- tensors

    static std::size_t index(std::int32_t id) { return static_cast<std::size_t>(id); }
    const TfliteTensor& tensor(std::int32_t id) const { return graph_.tensors[index(id)]; }
    bool constant(std::int32_t id) const { return constants_.known(index(id)); }

    /// The element of the model's value that stands for the tensor: unsigned bytes are shifted to signed ones.
    static std::optional<Element> supported_element(const TfliteTensor& t) {
        const std::string_view name = t.type_info().name;
        if (name == "FLOAT32" || name == "FLOAT16") return Element::f32;
        if (name == "INT8" || name == "UINT8") return Element::i8;
        return std::nullopt;
    }
    /// The value's quantization; of unsigned bytes the zero point is 128 lower.
    Quantization quantization_of(std::int32_t id) const {
        const TfliteTensor& t = tensor(id);
        const std::optional<Element> element = supported_element(t);
        if (element != Element::i8) return {};
        if (t.quantization.scale.size() != 1) {
            fail("tensor '", t.name, "' has ", t.quantization.scale.size(), " scales; one is expected of ", t.type_info().name);
        }
        const auto zero = t.quantization.zero_point.empty() ? 0 : static_cast<std::int32_t>(t.quantization.zero_point[0]);
        const bool is_unsigned = std::string_view(t.type_info().name) == "UINT8";
        return QuantizationParams{t.quantization.scale[0], is_unsigned ? zero - 128 : zero};
    }
    QuantizationParams params_of(std::int32_t id) const { return quantization_of(id).params(); }

    void note(std::string_view what, std::string_view why) { notes_.push_back(concat(what, ": ", why)); }
    void lose(std::int32_t id) {
        if (id >= 0) lost_[index(id)] = 1;
    }
    /// A name that no value has yet.
    std::string unused(std::string_view wanted) {
        std::string name(wanted.empty() ? std::string_view("value") : wanted);
        for (std::size_t n = 1; std::find(names_.begin(), names_.end(), name) != names_.end(); ++n) {
            name = concat(wanted.empty() ? std::string_view("value") : wanted, "_", n);
        }
        names_.push_back(name);
        return name;
    }

    // ----------------------------------------------------------------------------------------------------- operators

    template <class... Part>
    [[noreturn]] void refuse(const Part&... part) const {
        fail(part...);
    }

    std::size_t inputs() const { return op_->inputs.size(); }
    std::int32_t input_id(std::size_t place) const {
        if (place >= inputs() || op_->inputs[place] < 0) refuse("input ", place, " is missing");
        return op_->inputs[place];
    }
    std::int32_t output_id(std::size_t place = 0) const {
        if (place >= op_->outputs.size() || op_->outputs[place] < 0) refuse("output ", place, " is missing");
        return op_->outputs[place];
    }
    Handle input(std::size_t place) const {
        const std::int32_t id = input_id(place);
        if (!handles_[index(id)]) {
            refuse("input ", place, " ('", tensor(id).name, "') is ",
                   constant(id) ? "a constant; a computed value is supported there" : "made by no operator before it");
        }
        return *handles_[index(id)];
    }
    const Shape& shape(Handle handle) const { return builder_.shape(handle); }
    std::vector<std::int64_t> integers(std::size_t place) const {
        const std::int32_t id = input_id(place);
        if (!constant(id)) refuse("input ", place, " ('", tensor(id).name, "') is computed; a constant is supported there");
        return constants_.integers(index(id));
    }

    template <class L>
    Handle add(L layer, std::initializer_list<Handle> in, Quantization q = {}) {
        NodeOptions options{unused(concat(name_, parts_ == 0 ? "" : concat("/", parts_))), std::move(q)};
        ++parts_;
        return builder_.add(std::move(layer), in, std::move(options));
    }
    /// The value is output `place` of the operator.
    void bind(Handle handle, std::size_t place = 0) {
        const std::int32_t id = output_id(place);
        const TfliteTensor& t = tensor(id);
        if (t.shape.elements() != shape(handle).elements()) {
            refuse("its output is [", to_string(shape(handle)), "] where the file states [", to_string(t.shape), "]");
        }
        handles_[index(id)] = handle;
    }
    /// The same bytes or numbers under another quantization, where it is another.
    Handle requantized(Handle handle, const Quantization& from, const Quantization& to) {
        if (from == to || !to.present()) return handle;
        return add(Convert{Element::i8}, {handle}, to);
    }
    Handle activate(Handle x, Activation activation) {
        switch (activation) {
            case Activation::none:
                return x;
            case Activation::relu:
                return add(Relu{}, {x});
            case Activation::relu6:
                return add(Relu6{}, {x});
            default:
                break;
        }
        refuse("its fused activation is of kind ", static_cast<int>(activation), "; none, RELU and RELU6 are supported");
    }

    void convert_operator() {
        static constexpr Entry table[] = {
            {"ADD", &Importer::add_op},
            {"AVERAGE_POOL_2D", &Importer::average_pool},
            {"CONCATENATION", &Importer::concatenation},
            {"CONV_2D", &Importer::conv_2d_op},
            {"DENSIFY", &Importer::same},
            {"DEPTHWISE_CONV_2D", &Importer::depthwise_conv_2d_op},
            {"DEQUANTIZE", &Importer::dequantize},
            {"EXPAND_DIMS", &Importer::reshaped},
            {"FULLY_CONNECTED", &Importer::fully_connected_op},
            {"HARD_SWISH", &Importer::lookup<HardSwish>},
            {"LEAKY_RELU", &Importer::leaky_relu_op},
            {"LOGISTIC", &Importer::lookup<Sigmoid>},
            {"MAX_POOL_2D", &Importer::max_pool},
            {"MEAN", &Importer::mean},
            {"MUL", &Importer::mul_op},
            {"PAD", &Importer::pad},
            {"PADV2", &Importer::pad},
            {"QUANTIZE", &Importer::quantize_op},
            {"RELU", &Importer::clamp<Relu>},
            {"RELU6", &Importer::clamp<Relu6>},
            {"RESHAPE", &Importer::reshaped},
            {"SOFTMAX", &Importer::softmax_op},
            {"SQUEEZE", &Importer::reshaped},
            {"TANH", &Importer::lookup<Tanh>},
            {"TRANSPOSE", &Importer::transpose_op},
        };
        const auto* entry = std::find_if(std::begin(table), std::end(table),
                                         [&](const Entry& e) { return !op_->custom && e.name == op_->name; });
        const std::string what = concat("operator ", position_, " ", op_->custom ? "CUSTOM:" : "",
                                        op_->name.empty() ? std::string_view("(unknown)") : op_->name);
        bool usable = true;
        for (const std::int32_t id : op_->inputs) usable = usable && (id < 0 || lost_[index(id)] == 0);
        if (entry != std::end(table) && usable) {
            name_ = std::string(op_->outputs.empty() || op_->outputs[0] < 0 ? op_->name : tensor(op_->outputs[0]).name);
            parts_ = 0;
            const Builder before = builder_;
#if MOTE_EXCEPTIONS
            try {
                (this->*entry->convert)();
                return;
            } catch (const Error& error) {
                note(what, error.what());
            }
#else
            (this->*entry->convert)();
            return;
#endif
            builder_ = before;
        } else if (entry == std::end(table)) {
            note(what, "no such operator is supported");
        }
        for (const std::int32_t id : op_->outputs) lose(id);
    }

    // ---------------------------------------------------------------------------------------------- one kind each

    Padding2d window_padding(Handle x, Padding kind, Size2d kernel, Size2d stride, Size2d dilation = {}) const {
        const Shape& in = shape(x);
        if (in.rank() != 4) refuse("its input is [", to_string(in), "]; [batch, height, width, channels] is expected");
        return kind == Padding::same ? same_padding({in[1], in[2]}, kernel, stride, dilation) : valid_padding();
    }
    Size2d size(std::int32_t height, std::int32_t width, const char* what) const {
        if (height < 1 || width < 1) refuse("its ", what, " is ", height, " x ", width, "; at least 1 is expected");
        return {static_cast<std::size_t>(height), static_cast<std::size_t>(width)};
    }

    /// A contraction in the precision of its input; `axis` is the weight's axis of output channels, moved to the front.
    template <template <class> class L, class Fill>
    void contraction(std::size_t axis, Handle x, Activation activation, const Fill& fill) {
        const std::int32_t out = output_id();
        if (supported_element(tensor(input_id(0))) == Element::i8) {
            L<i8> layer;
            layer.weight = constants_.weight(index(input_id(1)), axis);
            if (inputs() > 2 && op_->inputs[2] >= 0) layer.bias = constants_.bias(index(input_id(2)));
            fill(layer);
            bind(activate(add(std::move(layer), {x}, quantization_of(out)), activation));
        } else {
            L<f32> layer;
            layer.weight = constants_.front(constants_.reals(index(input_id(1))), axis);
            if (inputs() > 2 && op_->inputs[2] >= 0) layer.bias = constants_.reals(index(input_id(2)));
            fill(layer);
            bind(activate(add(std::move(layer), {x}), activation));
        }
    }
    void conv_2d_op() {
        const Handle x = input(0);
        const Shape& w = tensor(input_id(1)).shape;
        if (w.rank() != 4) refuse("its weights are [", to_string(w), "]; rank 4 is expected");
        const Size2d stride = size(op_->option(conv_2d::stride_h), op_->option(conv_2d::stride_w), "stride");
        const Size2d dilation = size(op_->option(conv_2d::dilation_h), op_->option(conv_2d::dilation_w), "dilation");
        const Padding2d padding = window_padding(x, op_->option(conv_2d::padding), {w[1], w[2]}, stride, dilation);
        const std::size_t groups = w[3] == 0 ? 1 : std::max<std::size_t>(1, shape(x)[3] / w[3]);
        contraction<Conv2d>(0, x, op_->option(conv_2d::activation), [&](auto& layer) {
            layer.stride = stride, layer.dilation = dilation, layer.padding = padding, layer.groups = groups;
        });
    }
    void depthwise_conv_2d_op() {
        const Handle x = input(0);
        const Shape& w = tensor(input_id(1)).shape;
        if (w.rank() != 4 || w[0] != 1)
            refuse("its weights are [", to_string(w), "]; [1, height, width, channels] is expected");
        const Size2d stride =
            size(op_->option(depthwise_conv_2d::stride_h), op_->option(depthwise_conv_2d::stride_w), "stride");
        const Size2d dilation =
            size(op_->option(depthwise_conv_2d::dilation_h), op_->option(depthwise_conv_2d::dilation_w), "dilation");
        const Padding2d padding = window_padding(x, op_->option(depthwise_conv_2d::padding), {w[1], w[2]}, stride, dilation);
        const std::size_t in = shape(x)[3];
        if (in == 0 || w[3] % in != 0) refuse("its ", w[3], " channels are no multiple of the input's ", in);
        contraction<DepthwiseConv2d>(3, x, op_->option(depthwise_conv_2d::activation), [&](auto& layer) {
            layer.stride = stride, layer.dilation = dilation, layer.padding = padding, layer.multiplier = w[3] / in;
        });
    }
    void fully_connected_op() {
        Handle x = input(0);
        const Shape& w = tensor(input_id(1)).shape;
        if (w.rank() != 2) refuse("its weights are [", to_string(w), "]; [out, in] is expected");
        if (op_->option(fully_connected::weights_format) != WeightsFormat::dense)
            refuse("its weights are shuffled; dense ones are supported");
        if (shape(x).rank() != 2 && !(op_->option(fully_connected::keep_num_dims) && shape(x).back() == w[1])) {
            x = add(Reshape{{-1, static_cast<std::int64_t>(w[1])}}, {x}, quantization_of(input_id(0)));
        }
        contraction<Dense>(0, x, op_->option(fully_connected::activation), [](auto&) {});
    }

    template <class L>
    L pool_layer(Handle x) {
        L layer;
        layer.kernel = size(op_->option(pool_2d::filter_height), op_->option(pool_2d::filter_width), "window");
        layer.stride = size(op_->option(pool_2d::stride_h), op_->option(pool_2d::stride_w), "stride");
        layer.padding = window_padding(x, op_->option(pool_2d::padding), layer.kernel, layer.stride);
        return layer;
    }
    template <class L>
    void pool() {
        const Handle x = input(0);
        const Handle y = add(pool_layer<L>(x), {x});
        bind(activate(requantized(y, quantization_of(input_id(0)), quantization_of(output_id())),
                      op_->option(pool_2d::activation)));
    }
    void average_pool() {
        pool<AveragePool2d>();
    }
    void max_pool() {
        pool<MaxPool2d>();
    }
    void mean() {
        const Handle x = input(0);
        std::vector<std::int64_t> axes = integers(1);
        for (std::int64_t& axis : axes) axis = axis < 0 ? axis + static_cast<std::int64_t>(shape(x).rank()) : axis;
        std::sort(axes.begin(), axes.end());
        if (shape(x).rank() != 4 || axes != std::vector<std::int64_t>{1, 2}) {
            refuse("the mean is over ", axes.size(), " axes of [", to_string(shape(x)), "]; height and width are supported");
        }
        Handle y = add(GlobalAveragePool{}, {x});
        y = requantized(y, quantization_of(input_id(0)), quantization_of(output_id()));
        bind(op_->option(reducer::keep_dims) ? y : add(Flatten{}, {y}));
    }

    void same_shapes(Handle a, Handle b) const {
        if (shape(a) != shape(b)) {
            refuse("its inputs are [", to_string(shape(a)), "] and [", to_string(shape(b)), "]; one shape is supported");
        }
    }
    void add_op() {
        const Handle a = input(0), b = input(1);
        same_shapes(a, b);
        bind(activate(add(Add{}, {a, b}, quantization_of(output_id())), op_->option(tflite::add::activation)));
    }
    void mul_op() {
        Handle a = input(0), b = input(1);
        if (shape(a).elements() < shape(b).elements()) std::swap(a, b);
        bind(activate(add(Mul{}, {a, b}, quantization_of(output_id())), op_->option(tflite::mul::activation)));
    }
    void concatenation() {
        const Quantization q = quantization_of(output_id());
        std::vector<Handle> parts;
        for (std::size_t i = 0; i < inputs(); ++i) parts.push_back(requantized(input(i), quantization_of(input_id(i)), q));
        NodeOptions options{unused(name_), q};
        const Handle y =
            builder_.add(Concat{op_->option(tflite::concatenation::axis)}, std::span<const Handle>(parts), std::move(options));
        bind(activate(y, op_->option(tflite::concatenation::activation)));
    }
    void pad() {
        const Handle x = input(0);
        const std::vector<std::int64_t> sides = integers(1);
        Pad layer;
        if (sides.size() != 2 * shape(x).rank()) refuse("it has ", sides.size(), " paddings for rank ", shape(x).rank());
        for (std::size_t i = 0; i < sides.size(); ++i) {
            if (sides[i] < 0 || sides[i] > 1 << 24) refuse("a padding is ", sides[i], "; 0 or more is expected");
            (i % 2 == 0 ? layer.before : layer.after).push_back(static_cast<std::size_t>(sides[i]));
        }
        if (inputs() > 2) layer.value = constants_.real_number(index(input_id(2)));
        bind(requantized(add(std::move(layer), {x}), quantization_of(input_id(0)), quantization_of(output_id())));
    }
    void reshaped() {
        const Handle x = input(0);
        const Shape& to = tensor(output_id()).shape;
        Reshape layer;
        for (std::size_t axis = 0; axis < to.rank(); ++axis) {
            const bool batch = axis == 0 && shape(x).rank() > 0 && to[0] == shape(x)[0];
            layer.shape.push_back(batch ? 0 : static_cast<std::int64_t>(to[axis]));
        }
        bind(requantized(add(std::move(layer), {x}), quantization_of(input_id(0)), quantization_of(output_id())));
    }
    void transpose_op() {
        Transpose layer;
        for (const std::int64_t axis : integers(1)) {
            if (axis < 0 || axis > 7) refuse("axis ", axis, " is out of range");
            layer.order.push_back(static_cast<std::size_t>(axis));
        }
        bind(add(std::move(layer), {input(0)}));
    }
    void softmax_op() {
        const Handle x = input(0);
        const float beta = op_->option(tflite::softmax::beta);
        Softmax layer;
        const Quantization q = quantization_of(input_id(0));
        if (q.present()) {
            layer.table = softmax_table(q.params().scale * beta);
        } else if (beta != 1.0f) {
            refuse("its beta is ", beta, "; 1 is supported");
        }
        const Quantization fixed = q.present() ? Quantization(QuantizationParams{1.0f / 256.0f, -128}) : Quantization();
        bind(requantized(add(std::move(layer), {x}, fixed), fixed, quantization_of(output_id())));
    }
    template <class L>
    void clamp() {
        const Handle x = requantized(input(0), quantization_of(input_id(0)), quantization_of(output_id()));
        bind(add(L{}, {x}));
    }
    template <class L>
    void lookup_layer(L layer) {
        const Handle x = input(0);
        const Quantization q = quantization_of(output_id());
        if (q.present()) layer = with_table(std::move(layer), params_of(input_id(0)), q.params());
        bind(add(std::move(layer), {x}, q));
    }
    template <class L>
    void lookup() {
        lookup_layer(L{});
    }
    void leaky_relu_op() {
        lookup_layer(LeakyRelu{.slope = op_->option(tflite::leaky_relu::alpha)});
    }

    void quantize_op() {
        bind(add(Convert{Element::i8}, {input(0)}, quantization_of(output_id())));
    }
    /// Of a constant the value is a constant; else integers become floats.
    void dequantize() {
        if (same_constant()) return;
        bind(add(Convert{Element::f32}, {input(0)}));
    }
    void same() {
        if (!same_constant()) refuse("its input is computed; a constant is supported");
    }
    bool same_constant() {
        const std::int32_t from = input_id(0);
        if (!constant(from)) return false;
        constants_.alias(index(output_id()), index(from));
        return true;
    }

    const TfliteFile& file_;
    const TfliteSubgraph& graph_;
    Constants constants_;
    Builder builder_;
    std::vector<std::optional<Handle>> handles_;
    std::vector<char> lost_;
    std::vector<std::string> names_;
    std::vector<std::string> notes_;
    const TfliteOperator* op_ = nullptr;
    std::size_t position_ = 0;
    std::string name_;
    std::size_t parts_ = 0;
};

}  // namespace detail::tflite_import

/// The model in the file: unsigned bytes become signed ones (zero point 128 lower), half-precision and hybrid weights become
/// f32. Throws an Error that lists everything in the file that is not supported, each with its operator and what is missing.
inline AnyModel import_tflite(const TfliteFile& file) {
    return detail::tflite_import::Importer(file).run();
}

/// The model in the file at `path`.
inline AnyModel load_tflite(const std::string& path) {
    const FileBytes file = map_file(path);
    return import_tflite(read_tflite(path, file.bytes, file.owner));
}

MOTE_END_NAMESPACE
