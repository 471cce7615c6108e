// SPDX-License-Identifier: MIT
// What int8 costs real networks: each is quantized with every observer, with its biases as they are rounded and corrected, and
// held against its f32 self.
//
// usage: quantization_study DATA [CIFAR10]    DATA is the folder of shared networks, CIFAR10 that of the unpacked images;
// without it the networks that need it are left out. Exit status 1 where a network misses its bar with the mean squared error
// as observer and corrected biases.

#include "../../examples/networks/blazeface.hpp"
#include "../../examples/mote/instances.hpp"
#include "../../examples/mote/loading.hpp"
#include "../../examples/networks/main.hpp"

#include <mote/data/cifar10.hpp>
#include <mote/io/npy.hpp>
#include <mote/transform/bias_correction.hpp>
#include <mote/transform/quantize.hpp>

#include <array>
#include <cstdio>
#include <functional>

namespace {

using mote::f32;
using Real = mote::Model<f32, mote::wide>;

/// How an int8 network does beside the real one.
struct Answer {
    double figure = 0.0;
    bool reached = false;
};

/// A network, how it is quantized, and what is asked of it.
struct Study {
    std::string file;
    std::string bar;
    std::function<std::array<mote::AnyModel, 2>(const Real&, mote::QuantizeOptions)> quantize;  ///< as rounded, corrected
    std::function<Answer(const mote::AnyModel& real, const mote::AnyModel& light)> judge;
};

constexpr std::pair<const char*, mote::Observer> observers[] = {{"min-max", mote::Observer::min_max},
                                                                {"percentile", mote::Observer::percentile},
                                                                {"mse", mote::Observer::mse},
                                                                {"entropy", mote::Observer::entropy}};

/// The bytes or numbers of a .npy file as scale * x + shift.
mote::Tensor<f32> numbers(const std::string& path, float scale = 1.0f, float shift = 0.0f) {
    const mote::NpyArray array = mote::load_npy(path);
    mote::Tensor<f32> result(array.shape);
    const bool bytes = array.element == mote::Element::u8;
    for (std::size_t i = 0; i < result.elements(); ++i) {
        result[i] = scale * (bytes ? array.values<std::uint8_t>()[i] : array.values<float>()[i]) + shift;
    }
    return result;
}

/// Square parts of the pictures [count, height, width, 3], 60 to 100 % of their side, half of them mirrored, at `side` pixels.
mote::Tensor<f32> parts_of(const mote::Tensor<f32>& pictures, std::size_t side, std::size_t count) {
    const std::size_t from = pictures.shape()[1];
    mote::Random random(1);
    mote::Tensor<f32> result({count, side, side, 3});
    for (std::size_t i = 0; i < count; ++i) {
        const float* picture = &pictures.values()[i % pictures.shape()[0] * from * from * 3];
        const float size = (0.6f + 0.4f * random.uniform()) * static_cast<float>(from - 1);
        const float left = random.uniform() * (static_cast<float>(from - 1) - size);
        const float top = random.uniform() * (static_cast<float>(from - 1) - size);
        const bool mirrored = random.below(2) == 1;
        for (std::size_t y = 0; y < side; ++y) {
            for (std::size_t x = 0; x < side; ++x) {
                const float u = left + size * static_cast<float>(mirrored ? side - 1 - x : x) / static_cast<float>(side - 1);
                const float v = top + size * static_cast<float>(y) / static_cast<float>(side - 1);
                const auto column = std::min(static_cast<std::size_t>(u), from - 2);
                const auto row = std::min(static_cast<std::size_t>(v), from - 2);
                const float a = u - static_cast<float>(column), b = v - static_cast<float>(row);
                for (std::size_t c = 0; c < 3; ++c) {
                    const auto at = [&](std::size_t r, std::size_t k) {
                        return picture[((row + r) * from + column + k) * 3 + c];
                    };
                    result[((i * side + y) * side + x) * 3 + c] =
                        (1 - b) * ((1 - a) * at(0, 0) + a * at(0, 1)) + b * ((1 - a) * at(1, 0) + a * at(1, 1));
                }
            }
        }
    }
    return result;
}

/// Calls visit(index, outputs) for each sample.
void answers(const mote::AnyModel& model, const mote::Tensor<f32>& samples,
             const std::function<void(std::size_t, const std::vector<mote::Tensor<f32>>&)>& visit) {
    mote::Engine engine(model);
    mote::Tensor<f32> sample(engine.input_value().shape);
    for (std::size_t i = 0; i < samples.elements() / sample.elements(); ++i) {
        std::copy_n(&samples.values()[i * sample.elements()], sample.elements(), sample.data());
        visit(i, mote::evaluate(engine, {sample}));
    }
}

std::size_t largest(const mote::Tensor<f32>& scores) {
    return static_cast<std::size_t>(std::max_element(scores.values().begin(), scores.values().end()) - scores.values().begin());
}

double top1(const mote::AnyModel& model, const mote::Cifar10& set) {
    mote::Engine engine(model);
    mote::Tensor<f32> sample(engine.input_value().shape);
    std::size_t right = 0;
    for (std::size_t i = 0; i < set.size(); ++i) {
        const auto label = static_cast<std::size_t>(set.load(i, sample.values()));
        right += largest(mote::evaluate(engine, sample)) == label ? 1 : 0;
    }
    return 100.0 * static_cast<double>(right) / static_cast<double>(set.size());
}

std::size_t same_classes(const mote::AnyModel& real, const mote::AnyModel& light, const mote::Tensor<f32>& samples) {
    std::vector<std::size_t> classes;
    std::size_t same = 0;
    answers(real, samples, [&](std::size_t, const auto& outputs) { classes.push_back(largest(outputs[0])); });
    answers(light, samples, [&](std::size_t i, const auto& outputs) { same += largest(outputs[0]) == classes[i] ? 1 : 0; });
    return same;
}

/// The mean squared difference of input and output.
double anomaly_score(const mote::AnyModel& model, const mote::Tensor<f32>& windows) {
    double sum = 0.0;
    answers(model, windows, [&](std::size_t i, const auto& outputs) {
        for (std::size_t k = 0; k < outputs[0].elements(); ++k) {
            const double off = static_cast<double>(windows[i * outputs[0].elements() + k] - outputs[0][k]);
            sum += off * off;
        }
    });
    return sum / static_cast<double>(windows.elements());
}

/// The least overlap of a box that the real network gives a score of 0.5 and more with the light one's from the same anchor.
double least_overlap(const mote::AnyModel& real, const mote::AnyModel& light, const mote::Tensor<f32>& pictures) {
    const auto faces = [&](const mote::AnyModel& model) {
        std::vector<std::vector<blazeface::Face>> result;
        answers(model, pictures, [&](std::size_t, const auto& outputs) {
            const std::size_t boxes = outputs[0].shape().back() == 1 ? 1 : 0;
            result.push_back(blazeface::decode(outputs[boxes].values(), outputs[1 - boxes].values(), 128.0f, 0.0f));
        });
        return result;
    };
    const auto a = faces(real), b = faces(light);
    double least = 1.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        for (std::size_t k = 0; k < a[i].size(); ++k) {
            if (a[i][k].score >= 0.5f) least = std::min(least, static_cast<double>(blazeface::overlap(a[i][k], b[i][k])));
        }
    }
    return least;
}

