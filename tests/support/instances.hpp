// SPDX-License-Identifier: MIT
#pragma once
// What most test programs instantiate: kernels, plans and engines of the usual models. Each build compiles them once, in
// instances.cpp; a test file that includes this takes them from there.

#include <mote/mote.hpp>

#if defined(MOTE_TEST_INSTANCES)
#define MOTE_INSTANCE template
#else
#define MOTE_INSTANCE extern template
#endif

MOTE_BEGIN_KERNELS
MOTE_INSTANCE const KernelTable& native_kernels<true, true>() noexcept;
MOTE_INSTANCE const KernelTable& native_kernels<true, false>() noexcept;
MOTE_INSTANCE const KernelTable& native_kernels<false, true>() noexcept;
MOTE_INSTANCE const KernelTable& native_kernels<false, false>() noexcept;
MOTE_END_KERNELS

MOTE_BEGIN_NAMESPACE
MOTE_INSTANCE class BasicEngine<void>;
MOTE_INSTANCE class BasicModel<standard_layers<f32>>;
MOTE_INSTANCE class BasicModel<standard_layers<f32, wide>>;
MOTE_INSTANCE class BasicModel<standard_layers<f32, i8>>;
MOTE_INSTANCE class BasicModel<AnyModel::layers>;
MOTE_INSTANCE class BasicModel<standard_layers<i8, wide>>;
MOTE_INSTANCE class BasicBuilder<standard_layers<f32>>;
MOTE_INSTANCE class BasicBuilder<standard_layers<f32, wide>>;
MOTE_INSTANCE class BasicBuilder<standard_layers<f32, i8>>;
MOTE_INSTANCE class BasicBuilder<AnyModel::layers>;
MOTE_INSTANCE class BasicBuilder<standard_layers<i8, wide>>;
MOTE_INSTANCE Plan plan(const BasicModel<standard_layers<f32>>&, const KernelTable&, const PlanOptions&);
MOTE_INSTANCE Plan plan(const BasicModel<standard_layers<f32, wide>>&, const KernelTable&, const PlanOptions&);
MOTE_INSTANCE Plan plan(const BasicModel<standard_layers<f32, i8>>&, const KernelTable&, const PlanOptions&);
MOTE_INSTANCE Plan plan(const BasicModel<AnyModel::layers>&, const KernelTable&, const PlanOptions&);
MOTE_INSTANCE Plan plan(const BasicModel<standard_layers<i8, wide>>&, const KernelTable&, const PlanOptions&);
MOTE_END_NAMESPACE

#undef MOTE_INSTANCE
