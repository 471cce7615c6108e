// SPDX-License-Identifier: MIT
#pragma once
// read_tflite: what a TensorFlow Lite file states, as plain structs that borrow from its bytes. Every byte is untrusted.

#include <mote/core/narrow.hpp>
#include <mote/io/mapped_file.hpp>
#include <mote/io/tflite/schema.hpp>
#include <mote/tensor/tensor.hpp>

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <vector>

MOTE_BEGIN_NAMESPACE

namespace detail::tflite_file {

using namespace tflite;

static_assert(std::endian::native == std::endian::little, "mote: .tflite files are read on little-endian machines");

/// What an error is about: "tensor 3 'name'".
struct Place {
    const char* kind = "";
    std::size_t index = 0;
    std::string_view name{};
};

/// The file while it is read, and what keeps its bytes alive afterwards.
struct Source {
    Source(const std::string& file_name, std::span<const std::byte> file, std::shared_ptr<const void> file_owner)
        : name(file_name), bytes(file), owner(std::move(file_owner)), budget(16 * file.size()), verifier(verifier_of(file)) {}

    /// Of tables that do not share their bytes there cannot be more than a fourth of the file's bytes.
    static flatbuffers::Verifier verifier_of(std::span<const std::byte> file) {
        const std::size_t size = std::min<std::size_t>(file.size(), FLATBUFFERS_MAX_BUFFER_SIZE - 1);
        const std::size_t tables = std::min<std::size_t>(size / 4, 1000000);
        return {reinterpret_cast<const std::uint8_t*>(file.data()), size, 8, narrow<flatbuffers::uoffset_t>(tables)};
    }
    template <class... Part>
    [[noreturn]] void refuse(const Place& place, const Part&... part) const {
        if (*place.kind == '\0') fail("'", name, "': ", part...);
        const std::string title = place.name.empty() ? "" : concat(" '", place.name.substr(0, 100), "'");
        fail("'", name, "': ", place.kind, " ", place.index, title, ": ", part...);
    }
    template <class... Part>
    [[noreturn]] void damaged(const Place& place, const Part&... part) const {
        refuse(place, part..., "; an undamaged TensorFlow Lite file is expected");
    }
    /// Lists of sane files do not overlap: without a limit on their sum a small file could ask for any amount of work.
    void spend(const Place& place, std::size_t count) {
        if (reading && count > budget) damaged(place, "its lists overlap, they are 16 times as long as the file together");
        if (reading) budget -= count;
    }
    std::size_t position(const void* p) const {
        return static_cast<std::size_t>(static_cast<const std::byte*>(p) - bytes.data());
    }
    std::string name;
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;
    std::vector<std::shared_ptr<const void>> copies{};  ///< of buffers whose address does not suit their elements
    std::size_t budget;
    bool reading = true;
    flatbuffers::Verifier verifier;
};

/// A table of the file. Each field is checked when it is read.
class Table {
  public:
    Table() = default;
    Table(Source* source, const void* table, const Place& place)
        : source_(source), table_(static_cast<const flatbuffers::Table*>(table)), place_(place) {
        // Tables are not followed deeper than the schema is; the verifier counts them.
        if (!table_->VerifyTableStart(source->verifier)) source->damaged(place, "a table is broken, or there are too many");
        source->verifier.EndTable();
    }
    explicit operator bool() const noexcept { return table_ != nullptr; }
    const Place& place() const noexcept { return place_; }
    void set_place(const Place& place) noexcept { place_ = place; }
    Source& source() const noexcept { return *source_; }

