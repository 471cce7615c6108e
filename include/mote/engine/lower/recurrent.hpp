// SPDX-License-Identifier: MIT
#pragma once
// lower: Lstm, Gru, Rnn and Svdf. The input's side of all steps is one matrix product; the states' side is one a step.

#include <mote/engine/lower/context.hpp>
#include <mote/kernels/functions.hpp>
#include <mote/kernels/multipliers.hpp>
#include <mote/kernels/recurrent.hpp>
#include <mote/model/infer/recurrent.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// y = x * transpose(w) + b over some rows, with packed weights [out, in].
struct PackedProduct {
    ConvGeometry geometry{};
    Constants packed{};

    void run(const KernelTable& kernels, const float* x, float* y, void* scratch) const noexcept {
        ConvF32 call;
        call.input = x;
        call.packed = packed.data();
        call.output = y;
        call.scratch = scratch;
        kernels.conv2d_f32.run(geometry, call, {});
    }
};

template <class Lazy = void>
__attribute__((noinline, cold)) PackedProduct pack_product(const KernelTable& kernels, std::size_t rows, std::size_t out,
                                                           std::size_t in, const float* weight, const float* bias) {
    PackedProduct product;
    product.geometry.batch = narrow<std::int32_t>(rows);
    product.geometry.in_channels = narrow<std::int32_t>(in);
    product.geometry.out_channels = narrow<std::int32_t>(out);
    const std::size_t bytes = kernels.conv2d_f32.packed_bytes(product.geometry);
    std::shared_ptr<std::byte> memory = allocate_bytes(bytes);
    kernels.conv2d_f32.pack(product.geometry, {weight, bias}, memory.get());
    product.packed = {std::move(memory), bytes};
    return product;
}

/// x = function(x)
template <class Lazy = void>
__attribute__((noinline)) void activate(const KernelTable& kernels, RecurrentFunction function, std::size_t count,
                                        float* x) noexcept {
    UnaryF32 unary;
    switch (function) {
        case RecurrentFunction::identity:
            return;
        case RecurrentFunction::relu:
            unary.lo = 0.0f;
            break;
        case RecurrentFunction::sigmoid:
            unary.function = UnaryKernel::sigmoid;
            break;
        case RecurrentFunction::tanh:
            unary.function = UnaryKernel::tanh;
            break;
        case RecurrentFunction::hard_sigmoid:
            for (std::size_t i = 0; i < count; ++i) x[i] = 0.2f * x[i] + 0.5f;
            unary.lo = 0.0f;
            unary.hi = 1.0f;
            break;
        case RecurrentFunction::softsign:
            return mote::kernels::reference::unary_function_f32(UnaryFunction::softsign, count, 0.0f, 0.0f, x, x);
        case RecurrentFunction::softplus:
            return mote::kernels::reference::unary_function_f32(UnaryFunction::softplus, count, 0.0f, 0.0f, x, x);
    }
    kernels.unary_f32(count, unary, x, x);
}

/// One step of one sample, in the parts between the products.
struct RecurrentCell {
    Recurrence layer;
    std::size_t hidden;
    const KernelTable& kernels;

    /// x = function(clip(x + y))
    __attribute__((noinline)) void finish(RecurrentFunction function, std::size_t count, float* x,
                                          const float* y) const noexcept {
        for (std::size_t i = 0; i < count; ++i) x[i] += y[i];
        clip(layer.clip, count, x);
        activate(kernels, function, count, x);
    }
    static void clip(float limit, std::size_t count, float* x) noexcept {
        if (!(limit > 0.0f)) return;
        for (std::size_t i = 0; i < count; ++i) x[i] = x[i] < -limit ? -limit : x[i] > limit ? limit : x[i];
    }

    /// Of a Gru, z [3 * hidden] holding the input's side and q the states' side: the gates, and where they reset before the
    /// candidate's product, what it takes: reset = r * h.
    __attribute__((noinline)) void open(float* z, const float* q, const float* h, float* reset) const noexcept {
        finish(layer.gate, 2 * hidden, z, q);
        if (layer.reset_after) return;
        for (std::size_t i = 0; i < hidden; ++i) reset[i] = z[hidden + i] * h[i];
    }

