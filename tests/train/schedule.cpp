// SPDX-License-Identifier: MIT
// Schedules: rates at chosen moments, and a warm-up that rises to them.

#include <mote/train/schedule.hpp>

#include <support/catch.hpp>

#include <limits>

namespace schedule_test {
double rate(const mote::Schedule& schedule, double epoch) {
    return mote::learning_rate(schedule, epoch, 10.0, 4.0);
}
}  // namespace schedule_test

TEST_CASE("schedules: constant, steps and half a cosine") {
    using schedule_test::rate;
    CHECK(rate(mote::ConstantRate{.rate = 0.5f}, 0.0) == Approx(0.5));
    CHECK(rate(mote::ConstantRate{.rate = 0.5f}, 9.75) == Approx(0.5));
    const mote::StepDecay steps{.rate = 1.0f, .epochs = 3, .factor = 0.5f};
    CHECK(rate(steps, 2.75) == Approx(1.0));
    CHECK(rate(steps, 3.0) == Approx(0.5));
    CHECK(rate(steps, 9.0) == Approx(0.125));
    const mote::Cosine cosine{.rate = 1.0f, .final_rate = 0.1f};
    CHECK(rate(cosine, 0.0) == Approx(1.0));
    CHECK(rate(cosine, 5.0) == Approx(0.55));
    CHECK(rate(cosine, 2.5) == Approx(0.1 + 0.45 * (1.0 + std::sqrt(0.5))));
    CHECK(rate(cosine, 10.0) == Approx(0.1));
}

TEST_CASE("schedules: the warm-up rises step by step from above zero to the rate, and a cosine begins after it") {
    using schedule_test::rate;
    const mote::Cosine cosine{.rate = 1.0f, .warm_up_epochs = 2};
    double last = 0.0;
    for (int step = 0; step < 8; ++step) {
        const double now = rate(cosine, step / 4.0);
        CHECK(now > last);
        CHECK(now == Approx((step + 1) / 9.0));
        last = now;
    }
    CHECK(rate(cosine, 2.0) == Approx(1.0));
    CHECK(rate(cosine, 6.0) == Approx(0.5));
    CHECK(rate(mote::Cosine{.rate = 1.0f, .warm_up_epochs = 20}, 5.0) > 0.0);
}

TEST_CASE("schedules: steps after a warm-up are counted from the start of the training") {
    using schedule_test::rate;
    const mote::StepDecay steps{.rate = 1.0f, .epochs = 3, .factor = 0.5f, .warm_up_epochs = 2};
    double last = 0.0;
    for (int step = 0; step < 8; ++step) {
        CHECK(rate(steps, step / 4.0) == Approx((step + 1) / 9.0));
        CHECK(rate(steps, step / 4.0) > last);
        last = rate(steps, step / 4.0);
    }
    CHECK(rate(steps, 2.0) == Approx(1.0));
    CHECK(rate(steps, 2.75) == Approx(1.0));
    CHECK(rate(steps, 3.0) == Approx(0.5));
    CHECK(rate(steps, 6.0) == Approx(0.25));
    const mote::StepDecay late{.rate = 1.0f, .epochs = 3, .factor = 0.5f, .warm_up_epochs = 7};  // over steps
    CHECK(rate(late, 6.75) == Approx(28.0 / 29.0));
    CHECK(rate(late, 7.0) == Approx(0.25));
}

TEST_CASE("schedules: a StepDecay without a length is an error that names the option, in the warm-up too") {
    using schedule_test::rate;
    for (const double epochs : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
        const mote::StepDecay steps{.epochs = epochs, .warm_up_epochs = 1};
        CHECK_THROWS_WITH(rate(steps, 0.0), Catch::Contains("StepDecay: epochs is") && Catch::Contains("positive"));
        CHECK_THROWS_WITH(rate(steps, 5.0), Catch::Contains("StepDecay: epochs is"));
    }
}
