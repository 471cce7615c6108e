// SPDX-License-Identifier: MIT
// Lstm, Gru, Rnn and Svdf: their fields.

#include <mote/layers/recurrent.hpp>

#include <layers/change.hpp>
#include <support/catch.hpp>

namespace recurrent_layers_test {

template <class L>
void check(const char* kind) {
    CHECK(std::string(L::kind) == kind);
    CHECK(L::family == mote::Family::recurrent);
    CHECK(layer_change::unseen_changes(L{}).empty());
    CHECK(layer_change::field<L>(0).role == mote::Role::weight);
    CHECK(layer_change::field<L>(0).output_axis == 0);
    CHECK(layer_change::field<L>(0).input_axis == 1);
    CHECK(layer_change::field<L>(2).role == mote::Role::bias);
}

/// The bytes of members, flags that stand next to each other being one.
template <class L>
bool every_member_is_a_field() {
    return layer_change::bytes_of_fields<L>() == sizeof(L);
}

}  // namespace recurrent_layers_test

TEST_CASE("recurrent layers: every member is a field, and equality sees a change of each") {
    using namespace recurrent_layers_test;
    using namespace mote;
    check<Lstm<f32>>("Lstm");
    check<Lstm<i8>>("Lstm");
    check<Gru<f32>>("Gru");
    check<Rnn<f32>>("Rnn");
    check<Svdf<f32>>("Svdf");
    check<Svdf<i8>>("Svdf");
    CHECK(every_member_is_a_field<Lstm<f32>>());
    CHECK(every_member_is_a_field<Lstm<i8>>());
    CHECK(every_member_is_a_field<Gru<f32>>());
    CHECK(every_member_is_a_field<Rnn<f32>>());
    CHECK(every_member_is_a_field<Svdf<f32>>());
    CHECK(every_member_is_a_field<Svdf<i8>>());
}

TEST_CASE("recurrent layers: what they are to the verbs that they share") {
    using namespace mote;
    Lstm<f32> lstm{.recurrent = Tensor<f32>({12, 3}), .clip = 2.0f, .reverse = true};
    const auto a = detail::recurrence(lstm);
    CHECK(a.gates() == 4);
    CHECK(a.states() == 2);
    CHECK(a.hidden() == 3);
    CHECK(a.clip == 2.0f);
    CHECK(a.reverse);
    CHECK_FALSE(a.has_peephole());
    lstm.peephole = Tensor<f32>({3, 3});
    CHECK(detail::recurrence(lstm).has_peephole());
    const Gru<f32> gru{.reset_after = true};
    CHECK(detail::recurrence(gru).gates() == 3);
    CHECK(detail::recurrence(gru).states() == 1);
    CHECK(detail::recurrence(gru).reset_after);
    CHECK(detail::recurrence(gru).recurrent_bias == &gru.recurrent_bias);
    CHECK(detail::recurrence(Rnn<f32>{}).gates() == 1);
}
