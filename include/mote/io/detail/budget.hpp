// SPDX-License-Identifier: MIT
#pragma once
// Budget: what copies of a file's constants may take, so that no small file asks for any amount of memory.

#include <mote/tensor/error.hpp>

#include <cstddef>

MOTE_BEGIN_NAMESPACE

namespace detail {

/// The bytes that tensors made from constants may still take: what the file holds, and what its options add.
class Budget {
  public:
    explicit Budget(std::size_t bytes) : left_(bytes), all_(bytes) {}
    void take(std::size_t bytes) {
        if (bytes > left_) {
            fail("constants grow beyond ", all_, " bytes (", bytes,
                 " more are asked for); max_constant_bytes raises the limit");
        }
        left_ -= bytes;
    }

  private:
    std::size_t left_, all_;
};

}  // namespace detail

MOTE_END_NAMESPACE
