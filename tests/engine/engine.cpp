// SPDX-License-Identifier: MIT
// Engines: binding by type and name, no allocation in run(), shared plans, states.

#include <mote/mote.hpp>
#include <support/catch.hpp>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>
#include <thread>

#include "random_model.hpp"

// Every way to allocate is counted while `armed`.
namespace engine_test {
std::atomic<bool> armed{false};
std::atomic<long> allocations{0};
void count() noexcept {
    if (armed.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
}
void* allocate(std::size_t size, std::size_t alignment) {
    count();
    void* memory = nullptr;
    if (alignment < sizeof(void*)) alignment = sizeof(void*);
    if (posix_memalign(&memory, alignment, size == 0 ? 1 : size) != 0) std::abort();
    return memory;
}
/// Not inlined: GCC 12 would take the call for a mistake.
__attribute__((noinline)) void release(void* memory) noexcept {
    std::free(memory);
}

}  // namespace engine_test

// Clang's thread sanitizer lets no program replace its operators.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MOTE_TEST_KEEPS_NEW 1
#endif
#endif
#if !defined(MOTE_TEST_KEEPS_NEW)
void* operator new(std::size_t size) {
    return engine_test::allocate(size, alignof(std::max_align_t));
}
void* operator new[](std::size_t size) {
    return engine_test::allocate(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return engine_test::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return engine_test::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return engine_test::allocate(size, alignof(std::max_align_t));
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return engine_test::allocate(size, alignof(std::max_align_t));
}
void operator delete(void* memory) noexcept {
    engine_test::release(memory);
}
void operator delete[](void* memory) noexcept {
    engine_test::release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    engine_test::release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    engine_test::release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    engine_test::release(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
    engine_test::release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    engine_test::release(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
    engine_test::release(memory);
}
#endif

// The C allocator too, where no sanitizer has taken its place.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MOTE_TEST_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MOTE_TEST_SANITIZED 1
#endif
#if defined(__GLIBC__) && !defined(MOTE_TEST_SANITIZED)
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void* malloc(std::size_t size) {
    engine_test::count();
    return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
    engine_test::count();
    return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
    engine_test::count();
    return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
    engine_test::count();
    return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
    engine_test::count();
    *memory = __libc_memalign(alignment, size);
    return *memory == nullptr ? ENOMEM : 0;
}
}
#define MOTE_TEST_COUNTS_MALLOC 1
#endif

namespace engine_test {

using namespace mote;

/// y = state = decay * state + x: a small recurrent layer, with its state in f32 or i8.
struct Leaky {
    float decay = 0.5f;
    static constexpr const char* kind = "Leaky";
    static constexpr Family family = Family::recurrent;
    static constexpr auto fields = list_fields(Field{"decay", &Leaky::decay});
};
void infer(const Leaky&, InferContext& node) {
    node.expect_inputs(1);
    node.output(node.input(0).shape, Element::f32);
    node.state("memory", node.input(0).shape, Element::f32);
}
struct LeakyStep {
    static constexpr const char* name = "leaky";
    std::size_t count = 0;
    float decay = 0;
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        const float* in = operand<const float>(operands, 0);
        float* out = operand<float>(operands, 1);
        float* memory = operand<float>(operands, 2);
        for (std::size_t i = 0; i < count; ++i) out[i] = memory[i] = decay * memory[i] + in[i];
    }
};
void lower(const Leaky& layer, LowerContext& node) {
    node.emit(LeakyStep{node.input().shape.elements(), layer.decay});
}

/// y = the input of the run before, int8: its state rests at the zero point.
struct Delay {
    static constexpr const char* kind = "Delay";
    static constexpr Family family = Family::recurrent;
    static constexpr auto fields = list_fields();
};
void infer(const Delay&, InferContext& node) {
    node.expect_inputs(1);
    const Value& in = node.input(0);
    node.output(in.shape, in.element, in.quantization);
    node.state("last", in.shape, in.element, in.quantization);
}
struct DelayStep {
    static constexpr const char* name = "delay";
    std::size_t count = 0;
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        for (std::size_t i = 0; i < count; ++i) {
            const std::byte next = operands[0][i];
            operands[1][i] = operands[2][i];
            operands[2][i] = next;
        }
    }
};
void lower(const Delay&, LowerContext& node) {
    node.emit(DelayStep{node.input().bytes()}, {.in_place = {0}});
}

using Layers = append<standard_layers<f32, wide>, Leaky, Delay>;

BasicModel<Layers> recurrent_model() {
    BasicBuilder<Layers> b;
    const auto x = b.input("x", {1, 2});
    const auto y = b.add(Leaky{0.5f}, x, {.name = "slow"});
    b.output("y", b.add(Leaky{0.0f}, b.add(Tanh{}, y), {.name = "now"}));
    b.output("sum", y);
    return b.build();
}

std::vector<std::byte> output_bytes(const Engine& engine) {
    std::vector<std::byte> all;
    for (std::size_t i = 0; i < engine.outputs(); ++i) {
        const bool real = engine.output_value(i).element == Element::f32;
        const auto bytes = real ? std::as_bytes(engine.output<float>(i)) : std::as_bytes(engine.output<std::int8_t>(i));
        all.insert(all.end(), bytes.begin(), bytes.end());
    }
    return all;
}

/// A value of this element through a Transpose and a Reshape, which keep every bit.
template <class P>
void check_moves(const std::vector<typename P::value_type>& numbers) {
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {1, 2, 3}, P::element);
    b.output("y", b.add(Reshape{{1, 6}}, b.add(Transpose{{0, 2, 1}}, x)));
    Engine engine(b.build());
    INFO(P::name);
    const auto in = engine.input<typename P::value_type>("x");
    REQUIRE(in.size() == 6);
    for (std::size_t i = 0; i < 6; ++i) in[i] = numbers[i];
    engine.run();
    const auto out = engine.output<typename P::value_type>("y");
    REQUIRE(out.size() == 6);
    for (std::size_t i = 0; i < 6; ++i) CHECK(std::memcmp(&out[i], &numbers[i % 2 * 3 + i / 2], sizeof out[i]) == 0);
}

}  // namespace engine_test

