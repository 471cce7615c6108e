// SPDX-License-Identifier: MIT
// Writes emitted networks, their inputs, and what the engine on the desk answers with its scalar kernels.
// usage: make_networks DIRECTORY BYTE_NETWORKS REAL_NETWORKS (random ones; networks with states are added)

#include <mote/emit/header.hpp>
#include <mote/mote.hpp>

#include <engine/random_model.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

namespace state_layer {

using namespace mote;

/// y = state = state + x, in f32 or i8.
struct Accumulate {
    static constexpr const char* kind = "Accumulate";
    static constexpr Family family = Family::recurrent;
    static constexpr auto fields = list_fields();
};
inline void infer(const Accumulate&, InferContext& node) {
    node.expect_inputs(1);
    const Value& in = node.input(0);
    node.output(in.shape, in.element, in.quantization);
    node.state("sum", in.shape, in.element, in.quantization);
}
inline void lower(const Accumulate&, LowerContext& node) {
    const Value& in = node.input();
    StepOptions options{.inputs = {node.input_buffer(), node.state_buffer()}};
    if (in.element == Element::f32) {
        node.emit(AddStep<f32>{in.shape.elements(), {}}, std::move(options));
    } else {
        const QuantizationParams q = in.quantization.params();
        AddStep<i8> step{in.shape.elements()};
        if (!make_add_i8(q, q, q, -128, 127, step.add)) return node.unsupported("its scale");
        node.emit(step, std::move(options));
    }
    node.emit(detail::copy_of(in), {.inputs = {node.output_buffer()}, .outputs = {node.state_buffer()}});
}

}  // namespace state_layer

namespace {

using namespace mote;
using state_layer::Accumulate;

template <class P>
using Layers = append<standard_layers<P>, Accumulate>;

/// Two states, of other zero points, one behind the other.
BasicModel<Layers<i8>> byte_states() {
    BasicBuilder<Layers<i8>> b;
    const auto sum = b.add(Accumulate{}, b.input("x", {1, 3, 7}, Element::i8, QuantizationParams{0.125f, -9}));
    const auto scaled = b.add(Convert{Element::i8}, sum, {.quantization = QuantizationParams{0.6f, 21}});
    b.output("y", b.add(Accumulate{}, scaled));
    b.output("sum", sum);
    return b.build();
}
BasicModel<Layers<f32>> real_states() {
    BasicBuilder<Layers<f32>> b;
    const auto sum = b.add(Accumulate{}, b.input("x", {1, 5}));
    b.output("y", b.add(Softmax{}, b.add(Accumulate{}, sum)));
    b.output("sum", sum);
    return b.build();
}

template <class T>
std::string list(const std::string& type, const std::string& name, std::span<const T> values) {
    std::string text = concat("alignas(16) inline constexpr ", type, " ", name, "[] = {");
    for (const T value : values) text += concat(Writer::number(value), ",");
    return text + "};\n";
}

/// The header's constants of an input or output, against the model.
std::string constants(const Value& value, const std::string& name) {
    std::string text = concat("static_assert(", name, "_elements == ", value.shape.elements(), ");\n");
    if (value.quantization.present()) {
        char scale[40];
        std::snprintf(scale, sizeof scale, "%.8ef", static_cast<double>(value.quantization.params().scale));
        text += concat("static_assert(", name, "_scale == ", scale, ");\nstatic_assert(", name,
                       "_zero_point == ", value.quantization.params().zero_point, ");\n");
    }
    return text;
}

/// Emits networks; the text of their data and of the functions that check them.
class Networks {
  public:
    explicit Networks(std::string directory) : directory_(std::move(directory)) {}

    /// A model with states runs twice, is reset, and runs again.
    template <class List>
    void add(const BasicModel<List>& model, const std::string& name, std::uint64_t seed) {
        emit_header(model, directory_ + "/" + name + ".hpp", {.name = name});
        Engine engine(model, {.kernels = &scalar_kernels()});
        for (const Step& step : engine.plan().steps())
            ++written_[static_cast<std::size_t>(detail::writer_of(step) - detail::step_writers)];
        random_model::fill_inputs(engine, seed);
        std::string data;
        std::string arguments;
        std::string outputs;
        for (std::size_t i = 0; i < engine.inputs(); ++i) {
            const std::string array = concat(name, "_in_", i);
            if (engine.input_value(i).element == Element::f32) {
                data += list<float>("float", array, engine.input<float>(i));
            } else {
                data += list<std::int8_t>("std::int8_t", array, engine.input<std::int8_t>(i));
            }
            data += constants(model.value(model.inputs()[i]), concat(name, "::input_", i));
            arguments += array + ", ";
        }
        for (std::size_t i = 0; i < engine.outputs(); ++i) {
            const char* type = engine.output_value(i).element == Element::f32 ? "float" : "std::int8_t";
            outputs += concat("    static ", type, " out_", i, "[", name, "::output_", i, "_elements];\n");
            data += constants(model.value(model.outputs()[i]), concat(name, "::output_", i));
            arguments += concat("out_", i, ", ");
        }
        const std::string reset = concat("    ", name, "::reset(state);\n");
        const std::string run = concat("    ", name, "::run(", arguments, "memory.arena, state);\n");
        std::string checks = reset + run + answers(engine, name, 0, data);
        if (!engine.plan().states().empty()) {
            checks += run + answers(engine, name, 1, data);
            engine.reset();
            checks += reset + run + answers(engine, name, 2, data);
        }
        text_ += concat("#include \"", name, ".hpp\"\n", data, "inline bool check_", name, "() {\n", outputs,
                        "    static Guarded<", name, "::arena_bytes> memory;\n    static ", name,
                        "::State state;\n    memory.set();\n    bool good = true;\n", checks,
                        "    return good && memory.whole();\n}\n");
        table_ += concat("    {\"", name, "\", check_", name, "},\n");
    }

