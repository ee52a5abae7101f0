/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cpu/cpu-database.h"

/* The processor of this host, as it says itself. Any thread. */
typedef struct {
  CpuData data;
  guint64 microcode;     /* its version; 0 when not known */
  guint64 tsc_frequency; /* Hz; 0 when not known */
  gboolean tsc_scaling;  /* a guest's can run at another frequency */
  guint physical_bits;   /* of addresses; 0 when not known */
} HostCpuFacts;

/* Asked once in the life of the process, which takes some milliseconds. On other hosts than x86 nothing is
 * known. */
const HostCpuFacts *host_cpu_get (void);

/* It as a named model with features; NULL with @error set when no model of @caps fits. (transfer full, as of
 * cpu_decode) */
DomainCpu *host_cpu_model (const QemuCaps *caps, GError **error);
