// SPDX-License-Identifier: MIT
// infer of reductions, pooling and softmax.

#include <mote/core/random.hpp>
#include <mote/model/infer/reduction.hpp>

#include <model/make.hpp>
#include <support/catch.hpp>
#include <support/error_text.hpp>

namespace infer_reduction_test {

using namespace mote;
using namespace model_make;

template <class Pool>
void check_pool() {
    INFO(Pool::kind);
    Pool pool;
    pool.kernel = {3, 2};
    pool.stride = {2, 1};
    pool.padding = {1, 0, 1, 1};
    CHECK(shape_of(pool, {{2, 8, 5, 3}}) == Shape{2, 4, 6, 3});
    const ConvGeometry g = geometry(pool, Shape{2, 8, 5, 3}, Shape{2, 4, 6, 3});
    CHECK(g.kernel_height == 3);
    CHECK(g.stride_height == 2);
    CHECK(g.pad_top == 1);
    CHECK(g.in_channels == 3);
    CHECK(g.out_channels == 3);
    CHECK(g.groups == 3);
    const auto int8 = one(pool, {{1, 8, 5, 3}}, Element::i8, tenth);
    CHECK(int8.value(int8.outputs()[0]).quantization == tenth);
    CHECK_ERROR(one(pool, {{1, 8, 5, 3}}, Element::i8, tenth, QuantizationParams{0.2f, 0}), "'node'", Pool::kind, "shares");
    CHECK_ERROR(one(pool, {{1, 8, 5, 3}}, Element::i32), "f32, f16, bf16 or i8 expected");
    CHECK_ERROR(one(pool, {{8, 5, 3}}), "'node'", "'x0' [8x5x3]", "[batch, height, width, channels]");
    CHECK_ERROR(one(pool, {}), "1 inputs expected", "0 given");
    CHECK_ERROR(one(pool, {{1, 1, 5, 3}}), "'node'", "height", "the window covers 3", "only 2");
    CHECK_ERROR(one(pool, {{1, 0, 5, 3}}), "empty axis");
    Pool bad = pool;
    bad.kernel = {0, 2};
    CHECK_ERROR(one(bad, {{1, 8, 5, 3}}), "'node'", "kernel is 0x2", "at least 1");
    bad = pool;
    bad.stride = {2, 0};
    CHECK_ERROR(one(bad, {{1, 8, 5, 3}}), "'node'", "stride 0", "at least 1");
    bad = pool;
    bad.padding = {3, 0, 0, 0};
    CHECK_ERROR(one(bad, {{1, 8, 5, 3}}), "'node'", "padding must be smaller than the window");
    bad.dilation = {2, 1};  // now it covers 5 rows
    CHECK(shape_of(bad, {{1, 8, 5, 3}}) == Shape{1, 4, 4, 3});
    CHECK(geometry(bad, Shape{1, 8, 5, 3}, Shape{1, 4, 4, 3}).dilation_height == 2);
    bad = pool;
    bad.dilation = {};
    bad.kernel = {std::size_t{1} << 12, std::size_t{1} << 11};
    CHECK_ERROR(one(bad, {{1, std::size_t{1} << 12, std::size_t{1} << 11, 1}}), "'node'", "2^22");
    bad.kernel = {~std::size_t{0}, ~std::size_t{0}};
    CHECK_ERROR(one(bad, {{1, 8, 5, 3}}), "'node'", "32-bit");
}

}  // namespace infer_reduction_test

TEST_CASE("infer pooling: shapes, geometry, shared quantization, and refusals by name") {
    using namespace infer_reduction_test;
    check_pool<MaxPool2d>();
    check_pool<AveragePool2d>();
}

