// SPDX-License-Identifier: MIT
#pragma once
// Writes TensorFlow Lite files by their schema: any table, and whole files of one operator.

#include <mote/io/tflite/file.hpp>

#include <algorithm>

namespace tflite_test {

using namespace mote;

/// Writes tables by field numbers.
class Writer {
  public:
    using Offset = flatbuffers::uoffset_t;
    struct Item {
        std::uint16_t number;
        std::int64_t value;
        std::size_t width;  ///< 0: an offset
    };
    template <class T>
    static Item item(const tflite::SchemaField<T>& field, std::int64_t value) {
        return {field.number, value, sizeof(T)};
    }
    template <class T>
    static Item at(const tflite::SchemaField<T>& field, Offset offset) {
        return {field.number, offset, 0};
    }
    template <class T>
    Offset list(const std::vector<T>& values) {
        return out.CreateVector(values).o;
    }
    Offset tables(const std::vector<Offset>& values) {
        std::vector<flatbuffers::Offset<void>> offsets(values.begin(), values.end());
        return out.CreateVector(offsets).o;
    }
    Offset text(const char* value) { return out.CreateString(value).o; }
    Offset table(const std::vector<Item>& items) {
        const Offset start = out.StartTable();
        for (const Item& i : items) {
            const auto slot = static_cast<flatbuffers::voffset_t>(4 + 2 * i.number);
            if (i.width == 0) out.AddOffset(slot, flatbuffers::Offset<void>(static_cast<Offset>(i.value)));
            if (i.width == 1) out.AddElement(slot, static_cast<std::int8_t>(i.value));
            if (i.width == 4) out.AddElement(slot, static_cast<std::int32_t>(i.value));
            if (i.width == 8) out.AddElement(slot, i.value);
        }
        return out.EndTable(start);
    }
    std::vector<std::byte> finish(Offset root) {
        out.Finish(flatbuffers::Offset<void>(root), "TFL3");
        const auto bytes = std::as_bytes(std::span(out.GetBufferPointer(), out.GetSize()));
        return {bytes.begin(), bytes.end()};
    }

    flatbuffers::FlatBufferBuilder out;
};

/// A tensor of a made file: FLOAT32, INT32 or INT8 (at scale 0.5). One with numbers is a constant.
struct MadeTensor {
    std::vector<std::int32_t> shape{};
    enum Type : std::int8_t { f32 = 0, i32 = 2, i8 = 9 } type = f32;
    std::vector<float> numbers{};
    std::int64_t zero_point = 3;  ///< of INT8
};

/// A file of one operator, its options by their fields; tensors that are no constants are inputs of the file.
struct OneOperator {
    const char* name = "";
    std::uint8_t options_kind = 0;
    std::vector<Writer::Item> options{};
    std::vector<MadeTensor> inputs{}, outputs{};

    TfliteFile file() const {
        namespace s = tflite;
        Writer w;
        std::vector<Writer::Offset> tensors, buffers{w.table({})};
        std::vector<std::int32_t> in, out, free;
        const auto add = [&](const MadeTensor& t) {
            std::vector<std::uint8_t> bytes;
            for (const float number : t.numbers) {
                const auto whole = static_cast<std::int32_t>(number);
                const std::size_t size = t.type == MadeTensor::i8 ? 1 : 4;
                const auto* from = t.type == MadeTensor::f32 ? reinterpret_cast<const std::uint8_t*>(&number)
                                                             : reinterpret_cast<const std::uint8_t*>(&whole);
                bytes.insert(bytes.end(), from, from + size);
            }
            std::size_t buffer = 0;
            if (!bytes.empty()) {
                w.out.ForceVectorAlignment(bytes.size(), 1, 16);
                const auto data = w.list(bytes);
                buffer = buffers.size();
                buffers.push_back(w.table({Writer::at(s::buffer::data, data)}));
            }
            const auto title = w.text(concat("t", tensors.size()).c_str()), shape = w.list(t.shape);
            std::vector<Writer::Item> items{Writer::at(s::tensor::shape, shape), Writer::item(s::tensor::type, t.type),
                                            Writer::item(s::tensor::buffer, static_cast<std::int64_t>(buffer)),
                                            Writer::at(s::tensor::name, title)};
            if (t.type == MadeTensor::i8) {
                const auto scale = w.list(std::vector<float>{0.5f});
                const auto zero = w.list(std::vector<std::int64_t>{t.zero_point});
                items.push_back(Writer::at(s::tensor::quantization, w.table({Writer::at(s::quantization::scale, scale),
                                                                             Writer::at(s::quantization::zero_point, zero)})));
            }
            tensors.push_back(w.table(items));
            return static_cast<std::int32_t>(tensors.size() - 1);
        };
        for (const MadeTensor& t : inputs) {
            in.push_back(add(t));
            if (t.numbers.empty()) free.push_back(in.back());
        }
        for (const MadeTensor& t : outputs) out.push_back(add(t));
        const auto* found = std::ranges::find(s::operator_names, std::string_view(name));
        const std::int64_t code = found - std::begin(s::operator_names);
        const auto in_list = w.list(in), out_list = w.list(out), free_list = w.list(free);
        std::vector<Writer::Item> items{Writer::item(s::op::opcode_index, 0), Writer::at(s::op::inputs, in_list),
                                        Writer::at(s::op::outputs, out_list)};
        if (options_kind != 0) {
            items.push_back(Writer::item(s::op::options_kind, options_kind));
            items.push_back(Writer::at(s::op::options, w.table(options)));
        }
        const auto operators = w.tables({w.table(items)}), tensor_list = w.tables(tensors);
        const auto graph = w.table({Writer::at(s::subgraph::tensors, tensor_list), Writer::at(s::subgraph::inputs, free_list),
                                    Writer::at(s::subgraph::outputs, out_list), Writer::at(s::subgraph::operators, operators)});
        const auto codes =
            w.tables({w.table({Writer::item(s::operator_code_table::deprecated_builtin_code, std::min<std::int64_t>(code, 127)),
                               Writer::item(s::operator_code_table::builtin_code, code)})});
        const auto graphs = w.tables({graph}), buffer_list = w.tables(buffers);
        const auto owner = std::make_shared<const std::vector<std::byte>>(
            w.finish(w.table({Writer::item(s::model::version, 3), Writer::at(s::model::operator_codes, codes),
                              Writer::at(s::model::subgraphs, graphs), Writer::at(s::model::buffers, buffer_list)})));
        return read_tflite("made.tflite", *owner, owner);
    }
};

}  // namespace tflite_test
