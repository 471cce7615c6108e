// SPDX-License-Identifier: MIT
// distill: every form of the loss teaches; teachers of any build; what must agree does.

#include <mote/transform/distill.hpp>
#include <mote/transform/quantize.hpp>
#include <mote/zoo/initialize.hpp>

#include <support/catch.hpp>
#include <transform/networks.hpp>

#include <limits>

namespace distill_test {

using namespace mote;

/// input [1, 6] -> hidden -> relu -> classes
Model<f32, wide> perceptron(std::uint64_t seed, std::size_t hidden, std::size_t classes, bool softmax = false) {
    ModelBuilder<f32, wide> b;
    Random random(seed);
    auto x = b.add(Relu{}, b.add(networks::dense(random, 6, hidden), b.input("x", {1, 6})));
    x = b.add(networks::dense(random, hidden, classes), x, {.name = "head"});
    if (softmax) x = b.add(Softmax{}, x);
    b.output("y", x);
    return b.build();
}

/// Random samples; the labels are the teacher's answers.
TensorDataset labelled(const Model<f32, wide>& teacher, std::size_t count) {
    const Tensor<f32> inputs = networks::samples(5, {count, 6});
    const TensorDataset unlabelled(inputs, std::vector<std::int64_t>(count, 0));
    const Tensor<f32> answers = predict(teacher, unlabelled).outputs;
    const std::size_t classes = answers.elements() / count;
    std::vector<std::int64_t> labels;
    for (std::size_t i = 0; i < count; ++i) {
        std::size_t best = 0;
        for (std::size_t c = 1; c < classes; ++c) best = answers[i * classes + c] > answers[i * classes + best] ? c : best;
        labels.push_back(static_cast<std::int64_t>(best));
    }
    return TensorDataset(inputs, labels);
}

double mean_squared(const Tensor<f32>& a, const Tensor<f32>& b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.elements(); ++i) {
        sum +=
            (static_cast<double>(a[i]) - static_cast<double>(b[i])) * (static_cast<double>(a[i]) - static_cast<double>(b[i]));
    }
    return sum / static_cast<double>(a.elements());
}

TEST_CASE("distill: each loss brings the student's answers to the teacher's without hard labels") {
    const Model<f32, wide> teacher = perceptron(1, 24, 4);
    const TensorDataset set = labelled(teacher, 200);
    const Model<f32, wide> student = perceptron(2, 12, 4);
    const double before = accuracy(student, set);
    for (const DistillLoss loss : {DistillLoss::kl_teacher_student, DistillLoss::kl_student_teacher, DistillLoss::logits_l2,
                                   DistillLoss::soft_cross_entropy}) {
        const Model<f32, wide> taught = distill(teacher, student, set,
                                                {.temperature = 2,
                                                 .hard_label_weight = 0,
                                                 .loss = loss,
                                                 .training = {.epochs = 120, .schedule = Cosine{.rate = 1e-2f}}});
        CAPTURE(static_cast<int>(loss), before);
        CHECK(accuracy(taught, set) > before + 0.4);
        CHECK(accuracy(taught, set) > 0.75);
    }
}

TEST_CASE("distill: lambda 0 is training on the labels, to the bit, and lambda alone does not read them") {
    const Model<f32, wide> teacher = perceptron(1, 24, 4);
    const TensorDataset set = labelled(teacher, 60);
    const Model<f32, wide> student = perceptron(2, 8, 4);
    const TrainOptions training{.epochs = 3};
    CHECK(distill(teacher, student, set, {.lambda = 0, .training = training}) == train(student, set, training));
    const TensorDataset wrong(set.inputs(), std::vector<std::int64_t>(60, 3));
    const DistillOptions soft{.hard_label_weight = 0, .training = training};
    CHECK(distill(teacher, student, set, soft) == distill(teacher, student, wrong, soft));
}

