// SPDX-License-Identifier: MIT
// Plans compute what their models mean, fused or not, and reuse memory without harm.

#include <support/catch.hpp>

#include <set>

#include "random_model.hpp"
#include "reference.hpp"

namespace plan_test {

using namespace mote;

/// Bytes of all outputs.
std::vector<std::vector<double>> outputs_of(const Engine& engine) {
    std::vector<std::vector<double>> result;
    for (std::size_t i = 0; i < engine.outputs(); ++i) {
        std::vector<double> numbers;
        if (engine.output_value(i).element == Element::f32) {
            for (const float x : engine.output<float>(i)) numbers.push_back(static_cast<double>(x));
        } else {
            for (const std::int8_t x : engine.output<std::int8_t>(i)) numbers.push_back(x);
        }
        result.push_back(std::move(numbers));
    }
    return result;
}

/// The largest difference, for f32 relative to the output's largest magnitude.
double difference(const std::vector<double>& a, const std::vector<double>& b, bool relative) {
    double largest = 1e-30;
    double gap = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        largest = std::max(largest, std::fabs(a[i]));
        gap = std::max(gap, std::fabs(a[i] - b[i]));
    }
    return relative ? gap / largest : gap;
}

using Kinds = std::set<std::string, std::less<>>;

/// Notes the kinds of the models' nodes in `seen`.
template <class P>
void check_random_models(std::uint64_t first_seed, std::size_t models, std::size_t nodes, Kinds& seen) {
    for (std::uint64_t seed = first_seed; seed < first_seed + models; ++seed) {
        const Model<P, wide> model = random_model::make<P>(seed, nodes);
        for (const Node& node : model.nodes()) seen.insert(kind_name<standard_layers<P, wide>>(node));
        INFO("seed " << seed << "\n" << to_string(model));
        Engine kept(plan(model, {.keep_values = true}));
        Engine fused(plan(model));
        Engine unfused(plan(model, {.fuse = false}));
        for (std::uint64_t run = 0; run < 2; ++run) {  // a second run finds other leftovers in the arena
            for (Engine* engine : {&kept, &fused, &unfused}) {
                random_model::fill_inputs(*engine, seed + run);
                engine->run();
            }
            REQUIRE(reference::first_wrong_node(model, kept) == "");
            const auto wanted = outputs_of(kept);
            for (const Engine* engine : {&fused, &unfused}) {
                const auto found = outputs_of(*engine);
                for (std::size_t i = 0; i < wanted.size(); ++i) {
                    const bool real = kept.output_value(i).element == Element::f32;
                    INFO(to_string(engine->plan()));
                    INFO("output " << i);
                    // Folded BatchNorm rounds otherwise, layer after layer; bytes are the same.
                    REQUIRE(difference(wanted[i], found[i], real) <=
                            (std::is_same_v<P, f32> ? 10 * reference::f32_tolerance : 0.0));
                }
            }
        }
        REQUIRE(fused.plan().steps().size() <= unfused.plan().steps().size());
        REQUIRE(fused.plan().arena_bytes() <= kept.plan().arena_bytes());
    }
}

/// Recurrent layers and those of plain numbers are checked by themselves (lower/recurrent.cpp, lower/numbers.cpp).
using OfNumbers = LayerList<Cast, Compare, Bitwise, Where, TopK, ConvInteger2d>;
template <class... Layer>
Kinds kinds_of(LayerList<Layer...>) {
    Kinds kinds;
    ((Layer::family != Family::recurrent && !contains<Layer, OfNumbers> ? void(kinds.insert(Layer::kind)) : void()), ...);
    return kinds;
}

/// The kinds of P's layers that are not among `seen`, one a line.
template <class P>
std::string missing(const Kinds& seen) {
    std::string names;
    for (const std::string& kind : kinds_of(standard_layers<P, wide>{})) {
        if (!seen.contains(kind)) names += kind + "\n";
    }
    return names;
}

