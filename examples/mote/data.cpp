// SPDX-License-Identifier: MIT
// --data: the samples that a command works on.

#include "data.hpp"

#include <mote/data/digits.hpp>
#include <mote/data/npy_dataset.hpp>
#ifdef MOTE_ZLIB
#include <mote/io/npz.hpp>
#endif

namespace tool {

namespace {

using Load = std::function<std::int64_t(std::size_t, std::span<float>)>;

constexpr const char* expected =
    "cifar10:DIR[:train|:test], npy:INPUTS.npy[,LABELS.npy], npz:FILE.npz,INPUTS[,LABELS] or digits:FILE.csv is expected";

/// The text behind `prefix`; nothing where it begins otherwise.
std::optional<std::string> behind(const std::string& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return {};
    return text.substr(prefix.size());
}

mote::Cifar10 cifar10(std::string folder, mote::Cifar10Part part) {
    for (const auto& [name, named] : {std::pair(":train", mote::Cifar10Part::train), {":test", mote::Cifar10Part::test}}) {
        if (!folder.ends_with(name)) continue;
        folder.resize(folder.size() - std::string_view(name).size());
        part = named;
    }
    return mote::load_cifar10(folder, part);
}

/// Without the axis that counts samples.
mote::Shape sample_shape(const mote::Shape& batched) {
    mote::Shape shape = mote::Shape::ones(batched.rank() == 0 ? 0 : batched.rank() - 1);
    for (std::size_t axis = 0; axis < shape.rank(); ++axis) shape[axis] = batched[axis + 1];
    return shape;
}

/// The same extents, those of 1 aside.
bool alike(const mote::Shape& a, const mote::Shape& b) {
    std::vector<std::size_t> left, right;
    for (const std::size_t extent : a) {
        if (extent != 1) left.push_back(extent);
    }
    for (const std::size_t extent : b) {
        if (extent != 1) right.push_back(extent);
    }
    return left == right;
}

/// [height, width, channels] to [channels, height, width].
Load channels_first(Load load, const mote::Shape& image) {
    return [load = std::move(load), image](std::size_t index, std::span<float> values) {
        std::vector<float> sample(values.size());
        const std::int64_t label = load(index, sample);
        const std::size_t plane = image[0] * image[1], channels = image[2];
        for (std::size_t i = 0; i < plane; ++i) {
            for (std::size_t c = 0; c < channels; ++c) values[c * plane + i] = sample[i * channels + c];
        }
        return label;
    };
}

/// Of the channels, the last axis.
Load normalized(Load load, const DataArguments& arguments, std::size_t channels) {
    const auto of_channels = [&](std::vector<float> values, const char* option) {
        if (values.size() == 1) values.resize(channels, values[0]);
        if (values.size() != channels) {
            mote::fail(option, " has ", values.size(), " numbers; 1 or ", channels, ", the number of channels, is expected");
        }
        return values;
    };
    const std::vector<float> mean = of_channels(arguments.mean.empty() ? std::vector<float>{0} : arguments.mean, "--mean");
    const std::vector<float> deviation = of_channels(arguments.std.empty() ? std::vector<float>{1} : arguments.std, "--std");
    return [load = std::move(load), scale = arguments.scale, mean, deviation](std::size_t index, std::span<float> values) {
        const std::int64_t label = load(index, values);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const std::size_t c = i % mean.size();
            values[i] = (scale * values[i] - mean[c]) / deviation[c];
        }
        return label;
    };
}

/// FILE.npz,INPUTS[,LABELS]
mote::NpyDataset npz_dataset(const std::string& text, const mote::Quantization& quantization) {
#ifdef MOTE_ZLIB
    std::vector<std::string> parts;
    std::istringstream list(text);
    for (std::string part; std::getline(list, part, ',');) parts.push_back(part);
    if (parts.size() < 2 || parts.size() > 3) mote::fail("--data npz:", text, ": npz:FILE.npz,INPUTS[,LABELS] is expected");
    const mote::NpzFile file = mote::load_npz(parts[0]);
    std::optional<mote::NpyArray> labels;
    if (parts.size() == 3) labels = file.array(parts[2]);
    return mote::NpyDataset(parts[0], file.array(parts[1]), std::move(labels), quantization);
#else
    static_cast<void>(quantization);
    mote::fail("--data npz:", text, ": this program was built without zlib; Debian's zlib1g-dev is expected");
#endif
}

}  // namespace

