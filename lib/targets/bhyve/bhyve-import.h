/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/bhyve/bhyve-private.h"
#include "targets/import-text.h"

/* What the command lines of bhyve have said so far. */
typedef struct {
  Diagnostics *diagnostics;
  Position where; /* of the option being read */
  char *name, *uuid, *bootloader, *loader_arguments, *firmware, *variables;
  guint64 memory; /* bytes */
  char *vcpus;
  gboolean has_topology;
  guint64 sockets, cores, threads;
  gboolean acpi, apic, utc, locked, ignores_msrs;
  XmlElement *devices;
  GPtrArray *own; /* words for <bhyve:commandline> */
  guint sata_disks, virtio_disks, sata_controllers;
} BhyveImport;

#define MISTAKE(import, ...) \
  diagnostics_error ((import)->diagnostics, (import)->where, VIR_ERR_CONFIG_UNSUPPORTED, __VA_ARGS__)

/* @option with @value, or NULL, has no element: bhyve is to get it as it stands. */
void bhyve_import_keep (BhyveImport *import, const char *option, const char *value);

/* The device that "-s" or "-l" with @option is. bhyve-import-devices.c */
void bhyve_import_slot (BhyveImport *import, const char *option);
void bhyve_import_old_device (BhyveImport *import, const char *option);
