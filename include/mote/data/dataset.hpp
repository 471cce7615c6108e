// SPDX-License-Identifier: MIT
#pragma once
// Dataset: samples by index. What it is, one in memory, and views of another.

#include <mote/core/narrow.hpp>
#include <mote/core/random.hpp>
#include <mote/tensor/tensor.hpp>

#include <concepts>
#include <functional>
#include <span>
#include <vector>

MOTE_BEGIN_NAMESPACE

/// size() samples; load(index, values) writes the real values of one (without the batch axis) and returns its label. Both
/// may be called by several threads at once. A dataset may also tell the shape of one sample, shape(), and a label alone,
/// label(index).
template <class D>
concept Dataset = requires(const D& data, std::size_t index, std::span<float> values) {
    { data.size() } -> std::convertible_to<std::size_t>;
    { data.load(index, values) } -> std::convertible_to<std::int64_t>;
};

/// Datasets that know their samples' shape, or their labels without loading.
template <class D>
concept ShapedDataset = Dataset<D> && requires(const D& data) {
    { data.shape() } -> std::convertible_to<Shape>;
};
template <class D>
concept LabelledDataset = Dataset<D> && requires(const D& data, std::size_t index) {
    { data.label(index) } -> std::convertible_to<std::int64_t>;
};

/// Samples in memory. Copies share them.
class TensorDataset {
  public:
    /// inputs [samples, ...], one label each. Throws where the numbers differ.
    TensorDataset(Tensor<f32> inputs, std::vector<std::int64_t> labels) {
        if (inputs.shape().rank() == 0 || inputs.shape()[0] != labels.size()) {
            fail(concat("dataset: inputs [", to_string(inputs.shape()), "] and ", labels.size(),
                        " labels; the first axis counts the samples, and each has one label"));
        }
        shape_ = Shape::ones(inputs.shape().rank() - 1);
        for (std::size_t axis = 0; axis < shape_.rank(); ++axis) shape_[axis] = inputs.shape()[axis + 1];
        samples_ = std::make_shared<const Samples>(Samples{std::move(inputs), std::move(labels)});
    }

    std::size_t size() const noexcept { return samples_->labels.size(); }
    /// Of one sample: [height, width, channels].
    const Shape& shape() const noexcept { return shape_; }
    std::int64_t label(std::size_t index) const { return samples_->labels.at(index); }
    const Tensor<f32>& inputs() const noexcept { return samples_->inputs; }

    /// Throws where `index` or the number of `values` is not this dataset's.
    std::int64_t load(std::size_t index, std::span<float> values) const {
        const std::size_t count = shape_.elements();
        if (index >= size()) fail(concat("dataset: sample ", index, " asked for; there are ", size()));
        if (values.size() != count) {
            fail(concat("dataset: a sample has ", count, " values [", to_string(shape_), "]; ", values.size(), " asked for"));
        }
        const float* from = samples_->inputs.data() + index * count;
        for (std::size_t i = 0; i < count; ++i) values[i] = from[i];
        return samples_->labels[index];
    }

  private:
    struct Samples {
        Tensor<f32> inputs;
        std::vector<std::int64_t> labels;
    };
    std::shared_ptr<const Samples> samples_;
    Shape shape_;
};

/// Some samples of another dataset, in an order of its own.
template <Dataset D>
class Subset {
  public:
    /// Throws where an index is beyond the dataset.
    Subset(D data, std::vector<std::size_t> indices) : data_(std::move(data)), indices_(std::move(indices)) {
        for (const std::size_t index : indices_) {
            if (index >= data_.size()) fail(concat("subset: sample ", index, " asked for; there are ", data_.size()));
        }
    }
    std::size_t size() const noexcept { return indices_.size(); }
    std::int64_t load(std::size_t index, std::span<float> values) const { return data_.load(indices_.at(index), values); }
    Shape shape() const requires ShapedDataset<D> { return data_.shape(); }
    std::int64_t label(std::size_t index) const requires LabelledDataset<D> { return data_.label(indices_.at(index)); }

  private:
    D data_;
    std::vector<std::size_t> indices_;
};

/// The samples of `data` (copied: cheap for datasets that share theirs) at `indices`.
template <Dataset D>
Subset<D> subset(D data, std::vector<std::size_t> indices) {
    return Subset<D>(std::move(data), std::move(indices));
}

/// Changes one sample of the given shape in place, as the random numbers say.
using Augmentation = std::function<void(std::span<float> values, const Shape& shape, Random& random)>;

/// `copies` variants of every sample: sample index % size of `data`, changed by random numbers that depend on seed and index
/// alone. (Training changes samples anew every epoch by TrainOptions::augment instead.)
template <ShapedDataset D>
class Augmented {
  public:
    Augmented(D data, Augmentation change, std::size_t copies, std::uint64_t seed)
        : data_(std::move(data)), change_(std::move(change)), copies_(copies), seed_(seed) {}
    std::size_t size() const { return data_.size() * copies_; }
    Shape shape() const { return data_.shape(); }
    std::int64_t load(std::size_t index, std::span<float> values) const {
        if (index >= size()) fail(concat("augmented: sample ", index, " asked for; there are ", size()));
        const std::int64_t label = data_.load(index % data_.size(), values);
        Random random(seed_, index);
        change_(values, data_.shape(), random);
        return label;
    }
    std::int64_t label(std::size_t index) const requires LabelledDataset<D> { return data_.label(index % data_.size()); }

  private:
    D data_;
    Augmentation change_;
    std::size_t copies_;
    std::uint64_t seed_;
};

template <ShapedDataset D>
Augmented<D> augmented(D data, Augmentation change, std::size_t copies = 1, std::uint64_t seed = 0) {
    return Augmented<D>(std::move(data), std::move(change), copies, seed);
}

/// Puts `order` into a random order that depends on the generator alone (Fisher and Yates).
inline void shuffle(std::span<std::size_t> order, Random& random) {
    for (std::size_t left = order.size(); left > 1; --left) {
        std::swap(order[left - 1], order[narrow<std::size_t>(random.below(left))]);
    }
}

MOTE_END_NAMESPACE
