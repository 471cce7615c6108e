// SPDX-License-Identifier: MIT
// gradient: Lstm, Gru and Rnn against finite differences.

#include <mote/train/gradient/recurrent.hpp>

#include <mote/train/evaluate.hpp>
#include <mote/train/trainer.hpp>
#include <mote/zoo/recurrent.hpp>

#include <support/error_text.hpp>

#include "check.hpp"

namespace recurrent_gradient_test {

using namespace mote;
using namespace gradient_check;

template <class L>
L layer(std::size_t gates, std::size_t in, std::size_t hidden, Random& random) {
    return {.weight = random_tensor({gates * hidden, in}, random, 0.3f),
            .recurrent = random_tensor({gates * hidden, hidden}, random, 0.3f),
            .bias = random_tensor(Shape{gates * hidden}, random, 0.3f)};
}

/// The sequence and the last states, all of which count; the input's gradient is seen too.
template <class L>
void check_layer(L l, std::size_t states, std::uint64_t seed, bool given = false) {
    CAPTURE(L::kind, seed);
    const std::size_t hidden = l.recurrent.shape()[1];
    Builder b;
    const Handle x = offset_input(b, b.input("x", {1, 4, 3}));
    std::vector<Handle> inputs{x};
    Random random(seed, 77);
    for (std::size_t i = 0; given && i < states; ++i) {  // initial states that are trained as well
        inputs.push_back(b.add(Dense<f32>{.weight = random_tensor({hidden, 12}, random, 0.1f)}, b.add(Flatten{}, x)));
    }
    const std::vector<Handle> y = b.add_outputs(std::move(l), 1 + states, std::span<const Handle>(inputs));
    std::vector<Handle> all;
    for (const Handle part : y) all.push_back(b.add(Flatten{}, part));
    b.output("y", b.add(Concat{}, std::span<const Handle>(all)));
    check(b.build(), 3, 2, seed);
}

/// Sequences of small noise in which a 1 stands first in class 0 and a -1 in class 1: the answer must be remembered.
struct FirstStep {
    std::size_t time, features;
    std::size_t size() const { return 64; }
    std::size_t load(std::size_t index, std::span<float> values) const {
        Random random(index, 21);
        for (float& v : values) v = 0.1f * random.normal();
        for (std::size_t i = 0; i < features; ++i) values[i] = index % 2 == 0 ? 1.0f : -1.0f;
        return index % 2;
    }
};

}  // namespace recurrent_gradient_test

TEST_CASE("gradient: Lstm, with peepholes, coupled gates, clips, reverse, given initial states") {
    using namespace recurrent_gradient_test;
    Random random(3, 1);
    const auto make = [&] { return layer<Lstm<f32>>(4, 3, 5, random); };
    check_layer(make(), 2, 1);
    check_layer(make(), 2, 2, true);
    Lstm<f32> l = make();
    l.peephole = random_tensor({3, 5}, random, 0.5f);
    l.reverse = true;
    check_layer(l, 2, 3);
    l.coupled = true;
    l.initial_hidden = random_tensor({1, 5}, random);
    l.initial_cell = random_tensor({1, 5}, random);
    check_layer(l, 2, 4);
    l = make();
    l.gate = RecurrentFunction::softsign;
    l.candidate = RecurrentFunction::softplus;
    l.output = RecurrentFunction::identity;
    check_layer(l, 2, 5);
}

TEST_CASE("gradient: Gru, resetting before and after the candidate's product") {
    using namespace recurrent_gradient_test;
    Random random(4, 1);
    for (const bool after : {false, true}) {
        Gru<f32> l = layer<Gru<f32>>(3, 3, 5, random);
        l.reset_after = after;
        check_layer(l, 1, 1);
        l.recurrent_bias = random_tensor(Shape{5}, random);
        check_layer(l, 1, 2, true);
        l.reverse = true;
        l.initial_hidden = random_tensor({1, 5}, random);
        check_layer(l, 1, 3);
    }
}

TEST_CASE("gradient: Rnn, two layers of it") {
    using namespace recurrent_gradient_test;
    Random random(5, 1);
    check_layer(layer<Rnn<f32>>(1, 3, 6, random), 1, 1);
    check_layer(layer<Rnn<f32>>(1, 3, 6, random), 1, 2, true);
    Builder b;
    Handle x = offset_input(b, b.input("x", {1, 3, 2}));
    x = b.add(layer<Rnn<f32>>(1, 2, 4, random), x);
    x = b.add(layer<Rnn<f32>>(1, 4, 3, random), x);
    b.output("y", b.add(Flatten{}, x));
    check(b.build(), 3, 2, 3);
}

TEST_CASE("gradient: nothing passes where a clip holds, nor behind a sample's length") {
    using namespace recurrent_gradient_test;
    Random random(6, 1);
    Rnn<f32> l = layer<Rnn<f32>>(1, 3, 4, random);
    l.candidate = RecurrentFunction::identity;
    l.clip = 1e-6f;  // every sum is beyond it
    const auto run = [&](const Rnn<f32>& rnn, std::vector<float>& dx) {
        Builder b;
        const Handle x = offset_input(b, b.input("x", {1, 4, 3}));
        b.output("y", b.add(Flatten{}, b.add(rnn, x)));
        const auto model = b.build();
        mote::detail::TrainingSession session(
            mote::detail::make_training_network(model), [&](std::size_t n) { return mote::detail::batched_values(model, n); },
            1, 1, 1, false, native_kernels());
        session.prepare(1);
        session.lower_all();
        session.forward([&](std::size_t, std::span<float> values) {
            for (float& v : values) v = random.normal();
        });
        for (float& d : session.logits_gradient()) d = 1.0f;
        session.backward();
        const auto& offset = session.network().parameters.front();
        dx.resize(offset.size);
        session.reduce(offset.offset, offset.size, dx.data());
    };
    std::vector<float> dx;
    run(l, dx);
    for (const float d : dx) CHECK(d == 0.0f);
    l.clip = 0.0f;
    l.lengths = {2};
    run(l, dx);
    REQUIRE(dx.size() == 12);
    for (std::size_t i = 0; i < 12; ++i) CHECK((dx[i] != 0.0f) == (i < 6));
}

TEST_CASE("gradient: a state that outlives a run is not trained") {
    using namespace recurrent_gradient_test;
    Random random(6, 1);
    ModelBuilder<f32, wide> b;
    Rnn<f32> l = layer<Rnn<f32>>(1, 3, 4, random);
    l.stateful = true;
    b.output("y", b.add(l, b.input("x", {1, 4, 3}), {.name = "memory"}));
    CHECK_ERROR(mote::detail::make_training_network(b.build()), "'memory' (Rnn)", "keeps a state");
}

TEST_CASE("gradient: recurrent classifiers learn what stood at the first step") {
    using namespace recurrent_gradient_test;
    const FirstStep set{6, 2};
    const mote::zoo::SequenceOptions options{.classes = 2, .time = 6, .features = 2, .hidden = 8};
    for (const bool gru : {false, true}) {
        const Model<f32, wide> fresh =
            mote::initialize(gru ? mote::zoo::gru_classifier(options) : mote::zoo::lstm_classifier(options), {.seed = 2});
        const Model<f32, wide> trained =
            train(fresh, set, {.epochs = 40, .batch_size = 16, .schedule = Cosine{.rate = 1e-2f, .warm_up_epochs = 1}});
        CHECK(accuracy(trained, set) > 0.95);
    }
}
