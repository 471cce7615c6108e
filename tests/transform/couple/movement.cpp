// SPDX-License-Identifier: MIT
// couple: where elements go is found by running the layer, constants are told from places.

#include <mote/transform/couple/movement.hpp>

#include <support/catch.hpp>
#include <transform/networks.hpp>

namespace couple_movement_test {

using namespace mote;

template <class L>
std::vector<std::size_t> moved(L layer, const std::vector<Shape>& inputs) {
    ModelBuilder<f32, wide> b;
    std::vector<ModelBuilder<f32, wide>::Handle> handles;
    for (const Shape& shape : inputs) handles.push_back(b.input(concat("x", handles.size()), shape));
    b.output("y", b.add(std::move(layer), std::span<const ModelBuilder<f32, wide>::Handle>(handles)));
    const Model<f32, wide> model = b.build();
    return detail::moved_elements(model.graph(), model.nodes()[0])[0];
}
constexpr std::size_t none = detail::constant_element;
using Places = std::vector<std::size_t>;

TEST_CASE("couple: movement layers give the place of every element") {
    CHECK(moved(Flatten{}, {{1, 2, 2}}) == Places{0, 1, 2, 3});
    CHECK(moved(Reshape{{1, 4, 1}}, {{1, 2, 2}}) == Places{0, 1, 2, 3});
    CHECK(moved(Transpose{{0, 2, 1}}, {{1, 2, 3}}) == Places{0, 3, 1, 4, 2, 5});
    CHECK(moved(Concat{}, {{1, 2, 1}, {1, 2, 2}}) == Places{0, 2, 3, 1, 4, 5});
    CHECK(moved(Slice{{0, 1, 1}, {-1, -1, -1}, {1, -1, 1}}, {{1, 2, 3}}) == Places{4, 5, 1, 2});
    CHECK(moved(Gather{-1, Tensor<i32>(Shape{3}, {1, 0, 1})}, {{1, 2, 2}}) == Places{1, 0, 1, 3, 2, 3});
    CHECK(moved(Tile{{1, 2, 2}}, {{1, 1, 2}}) == Places{0, 1, 0, 1, 0, 1, 0, 1});
}

TEST_CASE("couple: what Pad makes up is no place, whatever number it is") {
    for (const float value : {0.0f, 1.0f, 2.0f, 0.5f, -1.0f, 1e30f, -HUGE_VALF}) {
        CHECK(moved(Pad{.before = {0, 1}, .after = {0, 2}, .value = value}, {{1, 3}}) == Places{none, 0, 1, 2, none, none});
    }
}

}  // namespace couple_movement_test
