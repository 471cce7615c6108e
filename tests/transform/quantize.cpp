// SPDX-License-Identifier: MIT
// quantize: int8 models follow their f32 models, share scales where they must, and refuse what they cannot do.

#include <mote/quantization/compare.hpp>
#include <mote/transform/quantize.hpp>

#include <engine/random_model.hpp>
#include <support/catch.hpp>
#include <transform/networks.hpp>

#include <limits>

namespace quantize_test {

using namespace mote;

template <class List>
const Value& value_named(const BasicModel<List>& model, std::string_view name) {
    for (const Value& value : model.values()) {
        if (value.name == name) return value;
    }
    fail(concat("no value '", name, "'"));
}

SampleList sample_list(const Model<f32, wide>& model, std::uint64_t seed, std::size_t count) {
    Random random(seed);
    SampleList list;
    for (std::size_t i = 0; i < count; ++i) {
        list.emplace_back();
        for (const ValueId id : model.inputs()) list.back().push_back(networks::normal(random, model.value(id).shape, 1.0f));
    }
    return list;
}

/// The nodes that int8 refuses: Prelu, Binary, MatMul, most of Reduce, and BatchNorm that cannot be folded, on
/// something else than an image.
std::vector<std::string> refused_nodes(const Model<f32, wide>& model) {
    const Model<f32, wide> simple = fold(model);
    std::vector<std::string> names;
    for (const Node& node : simple.nodes()) {
        const bool norm = get_if<BatchNorm>(simple, node) != nullptr && simple.value(node.outputs[0]).shape.rank() != 4;
        const bool none = !visit(simple, node, [](const auto& layer) { return mote::detail::has_int8_form(layer); });
        if (norm || none) names.push_back(node.name);
    }
    return names;
}

// Random networks of 12 nodes: each int8 step of a value costs about 48 dB - the products of narrow and wide ranges cost more.
// A scale or zero point that does not belong to its value gives less than 3 dB.
constexpr double least_sqnr = 9.0;
constexpr double median_sqnr = 30.0;

const Quantization softmax_quantization = QuantizationParams{1.0f / 256.0f, -128};

TEST_CASE("quantize: every value of random networks follows the f32 model") {
    std::vector<double> worst;
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        const Model<f32, wide> model = with_batch(random_model::make<f32>(seed, 12), 1);
        if (!refused_nodes(model).empty()) continue;
        const SampleList list = sample_list(model, seed, 16);
        const Model<i8, wide> light = quantize<i8, wide>(model, list);
        double least = HUGE_VAL;
        for (const ValueComparison& value : compare(model, light, list)) {
            CAPTURE(seed, value.name, value.sqnr);
            // A Relu behind a movement may cut the negative part of these.
            if (value.name.starts_with("constant") || value.name.starts_with("pad")) continue;
            CHECK(value.sqnr >= least_sqnr);
            const bool fixed = value_named(light, value.name).quantization == softmax_quantization;  // holds 1 as 255/256
            CHECK((fixed || value.clipped <= 0.001));
            least = std::min(least, value.sqnr);
        }
        worst.push_back(least);
    }
    REQUIRE(worst.size() > 40);
    std::sort(worst.begin(), worst.end());
    CHECK(worst[worst.size() / 2] >= median_sqnr);
}

TEST_CASE("quantize: a network of every coupling stays close, from a dataset, a tensor or a sample list alike") {
    const Model<f32, wide> model = networks::mixed(1);
    const Tensor<f32> samples = networks::samples(2, {24, 6, 6, 3});
    const Model<i8, wide> light = quantize<i8, wide>(model, samples);
    CHECK(compare(model, light, samples).back().sqnr > 25.0);
    CHECK(quantize<i8, wide>(model, TensorDataset(samples, std::vector<std::int64_t>(24, 0))) == light);
    SampleList list;
    for (std::size_t i = 0; i < 24; ++i) list.push_back({Tensor<f32>({1, 6, 6, 3}, samples.values().subspan(i * 108, 108))});
    CHECK(quantize<i8, wide>(model, list) == light);
}

