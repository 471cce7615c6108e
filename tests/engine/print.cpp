// SPDX-License-Identifier: MIT
// A printed plan says what runs, why, and where everything lies.

#include <mote/engine/print.hpp>
#include <mote/model/builder.hpp>
#include <support/catch.hpp>

using namespace mote;

TEST_CASE("print: a plan's text names nodes, kernel, reason, bytes, offsets, and the memory map") {
    ModelBuilder<f32> b;
    const auto x = b.input("image", {1, 4, 4, 2});
    auto y = b.add(Conv2d<f32>{.weight = Tensor<f32>({8, 3, 3, 2}), .padding = uniform_padding(1)}, x, {.name = "first"});
    y = b.add(Relu{}, y, {.name = "relu"});
    y = b.add(Tanh{}, y, {.name = "bent"});
    y = b.add(Tanh{}, y, {.name = "again"});
    b.output("result", b.add(GlobalAveragePool{}, y, {.name = "mean"}));
    const Plan p = plan(b.build());
    const std::string text = to_string(p);
    INFO(text);
    for (const char* part : {"first + relu", "conv2d", "tanh", "over 'bent'", "the window is the image", "image", "result",
                             "input + 0", "output + 128", "arena + 0", "last step", "packed constants"}) {
        CHECK(text.find(part) != std::string::npos);
    }
    CHECK(text.find(p.kernels().conv2d_f32.name) != std::string::npos);
    CHECK(text.find(concat("arena ", p.arena_bytes(), " bytes (at least ", p.memory().arena_least_bytes,
                           " live at one time)")) != std::string::npos);
    CHECK((text.find("first scratch") != std::string::npos) == p.steps()[0].has_scratch);
}
