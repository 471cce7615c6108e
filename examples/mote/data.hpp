// SPDX-License-Identifier: MIT
#pragma once
// --data: the samples that a command works on.

#include "tool.hpp"

#include <mote/data/cifar10.hpp>
#include <mote/report/progress.hpp>

namespace tool {

struct DataArguments {
    std::string text;           ///< cifar10:DIR[:train|:test], npy:INPUTS[,LABELS], digits:FILE
    std::size_t samples = 0;    ///< at most so many, evenly spread; 0 for all
    float scale = 1.0f;         ///< a number x of the data becomes (scale * x - mean) / std
    std::vector<float> mean{};  ///< one for all channels, or one each
    std::vector<float> std{};
};

/// --data, --samples, --scale, --mean, --std.
void add_data(CLI::App& command, DataArguments& arguments, bool required = true);

/// A dataset whose kind is known when the program runs. Copies share it.
class ToolDataset {
  public:
    std::size_t size() const noexcept { return indices_.empty() ? source_->size : indices_.size(); }
    const mote::Shape& shape() const noexcept { return source_->shape; }
    bool has_labels() const noexcept { return source_->has_labels; }
    std::int64_t load(std::size_t index, std::span<float> values) const;

    /// A line of progress from now on, which ends when `loads` samples were loaded. One thread may load then.
    void follow(const std::string& title, std::size_t loads);

  private:
    friend ToolDataset open_data(const DataArguments&, const mote::Value&, mote::Cifar10Part);
    struct Source {
        std::size_t size = 0;
        mote::Shape shape{};  // of the model's input, without its batch axis
        bool has_labels = true;
        std::function<std::int64_t(std::size_t, std::span<float>)> load;
    };
    struct Followed {
        mote::ProgressLine line;
        std::size_t done = 0, all = 0;
    };
    std::shared_ptr<const Source> source_;
    std::shared_ptr<Followed> followed_;
    std::vector<std::size_t> indices_;
};

/// The samples as `input` takes them; of cifar10 this part unless the text names another. Images become channels-first where
/// the input is. Throws an Error that names the file, or what does not fit.
ToolDataset open_data(const DataArguments& arguments, const mote::Value& input, mote::Cifar10Part part);

/// The input of a model that has one; else an Error.
template <class List>
const mote::Value& only_input(const mote::BasicModel<List>& model) {
    if (model.inputs().size() != 1) mote::fail("the model has ", model.inputs().size(), " inputs; --data feeds a model of one");
    return model.value(model.inputs()[0]);
}

/// Throws an Error where there are no labels.
void expect_labels(const ToolDataset& data, const DataArguments& arguments);

}  // namespace tool
