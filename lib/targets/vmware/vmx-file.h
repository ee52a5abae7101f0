/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/diagnostics.h"

/*
 * The text of a .vmx: lines of names, whose case does not count, with values in quotes. Pure; one thread.
 */
#define VMX_FILE_MAX     (1024 * 1024) /* bytes */
#define VMX_SETTINGS_MAX 8192

typedef struct {
  char *name, *value; /* the name in small letters */
  Position where;     /* of the value */
  gboolean used;      /* somebody asked for it */
} VmxSetting;

typedef struct {
  GPtrArray *settings; /* VmxSetting, in the order of the file */
  GHashTable *names;   /* name → VmxSetting; of a name that comes again, the last */
} VmxFile;

/* NULL with the mistakes in @diagnostics. @text is hostile. */
VmxFile *vmx_file_parse (const char *text, Diagnostics *diagnostics);
void vmx_file_free (VmxFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmxFile, vmx_file_free)
/* The setting of that name, which is used from now on; NULL: there is none. */
const VmxSetting *vmx_file_find (VmxFile *file, const char *name);
/* @text as it stands between the quotes: quotes, '|' and ends of lines as '|' and two digits. (transfer full)
 */
char *vmx_escape (const char *text);
