// SPDX-License-Identifier: MIT
#pragma once
// A plan as text: its steps (kernel, reason, bytes, offsets) and its memory map.

#include <mote/engine/plan.hpp>
#include <mote/model/print.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

template <class Lazy = void>
std::string where(const Buffer& buffer) {
    return concat(place_name(buffer.place), " + ", buffer.offset);
}

/// Why the step is as it is.
template <class Lazy = void>
std::string why(const Step& step) {
    return step.reason + (step.parts > 1 ? concat(step.reason.empty() ? "" : "; ", step.parts, " parts") : std::string());
}

}  // namespace detail

/// Its steps, then its buffers; `widest` as of to_table().
template <class Lazy = void>
std::string to_string(const Plan& plan, std::size_t widest = 0) {
    std::vector<std::vector<std::string>> rows{
        {"step", "nodes", "kernel", "output", "at", "bytes", "constants", "scratch", "reason"}};
    for (std::size_t s = 0; s < plan.steps().size(); ++s) {
        const Step& step = plan.steps()[s];
        std::string nodes;
        for (const std::string& node : step.nodes) nodes += (nodes.empty() ? "" : " + ") + node;
        const BufferId output = step.outputs == 0 ? step.operands.back() : step.operands[step.inputs];
        const Buffer& buffer = plan.buffers()[output];
        std::string reason = detail::why(step);
        for (std::size_t i = 0; i < step.inputs; ++i) {
            const Buffer& input = plan.buffers()[step.operands[i]];
            if (input.place == buffer.place && input.offset == buffer.offset && input.bytes > 0) {
                reason += concat(reason.empty() ? "" : "; ", "over '", input.name, "'");
                break;
            }
        }
        rows.push_back({concat(s), nodes, step.kernel,
                        output < plan.values().size() ? to_string(plan.values()[output].shape) : std::string("temporary"),
                        detail::where(buffer), concat(buffer.bytes), concat(step.constant_bytes),
                        concat(step.has_scratch ? plan.buffers()[step.operands.back()].bytes : 0), reason});
    }
    std::string text = to_table(rows, widest);
    rows = {{"buffer", "at", "bytes", "first step", "last step"}};
    for (const Buffer& buffer : plan.buffers()) {
        if (!buffer.used) continue;
        rows.push_back({buffer.name, detail::where(buffer), concat(buffer.bytes), concat(buffer.lifetime.first),
                        concat(buffer.lifetime.last)});
    }
    const PlanMemory& memory = plan.memory();
    text += concat("\nmemory (", plan.kernels().instruction_set, "): arena ", memory.arena_bytes, " bytes (at least ",
                   memory.arena_least_bytes, " live at one time), states ", memory.state_bytes, ", inputs and outputs ",
                   memory.input_output_bytes, ", packed constants ", memory.constant_bytes,
                   memory.transformed_bytes > 0 ? concat(" (", memory.transformed_bytes, " of them transformed)") : "", "\n");
    return text + to_table(rows, widest);
}

/// Writes to_string(plan) to the standard output.
template <class Lazy = void>
void print(const Plan& plan) {
    std::fputs(to_string(plan).c_str(), stdout);
}

MOTE_END_NAMESPACE
