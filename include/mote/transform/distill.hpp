// SPDX-License-Identifier: MIT
#pragma once
// distill: trains a student on labels and on the answers of a teacher.

#include <mote/quantization/scale.hpp>
#include <mote/train/evaluate.hpp>
#include <mote/train/trainer.hpp>

MOTE_BEGIN_NAMESPACE

/// How the student's outputs are held against the teacher's.
enum class DistillLoss : std::uint8_t {
    kl_teacher_student,  ///< KL(teacher || student) on softened outputs: the usual one
    kl_student_teacher,  ///< KL(student || teacher) on softened outputs
    logits_l2,           ///< mean squared difference of the logits; temperature does not count
    soft_cross_entropy,  ///< cross-entropy with the teacher's softened outputs as labels
};

/// loss = hard_label_weight * L_task + lambda * temperature^2 * KL, the softened outputs being softmax(logits / temperature)
/// (Hinton, Vinyals and Dean 2015, section 2). L_task is softmax cross-entropy against the labels.
struct DistillOptions {
    double temperature = 4.0;
    double lambda = 1.0;
    double hard_label_weight = 1.0;
    DistillLoss loss = DistillLoss::kl_teacher_student;
    TrainOptions training{};
};

namespace detail {

/// Adds to the gradient of the batch and returns the weighted loss; `teacher` holds the batch's logits.
inline double distillation_term(const LossBatch& batch, std::span<const float> teacher, const DistillOptions& options) {
    const double weight = options.lambda;
    switch (options.loss) {
        case DistillLoss::kl_student_teacher:
            return distillation_loss(batch, teacher, options.temperature, Divergence::student_teacher, weight);
        case DistillLoss::logits_l2:
            return mean_squared_error(batch, teacher, weight);
        case DistillLoss::soft_cross_entropy: {
            std::vector<float> targets(teacher.size());
            for (std::size_t i = 0; i < batch.samples(); ++i) {
                const std::span<const float> logits = row(teacher, i, batch.classes);
                const double normalizer = log_sum_exp(logits, options.temperature);
                for (std::size_t c = 0; c < batch.classes; ++c) {
                    targets[i * batch.classes + c] =
                        static_cast<float>(std::exp(static_cast<double>(logits[c]) / options.temperature - normalizer));
                }
            }
            return soft_cross_entropy(batch, targets, options.temperature, weight);
        }
        case DistillLoss::kl_teacher_student:
            break;
    }
    return distillation_loss(batch, teacher, options.temperature, Divergence::teacher_student, weight);
}

/// The logits of a sample: the elements of a model's one output without the batch axis, before a final Softmax.
template <class List>
std::size_t logits_of(const BasicModel<List>& model, const char* who) {
    if (model.outputs().size() != 1 || model.inputs().size() != 1) {
        fail(concat("distill: the ", who, " has ", model.inputs().size(), " inputs and ", model.outputs().size(),
                    " outputs; one of each is expected"));
    }
    const Shape& shape = model.value(model.outputs()[0]).shape;
    return shape.rank() == 0 || shape[0] == 0 ? 0 : shape.elements() / shape[0];
}

}  // namespace detail

/// The student after training against the labels and the teacher. The two may differ in everything but the number of outputs;
/// the teacher may be int8. A final Softmax is looked through on either side: logits are compared. The teacher answers once,
/// for the samples as they stand in the set; TrainOptions::augment changes what the student sees. Throws where the numbers of
/// outputs differ, for a temperature, lambda or weight that makes no loss, teacher answers that are not finite, and as optimize
/// does.
template <class T, class S, Dataset D>
BasicModel<S> distill(const BasicModel<T>& teacher, const BasicModel<S>& student, const D& data,
                      const DistillOptions& options = {}) {
    if (!(options.temperature > 0.0 && options.temperature < 1e6)) {
        fail(concat("distill: temperature ", options.temperature, "; a positive number is expected"));
    }
    if (!(options.lambda >= 0.0 && options.hard_label_weight >= 0.0 && options.lambda + options.hard_label_weight > 0.0 &&
          options.lambda + options.hard_label_weight < 1e6)) {
        fail(concat("distill: lambda ", options.lambda, " and hard_label_weight ", options.hard_label_weight,
                    "; numbers from 0 are expected, not both 0"));
    }
    const std::size_t classes = detail::logits_of(teacher, "teacher");
    const std::size_t student_classes = detail::logits_of(student, "student");
    if (classes != student_classes) {
        fail(concat("distill: the teacher has ", classes, " outputs a sample (", to_string(teacher.value(teacher.outputs()[0])),
                    "), the student ", student_classes, " (", to_string(student.value(student.outputs()[0])),
                    "); the same number is expected"));
    }
    EvaluateOptions evaluation;
    evaluation.engine.kernels = options.training.kernels;
    const Tensor<f32> answers = predict(without_softmax(teacher), data, evaluation).outputs;
    if (const std::size_t at = first_not_finite(answers.values()); at != answers.size()) {
        fail(concat("distill: the teacher's answer to sample ", at / classes,
                    " is NaN or infinite; finite numbers are expected"));
    }
    std::vector<float> rows;
    const Loss loss = [&](const LossBatch& batch) {
        rows.clear();
        for (const std::size_t index : batch.indices) {
            const std::span<const float> row = answers.values().subspan(index * classes, classes);
            rows.insert(rows.end(), row.begin(), row.end());
        }
        double total = 0.0;
        if (options.hard_label_weight > 0.0) total += softmax_cross_entropy(batch, options.hard_label_weight);
        if (options.lambda > 0.0) total += detail::distillation_term(batch, rows, options);
        return total;
    };
    return optimize(student, data, loss, options.training);
}

MOTE_END_NAMESPACE
