// SPDX-License-Identifier: MIT
#pragma once
// The runtime: models, plans, engines. Everything else has headers of its own: io/, data/, train/, transform/, emit/.

#include <mote/engine/evaluate.hpp>
#include <mote/engine/print.hpp>
#include <mote/model/builder.hpp>
#include <mote/model/print.hpp>
