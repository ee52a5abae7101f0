/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"

/* <sysinfo>: what firmware tells the guest of itself. */
typedef enum { SYSINFO_NONE, SYSINFO_SMBIOS, SYSINFO_FWCFG } SysinfoType;

/* <entry name=''>value</entry>; with the type fwcfg, the value may be a file's content instead. */
typedef struct {
  char *name, *file, *value;
} SysinfoEntry;

/* One table of SMBIOS: after completion, its entries have each name once and no empty value, in libvirt's
 * order. */
typedef struct {
  GPtrArray *entries; /* SysinfoEntry; NULL: none */
} SysinfoTable;

typedef struct Sysinfo {
  int type;                         /* SysinfoType */
  SysinfoTable bios, system;        /* types 0 and 1 */
  GPtrArray *base_boards;           /* SysinfoTable; type 2 */
  SysinfoTable chassis;             /* type 3 */
  GPtrArray *oem_strings, *entries; /* char *, type 11; SysinfoEntry of the type fwcfg */
} Sysinfo;

extern const FieldTable sysinfo_table;

/* What a host's firmware says of the host, for <smbios mode='host'>: @read gives the text of a file of
 * /sys/class/dmi/id (transfer full), or NULL. NULL: it says nothing. Free with sysinfo_free. */
Sysinfo *sysinfo_of_host (char *(*read) (const char *file, gpointer data), gpointer data);
void sysinfo_free (Sysinfo *sysinfo);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Sysinfo, sysinfo_free)

/* The value of the table's entry @name; NULL: it has none. */
const char *sysinfo_value (const SysinfoTable *table, const char *name);
/* The document of the type smbios that counts, the first; NULL: there is none. */
const Sysinfo *domain_def_smbios (const DomainDef *def);