/// The overlap of the masks: intersection over union.
double mask_overlap(const mote::AnyModel& real, const mote::AnyModel& light, const mote::Tensor<f32>& picture) {
    std::vector<bool> mask;
    answers(real, picture, [&](std::size_t, const auto& outputs) {
        for (const float p : outputs[0].values()) mask.push_back(p > 0.5f);
    });
    double both = 0.0, either = 0.0;
    answers(light, picture, [&](std::size_t, const auto& outputs) {
        for (std::size_t k = 0; k < mask.size(); ++k) {
            const bool other = outputs[0][k] > 0.5f;
            both += mask[k] && other ? 1.0 : 0.0;
            either += mask[k] || other ? 1.0 : 0.0;
        }
    });
    return both / either;
}

template <class D>
std::array<mote::AnyModel, 2> quantized(const Real& model, const D& data, mote::QuantizeOptions options,
                                        std::size_t samples = 0) {
    options.samples = samples;
    const auto light = mote::quantize<f32, mote::i8, mote::wide>(model, data, options);
    return {light, mote::correct_bias(model, light, data, {.samples = samples})};
}

std::vector<Study> studies(const std::string& data, const std::string& cifar) {
    std::vector<Study> list;
    if (!cifar.empty()) {
        const auto train = std::make_shared<mote::Cifar10>(mote::load_cifar10(cifar, mote::Cifar10Part::train));
        const auto test = std::make_shared<mote::Cifar10>(mote::load_cifar10(cifar, mote::Cifar10Part::test));
        for (const char* name : {"pretrainedResnet", "pretrainedResnet_large_float"}) {
            list.push_back({mote::concat("mlperf_tiny/ic/", name, ".tflite"), "points of top-1 lost, at most 0.15",
                            [train](const Real& model, const mote::QuantizeOptions& options) {
                                return quantized(model, *train, options, 500);
                            },
                            [test, real_top1 = -1.0](const mote::AnyModel& real, const mote::AnyModel& light) mutable {
                                if (real_top1 < 0.0) real_top1 = top1(real, *test);
                                const double drop = real_top1 - top1(light, *test);
                                return Answer{drop, drop <= 0.15};
                            }});
        }
    }
    const auto on = [](mote::Tensor<f32> samples) {
        return
            [samples](const Real& model, const mote::QuantizeOptions& options) { return quantized(model, samples, options); };
    };
    const std::string golden = data + "/golden/";
    const mote::Tensor<f32> photos = numbers(golden + "selfie_segmentation.in.npy", 1.0f / 255.0f);
    list.push_back({"mlperf_tiny/vww/vww_96_float.tflite", "crops of 32 with one class, at least 31",
                    on(parts_of(photos, 96, 64)),
                    [crops = numbers(golden + "vww_96_float.in.npy")](const mote::AnyModel& real, const mote::AnyModel& light) {
                        const std::size_t same = same_classes(real, light, crops);
                        return Answer{static_cast<double>(same), same + 1 >= crops.shape()[0]};
                    }});
    const std::string sound = data + "/mlperf_tiny/ad/normal_id_01_00000000_hist_librosa.bin";
    const mote::FileBytes bytes = mote::map_file(sound);
    const std::size_t count = bytes.bytes.size() / (128 * sizeof(float));
    if (count < 5) mote::fail("'", sound, "': frames of 128 numbers are expected");
    mote::Tensor<f32> windows({count - 4, 640}), some({(count - 4) / 4, 640});
    for (std::size_t w = 0; w + 4 < count; ++w) {
        std::memcpy(&windows.values()[640 * w], bytes.bytes.data() + 512 * w, 2560);
        if (w % 4 == 0) std::memcpy(&some.values()[640 * (w / 4)], bytes.bytes.data() + 512 * w, 2560);
    }
    list.push_back({"mlperf_tiny/ad/ad01_fp32.tflite", "% of the anomaly score off, at most 3", on(some),
                    [windows](const mote::AnyModel& real, const mote::AnyModel& light) {
                        const double score = anomaly_score(real, windows);
                        const double off = 100.0 * std::fabs(anomaly_score(light, windows) - score) / score;
                        return Answer{off, off <= 3.0};
                    }});
    mote::Tensor<f32> signed_parts = parts_of(photos, 128, 64);
    for (float& x : signed_parts.values()) x = 2.0f * x - 1.0f;
    list.push_back({"mediapipe/face_detection_short_range.tflite", "least overlap of a face's box, at least 0.9",
                    on(signed_parts),
                    [pictures = numbers(golden + "face_detection_short_range.in.npy", 1.0f / 127.5f, -1.0f)](
                        const mote::AnyModel& real, const mote::AnyModel& light) {
                        const double least = least_overlap(real, light, pictures);
                        return Answer{least, least >= 0.9};
                    }});
    mote::Tensor<f32> person({1, 256, 256, 3});  // the one picture of a person, whom this network looks for
    std::copy_n(photos.values().data(), person.elements(), person.data());
    list.push_back({"mediapipe/selfie_segmentation.tflite", "overlap of the person's mask, at least 0.95",
                    on(parts_of(photos, 256, 64)), [person](const mote::AnyModel& real, const mote::AnyModel& light) {
                        const double overlap = mask_overlap(real, light, person);
                        return Answer{overlap, overlap >= 0.95};
                    }});
    return list;
}

