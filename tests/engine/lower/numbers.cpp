// SPDX-License-Identifier: MIT
// Layers on values of plain numbers: what an engine makes of them, by element; values without elements.

#include <mote/engine/evaluate.hpp>
#include <mote/model/builder.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>

namespace lower_numbers_test {

using namespace mote;
using Numbers = ModelBuilder<f32, i8, wide>;

/// A value of these numbers in the element.
template <class P>
Constant value(std::vector<std::size_t> shape, std::vector<int> numbers) {
    Tensor<P> tensor(make_shape(shape));
    for (std::size_t i = 0; i < numbers.size(); ++i) tensor[i] = static_cast<typename P::value_type>(numbers[i]);
    return constant_of(std::move(tensor));
}
template <class P>
std::vector<int> numbers(const Constant& value) {
    CHECK(value.element == P::element);
    const auto* first = reinterpret_cast<const typename P::value_type*>(value.bytes.data());
    return {first, first + value.bytes.bytes() / sizeof *first};
}

/// The layer's outputs.
template <class L>
std::vector<Constant> run(L layer, const std::vector<Constant>& inputs, std::size_t outputs = 1) {
    Numbers b;
    std::vector<Numbers::Handle> handles;
    for (const Constant& input : inputs)
        handles.push_back(b.input(concat("x", handles.size()), make_shape(input.shape), input.element));
    for (const auto handle : b.add_outputs(std::move(layer), outputs, handles)) b.output(handle);
    Engine engine(b.build());
    return evaluate(engine, std::span<const Constant>(inputs));
}

template <class P>
void check_element() {
    INFO(P::name);
    using Values = std::vector<int>;
    const Constant x = value<P>({2, 3}, {1, 5, 3, 9, 2, 9}), y = value<P>({3}, {2, 5, 4});
    CHECK(numbers<P>(run(Binary{BinaryFunction::add}, {x, y})[0]) == Values{3, 10, 7, 11, 7, 13});
    CHECK(numbers<P>(run(Binary{BinaryFunction::div}, {value<P>({2}, {9, 8}), value<P>({2}, {3, 2})})[0]) == Values{3, 4});
    CHECK(numbers<b8>(run(Compare{Comparison::less}, {x, y})[0]) == Values{1, 0, 1, 0, 1, 0});
    CHECK(numbers<P>(run(Where{}, {value<b8>({2, 1}, {1, 0}), x, y})[0]) == Values{1, 5, 3, 2, 5, 4});
    CHECK(numbers<P>(run(Reduce{Reduction::max, {0}}, {x})[0]) == Values{9, 5, 9});
    CHECK(numbers<P>(run(Reduce{Reduction::sum, {0, 1}, false}, {x})[0]) == Values{29});
    CHECK(numbers<i64>(run(ArgMax{1, false, true, true}, {x})[0]) == Values{1, 2});
    CHECK(numbers<P>(run(MatMul{false, true}, {x, value<P>({1, 3}, {1, 2, 3})})[0]) == Values{20, 40});
    CHECK(numbers<i16>(run(Cast{Element::i16}, {x})[0]) == Values{1, 5, 3, 9, 2, 9});
    CHECK(numbers<P>(run(Cast{P::element}, {value<i64>({3}, {0, 7, 100})})[0]) == Values{0, 7, 100});
    const std::vector<Constant> top = run(TopK{1, 2}, {x}, 2);
    CHECK(numbers<P>(top[0]) == Values{5, 3, 9, 9});
    CHECK(numbers<i64>(top[1]) == Values{1, 2, 0, 2});
    CHECK(numbers<P>(run(Transpose{{1, 0}}, {x})[0]) == Values{1, 9, 5, 2, 3, 9});
    CHECK(numbers<P>(run(Pad{{0, 1}, {0, 0}, 7.0f}, {x})[0]) == Values{7, 1, 5, 3, 7, 9, 2, 9});
}

}  // namespace lower_numbers_test

