// SPDX-License-Identifier: MIT
// import_tflite: real networks answer what other engines answered, and what is not supported is told at once.

#include <mote/engine/evaluate.hpp>
#include <mote/io/npy.hpp>
#include <mote/io/tflite/import.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>
#include <support/shared.hpp>

#include <cmath>
#include <cstdlib>

namespace tflite_import_test {

using namespace mote;

/// A network with outputs of another engine; golden inputs that are integers (photos) where the network takes real numbers are
/// to be scaled, so are outputs.
struct Golden {
    const char* file;
    double tolerance;  ///< of f32 outputs, relative to their range; of bytes, the mean difference in steps
    float scale = 1.0f;
    float shift = 0.0f;
    float output_scale = 0.0f;  ///< of golden integers where the network gives real numbers: these are compared in steps
    bool one_stream = false;    ///< the samples follow one another: states are kept
    bool classes = false;       ///< each sample's largest output stands where the other engine's does
};
constexpr Golden golden_networks[] = {
    {"mlperf_tiny/ic/pretrainedResnet", 1e-4},
    {"mlperf_tiny/ic/pretrainedResnet_quant", 1.0},
    {"mlperf_tiny/ic/pretrainedResnet_large_float", 1e-4},
    {"mlperf_tiny/ic/pretrainedResnet_large_int8", 0.75},
    {"mlperf_tiny/kws/kws_ref_model", 0.5},
    {"mlperf_tiny/kws/kws_ref_model_float32", 1e-4},
    {"mlperf_tiny/sww/str_ww_ref_model", 0},
    {"mlperf_tiny/vww/vww_96_float", 1e-4},
    {"mlperf_tiny/vww/vww_96_int8", 1.25},
    {"mlperf_tiny/ad/ad01_fp32", 1e-4},
    {"mlperf_tiny/ad/ad01_int8", 0.5},
    {"tflite_micro/hello_world_float", 1e-4},
    {"tflite_micro/hello_world_int8", 0.25},
    {"tflite_micro/micro_speech_quantized", 0.02},
    {"tflite_micro/mobilenet_v2_quantized_1x3x224x224", 3.2},
    {"tflite_micro/person_detect", 1.25},
    {"tflite_micro/trained_lstm", 1e-4},
    {.file = "tflite_micro/trained_lstm_int8", .tolerance = 1.0, .classes = true},
    {"tflite_micro/dtln_noise_suppression", 1.0},
    {.file = "tflite_micro/micro_speech_lstm", .tolerance = 1.0, .classes = true},
    {"tflite_micro/keyword_scrambled", 1.0, 0.000625f, 0.0f, 1.0f / 32767.0f, true},
    {"tflite_micro/keyword_scrambled_8bit", 1.0, 0.000625f, 0.0f, 1.0f / 32767.0f, true},
    {"mediapipe/face_detection_short_range", 1e-3, 1.0f / 127.5f, -1.0f},
    {"mediapipe/hand_landmark_lite", 1e-3, 1.0f / 255.0f, 0.0f},
    {"mediapipe/face_detection_full_range", 1e-3, 1.0f / 127.5f, -1.0f},
    {"mediapipe/face_detection_full_range_sparse", 1e-3, 1.0f / 127.5f, -1.0f},
    {"mediapipe/palm_detection_lite", 1e-3, 1.0f / 255.0f, 0.0f},
    {"mediapipe/palm_detection_full", 1e-3, 1.0f / 255.0f, 0.0f},
    {"mediapipe/selfie_segmentation", 1e-3, 1.0f / 255.0f, 0.0f},
    {"mediapipe/selfie_segmentation_landscape", 1e-3, 1.0f / 255.0f, 0.0f},
};

/// How far bytes are from the reference's.
struct Steps {
    std::size_t bytes = 0, different = 0, beyond_one = 0;
    int largest = 0;
    double sum = 0;
    double mean() const { return sum / static_cast<double>(bytes); }
};

void write_input(Engine& engine, const Golden& golden, const NpyArray& in, std::size_t sample) {
    const std::size_t count = engine.input_value().shape.elements();
    if (engine.input_value().element == Element::i8) {
        std::copy_n(in.values<std::int8_t>().begin() + static_cast<std::ptrdiff_t>(sample * count), count,
                    engine.input<std::int8_t>().begin());
        return;
    }
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = sample * count + i;
        engine.input<float>()[i] =
            in.element == Element::u8    ? static_cast<float>(in.values<std::uint8_t>()[at]) * golden.scale + golden.shift
            : in.element == Element::i16 ? static_cast<float>(in.values<std::int16_t>()[at]) * golden.scale + golden.shift
                                         : in.values<float>()[at];
    }
}

