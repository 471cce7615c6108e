// SPDX-License-Identifier: MIT
#pragma once
// Changing one field of a layer at a time, to see that everything which follows from fields follows from each of them.

#include <mote/layers/layers.hpp>

#include <string>
#include <type_traits>
#include <vector>

namespace layer_change {

/// Another value of the same type.
template <class T>
T changed(const T& value) {
    using namespace mote;
    if constexpr (is_tensor<T>) {
        return T(Shape{value.elements() + 1});
    } else if constexpr (std::is_same_v<T, Size2d>) {
        return {value.height, value.width + 1};
    } else if constexpr (std::is_same_v<T, Padding2d>) {
        return {value.top, value.bottom, value.left, value.right + 1};
    } else if constexpr (std::is_same_v<T, bool>) {
        return !value;
    } else if constexpr (std::is_same_v<T, Element>) {
        return value == Element::f32 ? Element::i8 : Element::f32;
    } else if constexpr (std::is_same_v<T, Alignment>) {
        return value == Alignment::corners ? Alignment::asymmetric : Alignment::corners;
    } else if constexpr (std::is_enum_v<T>) {
        return static_cast<T>(static_cast<int>(value) + 1);
    } else if constexpr (std::is_arithmetic_v<T>) {
        return static_cast<T>(value + 1);
    } else {
        T longer = value;
        longer.push_back(1);
        return longer;
    }
}

/// The fields in which a change is not seen by equality; and whether a copy of `layer` is equal to it.
template <class L>
std::vector<std::string> unseen_changes(const L& layer) {
    std::vector<std::string> unseen;
    if (!mote::equal(layer, L(layer))) unseen.push_back("the copy");
    mote::apply_fields<L>([&](const auto&... field) {
        [[maybe_unused]] auto check = [&](const auto& one) {
            L other = layer;
            other.*one.member = changed(other.*one.member);
            if (mote::equal(layer, other)) unseen.push_back(one.name);
        };
        (check(field), ...);
    });
    return unseen;
}

/// The bytes of a layer's members, which all are fields: a member that was left out of `fields` shows as a difference.
template <class L>
std::size_t bytes_of_fields() {
    return mote::apply_fields<L>([](const auto&... field) {
        std::size_t end = 0;  // members stand in order, each at its alignment
        [[maybe_unused]] auto place = [&end](std::size_t size, std::size_t alignment) {
            end = (end + alignment - 1) / alignment * alignment + size;
        };
        (place(sizeof(typename std::remove_cvref_t<decltype(field)>::type),
               alignof(typename std::remove_cvref_t<decltype(field)>::type)),
         ...);
        const std::size_t whole = (end + alignof(L) - 1) / alignof(L) * alignof(L);
        return whole == 0 ? sizeof(L) : whole;
    });
}

/// What field i of L states about its member.
template <class L>
auto field(std::size_t i) {
    struct Parts {
        mote::Role role;
        int output_axis;
        int input_axis;
    };
    std::vector<Parts> all;
    mote::apply_fields<L>([&](const auto&... each) { (all.push_back({each.role, each.output_axis, each.input_axis}), ...); });
    return all.at(i);
}

}  // namespace layer_change