using namespace engine_test;

TEST_CASE("engine: run allocates nothing") {
#if defined(MOTE_TEST_KEEPS_NEW)
    WARN("skipped: this sanitizer's allocator cannot be counted; other builds count");
    return;
#endif
    // The counters count: a vector that grows is seen, by operator new and by malloc.
    armed = true;
    allocations = 0;
    { std::vector<int> grows(100); }
    CHECK(allocations > 0);
#ifdef MOTE_TEST_COUNTS_MALLOC
    allocations = 0;
    void* volatile memory = std::malloc(10);
    CHECK(allocations > 0);
    std::free(memory);
#endif
    armed = false;

    for (std::uint64_t seed = 1; seed < 20; ++seed) {
        Engine real(random_model::make<f32>(seed, 12));
        Engine bytes(random_model::make<i8>(seed, 12));
        Engine kept(random_model::make<i8>(seed, 12), {.plan = {.keep_values = true}});
        random_model::fill_inputs(real, seed);
        random_model::fill_inputs(bytes, seed);
        allocations = 0;
        armed = true;
        real.run();
        bytes.run();
        kept.run();
        real.reset();
        armed = false;
        REQUIRE(allocations == 0);
    }
    Engine recurrent(recurrent_model());
    allocations = 0;
    armed = true;
    recurrent.run();
    recurrent.run();
    recurrent.reset();
    recurrent.run();
    armed = false;
    CHECK(recurrent.plan().memory().state_bytes > 0);
    REQUIRE(allocations == 0);
    static_assert(noexcept(std::declval<Engine&>().run()));
    static_assert(noexcept(std::declval<Engine&>().reset()));
}

TEST_CASE("engine: a span of another type is refused, and the error says what is there and what is accepted") {
    ModelBuilder<i8, wide> b;
    const Quantization q = QuantizationParams{0.5f, 10};
    b.output("scores", b.add(Relu{}, b.input("image", {1, 4}, Element::i8, q)));
    Engine engine(b.build());
    CHECK(engine.input<std::int8_t>().size() == 4);
    CHECK(engine.input<std::int8_t>("image").data() == engine.input<std::int8_t>(0).data());
    CHECK_THROWS_WITH(engine.input<float>(0), Catch::Contains("'image'") && Catch::Contains("i8") && Catch::Contains("f32") &&
                                                  Catch::Contains("std::int8_t is accepted"));
    CHECK_THROWS_WITH(engine.output<std::uint8_t>("scores"), Catch::Contains("'scores'") && Catch::Contains("u8"));
}

TEST_CASE("engine: an unknown name lists the names there are, and an index beyond the last says so") {
    ModelBuilder<f32, wide> b;
    const auto x = b.input("left", {1, 4});
    const auto y = b.input("right", {1, 4});
    b.output("sum", b.add(Add{}, {x, y}));
    Engine engine(b.build());
    CHECK_THROWS_WITH(engine.input<float>("up"),
                      Catch::Contains("'up'") && Catch::Contains("'left'") && Catch::Contains("'right'"));
    CHECK_THROWS_WITH(engine.input<float>(2), Catch::Contains("input 2") && Catch::Contains("'right'"));
    CHECK_THROWS_WITH(engine.output<float>("left"), Catch::Contains("'sum'"));
    CHECK_THROWS_WITH(engine.output<float>(1), Catch::Contains("output 1"));
}

