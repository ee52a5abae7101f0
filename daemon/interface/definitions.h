/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/settings.h"
#include "interface/interface-config.h"

/*
 * The interfaces that clients have defined: a document each in STATE/interfaces, and what these are in the
 * files of the host's network configuration. A change that is begun keeps the documents as they were in a
 * directory beside them, until it is committed or rolled back. Jobs' threads, one at a time
 * (interface_changes_lock in daemon/interface/host-interfaces.h).
 */
#define INTERFACE_DEFINITIONS_MAX 4096
#define INTERFACE_COMMAND_SECONDS 120 /* that ifup and its like may take: DHCP waits */

/* Which of the three configures this host's network; NULL with VIR_ERR_NO_SUPPORT where none does, or where
 * it is not ours to configure; @function is libvirt's name for what was asked. */
const NetworkConfig *interface_config_find (const Settings *settings, const char *function, GError **error);

/* HostInterfaceDef, by name. (transfer full) */
GPtrArray *interface_definitions_read (const Settings *settings, GError **error);
/* NULL: none. (borrowed) */
HostInterfaceDef *interface_definitions_find (GPtrArray *defs, const char *name);

/* All at once: documents and files. FALSE: they are as they were. */
gboolean interface_define (const Settings *settings, const NetworkConfig *config, HostInterfaceDef *def,
                           GError **error);
gboolean
interface_undefine (const Settings *settings, const NetworkConfig *config, const char *name, GError **error);
gboolean
interface_start (const Settings *settings, const NetworkConfig *config, const char *name, GError **error);
gboolean
interface_stop (const Settings *settings, const NetworkConfig *config, const char *name, GError **error);

gboolean interface_change_begin (const Settings *settings, GError **error);
gboolean interface_change_commit (const Settings *settings, GError **error);
gboolean interface_change_rollback (const Settings *settings, const NetworkConfig *config, GError **error);
