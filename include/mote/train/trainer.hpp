// SPDX-License-Identifier: MIT
#pragma once
// train and optimize: from a model and data to a model with better parameters.

#include <mote/data/dataset.hpp>
#include <mote/kernels/native.hpp>
#include <mote/quantization/scale.hpp>
#include <mote/train/loss.hpp>
#include <mote/train/optimizer.hpp>
#include <mote/train/schedule.hpp>
#include <mote/train/detail/session.hpp>

#include <chrono>

MOTE_BEGIN_NAMESPACE

/// What a callback sees after every step.
struct TrainProgress {
    std::size_t epoch = 0;  ///< counted from 1
    std::size_t epochs = 0;
    std::size_t step = 0;  ///< of the whole training, counted from 1
    std::size_t steps = 0;
    bool epoch_ended = false;
    double loss = 0.0;      ///< mean over the epoch's samples so far
    double accuracy = 0.0;  ///< share of the epoch's samples so far whose largest logit is the label's
    double learning_rate = 0.0;
    double samples_per_second = 0.0;
    double remaining_seconds = 0.0;
};

struct TrainOptions {
    std::size_t epochs = 10;
    std::size_t batch_size = 32;  ///< an epoch's batches are at most this large, and differ by at most one sample
    Optimizer optimizer = AdamW{};
    Schedule schedule = Cosine{.rate = 2e-3f, .warm_up_epochs = 1};
    std::uint64_t seed = 0;   ///< of the order of samples and their augmentation
    std::size_t threads = 1;  ///< at most `shards` of them work; they do not change the result
    std::function<void(const TrainProgress&)> callback{};
    Augmentation augment{};
    std::size_t shards = 4;                ///< parts of a batch that threads compute; their number shows in the last bits
    bool keep_zeros = false;               ///< weights of two axes or more that are zero at entry stay exactly zero
    bool freeze_batch_norm = false;        ///< BatchNorm computes with its stored statistics, which stay
    const KernelTable* kernels = nullptr;  ///< native_kernels() where null
};

namespace detail {

/// A dataset without its type.
struct AnyDataset {
    std::size_t size = 0;
    std::function<std::int64_t(std::size_t, std::span<float>)> load;
};

/// `data` must outlive the result. Throws where it is empty or its samples do not fit the model's input.
template <Dataset D>
AnyDataset any_dataset(const D& data, const Value& input) {
    const auto size = static_cast<std::size_t>(data.size());
    if (size == 0) fail("the dataset is empty; at least one sample is expected");
    if constexpr (ShapedDataset<D>) {
        const Shape shape = data.shape();
        const std::size_t expected = input.shape.elements() / input.shape[0];
        if (shape.elements() != expected) {
            fail(concat("a sample is [", to_string(shape), "]; input ", to_string(input), " takes ", expected,
                        " values a sample"));
        }
    }
    return {size, [&data](std::size_t index, std::span<float> values) {
                return static_cast<std::int64_t>(data.load(index, values));
            }};
}

/// Samples whose largest logit is the label's.
inline std::size_t count_hits(const LossBatch& batch) {
    std::size_t hits = 0;
    for (std::size_t i = 0; i < batch.samples(); ++i) {
        const std::span<const float> x = row(batch.logits, i, batch.classes);
        std::size_t best = 0;
        for (std::size_t c = 1; c < x.size(); ++c) best = x[c] > x[best] ? c : best;
        hits += static_cast<std::int64_t>(best) == batch.labels[i] ? 1u : 0u;
    }
    return hits;
}

/// The optimizer's memory of one parameter.
struct ParameterMemory {
    std::vector<float> gradient, first, second;
    std::vector<std::uint32_t> zeros;  // the places that stay zero
};

/// The loop of optimize(), without types.
class Trainer {
  public:
    Trainer(TrainingSession& session, AnyDataset data, Loss loss, const TrainOptions& options, Shape sample)
        : session_(session), data_(std::move(data)), loss_(std::move(loss)), options_(options), sample_(sample) {
        const TrainingNetwork& network = session_.network();
        for (const TrainedParameter& parameter : network.parameters) {
            ParameterMemory memory{
                std::vector<float>(parameter.size), std::vector<float>(parameter.size), std::vector<float>(parameter.size), {}};
            if (options_.keep_zeros && parameter.role == Role::weight && parameter.shape.rank() > 1) {
                for (std::size_t i = 0; i < parameter.size; ++i) {
                    if (parameter.values[i] == 0.0f) memory.zeros.push_back(narrow<std::uint32_t>(i));
                }
            }
            memory_.push_back(std::move(memory));
        }
        of_node_.resize(network.nodes.size());
        for (std::size_t p = 0; p < network.parameters.size(); ++p) of_node_[network.parameters[p].node].push_back(p);
    }

