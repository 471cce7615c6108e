// SPDX-License-Identifier: MIT
// WorkerTeam: every task once, all done on return, the first error to the caller.

#include <mote/train/detail/parallel.hpp>
#include <mote/tensor/error.hpp>

#include <support/catch.hpp>

TEST_CASE("worker team: every task runs once, and what tasks wrote is seen after run, over many rounds") {
    for (const std::size_t threads : {0u, 1u, 2u, 4u}) {
        CAPTURE(threads);
        mote::WorkerTeam team(threads);
        CHECK(team.threads() == (threads == 0 ? 1 : threads));
        std::vector<int> counts(13, 0);  // plain ints: a race would be seen by the thread sanitizer
        for (int round = 0; round < 200; ++round) {
            const std::size_t tasks = static_cast<std::size_t>(round) % 14;
            team.run(tasks, [&](std::size_t task) { counts[task] += 1; });
        }
        for (std::size_t task = 0; task < counts.size(); ++task) {
            int expected = 0;
            for (int round = 0; round < 200; ++round) expected += static_cast<std::size_t>(round) % 14 > task ? 1 : 0;
            CHECK(counts[task] == expected);
        }
    }
}

TEST_CASE("worker team: of several errors the one of the first task is thrown, after all tasks have run") {
    for (const std::size_t threads : {2u, 3u}) {
        mote::WorkerTeam team(threads);
        for (int round = 0; round < 20; ++round) {
            std::vector<int> ran(8, 0);
            const auto run = [&] {
                team.run(8, [&](std::size_t task) {
                    ran[task] = 1;
                    if (task == 3 || task == 6) mote::fail(mote::concat("task ", task));
                });
            };
            CHECK_THROWS_WITH(run(), "task 3");
            CHECK(ran == std::vector<int>(8, 1));
        }
        int count = 0;
        team.run(1, [&](std::size_t) { ++count; });
        CHECK(count == 1);
    }
}
