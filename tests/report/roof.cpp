// SPDX-License-Identifier: MIT
// The machine's roof has a level for each cache and one for memory, and only grows from round to round.

#include <mote/report/roof.hpp>

#include <support/catch.hpp>

TEST_CASE("machine_caches: from the nearest to the largest") {
    const std::vector<mote::Cache> caches = mote::machine_caches();
    for (std::size_t i = 0; i < caches.size(); ++i) {
        CHECK(caches[i].bytes >= 4096);
        CHECK(caches[i].level == static_cast<int>(i) + 1);
    }
}

TEST_CASE("RoofMeter: every level of memory has a rate for any number of threads; more rounds never lower a peak") {
    for (const std::size_t threads : {1u, 3u}) {
        mote::RoofMeter meter(threads, {{1, 16384}, {2, 65536}, {3, 65536}});
        CHECK(meter.roof().threads == threads);
        meter.measure_levels(1);
#if defined(MOTE_VECTORS)
        std::vector<std::string> names;
        for (const mote::MemoryLevel& level : meter.roof().levels) {
            names.push_back(level.name);
            CHECK(level.gigabytes_per_second > 0.0);
        }
        CHECK(names == std::vector<std::string>{"L1", "L2", "memory"});  // the third is no larger than the second
        mote::Roof before;
        for (int round = 0; round < 3; ++round) {
            meter.measure_peaks();
            CHECK(meter.roof().f32_gops > 0.0);
            CHECK(meter.roof().f32_gops >= before.f32_gops);
            CHECK(meter.roof().i8_gops > 0.0);
            CHECK(meter.roof().i8_gops >= before.i8_gops);
            before = meter.roof();
        }
#else
        meter.measure_peaks();
        CHECK(meter.roof().levels.empty());
        CHECK(meter.roof().f32_gops == 0.0);
#endif
    }
}
