// SPDX-License-Identifier: MIT
// train and optimize: they learn, the number of threads does not show, and what cannot be trained is said.

#include <mote/train/trainer.hpp>
#include <mote/train/evaluate.hpp>
#include <mote/zoo/initialize.hpp>

#include <support/catch.hpp>

#include <limits>
#include <thread>

namespace trainer_test {

using mote::f32;
using mote::i8;
using mote::Tensor;

/// Images of four classes: which quarter is bright.
mote::TensorDataset quarters(std::size_t count, std::uint64_t seed) {
    mote::Random random(seed);
    Tensor<f32> inputs({count, 4, 4, 1});
    std::vector<std::int64_t> labels;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t label = static_cast<std::size_t>(random.below(4));
        labels.push_back(static_cast<std::int64_t>(label));
        for (std::size_t y = 0; y < 4; ++y) {
            for (std::size_t x = 0; x < 4; ++x) {
                const bool bright = y / 2 == label / 2 && x / 2 == label % 2;
                inputs[i * 16 + y * 4 + x] = (bright ? 1.0f : 0.0f) + 0.3f * random.normal();
            }
        }
    }
    return {std::move(inputs), std::move(labels)};
}

/// Every kind of coupling: BatchNorm, a residual, depthwise, a squeeze-excite product.
mote::Model<f32> network(std::uint64_t seed = 1, bool softmax = true) {
    mote::ModelBuilder<f32> b;
    auto x = b.input("image", {1, 4, 4, 1});
    x = b.add(mote::Conv2d<f32>{.weight = Tensor<f32>({6, 3, 3, 1}), .padding = mote::uniform_padding(1)}, x);
    x = b.add(mote::Relu{}, b.add(mote::batch_norm(6), x));
    auto y = b.add(mote::DepthwiseConv2d<f32>{.weight = Tensor<f32>({6, 3, 3, 1}), .padding = mote::uniform_padding(1)}, x);
    y = b.add(mote::batch_norm(6), y);
    x = b.add(mote::Relu{}, b.add(mote::Add{}, {x, y}));
    const auto scale = b.add(mote::Sigmoid{}, b.add(mote::GlobalAveragePool{}, x));
    x = b.add(mote::Flatten{}, b.add(mote::Mul{}, {x, scale}));
    x = b.add(mote::Dense<f32>{.weight = Tensor<f32>({4, 96}), .bias = Tensor<f32>(mote::Shape{4})}, x, {.name = "dense"});
    if (softmax) x = b.add(mote::Softmax{}, x);
    b.output("class", x);
    return mote::initialize(b.build(), {.seed = seed});
}

/// y = a small dense layer of 3 values.
mote::Model<f32> line(float weight = 0.0f) {
    mote::ModelBuilder<f32> b;
    b.output("y", b.add(mote::Dense<f32>{Tensor<f32>({1, 3}, {weight, weight, weight}), Tensor<f32>(mote::Shape{1})},
                        b.input("x", {1, 3}), {.name = "line"}));
    return b.build();
}

std::vector<float> parameters(const mote::Model<f32>& model) {
    std::vector<float> all;
    for (const mote::Node& node : model.nodes()) {
        mote::visit(model, node, [&](const auto& layer) {
            mote::for_each_parameter(layer, [&](const auto& field, const auto& tensor) {
                if (field.role == mote::Role::statistic) return;
                if constexpr (std::is_same_v<std::remove_cvref_t<decltype(tensor)>, Tensor<f32>>) {
                    all.insert(all.end(), tensor.values().begin(), tensor.values().end());
                }
            });
        });
    }
    return all;
}

}  // namespace trainer_test

TEST_CASE("train: a small network learns, and its argument stays as it was") {
    using namespace trainer_test;
    const mote::TensorDataset train_set = quarters(300, 1), test_set = quarters(200, 2);
    const mote::Model<f32> before = network();
    mote::TrainOptions options;
    options.epochs = 8;
    options.schedule = mote::Cosine{.rate = 1e-2f, .warm_up_epochs = 1};
    std::vector<double> losses;
    options.callback = [&](const mote::TrainProgress& p) {
        if (p.epoch_ended) losses.push_back(p.loss);
    };
    const mote::Model<f32> after = mote::train(before, train_set, options);
    CHECK(mote::accuracy(before, test_set) < 0.6);
    CHECK(mote::accuracy(after, test_set) > 0.93);
    REQUIRE(losses.size() == 8);
    CHECK(losses.back() < 0.3 * losses.front());
    CHECK(before == network());
    CHECK(after.nodes().size() == before.nodes().size());
}

