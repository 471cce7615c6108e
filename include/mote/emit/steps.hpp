// SPDX-License-Identifier: MIT
#pragma once
// write: the text of each step type: its constants, its geometry, its call. One table finds the function of a step.

#include <mote/emit/writer.hpp>
#include <mote/engine/plan.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

inline std::string arguments(const AddI8& p) {
    return concat("mote::AddI8{", p.a_zero_point, ", ", p.b_zero_point, ", ", p.zero_point, ", ", p.a_multiplier, ", ",
                  p.b_multiplier, ", ", p.shift, ", ", p.lo, ", ", p.hi, ", ", p.wide ? "true" : "false", "}");
}
inline std::string arguments(const MulI8& p) {
    return concat("mote::MulI8{", p.a_zero_point, ", ", p.b_zero_point, ", ", p.zero_point, ", ", p.multiplier, ", ", p.shift,
                  ", ", p.lo, ", ", p.hi, "}");
}

inline constexpr const char* bytes_in = "const std::int8_t*";
inline constexpr const char* bytes_out = "std::int8_t*";
inline constexpr const char* floats_in = "const float*";
inline constexpr const char* floats_out = "float*";

inline std::string bias_of(const ConvStep<f32>& step, Writer& w) {
    return step.bias->empty() ? "nullptr" : w.array("bias", step.bias->values());
}

inline void write_conv(const char* function, const ConvStep<f32>& step, Writer& w) {
    const std::string g = w.geometry(step.geometry);
    const std::string weight = w.array("weight", step.weight->values());
    const std::string bias = bias_of(step, w);
    const std::size_t out = step.has_residual ? 2 : 1;
    w.call(concat("mote::firmware::", function, "(", g, "{}, ", weight, ", ", bias, ", mote::ConvF32{", w.operand(0, floats_in),
                  ", nullptr, ", step.has_residual ? w.operand(1, floats_in) : "nullptr", ", ", w.operand(out, floats_out),
                  ", nullptr, ", Writer::number(step.clamp.lo), ", ", Writer::number(step.clamp.hi), ", ",
                  Writer::number(step.residual_clamp.lo), ", ", Writer::number(step.residual_clamp.hi), "})"));
}

/// The biases hold - input_zero_point * sum of the channel's weights, modulo 2^32.
inline void write_conv(const char* function, const ConvStep<i8>& step, Writer& w) {
    const std::string g = w.geometry(step.geometry);
    const ConvConstantsI8 constants = constants_of(step);
    std::vector<std::int32_t> folded;
    const std::size_t channels = step.weight->shape()[0];
    const auto row = static_cast<std::ptrdiff_t>(step.weight->elements() / channels);
    for (std::size_t c = 0; c < channels; ++c) {
        folded.push_back(kernels::folded_bias(constants, static_cast<std::ptrdiff_t>(c), row));
    }
    const std::string weight = w.array("weight", step.weight->values());
    const std::string bias = w.array("bias", std::span<const std::int32_t>(folded));
    const std::string multiplier = w.array("multiplier", std::span<const float>(step.multiplier));
    const std::size_t out = step.has_residual ? 2 : 1;
    const std::string scratch = w.scratch(concat("mote::firmware::", function, "_scratch_bytes(", g, "{})"));
    w.call(concat("mote::firmware::", function, "(", g, "{}, ", weight, ", ", bias, ", ", multiplier, ", mote::ConvI8{",
                  w.operand(0, bytes_in), ", nullptr, ", step.has_residual ? w.operand(1, bytes_in) : "nullptr", ", ",
                  w.operand(out, bytes_out), ", ", scratch, ", ", step.input_zero_point, ", {", step.requantize.zero_point,
                  ", ", step.requantize.lo, ", ", step.requantize.hi, "}, ", arguments(step.add), "})"));
}

inline void write(const Conv2dStep<f32>& step, Writer& w) {
    write_conv("conv2d_f32", step, w);
}
inline void write(const Conv2dStep<i8>& step, Writer& w) {
    write_conv("conv2d_i8", step, w);
}
inline void write(const DepthwiseStep<f32>& step, Writer& w) {
    write_conv("depthwise_f32", step, w);
}
inline void write(const DepthwiseStep<i8>& step, Writer& w) {
    write_conv("depthwise_i8", step, w);
}

