// SPDX-License-Identifier: MIT
// predict, accuracy, confusion, without_softmax on a model whose answers are known.

#include <mote/model/builder.hpp>
#include <mote/train/evaluate.hpp>

#include <support/catch.hpp>

namespace evaluate_test {

using mote::f32;
using mote::Tensor;

/// Answers the place of the largest of three inputs.
mote::Model<f32> largest_of_three(bool softmax) {
    mote::ModelBuilder<f32> b;
    auto x = b.add(mote::Dense<f32>{Tensor<f32>({3, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1}), {}}, b.input("x", {1, 3}));
    if (softmax) x = b.add(mote::Softmax{}, x, {.name = "softmax"});
    b.output("y", x);
    return b.build();
}

/// Sample i is largest at i % 3; of ten, the last three have a wrong label.
mote::TensorDataset samples() {
    Tensor<f32> inputs({10, 3});
    std::vector<std::int64_t> labels;
    for (std::size_t i = 0; i < 10; ++i) {
        inputs[i * 3 + i % 3] = 2.0f;
        labels.push_back(static_cast<std::int64_t>(i < 7 ? i % 3 : (i + 1) % 3));
    }
    return {std::move(inputs), std::move(labels)};
}

}  // namespace evaluate_test

TEST_CASE("accuracy and confusion: counted over batches of any size") {
    using namespace evaluate_test;
    for (const std::size_t batch : {1u, 3u, 4u, 5u, 10u, 64u}) {
        CAPTURE(batch);
        CHECK(mote::accuracy(largest_of_three(true), samples(), {.batch_size = batch}) == Approx(0.7));
        const std::vector<std::int64_t> counts = mote::confusion(largest_of_three(false), samples(), 3, {.batch_size = batch});
        CHECK(counts == std::vector<std::int64_t>{3, 0, 1, 1, 2, 0, 0, 1, 2});
        const mote::Predictions predictions = mote::predict(largest_of_three(false), samples(), {.batch_size = batch});
        CHECK(predictions.outputs == samples().inputs());
        CHECK(predictions.labels.size() == 10);
    }
}

TEST_CASE("accuracy: empty data, an empty batch, several inputs and classes out of range are errors") {
    using namespace evaluate_test;
    const mote::TensorDataset empty(Tensor<f32>({0, 3}), {});
    CHECK_THROWS_WITH(mote::accuracy(largest_of_three(true), empty), Catch::Contains("empty"));
    CHECK_THROWS_WITH(mote::accuracy(largest_of_three(true), samples(), {.batch_size = 0}), Catch::Contains("batch_size"));
    CHECK_THROWS_WITH(mote::confusion(largest_of_three(true), samples(), 2), Catch::Contains("must be below 2"));
    mote::ModelBuilder<f32> b;
    b.output("y", b.add(mote::Add{}, {b.input("x", {1, 3}), b.input("z", {1, 3})}));
    CHECK_THROWS_WITH(mote::accuracy(b.build(), samples()), Catch::Contains("2 inputs"));
}

TEST_CASE("accuracy: a label that the model has no output for is the error that training gives, not a miss") {
    using namespace evaluate_test;
    for (const std::int64_t label : {-1, 3, 1000}) {
        std::vector<std::int64_t> labels(10, 0);
        labels[7] = label;
        const mote::TensorDataset wrong(samples().inputs(), labels);
        CAPTURE(label);
        CHECK_THROWS_WITH(
            mote::accuracy(largest_of_three(true), wrong, {.batch_size = 4}),
            mote::concat("sample 7 has label ", label, "; the model has 3 outputs, so labels from 0 to 2 are expected"));
        CHECK_THROWS_WITH(mote::confusion(largest_of_three(true), wrong, 3), Catch::Contains("sample 7 has label"));
    }
}

TEST_CASE("without_softmax: the output is what went into the final Softmax") {
    using namespace evaluate_test;
    const mote::Model<f32> logits = mote::without_softmax(largest_of_three(true));
    CHECK(logits.nodes().size() == 1);
    CHECK(mote::predict(logits, samples()).outputs == samples().inputs());
    CHECK(mote::without_softmax(largest_of_three(false)) == largest_of_three(false));
}
