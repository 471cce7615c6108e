// SPDX-License-Identifier: MIT
// An engine on the application's oneTBB arena.

#include "check.hpp"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

/// The threads of an arena, which other work of the application may use between runs. oneTBB takes its tasks from pools of its
/// own.
struct TbbExecutor {
    tbb::task_arena arena{};

    std::size_t threads() noexcept { return static_cast<std::size_t>(arena.max_concurrency()); }
    template <class Body>
    void parallel_for(std::size_t parts, const Body& body) noexcept {
        arena.execute([&] { tbb::parallel_for(std::size_t{0}, parts, body, tbb::simple_partitioner()); });
    }
};

int main() {
    TbbExecutor executor;
    return check("oneTBB", executor);
}
