// SPDX-License-Identifier: MIT
#pragma once
// distill: trains a student on labels and on the answers of a teacher.

#include <mote/quantization/scale.hpp>
#include <mote/train/evaluate.hpp>
#include <mote/train/trainer.hpp>

#include <mutex>
#include <unordered_map>

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

/// The elements of a value without its batch axis.
inline std::size_t elements_a_sample(const Shape& shape) {
    return shape.rank() == 0 || shape[0] == 0 ? 0 : shape.elements() / shape[0];
}

/// The logits of a sample: the elements of a model's one output, before a final Softmax.
template <class List>
std::size_t logits_of(const BasicModel<List>& model, const char* who) {
    if (model.outputs().size() != 1 || model.inputs().size() != 1) {
        fail(concat("distill: the ", who, " has ", model.inputs().size(), " inputs and ", model.outputs().size(),
                    " outputs; one of each is expected"));
    }
    return elements_a_sample(model.value(model.outputs()[0]).shape);
}

/// What a batch's samples were when the student saw them: notes each sample as it is loaded and changed, from any thread.
/// clear() forgets them, between two batches.
class AugmentedSamples {
  public:
    void loaded(std::size_t index, const float* place) {
        const std::lock_guard<std::mutex> lock(mutex_);
        index_of_[place] = index;
    }
    void changed(std::span<const float> values) {
        const std::lock_guard<std::mutex> lock(mutex_);
        values_of_[index_of_.at(values.data())].assign(values.begin(), values.end());
    }
    void clear() {
        index_of_.clear();
        values_of_.clear();
    }
    std::size_t size() const { return values_of_.size(); }
    const std::vector<float>& operator[](std::size_t index) const { return values_of_.at(index); }

  private:
    std::mutex mutex_;
    std::unordered_map<const float*, std::size_t> index_of_;
    std::unordered_map<std::size_t, std::vector<float>> values_of_;
};

/// The dataset, with a note of every sample that is loaded.
template <Dataset D>
struct NotedDataset {
    const D& data;
    AugmentedSamples& samples;
    std::size_t size() const { return static_cast<std::size_t>(data.size()); }
    std::int64_t load(std::size_t index, std::span<float> values) const {
        const auto label = static_cast<std::int64_t>(data.load(index, values));
        samples.loaded(index, values.data());
        return label;
    }
    Shape shape() const requires ShapedDataset<D> { return data.shape(); }
};

/// Rows of [samples, classes] that must be finite.
inline void expect_finite_answers(std::span<const float> answers, std::size_t classes) {
    const std::size_t at = first_not_finite(answers);
    if (at == answers.size()) return;
    fail(concat("distill: the teacher's answer to sample ", at / classes, " is NaN or infinite; finite numbers are expected"));
}

/// The teacher's logits for a batch of samples as the student saw them.
template <class List>
class Teacher {
  public:
    Teacher(BasicModel<List> logits, const KernelTable* kernels) : logits_(std::move(logits)), kernels_(kernels) {}

    void answer(const LossBatch& batch, const AugmentedSamples& samples, std::vector<float>& rows) {
        const std::size_t count = batch.samples();
        if (!engine_ || count_ != count) {
            EngineOptions options;
            options.kernels = kernels_;
            engine_.emplace(with_batch(logits_, count), options);
            input_ = Tensor<f32>(engine_->input_value().shape);
            count_ = count;
        }
        const std::size_t size = input_.elements() / count;
        for (std::size_t i = 0; i < count; ++i) {
            std::memcpy(input_.data() + i * size, samples[batch.indices[i]].data(), size * sizeof(float));
        }
        set_input(*engine_, 0, input_);
        engine_->run();
        const Tensor<f32> output = get_output(*engine_);
        rows.assign(output.values().begin(), output.values().end());
        expect_finite_answers(rows, batch.classes);
    }

  private:
    BasicModel<List> logits_;
    const KernelTable* kernels_;
    std::optional<Engine> engine_{};
    Tensor<f32> input_{};
    std::size_t count_ = 0;
};

}  // namespace detail

/// The student after training against the labels and the teacher. The two may differ in everything but the number of outputs;
/// the teacher may be int8. A final Softmax is looked through on either side: logits are compared. The teacher answers once for
/// the whole set, before the training; with TrainOptions::augment it answers each batch anew, for the samples as they were
/// changed for the student. Throws where the numbers of outputs or of values in a sample differ, for a temperature, lambda or
/// weight that makes no loss, teacher answers that are not finite, and as optimize does.
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
    const Value& taken = teacher.value(teacher.inputs()[0]);
    const Value& student_taken = student.value(student.inputs()[0]);
    if (detail::elements_a_sample(taken.shape) != detail::elements_a_sample(student_taken.shape)) {
        fail(concat("distill: the teacher takes samples of ", detail::elements_a_sample(taken.shape), " values (",
                    to_string(taken), "), the student of ", detail::elements_a_sample(student_taken.shape), " (",
                    to_string(student_taken), "); the same number is expected"));
    }
    std::vector<float> rows;
    auto combined = [&](const LossBatch& batch) {
        double total = 0.0;
        if (options.hard_label_weight > 0.0) total += softmax_cross_entropy(batch, options.hard_label_weight);
        if (options.lambda > 0.0) total += detail::distillation_term(batch, rows, options);
        return total;
    };
    const BasicModel<T> logits = without_softmax(teacher);
    if (!options.training.augment) {
        EvaluateOptions evaluation;
        evaluation.engine.kernels = options.training.kernels;
        const Tensor<f32> answers = predict(logits, data, evaluation).outputs;
        detail::expect_finite_answers(answers.values(), classes);
        const Loss loss = [&](const LossBatch& batch) {
            rows.clear();
            for (const std::size_t index : batch.indices) {
                const std::span<const float> row = answers.values().subspan(index * classes, classes);
                rows.insert(rows.end(), row.begin(), row.end());
            }
            return combined(batch);
        };
        return optimize(student, data, loss, options.training);
    }
    detail::AugmentedSamples samples;
    detail::Teacher<T> answering(logits, options.training.kernels);
    const Loss loss = [&](const LossBatch& batch) {
        answering.answer(batch, samples, rows);
        samples.clear();
        return combined(batch);
    };
    TrainOptions training = options.training;
    training.augment = [&](std::span<float> values, const Shape& shape, Random& random) {
        options.training.augment(values, shape, random);
        samples.changed(values);
    };
    return optimize(student, detail::NotedDataset<D>{data, samples}, loss, training);
}

MOTE_END_NAMESPACE
