// SPDX-License-Identifier: MIT
#pragma once
// Engine: a plan with the memory that a run needs.

#include <mote/engine/executor.hpp>
#include <mote/engine/plan.hpp>
#include <mote/engine/thread_pool.hpp>

MOTE_BEGIN_NAMESPACE

struct EngineOptions {
    const KernelTable* kernels = nullptr;  ///< native_kernels() where null; must outlive the engine
    PlanOptions plan{};
    /// How many threads share a run: the caller and a pool of the engine's own, which sleeps between runs; or, with an
    /// executor, its threads (0: as many as it says it has).
    std::size_t threads = 0;
    Executor executor{};  ///< must outlive the engine
};

namespace detail {

/// The element that a span of T holds; T is a C++ type, or for i4 its tag.
template <class T>
struct SpanOf {
    using tag = typename tag_of_value<T>::type;
    using type = T;
};
template <>
struct SpanOf<i4> {
    using tag = i4;
    using type = std::uint8_t;
};
template <class T>
using Held = typename SpanOf<T>::type;

template <class Lazy = void>
std::string accepted_type(Element element) {
    constexpr const char* names[] = {"double",       "float",         "mote::half",    "mote::bfloat", "std::int64_t",
                                     "std::int32_t", "std::int16_t",  "std::int8_t",   "std::uint8_t", "mote::i4",
                                     "bool",         "std::uint64_t", "std::uint32_t", "std::uint16_t"};
    return names[static_cast<std::size_t>(element)];
}

}  // namespace detail

template <class Lazy>
class BasicEngine;
using Engine = BasicEngine<void>;

/// Runs a plan. One thread at a time uses an engine; engines that share a plan share its packed weights.
/// A copy has memory of its own and continues where the original stands, its states included.
template <class Lazy>
class BasicEngine {
  public:
    /// The parts of its steps (PlanOptions::threads) run on the executor, or one after the other.
    explicit BasicEngine(Plan plan, Executor executor = {}) : plan_(std::move(plan)), executor_(executor) {
        allocate();
        reset();
    }

    /// Plans for this machine (or for the given kernels). Throws as plan() does.
    template <class List>
    explicit BasicEngine(const BasicModel<List>& model, const EngineOptions& options = {})
        : BasicEngine(planned(model, options), options.executor) {
        const std::size_t threads = plan_.options().threads;
        if (threads > 1 && !executor_) {
            pool_ = std::make_shared<ThreadPool>(threads);
            executor_ = Executor(*pool_);
        }
    }

    /// The copy shares the original's threads; they run one engine at a time, and the other runs without them.
    BasicEngine(const BasicEngine& other) : plan_(other.plan_), executor_(other.executor_), pool_(other.pool_) {
        allocate();
        std::memcpy(memory_.get(), other.memory_.get(), plan_.memory().engine_bytes());
    }
    BasicEngine(BasicEngine&&) noexcept = default;
    BasicEngine& operator=(BasicEngine other) noexcept {
        std::swap(plan_, other.plan_);
        std::swap(executor_, other.executor_);
        std::swap(pool_, other.pool_);
        std::swap(memory_, other.memory_);
        std::swap(operands_, other.operands_);
        std::swap(calls_, other.calls_);
        return *this;
    }
    ~BasicEngine() = default;

    /// Reads the inputs, writes the outputs and the states. Allocates nothing and cannot fail.
    void run() noexcept {
        if (executor_) executor_.begin_run();
        for (const Call& call : calls_) run(call);
        if (executor_) executor_.end_run();
    }

    /// run(), which calls after(i) behind step i of the plan: to see how long each takes.
    template <class After>
    void run_steps(After&& after) {
        if (executor_) executor_.begin_run();
        for (std::size_t i = 0; i < calls_.size(); ++i) {
            run(calls_[i]);
            after(i);
        }
        if (executor_) executor_.end_run();
    }

    /// Sets all states to real zero.
    void reset() noexcept {
        const std::size_t first = plan_.values().size();
        for (std::size_t i = 0; i < plan_.states().size(); ++i) {
            const Value& state = plan_.states()[i];
            std::byte* at = address(narrow<BufferId>(first + i));
            std::int32_t zero = state.quantization.present() ? state.quantization.params().zero_point : 0;
            const std::size_t step = element_bytes(state.element, 1);
            std::memset(at, 0, state.bytes());
            if (zero == 0) continue;
            // Zero points belong to integer elements; the low bytes of the int32 are the element (little endian).
            for (std::size_t offset = 0; offset < state.bytes(); offset += step) {
                std::memcpy(at + offset, &zero, step < sizeof zero ? step : sizeof zero);
            }
        }
    }

    std::size_t inputs() const noexcept { return plan_.inputs().size(); }
    std::size_t outputs() const noexcept { return plan_.outputs().size(); }
    const Value& input_value(std::size_t index = 0) const { return described(plan_.inputs(), index, "input"); }
    const Value& output_value(std::size_t index = 0) const { return described(plan_.outputs(), index, "output"); }

    /// Input `index` (or of that name), row-major, to be written before run(); run() does not change it. Throws an Error that
    /// names what is there and what would be accepted where T is not its element.
    template <class T>
    std::span<detail::Held<T>> input(std::size_t index = 0) {
        return bind<T>(at(plan_.inputs(), index, "input"), "input");
    }
    template <class T>
    std::span<detail::Held<T>> input(std::string_view name) {
        return bind<T>(find(plan_.inputs(), name, "input"), "input");
    }

