// SPDX-License-Identifier: MIT
#pragma once
// Constant: a tensor of an ONNX graph that is known while it is imported.

#include <mote/io/detail/budget.hpp>
#include <mote/io/onnx/file.hpp>
#include <mote/tensor/convert.hpp>

#include <algorithm>
#include <cmath>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_import {

using Dims = std::vector<std::size_t>;

using detail::Budget;

inline std::size_t elements_of(const Dims& dims) {
    Shape shape = Shape::ones(Shape::max_rank);
    std::size_t product = 1;
    for (std::size_t at = 0; at < dims.size(); at += Shape::max_rank) {  // a constant may have any rank
        for (std::size_t i = 0; i < Shape::max_rank; ++i) shape[i] = at + i < dims.size() ? dims[at + i] : 1;
        const std::size_t part = shape.elements();
        if (part != 0 && product > Shape::absurd / part) return Shape::absurd;
        product *= part;
    }
    return product;
}

/// Elements in the file's form, or one that stands for all.
struct Constant {
    Dims dims{};
    OnnxElement element = OnnxElement::undefined;
    FileBytes data{};
    bool fill = false;

    static Constant of(const OnnxTensor& tensor) {
        if (!tensor.strings.empty() || tensor.element == OnnxElement::string) fail("it holds strings; numbers are supported");
        const std::optional<std::uint64_t> count = onnx_elements(tensor.dims);
        if (!count || tensor.data.bytes.size() != onnx_bytes(tensor.element, *count)) {
            fail("it holds ", tensor.data.bytes.size(), " bytes, which do not fit its dims");
        }
        return {Dims(tensor.dims.begin(), tensor.dims.end()), tensor.element, tensor.data, false};
    }
    /// One number as an element, everywhere.
    static Constant filled(OnnxElement element, Dims dims, double value);
    /// Numbers as elements; reals are rounded to the element, integers wrap.
    static Constant of(OnnxElement element, Dims dims, const std::vector<double>& values, Budget& budget);
    static Constant of(OnnxElement element, Dims dims, const std::vector<std::int64_t>& values, Budget& budget);

    std::size_t count() const { return elements_of(dims); }
    bool is_real() const noexcept {
        return element == OnnxElement::float32 || element == OnnxElement::float64 || element == OnnxElement::float16 ||
               element == OnnxElement::bfloat16;
    }
    /// Element `index` of count(), as a number.
    double real(std::size_t index) const {
        const std::size_t at = fill ? 0 : index;
        switch (element) {
            case OnnxElement::float32:
                return static_cast<double>(stored<float>(at));
            case OnnxElement::float64:
                return stored<double>(at);
            case OnnxElement::float16:
                return static_cast<double>(to_float(stored<half>(at)));
            case OnnxElement::bfloat16:
                return static_cast<double>(to_float(stored<bfloat>(at)));
            case OnnxElement::uint64:
                return static_cast<double>(stored<std::uint64_t>(at));
            default:
                return static_cast<double>(integer(index));
        }
    }
    std::int64_t integer(std::size_t index) const {
        const std::size_t at = fill ? 0 : index;
        switch (element) {
            case OnnxElement::int8:
                return stored<std::int8_t>(at);
            case OnnxElement::uint8:
            case OnnxElement::boolean:
                return stored<std::uint8_t>(at);
            case OnnxElement::int16:
                return stored<std::int16_t>(at);
            case OnnxElement::uint16:
                return stored<std::uint16_t>(at);
            case OnnxElement::int32:
                return stored<std::int32_t>(at);
            case OnnxElement::uint32:
                return stored<std::uint32_t>(at);
            case OnnxElement::int64:
            case OnnxElement::uint64:
                return stored<std::int64_t>(at);
            case OnnxElement::int4:
                return (packed(at, 4) ^ 8) - 8;
            case OnnxElement::uint4:
                return packed(at, 4);
            case OnnxElement::int2:
                return (packed(at, 2) ^ 2) - 2;
            case OnnxElement::uint2:
                return packed(at, 2);
            default:
                break;
        }
        if (is_real()) return round_to_i64(real(index));
        fail("a constant is of ", onnx_element_name(element), "; floats of 16 to 64 bits, integers and bool are supported");
    }
    std::vector<std::int64_t> integers() const {
        constexpr std::size_t limit = std::size_t{1} << 24;
        if (count() > limit) fail("it has ", count(), " numbers; up to ", limit, " are supported here");
        std::vector<std::int64_t> result;
        for (std::size_t i = 0; i < count(); ++i) result.push_back(integer(i));
        return result;
    }
    /// Its only number.
    double number() const {
        if (count() != 1) fail("it has ", count(), " numbers; one is expected");
        return real(0);
    }

