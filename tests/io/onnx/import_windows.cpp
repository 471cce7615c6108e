// SPDX-License-Identifier: MIT
// import_onnx of convolutions, transposed ones, pools and resizing over one to three axes, against their definitions.

#include <mote/core/random.hpp>
#include <mote/engine/evaluate.hpp>
#include <mote/io/onnx/import.hpp>

#include <io/onnx/graphs.hpp>
#include <support/error_text.hpp>
#include <support/generate.hpp>

namespace onnx_windows_test {

using namespace onnx_graphs;

/// A dense array of the file: [batch, channels, ...].
struct Array {
    Integers dims;
    std::vector<float> x;

    static Array random(Integers dims, Random& random) {
        return {dims, support::floats(static_cast<std::size_t>(*onnx_elements(dims)), random)};
    }
    std::size_t size() const { return static_cast<std::size_t>(*onnx_elements(dims)); }
};
/// The position of element `i`.
Integers position(const Integers& dims, std::size_t i) {
    Integers at(dims.size());
    for (std::size_t a = dims.size(); a-- > 0; i /= static_cast<std::size_t>(dims[a])) {
        at[a] = static_cast<std::int64_t>(i % static_cast<std::size_t>(dims[a]));
    }
    return at;
}
std::size_t offset(const Integers& dims, const Integers& at) {
    std::size_t result = 0;
    for (std::size_t a = 0; a < dims.size(); ++a)
        result = result * static_cast<std::size_t>(dims[a]) + static_cast<std::size_t>(at[a]);
    return result;
}

/// A window over `axes` axes, drawn.
struct Window {
    Integers kernel, stride, dilation, before, after;

