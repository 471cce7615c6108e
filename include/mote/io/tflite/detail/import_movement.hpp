// SPDX-License-Identifier: MIT
#pragma once
// Import of TensorFlow Lite operators that move elements.

#include <mote/io/tflite/detail/import_state.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::tflite_import {

class Movement : protected ImportState {
  public:
    using ImportState::ImportState;

  protected:
    using Integers = std::vector<std::int64_t>;

    static std::int64_t whole(std::size_t extent) { return static_cast<std::int64_t>(extent); }
    std::size_t axis_of(std::int64_t axis, std::size_t rank) const {
        const std::int64_t at = axis < 0 ? axis + whole(rank) : axis;
        if (at < 0 || at >= whole(rank)) refuse("axis ", axis, " is outside its ", rank, " axes");
        return static_cast<std::size_t>(at);
    }
    std::int64_t integer(std::size_t place) const {
        const Integers numbers = integers(place);
        if (numbers.size() != 1) refuse("input ", place, " has ", numbers.size(), " numbers; one is expected");
        return numbers[0];
    }
    /// The value under another shape. A first extent that stays follows the batch.
    Handle shaped(Handle x, const Shape& to) {
        if (shape(x) == to) return x;
        Reshape layer;
        for (std::size_t axis = 0; axis < to.rank(); ++axis) {
            const bool batch = axis == 0 && shape(x).rank() > 0 && to[0] == shape(x)[0];
            layer.shape.push_back(batch ? 0 : whole(to[axis]));
        }
        return add(std::move(layer), {x});
    }
    /// Output `place` is the value, made of input `from`, under the shape and the quantization that the file states.
    void give(Handle x, std::size_t place = 0, std::size_t from = 0) {
        const Shape& stated = tensor(output_id(place)).shape;
        if (stated.elements() == shape(x).elements()) x = shaped(x, stated);
        bind(requantized(x, quantization_of(input_id(from)), quantization_of(output_id(place))), place);
    }

    // ---------------------------------------------------------------------------------------------- one kind each

    void reshaped() {
        const Handle x = input(0);
        const Shape& to = tensor(output_id()).shape;
        Reshape layer;
        for (std::size_t axis = 0; axis < to.rank(); ++axis) {
            const bool batch = axis == 0 && shape(x).rank() > 0 && to[0] == shape(x)[0];
            layer.shape.push_back(batch ? 0 : static_cast<std::int64_t>(to[axis]));
        }
        bind(requantized(add(std::move(layer), {x}), quantization_of(input_id(0)), quantization_of(output_id())));
    }
    void concatenation() {
        const Quantization q = quantization_of(output_id());
        std::vector<Handle> parts;
        for (std::size_t i = 0; i < inputs(); ++i) parts.push_back(requantized(input(i), quantization_of(input_id(i)), q));
        NodeOptions options{unused(name_), q};
        const Handle y =
            builder_.add(Concat{op_->option(tflite::concatenation::axis)}, std::span<const Handle>(parts), std::move(options));
        bind(activate(y, op_->option(tflite::concatenation::activation)));
    }
    void pad() {
        const Handle x = input(0);
        const std::vector<std::int64_t> sides = integers(1);
        Pad layer;
        if (sides.size() != 2 * shape(x).rank()) refuse("it has ", sides.size(), " paddings for rank ", shape(x).rank());
        for (std::size_t i = 0; i < sides.size(); ++i) {
            if (sides[i] < 0 || sides[i] > 1 << 24) refuse("a padding is ", sides[i], "; 0 or more is expected");
            (i % 2 == 0 ? layer.before : layer.after).push_back(static_cast<std::size_t>(sides[i]));
        }
        if (inputs() > 2) layer.value = constants_.real_number(index(input_id(2)));
        bind(requantized(add(std::move(layer), {x}), quantization_of(input_id(0)), quantization_of(output_id())));
    }
    /// [.., height, width, channels * block^2] -> [.., height * block, width * block, channels]
    Handle depth_to_space(Handle x, std::int64_t block) {
        const Shape in = shape(x);
        const auto extent = [&](std::size_t axis) { return static_cast<std::int64_t>(in[axis]); };
        if (in.rank() != 4 || block < 1 || block > 1 << 12 || extent(3) % (block * block) != 0) {
            refuse("blocks of ", block, " of [", to_string(in), "]; a square that divides the channels is expected");
        }
        const std::int64_t channels = extent(3) / (block * block);
        x = add(Reshape{{0, extent(1), extent(2), block, block, channels}}, {x});
        x = add(Transpose{{0, 1, 3, 2, 4, 5}}, {x});
        return add(Reshape{{0, extent(1) * block, extent(2) * block, channels}}, {x});
    }
    void depth_to_space_op() { bind(depth_to_space(input(0), op_->option(tflite::depth_to_space::block_size))); }
    void space_to_depth_op() {
        Handle x = input(0);
        const Shape in = shape(x);
        const std::int64_t block = op_->option(tflite::space_to_depth::block_size);
        const auto extent = [&](std::size_t axis) { return static_cast<std::int64_t>(in[axis]); };
        if (in.rank() != 4 || block < 1 || extent(1) % block != 0 || extent(2) % block != 0) {
            refuse("blocks of ", block, " of [", to_string(in), "]; a block that divides height and width is expected");
        }
        x = add(Reshape{{0, extent(1) / block, block, extent(2) / block, block, extent(3)}}, {x});
        x = add(Transpose{{0, 1, 3, 2, 4, 5}}, {x});
        bind(add(Reshape{{0, extent(1) / block, extent(2) / block, extent(3) * block * block}}, {x}));
    }
    void transpose_op() {
        Transpose layer;
        for (const std::int64_t axis : integers(1)) {
            if (axis < 0 || axis > 7) refuse("axis ", axis, " is out of range");
            layer.order.push_back(static_cast<std::size_t>(axis));
        }
        bind(add(std::move(layer), {input(0)}));
    }

