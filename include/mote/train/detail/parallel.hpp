// SPDX-License-Identifier: MIT
#pragma once
// WorkerTeam: threads that share numbered tasks and then wait for each other.

#include <mote/core/config.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

MOTE_BEGIN_NAMESPACE

/// run(n, task) calls task(0) ... task(n - 1), each once, on the caller and the team's threads, and returns when all have
/// returned. Which thread runs which task is not fixed: results must not depend on it. Threads without work watch for some
/// microseconds, then sleep.
class WorkerTeam {
  public:
    /// `threads` counts the caller; 0 and 1 start none.
    explicit WorkerTeam(std::size_t threads) {
        for (std::size_t i = 1; i < threads; ++i) threads_.emplace_back([this] { serve(); });
    }
    WorkerTeam(const WorkerTeam&) = delete;
    WorkerTeam& operator=(const WorkerTeam&) = delete;
    ~WorkerTeam() {
        stop_.store(true, std::memory_order_release);
        call_.fetch_add(1, std::memory_order_release);
        call_.notify_all();
        for (std::thread& thread : threads_) thread.join();
    }

    std::size_t threads() const noexcept { return threads_.size() + 1; }

    /// The exception of the task with the least number is thrown to the caller, after all tasks have ended.
    template <class Task>
    void run(std::size_t count, Task&& task) {
        if (threads_.empty() || count < 2) {
            for (std::size_t i = 0; i < count; ++i) task(i);
            return;
        }
        context_ = &task;
        body_ = [](void* context, std::size_t index) { (*static_cast<std::remove_reference_t<Task>*>(context))(index); };
        failed_task_ = count;
        failure_ = nullptr;
        left_.store(static_cast<std::uint32_t>(count), std::memory_order_relaxed);
        const std::uint64_t round = (ticket_.load(std::memory_order_relaxed) >> 32) + 1;
        ticket_.store(round << 32 | count, std::memory_order_release);
        call_.fetch_add(1, std::memory_order_release);
        call_.notify_all();
        while (take_task()) {}
        for (std::uint32_t left = left_.load(std::memory_order_acquire); left != 0;
             left = left_.load(std::memory_order_acquire)) {
            if (!watch([&] { return left_.load(std::memory_order_acquire) != left; }))
                left_.wait(left, std::memory_order_acquire);
        }
#if MOTE_EXCEPTIONS
        if (failure_ != nullptr) std::rethrow_exception(failure_);
#endif
    }

  private:
    /// Takes one task of the current round and runs it; false where none is left. The ticket holds the round and how many
    /// tasks nobody has taken: a thread that comes late cannot take a task of a round that is over.
    bool take_task() {
        std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
        do {
            if ((ticket & 0xffffffffu) == 0) return false;
        } while (!ticket_.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel, std::memory_order_acquire));
        const auto index = static_cast<std::size_t>((ticket & 0xffffffffu) - 1);
#if MOTE_EXCEPTIONS
        try {
            body_(context_, index);
        } catch (...) {
            while (lock_.test_and_set(std::memory_order_acquire)) {}
            if (index < failed_task_) {
                failed_task_ = index;
                failure_ = std::current_exception();
            }
            lock_.clear(std::memory_order_release);
        }
#else
        body_(context_, index);
#endif
        if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) left_.notify_all();
        return true;
    }

    void serve() {
        std::uint32_t seen = 0;
        for (;;) {
            if (!watch([&] { return call_.load(std::memory_order_acquire) != seen; }))
                call_.wait(seen, std::memory_order_acquire);
            seen = call_.load(std::memory_order_acquire);
            if (stop_.load(std::memory_order_acquire)) return;
            while (take_task()) {}
        }
    }

    /// Looks for some microseconds whether `changed`; lets others run meanwhile.
    template <class Changed>
    static bool watch(Changed changed) {
        for (int i = 0; i < 200; ++i) {
            if (changed()) return true;
            if (i >= 100) std::this_thread::yield();
        }
        return false;
    }

    std::vector<std::thread> threads_;
    void* context_ = nullptr;
    void (*body_)(void*, std::size_t) = nullptr;
    std::exception_ptr failure_;
    std::size_t failed_task_ = 0;
    std::atomic_flag lock_ = ATOMIC_FLAG_INIT;
    std::atomic<std::uint64_t> ticket_{0};
    std::atomic<std::uint32_t> left_{0};
    std::atomic<std::uint32_t> call_{0};
    std::atomic<bool> stop_{false};
};

MOTE_END_NAMESPACE
