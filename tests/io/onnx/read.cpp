// SPDX-License-Identifier: MIT
// read_onnx: counts as the shared files' lists state them, typed data as raw data, and hostile bytes end in an Error.

#include <mote/io/onnx/read.hpp>
#include <mote/io/onnx/write.hpp>
#include <mote/tensor/file.hpp>

#include <io/onnx/files.hpp>
#include <support/error_text.hpp>

#include <protozero/pbf_writer.hpp>

#include <fstream>
#include <sstream>

namespace onnx_read_test {

using namespace mote;
using namespace mote::detail::onnx;
using onnx_test::bytes_of;

/// A message by its fields.
template <class Put>
std::string message(Put put) {
    std::string bytes;
    protozero::pbf_writer out(bytes);
    put(out);
    return bytes;
}

/// `content` as the message in `field`.
std::string wrapped(std::uint32_t field, const std::string& content) {
    return message([&](auto& out) { out.add_message(field, content); });
}

/// A tensor's message: its name, element and dims, and what `put` adds.
template <class Put>
std::string tensor_message(OnnxElement element, std::initializer_list<std::int64_t> dims, Put put) {
    return message([&](auto& out) {
        for (const std::int64_t extent : dims) out.add_int64(TensorField::dims, extent);
        out.add_int32(TensorField::data_type, static_cast<std::int32_t>(element));
        out.add_string(TensorField::name, "w");
        put(out);
    });
}

OnnxTensor read_tensor_bytes(const std::string& bytes) {
    return read_onnx_tensor("t.pb", bytes_of(bytes));
}

/// The tensor's data as numbers.
template <class T>
std::vector<T> numbers(const OnnxTensor& tensor) {
    std::vector<T> result(tensor.data.bytes.size() / sizeof(T));
    if (!result.empty()) std::memcpy(result.data(), tensor.data.bytes.data(), tensor.data.bytes.size());
    return result;
}

/// A tensor of three float32 whose data lie in another file.
std::string external_tensor(std::initializer_list<std::pair<const char*, std::string>> entries) {
    return tensor_message(OnnxElement::float32, {3}, [&](auto& out) {
        for (const auto& [key, value] : entries) {
            out.add_message(TensorField::external_data, message([&, k = key, v = value](auto& entry) {
                                entry.add_string(EntryField::key, k);
                                entry.add_string(EntryField::value, v);
                            }));
        }
        out.add_int32(TensorField::data_location, 1);
    });
}

/// Reads the bytes; an Error is as good as a value.
void survive(const std::string& bytes) {
    try {
        const OnnxModel model = read_onnx("hostile.onnx", bytes_of(bytes));
        CHECK(write_onnx(model).size() < 100 * bytes.size() + 1000);
    } catch (const Error& error) {
        if (std::string(error.what()).find("hostile.onnx") == std::string::npos) FAIL_CHECK(error.what());
    }
}

/// All beginnings that are a multiple of 64 bytes long, and changes of single bytes, `stride` apart.
void damage(const std::string& file, std::size_t stride) {
    for (std::size_t length = 0; length < file.size(); length += 64) survive(file.substr(0, length));
    for (std::size_t at = 0; at < file.size(); at += stride) {
        for (const unsigned change : {0x01u, 0x08u, 0x7fu, 0x80u, 0xffu}) {
            std::string damaged = file;
            damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ change);
            survive(damaged);
        }
    }
}

/// The rows of an index.csv below its head, by columns.
std::vector<std::vector<std::string>> rows(const std::filesystem::path& path) {
    std::vector<std::vector<std::string>> result;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        result.emplace_back();
        std::istringstream columns(line);
        for (std::string column; std::getline(columns, column, ',');) result.back().push_back(column);
    }
    if (!result.empty()) result.erase(result.begin());
    return result;
}

std::string element_names(const OnnxGraph& graph) {
    std::string text;
    for (const OnnxValue& input : graph.inputs) {
        if (std::ranges::find(graph.initializers, input.name, &OnnxTensor::name) != graph.initializers.end()) continue;
        text += (text.empty() ? "" : " ") + std::string(onnx_element_name(input.type.element));
    }
    return text;
}

TEST_CASE("onnx read: nodes, opset and inputs are as many as the shared lists state") {
    std::size_t cases = 0;
    for (const std::string& list : onnx_test::shared_files(".csv")) {
        const std::filesystem::path folder = std::filesystem::path(list).parent_path();
        const bool typed = folder.filename().string().starts_with("onnx_node");
        for (const std::vector<std::string>& row : rows(list)) {
            INFO(folder.string() << '/' << row[0]);
            const OnnxModel model = read_onnx((folder / row[0] / "model.onnx").string());
            CHECK(std::to_string(model.graph.nodes.size()) == row[2]);
            CHECK(std::to_string(model.opset()) == row[3]);
            CHECK(std::to_string(model.ir_version) == row[4]);
            if (typed) CHECK(element_names(model.graph) == row[5]);
            ++cases;
        }
    }
    CHECK((cases == 0 || cases == 938));
}