TEST_CASE("engine: inputs survive a run and are the engine's own") {
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {1, 3});
    b.output("y", b.add(Relu{}, b.add(Tanh{}, x)));
    Engine engine(b.build());
    const auto in = engine.input<float>();
    for (const float value : {-1.0f, 2.0f}) {
        for (float& element : in) element = value;
        engine.run();
        engine.run();
        for (const float element : in) CHECK(element == value);
        CHECK(engine.output<float>()[2] == Approx(value < 0 ? 0.0 : std::tanh(2.0)));
    }
}

TEST_CASE("engine: engines that share a plan share its weights and nothing else") {
    const Plan p = plan(recurrent_model());
    Engine left(p);
    Engine right(p);
    CHECK(left.plan().same(right.plan()));
    CHECK(left.input<float>().data() != right.input<float>().data());
    left.input<float>()[0] = 1;
    right.input<float>()[0] = 10;
    left.run();
    right.run();
    left.run();
    CHECK(left.output<float>("sum")[0] == 1.5f);
    CHECK(right.output<float>("sum")[0] == 10.0f);
}

TEST_CASE("engine: engines that share a plan run at once in two threads, and give the bytes that they give alone") {
    std::size_t different = 0;  // plans whose answers depend on the inputs
    auto check = [&different](const Plan& p, std::uint64_t seed) {
        using Answers = std::vector<std::vector<std::byte>>;
        constexpr std::uint64_t runs = 20;
        auto answer = [seed](Engine& engine, std::uint64_t thread, Answers& answers) {
            for (std::uint64_t run = 0; run < runs; ++run) {
                random_model::fill_inputs(engine, seed + 1000 * thread + run);
                engine.run();
                answers.push_back(output_bytes(engine));
            }
        };
        Answers alone[2], together[2];
        Engine engines[2] = {Engine(p), Engine(p)};
        for (std::uint64_t t = 0; t < 2; ++t) {
            Engine engine(p);
            answer(engine, t, alone[t]);
        }
        std::atomic<int> ready{0};
        auto work = [&](std::uint64_t t) {
            ready.fetch_add(1);
            while (ready.load() < 2) std::this_thread::yield();
            answer(engines[t], t, together[t]);
        };
        std::thread other(work, 1);
        work(0);
        other.join();
        INFO("seed " << seed);
        CHECK((together[0] == alone[0]));
        CHECK((together[1] == alone[1]));
        different += alone[0] != alone[1] ? 1u : 0u;
    };
    for (std::uint64_t seed = 1; seed < 6; ++seed) {
        check(plan(random_model::make<f32>(seed, 14)), seed);
        check(plan(random_model::make<i8>(seed, 14)), seed);
    }
    check(plan(recurrent_model()), 9);
    CHECK(different > 7);
}

TEST_CASE("engine: inputs of every element are bound by their type, and movement keeps their bits") {
    check_moves<f64>({0.1, -1.0, 1e300, 3.0, -0.0, 5.5});
    check_moves<f16>({half{0x2e66}, half{0x8001}, half{0x7bff}, half{0x7e01}, half{0x8000}, half{1}});
    check_moves<bf16>({bfloat{0x3dcd}, bfloat{0x8001}, bfloat{0x7f7f}, bfloat{0x7fc1}, bfloat{0x8000}, bfloat{1}});
    check_moves<i64>({std::int64_t{1} << 62, -1, 2, 3, 4, 5});
    check_moves<i32>({1 << 30, -1, 2, 3, 4, 5});
    check_moves<i16>({32767, -32768, -1, 3, 4, 5});
    check_moves<u8>({255, 128, 2, 3, 4, 5});
}

TEST_CASE("engine: packed elements are no bytes, and a Reshape that would move them is refused") {
    ModelBuilder<f32, wide> b;
    b.output(b.input("packed", {1, 5}, Element::i4));
    b.output(b.add(Relu{}, b.input("other", {1, 1})));
    Engine engine(b.build());
    CHECK_THROWS_WITH(engine.input<std::uint8_t>("packed"),
                      Catch::Contains("'packed'") && Catch::Contains("u8") && Catch::Contains("mote::i4 is accepted"));
    const std::span<std::uint8_t> packed = engine.input<i4>("packed");  // two elements a byte
    CHECK(packed.size() == 3);
    CHECK(engine.output<i4>("packed").data() == packed.data());

    ModelBuilder<f32, wide> refused;
    refused.output("y", refused.add(Reshape{{1, 2, 2}}, refused.input("x", {1, 4}, Element::i4), {.name = "shape"}));
    CHECK_THROWS_WITH(plan(refused.build()), Catch::Contains("'shape'") && Catch::Contains("i4") &&
                                                 Catch::Contains("packed elements are not moved; convert them first"));
}

