// SPDX-License-Identifier: MIT
#pragma once
// load: the model in a file of any format that mote reads. It needs the libraries of all of them (flatbuffers, protozero);
// a program that reads one format includes that reader alone.

#include <mote/io/mote_file.hpp>
#include <mote/io/onnx/import.hpp>
#include <mote/io/tflite/import.hpp>

MOTE_BEGIN_NAMESPACE

struct LoadOptions {
    OnnxImportOptions onnx{};  ///< for an ONNX file; its name is the path
    TfliteImportOptions tflite{};
};

/// The model in the file at `path`. What it starts with tells a .mote file ("mote") and a TensorFlow Lite file ("TFL3" at byte
/// 4, its schema's file identifier); an ONNX file states nothing of the kind and is known by its name, which ends with .onnx.
/// Throws an Error that names the path, as the formats' own readers do.
template <class Lazy = void>
AnyModel load(const std::string& path, const LoadOptions& options = {}) {
    const FileBytes file = map_file(path);
    const std::string_view all(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size());
    const std::string_view start = all.substr(0, 8);
    if (start.substr(0, 4) == "mote") return load_mote(path);
    if (start.size() == 8 && start.substr(4) == "TFL3")
        return import_tflite(read_tflite(path, file.bytes, file.owner), options.tflite);
    if (std::string_view(path).ends_with(".onnx")) return load_onnx(path, options.onnx);
    fail("'", path, "': neither a .mote file nor a TensorFlow Lite file, and its name does not end with .onnx");
}

MOTE_END_NAMESPACE
