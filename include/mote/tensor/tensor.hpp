// SPDX-License-Identifier: MIT
#pragma once
// Tensor<P>: a dense array with shape and quantization, which owns its memory or keeps alive what it borrows.

#include <mote/core/precision.hpp>
#include <mote/core/quantization.hpp>
#include <mote/core/shape.hpp>
#include <mote/core/view.hpp>
#include <mote/tensor/error.hpp>
#include <mote/tensor/storage.hpp>

#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

MOTE_BEGIN_NAMESPACE

/// How the integers of a tensor or value stand for real numbers: not at all (no scale), by one scale, or by one scale a
/// position along `axis`.
struct Quantization {
    std::vector<float> scale;
    std::vector<std::int32_t> zero_point;
    std::size_t axis = 0;

    Quantization() = default;
    Quantization(QuantizationParams params) : scale{params.scale}, zero_point{params.zero_point} {}
    /// Symmetric, a scale per position along `along`.
    Quantization(std::vector<float> scales, std::size_t along)
        : scale(std::move(scales)), zero_point(scale.size(), 0), axis(along) {}

    bool present() const noexcept { return !scale.empty(); }
    bool per_axis() const noexcept { return scale.size() > 1; }
    QuantizationParams params(std::size_t index = 0) const noexcept {
        const std::size_t at = index < scale.size() ? index : 0;
        return {scale[at], zero_point[at]};
    }
    friend bool operator==(const Quantization&, const Quantization&) = default;
};

/// "2x8x8x3"; "scalar" for rank 0.
inline std::string to_string(const Shape& shape) {
    if (shape.rank() == 0) return "scalar";
    std::string text;
    for (const std::size_t extent : shape) {
        if (!text.empty()) text += 'x';
        text += std::to_string(extent);
    }
    return text;
}

/// The number of elements. Throws where the product overflows; `what` names the thing.
inline std::size_t checked_elements(const Shape& shape, const char* what = "tensor") {
    const std::size_t count = shape.elements();
    if (count >= Shape::absurd) fail(what, ": shape ", to_string(shape), " has more elements than memory can hold");
    return count;
}

/// A shape of run-time rank. Throws above rank 8.
inline Shape make_shape(std::span<const std::size_t> extents) {
    if (extents.size() > Shape::max_rank) {
        fail("shape of rank ", extents.size(), ": at most ", Shape::max_rank, " axes are supported");
    }
    Shape shape = Shape::ones(extents.size());
    for (std::size_t axis = 0; axis < extents.size(); ++axis) shape[axis] = extents[axis];
    return shape;
}

/// A dense row-major array of element tag P. Owns 64-byte aligned storage (copies are deep), or borrows read-only memory
/// that it keeps alive (copies share it). Images are [batch, height, width, channels], weights [out, kernel..., in].
template <class P>
class Tensor {
  public:
    using tag = P;
    using value_type = typename P::value_type;

    /// No elements; rank 1 of extent 0. Stands for "absent" (a layer without bias).
    Tensor() : shape_(std::size_t{0}) {}

    /// Zeros. Throws where the shape's product overflows.
    explicit Tensor(const Shape& shape)
        : shape_(shape), memory_(allocate_bytes(element_bytes(P::element, checked_elements(shape)))), owns_(true) {}

    /// The values in row-major order. Throws where their number is not the shape's.
    Tensor(const Shape& shape, std::span<const value_type> values) : Tensor(shape) {
        if (values.size() != size()) {
            fail("tensor of shape ", to_string(shape), ": ", size(), " values expected, ", values.size(), " given");
        }
        for (std::size_t i = 0; i < values.size(); ++i) mutable_data()[i] = values[i];
    }
    Tensor(const Shape& shape, std::initializer_list<value_type> values)
        : Tensor(shape, std::span<const value_type>(values.begin(), values.size())) {}

