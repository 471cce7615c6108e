// SPDX-License-Identifier: MIT
// Losses: known values, gradients against finite differences, huge logits, wrong labels and targets.

#include <mote/train/loss.hpp>
#include <mote/core/random.hpp>

#include <support/catch.hpp>

namespace loss_test {

constexpr std::size_t samples = 3, classes = 5;

/// Losses are computed in double from f32 logits; the step is 2^-6, its square (third derivative) the error, and gradients
/// are rounded to f32.
constexpr double tolerance = 2e-4;

std::vector<float> random_values(std::uint64_t seed) {
    mote::Random random(seed);
    std::vector<float> values(samples * classes);
    for (float& v : values) v = 2.0f * random.normal();
    return values;
}

std::vector<float> random_distribution(std::uint64_t seed) {
    std::vector<float> values = random_values(seed);
    for (std::size_t i = 0; i < samples; ++i) {
        float sum = 0.0f;
        for (std::size_t c = 0; c < classes; ++c) sum += values[i * classes + c] = std::fabs(values[i * classes + c]);
        for (std::size_t c = 0; c < classes; ++c) values[i * classes + c] /= sum;
    }
    return values;
}

void check_gradient(const mote::Loss& loss) {
    std::vector<float> logits = random_values(1);
    const std::vector<std::int64_t> labels{4, 0, 2};
    const std::vector<std::size_t> indices{10, 11, 12};
    std::vector<float> gradient(logits.size(), 0.0f), ignored(logits.size(), 0.0f);
    const double value = loss({classes, logits, labels, indices, gradient});
    CHECK(value > 0.0);
    for (std::size_t i = 0; i < logits.size(); ++i) {
        CAPTURE(i);
        const float before = logits[i];
        constexpr float step = 1.0f / 64.0f;
        logits[i] = before + step;
        const double up = loss({classes, logits, labels, indices, ignored});
        logits[i] = before - step;
        const double down = loss({classes, logits, labels, indices, ignored});
        logits[i] = before;
        const double difference = (up - down) / static_cast<double>((before + step) - (before - step));
        CHECK(std::fabs(static_cast<double>(gradient[i]) - difference) < tolerance);
    }
}

}  // namespace loss_test

TEST_CASE("losses: gradients agree with finite differences") {
    using namespace loss_test;
    const std::vector<float> teacher = random_values(2);
    const std::vector<float> distribution = random_distribution(3);
    check_gradient([](const mote::LossBatch& b) { return mote::softmax_cross_entropy(b); });
    check_gradient([](const mote::LossBatch& b) { return mote::softmax_cross_entropy(b, 0.3); });
    for (const double temperature : {1.0, 4.0}) {
        CAPTURE(temperature);
        check_gradient([&](const mote::LossBatch& b) { return mote::soft_cross_entropy(b, distribution, temperature, 0.7); });
        check_gradient([&](const mote::LossBatch& b) {
            return mote::distillation_loss(b, teacher, temperature, mote::Divergence::teacher_student, 0.5);
        });
        check_gradient([&](const mote::LossBatch& b) {
            return mote::distillation_loss(b, teacher, temperature, mote::Divergence::student_teacher, 0.5);
        });
    }
    check_gradient([&](const mote::LossBatch& b) { return mote::mean_squared_error(b, teacher, 0.5); });
    check_gradient([&](const mote::LossBatch& b) {
        return mote::softmax_cross_entropy(b, 0.5) + mote::distillation_loss(b, teacher, 4.0);
    });
}

TEST_CASE("losses: known values") {
    const std::vector<std::int64_t> labels{1};
    std::vector<float> gradient(2, 0.0f);
    const std::vector<float> even{0.0f, 0.0f}, logits{0.0f, 1.0f};
    CHECK(mote::softmax_cross_entropy({2, even, labels, {}, gradient}) == Approx(std::log(2.0)));
    CHECK(mote::softmax_cross_entropy({2, logits, labels, {}, gradient}) == Approx(std::log(1.0 + std::exp(-1.0))));
    // KL of (1/2, 1/2) from softmax(0, 1) at temperature 1, worked out by hand: log(1 + e) - 1/2 - log 2.
    CHECK(mote::distillation_loss({2, logits, labels, {}, gradient}, even, 1.0) ==
          Approx(std::log(1.0 + std::exp(1.0)) - 0.5 - std::log(2.0)));
    CHECK(mote::mean_squared_error({2, logits, labels, {}, gradient}, even) == Approx(0.5));
    for (const auto direction : {mote::Divergence::teacher_student, mote::Divergence::student_teacher}) {
        CHECK(mote::distillation_loss({2, logits, labels, {}, gradient}, logits, 4.0, direction) == Approx(0.0).margin(1e-12));
    }
}

TEST_CASE("losses: temperature^2 * KL tends to the mean squared difference of centred logits (Hinton et al., equation 4)") {
    const std::vector<float> student{1.0f, -1.0f, 0.0f}, teacher{0.0f, 2.0f, -2.0f};
    std::vector<float> gradient(3, 0.0f);
    const double loss = mote::distillation_loss({3, student, {}, {}, gradient}, teacher, 1000.0);
    // (1 / 2N) * sum of (v - z)^2 with N = 3, both centred.
    CHECK(loss == Approx((1.0 + 9.0 + 4.0) / 6.0).epsilon(2e-3));
}

TEST_CASE("losses: logits of any size stay finite") {
    const std::vector<std::int64_t> labels{0};
    const std::vector<float> huge{-3e38f, 3e38f}, other{3e38f, -3e38f};
    std::vector<float> gradient(2, 0.0f);
    CHECK(std::isfinite(mote::softmax_cross_entropy({2, huge, labels, {}, gradient})));
    CHECK(std::isfinite(mote::distillation_loss({2, huge, labels, {}, gradient}, other, 4.0)));
    CHECK(gradient[0] < 0.0f);
    CHECK(std::isfinite(gradient[0]));
}

TEST_CASE("losses: labels out of range and targets of another size are errors that name them") {
    const std::vector<float> logits{0.0f, 0.0f, 0.0f, 0.0f};
    std::vector<float> gradient(4, 0.0f);
    const std::vector<std::int64_t> labels{1, 2}, negative{-1, 0};
    const std::vector<std::size_t> indices{7, 42};
    CHECK_THROWS_WITH(mote::softmax_cross_entropy({2, logits, labels, indices, gradient}),
                      Catch::Contains("sample 42 has label 2") && Catch::Contains("from 0 to 1"));
    CHECK_THROWS_WITH(mote::softmax_cross_entropy({2, logits, negative, indices, gradient}), Catch::Contains("label -1"));
    const std::vector<float> few{1.0f};
    CHECK_THROWS_WITH(mote::mean_squared_error({2, logits, labels, indices, gradient}, few), Catch::Contains("1 targets"));
    CHECK_THROWS_AS(mote::soft_cross_entropy({2, logits, labels, indices, gradient}, few), mote::Error);
    CHECK_THROWS_AS(mote::distillation_loss({2, logits, labels, indices, gradient}, logits, 0.0), mote::Error);
    CHECK_THROWS_WITH(mote::squared_error_to({1.0f, 2.0f})({2, logits, labels, indices, gradient}),
                      Catch::Contains("sample 7"));
}
