// SPDX-License-Identifier: MIT
// Attention: the definition against double, the vector kernel against the definition.

#include <mote/kernels/attention.hpp>
#if defined(MOTE_VECTORS)
#include <mote/kernels/attention_simd.hpp>
#endif

#include <support/catch.hpp>
#include <support/generate.hpp>

namespace attention_test {

using namespace support;

/// Queries, keys and values of generated sizes; half have a bias, which may hide all keys but one.
struct Attention {
    Attention(std::int32_t queries, std::int32_t keys, std::int32_t size, std::int32_t width, mote::Random& random) {
        a.queries = queries, a.keys = keys, a.size = size, a.width = width;
        a.scale = 0.1f + random.uniform();
        a.transposed_keys = from_to(random, 0, 1) == 1;
        q = floats(elements(queries, size), random);
        k = floats(elements(keys, size), random);
        v = floats(elements(keys, width), random);
        a.q = q.data(), a.k = k.data(), a.v = v.data();
        const std::int32_t kind = from_to(random, 0, 3);
        if (kind < 2) return;
        a.bias_stride = kind == 2 ? 0 : keys;
        bias = floats(elements(kind == 2 ? 1 : queries, keys), random);
        for (std::size_t i = 0; i < bias.size(); ++i) {
            if (i % static_cast<std::size_t>(keys) > 0 && from_to(random, 0, 2) == 0) bias[i] = -__builtin_huge_valf();
        }
        a.bias = bias.data();
    }
    static std::size_t elements(std::int32_t rows, std::int32_t columns) {
        return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
    }
    mote::AttentionF32 a;
    std::vector<float> q, k, v, bias;
};

std::vector<float> in_double(const mote::AttentionF32& a) {
    std::vector<float> result;
    for (std::ptrdiff_t i = 0; i < a.queries; ++i) {
        std::vector<double> score;
        double largest = -HUGE_VAL, sum = 0.0;
        for (std::ptrdiff_t j = 0; j < a.keys; ++j) {
            double x = 0.0;
            for (std::ptrdiff_t p = 0; p < a.size; ++p) {
                const float key = a.transposed_keys ? a.k[p * a.keys + j] : a.k[j * a.size + p];
                x += static_cast<double>(a.q[i * a.size + p]) * static_cast<double>(key);
            }
            x *= static_cast<double>(a.scale);
            if (a.bias != nullptr) x += static_cast<double>(a.bias[i * a.bias_stride + j]);
            score.push_back(x);
            largest = std::fmax(largest, x);
        }
        for (double& x : score) sum += x = std::exp(x - largest);
        for (std::ptrdiff_t c = 0; c < a.width; ++c) {
            double y = 0.0;
            for (std::ptrdiff_t j = 0; j < a.keys; ++j)
                y += score[static_cast<std::size_t>(j)] / sum * static_cast<double>(a.v[j * a.width + c]);
            result.push_back(static_cast<float>(y));
        }
    }
    return result;
}

/// Sizes around the tiles' and 1.
std::int32_t size(mote::Random& random) {
    static constexpr std::int32_t near[] = {1, 2, 3, 5, 8, 12, 13, 16, 17, 31, 33, 48, 65};
    return near[random.below(sizeof near / sizeof near[0])];
}

template <class Attend, class ScratchBytes>
void check(Attend attend, ScratchBytes scratch_bytes) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 61);
        std::int32_t queries = size(random), keys = size(random);
        if (seed % 40 == 0) queries += 500;  // several blocks of rows
        if (seed % 40 == 1) keys = 1024;     // rows of scores a multiple of 4 KiB apart
        Attention attention(queries, keys, size(random), size(random), random);
        Block scratch(scratch_bytes(attention.a));
        std::vector<float> got(Attention::elements(queries, attention.a.width));
        attention.a.scratch = scratch.data();
        attention.a.output = got.data();
        attend(attention.a);
        CHECK(relative_difference(in_double(attention.a), got) <= f32_tolerance);
    }
}

}  // namespace attention_test

TEST_CASE("attention definition: equals double for odd sizes, with and without a bias that hides keys") {
    attention_test::check(mote::kernels::reference::attention_f32, mote::kernels::reference::attention_f32_scratch_bytes);
}

#if defined(MOTE_VECTORS)

TEST_CASE("attention vector kernel: equals double for odd sizes, with and without a bias that hides keys") {
    attention_test::check(mote::kernels::attention_f32<>, mote::kernels::attention_f32_scratch_bytes<>);
}

TEST_CASE("attention vector kernel: a query's bits do not depend on how many there are") {
    using namespace attention_test;
    mote::Random random(1, 62);
    const Attention all(40, 37, 17, 19, random);
    const auto attend = [&](std::int32_t queries) {
        mote::AttentionF32 a = all.a;
        a.queries = queries;
        Block scratch(mote::kernels::attention_f32_scratch_bytes(a));
        std::vector<float> output(Attention::elements(queries, a.width));
        a.scratch = scratch.data();
        a.output = output.data();
        mote::kernels::attention_f32(a);
        return output;
    };
    const auto whole = attend(40);
    for (std::int32_t queries = 1; queries < 40; ++queries) {
        const auto some = attend(queries);
        CHECK(std::memcmp(some.data(), whole.data(), some.size() * sizeof(float)) == 0);
    }
}

#endif