TEST_CASE("train: the same seed gives the same bits for 1, 2 and 3 threads, another seed does not") {
    using namespace trainer_test;
    const mote::TensorDataset data = quarters(61, 1);  // batches of 15 and 16, shards of 3 and 4
    mote::TrainOptions options;
    options.epochs = 2;
    options.batch_size = 16;
    options.augment = [](std::span<float> values, const mote::Shape&, mote::Random& random) {
        for (float& v : values) v += 0.1f * random.normal();
    };
    const mote::Model<f32> one = mote::train(network(), data, options);
    for (const std::size_t threads : {1u, 2u, 3u, 7u}) {
        CAPTURE(threads);
        options.threads = threads;
        CHECK(mote::train(network(), data, options) == one);
    }
    options.seed = 1;
    CHECK_FALSE(mote::train(network(), data, options) == one);
}

TEST_CASE("train: a step of SGD is the mean gradient of the batch, whatever the number of shards") {
    using namespace trainer_test;
    const mote::TensorDataset data(Tensor<f32>({4, 3}, {1, 0, 0, 0, 2, 0, 0, 0, 4, 1, 1, 1}), {0, 0, 0, 0});
    for (const std::size_t shards : {1u, 2u, 3u, 4u, 9u}) {
        CAPTURE(shards);
        mote::TrainOptions options;
        options.epochs = 1;
        options.batch_size = 4;
        options.shards = shards;
        options.optimizer = mote::SGD{.momentum = 0.0f};
        options.schedule = mote::ConstantRate{.rate = 0.5f};
        const auto model = mote::optimize(line(), data, mote::squared_error_to({1.0f, 1.0f, 1.0f, 1.0f}), options);
        // d loss / d w_j = mean of 2 (0 - 1) x_j
        CHECK(parameters(model)[0] == Approx(0.5));
        CHECK(parameters(model)[1] == Approx(0.75));
        CHECK(parameters(model)[2] == Approx(1.25));
        CHECK(parameters(model)[3] == Approx(1.0));
    }
}

TEST_CASE("train: every sample is seen once an epoch, in an order that changes, and in batches that differ by one at most") {
    using namespace trainer_test;
    const mote::TensorDataset data = quarters(10, 1);
    std::vector<std::vector<std::size_t>> batches;
    mote::TrainOptions options;
    options.epochs = 2;
    options.batch_size = 4;
    mote::optimize(
        network(), data,
        [&](const mote::LossBatch& batch) {
            batches.emplace_back(batch.indices.begin(), batch.indices.end());
            for (std::size_t i = 0; i < batch.samples(); ++i) {
                if (batch.labels[i] != data.label(batch.indices[i])) FAIL("a label of another sample");
            }
            return mote::softmax_cross_entropy(batch);
        },
        options);
    REQUIRE(batches.size() == 6);
    std::vector<std::size_t> orders[2];
    for (std::size_t b = 0; b < batches.size(); ++b) {
        CHECK((batches[b].size() == 3 || batches[b].size() == 4));
        orders[b / 3].insert(orders[b / 3].end(), batches[b].begin(), batches[b].end());
    }
    CHECK(orders[0] != orders[1]);
    for (std::vector<std::size_t>& order : orders) {
        std::sort(order.begin(), order.end());
        for (std::size_t i = 0; i < 10; ++i) CHECK(order[i] == i);
    }
}

