// SPDX-License-Identifier: MIT
#pragma once
// LowerContext: what a layer's `lower` sees of its node, and where it puts its steps.

#include <mote/engine/step.hpp>
#include <mote/passes/patterns.hpp>

MOTE_BEGIN_NAMESPACE

/// Whether packed weights may take more memory than the weights where that is faster (Winograd's transformed filters), or not.
enum class Memory : std::uint8_t { fast, lean };

struct PlanOptions {
    bool keep_values = false;  ///< every value can be read after a run (Engine::value); nothing is fused, no memory reused
    bool fuse = true;          ///< take nodes together where a kernel can (see find_groups)
    std::size_t threads = 1;   ///< that may share a step; results are the same bits for any number
    Memory memory = Memory::fast;
    /// Where a convolution has several kernels, take the one that is the fastest here and now: two such plans may differ, in
    /// the last bits of their results too. What was chosen is the plan's choices().
    bool measure = false;
    std::string choices{};  ///< choices() of another plan of this model and kernels; empty: a cost model chooses
};

/// Inputs of a step, by place: {0, 1}.
class Places {
  public:
    constexpr Places() noexcept = default;
    constexpr Places(std::initializer_list<unsigned> places) noexcept {
        for (const unsigned place : places) bits_ |= std::uint32_t{1} << place;
    }
    constexpr bool has(std::size_t place) const noexcept { return place < 32 && ((bits_ >> place) & 1u) != 0; }

  private:
    std::uint32_t bits_ = 0;
};

/// How a step is called. What is left empty stands for all of the node's inputs (with the residual), outputs, states.
struct StepOptions {
    const char* kernel = nullptr;  ///< the kernel's name; from the step type's where null
    const char* reason = "";       ///< why this kernel
    std::vector<BufferId> inputs{};
    std::vector<BufferId> outputs{};
    std::vector<BufferId> states{};
    std::size_t scratch_bytes = 0;
    std::int32_t parts = 1;          ///< that may be computed at the same time, see BasicLowerContext::parts
    std::size_t constant_bytes = 0;  ///< of packed constants
    bool transformed = false;        ///< whether these are more than the weights
    Places in_place{};               ///< inputs whose buffer the first output may take over
};

namespace detail {

/// A buffer while the plan is made.
struct DraftBuffer {
    std::string name;
    std::size_t bytes = 0;
    BufferId same_as = 0;  // itself, or a buffer that it shares storage with
    bool is_input = false, is_output = false, is_state = false, is_scratch = false;
};

struct DraftStep {
    Step step;
    Places in_place;
};

template <class S>
void run_step(const void* data, const KernelTable& kernels, std::byte* const* operands, Part part) noexcept {
    if constexpr (requires(const S& step) { step.run(kernels, operands, part); }) {
        static_cast<const S*>(data)->run(kernels, operands, part);
    } else {
        static_cast<const S*>(data)->run(kernels, operands);
    }
}

/// What is collected from all nodes.
struct Draft {
    std::vector<DraftBuffer> buffers;  // those of the model's values first
    std::vector<DraftStep> steps;
    std::vector<std::string> refusals;  // a line a node
    std::string choices;                // a digit for each convolution that has several kernels

    BufferId root(BufferId id) const {
        while (buffers[id].same_as != id) id = buffers[id].same_as;
        return id;
    }
    /// From now on both share one storage.
    void merge(BufferId kept, BufferId other) {
        DraftBuffer& a = buffers[kept = root(kept)];
        DraftBuffer& b = buffers[other = root(other)];
        if (kept == other) return;
        b.same_as = kept;
        a.is_input = a.is_input || b.is_input;
        a.is_output = a.is_output || b.is_output;
        a.bytes = a.bytes > b.bytes ? a.bytes : b.bytes;
    }
};

}  // namespace detail

template <class Lazy>
class BasicLowerContext;
using LowerContext = BasicLowerContext<void>;

