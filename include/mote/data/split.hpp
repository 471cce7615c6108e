// SPDX-License-Identifier: MIT
#pragma once
// stratified_split: two parts of a dataset in which every label has the share that it has in the whole.

#include <mote/data/dataset.hpp>

#include <algorithm>
#include <map>
#include <utility>

MOTE_BEGIN_NAMESPACE

/// `first_count` samples and the rest, each in the dataset's order. A label's samples are chosen by `seed`; how many go to the
/// first part is its exact share, rounded by largest remainder. Throws unless 0 < first_count < size().
template <LabelledDataset D>
std::pair<Subset<D>, Subset<D>> stratified_split(const D& data, std::size_t first_count, std::uint64_t seed) {
    const std::size_t size = data.size();
    if (first_count == 0 || first_count >= size) {
        fail(concat("stratified_split: ", first_count, " of ", size, " samples asked for; both parts need at least one"));
    }
    std::map<std::int64_t, std::vector<std::size_t>> classes;
    for (std::size_t i = 0; i < size; ++i) classes[data.label(i)].push_back(i);
    struct Share {
        std::int64_t label;
        std::size_t whole, remainder;
    };
    std::vector<Share> shares;
    std::size_t given = 0;
    for (const auto& [label, members] : classes) {
        const std::size_t scaled = members.size() * first_count;
        shares.push_back({label, scaled / size, scaled % size});
        given += scaled / size;
    }
    std::sort(shares.begin(), shares.end(), [](const Share& a, const Share& b) {
        return a.remainder != b.remainder ? a.remainder > b.remainder : a.label < b.label;
    });
    for (std::size_t i = 0; given < first_count; ++i, ++given) ++shares[i].whole;
    std::vector<std::size_t> first, second;
    for (const Share& share : shares) {
        std::vector<std::size_t>& members = classes[share.label];
        Random random(seed, static_cast<std::uint64_t>(share.label));
        shuffle(members, random);
        first.insert(first.end(), members.begin(), members.begin() + narrow<std::ptrdiff_t>(share.whole));
        second.insert(second.end(), members.begin() + narrow<std::ptrdiff_t>(share.whole), members.end());
    }
    std::sort(first.begin(), first.end());
    std::sort(second.begin(), second.end());
    return {subset(data, std::move(first)), subset(data, std::move(second))};
}

MOTE_END_NAMESPACE
