// SPDX-License-Identifier: MIT
// f32 matrix products: the definition against sums in double, the vector kernel against the definition.

#include <mote/kernels/gemm.hpp>
#if defined(MOTE_VECTORS)
#include <mote/kernels/gemm_simd.hpp>
#endif

#include <support/catch.hpp>
#include <support/generate.hpp>

namespace gemm_test {

using namespace support;

/// A product of generated sizes, and its operands; leading dimensions are larger than needed in half of the cases.
struct Product {
    Product(std::int32_t m, std::int32_t n, std::int32_t k, mote::Random& random) {
        gemm.m = m, gemm.n = n, gemm.k = k;
        gemm.transpose_a = from_to(random, 0, 1) == 1;
        gemm.transpose_b = from_to(random, 0, 1) == 1;
        gemm.accumulate = from_to(random, 0, 1) == 1;
        const std::int32_t beyond = from_to(random, 0, 1) * from_to(random, 1, 5);
        gemm.lda = (gemm.transpose_a ? m : k) + beyond;
        gemm.ldb = (gemm.transpose_b ? k : n) + beyond;
        gemm.ldc = n + beyond;
        a = floats(elements(gemm.transpose_a ? k : m, gemm.lda, gemm.transpose_a ? m : k), random);
        b = floats(elements(gemm.transpose_b ? n : k, gemm.ldb, gemm.transpose_b ? k : n), random);
        c = floats(elements(m, gemm.ldc, n), random);
        gemm.a = a.data(), gemm.b = b.data();
    }
    /// The last row ends with its last element, so that a read beyond it is one beyond the array.
    static std::size_t elements(std::int32_t rows, std::int32_t stride, std::int32_t columns) {
        return static_cast<std::size_t>(rows - 1) * static_cast<std::size_t>(stride) + static_cast<std::size_t>(columns);
    }
    mote::GemmF32 gemm;
    std::vector<float> a, b, c;
};

std::vector<float> in_double(const Product& product) {
    const mote::GemmF32& g = product.gemm;
    std::vector<float> c = product.c;
    for (std::ptrdiff_t i = 0; i < g.m; ++i) {
        for (std::ptrdiff_t j = 0; j < g.n; ++j) {
            float& to = c[static_cast<std::size_t>(i * g.ldc + j)];
            double sum = g.accumulate ? static_cast<double>(to) : 0.0;
            for (std::ptrdiff_t p = 0; p < g.k; ++p) {
                const float x = g.transpose_a ? g.a[p * g.lda + i] : g.a[i * g.lda + p];
                const float y = g.transpose_b ? g.b[j * g.ldb + p] : g.b[p * g.ldb + j];
                sum += static_cast<double>(x) * static_cast<double>(y);
            }
            to = static_cast<float>(sum);
        }
    }
    return c;
}

/// Sizes around the tiles', the blocks', and 1.
std::int32_t size(mote::Random& random) {
    static constexpr std::int32_t near[] = {1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 16, 17, 24, 31, 32, 33, 48, 65, 97};
    return near[random.below(sizeof near / sizeof near[0])];
}

template <class Multiply, class ScratchBytes>
void check(Multiply multiply, ScratchBytes scratch_bytes) {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 30);
        std::int32_t m = size(random), n = size(random), k = size(random);
        if (seed % 30 == 0) k += 400;  // several blocks of steps
        if (seed % 30 == 1) m += 300;  // several blocks of rows
        if (seed % 30 == 2) k = 1024;  // rows a multiple of 4 KiB apart
        Product product(m, n, k, random);
        Block scratch(scratch_bytes(m, n, k));
        product.gemm.scratch = scratch.data();
        std::vector<float> got = product.c;
        product.gemm.c = got.data();
        multiply(product.gemm);
        CHECK(relative_difference(in_double(product), got) <= f32_tolerance);
    }
}

}  // namespace gemm_test

TEST_CASE("gemm definition: equals sums in double for odd sizes, transposed or not, added to C or not") {
    gemm_test::check(mote::kernels::reference::gemm_f32, mote::kernels::reference::gemm_f32_scratch_bytes);
}

#if defined(MOTE_VECTORS)

TEST_CASE("gemm vector kernel: equals sums in double for odd sizes, transposed or not, added to C or not") {
    gemm_test::check(mote::kernels::gemm_f32<>, mote::kernels::gemm_f32_scratch_bytes<>);
}

TEST_CASE("gemm vector kernel: a row's bits do not depend on how many rows are multiplied") {
    using namespace gemm_test;
    mote::Random random(1, 31);
    const auto a = floats(40 * 450, random), b = floats(450 * 37, random);
    const auto multiply = [&](std::int32_t rows) {
        std::vector<float> c(static_cast<std::size_t>(rows) * 37);
        Block scratch(mote::kernels::gemm_f32_scratch_bytes(rows, 37, 450));
        mote::GemmF32 g;
        g.m = rows, g.n = 37, g.k = 450;
        g.a = a.data(), g.b = b.data(), g.c = c.data();
        g.lda = 450, g.ldb = 37, g.ldc = 37;
        g.scratch = scratch.data();
        mote::kernels::gemm_f32(g);
        return c;
    };
    const auto all = multiply(40);
    for (std::int32_t rows = 1; rows < 40; ++rows) {
        const auto some = multiply(rows);
        CHECK(std::memcmp(some.data(), all.data(), some.size() * sizeof(float)) == 0);
    }
}

#endif
