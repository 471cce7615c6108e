// SPDX-License-Identifier: MIT
#pragma once
// Losses: functions of a batch of logits that return the mean loss and write its gradient.

#include <mote/core/narrow.hpp>
#include <mote/tensor/error.hpp>

#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

MOTE_BEGIN_NAMESPACE

/// One batch as a loss sees it. `index[i]` is sample i's place in the dataset.
struct LossBatch {
    std::size_t classes = 0;
    std::span<const float> logits{};         ///< [samples, classes]
    std::span<const std::int64_t> labels{};  ///< [samples]
    std::span<const std::size_t> indices{};  ///< [samples]
    std::span<float> gradient{};             ///< [samples, classes]: d loss / d logits is added

    std::size_t samples() const noexcept { return classes == 0 ? 0 : logits.size() / classes; }
};

/// Adds the gradient and returns the loss, both the mean over the samples.
using Loss = std::function<double(const LossBatch&)>;

namespace detail {

/// log(sum(exp(x / temperature))), stable, in double.
inline double log_sum_exp(std::span<const float> x, double temperature = 1.0) {
    double largest = static_cast<double>(x[0]);
    for (const float v : x) largest = static_cast<double>(v) > largest ? static_cast<double>(v) : largest;
    double sum = 0.0;
    for (const float v : x) sum += std::exp((static_cast<double>(v) - largest) / temperature);
    return largest / temperature + std::log(sum);
}

inline std::span<const float> row(std::span<const float> values, std::size_t index, std::size_t classes) {
    return values.subspan(index * classes, classes);
}

/// Throws unless `targets` is shaped as the logits.
inline void expect_targets(const LossBatch& batch, std::span<const float> targets, const char* what) {
    if (targets.size() != batch.logits.size()) {
        fail(concat(what, ": ", targets.size(), " targets given for ", batch.logits.size(), " logits"));
    }
}

/// Throws where the label of sample `index` of the dataset is outside [0, classes).
inline void expect_label(std::size_t index, std::int64_t label, std::size_t classes) {
    if (label >= 0 && label < static_cast<std::int64_t>(classes)) return;
    fail(concat("sample ", index, " has label ", label, "; the model has ", classes, " outputs, so labels from 0 to ",
                classes - 1, " are expected"));
}

}  // namespace detail

/// -log(softmax(logits)[label]), times `weight`. Throws where a label is outside [0, classes).
inline double softmax_cross_entropy(const LossBatch& batch, double weight = 1.0) {
    const double share = weight / static_cast<double>(batch.samples());
    double loss = 0.0;
    for (std::size_t i = 0; i < batch.samples(); ++i) {
        const std::int64_t label = batch.labels[i];
        detail::expect_label(i < batch.indices.size() ? batch.indices[i] : i, label, batch.classes);
        const std::span<const float> x = detail::row(batch.logits, i, batch.classes);
        const double normalizer = detail::log_sum_exp(x);
        loss += share * (normalizer - static_cast<double>(x[narrow<std::size_t>(label)]));
        float* gradient = batch.gradient.data() + i * batch.classes;
        for (std::size_t c = 0; c < batch.classes; ++c) {
            const double target = c == narrow<std::size_t>(label) ? 1.0 : 0.0;
            gradient[c] += static_cast<float>(share * (std::exp(static_cast<double>(x[c]) - normalizer) - target));
        }
    }
    return loss;
}

/// -sum(target * log(softmax(logits / temperature))) * temperature^2, times `weight`; targets [samples, classes] sum to 1.
inline double soft_cross_entropy(const LossBatch& batch, std::span<const float> targets, double temperature = 1.0,
                                 double weight = 1.0) {
    detail::expect_targets(batch, targets, "soft_cross_entropy");
    const double share = weight * temperature * temperature / static_cast<double>(batch.samples());
    double loss = 0.0;
    for (std::size_t i = 0; i < batch.samples(); ++i) {
        const std::span<const float> x = detail::row(batch.logits, i, batch.classes);
        const std::span<const float> t = detail::row(targets, i, batch.classes);
        const double normalizer = detail::log_sum_exp(x, temperature);
        double mass = 0.0;
        for (const float v : t) mass += static_cast<double>(v);
        float* gradient = batch.gradient.data() + i * batch.classes;
        for (std::size_t c = 0; c < batch.classes; ++c) {
            const double log_p = static_cast<double>(x[c]) / temperature - normalizer;
            loss -= share * static_cast<double>(t[c]) * log_p;
            gradient[c] += static_cast<float>(share / temperature * (mass * std::exp(log_p) - static_cast<double>(t[c])));
        }
    }
    return loss;
}