TEST_CASE("quantize: the argument does not change, nodes and values keep their names") {
    const Model<f32, wide> model = networks::plain(1);
    const Model<f32, wide> before = model;
    const Model<i8, wide> light = quantize<i8, wide>(model, networks::samples(2, {8, 6, 6, 2}));
    CHECK(model == before);
    REQUIRE(light.nodes().size() == model.nodes().size());
    for (std::size_t i = 0; i < light.nodes().size(); ++i) CHECK(light.nodes()[i].name == model.nodes()[i].name);
    CHECK(value_named(light, "image").element == Element::i8);
    CHECK(value_named(light, "probabilities").element == Element::i8);
}

TEST_CASE("quantize: a value that only a Relu sees takes the range of what comes out") {
    const Model<f32, wide> model = networks::plain(3);
    const Model<i8, wide> light = quantize<i8, wide>(model, networks::samples(4, {16, 6, 6, 2}));
    CHECK(value_named(light, "first").quantization == value_named(light, "first_relu").quantization);
    CHECK(value_named(light, "first").quantization.params().zero_point == -128);
}

TEST_CASE("quantize: a value that a Relu and somebody else see keeps its negative part") {
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {1, 4});
    Random random(5);
    const auto y = b.add(networks::dense(random, 4, 4), x, {.name = "y"});
    b.output("sum", b.add(Add{}, {b.add(Relu{}, y), y}));
    const Model<i8, wide> light = quantize<i8, wide>(b.build(), networks::samples(6, {50, 4}));
    CHECK(value_named(light, "y").quantization.params().zero_point > -100);
}

TEST_CASE("quantize: Concat's inputs and output, pooling and movement share one scale that holds them all") {
    ModelBuilder<f32, wide> b;
    Random random(7);
    const auto x = b.input("x", {1, 4, 4, 2});
    const auto small = b.add(networks::conv(random, 2, 3), x, {.name = "small"});
    auto large_layer = networks::conv(random, 2, 3);
    for (float& w : large_layer.weight.values()) w *= 10.0f;
    const auto large = b.add(large_layer, x, {.name = "large"});
    const auto joined = b.add(Concat{}, {small, large}, {.name = "joined"});
    const auto pooled = b.add(AveragePool2d{.kernel = {2, 2}, .stride = {2, 2}, .padding = {}}, joined, {.name = "pooled"});
    const auto turned = b.add(Transpose{{0, 2, 1, 3}}, pooled, {.name = "turned"});
    b.output("flat", b.add(Flatten{}, turned));
    const auto framed = b.add(Pad{.before = {0, 1, 0, 0}, .after = {0, 0, 1, 0}}, joined, {.name = "framed"});
    const auto largest = b.add(MaxPool2d{.kernel = {2, 2}, .stride = {2, 2}, .padding = {}}, framed, {.name = "largest"});
    const auto mean = b.add(GlobalAveragePool{}, largest, {.name = "mean"});
    b.output("shaped", b.add(Reshape{{0, 2, 3}}, mean));
    const Tensor<f32> samples = networks::samples(8, {20, 4, 4, 2});
    const Model<f32, wide> model = b.build();
    const Model<i8, wide> light = quantize<i8, wide>(model, samples);
    for (const char* name : {"small", "large", "pooled", "turned", "flat", "framed", "largest", "mean", "shaped"}) {
        CHECK(value_named(light, name).quantization == value_named(light, "joined").quantization);
    }
    for (const ValueComparison& value : compare(model, light, samples)) CHECK(value.clipped == 0.0);
}

TEST_CASE("quantize: softmax gives 1/256, -128, and Convert stands before a Concat with something else") {
    ModelBuilder<f32, wide> b;
    Random random(9);
    const auto x = b.input("x", {1, 6});
    const auto y = b.add(networks::dense(random, 6, 6), x);
    const auto p = b.add(Softmax{}, y, {.name = "p"});
    b.output("flat", b.add(Flatten{}, p));
    b.output("both", b.add(Concat{}, {p, y}));
    const Model<f32, wide> model = b.build();
    const Tensor<f32> samples = networks::samples(10, {30, 6});
    const Model<i8, wide> light = quantize<i8, wide>(model, samples);
    CHECK(value_named(light, "p").quantization == softmax_quantization);
    for (const ValueComparison& value : compare(model, light, samples)) CHECK(value.sqnr > 25.0);

    ModelBuilder<f32, wide> alone;
    const auto q = alone.add(Softmax{}, alone.input("x", {1, 6}), {.name = "q"});
    alone.output("flat", alone.add(Flatten{}, q));
    const Model<i8, wide> shared = quantize<i8, wide>(alone.build(), samples);
    CHECK(shared.nodes().size() == 2);
    CHECK(value_named(shared, "flat").quantization == softmax_quantization);
}

