// SPDX-License-Identifier: MIT
#pragma once
// Plan: how a model is computed on one target. An immutable list of steps with its memory map; copies share it.

#include <mote/engine/bands.hpp>
#include <mote/engine/lower/lower.hpp>
#include <mote/engine/memory.hpp>
#include <mote/kernels/native.hpp>

MOTE_BEGIN_NAMESPACE

/// Where a buffer lies. Inputs and outputs have memory of their own, so that they stand before and after a run; the states too;
/// everything else shares the arena.
enum class Place : std::uint8_t { input, output, state, arena };

constexpr const char* place_name(Place place) noexcept {
    constexpr const char* names[] = {"input", "output", "state", "arena"};
    return names[static_cast<std::size_t>(place)];
}

/// A buffer of a plan. Buffers that share storage (a Reshape and its input, steps in place) have one place and offset.
struct Buffer {
    std::string name{};
    std::size_t bytes = 0;
    Place place = Place::arena;
    std::size_t offset = 0;  ///< from the start of its region: inputs and outputs | states | arena
    bool used = true;        ///< false for a value inside a group, which is never in memory
    bool is_scratch = false;
    Lifetime lifetime{};  ///< of its storage: steps and bytes
};

/// Sizes of an engine's memory, in bytes.
struct PlanMemory {
    std::size_t input_output_bytes = 0;
    std::size_t state_bytes = 0;
    std::size_t arena_bytes = 0;        ///< values between and scratch
    std::size_t arena_least_bytes = 0;  ///< of these, the most that live at one time: no memory map needs less
    std::size_t constant_bytes = 0;     ///< packed weights, shared by all engines of the plan
    std::size_t transformed_bytes = 0;  ///< those of them that are larger than the weights (Memory::fast)
    std::size_t engine_bytes() const noexcept { return input_output_bytes + state_bytes + arena_bytes; }
};

namespace detail {
struct PlanData {
    std::vector<Value> values;
    std::vector<ValueId> inputs;
    std::vector<ValueId> outputs;
    std::vector<Value> states;  // their buffers stand behind the values'
    std::vector<Buffer> buffers;
    std::vector<Step> steps;
    PlanMemory memory;
    const KernelTable* kernels = nullptr;
    PlanOptions options;
    std::string choices;
};
}  // namespace detail

template <class Lazy>
class BasicPlan;
using Plan = BasicPlan<void>;

template <class Lazy>
class BasicPlan {
  public:
    explicit BasicPlan(std::shared_ptr<const detail::PlanData> data) : data_(std::move(data)) {}

    const std::vector<Step>& steps() const noexcept { return data_->steps; }
    /// The model's values; value `id` is buffer `id`.
    const std::vector<Value>& values() const noexcept { return data_->values; }
    const std::vector<ValueId>& inputs() const noexcept { return data_->inputs; }
    const std::vector<ValueId>& outputs() const noexcept { return data_->outputs; }
    /// State i is buffer values().size() + i.
    const std::vector<Value>& states() const noexcept { return data_->states; }
    const std::vector<Buffer>& buffers() const noexcept { return data_->buffers; }
    const PlanMemory& memory() const noexcept { return data_->memory; }
    std::size_t arena_bytes() const noexcept { return data_->memory.arena_bytes; }
    const KernelTable& kernels() const noexcept { return *data_->kernels; }
    const PlanOptions& options() const noexcept { return data_->options; }
    /// Which kernel each convolution that has several got, a digit for each: as PlanOptions::choices it makes the same plan
    /// again.
    const std::string& choices() const noexcept { return data_->choices; }
    bool same(const BasicPlan& other) const noexcept { return data_ == other.data_; }

  private:
    std::shared_ptr<const detail::PlanData> data_;
};

