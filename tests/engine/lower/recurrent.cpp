// SPDX-License-Identifier: MIT
// Recurrent steps against their equations in double: directions, lengths, initial states, states that outlive a run.

#include <mote/core/random.hpp>
#include <mote/layers/table.hpp>
#include <mote/mote.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>

#include <cmath>

namespace lower_recurrent_test {

using namespace mote;
using Numbers = std::vector<double>;

double function(RecurrentFunction f, double x) {
    switch (f) {
        case RecurrentFunction::sigmoid:
            return 1.0 / (1.0 + std::exp(-x));
        case RecurrentFunction::tanh:
            return std::tanh(x);
        case RecurrentFunction::relu:
            return std::fmax(x, 0.0);
        case RecurrentFunction::hard_sigmoid:
            return std::fmax(0.0, std::fmin(1.0, 0.2 * x + 0.5));
        case RecurrentFunction::softsign:
            return x / (1.0 + std::fabs(x));
        case RecurrentFunction::softplus:
            return std::log1p(std::exp(x));
        case RecurrentFunction::identity:
            break;
    }
    return x;
}
double clipped(double x, float limit) {
    return limit > 0.0f ? std::fmax(-static_cast<double>(limit), std::fmin(x, static_cast<double>(limit))) : x;
}
double at(const Tensor<f32>& t, std::size_t i) {
    return t.empty() ? 0.0 : static_cast<double>(t[i]);
}
/// Row `row` of w times x.
double product(const Tensor<f32>& w, std::size_t row, const Numbers& x) {
    double sum = 0;
    for (std::size_t k = 0; k < x.size(); ++k) sum += at(w, row * x.size() + k) * x[k];
    return sum;
}

struct State {
    Numbers h, c;
};

State next(const Lstm<f32>& l, const Numbers& x, const State& s) {
    const std::size_t n = s.h.size();
    State result = s;
    for (std::size_t j = 0; j < n; ++j) {
        const auto side = [&](std::size_t gate) {
            const std::size_t row = gate * n + j;
            return product(l.weight, row, x) + product(l.recurrent, row, s.h) + at(l.bias, row);
        };
        const double i = function(l.gate, clipped(side(0) + at(l.peephole, j) * s.c[j], l.clip));
        const double f = l.coupled ? 1 - i : function(l.gate, clipped(side(1) + at(l.peephole, n + j) * s.c[j], l.clip));
        const double g = function(l.candidate, clipped(side(2), l.clip));
        const double c = clipped(f * s.c[j] + i * g, l.cell_clip);
        const double o = function(l.gate, clipped(side(3) + at(l.peephole, 2 * n + j) * c, l.clip));
        result.c[j] = c;
        result.h[j] = o * function(l.output, c);
    }
    return result;
}
State next(const Gru<f32>& l, const Numbers& x, const State& s) {
    const std::size_t n = s.h.size();
    State result = s;
    Numbers z, r, reset;
    for (std::size_t j = 0; j < 2 * n; ++j) {
        const double gate = product(l.weight, j, x) + product(l.recurrent, j, s.h) + at(l.bias, j);
        (j < n ? z : r).push_back(function(l.gate, clipped(gate, l.clip)));
    }
    for (std::size_t j = 0; j < n; ++j) reset.push_back(r[j] * s.h[j]);
    for (std::size_t j = 0; j < n; ++j) {
        const std::size_t row = 2 * n + j;
        const double d = at(l.recurrent_bias, j);
        const double states =
            l.reset_after ? r[j] * (product(l.recurrent, row, s.h) + d) : product(l.recurrent, row, reset) + d;
        const double candidate = product(l.weight, row, x) + at(l.bias, row) + states;
        result.h[j] = (1 - z[j]) * function(l.candidate, clipped(candidate, l.clip)) + z[j] * s.h[j];
    }
    return result;
}
State next(const Rnn<f32>& l, const Numbers& x, const State& s) {
    State result = s;
    for (std::size_t j = 0; j < s.h.size(); ++j) {
        const double sum = product(l.weight, j, x) + product(l.recurrent, j, s.h) + at(l.bias, j);
        result.h[j] = function(l.candidate, clipped(sum, l.clip));
    }
    return result;
}

Tensor<f32> random_tensor(const Shape& shape, Random& random) {
    Tensor<f32> t(shape);
    for (float& x : t.values()) x = 0.6f * random.normal();
    return t;
}

struct Case {
    std::size_t batch, time, in, hidden;
    bool inputs = false;  // the initial states are inputs
};

template <class L>
constexpr std::size_t gates = std::is_same_v<L, Lstm<f32>>  ? 4
                              : std::is_same_v<L, Gru<f32>> ? 3
                                                            : 1;
template <class L>
constexpr std::size_t states = std::is_same_v<L, Lstm<f32>> ? 2 : 1;

/// A layer whose every attribute may be another; what both have by chance.
template <class L>
L random_layer(const Case& c, Random& random) {
    const std::size_t rows = gates<L> * c.hidden;
    L l{.weight = random_tensor({rows, c.in}, random), .recurrent = random_tensor({rows, c.hidden}, random)};
    const auto chance = [&] { return random.below(2) == 0; };
    const auto any = [&] { return static_cast<RecurrentFunction>(random.below(7)); };
    if (chance()) l.bias = random_tensor(Shape{rows}, random);
    if (!c.inputs && chance()) l.initial_hidden = random_tensor({chance() ? 1 : c.batch, c.hidden}, random);
    if (chance()) l.candidate = any();
    if (chance()) l.clip = 0.7f;
    l.reverse = chance();
    l.time_major = chance();
    if (chance()) {
        for (std::size_t b = 0; b < c.batch; ++b) l.lengths.push_back(random.below(c.time + 1));
    }
    if constexpr (gates < L >> 1) {
        if (chance()) l.gate = any();
    }
    if constexpr (gates<L> == 3) {
        if (chance()) l.recurrent_bias = random_tensor(Shape{c.hidden}, random);
        l.reset_after = chance();
    }
    if constexpr (gates<L> == 4) {
        if (chance()) l.output = any();
        if (chance()) l.peephole = random_tensor({3, c.hidden}, random);
        if (!c.inputs && chance()) l.initial_cell = random_tensor({c.batch, c.hidden}, random);
        if (chance()) l.cell_clip = 0.5f;
        l.coupled = chance();
    }
    return l;
}

void check_close(std::span<const float> got, const Numbers& wanted) {
    REQUIRE(got.size() == wanted.size());
    double largest = 0;
    for (const double x : wanted) largest = std::fmax(largest, std::fabs(x));
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        CAPTURE(i, got[i], wanted[i]);
        REQUIRE(std::fabs(static_cast<double>(got[i]) - wanted[i]) <= 1e-4 * largest + 1e-6);
    }
}