void add_data(CLI::App& command, DataArguments& arguments, bool required) {
    command
        .add_option("--data", arguments.text,
                    "cifar10:DIR[:train|:test], npy:INPUTS.npy[,LABELS.npy], npz:FILE.npz,INPUTS[,LABELS] (names of arrays) or "
                    "digits:FILE.csv")
        ->type_name("DATASET")
        ->required(required)
        ->check([](const std::string& text) {
            for (const char* prefix : {"cifar10:", "npy:", "npz:", "digits:"}) {
                if (text.starts_with(prefix) && text.size() > std::string_view(prefix).size()) return std::string();
            }
            return "'" + text + "' names no dataset; " + expected;
        });
    command.add_option("--samples", arguments.samples, "At most so many samples, evenly spread over the set")->type_name("N");
    command.add_option("--scale", arguments.scale, "A number x of the data becomes (scale * x - mean) / std")->type_name("X");
    command.add_option("--mean", arguments.mean, "One number, or one a channel: 0.49,0.48,0.45")
        ->delimiter(',')
        ->type_name("X");
    command.add_option("--std", arguments.std, "One number, or one a channel")
        ->delimiter(',')
        ->type_name("X")
        ->check(CLI::PositiveNumber);
}

std::int64_t ToolDataset::load(std::size_t index, std::span<float> values) const {
    if (index >= size()) mote::fail("--data: sample ", index, " asked for; there are ", size());
    const std::int64_t label = source_->load(indices_.empty() ? index : indices_[index], values);
    if (followed_ && followed_->done < followed_->all) followed_->line.update(++followed_->done, followed_->all);
    return label;
}

void ToolDataset::follow(const std::string& title, std::size_t loads) {
    followed_ = std::make_shared<Followed>();
    followed_->all = loads;
    followed_->line.start(title);
}

ToolDataset open_data(const DataArguments& arguments, const mote::Value& input, mote::Cifar10Part part) {
    ToolDataset::Source source;
    const auto take = [&](auto data) {
        source.size = data.size();
        source.shape = data.shape();
        source.load = [data = std::move(data)](std::size_t index, std::span<float> values) { return data.load(index, values); };
    };
    if (const auto folder = behind(arguments.text, "cifar10:")) {
        take(cifar10(*folder, part));
    } else if (const auto file = behind(arguments.text, "digits:")) {
        take(mote::load_digits(*file));
    } else if (const auto files = behind(arguments.text, "npy:")) {
        const std::size_t comma = files->find(',');
        const std::string labels = comma == std::string::npos ? std::string() : files->substr(comma + 1);
        mote::NpyDataset data = mote::load_npy_dataset(files->substr(0, comma), labels, input.quantization);
        source.has_labels = data.has_labels();
        take(std::move(data));
    } else if (const auto archive = behind(arguments.text, "npz:")) {
        mote::NpyDataset data = npz_dataset(*archive, input.quantization);
        source.has_labels = data.has_labels();
        take(std::move(data));
    } else {
        mote::fail("--data ", arguments.text, ": ", expected);
    }

    const mote::Shape sample = source.shape, wanted = sample_shape(input.shape);
    source.load = normalized(std::move(source.load), arguments, sample.rank() == 0 ? 1 : sample.back());
    const bool image = sample.rank() == 3 && sample[2] > 1;
    if (image && alike(wanted, {sample[2], sample[0], sample[1]}) && !alike(wanted, sample)) {
        source.load = channels_first(std::move(source.load), sample);
    } else if (!alike(wanted, sample) && !(wanted.rank() == 1 && wanted.elements() == sample.elements())) {
        mote::fail("--data ", arguments.text, ": a sample is [", mote::to_string(sample), "]; input ", mote::to_string(input),
                   " takes [", mote::to_string(wanted), "]");
    }
    source.shape = wanted;

    ToolDataset data;
    if (arguments.samples > 0 && arguments.samples < source.size) {
        for (std::size_t i = 0; i < arguments.samples; ++i) {
            data.indices_.push_back(i * source.size / arguments.samples);
        }
    }
    data.source_ = std::make_shared<const ToolDataset::Source>(std::move(source));
    return data;
}

void expect_labels(const ToolDataset& data, const DataArguments& arguments) {
    if (!data.has_labels())
        mote::fail("--data ", arguments.text,
                   ": it has no labels; npy:INPUTS.npy,LABELS.npy or npz:FILE.npz,INPUTS,LABELS is expected");
}

}  // namespace tool
