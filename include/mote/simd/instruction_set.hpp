// SPDX-License-Identifier: MIT
#pragma once
// The inline namespace of this unit's kernels, named by its instruction set. Scalar kernels are all that exist so far.

#include <mote/core/config.hpp>

#define MOTE_BEGIN_KERNELS \
    MOTE_BEGIN_NAMESPACE   \
    namespace kernels {    \
    inline namespace scalar {
#define MOTE_END_KERNELS \
    }                    \
    }                    \
    MOTE_END_NAMESPACE
