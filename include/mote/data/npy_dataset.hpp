// SPDX-License-Identifier: MIT
#pragma once
// NpyDataset: samples in a .npy file, mapped, with labels in another.

#include <mote/data/dataset.hpp>
#include <mote/io/npy.hpp>
#include <mote/tensor/quantize.hpp>

#include <optional>

MOTE_BEGIN_NAMESPACE

/// Inputs [samples, ...] of real numbers (f4, f8) or bytes (u1: values 0 to 255; i1: quantized already, given what they mean),
/// labels [samples] of whole numbers. Copies share the files.
class NpyDataset {
  public:
    /// `quantization` says what int8 samples mean. Throws an Error that names `name` where element, shape or number do not fit.
    NpyDataset(const std::string& name, NpyArray inputs, std::optional<NpyArray> labels = {},
               const Quantization& quantization = {}) {
        const Shape& shape = inputs.shape;
        if (shape.rank() == 0 || shape.elements() == 0) {
            fail(concat("'", name, "': [", to_string(shape), "] holds no samples; [samples, ...] is expected"));
        }
        if (inputs.element == Element::i8) {
            if (!quantization.present() || quantization.per_axis()) {
                fail(concat("'", name,
                            "': its samples are i8, but nothing says what they mean; f4, f8 or u1, or an int8 model whose "
                            "input has one scale, is expected"));
            }
            params_ = quantization.params();
        } else if (inputs.element != Element::f32 && inputs.element != Element::f64 && inputs.element != Element::u8) {
            fail(concat("'", name, "': its samples are ", element_name(inputs.element), "; f4, f8, u1 or i1 is expected"));
        }
        if (labels && (labels->shape.rank() != 1 || labels->shape[0] != shape[0])) {
            fail(concat("'", name, "': labels [", to_string(labels->shape), "] for samples [", to_string(shape),
                        "]; one label a sample is expected"));
        }
        if (labels) {
            for (std::size_t i = 0; i < shape[0]; ++i) labels_.push_back(integer(name, *labels, i));
        }
        shape_ = Shape::ones(shape.rank() - 1);
        for (std::size_t axis = 0; axis < shape_.rank(); ++axis) shape_[axis] = shape[axis + 1];
        inputs_ = std::move(inputs);
    }

    std::size_t size() const noexcept { return inputs_.shape[0]; }
    const Shape& shape() const noexcept { return shape_; }
    bool has_labels() const noexcept { return !labels_.empty(); }
    /// -1 where there are no labels.
    std::int64_t label(std::size_t index) const { return labels_.empty() ? -1 : labels_.at(index); }

    /// Throws where `index` or the number of `values` is not this dataset's.
    std::int64_t load(std::size_t index, std::span<float> values) const {
        const std::size_t count = shape_.elements();
        if (index >= size()) fail(concat("npy: sample ", index, " asked for; there are ", size()));
        if (values.size() != count) {
            fail(concat("npy: a sample has ", count, " values [", to_string(shape_), "]; ", values.size(), " asked for"));
        }
        const auto convert = [&](const auto* from, auto real) {
            for (std::size_t i = 0; i < count; ++i) values[i] = real(from[index * count + i]);
        };
        const auto plain = [](auto number) { return static_cast<float>(number); };
        if (inputs_.element == Element::f32) {
            convert(inputs_.values<float>().data(), plain);
        } else if (inputs_.element == Element::f64) {
            convert(inputs_.values<double>().data(), plain);
        } else if (inputs_.element == Element::u8) {
            convert(inputs_.values<std::uint8_t>().data(), plain);
        } else {
            convert(inputs_.values<std::int8_t>().data(),
                    [&](std::int8_t q) { return static_cast<float>(dequantize_value(q, params_)); });
        }
        return label(index);
    }

  private:
    static std::int64_t whole(const std::string& name, double label) {
        constexpr double most = 9007199254740992.0;  // beyond it doubles are not apart by 1
        const bool inside = label >= -most && label <= most;
        if (!inside || static_cast<double>(static_cast<std::int64_t>(label)) != label) {
            fail(concat("'", name, "': a label is ", label, "; whole numbers are expected"));
        }
        return static_cast<std::int64_t>(label);
    }
    static std::int64_t integer(const std::string& name, const NpyArray& labels, std::size_t index) {
        switch (labels.element) {
            case Element::i64:
                return labels.values<std::int64_t>()[index];
            case Element::i32:
                return labels.values<std::int32_t>()[index];
            case Element::i8:
                return labels.values<std::int8_t>()[index];
            case Element::u8:
                return labels.values<std::uint8_t>()[index];
            case Element::f32:
                return whole(name, labels.values<float>()[index]);
            case Element::f64:
                return whole(name, labels.values<double>()[index]);
            default:
                fail(concat("'", name, "': its labels are ", element_name(labels.element),
                            "; i8, i4, i1, u1, or whole numbers as f4 or f8 are expected"));
        }
    }

    NpyArray inputs_;
    std::vector<std::int64_t> labels_;
    QuantizationParams params_{};
    Shape shape_;
};

/// The samples in the file `inputs` and the labels in the file `labels` ("" for none).
inline NpyDataset load_npy_dataset(const std::string& inputs, const std::string& labels,
                                   const Quantization& quantization = {}) {
    std::optional<NpyArray> second;
    if (!labels.empty()) second = load_npy(labels);
    return NpyDataset(inputs, load_npy(inputs), std::move(second), quantization);
}

MOTE_END_NAMESPACE
