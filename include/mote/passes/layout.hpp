// SPDX-License-Identifier: MIT
#pragma once
// Layout: how a value's axes, as a file states them, lie in the value that is stored (NCHW in the file, NHWC in the model).

#include <mote/tensor/tensor.hpp>

#include <algorithm>
#include <numeric>
#include <optional>

MOTE_BEGIN_NAMESPACE

/// Axes made of parts. A part is a run of stored elements' positions; `extents` lists the parts in the order in which they are
/// stored, and each axis names the parts that it is made of, the slowest first. An axis of extent 1 has no part. So a
/// transposed value is the same stored value under other axes, and so is a reshaped one, as long as its new axes cut between
/// parts.
class Layout {
  public:
    /// Axes in each other's order: the order of the file.
    explicit Layout(std::span<const std::size_t> dims) : Layout(dims, in_order(dims.size())) {}
    /// Axes that are stored in `order`, which names each axis once.
    Layout(std::span<const std::size_t> dims, std::span<const std::size_t> order) : axes_(dims.size()) {
        for (const std::size_t axis : order) {
            if (dims[axis] == 1) continue;
            axes_[axis].push_back(extents_.size());
            extents_.push_back(dims[axis]);
        }
    }

    std::size_t rank() const noexcept { return axes_.size(); }
    /// The parts' extents, in stored order.
    const std::vector<std::size_t>& extents() const noexcept { return extents_; }
    /// The parts of an axis, the slowest first.
    const std::vector<std::size_t>& parts(std::size_t axis) const noexcept { return axes_[axis]; }
    std::size_t dim(std::size_t axis) const noexcept {
        std::size_t product = 1;
        for (const std::size_t part : axes_[axis]) product *= extents_[part];
        return product;
    }
    std::vector<std::size_t> dims() const {
        std::vector<std::size_t> result;
        for (std::size_t axis = 0; axis < rank(); ++axis) result.push_back(dim(axis));
        return result;
    }

    /// The parts of these axes, one after the other.
    std::vector<std::size_t> sequence(std::span<const std::size_t> order) const {
        std::vector<std::size_t> result;
        for (const std::size_t axis : order) result.insert(result.end(), axes_[axis].begin(), axes_[axis].end());
        return result;
    }
    /// Whether the value is stored in this order of its axes, each of them whole.
    bool stored_as(std::span<const std::size_t> order) const {
        const std::vector<std::size_t> parts = sequence(order);
        return std::is_sorted(parts.begin(), parts.end());
    }

    /// Axis a becomes what axis order[a] was.
    Layout transposed(std::span<const std::size_t> order) const {
        Layout result;
        result.extents_ = extents_;
        for (const std::size_t axis : order) result.axes_.push_back(axes_[axis]);
        return result;
    }
    /// The same value under other axes; none where they do not cut between parts, or where an extent is 0.
    std::optional<Layout> reshaped(std::span<const std::size_t> dims) const;

    friend bool operator==(const Layout&, const Layout&) = default;

    static std::vector<std::size_t> in_order(std::size_t rank) {
        std::vector<std::size_t> order(rank);
        std::iota(order.begin(), order.end(), std::size_t{0});
        return order;
    }
    /// Batch first, then the image's axes, then axis 1, the channels. The file's order below rank 3.
    static std::vector<std::size_t> channels_last(std::size_t rank) {
        std::vector<std::size_t> order = in_order(rank);
        if (rank >= 3) std::rotate(order.begin() + 1, order.begin() + 2, order.end());
        return order;
    }

  private:
    Layout() = default;

    std::vector<std::size_t> extents_;
    std::vector<std::vector<std::size_t>> axes_;
};

inline std::optional<Layout> Layout::reshaped(std::span<const std::size_t> dims) const {
    struct Run {  // parts that are neighbours in the file's order and in the stored order
        std::size_t first = 0, next = 0, extent = 1;
        std::vector<std::size_t> pieces{};  // its new parts
    };
    std::vector<Run> runs;
    for (const std::size_t part : sequence(in_order(rank()))) {
        if (extents_[part] == 0) return std::nullopt;
        if (runs.empty() || runs.back().next != part) runs.push_back({part, part, 1, {}});
        ++runs.back().next;
        runs.back().extent *= extents_[part];
    }
    struct Piece {
        std::size_t run, place;
    };
    std::vector<std::vector<Piece>> axes(dims.size());
    std::size_t at = 0, rest = runs.empty() ? 1 : runs[0].extent;
    for (std::size_t axis = 0; axis < dims.size(); ++axis) {
        std::size_t wanted = dims[axis];
        if (wanted == 0) return std::nullopt;
        while (wanted > 1) {
            if (at == runs.size()) return std::nullopt;
            const std::size_t taken = rest % wanted == 0 ? wanted : wanted % rest == 0 ? rest : 0;
            if (taken == 0) return std::nullopt;
            axes[axis].push_back({at, runs[at].pieces.size()});
            runs[at].pieces.push_back(taken);
            wanted /= taken;
            rest /= taken;
            if (rest == 1 && ++at < runs.size()) rest = runs[at].extent;
        }
    }
    if (at != runs.size()) return std::nullopt;
    std::vector<std::size_t> order = in_order(runs.size()), offset(runs.size());
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return runs[a].first < runs[b].first; });
    Layout result;
    for (const std::size_t run : order) {
        offset[run] = result.extents_.size();
        result.extents_.insert(result.extents_.end(), runs[run].pieces.begin(), runs[run].pieces.end());
    }
    for (const std::vector<Piece>& axis : axes) {
        std::vector<std::size_t>& parts = result.axes_.emplace_back();
        for (const Piece& piece : axis) parts.push_back(offset[piece.run] + piece.place);
    }
    return result;
}

