// SPDX-License-Identifier: MIT
#pragma once
// Random: a counter-based generator whose numbers depend on seed, stream and place alone, on every platform.

#include <mote/core/config.hpp>

#include <cstdint>

MOTE_BEGIN_NAMESPACE

/// SplitMix64's finalizer (Steele, Lea and Flood 2014, section 3; Stafford's variant 13): a bijection whose output bits
/// each depend on all input bits.
constexpr std::uint64_t mix_bits(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/// Number k of a stream is a mix of key and k: streams of one seed (an epoch, a sample, a tensor) are independent of each
/// other and of the order in which they are drawn. Only integers are computed with, so that no math library matters.
class Random {
  public:
    constexpr explicit Random(std::uint64_t seed, std::uint64_t stream = 0) noexcept
        : key_(mix_bits(seed + 0x9e3779b97f4a7c15u) ^ mix_bits(mix_bits(stream) + 0x632be59bd9b4e019u)) {}

    /// 64 random bits.
    constexpr std::uint64_t bits() noexcept { return mix_bits(key_ + (counter_++) * 0x9e3779b97f4a7c15u); }

    /// Uniform in [0, 1), a multiple of 2^-24.
    constexpr float uniform() noexcept {
        return static_cast<float>(static_cast<std::int32_t>(bits() >> 40)) * (1.0f / 16777216.0f);
    }

    /// Uniform in [0, bound), without bias; 0 where bound is 0.
    constexpr std::uint64_t below(std::uint64_t bound) noexcept {
        if (bound <= 1) return 0;
        std::uint64_t mask = bound - 1;
        for (int shift = 1; shift < 64; shift *= 2) mask |= mask >> shift;
        std::uint64_t value = bits() & mask;
        while (value >= bound) value = bits() & mask;
        return value;
    }

    /// Mean 0, variance 1: the sum of twelve uniform numbers less 6, which differs from the normal distribution only beyond
    /// three standard deviations (it ends at 6).
    constexpr float normal() noexcept {
        std::int64_t sum = 0;
        for (int i = 0; i < 6; ++i) {
            const std::uint64_t two = bits();
            sum += static_cast<std::int64_t>(two >> 32) + static_cast<std::int64_t>(two & 0xffffffffu) + 1;
        }
        sum -= std::int64_t{6} << 32;
        return static_cast<float>(sum) * (1.0f / 4294967296.0f);
    }

  private:
    std::uint64_t key_;
    std::uint64_t counter_ = 0;
};

MOTE_END_NAMESPACE
