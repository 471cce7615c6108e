// SPDX-License-Identifier: MIT
#pragma once
// The .mote file: a model with its weights. save() writes one, load_mote() maps one; tensors then borrow their bytes from it.
//
// Version 1, little-endian. An integer without a width is a LEB128 varint; where it has a sign, zigzag coded.
//
//     "mote"  u32 version  u64 bytes of the file  u64 bytes of the table
//     table   kinds   count, of each: name, precision, field count, of each field: name, form
//             values  how many there are; of each input: id, name, element, shape, quantization
//             nodes   count, of each: name, kind, input ids, of each output: id, name ("" = the node's), quantization;
//                     then its fields by their form
//             output ids
//     data    the tensors' bytes in the order of the table, those of 64 bytes and more at multiples of 64, others of 8
//     u64     checksum of all bytes before it
//
// A string is its length and its bytes. A list is its length and its items. Fields are matched by name, so that a later
// version may add one with a default.

#include <mote/io/detail/coder.hpp>
#include <mote/io/mapped_file.hpp>
#include <mote/model/model.hpp>
#include <mote/tensor/file.hpp>

#include <algorithm>
#include <array>

MOTE_BEGIN_NAMESPACE

namespace detail::mote_file {

inline constexpr std::uint32_t version = 1;
inline constexpr std::size_t header_bytes = 24;
inline constexpr std::size_t checksum_bytes = 8;
inline constexpr char magic[] = {'m', 'o', 't', 'e'};

/// What a field's bytes are.
enum class Form : std::uint8_t { integers, real, tensor };

template <class T>
constexpr Form form_of() {
    if constexpr (is_tensor<T>) {
        return Form::tensor;
    } else if constexpr (std::is_floating_point_v<T>) {
        return Form::real;
    } else {
        return Form::integers;
    }
}

template <class L>
struct PrecisionOf {
    static constexpr const char* name = "";
};
template <template <class> class L, class P>
struct PrecisionOf<L<P>> {
    static constexpr const char* name = P::name;
};

constexpr std::size_t alignment_of(std::size_t bytes) noexcept {
    return bytes >= storage_alignment ? storage_alignment : 8;
}

/// Writes a field into the table and a tensor's bytes behind `data`.
template <class T>
void put_field(Out& table, Out& data, const T& value) {
    if constexpr (is_tensor<T>) {
        table.natural(static_cast<std::uint64_t>(T::tag::element));
        put(table, value.shape());
        put(table, value.quantization());
        data.align(alignment_of(value.bytes()));
        data.raw(value.data(), value.bytes());
    } else if constexpr (std::is_floating_point_v<T>) {
        table.fixed(static_cast<float>(value));
    } else if constexpr (std::is_same_v<T, Size2d>) {
        put_integers(table, {value.height, value.width});
    } else if constexpr (std::is_same_v<T, Padding2d>) {
        put_integers(table, {value.top, value.bottom, value.left, value.right});
    } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
        table.natural(1);
        table.integer(static_cast<std::int64_t>(value));
    } else {
        table.natural(value.size());
        for (const auto item : value) table.integer(static_cast<std::int64_t>(item));
    }
}

/// The file's data, from which tensors borrow in their order.
struct Data {
    FileBytes file;
    std::size_t at = 0;
    std::size_t end = 0;

    const std::byte* take(In& in, std::size_t count) {
        at = align_up(at, alignment_of(count));
        if (at > end || count > end - at) in.refuse("a tensor lies beyond the end of the file");
        at += count;
        return file.bytes.data() + (at - count);
    }
};

struct StoredTensor {
    Shape shape;
    Quantization quantization;
    const std::byte* bytes;
};
inline StoredTensor get_tensor(In& in, Data& data, Element wanted) {
    const Element element = get_element(in);
    if (element != wanted) in.refuse("a tensor of ", element_name(wanted), " is stored as ", element_name(element));
    const Shape shape = get_shape(in);
    Quantization q = get_quantization(in);
    if (shape.elements() >= Shape::absurd) in.refuse("shape ", to_string(shape), " is absurd");
    return {shape, std::move(q), data.take(in, element_bytes(element, shape.elements()))};
}

