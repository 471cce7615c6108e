// SPDX-License-Identifier: MIT
#pragma once
// TrainingSession: forward and backward passes of a batch in a fixed number of shards, so that the sums, and with them all
// bits of the result, do not depend on the number of threads.

#include <mote/train/detail/parallel.hpp>
#include <mote/train/detail/steps.hpp>

#include <functional>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// The samples of a batch that shard `index` of `shards` computes.
struct ShardRange {
    std::size_t first, count;
};
constexpr ShardRange shard_range(std::size_t samples, std::size_t shards, std::size_t index) noexcept {
    const std::size_t first = samples * index / shards;
    return {first, samples * (index + 1) / shards - first};
}

/// What a stage does with a node; between two stages all shards wait for each other.
enum class Action : std::uint8_t { run, gather, forward, gather_gradient, gradient };
struct Operation {
    std::size_t node;
    Action action;
};
using Stage = std::vector<Operation>;

class TrainingSession {
  public:
    /// Fills `values` with sample number `place` of the batch. May be called by several threads at once.
    using Load = std::function<void(std::size_t place, std::span<float> values)>;
    /// The values for a number of samples (with_batch).
    using Batched = std::function<std::vector<Value>(std::size_t)>;

    /// `freeze`: layers that couple samples compute as in inference.
    TrainingSession(TrainingNetwork network, Batched batched, std::size_t batch, std::size_t shards, std::size_t threads,
                    bool freeze, const KernelTable& kernels)
        : network_(std::move(network)),
          batched_(std::move(batched)),
          kernels_(kernels),
          team_(threads < shards ? threads : shards),
          freeze_(freeze) {
        make_stages();
        make_shards(shards < batch ? shards : batch, batch);
    }

    TrainingNetwork& network() noexcept { return network_; }
    WorkerTeam& team() noexcept { return team_; }

    /// Shapes and steps for batches of this many samples (at most the constructor's). Called before forward whenever the number
    /// has changed; then lower_all() follows.
    void prepare(std::size_t samples) {
        if (samples == samples_) return;
        active_ = samples < shards_.size() ? samples : shards_.size();
        variants_in_use_.clear();
        for (std::size_t s = 0; s < active_; ++s) {
            Variant& variant = variant_of(shard_range(samples, active_, s).count);
            shards_[s].buffers.values = variant.values;
            shards_[s].variant = &variant;
            bool known = false;
            for (const Variant* other : variants_in_use_) known = known || other == &variant;
            if (!known) variants_in_use_.push_back(&variant);
        }
        for (std::size_t n = 0; n < views_.size(); ++n) views_[n].sums = std::span(sums_[n]).first(active_);
        samples_ = samples;
    }
    /// Lowers a node anew; different nodes may be lowered at the same time.
    void lower(std::size_t node) {
        if (coupled(node)) return;
        for (Variant* variant : variants_in_use_) {
            NodeSteps& steps = variant->steps[node];
            if (!variant->lowered[node] || !network_.nodes[node].parameters.empty()) {
                steps.lower(network_.nodes[node], variant->values, kernels_);
                variant->lowered[node] = 1;
            }
        }
    }
    void lower_all() {
        team_.run(network_.nodes.size(), [&](std::size_t node) { lower(node); });
    }

    /// Logits [samples, classes] of the batch that `load` gives.
    std::span<const float> forward(const Load& load) {
        for (std::size_t i = 0; i < forward_.size(); ++i) {
            team_.run(active_, [&](std::size_t s) {
                if (i == 0) load_shard(s, load);
                run_stage(forward_[i], s);
                if (i + 1 == forward_.size()) copy_logits(s);
            });
        }
        return {logits_.data(), samples_ * network_.classes};
    }

    /// The place for d loss / d logits, shaped as the logits; zeros after this call.
    std::span<float> logits_gradient() {
        logits_gradient_.assign(samples_ * network_.classes, 0.0f);
        return logits_gradient_;
    }

    /// Each shard's parameter gradients from the logits' gradient.
    void backward() {
        for (std::size_t i = 0; i < backward_.size(); ++i) {
            team_.run(active_, [&](std::size_t s) {
                if (i == 0) begin_backward(s);
                run_stage(backward_[i], s);
            });
        }
    }

    /// result[j] = the sum of the shards' gradients of elements [first, first + count) of the row, in the shards' order.
    void reduce(std::size_t first, std::size_t count, float* result) const {
        std::memcpy(result, shards_[0].buffers.parameter_gradient + first, count * sizeof(float));
        for (std::size_t s = 1; s < active_; ++s) {
            const float* part = shards_[s].buffers.parameter_gradient + first;
            for (std::size_t j = 0; j < count; ++j) result[j] += part[j];
        }
    }

    /// Once a step: what a layer keeps of the batch.
    void learn(std::size_t node) {
        if (!coupled(node)) return;
        ForwardContext context(views_[node], shards_[0].buffers, 0, kernels_);
        network_.nodes[node].verbs->learn(network_.nodes[node].layer.get(), context);
    }

  private:
    struct Variant {
        std::size_t samples;
        std::vector<Value> values;
        std::vector<NodeSteps> steps;
        std::vector<unsigned char> lowered;
    };
    struct Shard {
        ShardBuffers buffers;
        std::shared_ptr<std::byte> memory;
        const Variant* variant = nullptr;
    };

    bool coupled(std::size_t node) const { return network_.nodes[node].sums != 0 && !freeze_; }

