// SPDX-License-Identifier: MIT
// equalize: the same function, and channels that one scale fits.

#include <mote/quantization/compare.hpp>
#include <mote/transform/equalize.hpp>
#include <mote/transform/quantize.hpp>

#include <support/catch.hpp>
#include <transform/networks.hpp>

namespace equalize_test {

using namespace mote;

/// conv -> relu -> depthwise -> relu -> conv, with a residual; between them channel c is larger by 2^(c - 4).
Model<f32, wide> uneven(std::uint64_t seed) {
    Random random(seed);
    ModelBuilder<f32, wide> b;
    Conv2d<f32> first = networks::conv(random, 3, 8), last = networks::conv(random, 8, 4, 1);
    for (std::size_t i = 0; i < first.weight.elements(); ++i) {
        first.weight[i] *= std::exp2(static_cast<float>(i / 27) - 4.0f);
    }
    for (std::size_t c = 0; c < 8; ++c) first.bias[c] *= std::exp2(static_cast<float>(c) - 4.0f);
    for (std::size_t i = 0; i < last.weight.elements(); ++i) last.weight[i] *= std::exp2(4.0f - static_cast<float>(i % 8));
    const auto x = b.add(Relu{}, b.add(first, b.input("image", {1, 6, 6, 3}), {.name = "first"}));
    const auto y = b.add(Relu{}, b.add(networks::depthwise(random, 8), x, {.name = "depth"}));
    b.output("y", b.add(last, y, {.name = "last"}));
    return b.build();
}

TEST_CASE("equalize: networks compute what they computed, whatever the migration") {
    for (const double migration : {0.0, 0.5, 1.0}) {
        const Tensor<f32> images = networks::samples(2, {8, 6, 6, 3});
        for (const Model<f32, wide>& model : {networks::mixed(1), uneven(1)}) {
            const Model<f32, wide> equal = equalize(model, images, {.migration = migration});
            CHECK(networks::difference(model, equal) < 1e-4);
            bool changed = false;
            const Model<f32, wide> folded = fold(model);
            for (std::size_t i = 0; i < folded.nodes().size(); ++i) {
                const auto* before = get_if<Conv2d<f32>>(folded, folded.nodes()[i]);
                changed =
                    changed || (before != nullptr && !mote::equal(*before, *get_if<Conv2d<f32>>(equal, equal.nodes()[i])));
            }
            CHECK(changed);
        }
    }
}

TEST_CASE("equalize: channels of uneven size lose less to int8 afterwards") {
    const Tensor<f32> images = networks::samples(4, {32, 6, 6, 3});
    const Model<f32, wide> model = uneven(3);
    const double before = compare(model, quantize<i8, wide>(model, images), images).back().sqnr;
    const Model<f32, wide> equal = equalize(model, images);
    const double after = compare(model, quantize<i8, wide>(equal, images), images).back().sqnr;
    CHECK(after > before + 6.0);  // a step of two bits
}

TEST_CASE("equalize: channels of zeros keep finite weights, and a migration beyond 0 to 1 is an error") {
    Graph<standard_layers<f32, wide>> graph = networks::plain(5).graph();
    networks::set_slice(graph, 0, "weight", 0, 3, 0.0f);
    networks::set_slice(graph, 0, "bias", 0, 3, 0.0f);
    networks::set_slice(graph, 2, "weight", 3, 1, 0.0f);
    const Model<f32, wide> model(graph);
    const Tensor<f32> images = networks::samples(6, {4, 6, 6, 2});
    CHECK(networks::difference(model, equalize(model, images)) < 1e-4);
    CHECK_THROWS_WITH(equalize(model, images, {.migration = 1.5}), Catch::Contains("1.5") && Catch::Contains("0 to 1"));
}

}  // namespace equalize_test
