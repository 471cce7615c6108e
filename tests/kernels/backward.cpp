// SPDX-License-Identifier: MIT
// Backward kernels against the definitions that they transpose, on generated odd shapes.

#include <mote/core/random.hpp>
#include <mote/kernels/backward.hpp>

#include <support/catch.hpp>

#include <cmath>
#include <vector>

namespace backward_test {

using mote::ConvGeometry;

std::int32_t from_to(mote::Random& random, std::int32_t least, std::int32_t most) {
    return least + static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(most - least + 1)));
}

/// A window that fits; strides beyond the kernel, dilation and uneven padding included.
ConvGeometry geometry(mote::Random& random, bool pool) {
    ConvGeometry g;
    g.batch = from_to(random, 1, 3);
    g.kernel_height = from_to(random, 1, 3);
    g.kernel_width = from_to(random, 1, 4);
    g.stride_height = from_to(random, 1, 4);
    g.stride_width = from_to(random, 1, 3);
    g.dilation_height = pool ? 1 : from_to(random, 1, 2);
    g.dilation_width = pool ? 1 : from_to(random, 1, 3);
    g.pad_top = from_to(random, 0, g.kernel_height - 1);
    g.pad_left = from_to(random, 0, g.kernel_width - 1);
    const std::int32_t rows = (g.kernel_height - 1) * g.dilation_height + 1;
    const std::int32_t columns = (g.kernel_width - 1) * g.dilation_width + 1;
    g.in_height = rows + from_to(random, 0, 6);
    g.in_width = columns + from_to(random, 0, 6);
    const std::int32_t bottom = from_to(random, 0, g.kernel_height - 1), right = from_to(random, 0, g.kernel_width - 1);
    g.out_height = (g.in_height + g.pad_top + bottom - rows) / g.stride_height + 1;
    g.out_width = (g.in_width + g.pad_left + right - columns) / g.stride_width + 1;
    return g;
}

std::size_t inputs(const ConvGeometry& g) {
    return static_cast<std::size_t>(g.batch) * static_cast<std::size_t>(g.in_height * g.in_width * g.in_channels);
}
std::size_t outputs(const ConvGeometry& g) {
    return static_cast<std::size_t>(g.batch) * static_cast<std::size_t>(g.out_height * g.out_width * g.out_channels);
}

/// Small integers, so that every sum is exact and the comparison can be too.
std::vector<float> integers(std::size_t count, mote::Random& random) {
    std::vector<float> values(count);
    for (float& v : values) v = static_cast<float>(from_to(random, -8, 8));
    return values;
}

/// The element of image n under the tap (ky, kx) of output (y, x) in channel c; -1 in the padding.
std::ptrdiff_t under(const ConvGeometry& g, int n, int y, int x, int ky, int kx, int c) {
    const int row = y * g.stride_height - g.pad_top + ky * g.dilation_height;
    const int column = x * g.stride_width - g.pad_left + kx * g.dilation_width;
    if (row < 0 || row >= g.in_height || column < 0 || column >= g.in_width) return -1;
    return ((std::ptrdiff_t{n} * g.in_height + row) * g.in_width + column) * g.in_channels + c;
}

template <class Visit>
void for_each_output(const ConvGeometry& g, Visit visit) {
    std::size_t at = 0;
    for (int n = 0; n < g.batch; ++n) {
        for (int y = 0; y < g.out_height; ++y) {
            for (int x = 0; x < g.out_width; ++x) {
                for (int c = 0; c < g.out_channels; ++c) visit(at++, n, y, x, c);
            }
        }
    }
}

}  // namespace backward_test

TEST_CASE("im2col: every window's elements, and zero in the padding; col2im is its transpose") {
    using namespace backward_test;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed);
        ConvGeometry g = geometry(random, false);
        g.batch = 1;
        g.groups = from_to(random, 1, 3);
        g.in_channels = g.groups * from_to(random, 1, 9);
        const int depth = g.in_channels / g.groups;
        const int group = from_to(random, 0, g.groups - 1);
        const std::size_t width = static_cast<std::size_t>(g.kernel_height * g.kernel_width * depth);
        const std::size_t pixels = static_cast<std::size_t>(g.out_height * g.out_width);
        const std::vector<float> image = integers(inputs(g), random);
        const std::vector<float> slopes = integers(pixels * width, random);
        std::vector<float> windows(pixels * width, 99.0f), expected(pixels * width), back = image, expected_back = image;
        std::size_t at = 0;
        for (int y = 0; y < g.out_height; ++y) {
            for (int x = 0; x < g.out_width; ++x) {
                for (int ky = 0; ky < g.kernel_height; ++ky) {
                    for (int kx = 0; kx < g.kernel_width; ++kx) {
                        for (int c = 0; c < depth; ++c, ++at) {
                            const std::ptrdiff_t from = under(g, 0, y, x, ky, kx, group * depth + c);
                            expected[at] = from < 0 ? 0.0f : image[static_cast<std::size_t>(from)];
                            if (from >= 0) expected_back[static_cast<std::size_t>(from)] += slopes[at];
                        }
                    }
                }
            }
        }
        mote::kernels::im2col(g, group, image.data(), windows.data());
        mote::kernels::col2im(g, group, slopes.data(), back.data());
        CHECK(windows == expected);
        CHECK(back == expected_back);
    }
}

