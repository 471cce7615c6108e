// SPDX-License-Identifier: MIT
#pragma once
// Layers that compute a value from several of one input: reductions, pooling, resizing, softmax.

#include <mote/core/reduction.hpp>
#include <mote/layers/fields.hpp>
#include <mote/layers/window.hpp>

MOTE_BEGIN_NAMESPACE

/// One number from all along `axes` (none: from each element alone); with keep_dims the axes stay, with extent 1. Any element;
/// on quantized int8 values mean and max. Of no numbers max is the least that the element holds, min the greatest.
struct Reduce {
    Reduction function = Reduction::sum;
    std::vector<std::size_t> axes{};
    bool keep_dims = true;
    static constexpr const char* kind = "Reduce";
    static constexpr Family family = Family::reduction;
    static constexpr auto fields =
        list_fields(Field{"function", &Reduce::function}, Field{"axes", &Reduce::axes}, Field{"keep_dims", &Reduce::keep_dims});
};

/// The index, i64, of the largest number along `axis` (or of the smallest); of equal ones the first, or the last.
struct ArgMax {
    std::size_t axis = 0;
    bool keep_dims = true;
    bool largest = true;
    bool select_last = false;
    static constexpr const char* kind = "ArgMax";
    static constexpr Family family = Family::reduction;
    static constexpr auto fields = list_fields(Field{"axis", &ArgMax::axis}, Field{"keep_dims", &ArgMax::keep_dims},
                                               Field{"largest", &ArgMax::largest}, Field{"select_last", &ArgMax::select_last});
};

/// The `count` largest numbers along `axis` (or the smallest), in order, and where they stand, i64; of equal ones the first
/// stand first.
struct TopK {
    std::size_t axis = 0;
    std::size_t count = 1;
    bool largest = true;
    static constexpr const char* kind = "TopK";
    static constexpr Family family = Family::reduction;
    static constexpr auto fields =
        list_fields(Field{"axis", &TopK::axis}, Field{"count", &TopK::count}, Field{"largest", &TopK::largest});
};

/// The largest value under the window, [batch, height, width, channels]. Padding never wins.
struct MaxPool2d {
    Size2d kernel{};
    Size2d stride{};
    Padding2d padding{};
    Size2d dilation{};
    static constexpr const char* kind = "MaxPool2d";
    static constexpr Family family = Family::reduction;
    static constexpr auto fields = list_fields(Field{"kernel", &MaxPool2d::kernel}, Field{"stride", &MaxPool2d::stride},
                                               Field{"padding", &MaxPool2d::padding}, Field{"dilation", &MaxPool2d::dilation});
};

/// Where the largest value under the window stands, i64, [batch, rows ..., channels] of one to six axes between; of equal ones
/// the first. The window's vectors have a number for each axis between, `steps` one for each axis: the value at position p
/// counts as sum(p[a] * steps[a]).
struct ArgMaxPool {
    std::vector<std::size_t> kernel{};
    std::vector<std::size_t> stride{};
    std::vector<std::size_t> dilation{};
    std::vector<std::size_t> before{};  ///< padding
    std::vector<std::size_t> after{};
    std::vector<std::size_t> steps{};
    static constexpr const char* kind = "ArgMaxPool";
    static constexpr Family family = Family::reduction;
    static constexpr auto fields = list_fields(Field{"kernel", &ArgMaxPool::kernel}, Field{"stride", &ArgMaxPool::stride},
                                               Field{"dilation", &ArgMaxPool::dilation}, Field{"before", &ArgMaxPool::before},
                                               Field{"after", &ArgMaxPool::after}, Field{"steps", &ArgMaxPool::steps});
};

/// The mean under the window. Padding does not count unless count_padding says so.
struct AveragePool2d {
    Size2d kernel{};
    Size2d stride{};
    Padding2d padding{};
    bool count_padding = false;
    Size2d dilation{};
    static constexpr const char* kind = "AveragePool2d";
    static constexpr Family family = Family::reduction;
    static constexpr auto fields =
        list_fields(Field{"kernel", &AveragePool2d::kernel}, Field{"stride", &AveragePool2d::stride},
                    Field{"padding", &AveragePool2d::padding}, Field{"count_padding", &AveragePool2d::count_padding},
                    Field{"dilation", &AveragePool2d::dilation});
};

