// SPDX-License-Identifier: MIT
#pragma once
// The memory planner: where in one block each buffer lies, so that buffers that live at the same time do not overlap.

#include <mote/tensor/storage.hpp>

#include <span>
#include <vector>

MOTE_BEGIN_NAMESPACE

/// A buffer that is needed from step `first` to step `last`, both included.
struct Lifetime {
    std::size_t bytes = 0;
    std::size_t first = 0;
    std::size_t last = 0;

    bool meets(const Lifetime& other) const noexcept { return first <= other.last && other.first <= last; }
};

/// An offset for each buffer, and the size of the block. Offsets are divisible by 64.
struct Placement {
    std::vector<std::size_t> offsets{};
    std::size_t bytes = 0;
    std::size_t least_bytes = 0;  ///< what no placement can do without: the most that live at one time
};

namespace detail {

/// The buffers, largest or earliest first; of equal ones in their order.
template <class Lazy = void>
std::vector<std::size_t> in_order(std::span<const Lifetime> buffers, bool by_size) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < buffers.size(); ++i) {
        auto before = [&](std::size_t other) {
            return by_size ? buffers[i].bytes > buffers[other].bytes : buffers[i].first < buffers[other].first;
        };
        std::size_t at = order.size();
        while (at > 0 && before(order[at - 1])) --at;
        order.insert(order.begin() + static_cast<std::ptrdiff_t>(at), i);
    }
    return order;
}

/// Each buffer in this order into the smallest gap, between those placed before it that live when it does, that holds it.
template <class Lazy = void>
Placement place_in_order(std::span<const Lifetime> buffers, const std::vector<std::size_t>& order) {
    Placement result{std::vector<std::size_t>(buffers.size(), 0)};
    std::vector<std::size_t> placed;  // sorted by offset
    for (const std::size_t index : order) {
        const std::size_t size = align_up(buffers[index].bytes);
        std::size_t best = static_cast<std::size_t>(-1);
        std::size_t best_gap = static_cast<std::size_t>(-1);
        std::size_t end = 0;  // of what lives when this buffer does
        for (const std::size_t other : placed) {
            if (!buffers[other].meets(buffers[index])) continue;
            const std::size_t offset = result.offsets[other];
            if (offset > end && offset - end >= size && offset - end < best_gap) {
                best = end;
                best_gap = offset - end;
            }
            const std::size_t its_end = offset + align_up(buffers[other].bytes);
            end = its_end > end ? its_end : end;
        }
        const std::size_t offset = best == static_cast<std::size_t>(-1) ? end : best;
        result.offsets[index] = offset;
        result.bytes = offset + size > result.bytes ? offset + size : result.bytes;
        auto at = placed.begin();
        while (at != placed.end() && result.offsets[*at] <= offset) ++at;
        placed.insert(at, index);
    }
    return result;
}

}  // namespace detail

/// The most bytes that live at one time: no placement needs less.
template <class Lazy = void>
std::size_t least_bytes(std::span<const Lifetime> buffers) {
    std::size_t most = 0;
    for (const Lifetime& moment : buffers) {
        std::size_t sum = 0;
        for (const Lifetime& buffer : buffers) {
            if (buffer.first <= moment.first && moment.first <= buffer.last) sum += align_up(buffer.bytes);
        }
        most = sum > most ? sum : most;
    }
    return most;
}

/// For steps that two threads share: the largest buffer first, each into the first lane that is free while it lives, in its
/// middle. So the halves of all that lies in a lane meet at one place, and its memory stays in the cache of the thread that
/// computes this half: whose memory changes hands with every layer, waits for the other core.
template <class Lazy = void>
Placement place_in_lanes(std::span<const Lifetime> buffers) {
    std::vector<std::vector<std::size_t>> lanes;
    const auto is_free = [&](const std::vector<std::size_t>& lane, const Lifetime& buffer) {
        for (const std::size_t other : lane) {
            if (buffers[other].meets(buffer)) return false;
        }
        return true;
    };
    for (const std::size_t index : detail::in_order(buffers, true)) {
        std::size_t lane = 0;
        while (lane < lanes.size() && !is_free(lanes[lane], buffers[index])) ++lane;
        if (lane == lanes.size()) lanes.emplace_back();
        lanes[lane].push_back(index);
    }
    Placement result{std::vector<std::size_t>(buffers.size(), 0), 0, least_bytes(buffers)};
    for (const std::vector<std::size_t>& lane : lanes) {
        const std::size_t size = align_up(buffers[lane[0]].bytes);
        for (const std::size_t index : lane) {
            const std::size_t spare = size - align_up(buffers[index].bytes);
            result.offsets[index] = result.bytes + spare / 2 / storage_alignment * storage_alignment;
        }
        result.bytes += size;
    }
    return result;
}

/// Greedy, the largest buffer first (Pisarchyk and Lee 2020, "Efficient memory management for deep neural net inference",
/// greedy by size); where that is not the least possible, also the earliest first.
template <class Lazy = void>
Placement place(std::span<const Lifetime> buffers) {
    const std::size_t least = least_bytes(buffers);
    Placement best;
    for (const bool by_size : {true, false}) {
        Placement next = detail::place_in_order(buffers, detail::in_order(buffers, by_size));
        if (by_size || next.bytes < best.bytes) best = std::move(next);
        if (best.bytes == least) break;
    }
    best.least_bytes = least;
    return best;
}

MOTE_END_NAMESPACE
