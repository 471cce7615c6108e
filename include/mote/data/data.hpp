// SPDX-License-Identifier: MIT
#pragma once
// All of data/: datasets, views, splits, augmentation, the known data sets.

#include <mote/data/augment.hpp>
#include <mote/data/cifar10.hpp>
#include <mote/data/dataset.hpp>
#include <mote/data/digits.hpp>
#include <mote/data/npy_dataset.hpp>
#include <mote/data/split.hpp>