template <class P>
void write_resize(const ResizeStep<P>& step, const char* in, const char* out, Writer& w) {
    using Weight = typename ResizeStep<P>::Weight;
    const auto table = [&](const char* index, const std::vector<std::int32_t>& indices, const char* weight,
                           const std::vector<Weight>& weights) {
        const std::string name = w.array(index, std::span<const std::int32_t>(indices));
        return concat("{", name, ", ", w.array(weight, std::span<const Weight>(weights)), "}");
    };
    const std::string g = w.geometry(step.geometry);
    const std::string rows = table("row_index", step.row_index, "row_weight", step.row_weight);
    const std::string columns = table("column_index", step.column_index, "column_weight", step.column_weight);
    const bool scratch = step.geometry.kernel_height > 1;
    w.call(concat("mote::firmware::", step.name, "(", g, "{}, ", rows, ", ", columns, ", ", Writer::number(step.outside), ", ",
                  w.operand(0, in), ", ", w.operand(1, out), ", ", scratch ? w.operand(2, "void*") : "nullptr", ")"));
}

inline void write(const MaxPoolStep<f32>& step, Writer& w) {
    w.call(concat("mote::firmware::max_pool_f32(", w.geometry(step.geometry), "{}, ", w.operand(0, floats_in), ", ",
                  w.operand(1, floats_out), ")"));
}
inline void write(const MaxPoolStep<i8>& step, Writer& w) {
    w.call(concat("mote::firmware::max_pool_i8(", w.geometry(step.geometry), "{}, ", w.operand(0, bytes_in), ", ",
                  w.operand(1, bytes_out), ")"));
}
inline void write(const AveragePoolStep<f32>& step, Writer& w) {
    w.call(concat("mote::firmware::average_pool_f32(", w.geometry(step.geometry), "{}, ", step.count_padding ? "true" : "false",
                  ", ", w.operand(0, floats_in), ", ", w.operand(1, floats_out), ")"));
}
inline void write(const AveragePoolStep<i8>& step, Writer& w) {
    w.call(concat("mote::firmware::average_pool_i8(", w.geometry(step.geometry), "{}, ", step.count_padding ? "true" : "false",
                  ", ", step.zero_point, ", ", w.operand(0, bytes_in), ", ", w.operand(1, bytes_out), ")"));
}
inline void write(const ResizeStep<f32>& step, Writer& w) {
    write_resize(step, floats_in, floats_out, w);
}
inline void write(const ResizeStep<i8>& step, Writer& w) {
    write_resize(step, bytes_in, bytes_out, w);
}
inline void write(const SoftmaxStep<f32>& step, Writer& w) {
    w.call(concat("mote::firmware::softmax_f32(", w.geometry(step.geometry), "{}, ", w.operand(0, floats_in), ", ",
                  w.operand(1, floats_out), ")"));
}
inline void write(const SoftmaxStep<i8>& step, Writer& w) {
    const std::string g = w.geometry(step.geometry);
    w.call(concat("mote::firmware::softmax_i8(", g, "{}, ", w.array("table", step.table->values()), ", ",
                  w.operand(0, bytes_in), ", ", w.operand(1, bytes_out), ")"));
}

inline void write(const ReduceStep& step, Writer& w) {
    constexpr const char* names[] = {"sum", "mean", "max", "min", "prod", "l1", "l2", "log_sum", "log_sum_exp", "sum_square"};
    static_assert(std::size(names) == reduction_count);
    w.call(concat("mote::firmware::reduce_f32(", w.geometry(step.geometry),
                  "{}, mote::Reduction::", names[static_cast<std::size_t>(step.function)], ", ", w.operand(0, floats_in), ", ",
                  w.operand(1, floats_out), ")"));
}

inline void write(const ArgMaxStep& step, Writer& w) {
    w.call(concat("mote::firmware::arg_max_f32(", w.geometry(step.geometry), "{}, ", step.largest ? "true" : "false", ", ",
                  step.select_last ? "true" : "false", ", ", w.operand(0, floats_in), ", ", w.operand(1, "std::int64_t*"),
                  ")"));
}
inline void write(const ArgMaxPoolStep& step, Writer& w) {
    w.call(concat("mote::firmware::arg_max_pool_f32(", w.geometry(step.geometry), "{}, ", w.operand(0, floats_in), ", ",
                  w.operand(1, "std::int64_t*"), ")"));
}
inline void write(const MatMulStep& step, Writer& w) {
    std::vector<std::int32_t> places;
    for (std::int32_t i = 0; i < step.geometry.count; ++i) {
        std::ptrdiff_t a = 0, b = 0;
        step.geometry.find(i, a, b);
        places.push_back(narrow<std::int32_t>(a));
        places.push_back(narrow<std::int32_t>(b));
    }
    const std::string at = w.array("places", std::span<const std::int32_t>(places));
    const GemmF32 g = step.gemm();
    w.call(concat("for (std::size_t i = 0; i < ", step.geometry.count,
                  "; ++i)\n        mote::firmware::gemm_f32(mote::GemmF32{", g.m, ", ", g.n, ", ", g.k, ", ",
                  w.operand(0, floats_in), " + ", at, "[2 * i], ", w.operand(1, floats_in), " + ", at, "[2 * i + 1], ",
                  w.operand(2, floats_out), " + i * ", std::int64_t{g.m} * g.n, ", ", g.lda, ", ", g.ldb, ", ", g.ldc, ", ",
                  g.transpose_a ? "true" : "false", ", ", g.transpose_b ? "true" : "false", ", false, ", w.operand(3, "void*"),
                  "})"));
}