TEST_CASE("quantize: BatchNorm is folded, or becomes a depthwise convolution where nothing stands before it") {
    ModelBuilder<f32, wide> b;
    Random random(11);
    const auto x = b.input("x", {1, 4, 4, 3});
    const auto y = b.add(Relu{}, b.add(networks::norm(random, 3), x, {.name = "first"}));
    b.output("y", b.add(networks::norm(random, 5), b.add(networks::conv(random, 3, 5), y, {.name = "conv"}), {.name = "last"}));
    const Model<f32, wide> model = b.build();
    const Tensor<f32> samples = networks::samples(12, {20, 4, 4, 3});
    const Model<i8, wide> light = quantize<i8, wide>(model, samples);
    CHECK(light.nodes().size() == 3);
    CHECK(networks::layer<DepthwiseConv2d<i8>>(light, "first").weight.shape() == Shape{3, 1, 1, 1});
    CHECK(compare(model, light, samples).back().sqnr > 30.0);
}

TEST_CASE("quantize: keep_f32 leaves nodes in f32 between Convert nodes; f32 inputs and outputs keep their names") {
    const Model<f32, wide> model = networks::plain(13);
    const Tensor<f32> samples = networks::samples(14, {20, 6, 6, 2});
    const Model<f32, i8, wide> mixed = quantize<f32, i8, wide>(model, samples, {.keep_f32 = {"second"}});
    CHECK(networks::layer<Conv2d<f32>>(mixed, "second").weight == networks::layer<Conv2d<f32>>(model, "second").weight);
    CHECK(networks::layer<Conv2d<i8>>(mixed, "first").weight.shape() == Shape{8, 3, 3, 2});
    CHECK(compare(model, mixed, samples).back().sqnr > 25.0);

    const Model<i8, wide> open = quantize<i8, wide>(model, samples, {.f32_inputs = true, .f32_outputs = true});
    CHECK(open.value(open.inputs()[0]).name == "image");
    CHECK(open.value(open.inputs()[0]).element == Element::f32);
    CHECK(open.value(open.outputs()[0]).name == "probabilities");
    CHECK(open.value(open.outputs()[0]).element == Element::f32);
    const Model<i8, wide> closed = quantize<i8, wide>(model, samples);
    CHECK(networks::difference(open, closed) == 0.0);
}

TEST_CASE("quantize: keep_f32 of random nodes of random networks, and of those that int8 refuses, gives models that follow") {
    std::size_t done = 0, finer_than_steps = 0;
    for (std::uint64_t seed = 100; seed < 260; ++seed) {
        const Model<f32, wide> model = with_batch(random_model::make<f32>(seed, 10), 1);
        Random random(seed);
        QuantizeOptions options{.keep_f32 = refused_nodes(model)};
        options.f32_inputs = random.below(2) == 0;
        options.f32_outputs = random.below(2) == 0;
        for (const Node& node : model.nodes()) {
            if (random.below(3) == 0) options.keep_f32.push_back(node.name);
        }
        const SampleList list = sample_list(model, seed, 12);
        const Model<f32, i8, wide> light = quantize<f32, i8, wide>(model, list, options);
        for (const ValueComparison& value : compare(model, light, list)) {
            CAPTURE(seed, value.name);
            // Most of a softmax over hundreds is below its step of 1/256.
            const bool fine = value.element == Element::i8 && value.name.starts_with("softmax") &&
                              value_named(model, value.name).shape.back() > 128;
            if (fine && ++finer_than_steps <= 2) continue;
            CHECK(value.sqnr > least_sqnr);
        }
        ++done;
    }
    CHECK(done > 20);
}