template <class L>
void check_case(const Case& c, std::uint64_t seed) {
    Random random(seed, 12);
    const L l = random_layer<L>(c, random);
    const Shape shape = l.time_major ? Shape{c.time, c.batch, c.in} : Shape{c.batch, c.time, c.in};
    ModelBuilder<f32, wide> b;
    std::vector<ModelBuilder<f32, wide>::Handle> inputs{b.input("x", shape)};
    for (std::size_t i = 0; c.inputs && i < states<L>; ++i) inputs.push_back(b.input(concat("s", i), {c.batch, c.hidden}));
    const auto outputs = b.add_outputs(l, 1 + states<L>, std::span<const ModelBuilder<f32, wide>::Handle>(inputs));
    for (std::size_t i = 0; i < outputs.size(); ++i) b.output(concat("y", i), outputs[i]);
    const Model<f32, wide> model = b.build();
    std::vector<Tensor<f32>> given;
    for (const ValueId id : model.inputs()) given.push_back(random_tensor(model.value(id).shape, random));

    Numbers sequence(c.batch * c.time * c.hidden), last[2];
    for (std::size_t s = 0; s < c.batch; ++s) {
        State state{Numbers(c.hidden), Numbers(c.hidden)};
        for (std::size_t j = 0; j < c.hidden; ++j) {
            const std::size_t all = l.initial_hidden.elements();
            state.h[j] = c.inputs   ? at(given[1], s * c.hidden + j)
                         : all == 0 ? 0.0
                                    : at(l.initial_hidden, (s * c.hidden + j) % all);
            if constexpr (states<L> == 2)
                state.c[j] = c.inputs ? at(given[2], s * c.hidden + j) : at(l.initial_cell, s * c.hidden + j);
        }
        const std::size_t length = l.lengths.empty() ? c.time : l.lengths[s];
        for (std::size_t step = 0; step < length; ++step) {
            const std::size_t t = l.reverse ? length - 1 - step : step;
            const std::size_t row = l.time_major ? t * c.batch + s : s * c.time + t;
            Numbers x;
            for (std::size_t k = 0; k < c.in; ++k) x.push_back(at(given[0], row * c.in + k));
            state = next(l, x, state);
            for (std::size_t j = 0; j < c.hidden; ++j) sequence[row * c.hidden + j] = state.h[j];
        }
        last[0].insert(last[0].end(), state.h.begin(), state.h.end());
        last[1].insert(last[1].end(), state.c.begin(), state.c.end());
    }
    for (const KernelTable* kernels : {&native_kernels(), &scalar_kernels()}) {
        Engine engine(model, {.kernels = kernels});
        const std::vector<Tensor<f32>> y = evaluate(engine, given);
        CAPTURE(L::kind, seed, kernels->instruction_set);
        check_close(y[0].values(), sequence);
        for (std::size_t i = 0; i < states<L>; ++i) check_close(y[1 + i].values(), last[i]);
    }
}

