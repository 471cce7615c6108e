// SPDX-License-Identifier: MIT
#pragma once
// Histogram: a stream of values in memory that does not grow with it, and the ranges that int8 should cover of it.

#include <mote/quantization/scale.hpp>

MOTE_BEGIN_NAMESPACE

/// Counts over bins of one width on [-limit, limit]. When a value lies beyond, the limit doubles and pairs of bins become one,
/// so that one pass over the values is enough, and how the stream is cut into batches does not matter. Zeros are counted apart:
/// every range holds 0 exactly, and after a Relu they would outweigh all else.
class Histogram {
  public:
    static constexpr std::size_t bin_count = 8192;

    /// Finite values.
    void add(std::span<const float> values) {
        double largest = 0.0;
        for (const float value : values) {
            const double magnitude = std::fabs(static_cast<double>(value));
            largest = magnitude > largest ? magnitude : largest;
        }
        if (bins_.empty()) {
            bins_.assign(bin_count, 0);
            while (largest >= limit_) limit_ *= 2.0;
        }
        while (largest >= limit_) widen();
        constexpr std::size_t half = bin_count / 2;
        const double scale = static_cast<double>(half) / limit_;
        for (const float value : values) {
            if (value == 0.0f) {
                ++zeros_;
            } else {
                ++bins_[static_cast<std::size_t>((static_cast<double>(value) + limit_) * scale)];
            }
        }
    }

    bool empty() const noexcept { return bins_.empty(); }
    std::uint64_t zeros() const noexcept { return zeros_; }
    double operator[](std::size_t bin) const noexcept { return static_cast<double>(bins_[bin]); }
    /// Where the bin begins, and the one before it ends.
    double edge(std::size_t bin) const noexcept {
        return limit_ * (static_cast<double>(bin) * (2.0 / static_cast<double>(bin_count)) - 1.0);
    }
    /// The bins from the first to the last one that hold something, or 0: [first, end).
    std::size_t first() const noexcept {
        std::size_t bin = 0;
        while (bin < bin_count / 2 && bins_[bin] == 0) ++bin;
        return bin;
    }
    std::size_t end() const noexcept {
        std::size_t bin = bin_count;
        while (bin > bin_count / 2 && bins_[bin - 1] == 0) --bin;
        return bin;
    }

  private:
    /// Old bins 2j and 2j + 1, counted from -limit, become one in the middle half of the new ones.
    void widen() {
        limit_ *= 2.0;
        std::vector<std::uint64_t> wider(bin_count, 0);
        for (std::size_t i = 0; i < bin_count; ++i) wider[bin_count / 4 + i / 2] += bins_[i];
        bins_ = std::move(wider);
    }

    double limit_ = 0x1p-126;
    std::uint64_t zeros_ = 0;
    std::vector<std::uint64_t> bins_;
};

namespace detail {

inline Range between(const Histogram& histogram, std::size_t first, std::size_t end) {
    return {static_cast<float>(histogram.edge(first)), static_cast<float>(histogram.edge(end))};
}

/// Searches try at most so many ends of a range.
inline constexpr std::size_t range_candidates = 128;

}  // namespace detail

/// Without the outermost values: each end keeps `percentile` percent of all inside, to the width of a bin.
inline Range percentile_range(const Histogram& histogram, double percentile) {
    constexpr std::size_t count = Histogram::bin_count, zero = count / 2;
    auto at = [&](std::size_t bin) { return histogram[bin] + (bin == zero ? static_cast<double>(histogram.zeros()) : 0.0); };
    double all = 0.0;
    for (std::size_t bin = 0; bin < count; ++bin) all += at(bin);
    const double outside = all * (1.0 - percentile / 100.0);
    std::size_t first = 0, last = count - 1;
    for (double below = at(0); below <= outside && first + 1 < count;) below += at(++first);
    for (double above = at(last); above <= outside && last > first;) above += at(--last);
    return detail::between(histogram, first, last + 1);
}

