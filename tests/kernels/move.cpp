// SPDX-License-Identifier: MIT
// Movement: transposes, slices, repetitions and reversals of generated ranks and extents against the definition.

#include <mote/kernels/move.hpp>

#include <support/catch.hpp>
#include <support/generate.hpp>

namespace move_test {

using namespace support;

struct Movement {
    mote::MoveGeometry geometry;
    std::size_t input_elements = 1, output_elements = 1;
    std::ptrdiff_t input_base = 0, output_base = 0;
};

/// Lays axes out in a random order, from the innermost outwards, with gaps now and then.
std::size_t strides(mote::Random& random, const mote::MoveGeometry& g, std::int32_t* to, bool gaps) {
    std::int32_t order[8];
    for (std::int32_t i = 0; i < g.rank; ++i) {
        const std::int32_t at = from_to(random, 0, i);
        order[i] = order[at];
        order[at] = i;
    }
    if (from_to(random, 0, 2) == 0) {
        for (std::int32_t i = 0; i < g.rank; ++i) order[i] = g.rank - 1 - i;  // the natural order
    }
    std::int32_t step = gaps ? from_to(random, 1, 2) : 1;
    for (std::int32_t i = 0; i < g.rank; ++i) {
        to[order[i]] = step;
        step *= g.extent[order[i]];
        if (gaps) step += from_to(random, 0, 2);
    }
    return static_cast<std::size_t>(step > 0 ? step : 1);
}

Movement movement(mote::Random& random) {
    Movement m;
    mote::MoveGeometry& g = m.geometry;
    g.rank = from_to(random, 0, 8);
    std::int32_t elements = 1;
    for (std::int32_t axis = 0; axis < g.rank; ++axis) {
        g.extent[axis] = from_to(random, 0, 30) == 0 ? 0 : from_to(random, 1, g.rank > 4 ? 4 : g.rank > 2 ? 9 : 70);
        elements *= g.extent[axis] > 0 ? g.extent[axis] : 1;
        if (elements > 20000) g.extent[axis] = 1;
    }
    m.input_elements = strides(random, g, g.input_stride, from_to(random, 0, 1) == 0);
    m.output_elements = strides(random, g, g.output_stride, from_to(random, 0, 2) == 0);
    if (g.rank > 0 && from_to(random, 0, 2) == 0) {
        const std::int32_t axis = from_to(random, 0, g.rank - 1);
        if (from_to(random, 0, 1) == 0) {
            g.input_stride[axis] = 0;  // repeated
        } else if (g.extent[axis] > 0) {
            m.input_base = std::ptrdiff_t{g.extent[axis] - 1} * g.input_stride[axis];  // backwards
            g.input_stride[axis] = -g.input_stride[axis];
        }
    }
    return m;
}

}  // namespace move_test

TEST_CASE("move definition: a transpose of two axes, by hand") {
    mote::MoveGeometry g;
    g.rank = 2;
    g.extent[0] = 3, g.extent[1] = 2;
    g.input_stride[0] = 1, g.input_stride[1] = 3;
    g.output_stride[0] = 2, g.output_stride[1] = 1;
    const std::int16_t in[] = {1, 2, 3, 4, 5, 6};
    std::int16_t out[6] = {};
    mote::kernels::reference::move(g, 2, in, out);
    CHECK((out[0] == 1 && out[1] == 4 && out[2] == 2 && out[3] == 5 && out[4] == 3 && out[5] == 6));
}

TEST_CASE("move: equals the definition for generated movements of every element size, and touches nothing else") {
    using namespace move_test;
    for (std::uint64_t seed = 0; seed < 1000; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 80);
        const Movement m = movement(random);
        const std::size_t size = std::size_t{1} << (seed % 4);
        const auto input = bytes(m.input_elements * size, random);
        std::vector<std::int8_t> expected(m.output_elements * size, 77), got = expected;
        const std::int8_t* from = input.data() + m.input_base * static_cast<std::ptrdiff_t>(size);
        mote::kernels::reference::move(m.geometry, size, from, expected.data());
        mote::kernels::move(m.geometry, size, from, got.data());
        CHECK(got == expected);
    }
}

TEST_CASE("move: a shuffle of groups of channels equals the definition, for every number of channels and element size") {
    using namespace move_test;
    for (std::int32_t channels = 1; channels < 80; ++channels) {
        for (const std::int32_t groups : {2, 3}) {
            CAPTURE(channels, groups);
            mote::MoveGeometry g;  // [pixels, groups, channels] to [pixels, channels, groups]
            g.rank = 3;
            g.extent[0] = 3, g.extent[1] = channels, g.extent[2] = groups;
            g.input_stride[0] = g.output_stride[0] = groups * channels;
            g.input_stride[1] = 1, g.input_stride[2] = channels;
            g.output_stride[1] = groups, g.output_stride[2] = 1;
            for (const std::size_t size : {1u, 2u, 4u, 8u}) {
                mote::Random random(static_cast<std::uint64_t>(channels), 83);
                const auto input = bytes(static_cast<std::size_t>(3 * groups * channels) * size, random);
                std::vector<std::int8_t> expected(input.size() + 1, 77), got = expected;
                mote::kernels::reference::move(g, size, input.data(), expected.data());
                mote::kernels::move(g, size, input.data(), got.data());
                CHECK(got == expected);
            }
        }
    }
}

TEST_CASE("gather: the definition copies the rows that are named, and the kernel copies the same") {
    using namespace move_test;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        CAPTURE(seed);
        mote::Random random(seed, 82);
        const mote::GatherGeometry g{from_to(random, 1, 4), from_to(random, 1, 9), from_to(random, 0, 12),
                                     from_to(random, 1, 7)};
        const std::size_t size = std::size_t{1} << (seed % 4);
        const std::size_t row = static_cast<std::size_t>(g.inner) * size;
        const auto rows = [&](std::int32_t count) { return static_cast<std::size_t>(g.outer * count); };
        const auto input = bytes(rows(g.extent) * row, random);
        std::vector<std::int32_t> index;
        for (std::int32_t k = 0; k < g.count; ++k) index.push_back(from_to(random, 0, g.extent - 1));
        std::vector<std::int8_t> got(rows(g.count) * row + 1, 77), definition = got, expected;
        for (std::int32_t o = 0; o < g.outer; ++o) {
            for (const std::int32_t k : index) {
                const auto from = input.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(o * g.extent + k) * row);
                expected.insert(expected.end(), from, from + static_cast<std::ptrdiff_t>(row));
            }
        }
        expected.push_back(77);
        mote::kernels::reference::gather(g, size, index.data(), input.data(), definition.data());
        mote::kernels::gather(g, size, index.data(), input.data(), got.data());
        CHECK(definition == expected);
        CHECK(got == expected);
    }
}

TEST_CASE("fill: every element is the value, and nothing behind the last changes") {
    using namespace move_test;
    mote::Random random(81);
    for (std::size_t size : {1u, 2u, 4u, 8u}) {
        for (std::size_t count = 0; count < 40; ++count) {
            const auto value = bytes(size, random);
            std::vector<std::int8_t> expected((count + 1) * size, 77), got = expected;
            for (std::size_t i = 0; i < count * size; ++i) expected[i] = value[i % size];
            mote::kernels::fill(count, size, value.data(), got.data());
            CHECK(got == expected);
            std::vector<std::int8_t> definition((count + 1) * size, 77);
            mote::kernels::reference::fill(count, size, value.data(), definition.data());
            CHECK(definition == expected);
        }
    }
}
