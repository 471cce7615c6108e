// SPDX-License-Identifier: MIT
// Datasets: samples by index, views, and errors that say what there is.

#include <mote/data/dataset.hpp>

#include <support/catch.hpp>

#include <algorithm>

namespace dataset_test {

mote::TensorDataset numbers(std::size_t count) {
    mote::Tensor<mote::f32> inputs({count, 2, 1});
    std::vector<std::int64_t> labels;
    for (std::size_t i = 0; i < count; ++i) {
        inputs[2 * i] = static_cast<float>(i);
        inputs[2 * i + 1] = -static_cast<float>(i);
        labels.push_back(static_cast<std::int64_t>(i % 3));
    }
    return {std::move(inputs), std::move(labels)};
}

}  // namespace dataset_test

TEST_CASE("dataset: samples, labels and the shape of one sample; copies share memory") {
    const mote::TensorDataset data = dataset_test::numbers(5);
    const mote::TensorDataset copy = data;
    static_assert(mote::ShapedDataset<mote::TensorDataset> && mote::LabelledDataset<mote::TensorDataset>);
    CHECK(copy.inputs().data() == data.inputs().data());
    CHECK(data.size() == 5);
    CHECK(data.shape() == mote::Shape{2, 1});
    float values[2] = {};
    CHECK(data.load(4, values) == 1);
    CHECK(values[0] == 4.0f);
    CHECK(values[1] == -4.0f);
    CHECK_THROWS_WITH(data.load(5, values), Catch::Contains("sample 5") && Catch::Contains("there are 5"));
    CHECK_THROWS_WITH(data.load(0, std::span(values).first(1)), Catch::Contains("2 values") && Catch::Contains("1 asked for"));
}

TEST_CASE("dataset: as many labels as samples are expected") {
    CHECK_THROWS_WITH(mote::TensorDataset(mote::Tensor<mote::f32>({3, 2}), {0, 1}), Catch::Contains("2 labels"));
    CHECK_THROWS_AS(mote::TensorDataset(mote::Tensor<mote::f32>(mote::Shape{}), {0}), mote::Error);
}

TEST_CASE("subset: another order of some samples, nested too; an index beyond the dataset is an error") {
    const auto data = mote::subset(dataset_test::numbers(6), {4, 0, 5});
    const auto nested = mote::subset(data, {2, 2});
    float values[2] = {};
    CHECK(data.size() == 3);
    CHECK(data.load(0, values) == 1);
    CHECK(values[0] == 4.0f);
    CHECK(nested.load(1, values) == 2);
    CHECK(values[0] == 5.0f);
    CHECK(nested.shape() == mote::Shape{2, 1});
    CHECK(nested.label(0) == 2);
    CHECK_THROWS_WITH(mote::subset(dataset_test::numbers(6), {6}), Catch::Contains("sample 6"));
}

TEST_CASE("augmented: copies of every sample, each changed by numbers that depend on its index alone") {
    const auto change = [](std::span<float> values, const mote::Shape&, mote::Random& random) {
        for (float& x : values) x += random.uniform();
    };
    const auto data = mote::augmented(dataset_test::numbers(3), change, 2, 9);
    CHECK(data.size() == 6);
    float first[2] = {}, again[2] = {}, second[2] = {};
    CHECK(data.load(1, first) == 1);
    CHECK(data.load(4, second) == 1);
    CHECK(data.load(1, again) == 1);
    CHECK(first[0] == again[0]);
    CHECK(first[0] != second[0]);
    CHECK((first[0] >= 1.0f && first[0] < 2.0f));
    CHECK(data.label(5) == 2);
    CHECK_THROWS_AS(data.load(6, first), mote::Error);
}

TEST_CASE("shuffle: a permutation that the seed fixes") {
    std::vector<std::size_t> a(50), b(50);
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = b[i] = i;
    mote::Random one(3), two(3);
    mote::shuffle(a, one);
    mote::shuffle(b, two);
    CHECK(a == b);
    CHECK_FALSE(std::is_sorted(a.begin(), a.end()));
    std::sort(a.begin(), a.end());
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == i);
}
