// SPDX-License-Identifier: MIT
#pragma once
// Seeded generators of odd shapes and values for tests of kernels, and the comparison of f32 results.

#include <mote/core/geometry.hpp>
#include <mote/core/half.hpp>
#include <mote/core/random.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace support {

/// An integer, least <= value <= most.
inline std::int32_t from_to(mote::Random& random, std::int32_t least, std::int32_t most) {
    return least + static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(most - least + 1)));
}

inline std::vector<float> floats(std::size_t count, mote::Random& random, float scale = 1.0f) {
    std::vector<float> values(count);
    for (float& v : values) v = random.normal() * scale;
    return values;
}

/// As float, half or bfloat, and back.
template <class T>
std::vector<T> rounded(const std::vector<float>& values) {
    std::vector<T> result;
    for (const float v : values) result.push_back(mote::from_float<T>(v));
    return result;
}
template <class T>
std::vector<float> widened(const std::vector<T>& values) {
    std::vector<float> result;
    for (const T v : values) result.push_back(mote::to_float(v));
    return result;
}

/// Bytes from least to most, the two ends more often than others: that is where sums overflow.
inline std::vector<std::int8_t> bytes(std::size_t count, mote::Random& random, std::int32_t least = -128,
                                      std::int32_t most = 127) {
    std::vector<std::int8_t> values(count);
    for (std::int8_t& v : values) {
        const std::int32_t kind = from_to(random, 0, 7);
        v = static_cast<std::int8_t>(kind == 0 ? least : kind == 1 ? most : from_to(random, least, most));
    }
    return values;
}

/// A count of channels around the multiples of vectors' lanes.
inline std::int32_t channels(mote::Random& random) {
    static constexpr std::int32_t near[] = {1, 2, 3, 4, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 40, 47, 48, 63, 64, 65, 70};
    return near[random.below(sizeof near / sizeof near[0])];
}

/// A window over an image: strides beyond the kernel, dilation, uneven padding, images smaller than the kernel.
inline mote::ConvGeometry window(mote::Random& random) {
    mote::ConvGeometry g;
    g.batch = from_to(random, 1, 2);
    g.kernel_height = from_to(random, 1, 5);
    g.kernel_width = from_to(random, 1, 5);
    g.stride_height = from_to(random, 1, 5);
    g.stride_width = from_to(random, 1, 3);
    g.dilation_height = from_to(random, 1, 2);
    g.dilation_width = from_to(random, 1, 3);
    g.pad_top = from_to(random, 0, 3);
    g.pad_left = from_to(random, 0, 3);
    const std::int32_t rows = (g.kernel_height - 1) * g.dilation_height + 1;
    const std::int32_t columns = (g.kernel_width - 1) * g.dilation_width + 1;
    g.in_height = from_to(random, 1, 9);
    g.in_width = from_to(random, 1, 14);
    std::int32_t bottom = from_to(random, 0, 3), right = from_to(random, 0, 3);
    while (g.in_height + g.pad_top + bottom < rows) ++bottom;
    while (g.in_width + g.pad_left + right < columns) ++right;
    g.out_height = (g.in_height + g.pad_top + bottom - rows) / g.stride_height + 1;
    g.out_width = (g.in_width + g.pad_left + right - columns) / g.stride_width + 1;
    return g;
}

inline std::size_t input_elements(const mote::ConvGeometry& g) {
    return static_cast<std::size_t>(g.batch) * static_cast<std::size_t>(g.in_height * g.in_width * g.in_channels);
}
inline std::size_t output_elements(const mote::ConvGeometry& g) {
    return static_cast<std::size_t>(g.batch) * static_cast<std::size_t>(g.out_height * g.out_width * g.out_channels);
}

/// A block of exactly the bytes that a kernel asked for, 64-byte aligned, that ends where the heap block ends, so that the
/// address sanitizer sees an access beyond it. (The bytes are rounded up to a multiple of 64, as an arena does.)
class Block {
  public:
    explicit Block(std::size_t bytes) : memory_(new Line[(bytes + 63) / 64]) {
        std::memset(memory_, 0xA5, (bytes + 63) / 64 * 64);
    }
    ~Block() { delete[] memory_; }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    void* data() { return memory_; }

  private:
    struct alignas(64) Line {
        unsigned char bytes[64];
    };
    Line* memory_;
};

/// The largest difference, relative to the largest expected magnitude (or 1, where that is smaller).
inline double relative_difference(const std::vector<float>& expected, const std::vector<float>& got) {
    if (expected.size() != got.size()) return 1e30;
    double largest = 1.0, difference = 0.0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double e = static_cast<double>(expected[i]), d = std::fabs(e - static_cast<double>(got[i]));
        largest = std::fabs(e) > largest ? std::fabs(e) : largest;
        difference = d > difference || d != d ? d : difference;
    }
    return difference / largest;
}

/// f32 kernels against their definitions: the order of a few thousand sums differs, and fused multiplication rounds once.
constexpr double f32_tolerance = 1e-5;
/// The same where results are rounded to T: they are equal, or neighbours.
template <class T>
constexpr double neighbours = f32_tolerance;
template <>
inline constexpr double neighbours<mote::half> = 0x1p-10 + f32_tolerance;
template <>
inline constexpr double neighbours<mote::bfloat> = 0x1p-7 + f32_tolerance;

}  // namespace support
