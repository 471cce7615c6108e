// SPDX-License-Identifier: MIT
#pragma once
// Block: what kernels are measured on.

#include <cstddef>
#include <memory>

/// 64-byte aligned memory of n elements, filled with small numbers that are not all alike.
template <class T>
class Block {
  public:
    explicit Block(std::size_t n) : storage_(new Line[n * sizeof(T) / sizeof(Line) + 2]) {
        for (std::size_t i = 0; i < n; ++i) data()[i] = static_cast<T>(static_cast<int>(i * 7 % 31) - 15);
    }
    T* data() { return reinterpret_cast<T*>(storage_.get()); }

  private:
    struct alignas(64) Line {
        char bytes[64];
    };
    std::unique_ptr<Line[]> storage_;
};