template <class T>
void get_field(In& in, Data& data, T& value) {
    if constexpr (is_tensor<T>) {
        using P = typename T::tag;
        StoredTensor stored = get_tensor(in, data, P::element);
        value = T::borrow(stored.shape, reinterpret_cast<const typename P::value_type*>(stored.bytes), data.file.owner);
        value.set_quantization(std::move(stored.quantization));
    } else if constexpr (std::is_floating_point_v<T>) {
        value = static_cast<T>(in.fixed<float>());
    } else if constexpr (std::is_same_v<T, Size2d>) {
        const std::vector<std::int64_t> v = get_integers(in, 2);
        value = {static_cast<std::size_t>(v[0]), static_cast<std::size_t>(v[1])};
    } else if constexpr (std::is_same_v<T, Padding2d>) {
        const std::vector<std::int64_t> v = get_integers(in, 4);
        value = {static_cast<std::size_t>(v[0]), static_cast<std::size_t>(v[1]), static_cast<std::size_t>(v[2]),
                 static_cast<std::size_t>(v[3])};
    } else if constexpr (std::is_same_v<T, Element>) {
        const std::int64_t element = get_integers(in, 1)[0];
        if (element < 0 || element >= static_cast<std::int64_t>(element_count)) in.refuse("element ", element, " is unknown");
        value = static_cast<Element>(element);
    } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
        value = static_cast<T>(get_integers(in, 1)[0]);
    } else {
        value.clear();
        for (const std::int64_t item : get_integers(in)) value.push_back(static_cast<typename T::value_type>(item));
    }
}

/// A field as the file states it.
struct StoredField {
    std::string name;
    Form form;
};
struct StoredKind {
    std::string name;
    std::string precision;
    std::vector<StoredField> fields;
    std::size_t kind = 0;  ///< its place in the reader's list
};

// What one layer type does to a file. Writing and reading are apart: a program has only what it uses.

struct LayerWriter {
    void (*describe)(Out&);
    void (*write)(const void* layer, Out& table, Out& data);
};
struct LayerReader {
    const char* kind;
    const char* precision;
    std::shared_ptr<const void> (*read)(const StoredKind&, In&, Data&);
};

/// A member that is to be read.
struct Member {
    const char* name;
    Form form;
    void* member;
    void (*get)(In&, Data&, void* member);
};
template <class T>
void get_member(In& in, Data& data, void* member) {
    get_field(in, data, *static_cast<T*>(member));
}
MOTE_NEVER_INLINE void read_members(const char* layer, std::span<const Member> members, const StoredKind& stored, In& in,
                                    Data& data) {
    for (const StoredField& wanted : stored.fields) {
        const auto found = std::find_if(members.begin(), members.end(), [&](const Member& m) { return wanted.name == m.name; });
        if (found == members.end()) in.refuse("layer ", layer, " has no field '", wanted.name, "'");
        if (found->form != wanted.form) in.refuse("field '", wanted.name, "' of ", layer, " has another form");
        found->get(in, data, found->member);
    }
}

template <class L>
struct LayerIo {
    static void describe(Out& out) {
        out.text(L::kind);
        out.text(PrecisionOf<L>::name);
        apply_fields<L>([&](const auto&... field) {
            out.natural(sizeof...(field));
            ((out.text(field.name),
              out.natural(static_cast<std::uint64_t>(form_of<typename std::remove_cvref_t<decltype(field)>::type>()))),
             ...);
        });
    }
    static void write(const void* layer, Out& table, Out& data) {
        for_each_field(*static_cast<const L*>(layer), [&](const auto&, const auto& member) { put_field(table, data, member); });
    }
    static std::shared_ptr<const void> read(const StoredKind& stored, In& in, Data& data) {
        std::shared_ptr<const void> made = make_erased(L{});
        L& layer = *static_cast<L*>(const_cast<void*>(made.get()));  // nobody else has it yet
        apply_fields<L>([&](const auto&... field) {
            const std::array<Member, sizeof...(field)> members{
                Member{field.name, form_of<typename std::remove_cvref_t<decltype(field)>::type>(), &(layer.*field.member),
                       &get_member<typename std::remove_cvref_t<decltype(field)>::type>}...};
            read_members(L::kind, members, stored, in, data);
        });
        return made;
    }
    static constexpr LayerWriter writer{&describe, &write};
    static constexpr LayerReader reader{L::kind, PrecisionOf<L>::name, &read};
};