TEST_CASE("infer resize: the size that is asked for, shared quantization, and refusals by name") {
    using namespace infer_reduction_test;
    CHECK(shape_of(Resize2d{{7, 2}}, {{2, 3, 4, 5}}) == Shape{2, 7, 2, 5});
    const auto int8 = one(Resize2d{{7, 2}}, {{1, 3, 4, 5}}, Element::i8, tenth);
    CHECK(int8.value(int8.outputs()[0]).quantization == tenth);
    CHECK_ERROR(one(Resize2d{{0, 2}}, {{1, 3, 4, 5}}), "'node'", "size is 0x2", "at least 1");
    CHECK_ERROR(one(Resize2d{{2, 2}}, {{3, 4, 5}}), "'node'", "[batch, height, width, channels]");
    CHECK_ERROR(one(Resize2d{{2, std::size_t{1} << 40}}, {{1, 3, 4, 5}}), "'node'", "2^20");
    CHECK_ERROR(one(Resize2d{.size = {2, 2}, .alignment = static_cast<Alignment>(9)}, {{1, 3, 4, 5}}), "'node'", "alignment");
    CHECK_ERROR(one(Resize2d{.size = {2, 2}, .interpolation = static_cast<Interpolation>(3)}, {{1, 3, 4, 5}}), "none of those");
    CHECK_ERROR(one(Resize2d{.size = {2, 2}, .nearest = static_cast<NearestPixel>(4)}, {{1, 3, 4, 5}}), "none of those");
    CHECK_ERROR(one(Resize2d{{2, 2}}, {{1, 3, 0, 5}}), "empty axis");
    // A scale that does not make the size would take any time to compute.
    CHECK(shape_of(Resize2d{.size = {7, 2}, .scale_height = 2.4f, .scale_width = 0.5f}, {{2, 3, 4, 5}}) == Shape{2, 7, 2, 5});
    CHECK_ERROR(one(Resize2d{.size = {1, 2}, .scale_height = 1e-9f}, {{2, 3, 4, 5}}), "'node'", "scale 1e-09", "0 stands for");
    CHECK_ERROR(one(Resize2d{.size = {7, 2}, .scale_height = -2.4f}, {{2, 3, 4, 5}}), "'node'", "scale -2.4");
    CHECK_ERROR(one(Resize2d{.size = {7, 2}, .scale_width = 3.0f}, {{2, 3, 4, 5}}), "'node'", "scale 3", "12 pixels of 4");
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK_ERROR(one(Resize2d{.size = {7, 2}, .scale_width = nan}, {{2, 3, 4, 5}}), "'node'", "scale");
    CHECK_ERROR(one(Resize2d{.size = {7, 2}, .cubic = nan}, {{2, 3, 4, 5}}), "'node'", "finite");
    CHECK_ERROR(one(Resize2d{.size = {7, 2}, .alignment = Alignment::crop}, {{2, 3, 4, 5}}), "'node'", "0 places", "4 finite");
    CHECK_ERROR(one(Resize2d{.size = {7, 2}, .crop = Tensor<f32>(Shape{4})}, {{2, 3, 4, 5}}), "4 places", "else none");
    // Int8 sums stay in 32 bits.
    const Resize2d shrunk{.size = {2, 2}, .antialias = true},
        steep{.size = {7, 7}, .interpolation = Interpolation::cubic, .cubic = -9};
    CHECK(shape_of(shrunk, {{1, 40, 4, 5}}) == Shape{1, 2, 2, 5});
    CHECK_ERROR(one(shrunk, {{1, 40, 4, 5}}, Element::i8, tenth), "'node'", "more than 8 pixels", "f32 has no limit");
    CHECK_ERROR(one(steep, {{1, 4, 4, 5}}, Element::i8, tenth), "'node'", "both signs");
}

