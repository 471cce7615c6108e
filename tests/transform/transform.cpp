// SPDX-License-Identifier: MIT
// The whole chain under one header: train, distill, prune, fine-tune, quantize.

#include <mote/transform/transform.hpp>

#include <support/catch.hpp>
#include <transform/networks.hpp>

namespace transform_test {

using namespace mote;

TEST_CASE("transform: a trained teacher, a pruned and distilled student and its int8 form answer alike") {
    // Four blobs that differ in where the image is bright.
    constexpr std::size_t count = 120;
    Tensor<f32> images = networks::samples(1, {count, 6, 6, 2});
    std::vector<std::int64_t> labels;
    for (std::size_t i = 0; i < count; ++i) {
        labels.push_back(static_cast<std::int64_t>(i % 4));
        for (std::size_t k = 0; k < 72; ++k) {
            float& x = images[i * 72 + k];
            x *= 0.3f;
            if (k % 2 == i % 2) x += i % 4 < 2 ? 1.0f : -1.0f;
        }
    }
    const TensorDataset set(images, labels);
    const TrainOptions training{.epochs = 12, .schedule = Cosine{.rate = 1e-2f}};
    const Model<f32, wide> teacher = train(networks::plain(2), set, training);
    const Model<f32, wide> slim = prune(teacher, ChannelPruning{.keep = 0.5, .criterion = Taylor(set)});
    const Model<f32, wide> taught = distill(teacher, slim, set, {.temperature = 4, .training = training});
    const Model<f32, wide> sparse = fine_tune(prune(taught, WeightPruning{.sparsity = 0.3}), set, training);
    const Model<i8, wide> light = quantize<i8, wide>(sparse, set);
    CHECK(accuracy(teacher, set) > 0.95);
    CHECK(accuracy(taught, set) > 0.95);
    CHECK(accuracy(light, set) >= accuracy(sparse, set) - 0.02);
    CHECK(light.cost().weight_bytes * 6 < teacher.cost().weight_bytes);
}

}  // namespace transform_test
