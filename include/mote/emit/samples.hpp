// SPDX-License-Identifier: MIT
#pragma once
// SampleWriter: inputs of a network and what the engine answers to them, as a program for firmware compiles and repeats them.

#include <mote/emit/writer.hpp>
#include <mote/engine/engine.hpp>
#include <mote/tensor/file.hpp>

MOTE_BEGIN_NAMESPACE

/// Collects samples of a network with one input and one output, each in f32 or i8.
class SampleWriter {
  public:
    /// The engine must outlive this. Throws an Error where the network is another.
    explicit SampleWriter(Engine& engine) : engine_(engine) {
        if (engine.inputs() != 1 || engine.outputs() != 1) {
            fail("samples: the network has ", engine.inputs(), " inputs and ", engine.outputs(),
                 " outputs; one of each is expected");
        }
        type_name(engine.input_value());
        type_name(engine.output_value());
    }

    /// Runs the engine on what its input holds. States go on from the sample before.
    void add() {
        const Value& input = engine_.input_value();
        inputs_ += input.element == Element::f32 ? list(engine_.template input<float>(0))
                                                 : list(engine_.template input<std::int8_t>(0));
        engine_.run();
        const Value& output = engine_.output_value();
        const std::span<const std::byte> bytes = output.element == Element::f32
                                                     ? std::as_bytes(engine_.template output<float>(0))
                                                     : std::as_bytes(engine_.template output<std::int8_t>(0));
        for (const std::byte byte : bytes) {
            for (const int shift : {4, 0}) expected_ += "0123456789abcdef"[std::to_integer<int>(byte) >> shift & 15];
        }
        expected_ += '\n';
        ++count_;
    }

    /// A header: namespace samples with the samples' count, the types of input and output, and the inputs.
    std::string header() const {
        const Value& input = engine_.input_value();
        return concat(
            "// Inputs of a network.\n#pragma once\n#include <cstddef>\n#include <cstdint>\nnamespace samples {\nusing Input "
            "= ",
            type_name(input), ";\nusing Output = ", type_name(engine_.output_value()),
            ";\ninline constexpr int count = ", count_,
            ";\ninline constexpr std::size_t input_elements = ", input.shape.elements(),
            ";\nalignas(4) inline constexpr Input input[count][input_elements] = {\n", inputs_,
            "};\n}  // namespace samples\n");
    }
    /// A line a sample: the bytes of the output as they stand in memory, in hexadecimal.
    const std::string& expected() const noexcept { return expected_; }

    /// Writes samples.hpp and expected.txt.
    void write(const std::string& directory) const {
        write_file(directory + "/samples.hpp", header());
        write_file(directory + "/expected.txt", expected_);
    }

  private:
    static const char* type_name(const Value& value) {
        if (value.element == Element::f32) return "float";
        if (value.element == Element::i8) return "std::int8_t";
        fail("samples: value ", to_string(value), " is an input or output; f32 and i8 are supported");
    }
    template <class T>
    static std::string list(std::span<const T> values) {
        std::string text = "{";
        for (std::size_t i = 0; i < values.size(); ++i) text += Writer::number(values[i]) + (i % 32 == 31 ? ",\n" : ",");
        return text + "},\n";
    }
    template <class T>
    static std::string list(std::span<T> values) {
        return list(std::span<const T>(values));
    }

    Engine& engine_;
    std::string inputs_;
    std::string expected_;
    int count_ = 0;
};

MOTE_END_NAMESPACE