TEST_CASE("engine: states outlive runs, are copied with the engine, and reset to zero") {
    Engine engine(recurrent_model());
    engine.input<float>()[1] = 4;
    engine.run();
    engine.run();
    CHECK(engine.output<float>("sum")[1] == 6.0f);
    Engine copy = engine;
    copy.run();
    CHECK(copy.output<float>("sum")[1] == 7.0f);
    CHECK(engine.output<float>("sum")[1] == 6.0f);
    engine.reset();
    engine.run();
    CHECK(engine.output<float>("sum")[1] == 4.0f);
    engine = copy;
    CHECK(engine.output<float>("sum")[1] == 7.0f);
    engine.run();
    CHECK(engine.output<float>("sum")[1] == 7.5f);
    CHECK(engine.plan().states().size() == 2);
    CHECK(engine.plan().states()[0].name == "slow.memory");
    CHECK(engine.plan().memory().state_bytes > 0);
}

TEST_CASE("engine: an int8 state is reset to its zero point") {
    BasicBuilder<Layers> b;
    const Quantization q = QuantizationParams{0.5f, -7};
    b.output("y", b.add(Delay{}, b.input("x", {1, 3}, Element::i8, q)));
    Engine engine(b.build());
    for (std::int8_t& x : engine.input<std::int8_t>()) x = 100;
    engine.run();
    CHECK(engine.output<std::int8_t>()[2] == -7);
    engine.run();
    CHECK(engine.output<std::int8_t>()[2] == 100);
    engine.reset();
    engine.run();
    CHECK(engine.output<std::int8_t>()[0] == -7);
}

TEST_CASE("engine: values are read by name where the plan keeps them, and the error says how") {
    ModelBuilder<f32, wide> b;
    b.output("y", b.add(Relu{}, b.add(Tanh{}, b.input("x", {1, 2}), {.name = "bent"})));
    const Model<f32, wide> model = b.build();
    Engine kept(model, {.plan = {.keep_values = true}});
    kept.input<float>()[0] = -1;
    kept.run();
    CHECK(kept.value<float>("bent")[0] == Approx(std::tanh(-1.0)));
    CHECK(kept.value<float>("y")[0] == 0.0f);
    CHECK(kept.value<float>("x")[0] == -1.0f);
    CHECK_THROWS_WITH(kept.value<float>("nothing"), Catch::Contains("'nothing'") && Catch::Contains("'bent'"));
    CHECK_THROWS_WITH(kept.value<std::int8_t>("bent"), Catch::Contains("float is accepted"));
    Engine reusing(model);
    CHECK_THROWS_WITH(reusing.value<float>("bent"), Catch::Contains("keep_values"));
}

TEST_CASE("engine: an input may be an output") {
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {1, 2});
    const auto y = b.add(Relu{}, x);
    b.output(y);
    b.output(x);
    Engine engine(b.build());
    engine.input<float>()[0] = 3;
    engine.run();
    CHECK(engine.outputs() == 2);
    CHECK(engine.output<float>(0)[0] == 3.0f);
    CHECK(engine.output<float>(1)[0] == 3.0f);
}

TEST_CASE("engine: run_steps computes what run does, and tells of each step of the plan in turn") {
    using namespace mote;
    ModelBuilder<f32, wide> b;
    const auto x = b.input("x", {1, 4});
    b.output("y", b.add(Tanh{}, b.add(Sigmoid{}, x)));
    Engine engine(b.build()), other(engine.plan());
    for (Engine* each : {&engine, &other}) {
        for (std::size_t i = 0; i < 4; ++i) each->input<float>()[i] = static_cast<float>(i) - 1.5f;
    }
    engine.run();
    std::vector<std::size_t> steps;
    other.run_steps([&](std::size_t step) { steps.push_back(step); });
    CHECK(steps == std::vector<std::size_t>{0, 1});
    for (std::size_t i = 0; i < 4; ++i) CHECK(engine.output<float>()[i] == other.output<float>()[i]);
}

TEST_CASE("engine: a moved engine goes on") {
    Engine engine(recurrent_model());
    engine.input<float>()[0] = 1;
    engine.run();
    Engine moved = std::move(engine);
    moved.run();
    CHECK(moved.output<float>("sum")[0] == 1.5f);
}