namespace detail {

/// Where each step stands first and last in a storage's life. Model inputs live from the start, outputs to the end.
template <class Lazy = void>
std::vector<Lifetime> lifetimes(const Draft& draft) {
    constexpr std::size_t unused = static_cast<std::size_t>(-1);
    std::vector<Lifetime> result(draft.buffers.size(), {0, unused, 0});
    for (std::size_t s = 0; s < draft.steps.size(); ++s) {
        for (const BufferId id : draft.steps[s].step.operands) {
            Lifetime& life = result[draft.root(id)];
            life.first = life.first == unused ? s : life.first;
            life.last = s;
        }
    }
    for (BufferId id = 0; id < draft.buffers.size(); ++id) {
        Lifetime& life = result[id];
        life.bytes = draft.buffers[id].bytes;
        if (draft.buffers[id].is_input || life.first == unused) life.first = 0;
        if (draft.buffers[id].is_output) life.last = draft.steps.size();
    }
    return result;
}

/// Lets steps write over inputs that nobody needs any more. Lifetimes follow.
template <class Lazy = void>
void work_in_place(Draft& draft, std::vector<Lifetime>& lives) {
    for (std::size_t s = 0; s < draft.steps.size(); ++s) {
        const DraftStep& draft_step = draft.steps[s];
        const Step& step = draft_step.step;
        if (step.outputs == 0) continue;
        const BufferId output = draft.root(step.operands[step.inputs]);
        for (std::size_t candidate = 0; candidate < step.inputs; ++candidate) {
            if (!draft_step.in_place.has(candidate)) continue;
            const BufferId input = draft.root(step.operands[candidate]);
            const DraftBuffer& from = draft.buffers[input];
            const DraftBuffer& to = draft.buffers[output];
            if (input == output || from.is_input || from.is_state || to.is_state || lives[input].last != s ||
                lives[output].first != s || from.bytes != to.bytes) {
                continue;
            }
            bool read_elsewhere = false;  // by an operand of this step that does not go along element by element
            for (std::size_t i = 0; i < step.inputs; ++i) {
                read_elsewhere = read_elsewhere || (!draft_step.in_place.has(i) && draft.root(step.operands[i]) == input);
            }
            if (read_elsewhere) continue;
            draft.merge(input, output);
            lives[input].last = lives[output].last;
            break;
        }
    }
}

/// Offsets for all buffers.
template <class Lazy = void>
void lay_out(const Draft& draft, const std::vector<Lifetime>& lives, const std::vector<char>& used, PlanData& plan) {
    const bool threads = plan.options.threads > 1;
    struct {
        std::vector<Lifetime> lives{};
        std::vector<BufferId> ids{};
    } blocks[2];  // with threads the second is scratch, so that each finds its own in its cache
    for (BufferId id = 0; id < draft.buffers.size(); ++id) {
        const DraftBuffer& from = draft.buffers[id];
        Buffer buffer{from.name, from.bytes, Place::arena, 0, used[id] != 0, from.is_scratch, lives[draft.root(id)]};
        const DraftBuffer& root = draft.buffers[draft.root(id)];
        buffer.place = root.is_input    ? Place::input
                       : root.is_output ? Place::output
                       : root.is_state  ? Place::state
                                        : Place::arena;
        if (draft.root(id) == id && used[id] != 0) {
            if (buffer.place == Place::arena) {
                auto& block = blocks[threads && from.is_scratch ? 1 : 0];
                block.lives.push_back(lives[id]);
                block.ids.push_back(id);
            } else {
                std::size_t& region = root.is_state ? plan.memory.state_bytes : plan.memory.input_output_bytes;
                buffer.offset = region;
                region += align_up(from.bytes);
            }
        }
        plan.buffers.push_back(std::move(buffer));
    }
    for (const auto& block : blocks) {
        const Placement placement = threads ? place_in_lanes(block.lives) : place(block.lives);
        for (std::size_t i = 0; i < block.ids.size(); ++i) {
            plan.buffers[block.ids[i]].offset = plan.memory.arena_bytes + placement.offsets[i];
        }
        plan.memory.arena_bytes += placement.bytes;
        plan.memory.arena_least_bytes += placement.least_bytes;
    }
    for (BufferId id = 0; id < draft.buffers.size(); ++id) plan.buffers[id].offset = plan.buffers[draft.root(id)].offset;
}

/// Everything that does not depend on the list of layers.
template <class Lazy = void>
void finish(Draft draft, PlanData& plan) {
    if (!draft.refusals.empty()) {
        std::string text = "the model cannot be planned:";
        for (const std::string& line : draft.refusals) text += "\n  " + line;
        fail(text);
    }
    if (!plan.options.choices.empty() && plan.options.choices.size() != draft.choices.size()) {
        fail("the option choices has ", plan.options.choices.size(), " digits; the model has ", draft.choices.size(),
             " convolutions of several kernels");
    }
    plan.choices = draft.choices;
    std::vector<Lifetime> lives = lifetimes(draft);
    if (plan.options.keep_values) {
        for (Lifetime& life : lives) {
            if (&life - lives.data() < static_cast<std::ptrdiff_t>(plan.values.size()))
                life = {life.bytes, 0, draft.steps.size()};
        }
    } else {
        work_in_place(draft, lives);
    }
    std::vector<char> used(draft.buffers.size(), 0);
    auto use = [&](BufferId id) { used[id] = used[draft.root(id)] = 1; };
    for (const ValueId id : plan.inputs) use(id);
    for (const ValueId id : plan.outputs) use(id);
    for (const DraftStep& step : draft.steps) {
        for (const BufferId id : step.step.operands) use(id);
    }
    for (BufferId id = 0; id < draft.buffers.size(); ++id) {
        if (draft.buffers[id].is_state || draft.root(id) != id) use(id);
    }
    lay_out(draft, lives, used, plan);
    for (DraftStep& step : draft.steps) {
        plan.memory.constant_bytes += step.step.constant_bytes;
        if (step.step.transformed) plan.memory.transformed_bytes += step.step.constant_bytes;
        plan.steps.push_back(std::move(step.step));
    }
}

}  // namespace detail