    /// The elements as f32, under any shape of as many elements; borrowed where they are stored so.
    Tensor<f32> reals(const Shape& shape, Budget& budget) const {
        if (shape.elements() != count()) fail("it has ", count(), " elements; [", to_string(shape), "] is expected");
        if (element == OnnxElement::float32 && !fill) {
            return Tensor<f32>::borrow(shape, reinterpret_cast<const float*>(data.bytes.data()), data.owner);
        }
        budget.take(4 * shape.elements());
        Tensor<f32> result(shape);
        const std::span<float> to = result.values();
        if (fill) {
            std::fill(to.begin(), to.end(), to.empty() ? 0.0f : static_cast<float>(real(0)));
        } else {
            for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<float>(real(i));
        }
        return result;
    }

    /// The same elements under other extents of the same product.
    Constant reshaped(Dims to) const {
        if (elements_of(to) != count()) fail("its ", count(), " elements do not fit the shape that is asked for");
        Constant result = *this;
        result.dims = std::move(to);
        return result;
    }

  private:
    template <class T>
    T stored(std::size_t at) const {
        T value;
        std::memcpy(&value, data.bytes.data() + at * sizeof(T), sizeof(T));
        return value;
    }
    int packed(std::size_t at, std::size_t bits) const {
        const std::size_t each = 8 / bits;
        return (std::to_integer<int>(data.bytes[at / each]) >> (at % each * bits)) & ((1 << bits) - 1);
    }
};

/// One number in the element's bytes, at `to`.
template <class Number>
void store_element(OnnxElement element, Number number, std::byte* to) {
    const auto put = [&](auto value) { std::memcpy(to, &value, sizeof value); };
    const auto single = [&] {
        if constexpr (std::is_same_v<Number, double>) {
            return static_cast<float>(number);
        } else {
            return static_cast<float>(static_cast<double>(number));
        }
    };
    if (element == OnnxElement::float32) return put(single());
    if (element == OnnxElement::float64) return put(static_cast<double>(number));
    if (element == OnnxElement::float16) return put(to_half(single()));
    if (element == OnnxElement::bfloat16) return put(to_bfloat(single()));
    std::int64_t whole = 0;
    if constexpr (std::is_same_v<Number, double>) {  // a cast cuts towards zero
        whole = round_to_i64(number < 0 ? std::ceil(number) : std::floor(number));
        if (element == OnnxElement::boolean) whole = number != 0.0;
        if (element == OnnxElement::uint64 && number >= 0x1p63)
            whole = static_cast<std::int64_t>(number >= 0x1p64 ? ~std::uint64_t{0} : static_cast<std::uint64_t>(number));
    } else {
        whole = element == OnnxElement::boolean ? number != 0 : number;
    }
    const std::size_t bits = onnx_element_bits(element);
    if (bits < 8 || bits > 64) {
        fail("a constant of ", onnx_element_name(element), " is computed; elements of 8 to 64 bits are supported");
    }
    std::memcpy(to, &whole, bits / 8);
}

template <class Number>
Constant computed_constant(OnnxElement element, Dims dims, const std::vector<Number>& values, Budget& budget) {
    const std::size_t bytes = onnx_element_bits(element) / 8;
    if (bytes == 0) fail("a constant of ", onnx_element_name(element), " is computed; elements of 8 to 64 bits are supported");
    budget.take(bytes * values.size());
    const std::shared_ptr<std::byte> memory = allocate_bytes(bytes * values.size());
    for (std::size_t i = 0; i < values.size(); ++i) store_element(element, values[i], memory.get() + i * bytes);
    return {std::move(dims), element, {memory, {memory.get(), bytes * values.size()}}, false};
}

inline Constant Constant::of(OnnxElement element, Dims dims, const std::vector<double>& values, Budget& budget) {
    return computed_constant(element, std::move(dims), values, budget);
}
inline Constant Constant::of(OnnxElement element, Dims dims, const std::vector<std::int64_t>& values, Budget& budget) {
    return computed_constant(element, std::move(dims), values, budget);
}
inline Constant Constant::filled(OnnxElement element, Dims dims, double value) {
    Budget one(64);
    Constant result = computed_constant(element, std::move(dims), std::vector<double>{value}, one);
    result.fill = true;
    return result;
}

