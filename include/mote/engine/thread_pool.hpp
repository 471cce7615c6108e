// SPDX-License-Identifier: MIT
#pragma once
// ThreadPool: threads that share numbered tasks with their caller, and sleep when there are none.

#include <mote/tensor/error.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
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
        for (;;) {
            asleep_.store(true, std::memory_order_seq_cst);
            if (happened()) break;
            pthread_cond_wait(&condition_, &mutex_);
        }
        pthread_mutex_unlock(&mutex_);
    }
    void wake() noexcept {
        if (!asleep_.load(std::memory_order_seq_cst)) return;
        pthread_mutex_lock(&mutex_);
        asleep_.store(false, std::memory_order_relaxed);
        pthread_cond_broadcast(&condition_);
        pthread_mutex_unlock(&mutex_);
    }

  private:
    pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition_ = PTHREAD_COND_INITIALIZER;
    std::atomic<bool> asleep_{false};  // perhaps
};
}  // namespace detail

template <class Lazy>
class BasicThreadPool;
using ThreadPool = BasicThreadPool<void>;

/// Several engines may share a pool, also from several threads: a call that finds the pool at work runs its tasks itself.
///
/// A call is published in one line of the cache, which the threads watch; thread i claims task i in a line of its own, and says
/// in a third that it is done: two passages from core to core, and no line that two threads change. What is more than one task
/// a thread goes by a ticket. Where a thread does not come, for it sleeps or is not let run, the caller claims its task.
template <class Lazy>
class BasicThreadPool {
  public:
    /// `threads` counts the caller; 0 and 1 start none. Throws an Error where the system gives no more threads.
    explicit BasicThreadPool(std::size_t threads, const ThreadPoolOptions& options = {}) : options_(options) {
        if (threads > 4096) fail("a pool of ", threads, " threads: 4096 at most are supported");
        if (threads > 1) workers_.reset(new Worker[threads - 1]);
        for (; threads_ + 1 < threads; ++threads_) {
            Worker& worker = workers_[threads_];
            worker.pool = this;
            worker.task = threads_ + 1;
            if (pthread_create(&worker.thread, nullptr, &serve, &worker) != 0) {
                stop();
                fail("a pool of ", threads, " threads: the system starts no more than ", threads_ + 1);
            }
        }
    }
    BasicThreadPool(const BasicThreadPool&) = delete;
    BasicThreadPool& operator=(const BasicThreadPool&) = delete;
    ~BasicThreadPool() { stop(); }

    std::size_t threads() const noexcept { return threads_ + 1; }

    /// Calls body(0) ... body(count - 1), each once, on the caller and the pool's threads, and returns when all have returned.
    /// Which thread calls which is not fixed. Allocates nothing.
    template <class Body>
    void parallel_for(std::size_t count, const Body& body) noexcept {
        if (threads_ == 0 || count < 2 || busy_.test_and_set(std::memory_order_acquire)) {
            for (std::size_t i = 0; i < count; ++i) body(i);
            return;
        }
        const std::size_t sharing = count < threads() ? count : threads();
        call_.context = &body;
        if constexpr (sizeof(Body) <= sizeof call_.copy && std::is_trivially_copyable_v<Body>) {
            call_.context = __builtin_memcpy(call_.copy, &body, sizeof body);
        }
        call_.body = [](const void* context, std::size_t index) noexcept { (*static_cast<const Body*>(context))(index); };
        call_.count = count;
        if (count > sharing) next_.store(sharing, std::memory_order_relaxed);
        const std::uint64_t round = ((call_.round.load(std::memory_order_relaxed) >> 13) + 1) << 13 | sharing;
        call_.round.store(round, std::memory_order_release);
        called_.wake();  // a thread that falls asleep just now may miss it; then the caller claims its task
        run_tasks(0, sharing);
        for (std::size_t i = 0; i + 1 < sharing; ++i) finish(workers_[i], round);
        busy_.clear(std::memory_order_release);
    }

    /// Between these two calls of an engine threads without work watch for it, and do not sleep at once.
    void begin_run() noexcept {
        runs_.fetch_add((std::uint64_t{1} << 32) + 1, std::memory_order_seq_cst);
        called_.wake();
    }
    void end_run() noexcept { runs_.fetch_sub(1, std::memory_order_relaxed); }

  private:
    static constexpr std::size_t line = 64;  // bytes

