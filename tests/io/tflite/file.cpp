// SPDX-License-Identifier: MIT
// read_tflite: real files are read as an independent list describes them, and no bytes make it crash.

#include <mote/io/mapped_file.hpp>
#include <mote/io/tflite/file.hpp>

#include <io/tflite/writer.hpp>
#include <support/catch.hpp>
#include <support/error_text.hpp>
#include <support/shared.hpp>

#include <fstream>
#include <map>
#include <utility>

namespace tflite_file_test {

using namespace mote;
using Bytes = std::vector<std::byte>;

/// Looks at everything that the file states, so that a sanitizer sees each borrowed byte.
std::size_t touch(const TfliteFile& file) {
    std::size_t sum = file.description.size();
    auto add = [&](const auto& list) {
        for (const auto& item : list) sum += item != 0 ? 1 : 0;
    };
    auto add_bytes = [&](std::span<const std::byte> bytes) {
        for (const std::byte b : bytes) sum += std::to_integer<std::size_t>(b);
    };
    for (const TfliteSubgraph& graph : file.subgraphs) {
        add(graph.name);
        for (const TfliteTensor& t : graph.tensors) {
            add(t.name);
            add(t.shape_signature);
            add_bytes(t.bytes);
            add(t.quantization.min);
            add(t.quantization.max);
            add(t.quantization.scale);
            add(t.quantization.zero_point);
            if (!t.sparsity) continue;
            for (const TfliteSparseLevel& level : t.sparsity->levels) {
                for (std::size_t i = 0; i < level.segments.size(); ++i) sum += level.segments[i];
                for (std::size_t i = 0; i < level.indices.size(); ++i) sum += level.indices[i];
            }
        }
        for (const auto* list : {&graph.inputs, &graph.outputs}) {
            for (const std::int32_t id : *list) sum += graph.tensors.at(static_cast<std::size_t>(id)).shape.rank();
        }
        for (const TfliteOperator& o : graph.operators) {
            for (const auto* list : {&o.inputs, &o.outputs, &o.intermediates}) {
                for (const std::int32_t id : *list) {
                    if (id != -1) sum += graph.tensors.at(static_cast<std::size_t>(id)).shape.rank();
                }
            }
            add(o.name);
            add(o.mutating_variable_inputs);
            add_bytes(o.custom_options);
            sum += support::error_text([&] { o.option(tflite::conv_2d::activation); }).size();
            sum += support::error_text([&] { o.option(tflite::conv_2d::dilation_h); }).size();
            sum += support::error_text([&] { o.option(tflite::fully_connected::keep_num_dims); }).size();
            sum += support::error_text([&] { add(o.option(tflite::reshape::new_shape)); }).size();
            sum += support::error_text([&] { o.option(tflite::softmax::beta); }).size();
        }
    }
    return sum;
}

/// Reads from a block of exactly these bytes; true where they are refused.
bool refused(std::span<const std::byte> bytes) {
    const Bytes copy(bytes.begin(), bytes.end());
    return !support::error_text([&] { touch(read_tflite("changed", copy)); }).empty();
}

using tflite_test::Writer;

/// What a made file differs in.
struct Made {
    std::int64_t type = 0, buffer = 1, extent = 4, segment = 2, index = 3, input = 0, scales = 1, axis = 0, outside = 4,
                 operator_code = 3, kind = 1, activation = 1, stride = 2, version = 3;
    int copies = 1;  ///< of the first tensor's entry in the list of tensors
};

/// A 4x4 matrix with blocks of 2x2, two of them stored; an external buffer behind the tables; a custom operator.
Bytes made(const Made& m = {}) {
    namespace s = tflite;
    using i32s = std::vector<std::int32_t>;
    Writer w;
    const auto segments = w.table({Writer::at(s::index_list::int32, w.list(i32s{0, 1, static_cast<std::int32_t>(m.segment)}))});
    const auto two = w.table(
        {Writer::at(s::index_list::uint16, w.list(std::vector<std::uint16_t>{0, static_cast<std::uint16_t>(m.index - 2)}))});
    const auto dense = [&](std::int64_t size) { return w.table({Writer::item(s::dimension::dense_size, size)}); };
    const auto rows = dense(2), block_rows = dense(2), block_columns = dense(2);
    const auto columns = w.table({Writer::item(s::dimension::format, 1), Writer::item(s::dimension::segments_kind, 1),
                                  Writer::at(s::dimension::segments, segments), Writer::item(s::dimension::indices_kind, 2),
                                  Writer::at(s::dimension::indices, two)});
    const auto levels = w.tables({rows, columns, block_rows, block_columns});
    const auto order = w.list(i32s{0, 1, 2, 3}), map = w.list(i32s{0, 1});
    const auto sparsity = w.table({Writer::at(s::sparsity::traversal_order, order), Writer::at(s::sparsity::block_map, map),
                                   Writer::at(s::sparsity::dim_metadata, levels)});
    const auto scale = w.list(std::vector<float>(static_cast<std::size_t>(m.scales), 0.5f));
    const auto zero = w.list(std::vector<std::int64_t>(static_cast<std::size_t>(m.scales), -3));
    const auto quantization = w.table({Writer::at(s::quantization::scale, scale), Writer::at(s::quantization::zero_point, zero),
                                       Writer::item(s::quantization::quantized_dimension, m.axis)});
    const auto shape = w.list(i32s{4, static_cast<std::int32_t>(m.extent)}), name = w.text("weight");
    const auto weight = w.table({Writer::at(s::tensor::shape, shape), Writer::item(s::tensor::type, m.type),
                                 Writer::item(s::tensor::buffer, m.buffer), Writer::at(s::tensor::name, name),
                                 Writer::at(s::tensor::quantization, quantization), Writer::at(s::tensor::sparsity, sparsity)});
    const auto bias_name = w.text("bias"), bias_shape = w.list(i32s{2});
    const auto bias = w.table({Writer::at(s::tensor::shape, bias_shape), Writer::item(s::tensor::type, 4),
                               Writer::item(s::tensor::buffer, 2), Writer::at(s::tensor::name, bias_name)});
    std::vector<Writer::Offset> tensors(static_cast<std::size_t>(m.copies), weight);
    tensors.push_back(bias);
    const auto inputs = w.list(i32s{static_cast<std::int32_t>(m.input), -1, 1}), outputs = w.list(i32s{0});
    const auto options =
        w.table({Writer::item(s::conv_2d::stride_w.field, m.stride), Writer::item(s::conv_2d::activation.field, m.activation)});
    const auto conv =
        w.table({Writer::item(s::op::opcode_index, 0), Writer::at(s::op::inputs, inputs), Writer::at(s::op::outputs, outputs),
                 Writer::item(s::op::options_kind, m.kind), Writer::at(s::op::options, options)});
    const auto custom_bytes = w.list(std::vector<std::uint8_t>{7, 8, 9});
    const auto custom = w.table({Writer::item(s::op::opcode_index, 1), Writer::at(s::op::inputs, outputs),
                                 Writer::at(s::op::outputs, outputs), Writer::at(s::op::custom_options, custom_bytes)});
    const auto operators = w.tables({conv, custom}), tensor_list = w.tables(tensors), graph_name = w.text("main");
    const auto graph = w.table({Writer::at(s::subgraph::tensors, tensor_list), Writer::at(s::subgraph::inputs, outputs),
                                Writer::at(s::subgraph::outputs, outputs), Writer::at(s::subgraph::operators, operators),
                                Writer::at(s::subgraph::name, graph_name)});
    const auto values = w.list(std::vector<std::uint8_t>(32, 1));
    const auto custom_name = w.text("Mine");
    const auto codes = w.tables(
        {w.table({Writer::item(s::operator_code_table::deprecated_builtin_code, std::min<std::int64_t>(m.operator_code, 127)),
                  Writer::item(s::operator_code_table::builtin_code, m.operator_code)}),
         w.table({Writer::item(s::operator_code_table::deprecated_builtin_code, 32),
                  Writer::at(s::operator_code_table::custom_code, custom_name)})});
    // The tables' length is known when they are written: an offset of 0x10101010 stands for it until then.
    const auto buffers = w.tables({w.table({}), w.table({Writer::at(s::buffer::data, values)}),
                                   w.table({Writer::item(s::buffer::offset, 0x10101010), Writer::item(s::buffer::size, 16)})});
    const auto graphs = w.tables({graph});
    Bytes file = w.finish(w.table({Writer::item(s::model::version, m.version), Writer::at(s::model::operator_codes, codes),
                                   Writer::at(s::model::subgraphs, graphs), Writer::at(s::model::buffers, buffers)}));
    const std::uint64_t mark = 0x10101010;
    const std::uint64_t end = file.size() + static_cast<std::uint64_t>(m.outside);
    const auto found = std::search(file.begin(), file.end(), reinterpret_cast<const std::byte*>(&mark),
                                   reinterpret_cast<const std::byte*>(&mark + 1));
    REQUIRE(found != file.end());
    std::memcpy(&*found, &end, sizeof end);
    file.resize(file.size() + 4 + 16, std::byte{2});
    return file;
}

TfliteFile read(Bytes bytes) {
    const auto owner = std::make_shared<const Bytes>(std::move(bytes));
    return read_tflite("made.tflite", *owner, owner);
}

/// The fields of a line of comma-separated values.
std::vector<std::string> fields_of(const std::string& line) {
    std::vector<std::string> fields(1);
    bool quoted = false;
    for (const char c : line) {
        if (c == '"') {
            quoted = !quoted;
        } else if (c == ',' && !quoted) {
            fields.emplace_back();
        } else if (c != '\r') {
            fields.back() += c;
        }
    }
    return fields;
}

std::string operators_of(const TfliteSubgraph& graph) {
    std::vector<std::pair<std::string, int>> counts;
    for (const TfliteOperator& o : graph.operators) {
        const std::string name = concat(o.custom ? "CUSTOM:" : "", o.name);
        auto at = std::find_if(counts.begin(), counts.end(), [&](const auto& entry) { return entry.first == name; });
        if (at == counts.end()) at = counts.insert(at, {name, 0});
        ++at->second;
    }
    std::string text;
    for (const auto& [name, count] : counts) text += concat(text.empty() ? "" : " ", name, "x", count);
    return text;
}

std::string tensors_of(const TfliteSubgraph& graph, std::span<const std::int32_t> ids) {
    std::string text;
    for (const std::int32_t id : ids) {
        const TfliteTensor& t = graph.tensors[static_cast<std::size_t>(id)];
        text += concat(text.empty() ? "" : "; ", t.name, ":", t.type_info().name, "[");
        for (std::size_t axis = 0; axis < t.shape.rank(); ++axis) text += concat(axis == 0 ? "" : ", ", t.shape[axis]);
        text += "]";
        if (t.quantization.scale.empty()) continue;
        char scale[32];
        std::snprintf(scale, sizeof scale, "%.9g", static_cast<double>(t.quantization.scale[0]));
        text += concat(" scale=", std::string_view(scale), " zp=", t.quantization.zero_point[0]);
    }
    return text;
}

TfliteFile read_shared(const std::string& name) {
    FileBytes file = map_file(support::shared_path(name));
    return read_tflite(name, file.bytes, file.owner);
}

}  // namespace tflite_file_test