/// Steps through the elements of an array of extents `dims` in order, and keeps the place in another array, whose elements lie
/// `strides` apart along the same axes (0: that array has no such axis).
class Walk {
  public:
    Walk(const Dims& dims, std::vector<std::int64_t> strides, std::int64_t start = 0)
        : dims_(dims), strides_(std::move(strides)), index_(dims.size(), 0), at_(start) {}
    std::size_t place() const noexcept { return static_cast<std::size_t>(at_); }
    void next() noexcept {
        for (std::size_t axis = dims_.size(); axis-- > 0;) {
            at_ += strides_[axis];
            if (++index_[axis] < dims_[axis]) return;
            at_ -= strides_[axis] * static_cast<std::int64_t>(index_[axis]);
            index_[axis] = 0;
        }
    }

  private:
    const Dims& dims_;
    std::vector<std::int64_t> strides_;
    std::vector<std::size_t> index_;
    std::int64_t at_;
};

/// Elements between neighbours along each axis; 0 where there are no elements.
inline std::vector<std::int64_t> strides_of(const Dims& dims) {
    if (elements_of(dims) == 0) return std::vector<std::int64_t>(dims.size(), 0);
    std::vector<std::int64_t> strides(dims.size(), 1);
    for (std::size_t axis = dims.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * static_cast<std::int64_t>(dims[axis]);
    return strides;
}

/// The elements of `from` at the places of a walk, under new extents. One that stands for all still does.
inline Constant walked(const Constant& from, const Dims& dims, std::vector<std::int64_t> strides, std::int64_t start,
                       Budget& budget) {
    Constant result{dims, from.element, from.data, from.fill};
    if (from.fill) return result;
    const std::size_t bits = onnx_element_bits(from.element);
    if (bits < 8)
        fail("a constant of ", onnx_element_name(from.element), " is moved; elements of 8 bits or more are supported");
    const std::size_t bytes = bits / 8, count = elements_of(dims);
    if (count >= Shape::absurd / bytes) fail("it becomes absurdly large");
    budget.take(count * bytes);
    const std::shared_ptr<std::byte> memory = allocate_bytes(count * bytes);
    // The last axis in a loop of its own: most constants that are moved are weights of megabytes.
    const std::size_t run = dims.empty() ? 1 : dims.back();
    const auto each = static_cast<std::ptrdiff_t>(bytes);
    const std::ptrdiff_t step = dims.empty() ? 0 : static_cast<std::ptrdiff_t>(strides.back()) * each;
    const Dims outer(dims.begin(), dims.empty() ? dims.end() : dims.end() - 1);
    if (!strides.empty()) strides.pop_back();
    Walk walk(outer, std::move(strides), start);
    std::byte* to = memory.get();
    for (std::size_t i = 0; i < count; i += run, walk.next()) {
        const std::byte* at = from.data.bytes.data() + walk.place() * bytes;
        const auto copy = [&](auto size) {
            for (std::size_t k = 0; k < run; ++k, to += size())
                std::memcpy(to, at + static_cast<std::ptrdiff_t>(k) * step, size());
        };
        if (bytes == 4) {  // f32
            copy(std::integral_constant<std::size_t, 4>());
        } else {
            copy([bytes] { return bytes; });
        }
    }
    result.data = {memory, {memory.get(), count * bytes}};
    return result;
}

/// Axis a of the result is axis order[a]. The elements are borrowed where only axes of extent 1 change places.
inline Constant transposed(const Constant& from, const Dims& order, Budget& budget) {
    Dims dims, longer;
    std::vector<std::int64_t> strides;
    const std::vector<std::int64_t> all = strides_of(from.dims);
    for (const std::size_t axis : order) {
        dims.push_back(from.dims[axis]);
        strides.push_back(all[axis]);
        if (from.dims[axis] != 1) longer.push_back(axis);
    }
    if (std::is_sorted(longer.begin(), longer.end())) return {std::move(dims), from.element, from.data, from.fill};
    return walked(from, dims, strides, 0, budget);
}

/// The strides of an array of extents `from` that repeats along the axes of `dims` that it lacks or of which it has one.
inline std::vector<std::int64_t> broadcast_strides(const Dims& from, const Dims& dims) {
    const std::vector<std::int64_t> all = strides_of(from);
    std::vector<std::int64_t> strides(dims.size(), 0);
    const std::size_t lead = dims.size() - from.size();
    for (std::size_t axis = 0; axis < from.size(); ++axis) strides[lead + axis] = from[axis] == 1 ? 0 : all[axis];
    return strides;
}
inline Constant broadcast(const Constant& from, const Dims& dims, Budget& budget) {
    return from.dims == dims ? from : walked(from, dims, broadcast_strides(from.dims, dims), 0, budget);
}

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