/// Output `index` in the reference's steps, where both are integers.
std::vector<std::int32_t> steps_of(const Engine& engine, std::size_t index, const Golden& golden) {
    std::vector<std::int32_t> result;
    if (engine.output_value(index).element == Element::i8) {
        for (const std::int8_t q : engine.output<std::int8_t>(index)) result.push_back(q);
    } else {
        for (const float x : engine.output<float>(index)) {
            result.push_back(static_cast<std::int32_t>(std::nearbyint(x / golden.output_scale)));
        }
    }
    return result;
}
std::vector<std::int32_t> steps_of(const NpyArray& out, std::size_t first, std::size_t count) {
    std::vector<std::int32_t> result;
    for (std::size_t i = first; i < first + count; ++i) {
        result.push_back(out.element == Element::i8 ? out.values<std::int8_t>()[i] : out.values<std::int32_t>()[i]);
    }
    return result;
}

void check_network(const Golden& golden) {
    INFO(golden.file);
    Engine engine(load_tflite(support::shared_path(std::string(golden.file) + ".tflite")));
    const std::string name = std::string("golden/") + (std::strrchr(golden.file, '/') + 1);
    const NpyArray in = load_npy(support::shared_path(name + ".in.npy"));
    std::vector<NpyArray> out;
    for (std::size_t i = 0; i < engine.outputs(); ++i) {
        out.push_back(load_npy(support::shared_path(engine.outputs() == 1 && name.find("selfie") == std::string::npos
                                                        ? name + ".out.npy"
                                                        : concat(name, ".out", i, ".npy"))));
    }
    const std::size_t samples = in.shape[0];
    Steps steps;
    double worst = 0;
    for (std::size_t sample = 0; sample < samples; ++sample) {
        write_input(engine, golden, in, sample);
        if (!golden.one_stream) engine.reset();
        engine.run();
        for (std::size_t i = 0; i < out.size(); ++i) {
            const std::size_t count = engine.output_value(i).shape.elements();
            REQUIRE(out[i].shape.elements() == samples * count);
            if (engine.output_value(i).element == Element::i8 || golden.output_scale != 0.0f) {
                const std::vector<std::int32_t> got = steps_of(engine, i, golden),
                                                wanted = steps_of(out[i], sample * count, count);
                if (golden.classes)
                    CHECK(std::ranges::max_element(got) - got.begin() == std::ranges::max_element(wanted) - wanted.begin());
                for (std::size_t k = 0; k < count; ++k) {
                    const int d = std::abs(got[k] - wanted[k]);
                    ++steps.bytes;
                    steps.different += d > 0;
                    steps.beyond_one += d > 1;
                    steps.largest = std::max(steps.largest, d);
                    steps.sum += d;
                }
                continue;
            }
            const std::span<const float> wanted = out[i].values<float>();
            const auto [lo, hi] = std::minmax_element(wanted.begin(), wanted.end());
            const double range = std::max(1e-6, static_cast<double>(*hi) - static_cast<double>(*lo));
            for (std::size_t k = 0; k < count; ++k) {
                const double d =
                    static_cast<double>(engine.output<float>(i)[k]) - static_cast<double>(wanted[sample * count + k]);
                worst = std::max(worst, std::abs(d) / range);
            }
        }
    }
    if (steps.bytes > 0) {
        // TFLite rounds a sum twice, the first time to a few fractional bits; mote once. One step of a difference grows through
        // the layers behind it.
        WARN(golden.file << ": " << samples << " samples, " << steps.different << " of " << steps.bytes << " bytes differ, "
                         << steps.beyond_one << " by more than a step, the largest by " << steps.largest << ", the mean "
                         << steps.mean());
        CHECK(steps.mean() <= golden.tolerance);
    } else {
        WARN(golden.file << ": " << samples << " samples, largest difference " << worst << " of the range");
        CHECK(worst <= golden.tolerance);
    }
}