    /// z [gates * hidden] holds the input's side (of a Gru after open() the gates and the candidate's input side) and becomes
    /// what the activations gave; q the states' side (of a Gru the candidate's alone). h_next may be h, c_next may be c.
    __attribute__((noinline)) void close(float* z, const float* q, const float* h, const float* c, float* h_next,
                                         float* c_next) const noexcept {
        const std::size_t n = hidden;
        if (layer.cell == Cell::rnn) {
            finish(layer.candidate, n, z, q);
            for (std::size_t i = 0; i < n; ++i) h_next[i] = z[i];
            return;
        }
        if (layer.cell == Cell::gru) {
            float* const candidate = z + 2 * n;
            if (layer.reset_after) {
                for (std::size_t i = 0; i < n; ++i) candidate[i] += z[n + i] * q[i];
            } else {
                for (std::size_t i = 0; i < n; ++i) candidate[i] += q[i];
            }
            clip(layer.clip, n, candidate);
            activate(kernels, layer.candidate, n, candidate);
            for (std::size_t i = 0; i < n; ++i) h_next[i] = (1.0f - z[i]) * candidate[i] + z[i] * h[i];
            return;
        }
        const float* const peephole = layer.has_peephole() ? layer.peephole->data() : nullptr;
        if (peephole != nullptr) {
            for (std::size_t i = 0; i < 2 * n; ++i) z[i] += peephole[i] * c[i % n];
        }
        finish(layer.gate, 2 * n, z, q);
        if (layer.coupled) {
            for (std::size_t i = 0; i < n; ++i) z[n + i] = 1.0f - z[i];
        }
        finish(layer.candidate, n, z + 2 * n, q + 2 * n);
        for (std::size_t i = 0; i < n; ++i) c_next[i] = z[n + i] * c[i] + z[i] * z[2 * n + i];
        clip(layer.cell_clip, n, c_next);
        if (peephole != nullptr) {
            for (std::size_t i = 0; i < n; ++i) z[3 * n + i] += peephole[2 * n + i] * c_next[i];
        }
        finish(layer.gate, n, z + 3 * n, q + 3 * n);
        for (std::size_t i = 0; i < n; ++i) h_next[i] = c_next[i];
        activate(kernels, layer.output, n, h_next);
        for (std::size_t i = 0; i < n; ++i) h_next[i] *= z[3 * n + i];
    }
};

/// Where the states begin: at an input, a stored tensor, or zero.
template <class Lazy = void>
__attribute__((noinline)) void begin_state(const Tensor<f32>& stored, const float* given, std::size_t batch, std::size_t hidden,
                                           float* state) noexcept {
    const std::size_t bytes = batch * hidden * sizeof(float);
    if (given != nullptr) {
        std::memcpy(state, given, bytes);
    } else if (stored.empty()) {
        std::memset(state, 0, bytes);
    } else {
        for (std::size_t i = 0; i < batch * hidden; ++i) state[i] = stored.data()[i % stored.elements()];
    }
}

}  // namespace detail

/// Lstm, Gru and Rnn. Operands: input, initial states if any, outputs, states if the layer is stateful, scratch.
struct RecurrenceStep {
    static constexpr const char* name = "recurrence";
    struct Data {
        detail::Recurrence layer{};
        std::shared_ptr<const void> keeps{};  ///< the layer's tensors
        detail::SequenceShape shape;
        std::size_t inputs = 1, outputs = 1;
        detail::PackedProduct input{}, recurrent{}, candidate{};  ///< the last where a Gru resets before it
        /// Of the scratch: the products with the input and with the states, the hidden and the cell state (where they do not
        /// outlive the run), reset * h, the candidate's product, what a product asks for.
        std::size_t offset[7] = {};
    };
    std::shared_ptr<const Data> data{};

