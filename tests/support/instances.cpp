// SPDX-License-Identifier: MIT
#define MOTE_TEST_INSTANCES
#include <support/instances.hpp>