/// A layer emits one step or more that compute its outputs from its inputs:
///
///     void lower(const MyLayer& layer, mote::LowerContext& node) {
///         node.emit(ScaleStep{node.input().shape.elements(), layer.factor}, {.in_place = {0}});
///     }
///
/// The standard contractions also compute what their Group says (padding, clamps, a residual).
template <class Lazy>
class BasicLowerContext {
  public:
    BasicLowerContext(detail::Draft& draft, const KernelTable& kernels, const PlanOptions& options, const Group& group,
                      std::span<const Value> values, std::vector<std::string> nodes, std::string name, const char* kind,
                      std::span<const Value> states, BufferId first_state, std::shared_ptr<const void> layer)
        : draft_(draft),
          kernels_(kernels),
          options_(options),
          group_(group),
          values_(values),
          nodes_(std::move(nodes)),
          name_(std::move(name)),
          kind_(kind),
          states_(states),
          first_state_(first_state),
          layer_(std::move(layer)) {}

    std::size_t inputs() const noexcept { return group_.inputs.size(); }
    std::size_t outputs() const noexcept { return group_.outputs.size(); }
    const Value& input(std::size_t index = 0) const noexcept { return value(group_.inputs[index]); }
    const Value& output(std::size_t index = 0) const noexcept { return value(group_.outputs[index]); }
    const Value& state(std::size_t index = 0) const noexcept { return states_[index]; }
    const KernelTable& kernels() const noexcept { return kernels_; }
    const PlanOptions& options() const noexcept { return options_; }

    /// Into how many parts a step is worth dividing among the plan's threads, where `work` of it is worth one: less than a
    /// microsecond, for where a step is shared its neighbours had better be, lest what is in one core's cache goes to
    /// another's.
    std::int32_t parts(std::uint64_t all, std::uint64_t work) const noexcept {
        const std::uint64_t most = kernels_.divides ? all / work : 1;
        return narrow<std::int32_t>(most < 1 ? 1 : most < options_.threads ? most : options_.threads);
    }

    /// The digit of PlanOptions::choices for the next convolution that has several kernels, or -1.
    int given_choice() const noexcept {
        const std::size_t place = draft_.choices.size();
        return place < options_.choices.size() ? options_.choices[place] - '0' : -1;
    }
    void record_choice(std::uint8_t algorithm) { draft_.choices += static_cast<char>('0' + algorithm); }

    const Group& group() const noexcept { return group_; }
    /// What stands before the residual is added.
    const Value& produced() const noexcept { return values_[group_.produced]; }
    /// What a Concat makes of the output and others, where group().placed.
    const Value& whole() const noexcept { return values_[group_.whole]; }
    /// Null where there is none.
    const Value* residual() const noexcept { return group_.has_residual ? &values_[group_.residual] : nullptr; }

    // For layers of several steps: the buffers by which StepOptions refers to operands.
    BufferId input_buffer(std::size_t index = 0) const noexcept { return buffer(group_.inputs[index]); }
    BufferId output_buffer(std::size_t index = 0) const noexcept { return buffer(group_.outputs[index]); }
    BufferId state_buffer(std::size_t index = 0) const noexcept { return narrow<BufferId>(first_state_ + index); }
    /// A buffer that lives from the first step that uses it to the last.
    BufferId temporary(std::size_t bytes) { return add_buffer(concat(name_, " temporary"), bytes, false); }

    /// From now on the layer sees the value in f32, in a temporary.
    void stand_in(ValueId id) {
        if (buffer(id) != id) return;
        Value real = values_[id];
        real.element = Element::f32;
        const BufferId temporary_buffer = temporary(real.bytes());
        stand_ins_.push_back({id, temporary_buffer, std::move(real)});
    }
    /// The value as the model states it.
    const Value& stated(ValueId id) const noexcept { return values_[id]; }

    /// Emits a step. See Step for what a step type is.
    template <class S>
    void emit(S step, StepOptions options = {}) {
        add(&step_kind<S>, make_erased(std::move(step)), &detail::run_step<S>, options);
    }

    /// Lets the output be the input's bytes, without a step. False where it cannot be (both are seen from outside): then the
    /// layer has to emit a copy.
    bool share_storage() {
        const detail::DraftBuffer& in = draft_.buffers[draft_.root(input_buffer())];
        if (draft_.buffers[output_buffer()].is_output && (in.is_input || in.is_output)) return false;
        draft_.merge(input_buffer(), output_buffer());
        return true;
    }

    /// A member of the layer, kept alive by the step that holds it.
    template <class T>
    std::shared_ptr<const T> share(const T& member) const {
        return std::shared_ptr<const T>(layer_, &member);
    }

