// SPDX-License-Identifier: MIT
#pragma once
// emit_header: a model as one C++17 header for firmware: constants, a straight line of kernel calls, no heap, no interpreter.

#include <mote/emit/steps.hpp>
#include <mote/tensor/file.hpp>

#include <algorithm>
#include <string_view>

MOTE_BEGIN_NAMESPACE

struct EmitOptions {
    std::string name = "net";  ///< the namespace that the header declares
};

namespace detail {

/// No namespace of a program may be called so: keywords of C++17 and C++20, names of the standard, mote's own.
inline constexpr std::string_view taken_names =
    " alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t char8_t class "
    "co_await co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype "
    "default delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline "
    "int long main mote mutable namespace new noexcept not not_eq nullptr operator or or_eq posix private protected "
    "public register reinterpret_cast requires return short signed sizeof static static_assert static_cast struct "
    "switch template this thread_local throw true try typedef typeid typename union unsigned using virtual void "
    "volatile wchar_t while xor xor_eq ";

inline void check_namespace(const std::string& name) {
    auto digit = [](char c) { return c >= '0' && c <= '9'; };
    bool good = !name.empty() && !digit(name[0]) && name[0] != '_' && name.find("__") == std::string::npos;
    for (const char c : name) good = good && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || digit(c) || c == '_');
    good = good && taken_names.find(concat(" ", name, " ")) == std::string_view::npos;
    good = good && !(name.starts_with("std") && std::all_of(name.begin() + 3, name.end(), digit));
    if (!good) {
        fail("emit_header: '", name,
             "' cannot be the header's namespace; an identifier of letters, digits and _ is expected, without a leading _ or a "
             "double __, that is no C++ keyword and none of main, mote, posix, std, std1, std2 ...");
    }
}

/// A name as a // comment may hold it: on one line, and with no backslash (or ??/) that joins the next.
inline std::string comment_text(std::string_view name) {
    std::string text;
    for (const char c : name) text += c >= ' ' && c <= '~' && c != '\\' && c != '?' ? c : '_';
    return text;
}

inline const char* emitted_type(const Value& value) {
    if (value.element == Element::f32) return "float";
    if (value.element == Element::i8) return "std::int8_t";
    if (value.element == Element::i64) return "std::int64_t";
    fail("emit_header: value ", to_string(value), " is an input or output; f32, i8 and i64 are supported");
}

/// Where the header's run() finds a buffer.
inline std::string place_of(const Plan& plan, BufferId id) {
    const Buffer& buffer = plan.buffers()[id];
    if (buffer.place == Place::arena) return concat("arena + ", buffer.offset);
    if (buffer.place == Place::state) return concat("state.memory + ", buffer.offset);
    const bool input = buffer.place == Place::input;
    const std::vector<ValueId>& ids = input ? plan.inputs() : plan.outputs();
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const Buffer& outer = plan.buffers()[ids[i]];
        if (outer.place == buffer.place && outer.offset == buffer.offset) return concat(input ? "input_" : "output_", i);
    }
    fail("emit_header: buffer '", buffer.name, "' lies in no input or output");
}

/// Where in the arena nothing lives during this step.
inline std::vector<Writer::Gap> gaps_of(const Plan& plan, std::size_t step) {
    std::vector<Writer::Gap> taken;
    for (const Buffer& buffer : plan.buffers()) {
        const bool lives = buffer.used && buffer.place == Place::arena && buffer.lifetime.meets({0, step, step});
        if (lives) taken.push_back({buffer.offset, buffer.offset + (buffer.bytes + 15) / 16 * 16});
    }
    std::sort(taken.begin(), taken.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
    std::vector<Writer::Gap> gaps;
    std::size_t end = 0;
    for (const Writer::Gap& buffer : taken) {
        if (buffer.begin > end) gaps.push_back({end, buffer.begin});
        end = std::max(end, buffer.end);
    }
    gaps.push_back({end});
    return gaps;
}

inline std::string quantization_constant(const Value& value, const std::string& name) {
    std::string text = concat("inline constexpr std::size_t ", name, "_elements = ", value.shape.elements(), ";  // '",
                              comment_text(value.name), "' [", to_string(value.shape), "]\n");
    if (value.quantization.present()) {
        const QuantizationParams params = value.quantization.params();
        text += concat("inline constexpr float ", name, "_scale = ", Writer::number(params.scale),
                       ";\ninline constexpr std::int32_t ", name, "_zero_point = ", params.zero_point, ";\n");
    }
    return text;
}

}  // namespace detail

