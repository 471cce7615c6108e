// SPDX-License-Identifier: MIT
// Writes emitted networks, their inputs, and what the engine on the desk answers with its scalar kernels.
// usage: make_networks DIRECTORY BYTE_NETWORKS REAL_NETWORKS

#include <mote/emit/header.hpp>
#include <mote/mote.hpp>

#include <engine/random_model.hpp>

#include <cstdio>
#include <cstdlib>

namespace {

using namespace mote;

template <class T>
std::string list(const std::string& type, const std::string& name, std::span<const T> values) {
    std::string text = concat("alignas(16) inline constexpr ", type, " ", name, "[] = {");
    for (const T value : values) text += concat(Writer::number(value), ",");
    return text + "};\n";
}

/// Emits the model; the text of its data and of the function that checks it.
template <class List>
std::string network(const BasicModel<List>& model, const std::string& name, const std::string& directory, std::uint64_t seed) {
    emit_header(model, directory + "/" + name + ".hpp", {.name = name});
    Engine engine(model, {.kernels = &scalar_kernels()});
    random_model::fill_inputs(engine, seed);
    std::string data;
    std::string arguments;
    std::string outputs;
    std::string checks;
    for (std::size_t i = 0; i < engine.inputs(); ++i) {
        const std::string array = concat(name, "_in_", i);
        if (engine.input_value(i).element == Element::f32) {
            data += list<float>("float", array, engine.input<float>(i));
        } else {
            data += list<std::int8_t>("std::int8_t", array, engine.input<std::int8_t>(i));
        }
        arguments += array + ", ";
    }
    engine.run();
    for (std::size_t i = 0; i < engine.outputs(); ++i) {
        const std::string array = concat(name, "_out_", i);
        const bool real = engine.output_value(i).element == Element::f32;
        if (real) {
            data += list<float>("float", array, engine.output<float>(i));
        } else {
            data += list<std::int8_t>("std::int8_t", array, engine.output<std::int8_t>(i));
        }
        outputs +=
            concat("    static ", real ? "float" : "std::int8_t", " out_", i, "[", name, "::output_", i, "_elements];\n");
        arguments += concat("out_", i, ", ");
        checks += concat(" && same(out_", i, ", ", array, ")");
    }
    return concat("#include \"", name, ".hpp\"\n", data, "inline bool check_", name, "() {\n", outputs, "    static Guarded<",
                  name, "::arena_bytes> memory;\n    static ", name, "::State state;\n    memory.set();\n    ", name,
                  "::reset(state);\n    ", name, "::run(", arguments, "memory.arena, state);\n    return memory.whole()",
                  checks, ";\n}\n");
}

}  // namespace

int main(int count, char** arguments) try {
    if (count != 4) {
        std::fputs("usage: make_networks DIRECTORY BYTE_NETWORKS REAL_NETWORKS\n", stderr);
        return 2;
    }
    const std::string directory = arguments[1];
    std::string text = "// Emitted networks and what they answer.\n#pragma once\n#include <cstddef>\n#include <cstdint>\n";
    std::string table;
    const int bytes = std::atoi(arguments[2]);
    const int reals = std::atoi(arguments[3]);
    for (int i = 0; i < bytes + reals; ++i) {
        const bool exact = i < bytes;
        const auto seed = static_cast<std::uint64_t>(900 + i);
        const std::string name = concat(exact ? "bytes_" : "reals_", i);
        text += exact ? network(random_model::make<i8>(seed, 14), name, directory, seed)
                      : network(random_model::make<f32>(seed, 14), name, directory, seed);
        table += concat("    {\"", name, "\", check_", name, "},\n");
    }
    write_file(directory + "/networks.hpp", text + "inline constexpr Case cases[] = {\n" + table + "};\n");
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "make_networks: %s\n", error.what());
    return 1;
}