/// A file of one operator on inputs of these shapes, real or (with a scale) of bytes.
class OneOperator {
  public:
    OneOperator(std::string_view op, const std::vector<Shape>& inputs, const Shape& output, float scale = 0.0f) {
        scale_ = scale;
        TfliteSubgraph graph;
        for (const Shape& shape : inputs) add(graph, shape);
        add(graph, output);
        graph.inputs = std::span(ids_).first(inputs.size());
        graph.outputs = std::span(ids_).subspan(inputs.size(), 1);
        graph.operators.push_back({.name = op, .inputs = graph.inputs, .outputs = graph.outputs});
        file_.name = "one.tflite";
        file_.subgraphs.push_back(std::move(graph));
    }
    OneOperator(const OneOperator&) = delete;
    AnyModel import() const { return import_tflite(file_); }

  private:
    void add(TfliteSubgraph& graph, const Shape& shape) {
        const char* type = scale_ > 0.0f ? "INT8" : "FLOAT32";
        TfliteTensor tensor{.name = names_[graph.tensors.size()], .shape = shape};
        while (tensor.type_info().name != std::string_view(type)) ++tensor.type;
        if (scale_ > 0.0f) tensor.quantization.scale = {&scale_, 1}, tensor.quantization.zero_point = {&zero_, 1};
        graph.tensors.push_back(tensor);
    }
    static constexpr std::string_view names_[] = {"a", "b", "c"};
    std::int32_t ids_[3] = {0, 1, 2};
    float scale_ = 0.0f;
    std::int64_t zero_ = -5;
    TfliteFile file_;
};

/// Operator `op` of one input computes this, of reals and of bytes.
template <class Function>
void check_function(std::string_view op, Function function, float least = -3.0f) {
    INFO(op);
    const float scale = 0.04f;
    Engine real(OneOperator(op, {{1, 32}}, {1, 32}).import());
    Engine bytes(OneOperator(op, {{1, 32}}, {1, 32}, scale).import());
    for (std::size_t i = 0; i < 32; ++i) {
        const int q = static_cast<int>(std::lround((least + 0.19f * static_cast<float>(i)) / scale)) - 5;
        real.input<float>()[i] = scale * static_cast<float>(q + 5);
        bytes.input<std::int8_t>()[i] = static_cast<std::int8_t>(std::clamp(q, -128, 127));
    }
    real.run();
    bytes.run();
    for (std::size_t i = 0; i < 32; ++i) {
        const double x = static_cast<double>(real.input<float>()[i]);
        CAPTURE(x);
        CHECK(static_cast<double>(real.output<float>()[i]) == Approx(function(x)).margin(1e-5));
        const double z = static_cast<double>(scale) * (bytes.input<std::int8_t>()[i] + 5);
        const double steps = std::clamp(function(z) / static_cast<double>(scale) - 5, -128.0, 127.0);
        CHECK(std::abs(static_cast<double>(bytes.output<std::int8_t>()[i]) - steps) <= 0.501);
    }
}

/// Operator `op` of [2, 3, 4] and [3, 1], of reals and of bytes.
template <class Function>
void check_pair(std::string_view op, Function function) {
    INFO(op);
    const float scale = 0.05f;
    Engine real(OneOperator(op, {{2, 3, 4}, {3, 1}}, {2, 3, 4}).import());
    Engine bytes(OneOperator(op, {{2, 3, 4}, {3, 1}}, {2, 3, 4}, scale).import());
    for (std::size_t k = 0; k < 2; ++k) {
        for (std::size_t i = 0; i < real.input<float>(k).size(); ++i) {
            const int q = static_cast<int>((i * 37 + k * 50) % 90) + 1;
            real.input<float>(k)[i] = scale * static_cast<float>(q);
            bytes.input<std::int8_t>(k)[i] = static_cast<std::int8_t>(q - 5);
        }
    }
    real.run();
    bytes.run();
    for (std::size_t i = 0; i < 24; ++i) {
        const double x = static_cast<double>(real.input<float>(0)[i]), y = static_cast<double>(real.input<float>(1)[i / 4 % 3]);
        CAPTURE(i, x, y);
        CHECK(static_cast<double>(real.output<float>()[i]) == Approx(function(x, y)).margin(1e-5));
        const double steps = std::clamp(function(x, y) / static_cast<double>(scale) - 5, -128.0, 127.0);
        CHECK(std::abs(static_cast<double>(bytes.output<std::int8_t>()[i]) - steps) <= 0.501);
    }
}

