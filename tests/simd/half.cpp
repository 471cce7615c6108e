// SPDX-License-Identifier: MIT
// Floats of 16 bits in vectors against core/half.hpp: every pattern is loaded, and stored from every length; roundings between
// neighbours; NaN and infinity.

#include <mote/simd/instruction_set.hpp>

#if defined(MOTE_VECTORS)
#include <mote/simd/half.hpp>

#include <support/catch.hpp>

#include <cmath>
#include <cstring>
#include <limits>

namespace half_simd_test {

namespace simd = mote::kernels::simd;
constexpr std::ptrdiff_t lanes = simd::lanes32;

/// The patterns from `first` on are what to_float() makes of them.
template <class T>
bool loads(std::uint32_t first) {
    T from[lanes];
    float to[lanes];
    for (std::ptrdiff_t i = 0; i < lanes; ++i) from[i].bits = static_cast<std::uint16_t>(first + static_cast<std::uint32_t>(i));
    simd::store(to, simd::load(from));
    bool same = true;
    for (std::ptrdiff_t i = 0; i < lanes; ++i) {
        const float expected = mote::to_float(from[i]);
        same = same && (to[i] == expected || (std::isnan(to[i]) && std::isnan(expected)));
    }
    return same;
}

/// What is stored of numbers between the normal neighbours from `first` on.
template <class T>
bool rounds(std::uint32_t first) {
    float from[lanes];
    T to[lanes];
    for (std::ptrdiff_t i = 0; i < lanes; ++i) {
        const auto bits = static_cast<std::uint16_t>(first + static_cast<std::uint32_t>(i) / 3);
        const double low = static_cast<double>(mote::to_float(T{bits}));
        const double high = static_cast<double>(mote::to_float(T{static_cast<std::uint16_t>(bits + 1)}));
        const double part = i % 3 == 0 ? 0.5 : i % 3 == 1 ? 0.4999 : 0.5001;
        from[i] = static_cast<float>(low + (high - low) * part);
    }
    simd::store(to, simd::load(from));
    bool same = true;
    for (std::ptrdiff_t i = 0; i < lanes; ++i) same = same && to[i] == mote::from_float<T>(from[i]);
    return same;
}

/// Of some elements neither more is read nor written.
template <class T>
void check_some() {
    for (std::ptrdiff_t n = 1; n < lanes; ++n) {
        T* const from = new T[static_cast<std::size_t>(n)];
        for (std::ptrdiff_t i = 0; i < n; ++i) from[i] = mote::from_float<T>(static_cast<float>(i + 1));
        T to[lanes + 1] = {};
        simd::store(to, simd::load(from, n), n);
        CHECK(std::memcmp(from, to, static_cast<std::size_t>(n) * sizeof(T)) == 0);
        for (std::ptrdiff_t i = n; i <= lanes; ++i) CHECK(to[i] == T{});
        delete[] from;
    }
}

template <class T>
void check_special() {
    const float infinity = std::numeric_limits<float>::infinity();
    float from[lanes] = {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity, std::numeric_limits<float>::max()};
    std::uint32_t all = 0x7fffffff;  // a NaN of nothing but ones
    std::memcpy(&from[lanes - 1], &all, sizeof all);
    T to[lanes];
    simd::store(to, simd::load(from));
    CHECK(std::isnan(mote::to_float(to[0])));
    CHECK(mote::to_float(to[1]) == infinity);
    CHECK(mote::to_float(to[2]) == -infinity);
    if (lanes > 4) CHECK(mote::to_float(to[3]) == infinity);
    CHECK(std::isnan(mote::to_float(to[lanes - 1])));
}

}  // namespace half_simd_test

TEST_CASE("half in vectors: every pattern becomes the float that it stands for") {
    using namespace half_simd_test;
    bool bf16 = true, f16 = true;
    for (std::uint32_t first = 0; first < 0x10000; first += static_cast<std::uint32_t>(lanes)) {
        bf16 = bf16 && loads<mote::bfloat>(first);
        f16 = f16 && loads<mote::half>(first);
    }
    CHECK(bf16);
    CHECK(f16);
}

TEST_CASE("half in vectors: what is stored is rounded to nearest even") {
    using namespace half_simd_test;
    bool bf16 = true, f16 = true;
    for (std::uint32_t first = 0x80; first < 0x7f00; first += 3) bf16 = bf16 && rounds<mote::bfloat>(first);  // normal ones
    for (std::uint32_t first = 0; first < 0x7b00; first += 3) f16 = f16 && rounds<mote::half>(first);
    CHECK(bf16);
    CHECK(f16);
}

TEST_CASE("half in vectors: some of the elements") {
    half_simd_test::check_some<mote::bfloat>();
    half_simd_test::check_some<mote::half>();
}

TEST_CASE("half in vectors: infinity and NaN stay what they are") {
    half_simd_test::check_special<mote::bfloat>();
    half_simd_test::check_special<mote::half>();
}

TEST_CASE("half dot products: a step adds the group's products to f32 sums") {
    using namespace half_simd_test;
    const auto check = [](auto dot) {
        using D = decltype(dot);
        using T = typename D::Input;
        typename D::Weight weight[lanes * D::group];
        typename D::Activation row[64] = {};
        float expected[lanes], got[lanes];
        for (std::ptrdiff_t lane = 0; lane < lanes; ++lane) expected[lane] = static_cast<float>(lane);
        simd::F32 sum = simd::load(expected);
        for (std::ptrdiff_t tap = 0; tap < D::group; ++tap) {
            const float x = static_cast<float>(tap) + 1.5f;
            row[tap] = D::convert(mote::from_float<T>(x));
            for (std::ptrdiff_t lane = 0; lane < lanes; ++lane) {
                const float w = 0.25f * static_cast<float>(lane) - static_cast<float>(tap);
                weight[D::place(lane, tap)] = mote::from_float<T>(w);
                expected[lane] += x * w;
            }
        }
        sum = D::dot(sum, D::activations(row), D::weights(weight));
        simd::store(got, sum);
        for (std::ptrdiff_t lane = 0; lane < lanes; ++lane) CHECK(got[lane] == expected[lane]);
    };
    check(simd::DotBf16{});
    check(simd::DotF16{});
}
#endif
