// SPDX-License-Identifier: MIT
// SampleWriter: the samples' text, the answers' bytes, and what is refused. (tests/firmware compiles and repeats them.)

#include <mote/emit/samples.hpp>
#include <mote/model/builder.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>
#include <support/instances.hpp>

namespace samples_test {

using namespace mote;

TEST_CASE("samples: inputs are numbers of their type, answers the bytes of memory, a line a sample") {
    ModelBuilder<f32> b;
    b.output("y", b.add(Relu{}, b.input("x", {1, 2})));
    Engine engine(b.build(), {.kernels = &scalar_kernels()});
    SampleWriter samples(engine);
    for (const float first : {1.0f, -2.0f}) {
        engine.input<float>(0)[0] = first;
        engine.input<float>(0)[1] = 0.5f;
        samples.add();
    }
    CHECK(samples.expected() == "0000803f0000003f\n000000000000003f\n");
    const std::string text = samples.header();
    CHECK(text.find("using Input = float;") != std::string::npos);
    CHECK(text.find("count = 2;") != std::string::npos);
    CHECK(text.find("input_elements = 2;") != std::string::npos);
    CHECK(text.find("{0x1p+0f,0x1p-1f,},\n{-0x1p+1f,0x1p-1f,},\n") != std::string::npos);
}

TEST_CASE("samples: a network of two inputs is refused") {
    ModelBuilder<f32> b;
    const auto x = b.input("x", {1, 2});
    b.output("y", b.add(Add{}, {x, b.input("z", {1, 2})}));
    Engine engine(b.build(), {.kernels = &scalar_kernels()});
    CHECK_ERROR(SampleWriter(engine), "2 inputs and 1 outputs", "one of each");
}

}  // namespace samples_test
