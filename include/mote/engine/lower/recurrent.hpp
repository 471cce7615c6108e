// SPDX-License-Identifier: MIT
#pragma once
// lower: Lstm, Gru, Rnn and Svdf. The input's side of all steps is one matrix product, and a step of the plan; the states' side
// is one a step of the sequence.

#include <mote/engine/lower/context.hpp>
#include <mote/kernels/multipliers.hpp>
#include <mote/kernels/recurrent.hpp>
#include <mote/model/infer/recurrent.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// y = x * transpose(w) + b over some rows, with packed weights [out, in].
struct PackedProduct {
    ConvGeometry geometry{};
    Constants packed{};
    std::size_t scratch_bytes = 0;  ///< of a run, or of one part
    std::int32_t pieces = 1;        ///< of repeat()

    void run(const KernelTable& kernels, const float* x, float* y, void* scratch, Part part = {}) const noexcept {
        ConvF32 call;
        call.input = x;
        call.packed = packed.data();
        call.output = y;
        call.scratch = scratch;
        kernels.conv2d_f32.run(geometry, call, part);
    }
    /// run() number `step` of many with the same weights: it goes through them forwards or backwards by turns, so that it
    /// begins with those that the last one left in the second cache.
    void repeat(const KernelTable& kernels, std::size_t step, const float* x, float* y, void* scratch) const noexcept {
        for (std::int32_t i = 0; i < pieces; ++i) run(kernels, x, y, scratch, {step % 2 == 0 ? i : pieces - 1 - i, pieces});
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
    product.scratch_bytes = align_up(kernels.conv2d_f32.scratch_bytes(product.geometry));
    if (kernels.divides) {  // of 128 KiB, and of as many channels as one row's widest tile
        const std::size_t most = out / 128, wanted = bytes >> 17;
        product.pieces = narrow<std::int32_t>(wanted < 1 || most < 1 ? 1 : wanted < most ? wanted : most);
    }
    return product;
}

/// What the kernels see of a layer.
template <class Lazy = void>
RecurrentCellF32 cell_of(const Recurrence& layer) noexcept {
    RecurrentCellF32 cell;
    cell.cell = layer.cell;
    cell.hidden = static_cast<std::int32_t>(layer.hidden());
    cell.gate = layer.gate;
    cell.candidate = layer.candidate;
    cell.output = layer.output;
    cell.clip = layer.clip;
    cell.cell_clip = layer.cell_clip;
    cell.coupled = layer.coupled;
    cell.reset_after = layer.reset_after;
    cell.peephole = layer.has_peephole() ? layer.peephole->data() : nullptr;
    return cell;
}

/// Where the states of samples first <= b < end begin: at an input, a stored tensor, or zero.
template <class Lazy = void>
__attribute__((noinline)) void begin_state(const Tensor<f32>& stored, const float* given, std::size_t first, std::size_t end,
                                           std::size_t hidden, float* state) noexcept {
    first *= hidden;
    end *= hidden;
    if (given != nullptr) {
        std::memcpy(state + first, given + first, (end - first) * sizeof(float));
    } else if (stored.empty()) {
        std::memset(state + first, 0, (end - first) * sizeof(float));
    } else {
        for (std::size_t i = first; i < end; ++i) state[i] = stored.data()[i % stored.elements()];
    }
}

}  // namespace detail

/// The product with the inputs of all steps. Operands: input, output, states if the layer has any, scratch if any.
struct InputProductStep {
    static constexpr const char* name = "input_product_f32";
    detail::PackedProduct product{};
    std::size_t scratch = 2;  ///< its place

    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        std::byte* of_part = product.scratch_bytes == 0
                                 ? nullptr
                                 : operands[scratch] + static_cast<std::size_t>(part.index) * product.scratch_bytes;
        product.run(kernels, operand<const float>(operands, 0), operand<float>(operands, 1), of_part, part);
    }
};

/// Lstm, Gru and Rnn; a part is some samples. Operands: the product with the inputs (it is overwritten), initial states if any,
/// outputs, states if the layer is stateful, scratch.
struct RecurrenceStep {
    static constexpr const char* name = "recurrence_f32";
    struct Data {
        detail::Recurrence layer{};
        std::shared_ptr<const void> keeps{};  ///< the layer's tensors
        detail::SequenceShape shape;
        std::size_t inputs = 1, outputs = 1;
        std::size_t samples = 1;                         ///< of a part
        detail::PackedProduct recurrent{}, candidate{};  ///< of a part; the last where a Gru resets before it
        /// Of the scratch: the products with the states, the hidden and the cell state (where they do not outlive the run),
        /// reset * h, the candidate's product, what a product asks for, of each part.
        std::size_t offset[6] = {};
    };
    std::shared_ptr<const Data> data{};

