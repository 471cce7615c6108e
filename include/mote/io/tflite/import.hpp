// SPDX-License-Identifier: MIT
#pragma once
// import_tflite: the model that a TensorFlow Lite file states. load_tflite() maps the file first.

#include <mote/io/mapped_file.hpp>
#include <mote/io/tflite/detail/import_recurrent.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::tflite_import {

/// Builds the model operator by operator. What cannot be imported is noted with its operator, and all of it told at the end.
class Importer : private Recurrent {
  public:
    using Recurrent::Recurrent;

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
    static constexpr std::string_view transposed_convolution = "Convolution2DTransposeBias";  // MediaPipe's

    struct Entry {
        std::string_view name;
        void (Importer::*convert)();
    };

    void convert_operator() {
        static constexpr Entry table[] = {
            {"ABS", &Importer::function<UnaryFunction::abs>},
            {"ADD", &Importer::add_op},
            {"AVERAGE_POOL_2D", &Importer::average_pool},
            {"CEIL", &Importer::function<UnaryFunction::ceil>},
            {"CONCATENATION", &Importer::concatenation},
            {"CONV_2D", &Importer::conv_2d_op},
            {transposed_convolution, &Importer::transposed_convolution_op},
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
            {"GELU", &Importer::gelu_op},
            {"HARD_SWISH", &Importer::lookup<HardSwish>},
            {"LEAKY_RELU", &Importer::leaky_relu_op},
            {"LOG", &Importer::function<UnaryFunction::log>},
            {"LOGISTIC", &Importer::lookup<Sigmoid>},
            {"MAXIMUM", &Importer::binary<BinaryFunction::max>},
            {"MAX_POOL_2D", &Importer::max_pool},
            {"MEAN", &Importer::mean},
            {"MINIMUM", &Importer::binary<BinaryFunction::min>},
            {"MUL", &Importer::mul_op},
            {"NEG", &Importer::neg_op},
            {"PAD", &Importer::pad},
            {"PADV2", &Importer::pad},
            {"POW", &Importer::binary<BinaryFunction::pow>},
            {"PRELU", &Importer::prelu},
            {"QUANTIZE", &Importer::quantize_op},
            {"RELU", &Importer::clamp<Relu>},
            {"RELU6", &Importer::clamp<Relu6>},
            {"RELU_0_TO_1", &Importer::clip<0>},
            {"RELU_N1_TO_1", &Importer::clip<-1>},
            {"RESHAPE", &Importer::reshaped},
            {"RESIZE_BILINEAR", &Importer::resize_bilinear_op},
            {"RESIZE_NEAREST_NEIGHBOR", &Importer::resize_nearest_op},
            {"ROUND", &Importer::function<UnaryFunction::round>},
            {"RSQRT", &Importer::function<UnaryFunction::rsqrt>},
            {"SIGN", &Importer::function<UnaryFunction::sign>},
            {"SIN", &Importer::function<UnaryFunction::sin>},
            {"SOFTMAX", &Importer::softmax_op},
            {"SPACE_TO_DEPTH", &Importer::space_to_depth_op},
            {"SQRT", &Importer::function<UnaryFunction::sqrt>},
            {"SQUARE", &Importer::function<UnaryFunction::square>},
            {"SQUARED_DIFFERENCE", &Importer::binary<BinaryFunction::squared_difference>},
            {"SQUEEZE", &Importer::reshaped},
            {"SUB", &Importer::sub_op},
            {"SVDF", &Importer::svdf_op},
            {"TANH", &Importer::lookup<Tanh>},
            {"TRANSPOSE", &Importer::transpose_op},
            {"UNIDIRECTIONAL_SEQUENCE_LSTM", &Importer::unidirectional_sequence_lstm_op},
        };
        const auto* entry = std::find_if(std::begin(table), std::end(table), [&](const Entry& e) {
            return op_->custom == (e.name == transposed_convolution) && e.name == op_->name;
        });
        const std::string what = concat("operator ", position_, " ", op_->custom ? "CUSTOM:" : "",
                                        op_->name.empty() ? std::string_view("(unknown)") : op_->name);
        bool usable = true;
        for (const std::int32_t id : op_->inputs) usable = usable && (id < 0 || lost_[index(id)] == 0);
        if (entry != std::end(table) && usable) {
            name_ = std::string(op_->outputs.empty() || op_->outputs[0] < 0 ? op_->name : tensor(op_->outputs[0]).name);
            parts_ = 0;
            const Builder before = builder_;
            if (guarded(what, [&] { (this->*entry->convert)(); })) return;
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
            if (std::ranges::count(std::as_const(layer.weight).values(), std::int8_t{-128}) != 0) {
                return real_contraction<L>(axis, x, activation, std::as_const(layer.bias), fill);
            }
            bind(activate(add(std::move(layer), {x}, quantization_of(out)), activation));
        } else {
            L<f32> layer;
            layer.weight = constants_.front(constants_.reals(index(input_id(1))), axis);
            if (inputs() > 2 && op_->inputs[2] >= 0) layer.bias = constants_.reals(index(input_id(2)));
            fill(layer);
            bind(activate(add(std::move(layer), {x}), activation));
        }
    }
    /// The same on real numbers, between Converts: of weights with -128, which mote's integer kernels do not take.
    template <template <class> class L, class Fill>
    void real_contraction(std::size_t axis, Handle x, Activation activation, const Tensor<i32>& bias, const Fill& fill) {
        L<f32> layer;
        layer.weight = constants_.front(constants_.reals(index(input_id(1))), axis);
        const std::span<const float> scales = tensor(input_id(1)).quantization.scale;
        if (!bias.empty() &&
            (bias.elements() != layer.weight.shape()[0] || (scales.size() != 1 && scales.size() < bias.elements())))
            refuse("its bias has ", bias.elements(), " values; one an output channel is expected");
        if (!bias.empty()) layer.bias = Tensor<f32>(bias.shape());
        for (std::size_t c = 0; c < bias.elements(); ++c) {
            const double scale = static_cast<double>(scales[scales.size() == 1 ? 0 : c]);
            layer.bias[c] = static_cast<float>(bias[c] * scale * static_cast<double>(params_of(input_id(0)).scale));
        }
        fill(layer);
        const Handle y = add(std::move(layer), {add(Convert{Element::f32}, {x})});
        bind(activate(add(Convert{Element::i8}, {y}, quantization_of(output_id())), activation));
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
    void average_pool() { pool<AveragePool2d>(); }
    void max_pool() { pool<MaxPool2d>(); }
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
        const auto real = [&](std::size_t place) {
            const Handle x = input(place);
            return quantization_of(input_id(place)).present() ? add(Convert{Element::f32}, {x}) : x;
        };
        const Handle a = real(0), b = real(1);
        const Handle y = add(Binary{function}, {a, b});
        const Quantization q = quantization_of(output_id());
        return activate(q.present() ? add(Convert{Element::i8}, {y}, q) : y, activation);
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
    /// [.., height, width, channels * block^2] -> [.., height * block, width * block, channels]
    Handle depth_to_space(Handle x, std::int64_t block) {
        const Shape in = shape(x);
        const auto extent = [&](std::size_t axis) { return static_cast<std::int64_t>(in[axis]); };
        if (in.rank() != 4 || block < 1 || block > 1 << 12 || extent(3) % (block * block) != 0) {
            refuse("blocks of ", block, " of [", to_string(in), "]; a square that divides the channels is expected");
        }
        const std::int64_t channels = extent(3) / (block * block);
        x = add(Reshape{{0, extent(1), extent(2), block, block, channels}}, {x});
        x = add(Transpose{{0, 1, 3, 2, 4, 5}}, {x});
        return add(Reshape{{0, extent(1) * block, extent(2) * block, channels}}, {x});
    }
    void depth_to_space_op() { bind(depth_to_space(input(0), op_->option(tflite::depth_to_space::block_size))); }
    void space_to_depth_op() {
        Handle x = input(0);
        const Shape in = shape(x);
        const std::int64_t block = op_->option(tflite::space_to_depth::block_size);
        const auto extent = [&](std::size_t axis) { return static_cast<std::int64_t>(in[axis]); };
        if (in.rank() != 4 || block < 1 || extent(1) % block != 0 || extent(2) % block != 0) {
            refuse("blocks of ", block, " of [", to_string(in), "]; a block that divides height and width is expected");
        }
        x = add(Reshape{{0, extent(1) / block, block, extent(2) / block, block, extent(3)}}, {x});
        x = add(Transpose{{0, 1, 3, 2, 4, 5}}, {x});
        bind(add(Reshape{{0, extent(1) / block, extent(2) / block, extent(3) * block * block}}, {x}));
    }
    /// Weights [out, 2, 2, in] at stride 2: no two windows overlap, so that each pixel becomes a block of its own.
    void transposed_convolution_op() {
        const Handle x = input(0);
        const Tensor<f32> w = constants_.reals(index(input_id(1)));
        const Shape from = shape(x), to = tensor(output_id()).shape;
        if (w.shape().rank() != 4 || w.shape()[1] != 2 || w.shape()[2] != 2 || from.rank() != 4 || w.shape()[3] != from[3] ||
            to != Shape{from[0], 2 * from[1], 2 * from[2], w.shape()[0]}) {
            refuse("weights [", to_string(w.shape()), "] of [", to_string(from), "]; 2 x 2 at stride 2 are supported");
        }
        const std::size_t out = w.shape()[0], in = from[3];
        const Tensor<f32> b = constants_.reals(index(input_id(2)));
        if (b.elements() != out) refuse("its bias has ", b.elements(), " values; ", out, " are expected");
        Conv2d<f32> layer{.weight = Tensor<f32>({4 * out, 1, 1, in}), .bias = Tensor<f32>(Shape{4 * out})};
        for (std::size_t tap = 0; tap < 4; ++tap) {
            for (std::size_t c = 0; c < out; ++c) {
                for (std::size_t k = 0; k < in; ++k) layer.weight[(tap * out + c) * in + k] = w[(c * 4 + tap) * in + k];
                layer.bias[tap * out + c] = b[c];
            }
        }
        bind(depth_to_space(add(std::move(layer), {x}), 2));
    }

    void resize(bool bilinear, bool corners, bool half_pixel) {
        const std::vector<std::int64_t> size = integers(1);
        if (size.size() != 2 || size[0] < 1 || size[1] < 1) refuse("its size is no pair of extents");
        const Size2d extents{static_cast<std::size_t>(size[0]), static_cast<std::size_t>(size[1])};
        const Alignment alignment = corners ? Alignment::corners : half_pixel ? Alignment::half_pixel : Alignment::asymmetric;
        bind(requantized(add(Resize2d{extents, bilinear, alignment}, {input(0)}), quantization_of(input_id(0)),
                         quantization_of(output_id())));
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

    void transpose_op() {
        Transpose layer;
        for (const std::int64_t axis : integers(1)) {
            if (axis < 0 || axis > 7) refuse("axis ", axis, " is out of range");
            layer.order.push_back(static_cast<std::size_t>(axis));
        }
        bind(add(std::move(layer), {input(0)}));
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