/// A file of one operator: its computed inputs of this type, axes as a constant, its output.
struct OneWithAxes {
    std::vector<std::int32_t> inputs, outputs, axes;
    std::vector<float> scales{0.5f};
    std::vector<std::int64_t> zero_points{3};

    TfliteFile file(std::string_view name, const std::vector<Shape>& in, const Shape& out, std::string_view in_type,
                    std::string_view out_type) {
        const auto tensor = [&](std::string_view its_name, const Shape& shape, std::string_view type) {
            TfliteTensor t;
            t.name = its_name;
            t.shape = shape;
            const auto* info = std::ranges::find(tflite::tensor_types, type, &tflite::TensorType::name);
            REQUIRE(info != std::end(tflite::tensor_types));
            t.type = static_cast<std::size_t>(info - std::begin(tflite::tensor_types));
            if (type == "INT8") {
                t.quantization.scale = scales;
                t.quantization.zero_point = zero_points;
            }
            return t;
        };
        TfliteFile result;
        result.name = "made.tflite";
        TfliteSubgraph& graph = result.subgraphs.emplace_back();
        for (const Shape& shape : in) {
            inputs.push_back(static_cast<std::int32_t>(graph.tensors.size()));
            graph.tensors.push_back(tensor(inputs.size() == 1 ? "x" : "y", shape, in_type));
        }
        graph.inputs = std::span(inputs).first(in.size());
        TfliteOperator& op = graph.operators.emplace_back();
        op.name = name;
        if (!axes.empty()) {
            graph.tensors.push_back(tensor("axes", Shape{axes.size()}, "INT32"));
            graph.tensors.back().bytes = std::as_bytes(std::span<const std::int32_t>(axes));
            inputs.push_back(static_cast<std::int32_t>(inputs.size()));
            graph.inputs = std::span(inputs).first(in.size());
        }
        op.inputs = inputs;
        outputs = {static_cast<std::int32_t>(graph.tensors.size())};
        graph.tensors.push_back(tensor("out", out, out_type));
        graph.outputs = op.outputs = outputs;
        return result;
    }
};

/// What one operator makes of 0, 1, 4, 9 ... modulo 7, in each of its inputs.
std::vector<float> answer_of(std::string_view name, const std::vector<Shape>& in, const Shape& out,
                             std::vector<std::int32_t> axes, std::string_view in_type = "FLOAT32",
                             std::string_view out_type = "FLOAT32") {
    OneWithAxes made{.inputs = {}, .outputs = {}, .axes = std::move(axes)};
    Engine engine(import_tflite(made.file(name, in, out, in_type, out_type)));
    std::vector<Tensor<f32>> inputs;
    for (const Shape& shape : in) {
        Tensor<f32>& x = inputs.emplace_back(shape);
        for (std::size_t i = 0; i < x.elements(); ++i) x[i] = static_cast<float>(i * i % 7);
    }
    const Tensor<f32> y = evaluate(engine, std::span<const Tensor<f32>>(inputs))[0];
    return {y.values().begin(), y.values().end()};
}

}  // namespace tflite_import_test