    /// The same where it has a kind of step that no network had.
    template <class List>
    void add_if_new(const BasicModel<List>& model, const std::string& name, std::uint64_t seed) {
        const Plan steps = plan(model, scalar_kernels());
        const bool is_new = std::any_of(steps.steps().begin(), steps.steps().end(), [&](const Step& step) {
            return written_[static_cast<std::size_t>(detail::writer_of(step) - detail::step_writers)] == 0;
        });
        if (is_new) add(model, name, seed);
    }

    void write() const {
        write_file(directory_ + "/networks.hpp",
                   "// Emitted networks and what they answer.\n#pragma once\n#include <cstddef>\n#include <cstdint>\n" + text_ +
                       "inline constexpr Case cases[] = {\n" + table_ + "};\n");
    }

    /// Throws where a kind of step stands in no network.
    void expect_every_step() const {
        std::string missing;
        for (std::size_t i = 0; i < written_.size(); ++i) {
            if (written_[i] == 0)
                missing += concat("\n  ", detail::step_writers[i].kind->name, ", entry ", i, " of step_writers");
        }
        if (!missing.empty()) fail("no network has these steps:", missing);
    }

  private:
    /// Runs the engine; the comparisons with its outputs.
    static std::string answers(Engine& engine, const std::string& name, int run, std::string& data) {
        engine.run();
        std::string text;
        for (std::size_t i = 0; i < engine.outputs(); ++i) {
            const std::string array = concat(name, "_out_", i, "_", run);
            if (engine.output_value(i).element == Element::f32) {
                data += list<float>("float", array, engine.output<float>(i));
            } else {
                data += list<std::int8_t>("std::int8_t", array, engine.output<std::int8_t>(i));
            }
            text += concat("    good = good && same(out_", i, ", ", array, ");\n");
            if (run == 1) text += concat("    good = good && !same(out_", i, ", ", name, "_out_", i, "_0);\n");
        }
        return text;
    }

    std::string directory_;
    std::string text_;
    std::string table_;
    std::array<std::size_t, std::size(detail::step_writers)> written_{};
};

}  // namespace

int main(int count, char** arguments) try {
    if (count != 4) {
        std::fputs("usage: make_networks DIRECTORY BYTE_NETWORKS REAL_NETWORKS\n", stderr);
        return 2;
    }
    Networks networks(arguments[1]);
    const int bytes = std::atoi(arguments[2]);
    const int reals = std::atoi(arguments[3]);
    // Without real ones they are for a board of 16 KB, and whole in int8: their program must hold no function of libm.
    const auto fits = [&](const Model<i8, wide>& model) {
        const auto real = [](const Value& value) { return value.element == Element::f32; };
        return reals > 0 || (std::none_of(model.values().begin(), model.values().end(), real) &&
                             plan(model, scalar_kernels()).memory().engine_bytes() <= 2048);
    };
    std::uint64_t seed = 1100;
    for (int i = 0; i < bytes; ++seed) {
        const Model<i8, wide> model = random_model::make<i8>(seed, 14);
        if (fits(model)) networks.add(model, concat("bytes_", i++), seed);
    }
    for (int i = bytes; i < bytes + reals; ++i, ++seed) {
        networks.add(random_model::make<f32>(seed, 14), concat("reals_", i), seed);
    }
    networks.add(byte_states(), "byte_states", 1);
    if (reals > 0) {
        networks.add(real_states(), "real_states", 2);
        for (std::uint64_t rare = 1200; rare < 1240; ++rare) {  // for the steps that are rare
            networks.add_if_new(random_model::make<i8>(rare, 14), concat("bytes_", rare), rare);
            networks.add_if_new(random_model::make<f32>(rare, 14), concat("reals_", rare), rare);
        }
        networks.expect_every_step();
    }
    networks.write();
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "make_networks: %s\n", error.what());
    return 1;
}
