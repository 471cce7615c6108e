// SPDX-License-Identifier: MIT
// for_each_gradient: gradients of known sums, batch by batch, for any number of shards and threads.

#include <mote/train/sensitivity.hpp>
#include <mote/zoo/initialize.hpp>

#include <support/catch.hpp>

TEST_CASE("for_each_gradient: the gradient of each batch's mean loss, in the dataset's order") {
    using mote::f32;
    mote::ModelBuilder<f32> b;
    b.output("y", b.add(mote::Dense<f32>{mote::Tensor<f32>({1, 2}, {3.0f, 4.0f}), mote::Tensor<f32>(mote::Shape{1})},
                        b.input("x", {1, 2}), {.name = "line"}));
    const mote::Model<f32> model = b.build();
    mote::Tensor<f32> inputs({5, 2});
    for (std::size_t i = 0; i < 10; ++i) inputs[i] = static_cast<float>(i);
    const mote::TensorDataset data(inputs, {0, 0, 0, 0, 0});
    for (const std::size_t shards : {1u, 2u, 5u}) {
        CAPTURE(shards);
        std::size_t first = 0, visits = 0;
        // The loss is the mean output, so its gradient by the weights is the mean input.
        mote::for_each_gradient(
            model, data,
            [](const mote::LossBatch& batch) {
                double sum = 0.0;
                for (std::size_t i = 0; i < batch.samples(); ++i) {
                    batch.gradient[i] += 1.0f / static_cast<float>(batch.samples());
                    sum += static_cast<double>(batch.logits[i]);
                }
                return sum;
            },
            {.batch_size = 3, .threads = 2, .shards = shards},
            [&](std::span<const mote::ParameterGradient> gradients) {
                const std::size_t count = visits == 0 ? 2 : 3;
                REQUIRE(gradients.size() == 2);
                CHECK(gradients[0].node == "line");
                CHECK(gradients[0].field == "weight");
                CHECK(gradients[0].shape == mote::Shape{1, 2});
                CHECK(gradients[0].value[1] == 4.0f);
                CHECK(gradients[1].field == "bias");
                const float middle = static_cast<float>(2 * first + count - 1);
                CHECK(gradients[0].gradient[0] == Approx(middle));
                CHECK(gradients[0].gradient[1] == Approx(middle + 1.0f));
                CHECK(gradients[1].gradient[0] == Approx(1.0));
                first += count;
                ++visits;
            });
        CHECK(visits == 2);
    }
}

TEST_CASE("for_each_gradient: empty data and batches are errors") {
    using mote::f32;
    mote::ModelBuilder<f32> b;
    b.output("y", b.add(mote::Dense<f32>{mote::Tensor<f32>({2, 2}), {}}, b.input("x", {1, 2})));
    const mote::TensorDataset empty(mote::Tensor<f32>({0, 2}), {});
    const mote::TensorDataset one(mote::Tensor<f32>({1, 2}), {0});
    const auto nothing = [](std::span<const mote::ParameterGradient>) {};
    CHECK_THROWS_WITH(mote::for_each_gradient(b.build(), empty, mote::cross_entropy(), {}, nothing), Catch::Contains("empty"));
    CHECK_THROWS_WITH(mote::for_each_gradient(b.build(), one, mote::cross_entropy(), {.batch_size = 0}, nothing),
                      Catch::Contains("batch_size"));
}