template <class L>
void check_cases() {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        Random random(seed, 3);
        Case c{1 + random.below(4), 1 + random.below(6), 1 + random.below(9), 1 + random.below(20)};
        c.inputs = seed % 3 == 0;
        check_case<L>(c, seed);
    }
}

/// A sequence at once, and in two runs of a layer that remembers, are the same; after reset() it begins anew.
template <class P, class L>
void check_stateful(L l, const Shape& whole, const Quantization& q) {
    const auto model = [&](const Shape& shape) {
        ModelBuilder<P, wide> b;
        b.output("y", b.add(l, b.input("x", shape, P::element, q), {.quantization = q}));
        return b.build();
    };
    using V = typename P::value_type;
    const std::size_t half = whole[1] / 2, in = whole[2];
    Engine all(model(whole));
    l.stateful = true;
    Engine parts(model({1, half, in}));
    CHECK(parts.plan().states().size() >= 1);
    Random random(5);
    for (V& x : all.input<V>()) x = static_cast<V>(std::is_same_v<P, f32> ? random.normal() : 60 * random.normal());
    all.run();
    for (int round = 0; round < 2; ++round) {
        for (std::size_t part = 0; part < 2; ++part) {
            const auto x = all.template input<V>().subspan(part * half * in, half * in);
            std::copy(x.begin(), x.end(), parts.template input<V>().begin());
            parts.run();
            const auto y = parts.template output<V>();
            const auto wanted = all.template output<V>().subspan(part * y.size(), y.size());
            for (std::size_t i = 0; i < y.size(); ++i) CHECK(static_cast<float>(y[i]) == Approx(static_cast<float>(wanted[i])));
        }
        parts.reset();
    }
}

Lstm<i8> integer_lstm(std::size_t in, std::size_t hidden, Random& random) {
    Lstm<i8> l{.weight = Tensor<i8>({4 * hidden, in}), .recurrent = Tensor<i8>({4 * hidden, hidden}), .table = lstm_table()};
    for (std::int8_t& w : l.weight.values()) w = static_cast<std::int8_t>(static_cast<int>(random.below(255)) - 127);
    for (std::int8_t& w : l.recurrent.values()) w = static_cast<std::int8_t>(static_cast<int>(random.below(255)) - 127);
    l.weight.set_quantization(QuantizationParams{0.008f, 0});
    l.recurrent.set_quantization(QuantizationParams{0.009f, 0});
    l.bias = Tensor<i32>(Shape{4 * hidden});
    for (std::int32_t& x : l.bias.values()) x = static_cast<std::int32_t>(random.below(2000)) - 1000;
    return l;
}

}  // namespace lower_recurrent_test

