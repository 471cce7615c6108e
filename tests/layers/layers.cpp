// SPDX-License-Identifier: MIT
// Type lists: what a model may hold.

#include <mote/layers/layers.hpp>

#include <support/catch.hpp>

#include <set>
#include <string>

namespace layer_lists_test {

using namespace mote;

struct Own {
    static constexpr const char* kind = "Own";
    static constexpr Family family = Family::elementwise;
    static constexpr auto fields = list_fields();
};

template <class... L>
std::set<std::string> kinds(LayerList<L...>) {
    static_assert((LayerType<L> && ...));
    return {L::kind...};
}

template <class... L>
bool counted_in_order(LayerList<L...>) {
    using List = LayerList<L...>;
    std::size_t place = 0;
    return ((index_in<L, List> == place++) && ...);
}

}  // namespace layer_lists_test

TEST_CASE("layer lists: the standard layers of a precision are all there, each at its own place") {
    using namespace layer_lists_test;
    std::set<std::string> all{"Conv2d",      "DepthwiseConv2d", "Dense",     "BatchNorm", "Add",
                              "Mul",         "Concat",          "Pad",       "MaxPool2d", "AveragePool2d",
                              "Relu",        "Relu6",           "LeakyRelu", "Sigmoid",   "GlobalAveragePool",
                              "HardSigmoid", "HardSwish",       "Reshape",   "Flatten",   "Transpose",
                              "Convert",     "Softmax",         "Tanh"};
    CHECK(kinds(standard_layers<f32>{}) == all);
    all.insert({"Resize2d", "ArgMaxPool", "TransposeConv2d", "Unary",   "Binary", "Slice", "Gather",       "Tile",
                "Constant", "Reduce",     "ArgMax",          "MatMul",  "Prelu",  "Lstm",  "Gru",          "Rnn",
                "Svdf",     "Cast",       "Compare",         "Bitwise", "Where",  "TopK",  "ConvInteger2d"});
    CHECK(kinds(standard_layers<f32, wide>{}) == all);
    CHECK(all.size() == standard_layers<f32, wide>::size);
    CHECK(counted_in_order(standard_layers<f32, i8>{}));
    CHECK(counted_in_order(standard_layers<wide, f32, i8>{}));
}

TEST_CASE("layer lists: a list holds the layers of its precisions and no others; BatchNorm is f32 only") {
    using namespace layer_lists_test;
    STATIC_REQUIRE(contains<Conv2d<i8>, standard_layers<i8>>);
    STATIC_REQUIRE(!contains<Conv2d<f32>, standard_layers<i8>>);
    STATIC_REQUIRE(!contains<BatchNorm, standard_layers<i8>>);
    STATIC_REQUIRE(contains<BatchNorm, standard_layers<i8, f32>>);
    STATIC_REQUIRE(standard_layers<f32, i8>::size == standard_layers<f32>::size + 3);
    STATIC_REQUIRE(standard_layers<f32, i8, wide>::size == standard_layers<f32, wide>::size + 6);
}

TEST_CASE("layer lists: an application's own layer is appended and the others keep their places") {
    using namespace layer_lists_test;
    using Extended = append<standard_layers<f32>, Own>;
    STATIC_REQUIRE(index_in<Own, Extended> == standard_layers<f32>::size);
    STATIC_REQUIRE(index_in<BatchNorm, Extended> == index_in<BatchNorm, standard_layers<f32>>);
    STATIC_REQUIRE(!contains<Own, standard_layers<f32>>);
    STATIC_REQUIRE(index_in<Own, standard_layers<f32>> == standard_layers<f32>::size);
}
