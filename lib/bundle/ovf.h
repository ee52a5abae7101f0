/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"

/*
 * The document of an OVA (OVF 1, as VMware writes it): what every hypervisor has of a machine, and no more.
 * Addresses, firmware variables, a TPM's state and snapshots have no place in it. Pure; any thread.
 */
#define OVF_BYTES_MAX (1024 * 1024)
#define OVF_DISKS_MAX 64
#define OVF_CARDS_MAX 64

typedef struct {
  char *file;       /* in the archive */
  guint64 size;     /* bytes of that; 0: not said */
  guint64 capacity; /* bytes the guest sees; 0: not said */
  gboolean is_ide;
} OvfDisk;

typedef struct {
  char *mac; /* or NULL */
  char *model;
} OvfCard;

typedef struct {
  char *name;
  guint vcpus;
  guint64 memory; /* bytes */
  gboolean is_efi;
  GPtrArray *disks; /* OvfDisk */
  GPtrArray *cards; /* OvfCard */
} Ovf;

void ovf_free (Ovf *ovf);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Ovf, ovf_free)

Ovf *ovf_empty (void);
/* What an OVA says of @def; its disks are added by who makes their files. */
Ovf *ovf_new (const DomainDef *def);
void ovf_add_disk (Ovf *ovf, const char *file, guint64 size, guint64 capacity, gboolean is_ide);
void ovf_add_card (Ovf *ovf, const char *mac, const char *model);
char *ovf_to_xml (const Ovf *ovf); /* (transfer full) */