TEST_CASE("quantize: indices stay what they are, behind a Convert; means and maxima share their input's scale") {
    ModelBuilder<f32, wide> b;
    Random random(4);
    auto x = b.add(networks::conv(random, 2, 6), b.input("image", {1, 6, 6, 2}));
    const auto mean = b.add(Reduce{Reduction::mean, {1, 2}, false}, x, {.name = "mean"});
    const auto most = b.add(Reduce{Reduction::max, {1}}, x, {.name = "most"});
    b.output("class", b.add(Flatten{}, b.add(ArgMax{1}, mean)));
    b.output("most", most);
    b.output("scores", mean);
    const Model<f32, wide> model = b.build();
    const Tensor<f32> samples = networks::samples(5, {20, 6, 6, 2});
    for (const bool f32_outputs : {false, true}) {
        const Model<i8, wide> light = quantize<i8, wide>(model, samples, {.f32_outputs = f32_outputs});
        CHECK(light.value(light.outputs()[0]).element == Element::i64);
        CHECK(light.value(light.outputs()[1]).element == (f32_outputs ? Element::f32 : Element::i8));
        Engine engine(light);
        random_model::fill_inputs(engine, 1);
        engine.run();
        const Tensor<f32> scores = get_output(engine, 2);
        const auto largest = std::max_element(scores.values().begin(), scores.values().end()) - scores.values().begin();
        CHECK(engine.output<std::int64_t>("class")[0] == largest);
    }
    ModelBuilder<f32, wide> sums;
    sums.output("y", sums.add(Reduce{Reduction::l2, {1}}, sums.input("image", {1, 6, 6, 2}), {.name = "norm"}));
    CHECK_THROWS_WITH((quantize<i8, wide>(sums.build(), samples)),
                      Catch::Contains("'norm'") && Catch::Contains("no int8 form") && Catch::Contains("keep_f32"));
}

TEST_CASE("quantize: a percentile cuts an outlier and makes the steps finer") {
    const Model<f32, wide> model = networks::plain(15);
    Tensor<f32> samples = networks::samples(16, {200, 6, 6, 2});
    samples[5] = 100.0f;
    const Model<i8, wide> all = quantize<i8, wide>(model, samples);
    const Model<i8, wide> cut = quantize<i8, wide>(model, samples, {.observer = Observer::percentile, .percentile = 99.9});
    CHECK(value_named(cut, "image").quantization.params().scale < 0.1f * value_named(all, "image").quantization.params().scale);
}

TEST_CASE("quantize: NaN and infinite weights and samples, and empty sets are errors that name them") {
    const Model<f32, wide> model = networks::plain(17);
    Tensor<f32> samples = networks::samples(18, {4, 6, 6, 2});
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        Graph<standard_layers<f32, wide>> graph = model.graph();
        networks::set_slice(graph, 2, "weight", 0, 3, bad);
        CHECK_THROWS_WITH((quantize<i8, wide>(Model<f32, wide>(graph), samples)),
                          Catch::Contains("node 'second' (Conv2d)") && Catch::Contains("weight") && Catch::Contains("finite"));
        Tensor<f32> broken = samples;
        broken[100] = bad;
        CHECK_THROWS_WITH((quantize<i8, wide>(model, broken)), Catch::Contains("sample 1") && Catch::Contains("'image'"));
    }
    CHECK_THROWS_WITH((quantize<i8, wide>(model, Tensor<f32>({0, 6, 6, 2}))), Catch::Contains("empty"));
    CHECK_THROWS_WITH((quantize<i8, wide>(model, samples, {.observer = Observer::percentile, .percentile = 20})),
                      Catch::Contains("percentile 20"));
    CHECK_THROWS_WITH((quantize<i8, wide>(model, samples, {.keep_f32 = {"frist"}})),
                      Catch::Contains("'frist'") && Catch::Contains("'first'"));
    CHECK_THROWS_WITH((quantize<i8, wide>(model, samples, {.keep_f32 = {"first"}})),
                      Catch::Contains("node 'first' (Conv2d)") && Catch::Contains("quantize<f32, i8, wide>"));
}