/// The way from a stored value to another arrangement of its parts: a reshape, a transpose and a reshape, each where it is
/// needed.
struct Rearrangement {
    std::vector<std::size_t> before{};                ///< the shape in which the parts stand apart; empty: the stored one
    std::vector<std::size_t> order{};                 ///< axis a of the transposed value is axis order[a]; empty: no transpose
    std::optional<std::vector<std::size_t>> after{};  ///< the shape that is wanted, where it is not there yet
};

/// From `shape`, the stored one, to one whose axes are groups of the layout's axes. Without a transpose where the order of the
/// parts is the same, with nothing else where whole axes trade places. Throws where the parts are more than a shape holds.
inline Rearrangement rearrange(const Layout& layout, const Shape& shape, const std::vector<std::vector<std::size_t>>& groups) {
    using Parts = std::vector<std::size_t>;
    const std::vector<std::size_t>& extents = layout.extents();
    Rearrangement result;
    std::vector<Parts> to;
    Parts wanted;
    std::vector<std::size_t> target;
    const auto product = [&](const Parts& parts) {
        return std::accumulate(parts.begin(), parts.end(), std::size_t{1},
                               [&](std::size_t p, std::size_t part) { return p * extents[part]; });
    };
    for (const std::vector<std::size_t>& group : groups) {
        to.push_back(layout.sequence(group));
        wanted.insert(wanted.end(), to.back().begin(), to.back().end());
        target.push_back(product(to.back()));
    }
    const std::vector<std::size_t> current(shape.begin(), shape.end());
    if (std::is_sorted(wanted.begin(), wanted.end())) {
        if (current != target) result.after = target;
        return result;
    }
    // The parts of each stored axis; none fit where a part lies across two axes.
    std::vector<Parts> from;
    std::size_t part = 0;
    bool whole = true;
    for (const std::size_t extent : current) {
        Parts& parts = from.emplace_back();
        for (std::size_t covered = 1; whole && covered != extent; ++part) {
            whole = part < extents.size() && extents[part] != 0 && extent % (covered * extents[part]) == 0;
            if (whole) covered *= extents[part], parts.push_back(part);
        }
    }
    const auto place_in = [](const std::vector<Parts>& list, const Parts& parts, std::vector<char>& used) {
        std::size_t at = 0;
        while (at < list.size() && (used[at] != 0 || list[at] != parts)) ++at;
        if (at < list.size()) used[at] = 1;
        return at;
    };
    const auto order_of = [&](const std::vector<Parts>& a, const std::vector<Parts>& b) {
        std::vector<std::size_t> order;
        std::vector<char> used(a.size(), 0);
        for (const Parts& parts : b) order.push_back(place_in(a, parts, used));
        const bool fits = a.size() == b.size() && std::find(order.begin(), order.end(), a.size()) == order.end();
        return fits ? order : std::vector<std::size_t>();
    };
    if (whole) result.order = order_of(from, to);
    if (!result.order.empty()) return result;
    // Each part an axis of its own; axes of extent 1 stay where both sides have as many, else at most the batch.
    const auto apart = [&](const std::vector<Parts>& list) {
        std::vector<Parts> tokens;
        for (const Parts& parts : list) {
            if (parts.empty()) tokens.push_back({});
            for (const std::size_t p : parts) tokens.push_back({p});
        }
        return tokens;
    };
    if (!whole) {
        from.clear();
        for (std::size_t p = 0; p < extents.size(); ++p) from.push_back({p});
        if (!current.empty() && current.front() == 1) from.insert(from.begin(), Parts());
    }
    from = apart(from);
    to = apart(to);
    const auto ones = [](const std::vector<Parts>& list) { return std::count(list.begin(), list.end(), Parts()); };
    if (ones(from) != ones(to)) {
        const bool batch = !from.empty() && !to.empty() && from.front().empty() && to.front().empty();
        for (std::vector<Parts>* list : {&from, &to}) {
            std::erase(*list, Parts());
            if (batch) list->insert(list->begin(), Parts());
        }
    }
    if (from.size() > Shape::max_rank) {  // neighbours on both sides become one
        for (std::size_t i = 0; i + 1 < to.size();) {
            if (!to[i].empty() && !to[i + 1].empty() && to[i + 1].front() == to[i].back() + 1) {
                const auto last = std::find(from.begin(), from.end(), to[i + 1]);
                const auto first = std::find(from.begin(), from.end(), to[i]);
                to[i].insert(to[i].end(), to[i + 1].begin(), to[i + 1].end());
                *first = to[i];
                from.erase(last);
                to.erase(to.begin() + static_cast<std::ptrdiff_t>(i) + 1);
            } else {
                ++i;
            }
        }
    }
    if (from.size() > Shape::max_rank) {
        fail("a transpose of ", from.size(), " axes is needed; at most ", Shape::max_rank, " are supported");
    }
    result.order = order_of(from, to);
    std::vector<std::size_t> between;
    for (const Parts& parts : from) result.before.push_back(product(parts));
    for (const Parts& parts : to) between.push_back(product(parts));
    if (result.before == current) result.before.clear();
    if (between != target) result.after = target;
    return result;
}

MOTE_END_NAMESPACE
