// SPDX-License-Identifier: MIT
// mote in the race: a .mote or .tflite file on the best kernels that this machine runs (MOTE_INSTRUCTION_SET chooses others).

#include "side.hpp"

#include <mote/engine/dispatch.hpp>
#include <mote/io/mote_file.hpp>
#include <mote/io/tflite/import.hpp>
#include <mote/mote.hpp>

namespace {

using namespace mote;

/// Options for so many threads, where an Engine of this version has them.
template <class Options>
Options engine_options(int threads) {
    Options options{.kernels = &best_kernels()};
    if constexpr (requires { options.threads; }) {
        options.threads = narrow<decltype(options.threads)>(threads);
    } else if (threads != 1) {
        fail("an Engine runs on one thread");
    }
    return options;
}

void run(const race::Arguments& arguments) {
    const auto options = engine_options<EngineOptions>(arguments.threads);
    const AnyModel model = arguments.model.ends_with(".tflite") ? load_tflite(arguments.model) : load_mote(arguments.model);
    Engine engine(model, options);
    const NpyArray input = load_npy(arguments.input);
    const Shape& shape = engine.input_value().shape;
    if (input.shape != shape) fail("the input is [", to_string(input.shape), "]; [", to_string(shape), "] is expected");
    const auto fill = [&]<class T>(std::span<T> to) { std::ranges::copy(input.values<T>(), to.begin()); };
    if (engine.input_value().element == Element::i8) {
        fill(engine.input<std::int8_t>());
    } else {
        fill(engine.input<float>());
    }
    engine.run();
    for (std::size_t i = 0; i < engine.outputs(); ++i) {
        const Value& value = engine.output_value(i);
        const bool bytes = value.element == Element::i8;
        race::save_answer(
            arguments, i, value.shape, value.element,
            bytes ? static_cast<const void*>(engine.output<std::int8_t>(i).data()) : engine.output<float>(i).data());
    }
    race::serve([&] { engine.run(); });
}

}  // namespace

int main(int argc, char** argv) {
    return race::main_of(argc, argv, run);
}
