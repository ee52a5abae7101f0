/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/target.h"
#include "targets/xen/xl-file.h"

#include "base/xml-writer.h"

/*
 * What the files of this folder share.
 */
typedef enum { XEN_PV, XEN_PVH, XEN_HVM } XenMode;

/* An xl.cfg that is being written. */
typedef struct {
  const DomainDef *def;
  XenMode mode;
  TargetLosses *losses;
  GString *text;
} XlWriter;

void xl_add_text (XlWriter *writer, const char *name, const char *value);
void xl_add_number (XlWriter *writer, const char *name, gint64 value);
void xl_add_flag (XlWriter *writer, const char *name, gboolean value);
/* Strings; nothing of an empty list. Takes @items. */
void xl_add_list (XlWriter *writer, const char *name, GPtrArray *items);
/* ",KEY=VALUE" of a device's text, whose parts are between commas: a value with one in it is refused. Nothing
 * with @value NULL. */
void
xl_append_option (XlWriter *writer, GString *text, const Device *device, const char *key, const char *value);
/* An attribute of an element that is kept as it stands, and its text. NULL: there is none. (transfer full) */
char *xl_verbatim_attribute (const char *element, const char *name);
char *xl_verbatim_text (const char *element);
/* Xen's name for a feature of processors, or with @to_xen FALSE ours for Xen's. */
const char *xen_cpu_feature (const char *name, gboolean to_xen);

/* xl-devices.c */
void xl_add_displays (XlWriter *writer);
void xl_add_interfaces (XlWriter *writer);
void xl_add_pci_devices (XlWriter *writer);
void xl_add_ports (XlWriter *writer);
void xl_add_usb (XlWriter *writer);
void xl_add_channels (XlWriter *writer);
/* xl-disk.c */
void xl_add_disks (XlWriter *writer);

gboolean
xl_translate (const TargetRequest *request, TargetConfig *config, TargetLosses *losses, GError **error);

/* An xl.cfg that becomes a document. */
typedef struct {
  XlFile *file;
  Diagnostics *diagnostics;
  XmlElement *domain, *devices;
  XenMode mode;
  guint usb_controllers; /* read so far */
} XlImport;

char *xl_import (const char *text, Diagnostics *diagnostics);

/* Values by name; a value of another kind is a mistake. NULL, FALSE, 0: there is none. */
const char *xl_find_text (XlImport *import, const char *name);
gboolean xl_find_number (XlImport *import, const char *name, gint64 minimum, gint64 maximum, gint64 *ret);
/* @otherwise: where the file does not say it. */
gboolean xl_find_flag (XlImport *import, const char *name, gboolean otherwise);
/* The strings of a list; of a single string, that. NULL: there is none. (transfer container) */
GPtrArray *xl_find_texts (XlImport *import, const char *name);
void xl_mistake (XlImport *import, Position where, const char *format, ...) G_GNUC_PRINTF (3, 4);
void xl_without_place (XlImport *import, Position where, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* "key=value,flag,..." as a table of both; a flag has the value "". What has '=' nowhere before its comma is
 * a flag. */
GHashTable *xl_split_options (const char *text);

/* xl-read-devices.c */
void xl_read_interfaces (XlImport *import);
void xl_read_displays (XlImport *import);
void xl_read_ports (XlImport *import);
void xl_read_pci_devices (XlImport *import);
void xl_read_usb (XlImport *import);
void xl_read_channels (XlImport *import);
/* xl-read-disk.c */
void xl_read_disks (XlImport *import);
/* xl-read-nodes.c */
void xl_read_nodes (XlImport *import);
