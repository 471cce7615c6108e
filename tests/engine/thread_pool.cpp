// SPDX-License-Identifier: MIT
// ThreadPool: every task once, all done on return, whoever calls, whether its threads sleep or watch.

#include <mote/engine/thread_pool.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>

#include <thread>

TEST_CASE("thread pool: every task runs once, and what tasks wrote is seen behind the call, over many rounds") {
    for (const std::size_t threads : {0u, 1u, 2u, 4u}) {
        for (const double spin : {0.0, 50.0}) {
            CAPTURE(threads, spin);
            mote::ThreadPool pool(threads, {.spin_microseconds = spin});
            CHECK(pool.threads() == (threads == 0 ? 1 : threads));
            std::vector<int> counts(13, 0);  // plain ints: a race would be seen by the thread sanitizer
            std::vector<int> expected(13, 0);
            for (std::size_t round = 0; round < 200; ++round) {
                if (round % 20 == 0) pool.begin_run();
                pool.parallel_for(round % 14, [&](std::size_t task) { counts[task] += 1; });
                for (std::size_t task = 0; task < round % 14; ++task) ++expected[task];
                if (round % 20 == 9) pool.end_run();
            }
            CHECK(counts == expected);
        }
    }
}

TEST_CASE("thread pool: several callers share it, and none waits for another's tasks") {
    mote::ThreadPool pool(3);
    std::vector<std::size_t> sums(4, 0);
    {
        std::vector<std::thread> callers;
        for (std::size_t caller = 0; caller < sums.size(); ++caller) {
            callers.emplace_back([&, caller] {
                for (std::size_t round = 0; round < 300; ++round) {
                    std::vector<std::size_t> done(7, 0);
                    pool.parallel_for(done.size(), [&](std::size_t task) { done[task] = task + caller; });
                    for (const std::size_t d : done) sums[caller] += d;
                }
            });
        }
        for (std::thread& caller : callers) caller.join();
    }
    for (std::size_t caller = 0; caller < sums.size(); ++caller) CHECK(sums[caller] == 300 * (21 + 7 * caller));
}

TEST_CASE("thread pool: a number of threads beyond sense is refused") {
    CHECK_ERROR(mote::ThreadPool(100000), "100000 threads", "4096");
}
