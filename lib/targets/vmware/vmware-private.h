/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/target.h"
#include "targets/vmware/vmx-file.h"

#include "base/xml-writer.h"

/*
 * What the files of this folder share.
 */
#define VMX_SCSI_BUSES     4
#define VMX_SCSI_UNITS     16
#define VMX_SCSI_OWN_UNIT  7 /* the controller's */
#define VMX_SATA_BUSES     4
#define VMX_SATA_UNITS     30
#define VMX_IDE_BUSES      2
#define VMX_IDE_UNITS      2
#define VMX_FLOPPIES       2
#define VMX_ETHERNETS      10
#define VMX_SERIALS        4
#define VMX_PARALLELS      3
#define VMX_SHARED_FOLDERS 128

/* A .vmx that is being written. */
typedef struct {
  const DomainDef *def;
  TargetLosses *losses;
  TargetConfig *config;
  GString *text;
} VmxWriter;

/* @name is printed; nothing with @value NULL. */
void vmx_add (VmxWriter *writer, const char *value, const char *name, ...) G_GNUC_PRINTF (3, 4);

/* vmx-disk.c */
void vmx_add_disks (VmxWriter *writer);
/* vmx-devices.c */
void vmx_add_vnc (VmxWriter *writer);
void vmx_add_folders (VmxWriter *writer);
void vmx_add_ethernets (VmxWriter *writer);
void vmx_add_video (VmxWriter *writer);
void vmx_add_ports (VmxWriter *writer);
void vmx_lose_others (VmxWriter *writer);

gboolean
vmx_translate (const TargetRequest *request, TargetConfig *config, TargetLosses *losses, GError **error);

/* A .vmx that becomes a document. */
typedef struct {
  VmxFile *file;
  Diagnostics *diagnostics;
  XmlElement *domain, *devices;
  GHashTable *targets; /* char *: names of disks that are taken */
} VmxImport;

char *vmx_import (const char *text, Diagnostics *diagnostics);
/* Values by name, which is printed. NULL: there is none. */
const char *vmx_find (VmxImport *import, const char *name, ...) G_GNUC_PRINTF (2, 3);
gboolean vmx_find_flag (VmxImport *import, gboolean otherwise, const char *name, ...) G_GNUC_PRINTF (3, 4);
gboolean vmx_find_number (VmxImport *import, guint64 maximum, guint64 *ret, const char *name, ...)
    G_GNUC_PRINTF (4, 5);
/* At the place of the setting of that name. */
void vmx_mistake (VmxImport *import, const char *name, const char *format, ...) G_GNUC_PRINTF (3, 4);
void vmx_without_place (VmxImport *import, const char *name, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* A file's name that leads out of the folder of the .vmx is told. */
void vmx_check_path (VmxImport *import, const char *name, const char *path);

/* vmx-read-disk.c */
void vmx_read_disks (VmxImport *import);
/* vmx-read-devices.c */
void vmx_read_devices (VmxImport *import);
