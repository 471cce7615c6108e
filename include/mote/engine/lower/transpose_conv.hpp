// SPDX-License-Identifier: MIT
#pragma once
// lower: TransposeConv2d, as ordinary convolutions of the output's phases; no inserted zero is multiplied.
//
// Along one axis, before padding is cut off, output row Y gets tap k of input row i where Y = i * s + k * d, with stride s and
// dilation d; s' and d' are these without their common divisor. The taps of one row are k = k0 + s' * j, where k0 is its phase.
// Phase k0 has the rows Y = t * s + k0 * d, and its row t is the sum over j of tap k0 + s' * j of input row t - j * d': a
// convolution of stride 1 and dilation d' by the phase's taps in reverse. Phases with as many taps read the same rows; they are
// channels of one convolution. An axis has two numbers of taps at most, so that four convolutions do for an image. A movement
// brings the phases into their places; rows without any tap hold the bias alone.

#include <mote/engine/lower/contraction.hpp>
#include <mote/engine/lower/movement.hpp>

#include <algorithm>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// The rows of a phase that have taps and lie in the output: t = first ... first + count - 1, each at t * stride + place.
struct TransposePhase {
    std::int32_t place = 0, first = 0, count = 0;
};

/// Phases k0, k0 + 1, ... with as many taps, and the rows t that their convolution makes.
struct PhaseGroup {
    std::int32_t first_phase = 0, taps = 0;
    std::int32_t first_row = 0, rows = 0;
    std::vector<TransposePhase> phases{};
};

/// One axis of a transposed convolution.
struct TransposeAxis {
    std::int32_t in = 1, out = 1, kernel = 1, stride = 1, dilation = 1, cut = 0;

    std::int32_t common_divisor() const noexcept {
        std::int32_t a = stride, b = dilation;
        while (b != 0) b = std::exchange(a, b) % b;
        return a;
    }
    std::int32_t phase_step() const noexcept { return stride / common_divisor(); }        // s'
    std::int32_t phase_dilation() const noexcept { return dilation / common_divisor(); }  // d'

    TransposePhase phase(std::int32_t k0, std::int32_t taps) const noexcept {
        TransposePhase p{k0 * dilation - cut};
        const std::int32_t last = std::min(in - 1 + (taps - 1) * phase_dilation(), (out - 1 - p.place) / stride);
        p.first = p.place >= 0 ? 0 : (stride - 1 - p.place) / stride;
        p.count = out - 1 < p.place || last < p.first ? 0 : last - p.first + 1;
        return p;
    }
    std::vector<PhaseGroup> groups() const {
        std::vector<PhaseGroup> result;
        for (std::int32_t k0 = 0; k0 < phase_step() && k0 < kernel; ++k0) {
            const std::int32_t taps = (kernel - k0 + phase_step() - 1) / phase_step();
            const TransposePhase p = phase(k0, taps);
            if (p.count == 0) continue;
            const auto follows = [k0](const PhaseGroup& g) {
                return g.first_phase + narrow<std::int32_t>(g.phases.size()) == k0;
            };
            if (result.empty() || result.back().taps != taps || !follows(result.back())) {
                result.push_back({k0, taps, p.first, 0, {}});
            }
            PhaseGroup& g = result.back();
            const std::int32_t end = std::max(g.first_row + g.rows, p.first + p.count);
            g.first_row = std::min({g.first_row, p.first, (taps - 1) * phase_dilation()});  // no padding below 0
            g.rows = end - g.first_row;
            g.phases.push_back(p);
        }
        return result;
    }
};

/// Whether the phases have all rows of the output.
template <class Lazy = void>
bool phases_have_all(const TransposeAxis& axis, const std::vector<PhaseGroup>& groups) {
    std::int32_t rows = 0;
    for (const PhaseGroup& group : groups) {
        for (const TransposePhase& phase : group.phases) rows += phase.count;
    }
    return rows == axis.out;
}

/// A transposed convolution while it is lowered.
template <class P>
class TransposeLowering {
  public:
    using Weights = Tensor<typename P::weight>;
    using Bias = Tensor<typename P::bias>;