    Window(std::size_t axes, Random& random) {
        const auto draw = [&](std::int64_t least, std::int64_t most) {
            Integers numbers;
            for (std::size_t i = 0; i < axes; ++i)
                numbers.push_back(support::from_to(random, static_cast<std::int32_t>(least), static_cast<std::int32_t>(most)));
            return numbers;
        };
        kernel = draw(1, 3), stride = draw(1, 3), dilation = draw(1, 2), before = draw(0, 1), after = draw(0, 1);
        for (std::size_t i = 0; i < axes; ++i) {
            before[i] = std::min(before[i], kernel[i] - 1);
            after[i] = std::min(after[i], kernel[i] - 1);
        }
    }
    Integers pads() const {
        Integers result = before;
        result.insert(result.end(), after.begin(), after.end());
        return result;
    }
    std::vector<OnnxAttribute> attributes() const {
        return {attribute("kernel_shape", kernel), attribute("strides", stride), attribute("dilations", dilation),
                attribute("pads", pads())};
    }
    std::int64_t reach(std::size_t axis) const { return (kernel[axis] - 1) * dilation[axis] + 1; }
    /// visit(tap, position of the input) for the taps of an output position that lie inside.
    template <class Visit>
    void each_tap(const Integers& to, const Integers& extents, const Visit& visit) const {
        std::size_t taps = 1;
        for (const std::int64_t k : kernel) taps *= static_cast<std::size_t>(k);
        for (std::size_t t = 0; t < taps; ++t) {
            const Integers tap = position(kernel, t);
            Integers at;
            bool inside = true;
            for (std::size_t i = 0; i < kernel.size(); ++i) {
                at.push_back(to[i + 2] * stride[i] + tap[i] * dilation[i] - before[i]);
                inside = inside && at[i] >= 0 && at[i] < extents[i + 2];
            }
            if (inside) visit(t, at);
        }
    }
};

OnnxModel model_of(const char* op, const Array& x, const std::vector<OnnxTensor>& constants, std::size_t outputs,
                   std::vector<OnnxAttribute> attributes, std::int64_t opset = 22) {
    OnnxModel m{.ir_version = 8, .opsets = {{"", opset}}};
    std::vector<OnnxDimension> dims;
    for (const std::int64_t extent : x.dims) dims.push_back({extent, ""});
    m.graph.inputs = {value("x", dims)};
    OnnxNode n{.name = "it", .op_type = op, .inputs = {"x"}, .attributes = std::move(attributes)};
    for (const OnnxTensor& t : constants) n.inputs.push_back(t.name);
    m.graph.initializers = constants;
    std::erase_if(m.graph.initializers, [](const OnnxTensor& t) { return t.name.empty(); });
    for (std::size_t i = 0; i < outputs; ++i) {
        n.outputs.push_back(concat("y", i));
        m.graph.outputs.push_back(value(n.outputs.back(), {}));
    }
    m.graph.nodes = {n};
    return m;
}
std::vector<Tensor<f32>> answers(const AnyModel& model, const Array& x) {
    Engine engine(model);
    return evaluate(engine, {Tensor<f32>(engine.input_value(0).shape, x.x)});
}
void check(const Tensor<f32>& got, const Array& wanted) {
    REQUIRE(std::vector<std::int64_t>(got.shape().begin(), got.shape().end()) == wanted.dims);
    CHECK(support::relative_difference(wanted.x, {got.values().begin(), got.values().end()}) <= 1e-5);
}

Array convolved(const Array& x, const Array& w, const std::vector<float>& bias, const Window& window, std::int64_t groups) {
    Array y{{x.dims[0], w.dims[0]}, {}};
    for (std::size_t i = 0; i < window.kernel.size(); ++i) {
        y.dims.push_back((x.dims[i + 2] + window.before[i] + window.after[i] - window.reach(i)) / window.stride[i] + 1);
    }
    for (std::size_t i = 0; i < y.size(); ++i) {
        const Integers to = position(y.dims, i);
        float sum = bias[static_cast<std::size_t>(to[1])];
        window.each_tap(to, x.dims, [&](std::size_t tap, const Integers& at) {
            for (std::int64_t c = 0; c < w.dims[1]; ++c) {
                Integers from{to[0], to[1] / (w.dims[0] / groups) * w.dims[1] + c};
                from.insert(from.end(), at.begin(), at.end());
                const std::size_t taps = w.size() / static_cast<std::size_t>(w.dims[0] * w.dims[1]);
                sum += x.x[offset(x.dims, from)] * w.x[static_cast<std::size_t>(to[1] * w.dims[1] + c) * taps + tap];
            }
        });
        y.x.push_back(sum);
    }
    return y;
}

/// Each input adds to the outputs under the kernel; `more` rows follow.
Array transposed(const Array& x, const Array& w, const std::vector<float>& bias, const Window& window, const Integers& more,
                 std::int64_t groups) {
    Array y{{x.dims[0], w.dims[1] * groups}, {}};
    for (std::size_t i = 0; i < window.kernel.size(); ++i) {
        y.dims.push_back((x.dims[i + 2] - 1) * window.stride[i] + window.reach(i) + more[i] - window.before[i] -
                         window.after[i]);
    }
    for (std::size_t i = 0; i < y.size(); ++i) y.x.push_back(bias[static_cast<std::size_t>(position(y.dims, i)[1])]);
    for (std::size_t i = 0; i < x.size(); ++i) {
        const Integers from = position(x.dims, i);
        window.each_tap(from, y.dims, [&](std::size_t tap, const Integers& at) {
            for (std::int64_t o = 0; o < w.dims[1]; ++o) {
                Integers to{from[0], from[1] / (x.dims[1] / groups) * w.dims[1] + o};
                to.insert(to.end(), at.begin(), at.end());
                const std::size_t taps = w.size() / static_cast<std::size_t>(w.dims[0] * w.dims[1]);
                y.x[offset(y.dims, to)] += x.x[i] * w.x[static_cast<std::size_t>(from[1] * w.dims[1] + o) * taps + tap];
            }
        });
    }
    return y;
}

OnnxTensor tensor(const char* name, const Array& a) {
    return reals(name, a.dims, a.x);
}

}  // namespace onnx_windows_test