/// The header's text. The namespace holds: `arena_bytes` (scratch included; the arena is 16-byte aligned), `State`,
/// `reset(state)`, `run(input..., output..., arena, state)`, and for each input and output its elements, scale and zero point.
/// Throws one Error that lists every step without a firmware form.
template <class List>
std::string header_text(const BasicModel<List>& model, const EmitOptions& options = {}) {
    detail::check_namespace(options.name);
    const Plan plan = mote::plan(model, scalar_kernels());
    std::string unknown;
    for (const Step& step : plan.steps()) {
        if (detail::writer_of(step) == nullptr)
            unknown += concat("\n  step '", step.kind->name, "' of node '", step.nodes[0], "'");
    }
    if (!unknown.empty()) fail("emit_header: firmware computes in f32 and int8; these steps have no firmware form:", unknown);

    std::vector<std::pair<std::string, std::string>> places;  // the parameters of run(): name and type
    std::string constants;
    for (std::size_t i = 0; i < plan.inputs().size(); ++i) {
        const Value& value = plan.values()[plan.inputs()[i]];
        places.push_back({concat("input_", i), concat("const ", detail::emitted_type(value), "*")});
        constants += detail::quantization_constant(value, places.back().first);
    }
    for (std::size_t i = 0; i < plan.outputs().size(); ++i) {
        const Value& value = plan.values()[plan.outputs()[i]];
        places.push_back({concat("output_", i), concat(detail::emitted_type(value), "*")});
        constants += detail::quantization_constant(value, places.back().first);
    }
    places.push_back({"arena", "std::byte*"});
    places.push_back({"state", "State&"});
    std::string parameters;
    for (const auto& [name, type] : places) {
        const bool used = name.starts_with("output_");
        parameters += concat(parameters.empty() ? "" : ", ", used ? "" : "[[maybe_unused]] ", type, " ", name);
    }

    Writer writer;
    for (std::size_t i = 0; i < plan.steps().size(); ++i) {
        const Step& step = plan.steps()[i];
        std::vector<std::string> operands;
        for (const BufferId id : step.operands) operands.push_back(detail::place_of(plan, id));
        std::string nodes;
        for (const std::string& node : step.nodes) nodes += concat(nodes.empty() ? "" : " + ", detail::comment_text(node));
        // Of what run() has, the step gets what its operands lie in.
        std::string own_parameters, own_arguments;
        for (const auto& [name, type] : places) {
            const auto lies_in = [&](const std::string& operand) {
                return operand.substr(0, operand.find_first_of(" .")) == name;
            };
            if (name != "arena" && std::none_of(operands.begin(), operands.end(), lies_in)) continue;
            own_parameters += concat(own_parameters.empty() ? "" : ", ", "[[maybe_unused]] ", type, " ", name);
            own_arguments += concat(own_arguments.empty() ? "" : ", ", name);
        }
        writer.begin_step(i, std::move(operands), detail::gaps_of(plan, i), nodes);
        detail::writer_of(step)->write(step.data.get(), writer);
        writer.end_step(own_parameters, own_arguments);
    }
    std::string copies;  // of inputs that are outputs too
    for (std::size_t i = 0; i < plan.outputs().size(); ++i) {
        if (plan.buffers()[plan.outputs()[i]].place != Place::input) continue;
        copies += concat("    for (std::size_t i = 0; i < output_", i, "_elements; ++i) output_", i,
                         "[i] = ", detail::place_of(plan, plan.outputs()[i]), "[i];\n");
    }
    std::string ends = concat("std::size_t{", plan.arena_bytes(), "}");
    for (const std::string& end : writer.scratch_ends()) ends += concat(",\n    ", end);
    const std::size_t state_bytes = plan.memory().state_bytes;
    std::string resets = state_bytes == 0 ? "    (void)state;\n" : "    for (std::byte& b : state.memory) b = std::byte{0};\n";
    for (std::size_t i = 0; i < plan.states().size(); ++i) {
        const Value& state = plan.states()[i];
        const std::int32_t zero = state.quantization.present() ? state.quantization.params().zero_point : 0;
        if (zero == 0) continue;
        if (state.element != Element::i8) fail("emit_header: state '", state.name, "' has a zero point; only i8 may");
        resets += concat("    for (std::size_t i = 0; i < ", state.bytes(), "; ++i) state.memory[",
                         plan.buffers()[plan.values().size() + i].offset, " + i] = std::byte{",
                         int{static_cast<std::uint8_t>(zero)}, "};\n");
    }

    return concat(
        "// SPDX-License-Identifier: MIT\n#pragma once\n// A network, made by mote::emit_header. Include it in one program; "
        "see ",
        options.name, "::run below.\n\n#include <mote/firmware/firmware.hpp>\n\n",
        "static_assert(MOTE_VERSION == ", MOTE_VERSION, ", \"this header was made by another version of mote\");\n\nnamespace ",
        options.name, " {\n\n", constants, "\n/// What lives from run to run.\nstruct State {\n    ",
        state_bytes == 0 ? std::string("") : concat("alignas(16) std::byte memory[", state_bytes, "];\n"),
        "};\n\ninline void reset(State& state) noexcept {\n", resets, "}\n", writer.declarations(),
        "\ninline constexpr std::size_t arena_bytes = mote::firmware::arena_end(", ends,
        ");\n\n/// arena: arena_bytes, 16-byte aligned; inputs and outputs lie outside it.\ninline void run(", parameters,
        ") noexcept {\n", writer.calls(), copies, "}\n\n}  // namespace ", options.name, "\n");
}

/// Writes header_text() to `path`, beside it first: a failure leaves an old file as it was. Throws as header_text(), and where
/// the path cannot be written.
template <class List>
void emit_header(const BasicModel<List>& model, const std::string& path, const EmitOptions& options = {}) {
    write_file(path, header_text(model, options));
}

MOTE_END_NAMESPACE