    template <class... Part>
    [[noreturn]] void refuse(const Part&... part) const {
        source_->refuse(place_, part...);
    }
    template <class T>
    T get(const SchemaField<T>& field) const {
        if constexpr (std::is_enum_v<T>) {
            using U = std::underlying_type_t<T>;
            const U value = scalar<U>(field.number, static_cast<U>(field.absent));
            if (value < 0 || value >= static_cast<U>(T::count)) {
                refuse("field ", field.number, " is ", value, "; 0 to ", static_cast<int>(T::count) - 1, " are expected");
            }
            return static_cast<T>(value);
        } else if constexpr (std::is_same_v<T, bool>) {
            return scalar<std::uint8_t>(field.number, field.absent) != 0;
        } else if constexpr (std::is_arithmetic_v<T>) {
            return scalar<T>(field.number, field.absent);
        } else if constexpr (std::is_same_v<T, std::string_view>) {
            const auto* text = target<flatbuffers::String>(field.number);
            if (text == nullptr) return field.absent;
            if (!source_->verifier.VerifyString(text)) outside(field.number);
            source_->spend(place_, text->size());
            return {text->c_str(), text->size()};
        } else {
            return list<typename T::value_type>(field.number);
        }
    }
    Table get(const SchemaField<OneTable>& field) const {
        const auto* table = target<flatbuffers::Table>(field.number);
        return table == nullptr ? Table() : Table(source_, table, place_);
    }
    /// `kind` names an item in errors.
    std::vector<Table> get(const SchemaField<ManyTables>& field, const char* kind) const {
        std::vector<Table> tables;
        for (const std::uint32_t& entry : list<std::uint32_t>(field.number)) {
            const std::size_t at = source_->position(&entry);
            const std::size_t offset = source_->verifier.VerifyOffset(at);
            if (offset == 0) outside(field.number);
            tables.emplace_back(source_, source_->bytes.data() + at + offset, Place{kind, tables.size()});
        }
        return tables;
    }
    /// The bytes in `list`, or those of the file that an offset and a size state.
    std::span<const std::byte> bytes(const SchemaField<List<std::uint8_t>>& list, const SchemaField<std::uint64_t>& where,
                                     const SchemaField<std::uint64_t>& how_many) const {
        const auto listed = std::as_bytes(get(list));
        const std::uint64_t offset = get(where), size = get(how_many), file = source_->bytes.size();
        if (!listed.empty() || offset <= 1) return listed;
        if (offset > file || size > file - offset) {
            source_->damaged(place_, size, " bytes at ", offset, " are stated, the file has ", file);
        }
        source_->spend(place_, narrow<std::size_t>(size));
        return source_->bytes.subspan(narrow<std::size_t>(offset), narrow<std::size_t>(size));
    }

  private:
    [[noreturn]] void outside(unsigned number) const {
        source_->damaged(place_, "field ", number, " of a table lies outside of the file, or at an odd place in it");
    }
    static constexpr flatbuffers::voffset_t slot(unsigned number) {
        return static_cast<flatbuffers::voffset_t>(4 + 2 * number);
    }
    template <class T>
    T scalar(unsigned number, T absent) const {
        if (!table_->VerifyField<T>(source_->verifier, slot(number), alignof(T))) outside(number);
        return table_->GetField<T>(slot(number), absent);
    }
    template <class T>
    const T* target(unsigned number) const {
        if (!table_->VerifyOffset(source_->verifier, slot(number))) outside(number);
        return table_->GetPointer<const T*>(slot(number));
    }
    template <class T>
    List<T> list(unsigned number) const {
        const auto* vector = target<flatbuffers::Vector<T>>(number);
        if (vector == nullptr) return {};
        if (!source_->verifier.VerifyVector(vector)) outside(number);
        if (source_->position(vector->Data()) % alignof(T) != 0) outside(number);
        source_->spend(place_, sizeof(T) * vector->size());
        return {reinterpret_cast<const T*>(vector->Data()), vector->size()};
    }

    Source* source_ = nullptr;
    const flatbuffers::Table* table_ = nullptr;
    Place place_{};
};

}  // namespace detail::tflite_file

struct TfliteQuantization {
    std::span<const float> min, max, scale;    ///< scale: none, one, or one for each index of `axis`
    std::span<const std::int64_t> zero_point;  ///< as many as scales, or none; each fits 32 bits
    std::size_t axis = 0;
};

/// Natural numbers of 1, 2 or 4 bytes each.
struct TfliteIndices {
    std::span<const std::byte> bytes;
    std::size_t width = 4;

    std::size_t size() const noexcept { return bytes.size() / width; }
    std::size_t operator[](std::size_t index) const noexcept {
        std::uint32_t value = 0;
        std::memcpy(&value, bytes.data() + index * width, width);
        return value;
    }
};

