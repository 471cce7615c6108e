// SPDX-License-Identifier: MIT
#pragma once
// RangeObserver: what a stream of values spans, by min-max or by percentile, in memory that does not grow with the stream.

#include <mote/quantization/scale.hpp>

MOTE_BEGIN_NAMESPACE

enum class Observer : std::uint8_t {
    min_max,     ///< all values
    percentile,  ///< without the outermost values at either end
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

/// A percentile observer keeps a histogram of 4096 bins over [-limit, limit]; when a value lies beyond, the limit doubles and
/// pairs of bins become one, so that one pass over the values is enough. A percentile is exact to the width of a bin.
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
        if (options_.kind == Observer::percentile) fill(values);
        return true;
    }

    std::uint64_t count() const noexcept { return count_; }
    /// The smallest and the largest value.
    Range extremes() const noexcept { return range_; }

    /// The range to quantize; [0, 0] where nothing was observed.
    Range range() const {
        if (options_.kind == Observer::min_max || bins_.empty()) return range_;
        const double outside = static_cast<double>(count_) * (1.0 - options_.percentile / 100.0);
        std::size_t first = 0;
        for (double below = static_cast<double>(bins_[0]); below <= outside && first + 1 < bin_count;) {
            below += static_cast<double>(bins_[++first]);
        }
        std::size_t last = bin_count - 1;
        for (double above = static_cast<double>(bins_[last]); above <= outside && last > first;) {
            above += static_cast<double>(bins_[--last]);
        }
        const Range cut{static_cast<float>(edge(first)), static_cast<float>(edge(last + 1))};
        return {cut.lo > range_.lo ? cut.lo : range_.lo, cut.hi < range_.hi ? cut.hi : range_.hi};
    }

  private:
    static constexpr std::size_t bin_count = 4096;

    double edge(std::size_t bin) const {
        return limit_ * (static_cast<double>(bin) * (2.0 / static_cast<double>(bin_count)) - 1.0);
    }

    void fill(std::span<const float> values) {
        const double largest = -static_cast<double>(range_.lo) > static_cast<double>(range_.hi)
                                   ? -static_cast<double>(range_.lo)
                                   : static_cast<double>(range_.hi);
        if (bins_.empty()) {
            for (limit_ = 0x1p-126; largest >= limit_;) limit_ *= 2.0;
            bins_.assign(bin_count, 0);
        }
        while (largest >= limit_) widen();
        constexpr std::size_t half = bin_count / 2;
        const double scale = static_cast<double>(half) / limit_;
        for (const float value : values) {
            ++bins_[static_cast<std::size_t>((static_cast<double>(value) + limit_) * scale)];
        }
    }

    /// Old bins 2j and 2j + 1, counted from -limit, become one in the middle half of the new ones.
    void widen() {
        limit_ *= 2.0;
        std::vector<std::uint64_t> wider(bin_count, 0);
        for (std::size_t i = 0; i < bin_count; ++i) wider[bin_count / 4 + i / 2] += bins_[i];
        bins_ = std::move(wider);
    }

    ObserverOptions options_;
    std::uint64_t count_ = 0;
    Range range_{};
    double limit_ = 0.0;
    std::vector<std::uint64_t> bins_;
};

MOTE_END_NAMESPACE