    TransposeLowering(const TransposeConv2d<P>& layer, LowerContext& node)
        : layer_(layer),
          node_(node),
          rows_(axis(1, layer.stride.height, layer.dilation.height, layer.padding.top)),
          columns_(axis(2, layer.stride.width, layer.dilation.width, layer.padding.left)),
          out_(layer.weight.shape()[0] / layer.groups),
          in_(layer.weight.shape()[3]) {}

    void run() {
        const std::vector<PhaseGroup> down = rows_.groups(), across = columns_.groups();
        const bool all = phases_have_all(rows_, down) && phases_have_all(columns_, across);
        if (all && layer_.stride == Size2d{} && down[0].rows == rows_.out && across[0].rows == columns_.out) {
            return convolve(down[0], across[0], node_.output_buffer());
        }
        if (!all) fill();
        for (const PhaseGroup& r : down) {
            for (const PhaseGroup& c : across) {
                const Shape made = made_by(r, c);
                if (made.elements() >= (std::size_t{1} << 31)) {
                    return node_.unsupported("its phases [", to_string(made), "] have 2^31 elements or more");
                }
                const BufferId part = node_.temporary(element_bytes(P::activation::element, made.elements()));
                convolve(r, c, part);
                node_.emit(placement(r, c), {.reason = "phases into their places", .inputs = {part}});
            }
        }
    }

  private:
    TransposeAxis axis(std::size_t a, std::size_t stride, std::size_t dilation, std::size_t cut) const {
        return {narrow<std::int32_t>(node_.input().shape[a]),
                narrow<std::int32_t>(node_.output().shape[a]),
                narrow<std::int32_t>(layer_.weight.shape()[a]),
                narrow<std::int32_t>(stride),
                narrow<std::int32_t>(dilation),
                narrow<std::int32_t>(cut)};
    }
    /// What a convolution of these phases makes: pixels of [groups, row phases, column phases, out].
    Shape made_by(const PhaseGroup& r, const PhaseGroup& c) const {
        return {node_.input().shape[0], narrow<std::size_t>(r.rows), narrow<std::size_t>(c.rows),
                layer_.groups * r.phases.size() * c.phases.size() * out_};
    }

    void convolve(const PhaseGroup& r, const PhaseGroup& c, BufferId to) {
        const Shape& w = layer_.weight.shape();
        std::vector<std::size_t> channels;  // of the layer, by channel of the convolution
        std::vector<typename P::weight::value_type> weight;
        for (std::size_t group = 0; group < layer_.groups; ++group) {
            for (std::size_t phase = 0; phase < r.phases.size() * c.phases.size(); ++phase) {
                for (std::size_t o = 0; o < out_; ++o) {
                    channels.push_back(group * out_ + o);
                    for (std::int32_t tap = r.taps * c.taps; tap-- > 0;) {
                        const std::size_t row =
                            narrow<std::size_t>(r.first_phase + tap / c.taps * rows_.phase_step()) + phase / c.phases.size();
                        const std::size_t column =
                            narrow<std::size_t>(c.first_phase + tap % c.taps * columns_.phase_step()) + phase % c.phases.size();
                        const auto* from = layer_.weight.data() + ((channels.back() * w[1] + row) * w[2] + column) * in_;
                        weight.insert(weight.end(), from, from + in_);
                    }
                }
            }
        }
        ConvGeometry g;
        g.batch = narrow<std::int32_t>(node_.input().shape[0]);
        g.in_height = rows_.in;
        g.in_width = columns_.in;
        g.in_channels = narrow<std::int32_t>(layer_.groups * in_);
        g.out_height = r.rows;
        g.out_width = c.rows;
        g.kernel_height = r.taps;
        g.kernel_width = c.taps;
        g.dilation_height = rows_.phase_dilation();
        g.dilation_width = columns_.phase_dilation();
        g.pad_top = (r.taps - 1) * g.dilation_height - r.first_row;
        g.pad_left = (c.taps - 1) * g.dilation_width - c.first_row;
        g.groups = narrow<std::int32_t>(layer_.groups);
        const Shape shape{channels.size(), narrow<std::size_t>(r.taps), narrow<std::size_t>(c.taps), in_};
        if (in_ == 1 && layer_.groups > 1) return emit<DepthwiseStep<P>>(g, Weights(shape, weight), channels, to);
        emit<Conv2dStep<P>>(g, Weights(shape, weight), channels, to);
    }