void run(const std::string& data, const std::string& cifar) {
    bool all = true;
    for (const Study& study : studies(data, cifar)) {
        const Real real = mote::as<f32, mote::wide>(mote::load(data + "/" + study.file));
        std::printf("%s: %s\n  %-12s %10s %10s\n", study.file.c_str(), study.bar.c_str(), "observer", "rounded", "corrected");
        for (const auto& [name, observer] : observers) {
            const std::array<mote::AnyModel, 2> light =
                study.quantize(real, {.observer = observer, .f32_inputs = true, .f32_outputs = true});
            std::printf("  %-12s", name);
            for (std::size_t corrected = 0; corrected < 2; ++corrected) {
                const Answer answer = study.judge(real, light[corrected]);
                std::printf(" %9.3f%s", answer.figure, answer.reached ? " " : "!");
                if (observer == mote::Observer::mse && corrected == 1) all = all && answer.reached;
            }
            std::printf("\n");
            std::fflush(stdout);
        }
    }
    std::printf("!: misses the bar\n");
    if (!all) mote::fail("a network misses its bar with observer mse and corrected biases");
}

}  // namespace

int main(int count, char** arguments) {
    return guarded_main(count, arguments, 2, "DATA [CIFAR10]", [&] { run(arguments[1], count > 2 ? arguments[2] : ""); });
}
