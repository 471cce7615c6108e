// SPDX-License-Identifier: MIT
#pragma once
// Layers that move elements and compute nothing: Concat, Pad, Reshape, Flatten, Transpose.

#include <mote/layers/fields.hpp>

MOTE_BEGIN_NAMESPACE

/// The inputs one after the other along `axis` (negative: from the end).
struct Concat {
    std::int32_t axis = -1;
    static constexpr const char* kind = "Concat";
    static constexpr Family family = Family::movement;
    static constexpr auto fields = list_fields(Field{"axis", &Concat::axis});
};

/// Adds before[a] and after[a] elements of real value `value` along each axis a; both have the input's rank.
struct Pad {
    std::vector<std::size_t> before{};
    std::vector<std::size_t> after{};
    float value = 0.0f;
    static constexpr const char* kind = "Pad";
    static constexpr Family family = Family::movement;
    static constexpr auto fields =
        list_fields(Field{"before", &Pad::before}, Field{"after", &Pad::after}, Field{"value", &Pad::value});
};

/// The same elements under `shape`, the batch (first axis) included: 0 keeps the input's extent, one -1 takes the rest.
struct Reshape {
    std::vector<std::int64_t> shape{};
    static constexpr const char* kind = "Reshape";
    static constexpr Family family = Family::movement;
    static constexpr auto fields = list_fields(Field{"shape", &Reshape::shape});
};

/// [batch, ...] -> [batch, elements]
struct Flatten {
    static constexpr const char* kind = "Flatten";
    static constexpr Family family = Family::movement;
    static constexpr auto fields = list_fields();
};

/// Output axis a is input axis order[a].
struct Transpose {
    std::vector<std::size_t> order{};
    static constexpr const char* kind = "Transpose";
    static constexpr Family family = Family::movement;
    static constexpr auto fields = list_fields(Field{"order", &Transpose::order});
};

MOTE_END_NAMESPACE
