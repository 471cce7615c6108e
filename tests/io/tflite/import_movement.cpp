// SPDX-License-Identifier: MIT
// import_tflite: operators that move elements, against their definition in the TensorFlow documentation.

#include <mote/engine/engine.hpp>
#include <mote/io/tflite/import.hpp>

#include <io/tflite/writer.hpp>
#include <support/catch.hpp>
#include <support/error_text.hpp>

namespace tflite_movement_test {

using namespace mote;
using tflite_test::MadeTensor;
using tflite_test::OneOperator;
using tflite_test::Writer;
using Numbers = std::vector<float>;
constexpr auto f32s = MadeTensor::f32;
constexpr auto i8s = MadeTensor::i8;

MadeTensor integers(Numbers numbers) {
    const auto count = static_cast<std::int32_t>(numbers.size());
    return {{count}, MadeTensor::i32, std::move(numbers)};
}
template <class T>
Writer::Item option(const tflite::Option<T>& which, std::int64_t value) {
    return Writer::item(which.field, value);
}

/// What each output holds where the first input counts up from 0; the rest of the operator is in `op`.
std::vector<Numbers> answers(const OneOperator& op, bool bytes) {
    OneOperator made = op;
    for (std::vector<MadeTensor>* list : {&made.inputs, &made.outputs}) {
        for (MadeTensor& t : *list) {
            if (bytes && t.type == f32s) t.type = i8s;
        }
    }
    const AnyModel model = import_tflite(made.file());
    Engine engine(model);
    for (std::size_t k = 0; k < engine.inputs(); ++k) {
        for (std::size_t i = 0; i < engine.input_value(k).shape.elements(); ++i) {
            if (bytes) {
                engine.input<std::int8_t>(k)[i] = static_cast<std::int8_t>(i);
            } else {
                engine.input<float>(k)[i] = static_cast<float>(i);
            }
        }
    }
    engine.run();
    std::vector<Numbers> result;
    for (std::size_t k = 0; k < engine.outputs(); ++k) {
        const Shape& shape = engine.output_value(k).shape;
        CHECK(std::vector<std::int32_t>(shape.begin(), shape.end()) == made.outputs[k].shape);
        result.emplace_back();
        for (std::size_t i = 0; i < shape.elements(); ++i) {
            result.back().push_back(bytes ? static_cast<float>(engine.output<std::int8_t>(k)[i]) : engine.output<float>(k)[i]);
        }
    }
    return result;
}
/// In f32 and in int8; what is made up is 0, the byte 3.
void check(const OneOperator& op, std::vector<Numbers> expected) {
    INFO(op.name);
    CHECK(answers(op, false) == expected);
    constexpr float made_up = 0.0f;
    for (Numbers& numbers : expected) {
        for (float& x : numbers) x = std::signbit(x) && x == made_up ? 3.0f : x;
    }
    CHECK(answers(op, true) == expected);
}
constexpr float none = -0.0f;  ///< equal to 0, but told from an element that is 0

MadeTensor real(std::vector<std::int32_t> shape) {
    return {std::move(shape), f32s, {}};
}

}  // namespace tflite_movement_test

TEST_CASE("tflite movement: slices, splits and stacks") {
    using namespace tflite_movement_test;
    namespace o = tflite;
    check({"SLICE", 0, {}, {real({2, 3}), integers({0, 1}), integers({-1, 2})}, {real({2, 2})}}, {{1, 2, 4, 5}});
    const auto strided = [](std::vector<Writer::Item> masks, Numbers begin, Numbers end, Numbers stride,
                            std::vector<std::int32_t> shape) {
        return OneOperator{"STRIDED_SLICE",
                           o::strided_slice::begin_mask.kind,
                           std::move(masks),
                           {real({2, 3, 4}), integers(std::move(begin)), integers(std::move(end)), integers(std::move(stride))},
                           {real(std::move(shape))}};
    };
    check(strided({}, {1, 0, 3}, {2, -1, 0}, {1, 1, -2}, {1, 2, 2}), {{15, 13, 19, 17}});
    check(strided({option(o::strided_slice::begin_mask, 1), option(o::strided_slice::end_mask, 3)}, {9, 1, 1}, {9, 9, 2},
                  {1, 1, 1}, {2, 2, 1}),
          {{5, 9, 17, 21}});
    check(strided({option(o::strided_slice::shrink_axis_mask, 2)}, {0, -1}, {2, 0}, {1, 1}, {2, 4}),
          {{8, 9, 10, 11, 20, 21, 22, 23}});
    check(strided({option(o::strided_slice::ellipsis_mask, 1), option(o::strided_slice::new_axis_mask, 2)}, {0, 0, 1},
                  {0, 0, 2}, {1, 1, 1}, {2, 3, 1, 1}),
          {{1, 5, 9, 13, 17, 21}});
    check({"SPLIT",
           o::split::num_splits.kind,
           {option(o::split::num_splits, 2)},
           {integers({1}), real({1, 4, 1})},
           {real({1, 2, 1}), real({1, 2, 1})}},
          {{0, 1}, {2, 3}});
    check({"SPLIT_V", 0, {}, {real({1, 5}), integers({2, -1}), integers({-1})}, {real({1, 2}), real({1, 3})}},
          {{0, 1}, {2, 3, 4}});
    check({"PACK", o::pack::axis.kind, {option(o::pack::axis, 1)}, {real({1, 2}), {{1, 2}, f32s, {7, 8}}}, {real({1, 2, 2})}},
          {{0, 1, 7, 8}});
    check({"UNPACK", o::unpack::axis.kind, {option(o::unpack::axis, 1)}, {real({1, 2, 3})}, {real({1, 3}), real({1, 3})}},
          {{0, 1, 2}, {3, 4, 5}});
    check({"REVERSE_V2", 0, {}, {real({2, 3}), integers({-1})}, {real({2, 3})}}, {{2, 1, 0, 5, 4, 3}});
}

