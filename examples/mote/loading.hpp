// SPDX-License-Identifier: MIT
#pragma once
// load(), which takes longer to compile than all else of a program that calls it. loading.cpp compiles it once for the tool,
// for examples/networks and for benchmarks/quantization.

#include <mote/io/load.hpp>

MOTE_BEGIN_NAMESPACE
#if defined(MOTE_TOOL_INSTANCES)
template AnyModel load(const std::string&, const LoadOptions&);
#else
extern template AnyModel load(const std::string&, const LoadOptions&);
#endif
MOTE_END_NAMESPACE