TEST_CASE("onnx read: every shared model and tensor is read, its data aligned") {
    const std::vector<std::string> models = onnx_test::shared_files(".onnx");
    for (const std::string& path : models) {
        const OnnxModel model = read_onnx(path);
        for (const OnnxTensor& tensor : model.graph.initializers) {
            const std::size_t alignment = std::max<std::size_t>(1, onnx_element_bits(tensor.element) / 8);
            if (reinterpret_cast<std::uintptr_t>(tensor.data.bytes.data()) % alignment != 0) FAIL_CHECK(path);
        }
    }
    if (!models.empty()) CHECK(models.size() == 947);
    const std::vector<std::string> tensors = onnx_test::shared_files(".pb");
    for (const std::string& path : tensors) {
        const OnnxTensor tensor = read_onnx_tensor(path);
        if (tensor.element == OnnxElement::undefined) FAIL_CHECK(path);
    }
    if (!tensors.empty()) CHECK(tensors.size() == 2937);
}

TEST_CASE("onnx read: raw data are borrowed where they are aligned") {
    const std::string raw(12, '\1');
    std::size_t borrowed = 0;
    for (std::size_t shift = 0; shift < 4; ++shift) {
        const FileBytes file = bytes_of(tensor_message(OnnxElement::float32, {3}, [&](auto& out) {
            out.add_string(12, std::string(shift, 'x'));
            out.add_bytes(TensorField::raw_data, raw);
        }));
        const OnnxTensor tensor = read_onnx_tensor("t.pb", file);
        CHECK(numbers<char>(tensor) == std::vector<char>(12, '\1'));
        CHECK(reinterpret_cast<std::uintptr_t>(tensor.data.bytes.data()) % 4 == 0);
        borrowed += tensor.data.owner == file.owner ? 1 : 0;
    }
    CHECK(borrowed == 1);
}

TEST_CASE("onnx read: typed data are unpacked to the bytes of their elements") {
    const std::vector<std::int32_t> halves{0x3c00, 0xc000, 1};
    auto packed = [&](auto& out) { out.add_packed_int32(TensorField::int32_data, halves.begin(), halves.end()); };
    auto alone = [&](auto& out) {
        for (const std::int32_t half : halves) out.add_int32(TensorField::int32_data, half);
    };
    const std::vector<std::uint16_t> bits{0x3c00, 0xc000, 1};
    CHECK(numbers<std::uint16_t>(read_tensor_bytes(tensor_message(OnnxElement::float16, {3}, packed))) == bits);
    CHECK(numbers<std::uint16_t>(read_tensor_bytes(tensor_message(OnnxElement::bfloat16, {3, 1}, alone))) == bits);

    auto integers = [](OnnxElement element, std::initializer_list<std::int64_t> dims, std::vector<std::int32_t> values) {
        return read_tensor_bytes(tensor_message(
            element, dims, [&](auto& out) { out.add_packed_int32(TensorField::int32_data, values.begin(), values.end()); }));
    };
    CHECK(numbers<std::int8_t>(integers(OnnxElement::int8, {2}, {-128, 127})) == std::vector<std::int8_t>{-128, 127});
    CHECK(numbers<std::uint8_t>(integers(OnnxElement::uint8, {2}, {0, 255})) == std::vector<std::uint8_t>{0, 255});
    CHECK(numbers<std::uint8_t>(integers(OnnxElement::int4, {3}, {0x21, 0x0f})) == std::vector<std::uint8_t>{0x21, 0x0f});
    CHECK(numbers<std::uint8_t>(integers(OnnxElement::boolean, {2}, {1, 0})) == std::vector<std::uint8_t>{1, 0});
    CHECK(numbers<std::int32_t>(integers(OnnxElement::int32, {1}, {-5})) == std::vector<std::int32_t>{-5});
    CHECK(numbers<char>(integers(OnnxElement::int16, {0, 7}, {})).empty());
    CHECK_ERROR(integers(OnnxElement::uint8, {2}, {0, 256}), "t.pb", "tensor 'w'", "256", "uint8");
    CHECK_ERROR(integers(OnnxElement::boolean, {1}, {2}), "tensor 'w'", "bool");
    CHECK_ERROR(integers(OnnxElement::int8, {3}, {1, 2}), "tensor 'w'", "holds 2 numbers", "3 are expected");
    CHECK_ERROR(integers(OnnxElement::float32, {2}, {1, 2}), "int32_data", "raw_data or float_data");

    const std::vector<std::int64_t> wide{std::numeric_limits<std::int64_t>::min(), 3};
    CHECK(numbers<std::int64_t>(read_tensor_bytes(tensor_message(OnnxElement::int64, {2}, [&](auto& out) {
              out.add_packed_int64(TensorField::int64_data, wide.begin(), wide.end());
          }))) == wide);
    const std::vector<std::uint64_t> naturals{0xffffffffu, 3};
    auto put_naturals = [&](auto& out) { out.add_packed_uint64(TensorField::uint64_data, naturals.begin(), naturals.end()); };
    CHECK(numbers<std::uint32_t>(read_tensor_bytes(tensor_message(OnnxElement::uint32, {2}, put_naturals))) ==
          std::vector<std::uint32_t>{0xffffffffu, 3});
    CHECK(numbers<std::uint64_t>(read_tensor_bytes(tensor_message(OnnxElement::uint64, {2}, put_naturals))) == naturals);
    const std::vector<float> reals{1.5f, -2};
    auto put_reals = [&](auto& out) { out.add_packed_float(TensorField::float_data, reals.begin(), reals.end()); };
    CHECK(numbers<float>(read_tensor_bytes(tensor_message(OnnxElement::float32, {2}, put_reals))) == reals);
    CHECK(numbers<float>(read_tensor_bytes(tensor_message(OnnxElement::complex64, {1}, put_reals))) == reals);
    auto put_doubles = [&](auto& out) {
        out.add_double(TensorField::double_data, 0.1);
        out.add_double(TensorField::double_data, 0.2);
    };
    CHECK(numbers<double>(read_tensor_bytes(tensor_message(OnnxElement::float64, {2}, put_doubles))) ==
          std::vector<double>{0.1, 0.2});
    CHECK_ERROR(read_tensor_bytes(tensor_message(OnnxElement::float32, {4},
                                                 [&](auto& out) {
                                                     put_reals(out);
                                                     put_doubles(out);
                                                 })),
                "float_data and double_data");
}

