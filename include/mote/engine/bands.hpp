// SPDX-License-Identifier: MIT
#pragma once
// Bands: convolutions that follow one another, computed together some rows at a time, so that what stands between them (the
// expanded image of an inverted residual: Sandler et al. 2018, "MobileNetV2") stays in the second cache and is never whole.

#include <mote/engine/lower/contraction.hpp>
#include <mote/kernels/share.hpp>

MOTE_BEGIN_NAMESPACE

/// A chain of convolutions, as a list of what is done in which order. Operands: the first one's input, the last one's residual
/// if any and output, scratch: of each part the rows between the convolutions, and their scratch.
template <class Lazy>
struct BasicBandsStep {
    static constexpr const char* name = "bands";
    /// Computes rows, or moves those that the next ones need too to the begin of their buffer.
    struct Action {
        void (*run)(const void* data, const KernelTable&, std::byte* const* operands,
                    Part) noexcept = nullptr;  ///< null: moves
        const void* data = nullptr;
        int from = -1, to = -1;                      ///< a buffer between, or the chain's input and output
        std::size_t from_offset = 0, to_offset = 0;  ///< bytes
        std::size_t bytes = 0;                       ///< that are moved
        bool has_residual = false;                   ///< at to_offset, too
    };
    std::vector<std::shared_ptr<const void>> kernels{};  ///< the convolutions, for each number of rows
    std::vector<std::vector<Action>> actions{};          ///< by part
    std::vector<std::size_t> buffers{};  ///< where each begins in a part's scratch; last where the kernels' does
    std::size_t part_bytes = 0;
    bool has_residual = false;

    void run(const KernelTable& table, std::byte* const* operands, Part part) const noexcept {
        const std::byte* residual = operands[1];
        std::byte* output = operands[has_residual ? 2 : 1];
        std::byte* scratch = operands[has_residual ? 3 : 2] + static_cast<std::size_t>(part.index) * part_bytes;
        for (const Action& action : actions[static_cast<std::size_t>(part.index)]) {
            std::byte* from = action.from < 0 ? operands[0] : scratch + buffers[static_cast<std::size_t>(action.from)];
            std::byte* to = action.to < 0 ? output : scratch + buffers[static_cast<std::size_t>(action.to)];
            if (action.run == nullptr) {
                __builtin_memmove(to, from + action.from_offset, action.bytes);
                continue;
            }
            std::byte* of_kernel[4] = {from + action.from_offset, to + action.to_offset, scratch + buffers.back(), nullptr};
            if (action.has_residual) {
                of_kernel[3] = of_kernel[2];
                of_kernel[2] = of_kernel[1];
                of_kernel[1] = const_cast<std::byte*>(residual) + action.to_offset;
            }
            action.run(action.data, table, of_kernel, {});
        }
    }
};
using BandsStep = BasicBandsStep<void>;

namespace detail {

/// Values from so many bytes on are not kept whole, and the rows that are kept in their stead have so many.
inline constexpr std::size_t bytes_worth_bands = std::size_t{1} << 19, bytes_of_bands = std::size_t{5} << 17;
/// Weights are read again with each band.
inline constexpr std::size_t weights_of_bands = std::size_t{1} << 17;

/// A convolution of a chain: the geometry of its step, and how to make one of other rows.
template <class Lazy>
struct BandStage {
    const void* step = nullptr;
    ConvGeometry geometry{};
    std::size_t element_bytes = 1, weight_bytes = 0;
    bool has_residual = false;
    std::shared_ptr<const void> (*of_rows)(const void* step, const KernelTable&, const ConvGeometry&,
                                           std::size_t& scratch_bytes, std::size_t& packed_bytes) = nullptr;
    decltype(Step::run) run = nullptr;

