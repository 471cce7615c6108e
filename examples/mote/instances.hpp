// SPDX-License-Identifier: MIT
#pragma once
// What several units of the tool would instantiate each for itself: kernels, models, plans and the engine. instances.cpp
// compiles them once.

#include <mote/mote.hpp>

#if defined(MOTE_TOOL_INSTANCES)
#define MOTE_TOOL_INSTANCE template
#else
#define MOTE_TOOL_INSTANCE extern template
#endif

MOTE_BEGIN_KERNELS
MOTE_TOOL_INSTANCE const KernelTable& native_kernels<true, true>() noexcept;
MOTE_TOOL_INSTANCE const KernelTable& native_kernels<false, true>() noexcept;
MOTE_END_KERNELS

MOTE_BEGIN_NAMESPACE
MOTE_TOOL_INSTANCE class BasicEngine<void>;
MOTE_TOOL_INSTANCE class BasicModel<standard_layers<f32, wide>>;
MOTE_TOOL_INSTANCE class BasicModel<AnyModel::layers>;
MOTE_TOOL_INSTANCE Plan plan(const BasicModel<standard_layers<f32, wide>>&, const KernelTable&, const PlanOptions&);
MOTE_TOOL_INSTANCE Plan plan(const BasicModel<AnyModel::layers>&, const KernelTable&, const PlanOptions&);
MOTE_END_NAMESPACE

#undef MOTE_TOOL_INSTANCE