/// The range that holds 0 with the least mean squared error after int8: what lies beyond an end is off by its distance from it,
/// what lies inside by a step's uniform noise, step^2 / 12 (Banner et al. 2019, "Post training 4-bit quantization",
/// section 2.1, with the observed distribution in the place of a Laplace one), and 0 by nothing.
inline Range mse_range(const Histogram& histogram) {
    const std::size_t first = histogram.first(), end = histogram.end(), zero = Histogram::bin_count / 2;
    // Sums over the bins up to each edge of 1, x and x^2.
    std::vector<double> n(Histogram::bin_count + 1, 0.0), x(n), xx(n);
    for (std::size_t bin = 0; bin < Histogram::bin_count; ++bin) {
        const double middle = 0.5 * (histogram.edge(bin) + histogram.edge(bin + 1));
        n[bin + 1] = n[bin] + histogram[bin];
        x[bin + 1] = x[bin] + histogram[bin] * middle;
        xx[bin + 1] = xx[bin] + histogram[bin] * middle * middle;
    }
    auto off = [&](std::size_t from, std::size_t to, double by) {
        return (xx[to] - xx[from]) - 2.0 * by * (x[to] - x[from]) + by * by * (n[to] - n[from]);
    };
    const std::size_t step_low = (zero - first) / detail::range_candidates + 1;
    const std::size_t step_high = (end - zero) / detail::range_candidates + 1;
    Range best = detail::between(histogram, first, end);
    double least = -1.0;
    for (std::size_t lo = first; lo <= zero; lo += step_low) {
        for (std::size_t hi = end; hi >= zero && hi > lo; hi -= step_high) {
            const double l = histogram.edge(lo), h = histogram.edge(hi), step = (h - l) / 255.0;
            const double error = off(first, lo, l) + off(hi, end, h) + (n[hi] - n[lo]) * step * step / 12.0;
            if (least >= 0.0 && error >= least) continue;
            least = error;
            best = detail::between(histogram, lo, hi);
        }
    }
    return best;
}

/// The range [-t, t], as far as there are values, whose int8 tells least less than the values do: the one of least
/// Kullback-Leibler divergence of the values, clipped, from what 256 levels leave of them (Migacz 2017, "8-bit inference with
/// TensorRT", the calibration algorithm's pseudocode). Of each divergence goes what it owes to the number of values alone, a
/// half of a value for each bin more than levels (Miller 1955): else few values would ask for bins as fine as levels.
inline Range entropy_range(const Histogram& histogram) {
    constexpr std::size_t levels = 256, zero = Histogram::bin_count / 2;
    const std::size_t first = histogram.first(), end = histogram.end();
    const std::size_t reach = end - zero > zero - first ? end - zero : zero - first;
    const std::size_t step = reach / detail::range_candidates + 1;
    Range best = detail::between(histogram, first, end);
    double least = 0.0;
    bool found = false;
    for (std::size_t t = reach; t > 0; t = t > step ? t - step : 0) {
        const std::size_t lo = zero - first > t ? zero - t : first, hi = end - zero > t ? zero + t : end;
        if (hi - lo < levels) break;
        double below = 0.0, above = 0.0, inside = 0.0;
        for (std::size_t bin = first; bin < lo; ++bin) below += histogram[bin];
        for (std::size_t bin = hi; bin < end; ++bin) above += histogram[bin];
        for (std::size_t bin = lo; bin < hi; ++bin) inside += histogram[bin];
        if (inside == 0.0) break;
        // What is clipped counts with the outermost values inside: a bin without any would be infinitely far.
        std::size_t lowest = lo, highest = hi - 1;
        while (histogram[lowest] == 0.0) ++lowest;
        while (histogram[highest] == 0.0) --highest;
        const double all = below + inside + above;
        double divergence = 0.0;
        for (std::size_t level = 0; level < levels; ++level) {
            const std::size_t from = lo + (hi - lo) * level / levels, to = lo + (hi - lo) * (level + 1) / levels;
            double sum = 0.0, held = 0.0;
            for (std::size_t bin = from; bin < to; ++bin) {
                sum += histogram[bin];
                held += histogram[bin] > 0.0 ? 1.0 : 0.0;
            }
            if (held > 0.0) divergence -= 0.5 * (held - 1.0) / all;
            for (std::size_t bin = from; bin < to; ++bin) {
                if (histogram[bin] == 0.0) continue;
                const double p = (histogram[bin] + (bin == lowest ? below : 0.0) + (bin == highest ? above : 0.0)) / all;
                divergence += p * std::log(p / (sum / held / inside));
            }
        }
        if (found && divergence >= least) continue;
        found = true;
        least = divergence;
        best = detail::between(histogram, lo, hi);
    }
    return best;
}

MOTE_END_NAMESPACE