template <class List>
struct LayerIoTable;
template <class... L>
struct LayerIoTable<LayerList<L...>> {
    static constexpr const LayerWriter* writers[] = {&LayerIo<L>::writer...};
    static constexpr const LayerReader* readers[] = {&LayerIo<L>::reader...};
};

/// The model's table and data, whole.
inline std::string file_of(std::span<const LayerWriter* const> io, const std::vector<Value>& values,
                           const std::vector<Node>& nodes, const std::vector<ValueId>& inputs,
                           const std::vector<ValueId>& outputs) {
    std::vector<std::size_t> used, place(io.size(), io.size());
    for (const Node& node : nodes) {
        if (place[node.kind] != io.size()) continue;
        place[node.kind] = used.size();
        used.push_back(node.kind);
    }
    Out table, data;
    table.natural(used.size());
    for (const std::size_t kind : used) io[kind]->describe(table);
    table.natural(values.size());
    table.natural(inputs.size());
    for (const ValueId id : inputs) {
        table.natural(id);
        table.text(values[id].name);
        table.natural(static_cast<std::uint64_t>(values[id].element));
        put(table, values[id].shape);
        put(table, values[id].quantization);
    }
    table.natural(nodes.size());
    for (const Node& node : nodes) {
        table.text(node.name);
        table.natural(place[node.kind]);
        table.natural(node.inputs.size());
        for (const ValueId id : node.inputs) table.natural(id);
        table.natural(node.outputs.size());
        for (const ValueId id : node.outputs) {
            table.natural(id);
            table.text(values[id].name == node.name ? std::string_view() : std::string_view(values[id].name));
            put(table, values[id].quantization);
        }
        io[node.kind]->write(node.layer.get(), table, data);
    }
    table.natural(outputs.size());
    for (const ValueId id : outputs) table.natural(id);

    const std::size_t data_at = align_up(header_bytes + table.bytes().size());
    const std::size_t bytes = align_up(data_at + data.bytes().size(), 8) + checksum_bytes;
    Out file;
    file.bytes().reserve(bytes);
    file.raw(magic, sizeof magic);
    file.fixed(version);
    file.fixed<std::uint64_t>(bytes);
    file.fixed<std::uint64_t>(table.bytes().size());
    file.bytes() += table.bytes();
    file.align(storage_alignment);
    file.bytes() += data.bytes();
    file.align(8);
    file.fixed(checksum(reinterpret_cast<const std::byte*>(file.bytes().data()), file.bytes().size()));
    return std::move(file.bytes());
}

/// Checks header and checksum; returns where the table ends.
inline std::size_t check(const std::string& what, std::span<const std::byte> bytes) {
    auto refuse = [&](const auto&... part) { fail("'", what, "': ", part..., "; a file written by mote::save is expected"); };
    if (bytes.size() < header_bytes + checksum_bytes || std::memcmp(bytes.data(), magic, sizeof magic) != 0) {
        refuse("it is no .mote file");
    }
    std::uint32_t stored_version;
    std::uint64_t file_bytes, table_bytes, sum;
    std::memcpy(&stored_version, bytes.data() + 4, 4);
    std::memcpy(&file_bytes, bytes.data() + 8, 8);
    std::memcpy(&table_bytes, bytes.data() + 16, 8);
    if (stored_version != version) refuse("it has version ", stored_version, "; this program reads version ", version);
    if (file_bytes != bytes.size()) refuse("it has ", bytes.size(), " bytes where ", file_bytes, " were written");
    std::memcpy(&sum, bytes.data() + bytes.size() - checksum_bytes, checksum_bytes);
    if (sum != checksum(bytes.data(), bytes.size() - checksum_bytes)) refuse("its checksum is wrong: the file is damaged");
    if (table_bytes > bytes.size() - header_bytes - checksum_bytes) refuse("its table is longer than the file");
    return header_bytes + static_cast<std::size_t>(table_bytes);
}

