// SPDX-License-Identifier: MIT
// An engine on the application's OpenMP threads.

#include "check.hpp"

#include <omp.h>

/// `count` threads of OpenMP's. A part is some microseconds, so each thread takes one after the other.
struct OpenMpExecutor {
    int count = omp_get_max_threads();

    std::size_t threads() const noexcept { return static_cast<std::size_t>(count); }
    template <class Body>
    void parallel_for(std::size_t parts, const Body& body) const noexcept {
#pragma omp parallel for schedule(dynamic, 1) num_threads(count)
        for (std::size_t i = 0; i < parts; ++i) body(i);
    }
};

int main() {
    OpenMpExecutor executor;
    return check("OpenMP", executor);
}