/// One level of a sparse tensor: all of `extent` indices, or those that `indices` lists. The entry i of the level above then
/// has the indices from segments[i] up to segments[i + 1], each below `extent`.
struct TfliteSparseLevel {
    bool dense = true;
    std::size_t extent = 0;
    TfliteIndices segments{}, indices{};
};

/// Stored values are in the order of the last level. Level i runs over axis order[i] of the blocked shape: the tensor's shape,
/// each axis block_map[b] divided by the extent of block b, then the blocks' extents as axes rank, rank + 1 …
struct TfliteSparsity {
    std::vector<std::size_t> order, block_map;
    std::vector<TfliteSparseLevel> levels;
};

struct TfliteTensor {
    std::string_view name;
    std::size_t type = 0;  ///< index into tflite::tensor_types
    Shape shape{};
    std::span<const std::int32_t> shape_signature{};  ///< −1 where the extent is free; empty where none is
    std::span<const std::byte> bytes{};               ///< of a constant, aligned for its type; else empty
    bool is_variable = false;
    TfliteQuantization quantization{};
    std::optional<TfliteSparsity> sparsity{};  ///< then `bytes` are its stored values; checked as a whole

    const tflite::TensorType& type_info() const noexcept { return tflite::tensor_types[type]; }
};

struct TfliteOperator {
    std::int32_t code = 0;    ///< number in tflite::operator_names, or beyond it
    std::string_view name{};  ///< the builtin's name or the custom one; empty for a number beyond the list
    bool custom = false;
    std::int32_t version = 1;
    std::span<const std::int32_t> inputs{}, outputs{}, intermediates{};  ///< tensors of the subgraph; −1 is an absent one
    std::span<const std::uint8_t> mutating_variable_inputs{};            ///< for each input, whether it is written; or empty
    std::span<const std::byte> custom_options{};
    std::uint8_t options_kind = 0;
    detail::tflite_file::Table options{};

    /// The option as the file states it, or its default. Throws an Error where the options are another operator's or broken.
    template <class T>
    T option(const tflite::Option<T>& wanted) const {
        if (!options) return wanted.field.absent;
        if (options_kind != wanted.kind) {
            options.refuse("its options are of kind ", options_kind, "; kind ", wanted.kind, " is expected");
        }
        return options.get(wanted.field);
    }
};

struct TfliteSubgraph {
    std::string_view name;
    std::vector<TfliteTensor> tensors{};
    std::vector<TfliteOperator> operators{};  ///< in the order in which they run
    std::span<const std::int32_t> inputs{}, outputs{};
};

struct TfliteFile {
    std::string name;
    std::shared_ptr<const void> owner;  ///< keeps alive what all the others borrow
    std::string_view description;
    std::vector<TfliteSubgraph> subgraphs{};  ///< at least one; the first is the model
};

