// SPDX-License-Identifier: MIT
#pragma once
// Figures of a network as papers count them, and the checks that every network of the zoo passes.

#include <mote/model/builder.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>
#include <support/instances.hpp>

#include <limits>

namespace zoo_test {

/// Cost counts BatchNorm's statistics as parameters and its multiplications as MACs; papers and frameworks count neither.
struct Figures {
    std::uint64_t parameters = 0;  ///< weights and biases
    std::uint64_t statistics = 0;  ///< BatchNorm's means and variances
    std::uint64_t normed = 0;      ///< channels of all BatchNorms: a bias before each adds as many parameters
    std::uint64_t macs = 0;        ///< of convolutions and dense layers
};

template <class List>
Figures figures(const mote::BasicModel<List>& model) {
    Figures result;
    for (std::size_t i = 0; i < model.nodes().size(); ++i) {
        mote::visit(model, model.nodes()[i], [&](const auto& layer) {
            using L = std::remove_cvref_t<decltype(layer)>;
            mote::for_each_parameter(layer, [&](const auto& field, const auto& tensor) {
                (field.role == mote::Role::statistic ? result.statistics : result.parameters) += tensor.elements();
            });
            if (L::family == mote::Family::contraction) result.macs += model.cost(i).macs;
        });
    }
    result.normed = result.statistics / 2;
    CHECK(model.cost().parameters == result.parameters + result.statistics);
    return result;
}

/// The count in millions, for published figures of few digits.
inline double millions(std::uint64_t count) {
    return static_cast<double>(count) / 1e6;
}

template <class List>
const mote::Shape& output_shape(const mote::BasicModel<List>& model) {
    return model.value(model.outputs().front()).shape;
}

/// One sample goes to [1, outputs], three go to [3, outputs].
template <class List>
void check_output(const mote::BasicModel<List>& model, std::size_t outputs) {
    REQUIRE(model.outputs().size() == 1);
    CHECK(output_shape(model) == mote::Shape{1, outputs});
    CHECK(output_shape(mote::with_batch(model, 3)) == mote::Shape{3, outputs});
}

/// The memory map wastes less than a tenth of what lives at one time, and packed weights are as large as the weights.
template <class List>
void check_memory(const mote::BasicModel<List>& model) {
    const mote::PlanMemory memory = mote::plan(model, {.memory = mote::Memory::lean}).memory();
    CHECK(memory.arena_bytes >= memory.arena_least_bytes);
    CHECK(memory.arena_bytes * 10 <= memory.arena_least_bytes * 11);
    CHECK(memory.transformed_bytes == 0);
    CHECK(memory.constant_bytes * 10 <= model.cost().weight_bytes * 11);
}

/// A network with options of no meaning is refused by name.
template <class Network, class Options>
void check_refusals(const char* name, Network (*network)(const Options&), Options options = {}) {
    auto refused = [&](const char* what, auto&& change) {
        Options wrong = options;
        change(wrong);
        CHECK_ERROR(network(wrong), name, what, "is accepted");
    };
    refused("classes is 0", [](Options& o) { o.classes = 0; });
    refused("classes is", [](Options& o) { o.classes = static_cast<std::size_t>(-1); });
    if constexpr (requires { options.image; }) {
        refused("image.height is 0", [](Options& o) { o.image.height = 0; });
        refused("image.width is", [](Options& o) { o.image.width = static_cast<std::size_t>(-1); });
        refused("channels is 0", [](Options& o) { o.channels = 0; });
    }
    if constexpr (requires { options.width; }) {
        refused("width is 0", [](Options& o) { o.width = 0.0; });
        refused("width is -1", [](Options& o) { o.width = -1.0; });
        refused("width is nan", [](Options& o) { o.width = std::numeric_limits<double>::quiet_NaN(); });
        refused("width is 1e+09", [](Options& o) { o.width = 1e9; });
    }
}

}  // namespace zoo_test