    /// The bias everywhere: a convolution of padding alone.
    void fill() {
        ConvGeometry g;
        g.batch = narrow<std::int32_t>(node_.input().shape[0]);
        g.out_height = g.pad_top = rows_.out;
        g.out_width = columns_.out;
        std::vector<std::size_t> channels;
        for (std::size_t c = 0; c < layer_.groups * out_; ++c) channels.push_back(c);
        emit<Conv2dStep<P>>(g, Weights({channels.size(), 1, 1, 1}), channels, node_.output_buffer());
    }

    template <class Step>
    void emit(ConvGeometry g, Weights weight, const std::vector<std::size_t>& channels, BufferId to) {
        g.out_channels = narrow<std::int32_t>(channels.size());
        Bias bias;
        if (!layer_.bias.empty()) bias = Bias(Shape{channels.size()});
        const Quantization& whole = layer_.weight.quantization();
        Quantization q = whole.per_axis() ? Quantization() : whole;
        for (std::size_t c = 0; c < channels.size(); ++c) {
            if (!bias.empty()) bias[c] = layer_.bias[channels[c]];
            if (!whole.per_axis()) continue;
            q.scale.push_back(whole.scale[channels[c]]);
            q.zero_point.push_back(0);
        }
        weight.set_quantization(std::move(q));
        Step step;
        step.geometry = g;
        step.weight = std::make_shared<const Weights>(std::move(weight));
        step.bias = std::make_shared<const Bias>(std::move(bias));
        emit_contraction(std::move(step), node_, {.reason = "phases of a transposed convolution", .outputs = {to}});
    }

    /// From what convolve() makes into the output.
    MoveStep placement(const PhaseGroup& r, const PhaseGroup& c) const {
        const Shape made = made_by(r, c);
        const Shape& to = node_.output().shape;
        const std::size_t phases = r.phases.size() * c.phases.size();
        MoveStep step;
        step.element_bytes = element_bytes(P::activation::element, 1);
        for (std::size_t phase = 0; phase < phases; ++phase) {
            const TransposePhase &v = r.phases[phase / c.phases.size()], &h = c.phases[phase % c.phases.size()];
            MoveStep::Part part;
            part.input_offset = narrow<std::size_t>(v.first - r.first_row) * made.stride(1) +
                                narrow<std::size_t>(h.first - c.first_row) * made.stride(2) + phase * out_;
            part.output_offset = narrow<std::size_t>(v.first * rows_.stride + v.place) * to.stride(1) +
                                 narrow<std::size_t>(h.first * columns_.stride + h.place) * to.stride(2);
            MoveGeometry& g = part.geometry;
            const auto axis = [&g](std::size_t extent, std::size_t input, std::size_t output) {
                g.extent[g.rank] = narrow<std::int32_t>(extent);
                g.input_stride[g.rank] = narrow<std::int32_t>(input);
                g.output_stride[g.rank++] = narrow<std::int32_t>(output);
            };
            axis(to[0], made.stride(0), to.stride(0));
            axis(narrow<std::size_t>(v.count), made.stride(1), narrow<std::size_t>(rows_.stride) * to.stride(1));
            axis(narrow<std::size_t>(h.count), made.stride(2), narrow<std::size_t>(columns_.stride) * to.stride(2));
            axis(layer_.groups, phases * out_, out_);
            axis(out_, 1, 1);
            g = joined_axes(g);
            step.parts.push_back(part);
        }
        return step;
    }

    const TransposeConv2d<P>& layer_;
    LowerContext& node_;
    TransposeAxis rows_, columns_;
    std::size_t out_, in_;  // channels of a group
};

}  // namespace detail

template <class P, class Context>
void lower(const TransposeConv2d<P>& layer, Context& node) {
    detail::TransposeLowering<P>(layer, node).run();
}

MOTE_END_NAMESPACE