    void run() {
        steps_an_epoch_ = (data_.size + options_.batch_size - 1) / options_.batch_size;
        for (std::size_t i = 0; i < data_.size; ++i) order_.push_back(i);
        start_ = std::chrono::steady_clock::now();
        session_.prepare(batch(0).count);
        session_.lower_all();
        for (epoch_ = 0; epoch_ < options_.epochs; ++epoch_) {
            Random random(options_.seed, 2 * epoch_);
            shuffle(order_, random);
            loss_sum_ = 0.0;
            hits_ = seen_ = 0;
            for (std::size_t b = 0; b < steps_an_epoch_; ++b) step(b);
        }
        if (step_ > 0) expect_finite();
    }

  private:
    ShardRange batch(std::size_t b) const { return shard_range(data_.size, steps_an_epoch_, b); }

    void step(std::size_t b) {
        const ShardRange range = batch(b);
        const std::span<const std::size_t> indices = std::span(order_).subspan(range.first, range.count);
        labels_.resize(range.count);
        const std::span<const float> logits = session_.forward([&](std::size_t place, std::span<float> values) {
            labels_[place] = data_.load(indices[place], values);
            if (!options_.augment) return;
            Random random(options_.seed, 2 * (epoch_ * data_.size + indices[place]) + 1);
            options_.augment(values, sample_, random);
        });
        const LossBatch seen{session_.network().classes, logits, labels_, indices, session_.logits_gradient()};
        const double loss = loss_(seen);
        ++step_;
        if (!std::isfinite(loss)) {
            fail(concat("training step ", step_, " (epoch ", epoch_ + 1, "): the loss is ", loss,
                        "; a smaller learning rate, or finite weights and samples, are expected"));
        }
        session_.backward();
        const double rate =
            learning_rate(options_.schedule, static_cast<double>(step_ - 1) / static_cast<double>(steps_an_epoch_),
                          static_cast<double>(options_.epochs), static_cast<double>(steps_an_epoch_));
        const std::size_t next = batch((b + 1) % steps_an_epoch_).count;
        const bool same = next == range.count;
        session_.team().run(session_.network().nodes.size(), [&](std::size_t node) {
            for (const std::size_t p : of_node_[node]) update(p, rate);
            if (!options_.freeze_batch_norm) session_.learn(node);
            if (same) session_.lower(node);
        });
        if (!same) {
            session_.prepare(next);
            session_.lower_all();
        }
        loss_sum_ += loss * static_cast<double>(range.count);
        hits_ += count_hits(seen);
        seen_ += range.count;
        if (options_.callback) report(b + 1 == steps_an_epoch_, rate);
    }

    void update(std::size_t p, double rate) {
        const TrainedParameter& parameter = session_.network().parameters[p];
        ParameterMemory& memory = memory_[p];
        session_.reduce(parameter.offset, parameter.size, memory.gradient.data());
        std::visit(
            [&](const auto& optimizer) {
                ParameterStep step{parameter.size,
                                   parameter.values,
                                   memory.gradient.data(),
                                   memory.first.data(),
                                   memory.second.data(),
                                   rate,
                                   step_,
                                   false};
                step.decay = optimizer.decay_all || (parameter.role == Role::weight && parameter.shape.rank() > 1);
                apply(optimizer, step);
            },
            options_.optimizer);
        for (const std::uint32_t place : memory.zeros) parameter.values[place] = 0.0f;
    }