TEST_CASE("quantize: a function of one value becomes a table, one of two values is an error that says what would do") {
    ModelBuilder<f32, wide> b;
    Random random(31);
    const auto x = b.add(networks::dense(random, 6, 8), b.input("x", {1, 6}));
    const auto y = b.add(Unary{UnaryFunction::gelu}, x, {.name = "gelu"});
    b.output("y", b.add(networks::dense(random, 8, 3), y));
    const Tensor<f32> samples = networks::samples(32, {40, 6});
    const Model<i8, wide> light = quantize<i8, wide>(b.build(), samples);
    CHECK(networks::layer<Unary>(light, "gelu").table.elements() == 256);
    CHECK(compare(b.build(), light, samples).back().sqnr > 25.0);
    b.output("sum", b.add(Binary{BinaryFunction::max}, {x, y}, {.name = "larger"}));
    CHECK_THROWS_WITH((quantize<i8, wide>(b.build(), samples)),
                      Catch::Contains("node 'larger' (Binary)") && Catch::Contains("keep_f32"));
    const Model<f32, i8, wide> kept = quantize<f32, i8, wide>(b.build(), samples, {.keep_f32 = {"larger"}});
    CHECK(compare(b.build(), kept, samples).back().sqnr > 25.0);
}

TEST_CASE("quantize: slices, gatherings and tiles share their input's scale, a constant is quantized by its own range") {
    const Model<f32, wide> model = networks::parted(4);
    const SampleList list = sample_list(model, 4, 16);
    const Model<i8, wide> light = quantize<i8, wide>(model, list);
    const Quantization& stem = value_named(light, "front").quantization;
    for (const char* name : {"back", "rows", "shuffle"}) CHECK(value_named(light, name).quantization == stem);
    const auto comparison = compare(model, light, list);
    CHECK(comparison.back().sqnr > 20.0);
    bool constant = false;
    for (const Node& node : light.nodes()) {
        const Constant* layer = get_if<Constant>(light, node);
        if (layer == nullptr) continue;
        constant = true;
        const QuantizationParams q = layer->bytes.quantization().params();
        const Constant& before = networks::layer<Constant>(model, node.name);
        for (std::size_t i = 0; i < layer->bytes.elements(); ++i) {
            float real;
            std::memcpy(&real, before.bytes.data() + 4 * i, sizeof real);
            const double got = dequantize_value(static_cast<std::int8_t>(layer->bytes[i]), q);
            CHECK(std::fabs(got - static_cast<double>(real)) <= 0.51 * static_cast<double>(q.scale));
        }
    }
    CHECK(constant);
}

TEST_CASE("quantize: weights of denormals and zeros, and enormous biases still give usable multipliers") {
    for (const float size : {0.0f, 1e-44f, 1e-38f, 1e-20f, 1e20f}) {
        ModelBuilder<f32, wide> b;
        Random random(19);
        Dense<f32> layer = networks::dense(random, 6, 4);
        for (float& w : layer.weight.values()) w *= size;
        layer.bias[0] = 1e9f;
        b.output("y", b.add(layer, b.input("x", {1, 6})));
        const Model<f32, wide> model = b.build();
        const Tensor<f32> samples = networks::samples(20, {10, 6});
        CAPTURE(size);
        CHECK(compare(model, quantize<i8, wide>(model, samples), samples).back().sqnr > 30.0);
    }
}

TEST_CASE("quantize: sums that could overflow int32 are an error that names the node") {
    ModelBuilder<f32, wide> b;
    b.output("y", b.add(Dense<f32>{Tensor<f32>({1, 70000}), {}}, b.input("x", {1, 70000}), {.name = "wide"}));
    CHECK_THROWS_WITH((quantize<i8, wide>(b.build(), Tensor<f32>({1, 70000}))),
                      Catch::Contains("node 'wide'") && Catch::Contains("int32"));
}

TEST_CASE("quantize: a BatchNorm that int8 has no form for is an error that says what would do") {
    ModelBuilder<f32, wide> b;
    Random random(21);
    b.output("y", b.add(networks::norm(random, 4), b.input("x", {1, 4}), {.name = "norm"}));
    const Tensor<f32> samples = networks::samples(22, {4, 4});
    CHECK_THROWS_WITH((quantize<i8, wide>(b.build(), samples)),
                      Catch::Contains("node 'norm' (BatchNorm)") && Catch::Contains("keep_f32"));
    const Model<f32, i8, wide> kept = quantize<f32, i8, wide>(b.build(), samples, {.keep_f32 = {"norm"}});
    CHECK(kept.nodes().size() == 3);
}

}  // namespace quantize_test
