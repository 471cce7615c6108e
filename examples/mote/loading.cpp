// SPDX-License-Identifier: MIT
#define MOTE_TOOL_INSTANCES
#include "loading.hpp"