template <class List>
Graph<List> graph_of(const std::string& what, FileBytes file) {
    const std::span<const std::byte> bytes = file.bytes;
    const std::size_t table_end = check(what, bytes);
    In in(what, bytes.subspan(header_bytes, table_end - header_bytes));
    Data data{std::move(file), align_up(table_end), bytes.size() - checksum_bytes};
    constexpr auto& io = LayerIoTable<List>::readers;
    std::vector<StoredKind> kinds(in.length());
    for (StoredKind& kind : kinds) {
        kind.name = in.text();
        kind.precision = in.text();
        for (std::size_t fields = in.length(); fields > 0; --fields) {
            std::string name = in.text();
            kind.fields.push_back({std::move(name), static_cast<Form>(in.natural())});
        }
        while (kind.kind < List::size && (kind.name != io[kind.kind]->kind || kind.precision != io[kind.kind]->precision)) {
            ++kind.kind;
        }
        if (kind.kind == List::size) {
            in.refuse("layer ", kind.name, kind.precision.empty() ? "" : " in ", kind.precision,
                      " is not in the list asked for");
        }
    }
    Graph<List> graph;
    graph.values.resize(in.length());
    for (std::size_t inputs = in.length(); inputs > 0; --inputs) {
        const ValueId id = in.id(graph.values.size());
        std::string name = in.text();
        const Element element = get_element(in);
        const Shape shape = get_shape(in);
        graph.values[id] = {std::move(name), shape, element, get_quantization(in)};
        graph.inputs.push_back(id);
    }
    for (std::size_t nodes = in.length(); nodes > 0; --nodes) {
        Node node;
        node.name = in.text();
        const std::uint64_t kind = in.natural();
        if (kind >= kinds.size()) in.refuse("node '", node.name, "' is of kind ", kind, " of ", kinds.size());
        for (std::size_t count = in.length(); count > 0; --count) node.inputs.push_back(in.id(graph.values.size()));
        for (std::size_t count = in.length(); count > 0; --count) {
            const ValueId id = in.id(graph.values.size());
            std::string name = in.text();
            graph.values[id].name = name.empty() ? node.name : std::move(name);
            graph.values[id].quantization = get_quantization(in);
            node.outputs.push_back(id);
        }
        node.kind = kinds[kind].kind;
        node.layer = io[node.kind]->read(kinds[kind], in, data);
        graph.nodes.push_back(std::move(node));
    }
    for (std::size_t outputs = in.length(); outputs > 0; --outputs) graph.outputs.push_back(in.id(graph.values.size()));
    if (!in.at_end()) in.refuse("its table goes on behind the last output");
    return graph;
}

}  // namespace detail::mote_file

/// The bytes of the model's .mote file.
template <class List>
std::string mote_bytes(const BasicModel<List>& model) {
    return detail::mote_file::file_of(detail::mote_file::LayerIoTable<List>::writers, model.values(), model.nodes(),
                                      model.inputs(), model.outputs());
}

/// Writes the model to `path`. Throws an Error that names the path; then an old file there is as it was.
template <class List>
void save(const BasicModel<List>& model, const std::string& path) {
    write_file(path, mote_bytes(model));
}

/// The model in the file at `path`, of any precision or of the layers asked for; its tensors borrow from the mapped file.
/// Throws an Error that names the path and what is wrong.
template <class List = AnyModel::layers>
BasicModel<List> load_mote(const std::string& path) {
    return BasicModel<List>(detail::mote_file::graph_of<List>(path, map_file(path)));
}

MOTE_END_NAMESPACE