    void run(const KernelTable& kernels, std::byte* const* operands, Part part) const noexcept {
        const Data& d = *data;
        const detail::Recurrence& layer = d.layer;
        const detail::SequenceShape& shape = d.shape;
        const std::size_t n = layer.hidden(), states = layer.states(), width = layer.gates() * n;
        const std::size_t first = static_cast<std::size_t>(part.index) * d.samples, end = first + d.samples;
        std::byte* const scratch = operands[d.inputs + d.outputs + (layer.stateful ? states : 0)];
        const auto piece = [&](std::size_t i) { return reinterpret_cast<float*>(scratch + d.offset[i]); };
        const bool apart = d.candidate.packed.bytes != 0;
        const std::size_t side_width = apart ? 2 * n : width;
        float* const projected = operand<float>(operands, 0);
        float* const sides = piece(0);
        float* const reset = piece(3);
        float* const candidates = piece(4);
        std::byte* const of_product = scratch + d.offset[5] + static_cast<std::size_t>(part.index) * d.recurrent.scratch_bytes;
        float* state[2] = {piece(1), piece(2)};
        for (std::size_t i = 0; i < states; ++i) {
            if (layer.stateful) {
                state[i] = operand<float>(operands, d.inputs + d.outputs + i);
            } else {
                const float* given = d.inputs > i + 1 ? operand<const float>(operands, i + 1) : nullptr;
                detail::begin_state(*layer.initial[i], given, first, end, n, state[i]);
            }
        }
        float* const sequence = operand<float>(operands, d.inputs);
        for (std::size_t b = first; b < end && !layer.lengths->empty(); ++b) {
            for (std::size_t t = (*layer.lengths)[b]; t < shape.time; ++t)
                std::memset(sequence + shape.row(b, t) * n, 0, n * sizeof(float));
        }
        const RecurrentCellF32 cell = detail::cell_of(layer);
        for (std::size_t step = 0; step < shape.time; ++step) {
            const auto cell_run = [&](std::size_t b, std::size_t row) {
                RecurrentRunF32 run;
                run.z = projected + row * width;
                run.q = sides + b * side_width;
                run.candidate = candidates + b * n;
                run.h = run.h_next = state[0] + b * n;
                run.c = run.c_next = state[1] + b * n;
                run.reset = reset + b * n;
                return run;
            };
            d.recurrent.repeat(kernels, step, state[0] + first * n, sides + first * side_width, of_product);
            if (apart) {
                shape.for_each_sample(layer, step, first, end,
                                      [&](std::size_t b, std::size_t row) { kernels.open_cell_f32(cell, cell_run(b, row)); });
                d.candidate.repeat(kernels, step, reset + first * n, candidates + first * n, of_product);
            }
            shape.for_each_sample(layer, step, first, end, [&](std::size_t b, std::size_t row) {
                kernels.close_cell_f32(cell, cell_run(b, row));
                std::memcpy(sequence + row * n, state[0] + b * n, n * sizeof(float));
            });
        }
        for (std::size_t i = 1; i < d.outputs; ++i) {
            std::memcpy(operand<float>(operands, d.inputs + i) + first * n, state[i - 1] + first * n,
                        d.samples * n * sizeof(float));
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
    const std::size_t n = layer.hidden(), width = layer.gates() * n, rows = shape.batch * shape.time;
    const auto data = [](const Tensor<f32>* t) { return t == nullptr || t->empty() ? nullptr : t->data(); };
    const KernelTable& kernels = node.kernels();
    constexpr std::uint64_t macs_of_a_part = 1 << 17;

    StepOptions inputs{.reason = "one product for the inputs of all steps"};
    InputProductStep first{pack_product(kernels, rows, width, shape.features, layer.weight->data(), data(layer.bias)),
                           2 + (layer.stateful ? layer.states() : 0)};
    inputs.inputs = {node.input_buffer()};
    inputs.outputs = {node.temporary(rows * width * sizeof(float))};
    inputs.parts = node.parts(rows * layer.weight->elements(), macs_of_a_part);
    inputs.scratch_bytes = first.product.scratch_bytes * static_cast<std::size_t>(inputs.parts);
    inputs.constant_bytes = first.product.packed.bytes;

    StepOptions options{.reason = "one product a step for the states"};
    options.inputs = {inputs.outputs[0]};
    for (std::size_t i = 1; i < node.inputs(); ++i) options.inputs.push_back(node.input_buffer(i));
    options.parts = node.parts(rows * layer.recurrent->elements(), macs_of_a_part);
    while (shape.batch % static_cast<std::size_t>(options.parts) != 0) --options.parts;
    const auto parts = static_cast<std::size_t>(options.parts);
    auto step = std::make_shared<RecurrenceStep::Data>(RecurrenceStep::Data{layer, std::move(keeps), shape});
    step->inputs = node.inputs();
    step->outputs = node.outputs();
    step->samples = shape.batch / parts;
    const bool apart = layer.cell == Cell::gru && !layer.reset_after;
    Tensor<f32> bias;
    if (!apart && data(layer.recurrent_bias) != nullptr) {
        bias = Tensor<f32>(Shape{width});
        std::memcpy(bias.data() + 2 * n, layer.recurrent_bias->data(), n * sizeof(float));
    }
    step->recurrent = pack_product(kernels, step->samples, apart ? 2 * n : width, n, layer.recurrent->data(), data(&bias));
    if (apart) {
        PackedProduct& candidate = step->candidate;
        candidate = pack_product(kernels, step->samples, n, n, layer.recurrent->data() + 2 * n * n, data(layer.recurrent_bias));
        if (candidate.scratch_bytes > step->recurrent.scratch_bytes) step->recurrent.scratch_bytes = candidate.scratch_bytes;
    }
    options.constant_bytes = step->recurrent.packed.bytes + step->candidate.packed.bytes;
    const std::size_t state = shape.batch * n * sizeof(float);
    const std::size_t bytes[6] = {layer.gates() * state, state, state, state, state, step->recurrent.scratch_bytes * parts};
    for (std::size_t i = 0; i < 6; ++i) {
        step->offset[i] = options.scratch_bytes;
        options.scratch_bytes += align_up(bytes[i]);
    }
    node.emit(std::move(first), std::move(inputs));
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
