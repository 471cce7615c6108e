// SPDX-License-Identifier: MIT
#pragma once
// Step: one call of a kernel in a plan, with everything that can be computed before a run.

#include <mote/kernels/kernel_table.hpp>
#include <mote/tensor/tensor.hpp>

#include <memory>
#include <string>
#include <vector>

MOTE_BEGIN_NAMESPACE

/// The identity of a step type: the address of its step_kind<S>.
struct StepKind {
    const char* name;
};
template <class S>
inline constexpr StepKind step_kind{S::name};

/// The place of a buffer in its plan.
using BufferId = std::uint32_t;

/// A step type is a plain struct with a name and a call; it holds geometry, multipliers, packed constants:
///
///     struct ScaleStep {
///         static constexpr const char* name = "scale";
///         std::size_t count;
///         float factor;
///         void run(const mote::KernelTable&, std::byte* const* operands) const noexcept {
///             const float* in = mote::operand<const float>(operands, 0);
///             float* out = mote::operand<float>(operands, 1);
///             for (std::size_t i = 0; i < count; ++i) out[i] = factor * in[i];
///         }
///     };
///
/// A step that threads can share has run(kernels, operands, part) instead, which computes that part of it: StepOptions says how
/// many there are.
/// The operands stand in this order: inputs (the residual last), outputs, states, scratch.
struct Step {
    std::vector<std::string> nodes{};  ///< the names of the nodes it covers, in the order of computation
    std::string kernel{};
    std::string reason{};
    const StepKind* kind = nullptr;
    std::shared_ptr<const void> data{};
    void (*run)(const void* data, const KernelTable&, std::byte* const* operands, Part) noexcept = nullptr;
    std::int32_t parts = 1;  ///< that together are the step, and may be computed at the same time
    std::vector<BufferId> operands{};
    std::size_t inputs = 0, outputs = 0, states = 0;  ///< how many operands of each sort
    bool has_scratch = false;                         ///< whether a last operand is scratch
    std::size_t constant_bytes = 0;                   ///< of packed constants
    bool transformed = false;                         ///< whether these are more than the weights
};

/// The step's data where it is an S, else null.
template <class S>
const S* get_if(const Step& step) noexcept {
    return step.kind == &step_kind<S> ? static_cast<const S*>(step.data.get()) : nullptr;
}

/// Operand `index` as an array of T.
template <class T>
T* operand(std::byte* const* operands, std::size_t index) noexcept {
    return reinterpret_cast<T*>(operands[index]);
}

/// The sum of the elements' bytes, 64-byte aligned, shared: packed constants.
struct Constants {
    std::shared_ptr<const std::byte> memory{};
    std::size_t bytes = 0;
    const std::byte* data() const noexcept { return memory.get(); }
};

MOTE_END_NAMESPACE
