// SPDX-License-Identifier: MIT
#pragma once
// import_tflite: the model that a TensorFlow Lite file states. load_tflite() maps the file first.

#include <mote/io/mapped_file.hpp>
#include <mote/io/tflite/detail/import_contraction.hpp>
#include <mote/layers/table.hpp>

#include <limits>

MOTE_BEGIN_NAMESPACE

namespace detail::tflite_import {

/// Builds the model operator by operator. What cannot be imported is noted with its operator, and all of it told at the end.
class Importer : private Contraction {
  public:
    using Contraction::Contraction;

    /// The operators that can become layers, in the order of the alphabet.
    static std::vector<std::string_view> operators() {
        std::vector<std::string_view> names;
        for (const Entry& entry : entries()) names.push_back(entry.name);
        return names;
    }

    AnyModel run() {
        if (file_.subgraphs.size() > 1)
            note("the file", concat("it has ", file_.subgraphs.size(), " subgraphs; one is supported"));
        for (const std::int32_t id : graph_.inputs) {
            const TfliteTensor& t = tensor(id);
            const std::string what = concat("input '", t.name, "'");
            const std::optional<Element> element = supported_element(t);
            if (!element) {
                note(what, concat("of ", t.type_info().name, "; FLOAT32, INT8, UINT8, and INT16 with a scale are supported"));
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
        tell_notes(file_.name);
        return builder_.build();
    }

  private:
    struct Entry {
        std::string_view name;
        void (Importer::*convert)();
    };

    static std::span<const Entry> entries() {
        static constexpr Entry table[] = {
            {"ABS", &Importer::function<UnaryFunction::abs>},
            {"ADD", &Importer::add_op},
            {"ARG_MAX", &Importer::arg_max<true>},
            {"ARG_MIN", &Importer::arg_max<false>},
            {"AVERAGE_POOL_2D", &Importer::average_pool},
            {"BATCH_MATMUL", &Importer::batch_matmul},
            {"BATCH_TO_SPACE_ND", &Importer::batch_to_space},
            {"BROADCAST_TO", &Importer::broadcast_to},
            {"CEIL", &Importer::function<UnaryFunction::ceil>},
            {"CONCATENATION", &Importer::concatenation},
            {"CONV_2D", &Importer::conv_2d_op},
            {mediapipe_transpose_conv, &Importer::mediapipe_transpose_conv_op},
            {"COS", &Importer::function<UnaryFunction::cos>},
            {"DENSIFY", &Importer::same},
            {"DEPTHWISE_CONV_2D", &Importer::depthwise_conv_2d_op},
            {"DEPTH_TO_SPACE", &Importer::depth_to_space_op},
            {"DEQUANTIZE", &Importer::dequantize},
            {"DIV", &Importer::div_op},
            {"ELU", &Importer::elu_op},
            {"EXP", &Importer::function<UnaryFunction::exp>},
            {"EXPAND_DIMS", &Importer::reshaped},
            {"FLOOR", &Importer::function<UnaryFunction::floor>},
            {"FLOOR_DIV", &Importer::binary<BinaryFunction::floor_div>},
            {"FLOOR_MOD", &Importer::binary<BinaryFunction::floor_mod>},
            {"FULLY_CONNECTED", &Importer::fully_connected_op},
            {"GATHER", &Importer::gather_op},
            {"GATHER_ND", &Importer::gather_nd},
            {"GELU", &Importer::gelu_op},
            {"HARD_SWISH", &Importer::lookup<HardSwish>},
            {"L2_NORMALIZATION", &Importer::l2_normalization_op},
            {"LEAKY_RELU", &Importer::leaky_relu_op},
            {"LOG", &Importer::function<UnaryFunction::log>},
            {"LOGISTIC", &Importer::lookup<Sigmoid>},
            {"LOG_SOFTMAX", &Importer::log_softmax_op},
            {"MAXIMUM", &Importer::binary<BinaryFunction::max>},
            {"MAX_POOL_2D", &Importer::max_pool},
            {"MEAN", &Importer::reduce<Reduction::mean>},
            {"MINIMUM", &Importer::binary<BinaryFunction::min>},
            {"MIRROR_PAD", &Importer::mirror_pad_op},
            {"MUL", &Importer::mul_op},
            {"NEG", &Importer::neg_op},
            {"PACK", &Importer::pack_op},
            {"PAD", &Importer::pad},
            {"PADV2", &Importer::pad},
            {"POW", &Importer::binary<BinaryFunction::pow>},
            {"PRELU", &Importer::prelu},
            {"QUANTIZE", &Importer::quantize_op},
            {"REDUCE_MAX", &Importer::reduce<Reduction::max>},
            {"REDUCE_MIN", &Importer::reduce<Reduction::min>},
            {"REDUCE_PROD", &Importer::reduce<Reduction::prod>},
            {"RELU", &Importer::clamp<Relu>},
            {"RELU6", &Importer::clamp<Relu6>},
            {"RELU_0_TO_1", &Importer::clip<0>},
            {"RELU_N1_TO_1", &Importer::clip<-1>},
            {"RESHAPE", &Importer::reshaped},
            {"RESIZE_BILINEAR", &Importer::resize_bilinear_op},
            {"RESIZE_NEAREST_NEIGHBOR", &Importer::resize_nearest_op},
            {"REVERSE_V2", &Importer::reverse},
            {"ROUND", &Importer::function<UnaryFunction::round>},
            {"RSQRT", &Importer::function<UnaryFunction::rsqrt>},
            {"SIGN", &Importer::function<UnaryFunction::sign>},
            {"SIN", &Importer::function<UnaryFunction::sin>},
            {"SLICE", &Importer::slice},
            {"SOFTMAX", &Importer::softmax_op},
            {"SPACE_TO_BATCH_ND", &Importer::space_to_batch},
            {"SPACE_TO_DEPTH", &Importer::space_to_depth_op},
            {"SPLIT", &Importer::split_op},
            {"SPLIT_V", &Importer::split_v_op},
            {"SQRT", &Importer::function<UnaryFunction::sqrt>},
            {"SQUARE", &Importer::function<UnaryFunction::square>},
            {"SQUARED_DIFFERENCE", &Importer::binary<BinaryFunction::squared_difference>},
            {"SQUEEZE", &Importer::reshaped},
            {"STRIDED_SLICE", &Importer::strided_slice_op},
            {"SUB", &Importer::sub_op},
            {"SUM", &Importer::reduce<Reduction::sum>},
            {"SVDF", &Importer::svdf_op},
            {"TANH", &Importer::lookup<Tanh>},
            {"TILE", &Importer::tile},
            {"TRANSPOSE", &Importer::transpose_op},
            {"TRANSPOSE_CONV", &Importer::transpose_conv_op},
            {"UNPACK", &Importer::unpack_op},
            {"UNIDIRECTIONAL_SEQUENCE_LSTM", &Importer::unidirectional_sequence_lstm_op},
        };
        return table;
    }

    void convert_operator() {
        const auto entry = std::find_if(entries().begin(), entries().end(), [&](const Entry& e) {
            return op_->custom == (e.name == mediapipe_transpose_conv) && e.name == op_->name;
        });
        const std::string what = concat("operator ", position_, " ", op_->custom ? "CUSTOM:" : "",
                                        op_->name.empty() ? std::string_view("(unknown)") : op_->name);
        bool usable = true;
        for (const std::int32_t id : op_->inputs) usable = usable && (id < 0 || lost_[index(id)] == 0);
        if (entry != entries().end() && usable) {
            name_ = std::string(op_->outputs.empty() || op_->outputs[0] < 0 ? op_->name : tensor(op_->outputs[0]).name);
            parts_ = 0;
            const Builder before = builder_;
            const std::vector<std::optional<Handle>> handles = handles_;
            if (guarded(what, [&] { (this->*entry->convert)(); })) return;
            builder_ = before;
            handles_ = handles;
        } else if (entry == entries().end()) {
            note(what, "no such operator is supported");
        }
        for (const std::int32_t id : op_->outputs) lose(id);
    }

    // ---------------------------------------------------------------------------------------------- one kind each

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
    void average_pool() { pool<AveragePool2d>(); }
    void max_pool() { pool<MaxPool2d>(); }
    /// Axes counted from the front, each once.
    std::vector<std::size_t> axes(Handle x, std::size_t place) const {
        const auto rank = static_cast<std::int64_t>(shape(x).rank());
        std::vector<std::size_t> result;
        for (const std::int64_t axis : integers(place)) {
            if (axis < -rank || axis >= rank)
                refuse("axis ", axis, " is outside the ", rank, " axes of [", to_string(shape(x)), "]");
            result.push_back(static_cast<std::size_t>(axis < 0 ? axis + rank : axis));
        }
        std::sort(result.begin(), result.end());
        result.erase(std::unique(result.begin(), result.end()), result.end());
        return result;
    }
    template <Reduction function>
    void reduce() {
        Handle x = input(0);
        const Quantization from = quantization_of(input_id(0)), to = quantization_of(output_id());
        const std::vector<std::size_t> chosen = axes(x, 1);
        const bool keep = op_->option(reducer::keep_dims);
        if (function == Reduction::mean && shape(x).rank() == 4 && chosen == std::vector<std::size_t>{1, 2}) {
            const Handle y = requantized(add(GlobalAveragePool{}, {x}), from, to);
            return bind(keep ? y : add(Flatten{}, {y}));
        }
        const Reduce layer{function, chosen, keep};
        if (!from.present() || function == Reduction::mean || function == Reduction::max) {
            return bind(requantized(add(layer, {x}), from, to));
        }
        x = add(layer, {add(Convert{Element::f32}, {x})});
        bind(add(Convert{Element::i8}, {x}, to));
    }
    template <bool largest>
    void arg_max() {
        Handle x = input(0);
        const std::vector<std::size_t> chosen = axes(x, 1);
        if (chosen.size() != 1) refuse("it has ", chosen.size(), " axes; one is expected");
        if (quantization_of(input_id(0)).present()) x = add(Convert{Element::f32}, {x});
        bind(add(ArgMax{.axis = chosen[0], .keep_dims = false, .largest = largest}, {x}));
    }
    void batch_matmul() {
        for (const std::size_t place : {std::size_t{0}, std::size_t{1}}) {
            if (quantization_of(input_id(place)).present()) refuse("input ", place, " holds bytes; floats are supported");
        }
        bind(add(MatMul{op_->option(tflite::batch_matmul::adj_x), op_->option(tflite::batch_matmul::adj_y)},
                 {input(0), input(1)}));
    }

    /// Where the extents are alike, or the second are one a channel, a layer that is fused and has a form of bytes.
    void add_op() {
        const Handle a = input(0), b = input(1);
        const Activation activation = op_->option(tflite::add::activation);
        if (shape(a) != shape(b)) return bind(combined(BinaryFunction::add, activation));
        bind(activate(add(Add{}, {a, b}, quantization_of(output_id())), activation));
    }
    void mul_op() {
        Handle a = input(0), b = input(1);
        const Activation activation = op_->option(tflite::mul::activation);
        if (shape(a).elements() < shape(b).elements()) std::swap(a, b);
        const Shape &x = shape(a), &y = shape(b);
        const bool channels = x.rank() >= 2 && y.rank() >= 2 && y[0] == x[0] && y.back() == x.back() &&
                              y.elements() == x[0] * x.back() && y.rank() == x.rank();
        if (x != y && !channels) return bind(combined(BinaryFunction::mul, activation));
        bind(activate(add(Mul{}, {a, b}, quantization_of(output_id())), activation));
    }
    void sub_op() { bind(combined(BinaryFunction::sub, op_->option(tflite::sub::activation))); }
    void div_op() { bind(combined(BinaryFunction::div, op_->option(tflite::div::activation))); }
    template <BinaryFunction function>
    void binary() {
        bind(combined(function, Activation::none));
    }
    /// A function of real numbers; of bytes, what they stand for.
    Handle combined(BinaryFunction function, Activation activation) {
        const Handle a = real(0), b = real(1);
        return activate(as_output(add(Binary{function}, {a, b})), activation);
    }
    Handle real(std::size_t place) {
        const Handle x = input(place);
        return quantization_of(input_id(place)).present() ? add(Convert{Element::f32}, {x}) : x;
    }
    Handle as_output(Handle y) {
        const Quantization q = quantization_of(output_id());
        return q.present() ? add(Convert{Element::i8}, {y}, q) : y;
    }
    /// x - ln(sum(e^x)) along the last axis.
    void log_softmax_op() {
        const Handle x = real(0);
        const Handle sum = add(Reduce{Reduction::log_sum_exp, {last_axis(x)}, true}, {x});
        bind(as_output(add(Binary{BinaryFunction::sub}, {x, sum})));
    }
    /// x / max(sqrt(sum(x^2)), 1e-6) along the last axis.
    void l2_normalization_op() {
        const Handle x = real(0);
        const Handle norm = add(Reduce{Reduction::l2, {last_axis(x)}, true}, {x});
        const Handle above = add(Unary{UnaryFunction::clip, 1e-6f, std::numeric_limits<float>::infinity()}, {norm});
        bind(activate(as_output(add(Binary{BinaryFunction::div}, {x, above})),
                      op_->option(tflite::l2_normalization::activation)));
    }
    std::size_t last_axis(Handle x) const {
        if (shape(x).rank() == 0) refuse("its input has no axis");
        return shape(x).rank() - 1;
    }
    void resize(bool bilinear, bool corners, bool half_pixel) {
        const std::vector<std::int64_t> size = integers(1);
        if (size.size() != 2 || size[0] < 1 || size[1] < 1) refuse("its size is no pair of extents");
        const Size2d extents{static_cast<std::size_t>(size[0]), static_cast<std::size_t>(size[1])};
        Resize2d layer{.size = extents, .interpolation = bilinear ? Interpolation::linear : Interpolation::nearest};
        layer.alignment = corners ? Alignment::corners : half_pixel ? Alignment::half_pixel : Alignment::asymmetric;
        if (!corners && !half_pixel) layer.nearest = NearestPixel::floor;
        bind(requantized(add(std::move(layer), {input(0)}), quantization_of(input_id(0)), quantization_of(output_id())));
    }
    void resize_bilinear_op() {
        resize(true, op_->option(resize_bilinear::align_corners), op_->option(resize_bilinear::half_pixel_centers));
    }
    void resize_nearest_op() {
        resize(false, op_->option(resize_nearest_neighbor::align_corners),
               op_->option(resize_nearest_neighbor::half_pixel_centers));
    }
    void prelu() {
        const Handle x = input(0);
        const Tensor<f32> slope = constants_.reals(index(input_id(1)));
        if (slope.elements() != shape(x).back()) {
            refuse("its slope is [", to_string(slope.shape()), "]; one a channel, ", shape(x).back(), ", is supported");
        }
        bind(add(Prelu{slope.reshaped(Shape{slope.elements()})}, {x}));
    }

    void softmax_op() {
        Handle x = input(0);
        const float beta = op_->option(tflite::softmax::beta);
        Softmax layer;
        Quantization q = quantization_of(input_id(0));
        if (q.present() && !quantization_of(output_id()).present()) {  // of 16 bits: more than the table's resolution
            x = add(Convert{Element::f32}, {x});
            q = {};
        }
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
    void leaky_relu_op() { lookup_layer(LeakyRelu{.slope = op_->option(tflite::leaky_relu::alpha)}); }

    template <UnaryFunction f>
    void function() {
        lookup_layer(Unary{f});
    }
    void elu_op() { lookup_layer(Unary{UnaryFunction::elu, 1.0f}); }
    void gelu_op() {
        const bool approximate = op_->option(tflite::gelu::approximate);
        lookup_layer(Unary{approximate ? UnaryFunction::gelu_tanh : UnaryFunction::gelu});
    }
    void neg_op() { lookup_layer(Unary{UnaryFunction::linear, -1.0f, 0.0f}); }
    template <int least>
    void clip() {
        lookup_layer(Unary{UnaryFunction::clip, static_cast<float>(least), 1.0f});
    }

    void quantize_op() {
        const Quantization q = quantization_of(output_id());
        bind(q.present() ? add(Convert{Element::i8}, {input(0)}, q) : input(0));
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
};

}  // namespace detail::tflite_import

/// The operators that import_tflite knows, the custom ones among them.
inline std::vector<std::string_view> tflite_operators() {
    return detail::tflite_import::Importer::operators();
}

/// The model in the file: unsigned bytes become signed ones (zero point 128 lower), half-precision and hybrid weights become
/// f32. Throws an Error that lists everything in the file that is not supported, each with its operator and what is missing.
inline AnyModel import_tflite(const TfliteFile& file, const TfliteImportOptions& options = {}) {
    return detail::tflite_import::Importer(file, options).run();
}

/// The model in the file at `path`.
inline AnyModel load_tflite(const std::string& path, const TfliteImportOptions& options = {}) {
    const FileBytes file = map_file(path);
    return import_tflite(read_tflite(path, file.bytes, file.owner), options);
}

MOTE_END_NAMESPACE