/// No two storages of the arena that live at one time overlap, and all lie inside their region.
void check_memory(const Plan& plan) {
    const std::vector<Buffer>& buffers = plan.buffers();
    for (std::size_t i = 0; i < buffers.size(); ++i) {
        const Buffer& a = buffers[i];
        if (!a.used) continue;
        CHECK(a.offset % storage_alignment == 0);
        if (a.place == Place::arena) CHECK(a.offset + a.bytes <= plan.memory().arena_bytes);
        if (a.place == Place::state) CHECK(a.offset + a.bytes <= plan.memory().state_bytes);
        for (std::size_t j = 0; j < i; ++j) {
            const Buffer& b = buffers[j];
            const bool both = b.used && a.place == Place::arena && b.place == Place::arena;
            const bool overlap = a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
            const bool shared =
                a.offset == b.offset && a.lifetime.first == b.lifetime.first && a.lifetime.last == b.lifetime.last;
            if (both && overlap && a.lifetime.meets(b.lifetime) && !shared) {
                FAIL("'" << a.name << "' and '" << b.name << "' overlap\n" << to_string(plan));
            }
        }
    }
}

Conv2d<f32> conv(std::size_t out, std::size_t in, std::size_t kernel = 1) {
    Conv2d<f32> layer{.weight = Tensor<f32>({out, kernel, kernel, in}), .padding = uniform_padding(kernel / 2)};
    random_model::Dice dice{out * 100 + in};
    for (float& w : layer.weight.values()) w = dice.real(-1, 1);
    return layer;
}

/// A layer that nobody can lower.
struct Foreign {
    static constexpr const char* kind = "Foreign";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields();
};
void infer(const Foreign&, InferContext& node) {
    node.output(node.input(0).shape, node.input(0).element);
}

}  // namespace plan_test

using namespace plan_test;

TEST_CASE("plan: every node of random f32 models computes its layer's definition, and fusing changes nothing") {
    Kinds seen;
    check_random_models<f32>(100, 60, 12, seen);
    check_random_models<f32>(900, 8, 40, seen);
    CHECK(missing<f32>(seen) == "");
}

TEST_CASE("plan: every node of random i8 models computes its layer's definition, and fusing keeps every byte") {
    Kinds seen;
    check_random_models<i8>(5000, 60, 12, seen);
    check_random_models<i8>(9000, 8, 40, seen);
    CHECK(missing<i8>(seen) == "");
}

TEST_CASE("plan: buffers that live at one time never overlap, on random graphs") {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        const Model<f32, wide> model = random_model::make<f32>(seed, 15);
        check_memory(plan(model));
        check_memory(plan(model, {.keep_values = true}));
        check_memory(plan(model, {.fuse = false}));
    }
}

TEST_CASE("plan: scalar kernels and native kernels give the same bytes for i8 models") {
    for (std::uint64_t seed = 40; seed < 60; ++seed) {
        const Model<i8, wide> model = random_model::make<i8>(seed, 12);
        Engine native(plan(model, native_kernels()));
        Engine scalar(plan(model, scalar_kernels()));
        random_model::fill_inputs(native, seed);
        random_model::fill_inputs(scalar, seed);
        native.run();
        scalar.run();
        INFO("seed " << seed);
        REQUIRE(outputs_of(native) == outputs_of(scalar));
    }
}

TEST_CASE("plan: a unit compiles integer convolutions only for models that can meet one") {
    CHECK_FALSE(has_integer_convolutions<standard_layers<f32, wide>>);
    CHECK(has_integer_convolutions<standard_layers<i8, wide>>);
    CHECK(has_integer_convolutions<AnyModel::layers>);
    struct OwnLayer {};  // may call any kernel
    CHECK(has_integer_convolutions<append<standard_layers<f32, wide>, OwnLayer>>);

    const Model<f32, wide> real = random_model::make<f32>(1, 3);
    const Model<i8, wide> bytes = random_model::make<i8>(1, 3);
    CHECK(plan(real).kernels().conv2d_f32.run != nullptr);
#if defined(MOTE_VECTORS)
    CHECK(plan(real).kernels().conv2d_i8.run == nullptr);
    CHECK(plan(real).kernels().depthwise_i8.run == nullptr);
#endif
    CHECK(plan(bytes).kernels().conv2d_i8.run != nullptr);
    CHECK(plan(bytes).kernels().depthwise_i8.run != nullptr);
}

