// SPDX-License-Identifier: MIT
// What follows from a layer's fields: visiting, parameters, equality.

#include <mote/layers/fields.hpp>

#include <layers/change.hpp>

#include <support/catch.hpp>

#include <string>
#include <utility>
#include <vector>

namespace fields_test {

using namespace mote;

/// A layer with a field of every role.
struct Everything {
    Tensor<f32> weight{};
    Tensor<i32> bias{};
    Tensor<f32> mean{};
    Tensor<i8> table{};
    std::size_t groups = 1;
    static constexpr const char* kind = "Everything";
    static constexpr Family family = Family::contraction;
    static constexpr auto fields =
        list_fields(Field{"weight", &Everything::weight, Role::weight, 0, 1}, Field{"bias", &Everything::bias, Role::bias, 0},
                    Field{"mean", &Everything::mean, Role::statistic}, Field{"table", &Everything::table},
                    Field{"groups", &Everything::groups});
};

/// Fields in a std::tuple.
struct Tupled {
    float slope = 1;
    std::size_t groups = 1;
    static constexpr const char* kind = "Tupled";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = std::tuple{Field{"slope", &Tupled::slope}, Field{"groups", &Tupled::groups}};
};

struct NoFields {
    static constexpr const char* kind = "NoFields";
};

}  // namespace fields_test

TEST_CASE("fields: a layer is what names kind, family and fields") {
    using namespace fields_test;
    STATIC_REQUIRE(LayerType<Everything>);
    STATIC_REQUIRE(!LayerType<NoFields>);
    STATIC_REQUIRE(!LayerType<int>);
    STATIC_REQUIRE(is_tensor<Tensor<f32>>);
    STATIC_REQUIRE(!is_tensor<float>);
}

TEST_CASE("fields: all are visited in order, and can be changed through the visit") {
    using namespace fields_test;
    Everything layer;
    std::vector<std::string> names;
    for_each_field(layer, [&](const auto& field, auto& member) {
        names.push_back(field.name);
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(member)>, std::size_t>) member = 4;
    });
    CHECK(names == std::vector<std::string>{"weight", "bias", "mean", "table", "groups"});
    CHECK(layer.groups == 4);
}

TEST_CASE("fields: a std::tuple of them will do") {
    using namespace fields_test;
    STATIC_REQUIRE(LayerType<Tupled>);
    CHECK(equal(Tupled{}, Tupled{}));
    CHECK_FALSE(equal(Tupled{}, Tupled{.groups = 2}));
    std::string names;
    const Tupled layer;
    for_each_field(layer, [&](const auto& field, const auto&) { names += field.name; });
    CHECK(names == "slopegroups");
}

TEST_CASE("fields: parameters are the tensors that are there, attributes excepted") {
    using namespace fields_test;
    Everything layer;
    layer.table = Tensor<i8>({2}, {1, 2});
    std::vector<std::string> names;
    const auto note = [&](const auto& field, const auto&) { names.push_back(field.name); };
    for_each_parameter(std::as_const(layer), note);
    CHECK(names.empty());
    layer.weight = Tensor<f32>({1, 1}, {1});
    layer.mean = Tensor<f32>({1}, {1});
    for_each_parameter(std::as_const(layer), note);
    CHECK(names == std::vector<std::string>{"weight", "mean"});
}

TEST_CASE("fields: axes and roles are what was stated, and none by default") {
    using namespace fields_test;
    const auto weight = layer_change::field<Everything>(0);
    CHECK(weight.role == Role::weight);
    CHECK(weight.output_axis == 0);
    CHECK(weight.input_axis == 1);
    const auto groups = layer_change::field<Everything>(4);
    CHECK(groups.role == Role::attribute);
    CHECK(groups.output_axis == no_axis);
    CHECK(groups.input_axis == no_axis);
}

TEST_CASE("fields: a change of any one field makes layers unequal") {
    using namespace fields_test;
    const Everything layer{.weight = Tensor<f32>({1}, {1}), .groups = 2};
    CHECK(equal(layer, Everything(layer)));
    Everything other = layer;
    other.weight = Tensor<f32>({1}, {2});
    CHECK_FALSE(equal(layer, other));
    other = layer;
    other.bias = Tensor<i32>({1}, {0});
    CHECK_FALSE(equal(layer, other));
    other = layer;
    other.table = Tensor<i8>({1}, {0});
    CHECK_FALSE(equal(layer, other));
    other = layer;
    other.groups = 3;
    CHECK_FALSE(equal(layer, other));
}