namespace detail::tflite_file {

/// A number of the schema as an index below `limit`.
inline std::size_t checked_index(const Table& table, std::int64_t value, std::size_t limit, const char* what) {
    if (value < 0 || static_cast<std::uint64_t>(value) >= limit) {
        table.refuse(what, " is ", value, "; 0 or more and less than ", limit, " is expected");
    }
    return static_cast<std::size_t>(value);
}

inline List<std::int32_t> checked_ids(const Table& table, const SchemaField<List<std::int32_t>>& field, std::size_t tensors,
                                      const char* what, bool optional) {
    const List<std::int32_t> ids = table.get(field);
    for (const std::int32_t id : ids) {
        if (!optional || id != -1) checked_index(table, id, tensors, what);
    }
    return ids;
}

inline TfliteIndices read_indices(const Table& level, const SchemaField<std::uint8_t>& kind, const SchemaField<OneTable>& at) {
    const std::uint8_t width = level.get(kind);
    const Table table = level.get(at);
    if (!table) level.refuse("a sparse level has no segments or no indices; both are expected");
    if (width == 1) return {std::as_bytes(table.get(index_list::int32)), 4};
    if (width == 2) return {std::as_bytes(table.get(index_list::uint16)), 2};
    if (width == 3) return {std::as_bytes(table.get(index_list::uint8)), 1};
    level.refuse("sparse indices are of kind ", width, "; 1 (int32), 2 (uint16) and 3 (uint8) are expected");
}

/// Segments and indices of a level below one of `above` entries.
inline void check_sparse_level(const Table& level, const TfliteSparseLevel& l, std::size_t above) {
    if (l.segments.size() != above + 1) {
        level.refuse("a sparse level has ", l.segments.size(), " segments; ", above + 1, " are expected");
    }
    std::size_t last = 0;
    for (std::size_t i = 0; i <= above; ++i) {
        const std::size_t end = l.segments[i], size = l.indices.size();
        if (end < last || (i == 0 && end != 0) || (i == above && end != size)) {
            level.refuse("segment ", i, " of a sparse level is ", end, "; rising ones from 0 to ", size, " are expected");
        }
        last = end;
    }
    for (std::size_t i = 0; i < l.indices.size(); ++i) {
        if (l.indices[i] >= l.extent) level.refuse("a sparse index is ", l.indices[i], "; below ", l.extent, " is expected");
    }
}

/// Returns how many values are stored.
inline std::size_t read_sparsity(const Table& tensor, const Table& table, const Shape& shape, TfliteSparsity& s) {
    const List<std::int32_t> order = table.get(sparsity::traversal_order), map = table.get(sparsity::block_map);
    std::vector<Table> levels = table.get(sparsity::dim_metadata, "level");
    for (Table& level : levels) level.set_place(tensor.place());
    const std::size_t axes = shape.rank() + map.size();
    if (map.size() > shape.rank() || order.size() != axes || levels.size() != axes) {
        tensor.refuse("its sparsity has ", order.size(), " axes and ", levels.size(), " levels for rank ", shape.rank(),
                      " and ", map.size(), " blocks; as many as both together, and at most a block an axis, are expected");
    }
    std::vector<std::size_t> level_of(axes, axes);
    for (std::size_t i = 0; i < axes; ++i) {
        const std::size_t axis = checked_index(tensor, order[i], axes, "an axis of its sparsity");
        if (level_of[axis] != axes) tensor.refuse("its sparsity has axis ", axis, " twice; each axis once is expected");
        level_of[axis] = i;
        s.order.push_back(axis);
    }
    std::vector<std::size_t> extents(shape.begin(), shape.end());
    for (const std::int32_t mapped : map) {
        const std::size_t axis = checked_index(tensor, mapped, shape.rank(), "a blocked axis of its sparsity");
        const Table& block = levels[level_of[extents.size()]];
        const auto extent = static_cast<std::size_t>(std::max(block.get(dimension::dense_size), 0));
        if (std::count(map.begin(), map.end(), mapped) > 1 || block.get(dimension::format) != 0 || extent == 0 ||
            extents[axis] % extent != 0) {
            tensor.refuse("blocks of ", extent, " along axis ", axis, "; one dense block that divides it is expected");
        }
        extents[axis] /= extent;
        extents.push_back(extent);
        s.block_map.push_back(axis);
    }
    std::size_t entries = 1;
    for (std::size_t i = 0; i < axes; ++i) {
        const Table& level = levels[i];
        const std::int8_t format = level.get(dimension::format);
        TfliteSparseLevel l{format == 0, extents[s.order[i]]};
        if (l.dense) {
            if (const auto stated = level.get(dimension::dense_size); !std::cmp_equal(stated, l.extent)) {
                tensor.refuse("dense level ", i, " of its sparsity has size ", stated, "; ", l.extent, " is expected");
            }
            if (l.extent != 0 && entries > Shape::absurd / l.extent) tensor.refuse("its sparsity is absurdly large");
            entries *= l.extent;
        } else {
            if (format != 1) tensor.refuse("level ", i, " of its sparsity is of kind ", format, "; 0 and 1 are expected");
            l.segments = read_indices(level, dimension::segments_kind, dimension::segments);
            l.indices = read_indices(level, dimension::indices_kind, dimension::indices);
            check_sparse_level(level, l, entries);
            entries = l.indices.size();
        }
        s.levels.push_back(l);
    }
    return entries;
}

inline TfliteQuantization read_quantization(const Table& tensor, const Table& table, const Shape& shape) {
    TfliteQuantization q{table.get(quantization::min), table.get(quantization::max), table.get(quantization::scale),
                         table.get(quantization::zero_point)};
    if (const auto details = table.get(quantization::details_kind); details != 0) {
        tensor.refuse("its quantization is of kind ", details, " (1 custom, 2 blockwise); scales and zero points are expected");
    }
    if (q.scale.size() > 1) {
        // Old converters state the weight's axis for a bias, too.
        const std::int32_t axis = shape.rank() == 1 ? 0 : table.get(quantization::quantized_dimension);
        q.axis = checked_index(tensor, axis, shape.rank(), "its quantized dimension");
        if (q.scale.size() != shape[q.axis]) {
            tensor.refuse("it has ", q.scale.size(), " scales along axis ", q.axis, " of shape [", to_string(shape),
                          "]; one, or one an index of that axis is expected");
        }
    }
    if (!q.zero_point.empty() && q.zero_point.size() != q.scale.size()) {
        tensor.refuse("it has ", q.scale.size(), " scales and ", q.zero_point.size(), " zero points; as many are expected");
    }
    for (const float s : q.scale) {
        if (!std::isfinite(s) || s < 0) tensor.refuse("a scale is ", s, "; a finite one of 0 or more is expected");
    }
    for (const std::int64_t zero : q.zero_point) {
        if (!fits<std::int32_t>(zero)) tensor.refuse("a zero point is ", zero, "; one of 32 bits is expected");
    }
    return q;
}

inline TfliteTensor read_tensor(Table table, std::vector<std::span<const std::byte>>& buffers) {
    TfliteTensor t{table.get(tensor::name)};
    table.set_place({"tensor", table.place().index, t.name});
    t.type = checked_index(table, table.get(tensor::type), std::size(tensor_types), "its type");
    const TensorType& type = t.type_info();
    const List<std::int32_t> extents = table.get(tensor::shape);
    if (extents.size() > Shape::max_rank) table.refuse("it has rank ", extents.size(), "; at most 8 is expected");
    t.shape = Shape::ones(extents.size());
    for (std::size_t axis = 0; axis < extents.size(); ++axis) {
        t.shape[axis] = checked_index(table, extents[axis], std::size_t{1} << 31, "an extent");
    }
    std::size_t values = t.shape.elements();
    if (values >= Shape::absurd) table.refuse("shape [", to_string(t.shape), "] has more elements than memory can hold");
    t.shape_signature = table.get(tensor::shape_signature);
    if (!t.shape_signature.empty() && t.shape_signature.size() != t.shape.rank()) {
        table.refuse("its shape signature has rank ", t.shape_signature.size(), "; ", t.shape.rank(), " or none is expected");
    }
    t.is_variable = table.get(tensor::is_variable);
    if (const Table q = table.get(tensor::quantization)) t.quantization = read_quantization(table, q, t.shape);
    auto& stored = buffers[checked_index(table, table.get(tensor::buffer), buffers.size(), "its buffer's index")];
    if (const Table s = table.get(tensor::sparsity)) values = read_sparsity(table, s, t.shape, t.sparsity.emplace());
    if (stored.empty() && !t.sparsity) return t;
    const std::size_t expected = type.bits < 8 ? values / 2 + values % 2 : values * (type.bits / 8u);
    if (type.bits != 0 && stored.size() != expected) {
        table.refuse("its buffer has ", stored.size(), " bytes; ", values, " values of ", type.name, " have ", expected);
    }
    // No element needs more than 8.
    const FileBytes suitable = aligned_bytes({}, stored, std::clamp<std::size_t>(type.bits / 8u, 1, 8));
    if (suitable.owner) table.source().copies.push_back(suitable.owner);
    t.bytes = stored = suitable.bytes;
    return t;
}

/// An entry of the file's list of the operators it uses, as an operator without anything else.
inline TfliteOperator read_code(const Table& table) {
    const std::int32_t old = table.get(operator_code_table::deprecated_builtin_code);
    TfliteOperator o{std::max(old, table.get(operator_code_table::builtin_code))};
    if (o.code < 0) table.refuse("its number is ", o.code, "; 0 or more is expected");
    o.version = table.get(operator_code_table::version);
    o.custom = o.code == operator_code("CUSTOM");
    o.name = o.custom ? table.get(operator_code_table::custom_code) : operator_name(o.code);
    if (o.custom && o.name.empty()) table.refuse("a custom operator has no name; one is expected");
    return o;
}

inline TfliteOperator read_operator(Table table, const std::vector<TfliteOperator>& codes, std::size_t tensors) {
    TfliteOperator o = codes[checked_index(table, table.get(op::opcode_index), codes.size(), "its operator code's index")];
    table.set_place({"operator", table.place().index, o.name});
    o.inputs = checked_ids(table, op::inputs, tensors, "an input", true);
    o.outputs = checked_ids(table, op::outputs, tensors, "an output", true);
    o.intermediates = checked_ids(table, op::intermediates, tensors, "an intermediate tensor", true);
    o.mutating_variable_inputs = table.get(op::mutating_variable_inputs);
    if (!o.mutating_variable_inputs.empty() && o.mutating_variable_inputs.size() != o.inputs.size()) {
        table.refuse("it has ", o.inputs.size(), " inputs and ", o.mutating_variable_inputs.size(),
                     " marks of written ones; as many or none are expected");
    }
    o.custom_options = table.bytes(op::custom_options, op::large_custom_options_offset, op::large_custom_options_size);
    o.options_kind = table.get(op::options_kind);
    if (o.options_kind != 0) o.options = table.get(op::options);
    return o;
}

inline TfliteSubgraph read_subgraph(const Table& table, const std::vector<TfliteOperator>& codes,
                                    std::vector<std::span<const std::byte>>& buffers) {
    TfliteSubgraph g{table.get(subgraph::name)};
    for (const Table& t : table.get(subgraph::tensors, "tensor")) g.tensors.push_back(read_tensor(t, buffers));
    const std::size_t tensors = g.tensors.size();
    g.inputs = checked_ids(table, subgraph::inputs, tensors, "an input", false);
    g.outputs = checked_ids(table, subgraph::outputs, tensors, "an output", false);
    for (const Table& o : table.get(subgraph::operators, "operator")) g.operators.push_back(read_operator(o, codes, tensors));
    return g;
}

}  // namespace detail::tflite_file