    /// Borrows `data`, which `owner` keeps alive; read-only.
    static Tensor borrow(const Shape& shape, const value_type* data, std::shared_ptr<const void> owner) {
        checked_elements(shape);
        Tensor tensor;
        tensor.shape_ = shape;
        auto* bytes = reinterpret_cast<std::byte*>(const_cast<value_type*>(data));
        tensor.memory_ = std::shared_ptr<std::byte>(std::const_pointer_cast<void>(std::move(owner)), bytes);
        return tensor;
    }

    Tensor(const Tensor& other) : shape_(other.shape_), quantization_(other.quantization_) {
        if (!other.owns_) {
            memory_ = other.memory_;
        } else {
            memory_ = allocate_bytes(other.bytes());
            owns_ = true;
            std::memcpy(memory_.get(), other.memory_.get(), other.bytes());
        }
    }
    /// `other` becomes empty.
    Tensor(Tensor&& other) noexcept : Tensor() { swap(other); }
    Tensor& operator=(Tensor other) noexcept {
        swap(other);
        return *this;
    }
    ~Tensor() = default;

    const Shape& shape() const noexcept { return shape_; }
    std::size_t elements() const noexcept { return shape_.elements(); }
    bool empty() const noexcept { return elements() == 0; }
    /// How many value_type are stored: the elements, or for i4 their packed bytes.
    std::size_t size() const noexcept { return P::bits == 4 ? (elements() + 1) / 2 : elements(); }
    std::size_t bytes() const noexcept { return element_bytes(P::element, elements()); }
    bool owns() const noexcept { return owns_; }

    const value_type* data() const noexcept { return reinterpret_cast<const value_type*>(memory_.get()); }
    /// Throws on borrowed memory, which is read-only.
    value_type* data() {
        if (!owns_ && !empty()) fail("tensor: borrowed memory is read-only; copy its values into a new tensor to change them");
        return mutable_data();
    }
    std::span<const value_type> values() const noexcept { return {data(), size()}; }
    std::span<value_type> values() { return {data(), size()}; }
    const value_type& operator[](std::size_t index) const noexcept { return data()[index]; }
    value_type& operator[](std::size_t index) { return data()[index]; }
    TensorView<const P> view() const noexcept { return {data(), shape_}; }
    TensorView<P> view() { return {data(), shape_}; }

    const Quantization& quantization() const noexcept { return quantization_; }
    void set_quantization(Quantization quantization) { quantization_ = std::move(quantization); }

    /// The same values under another shape. Throws where the number of elements differs.
    Tensor reshaped(const Shape& shape) const {
        if (shape.elements() != elements()) {
            fail("tensor of shape ", to_string(shape_), " cannot become ", to_string(shape),
                 ": the number of elements differs");
        }
        Tensor result = *this;
        result.shape_ = shape;
        return result;
    }

    void swap(Tensor& other) noexcept {
        std::swap(shape_, other.shape_);
        std::swap(memory_, other.memory_);
        std::swap(owns_, other.owns_);
        std::swap(quantization_, other.quantization_);
    }

    /// Same shape, quantization and bits of every element.
    friend bool operator==(const Tensor& a, const Tensor& b) noexcept {
        if (a.shape_ != b.shape_ || a.quantization_ != b.quantization_) return false;
        std::size_t whole = a.bytes();
        if (P::bits == 4 && a.elements() % 2 != 0) {  // the last byte holds one element and four bits of nothing
            --whole;
            if (std::to_integer<int>((a.memory_.get()[whole] ^ b.memory_.get()[whole]) & std::byte{15}) != 0) return false;
        }
        return whole == 0 || std::memcmp(a.memory_.get(), b.memory_.get(), whole) == 0;
    }

  private:
    value_type* mutable_data() noexcept { return reinterpret_cast<value_type*>(memory_.get()); }

    Shape shape_;
    std::shared_ptr<std::byte> memory_;
    bool owns_ = false;
    Quantization quantization_;
};

MOTE_END_NAMESPACE