TEST_CASE("tflite movement: gatherings, repetitions and mirrors") {
    using namespace tflite_movement_test;
    namespace o = tflite;
    check({"GATHER",
           o::gather::axis.kind,
           {option(o::gather::axis, 1)},
           {real({1, 4, 2}), {{2, 2}, MadeTensor::i32, {3, 0, 1, 1}}},
           {real({1, 2, 2, 2})}},
          {{6, 7, 0, 1, 2, 3, 2, 3}});
    check({"GATHER_ND", 0, {}, {real({2, 3, 2}), {{2, 2}, MadeTensor::i32, {1, 0, 0, 2}}}, {real({2, 2})}}, {{6, 7, 4, 5}});
    check({"TILE", 0, {}, {real({1, 2}), integers({2, 2})}, {real({2, 4})}}, {{0, 1, 0, 1, 0, 1, 0, 1}});
    check({"BROADCAST_TO", 0, {}, {real({2, 1}), integers({2, 2, 2})}, {real({2, 2, 2})}}, {{0, 0, 1, 1, 0, 0, 1, 1}});
    check({"MIRROR_PAD",
           o::mirror_pad::mode.kind,
           {option(o::mirror_pad::mode, 0)},
           {real({1, 3}), {{2, 2}, MadeTensor::i32, {0, 0, 2, 1}}},
           {real({1, 6})}},
          {{2, 1, 0, 1, 2, 1}});
    check({"MIRROR_PAD",
           o::mirror_pad::mode.kind,
           {option(o::mirror_pad::mode, 1)},
           {real({1, 3}), {{2, 2}, MadeTensor::i32, {0, 0, 2, 3}}},
           {real({1, 8})}},
          {{1, 0, 0, 1, 2, 2, 1, 0}});
}

TEST_CASE("tflite movement: blocks of an image become samples of a batch, and back") {
    using namespace tflite_movement_test;
    check({"SPACE_TO_BATCH_ND",
           0,
           {},
           {real({1, 2, 3, 1}), integers({2, 2}), {{2, 2}, MadeTensor::i32, {0, 0, 0, 1}}},
           {real({4, 1, 2, 1})}},
          {{0, 2, 1, none, 3, 5, 4, none}});
    check({"BATCH_TO_SPACE_ND",
           0,
           {},
           {real({4, 1, 2, 1}), integers({2, 2}), {{2, 2}, MadeTensor::i32, {0, 0, 1, 0}}},
           {real({1, 2, 3, 1})}},
          {{2, 1, 3, 6, 5, 7}});
}

TEST_CASE("tflite movement: what is not there is refused") {
    using namespace tflite_movement_test;
    namespace o = tflite;
    const auto refused = [](const OneOperator& op, std::initializer_list<std::string_view> parts) {
        support::check_text(__FILE__, __LINE__, support::error_text([&] { import_tflite(op.file()); }), parts);
    };
    refused({"SLICE", 0, {}, {real({2, 3}), integers({0, 1}), integers({-1, 3})}, {real({2, 2})}}, {"SLICE", "axis 1"});
    refused({"SLICE", 0, {}, {real({2, 3}), integers({0}), integers({-1, 3})}, {real({2, 2})}}, {"SLICE", "1 begins"});
    refused({"SLICE", 0, {}, {real({2, 3}), real({2}), integers({-1, 3})}, {real({2, 2})}}, {"SLICE", "is computed"});
    refused({"GATHER", o::gather::axis.kind, {}, {real({2, 3}), integers({2})}, {real({1, 3})}}, {"GATHER", "index 2"});
    refused({"SPLIT_V", 0, {}, {real({1, 5}), integers({2, 2}), integers({1})}, {real({1, 2}), real({1, 2})}},
            {"SPLIT_V", "axis 1"});
    refused({"MIRROR_PAD",
             o::mirror_pad::mode.kind,
             {option(o::mirror_pad::mode, 0)},
             {real({1, 3}), {{2, 2}, MadeTensor::i32, {0, 0, 3, 0}}},
             {real({1, 6})}},
            {"MIRROR_PAD", "mirrors what is there"});
    refused({"SPACE_TO_BATCH_ND",
             0,
             {},
             {real({1, 3, 3, 1}), integers({2, 2}), {{2, 2}, MadeTensor::i32, {0, 0, 0, 1}}},
             {real({4, 1, 2, 1})}},
            {"SPACE_TO_BATCH_ND", "does not divide"});
}
