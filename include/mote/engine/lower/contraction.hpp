// SPDX-License-Identifier: MIT
#pragma once
// lower: Conv2d, DepthwiseConv2d and Dense, with what their group brings: padding, clamps, a residual.

#include <mote/engine/lower/elementwise.hpp>
#include <mote/kernels/multipliers.hpp>

#include <ctime>
#include <limits>

MOTE_BEGIN_NAMESPACE

/// A convolution or depthwise convolution: y = clamp(layer(x), lo, hi), with a residual clamp(y + residual, ...). The
/// weights stand as the layer holds them, and packed. Operands: input, residual if any, output, scratch if any.
template <class P>
struct ConvStep {
    using Number = typename P::value_type;  // float, half or bfloat
    ConvGeometry geometry{};
    std::shared_ptr<const Tensor<P>> weight{};
    std::shared_ptr<const Tensor<f32>> bias{};  ///< may be an empty tensor
    bool has_residual = false;
    std::size_t scratch_bytes = 0;   ///< of a part
    std::size_t output_channel = 0;  ///< of a pixel of the output, the first that is written
    std::int32_t output_stride = 0;  ///< of ConvFloat
    Clamp clamp{};
    Clamp residual_clamp{};
    Constants packed{};

    ConvFloat<Number> arguments(std::byte* const* operands, Part part) const noexcept {
        ConvFloat<Number> run;
        run.input = operand<const Number>(operands, 0);
        run.packed = packed.data();
        run.residual = has_residual ? operand<const Number>(operands, 1) : nullptr;
        run.output = operand<Number>(operands, has_residual ? 2 : 1) + output_channel;
        run.output_stride = output_stride;
        run.scratch = scratch_bytes == 0
                          ? nullptr
                          : operands[has_residual ? 3 : 2] + static_cast<std::size_t>(part.index) * scratch_bytes;
        run.lo = clamp.lo;
        run.hi = clamp.hi;
        run.residual_lo = residual_clamp.lo;
        run.residual_hi = residual_clamp.hi;
        return run;
    }
};

template <>
struct ConvStep<i8> {
    ConvGeometry geometry{};
    std::shared_ptr<const Tensor<i8>> weight{};
    std::shared_ptr<const Tensor<i32>> bias{};  ///< may be an empty tensor; without the input's zero point
    bool has_residual = false;
    std::size_t scratch_bytes = 0;    ///< of a part
    std::size_t output_channel = 0;   ///< of a pixel of the output, the first that is written
    std::int32_t output_stride = 0;   ///< of ConvI8
    std::vector<float> multiplier{};  ///< [out]
    std::int32_t input_zero_point = 0;
    RequantizeI8 requantize{};
    AddI8 add{};  ///< of the residual
    Constants packed{};

    ConvI8 arguments(std::byte* const* operands, Part part) const noexcept {
        ConvI8 run;
        run.input = operand<const std::int8_t>(operands, 0);
        run.packed = packed.data();
        run.residual = has_residual ? operand<const std::int8_t>(operands, 1) : nullptr;
        run.output = operand<std::int8_t>(operands, has_residual ? 2 : 1) + output_channel;
        run.output_stride = output_stride;
        run.scratch = scratch_bytes == 0
                          ? nullptr
                          : operands[has_residual ? 3 : 2] + static_cast<std::size_t>(part.index) * scratch_bytes;
        run.input_zero_point = input_zero_point;
        run.requantize = requantize;
        run.add = add;
        return run;
    }
};

namespace detail {
inline const HalfKernels<half>& halves(const KernelTable& kernels, f16) noexcept {
    return kernels.f16;
}
inline const HalfKernels<bfloat>& halves(const KernelTable& kernels, bf16) noexcept {
    return kernels.bf16;
}
}  // namespace detail

/// Conv2d and Dense.
template <class P>
struct Conv2dStep : ConvStep<P> {
    static constexpr const char* name = "conv2d";
    static constexpr std::uint8_t algorithms = std::is_same_v<P, f32> ? 3 : 1;
    std::uint8_t algorithm = 0;  ///< 0: direct; 1, 2: Winograd's
    const auto& kernel(const KernelTable& kernels) const noexcept {
        if constexpr (std::is_same_v<P, f32>) {
            return algorithm == 0 ? kernels.conv2d_f32 : kernels.winograd_f32[algorithm - 1];
        } else if constexpr (std::is_same_v<P, i8>) {
            return kernels.conv2d_i8;
        } else {
            return detail::halves(kernels, P{}).conv2d;
        }
    }
    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        kernel(kernels).run(this->geometry, this->arguments(operands, part), part);
    }
};