TEST_CASE("recurrent: Lstm, Gru and Rnn compute their equations, whatever their attributes") {
    using namespace lower_recurrent_test;
    check_cases<Lstm<f32>>();
    check_cases<Gru<f32>>();
    check_cases<Rnn<f32>>();
}

TEST_CASE("recurrent: a state outlives a run until it is reset") {
    using namespace lower_recurrent_test;
    Random random(8);
    check_stateful<f32>(Rnn<f32>{.weight = random_tensor({4, 3}, random), .recurrent = random_tensor({4, 4}, random)},
                        {1, 6, 3}, {});
    check_stateful<f32>(Lstm<f32>{.weight = random_tensor({16, 3}, random), .recurrent = random_tensor({16, 4}, random)},
                        {1, 6, 3}, {});
    check_stateful<f32>(Gru<f32>{.weight = random_tensor({12, 3}, random), .recurrent = random_tensor({12, 4}, random)},
                        {1, 6, 3}, {});
    check_stateful<i8>(integer_lstm(3, 4, random), {1, 6, 3}, QuantizationParams{0.01f, 5});
}

TEST_CASE("recurrent: an integer LSTM is near the real one of its weights; time may be the first axis") {
    using namespace lower_recurrent_test;
    Random random(4);
    const std::size_t batch = 2, time = 12, in = 7, hidden = 5;
    const QuantizationParams in_q{0.02f, 4}, out_q{1.0f / 128.0f, -3};
    for (const bool time_major : {false, true}) {
        Lstm<i8> bytes = integer_lstm(in, hidden, random);
        bytes.time_major = time_major;
        Lstm<f32> real{.weight = Tensor<f32>({4 * hidden, in}), .recurrent = Tensor<f32>({4 * hidden, hidden})};
        real.bias = Tensor<f32>(Shape{4 * hidden});
        real.time_major = time_major;
        for (std::size_t i = 0; i < real.weight.elements(); ++i)
            real.weight[i] = 0.008f * static_cast<float>(std::as_const(bytes.weight)[i]);
        for (std::size_t i = 0; i < real.recurrent.elements(); ++i)
            real.recurrent[i] = 0.009f * static_cast<float>(std::as_const(bytes.recurrent)[i]);
        for (std::size_t i = 0; i < 4 * hidden; ++i)
            real.bias[i] = 0.02f * 0.008f * static_cast<float>(std::as_const(bytes.bias)[i]);
        const Shape shape = time_major ? Shape{time, batch, in} : Shape{batch, time, in};
        ModelBuilder<f32, i8, wide> b;
        const auto x = b.input("x", shape, Element::i8, in_q);
        b.output("bytes", b.add(bytes, x, {.quantization = out_q}));
        b.output("real", b.add(real, b.add(Convert{Element::f32}, x)));
        Engine engine(b.build());
        for (std::int8_t& q : engine.input<std::int8_t>())
            q = static_cast<std::int8_t>(static_cast<int>(random.below(256)) - 128);
        engine.run();
        for (std::size_t i = 0; i < batch * time * hidden; ++i) {
            const double got = static_cast<double>(out_q.scale) * (engine.output<std::int8_t>("bytes")[i] - out_q.zero_point);
            REQUIRE(got == Approx(static_cast<double>(engine.output<float>("real")[i])).margin(0.03));
        }
    }
}

