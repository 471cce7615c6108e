// SPDX-License-Identifier: MIT
// Arguments are plain data, and what is not set does nothing: no clamp, no residual.

#include <mote/kernels/arguments.hpp>

#include <support/catch.hpp>

#include <limits>
#include <type_traits>

TEST_CASE("arguments: plain data that clamp nothing and add nothing unless asked") {
    CHECK(std::is_trivially_copyable_v<mote::ConvF32>);
    CHECK(std::is_trivially_copyable_v<mote::ConvI8>);
    CHECK(std::is_trivially_copyable_v<mote::GemmF32>);
    const mote::ConvF32 real;
    CHECK(real.lo == -std::numeric_limits<float>::infinity());
    CHECK(real.residual_hi == std::numeric_limits<float>::infinity());
    CHECK(real.residual == nullptr);
    const mote::ConvI8 bytes;
    CHECK(bytes.requantize.lo == -128);
    CHECK(bytes.requantize.hi == 127);
    CHECK(bytes.residual == nullptr);
}
