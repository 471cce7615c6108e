// SPDX-License-Identifier: MIT
// Models from files.

#include "loading.hpp"
#include "tool.hpp"

namespace tool {

mote::AnyModel load_model(const std::string& path, bool channels_last_io) {
    return about(path, [&] { return mote::load(path, {.onnx = {.channels_last_io = channels_last_io}}); });
}

mote::Model<mote::f32, mote::wide> load_f32_model(const std::string& path) {
    const mote::AnyModel model = load_model(path);
    return about(path, [&] { return mote::as<mote::f32, mote::wide>(model); });
}

}  // namespace tool
