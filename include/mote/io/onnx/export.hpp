// SPDX-License-Identifier: MIT
#pragma once
// export_onnx: a model as the plain structs of an ONNX file. save_onnx() writes the file.

#include <mote/io/onnx/detail/export_functions.hpp>
#include <mote/io/onnx/detail/export_reductions.hpp>
#include <mote/io/onnx/detail/export_windows.hpp>
#include <mote/io/onnx/write.hpp>
#include <mote/model/model.hpp>
#include <mote/tensor/file.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_export {

template <class L>
struct ExportVerb {
    static void call(const void* layer, OnnxExportContext& node) {
        if constexpr (requires(const L& l) { to_onnx(l, node); }) {
            to_onnx(*static_cast<const L*>(layer), node);
        } else {
            node.fail("no ONNX operator is known for it");
        }
    }
};

/// The version of the file format that came with an opset.
constexpr std::int64_t ir_version(std::int64_t opset) noexcept {
    return opset < 15 ? 7 : opset < 19 ? 8 : opset < 21 ? 9 : 10;
}

}  // namespace detail::onnx_export

/// The model as an ONNX file states it: f32 layers as operators on floats, i8 layers as operators on floats between
/// DequantizeLinear and QuantizeLinear, their weights int8 with a scale an output channel, their biases int32. Images are
/// channels first between the layers; inputs and outputs keep the model's axes unless the options say otherwise. Tensors of the
/// result borrow the layers' bytes, which they keep alive, wherever the order of the elements is the same. import_onnx makes a
/// model of it that gives the same answers; in bytes the same bytes, from opset 14 on.
///
/// Throws an Error that lists every node which has no ONNX form, with the reason: a layer without an operator, or a table of
/// bytes that is not its function's.
template <class List>
OnnxModel export_onnx(const BasicModel<List>& model, const OnnxExportOptions& options = {}) {
    if (options.opset < 13 || options.opset > 21)
        fail("'", options.name, "': opset ", options.opset, "; 13 to 21 are supported");
    OnnxExportContext context(model.values(), options);
    for (const ValueId id : model.inputs()) context.add_input(id);
    for (const Node& node : model.nodes()) {
        context.add_node(node, kind_name<List>(node), [&](OnnxExportContext& c) {
            detail::VerbTable<List, detail::onnx_export::ExportVerb>::call[node.kind](node.layer.get(), c);
        });
    }
    for (const ValueId id : model.outputs()) context.add_output(id);
    OnnxModel result{.ir_version = detail::onnx_export::ir_version(options.opset),
                     .producer_name = "mote",
                     .producer_version = concat(MOTE_VERSION_MAJOR, ".", MOTE_VERSION_MINOR, ".", MOTE_VERSION_PATCH),
                     .opsets = {{"", options.opset}}};
    result.graph = context.finished();
    return result;
}

/// Writes the model's ONNX file to `path`. Throws as export_onnx does, where the weights exceed the format's 2 GiB, and where
/// the file cannot be written.
template <class List>
void save_onnx(const BasicModel<List>& model, const std::string& path, const OnnxExportOptions& options = {}) {
    const OnnxModel file = export_onnx(model, options);
    std::uint64_t bytes = 0;
    for (const OnnxTensor& tensor : file.graph.initializers) bytes += tensor.data.bytes.size();
    if (bytes > detail::onnx::largest_file_bytes) {
        fail("'", path, "': the weights take ", bytes, " bytes; an ONNX file holds at most ", detail::onnx::largest_file_bytes);
    }
    write_file(path, write_onnx(file));
}

MOTE_END_NAMESPACE
