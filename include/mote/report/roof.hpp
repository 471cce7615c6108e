// SPDX-License-Identifier: MIT
#pragma once
// RoofMeter: what threads of this machine can compute at most, and read from each level of its memory.

#include <mote/engine/thread_pool.hpp>
#include <mote/report/roofline.hpp>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>
#if defined(MOTE_VECTORS)
#include <mote/simd/peak.hpp>
#endif

MOTE_BEGIN_NAMESPACE

/// A cache of data.
struct Cache {
    int level = 1;
    std::size_t bytes = 0;
};

/// The caches of the first processor, the nearest first, as Linux tells of them; none where it does not.
inline std::vector<Cache> machine_caches() {
    std::vector<Cache> caches;
    for (int i = 0;; ++i) {
        const std::string folder = concat("/sys/devices/system/cpu/cpu0/cache/index", i, "/");
        Cache cache;
        std::string type, unit;
        std::ifstream(folder + "type") >> type;
        if (type.empty()) return caches;
        std::ifstream(folder + "level") >> cache.level;
        std::ifstream(folder + "size") >> cache.bytes >> unit;
        cache.bytes *= unit == "K" ? 1024 : unit == "M" ? 1024 * 1024 : 1;
        if (type != "Instruction" && cache.bytes > 0) caches.push_back(cache);
    }
}

MOTE_END_NAMESPACE

MOTE_BEGIN_KERNELS

/// Measures in rounds, of which the best counts, so that they can alternate with what is compared: all threads begin together,
/// and the time is that from the first beginning to the last end. Without vector instructions nothing is known.
class RoofMeter {
  public:
    /// `threads` with the caller. The last level of memory is a buffer of four times the largest cache.
    explicit RoofMeter(std::size_t threads, std::vector<Cache> caches = machine_caches())
        : threads_(std::max<std::size_t>(1, threads)), pool_(threads_), caches_(std::move(caches)) {
        roof_.threads = threads_;
    }

    const Roof& roof() const noexcept { return roof_; }

#if defined(MOTE_VECTORS)
    /// A round of the dot products of floats and of bytes in registers: a millisecond.
    void measure_peaks() {
        roof_.f32_gops = std::max(roof_.f32_gops, gops<simd::DotF32>());
        roof_.i8_gops = std::max(roof_.i8_gops, gops<simd::DotI8>());
    }

    /// Rounds of reading a buffer that stands in each level of memory: L1 and L2 for each thread, the others for all together.
    /// It leaves the caches without what was in them.
    void measure_levels(int rounds = 15) {
        roof_.levels.clear();
        std::size_t largest = 0;
        for (const Cache& cache : caches_) {
            const std::size_t bytes = cache.bytes / 2 / (cache.level > 2 ? threads_ : 1);
            if (bytes > largest) roof_.levels.push_back({concat("L", cache.level), bandwidth(bytes, rounds)});
            largest = std::max(largest, cache.bytes);
        }
        constexpr std::size_t unknown = std::size_t{64} << 20;
        roof_.levels.push_back({"memory", bandwidth(4 * (largest > 0 ? largest : unknown) / threads_, rounds)});
    }

  private:
    /// Of the threads together, each of which does work(thread).
    template <class Work>
    double nanoseconds(const Work& work) {
        using Clock = std::chrono::steady_clock;
        std::atomic<std::size_t> waiting{threads_};
        std::vector<Clock::time_point> start(threads_), end(threads_);
        pool_.parallel_for(threads_, [&](std::size_t thread) {
            --waiting;
            while (waiting != 0) std::this_thread::yield();
            start[thread] = Clock::now();
            work(thread);
            end[thread] = Clock::now();
        });
        return std::chrono::duration<double, std::nano>(*std::max_element(end.begin(), end.end()) -
                                                        *std::min_element(start.begin(), start.end()))
            .count();
    }

    template <class Dot>
    double gops() {
        constexpr int repetitions = 50;
        const double time = nanoseconds([](std::size_t) {
            for (int i = 0; i < repetitions; ++i) simd::peak::run<Dot>();
        });
        return static_cast<double>(threads_) * repetitions * simd::peak::operations<Dot>() / time;
    }

    /// Gigabytes a second, where each thread reads `bytes` of its own.
    double bandwidth(std::size_t bytes, int rounds) {
        bytes = align_up(std::max(bytes, simd::peak::read_bytes), simd::peak::read_bytes);
        const std::size_t repetitions = std::max<std::size_t>(1, (std::size_t{32} << 20) / bytes);
        std::vector<std::shared_ptr<std::byte>> buffers;
        for (std::size_t i = 0; i < threads_; ++i) buffers.push_back(allocate_bytes(bytes));
        double best = 0.0;
        for (int round = 0; round < rounds; ++round) {
            const double time = nanoseconds([&](std::size_t thread) {
                const auto* words = reinterpret_cast<const std::int32_t*>(buffers[thread].get());
                for (std::size_t i = 0; i < repetitions; ++i) simd::peak::read(words, bytes);
            });
            best = std::max(best, static_cast<double>(threads_ * repetitions * bytes) / time);
        }
        return best;
    }
#else
    void measure_peaks() {}
    void measure_levels(int = 0) {}

  private:
#endif

    std::size_t threads_;
    ThreadPool pool_;
    std::vector<Cache> caches_;
    Roof roof_;
};

MOTE_END_KERNELS

MOTE_BEGIN_NAMESPACE
using kernels::RoofMeter;
MOTE_END_NAMESPACE