TEST_CASE("plan: an activation may overwrite its input only where nobody else needs it") {
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {1, 2, 2, 4});
    const auto y = b.add(Tanh{}, x, {.name = "input_survives"});
    const auto z = b.add(Sigmoid{}, y, {.name = "last_use"});
    const auto w = b.add(Tanh{}, z, {.name = "output_survives"});
    b.output("z", z);
    b.output("w", b.add(Add{}, {w, x}));
    const Plan p = plan(b.build());
    const auto place_of = [&](std::size_t step, std::size_t operand) {
        const Buffer& buffer = p.buffers()[p.steps()[step].operands[operand]];
        return std::pair(buffer.place, buffer.offset);
    };
    CHECK(place_of(0, 0) != place_of(0, 1));  // a model input
    CHECK(place_of(1, 0) == place_of(1, 1));  // y dies here; it lives in z's output buffer
    CHECK(place_of(1, 1).first == Place::output);
    CHECK(place_of(2, 0) != place_of(2, 1));  // z is an output
    CHECK(place_of(3, 0) == place_of(3, 2));  // w dies here
}

TEST_CASE("plan: a convolution whose residual is its own input writes elsewhere") {
    ModelBuilder<f32, wide> b;
    const auto x = b.add(Tanh{}, b.input("x", {1, 3, 3, 4}));
    b.output("y", b.add(Tanh{}, b.add(Add{}, {b.add(conv(4, 4, 3), x), x})));
    const Model<f32, wide> model = b.build();
    const Plan p = plan(model);
    REQUIRE(p.steps().size() == 3);
    const Step& step = p.steps()[1];
    REQUIRE(get_if<Conv2dStep<f32>>(step) != nullptr);
    CHECK(get_if<Conv2dStep<f32>>(step)->has_residual);
    CHECK(p.buffers()[step.operands[0]].offset == p.buffers()[step.operands[1]].offset);
    const Buffer& in = p.buffers()[step.operands[0]];
    const Buffer& out = p.buffers()[step.operands[2]];
    CHECK((in.place != out.place || in.offset != out.offset));
}

TEST_CASE("plan: measured kernels are told as choices, which make the same plan again; others are refused") {
    ModelBuilder<f32, wide> b;
    auto x = b.input("x", {1, 16, 16, 32});
    x = b.add(conv(32, 32, 3), x, {.name = "first"});
    x = b.add(conv(32, 32, 1), x);
    const auto y = b.add(conv(32, 32, 3), x);
    b.output("y", b.add(Add{}, {y, x}));
    const Model<f32, wide> model = b.build();
    const std::string by_model = plan(model).choices(), measured = plan(model, {.measure = true}).choices();
    CHECK(by_model.size() == 3);
    REQUIRE(measured.size() == 3);
    CHECK(plan(model, {.memory = Memory::lean, .measure = true}).choices() == "000");
    const bool several = plan(model).kernels().winograd_f32[0].name != nullptr;
    for (const std::string& choices : {by_model, measured, std::string(several ? "102" : "000")}) {
        const Plan p = plan(model, {.choices = choices});
        CHECK(p.choices() == choices);
        std::string algorithms;
        for (const Step& step : p.steps()) {
            if (const auto* conv = get_if<Conv2dStep<f32>>(step)) algorithms += static_cast<char>('0' + conv->algorithm);
        }
        CHECK(algorithms == choices);
    }
    const auto refused = [&](const std::string& choices, const char* text) {
        CHECK_THROWS_WITH(plan(model, {.choices = choices}), Catch::Contains(text));
    };
    refused("00", "the option choices has 2 digits; the model has 3 convolutions of several kernels");
    refused("0000", "4 digits");
    refused("300", "node 'first' (Conv2d): the choice '3' is no kernel for it here");
    refused("0x0", "the choice 'x'");
    refused("010", "the choice '1'");  // a 1x1 convolution
}

