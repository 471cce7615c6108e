// SPDX-License-Identifier: MIT
#pragma once
// fold: BatchNorm into the convolution or dense layer before it.

#include <mote/passes/fold.hpp>
