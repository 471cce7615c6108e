// SPDX-License-Identifier: MIT
// Matrix tiles: sums of products of bytes, of tiles of every number of rows and taps.

#include <mote/simd/instruction_set.hpp>

#if defined(MOTE_AMX)
#include <mote/core/half.hpp>
#include <mote/simd/matrix_tiles.hpp>

#include <support/catch.hpp>

#include <vector>

namespace simd = mote::kernels::simd;

TEST_CASE("matrix tiles: the sums of bytes are exact, and memory beyond a tile's rows stays as it is") {
    if (!simd::matrix_tiles_allowed()) return;
    constexpr std::size_t stride = 80;
    std::vector<std::int8_t> a(16 * stride), w(16 * 64);
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<std::int8_t>(i * 37 % 256 - 128);
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = static_cast<std::int8_t>(i * 91 % 255 - 127);
    for (std::size_t rows = 1; rows <= 16; ++rows) {
        for (std::size_t taps = 4; taps <= 64; taps += 4) {
            CAPTURE(rows, taps);
            std::vector<std::int32_t> first(16), sums(17 * 16, 7);
            for (std::size_t lane = 0; lane < 16; ++lane) first[lane] = static_cast<std::int32_t>(lane * 1000);
            simd::TileShapes(static_cast<std::ptrdiff_t>(rows), static_cast<std::ptrdiff_t>(taps)).set();
            simd::load_tile<0>(first.data(), 0);
            simd::load_tile<4>(a.data(), stride);
            simd::load_tile<6>(w.data(), 64);
            simd::tile_dot<std::int32_t, 0, 4, 6>();
            simd::store_tile<0>(sums.data(), 64);
            simd::TileShapes::release();
            bool same = true;
            for (std::size_t r = 0; r < 17; ++r) {
                for (std::size_t lane = 0; lane < 16; ++lane) {
                    std::int32_t sum = first[lane];
                    for (std::size_t t = 0; t < taps; ++t) sum += a[(r % 16) * stride + t] * w[t / 4 * 64 + lane * 4 + t % 4];
                    same &= sums[r * 16 + lane] == (r < rows ? sum : 7);
                }
            }
            CHECK(same);
        }
    }
}

TEST_CASE("matrix tiles: the sums of bf16 are f32") {
    if (!simd::matrix_tiles_allowed()) return;
    std::vector<std::uint16_t> a(16 * 32), w(16 * 32);
    const auto number = [](std::size_t i) { return static_cast<float>(static_cast<int>(i * 29 % 63) - 31) * 0.25f; };
    for (std::size_t i = 0; i < a.size(); ++i)
        a[i] = mote::to_bfloat(number(i)).bits, w[i] = mote::to_bfloat(number(i + 7)).bits;
    std::vector<float> first(16), sums(16 * 16);
    for (std::size_t lane = 0; lane < 16; ++lane) first[lane] = static_cast<float>(lane) - 0.5f;
    simd::TileShapes(16, 64).set();
    simd::load_tile<0>(first.data(), 0);
    simd::load_tile<4>(a.data(), 64);
    simd::load_tile<6>(w.data(), 64);
    simd::tile_dot<float, 0, 4, 6>();
    simd::store_tile<0>(sums.data(), 64);
    simd::TileShapes::release();
    for (std::size_t r = 0; r < 16; ++r) {
        for (std::size_t lane = 0; lane < 16; ++lane) {
            float sum = first[lane];
            for (std::size_t t = 0; t < 32; ++t) sum += number(r * 32 + t) * number(t / 2 * 32 + lane * 2 + t % 2 + 7);
            CHECK(sums[r * 16 + lane] == sum);  // sixteenths: exact
        }
    }
}

#endif
