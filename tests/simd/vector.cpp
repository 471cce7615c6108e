// SPDX-License-Identifier: MIT
// Vectors: tails touch no byte beyond, bytes widen and narrow with saturation, rounding is to nearest even, a NaN clamps to lo.

#include <mote/simd/instruction_set.hpp>

#if defined(MOTE_VECTORS)
#include <mote/simd/vector.hpp>

#include <support/catch.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

namespace simd = mote::kernels::simd;

TEST_CASE("vector: partial loads and stores of every length touch exactly their elements") {
    for (std::ptrdiff_t n = 1; n < simd::lanes32; ++n) {
        // exactly n elements on the heap: a read beyond is a fault under the address sanitizer
        const auto count = static_cast<std::size_t>(n);
        const std::unique_ptr<float[]> in(new float[count]);
        for (std::size_t i = 0; i < count; ++i) in[i] = static_cast<float>(i) + 0.5f;
        std::vector<float> out(static_cast<std::size_t>(simd::lanes32), -1.0f);
        simd::store(out.data(), simd::load(in.get(), n), n);
        for (std::size_t i = 0; i < out.size(); ++i) CHECK(out[i] == (i < count ? in[i] : -1.0f));
    }
    for (std::ptrdiff_t n = 1; n < simd::lanes16; ++n) {
        const auto count = static_cast<std::size_t>(n);
        const std::unique_ptr<std::int8_t[]> in(new std::int8_t[count]);
        for (std::size_t i = 0; i < count; ++i) in[i] = static_cast<std::int8_t>(-120 + 13 * static_cast<int>(i));
        std::vector<std::int8_t> out(static_cast<std::size_t>(simd::lanes16), 99);
        simd::store_bytes(out.data(), simd::load_bytes(in.get(), n), n);
        for (std::size_t i = 0; i < out.size(); ++i) CHECK(out[i] == (i < count ? in[i] : 99));
    }
}

TEST_CASE("vector: for_each_vector covers every element once") {
    for (std::ptrdiff_t count = 0; count < 5 * simd::lanes32; ++count) {
        std::vector<float> x(static_cast<std::size_t>(count), 1.0f);
        simd::for_each_vector<simd::lanes32>(count, [&](std::ptrdiff_t at, auto n) {
            simd::store(x.data() + at, simd::load(x.data() + at, n) + simd::F32(1.0f), n);
        });
        for (const float value : x) CHECK(value == 2.0f);
    }
}

TEST_CASE("vector: integers round to nearest even, a NaN clamps to lo") {
    constexpr auto lanes = static_cast<std::size_t>(simd::lanes32);
    float in[lanes];
    std::int32_t out[lanes];
    for (int first = -40; first < 40; ++first) {
        for (std::size_t i = 0; i < lanes; ++i) in[i] = 0.25f * static_cast<float>(first + static_cast<int>(i));
        simd::to_int(simd::load(in)).store_unaligned(out);
        for (std::size_t i = 0; i < lanes; ++i) CHECK(out[i] == static_cast<std::int32_t>(std::nearbyint(in[i])));
    }
    for (float& x : in) x = std::numeric_limits<float>::quiet_NaN();
    simd::store(in, simd::clamp(simd::load(in), simd::F32(-3.0f), simd::F32(4.0f)));
    for (const float x : in) CHECK(x == -3.0f);
}

TEST_CASE("vector: split order is undone by join, and pairs have a place of their own") {
    constexpr auto lanes = static_cast<std::size_t>(simd::lanes16);
    std::int32_t lo[lanes / 2], hi[lanes / 2];
    for (std::ptrdiff_t i = 0; i < simd::lanes32; ++i) {
        lo[i] = static_cast<std::int32_t>(simd::split_channel(0, i));
        hi[i] = static_cast<std::int32_t>(simd::split_channel(1, i));
    }
    std::int16_t joined[lanes];
    simd::join({simd::I32::load_unaligned(lo), simd::I32::load_unaligned(hi)}).store_unaligned(joined);
    for (std::size_t c = 0; c < lanes; ++c) CHECK(joined[c] == static_cast<std::int16_t>(c));

    std::vector<char> taken(2 * lanes, 0);
    for (std::ptrdiff_t c = 0; c < simd::lanes16; ++c) {
        for (std::ptrdiff_t tap = 0; tap < 2; ++tap) taken.at(static_cast<std::size_t>(simd::pair_place(c, tap)))++;
    }
    for (const char times : taken) CHECK(times == 1);
}
#endif