    void run(const KernelTable& kernels, std::byte* const* operands) const noexcept {
        const Data& d = *data;
        const detail::Recurrence& layer = d.layer;
        const detail::SequenceShape& shape = d.shape;
        const std::size_t n = layer.hidden(), states = layer.states(), width = layer.gates() * n;
        std::byte* const scratch = operands[d.inputs + d.outputs + (layer.stateful ? states : 0)];
        const auto piece = [&](std::size_t i) { return reinterpret_cast<float*>(scratch + d.offset[i]); };
        float* const projected = piece(0);
        float* const sides = piece(1);
        float* state[2] = {piece(2), piece(3)};
        for (std::size_t i = 0; i < states; ++i) {
            if (layer.stateful) {
                state[i] = operand<float>(operands, d.inputs + d.outputs + i);
            } else {
                const float* given = d.inputs > i + 1 ? operand<const float>(operands, i + 1) : nullptr;
                detail::begin_state(*layer.initial[i], given, shape.batch, n, state[i]);
            }
        }
        float* const sequence = operand<float>(operands, d.inputs);
        if (!layer.lengths->empty()) std::memset(sequence, 0, shape.batch * shape.time * n * sizeof(float));
        d.input.run(kernels, operand<const float>(operands, 0), projected, piece(6));
        const detail::RecurrentCell cell{layer, n, kernels};
        const bool gru = layer.cell == detail::Cell::gru, apart = d.candidate.packed.bytes != 0;
        const std::size_t side_width = apart ? 2 * n : width;
        for (std::size_t step = 0; step < shape.time; ++step) {
            d.recurrent.run(kernels, state[0], sides, piece(6));
            if (gru) {
                shape.for_each_sample(layer, step, [&](std::size_t b, std::size_t row) {
                    cell.open(projected + row * width, sides + b * side_width, state[0] + b * n, piece(4) + b * n);
                });
                if (apart) d.candidate.run(kernels, piece(4), piece(5), piece(6));
            }
            shape.for_each_sample(layer, step, [&](std::size_t b, std::size_t row) {
                const float* side = apart ? piece(5) + b * n : sides + b * side_width + (gru ? 2 * n : 0);
                float* const h = state[0] + b * n;
                float* const c = state[1] + b * n;
                cell.close(projected + row * width, side, h, c, h, c);
                std::memcpy(sequence + row * n, h, n * sizeof(float));
            });
        }
        for (std::size_t i = 1; i < d.outputs; ++i) {
            std::memcpy(operands[d.inputs + i], state[i - 1], shape.batch * n * sizeof(float));
        }
    }
};

/// Operands: input, output, the states, scratch.
struct LstmI8Step {
    static constexpr const char* name = "lstm_i8";
    LstmI8 cell{};
    std::shared_ptr<const void> keeps{};
    detail::SequenceShape shape;
    bool stateful = false;
    std::vector<std::int32_t> constants{};  ///< the biases and multipliers

    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        const std::size_t n = static_cast<std::size_t>(cell.hidden), in = shape.features;
        std::byte* scratch = operands[stateful ? 4 : 2];
        auto* const gates = reinterpret_cast<std::int16_t*>(scratch);
        auto* h = reinterpret_cast<std::int8_t*>(scratch + align_up(8 * n));
        auto* c = reinterpret_cast<std::int16_t*>(scratch + align_up(8 * n) + align_up(shape.batch * n));
        if (stateful) {
            h = operand<std::int8_t>(operands, 2);
            c = operand<std::int16_t>(operands, 3);
        } else {
            std::memset(h, cell.zero_point, shape.batch * n);
            std::memset(c, 0, shape.batch * n * sizeof(std::int16_t));
        }
        const auto* x = operand<const std::int8_t>(operands, 0);
        auto* y = operand<std::int8_t>(operands, 1);
        for (std::size_t b = 0; b < shape.batch; ++b) {
            for (std::size_t t = 0; t < shape.time; ++t) {
                const std::size_t row = shape.row(b, t);
                kernels::reference::lstm_i8(cell, x + row * in, h + b * n, c + b * n, gates);
                std::memcpy(y + row * n, h + b * n, n);
            }
        }
    }
    static std::size_t scratch_bytes(std::size_t batch, std::size_t hidden) noexcept {
        return align_up(8 * hidden) + align_up(batch * hidden) + align_up(2 * batch * hidden);
    }
};

/// Operands: input, output, the states.
template <class P>
struct SvdfStep;
template <>
struct SvdfStep<f32> {
    static constexpr const char* name = "svdf_f32";
    std::size_t batch = 1;
    SvdfI8 geometry{};  ///< its extents alone
    std::shared_ptr<const void> keeps{};
    const float* feature = nullptr;
    const float* time = nullptr;
    const float* bias = nullptr;
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        kernels::reference::svdf_f32(geometry, batch, feature, time, bias, operand<const float>(operands, 0),
                                     operand<float>(operands, 2), operand<float>(operands, 1));
    }
};
template <>
struct SvdfStep<i8> {
    static constexpr const char* name = "svdf_i8";
    std::size_t batch = 1;
    SvdfI8 geometry{};
    std::shared_ptr<const void> keeps{};
    std::vector<std::int32_t> bias{};
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        const auto in = static_cast<std::size_t>(geometry.in), units = static_cast<std::size_t>(geometry.units);
        const auto states = static_cast<std::size_t>(geometry.rank) * units * static_cast<std::size_t>(geometry.memory);
        for (std::size_t b = 0; b < batch; ++b) {
            kernels::reference::svdf_i8(geometry, operand<const std::int8_t>(operands, 0) + b * in,
                                        operand<std::int16_t>(operands, 2) + b * states,
                                        operand<std::int8_t>(operands, 1) + b * units);
        }
    }
};

