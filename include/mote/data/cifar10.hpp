// SPDX-License-Identifier: MIT
#pragma once
// Cifar10: the images of CIFAR-10 in its binary format, mapped.

#include <mote/data/dataset.hpp>
#include <mote/io/mapped_file.hpp>

#include <algorithm>

MOTE_BEGIN_NAMESPACE

enum class Cifar10Part : std::uint8_t { train, test };

/// Records of a label byte and 3072 pixel bytes: a plane of 32 x 32 each of red, green and blue (Krizhevsky 2009). Samples are
/// [32, 32, 3], real values 0 to 255. Copies share the files.
class Cifar10 {
  public:
    static constexpr std::size_t side = 32, plane = side * side, record_bytes = 1 + 3 * plane, classes = 10;

    /// The records of these files, one after the other. Throws an Error that names the file where its size is no multiple of a
    /// record's, or it holds none.
    explicit Cifar10(const std::vector<std::string>& paths) {
        for (const std::string& path : paths) {
            File file{path, map_file(path), size_};
            const std::size_t bytes = file.content.bytes.size();
            if (bytes == 0 || bytes % record_bytes != 0) {
                fail(concat("'", path, "': it has ", bytes, " bytes; CIFAR-10 records of ", record_bytes,
                            " bytes are expected"));
            }
            size_ += bytes / record_bytes;
            files_.push_back(std::move(file));
        }
    }

    std::size_t size() const noexcept { return size_; }
    Shape shape() const noexcept { return {side, side, 3}; }
    /// Throws where the label is above 9, naming file and record.
    std::int64_t label(std::size_t index) const {
        const auto [file, record] = find(index);
        const auto label = std::to_integer<std::int64_t>(record[0]);
        if (label >= static_cast<std::int64_t>(classes)) {
            fail(concat("'", file->path, "' record ", index - file->first, ": label ", label, "; 0 to 9 are expected"));
        }
        return label;
    }
    /// Throws where `index` or the number of `values` is not this dataset's.
    std::int64_t load(std::size_t index, std::span<float> values) const {
        const std::int64_t result = label(index);
        if (values.size() != 3 * plane) {
            fail(concat("CIFAR-10: a sample has ", 3 * plane, " values [32x32x3]; ", values.size(), " asked for"));
        }
        const std::byte* pixels = find(index).second + 1;
        for (std::size_t i = 0; i < plane; ++i) {
            for (std::size_t c = 0; c < 3; ++c) values[3 * i + c] = std::to_integer<std::uint8_t>(pixels[c * plane + i]);
        }
        return result;
    }

  private:
    struct File {
        std::string path;
        FileBytes content;
        std::size_t first;  // record
    };

    std::pair<const File*, const std::byte*> find(std::size_t index) const {
        if (index >= size_) fail(concat("CIFAR-10: sample ", index, " asked for; there are ", size_));
        const File* file = &files_.back();
        while (file->first > index) --file;
        return {file, file->content.bytes.data() + (index - file->first) * record_bytes};
    }

    std::vector<File> files_;
    std::size_t size_ = 0;
};

/// Of `folder` the files data_batch_1.bin to data_batch_5.bin, as many as are there from the first, or test_batch.bin. Throws
/// where the first is missing.
inline Cifar10 load_cifar10(const std::string& folder, Cifar10Part part) {
    if (part == Cifar10Part::test) return Cifar10({folder + "/test_batch.bin"});
    std::vector<std::string> paths{folder + "/data_batch_1.bin"};
    for (int i = 2; i <= 5; ++i) {
        const std::string path = concat(folder, "/data_batch_", i, ".bin");
        std::FILE* file = std::fopen(path.c_str(), "rb");
        if (file == nullptr) break;
        std::fclose(file);
        paths.push_back(path);
    }
    return Cifar10(paths);
}

MOTE_END_NAMESPACE
