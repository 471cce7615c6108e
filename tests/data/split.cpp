// SPDX-License-Identifier: MIT
// stratified_split: exact sizes, every sample once, every label's share.

#include <mote/data/split.hpp>

#include <support/catch.hpp>

#include <cmath>
#include <set>

namespace split_test {

/// Label 0 for half of the samples, 1 for a third, 2 for the rest; the sample's value is its index.
mote::TensorDataset samples(std::size_t count) {
    mote::Tensor<mote::f32> inputs({count, 1});
    std::vector<std::int64_t> labels;
    for (std::size_t i = 0; i < count; ++i) {
        inputs[i] = static_cast<float>(i);
        labels.push_back(i % 6 < 3 ? 0 : i % 6 < 5 ? 1 : 2);
    }
    return {std::move(inputs), std::move(labels)};
}

template <class D>
std::vector<float> values(const D& data) {
    std::vector<float> result(data.size());
    for (std::size_t i = 0; i < data.size(); ++i) data.load(i, std::span(result).subspan(i, 1));
    return result;
}

}  // namespace split_test

TEST_CASE("stratified_split: both parts together hold each sample once, and labels keep their shares") {
    const mote::TensorDataset data = split_test::samples(157);
    for (const std::size_t first_count : {1u, 10u, 78u, 100u, 156u}) {
        CAPTURE(first_count);
        const auto [first, second] = mote::stratified_split(data, first_count, 3);
        CHECK(first.size() == first_count);
        CHECK(second.size() == 157 - first_count);
        std::set<float> all;
        for (const float v : split_test::values(first)) all.insert(v);
        for (const float v : split_test::values(second)) all.insert(v);
        CHECK(all.size() == 157);
        double counts[3] = {}, whole[3] = {};
        for (std::size_t i = 0; i < first.size(); ++i) counts[first.label(i)] += 1.0;
        for (std::size_t i = 0; i < data.size(); ++i) whole[data.label(i)] += 1.0;
        for (int c = 0; c < 3; ++c) {
            CHECK(std::fabs(counts[c] - whole[c] * static_cast<double>(first_count) / 157.0) < 1.0);
        }
    }
}

TEST_CASE("stratified_split: the seed fixes the parts, another seed gives others") {
    const mote::TensorDataset data = split_test::samples(60);
    const auto one = split_test::values(mote::stratified_split(data, 20, 1).first);
    CHECK(one == split_test::values(mote::stratified_split(data, 20, 1).first));
    CHECK(one != split_test::values(mote::stratified_split(data, 20, 2).first));
}

TEST_CASE("stratified_split: an empty part is an error") {
    const mote::TensorDataset data = split_test::samples(6);
    CHECK_THROWS_WITH(mote::stratified_split(data, 0, 1), Catch::Contains("0 of 6"));
    CHECK_THROWS_WITH(mote::stratified_split(data, 6, 1), Catch::Contains("at least one"));
}
