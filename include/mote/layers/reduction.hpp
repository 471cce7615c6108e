// SPDX-License-Identifier: MIT
#pragma once
// Layers that compute a value from several of one input: reductions, pooling, resizing, softmax.

#include <mote/core/reduction.hpp>
#include <mote/layers/fields.hpp>
#include <mote/layers/window.hpp>

MOTE_BEGIN_NAMESPACE

/// One number from all along `axes` (none: from each element alone); with keep_dims the axes stay, with extent 1. f32; on int8
/// values mean and max.
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

/// The largest value under the window, [batch, height, width, channels]. Padding never wins.
struct MaxPool2d {
    Size2d kernel{};
    Size2d stride{};
    Padding2d padding{};
    static constexpr const char* kind = "MaxPool2d";
    static constexpr Family family = Family::reduction;
    static constexpr auto fields = list_fields(Field{"kernel", &MaxPool2d::kernel}, Field{"stride", &MaxPool2d::stride},
                                               Field{"padding", &MaxPool2d::padding});
};

/// The mean under the window. Padding does not count unless count_padding says so.
struct AveragePool2d {
    Size2d kernel{};
    Size2d stride{};
    Padding2d padding{};
    bool count_padding = false;
    static constexpr const char* kind = "AveragePool2d";
    static constexpr Family family = Family::reduction;
    static constexpr auto fields =
        list_fields(Field{"kernel", &AveragePool2d::kernel}, Field{"stride", &AveragePool2d::stride},
                    Field{"padding", &AveragePool2d::padding}, Field{"count_padding", &AveragePool2d::count_padding});
};

/// The mean over height and width, [batch, height, width, channels] -> [batch, 1, 1, channels].
struct GlobalAveragePool {
    static constexpr const char* kind = "GlobalAveragePool";
    static constexpr Family family = Family::reduction;
    static constexpr auto fields = list_fields();
};

/// Where an output pixel's centre lies in the input, for a scale of in / out: i * scale; i * (in - 1) / (out - 1), the corners'
/// centres on one another; or (i + 0.5) * scale - 0.5.
enum class Alignment : std::uint8_t { asymmetric, corners, half_pixel };

/// [batch, height, width, channels] -> [batch, size.height, size.width, channels], by the four pixels around a place, or by the
/// nearest one: with asymmetric and half-pixel centres the pixel that the place lies in, with corners the rounded place (as
/// TensorFlow does).
struct Resize2d {
    Size2d size{};
    bool bilinear = true;
    Alignment alignment = Alignment::half_pixel;
    static constexpr const char* kind = "Resize2d";
    static constexpr Family family = Family::reduction;
    static constexpr auto fields = list_fields(Field{"size", &Resize2d::size}, Field{"bilinear", &Resize2d::bilinear},
                                               Field{"alignment", &Resize2d::alignment});
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
