// SPDX-License-Identifier: MIT
#pragma once
// ThreadPool: threads that share numbered tasks with their caller, and sleep when there are none.

#include <mote/tensor/error.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <vector>
#if __has_include(<pthread.h>)
#include <pthread.h>
#include <sched.h>
#else
#error "mote: threads need POSIX threads (pthread.h)"
#endif

MOTE_BEGIN_NAMESPACE

struct ThreadPoolOptions {
    /// How long a thread without work watches for it, before it sleeps. Within a run of an engine it always watches, for 200
    /// microseconds at most: from step to step sleeping would take longer.
    double spin_microseconds = 0;
};

namespace detail {
/// Threads that sleep until something happens. std::atomic's wait and notify would do too, but cost a unit half a second.
class Sleepers {
  public:
    Sleepers() = default;
    Sleepers(const Sleepers&) = delete;
    Sleepers& operator=(const Sleepers&) = delete;
    ~Sleepers() {
        pthread_cond_destroy(&condition_);
        pthread_mutex_destroy(&mutex_);
    }
    /// Returns when happened(), which reads sequentially consistent atomics that were changed before a wake().
    template <class Happened>
    void sleep(const Happened& happened) noexcept {
        pthread_mutex_lock(&mutex_);
        asleep_.fetch_add(1, std::memory_order_seq_cst);
        while (!happened()) pthread_cond_wait(&condition_, &mutex_);
        asleep_.fetch_sub(1, std::memory_order_relaxed);
        pthread_mutex_unlock(&mutex_);
    }
    void wake() noexcept {
        if (asleep_.load(std::memory_order_seq_cst) == 0) return;
        pthread_mutex_lock(&mutex_);
        pthread_cond_broadcast(&condition_);
        pthread_mutex_unlock(&mutex_);
    }

  private:
    pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition_ = PTHREAD_COND_INITIALIZER;
    std::atomic<std::uint32_t> asleep_{0};
};
}  // namespace detail

template <class Lazy>
class BasicThreadPool;
using ThreadPool = BasicThreadPool<void>;

/// Several engines may share a pool, also from several threads: a call that finds the pool at work runs its tasks itself.
template <class Lazy>
class BasicThreadPool {
  public:
    /// `threads` counts the caller; 0 and 1 start none. Throws an Error where the system gives no more threads.
    explicit BasicThreadPool(std::size_t threads, const ThreadPoolOptions& options = {}) : options_(options) {
        if (threads > 4096) fail("a pool of ", threads, " threads: 4096 at most are supported");
        for (std::size_t i = 1; i < threads; ++i) {
            threads_.push_back({});
            if (pthread_create(&threads_.back(), nullptr, &serve, this) != 0) {
                threads_.pop_back();
                stop();
                fail("a pool of ", threads, " threads: the system starts no more than ", i);
            }
        }
    }
    BasicThreadPool(const BasicThreadPool&) = delete;
    BasicThreadPool& operator=(const BasicThreadPool&) = delete;
    ~BasicThreadPool() { stop(); }

    std::size_t threads() const noexcept { return threads_.size() + 1; }

    /// Calls body(0) ... body(count - 1), each once, on the caller and the pool's threads, and returns when all have returned.
    /// Which thread calls which is not fixed. Allocates nothing.
    template <class Body>
    void parallel_for(std::size_t count, const Body& body) noexcept {
        if (threads_.empty() || count < 2 || count > 0xffffffffu || busy_.test_and_set(std::memory_order_acquire)) {
            for (std::size_t i = 0; i < count; ++i) body(i);
            return;
        }
        context_ = &body;
        body_ = [](const void* context, std::size_t index) noexcept { (*static_cast<const Body*>(context))(index); };
        left_.store(static_cast<std::uint32_t>(count), std::memory_order_relaxed);
        const std::uint64_t round = (ticket_.load(std::memory_order_relaxed) >> 32) + 1;
        ticket_.store(round << 32 | count, std::memory_order_release);
        wake();
        while (take_task()) {}
        for (std::uint32_t left = left_.load(std::memory_order_acquire); left != 0;
             left = left_.load(std::memory_order_acquire)) {
            const auto changed = [&] { return left_.load(std::memory_order_seq_cst) != left; };
            if (!watch(200, changed)) done_.sleep(changed);
        }
        busy_.clear(std::memory_order_release);
    }

    /// Between these two calls of an engine threads without work watch for it, and do not sleep at once.
    void begin_run() noexcept {
        runs_.fetch_add(1, std::memory_order_relaxed);
        wake();
    }
    void end_run() noexcept { runs_.fetch_sub(1, std::memory_order_relaxed); }

  private:
    void wake() noexcept {
        call_.fetch_add(1, std::memory_order_seq_cst);
        called_.wake();
    }

    /// Takes one task of the current round and runs it; false where none is left. The ticket holds the round and how many
    /// tasks nobody has taken: a thread that comes late cannot take a task of a round that is over.
    bool take_task() noexcept {
        std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
        do {
            if ((ticket & 0xffffffffu) == 0) return false;
        } while (!ticket_.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel, std::memory_order_acquire));
        body_(context_, static_cast<std::size_t>((ticket & 0xffffffffu) - 1));
        if (left_.fetch_sub(1, std::memory_order_seq_cst) == 1) done_.wake();
        return true;
    }

    static void* serve(void* self) noexcept {
        static_cast<BasicThreadPool*>(self)->serve();
        return nullptr;
    }
    void serve() noexcept {
        std::uint32_t seen = 0;
        for (;;) {
            const auto called = [&] { return call_.load(std::memory_order_seq_cst) != seen; };
            const bool running = runs_.load(std::memory_order_relaxed) != 0;
            const double microseconds = running && options_.spin_microseconds < 200 ? 200 : options_.spin_microseconds;
            if (!watch(microseconds, called)) called_.sleep(called);
            seen = call_.load(std::memory_order_acquire);
            if (stopped_.load(std::memory_order_acquire)) return;
            while (take_task()) {}
        }
    }

    /// Looks for so long whether `changed`; lets others run after a while.
    template <class Changed>
    static bool watch(double microseconds, const Changed& changed) noexcept {
        if (changed()) return true;
        if (!(microseconds > 0)) return false;
        double end = 0;
        for (;;) {
            for (int i = 0; i < 64; ++i) {
                if (changed()) return true;
#if defined(__x86_64__) || defined(__i386__)
                __builtin_ia32_pause();
#elif defined(__aarch64__)
                __asm__ volatile("yield");
#endif
            }
            const double time = now();
            if (end == 0) end = time + microseconds;
            if (time > end) return false;
            sched_yield();
        }
    }
    static double now() noexcept {
        timespec time{};
        clock_gettime(CLOCK_MONOTONIC, &time);
        return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
    }

    void stop() noexcept {
        stopped_.store(true, std::memory_order_release);
        wake();
        for (const pthread_t thread : threads_) pthread_join(thread, nullptr);
    }

    ThreadPoolOptions options_;
    std::vector<pthread_t> threads_;
    const void* context_ = nullptr;
    void (*body_)(const void*, std::size_t) noexcept = nullptr;
    std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
    std::atomic<std::uint64_t> ticket_{0};
    std::atomic<std::uint32_t> left_{0};
    std::atomic<std::uint32_t> call_{0};
    std::atomic<std::uint32_t> runs_{0};
    std::atomic<bool> stopped_{false};
    detail::Sleepers called_, done_;
};

MOTE_END_NAMESPACE
