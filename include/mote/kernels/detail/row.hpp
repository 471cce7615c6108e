// SPDX-License-Identifier: MIT
#pragma once
// One row times packed panels: a dense layer of one input, whose time is that of reading its weights, each once. So nothing
// is kept for other rows, and panels follow one another without a call between them: the processor begins the next while the
// last sums of one are added. A unit adds every 4 cycles to one sum, so two units need 8, or 4 where the second cache gives
// less than 64 bytes a cycle: of bytes, even and odd steps of a panel, which lies in one stream; of floats, whose bits are
// those of many rows, four panels.

#include <mote/kernels/detail/tile.hpp>

MOTE_BEGIN_KERNELS

namespace tiles {

/// The sums of `Together` panels of `Vectors` vectors, with their heads'.
template <class D, class Finish, int Vectors, int Together>
MOTE_ALWAYS_INLINE void sum_row(const typename D::Activation* row, const Runs& runs, const char* head, std::ptrdiff_t stride,
                                typename D::Sum (&sum)[Together][Vectors]) noexcept {
    using Weight = typename D::Weight;
    constexpr bool split = std::is_integral_v<typename D::Lane>;
    constexpr std::ptrdiff_t elements = lanes32 * D::group, unroll = 8;
    typename D::Sum odd[Together][Vectors];
    MOTE_UNROLL for (int p = 0; p < Together; ++p) {
        MOTE_UNROLL for (int v = 0; v < Vectors; ++v) {
            sum[p][v] = Finish::initial(head + p * stride, v);
            odd[p][v] = typename D::Sum(0);
        }
    }
    auto* weight = reinterpret_cast<const Weight*>(head + Vectors * lanes32 * Panels<D>::head_bytes_of_channel);
    const std::ptrdiff_t panel = stride / static_cast<std::ptrdiff_t>(sizeof(Weight));
    for (std::ptrdiff_t run = 0; run < runs.count; ++run) {
        const typename D::Activation* at = row + runs.offsets[run];
        const auto step = [&](auto& to, std::ptrdiff_t s) __attribute__((always_inline)) {
            const auto a = D::activations(at + s * D::group);
            MOTE_UNROLL for (int p = 0; p < Together; ++p) {
                MOTE_UNROLL for (int v = 0; v < Vectors; ++v) to[p][v] =
                    D::dot(to[p][v], a, D::weights(weight + p * panel + (s * Vectors + v) * elements));
            }
        };
        std::ptrdiff_t steps = runs.steps;
        for (; steps >= unroll; steps -= unroll, at += unroll * D::group, weight += unroll * Vectors * elements) {
            MOTE_UNROLL for (int s = 0; s < unroll; ++s) step(split && s % 2 != 0 ? odd : sum, s);
        }
        for (; steps > 0; --steps, at += D::group, weight += Vectors * elements) step(sum, 0);
    }
    if constexpr (split) {
        MOTE_UNROLL for (int p = 0; p < Together; ++p) {
            MOTE_UNROLL for (int v = 0; v < Vectors; ++v) sum[p][v] += odd[p][v];
        }
    }
}

/// Finishes the outputs of one row, without a residual, of panels begin <= p < end. `sums` has room for a panel's.
template <class D, class Finish>
void multiply_row(const typename D::Activation* row, const Runs& runs, const Panels<D>& panels, IndexRange range,
                  typename D::Lane* sums, const Finish& finish) noexcept {
    const auto outputs = finish.of_tile(0, 0, sums, panel_channels);
    const auto finish_panels = [&](std::ptrdiff_t first, auto count, auto at_once) __attribute__((always_inline)) {
        constexpr int vectors = decltype(count)::value, together = decltype(at_once)::value;
        const char* head = panels.at(first);
        typename D::Sum sum[together][vectors];
        sum_row<D, Finish>(row, runs, head, panels.stride(), sum);
        MOTE_UNROLL for (int p = 0; p < together; ++p) {
            const char* head_of_panel = head + p * panels.stride();
            const std::ptrdiff_t channel = (first + p) * panel_channels, left = panels.channels - channel;
            if (left >= vectors * lanes32) {
                outputs.template whole<vectors>(sum[p], head_of_panel, channel);
            } else {
                MOTE_UNROLL for (int v = 0; v < vectors; ++v) simd::store(sums + v * lanes32, sum[p][v]);
                outputs.template part<vectors>(sums, head_of_panel, channel, left);
            }
        }
    };
    constexpr int at_once = std::is_integral_v<typename D::Lane> ? 1 : 4;
    using Whole = std::integral_constant<int, simd::tile_vectors>;
    using One = std::integral_constant<int, 1>;
    std::ptrdiff_t whole = range.end, p = range.begin;
    if (p < whole && panels.vectors(whole - 1) != simd::tile_vectors) --whole;
    for (; p + at_once <= whole; p += at_once) finish_panels(p, Whole{}, std::integral_constant<int, at_once>{});
    for (; at_once > 1 && p < whole; ++p) finish_panels(p, Whole{}, One{});
    if (p < range.end) finish_panels(p, std::integral_constant<int, D::half_vectors>{}, One{});
}

}  // namespace tiles

MOTE_END_KERNELS