    // ------------------------------------------------------------------------------------------------------ slices

    /// What a slice takes of one axis.
    struct Part {
        std::int64_t begin = 0, size = -1, stride = 1;
    };
    Handle sliced(Handle x, const std::vector<Part>& parts) {
        Slice layer;
        bool all = true;
        for (std::size_t axis = 0; axis < parts.size(); ++axis) {
            const Part& part = parts[axis];
            const bool taken = part.begin == 0 && part.stride == 1 && (part.size == -1 || part.size == whole(shape(x)[axis]));
            all = all && taken;
            if (part.begin < 0) refuse("it begins at ", part.begin, " of axis ", axis);
            layer.begin.push_back(static_cast<std::size_t>(part.begin));
            layer.size.push_back(taken ? -1 : part.size);
            layer.stride.push_back(part.stride);
        }
        return all ? x : add(std::move(layer), {x});
    }
    void slice() {
        const Handle x = input(0);
        const Integers begin = integers(1), size = integers(2);
        const std::size_t rank = shape(x).rank();
        if (begin.size() != rank || size.size() != rank)
            refuse("it has ", begin.size(), " begins and ", size.size(), " sizes for ", rank, " axes");
        std::vector<Part> parts;
        for (std::size_t axis = 0; axis < rank; ++axis) parts.push_back({begin[axis], size[axis], 1});
        give(sliced(x, parts));
    }
    /// Begins, ends and strides of axes; bits leave them open, skip the axes in the middle, add axes, or take one position.
    void strided_slice_op() {
        const Handle x = input(0);
        const Integers begin = integers(1), end = integers(2), stride = integers(3);
        const std::size_t rank = shape(x).rank(), count = begin.size();
        if (end.size() != count || stride.size() != count || count > 32)
            refuse("it has ", count, " begins, ", end.size(), " ends and ", stride.size(), " strides");
        if (op_->option(strided_slice::offset)) refuse("its ends count from its begins; ends of their own are supported");
        const auto bit = [&](std::int32_t mask, std::size_t i) { return (static_cast<std::uint32_t>(mask) >> i & 1u) != 0; };
        const std::int32_t added = op_->option(strided_slice::new_axis_mask);
        const std::int32_t ellipsis = op_->option(strided_slice::ellipsis_mask);
        std::size_t named = 0;
        for (std::size_t i = 0; i < count; ++i) named += bit(ellipsis, i) || bit(added, i) ? 0u : 1u;
        if (named > rank) refuse("it names ", named, " axes of ", rank);
        std::vector<Part> parts;
        for (std::size_t i = 0; i < count; ++i) {
            if (bit(ellipsis, i)) {
                parts.resize(parts.size() + rank - named);
                named = rank;
            } else if (!bit(added, i)) {
                if (parts.size() == rank) refuse("it names more than ", rank, " axes");
                const std::int64_t extent = whole(shape(x)[parts.size()]), step = stride[i];
                if (step == 0) refuse("a stride is 0");
                const std::int64_t first = step > 0 ? 0 : -1, last = step > 0 ? extent : extent - 1;
                const auto place = [&](std::int64_t at) { return std::clamp(at < 0 ? at + extent : at, first, last); };
                const bool one = bit(op_->option(strided_slice::shrink_axis_mask), i);
                const bool from_start = bit(op_->option(strided_slice::begin_mask), i) && !one;
                const bool to_end = bit(op_->option(strided_slice::end_mask), i) && !one;
                const std::int64_t from = from_start ? (step > 0 ? first : last) : place(begin[i]);
                const std::int64_t to = to_end ? (step > 0 ? last : first) : place(end[i]);
                const std::int64_t span = step > 0 ? to - from : from - to, size = step > 0 ? step : -step;
                const std::int64_t taken = span <= 0 ? 0 : (span - 1) / size + 1;
                parts.push_back({std::max<std::int64_t>(from, 0), one ? 1 : taken, one ? 1 : step});
            }
        }
        parts.resize(rank);
        give(sliced(x, parts));
    }
    /// The parts of input `from` along the axis.
    void parted(std::size_t from, std::int64_t along, Integers sizes) {
        const Handle x = input(from);
        const std::size_t rank = shape(x).rank(), axis = axis_of(along, rank), outputs = op_->outputs.size();
        std::int64_t rest = whole(shape(x)[axis]), begin = 0;
        for (const std::int64_t size : sizes) rest -= std::max<std::int64_t>(size, 0);
        if (sizes.size() != outputs) refuse("it has ", outputs, " outputs and ", sizes.size(), " sizes");
        for (std::size_t i = 0; i < outputs; ++i) {
            std::vector<Part> parts(rank);
            parts[axis] = {begin, sizes[i] < 0 ? std::exchange(rest, 0) : sizes[i], 1};
            begin += parts[axis].size;
            if (op_->outputs[i] >= 0) give(sliced(x, parts), i, from);
        }
        if (begin != whole(shape(x)[axis]) || rest != 0) refuse("its parts are not the ", shape(x)[axis], " of axis ", axis);
    }
    void split_op() {
        const std::size_t rank = shape(input(1)).rank(), axis = axis_of(integer(0), rank), outputs = op_->outputs.size();
        const std::int64_t extent = whole(shape(input(1))[axis]);
        parted(1, whole(axis), Integers(outputs, outputs == 0 ? 0 : extent / whole(outputs)));
    }
    void split_v_op() { parted(0, integer(2), integers(1)); }
    void unpack_op() {
        const Handle x = input(0);
        const std::size_t axis = axis_of(op_->option(unpack::axis), shape(x).rank());
        parted(0, whole(axis), Integers(shape(x)[axis], 1));
    }
    void pack_op() {
        const Shape first = shape(input(0)), to = tensor(output_id()).shape;
        if (to.rank() != first.rank() + 1)
            refuse("its output is [", to_string(to), "], its first input [", to_string(first), "]");
        const std::size_t axis = axis_of(op_->option(pack::axis), to.rank());
        Shape one = to;
        one[axis] = 1;
        const Quantization q = quantization_of(output_id());
        std::vector<Handle> parts;
        for (std::size_t i = 0; i < inputs(); ++i)
            parts.push_back(shaped(requantized(input(i), quantization_of(input_id(i)), q), one));
        bind(builder_.add(Concat{static_cast<std::int32_t>(axis)}, std::span<const Handle>(parts), {unused(name_), q}));
    }
    void reverse() {
        const Handle x = input(0);
        std::vector<Part> parts(shape(x).rank());
        for (const std::int64_t axis : integers(1)) {
            const std::size_t at = axis_of(axis, parts.size());
            if (shape(x)[at] > 0) parts[at] = {whole(shape(x)[at]) - 1, -1, -1};
        }
        give(sliced(x, parts));
    }