template <class P>
struct DepthwiseStep : ConvStep<P> {
    static constexpr const char* name = "depthwise";
    static constexpr std::uint8_t algorithms = 1;
    std::uint8_t algorithm = 0;
    const auto& kernel(const KernelTable& kernels) const noexcept {
        if constexpr (std::is_same_v<P, f32>) {
            return kernels.depthwise_f32;
        } else if constexpr (std::is_same_v<P, i8>) {
            return kernels.depthwise_i8;
        } else {
            return detail::halves(kernels, P{}).depthwise;
        }
    }
    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        kernel(kernels).run(this->geometry, this->arguments(operands, part), part);
    }
};

namespace detail {

template <class P>
ConvConstantsFloat<typename P::value_type> constants_of(const ConvStep<P>& step) {
    return {step.weight->data(), step.bias->empty() ? nullptr : step.bias->data()};
}
inline ConvConstantsI8 constants_of(const ConvStep<i8>& step) {
    return {step.weight->data(), step.bias->empty() ? nullptr : step.bias->data(), step.multiplier.data(),
            step.input_zero_point};
}

/// The numbers that do not depend on the weights' order. False where the node was refused.
template <class P, class Context>
bool set_arithmetic(ConvStep<P>& step, Context& node) {
    step.clamp = node.group().clamp;
    step.residual_clamp = node.group().residual_clamp;
    return true;
}
template <class Context>
bool set_arithmetic(ConvStep<i8>& step, Context& node) {
    QuantizationParams in;
    QuantizationParams produced;
    if (!quantization_of(node, node.input(), in) || !quantization_of(node, node.produced(), produced)) return false;
    const Quantization& weight = step.weight->quantization();
    for (std::size_t c = 0; c < step.weight->shape()[0]; ++c) {
        step.multiplier.push_back(requantization_multiplier(in.scale, weight.params(c).scale, produced.scale));
    }
    step.input_zero_point = in.zero_point;
    const ByteRange range = byte_range(node.group().clamp, produced);
    step.requantize = {produced.zero_point, range.lo, range.hi};
    if (!step.has_residual) return true;
    QuantizationParams residual;
    QuantizationParams out;
    if (!quantization_of(node, *node.residual(), residual) || !quantization_of(node, node.output(), out)) return false;
    const ByteRange last = byte_range(node.group().residual_clamp, out);
    if (!make_add_i8(produced, residual, out, last.lo, last.hi, step.add)) {
        node.unsupported("the sum's scales ", produced.scale, " and ", residual.scale, " -> ", out.scale,
                         " are too far apart for 32-bit fixed point");
        return false;
    }
    return true;
}

/// Nanoseconds of a run of the step by its kernel, on zeros: the best of four, the first aside.
template <class Step>
double measured(Step step, const KernelTable& kernels) {
    const auto& kernel = step.kernel(kernels);
    const ConvGeometry& g = step.geometry;
    using Element = std::remove_cvref_t<decltype(*step.weight->data())>;
    const auto image = [&](std::int32_t height, std::int32_t width, std::int32_t channels) {
        return allocate_bytes(sizeof(Element) * static_cast<std::size_t>(g.batch) * static_cast<std::size_t>(height) *
                              static_cast<std::size_t>(width) * static_cast<std::size_t>(channels));
    };
    std::shared_ptr<std::byte> packed = allocate_bytes(kernel.packed_bytes(g));
    kernel.pack(g, constants_of(step), packed.get());
    step.packed = {packed, 0};
    step.scratch_bytes = align_up(kernel.scratch_bytes(g));
    const auto input = image(g.in_height, g.in_width, g.in_channels),
               residual = image(g.out_height, g.out_width, g.out_channels),
               output = image(g.out_height, g.out_width, g.out_channels), scratch = allocate_bytes(step.scratch_bytes);
    std::byte* operands[] = {input.get(), residual.get(), output.get(), scratch.get()};
    if (!step.has_residual) operands[1] = output.get(), operands[2] = scratch.get();
    double best = std::numeric_limits<double>::max();
    for (int round = 0; round < 5; ++round) {
        std::timespec from{}, to{};
        std::timespec_get(&from, TIME_UTC);
        step.run(kernels, operands, {});
        std::timespec_get(&to, TIME_UTC);
        const double time = static_cast<double>(to.tv_sec - from.tv_sec) * 1e9 + static_cast<double>(to.tv_nsec - from.tv_nsec);
        if (round > 0 && time < best) best = time;
    }
    return best;
}

/// Which of the step's kernels computes it, and why.
template <class Step>
std::uint8_t chosen(Step step, LowerContext& node, const char*& reason) {
    if constexpr (Step::algorithms == 1) return 0;
    const int given = node.given_choice();
    double least = std::numeric_limits<double>::max();
    std::uint8_t best = 0;
    bool fits = false;
    for (std::uint8_t i = 0; i < Step::algorithms; ++i) {
        step.algorithm = i;
        const auto& candidate = step.kernel(node.kernels());
        if (i > 0 && (candidate.name == nullptr || node.options().memory == Memory::lean)) continue;
        double cycles = candidate.cycles(step.geometry);
        if (cycles == std::numeric_limits<double>::max()) continue;
        fits = fits || i == given;
        if (given < 0 && node.options().measure) cycles = measured(step, node.kernels());
        if (cycles < least) least = cycles, best = i;
    }
    if (given >= 0 && !fits) {
        node.unsupported("the choice '", std::string(1, static_cast<char>('0' + given)),
                         "' is no kernel for it here; choices() of a plan of this model and kernels is expected");
    }
    if (fits) best = static_cast<std::uint8_t>(given);
    node.record_choice(best);
    if (best > 0) reason = "fewer multiplications";
    if (given < 0 && node.options().measure) reason = "measured as the fastest";
    return best;
}

/// The step of this geometry, weight and bias, with the group's arithmetic.
template <class Step>
void emit_contraction(Step step, LowerContext& node, StepOptions options) {
    if (!set_arithmetic(step, node)) return;
    step.algorithm = chosen(step, node, options.reason);
    const auto& kernel = step.kernel(node.kernels());
    options.kernel = kernel.name;
    options.transformed = step.algorithm > 0;
    const std::size_t packed_bytes = kernel.packed_bytes(step.geometry);
    std::shared_ptr<std::byte> packed = allocate_bytes(packed_bytes);
    kernel.pack(step.geometry, constants_of(step), packed.get());
    step.packed = {std::move(packed), packed_bytes};
    step.scratch_bytes = align_up(kernel.scratch_bytes(step.geometry));
    // What a core multiplies, or for one pixel reads, while a call and its answer pass from core to core.
    constexpr std::uint64_t macs_of_a_part = 1 << 15, bytes_of_a_part = 1 << 17;
    const auto pixels = std::uint64_t{narrow<std::uint32_t>(step.geometry.batch)} *
                        narrow<std::uint32_t>(step.geometry.out_height) * narrow<std::uint32_t>(step.geometry.out_width);
    options.parts =
        pixels == 1 ? node.parts(packed_bytes, bytes_of_a_part) : node.parts(pixels * step.weight->elements(), macs_of_a_part);
    options.scratch_bytes = step.scratch_bytes * static_cast<std::size_t>(options.parts);
    options.constant_bytes = packed_bytes;
    if (step.has_residual) options.in_place = {1};
    if (node.group().placed) {
        options.outputs = {node.group().whole};
        step.output_channel = node.group().channel;
        step.output_stride = narrow<std::int32_t>(node.whole().shape.back());
    }
    node.emit(std::move(step), std::move(options));
}

template <class Step, class L>
void lower_contraction(const L& layer, LowerContext& node, const char* reason) {
    if (layer.weight.elements() >= (std::size_t{1} << 31)) {
        return node.unsupported("weight [", to_string(layer.weight.shape()), "] has 2^31 elements or more");
    }
    Step step;
    step.geometry = geometry(layer, node.input().shape, node.produced().shape);
    step.geometry.pad_top += narrow<std::int32_t>(node.group().padding.top);
    step.geometry.pad_left += narrow<std::int32_t>(node.group().padding.left);
    step.weight = node.share(layer.weight);
    step.bias = node.share(layer.bias);
    step.has_residual = node.residual() != nullptr;
    emit_contraction(std::move(step), node, {.reason = reason});
}

}  // namespace detail

template <class P, class Context>
void lower(const Conv2d<P>& layer, Context& node) {
    const Shape& w = layer.weight.shape();
    const bool pointwise = w[1] == 1 && w[2] == 1 && layer.stride == Size2d{} && layer.padding == Padding2d{};
    detail::lower_contraction<Conv2dStep<P>>(layer, node, pointwise ? "1x1: a matrix product" : "implicit matrix product");
}

template <class P, class Context>
void lower(const DepthwiseConv2d<P>& layer, Context& node) {
    detail::lower_contraction<DepthwiseStep<P>>(layer, node, "one input channel an output channel");
}

template <class P, class Context>
void lower(const Dense<P>& layer, Context& node) {
    detail::lower_contraction<Conv2dStep<P>>(layer, node, "dense: a matrix product");
}

template <class Context>
void lower(const ConvInteger2d& layer, Context& node) {
    const ConvGeometry g = geometry(layer, node.input().shape, node.output().shape);
    node.emit(ConvInteger2dStep{g, node.share(layer.weight), node.share(layer.bias)},
              {.constant_bytes = layer.weight.bytes() + layer.bias.bytes()});
}

MOTE_END_NAMESPACE