TEST_CASE("distill: the loss is the hard term plus lambda times temperature squared times the divergence") {
    const std::vector<float> logits{1.0f, -0.5f, 0.25f}, teacher{0.5f, 2.0f, -1.0f};
    const std::vector<std::int64_t> labels{1};
    const std::vector<std::size_t> indices{0};
    std::vector<float> gradient(3, 0.0f);
    const LossBatch batch{3, logits, labels, indices, gradient};
    auto softmax = [](const std::vector<float>& x, double temperature) {
        std::vector<double> p;
        double sum = 0.0;
        for (const float v : x) sum += std::exp(static_cast<double>(v) / temperature);
        for (const float v : x) p.push_back(std::exp(static_cast<double>(v) / temperature) / sum);
        return p;
    };
    const std::vector<double> p = softmax(teacher, 10.0), q = softmax(logits, 10.0);
    double forward = 0.0, backward = 0.0, cross = 0.0, squares = 0.0;
    for (std::size_t c = 0; c < 3; ++c) {
        forward += p[c] * std::log(p[c] / q[c]);
        backward += q[c] * std::log(q[c] / p[c]);
        cross -= p[c] * std::log(q[c]);
        squares += std::pow(static_cast<double>(logits[c]) - static_cast<double>(teacher[c]), 2) / 3.0;
    }
    auto value = [&](DistillLoss loss) {
        return detail::distillation_term(batch, teacher, {.temperature = 10, .lambda = 0.5, .loss = loss});
    };
    CHECK(value(DistillLoss::kl_teacher_student) == Approx(0.5 * 100 * forward));
    CHECK(value(DistillLoss::kl_student_teacher) == Approx(0.5 * 100 * backward));
    CHECK(value(DistillLoss::soft_cross_entropy) == Approx(0.5 * 100 * cross));
    CHECK(value(DistillLoss::logits_l2) == Approx(0.5 * squares));
    // The gradient of all four against finite differences of their sum.
    const std::vector<float> analytic = gradient;
    for (std::size_t c = 0; c < 3; ++c) {
        auto total = [&](float change) {
            std::vector<float> moved = logits, ignored(3, 0.0f);
            moved[c] += change;
            const LossBatch other{3, moved, labels, indices, ignored};
            double sum = 0.0;
            for (const DistillLoss loss : {DistillLoss::kl_teacher_student, DistillLoss::kl_student_teacher,
                                           DistillLoss::soft_cross_entropy, DistillLoss::logits_l2}) {
                sum += detail::distillation_term(other, teacher, {.temperature = 10, .lambda = 0.5, .loss = loss});
            }
            return sum;
        };
        CHECK((total(0.01f) - total(-0.01f)) / 0.02 == Approx(static_cast<double>(analytic[c])).epsilon(1e-3));
    }
}

TEST_CASE("distill: teachers in int8, teachers that end in softmax, and students of another build are fine") {
    const Model<f32, wide> teacher = perceptron(1, 24, 4);
    const TensorDataset set = labelled(teacher, 100);
    const Model<f32, wide> student = perceptron(2, 8, 4, true);
    const DistillOptions options{.training = {.epochs = 2}};
    const Model<f32, wide> by_logits = distill(teacher, student, set, options);
    CHECK(distill(perceptron(1, 24, 4, true), student, set, options) == by_logits);
    CHECK(get_if<Softmax>(by_logits, by_logits.nodes().back()) != nullptr);
    const Model<i8, wide> light = quantize<i8, wide>(teacher, set);
    const Model<f32, wide> by_bytes = distill(light, student, set, options);
    CHECK(networks::difference(by_logits, by_bytes) < 0.1);
    CHECK_FALSE(by_bytes == by_logits);
}

TEST_CASE("distill: with augmentation the teacher sees the student's samples, for any number of threads") {
    const Model<f32, wide> teacher = perceptron(1, 24, 4);
    const TensorDataset set = labelled(teacher, 90);
    const Model<f32, wide> student = perceptron(2, 12, 4);
    DistillOptions options{.hard_label_weight = 0, .training = {.epochs = 200, .schedule = Cosine{.rate = 1e-2f}}};
    // Every sample is replaced: only a teacher that sees the replacement teaches what holds for new samples.
    options.training.augment = [](std::span<float> values, const Shape&, Random& random) {
        for (float& x : values) x = random.normal();
    };
    const Model<f32, wide> taught = distill(teacher, student, set, options);
    options.training.threads = 2;
    CHECK(distill(teacher, student, set, options) == taught);
    CHECK(accuracy(taught, set) > 0.75);
}

