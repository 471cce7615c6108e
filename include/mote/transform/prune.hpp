// SPDX-License-Identifier: MIT
#pragma once
// prune, of weights and of channels, and fine_tune.

#include <mote/transform/fine_tune.hpp>
#include <mote/transform/prune_channels.hpp>
#include <mote/transform/prune_weights.hpp>
