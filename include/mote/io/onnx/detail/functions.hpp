// SPDX-License-Identifier: MIT
#pragma once
// The ONNX operators without attributes that are functions of each element.

#include <mote/core/functions.hpp>

#include <algorithm>
#include <optional>
#include <string_view>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_import {

struct FunctionOperator {
    const char* op;
    UnaryFunction function;
};
inline constexpr FunctionOperator function_operators[] = {
    {"Abs", UnaryFunction::abs},           {"Acos", UnaryFunction::acos},
    {"Acosh", UnaryFunction::acosh},       {"Asin", UnaryFunction::asin},
    {"Asinh", UnaryFunction::asinh},       {"Atan", UnaryFunction::atan},
    {"Atanh", UnaryFunction::atanh},       {"Ceil", UnaryFunction::ceil},
    {"Cos", UnaryFunction::cos},           {"Cosh", UnaryFunction::cosh},
    {"Erf", UnaryFunction::erf},           {"Exp", UnaryFunction::exp},
    {"Floor", UnaryFunction::floor},       {"Log", UnaryFunction::log},
    {"Mish", UnaryFunction::mish},         {"Reciprocal", UnaryFunction::reciprocal},
    {"Round", UnaryFunction::round},       {"Sign", UnaryFunction::sign},
    {"Sin", UnaryFunction::sin},           {"Sinh", UnaryFunction::sinh},
    {"Softplus", UnaryFunction::softplus}, {"Softsign", UnaryFunction::softsign},
    {"Sqrt", UnaryFunction::sqrt},         {"Tan", UnaryFunction::tan},
};

/// The function that the operator is; none where it is another.
inline std::optional<UnaryFunction> function_named(std::string_view op) {
    for (const FunctionOperator& entry : function_operators) {
        if (entry.op == op) return entry.function;
    }
    return std::nullopt;
}
/// The operator that the function is; nullptr where there is none.
inline const char* operator_of(UnaryFunction function) {
    const auto* entry = std::ranges::find(function_operators, function, &FunctionOperator::function);
    return entry == std::end(function_operators) ? nullptr : entry->op;
}

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