/// The mean over height and width, [batch, height, width, channels] -> [batch, 1, 1, channels].
struct GlobalAveragePool {
    static constexpr const char* kind = "GlobalAveragePool";
    static constexpr Family family = Family::reduction;
    static constexpr auto fields = list_fields();
};

/// How a value between pixels is made: by the nearest one, of the two around it, or of four by a cubic convolution (Keys 1981,
/// "Cubic convolution interpolation for digital image processing").
enum class Interpolation : std::uint8_t { nearest, linear, cubic };

/// Where output pixel i lies among n input pixels, m output pixels and a scale s (m / n where none is stated):
///   asymmetric            i / s
///   corners               i * (n - 1) / (s * n - 1): the corners' centres on one another; 0 where s * n is 1
///   half_pixel            (i + 0.5) / s - 0.5: pixels have an extent
///   half_pixel_symmetric  the same, with what m is rounded off of s * n shared by both sides
///   half_pixel_or_first   the same as half_pixel, but 0 for a single output pixel
///   half_pixel_floor      (i + 0.5) / s
///   crop                  from the place `first` on to the place `last`, which count from 0 at the first centre to 1 at the
///   last
enum class Alignment : std::uint8_t {
    asymmetric,
    corners,
    half_pixel,
    half_pixel_symmetric,
    half_pixel_or_first,
    half_pixel_floor,
    crop
};

/// Which of two pixels is nearest to a place between them.
enum class NearestPixel : std::uint8_t { floor, ceil, round_half_down, round_half_up };

/// [batch, height, width, channels] -> [batch, size.height, size.width, channels]; outside of the image its border goes on.
struct Resize2d {
    Size2d size{};
    Interpolation interpolation = Interpolation::linear;
    Alignment alignment = Alignment::half_pixel;
    NearestPixel nearest = NearestPixel::round_half_up;
    float scale_height = 0.0f;     ///< 0: size.height / height
    float scale_width = 0.0f;      ///< 0: size.width / width
    float cubic = -0.75f;          ///< Keys' a
    bool exclude_outside = false;  ///< the border does not go on: pixels outside get no weight, the others its share
    bool antialias = false;        ///< linear and cubic: what shrinks is weighed over 1 / scale as many pixels
    Tensor<f32> crop{};            ///< of Alignment::crop: [4], first row and column, last row and column
    float outside = 0.0f;          ///< of Alignment::crop: the value at places outside of the image
    static constexpr const char* kind = "Resize2d";
    static constexpr Family family = Family::reduction;
    static constexpr auto fields = list_fields(
        Field{"size", &Resize2d::size}, Field{"interpolation", &Resize2d::interpolation},
        Field{"alignment", &Resize2d::alignment}, Field{"nearest", &Resize2d::nearest},
        Field{"scale_height", &Resize2d::scale_height}, Field{"scale_width", &Resize2d::scale_width},
        Field{"cubic", &Resize2d::cubic}, Field{"exclude_outside", &Resize2d::exclude_outside},
        Field{"antialias", &Resize2d::antialias}, Field{"crop", &Resize2d::crop}, Field{"outside", &Resize2d::outside});
};

/// exp(x) / sum(exp(x)) over the last axis. On int8 values `table` holds 256 entries, round(exp(-scale * d) * 2^22) for
/// d = largest - q (softmax_table in layers/table.hpp), and the output is at scale 1/256, zero point -128.
struct Softmax {
    Tensor<i32> table{};
    static constexpr const char* kind = "Softmax";
    static constexpr Family family = Family::reduction;
    static constexpr auto fields = list_fields(Field{"table", &Softmax::table});
};

MOTE_END_NAMESPACE