inline void write(const UnaryStep& step, Writer& w) {
    constexpr const char* names[] = {"clamp", "leaky_relu", "sigmoid", "tanh", "hard_sigmoid", "hard_swish"};
    w.call(concat("mote::firmware::unary_f32(", step.count,
                  ", mote::UnaryF32{mote::UnaryKernel::", names[static_cast<std::size_t>(step.unary.function)], ", ",
                  Writer::number(step.unary.lo), ", ", Writer::number(step.unary.hi), ", ", Writer::number(step.unary.slope),
                  "}, ", w.operand(0, floats_in), ", ", w.operand(1, floats_out), ")"));
}
inline void write(const FunctionStep& step, Writer& w) {
    w.call(concat("mote::firmware::unary_function_f32<static_cast<mote::UnaryFunction>(", static_cast<int>(step.function),
                  ")>(", step.count, ", ", Writer::number(step.alpha), ", ", Writer::number(step.beta), ", ",
                  w.operand(0, floats_in), ", ", w.operand(1, floats_out), ")"));
}
inline void write(const BinaryStep& step, Writer& w) {
    const std::string g = w.geometry(step.geometry);
    w.call(concat("mote::firmware::binary_function_f32<static_cast<mote::BinaryFunction>(", static_cast<int>(step.function),
                  ")>(", g, "{}, ", w.operand(0, floats_in), ", ", w.operand(1, floats_in), ", ", w.operand(2, floats_out),
                  ")"));
}
inline void write(const ClampStep& step, Writer& w) {
    w.call(concat("mote::firmware::clamp_i8(", step.count, ", ", int{step.lo}, ", ", int{step.hi}, ", ", w.operand(0, bytes_in),
                  ", ", w.operand(1, bytes_out), ")"));
}
inline void write(const LookupStep& step, Writer& w) {
    w.call(concat("mote::firmware::lookup_i8(", step.count, ", ", w.array("table", step.table->values()), ", ",
                  w.operand(0, bytes_in), ", ", w.operand(1, bytes_out), ")"));
}
inline void write(const AffineStep& step, Writer& w) {
    const std::string g = w.geometry(step.geometry);
    const std::string scale = w.array("scale", step.scale.values());
    w.call(concat("mote::firmware::affine_f32(", g, "{}, ", scale, ", ", w.array("shift", step.shift.values()), ", ",
                  w.operand(0, floats_in), ", ", w.operand(1, floats_out), ")"));
}
inline void write(const PreluStep& step, Writer& w) {
    const std::string g = w.geometry(step.geometry);
    w.call(concat("mote::firmware::prelu_f32(", g, "{}, ", w.array("slope", step.slope->values()), ", ",
                  w.operand(0, floats_in), ", ", w.operand(1, floats_out), ")"));
}
inline void write(const AddStep<f32>& step, Writer& w) {
    w.call(concat("mote::firmware::add_f32(", step.count, ", ", w.operand(0, floats_in), ", ", w.operand(1, floats_in), ", ",
                  Writer::number(step.clamp.lo), ", ", Writer::number(step.clamp.hi), ", ", w.operand(2, floats_out), ")"));
}
inline void write(const AddStep<i8>& step, Writer& w) {
    w.call(concat("mote::firmware::add_i8(", step.count, ", ", arguments(step.add), ", ", w.operand(0, bytes_in), ", ",
                  w.operand(1, bytes_in), ", ", w.operand(2, bytes_out), ")"));
}
inline void write(const MulStep<f32>& step, Writer& w) {
    w.call(concat("mote::firmware::mul_f32(", w.geometry(step.geometry), "{}, ", w.operand(0, floats_in), ", ",
                  w.operand(1, floats_in), ", ", w.operand(2, floats_out), ")"));
}
inline void write(const MulStep<i8>& step, Writer& w) {
    w.call(concat("mote::firmware::mul_i8(", w.geometry(step.geometry), "{}, ", arguments(step.mul), ", ",
                  w.operand(0, bytes_in), ", ", w.operand(1, bytes_in), ", ", w.operand(2, bytes_out), ")"));
}
inline void write(const QuantizeStep& step, Writer& w) {
    w.call(concat("mote::firmware::quantize_i8(", step.count, ", ", Writer::number(step.inverse_scale), ", ", step.zero_point,
                  ", ", w.operand(0, floats_in), ", ", w.operand(1, bytes_out), ")"));
}
inline void write(const DequantizeStep& step, Writer& w) {
    w.call(concat("mote::firmware::dequantize_i8(", step.count, ", ", Writer::number(step.scale), ", ", step.zero_point, ", ",
                  w.operand(0, bytes_in), ", ", w.operand(1, floats_out), ")"));
}
inline void write(const RequantizeStep& step, Writer& w) {
    w.call(concat("mote::firmware::requantize_i8(", step.count, ", ", Writer::number(step.multiplier), ", ",
                  step.input_zero_point, ", ", step.zero_point, ", ", w.operand(0, bytes_in), ", ", w.operand(1, bytes_out),
                  ")"));
}
inline void write(const MoveStep& step, Writer& w) {
    const std::string output = w.operand(step.output_operand, "std::byte*");
    if (step.fill_count > 0) {
        std::vector<std::int8_t> value;
        for (std::size_t i = 0; i < step.element_bytes; ++i) value.push_back(static_cast<std::int8_t>(step.fill_value[i]));
        w.call(concat("mote::firmware::fill(", step.fill_count, ", ", step.element_bytes, ", ",
                      w.array("fill", std::span<const std::int8_t>(value)), ", ", output, ")"));
    }
    for (const MoveStep::Part& part : step.parts) {
        w.call(concat("mote::firmware::move(", w.geometry(part.geometry), "{}, ", step.element_bytes, ", ",
                      w.operand(part.input, "const std::byte*"),
                      part.input_offset == 0 ? std::string() : concat(" + ", part.input_offset * step.element_bytes), ", ",
                      output, " + ", part.output_offset * step.element_bytes, ")"));
    }
}

