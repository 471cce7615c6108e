// SPDX-License-Identifier: MIT
#pragma once
// Writer: the text of an emitted header, piece by piece: constants, geometries, calls.

#include <mote/core/geometry.hpp>
#include <mote/tensor/error.hpp>

#include <cmath>
#include <cstdio>
#include <limits>
#include <span>
#include <string>
#include <vector>

MOTE_BEGIN_NAMESPACE

/// What a step writes into: its constants and types in front, its call in run().
class Writer {
  public:
    /// Bytes of the arena in which nothing lives during a step; the last such place is open.
    struct Gap {
        std::size_t begin = 0, end = static_cast<std::size_t>(-1);
    };

    /// The number of the step that is being written; names end in it. Operands are expressions.
    void begin_step(std::size_t index, std::vector<std::string> operands, std::vector<Gap> gaps, const std::string& comment) {
        index_ = index;
        operands_ = std::move(operands);
        gaps_ = std::move(gaps);
        body_.clear();
        declarations_ += concat("\n// ", comment, "\n");
    }
    /// Makes the step's calls a function of its own, for the compiler's registers and a profiler's eyes, which run() calls.
    void end_step(const std::string& parameters, const std::string& arguments) {
        declarations_ += concat("MOTE_NEVER_INLINE void step_", index_, "(", parameters, ") noexcept {\n", body_, "}\n");
        calls_ += concat("    step_", index_, "(", arguments, ");\n");
    }

    /// The expression of an operand as a pointer: operand(0, "const std::int8_t*").
    std::string operand(std::size_t place, const char* pointer) const {
        return concat("reinterpret_cast<", pointer, ">(", operands_[place], ")");
    }

    /// A constant array of this step; returns its name.
    template <class T>
    std::string array(const char* what, std::span<const T> values) {
        std::string name = concat(what, "_", index_);
        std::string text = concat("alignas(4) inline constexpr ", type_name(T{}), " ", name, "[] = {");
        std::size_t column = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const std::string item = concat(number(values[i]), ",");
            if (i == 0 || column + item.size() > 120) {
                text += "\n    ";
                column = 4;
            }
            text += item;
            column += item.size();
        }
        declarations_ += text + "\n};\n";
        return name;
    }

    std::string geometry(const ConvGeometry& g) {
        return structure(concat("batch = ", g.batch, ", in_height = ", g.in_height, ", in_width = ", g.in_width,
                                ", in_channels = ", g.in_channels, ",\n        out_height = ", g.out_height,
                                ", out_width = ", g.out_width, ", out_channels = ", g.out_channels,
                                ", kernel_height = ", g.kernel_height, ", kernel_width = ", g.kernel_width,
                                ",\n        stride_height = ", g.stride_height, ", stride_width = ", g.stride_width,
                                ", dilation_height = ", g.dilation_height, ", dilation_width = ", g.dilation_width,
                                ",\n        pad_top = ", g.pad_top, ", pad_left = ", g.pad_left, ", groups = ", g.groups));
    }
    std::string geometry(const RowGeometry& g) {
        return structure(concat("outer = ", g.outer, ", channels = ", g.channels, ", spatial = ", g.spatial));
    }
    std::string geometry(const GatherGeometry& g) {
        return structure(concat("outer = ", g.outer, ", extent = ", g.extent, ", count = ", g.count, ", inner = ", g.inner));
    }
    std::string geometry(const MoveGeometry& g) {
        return structure(concat("rank = ", g.rank, ", extent[] = {", list(g.rank, g.extent), "}, input_stride[] = {",
                                list(g.rank, g.input_stride), "}, output_stride[] = {", list(g.rank, g.output_stride), "}"));
    }
    std::string geometry(const WindowGeometry& g) {
        return structure(concat("rank = ", g.rank, ", batch = ", g.batch, ", channels = ", g.channels, ", extent[] = {",
                                list(g.rank, g.extent), "}, out[] = {", list(g.rank, g.out), "},\n        kernel[] = {",
                                list(g.rank, g.kernel), "}, stride[] = {", list(g.rank, g.stride), "}, dilation[] = {",
                                list(g.rank, g.dilation), "}, before[] = {", list(g.rank, g.before), "}, steps[] = {",
                                list(g.rank + 2, g.steps), "}"));
    }
    std::string geometry(const BroadcastGeometry& g) {
        return structure(concat("rank = ", g.rank, ", extent[] = {", list(g.rank, g.extent), "}, a_stride[] = {",
                                list(g.rank, g.a_stride), "}, b_stride[] = {", list(g.rank, g.b_stride), "}"));
    }

    /// A statement of the step.
    void call(const std::string& statement) { body_ += concat("    ", statement, ";\n"); }
    /// The expression of a pointer to scratch of this step, so many bytes (a constant expression).
    std::string scratch(const std::string& bytes) {
        std::string gaps;
        for (const Gap& gap : gaps_) {
            gaps += concat(gaps.empty() ? "{" : ", {", gap.begin, ", ");
            gaps += gap.end == Gap{}.end ? std::string("mote::firmware::open}") : concat(gap.end, "}");
        }
        const std::string name = concat("scratch_", index_);
        declarations_ += concat("inline constexpr std::size_t ", name, "_bytes = ", bytes, ";\ninline constexpr std::size_t ",
                                name, " = mote::firmware::place(", name, "_bytes, {", gaps, "});\n");
        ends_.push_back(concat(name, " + ", name, "_bytes"));
        return concat("arena + ", name);
    }

    const std::string& declarations() const noexcept { return declarations_; }
    /// The statements of run().
    const std::string& calls() const noexcept { return calls_; }
    /// Constant expressions: where the steps' scratch ends in the arena.
    const std::vector<std::string>& scratch_ends() const noexcept { return ends_; }

    static std::string number(float value) {
        if (std::isinf(value)) return value < 0 ? "-__builtin_huge_valf()" : "__builtin_huge_valf()";
        if (std::isnan(value)) return "__builtin_nanf(\"\")";
        char text[40];
        std::snprintf(text, sizeof text, "%af", static_cast<double>(value));  // every bit
        return text;
    }
    static std::string number(std::int8_t value) { return std::to_string(value); }
    static std::string number(std::int32_t value) {
        return value == std::numeric_limits<std::int32_t>::min() ? "-2147483647 - 1" : std::to_string(value);
    }

  private:
    static std::string list(std::int32_t rank, const std::int32_t* values) {
        std::string text;
        for (std::int32_t axis = 0; axis < (rank > 0 ? rank : 1); ++axis) text += concat(axis == 0 ? "" : ", ", values[axis]);
        return text;
    }

    static const char* type_name(float) noexcept { return "float"; }
    static const char* type_name(std::int8_t) noexcept { return "std::int8_t"; }
    static const char* type_name(std::int32_t) noexcept { return "std::int32_t"; }

    std::string structure(const std::string& members) {
        std::string name = concat("geometry_", index_);
        if (structures_++ > 0 && last_structure_ == index_) name += concat("_", structures_);
        last_structure_ = index_;
        declarations_ += concat("struct ", name, " {\n    static constexpr std::int32_t ", members, ";\n};\n");
        return name;
    }

    std::size_t index_ = 0;
    std::vector<Gap> gaps_;
    std::size_t structures_ = 0;
    std::size_t last_structure_ = static_cast<std::size_t>(-1);
    std::vector<std::string> operands_;
    std::string declarations_;
    std::string body_;
    std::string calls_;
    std::vector<std::string> ends_;
};

MOTE_END_NAMESPACE