/// Which way the divergence is taken between p = softmax(teacher / temperature) and q = softmax(logits / temperature).
enum class Divergence : std::uint8_t {
    teacher_student,  ///< KL(p || q): the usual one
    student_teacher,  ///< KL(q || p): seeks a mode of the teacher
};

/// temperature^2 * KL on softened outputs (Hinton, Vinyals and Dean 2015, section 2), times `weight`; `teacher` holds logits
/// [samples, classes].
inline double distillation_loss(const LossBatch& batch, std::span<const float> teacher, double temperature,
                                Divergence direction = Divergence::teacher_student, double weight = 1.0) {
    detail::expect_targets(batch, teacher, "distillation_loss");
    if (!(temperature > 0.0)) fail(concat("distillation_loss: temperature ", temperature, " must be positive"));
    const double share = weight * temperature * temperature / static_cast<double>(batch.samples());
    double loss = 0.0;
    for (std::size_t i = 0; i < batch.samples(); ++i) {
        const std::span<const float> x = detail::row(batch.logits, i, batch.classes);
        const std::span<const float> t = detail::row(teacher, i, batch.classes);
        const double normalizer_q = detail::log_sum_exp(x, temperature);
        const double normalizer_p = detail::log_sum_exp(t, temperature);
        float* gradient = batch.gradient.data() + i * batch.classes;
        double divergence = 0.0;
        for (std::size_t c = 0; c < batch.classes; ++c) {
            const double log_q = static_cast<double>(x[c]) / temperature - normalizer_q;
            const double log_p = static_cast<double>(t[c]) / temperature - normalizer_p;
            divergence += direction == Divergence::teacher_student ? std::exp(log_p) * (log_p - log_q)
                                                                   : std::exp(log_q) * (log_q - log_p);
        }
        loss += share * divergence;
        for (std::size_t c = 0; c < batch.classes; ++c) {
            const double log_q = static_cast<double>(x[c]) / temperature - normalizer_q;
            const double log_p = static_cast<double>(t[c]) / temperature - normalizer_p;
            const double slope = direction == Divergence::teacher_student ? std::exp(log_q) - std::exp(log_p)
                                                                          : std::exp(log_q) * (log_q - log_p - divergence);
            gradient[c] += static_cast<float>(share / temperature * slope);
        }
    }
    return loss;
}

/// The mean of (output - target)^2 over all outputs, times `weight`. On logits and a teacher's logits it is the L2 form of
/// distillation.
inline double mean_squared_error(const LossBatch& batch, std::span<const float> targets, double weight = 1.0) {
    detail::expect_targets(batch, targets, "mean_squared_error");
    const double share = weight / static_cast<double>(batch.logits.size());
    double loss = 0.0;
    for (std::size_t i = 0; i < batch.logits.size(); ++i) {
        const double difference = static_cast<double>(batch.logits[i]) - static_cast<double>(targets[i]);
        loss += share * difference * difference;
        batch.gradient[i] += static_cast<float>(2.0 * share * difference);
    }
    return loss;
}

/// The loss that train() uses: softmax cross-entropy against the labels.
inline Loss cross_entropy() {
    return [](const LossBatch& batch) { return softmax_cross_entropy(batch); };
}

/// Mean squared error against rows of `targets` [dataset size, outputs]: regression.
inline Loss squared_error_to(std::vector<float> targets) {
    return [targets = std::move(targets), rows = std::vector<float>{}](const LossBatch& batch) mutable {
        rows.clear();
        for (const std::size_t index : batch.indices) {
            if ((index + 1) * batch.classes > targets.size()) {
                fail(concat("squared_error_to: sample ", index, " has no row among ", targets.size(), " targets of ",
                            batch.classes, " outputs"));
            }
            for (std::size_t c = 0; c < batch.classes; ++c) rows.push_back(targets[index * batch.classes + c]);
        }
        return mean_squared_error(batch, rows);
    };
}

MOTE_END_NAMESPACE
