// SPDX-License-Identifier: MIT
// SAME and VALID padding against TensorFlow's published formulas.

#include <mote/layers/window.hpp>

#include <support/catch.hpp>

#include <algorithm>

namespace window_test {

/// tf.nn.convolution, "SAME", along one axis (www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2):
/// if in % stride == 0: max(filter - stride, 0), else: max(filter - in % stride, 0); the smaller half before.
long total(long extent, long filter, long stride) {
    return extent % stride == 0 ? std::max(filter - stride, 0L) : std::max(filter - extent % stride, 0L);
}

long outputs(std::size_t extent, std::size_t padding, std::size_t window, std::size_t stride) {
    return (static_cast<long>(extent + padding) - static_cast<long>(window)) / static_cast<long>(stride) + 1;
}

}  // namespace window_test

TEST_CASE("same_padding: equals TensorFlow's formula and gives ceil(extent / stride) outputs, for every small window") {
    using namespace window_test;
    std::size_t wrong = 0;
    for (std::size_t extent = 1; extent <= 20; ++extent) {
        for (std::size_t kernel = 1; kernel <= 8; ++kernel) {
            for (std::size_t stride = 1; stride <= 6; ++stride) {
                for (std::size_t dilation = 1; dilation <= 3; ++dilation) {
                    const std::size_t window = (kernel - 1) * dilation + 1;
                    const auto p = mote::same_padding({extent, 17}, {kernel, 3}, {stride, 2}, {dilation, 1});
                    const auto q = mote::same_padding({17, extent}, {3, kernel}, {2, stride}, {1, dilation});
                    const long expected =
                        total(static_cast<long>(extent), static_cast<long>(window), static_cast<long>(stride));
                    wrong += static_cast<long>(p.top) != expected / 2 || static_cast<long>(p.bottom) != expected - expected / 2;
                    wrong += q.left != p.top || q.right != p.bottom || q.top != p.left || q.bottom != p.right;
                    const auto ceiling = static_cast<long>((extent + stride - 1) / stride);
                    wrong += outputs(extent, p.top + p.bottom, std::max<std::size_t>(window, 1), stride) != ceiling;
                }
            }
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("same_padding: known layers") {
    STATIC_REQUIRE(mote::same_padding({224, 224}, {3, 3}, {2, 2}) == mote::Padding2d{0, 1, 0, 1});  // MobileNet's first
    STATIC_REQUIRE(mote::same_padding({224, 224}, {7, 7}, {2, 2}) == mote::Padding2d{2, 3, 2, 3});
    STATIC_REQUIRE(mote::same_padding({8, 8}, {3, 3}) == mote::uniform_padding(1));
    STATIC_REQUIRE(mote::same_padding({49, 10}, {10, 4}, {2, 2}) == mote::Padding2d{4, 5, 1, 1});  // DS-CNN's first
}

TEST_CASE("same_padding: nothing is padded, and nothing divided by, where a size is 0") {
    STATIC_REQUIRE(mote::same_padding({8, 8}, {3, 3}, {0, 0}) == mote::Padding2d{});
    STATIC_REQUIRE(mote::same_padding({0, 0}, {3, 3}) == mote::Padding2d{});
    STATIC_REQUIRE(mote::same_padding({8, 8}, {0, 0}) == mote::Padding2d{});
}

TEST_CASE("valid_padding is none; uniform_padding is on all four sides") {
    STATIC_REQUIRE(mote::valid_padding() == mote::Padding2d{});
    STATIC_REQUIRE(mote::uniform_padding(2) == mote::Padding2d{2, 2, 2, 2});
    STATIC_REQUIRE(mote::Padding2d{1, 0, 0, 0} != mote::Padding2d{0, 1, 0, 0});
    STATIC_REQUIRE(mote::Size2d{} == mote::Size2d{1, 1});
}