TEST_CASE("lower numbers: layers compute on every element of whole bytes") {
    using namespace lower_numbers_test;
    check_element<f64>();
    check_element<f32>();
    check_element<i64>();
    check_element<i32>();
    check_element<i16>();
    check_element<i8>();
    check_element<u64>();
    check_element<u32>();
    check_element<u16>();
    check_element<u8>();
}

TEST_CASE("lower numbers: bits of integers and truth values; a convolution of integers") {
    using namespace lower_numbers_test;
    const Constant x = value<b8>({2, 2}, {1, 1, 0, 0}), y = value<b8>({2}, {1, 0});
    CHECK(numbers<b8>(run(Bitwise{BitOperation::both}, {x, y})[0]) == std::vector<int>{1, 0, 0, 0});
    CHECK(numbers<b8>(run(Bitwise{BitOperation::one}, {x, y})[0]) == std::vector<int>{0, 1, 1, 0});
    CHECK(numbers<i32>(run(Bitwise{BitOperation::shift_left}, {value<i32>({2}, {3, -1}), value<i32>({}, {2})})[0]) ==
          std::vector<int>{12, -4});
    ConvInteger2d conv{.padding = {1, 0, 0, 0}};
    conv.weight = Tensor<i32>({1, 2, 1, 1}, {10, 1});
    CHECK(numbers<i32>(run(conv, {value<i32>({1, 2, 2, 1}, {1, 2, 3, 4})})[0]) == std::vector<int>{1, 2, 13, 24});
    CHECK_ERROR(run(conv, {value<i16>({1, 2, 2, 1}, {1, 2, 3, 4})}), "ConvInteger2d", "i32 expected");
    CHECK_ERROR(run(Bitwise{}, {value<f32>({1}, {1}), value<f32>({1}, {1})}), "Bitwise", "integers or truth values");
    CHECK_ERROR(run(Bitwise{BitOperation::shift_left}, {x, y}), "Bitwise", "do not shift");
    CHECK_ERROR(run(Where{}, {value<i32>({1}, {1}), x, y}), "Where", "truth values");
    CHECK_ERROR(run(Cast{Element::i4}, {x}), "Cast", "smaller than a byte");
    CHECK_ERROR(run(TopK{0, 3}, {x}, 2), "TopK", "no 3 numbers along axis 0");
    CHECK_ERROR(run(Compare{}, {x, value<i32>({1}, {1})}), "Compare", "one element");
}

TEST_CASE("lower numbers: values without elements pass through, and are reduced to what a standard says") {
    using namespace lower_numbers_test;
    const Constant none = value<f32>({2, 0, 3}, {});
    CHECK(run(Relu{}, {none})[0].shape == std::vector<std::size_t>{2, 0, 3});
    CHECK(run(Binary{}, {none, value<f32>({3}, {1, 2, 3})})[0].shape == std::vector<std::size_t>{2, 0, 3});
    CHECK(run(Transpose{{1, 0, 2}}, {none})[0].shape == std::vector<std::size_t>{0, 2, 3});
    CHECK(numbers<f32>(run(Reduce{Reduction::sum, {1}}, {none})[0]) == std::vector<int>(6, 0));
    CHECK(numbers<f32>(run(Reduce{Reduction::prod, {1, 0}}, {none})[0]) == std::vector<int>(3, 1));
    CHECK(numbers<u8>(run(Reduce{Reduction::min, {1}}, {value<u8>({2, 0}, {})})[0]) == std::vector<int>(2, 255));
    CHECK(run(TopK{0, 0}, {value<i32>({3}, {1, 2, 3})}, 2)[0].shape == std::vector<std::size_t>{0});
    CHECK(numbers<f32>(run(Concat{1}, {none, value<f32>({2, 1, 3}, {1, 2, 3, 4, 5, 6})})[0]) ==
          std::vector<int>{1, 2, 3, 4, 5, 6});
}
