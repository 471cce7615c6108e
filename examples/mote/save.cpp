// SPDX-License-Identifier: MIT
// Models into files.

#include "tool.hpp"

#include <mote/io/mote_file.hpp>
#include <mote/io/onnx/export.hpp>

namespace tool {

void expect_writable_format(const std::string& path) {
    if (!path.ends_with(".mote") && !path.ends_with(".onnx")) {
        mote::fail("'", path, "': a model is written as .mote or .onnx, as the name ends");
    }
}

void save_model(const mote::AnyModel& model, const std::string& path) {
    expect_writable_format(path);
    if (path.ends_with(".onnx")) return mote::save_onnx(model, path);
    mote::save(model, path);
}

}  // namespace tool
