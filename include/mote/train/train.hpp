// SPDX-License-Identifier: MIT
#pragma once
// All of train/: gradients, losses, optimizers, schedules, training, evaluation on a dataset.

#include <mote/data/augment.hpp>
#include <mote/train/evaluate.hpp>
#include <mote/train/sensitivity.hpp>
#include <mote/train/trainer.hpp>