    /// Says why the node cannot be planned; all such nodes are reported together.
    template <class... Part>
    void unsupported(const Part&... part) {
        const detail::TextPart parts[] = {"node '", name_, "' (", kind_, "): ", part...};
        draft_.refusals.push_back(detail::join(parts, sizeof...(part) + 5));
    }
    const std::string& name() const noexcept { return name_; }

  private:
    struct StandIn {
        ValueId id;
        BufferId buffer;
        Value value;
    };
    const Value& value(ValueId id) const noexcept {
        for (const StandIn& other : stand_ins_) {
            if (other.id == id) return other.value;
        }
        return values_[id];
    }
    BufferId buffer(ValueId id) const noexcept {
        for (const StandIn& other : stand_ins_) {
            if (other.id == id) return other.buffer;
        }
        return id;
    }

    BufferId add_buffer(std::string name, std::size_t bytes, bool scratch) {
        const BufferId id = narrow<BufferId>(draft_.buffers.size());
        draft_.buffers.push_back({std::move(name), bytes, id, false, false, false, scratch});
        return id;
    }

    void add(const StepKind* kind, std::shared_ptr<const void> data, decltype(Step::run) run, StepOptions& options) {
        Step step;
        step.nodes = nodes_;
        step.kernel =
            options.kernel != nullptr ? std::string(options.kernel) : concat(kind->name, " (", kernels_.instruction_set, ")");
        step.reason = options.reason;
        step.kind = kind;
        step.data = std::move(data);
        step.run = run;
        if (options.inputs.empty()) {
            for (const ValueId id : group_.inputs) options.inputs.push_back(buffer(id));
            if (group_.has_residual) options.inputs.push_back(group_.residual);
        }
        if (options.outputs.empty()) {
            for (const ValueId id : group_.outputs) options.outputs.push_back(buffer(id));
        }
        if (options.states.empty()) {
            for (std::size_t i = 0; i < states_.size(); ++i) options.states.push_back(state_buffer(i));
        }
        step.inputs = options.inputs.size();
        step.outputs = options.outputs.size();
        step.states = options.states.size();
        step.constant_bytes = options.constant_bytes;
        step.parts = options.parts;
        step.transformed = options.transformed;
        for (const std::vector<BufferId>* operands : {&options.inputs, &options.outputs, &options.states}) {
            for (const BufferId id : *operands) step.operands.push_back(id);
        }
        if (options.scratch_bytes > 0) {
            step.has_scratch = true;
            step.operands.push_back(add_buffer(concat(name_, " scratch"), options.scratch_bytes, true));
        }
        draft_.steps.push_back({std::move(step), options.in_place});
    }

    detail::Draft& draft_;
    const KernelTable& kernels_;
    const PlanOptions& options_;
    const Group& group_;
    std::span<const Value> values_;
    std::vector<std::string> nodes_;
    std::string name_;
    const char* kind_;
    std::span<const Value> states_;
    BufferId first_state_;
    std::shared_ptr<const void> layer_;
    std::vector<StandIn> stand_ins_{};
};

namespace detail {

/// The value's one quantization. Where an int8 value has none (its bytes' meaning is unknown) the node is refused.
template <class Lazy = void>
bool quantization_of(LowerContext& node, const Value& value, QuantizationParams& params) {
    if (!value.quantization.present() || value.quantization.per_axis()) {
        node.unsupported("value ", to_string(value), " needs a quantization of one scale");
        return false;
    }
    params = value.quantization.params();
    return true;
}

/// The clamp in quantized steps: bytes in [lo, hi].
struct ByteRange {
    std::int32_t lo = -128;
    std::int32_t hi = 127;
};
template <class Lazy = void>
ByteRange byte_range(const Clamp& clamp, QuantizationParams params) {
    ByteRange range;
    const double scale = static_cast<double>(params.scale);
    const double lo = std::nearbyint(static_cast<double>(clamp.lo) / scale) + params.zero_point;
    const double hi = std::nearbyint(static_cast<double>(clamp.hi) / scale) + params.zero_point;
    if (lo > -128.0) range.lo = lo < 127.0 ? static_cast<std::int32_t>(lo) : 127;
    if (hi < 127.0) range.hi = hi > -128.0 ? static_cast<std::int32_t>(hi) : -128;
    return range;
}

}  // namespace detail

MOTE_END_NAMESPACE