using tflite_file_test::made;
using tflite_file_test::Made;

TEST_CASE("tflite file: a made file is read as it was written") {
    const mote::TfliteFile file = tflite_file_test::read(made());
    REQUIRE(file.subgraphs.size() == 1);
    const mote::TfliteSubgraph& graph = file.subgraphs[0];
    CHECK(graph.name == "main");
    REQUIRE(graph.tensors.size() == 2);
    const mote::TfliteTensor& weight = graph.tensors[0];
    CHECK(weight.name == "weight");
    CHECK(weight.shape == mote::Shape{4, 4});
    CHECK(weight.bytes.size() == 32);
    CHECK(weight.bytes[31] == std::byte{1});
    CHECK(weight.quantization.scale[0] == 0.5f);
    CHECK(weight.quantization.zero_point[0] == -3);
    REQUIRE(weight.sparsity.has_value());
    CHECK(weight.sparsity->block_map == std::vector<std::size_t>{0, 1});
    REQUIRE(weight.sparsity->levels.size() == 4);
    CHECK_FALSE(weight.sparsity->levels[1].dense);
    CHECK(weight.sparsity->levels[1].segments[2] == 2);
    CHECK(weight.sparsity->levels[1].indices[1] == 1);
    CHECK(weight.sparsity->levels[3].extent == 2);

    const mote::TfliteTensor& bias = graph.tensors[1];  // outside of the tables, 4 bytes off its alignment
    CHECK(bias.bytes.size() == 16);
    CHECK(bias.bytes[15] == std::byte{2});
    CHECK(reinterpret_cast<std::uintptr_t>(bias.bytes.data()) % 8 == 0);

    REQUIRE(graph.operators.size() == 2);
    const mote::TfliteOperator& conv = graph.operators[0];
    CHECK(conv.name == "CONV_2D");
    CHECK(conv.inputs[1] == -1);
    CHECK(conv.option(mote::tflite::conv_2d::stride_w) == 2);
    CHECK(conv.option(mote::tflite::conv_2d::dilation_w) == 1);
    CHECK(conv.option(mote::tflite::conv_2d::activation) == mote::tflite::Activation::relu);
    CHECK_ERROR(conv.option(mote::tflite::add::activation), "made.tflite", "operator 0 'CONV_2D'", "kind 11");
    const mote::TfliteOperator& custom = graph.operators[1];
    CHECK(custom.custom);
    CHECK(custom.name == "Mine");
    CHECK(custom.custom_options.size() == 3);
    CHECK(custom.option(mote::tflite::add::pot_scale_int16));
}

