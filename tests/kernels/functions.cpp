// SPDX-License-Identifier: MIT
// Functions over arrays: every element is the function's value, and arrays that repeat are read where they should be.

#include <mote/kernels/functions.hpp>

#include <support/catch.hpp>
#include <support/generate.hpp>

#include <utility>

namespace function_kernels_test {

using namespace support;
using namespace mote::kernels::reference;

template <std::size_t... I>
void check_unary(std::index_sequence<I...>) {
    mote::Random random(3);
    const std::vector<float> x = floats(13, random);
    const auto check = [&](mote::UnaryFunction function, auto named) {
        std::vector<float> y(x.size()), z = x;
        unary_function_f32(function, x.size(), 0.5f, 0.75f, x.data(), y.data());
        named(x.size(), 0.5f, 0.75f, z.data(), z.data());  // in its place
        for (std::size_t i = 0; i < x.size(); ++i) {
            const float wanted = mote::unary_value(function, 0.5f, 0.75f, x[i]);
            CAPTURE(static_cast<int>(function), x[i], y[i], z[i], wanted);
            CHECK((y[i] == wanted || (std::isnan(wanted) && std::isnan(y[i]))));
            CHECK((z[i] == wanted || (std::isnan(wanted) && std::isnan(z[i]))));
        }
    };
    (check(static_cast<mote::UnaryFunction>(I),
           [](auto... argument) { unary_function_f32<static_cast<mote::UnaryFunction>(I)>(argument...); }),
     ...);
}

/// a [2, 1, 3, 1] and b [4, 1, 5] make [2, 4, 3, 5].
struct Repeating {
    static constexpr std::int32_t rank = 4, extent[] = {2, 4, 3, 5}, a_stride[] = {3, 0, 1, 0}, b_stride[] = {0, 5, 0, 1};
};

template <std::size_t... I>
void check_binary(std::index_sequence<I...>) {
    mote::Random random(4);
    const std::vector<float> a = floats(6, random), b = floats(20, random);
    mote::BroadcastGeometry g;
    g.rank = Repeating::rank;
    for (int axis = 0; axis < 4; ++axis) {
        g.extent[axis] = Repeating::extent[axis];
        g.a_stride[axis] = Repeating::a_stride[axis];
        g.b_stride[axis] = Repeating::b_stride[axis];
    }
    const auto check = [&](mote::BinaryFunction function, auto named) {
        std::vector<float> y(120), z(120);
        binary_function_f32(function, g, a.data(), b.data(), y.data());
        named(Repeating{}, a.data(), b.data(), z.data());
        for (std::size_t i = 0; i < 120; ++i) {
            const std::size_t n = i / 60, c = i / 15 % 4, r = i / 5 % 3, k = i % 5;
            const float wanted = mote::binary_value(function, a[n * 3 + r], b[c * 5 + k]);
            CAPTURE(static_cast<int>(function), i, y[i], z[i], wanted);
            CHECK((y[i] == wanted || (std::isnan(wanted) && std::isnan(y[i]))));
            CHECK((z[i] == wanted || (std::isnan(wanted) && std::isnan(z[i]))));
        }
    };
    (check(static_cast<mote::BinaryFunction>(I),
           [](auto... argument) { binary_function_f32<static_cast<mote::BinaryFunction>(I)>(argument...); }),
     ...);
}

}  // namespace function_kernels_test

TEST_CASE("functions over arrays: every function of one number, chosen at run time and by name") {
    function_kernels_test::check_unary(std::make_index_sequence<mote::unary_functions>());
}

TEST_CASE("functions over arrays: every function of two numbers, both sides repeated") {
    function_kernels_test::check_binary(std::make_index_sequence<mote::binary_functions>());
}

TEST_CASE("functions over arrays: one element at rank 0, none where an extent is 0") {
    using namespace function_kernels_test;
    const float a = 2.0f, b = 3.0f;
    float y[2] = {-1.0f, -1.0f};
    mote::BroadcastGeometry g;
    binary_function_f32(mote::BinaryFunction::add, g, &a, &b, y);
    CHECK(y[0] == 5.0f);
    g.rank = 2;
    g.extent[0] = 2;
    binary_function_f32(mote::BinaryFunction::mul, g, &a, &b, y);
    CHECK(y[0] == 5.0f);
    CHECK(y[1] == -1.0f);
}