TEST_CASE("onnx read: a tensor's dims reserve no memory") {
    const std::int64_t large = std::int64_t{1} << 40;
    auto nothing = [](auto&) {};
    auto few = [](auto& out) { out.add_bytes(TensorField::raw_data, "1234", 4); };
    CHECK_ERROR(read_tensor_bytes(tensor_message(OnnxElement::float32, {large}, few)), "tensor 'w'", "4 bytes",
                "4398046511104");
    CHECK_ERROR(read_tensor_bytes(tensor_message(OnnxElement::float32, {large, large}, few)), "tensor 'w'", "dims");
    CHECK_ERROR(read_tensor_bytes(tensor_message(OnnxElement::float32, {-1}, few)), "tensor 'w'", "dims");
    CHECK_ERROR(read_tensor_bytes(tensor_message(OnnxElement::string, {large}, nothing)), "tensor 'w'", "0 strings");
    CHECK_ERROR(read_tensor_bytes(
                    tensor_message(OnnxElement::int8, {large}, [](auto& out) { out.add_int32(TensorField::int32_data, 1); })),
                "holds 1 numbers");
    CHECK(read_tensor_bytes(tensor_message(OnnxElement::int8, {large, large, 0}, nothing)).data.bytes.empty());
    CHECK_ERROR(read_tensor_bytes(tensor_message(static_cast<OnnxElement>(27), {1}, few)), "element type 27");
    CHECK_ERROR(read_tensor_bytes(tensor_message(OnnxElement::boolean, {4}, few)), "bool", "0 and 1");
}

TEST_CASE("onnx read: sequences and optionals are told from tensors") {
    const std::string element = tensor_message(OnnxElement::float32, {0}, [](auto&) {});
    const std::string sequence = message([&](auto& out) {
        out.add_string(1, "list");
        out.add_int32(2, 1);
        out.add_message(3, element);
    });
    CHECK_ERROR(read_tensor_bytes(sequence), "t.pb", "a sequence or an optional", "not supported");
    CHECK_ERROR(read_tensor_bytes(""), "t.pb", "element type");
}

