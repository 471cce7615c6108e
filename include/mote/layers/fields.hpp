// SPDX-License-Identifier: MIT
#pragma once
// Fields: what a layer states about its members. Equality, printing, files, optimizers, counting and weight quantization
// follow from them with no code per layer.

#include <mote/tensor/tensor.hpp>

#include <concepts>
#include <tuple>
#include <type_traits>

MOTE_BEGIN_NAMESPACE

/// weight and bias are trained; a statistic (BatchNorm's running mean) is a tensor that training updates without
/// a gradient; an attribute says how the layer computes.
enum class Role : std::uint8_t { weight, bias, statistic, attribute };

/// Layers of one family share their verbs' code.
enum class Family : std::uint8_t { movement, elementwise, reduction, contraction, recurrent };

inline constexpr int no_axis = -1;

/// A member of layer L: its name, where it is, what it is, and for a tensor which of its axes runs over the layer's
/// output channels and which over its input channels.
template <class L, class T>
struct Field {
    using type = T;
    const char* name;
    T L::*member;
    Role role = Role::attribute;
    int output_axis = no_axis;
    int input_axis = no_axis;
};
template <class L, class T>
Field(const char*, T L::*) -> Field<L, T>;
template <class L, class T>
Field(const char*, T L::*, Role) -> Field<L, T>;
template <class L, class T>
Field(const char*, T L::*, Role, int) -> Field<L, T>;
template <class L, class T>
Field(const char*, T L::*, Role, int, int) -> Field<L, T>;

template <class T>
inline constexpr bool is_tensor = false;
template <class P>
inline constexpr bool is_tensor<Tensor<P>> = true;

/// A layer is an aggregate that names its kind ("Conv2d"), its family and its fields; for the verbs infer, cost and
/// lower there are free functions found by its namespace (see the README, "how to add a layer").
template <class L>
concept LayerType = requires {
    { L::kind } -> std::convertible_to<const char*>;
    { L::family } -> std::convertible_to<Family>;
    L::fields;
}
&&std::is_default_constructible_v<L>&& std::is_copy_constructible_v<L>;

/// Calls visit(field, layer.*field.member) for each field, in order.
template <class L, class Visit>
void for_each_field(L& layer, Visit&& visit) {
    std::apply([&](const auto&... field) { (visit(field, layer.*field.member), ...); }, std::remove_const_t<L>::fields);
}

/// Calls visit(field, tensor) for each field that is a non-empty tensor of role weight, bias or statistic.
template <class L, class Visit>
void for_each_parameter(L& layer, Visit&& visit) {
    for_each_field(layer, [&](const auto& field, auto& member) {
        if constexpr (is_tensor<std::remove_cvref_t<decltype(member)>>) {
            if (field.role != Role::attribute && !member.empty()) visit(field, member);
        }
    });
}

/// Equality of all fields.
template <LayerType L>
bool equal(const L& a, const L& b) {
    return std::apply([&](const auto&... field) { return ((a.*field.member == b.*field.member) && ...); }, L::fields);
}

MOTE_END_NAMESPACE
