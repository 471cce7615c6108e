// SPDX-License-Identifier: MIT
// Geometries: plain data that kernels of all instruction sets share, and that an emitted header replaces by constants.

#include <mote/core/geometry.hpp>

#include <support/catch.hpp>

#include <type_traits>

namespace geometry_test {

/// What an emitted header holds.
struct Constants {
    static constexpr std::int32_t batch = 1, in_height = 8, in_width = 9, in_channels = 3, out_height = 8, out_width = 9,
                                  out_channels = 4, kernel_height = 3, kernel_width = 3, stride_height = 1, stride_width = 1,
                                  dilation_height = 1, dilation_width = 1, pad_top = 1, pad_left = 1, groups = 1;
};

template <class Geometry>
constexpr std::int32_t macs(const Geometry& g) {
    return g.batch * g.out_height * g.out_width * g.out_channels * g.kernel_height * g.kernel_width * g.in_channels / g.groups;
}

}  // namespace geometry_test

TEST_CASE("geometry: structs are plain data without functions of their own") {
    STATIC_REQUIRE(std::is_trivially_copyable_v<mote::ConvGeometry>);
    STATIC_REQUIRE(std::is_standard_layout_v<mote::ConvGeometry>);
    STATIC_REQUIRE(std::is_aggregate_v<mote::ConvGeometry>);
    STATIC_REQUIRE(std::is_trivially_copyable_v<mote::WindowGeometry>);
    STATIC_REQUIRE(std::is_trivially_copyable_v<mote::MoveGeometry>);
    STATIC_REQUIRE(std::is_trivially_copyable_v<mote::BroadcastGeometry>);
    STATIC_REQUIRE(std::is_trivially_copyable_v<mote::RowGeometry>);
}

TEST_CASE("geometry: one template reads a run-time struct and a struct of constants alike") {
    mote::ConvGeometry g;
    g.in_height = g.out_height = 8;
    g.in_width = g.out_width = 9;
    g.in_channels = 3;
    g.out_channels = 4;
    g.kernel_height = g.kernel_width = 3;
    g.pad_top = g.pad_left = 1;
    STATIC_REQUIRE(geometry_test::macs(geometry_test::Constants{}) == 8 * 9 * 4 * 9 * 3);
    CHECK(geometry_test::macs(g) == geometry_test::macs(geometry_test::Constants{}));
}

TEST_CASE("geometry: defaults describe one element, moved once") {
    CHECK(geometry_test::macs(mote::ConvGeometry{}) == 1);
    CHECK(mote::MoveGeometry{}.rank == 0);
    CHECK(mote::BroadcastGeometry{}.rank == 0);
    const mote::RowGeometry row;
    CHECK(row.outer * row.channels * row.spatial == 1);
}
