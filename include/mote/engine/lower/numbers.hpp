// SPDX-License-Identifier: MIT
#pragma once
// The steps of values of plain numbers (detail::holds_numbers), whatever their element: scalar, in 64 bits.

#include <mote/engine/lower/context.hpp>
#include <mote/kernels/number_sets.hpp>

MOTE_BEGIN_NAMESPACE

/// Operands: both inputs, output.
struct BinaryNumbersStep {
    static constexpr const char* name = "binary_numbers";
    BinaryFunction function = BinaryFunction::add;
    Element element = Element::i64;
    BroadcastGeometry geometry{};
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        kernels::reference::binary_numbers(function, element, geometry, operands[0], operands[1], operands[2]);
    }
};

/// Operands: both inputs, output.
struct CompareStep {
    static constexpr const char* name = "compare_numbers";
    Comparison comparison = Comparison::equal;
    Element element = Element::i64;
    BroadcastGeometry geometry{};
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        kernels::reference::compare_numbers(comparison, element, geometry, operands[0], operands[1], operands[2]);
    }
};

/// Operands: both inputs, output.
struct BitwiseStep {
    static constexpr const char* name = "bit_numbers";
    BitOperation operation = BitOperation::both;
    Element element = Element::i64;
    BroadcastGeometry geometry{};
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        kernels::reference::bit_numbers(operation, element, geometry, operands[0], operands[1], operands[2]);
    }
};

/// Operands: condition, both inputs, output.
struct SelectStep {
    static constexpr const char* name = "select";
    std::size_t element_bytes = 4;
    SelectGeometry geometry{};
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        kernels::reference::select(geometry, element_bytes, operand<const std::uint8_t>(operands, 0), operands[1], operands[2],
                                   operands[3]);
    }
};

/// Operands: input, output.
struct CastStep {
    static constexpr const char* name = "cast_numbers";
    Element from = Element::f32, to = Element::f32;
    std::size_t count = 0;
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        kernels::reference::cast_numbers(from, to, static_cast<std::ptrdiff_t>(count), operands[0], operands[1]);
    }
};

/// Over the middle of [outer, spatial, channels]. Operands: input, output.
struct ReduceNumbersStep {
    static constexpr const char* name = "reduce_numbers";
    RowGeometry geometry{};
    Reduction function = Reduction::sum;
    Element element = Element::i64;
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        kernels::reference::reduce_numbers(geometry, function, element, operands[0], operands[1]);
    }
};

/// Operands: input, output.
struct ArgMaxNumbersStep {
    static constexpr const char* name = "arg_max_numbers";
    RowGeometry geometry{};
    bool largest = true;
    bool select_last = false;
    Element element = Element::i64;
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        kernels::reference::arg_max_numbers(geometry, largest, select_last, element, operands[0],
                                            operand<std::int64_t>(operands, 1));
    }
};

/// Operands: input, values, indices.
struct TopKStep {
    static constexpr const char* name = "top_numbers";
    RowGeometry geometry{};
    std::int32_t kept = 1;
    bool largest = true;
    Element element = Element::f32;
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        kernels::reference::top_numbers(geometry, kept, largest, element, operands[0], operands[1],
                                        operand<std::int64_t>(operands, 2));
    }
};

/// Operands: input, output.
struct ConvInteger2dStep {
    static constexpr const char* name = "conv2d_i32";
    ConvGeometry geometry{};
    std::shared_ptr<const Tensor<i32>> weight{}, bias{};
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        kernels::reference::conv2d_i32(geometry, operand<const std::int32_t>(operands, 0), weight->data(),
                                       bias->empty() ? nullptr : bias->data(), operand<std::int32_t>(operands, 1));
    }
};

namespace detail {

/// The strides with which an array of this shape repeats to another.
template <class Lazy = void>
void repeating_strides(const Shape& from, const Shape& to, std::int32_t* stride) {
    const std::size_t lead = to.rank() - from.rank();
    for (std::size_t axis = 0; axis < from.rank(); ++axis) {
        stride[lead + axis] = from[axis] == 1 ? 0 : narrow<std::int32_t>(from.stride(axis));
    }
}

}  // namespace detail

MOTE_END_NAMESPACE