TEST_CASE("onnx import: convolutions over one to three axes, in groups") {
    using namespace onnx_windows_test;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        CAPTURE(seed);
        Random random(seed, 1);
        const std::size_t axes = 1 + seed % 3;
        const Window window(axes, random);
        const std::int64_t groups = seed % 4 == 0 ? 2 : 1;
        Integers dims{support::from_to(random, 1, 2), groups * support::from_to(random, 1, 2)};
        Integers weight{groups * support::from_to(random, 1, 3), dims[1] / groups};
        for (std::size_t i = 0; i < axes; ++i) {
            dims.push_back(support::from_to(random, 5, 6));
            weight.push_back(window.kernel[i]);
        }
        if (seed % 8 == 0) weight[1] = 1, dims[1] = groups;  // depthwise
        const Array x = Array::random(dims, random), w = Array::random(weight, random), b = Array::random({weight[0]}, random);
        std::vector<OnnxAttribute> attributes = window.attributes();
        attributes.push_back(attribute("group", groups));
        const AnyModel model = import_onnx(model_of("Conv", x, {tensor("w", w), tensor("b", b)}, 1, attributes));
        check(answers(model, x)[0], convolved(x, w, b.x, window, groups));
    }
}

TEST_CASE("onnx import: transposed convolutions over one to three axes, in groups, with rows cut off and added") {
    using namespace onnx_windows_test;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        CAPTURE(seed);
        Random random(seed, 2);
        const std::size_t axes = 1 + seed % 3;
        const Window window(axes, random);
        const std::int64_t groups = seed % 4 == 0 ? 2 : 1;
        Integers dims{support::from_to(random, 1, 2), groups * support::from_to(random, 1, 2)}, more;
        Integers weight{dims[1], support::from_to(random, 1, 3)};
        for (std::size_t i = 0; i < axes; ++i) {
            dims.push_back(support::from_to(random, 3, 4));
            weight.push_back(window.kernel[i]);
            more.push_back(support::from_to(random, 0, 1));
        }
        const Array x = Array::random(dims, random), w = Array::random(weight, random),
                    b = Array::random({weight[1] * groups}, random);
        std::vector<OnnxAttribute> attributes = window.attributes();
        attributes.push_back(attribute("group", groups));
        attributes.push_back(attribute("output_padding", more));
        const AnyModel model = import_onnx(model_of("ConvTranspose", x, {tensor("w", w), tensor("b", b)}, 1, attributes));
        check(answers(model, x)[0], transposed(x, w, b.x, window, more, groups));
    }
}

TEST_CASE(
    "onnx import: an output_shape cuts more off in front where it is odd, with SAME_UPPER behind; what is missing is added") {
    using namespace onnx_windows_test;
    const Array x{{1, 1, 2}, {1, 10}}, w{{1, 1, 3}, {1, 2, 3}};  // whole at stride 2: 1 2 13 20 30
    const auto of = [&](std::vector<OnnxAttribute> attributes) {
        attributes.push_back(attribute("strides", Integers{2}));
        const Tensor<f32> y =
            answers(import_onnx(model_of("ConvTranspose", x, {tensor("w", w)}, 1, std::move(attributes))), x)[0];
        return std::vector<float>(y.values().begin(), y.values().end());
    };
    const auto automatic = [](const char* name) {
        return OnnxAttribute{"auto_pad", OnnxAttributeType::text, "", std::vector<std::string>{name}};
    };
    using Floats = std::vector<float>;
    CHECK(of({}) == Floats{1, 2, 13, 20, 30});
    CHECK(of({attribute("output_shape", Integers{4})}) == Floats{2, 13, 20, 30});
    CHECK(of({attribute("output_shape", Integers{4}), automatic("SAME_UPPER")}) == Floats{1, 2, 13, 20});
    CHECK(of({attribute("output_shape", {1, 1, 3})}) == Floats{2, 13, 20});
    CHECK(of({attribute("output_shape", Integers{7})}) == Floats{1, 2, 13, 20, 30, 0, 0});
    CHECK(of({automatic("SAME_LOWER")}) == Floats{2, 13, 20, 30});
    CHECK(of({automatic("VALID"), attribute("pads", {1, 1})}) == Floats{1, 2, 13, 20, 30});
    CHECK(of({attribute("pads", {3, 1})}) == Floats{20});  // a whole pixel and more
    CHECK_ERROR(of({attribute("pads", {3, 2})}), "cuts off the whole output");
}

