// SPDX-License-Identifier: MIT
#pragma once
// load_digits: the UCI handwritten digits, 8x8 pixels, from a text file.

#include <mote/data/dataset.hpp>
#include <mote/data/split.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

MOTE_BEGIN_NAMESPACE

/// Reads lines of 64 pixels from 0 to 16 and a label from 0 to 9, separated by commas (Alpaydin and Kaynak 1998, as packaged
/// with scikit-learn). Samples are [8, 8, 1] in [0, 1]. Throws an Error that names file, line and what was expected.
inline TensorDataset load_digits(const std::string& path) {
    constexpr std::size_t pixels = 64;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
    if (file == nullptr) {
        fail(concat("cannot read '", path, "': ", std::strerror(errno), "; expected lines of 64 pixels and a label"));
    }
    std::vector<float> images;
    std::vector<std::int64_t> labels;
    char line[1024];
    for (std::size_t number = 1; std::fgets(line, sizeof line, file.get()) != nullptr; ++number) {
        const std::string where = concat("'", path, "' line ", number, ": ");
        if (std::strchr(line, '\n') == nullptr && std::feof(file.get()) == 0) {
            fail(concat(where, "the line is too long; expected 64 pixels and a label"));
        }
        const char* at = line;
        if (*at == '\n' || *at == '\r') continue;
        for (std::size_t i = 0; i <= pixels; ++i) {
            char* end = nullptr;
            const double value = std::strtod(at, &end);
            const double most = i < pixels ? 16.0 : 9.0;
            const bool whole = i < pixels || value == static_cast<double>(static_cast<int>(value));
            if (end == at || !(value >= 0.0 && value <= most) || !whole) {
                fail(concat(where, i < pixels ? "pixel " : "label ", i < pixels ? concat(i) : std::string(),
                            " is not a number from 0 to ", most));
            }
            if (*end != (i < pixels ? ',' : '\n') && !(i == pixels && (*end == '\0' || *end == '\r'))) {
                fail(concat(where, "expected 64 pixels and a label, separated by commas"));
            }
            if (i < pixels) {
                images.push_back(static_cast<float>(value) / 16.0f);
            } else {
                labels.push_back(static_cast<std::int64_t>(value));
            }
            at = end + (*end == ',' ? 1 : 0);
        }
    }
    if (labels.empty()) fail(concat("'", path, "' holds no digits; expected lines of 64 pixels and a label"));
    const std::size_t count = labels.size();
    return TensorDataset(Tensor<f32>({count, 8, 8, 1}, images), std::move(labels));
}

MOTE_END_NAMESPACE
