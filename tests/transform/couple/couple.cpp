// SPDX-License-Identifier: MIT
// The verb couple over a model: channels of an application's layers, states, and values.

#include <mote/transform/prune_channels.hpp>

#include <support/catch.hpp>
#include <transform/networks.hpp>

namespace couple_test {

using namespace mote;

/// A number a channel, and no word about coupling.
struct SilentScale {
    Tensor<f32> factor{};
    static constexpr const char* kind = "SilentScale";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields(Field{"factor", &SilentScale::factor, Role::weight, 0});
};
void infer(const SilentScale&, InferContext& node) {
    node.output(node.input(0).shape, node.input(0).element);
}
struct SilentScaleStep {
    static constexpr const char* name = "silent_scale";
    std::size_t count, channels;
    Tensor<f32> factor;
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        const auto* in = reinterpret_cast<const float*>(operands[0]);
        auto* out = reinterpret_cast<float*>(operands[1]);
        for (std::size_t i = 0; i < count; ++i) out[i] = in[i] * factor[i % channels];
    }
};
void lower(const SilentScale& layer, LowerContext& node) {
    node.emit(SilentScaleStep{node.input().shape.elements(), node.input().shape.back(), layer.factor});
}

/// The same with the verb.
struct SpeakingScale : SilentScale {
    static constexpr const char* kind = "SpeakingScale";
    static constexpr auto fields = list_fields(Field{"factor", &SpeakingScale::factor, Role::weight, 0});
};
void couple(const SpeakingScale& layer, CoupleContext& node) {
    const std::vector<Channel> channels = node.input_channels(0);
    node.slices(layer, channels, {});
    node.output(channels);
}

/// Movement of an application: the elements in reverse.
struct Backwards {
    static constexpr const char* kind = "Backwards";
    static constexpr Family family = Family::movement;
    static constexpr auto fields = list_fields();
};
void infer(const Backwards&, InferContext& node) {
    node.output(node.input(0).shape, node.input(0).element);
}
struct BackwardsStep {
    static constexpr const char* name = "backwards";
    std::size_t count, last;
    void run(const KernelTable&, std::byte* const* operands) const noexcept {
        const auto* in = reinterpret_cast<const float*>(operands[0]);
        auto* out = reinterpret_cast<float*>(operands[1]);
        for (std::size_t i = 0; i < count; ++i) out[i] = in[i / last * last + last - 1 - i % last];
    }
};
void lower(const Backwards&, LowerContext& node) {
    node.emit(BackwardsStep{node.input().shape.elements(), node.input().shape.back()});
}

using List = append<standard_layers<f32, wide>, SilentScale, SpeakingScale, Backwards>;

template <class L>
BasicModel<List> between(L layer) {
    Random random(1);
    BasicBuilder<List> b;
    auto x = b.add(networks::conv(random, 2, 8), b.input("x", {1, 3, 3, 2}), {.name = "conv"});
    x = b.add(std::move(layer), x, {.name = "own"});
    b.output("y", b.add(networks::conv(random, 8, 3), x, {.name = "next"}));
    return b.build();
}

TEST_CASE("couple: an application's layer that says nothing keeps its channels, and the error names it") {
    Random random(2);
    SilentScale layer;
    layer.factor = networks::normal(random, Shape{8}, 1.0f);
    CHECK_THROWS_WITH(prune(between(layer), ChannelPruning{.keep = 0.5}),
                      Catch::Contains("'own' (SilentScale) states no couple"));
}

TEST_CASE("couple: an application's layer with the verb shrinks with its channels") {
    Random random(2);
    SpeakingScale layer;
    layer.factor = networks::normal(random, Shape{8}, 1.0f);
    const auto slim = prune(between(layer), ChannelPruning{.keep = 0.5});
    CHECK(networks::layer<SpeakingScale>(slim, "own").factor.shape() == Shape{4});
    CHECK(networks::layer<Conv2d<f32>>(slim, "next").weight.shape() == Shape{3, 3, 3, 4});
}

TEST_CASE("couple: an application's movement is followed by running it") {
    const BasicModel<List> model = between(Backwards{});
    const auto groups = channel_groups(model);
    REQUIRE(groups[0].name == "conv");
    for (const auto& channel : groups[0].channels) {
        std::size_t made = 8, read = 8;
        for (const ParameterSlice& slice : channel) (slice.output ? made : read) = slice.index;
        CHECK(read == 7 - made);
    }
    CHECK(prune(model, ChannelPruning{.keep = 0.5}).cost().macs < model.cost().macs);
}

}  // namespace couple_test