TEST_CASE("recurrent: svdf remembers from run to run, each sample by itself; of bytes it is near the real one") {
    using namespace lower_recurrent_test;
    Random random(6);
    const std::size_t batch = 2, in = 5, filters = 6, memory = 4;
    Svdf<i8> bytes{
        .feature = Tensor<i8>({filters, in}), .time = Tensor<i16>({filters, memory}), .bias = Tensor<i32>(Shape{3}), .rank = 2};
    Svdf<f32> real{.feature = Tensor<f32>({filters, in}),
                   .time = Tensor<f32>({filters, memory}),
                   .bias = Tensor<f32>(Shape{3}),
                   .rank = 2};
    bytes.state_scale = 0.002f;
    const float feature_scale = 0.01f, time_scale = 0.0005f;
    bytes.feature.set_quantization(QuantizationParams{feature_scale, 0});
    bytes.time.set_quantization(QuantizationParams{time_scale, 0});
    for (std::size_t i = 0; i < filters * in; ++i) {
        bytes.feature[i] = static_cast<std::int8_t>(static_cast<int>(random.below(255)) - 127);
        real.feature[i] = feature_scale * static_cast<float>(std::as_const(bytes.feature)[i]);
    }
    for (std::size_t i = 0; i < filters * memory; ++i) {
        bytes.time[i] = static_cast<std::int16_t>(static_cast<int>(random.below(2001)) - 1000);
        real.time[i] = time_scale * static_cast<float>(std::as_const(bytes.time)[i]);
    }
    for (std::size_t i = 0; i < 3; ++i) {
        bytes.bias[i] = static_cast<std::int32_t>(random.below(400000));
        real.bias[i] = bytes.state_scale * time_scale * static_cast<float>(std::as_const(bytes.bias)[i]);
    }
    const QuantizationParams in_q{0.01f, 4}, out_q{0.05f, -3};
    ModelBuilder<f32, i8, wide> b;
    const auto x = b.input("x", {batch, in}, Element::i8, in_q);
    b.output("bytes", b.add(bytes, x, {.quantization = out_q}));
    b.output("real", b.add(real, b.add(Convert{Element::f32}, x)));
    Engine engine(b.build());
    std::vector<std::vector<double>> seen[2];  // by sample: what each filter gave at each step
    for (std::size_t step = 0; step < 7; ++step) {
        for (std::int8_t& q : engine.input<std::int8_t>())
            q = static_cast<std::int8_t>(static_cast<int>(random.below(256)) - 128);
        engine.run();
        for (std::size_t s = 0; s < batch; ++s) {
            std::vector<double> now;
            for (std::size_t f = 0; f < filters; ++f) {
                double sum = 0;
                for (std::size_t k = 0; k < in; ++k)
                    sum += at(real.feature, f * in + k) * 0.01 * (engine.input<std::int8_t>()[s * in + k] - 4);
                now.push_back(sum);
            }
            seen[s].push_back(now);
            for (std::size_t unit = 0; unit < 3; ++unit) {
                double wanted = at(real.bias, unit);
                for (std::size_t f = 2 * unit; f < 2 * unit + 2; ++f) {
                    for (std::size_t m = 0; m < memory && m < seen[s].size(); ++m)
                        wanted += at(real.time, f * memory + memory - 1 - m) * seen[s][seen[s].size() - 1 - m][f];
                }
                CHECK(static_cast<double>(engine.output<float>("real")[s * 3 + unit]) == Approx(wanted).margin(1e-4));
                const double got = 0.05 * (engine.output<std::int8_t>("bytes")[s * 3 + unit] + 3);
                CHECK(got == Approx(wanted).margin(0.03));
            }
        }
    }
}

TEST_CASE("recurrent: scales that fixed point cannot hold are refused by name") {
    using namespace lower_recurrent_test;
    Random random(4);
    ModelBuilder<i8, wide> b;
    Lstm<i8> l = integer_lstm(3, 2, random);
    l.weight.set_quantization(QuantizationParams{1e20f, 0});
    b.output("y", b.add(l, b.input("x", {1, 2, 3}, Element::i8, QuantizationParams{1.0f, 0}),
                        {.name = "odd", .quantization = QuantizationParams{0.01f, 0}}));
    CHECK_ERROR(plan(b.build()), "'odd' (Lstm)", "scales");
}
