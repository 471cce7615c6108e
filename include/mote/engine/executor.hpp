// SPDX-License-Identifier: MIT
#pragma once
// Executor: whoever runs the parts of a step at the same time: mote's ThreadPool, or the application's own threads.

#include <mote/core/config.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <memory>
#include <type_traits>

MOTE_BEGIN_NAMESPACE

/// Anything whose parallel_for(count, body) calls body(0) ... body(count - 1), each once, on any threads in any order, and
/// returns when all have returned. It must neither throw nor allocate if Engine::run is to be as it says.
template <class E>
concept ParallelFor = requires(E& executor, void (&body)(std::size_t)) {
    executor.parallel_for(std::size_t{}, body);
};

/// A reference to one of those, or to none (empty). What it refers to must outlive it.
class Executor {
  public:
    constexpr Executor() noexcept = default;
    template <ParallelFor E>
    requires(!std::is_same_v<std::remove_cv_t<E>, Executor>) constexpr Executor(E& executor) noexcept
        : self_(const_cast<void*>(static_cast<const void*>(std::addressof(executor)))), parallel_for_(&call<E>) {
        if constexpr (requires {
                          { executor.threads() } -> std::convertible_to<std::size_t>;
                      })
            threads_ = executor.threads();
        if constexpr (requires { executor.begin_run(), executor.end_run(); }) {
            begin_ = [](void* self) noexcept { static_cast<E*>(self)->begin_run(); };
            end_ = [](void* self) noexcept { static_cast<E*>(self)->end_run(); };
        }
    }

    explicit operator bool() const noexcept { return parallel_for_ != nullptr; }
    /// How many threads it has, if it says so (threads()); else 0.
    std::size_t threads() const noexcept { return threads_; }

    /// A body is what a pointer is (a lambda that refers to one thing), and goes by value: no thread reads the caller's stack.
    template <class Body>
    void parallel_for(std::size_t count, const Body& body) const noexcept {
        parallel_for_(
            self_, count, [](const void* value, std::size_t i) noexcept { std::bit_cast<Body>(value)(i); },
            std::bit_cast<const void*>(body));
    }
    /// Around the steps of a run: many calls of parallel_for follow each other. Executors that care have begin_run(),
    /// end_run().
    void begin_run() const noexcept {
        if (begin_ != nullptr) begin_(self_);
    }
    void end_run() const noexcept {
        if (end_ != nullptr) end_(self_);
    }

  private:
    using Body = void (*)(const void* context, std::size_t index) noexcept;
    template <class E>
    static void call(void* self, std::size_t count, Body body, const void* context) noexcept {
        static_cast<E*>(self)->parallel_for(count, [=](std::size_t i) noexcept { body(context, i); });
    }

    void* self_ = nullptr;
    void (*parallel_for_)(void* self, std::size_t count, Body body, const void* context) noexcept = nullptr;
    void (*begin_)(void*) noexcept = nullptr;
    void (*end_)(void*) noexcept = nullptr;
    std::size_t threads_ = 0;
};

MOTE_END_NAMESPACE