TEST_CASE("train: the callback counts steps and epochs and tells rate and speed") {
    using namespace trainer_test;
    std::vector<mote::TrainProgress> seen;
    mote::TrainOptions options;
    options.epochs = 3;
    options.batch_size = 8;
    options.schedule = mote::ConstantRate{.rate = 0.25f};
    options.callback = [&](const mote::TrainProgress& p) { seen.push_back(p); };
    mote::train(network(), quarters(20, 1), options);
    REQUIRE(seen.size() == 9);
    for (std::size_t i = 0; i < 9; ++i) {
        CHECK(seen[i].step == i + 1);
        CHECK(seen[i].steps == 9);
        CHECK(seen[i].epoch == 1 + i / 3);
        CHECK(seen[i].epochs == 3);
        CHECK(seen[i].epoch_ended == (i % 3 == 2));
        CHECK(seen[i].learning_rate == Approx(0.25));
        CHECK(seen[i].samples_per_second > 0.0);
        CHECK((seen[i].accuracy >= 0.0 && seen[i].accuracy <= 1.0));
    }
    // As long as the mean step has taken so far for each that is left; each step but the last leaves some.
    for (std::size_t i = 0; i < 8; ++i) CHECK(seen[i].remaining_seconds > 0.0);
    const auto elapsed = [&](std::size_t i) {
        return seen[i].remaining_seconds * static_cast<double>(i + 1) / static_cast<double>(8 - i);
    };
    for (std::size_t i = 1; i < 8; ++i) CHECK(elapsed(i) >= elapsed(i - 1) * (1.0 - 1e-12));
    CHECK(seen.back().remaining_seconds == 0.0);
}

TEST_CASE("train: the remaining time falls towards the end") {
    using namespace trainer_test;
    std::vector<double> remaining;
    mote::TrainOptions options;
    options.epochs = 2;
    options.batch_size = 8;
    options.callback = [&](const mote::TrainProgress& p) {
        remaining.push_back(p.remaining_seconds);
        // The first step seems long: ten more would last for half a second or longer, one a fraction of that.
        if (p.step == 1) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    };
    mote::train(network(), quarters(48, 1), options);
    REQUIRE(remaining.size() == 12);
    CHECK(remaining[1] > 0.4);
    CHECK(remaining[10] > 0.0);
    CHECK(remaining[10] < remaining[1]);
    CHECK(remaining[11] == 0.0);
}

TEST_CASE("train: keep_zeros keeps weights that are exactly zero, and trains the rest and zero biases") {
    using namespace trainer_test;
    mote::Graph<mote::standard_layers<f32>> graph = network().graph();
    std::size_t dense = 0;
    while (graph.nodes[dense].name != "dense") ++dense;
    mote::Dense<f32> layer = *mote::get_if<mote::Dense<f32>>(graph, graph.nodes[dense]);
    for (std::size_t i = 0; i < layer.weight.elements(); i += 3) layer.weight[i] = 0.0f;
    graph.nodes[dense] = mote::with_layer<mote::standard_layers<f32>>(graph.nodes[dense], layer);
    mote::TrainOptions options;
    options.epochs = 1;
    options.keep_zeros = true;
    const auto after = mote::train(mote::Model<f32>(graph), quarters(64, 1), options);
    const auto& trained = *mote::get_if<mote::Dense<f32>>(after, after.nodes()[dense]);
    for (std::size_t i = 0; i < layer.weight.elements(); ++i) CHECK((trained.weight[i] == 0.0f) == (i % 3 == 0));
    for (const float b : trained.bias.values()) CHECK(b != 0.0f);
}

TEST_CASE("train: frozen BatchNorm keeps its statistics, unfrozen follows the batches") {
    using namespace trainer_test;
    const auto statistics = [](const mote::Model<f32>& model) {
        std::vector<float> all;
        for (const mote::Node& node : model.nodes()) {
            if (const auto* norm = mote::get_if<mote::BatchNorm>(model, node)) {
                all.insert(all.end(), norm->mean.values().begin(), norm->mean.values().end());
                all.insert(all.end(), norm->variance.values().begin(), norm->variance.values().end());
            }
        }
        return all;
    };
    mote::TrainOptions options;
    options.epochs = 1;
    CHECK(statistics(mote::train(network(), quarters(64, 1), options)) != statistics(network()));
    options.freeze_batch_norm = true;
    const auto frozen = mote::train(network(), quarters(64, 1), options);
    CHECK(statistics(frozen) == statistics(network()));
    CHECK_FALSE(frozen == network());
}