TEST_CASE("onnx read: attributes") {
    auto read = [](const std::string& attribute) {
        const std::string node = message([&](auto& out) {
            out.add_string(NodeField::name, "n");
            out.add_string(NodeField::op_type, "Op");
            out.add_message(NodeField::attribute, attribute);
            out.add_string(NodeField::domain, "ai.onnx");
        });
        const OnnxModel model = read_onnx("a.onnx", bytes_of(wrapped(ModelField::graph, wrapped(GraphField::node, node))));
        CHECK(model.graph.nodes.at(0).domain.empty());
        return model.graph.nodes.at(0).attributes.at(0);
    };
    auto named = [](auto put) {
        return message([&](auto& out) {
            out.add_string(AttributeField::name, "a");
            put(out);
        });
    };
    const OnnxAttribute packed = read(named([](auto& out) {
        const std::vector<std::int64_t> values{1, -2};
        out.add_packed_int64(AttributeField::integers, values.begin(), values.end());
        out.add_int64(AttributeField::integers, 3);
    }));
    CHECK(packed.type == OnnxAttributeType::integers);  // of a file that states no types
    CHECK(std::ranges::equal(packed.values<std::int64_t>(), std::vector<std::int64_t>{1, -2, 3}));
    const OnnxAttribute zero = read(named([](auto& out) { out.add_enum(AttributeField::type, 2); }));
    CHECK(std::ranges::equal(zero.values<std::int64_t>(), std::vector<std::int64_t>{0}));
    CHECK_ERROR(read(named([](auto& out) { out.add_enum(AttributeField::type, 4); })), "a.onnx", "node 'n' (Op)",
                "attribute 'a'", "tensor", "no value");
    CHECK_ERROR(read(named([](auto& out) { out.add_enum(AttributeField::type, 99); })), "attribute 'a'", "99");
    CHECK_ERROR(read(named([](auto&) {})), "attribute 'a'", "no value");
    CHECK_ERROR(read(named([](auto& out) {
                    out.add_enum(AttributeField::type, 2);
                    out.add_float(AttributeField::real, 1);
                })),
                "its type is int", "holds float");
    CHECK_ERROR(read(named([](auto& out) {
                    out.add_float(AttributeField::real, 1);
                    out.add_float(AttributeField::real, 2);
                })),
                "one value is expected");
    CHECK_ERROR(read(named([](auto& out) { out.add_string(AttributeField::integer, "1"); })), "attribute 'a'", "wire type");
    CHECK_ERROR(read(""), "attribute number 0", "no name");
}

TEST_CASE("onnx read: sparse tensors whose parts do not fit are refused") {
    auto refused = [](auto change, const char* text) {
        OnnxModel model;
        model.graph.sparse_initializers = {onnx_test::sparse("rare")};
        change(model.graph.sparse_initializers[0]);
        CHECK_ERROR(read_onnx("s.onnx", bytes_of(write_onnx(model))), "s.onnx", "sparse tensor 'rare'", text);
    };
    refused([](OnnxSparseTensor& s) { s.dims = {2, 2}; }, "index 4");
    refused([](OnnxSparseTensor& s) { s.dims = {2, -2}; }, "dims");
    refused([](OnnxSparseTensor& s) { s.values = onnx_test::tensor("rare", OnnxElement::float32, {3}); }, "do not fit");
    refused([](OnnxSparseTensor& s) { s.indices.dims = {1, 2}; }, "do not fit");
    refused([](OnnxSparseTensor& s) { s.indices.element = OnnxElement::uint64; }, "do not fit");
}