TEST_CASE("distill: a batch is as good as its teacher's answers: mean squared error of logits falls") {
    const Model<f32, wide> teacher = perceptron(1, 24, 4);
    const TensorDataset set = labelled(teacher, 100);
    const Model<f32, wide> student = perceptron(2, 24, 4);
    const Tensor<f32> target = predict(teacher, set).outputs;
    const Model<f32, wide> taught = distill(teacher, student, set,
                                            {.hard_label_weight = 0,
                                             .loss = DistillLoss::logits_l2,
                                             .training = {.epochs = 30, .schedule = Cosine{.rate = 1e-2f}}});
    CHECK(mean_squared(predict(taught, set).outputs, target) < 0.1 * mean_squared(predict(student, set).outputs, target));
}

TEST_CASE("distill: a teacher with convolutions teaches a student of dense layers alone, augmented or not") {
    Random random(11);
    ModelBuilder<f32, wide> b;
    auto x = b.add(Relu{}, b.add(networks::conv(random, 2, 6), b.input("image", {1, 3, 4, 2})));
    x = b.add(Flatten{}, b.add(MaxPool2d{.kernel = {1, 2}, .stride = {1, 2}, .padding = {}}, x));
    b.output("y", b.add(networks::dense(random, 36, 3), x));
    const Model<f32, wide> teacher = b.build();
    ModelBuilder<f32, wide> s;
    const auto hidden = s.add(networks::dense(random, 24, 16), s.add(Flatten{}, s.input("image", {1, 3, 4, 2})));
    s.output("y", s.add(networks::dense(random, 16, 3), s.add(Tanh{}, hidden)));
    const Model<f32, wide> student = s.build();
    const TensorDataset set(networks::samples(5, {60, 3, 4, 2}), std::vector<std::int64_t>(60, 0));
    const Tensor<f32> target = predict(teacher, set).outputs;
    DistillOptions options{.hard_label_weight = 0, .loss = DistillLoss::logits_l2};
    options.training.epochs = 60;
    options.training.schedule = Cosine{.rate = 1e-2f};
    const double before = mean_squared(predict(student, set).outputs, target);
    const Model<f32, wide> taught = distill(teacher, student, set, options);
    CHECK(mean_squared(predict(taught, set).outputs, target) < 0.1 * before);
    // An augmentation that changes nothing asks the teacher batch by batch for the answers that it gave at once.
    options.training.augment = [](std::span<float>, const Shape&, Random&) {};
    CHECK(networks::difference(distill(teacher, student, set, options), taught) < 1e-3);
}

TEST_CASE("distill: the defaults are temperature 4, KL(teacher || student), and both terms with weight 1") {
    const Model<f32, wide> teacher = perceptron(1, 24, 4);
    const TensorDataset set = labelled(teacher, 40);
    const Model<f32, wide> student = perceptron(2, 8, 4);
    const DistillOptions options{.temperature = 4,
                                 .lambda = 1,
                                 .hard_label_weight = 1,
                                 .loss = DistillLoss::kl_teacher_student,
                                 .training = {.epochs = 2}};
    const Model<f32, wide> taught = distill(teacher, student, set, options);
    CHECK(distill(teacher, student, set, {.training = {.epochs = 2}}) == taught);
    // The same by hand.
    const Tensor<f32> answers = predict(teacher, set).outputs;
    const Loss loss = [&](const LossBatch& batch) {
        std::vector<float> rows;
        for (const std::size_t i : batch.indices) {
            for (std::size_t c = 0; c < 4; ++c) rows.push_back(answers[i * 4 + c]);
        }
        const double hard = softmax_cross_entropy(batch);
        return hard + distillation_loss(batch, rows, 4.0, Divergence::teacher_student);
    };
    CHECK(optimize(student, set, loss, {.epochs = 2}) == taught);
}