    struct alignas(line) Call {
        std::atomic<std::uint64_t> round{0};  // its number, and in 13 bits how many threads share it
        const void* context = nullptr;
        void (*body)(const void*, std::size_t) noexcept = nullptr;
        std::size_t count = 0;
        alignas(void*) char copy[2 * sizeof(void*)];  // of a small body: the caller's stack would be lines more
    };
    struct alignas(line) Worker {
        std::atomic<std::uint64_t> claimed{0};  // the round whose task was claimed last, by the thread or for it
        BasicThreadPool* pool = nullptr;
        std::size_t task = 0;
        pthread_t thread{};
        alignas(line) std::atomic<std::uint64_t> done{0};  // the last round that the thread has finished
        std::atomic<bool> asleep{false};
        bool late = false;  // the caller's: whether the thread did not come in time
    };

    /// One's own task, and others while there are.
    void run_tasks(std::size_t task, std::size_t sharing) noexcept {
        call_.body(call_.context, task);
        if (call_.count == sharing) return;
        while ((task = next_.fetch_add(1, std::memory_order_relaxed)) < call_.count) call_.body(call_.context, task);
    }

    /// Returns when the worker's task is done: by the worker, or here if nobody has begun it.
    void finish(Worker& worker, std::uint64_t round) noexcept {
        const auto done = [&] { return worker.done.load(std::memory_order_seq_cst) == round; };
        // Looking into its line costs the worker a passage: only where it should have come.
        if (!worker.late && !worker.asleep.load(std::memory_order_relaxed)) {
            for (int i = 0; i < 64; ++i) {
                if (done()) return;
                pause();
            }
        }
        std::uint64_t claimed = worker.claimed.load(std::memory_order_relaxed);
        worker.late = claimed != round && worker.claimed.compare_exchange_strong(claimed, round, std::memory_order_acquire,
                                                                                 std::memory_order_relaxed);
        if (worker.late) return call_.body(call_.context, worker.task);
        if (!watch(200, done)) done_.sleep(done);
    }

    static void* serve(void* worker) noexcept {
        static_cast<Worker*>(worker)->pool->serve(*static_cast<Worker*>(worker));
        return nullptr;
    }
    void serve(Worker& worker) noexcept {
        std::uint64_t seen = 0;
        for (;;) {
            const auto called = [&] { return call_.round.load(std::memory_order_seq_cst) != seen; };
            const std::uint64_t runs = runs_.load(std::memory_order_seq_cst);
            const bool running = (runs & 0xffffffffu) != 0;
            const double microseconds = running && options_.spin_microseconds < 200 ? 200 : options_.spin_microseconds;
            if (!watch(microseconds, called)) {
                worker.asleep.store(true, std::memory_order_relaxed);
                called_.sleep([&] {
                    return called() || runs_.load(std::memory_order_seq_cst) >> 32 != runs >> 32 ||
                           stopped_.load(std::memory_order_seq_cst);
                });
                worker.asleep.store(false, std::memory_order_relaxed);
            }
            if (stopped_.load(std::memory_order_relaxed)) return;
            seen = call_.round.load(std::memory_order_acquire);
            const std::size_t sharing = seen & 0x1fff;
            std::uint64_t claimed = worker.claimed.load(std::memory_order_relaxed);
            if (worker.task >= sharing || claimed >= seen ||
                !worker.claimed.compare_exchange_strong(claimed, seen, std::memory_order_acquire, std::memory_order_relaxed))
                continue;
            run_tasks(worker.task, sharing);
            worker.done.store(seen, std::memory_order_seq_cst);
            done_.wake();
        }
    }

    static void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile("yield");
#endif
    }

    /// Looks for so long whether `changed`; lets others run after a while.
    template <class Changed>
    static bool watch(double microseconds, const Changed& changed) noexcept {
        if (changed()) return true;
        if (!(microseconds > 0)) return false;
        for (const double begin = now();;) {
            for (int i = 0; i < 64; ++i) {
                if (changed()) return true;
                pause();
            }
            const double passed = now() - begin;
            if (passed > microseconds) return false;
            if (passed > 10) sched_yield();
        }
    }
    static double now() noexcept {
        timespec time{};
        clock_gettime(CLOCK_MONOTONIC, &time);
        return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
    }

    void stop() noexcept {
        stopped_.store(true, std::memory_order_seq_cst);
        called_.wake();
        for (std::size_t i = 0; i < threads_; ++i) pthread_join(workers_[i].thread, nullptr);
    }

    ThreadPoolOptions options_;
    std::unique_ptr<Worker[]> workers_;
    std::size_t threads_ = 0;  // without the caller
    std::atomic<bool> stopped_{false};
    detail::Sleepers called_, done_;
    alignas(line) std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
    std::atomic<std::uint64_t> runs_{0};  // how many have begun, and in 32 bits how many go on
    alignas(line) std::atomic<std::size_t> next_{0};
    Call call_;
};

MOTE_END_NAMESPACE