TEST_CASE("tflite: reductions over any axes, in floats and bytes; where the largest is; products of computed matrices") {
    using namespace tflite_import_test;
    using Floats = std::vector<float>;
    // 0 1 4 / 2 2 4
    CHECK(answer_of("SUM", {{1, 2, 3}}, {1, 2}, {-1}) == Floats{5, 8});
    CHECK(answer_of("SUM", {{1, 2, 3}}, {1, 3}, {1}) == Floats{2, 3, 8});
    CHECK(answer_of("MEAN", {{1, 2, 3}}, Shape{1}, {1, 2, -1}) == Floats{13.0f / 6});
    CHECK(answer_of("REDUCE_MAX", {{1, 2, 3}}, {1, 2}, {2}) == Floats{4, 4});
    CHECK(answer_of("REDUCE_MIN", {{1, 2, 3}}, {1, 3}, {1}) == Floats{0, 1, 4});
    CHECK(answer_of("REDUCE_PROD", {{1, 2, 3}}, {1, 2}, {2}) == Floats{0, 16});
    CHECK(answer_of("SUM", {{1, 2, 3}}, {1, 2}, {2}, "INT8", "INT8") == Floats{5, 8});
    CHECK(answer_of("REDUCE_MAX", {{1, 2, 3}}, {1, 3}, {1}, "INT8", "INT8") == Floats{2, 2, 4});
    CHECK(answer_of("ARG_MAX", {{1, 2, 3}}, {1, 2}, {2}, "FLOAT32", "INT64") == Floats{2, 2});
    CHECK(answer_of("ARG_MIN", {{1, 2, 3}}, {1, 2}, {2}, "INT8", "INT32") == Floats{0, 0});
    CHECK(answer_of("BATCH_MATMUL", {{1, 2, 3}, {1, 3, 2}}, {1, 2, 2}, {}) == Floats{12, 18, 16, 22});
    CHECK_ERROR(answer_of("SUM", {{1, 2, 3}}, {1, 2}, {3}), "operator 0 SUM", "axis 3", "3 axes");
    CHECK_ERROR(answer_of("BATCH_MATMUL", {{1, 2, 3}, {1, 3, 2}}, {1, 2, 2}, {}, "INT8", "INT8"), "input 0 holds bytes");
}

TEST_CASE("tflite: norms and the logarithm of softmax along the last axis, in floats and bytes") {
    using namespace tflite_import_test;
    using Floats = std::vector<float>;
    const auto check = [](const Floats& got, const std::vector<double>& wanted) {
        REQUIRE(got.size() == wanted.size());
        for (std::size_t i = 0; i < got.size(); ++i) CHECK(static_cast<double>(got[i]) == Approx(wanted[i]).margin(1e-6));
    };
    // 0 1 4 / 2 2 4
    const double a = std::sqrt(17.0), b = std::sqrt(24.0);
    check(answer_of("L2_NORMALIZATION", {{1, 2, 3}}, {1, 2, 3}, {}), {0, 1 / a, 4 / a, 2 / b, 2 / b, 4 / b});
    const double p = std::log(1 + std::exp(1.0) + std::exp(4.0)), q = std::log(2 * std::exp(2.0) + std::exp(4.0));
    check(answer_of("LOG_SOFTMAX", {{1, 2, 3}}, {1, 2, 3}, {}), {-p, 1 - p, 4 - p, 2 - q, 2 - q, 4 - q});
    // In steps of a half.
    CHECK(answer_of("L2_NORMALIZATION", {{1, 2, 3}}, {1, 2, 3}, {}, "INT8", "INT8") == Floats{0, 0, 1, 0.5f, 0.5f, 1});
    CHECK(answer_of("LOG_SOFTMAX", {{1, 2, 3}}, {1, 2, 3}, {}, "INT8", "INT8") == Floats{-4, -3, 0, -2, -2, 0});
}

TEST_CASE("tflite: real networks answer what the reference engines answered") {
    if (support::shared_missing()) return;
    for (const auto& golden : tflite_import_test::golden_networks) tflite_import_test::check_network(golden);
}