inline void write(const GatherStep& step, Writer& w) {
    const std::string g = w.geometry(step.geometry);
    w.call(concat("mote::firmware::gather(", g, "{}, ", step.element_bytes, ", ", w.array("indices", step.indices->values()),
                  ", ", w.operand(0, "const std::byte*"), ", ", w.operand(1, "std::byte*"), ")"));
}
/// Real numbers as such, everything else by its bytes.
inline void write(const ConstantStep& step, Writer& w) {
    const std::size_t size = step.bytes->bytes();
    const bool real = step.element == Element::f32;
    const std::size_t count = real ? size / sizeof(float) : size;
    if (count == 0) return;
    const auto* bytes = reinterpret_cast<const std::int8_t*>(step.bytes->data());
    const std::string values = real ? w.array("constant", std::span(reinterpret_cast<const float*>(bytes), count))
                                    : w.array("constant", std::span(bytes, count));
    const MoveGeometry g{1, {narrow<std::int32_t>(count)}, {1}, {1}};
    w.call(concat("mote::firmware::move(", w.geometry(g), "{}, ", real ? 4 : 1, ", ", values, ", ", w.operand(0, "std::byte*"),
                  ")"));
}

/// A step type and its text.
struct StepWriter {
    const StepKind* kind;
    void (*write)(const void* step, Writer& writer);
};
template <class S>
constexpr StepWriter step_writer() {
    return {&step_kind<S>, [](const void* step, Writer& writer) { write(*static_cast<const S*>(step), writer); }};
}
inline constexpr StepWriter step_writers[] = {
    step_writer<Conv2dStep<f32>>(),      step_writer<Conv2dStep<i8>>(),      step_writer<DepthwiseStep<f32>>(),
    step_writer<DepthwiseStep<i8>>(),    step_writer<MaxPoolStep<f32>>(),    step_writer<MaxPoolStep<i8>>(),
    step_writer<AveragePoolStep<f32>>(), step_writer<AveragePoolStep<i8>>(), step_writer<ResizeStep<f32>>(),
    step_writer<ResizeStep<i8>>(),       step_writer<PreluStep>(),           step_writer<SoftmaxStep<f32>>(),
    step_writer<SoftmaxStep<i8>>(),      step_writer<UnaryStep>(),           step_writer<FunctionStep>(),
    step_writer<BinaryStep>(),           step_writer<ClampStep>(),           step_writer<LookupStep>(),
    step_writer<AffineStep>(),           step_writer<AddStep<f32>>(),        step_writer<AddStep<i8>>(),
    step_writer<MulStep<f32>>(),         step_writer<MulStep<i8>>(),         step_writer<QuantizeStep>(),
    step_writer<DequantizeStep>(),       step_writer<RequantizeStep>(),      step_writer<MoveStep>(),
    step_writer<ReduceStep>(),           step_writer<ArgMaxStep>(),          step_writer<MatMulStep>(),
    step_writer<GatherStep>(),           step_writer<ConstantStep>(),        step_writer<ArgMaxPoolStep>(),
};

/// Null where the step is of no known type.
inline const StepWriter* writer_of(const Step& step) noexcept {
    for (const StepWriter& writer : step_writers) {
        if (writer.kind == step.kind) return &writer;
    }
    return nullptr;
}

}  // namespace detail

MOTE_END_NAMESPACE