/// What the TensorFlow Lite file in `bytes` states; `name` stands in errors, `owner` keeps the bytes alive. Tensors, lists and
/// texts borrow from them, except where an address does not suit its elements. Metadata and signatures are not read. Throws an
/// Error that names the file, the operator or tensor, and what would be accepted; graphs are not checked for their order.
inline TfliteFile read_tflite(std::string name, std::span<const std::byte> bytes, std::shared_ptr<const void> owner = {}) {
    namespace in = detail::tflite_file;
    const bool known = bytes.size() >= 8 && std::memcmp(bytes.data() + 4, tflite::identifier, 4) == 0;
    if (!known) fail("'", name, "': it is no TensorFlow Lite file; one with 'TFL3' in its bytes 4 to 7 is expected");
    const FileBytes file_bytes = aligned_bytes(std::move(owner), bytes, alignof(std::uint64_t));
    bytes = file_bytes.bytes;
    const auto source = std::make_shared<in::Source>(name, bytes, file_bytes.owner);
    const auto root = source->verifier.VerifyOffset(0);
    if (root == 0) source->damaged({}, "its first table lies outside of the file");
    const in::Table table(source.get(), bytes.data() + root, {});
    if (const auto version = table.get(tflite::model::version); version != tflite::version) {
        table.refuse("it has version ", version, " of the schema; version ", tflite::version, " is expected");
    }
    std::vector<TfliteOperator> codes;
    for (const auto& code : table.get(tflite::model::operator_codes, "operator code")) codes.push_back(in::read_code(code));
    std::vector<std::span<const std::byte>> buffers;
    for (const auto& buffer : table.get(tflite::model::buffers, "buffer")) {
        buffers.push_back(buffer.bytes(tflite::buffer::data, tflite::buffer::offset, tflite::buffer::size));
    }
    TfliteFile file{std::move(name), source, table.get(tflite::model::description)};
    for (const auto& t : table.get(tflite::model::subgraphs, "subgraph")) {
        file.subgraphs.push_back(in::read_subgraph(t, codes, buffers));
    }
    if (file.subgraphs.empty()) table.refuse("it has no subgraph; one at least is expected");
    source->reading = false;
    return file;
}

MOTE_END_NAMESPACE