/// How to compute the model with these kernels, which must outlive the plan. Weights are packed here, once. Throws one Error
/// that lists every node that cannot be computed, with the reason.
template <class List>
Plan plan(const BasicModel<List>& model, const KernelTable& kernels, const PlanOptions& options = {}) {
    const Graph<List>& graph = model.graph();
    auto data = std::make_shared<detail::PlanData>();
    data->values = graph.values;
    data->inputs = graph.inputs;
    data->outputs = graph.outputs;
    data->kernels = &kernels;
    data->options = options;

    detail::Draft draft;
    for (const Value& value : graph.values) {
        const auto id = narrow<BufferId>(draft.buffers.size());
        draft.buffers.push_back({value.name, value.bytes(), id});
        if (value.shape.elements() >= (std::size_t{1} << 31)) {
            draft.refusals.push_back(concat("value ", to_string(value), " has 2^31 elements or more"));
        }
    }
    for (const ValueId id : graph.inputs) draft.buffers[id].is_input = true;
    for (const ValueId id : graph.outputs) draft.buffers[id].is_output = true;
    std::vector<BufferId> first_state;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        first_state.push_back(narrow<BufferId>(draft.buffers.size()));
        for (Value state : model.states(i)) {
            state.name = concat(graph.nodes[i].name, ".", state.name);
            const auto id = narrow<BufferId>(draft.buffers.size());
            draft.buffers.push_back({state.name, state.bytes(), id, false, false, true, false});
            data->states.push_back(std::move(state));
        }
    }
    if (draft.refusals.empty()) {
        for (const Group& group : find_groups(model, options.fuse && !options.keep_values, kernels.divides)) {
            const Node& lead = graph.nodes[group.lead];
            std::vector<std::string> names;
            for (const std::size_t node : group.nodes) names.push_back(graph.nodes[node].name);
            const std::shared_ptr<const void> layer = detail::lead_layer(graph, group);
            LowerContext context(draft, kernels, options, group, graph.values, std::move(names), lead.name,
                                 kind_name<List>(lead), model.states(group.lead), first_state[group.lead], layer);
            detail::VerbTable<List, detail::LowerVerb>::call[lead.kind](layer.get(), context);
        }
    }
    if (draft.refusals.empty() && options.fuse && !options.keep_values && kernels.divides) {
        if constexpr (contains<Conv2d<f32>, List>) detail::join_bands<f32>(draft, kernels);
        if constexpr (contains<Conv2d<i8>, List>) detail::join_bands<i8>(draft, kernels);
    }
    detail::finish(std::move(draft), *data);
    return Plan(std::move(data));
}

/// For this machine, as far as this unit was compiled for it.
template <class List>
Plan plan(const BasicModel<List>& model, const PlanOptions& options = {}) {
    return plan(model, native_kernels<has_integer_convolutions<List>, has_matrix_products<List>, has_half_convolutions<List>>(),
                options);
}

MOTE_END_NAMESPACE