namespace detail {

template <class Context>
__attribute__((noinline, cold)) void lower_recurrence(const Recurrence& layer, std::shared_ptr<const void> keeps,
                                                      Context& node) {
    const SequenceShape shape(node.input().shape, layer.time_major);
    const std::size_t n = layer.hidden(), rows = layer.gates() * n;
    auto step = std::make_shared<RecurrenceStep::Data>(RecurrenceStep::Data{layer, std::move(keeps), shape});
    step->inputs = node.inputs();
    step->outputs = node.outputs();
    const auto data = [](const Tensor<f32>* t) { return t == nullptr || t->empty() ? nullptr : t->data(); };
    const KernelTable& kernels = node.kernels();
    step->input = pack_product(kernels, shape.batch * shape.time, rows, shape.features, layer.weight->data(), data(layer.bias));
    const bool apart = layer.cell == Cell::gru && !layer.reset_after;
    Tensor<f32> bias;
    if (!apart && data(layer.recurrent_bias) != nullptr) {
        bias = Tensor<f32>(Shape{rows});
        std::memcpy(bias.data() + 2 * n, layer.recurrent_bias->data(), n * sizeof(float));
    }
    step->recurrent = pack_product(kernels, shape.batch, apart ? 2 * n : rows, n, layer.recurrent->data(), data(&bias));
    if (apart) {
        step->candidate =
            pack_product(kernels, shape.batch, n, n, layer.recurrent->data() + 2 * n * n, data(layer.recurrent_bias));
    }
    StepOptions options{.reason = "one product for the inputs, one a step for the states"};
    std::size_t most = 0;
    for (const PackedProduct* product : {&step->input, &step->recurrent, &step->candidate}) {
        if (product->packed.bytes == 0) continue;
        const std::size_t wanted = kernels.conv2d_f32.scratch_bytes(product->geometry);
        most = wanted > most ? wanted : most;
        options.constant_bytes += product->packed.bytes;
    }
    const std::size_t state = shape.batch * n * sizeof(float);
    const std::size_t bytes[7] = {
        shape.batch * shape.time * rows * sizeof(float), layer.gates() * state, state, state, state, state, most};
    for (std::size_t i = 0; i < 7; ++i) {
        step->offset[i] = options.scratch_bytes;
        options.scratch_bytes += align_up(bytes[i]);
    }
    node.emit(RecurrenceStep{std::move(step)}, std::move(options));
}

/// The largest shift up to 62 at which every ratio, times 2^shift, stays below 2^30; 0 where a ratio is 2^29 or more.
template <class Lazy = void>
std::int32_t common_shift(double largest) {
    std::int32_t shift = 0;
    for (double scaled = largest; shift < 62 && scaled * 2 < 1073741824.0; scaled *= 2) ++shift;
    return shift;
}
template <class Lazy = void>
std::int32_t fixed_point(double ratio, std::int32_t shift) {
    return static_cast<std::int32_t>(times_power_of_two(ratio, shift) + 0.5);
}

template <class Context>
__attribute__((cold)) void lower_lstm_i8(const Lstm<i8>& layer, Context& node) {
    QuantizationParams in, out;
    if (!quantization_of(node, node.input(), in) || !quantization_of(node, node.output(), out)) return;
    const std::size_t n = layer.recurrent.shape()[1], rows = 4 * n;
    LstmI8Step step{{}, node.share(layer.weight), SequenceShape(node.input().shape, layer.time_major)};
    step.stateful = layer.stateful;
    double largest = 0;
    std::vector<double> ratios;
    for (const auto& [weight, scale] : {std::pair(&layer.weight, in.scale), std::pair(&layer.recurrent, out.scale)}) {
        for (std::size_t row = 0; row < rows; ++row) {
            ratios.push_back(4096.0 * static_cast<double>(scale) *
                             static_cast<double>(weight->quantization().params(row).scale));
            largest = ratios.back() > largest ? ratios.back() : largest;
        }
    }
    const double hidden_ratio = 1.0 / (1073741824.0 * static_cast<double>(out.scale));
    step.cell.gate_shift = common_shift(largest);
    step.cell.hidden_shift = common_shift(hidden_ratio);
    if (step.cell.gate_shift < 1 || step.cell.hidden_shift < 1)
        return node.unsupported("its scales are too large or too small");
    const auto folded = [&](const Tensor<i8>& weight, const Tensor<i32>& bias, std::int32_t zero_point) {
        const std::size_t inner = weight.shape()[1];
        for (std::size_t row = 0; row < rows; ++row) {
            std::int32_t sum = 0;
            for (std::size_t k = 0; k < inner; ++k) sum += weight.data()[row * inner + k];
            step.constants.push_back((bias.empty() ? 0 : bias.data()[row]) - zero_point * sum);
        }
    };
    folded(layer.weight, layer.bias, in.zero_point);
    folded(layer.recurrent, {}, out.zero_point);
    for (const double ratio : ratios) step.constants.push_back(fixed_point(ratio, step.cell.gate_shift));
    step.cell.in = narrow<std::int32_t>(step.shape.features);
    step.cell.hidden = narrow<std::int32_t>(n);
    step.cell.weight = layer.weight.data();
    step.cell.recurrent = layer.recurrent.data();
    step.cell.bias = step.constants.data();  // a moved vector keeps its memory
    step.cell.recurrent_bias = step.cell.bias + rows;
    step.cell.input_multiplier = step.cell.bias + 2 * rows;
    step.cell.recurrent_multiplier = step.cell.bias + 3 * rows;
    step.cell.table = layer.table.data();
    step.cell.cell_bits = layer.cell_bits;
    const double clip = times_power_of_two(static_cast<double>(layer.cell_clip), layer.cell_bits);
    if (clip > 0.0 && clip < 32767.0) {
        step.cell.cell_hi = static_cast<std::int32_t>(clip + 0.5);
        step.cell.cell_lo = -step.cell.cell_hi;
    }
    step.cell.hidden_multiplier = fixed_point(hidden_ratio, step.cell.hidden_shift);
    step.cell.zero_point = out.zero_point;
    StepOptions options{.reason = "gates of 16 bits, sigmoid and tanh by table"};
    options.scratch_bytes = LstmI8Step::scratch_bytes(step.shape.batch, n);
    options.constant_bytes = 4 * step.constants.size();
    node.emit(std::move(step), std::move(options));
}

}  // namespace detail

