// SPDX-License-Identifier: MIT
#pragma once
// One side of the race: a program that holds one network in one engine and, when it is asked, runs and times it.
//
// usage of every side: SIDE MODEL INPUT.npy ANSWERS THREADS ...
// It answers the input once and writes ANSWERS.out0.npy, ANSWERS.out1.npy ..., then "ready" on a line of its own. After that
// each line "run N" is answered by a line of N times in nanoseconds, then the involuntary context switches of all its threads
// meanwhile. The end of the input ends it. An error is a line "error: ..." and exit status 1.

#include <mote/core/narrow.hpp>
#include <mote/io/npy.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <sys/resource.h>

namespace race {

using namespace mote;

struct Arguments {
    std::string model, input, answers;
    int threads = 1;
    std::string library;  ///< of an engine that is loaded; the last argument
};

/// Answers the commands until there are none.
template <class Run>
void serve(Run&& run) {
    using Clock = std::chrono::steady_clock;
    std::puts("ready");
    std::fflush(stdout);
    const auto switches = [] {
        rusage usage{};
        getrusage(RUSAGE_SELF, &usage);
        return usage.ru_nivcsw;
    };
    std::vector<long long> times;
    for (std::size_t count = 0; std::scanf(" run %zu", &count) == 1;) {
        times.assign(count, 0);
        const auto before = switches();
        for (long long& time : times) {
            const auto start = Clock::now();
            run();
            time = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
        }
        const auto lost = switches() - before;
        for (const long long time : times) std::printf("%lld ", time);
        std::printf("%ld\n", lost);
        std::fflush(stdout);
    }
}

inline Shape shape_of(std::span<const std::int64_t> extents) {
    if (extents.size() > Shape::max_rank) fail("an answer has ", extents.size(), " axes");
    Shape shape = Shape::ones(extents.size());
    for (std::size_t i = 0; i < extents.size(); ++i) shape[i] = narrow<std::size_t>(extents[i]);
    return shape;
}

/// An answer of f32, i8 or u8.
inline void save_answer(const Arguments& arguments, std::size_t index, const Shape& shape, Element element, const void* data) {
    const auto save = [&]<class P>(P) {
        using V = typename P::value_type;
        save_npy(Tensor<P>(shape, std::span(static_cast<const V*>(data), shape.elements())),
                 concat(arguments.answers, ".out", index, ".npy"));
    };
    if (element == Element::f32) return save(f32{});
    if (element == Element::i8) return save(i8{});
    if (element == Element::u8) return save(u8{});
    fail("answer ", index, " is ", element_name(element), "; f32, i8 and u8 can be compared");
}

/// A function of a library that was loaded.
template <class Function>
Function* symbol(void* library, const char* name) {
    void* found = dlsym(library, name);
    if (found == nullptr) fail("the library has no '", name, "'");
    return reinterpret_cast<Function*>(found);
}
inline void* open_library(const std::string& path) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) fail(dlerror());
    return library;
}

/// main() of a side.
template <class Side>
int main_of(int argc, char** argv, Side&& side) {
    if (argc < 5 || argc > 6) {
        std::fprintf(stderr, "usage: %s MODEL INPUT.npy ANSWERS THREADS [LIBRARY]\n", argv[0]);
        return 2;
    }
    try {
        side(Arguments{argv[1], argv[2], argv[3], std::atoi(argv[4]), argc == 6 ? argv[5] : ""});
    } catch (const std::exception& error) {
        std::printf("error: %s\n", error.what());
        return 1;
    }
    return 0;
}

}  // namespace race
