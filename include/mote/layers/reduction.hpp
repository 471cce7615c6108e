// SPDX-License-Identifier: MIT
#pragma once
// Layers that reduce: pooling and softmax.

#include <mote/layers/fields.hpp>
#include <mote/layers/window.hpp>

MOTE_BEGIN_NAMESPACE

/// The largest value under the window, [batch, height, width, channels]. Padding never wins.
struct MaxPool2d {
    Size2d kernel{};
    Size2d stride{};
    Padding2d padding{};
    static constexpr const char* kind = "MaxPool2d";
    static constexpr Family family = Family::reduction;
    static constexpr auto fields = std::tuple{Field{"kernel", &MaxPool2d::kernel}, Field{"stride", &MaxPool2d::stride},
                                              Field{"padding", &MaxPool2d::padding}};
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
        std::tuple{Field{"kernel", &AveragePool2d::kernel}, Field{"stride", &AveragePool2d::stride},
                   Field{"padding", &AveragePool2d::padding}, Field{"count_padding", &AveragePool2d::count_padding}};
};

/// The mean over height and width, [batch, height, width, channels] -> [batch, 1, 1, channels].
struct GlobalAveragePool {
    static constexpr const char* kind = "GlobalAveragePool";
    static constexpr Family family = Family::reduction;
    static constexpr std::tuple<> fields{};
};

/// exp(x) / sum(exp(x)) over the last axis. On int8 values `table` holds 256 entries, round(exp(-scale * d) * 2^22) for
/// d = largest - q (softmax_table in layers/table.hpp), and the output is at scale 1/256, zero point -128.
struct Softmax {
    Tensor<i32> table{};
    static constexpr const char* kind = "Softmax";
    static constexpr Family family = Family::reduction;
    static constexpr auto fields = std::tuple{Field{"table", &Softmax::table}};
};

MOTE_END_NAMESPACE
