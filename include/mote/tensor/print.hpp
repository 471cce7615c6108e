// SPDX-License-Identifier: MIT
#pragma once
// A tensor as one line of text: element, shape, quantization, first values.

#include <mote/tensor/convert.hpp>

#include <cstdio>

MOTE_BEGIN_NAMESPACE

/// "scale 0.5, zero point -3"; "16 scales along axis 0"; "" for none.
inline std::string to_string(const Quantization& quantization) {
    if (!quantization.present()) return {};
    if (quantization.per_axis()) return concat(quantization.scale.size(), " scales along axis ", quantization.axis);
    const QuantizationParams params = quantization.params();
    return concat("scale ", params.scale, ", zero point ", params.zero_point);
}

/// "i8 [2x3], scale 0.5, zero point -3: 1, 2, 3, 4, 5, 6"; at most `limit` values, then "...".
template <class P>
std::string to_string(const Tensor<P>& tensor, std::size_t limit = 8) {
    std::string text = concat(P::name, " [", to_string(tensor.shape()), "]");
    if (tensor.quantization().present()) text += concat(", ", to_string(tensor.quantization()));
    text += ':';
    const std::size_t count = tensor.elements();
    for (std::size_t i = 0; i < count && i < limit; ++i) {
        text += i == 0 ? " " : ", ";
        if constexpr (std::is_same_v<P, b8>) {
            text += get(tensor, i) ? "true" : "false";
        } else {
            text += concat(get(tensor, i));
        }
    }
    if (count > limit) text += limit == 0 ? " ..." : ", ...";
    if (count == 0) text += " no elements";
    return text;
}

/// Writes the line to the standard output.
template <class P>
void print(const Tensor<P>& tensor, std::size_t limit = 8) {
    std::fputs((to_string(tensor, limit) + '\n').c_str(), stdout);
}

MOTE_END_NAMESPACE