TEST_CASE("infer arg max pool: i64 of any axes between, and refusals by name") {
    using namespace infer_reduction_test;
    ArgMaxPool layer{{2, 3}, {1, 2}, {2, 1}, {1, 0}, {0, 1}, {60, 5, 1, 20}};
    const auto model = one(layer, {{2, 4, 5, 3}});
    CHECK(model.value(model.outputs()[0]).shape == Shape{2, 3, 2, 3});
    CHECK(model.value(model.outputs()[0]).element == Element::i64);
    CHECK_ERROR(one(layer, {{2, 4, 5, 3}}, Element::i8, tenth), "'node'", "f32 expected");
    CHECK_ERROR(one(layer, {{2, 4, 3}}), "'node'", "a window of 2 axes", "[batch, rows ..., channels]");
    ArgMaxPool bad = layer;
    bad.stride = {1};
    CHECK_ERROR(one(bad, {{2, 4, 5, 3}}), "'node'", "2 axes but 1 numbers");
    bad = layer;
    bad.before = {3, 0};
    CHECK_ERROR(one(bad, {{2, 4, 5, 3}}), "'node'", "padding must be smaller");
    bad = layer;
    bad.steps = {std::size_t{1} << 31, 1, 1, 1};
    CHECK_ERROR(one(bad, {{2, 4, 5, 3}}), "'node'", "2^31 - 1");
    bad = layer;
    bad.kernel = {std::size_t{1} << 12, std::size_t{1} << 11};
    CHECK_ERROR(one(bad, {{1, std::size_t{1} << 14, std::size_t{1} << 12, 1}}), "'node'", "2^22");
}

TEST_CASE("infer global average pool: one pixel remains; its geometry is a window as large as the image") {
    using namespace infer_reduction_test;
    CHECK(shape_of(GlobalAveragePool{}, {{2, 7, 5, 3}}) == Shape{2, 1, 1, 3});
    const ConvGeometry g = geometry(GlobalAveragePool{}, Shape{2, 7, 5, 3}, Shape{2, 1, 1, 3});
    CHECK(g.kernel_height == 7);
    CHECK(g.kernel_width == 5);
    CHECK_ERROR(one(GlobalAveragePool{}, {}), "'node' (GlobalAveragePool)", "1 inputs expected", "0 given");
    CHECK_ERROR(one(GlobalAveragePool{}, {{2, 3}}), "'node' (GlobalAveragePool)", "rank 2");
    CHECK_ERROR(one(GlobalAveragePool{}, {{1, 1 << 12, 1 << 11, 1}}), "2^22");
}

TEST_CASE("infer pooling: no window of an accepted layer lies in padding alone") {
    using namespace infer_reduction_test;
    Random random(31);
    for (int round = 0; round < 300; ++round) {
        MaxPool2d pool{.kernel = {1 + random.below(5), 1}, .stride = {1 + random.below(5), 1}};
        pool.padding = {random.below(pool.kernel.height), random.below(pool.kernel.height), 0, 0};
        const std::size_t height = 1 + random.below(9);
        if (height + pool.padding.top + pool.padding.bottom < pool.kernel.height) continue;
        const std::size_t rows = shape_of(pool, {{1, height, 1, 1}})[1];
        for (std::size_t row = 0; row < rows; ++row) {
            const std::size_t first = row * pool.stride.height;  // counted from the first row of padding
            REQUIRE(first < pool.padding.top + height);
            REQUIRE(first + pool.kernel.height > pool.padding.top);
        }
    }
}

