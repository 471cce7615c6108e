// SPDX-License-Identifier: MIT
// Optimizers: two steps worked out by hand in double, and who is decayed.

#include <mote/train/optimizer.hpp>

#include <support/catch.hpp>

#include <vector>

namespace optimizer_test {

constexpr double gradients[] = {0.5, -0.25};

/// One weight, 2, after the two gradients at rate 0.1.
template <class O>
double after_two_steps(const O& optimizer, bool decay) {
    float weight = 2.0f, first = 0.0f, second = 0.0f;
    for (std::uint64_t step = 1; step <= 2; ++step) {
        const float gradient = static_cast<float>(gradients[step - 1]);
        apply(optimizer, mote::ParameterStep{1, &weight, &gradient, &first, &second, 0.1, step, decay});
    }
    return static_cast<double>(weight);
}

double adam_by_hand(double coupled, double decoupled) {
    double w = 2.0, m = 0.0, v = 0.0;
    for (int t = 1; t <= 2; ++t) {
        const double g = gradients[t - 1] + coupled * w;
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        const double step = m / (1 - std::pow(0.9, t)) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
        w = w - 0.1 * decoupled * w - 0.1 * step;
    }
    return w;
}

}  // namespace optimizer_test

TEST_CASE("optimizers: SGD with momentum, Nesterov and decay") {
    using optimizer_test::after_two_steps;
    CHECK(after_two_steps(mote::SGD{.momentum = 0.0f}, false) == Approx(2.0 - 0.05 + 0.025));
    CHECK(after_two_steps(mote::SGD{.momentum = 0.9f}, false) == Approx(2.0 - 0.05 - 0.1 * (0.45 - 0.25)));
    CHECK(after_two_steps(mote::SGD{.momentum = 0.9f, .nesterov = true}, false) ==
          Approx(2.0 - 0.1 * (0.5 + 0.45) - 0.1 * (-0.25 + 0.9 * 0.2)));
    CHECK(after_two_steps(mote::SGD{.momentum = 0.0f, .weight_decay = 0.5f}, true) ==
          Approx((2.0 - 0.1 * 1.5) - 0.1 * (-0.25 + 0.5 * 1.85)));
    CHECK(after_two_steps(mote::SGD{.momentum = 0.0f, .weight_decay = 0.5f}, false) == Approx(1.975));
}

TEST_CASE("optimizers: Adam and AdamW") {
    using namespace optimizer_test;
    CHECK(after_two_steps(mote::Adam{}, false) == Approx(adam_by_hand(0.0, 0.0)).epsilon(1e-6));
    CHECK(after_two_steps(mote::Adam{.weight_decay = 0.3f}, true) == Approx(adam_by_hand(0.3, 0.0)).epsilon(1e-6));
    CHECK(after_two_steps(mote::AdamW{.weight_decay = 0.3f}, true) == Approx(adam_by_hand(0.0, 0.3)).epsilon(1e-6));
    CHECK(after_two_steps(mote::AdamW{.weight_decay = 0.3f}, false) == Approx(adam_by_hand(0.0, 0.0)).epsilon(1e-6));
}
