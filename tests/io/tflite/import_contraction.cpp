// SPDX-License-Identifier: MIT
// import_tflite: transposed convolutions, of reals and of bytes, by the definition in the TensorFlow documentation.

#include <mote/engine/engine.hpp>
#include <mote/io/tflite/import.hpp>

#include <io/tflite/writer.hpp>
#include <support/catch.hpp>
#include <support/error_text.hpp>

namespace tflite_contraction_test {

using namespace mote;
using tflite_test::MadeTensor;
using tflite_test::OneOperator;
using tflite_test::Writer;

constexpr std::int32_t in_rows = 2, in_columns = 3, kernel = 3, channels = 2, outputs = 2;

/// TRANSPOSE_CONV of [1, 2, 3, 2] with weights [2, 3, 3, 2] and a bias, at stride 2.
OneOperator transpose_conv(MadeTensor::Type type, std::int32_t rows, std::int32_t columns, bool same) {
    const bool bytes = type == MadeTensor::i8;
    MadeTensor weight{{outputs, kernel, kernel, channels}, type};
    for (int i = 0; i < outputs * kernel * kernel * channels; ++i) weight.numbers.push_back(static_cast<float>(i * i % 11 - 5));
    if (bytes) weight.zero_point = 0;
    OneOperator op{"TRANSPOSE_CONV", 49};
    op.options = {Writer::item(tflite::transpose_conv::padding.field, same ? 0 : 1),
                  Writer::item(tflite::transpose_conv::stride_w.field, 2),
                  Writer::item(tflite::transpose_conv::stride_h.field, 2)};
    op.inputs = {{{4}, MadeTensor::i32, {1, static_cast<float>(rows), static_cast<float>(columns), outputs}},
                 weight,
                 {{1, in_rows, in_columns, channels}, type},
                 {{outputs}, bytes ? MadeTensor::i32 : type, {4, -8}}};
    op.outputs = {{{1, rows, columns, outputs}, type}};
    return op;
}

/// Of inputs that count up from -4; the first row and column of the whole output that stay are these.
std::vector<float> expected(const OneOperator& op, std::int32_t rows, std::int32_t columns, std::int32_t top,
                            std::int32_t left) {
    std::vector<float> y;
    for (std::int32_t i = 0; i < rows * columns * outputs; ++i) y.push_back(i % outputs == 0 ? 4.0f : -8.0f);
    for (std::int32_t i = 0; i < in_rows * in_columns * channels; ++i) {
        const std::int32_t c = i % channels, column = i / channels % in_columns, row = i / channels / in_columns;
        for (std::int32_t k = 0; k < outputs * kernel * kernel; ++k) {
            const std::int32_t to_row = 2 * row + k / kernel % kernel - top, to_column = 2 * column + k % kernel - left;
            if (to_row < 0 || to_row >= rows || to_column < 0 || to_column >= columns) continue;
            y[static_cast<std::size_t>((to_row * columns + to_column) * outputs + k / kernel / kernel)] +=
                static_cast<float>(i - 4) * op.inputs[1].numbers[static_cast<std::size_t>(k * channels + c)];
        }
    }
    return y;
}

void check(std::int32_t rows, std::int32_t columns, bool same, std::int32_t top, std::int32_t left) {
    const OneOperator real = transpose_conv(MadeTensor::f32, rows, columns, same);
    const std::vector<float> wanted = expected(real, rows, columns, top, left);
    Engine engine(import_tflite(real.file()));
    for (std::size_t i = 0; i < engine.input<float>(0).size(); ++i) engine.input<float>(0)[i] = static_cast<float>(i) - 4.0f;
    engine.run();
    CHECK(std::vector<float>(engine.output<float>(0).begin(), engine.output<float>(0).end()) == wanted);
    // Scales of a half: a sum of products counts quarters, the output's steps are halves from zero point 3 on.
    Engine bytes(import_tflite(transpose_conv(MadeTensor::i8, rows, columns, same).file()));
    for (std::size_t i = 0; i < bytes.input<std::int8_t>(0).size(); ++i) {
        bytes.input<std::int8_t>(0)[i] = static_cast<std::int8_t>(static_cast<int>(i) - 4 + 3);
    }
    bytes.run();
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const float q = std::clamp(std::nearbyint(wanted[i] / 2) + 3, -128.0f, 127.0f);
        CHECK(static_cast<float>(bytes.output<std::int8_t>(0)[i]) == q);
    }
}

}  // namespace tflite_contraction_test

TEST_CASE("tflite: a transposed convolution, cut to the size that is stated, or with rows behind") {
    using namespace tflite_contraction_test;
    check(4, 6, true, 0, 0);   // one row and column too many, behind
    check(5, 7, false, 0, 0);  // whole
    check(3, 5, true, 1, 1);
    check(6, 7, false, 0, 0);  // a row that no tap reaches
    OneOperator bad = transpose_conv(MadeTensor::f32, 4, 6, true);
    bad.inputs[2].shape = {1, in_rows, in_columns, 3};
    CHECK_ERROR(mote::import_tflite(bad.file()), "operator 0 TRANSPOSE_CONV", "2x3x3x2", "1x2x3x3");
}
