/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/import-text.h"

/* One "KEY: VALUE" of the file; the value of most is "PRIMARY,NAME=VALUE,...". */
typedef struct {
  const ImportLine *line;
  GHashTable *options; /* name → value, borrowed from @words; NULL until they are asked for */
  GHashTable *asked;   /* names that were asked for: the others are lost */
  char **words;
  gboolean used;
} ProxmoxSetting;

typedef struct {
  Diagnostics *diagnostics;
  GHashTable *settings; /* key → ProxmoxSetting; of two of a key the last one counts, as with Proxmox */
  GPtrArray *order;     /* the same, in the order of the file */
  char *description;    /* of the comments; NULL: there are none */
  XmlElement *domain, *devices;
  gboolean is_q35;
  GHashTable *boot; /* device's key → its place in the order; empty: none is said */
  guint sd_names;   /* that SCSI and SATA disks have taken */
  guint iothreads;
} ProxmoxImport;

#define PROXMOX_MISTAKE(import, setting, ...)                                                         \
  diagnostics_error ((import)->diagnostics, (setting)->line->value_where, VIR_ERR_CONFIG_UNSUPPORTED, \
                     __VA_ARGS__)
#define PROXMOX_LOST(import, setting, ...) \
  diagnostics_warning ((import)->diagnostics, (setting)->line->where, VIR_ERR_CONFIG_UNSUPPORTED, __VA_ARGS__)

/* The setting of that key, which counts as used from now on; NULL: there is none. */
ProxmoxSetting *proxmox_find (ProxmoxImport *import, const char *key);
/* Its value, or NULL. */
const char *proxmox_value (ProxmoxImport *import, const char *key);
/* "1" and "0", and the words that Proxmox takes for them. */
gboolean proxmox_flag (ProxmoxImport *import, const char *key, gboolean otherwise);
/* A whole number; FALSE where there is none, or, with the mistake, none up to @max. */
gboolean proxmox_number (ProxmoxImport *import, const char *key, guint64 max, guint64 *ret);

/* An option of a setting; what has no name has that of @primary. NULL: it is not there. */
const char *proxmox_option (ProxmoxSetting *setting, const char *primary, const char *name);
gboolean
proxmox_option_flag (ProxmoxSetting *setting, const char *primary, const char *name, gboolean otherwise);
/* Of no meaning outside of Proxmox: not told. */
void proxmox_ignore (ProxmoxSetting *setting, const char *primary, const char *const *names);
/* Tell which options nobody asked for. */
void proxmox_report_options (const ProxmoxImport *import, const ProxmoxSetting *setting);

/* <boot order='N'/> where the device has a place in the order. */
void proxmox_add_boot (const ProxmoxImport *import, const char *key, XmlElement *device);

/* Disks, controllers and drives: proxmox-disks.c */
void proxmox_add_disks (ProxmoxImport *import);
/* Cards, ports, displays and what else there is: proxmox-devices.c */
void proxmox_add_devices (ProxmoxImport *import);
