// SPDX-License-Identifier: MIT
// load: the format is told by what a file starts with, and by its name only where it says nothing.

#include <mote/io/load.hpp>

#include <support/catch.hpp>
#include <support/error_text.hpp>
#include <support/shared.hpp>

#include <unistd.h>

namespace load_test {

using namespace mote;

/// A path that no other test uses; the file is removed at the end.
struct Temporary {
    std::string path;
    explicit Temporary(const std::string& ending) : path(concat("load_test_", static_cast<long long>(::getpid()), ending)) {}
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;
    ~Temporary() { std::remove(path.c_str()); }
};

AnyModel small() {
    BasicBuilder<AnyModel::layers> b;
    b.output("y", b.add(Relu{}, b.input("x", {1, 2, 2, 1})));
    return b.build();
}

}  // namespace load_test

TEST_CASE("load: a .mote file, whatever its name") {
    using namespace load_test;
    const Temporary plain(".mote");
    const Temporary misleading(".onnx");
    const AnyModel model = small();
    save(model, plain.path);
    save(model, misleading.path);
    CHECK(load(plain.path) == model);
    CHECK(load(misleading.path) == model);
}

TEST_CASE("load: TensorFlow Lite and ONNX files are what their own readers make of them") {
    using namespace load_test;
    if (support::shared_missing()) return;
    const std::string tflite = support::shared_path("mlperf_tiny/ic/pretrainedResnet_quant.tflite");
    CHECK(load(tflite) == load_tflite(tflite));
    const std::string onnx = support::shared_path("onnx_node/test_relu/model.onnx");
    CHECK(load(onnx) == load_onnx(onnx));
}

TEST_CASE("load: options reach the ONNX reader") {
    using namespace load_test;
    if (support::shared_missing()) return;
    const std::string path = support::shared_path("onnx_light/light_squeezenet.onnx");
    const AnyModel model = load(path, {.onnx = {.channels_last_io = true}});
    CHECK(model.values().at(model.inputs().at(0)).shape.back() == 3);
}

TEST_CASE("load: what is no model is refused by name, with what would do") {
    using namespace load_test;
    CHECK(support::error_text([] { load("no such file"); }).find("no such file") != std::string::npos);
    for (const std::string bytes : {"", "TFL3", "0123456789", "\x1c\0\0\0TFL4"}) {
        const Temporary file(".bin");
        write_file(file.path, bytes);
        const std::string text = support::error_text([&] { load(file.path); });
        CHECK(text.find(file.path) != std::string::npos);
        CHECK(text.find(".onnx") != std::string::npos);
    }
    const Temporary damaged(".onnx");
    write_file(damaged.path, "not a protobuf");
    CHECK(support::error_text([&] { load(damaged.path); }).find(damaged.path) != std::string::npos);
}
