/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "network/network-def.h"
#include "network/network-port.h"

/*
 * Which networks run, as files that outlive the daemon and not the host: RUN/networks/UUID/ with live.xml, a
 * port-UUID.xml for each port, and what network-run keeps there. A job's thread.
 */
/* The live definition, which says that it runs, or is about to. Makes @directory. */
gboolean network_files_save_live (const char *directory, const NetworkDef *def, GError **error);
gboolean network_files_save_port (const char *directory, const NetworkPortDef *port, GError **error);
void network_files_remove_port (const char *directory, const char *uuid);
/* All of it: nothing runs any more. */
void network_files_remove (const char *directory);

/* A network that a daemon before made. */
typedef struct {
  NetworkDef *def;
  GPtrArray *ports; /* NetworkPortDef */
} NetworkFound;
void network_found_free (NetworkFound *found);
/* All below @parent (RUN/networks); what cannot be read is logged and left. (transfer full) */
GPtrArray *network_files_load (const char *parent);
