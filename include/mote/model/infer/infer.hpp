// SPDX-License-Identifier: MIT
#pragma once
// The verb infer of all standard layers: input values -> output values and states.

#include <mote/model/infer/contraction.hpp>
#include <mote/model/infer/elementwise.hpp>
#include <mote/model/infer/movement.hpp>
#include <mote/model/infer/recurrent.hpp>
#include <mote/model/infer/reduction.hpp>