    // --------------------------------------------------------------------------------------- indices and repetitions

    Handle gathered(Handle x, std::size_t axis, const Integers& indices, const Shape& under) {
        Gather layer{static_cast<std::int32_t>(axis), Tensor<i32>(under)};
        for (std::size_t i = 0; i < indices.size(); ++i) {
            if (indices[i] < 0 || indices[i] >= whole(shape(x)[axis]))
                refuse("index ", indices[i], " is outside the ", shape(x)[axis], " of axis ", axis);
            layer.indices[i] = narrow<std::int32_t>(indices[i]);
        }
        return add(std::move(layer), {x});
    }
    void gather_op() {
        const Handle x = input(0);
        if (op_->option(gather::batch_dims) != 0)
            refuse("it has ", op_->option(gather::batch_dims), " batch axes; none are supported");
        const std::size_t axis = axis_of(op_->option(gather::axis), shape(x).rank());
        give(gathered(x, axis, integers(1), tensor(input_id(1)).shape));
    }
    /// Each row of the indices names a position of the leading axes.
    void gather_nd() {
        Handle x = input(0);
        const Shape in = shape(x), named = tensor(input_id(1)).shape;
        const std::size_t length = named.rank() == 0 ? 0 : named.back();
        if (length == 0 || length > in.rank())
            refuse("its indices [", to_string(named), "] name ", length, " of ", in.rank(), " axes");
        const Integers all = integers(1);
        Shape lead = Shape::ones(length);
        for (std::size_t axis = 0; axis < length; ++axis) lead[axis] = in[axis];
        Integers flat;
        for (std::size_t row = 0; row < all.size() / length; ++row) {
            std::int64_t at = 0;
            for (std::size_t axis = 0; axis < length; ++axis) {
                const std::int64_t index = all[row * length + axis];
                if (index < 0 || index >= whole(in[axis]))
                    refuse("index ", index, " is outside the ", in[axis], " of axis ", axis);
                at += index * whole(lead.stride(axis));
            }
            flat.push_back(at);
        }
        x = shaped(x, {lead.elements(), lead.elements() == 0 ? 0 : in.elements() / lead.elements()});
        give(gathered(x, 0, flat, Shape{flat.size()}));
    }
    void mirror_pad_op() {
        Handle x = input(0);
        const Integers sides = integers(1);
        const std::int64_t skipped = op_->option(mirror_pad::mode) == MirrorMode::reflect ? 1 : 0;  // the border itself
        const Shape in = shape(x);
        if (sides.size() != 2 * in.rank()) refuse("it has ", sides.size(), " paddings for rank ", in.rank());
        for (std::size_t axis = 0; axis < in.rank(); ++axis) {
            const std::int64_t extent = whole(in[axis]), before = sides[2 * axis], after = sides[2 * axis + 1];
            for (const std::int64_t side : {before, after}) {
                if (side < 0 || side > extent - skipped)
                    refuse("a padding of ", extent, " is ", side, "; it mirrors what is there");
            }
            Integers indices;
            for (std::int64_t i = -before; i < extent + after; ++i) {
                indices.push_back(i < 0 ? -i - 1 + skipped : i < extent ? i : 2 * extent - 1 - skipped - i);
            }
            if (before + after > 0) x = gathered(x, axis, indices, Shape{indices.size()});
        }
        give(x);
    }
    void tile() {
        const Handle x = input(0);
        Tile layer;
        for (const std::int64_t count : integers(1)) {
            if (count < 0) refuse("it repeats ", count, " times");
            layer.repeats.push_back(static_cast<std::size_t>(count));
        }
        give(add(std::move(layer), {x}));
    }
    void broadcast_to() {
        Handle x = input(0);
        const Shape& to = tensor(output_id()).shape;
        const std::size_t rank = shape(x).rank();
        if (rank > to.rank()) refuse("[", to_string(shape(x)), "] does not become [", to_string(to), "]");
        Shape from = Shape::ones(to.rank());
        for (std::size_t axis = 0; axis < rank; ++axis) from[to.rank() - rank + axis] = shape(x)[axis];
        x = shaped(x, from);
        Tile layer;
        for (std::size_t axis = 0; axis < to.rank(); ++axis) layer.repeats.push_back(from[axis] == to[axis] ? 1 : to[axis]);
        give(add(std::move(layer), {x}));
    }