TEST_CASE("infer softmax: any rank; on int8 a table that can be divided by, and the fixed output scale") {
    using namespace infer_reduction_test;
    CHECK(shape_of(Softmax{}, {{2, 3, 10}}) == Shape{2, 3, 10});
    CHECK_ERROR(one(Softmax{}, {Shape{}}), "'node' (Softmax)", "scalar");
    CHECK_ERROR(one(Softmax{}, {{2, 3}}, Element::i8, tenth), "table of 256 entries", "it has 0");
    Softmax layer{Tensor<i32>(Shape{256})};
    CHECK_ERROR(one(layer, {{2, 3}}, Element::i8, tenth), "'node'", "first above 0");
    layer.table[0] = 1 << 22;
    const auto model = one(layer, {{2, 3}}, Element::i8, tenth);
    CHECK(model.value(model.outputs()[0]).quantization == Quantization(QuantizationParams{1.0f / 256.0f, -128}));
    CHECK(one(layer, {{2, 3}}, Element::i8, tenth, QuantizationParams{1.0f / 256.0f, -128}) == model);
    CHECK_ERROR(one(layer, {{2, 3}}, Element::i8, tenth, tenth), "scale 1/256 and zero point -128");
    layer.table[7] = -1;
    CHECK_ERROR(one(layer, {{2, 3}}, Element::i8, tenth), "[0, 2^22]");
    layer.table[7] = (1 << 22) + 1;
    CHECK_ERROR(one(layer, {{2, 3}}, Element::i8, tenth), "[0, 2^22]");
    CHECK_ERROR(one(layer, {{2, 3}}, Element::u8), "f32, f16, bf16 or i8 expected");
}

TEST_CASE("infer reduce: axes go or stay with extent 1; int8 means and maxima share their quantization; refusals by name") {
    using namespace infer_reduction_test;
    CHECK(shape_of(Reduce{Reduction::sum, {0, 2}}, {{2, 3, 4}}) == Shape{1, 3, 1});
    CHECK(shape_of(Reduce{Reduction::sum, {2, 0}, false}, {{2, 3, 4}}) == Shape{3});
    CHECK(shape_of(Reduce{Reduction::l1, {}}, {{2, 3, 4}}) == Shape{2, 3, 4});
    CHECK(shape_of(Reduce{Reduction::prod, {0}, false}, {Shape{5}}) == Shape{});
    const auto mean = one(Reduce{Reduction::mean, {1}}, {{2, 3}}, Element::i8, tenth);
    CHECK(mean.value(mean.outputs()[0]).quantization == tenth);
    CHECK_ERROR(one(Reduce{Reduction::mean, {1}}, {{2, 3}}, Element::i8, tenth, QuantizationParams{0.2f, 0}), "shares");
    CHECK_ERROR(one(Reduce{Reduction::sum, {1}}, {{2, 3}}, Element::i8, tenth), "'node' (Reduce)", "without quantization");
    CHECK_ERROR(one(Reduce{Reduction::sum, {2}}, {{2, 3}}), "'node' (Reduce)", "axis 2", "outside the 2 axes");
    CHECK_ERROR(one(Reduce{Reduction::sum, {1, 1}}, {{2, 3}}), "'node' (Reduce)", "axis 1", "named twice");
    CHECK(shape_of(Reduce{Reduction::sum, {1}}, {{2, 0}}) == Shape{2, 1});
    CHECK_ERROR(one(Reduce{Reduction::max, {1}}, {{2, 0}}, Element::i8, tenth), "empty axis");
    CHECK_ERROR(one(Reduce{static_cast<Reduction>(10), {1}}, {{2, 3}}), "'node' (Reduce)", "function is unknown");
    CHECK_ERROR(one(Reduce{Reduction::mean, {0}}, {{1 << 23, 1}}, Element::i8, tenth), "2^22");
}

TEST_CASE("infer arg max: indices are i64") {
    using namespace infer_reduction_test;
    const auto model = one(ArgMax{1, false}, {{2, 3, 4}});
    CHECK(model.value(model.outputs()[0]).shape == Shape{2, 4});
    CHECK(model.value(model.outputs()[0]).element == Element::i64);
    CHECK(shape_of(ArgMax{2}, {{2, 3, 4}}) == Shape{2, 3, 1});
    CHECK_ERROR(one(ArgMax{3}, {{2, 3, 4}}), "'node' (ArgMax)", "axis 3");
    CHECK_ERROR(one(ArgMax{1}, {{2, 3}}, Element::i8, tenth), "'node' (ArgMax)", "without quantization");
    CHECK_ERROR(one(ArgMax{1}, {{2, 0}}), "'node' (ArgMax)", "empty axis");
}
