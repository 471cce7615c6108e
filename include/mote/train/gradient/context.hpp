// SPDX-License-Identifier: MIT
#pragma once
// ForwardContext and GradientContext: what a layer sees of its node while it trains. A batch is computed in shards of a few
// samples each; a context is one node in one shard, and all its buffers are f32.

#include <mote/core/narrow.hpp>
#include <mote/kernels/kernel_table.hpp>
#include <mote/model/value.hpp>

#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// Memory that a node asks for piece by piece and gives back as a whole. After a few steps it no longer allocates.
class Scratch {
  public:
    void reset() {
        if (blocks_.size() > 1) {
            std::size_t total = 0;
            for (const Block& block : blocks_) total += block.bytes;
            blocks_.clear();
            add(total);
        }
        used_ = 0;
    }
    std::byte* take(std::size_t bytes) {
        bytes = align_up(bytes);
        if (blocks_.empty() || used_ + bytes > blocks_.back().bytes) {
            add(bytes);
            used_ = 0;
        }
        std::byte* const memory = blocks_.back().memory.get() + used_;
        used_ += bytes;
        return memory;
    }

  private:
    struct Block {
        std::shared_ptr<std::byte> memory;
        std::size_t bytes;
    };
    void add(std::size_t bytes) { blocks_.push_back({allocate_bytes(bytes), align_up(bytes)}); }
    std::vector<Block> blocks_;
    std::size_t used_ = 0;
};

/// A trained field of a node: its name, and its place in a shard's row of parameter gradients.
struct ParameterSlot {
    const char* name = nullptr;
    std::size_t offset = 0;
    std::size_t size = 0;
};

/// What one shard owns. The vectors are indexed by value.
struct ShardBuffers {
    std::span<const Value> values;       // shaped for this shard's samples
    std::vector<float*> data;            // activations
    std::vector<float*> gradient;        // null where nobody asks for it
    std::vector<unsigned char> written;  // whether `gradient` holds something yet
    float* parameter_gradient = nullptr;
    Scratch scratch;
};

/// A node as its contexts see it.
struct NodeView {
    std::string_view name;
    const char* kind = nullptr;
    std::span<const ValueId> inputs;
    std::span<const ValueId> outputs;
    std::span<const ParameterSlot> parameters;
    std::span<double* const> sums;  // by shard
    std::size_t sums_size = 0;
};

}  // namespace detail

/// For layers that couple the samples of a batch (BatchNorm): the forward pass of a node in one shard.
class ForwardContext {
  public:
    ForwardContext(const detail::NodeView& node, detail::ShardBuffers& shard, std::size_t index, const KernelTable& kernels)
        : node_(node), shard_(shard), index_(index), kernels_(kernels) {}

    std::size_t inputs() const noexcept { return node_.inputs.size(); }
    std::size_t outputs() const noexcept { return node_.outputs.size(); }
    /// Shapes are this shard's.
    const Value& input(std::size_t index = 0) const noexcept { return shard_.values[node_.inputs[index]]; }
    const Value& output(std::size_t index = 0) const noexcept { return shard_.values[node_.outputs[index]]; }
    const float* input_data(std::size_t index = 0) const noexcept { return shard_.data[node_.inputs[index]]; }
    float* output_data(std::size_t index = 0) const noexcept { return shard_.data[node_.outputs[index]]; }

    const KernelTable& kernels() const noexcept { return kernels_; }
    /// Memory until the call returns, 64-byte aligned, not cleared.
    template <class T>
    T* scratch(std::size_t count) {
        return reinterpret_cast<T*>(shard_.scratch.take(count * sizeof(T)));
    }

    /// What the shards of a batch tell each other: as many numbers a shard as batch_sums(layer) said.
    std::size_t shard() const noexcept { return index_; }
    std::size_t shards() const noexcept { return node_.sums.size(); }
    std::span<double> sums(std::size_t shard) const noexcept { return {node_.sums[shard], node_.sums_size}; }

    [[noreturn]] void fail(const std::string& text) const {
        mote::fail(concat("node '", node_.name, "' (", node_.kind, "): ", text));
    }

  protected:
    const detail::NodeView& node_;
    detail::ShardBuffers& shard_;
    std::size_t index_;
    const KernelTable& kernels_;
};

/// Where the gradient of an input goes: overwritten, or added to where another node has written before.
struct GradientSink {
    float* data = nullptr;
    bool accumulate = false;
};

/// A layer computes the gradients of its inputs and parameters from those of its outputs:
///
///     void gradient(const MyLayer& layer, mote::GradientContext& node) {
///         if (!node.wants(0)) return;
///         const std::span<float> dx = node.input_gradient(0);  // add to it
///         const float* dy = node.output_gradient();
///         for (std::size_t i = 0; i < dx.size(); ++i) dx[i] += layer.factor * dy[i];
///     }
class GradientContext : public ForwardContext {
  public:
    using ForwardContext::ForwardContext;

    /// The gradient of the loss by an output; zeros where the loss does not depend on it.
    const float* output_gradient(std::size_t index = 0) {
        const ValueId id = node_.outputs[index];
        if (shard_.written[id] == 0) {
            std::memset(shard_.gradient[id], 0, shard_.values[id].bytes());
            shard_.written[id] = 1;
        }
        return shard_.gradient[id];
    }

    /// Whether anything before input `index` is trained; if not, its gradient has no place.
    bool wants(std::size_t index) const noexcept { return shard_.gradient[node_.inputs[index]] != nullptr; }

    /// The gradient of a wanted input. The layer adds to it.
    std::span<float> input_gradient(std::size_t index) {
        const GradientSink sink = input_sink(index);
        const std::size_t count = input(index).shape.elements();
        if (!sink.accumulate) std::memset(sink.data, 0, count * sizeof(float));
        return {sink.data, count};
    }

    /// The same for a layer that would rather overwrite: it must write every element once.
    GradientSink input_sink(std::size_t index) {
        const ValueId id = node_.inputs[index];
        const bool written = shard_.written[id] != 0;
        shard_.written[id] = 1;
        return {shard_.gradient[id], written};
    }

    /// The gradient of a field of role weight or bias, this shard's part; zero at first, the layer adds to it. Empty where the
    /// layer has no such parameter (no bias).
    std::span<float> parameter_gradient(std::string_view field) {
        for (const detail::ParameterSlot& slot : node_.parameters) {
            if (field == slot.name) return {shard_.parameter_gradient + slot.offset, slot.size};
        }
        return {};
    }
};

namespace detail {

/// sink (+)= values
inline void put(const GradientSink& sink, std::size_t count, const float* values) {
    if (!sink.accumulate) {
        std::memcpy(sink.data, values, count * sizeof(float));
        return;
    }
    for (std::size_t i = 0; i < count; ++i) sink.data[i] += values[i];
}

}  // namespace detail

MOTE_END_NAMESPACE