TEST_CASE("tflite file: bytes at any address are read") {
    const tflite_file_test::Bytes bytes = made();
    const std::size_t sum = tflite_file_test::touch(tflite_file_test::read(bytes));
    for (std::size_t shift = 0; shift < 8; ++shift) {
        tflite_file_test::Bytes moved(bytes.size() + shift);
        std::copy(bytes.begin(), bytes.end(), moved.begin() + static_cast<std::ptrdiff_t>(shift));
        CHECK(tflite_file_test::touch(mote::read_tflite("made.tflite", std::span(moved).subspan(shift))) == sum);
    }
}

TEST_CASE("tflite file: operators beyond 127 and beyond the list have their number") {
    CHECK(tflite_file_test::read(made({.operator_code = 150})).subgraphs[0].operators[0].name == "GELU");
    const mote::TfliteFile file = tflite_file_test::read(made({.operator_code = 9999}));
    CHECK(file.subgraphs[0].operators[0].code == 9999);
    CHECK(file.subgraphs[0].operators[0].name.empty());
}

TEST_CASE("tflite file: errors name what is wrong and what would be accepted") {
    using tflite_file_test::read;
    CHECK_ERROR(read({}), "made.tflite", "TFL3");
    CHECK_ERROR(read(made({.version = 2})), "version 2", "version 3 is expected");
    CHECK_ERROR(read(made({.type = 77})), "tensor 0 'weight'", "type is 77");
    CHECK_ERROR(read(made({.type = 10})), "tensor 0 'weight'", "32 bytes", "8 values of FLOAT64 have 64");
    CHECK_ERROR(read(made({.buffer = 3})), "tensor 0 'weight'", "buffer's index is 3", "less than 3");
    CHECK_ERROR(read(made({.buffer = 0})), "tensor 0 'weight'", "0 bytes");
    CHECK_ERROR(read(made({.extent = -1})), "tensor 0 'weight'", "extent is -1");
    CHECK_ERROR(read(made({.extent = 5})), "tensor 0 'weight'", "blocks of 2 along axis 1");
    CHECK_ERROR(read(made({.segment = 3})), "tensor 0 'weight'", "segment 2", "0 to 2");
    CHECK_ERROR(read(made({.index = 4})), "tensor 0 'weight'", "sparse index is 2");
    CHECK_ERROR(read(made({.scales = 3})), "tensor 0 'weight'", "3 scales along axis 0");
    CHECK_ERROR(read(made({.scales = 4, .axis = 2})), "tensor 0 'weight'", "quantized dimension is 2");
    CHECK(read(made({.scales = 4, .axis = 1})).subgraphs[0].tensors[0].quantization.axis == 1);
    CHECK_ERROR(read(made({.input = 2})), "operator 0 'CONV_2D'", "an input is 2", "less than 2");
    CHECK_ERROR(read(made({.input = -2})), "operator 0 'CONV_2D'", "an input is -2");
    CHECK_ERROR(read(made({.outside = 5})), "buffer 2", "16 bytes");
    CHECK_ERROR(read(made({.operator_code = -2})), "number");
    const mote::TfliteFile file = read(made({.activation = 9}));
    CHECK_ERROR(file.subgraphs[0].operators[0].option(mote::tflite::conv_2d::activation), "operator 0", "is 9; 0 to 5");
}

