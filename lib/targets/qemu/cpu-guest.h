/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cpu/cpu-database.h"

/*
 * The processor of one guest: what its document's <cpu> comes to on this host, and what it became in QEMU.
 * Pure; FALSE has @error set.
 */
typedef struct {
  const QemuCaps *caps;
  QemuAccel accel;
  const CpuData *physical; /* the host's processor, for check='partial'; NULL: nothing is checked */
} CpuGuest;

/*
 * Mode host-model, match minimum and optional features become a named model and what it has more and less; a
 * model that QEMU lacks becomes the nearest that it has, unless fallback='forbid'. What is resolved already
 * stays as it is, and so does what nothing is known of: other processors than x86, and host-model where QEMU
 * did not say what it can give.
 *
 * VIR_ERR_CONFIG_UNSUPPORTED for features and models nobody knows or QEMU lacks, VIR_ERR_CPU_INCOMPATIBLE
 * when check='partial' finds the host wanting.
 */
gboolean cpu_resolve (const CpuGuest *guest, DomainCpu *cpu, GError **error);

/*
 * After the start: @cpu says what the guest really got (@enabled) and did not get (@filtered). With
 * check='full' it has to be just what was asked for, else VIR_ERR_OPERATION_FAILED.
 */
gboolean cpu_update_live (const QemuCaps *caps, DomainCpu *cpu, const CpuFeatureSet *enabled,
                          const CpuFeatureSet *filtered, GError **error);

/* Is the processor described by features, so that cpu_update_live has something to say? */
gboolean cpu_is_named (const DomainCpu *cpu);