TEST_CASE("distill: of augmented samples no more than a batch is kept") {
    detail::AugmentedSamples samples;
    std::vector<float> place(6, 1.0f);
    samples.loaded(7, place.data());
    samples.changed(place);
    place.assign(6, 2.0f);  // the place is another sample's now
    samples.loaded(3, place.data());
    samples.changed(place);
    CHECK(samples.size() == 2);
    CHECK(samples[7] == std::vector<float>(6, 1.0f));
    CHECK(samples[3] == std::vector<float>(6, 2.0f));
    samples.clear();
    CHECK(samples.size() == 0);
}

TEST_CASE("distill: a teacher and a student of samples of different sizes are an error that names both") {
    struct Ones {  // of any size: nothing but the models tells it
        std::size_t size() const { return 8; }
        std::int64_t load(std::size_t, std::span<float> values) const {
            for (float& x : values) x = 1.0f;
            return 0;
        }
    };
    ModelBuilder<f32, wide> b;
    Random random(3);
    b.output("y", b.add(networks::dense(random, 5, 4), b.input("short", {1, 5})));
    const Model<f32, wide> other = b.build();
    DistillOptions options;
    for (const bool augment : {false, true}) {
        if (augment) options.training.augment = [](std::span<float>, const Shape&, Random&) {};
        CHECK_THROWS_WITH(distill(other, perceptron(2, 8, 4), Ones{}, options),
                          Catch::Contains("'short' [1x5]") && Catch::Contains("'x' [1x6]") && Catch::Contains("5 values"));
    }
    const TensorDataset set(Tensor<f32>({8, 6}), std::vector<std::int64_t>(8, 0));
    CHECK_THROWS_WITH(distill(perceptron(2, 8, 4), other, set), Catch::Contains("'short' [1x5]"));
    const TensorDataset seven(Tensor<f32>({8, 7}), std::vector<std::int64_t>(8, 0));  // neither takes those
    CHECK_THROWS_AS(distill(perceptron(1, 8, 4), perceptron(2, 8, 4), seven), Error);
}

TEST_CASE("distill: different numbers of outputs, options without a loss, and NaN teachers are errors that say so") {
    const Model<f32, wide> teacher = perceptron(1, 24, 4);
    const TensorDataset set = labelled(teacher, 10);
    const Model<f32, wide> student = perceptron(2, 8, 4);
    CHECK_THROWS_WITH(distill(teacher, perceptron(2, 8, 5), set),
                      Catch::Contains("teacher has 4 outputs") && Catch::Contains("student 5"));
    for (const double bad : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(), HUGE_VAL}) {
        CHECK_THROWS_WITH(distill(teacher, student, set, {.temperature = bad}), Catch::Contains("temperature"));
    }
    CHECK_THROWS_WITH(distill(teacher, student, set, {.lambda = -1}), Catch::Contains("lambda -1"));
    CHECK_THROWS_WITH(distill(teacher, student, set, {.lambda = 0, .hard_label_weight = 0}), Catch::Contains("not both 0"));
    Graph<standard_layers<f32, wide>> graph = teacher.graph();
    networks::set_slice(graph, 2, "bias", 0, 1, std::numeric_limits<float>::quiet_NaN());
    CHECK_THROWS_WITH((distill(Model<f32, wide>(graph), student, set)), Catch::Contains("teacher's answer to sample 0"));
    CHECK_THROWS_WITH(distill(teacher, student, TensorDataset(Tensor<f32>({0, 6}), {})), Catch::Contains("empty"));
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {1, 6});
    b.output("a", b.add(Relu{}, x));
    b.output("b", b.add(Relu{}, x));
    CHECK_THROWS_WITH(distill(b.build(), student, set), Catch::Contains("the teacher has 1 inputs and 2 outputs"));
}

}  // namespace distill_test
