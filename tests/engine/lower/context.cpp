// SPDX-License-Identifier: MIT
// What a layer's lower can do: several steps, temporaries, scratch, states, refusals.

#include <mote/mote.hpp>
#include <support/catch.hpp>

namespace context_test {

using namespace mote;

/// out[i] = in[i] + amount, and scratch is scribbled on.
struct ShiftStep {
    static constexpr const char* name = "shift";
    std::size_t count = 0;
    float amount = 0;
    bool scribbles = false;
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        const float* in = operand<const float>(operands, 0);
        float* out = operand<float>(operands, 1);
        for (std::size_t i = 0; i < count; ++i) out[i] = in[i] + amount;
        if (scribbles) std::memset(operands[2], 0x55, 256);
    }
};

/// x + 1 + 2 + 4 by three steps through temporaries.
struct Stairs {
    bool refuse = false;
    static constexpr const char* kind = "Stairs";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields(Field{"refuse", &Stairs::refuse});
};
void infer(const Stairs&, InferContext& node) {
    node.output(node.input(0).shape, node.input(0).element);
}
void lower(const Stairs& layer, LowerContext& node) {
    if (layer.refuse) return node.unsupported("it does not feel like it");
    const std::size_t count = node.input().shape.elements();
    const BufferId first = node.temporary(node.input().bytes());
    const BufferId second = node.temporary(node.input().bytes());
    node.emit(ShiftStep{count, 1, true}, {.outputs = {first}, .scratch_bytes = 256});
    node.emit(ShiftStep{count, 2}, {.inputs = {first}, .outputs = {second}});
    node.emit(ShiftStep{count, 4}, {.kernel = "shift by four", .reason = "the last", .inputs = {second}, .in_place = {0}});
}

using StairLayers = append<standard_layers<f32>, Stairs>;

}  // namespace context_test

using namespace context_test;

TEST_CASE("context: a layer of three steps runs through temporaries that reuse memory") {
    BasicBuilder<StairLayers> b;
    auto x = b.input("x", {1, 100});
    x = b.add(Stairs{}, x);
    x = b.add(Stairs{}, x, {.name = "two"});
    b.output("y", b.add(Tanh{}, x));
    const Plan p = plan(b.build());
    REQUIRE(p.steps().size() == 7);
    CHECK(p.steps()[5].kernel == "shift by four");
    CHECK(p.steps()[5].reason == "the last");
    CHECK(p.steps()[3].nodes == std::vector<std::string>{"two"});
    CHECK(p.steps()[3].has_scratch);
    CHECK(p.arena_bytes() <= 3 * align_up(400));  // at most input, output and scratch at one time
    CHECK(p.buffers()[p.steps()[5].operands[0]].offset == p.buffers()[p.steps()[5].operands[1]].offset);
    Engine engine(p);
    engine.input<float>()[99] = -14.5f;
    engine.run();
    CHECK(engine.output<float>()[99] == Approx(std::tanh(-0.5)));
    CHECK(engine.output<float>()[98] == Approx(std::tanh(14.0)));
}

TEST_CASE("context: a refusal names the node, its kind and the reason") {
    BasicBuilder<StairLayers> b;
    b.output("y", b.add(Stairs{true}, b.input("x", {1, 2}), {.name = "lazy"}));
    CHECK_THROWS_WITH(plan(b.build()), Catch::Contains("node 'lazy' (Stairs): it does not feel like it"));
}

TEST_CASE("context: a clamp in bytes holds the real bounds, rounded to steps, and stays inside int8") {
    const QuantizationParams q{0.5f, -100};
    CHECK(detail::byte_range({.lo = 0.0f}, q).lo == -100);
    CHECK(detail::byte_range({.lo = 0.0f}, q).hi == 127);
    CHECK(detail::byte_range({.lo = 0.0f, .hi = 6.0f}, q).hi == -88);
    CHECK(detail::byte_range({}, q).lo == -128);
    CHECK(detail::byte_range({.lo = 0.0f, .hi = 6.0f}, {1e-30f, 3}).hi == 127);
    CHECK(detail::byte_range({.lo = 0.0f, .hi = 6.0f}, {1e30f, 3}).hi == 3);
}
