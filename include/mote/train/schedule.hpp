// SPDX-License-Identifier: MIT
#pragma once
// Schedules: the learning rate as training goes on, each with a linear warm-up.

#include <mote/tensor/error.hpp>

#include <cmath>
#include <variant>

MOTE_BEGIN_NAMESPACE

/// The same rate from the warm-up on.
struct ConstantRate {
    float rate = 1e-3f;
    double warm_up_epochs = 0;
};

/// The rate is multiplied by `factor` every `epochs` epochs, a positive number, counted from the start of the training.
struct StepDecay {
    float rate = 1e-1f;
    double epochs = 30;
    float factor = 0.1f;
    double warm_up_epochs = 0;
};

/// Half a cosine from `rate` to `final_rate` (Loshchilov and Hutter 2017, SGDR, section 3, without restarts).
struct Cosine {
    float rate = 1e-3f;
    float final_rate = 0.0f;
    double warm_up_epochs = 0;
};

using Schedule = std::variant<ConstantRate, StepDecay, Cosine>;

namespace detail {
template <class S>
void expect_usable(const S&) {}
inline void expect_usable(const StepDecay& s) {
    if (!(s.epochs > 0)) fail(concat("StepDecay: epochs is ", s.epochs, "; a positive number is expected"));
}
inline double rate_after_warm_up(const ConstantRate& s, double, double) {
    return static_cast<double>(s.rate);
}
inline double rate_after_warm_up(const StepDecay& s, double epoch, double) {
    return static_cast<double>(s.rate) * std::pow(static_cast<double>(s.factor), std::floor(epoch / s.epochs));
}
inline double rate_after_warm_up(const Cosine& s, double epoch, double epochs) {
    const double length = epochs - s.warm_up_epochs;
    const double done = length > 0 ? std::fmin(1.0, std::fmax(0.0, (epoch - s.warm_up_epochs) / length)) : 1.0;
    const double first = static_cast<double>(s.rate), last = static_cast<double>(s.final_rate);
    return last + 0.5 * (first - last) * (1.0 + std::cos(3.14159265358979323846 * done));
}
}  // namespace detail

/// The learning rate of the step that begins at `epoch` (a fraction counts: 1.5 is the middle of the second) of `epochs`, when
/// an epoch has `steps` steps. In the warm-up it rises linearly; its first step has a rate above zero. Throws for a StepDecay
/// whose `epochs` is not positive.
inline double learning_rate(const Schedule& schedule, double epoch, double epochs, double steps) {
    return std::visit(
        [&](const auto& s) {
            detail::expect_usable(s);
            if (epoch < s.warm_up_epochs) {
                const double share = (epoch * steps + 1.0) / (s.warm_up_epochs * steps + 1.0);
                return static_cast<double>(s.rate) * share;
            }
            return detail::rate_after_warm_up(s, epoch, epochs);
        },
        schedule);
}

MOTE_END_NAMESPACE