TEST_CASE("depthwise gradients: sums over all windows, with any multiplier, added to what is there") {
    using namespace backward_test;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 1);
        ConvGeometry g = geometry(random, false);
        const int multiplier = from_to(random, 1, 3);
        g.in_channels = g.groups = from_to(random, 1, 19);
        g.out_channels = g.in_channels * multiplier;
        const std::size_t weights = static_cast<std::size_t>(g.out_channels * g.kernel_height * g.kernel_width);
        const std::vector<float> x = integers(inputs(g), random), dy = integers(outputs(g), random);
        const std::vector<float> weight = integers(weights, random);
        std::vector<float> dw = integers(weights, random), dx = integers(inputs(g), random), scratch(weights);
        std::vector<float> expected_dw = dw, expected_dx = dx;
        for_each_output(g, [&](std::size_t at, int n, int row, int column, int c) {
            for (int ky = 0; ky < g.kernel_height; ++ky) {
                for (int kx = 0; kx < g.kernel_width; ++kx) {
                    const std::ptrdiff_t from = under(g, n, row, column, ky, kx, c / multiplier);
                    if (from < 0) continue;
                    const auto w = static_cast<std::size_t>((c * g.kernel_height + ky) * g.kernel_width + kx);
                    expected_dw[w] += dy[at] * x[static_cast<std::size_t>(from)];
                    expected_dx[static_cast<std::size_t>(from)] += dy[at] * weight[w];
                }
            }
        });
        mote::kernels::depthwise_weight_gradient(g, x.data(), dy.data(), dw.data(), scratch.data());
        mote::kernels::depthwise_input_gradient(g, weight.data(), dy.data(), dx.data(), scratch.data());
        CHECK(dw == expected_dw);
        CHECK(dx == expected_dx);
    }
}

TEST_CASE("max_pool_gradient: the first largest element of each window gets all of it") {
    using namespace backward_test;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 2);
        ConvGeometry g = geometry(random, true);
        g.in_channels = g.out_channels = g.groups = from_to(random, 1, seed % 5 == 0 ? 150 : 9);
        const std::vector<float> x = integers(inputs(g), random), dy = integers(outputs(g), random);
        std::vector<float> dx = integers(inputs(g), random), expected = dx;
        for_each_output(g, [&](std::size_t at, int n, int row, int column, int c) {
            std::ptrdiff_t best = -1;
            for (int ky = 0; ky < g.kernel_height; ++ky) {
                for (int kx = 0; kx < g.kernel_width; ++kx) {
                    const std::ptrdiff_t from = under(g, n, row, column, ky, kx, c);
                    if (from < 0) continue;
                    if (best < 0 || x[static_cast<std::size_t>(from)] > x[static_cast<std::size_t>(best)]) best = from;
                }
            }
            if (best >= 0) expected[static_cast<std::size_t>(best)] += dy[at];
        });
        mote::kernels::max_pool_gradient(g, x.data(), dy.data(), dx.data());
        CHECK(dx == expected);
    }
}

TEST_CASE("average_pool_gradient: each element of a window gets its share, of the window or of what lies in the image") {
    using namespace backward_test;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 3);
        ConvGeometry g = geometry(random, true);
        g.in_channels = g.out_channels = g.groups = from_to(random, 1, 9);
        const bool count_padding = seed % 2 == 0;
        const std::vector<float> dy = integers(outputs(g), random);
        std::vector<float> dx(inputs(g), 1.0f);
        std::vector<double> expected(inputs(g), 1.0);
        for_each_output(g, [&](std::size_t at, int n, int row, int column, int c) {
            std::vector<std::size_t> seen;
            for (int ky = 0; ky < g.kernel_height; ++ky) {
                for (int kx = 0; kx < g.kernel_width; ++kx) {
                    const std::ptrdiff_t from = under(g, n, row, column, ky, kx, c);
                    if (from >= 0) seen.push_back(static_cast<std::size_t>(from));
                }
            }
            const double area = count_padding ? g.kernel_height * g.kernel_width : static_cast<double>(seen.size());
            for (const std::size_t from : seen) expected[from] += static_cast<double>(dy[at]) / area;
        });
        mote::kernels::average_pool_gradient(g, count_padding, dy.data(), dx.data());
        // At most 12 shares below 8 are added in f32: a few times 2^-24 of about 100.
        constexpr double tolerance = 1e-4;
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < dx.size(); ++i) {
            wrong += std::fabs(static_cast<double>(dx[i]) - expected[i]) > tolerance ? 1u : 0u;
        }
        CHECK(wrong == 0);
    }
}