TEST_CASE("train: weights of rank 1 and biases are not decayed unless asked for") {
    using namespace trainer_test;
    mote::TrainOptions options;
    options.epochs = 1;
    options.optimizer = mote::SGD{.momentum = 0.0f, .weight_decay = 1.0f};
    options.schedule = mote::ConstantRate{.rate = 0.5f};
    const auto nothing = [](const mote::LossBatch&) { return 0.0; };
    const auto first = [](const mote::Model<f32>& model) {
        std::vector<float> values;
        for (const mote::Node& node : model.nodes()) {
            if (const auto* norm = mote::get_if<mote::BatchNorm>(model, node)) values.push_back(norm->scale[0]);
            if (const auto* dense = mote::get_if<mote::Dense<f32>>(model, node)) values.push_back(dense->weight[0]);
        }
        return values;
    };
    const auto before = first(network());
    auto after = first(mote::optimize(network(), quarters(16, 1), nothing, options));
    CHECK(after[0] == before[0]);
    CHECK(after[2] == before[2] * 0.5f);
    options.optimizer = mote::SGD{.momentum = 0.0f, .weight_decay = 1.0f, .decay_all = true};
    after = first(mote::optimize(network(), quarters(16, 1), nothing, options));
    CHECK(after[0] == before[0] * 0.5f);
}

TEST_CASE("train: no epoch, or a model of more precisions whose layers are f32, are as good as any") {
    using namespace trainer_test;
    mote::TrainOptions options;
    options.epochs = 0;
    CHECK(mote::train(network(), quarters(8, 1), options) == network());
    options.epochs = 1;
    const mote::Model<f32, i8> wide = network();
    CHECK(mote::as<f32>(mote::train(wide, quarters(8, 1), options)) == mote::train(network(), quarters(8, 1), options));
}

TEST_CASE("train: empty data, empty batches, wrong samples and wrong labels are errors") {
    using namespace trainer_test;
    const mote::TensorDataset empty(Tensor<f32>({0, 4, 4, 1}), {});
    CHECK_THROWS_WITH(mote::train(network(), empty), Catch::Contains("dataset is empty"));
    mote::TrainOptions options;
    options.batch_size = 0;
    CHECK_THROWS_WITH(mote::train(network(), quarters(8, 1), options), Catch::Contains("batch_size is 0"));
    options = {};
    options.shards = 0;
    CHECK_THROWS_WITH(mote::train(network(), quarters(8, 1), options), Catch::Contains("shards is 0"));
    const mote::TensorDataset small(Tensor<f32>({2, 3, 3, 1}), {0, 1});
    CHECK_THROWS_WITH(mote::train(network(), small), Catch::Contains("[3x3x1]") && Catch::Contains("16 values"));
    const mote::TensorDataset wrong(Tensor<f32>({2, 4, 4, 1}), {0, 4});
    for (const std::size_t threads : {1u, 2u}) {
        options = {};
        options.threads = threads;
        CHECK_THROWS_WITH(mote::train(network(), wrong, options),
                          Catch::Contains("sample 1 has label 4") && Catch::Contains("from 0 to 3"));
    }
}

TEST_CASE("train: an error of the dataset reaches the caller from any thread") {
    using namespace trainer_test;
    struct Broken {
        std::size_t size() const { return 40; }
        std::int64_t load(std::size_t index, std::span<float> values) const {
            if (index == 17) mote::fail("sample 17 cannot be read");
            for (float& v : values) v = 0.5f;
            return 0;
        }
    };
    for (const std::size_t threads : {1u, 3u}) {
        mote::TrainOptions options;
        options.threads = threads;
        CHECK_THROWS_WITH(mote::train(network(), Broken{}, options), "sample 17 cannot be read");
    }
}

TEST_CASE("train: a loss that is not finite stops the training and names the step") {
    using namespace trainer_test;
    mote::TrainOptions options;
    options.batch_size = 1;
    options.schedule = mote::ConstantRate{.rate = 1e30f};
    options.optimizer = mote::SGD{};
    const mote::TensorDataset data(Tensor<f32>({1, 3}, {1, 2, 3}), {0});
    CHECK_THROWS_WITH(mote::optimize(line(1.0f), data, mote::squared_error_to({0.0f}), options),
                      Catch::Contains("training step ") && Catch::Contains("epoch") && Catch::Contains("learning rate"));
    const mote::TensorDataset nan(Tensor<f32>({1, 3}, {1, std::numeric_limits<float>::quiet_NaN(), 3}), {0});
    CHECK_THROWS_WITH(mote::optimize(line(1.0f), nan, mote::squared_error_to({0.0f}), {}), Catch::Contains("training step 1 "));
    CHECK_THROWS_WITH(mote::optimize(line(std::numeric_limits<float>::infinity()), data, mote::squared_error_to({0.0f}), {}),
                      Catch::Contains("training step 1 "));
}