TEST_CASE("plan: a residual block is two steps: the shortcut's result is the residual and the output") {
    ModelBuilder<f32, wide> b;
    const auto x = b.add(Tanh{}, b.input("x", {1, 4, 4, 3}));
    const auto left = b.add(conv(8, 3), x, {.name = "shortcut"});
    const auto right = b.add(Relu{}, b.add(conv(8, 3, 3), x, {.name = "a"}));
    const auto deep = b.add(conv(8, 8, 3), right, {.name = "b"});
    const auto sum = b.add(Relu{}, b.add(Add{}, {left, deep}, {.name = "sum"}), {.name = "relu"});
    b.output("y", b.add(GlobalAveragePool{}, sum));
    const Plan p = plan(b.build());
    REQUIRE(p.steps().size() == 5);  // tanh, shortcut, a + relu, b + sum + relu, pool
    CHECK(p.steps()[3].nodes == std::vector<std::string>{"b", "sum", "relu"});
    const Step& last = p.steps()[3];
    CHECK(p.buffers()[last.operands[1]].offset == p.buffers()[last.operands[2]].offset);  // in place
}

TEST_CASE("plan: Reshape and Flatten cost no step, and copy where both sides are seen from outside") {
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {2, 3, 1, 4});
    const auto y = b.add(Tanh{}, x);
    b.output("flat", b.add(Flatten{}, y));
    b.output("both", b.add(Reshape{{2, 2, 6}}, x));
    const Model<f32, wide> model = b.build();
    Engine engine(model);
    CHECK(engine.plan().steps().size() == 2);  // tanh, and the copy of the input
    for (std::size_t i = 0; i < 24; ++i) engine.input<float>()[i] = static_cast<float>(i);
    engine.run();
    CHECK(engine.output<float>("both")[23] == 23.0f);
    CHECK(engine.output<float>("flat")[3] == Approx(std::tanh(3.0)));
}

TEST_CASE("plan: one error lists every node that cannot be computed") {
    BasicBuilder<append<standard_layers<i8, wide>, Foreign>> b;
    const auto x = b.input("x", {1, 2, 2, 1}, Element::i8);  // no quantization: its bytes mean nothing
    const auto y = b.add(Relu6{}, b.add(Relu{}, x, {.name = "first"}), {.name = "second"});
    b.output("y", b.add(Foreign{}, y, {.name = "third"}));
    try {
        plan(b.build());
        FAIL("no error");
    } catch (const Error& error) {
        const std::string text = error.what();
        CHECK(text.find("'first' (Relu)") != std::string::npos);
        CHECK(text.find("'second' (Relu6)") != std::string::npos);
        CHECK(text.find("quantization") != std::string::npos);
        CHECK(text.find("'third' (Foreign)") != std::string::npos);
    }
}

TEST_CASE("plan: a plan is shared by its copies and outlives its model") {
    auto make = [] {
        ModelBuilder<f32, wide> b;
        b.output("y", b.add(conv(5, 3), b.input("x", {1, 2, 2, 3})));
        return plan(b.build());
    };
    const Plan a = make();
    const Plan copy = a;
    CHECK(copy.same(a));
    Engine first(a);
    Engine second(copy);
    CHECK(first.plan().steps()[0].data == second.plan().steps()[0].data);
    first.run();
    CHECK(a.memory().constant_bytes > 0);
}

TEST_CASE("plan: a value that a kernel cannot index with 32 bits is refused, without allocating it") {
    ModelBuilder<f32, wide> b;
    b.output("y", b.add(Relu{}, b.input("huge", {1, 1 << 16, 1 << 15, 2}), {.name = "r"}));
    CHECK_THROWS_WITH(plan(b.build()), Catch::Contains("'huge'") && Catch::Contains("2^31"));
}