TEST_CASE("onnx import: pools over one to three axes, dilated, rounded up, with the places of the largest in either order") {
    using namespace onnx_windows_test;
    for (std::uint64_t seed = 0; seed < 90; ++seed) {
        CAPTURE(seed);
        Random random(seed, 3);
        const std::size_t axes = 1 + seed % 3;
        const Window window(axes, random);
        const bool up = seed % 2 == 0, counted = seed % 5 < 2, turned = seed % 7 < 3;
        Integers dims{support::from_to(random, 1, 2), support::from_to(random, 1, 3)};
        for (std::size_t i = 0; i < axes; ++i) dims.push_back(support::from_to(random, 5, 7));
        const Array x = Array::random(dims, random);
        Array most{{dims[0], dims[1]}, {}};
        for (std::size_t i = 0; i < axes; ++i) {
            const std::int64_t room = dims[i + 2] + window.before[i] + window.after[i] - window.reach(i);
            std::int64_t outputs = room / window.stride[i] + 1;
            if (up && room % window.stride[i] != 0 && outputs * window.stride[i] < dims[i + 2] + window.before[i]) ++outputs;
            most.dims.push_back(outputs);
        }
        Array mean = most, places = most, norm = most;
        for (std::size_t i = 0; i < most.size(); ++i) {
            const Integers to = position(most.dims, i);
            float largest = 0, sum = 0, squares = 0, place = -1;
            window.each_tap(to, dims, [&](std::size_t, const Integers& at) {
                Integers from{to[0], to[1]};
                from.insert(from.end(), at.begin(), at.end());
                const float v = x.x[offset(dims, from)];
                sum += v, squares += v * v;
                if (place >= 0 && v <= largest) return;
                largest = v;
                if (turned) {
                    Integers extents = dims;
                    std::reverse(extents.begin() + 2, extents.end()), std::reverse(from.begin() + 2, from.end());
                    place = static_cast<float>(offset(extents, from));
                } else {
                    place = static_cast<float>(offset(dims, from));
                }
            });
            float count = 1;  // of the pixels, or of those and the padding that is stated
            for (std::size_t a = 0; a < axes; ++a) {
                float inside = 0;
                for (std::int64_t k = 0; k < window.kernel[a]; ++k) {
                    const std::int64_t at = to[a + 2] * window.stride[a] + k * window.dilation[a] - window.before[a];
                    const std::int64_t edge = counted ? window.after[a] : 0;
                    inside += (at >= 0 || counted) && at < dims[a + 2] + edge ? 1.0f : 0.0f;
                }
                count *= inside;
            }
            if (place < 0) largest = -std::numeric_limits<float>::infinity();
            most.x.push_back(largest), places.x.push_back(place), norm.x.push_back(std::sqrt(squares));
            mean.x.push_back(count > 0 ? sum / count : 0);
        }
        std::vector<OnnxAttribute> attributes = window.attributes();
        attributes.push_back(attribute("ceil_mode", up ? 1 : 0));
        check(answers(import_onnx(model_of("LpPool", x, {}, 1, attributes)), x)[0], norm);
        attributes.push_back(attribute("count_include_pad", counted ? 1 : 0));
        check(answers(import_onnx(model_of("AveragePool", x, {}, 1, attributes)), x)[0], mean);
        attributes.back() = attribute("storage_order", turned ? 1 : 0);
        const auto both = answers(import_onnx(model_of("MaxPool", x, {}, 2, attributes)), x);
        if (std::ranges::count(places.x, -1.0f) == 0) check(both[0], most);
        check(both[1], places);
    }
}