TEST_CASE("train: parameters that only the last step made infinite are an error that names the node") {
    using namespace trainer_test;
    const mote::TensorDataset data(Tensor<f32>({1, 3}, {1, 2, 3}), {0});
    mote::TrainOptions options;
    options.epochs = 1;
    options.optimizer = mote::SGD{};
    options.schedule = mote::ConstantRate{.rate = std::numeric_limits<float>::max()};
    CHECK_THROWS_WITH(mote::optimize(line(4.0f), data, mote::squared_error_to({0.0f}), options),
                      Catch::Contains("node 'line' (Dense)") && Catch::Contains("weight") &&
                          Catch::Contains("after training step 1") && Catch::Contains("smaller learning rate"));
    options.schedule = mote::ConstantRate{.rate = std::numeric_limits<float>::quiet_NaN()};
    CHECK_THROWS_WITH(mote::optimize(line(4.0f), data, mote::squared_error_to({0.0f}), options),
                      Catch::Contains("node 'line' (Dense)"));
}

TEST_CASE("train: one error lists every node that cannot be trained") {
    using namespace trainer_test;
    mote::ModelBuilder<f32, i8> b;
    const mote::Quantization q = mote::QuantizationParams{0.5f, 3};
    auto x = b.input("x", {1, 3});
    x = b.add(mote::Convert{mote::Element::i8}, x, {.name = "in", .quantization = q});
    Tensor<i8> weight({2, 3}, {1, 2, 3, 4, 5, 6});
    weight.set_quantization(mote::QuantizationParams{0.25f, 0});
    x = b.add(mote::Dense<i8>{weight, {}}, x, {.name = "inner", .quantization = q});
    b.output("y", b.add(mote::Convert{mote::Element::f32}, x, {.name = "out"}));
    const mote::TensorDataset data(Tensor<f32>({2, 3}), {0, 1});
    CHECK_THROWS_WITH(mote::train(b.build(), data), Catch::Contains("'in' (Convert)") && Catch::Contains("'inner' (Dense)") &&
                                                        Catch::Contains("'out' (Convert)"));
}

TEST_CASE("train: several inputs or outputs, nothing to train, and values without a batch axis are errors") {
    using namespace trainer_test;
    const mote::TensorDataset data(Tensor<f32>({2, 2}), {0, 1});
    const mote::Dense<f32> dense{Tensor<f32>({2, 2}), {}};
    {
        mote::ModelBuilder<f32> b;
        const auto x = b.input("x", {1, 2}), z = b.input("z", {1, 2});
        b.output("y", b.add(mote::Add{}, {x, b.add(dense, z)}));
        CHECK_THROWS_WITH(mote::train(b.build(), data), Catch::Contains("2 inputs"));
    }
    {
        mote::ModelBuilder<f32> b;
        const auto x = b.input("x", {1, 2});
        b.output("y", b.add(dense, x));
        b.output("z", b.add(dense, x));
        CHECK_THROWS_WITH(mote::train(b.build(), data), Catch::Contains("2 outputs"));
    }
    {
        mote::ModelBuilder<f32> b;
        b.output("y", b.add(mote::Relu{}, b.input("x", {1, 2})));
        CHECK_THROWS_WITH(mote::train(b.build(), data), Catch::Contains("no parameter"));
    }
    {
        mote::ModelBuilder<f32> b;
        const auto x = b.add(mote::Transpose{{1, 0}}, b.add(dense, b.input("x", {1, 2})), {.name = "turn"});
        b.output("y", b.add(mote::Flatten{}, x));
        CHECK_THROWS_WITH(mote::train(b.build(), data), Catch::Contains("first axis"));
    }
}