    /// No loss has seen the last step: looks at the parameters themselves.
    void expect_finite() const {
        const TrainingNetwork& network = session_.network();
        for (const TrainedParameter& parameter : network.parameters) {
            const TrainingNode& node = network.nodes[parameter.node];
            const std::size_t at = first_not_finite({parameter.values, parameter.size});
            if (at == parameter.size) continue;
            fail(concat("node '", node.name, "' (", node.kind, "): element ", at, " of its ", parameter.field,
                        " is NaN or infinite after training step ", step_,
                        ", the last; a smaller learning rate, or finite weights and samples, are expected"));
        }
    }

    void report(bool epoch_ended, double rate) const {
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
        const std::size_t steps = steps_an_epoch_ * options_.epochs;
        TrainProgress progress;
        progress.epoch = epoch_ + 1;
        progress.epochs = options_.epochs;
        progress.step = step_;
        progress.steps = steps;
        progress.epoch_ended = epoch_ended;
        progress.loss = loss_sum_ / static_cast<double>(seen_);
        progress.accuracy = static_cast<double>(hits_) / static_cast<double>(seen_);
        progress.learning_rate = rate;
        progress.samples_per_second = static_cast<double>(epoch_ * data_.size + seen_) / (seconds > 1e-9 ? seconds : 1e-9);
        progress.remaining_seconds = seconds * static_cast<double>(steps - step_) / static_cast<double>(step_);
        options_.callback(progress);
    }

    TrainingSession& session_;
    AnyDataset data_;
    Loss loss_;
    const TrainOptions& options_;
    Shape sample_;
    std::vector<ParameterMemory> memory_;
    std::vector<std::vector<std::size_t>> of_node_;
    std::vector<std::size_t> order_;
    std::vector<std::int64_t> labels_;
    std::chrono::steady_clock::time_point start_{};
    std::size_t steps_an_epoch_ = 0, epoch_ = 0, step_ = 0, hits_ = 0, seen_ = 0;
    double loss_sum_ = 0.0;
};

inline void check_batches(std::size_t batch_size, std::size_t shards) {
    if (batch_size == 0) fail("batch_size is 0; a batch needs at least one sample");
    if (shards == 0) fail("shards is 0; a batch is computed in at least one shard");
}

inline Shape sample_shape(const Shape& batched) {
    Shape shape = Shape::ones(batched.rank() - 1);
    for (std::size_t axis = 0; axis < shape.rank(); ++axis) shape[axis] = batched[axis + 1];
    return shape;
}

}  // namespace detail

/// The model after gradient descent on `loss` of its logits. A model that ends in Softmax keeps it: its logits are what goes
/// into the Softmax. The argument does not change. The result depends on model, data, options and build alone, to the bit, not
/// on the number of threads. Throws an Error for an empty dataset or batch, samples that do not fit, a loss that is not finite
/// (naming the step), parameters that are not finite at the end (naming the node), and a model that cannot be trained (listing
/// every reason): one input, one output, f32 throughout, the samples along the first axis of every value.
template <class List, Dataset D>
BasicModel<List> optimize(const BasicModel<List>& model, const D& data, Loss loss, const TrainOptions& options = {}) {
    detail::check_batches(options.batch_size, options.shards);
    detail::TrainingNetwork network = detail::make_training_network(model);
    const Value& input = model.value(model.inputs()[0]);
    detail::AnyDataset samples = detail::any_dataset(data, input);
    const std::size_t batch = options.batch_size < samples.size ? options.batch_size : samples.size;
    detail::TrainingSession session(
        std::move(network), [&model](std::size_t n) { return detail::batched_values(model, n); }, batch, options.shards,
        options.threads, options.freeze_batch_norm,
        options.kernels == nullptr ? native_kernels<has_integer_convolutions<List>, true, false>() : *options.kernels);
    detail::Trainer(session, std::move(samples), std::move(loss), options, detail::sample_shape(input.shape)).run();
    return detail::trained_model(model, session.network());
}

/// The model after training on the labels by softmax cross-entropy. Throws as optimize does, and for a label outside
/// [0, outputs).
template <class List, Dataset D>
BasicModel<List> train(const BasicModel<List>& model, const D& data, const TrainOptions& options = {}) {
    return optimize(model, data, cross_entropy(), options);
}

MOTE_END_NAMESPACE
