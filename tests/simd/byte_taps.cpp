// SPDX-License-Identifier: MIT
// Four rows of bytes meet four weights a lane, and their sums come back in order.

#include <mote/simd/instruction_set.hpp>

#if defined(MOTE_BYTE_TAPS)
#include <mote/simd/byte_taps.hpp>

#include <support/catch.hpp>

#include <vector>

namespace simd = mote::kernels::simd;

TEST_CASE("byte taps: copied pieces of every length, and nothing of the next piece but what is written again") {
    for (std::ptrdiff_t n = 1; n <= 200; ++n) {
        CAPTURE(n);
        std::vector<std::int8_t> from(static_cast<std::size_t>(3 * (n + 5))), to(static_cast<std::size_t>(3 * n + 64), 9);
        for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<std::int8_t>(i * 37 % 251);
        simd::copy_shifted(to.data(), n, from.data(), n + 5, n, 3);
        bool same = true;
        for (std::ptrdiff_t k = 0; k < 3; ++k) {
            for (std::ptrdiff_t i = 0; i < n; ++i) {
                same &=
                    to[static_cast<std::size_t>(k * n + i)] == simd::shifted(from[static_cast<std::size_t>(k * (n + 5) + i)]);
            }
        }
        CHECK(same);
    }
}

TEST_CASE("byte taps: the sums of four rows, and their bytes in natural order") {
    constexpr auto lanes = static_cast<std::size_t>(simd::lanes8);
    std::vector<std::int8_t> rows(4 * lanes), weights(4 * lanes);
    std::vector<int> expected(lanes);
    for (std::size_t i = 0; i < lanes; ++i) {
        for (std::size_t r = 0; r < 4; ++r) {
            const int x = static_cast<int>((i * 7 + r * 91) % 256) - 128, w = static_cast<int>((i * 5 + r) % 3) - 1;
            rows[r * lanes + i] = simd::shifted(static_cast<std::int8_t>(x));
            expected[i] += (x + simd::DotI8::offset) * w;
            for (std::ptrdiff_t v = 0; v < 4; ++v) {
                for (std::ptrdiff_t l = 0; l < simd::lanes32; ++l) {
                    if (simd::byte_taps_element(v, l) == static_cast<std::ptrdiff_t>(i)) {
                        weights[static_cast<std::size_t>(simd::tap_place(v, l, static_cast<std::ptrdiff_t>(r)))] =
                            static_cast<std::int8_t>(w);
                    }
                }
            }
        }
    }
    const auto taps = simd::byte_taps(rows.data(), rows.data() + lanes, rows.data() + 2 * lanes, rows.data() + 3 * lanes);
    simd::I32 sum[4];
    simd::I8::register_type w[4];
    for (int v = 0; v < 4; ++v) w[v] = simd::load(weights.data() + v * simd::lanes8);
    for (int v = 0; v < 4; ++v) {
        sum[v] = simd::add_taps(simd::I32(0), taps.vector, w, v);
        for (std::ptrdiff_t l = 0; l < simd::lanes32; ++l) {
            std::int32_t each[lanes];
            simd::store(each, sum[v]);
            CHECK(each[l] == expected[static_cast<std::size_t>(simd::byte_taps_element(v, l))]);
        }
    }
    const simd::I8 bytes = simd::join_bytes(simd::join({sum[0], sum[1]}), simd::join({sum[2], sum[3]}));
    for (std::ptrdiff_t n = 0; n < simd::lanes8; ++n) {
        CAPTURE(n);
        std::vector<std::int8_t> to(lanes, 99);
        simd::store(to.data(), bytes, n);
        for (std::size_t i = 0; i < lanes; ++i) {
            const int wanted = expected[i] < -128 ? -128 : expected[i] > 127 ? 127 : expected[i];
            CHECK(to[i] == (static_cast<std::ptrdiff_t>(i) < n ? wanted : 99));
        }
    }
}
#endif