TEST_CASE("onnx import: an axis or a pair of neighbours is resized at a time, where an image stands anywhere") {
    using namespace onnx_windows_test;
    const Array x{{1, 2, 2, 1, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}};
    std::vector<OnnxAttribute> attributes{{"mode", OnnxAttributeType::text, "", std::vector<std::string>{"linear"}}};
    const OnnxTensor scales = reals("scales", {5}, {1, 2, 1.5f, 1, 0.5f}), none{};
    // By onnx's reference evaluator: channels 2 -> 4, depth 2 -> 3, width 3 -> 1 (1.5 cut; between the first two pixels).
    const Tensor<f32> y = answers(import_onnx(model_of("Resize", x, {none, scales}, 1, attributes, 19)), x)[0];
    check(y, {{1, 4, 3, 1, 1}, {0.5f, 2, 3.5f, 2, 3.5f, 5, 5, 6.5f, 8, 6.5f, 8, 9.5f}});
    OnnxTensor sizes = integers("sizes", {4, 1});
    attributes.push_back(attribute("axes", {-4, 4}));
    const Tensor<f32> z = answers(import_onnx(model_of("Resize", x, {none, none, sizes}, 1, attributes, 19)), x)[0];
    check(z, {{1, 4, 2, 1, 1}, {1, 4, 2.5f, 5.5f, 5.5f, 8.5f, 7, 10}});
}

TEST_CASE(
    "onnx import: convolutions of volumes and transposed ones between QuantizeLinear and DequantizeLinear are layers of "
    "bytes") {
    using namespace onnx_windows_test;
    Random random(4);
    for (const bool turned : {false, true}) {
        const Array x{{1, 2, 3, 4, 4}, {}};
        OnnxModel m = model_of(turned ? "ConvTranspose" : "Conv", x, {}, 1,
                               {attribute("strides", {1, 2, 2}), attribute("pads", {1, 1, 0, 1, 0, 0})});
        OnnxGraph& g = m.graph;
        std::vector<std::int8_t> weight(2 * 2 * 3 * 2 * 2);
        for (std::int8_t& w : weight) w = static_cast<std::int8_t>(static_cast<int>(random.below(255)) - 127);
        g.initializers = {reals("s", {}, {0.02f}),
                          bytes("z", {}, {3}, OnnxElement::int8),
                          bytes("w", {2, 2, 3, 2, 2}, weight, OnnxElement::int8),
                          reals("ws", {2}, {0.003f, 0.005f}),
                          bytes("wz", {2}, {0, 0}, OnnxElement::int8),
                          reals("ys", {}, {0.03f})};
        const OnnxNode it = g.nodes[0];
        g.nodes = {node("QuantizeLinear", {"x", "s", "z"}, "xq"),
                   node("DequantizeLinear", {"xq", "s", "z"}, "xr"),
                   node("DequantizeLinear", {"w", "ws", "wz"}, "wr", {attribute("axis", turned ? 1 : 0)}),
                   it,
                   node("QuantizeLinear", {"y0", "ys", "z"}, "yq"),
                   node("DequantizeLinear", {"yq", "ys", "z"}, "out")};
        g.nodes[3].inputs = {"xr", "wr"};
        g.outputs[0].name = "out";
        const AnyModel model = import_onnx(m);
        CHECK(count_of<Conv2d<i8>>(model) == (turned ? 0 : 1));
        CHECK(count_of<TransposeConv2d<i8>>(model) == (turned ? 1 : 0));
        CHECK(count_of<Conv2d<f32>>(model) + count_of<TransposeConv2d<f32>>(model) == 0);
        Array in{{1, 2, 3, 4, 4}, std::vector<float>(96)};
        for (float& v : in.x) v = 0.02f * (static_cast<float>(random.below(256)) - 131.0f);
        Array w{{2, 2, 3, 2, 2}, {}};
        for (std::size_t i = 0; i < weight.size(); ++i) {
            const std::size_t channel = turned ? i / 12 % 2 : i / 24;
            w.x.push_back((channel == 0 ? 0.003f : 0.005f) * static_cast<float>(weight[i]));
        }
        Window window(3, random);
        window.kernel = {3, 2, 2}, window.stride = {1, 2, 2}, window.dilation = {1, 1, 1}, window.before = {1, 1, 0},
        window.after = {1, 0, 0};
        const Array wanted = turned ? transposed(in, w, {0, 0}, window, {0, 0, 0}, 1) : convolved(in, w, {0, 0}, window, 1);
        const Tensor<f32> y = answers(model, in)[0];
        REQUIRE(y.elements() == wanted.size());
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            const float steps = std::clamp(std::nearbyint(wanted.x[i] / 0.03f), -131.0f, 124.0f);
            CHECK(std::abs(y[i] / 0.03f - steps) < 0.51f);  // a tie may go either way
        }
    }
}

