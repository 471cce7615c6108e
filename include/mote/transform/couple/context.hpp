// SPDX-License-Identifier: MIT
#pragma once
// CoupleContext: how a layer says which channels of its values and parameters hang together.

#include <mote/model/model.hpp>
#include <mote/transform/detail/checks.hpp>

MOTE_BEGIN_NAMESPACE

/// A channel that can be removed as a whole: a number that labels elements of values and slices of parameters. Channels that
/// are joined go together.
using Channel = std::size_t;

/// One index of one axis of a layer's parameter.
struct ParameterSlice {
    std::size_t node = 0;
    const char* field = nullptr;
    std::size_t axis = 0;
    std::size_t index = 0;
    bool output = false;  ///< the axis runs over the layer's outputs, not its inputs
};

/// The label of each element of a value, row-major; it repeats every `channels.size()` elements.
struct Labels {
    std::vector<Channel> channels{};
    Channel operator[](std::size_t element) const noexcept { return channels[element % channels.size()]; }
};

/// All channels of a model.
class Couplings {
  public:
    Channel make() {
        slices_.emplace_back();
        locks_.emplace_back();
        return sets_.add();
    }
    /// A channel that is never removed.
    Channel make_locked(std::string reason) {
        const Channel channel = make();
        locks_[channel] = std::move(reason);
        return channel;
    }
    Channel find(Channel channel) noexcept { return sets_.find(channel); }
    void join(Channel a, Channel b) {
        a = find(a);
        b = find(b);
        if (!sets_.join(a, b)) return;
        const Channel root = find(a), other = root == a ? b : a;
        slices_[root].insert(slices_[root].end(), slices_[other].begin(), slices_[other].end());
        slices_[other].clear();
        if (locks_[root].empty()) locks_[root] = std::move(locks_[other]);
    }
    void lock(Channel channel, const std::string& reason) {
        std::string& known = locks_[find(channel)];
        if (known.empty()) known = reason;
    }
    /// Why the channel stays; empty where it can go.
    const std::string& locked(Channel channel) { return locks_[find(channel)]; }
    void add_slice(Channel channel, const ParameterSlice& slice) { slices_[find(channel)].push_back(slice); }
    const std::vector<ParameterSlice>& slices(Channel channel) { return slices_[find(channel)]; }
    std::size_t size() const noexcept { return sets_.size(); }

  private:
    detail::DisjointSets sets_;
    std::vector<std::vector<ParameterSlice>> slices_;
    std::vector<std::string> locks_;
};

/// What the verb couple sees of a node. A layer reads the labels of its inputs, joins what it needs to stay or go together,
/// says which slices of its parameters go with which channel, and labels its outputs:
///
///     void couple(const MyScale& layer, mote::CoupleContext& node) {
///         const std::vector<mote::Channel> channels = node.input_channels(0);  // one a position of the last axis
///         node.slices(layer, channels, {});
///         node.output(channels);
///     }
class CoupleContext {
  public:
    CoupleContext(Couplings& all, std::size_t index, const std::string& name, const char* kind,
                  std::vector<const Value*> inputs, std::vector<const Labels*> labels, std::vector<const Value*> outputs)
        : all_(all),
          index_(index),
          name_(name),
          kind_(kind),
          inputs_(std::move(inputs)),
          labels_(std::move(labels)),
          outputs_(std::move(outputs)) {}

    std::size_t inputs() const noexcept { return inputs_.size(); }
    const Value& input(std::size_t index = 0) const noexcept { return *inputs_[index]; }
    const Labels& labels(std::size_t index = 0) const noexcept { return *labels_[index]; }
    const Value& output_value(std::size_t index = 0) const noexcept { return *outputs_[index]; }
    Couplings& all() noexcept { return all_; }

    /// One channel a position of the input's last axis: whatever else labels its elements is joined.
    std::vector<Channel> input_channels(std::size_t index = 0) {
        const std::size_t count = input(index).shape.back();
        std::vector<Channel> channels;
        for (std::size_t c = 0; c < count; ++c) channels.push_back(labels(index)[c]);
        const std::size_t period = labels(index).channels.size();
        for (std::size_t i = count; i < period; ++i) all_.join(labels(index)[i], channels[i % count]);
        return channels;
    }

    /// `count` fresh channels.
    std::vector<Channel> make_channels(std::size_t count) {
        std::vector<Channel> channels;
        for (std::size_t c = 0; c < count; ++c) channels.push_back(all_.make());
        return channels;
    }

    /// Every parameter's slices, along the axes that its field names: over the outputs with `out`, over the inputs with `in`.
    template <class L>
    void slices(const L& layer, const std::vector<Channel>& out, const std::vector<Channel>& in) {
        for_each_parameter(layer, [&](const auto& field, const auto& tensor) {
            auto along = [&](int axis, const std::vector<Channel>& channels, bool output) {
                if (axis == no_axis || channels.empty()) return;
                const auto a = static_cast<std::size_t>(axis);
                for (std::size_t i = 0; i < tensor.shape()[a]; ++i) {
                    all_.add_slice(channels[i], {index_, field.name, a, i, output});
                }
            };
            along(field.output_axis, out, true);
            along(field.input_axis, in, false);
        });
    }

    /// Labels the next output by its last axis.
    void output(std::vector<Channel> channels) { result_.push_back({std::move(channels)}); }
    /// Labels the next output element by element.
    void output(Labels labels) { result_.push_back(std::move(labels)); }

    /// Nothing of the inputs and outputs may be removed.
    void lock(const std::string& why) {
        const std::string reason = concat("'", name_, "' (", kind_, ") ", why);
        for (const Labels* labels : labels_) {
            for (const Channel channel : labels->channels) all_.lock(channel, reason);
        }
        result_.clear();
        for (std::size_t i = 0; i < outputs_.size(); ++i) output({all_.make_locked(reason)});
    }

    std::vector<Labels>& result() noexcept { return result_; }
    const std::string& name() const noexcept { return name_; }

  private:
    Couplings& all_;
    std::size_t index_;
    const std::string& name_;
    const char* kind_;
    std::vector<const Value*> inputs_;
    std::vector<const Labels*> labels_;
    std::vector<const Value*> outputs_;
    std::vector<Labels> result_;
};

MOTE_END_NAMESPACE
