// SPDX-License-Identifier: MIT
// Steps know their type without RTTI.

#include <mote/engine/step.hpp>
#include <support/catch.hpp>

namespace step_test {
struct First {
    static constexpr const char* name = "same name";
    int number = 0;
};
struct Second {
    static constexpr const char* name = "same name";
    int number = 0;
};
}  // namespace step_test

using namespace mote;

TEST_CASE("step: get_if finds the type that made it and no other, whatever its name") {
    Step step;
    step.kind = &step_kind<step_test::First>;
    step.data = make_erased(step_test::First{7});
    REQUIRE(get_if<step_test::First>(step) != nullptr);
    CHECK(get_if<step_test::First>(step)->number == 7);
    CHECK(get_if<step_test::Second>(step) == nullptr);
    CHECK(get_if<step_test::First>(Step{}) == nullptr);
}

TEST_CASE("step: operands are typed by the one who reads them") {
    float x[2] = {1, 2};
    std::int8_t y[2] = {3, 4};
    std::byte* operands[] = {reinterpret_cast<std::byte*>(x), reinterpret_cast<std::byte*>(y)};
    CHECK(operand<const float>(operands, 0)[1] == 2.0f);
    CHECK(operand<std::int8_t>(operands, 1)[1] == 4);
}