template <class P, class Context>
void lower(const Lstm<P>& layer, Context& node) {
    if constexpr (std::is_same_v<P, f32>) {
        detail::lower_recurrence(detail::recurrence(layer), node.share(layer.weight), node);
    } else {
        detail::lower_lstm_i8(layer, node);
    }
}
template <class P, class Context>
void lower(const Gru<P>& layer, Context& node) {
    detail::lower_recurrence(detail::recurrence(layer), node.share(layer.weight), node);
}
template <class P, class Context>
void lower(const Rnn<P>& layer, Context& node) {
    detail::lower_recurrence(detail::recurrence(layer), node.share(layer.weight), node);
}

template <class P, class Context>
__attribute__((cold)) void lower(const Svdf<P>& layer, Context& node) {
    SvdfStep<P> step;
    step.batch = node.input().shape[0];
    SvdfI8& g = step.geometry;
    g.in = narrow<std::int32_t>(node.input().shape[1]);
    g.units = narrow<std::int32_t>(node.output().shape[1]);
    g.rank = narrow<std::int32_t>(layer.rank);
    g.memory = narrow<std::int32_t>(layer.time.shape()[1]);
    if constexpr (std::is_same_v<P, f32>) {
        step.keeps = node.share(layer.feature);
        step.feature = layer.feature.data();
        step.time = layer.time.data();
        step.bias = layer.bias.empty() ? nullptr : layer.bias.data();
    } else {
        QuantizationParams in, out;
        if (!detail::quantization_of(node, node.input(), in) || !detail::quantization_of(node, node.output(), out)) return;
        const auto scale = [](float s) { return static_cast<double>(s); };
        const double ratios[] = {
            scale(in.scale) * scale(layer.feature.quantization().params().scale) / scale(layer.state_scale),
            scale(layer.state_scale) * scale(layer.time.quantization().params().scale) / scale(out.scale)};
        for (std::size_t i = 0; i < 2; ++i) {
            g.shift[i] = detail::common_shift(ratios[i]);
            if (g.shift[i] < 1) return node.unsupported("its scales are too far apart");
            g.multiplier[i] = detail::fixed_point(ratios[i], g.shift[i]);
        }
        step.keeps = node.share(layer.feature);
        step.bias.assign(static_cast<std::size_t>(g.units), 0);
        for (std::size_t i = 0; i < layer.bias.elements(); ++i) step.bias[i] = layer.bias.data()[i];
        g.feature = layer.feature.data();
        g.time = layer.time.data();
        g.bias = step.bias.data();  // a moved vector keeps its memory
        g.input_zero_point = in.zero_point;
        g.zero_point = out.zero_point;
        g.state_lo = layer.state_lo;
        g.state_hi = layer.state_hi;
    }
    node.emit(std::move(step));
}

MOTE_END_NAMESPACE