TEST_CASE("onnx read: data in another file of the folder") {
    std::filesystem::remove_all("onnx_external");
    std::filesystem::create_directories("onnx_external/model/weights");
    const float values[] = {1, 2, 3, 4, 5};
    const std::string data(reinterpret_cast<const char*>(values), sizeof values);
    write_file("onnx_external/model/weights/w.bin", data);
    write_file("onnx_external/secret.bin", data);
    std::filesystem::create_symlink("../secret.bin", "onnx_external/model/link.bin");
    std::filesystem::create_symlink("weights/w.bin", "onnx_external/model/near.bin");
    auto read = [](const std::string& tensor) {
        write_file("onnx_external/model/m.onnx", wrapped(ModelField::graph, wrapped(GraphField::initializer, tensor)));
        return read_onnx("onnx_external/model/m.onnx").graph.initializers.at(0);
    };
    const std::string inside = "weights/w.bin";
    CHECK(numbers<float>(read(external_tensor({{"location", inside}}))) == std::vector<float>{1, 2, 3});
    CHECK(numbers<float>(read(external_tensor({{"location", inside}, {"offset", "8"}, {"length", "12"}}))) ==
          std::vector<float>{3, 4, 5});
    CHECK(numbers<float>(read(external_tensor({{"location", "near.bin"}}))) == std::vector<float>{1, 2, 3});
    const OnnxTensor copy = read(external_tensor({{"location", inside}, {"offset", "3"}}));
    CHECK(std::memcmp(copy.data.bytes.data(), data.data() + 3, 12) == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(copy.data.bytes.data()) % 4 == 0);

    const std::string outside = "inside the model's folder is expected";
    CHECK_ERROR(read(external_tensor({{"location", "../secret.bin"}})), "m.onnx", "tensor 'w'", "../secret.bin", outside);
    CHECK_ERROR(read(external_tensor({{"location", "weights/../../secret.bin"}})), outside);
    CHECK_ERROR(read(external_tensor({{"location", std::filesystem::absolute("onnx_external/secret.bin").string()}})), outside);
    CHECK_ERROR(read(external_tensor({{"location", "link.bin"}})), "link.bin", outside);
    CHECK_ERROR(read(external_tensor({{"location", std::string("weights/w.bin\0x", 15)}})), outside);
    CHECK_ERROR(read(external_tensor({})), outside);
    CHECK_ERROR(read(external_tensor({{"location", "weights"}})), "not a regular file");
    CHECK_ERROR(read(external_tensor({{"location", "absent.bin"}})), "absent.bin", "cannot be read");
    CHECK_ERROR(read(external_tensor({{"location", inside}, {"offset", "12"}})), "bytes 12 to 12+12", "has 20");
    CHECK_ERROR(read(external_tensor({{"location", inside}, {"offset", "18446744073709551615"}})), "has 20");
    CHECK_ERROR(read(external_tensor({{"location", inside}, {"offset", "-1"}})), "offset", "'-1'");
    CHECK_ERROR(read(external_tensor({{"location", inside}, {"length", "20"}})), "20 bytes", "12 are expected");

    const std::string unaligned = wrapped(GraphField::initializer, external_tensor({{"location", inside}, {"offset", "1"}}));
    write_file("onnx_external/model/m.onnx", wrapped(ModelField::graph, unaligned + unaligned));
    CHECK_ERROR(read_onnx("onnx_external/model/m.onnx"), "tensors copy more");
    const std::string model =
        wrapped(ModelField::graph, wrapped(GraphField::initializer, external_tensor({{"location", inside}})));
    CHECK_ERROR(read_onnx("memory", bytes_of(model)), "memory", "not read from a folder");
    std::filesystem::remove_all("onnx_external");
}

TEST_CASE("onnx read: damaged bytes give an error or a value", "[damaged]") {
    damage(write_onnx(onnx_test::every_part()), 1);
    for (const std::string& path : onnx_test::shared_files(".onnx")) {
        if (path.find("light_zfnet512") == std::string::npos) continue;
        const FileBytes file = map_file(path);
        damage(std::string(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size()), 5);
    }
    CHECK_ERROR(read_onnx("empty", {}), "'empty'", "no graph");
    CHECK_ERROR(read_onnx("text", bytes_of("not a model at all")), "'text'", "ONNX file is expected");
    OnnxModel odd;
    odd.graph.nodes = {{.name = std::string("a\0b", 3) + std::string(5000, 'c')}};
    CHECK_ERROR(read_onnx("odd", bytes_of(write_onnx(odd))), "node 'a?bccc", "ccc...'", "op_type");
    CHECK_ERROR(read_onnx("no/such/model.onnx"), "no/such/model.onnx");
}

TEST_CASE("onnx read: deep nesting is refused") {
    OnnxModel model;
    std::size_t depth = 0;
    auto deeper = [&] {
        OnnxGraph outer;
        outer.nodes = {
            {.op_type = "If", .attributes = {{"then", OnnxAttributeType::graph, "", std::vector<OnnxGraph>{model.graph}}}}};
        model.graph = std::move(outer);
        ++depth;
    };
    while (depth < 30) deeper();
    CHECK(read_onnx("deep", bytes_of(write_onnx(model))) == model);
    while (depth < 40) deeper();
    CHECK_ERROR(read_onnx("deep", bytes_of(write_onnx(model))), "'deep'", "nested more than 100 deep");

    std::string type;
    for (int i = 0; i < 5000; ++i) type = wrapped(TypeField::sequence, wrapped(WrapperTypeField::inner, type));
    const std::string value = message([&](auto& out) {
        out.add_string(ValueField::name, "v");
        out.add_message(ValueField::type, type);
    });
    CHECK_ERROR(read_onnx("deep", bytes_of(wrapped(ModelField::graph, wrapped(GraphField::input, value)))), "nested");
}

}  // namespace onnx_read_test
