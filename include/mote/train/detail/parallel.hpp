// SPDX-License-Identifier: MIT
#pragma once
// WorkerTeam: threads that share numbered tasks, which may fail, and then wait for each other.

#include <mote/engine/thread_pool.hpp>

#include <exception>

MOTE_BEGIN_NAMESPACE

/// A ThreadPool whose tasks may throw.
class WorkerTeam {
  public:
    /// `threads` counts the caller; 0 and 1 start none.
    explicit WorkerTeam(std::size_t threads) : pool_(threads, {.spin_microseconds = 20}) {}

    std::size_t threads() const noexcept { return pool_.threads(); }

    /// Calls task(0) ... task(n - 1), each once, and returns when all have returned. The exception of the task with the least
    /// number is thrown to the caller.
    template <class Task>
    void run(std::size_t count, Task&& task) {
#if MOTE_EXCEPTIONS
        std::size_t failed = count;
        std::exception_ptr failure;
        std::atomic_flag lock = ATOMIC_FLAG_INIT;
        pool_.parallel_for(count, [&](std::size_t index) noexcept {
            try {
                task(index);
            } catch (...) {
                while (lock.test_and_set(std::memory_order_acquire)) {}
                if (index < failed) {
                    failed = index;
                    failure = std::current_exception();
                }
                lock.clear(std::memory_order_release);
            }
        });
        if (failure != nullptr) std::rethrow_exception(failure);
#else
        pool_.parallel_for(count, task);
#endif
    }

  private:
    ThreadPool pool_;
};

MOTE_END_NAMESPACE
