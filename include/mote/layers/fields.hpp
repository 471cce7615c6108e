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
    Role role;
    int output_axis;
    int input_axis;

    constexpr Field(const char* its_name, T L::*its_member, Role its_role = Role::attribute, int its_output_axis = no_axis,
                    int its_input_axis = no_axis) noexcept
        : name(its_name), member(its_member), role(its_role), output_axis(its_output_axis), input_axis(its_input_axis) {}
};

/// The tuple of a layer's fields, in order, as a function that hands them on: list_fields(a, b)(visit) is visit(a, b).
/// (A std::tuple will do too, see apply_fields; it costs a compiler more than all the rest of the layers.)
template <class... F>
constexpr auto list_fields(F... field) noexcept {
    return [=](auto&& visit) -> decltype(auto) { return visit(field...); };
}

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

/// visit(field...) with all fields of L, in order.
template <class L, class Visit>
constexpr decltype(auto) apply_fields(Visit&& visit) {
    if constexpr (requires { std::tuple_size<std::remove_cv_t<decltype(L::fields)>>::value; }) {
        return std::apply(visit, L::fields);
    } else {
        return L::fields(visit);
    }
}

/// Calls visit(field, layer.*field.member) for each field, in order.
template <class L, class Visit>
void for_each_field(L& layer, Visit&& visit) {
    apply_fields<std::remove_const_t<L>>([&](const auto&... field) { (visit(field, layer.*field.member), ...); });
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
    return apply_fields<L>([&](const auto&... field) { return ((a.*field.member == b.*field.member) && ...); });
}

MOTE_END_NAMESPACE