    void make_stages() {
        forward_.emplace_back();
        for (std::size_t n = 0; n < network_.nodes.size(); ++n) {
            if (!coupled(n)) {
                forward_.back().push_back({n, Action::run});
                continue;
            }
            forward_.back().push_back({n, Action::gather});
            forward_.push_back({{n, Action::forward}});
        }
        backward_.emplace_back();
        for (std::size_t n = network_.nodes.size(); n-- > 0;) {
            if (!network_.nodes[n].trained) continue;
            if (coupled(n)) {
                backward_.back().push_back({n, Action::gather_gradient});
                backward_.emplace_back();
            }
            backward_.back().push_back({n, Action::gradient});
        }
    }

    void make_shards(std::size_t shards, std::size_t batch) {
        const std::size_t most = (batch + shards - 1) / shards;
        const std::vector<Value> values = batched_(most);
        std::size_t bytes = align_up(network_.parameter_floats * sizeof(float));
        for (std::size_t id = 0; id < values.size(); ++id) {
            bytes += align_up(values[id].bytes()) * (network_.trained[id] ? 2 : 1);
        }
        shards_.resize(shards);
        for (Shard& shard : shards_) {
            shard.memory = allocate_bytes(bytes);
            std::byte* at = shard.memory.get();
            auto take = [&at](std::size_t size) {
                auto* const result = reinterpret_cast<float*>(at);
                at += align_up(size);
                return result;
            };
            shard.buffers.parameter_gradient = take(network_.parameter_floats * sizeof(float));
            for (std::size_t id = 0; id < values.size(); ++id) {
                shard.buffers.data.push_back(take(values[id].bytes()));
                shard.buffers.gradient.push_back(network_.trained[id] ? take(values[id].bytes()) : nullptr);
            }
            shard.buffers.written.assign(values.size(), 0);
        }
        logits_.assign(batch * network_.classes, 0.0f);
        logits_gradient_.reserve(batch * network_.classes);
        sums_storage_.resize(network_.nodes.size());
        sums_.resize(network_.nodes.size());
        for (std::size_t n = 0; n < network_.nodes.size(); ++n) {
            const TrainingNode& node = network_.nodes[n];
            const std::size_t row = (node.sums + 7) / 8 * 8;  // a cache line apart
            sums_storage_[n].assign(row * shards, 0.0);
            for (std::size_t s = 0; s < shards; ++s) sums_[n].push_back(sums_storage_[n].data() + s * row);
            views_.push_back({node.name, node.kind, node.inputs, node.outputs, node.parameters, {}, node.sums});
        }
    }

    Variant& variant_of(std::size_t samples) {
        for (const auto& variant : variants_) {
            if (variant->samples == samples) return *variant;
        }
        variants_.push_back(
            std::make_unique<Variant>(Variant{samples, batched_(samples), std::vector<NodeSteps>(network_.nodes.size()),
                                              std::vector<unsigned char>(network_.nodes.size(), 0)}));
        return *variants_.back();
    }

    void load_shard(std::size_t s, const Load& load) {
        const ShardRange range = shard_range(samples_, active_, s);
        float* const input = shards_[s].buffers.data[network_.input];
        for (std::size_t i = 0; i < range.count; ++i) {
            load(range.first + i, {input + i * network_.sample_size, network_.sample_size});
        }
    }

    void copy_logits(std::size_t s) {
        const ShardRange range = shard_range(samples_, active_, s);
        std::memcpy(logits_.data() + range.first * network_.classes, shards_[s].buffers.data[network_.logits],
                    range.count * network_.classes * sizeof(float));
    }

    void begin_backward(std::size_t s) {
        ShardBuffers& shard = shards_[s].buffers;
        const ShardRange range = shard_range(samples_, active_, s);
        std::memset(shard.parameter_gradient, 0, network_.parameter_floats * sizeof(float));
        shard.written.assign(shard.written.size(), 0);
        std::memcpy(shard.gradient[network_.logits], logits_gradient_.data() + range.first * network_.classes,
                    range.count * network_.classes * sizeof(float));
        shard.written[network_.logits] = 1;
    }

    void run_stage(const Stage& stage, std::size_t s) {
        ShardBuffers& shard = shards_[s].buffers;
        for (const Operation& operation : stage) {
            const TrainingNode& node = network_.nodes[operation.node];
            const NodeView& view = views_[operation.node];
            const void* const layer = node.layer.get();
            shard.scratch.reset();
            if (operation.action == Action::run) {
                shards_[s].variant->steps[operation.node].run(node, shard, kernels_);
            } else if (operation.action == Action::gather || operation.action == Action::forward) {
                ForwardContext context(view, shard, s, kernels_);
                (operation.action == Action::gather ? node.verbs->gather : node.verbs->forward)(layer, context);
            } else {
                bool seen = false;  // whether the loss depends on it
                for (const ValueId id : node.outputs) seen = seen || shard.written[id] != 0;
                if (!seen) continue;
                GradientContext context(view, shard, s, kernels_);
                const bool frozen = freeze_ && node.verbs->frozen_gradient != nullptr;
                if (operation.action == Action::gather_gradient) {
                    node.verbs->gather_gradient(layer, context);
                } else {
                    (frozen ? node.verbs->frozen_gradient : node.verbs->gradient)(layer, context);
                }
            }
        }
    }

    TrainingNetwork network_;
    Batched batched_;
    const KernelTable& kernels_;
    WorkerTeam team_;
    bool freeze_;
    std::vector<Stage> forward_, backward_;
    std::vector<Shard> shards_;
    std::size_t active_ = 0;   // shards of this batch
    std::size_t samples_ = 0;  // of this batch
    std::vector<std::unique_ptr<Variant>> variants_;
    std::vector<Variant*> variants_in_use_;
    std::vector<float> logits_, logits_gradient_;
    std::vector<std::vector<double>> sums_storage_;
    std::vector<std::vector<double*>> sums_;
    std::vector<NodeView> views_;
};

}  // namespace detail

MOTE_END_NAMESPACE
