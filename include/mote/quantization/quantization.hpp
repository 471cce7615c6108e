// SPDX-License-Identifier: MIT
#pragma once
// All of quantization/: observers, scales, calibration, comparison.

#include <mote/quantization/calibrate.hpp>
#include <mote/quantization/compare.hpp>
#include <mote/quantization/observer.hpp>
#include <mote/quantization/scale.hpp>