TEST_CASE("tflite: functions of each element, of reals and of bytes") {
    using namespace tflite_import_test;
    check_function("ABS", [](double x) { return x < 0 ? -x : x; });
    check_function("CEIL", [](double x) { return -std::floor(-x); });
    check_function("COS", [](double x) { return std::cos(x); });
    check_function("ELU", [](double x) { return x > 0 ? x : std::exp(x) - 1; });
    check_function("EXP", [](double x) { return std::exp(x); });
    check_function("FLOOR", [](double x) { return std::floor(x); });
    check_function("GELU", [](double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2.0))); });
    check_function(
        "LOG", [](double x) { return std::log(x); }, 0.2f);
    check_function("NEG", [](double x) { return -x; });
    check_function("RELU_0_TO_1", [](double x) { return std::clamp(x, 0.0, 1.0); });
    check_function("RELU_N1_TO_1", [](double x) { return std::clamp(x, -1.0, 1.0); });
    check_function("ROUND", [](double x) { return std::nearbyint(x); });
    check_function(
        "RSQRT", [](double x) { return 1 / std::sqrt(x); }, 0.2f);
    check_function("SIGN", [](double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : 0.0; });
    check_function("SIN", [](double x) { return std::sin(x); });
    check_function(
        "SQRT", [](double x) { return std::sqrt(x); }, 0.2f);
    check_function("SQUARE", [](double x) { return x * x; });
}

TEST_CASE("tflite: functions of two values that broadcast, of reals and of bytes") {
    using namespace tflite_import_test;
    check_pair("ADD", [](double x, double y) { return x + y; });
    check_pair("DIV", [](double x, double y) { return x / y; });
    check_pair("MAXIMUM", [](double x, double y) { return std::max(x, y); });
    check_pair("MINIMUM", [](double x, double y) { return std::min(x, y); });
    check_pair("MUL", [](double x, double y) { return x * y; });
    check_pair("POW", [](double x, double y) { return std::pow(x, y); });
    check_pair("SQUARED_DIFFERENCE", [](double x, double y) { return (x - y) * (x - y); });
    check_pair("SUB", [](double x, double y) { return x - y; });
    CHECK_ERROR(OneOperator("SUB", {{2, 3}, {2, 4}}, {2, 3}).import(), "operator 0 SUB", "equal or 1");
}

TEST_CASE("tflite: everything that is not supported is told in one error") {
    if (support::shared_missing()) return;
    CHECK_ERROR(mote::load_tflite(support::shared_path("tflite_micro/audio_preprocessor_int8.tflite")),
                "audio_preprocessor_int8", "CUSTOM:SignalWindow", "CUSTOM:SignalFilterBankLog", "CUSTOM:SignalPCAN");
}

TEST_CASE("tflite: operators in a cycle are refused, and so are copies of constants beyond the limit") {
    using namespace tflite_import_test;
    OneWithAxes made{};
    TfliteFile file = made.file("RELU", {{1, 2}}, {1, 2}, "FLOAT32", "FLOAT32");
    TfliteSubgraph& graph = file.subgraphs[0];
    const std::int32_t out[] = {1}, other[] = {2};
    graph.operators[0].inputs = out;
    CHECK_ERROR(import_tflite(file), "made.tflite", "operator 0 RELU");
    graph.tensors.push_back(graph.tensors[1]);
    graph.tensors[2].name = "other";
    graph.operators[0].inputs = other;
    graph.operators.push_back({.name = "RELU", .inputs = out, .outputs = other});
    CHECK_ERROR(import_tflite(file), "made.tflite", "operator 0 RELU");

    if (support::shared_missing()) return;
    const std::string path = support::shared_path("mediapipe/face_detection_short_range.tflite");  // of half precision
    CHECK_ERROR(load_tflite(path, {.max_constant_bytes = 1000}), "face_detection_short_range", "max_constant_bytes");
}

TEST_CASE("tflite: a file that is none is named") {
    mote::write_file("none.tflite", "no such thing as a network in here");
    CHECK_ERROR(mote::load_tflite("none.tflite"), "none.tflite", "TFL3");
    std::remove("none.tflite");
    CHECK_ERROR(mote::load_tflite("missing.tflite"), "missing.tflite");
}

TEST_CASE("tflite import: the operators are those of the schema, each once, and custom ones that are known") {
    const std::vector<std::string_view> names = mote::tflite_operators();
    CHECK(std::ranges::count(names, "CONV_2D") == 1);
    CHECK(std::ranges::count(names, "CALL_ONCE") == 0);
    for (const std::string_view name : names) CHECK(std::ranges::count(names, name) == 1);
}