    // -------------------------------------------------------------------------------------------------- batch and space

    /// The blocks' extents, and what is put before and after, or cut off, along the axes behind the batch.
    struct Blocks {
        std::vector<std::size_t> extents{};
        Integers sides{};
        std::size_t elements = 1;
    };
    Blocks blocks(Handle x) {
        Blocks result{{}, integers(2), 1};
        for (const std::int64_t extent : integers(1)) {
            if (extent < 1 || extent > 1 << 16) refuse("a block is ", extent, " long");
            result.extents.push_back(static_cast<std::size_t>(extent));
            result.elements *= result.extents.back();
            if (result.elements > 1 << 16) refuse("a block has more than 2^16 elements");
        }
        const std::size_t spatial = result.extents.size();
        if (result.sides.size() != 2 * spatial || spatial + 1 > shape(x).rank() || shape(x).rank() + spatial > Shape::max_rank)
            refuse("blocks of ", spatial, " axes, with ", result.sides.size(), " sides, of [", to_string(shape(x)), "]");
        for (const std::int64_t side : result.sides) {
            if (side < 0 || side > 1 << 24) refuse("a side is ", side, "; 0 or more is expected");
        }
        return result;
    }
    void space_to_batch() {
        Handle x = input(0);
        const Blocks b = blocks(x);
        const std::size_t spatial = b.extents.size(), rank = shape(x).rank();
        Pad layer{.before = std::vector<std::size_t>(rank, 0), .after = std::vector<std::size_t>(rank, 0)};
        for (std::size_t i = 0; i < spatial; ++i) {
            layer.before[i + 1] = static_cast<std::size_t>(b.sides[2 * i]);
            layer.after[i + 1] = static_cast<std::size_t>(b.sides[2 * i + 1]);
        }
        x = add(std::move(layer), {x});
        const Shape in = shape(x);
        Reshape apart{{whole(in[0])}};
        Transpose turned;
        for (std::size_t i = 0; i < spatial; ++i) {
            if (in[i + 1] % b.extents[i] != 0) refuse("[", to_string(in), "] does not divide into its blocks");
            apart.shape.push_back(whole(in[i + 1] / b.extents[i]));
            apart.shape.push_back(whole(b.extents[i]));
            turned.order.push_back(2 * i + 2);
        }
        turned.order.push_back(0);
        for (std::size_t i = 0; i < spatial; ++i) turned.order.push_back(2 * i + 1);
        for (std::size_t axis = spatial + 1; axis < rank; ++axis) {
            apart.shape.push_back(whole(in[axis]));
            turned.order.push_back(axis + spatial);
        }
        give(add(std::move(turned), {add(std::move(apart), {x})}));
    }
    void batch_to_space() {
        Handle x = input(0);
        const Blocks b = blocks(x);
        const std::size_t spatial = b.extents.size(), rank = shape(x).rank();
        const Shape in = shape(x);
        if (in[0] % b.elements != 0) refuse("a batch of ", in[0], " does not divide into its blocks");
        Reshape apart, joined{{whole(in[0] / b.elements)}};
        Transpose turned{{spatial}};
        std::vector<Part> parts(1);
        for (const std::size_t extent : b.extents) apart.shape.push_back(whole(extent));
        apart.shape.push_back(whole(in[0] / b.elements));
        for (std::size_t axis = 1; axis < rank; ++axis) {
            apart.shape.push_back(whole(in[axis]));
            turned.order.push_back(spatial + axis);
            std::int64_t extent = whole(in[axis]);
            parts.emplace_back();
            if (axis <= spatial) {
                turned.order.push_back(axis - 1);
                extent *= whole(b.extents[axis - 1]);
                const std::int64_t before = b.sides[2 * axis - 2], after = b.sides[2 * axis - 1];
                if (before + after > extent) refuse("it cuts ", before + after, " of ", extent, " along axis ", axis);
                parts.back() = {before, extent - before - after, 1};
            }
            joined.shape.push_back(extent);
        }
        x = add(std::move(joined), {add(std::move(turned), {add(std::move(apart), {x})})});
        give(sliced(x, parts));
    }
};

}  // namespace detail::tflite_import

MOTE_END_NAMESPACE
