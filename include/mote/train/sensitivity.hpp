// SPDX-License-Identifier: MIT
#pragma once
// for_each_gradient: the loss's gradient by every parameter, batch by batch, without changing anything.

#include <mote/train/trainer.hpp>

MOTE_BEGIN_NAMESPACE

/// One parameter and the gradient of a batch's mean loss by it; valid during the visit.
struct ParameterGradient {
    std::string_view node{};   ///< the node's name
    std::string_view field{};  ///< "weight", "bias" ...
    Shape shape{};
    std::span<const float> value{};
    std::span<const float> gradient{};
};

struct GradientOptions {
    std::size_t batch_size = 32;
    std::size_t threads = 1;
    std::size_t shards = 4;
    bool freeze_batch_norm = true;         ///< the gradient of the model as it infers
    const KernelTable* kernels = nullptr;  ///< native_kernels() where null
};

/// Calls visit(gradients) for each batch, in the dataset's order. Throws as optimize does.
template <class List, Dataset D>
void for_each_gradient(const BasicModel<List>& model, const D& data, const Loss& loss, const GradientOptions& options,
                       const std::function<void(std::span<const ParameterGradient>)>& visit) {
    detail::check_batches(options.batch_size, options.shards);
    detail::TrainingNetwork network = detail::make_training_network(model);
    const detail::AnyDataset samples = detail::any_dataset(data, model.value(model.inputs()[0]));
    const std::size_t most = options.batch_size < samples.size ? options.batch_size : samples.size;
    detail::TrainingSession session(
        std::move(network), [&model](std::size_t n) { return detail::batched_values(model, n); }, most, options.shards,
        options.threads, options.freeze_batch_norm,
        options.kernels == nullptr ? native_kernels<has_integer_convolutions<List>, true, false>() : *options.kernels);
    std::vector<float> row(session.network().parameter_floats, 0.0f);
    std::vector<ParameterGradient> gradients;
    for (const detail::TrainedParameter& p : session.network().parameters) {
        gradients.push_back({session.network().nodes[p.node].name,
                             p.field,
                             p.shape,
                             {p.values, p.size},
                             std::span<const float>(row).subspan(p.offset, p.size)});
    }
    std::vector<std::int64_t> labels;
    std::vector<std::size_t> indices;
    const std::size_t batches = (samples.size + most - 1) / most;
    for (std::size_t b = 0; b < batches; ++b) {
        const detail::ShardRange range = detail::shard_range(samples.size, batches, b);
        labels.resize(range.count);
        indices.resize(range.count);
        for (std::size_t i = 0; i < range.count; ++i) indices[i] = range.first + i;
        session.prepare(range.count);
        session.lower_all();
        const std::span<const float> logits = session.forward(
            [&](std::size_t place, std::span<float> values) { labels[place] = samples.load(indices[place], values); });
        const double value = loss({session.network().classes, logits, labels, indices, session.logits_gradient()});
        if (!std::isfinite(value)) {
            fail(concat("batch ", b, ": the loss is ", value, "; finite weights and samples are expected"));
        }
        session.backward();
        session.reduce(0, row.size(), row.data());
        visit(gradients);
    }
}

MOTE_END_NAMESPACE
