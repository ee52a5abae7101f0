/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cpu/cpu-models.h"
#include "domain/domain-def.h"
#include "targets/qemu/caps.h"
#include "targets/qemu/firmware.h"

/*
 * What virConnectGetCapabilities and virConnectGetDomainCapabilities say of a host, gathered by who can ask
 * it (the daemon, from /proc and /sys), and written here. Everything is optional but uuid and arch: a NULL, a
 * 0 or a NULL array leaves the element out.
 */
typedef struct {
  guint size;    /* KiB: 4, 2048, 1048576 */
  guint64 count; /* of that size, in the NUMA cell */
} HostPages;

typedef struct {
  guint id, socket, die, core;
  const char *siblings; /* "0-1": the threads of its core */
} HostCpu;

typedef struct {
  guint id;
  guint64 memory; /* KiB */
  const HostPages *pages;
  guint page_count;
  const guint *distances; /* to each cell, in their order; as many as there are cells */
  const HostCpu *cpus;
  guint cpu_count;
} HostCell;

typedef struct {
  guint id, level;
  const char *type; /* "both", "code", "data" */
  guint64 size;     /* bytes */
  const char *cpus; /* "0-3": those that share it */
} HostCache;

typedef struct {
  const char *uuid;       /* 36 characters */
  const char *arch;       /* "x86_64" */
  const DomainCpu *cpu;   /* the processor as a named model with features; NULL when none fits */
  const char *cpu_vendor; /* "AMD" or "Intel", as libvirt spells it; or NULL */
  CpuSignature signature; /* family 0: not known */
  guint64 microcode;
  guint64 tsc_frequency; /* Hz */
  gboolean tsc_scaling;
  guint physical_bits; /* of addresses */
  guint sockets, dies, cores, threads;
  gboolean iommu; /* devices can be handed to guests */
  const HostCache *caches;
  guint cache_count;
  const HostCell *cells;
  guint cell_count;
} HostFacts;

/* An emulator of this host, with the architecture its machines have. */
typedef struct {
  const QemuCaps *caps;
} HostEmulator;

/* The document of virConnectGetCapabilities. (transfer full) */
char *qemu_capabilities_to_xml (const HostFacts *host, const HostEmulator *emulators, guint count);

/*
 * The document of virConnectGetDomainCapabilities. Each of @arch, @machine, @virt_type may be NULL: the caps'
 * own, the default machine, and kvm where it works, else qemu. @firmware: the host's, or NULL. @vfio: the
 * host can give PCI devices to guests. NULL with VIR_ERR_INVALID_ARG when the emulator has no such
 * architecture or machine, or cannot run that virt type.
 */
char *qemu_domain_capabilities_to_xml (const QemuCaps *caps, const QemuFirmware *firmware, gboolean vfio,
                                       const char *arch, const char *machine, const char *virt_type,
                                       GError **error);