    /// Output `index` (or of that name) as the last run left it.
    template <class T>
    std::span<const detail::Held<T>> output(std::size_t index = 0) const {
        return bind<const T>(at(plan_.outputs(), index, "output"), "output");
    }
    template <class T>
    std::span<const detail::Held<T>> output(std::string_view name) const {
        return bind<const T>(find(plan_.outputs(), name, "output"), "output");
    }

    /// The same as bytes, whatever the element.
    std::span<std::byte> input_bytes(std::size_t index = 0) {
        const ValueId id = at(plan_.inputs(), index, "input");
        return {address(id), plan_.values()[id].bytes()};
    }
    std::span<const std::byte> output_bytes(std::size_t index = 0) const {
        const ValueId id = at(plan_.outputs(), index, "output");
        return {address(id), plan_.values()[id].bytes()};
    }

    /// Any value of the model, by name, as the last run left it. Only where the plan keeps values.
    template <class T>
    std::span<const detail::Held<T>> value(std::string_view name) const {
        if (!plan_.options().keep_values) {
            fail("value '", name, "': this plan reuses memory; plan with .keep_values = true to read values");
        }
        for (std::size_t id = 0; id < plan_.values().size(); ++id) {
            if (plan_.values()[id].name == name) return bind<const T>(narrow<ValueId>(id), "value");
        }
        std::string known;
        for (const Value& value : plan_.values()) known += concat(known.empty() ? "'" : ", '", value.name, "'");
        fail("no value is named '", name, "'; the model has ", known);
    }

    const Plan& plan() const noexcept { return plan_; }

  private:
    struct Call {
        void (*run)(const void*, const KernelTable&, std::byte* const*, Part) noexcept;
        const void* data;
        std::byte* const* operands;
        const KernelTable* kernels;
        std::int32_t parts;

        void operator()(std::int32_t part) const noexcept { run(data, *kernels, operands, {part, parts}); }
    };

    template <class List>
    static Plan planned(const BasicModel<List>& model, const EngineOptions& options) {
        PlanOptions plan = options.plan;
        if (options.threads > 0) plan.threads = options.threads;
        if (options.threads == 0 && options.executor) {
            plan.threads = options.executor.threads();
            if (plan.threads == 0) fail("an executor without threads(): the option threads says how many it has");
        }
        return options.kernels == nullptr ? mote::plan(model, plan) : mote::plan(model, *options.kernels, plan);
    }

    void run(const Call& call) noexcept {
        if (call.parts > 1 && executor_) {
            executor_.parallel_for(static_cast<std::size_t>(call.parts),
                                   [&call](std::size_t part) { call(narrow<std::int32_t>(part)); });
        } else {
            for (std::int32_t part = 0; part < call.parts; ++part) call(part);
        }
    }

    void allocate() {
        memory_ = allocate_bytes(plan_.memory().engine_bytes());
        std::size_t count = 0;
        for (const Step& step : plan_.steps()) count += step.operands.size();
        operands_.reserve(count);  // calls point into it
        for (const Step& step : plan_.steps()) {
            std::byte* const* first = operands_.data() + operands_.size();
            for (const BufferId id : step.operands) operands_.push_back(address(id));
            calls_.push_back({step.run, step.data.get(), first, &plan_.kernels(), step.parts});
        }
    }

    std::byte* address(BufferId id) const noexcept {
        const Buffer& buffer = plan_.buffers()[id];
        const PlanMemory& memory = plan_.memory();
        std::size_t region = 0;
        if (buffer.place == Place::state) region = memory.input_output_bytes;
        if (buffer.place == Place::arena) region = memory.input_output_bytes + memory.state_bytes;
        return memory_.get() + region + buffer.offset;
    }

    ValueId at(const std::vector<ValueId>& ids, std::size_t index, const char* what) const {
        if (index >= ids.size()) fail("no ", what, " ", index, "; the model has ", names(ids));
        return ids[index];
    }
    ValueId find(const std::vector<ValueId>& ids, std::string_view name, const char* what) const {
        for (const ValueId id : ids) {
            if (plan_.values()[id].name == name) return id;
        }
        fail("no ", what, " is named '", name, "'; the model has ", names(ids));
    }
    const Value& described(const std::vector<ValueId>& ids, std::size_t index, const char* what) const {
        return plan_.values()[at(ids, index, what)];
    }
    std::string names(const std::vector<ValueId>& ids) const {
        std::string text;
        for (const ValueId id : ids) text += (text.empty() ? "" : ", ") + to_string(plan_.values()[id]);
        return text;
    }

    template <class T>
    auto bind(ValueId id, const char* what) const {
        using Plain = std::remove_const_t<T>;
        using Tag = typename detail::SpanOf<Plain>::tag;
        static_assert(!std::is_void_v<Tag>, "mote: no element of a tensor is held in this type");
        using Result = std::conditional_t<std::is_const_v<T>, const detail::Held<Plain>, detail::Held<Plain>>;
        const Value& value = plan_.values()[id];
        if (value.element != Tag::element) {
            fail(what, " ", to_string(value), " was asked for as ", element_name(Tag::element), "; ",
                 detail::accepted_type(value.element), " is accepted");
        }
        const std::size_t count = Tag::bits == 4 ? value.bytes() : value.shape.elements();
        return std::span<Result>(reinterpret_cast<Result*>(address(id)), count);
    }

    Plan plan_;
    Executor executor_;
    std::shared_ptr<ThreadPool> pool_;   // where the executor is the engine's own
    std::shared_ptr<std::byte> memory_;  // this engine's alone
    std::vector<std::byte*> operands_;
    std::vector<Call> calls_;
};

MOTE_END_NAMESPACE
