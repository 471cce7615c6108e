// SPDX-License-Identifier: MIT
// Activations, functions, BatchNorm, Add, Mul, Convert: their fields.

#include <mote/layers/elementwise.hpp>

#include <layers/change.hpp>
#include <support/catch.hpp>

namespace elementwise_layers_test {

using namespace mote;

template <class L>
void check(const char* kind) {
    CHECK(std::string(L::kind) == kind);
    CHECK(L::family == Family::elementwise);
    CHECK(layer_change::unseen_changes(L{}).empty());
    CHECK(layer_change::bytes_of_fields<L>() == sizeof(L));
}

}  // namespace elementwise_layers_test

TEST_CASE("elementwise layers: every member is a field, and equality sees a change of each") {
    using namespace elementwise_layers_test;
    check<Relu>("Relu");
    check<Relu6>("Relu6");
    check<LeakyRelu>("LeakyRelu");
    check<Sigmoid>("Sigmoid");
    check<Tanh>("Tanh");
    check<HardSigmoid>("HardSigmoid");
    check<HardSwish>("HardSwish");
    check<BatchNorm>("BatchNorm");
    check<Prelu>("Prelu");
    check<Add>("Add");
    check<Mul>("Mul");
    check<Unary>("Unary");
    check<Binary>("Binary");
    check<Convert>("Convert");
}

TEST_CASE("elementwise layers: BatchNorm trains scale and shift, and keeps two statistics; a table is no parameter") {
    using namespace elementwise_layers_test;
    const Tensor<f32> ones({2}, {1, 1});
    const BatchNorm layer{.scale = ones, .shift = ones, .mean = ones, .variance = ones};
    std::vector<std::string> trained;
    std::vector<std::string> statistics;
    for_each_parameter(layer, [&](const auto& field, const auto&) {
        (field.role == Role::statistic ? statistics : trained).push_back(field.name);
    });
    CHECK(trained == std::vector<std::string>{"scale", "shift"});
    CHECK(statistics == std::vector<std::string>{"mean", "variance"});
    const Sigmoid sigmoid{.table = Tensor<i8>(Shape{256})};
    std::size_t parameters = 0;
    for_each_parameter(sigmoid, [&](const auto&, const auto&) { ++parameters; });
    CHECK(parameters == 0);
}
