// SPDX-License-Identifier: MIT
// Schedules: rates at chosen moments, and a warm-up that rises to them.

#include <mote/train/schedule.hpp>

#include <support/catch.hpp>

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
