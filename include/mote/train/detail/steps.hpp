// SPDX-License-Identifier: MIT
#pragma once
// NodeSteps: the forward pass of one node while it trains: the steps that lower() gives for it alone, so that a layer's
// arithmetic stands once.

#include <mote/train/detail/network.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// A node's steps for one number of samples. The packed constants follow the layer when it is lowered again.
class NodeSteps {
  public:
    /// Lowers the layer as it is now.
    void lower(const TrainingNode& node, std::span<const Value> values, const KernelTable& kernels) {
        std::vector<Value> local;
        Group group;
        group.nodes = {0};
        for (const ValueId id : node.inputs) group.inputs.push_back(push(local, values[id]));
        for (const ValueId id : node.outputs) group.outputs.push_back(push(local, values[id]));
        group.produced = group.outputs[0];
        Draft draft;
        for (const Value& value : local) {
            draft.buffers.push_back({{}, value.bytes(), narrow<BufferId>(draft.buffers.size())});
        }
        static const PlanOptions options{.memory = Memory::lean};  // weights are packed again after every step
        LowerContext context(draft, kernels, options, group, local, {node.name}, node.name, node.kind, {},
                             narrow<BufferId>(local.size()), node.layer);
        node.verbs->lower(node.layer.get(), context);
        if (!draft.refusals.empty()) fail(draft.refusals.front());
        steps_.clear();
        for (DraftStep& step : draft.steps) steps_.push_back(std::move(step.step));
        // An output that shares its input's storage becomes a copy of it, so that every value stays for the backward pass.
        values_ = local.size();
        copy_bytes_ = 0;
        const BufferId output = group.outputs[0];
        const BufferId shared = draft.root(output);
        const bool copies = shared != output && shared == draft.root(group.inputs[0]);
        if (copies) copy_bytes_ = local[output].bytes();
        place_.assign(draft.buffers.size(), 0);
        scratch_.assign(draft.buffers.size(), 0);
        for (BufferId id = 0; id < draft.buffers.size(); ++id) {
            const BufferId root = draft.root(id);
            place_[id] = copies && root == shared ? output : id < values_ ? id : root;
            if (place_[id] >= values_) scratch_[place_[id]] = draft.buffers[root].bytes;
        }
    }

    void run(const TrainingNode& node, ShardBuffers& shard, const KernelTable& kernels) const {
        auto** address = reinterpret_cast<std::byte**>(shard.scratch.take(place_.size() * sizeof(std::byte*)));
        std::size_t at = 0;
        for (const ValueId id : node.inputs) address[at++] = reinterpret_cast<std::byte*>(shard.data[id]);
        for (const ValueId id : node.outputs) address[at++] = reinterpret_cast<std::byte*>(shard.data[id]);
        if (copy_bytes_ != 0) std::memcpy(address[node.inputs.size()], address[0], copy_bytes_);
        for (; at < place_.size(); ++at) address[at] = scratch_[at] != 0 ? shard.scratch.take(scratch_[at]) : nullptr;
        for (const Step& step : steps_) {
            auto** operands = reinterpret_cast<std::byte**>(shard.scratch.take(step.operands.size() * sizeof(std::byte*)));
            for (std::size_t i = 0; i < step.operands.size(); ++i) operands[i] = address[place_[step.operands[i]]];
            step.run(step.data.get(), kernels, operands, {});
        }
    }

  private:
    static ValueId push(std::vector<Value>& local, const Value& value) {
        local.push_back(value);
        return narrow<ValueId>(local.size() - 1);
    }

    std::vector<Step> steps_;
    std::size_t values_ = 0;
    std::size_t copy_bytes_ = 0;        // of output 0 from input 0, before the steps
    std::vector<BufferId> place_;       // by buffer: the buffer whose memory it has
    std::vector<std::size_t> scratch_;  // by buffer: bytes of a temporary
};

}  // namespace detail

MOTE_END_NAMESPACE
