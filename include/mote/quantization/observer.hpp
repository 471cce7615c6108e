// SPDX-License-Identifier: MIT
#pragma once
// RangeObserver: what of a stream of values int8 should cover, in memory that does not grow with the stream.

#include <mote/quantization/histogram.hpp>

MOTE_BEGIN_NAMESPACE

enum class Observer : std::uint8_t {
    min_max,     ///< all values
    percentile,  ///< without the outermost values at either end
    mse,         ///< what leaves the least mean squared error
    entropy,     ///< what leaves the least Kullback-Leibler divergence
};

struct ObserverOptions {
    Observer kind = Observer::min_max;
    /// Of Observer::percentile: the share of values in percent that each end of the range keeps inside, from 50 to 100.
    double percentile = 99.99;
};

/// Throws unless the options can be followed.
inline void check_observer(const ObserverOptions& options) {
    if (options.kind == Observer::percentile && !(options.percentile > 50.0 && options.percentile <= 100.0)) {
        fail(concat("percentile ", options.percentile, ": above 50 and at most 100 is expected"));
    }
}

/// Extremes, and for what asks for more a Histogram.
class RangeObserver {
  public:
    explicit RangeObserver(const ObserverOptions& options = {}) : options_(options) { check_observer(options); }

    /// False where a value is NaN or infinite; then the observer is as it was.
    bool observe(std::span<const float> values) {
        if (first_not_finite(values) != values.size()) return false;
        if (values.empty()) return true;
        Range range = count_ == 0 ? Range{values[0], values[0]} : range_;
        for (const float value : values) {
            range.lo = value < range.lo ? value : range.lo;
            range.hi = value > range.hi ? value : range.hi;
        }
        range_ = range;
        count_ += values.size();
        if (options_.kind != Observer::min_max) histogram_.add(values);
        return true;
    }

    std::uint64_t count() const noexcept { return count_; }
    /// The smallest and the largest value.
    Range extremes() const noexcept { return range_; }

    /// The range to quantize; [0, 0] where nothing was observed.
    Range range() const {
        if (options_.kind == Observer::min_max || histogram_.empty()) return range_;
        const Range cut = options_.kind == Observer::percentile ? percentile_range(histogram_, options_.percentile)
                          : options_.kind == Observer::mse      ? mse_range(histogram_)
                                                                : entropy_range(histogram_);
        return {cut.lo > range_.lo ? cut.lo : range_.lo, cut.hi < range_.hi ? cut.hi : range_.hi};
    }

  private:
    ObserverOptions options_;
    std::uint64_t count_ = 0;
    Range range_{};
    Histogram histogram_;
};

MOTE_END_NAMESPACE
