// SPDX-License-Identifier: MIT
#pragma once
// All transforms: free functions from a model to a model.

#include <mote/quantization/calibrate.hpp>
#include <mote/quantization/compare.hpp>
#include <mote/transform/bias_correction.hpp>
#include <mote/transform/convert.hpp>
#include <mote/transform/distill.hpp>
#include <mote/transform/equalize.hpp>
#include <mote/transform/fold.hpp>
#include <mote/transform/prune.hpp>
#include <mote/transform/quantize.hpp>