    std::size_t in_row() const noexcept {
        return static_cast<std::size_t>(geometry.in_width) * static_cast<std::size_t>(geometry.in_channels) * element_bytes;
    }
    std::size_t out_row() const noexcept {
        return static_cast<std::size_t>(geometry.out_width) * static_cast<std::size_t>(geometry.out_channels) * element_bytes;
    }
    /// The rows of the image that rows [first, last) of outputs meet.
    IndexRange input_of(IndexRange rows) const noexcept {
        const std::ptrdiff_t first = rows.begin * geometry.stride_height - geometry.pad_top;
        const std::ptrdiff_t last = (rows.end - 1) * geometry.stride_height - geometry.pad_top +
                                    std::ptrdiff_t{geometry.kernel_height - 1} * geometry.dilation_height + 1;
        return {first > 0 ? first : 0, last < geometry.in_height ? last : geometry.in_height};
    }
};

template <class S>
std::shared_ptr<const void> step_of_rows(const void* step, const KernelTable& kernels, const ConvGeometry& geometry,
                                         std::size_t& scratch_bytes, std::size_t& packed_bytes) {
    S result = *static_cast<const S*>(step);
    const auto& kernel = result.kernel(kernels);
    result.geometry = geometry;
    packed_bytes = kernel.packed_bytes(geometry);
    std::shared_ptr<std::byte> packed = allocate_bytes(packed_bytes);
    kernel.pack(geometry, constants_of(result), packed.get());
    result.packed = {std::move(packed), packed_bytes};
    result.scratch_bytes = scratch_bytes = align_up(kernel.scratch_bytes(geometry));
    return std::make_shared<const S>(std::move(result));
}

/// The step as one of a chain where it is a direct convolution of one image.
template <class S, class Lazy>
bool find_stage(const Step& step, BandStage<Lazy>& stage) {
    const S* conv = get_if<S>(step);
    if (conv == nullptr || conv->algorithm != 0 || conv->geometry.batch != 1 || conv->output_stride != 0) return false;
    stage = {
        conv,       conv->geometry, sizeof(*conv->weight->data()), conv->weight->bytes(), conv->has_residual, step_of_rows<S>,
        run_step<S>};
    return conv->geometry.out_height > 1;
}

template <class P, class Lazy>
bool stage_of(const Step& step, BandStage<Lazy>& stage) {
    return find_stage<Conv2dStep<P>>(step, stage) || find_stage<DepthwiseStep<P>>(step, stage);
}

/// The actions of a part, which makes rows [rows.begin, rows.end), `height` at a time.
template <class Lazy>
class BandsBuilder {
  public:
    using BandsStep = BasicBandsStep<Lazy>;
    using Action = typename BandsStep::Action;
    using Stages = std::vector<BandStage<Lazy>>;

    BandsBuilder(const Stages& stages, const KernelTable& kernels) : stages_(stages), kernels_(kernels) {}

    /// Rows that each buffer between holds at most.
    std::vector<std::ptrdiff_t> rows_between(IndexRange all, std::ptrdiff_t height) const {
        std::vector<std::ptrdiff_t> most(stages_.size() - 1, 0);
        for (std::ptrdiff_t row = all.begin; row < all.end; row += height) {
            IndexRange rows{row, row + height < all.end ? row + height : all.end};
            for (std::size_t i = stages_.size(); i-- > 1;) {
                rows = stages_[i].input_of(rows);
                if (rows.end - rows.begin > most[i - 1]) most[i - 1] = rows.end - rows.begin;
            }
        }
        return most;
    }
    void add_part(BandsStep& step, IndexRange all, std::ptrdiff_t height) {
        std::vector<Action> actions;
        std::vector<IndexRange> there(stages_.size() - 1);  // rows that lie in each buffer
        for (std::ptrdiff_t row = all.begin; row < all.end; row += height) {
            std::vector<IndexRange> wanted(stages_.size());  // outputs of each stage
            wanted.back() = {row, row + height < all.end ? row + height : all.end};
            for (std::size_t i = stages_.size(); i-- > 1;) wanted[i - 1] = stages_[i].input_of(wanted[i]);
            for (std::size_t i = 0; i < stages_.size(); ++i) {
                const bool last = i + 1 == stages_.size();
                IndexRange rows = wanted[i];
                if (!last) {
                    const std::ptrdiff_t kept = there[i].end > rows.begin ? there[i].end - rows.begin : 0;
                    const std::size_t bytes = stages_[i].out_row();
                    if (kept > 0 && rows.begin > there[i].begin) {
                        Action move;
                        move.from = move.to = static_cast<int>(i);
                        move.from_offset = static_cast<std::size_t>(rows.begin - there[i].begin) * bytes;
                        move.bytes = static_cast<std::size_t>(kept) * bytes;
                        actions.push_back(move);
                    }
                    there[i] = rows;
                    rows.begin += kept;
                    if (rows.begin >= rows.end) continue;
                }
                actions.push_back(compute(step, i, rows, i == 0 ? 0 : there[i - 1].begin, last ? 0 : there[i].begin));
            }
        }
        step.actions.push_back(std::move(actions));
    }
    std::size_t scratch_bytes() const noexcept { return scratch_bytes_; }
    std::size_t packed_bytes() const noexcept { return packed_bytes_; }