TEST_CASE("tflite file: parts that are used again and again are refused") {
    CHECK_ERROR(tflite_file_test::read(made({.copies = 100000})), "undamaged");
}

TEST_CASE("tflite file: a change of any byte and any cut is an error or another file") {
    const tflite_file_test::Bytes bytes = made();
    std::size_t errors = 0;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        if (tflite_file_test::refused(std::span(bytes).first(size))) ++errors;
    }
    CHECK(errors == bytes.size());
    errors = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (const int value : {0, 1, 0x7f, 0x80, 0xff}) {
            tflite_file_test::Bytes changed = bytes;
            changed[i] = static_cast<std::byte>(value);
            if (tflite_file_test::refused(changed)) ++errors;
        }
    }
    CHECK(errors > bytes.size());
}

TEST_CASE("tflite file: real files have the operators, inputs and outputs that the list of files states") {
    if (support::shared_missing()) return;
    std::ifstream list(support::shared_path("tflite_models.csv"));
    std::string line;
    std::getline(list, line);
    std::size_t files = 0;
    while (std::getline(list, line)) {
        const std::vector<std::string> fields = tflite_file_test::fields_of(line);
        REQUIRE(fields.size() == 8);
        INFO(fields[0]);
        const mote::TfliteFile file = tflite_file_test::read_shared(fields[0]);
        const mote::TfliteSubgraph& graph = file.subgraphs[0];
        CHECK(std::to_string(file.subgraphs.size()) == fields[3]);
        CHECK(tflite_file_test::operators_of(graph) == fields[4]);
        CHECK(tflite_file_test::tensors_of(graph, graph.inputs) == fields[5]);
        CHECK(tflite_file_test::tensors_of(graph, graph.outputs) == fields[6]);
        CHECK(std::string(file.description) == fields[7]);
        std::size_t elements = 0;
        for (const mote::TfliteTensor& t : graph.tensors) elements += t.bytes.empty() ? 0 : t.shape.elements();
        CHECK(std::to_string(elements) == fields[2]);
        ++files;
    }
    CHECK(files >= 31);
}

TEST_CASE("tflite file: a small real file, cut or with changed bytes, is an error or another file", "[damaged]") {
    for (const char* name : {"tflite_micro/hello_world_int8.tflite", "tflite_micro/trained_lstm_int8.tflite"}) {
        if (support::shared_missing()) return;
        const mote::FileBytes file = mote::map_file(support::shared_path(name));
        tflite_file_test::Bytes bytes(file.bytes.begin(), file.bytes.end());
        CHECK_FALSE(tflite_file_test::refused(bytes));
        for (std::size_t size = 0; size < bytes.size(); size += 64) {
            tflite_file_test::refused(std::span(bytes).first(size));
        }
        std::size_t errors = 0;
        for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 2048); ++i) {
            const std::byte was = bytes[i];
            for (const int value : {0xff, 0, 0x7f}) {
                bytes[i] = static_cast<std::byte>(value);
                if (tflite_file_test::refused(bytes)) ++errors;
            }
            bytes[i] = was;
        }
        CHECK(errors > 100);
    }
}
