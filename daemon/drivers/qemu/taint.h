/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"

/* Why a running machine's faults may be its owner's: what was done to it past the format, in libvirt's words.
 */
typedef struct {
  const char *name;    /* "custom-argv": for the log */
  const char *message; /* for the domain's messages */
} Taint;

/* Those of the live definition @def; @custom_monitor: clients have given its QEMU commands of their own. In
 * libvirt's order. (transfer container) of const Taint * */
GPtrArray *taint_list (const DomainDef *def, gboolean custom_monitor);
/* Say each of them in the log, as libvirt does at a start. */
void taint_warn (const DomainDef *def, int id);