  private:
    /// Rows of stage i, whose input's buffer begins with row `from` and whose output's with row `to`.
    Action compute(BandsStep& step, std::size_t i, IndexRange rows, std::ptrdiff_t from, std::ptrdiff_t to) {
        const auto& stage = stages_[i];
        const IndexRange input = stage.input_of(rows);
        ConvGeometry g = stage.geometry;
        const std::ptrdiff_t above = rows.begin * g.stride_height - g.pad_top;
        g.pad_top = narrow<std::int32_t>(above < 0 ? -above : 0);
        g.in_height = narrow<std::int32_t>(input.end - input.begin);
        g.out_height = narrow<std::int32_t>(rows.end - rows.begin);
        const bool last = i + 1 == stages_.size();
        Action action;
        action.run = stage.run;
        action.data = of_rows(step, i, g);
        action.from = i == 0 ? -1 : static_cast<int>(i - 1);
        action.to = last ? -1 : static_cast<int>(i);
        action.from_offset = static_cast<std::size_t>(input.begin - from) * stage.in_row();
        action.to_offset = static_cast<std::size_t>(rows.begin - to) * stage.out_row();
        action.has_residual = stage.has_residual;
        return action;
    }
    const void* of_rows(BandsStep& step, std::size_t i, const ConvGeometry& g) {
        for (const Made& made : made_) {
            if (made.stage == i && made.in_height == g.in_height && made.out_height == g.out_height &&
                made.pad_top == g.pad_top) {
                return made.data;
            }
        }
        std::size_t scratch = 0, packed = 0;
        step.kernels.push_back(stages_[i].of_rows(stages_[i].step, kernels_, g, scratch, packed));
        scratch_bytes_ = scratch > scratch_bytes_ ? scratch : scratch_bytes_;
        packed_bytes_ += packed;
        made_.push_back({i, g.in_height, g.out_height, g.pad_top, step.kernels.back().get()});
        return made_.back().data;
    }
    struct Made {
        std::size_t stage;
        std::int32_t in_height, out_height, pad_top;
        const void* data;
    };
    const Stages& stages_;
    const KernelTable& kernels_;
    std::vector<Made> made_{};
    std::size_t scratch_bytes_ = 0, packed_bytes_ = 0;
};

/// Joins the chain of steps first ... first + stages.size() - 1. False where a band would be of less than two rows.
template <class Lazy = void>
bool join_chain(Draft& draft, std::size_t first, const std::vector<BandStage<Lazy>>& stages, const KernelTable& kernels) {
    using BandsStep = BasicBandsStep<Lazy>;
    const std::size_t last = first + stages.size() - 1;
    const auto height = std::ptrdiff_t{stages.back().geometry.out_height};
    std::int32_t parts = 1;
    for (std::size_t i = first; i <= last; ++i) parts = draft.steps[i].step.parts > parts ? draft.steps[i].step.parts : parts;
    BandsBuilder<Lazy> builder(stages, kernels);
    const auto bytes_between = [&](std::ptrdiff_t rows) {
        std::size_t bytes = 0;
        const std::vector<std::ptrdiff_t> most = builder.rows_between({0, height}, rows);
        for (std::size_t i = 0; i < most.size(); ++i) bytes += static_cast<std::size_t>(most[i]) * stages[i].out_row();
        return bytes;
    };
    std::ptrdiff_t rows = 1;
    while (rows < height && bytes_between(rows + 1) <= bytes_of_bands) ++rows;
    if (rows < 2 || rows >= height) return false;
    rows = (height + (height + rows - 1) / rows - 1) / ((height + rows - 1) / rows);  // of one size, nearly

    BandsStep step;
    step.has_residual = stages.back().has_residual;
    const std::vector<std::ptrdiff_t> most = builder.rows_between({0, height}, rows);
    for (std::int32_t part = 0; part < parts; ++part) builder.add_part(step, kernels::share(height, {part, parts}), rows);
    for (std::size_t i = 0; i < most.size(); ++i) {
        step.buffers.push_back(step.part_bytes);
        step.part_bytes += align_up(static_cast<std::size_t>(most[i]) * stages[i].out_row());
    }
    step.buffers.push_back(step.part_bytes);
    step.part_bytes += builder.scratch_bytes();

    DraftStep joined;
    Step& to = joined.step;
    for (std::size_t i = first; i <= last; ++i) {
        const Step& from = draft.steps[i].step;
        to.nodes.insert(to.nodes.end(), from.nodes.begin(), from.nodes.end());
    }
    const Step &begin = draft.steps[first].step, &end = draft.steps[last].step;
    to.kernel = concat(stages.size(), " convolutions in bands (", kernels.instruction_set, ")");
    to.reason = concat(rows, " rows at a time");
    to.kind = &step_kind<BandsStep>;
    to.run = run_step<BandsStep>;
    to.parts = parts;
    to.inputs = end.inputs;
    to.outputs = 1;
    to.operands.push_back(begin.operands[0]);
    for (std::size_t i = 1; i < end.inputs + 1; ++i) to.operands.push_back(end.operands[i]);
    to.has_scratch = true;
    to.operands.push_back(narrow<BufferId>(draft.buffers.size()));
    draft.buffers.push_back({concat(to.nodes[0], " bands"), step.part_bytes * static_cast<std::size_t>(parts),
                             to.operands.back(), false, false, false, true});
    to.constant_bytes = builder.packed_bytes();
    to.data = std::make_shared<const BandsStep>(std::move(step));
    draft.steps[first] = std::move(joined);
    const auto from = draft.steps.begin() + static_cast<std::ptrdiff_t>(first);
    draft.steps.erase(from + 1, from + static_cast<std::ptrdiff_t>(stages.size()));
    return true;
}

/// Joins chains of convolutions of one precision between which large values stand that nothing else reads.
template <class P, class Lazy = void>
void join_bands(Draft& draft, const KernelTable& kernels) {
    std::vector<std::size_t> uses(draft.buffers.size(), 0);
    for (const DraftStep& step : draft.steps) {
        for (std::size_t i = 0; i < step.step.inputs; ++i) ++uses[draft.root(step.step.operands[i])];
    }
    for (std::size_t first = 0; first < draft.steps.size(); ++first) {
        std::vector<BandStage<Lazy>> stages;
        std::size_t weights = 0;
        for (std::size_t i = first; i < draft.steps.size(); ++i) {
            BandStage<Lazy> stage;
            const Step& step = draft.steps[i].step;
            if (!stage_of<P>(step, stage)) break;
            weights += stage.weight_bytes;
            if (weights > weights_of_bands) break;
            if (!stages.empty()) {
                const Step& before = draft.steps[i - 1].step;
                const BufferId between = draft.root(before.operands[before.inputs]);
                const DraftBuffer& buffer = draft.buffers[between];
                if (stages.back().has_residual || draft.root(step.operands[0]) != between || uses[between] != 1 ||
                    buffer.is_output || buffer.is_input || buffer.bytes < bytes_worth_bands) {
                    break;
                }
            }
            stages.push_back(stage);
        }
        while (stages.size() > 1 && !join_chain(draft, first, stages, kernels)) stages.pop_back();
    }
}

}  // namespace detail

MOTE_END_NAMESPACE