TEST_CASE("onnx import: what a window or a resize states is checked") {
    using namespace onnx_windows_test;
    Random random(5);
    const Array x = Array::random({1, 2, 4, 4}, random), w = Array::random({2, 2, 3, 3}, random),
                flat = Array::random({1, 2}, random);
    const auto of = [&](const char* op, const Array& from, const std::vector<OnnxTensor>& constants,
                        std::vector<OnnxAttribute> attributes, std::size_t outputs = 1) {
        import_onnx(model_of(op, from, constants, outputs, std::move(attributes), 19));
    };
    const auto text = [](const char* name, const char* value) {
        return OnnxAttribute{name, OnnxAttributeType::text, "", std::vector<std::string>{value}};
    };
    CHECK_ERROR(of("Conv", flat, {tensor("w", w)}, {}), "'it' (Conv)", "1x2", "one to three axes");
    CHECK_ERROR(of("Conv", x, {tensor("w", w)}, {attribute("group", 3)}), "group is 3", "divide the 2 channels");
    CHECK_ERROR(of("ConvTranspose", x, {tensor("w", w)}, {text("auto_pad", "SOME")}), "auto_pad is 'SOME'");
    CHECK_ERROR(of("ConvTranspose", x, {tensor("w", w)}, {attribute("output_shape", Integers{3})}),
                "output_shape has 1 extents", "2 are expected");
    const Array volume = Array::random({1, 2, 4, 4, 4}, random), cube = Array::random({2, 2, 1, 1, 1}, random);
    CHECK_ERROR(of("ConvTranspose", volume, {tensor("w", cube)}, {attribute("strides", {1 << 20, 1, 1})}), "stride over depth",
                "up to 64");
    CHECK_ERROR(of("Conv", volume, {tensor("w", cube)}, {attribute("pads", {1 << 24, 0, 0, 0, 0, 0})}), "slices", "2^24");
    CHECK_ERROR(of("MaxPool", x, {}, {attribute("kernel_shape", {2, 2}), attribute("storage_order", 2)}, 2),
                "storage_order is 2");
    const OnnxTensor none{}, scales = reals("scales", {4}, {1, 1, 2, 2});
    CHECK_ERROR(of("Resize", x, {none, none}, {}), "'it' (Resize)", "neither scales nor sizes");
    CHECK_ERROR(of("Resize", x, {none, scales}, {text("mode", "quartic")}), "mode is 'quartic'");
    CHECK_ERROR(of("Resize", x, {none, scales}, {text("nearest_mode", "any")}), "nearest_mode is 'any'");
    CHECK_ERROR(of("Resize", x, {none, scales}, {attribute("axes", Integers{2})}), "4 scales", "1 are expected");
    CHECK_ERROR(of("Resize", x, {none, scales}, {text("coordinate_transformation_mode", "tf_crop_and_resize")}),
                "without a roi");
    CHECK_ERROR(of("Resize", x, {none, reals("scales", {4}, {1, 1, 0.1f, 1})}, {}), "extent of 4 becomes 0");
    CHECK_ERROR(of("Resize", x, {none, none, integers("sizes", {1, 2, 8, 8})}, {text("keep_aspect_ratio_policy", "no")}),
                "policy is 'no'");
}
