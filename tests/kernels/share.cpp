// SPDX-License-Identifier: MIT
// share: parts are disjoint, cover everything, and begin at multiples of the unit.

#include <mote/kernels/share.hpp>

#include <support/catch.hpp>

TEST_CASE("share: parts follow one another from the first to the last, in whole units, and differ by a unit at most") {
    for (const std::ptrdiff_t unit : {1, 3, 64}) {
        for (std::ptrdiff_t n = 0; n < 200; ++n) {
            for (std::int32_t count = 1; count < 6; ++count) {
                std::ptrdiff_t at = 0;
                for (std::int32_t index = 0; index < count; ++index) {
                    const mote::IndexRange range = mote::kernels::share(n, {index, count}, unit);
                    REQUIRE(range.begin == at);
                    REQUIRE(range.end >= range.begin);
                    REQUIRE((range.end % unit == 0 || range.end == n));
                    REQUIRE(range.end - range.begin <= ((n + unit - 1) / unit + count - 1) / count * unit);
                    at = range.end;
                }
                REQUIRE(at == n);
            }
        }
    }
}
